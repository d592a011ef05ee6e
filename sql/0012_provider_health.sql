-- The switch and the breaker of each provider, and the calls that the breaker goes by.

CREATE TABLE IF NOT EXISTS provider_health (
    provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    disabled BOOLEAN NOT NULL DEFAULT FALSE COMMENT 'the switch: no new payments; those that are open go on',
    switched_by VARCHAR(64) NOT NULL DEFAULT '' COMMENT 'the operator who did so last, in either direction',
    switch_note VARCHAR(255) NOT NULL DEFAULT '',
    switched_at DATETIME(3) NULL,
    opened_at DATETIME(3) NULL COMMENT 'the breaker; NULL: closed',
    open_until DATETIME(3) NULL COMMENT 'the end of the cool-down; from then on one call may try',
    probe_id BIGINT NULL COMMENT 'the one that does',
    probe_until DATETIME(3) NULL COMMENT 'its lease: it may have died',
    reason VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'why it opened',
    PRIMARY KEY (provider),
    CONSTRAINT breaker_open CHECK ((opened_at IS NULL) = (open_until IS NULL)),
    CONSTRAINT breaker_probe CHECK ((probe_id IS NULL) = (probe_until IS NULL)),
    CONSTRAINT breaker_probe_open CHECK (probe_id IS NULL OR open_until IS NOT NULL)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'may new payments be made with a provider? No row: yes';

CREATE TABLE IF NOT EXISTS provider_calls (
    provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    place SMALLINT NOT NULL COMMENT 'of the second in a ring of 300',
    second_of BIGINT NOT NULL COMMENT 'Unix time',
    calls BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    PRIMARY KEY (provider, place),
    CONSTRAINT calls_counted CHECK (failures BETWEEN 0 AND calls)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'calls that create payments, by second';
