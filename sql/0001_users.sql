-- Who may call. The marketplace owns its users; Guichet keeps what it needs to recognise them.

CREATE TABLE IF NOT EXISTS users (
    user_id BIGINT NOT NULL COMMENT 'steamid, the sub of a token',
    name VARCHAR(64) NOT NULL,
    email VARCHAR(254) NOT NULL,
    role ENUM('user', 'operator') NOT NULL DEFAULT 'user',
    banned_at DATETIME(3) NULL COMMENT 'a banned user is answered like an unknown one',
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) COMMENT 'UTC, as every time here',
    PRIMARY KEY (user_id),
    CONSTRAINT user_id_positive CHECK (user_id > 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'payers, sellers and operators';

CREATE TABLE IF NOT EXISTS api_keys (
    key_hash BINARY(32) NOT NULL COMMENT 'HMAC-SHA256 of the key under api_key.hash_key_file; the key itself is nowhere',
    user_id BIGINT NOT NULL,
    revoked_at DATETIME(3) NULL,
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (key_hash),
    CONSTRAINT api_key_user FOREIGN KEY (user_id) REFERENCES users (user_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'keys that POST /user/login takes';
