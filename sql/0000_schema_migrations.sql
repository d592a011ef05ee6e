-- What has been applied. guichetctl migrate runs this file before it looks at any other.

CREATE TABLE IF NOT EXISTS schema_migrations (
    version INT NOT NULL COMMENT 'the number in front of the file\'s name',
    name VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    checksum CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'SHA-256 of the file; an applied file never changes',
    applied_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'migrations that this database has';
