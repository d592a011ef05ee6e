-- Notices from providers, events for others, and answers kept for repeated requests.

CREATE TABLE IF NOT EXISTS inbox (
    inbox_id BIGINT NOT NULL AUTO_INCREMENT,
    provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    body_hash BINARY(32) NOT NULL COMMENT 'SHA-256 of the raw bytes: copies share one row',
    reference VARCHAR(64) NULL COMMENT 'the payment that the notice names',
    state ENUM('done', 'unmatched', 'review') NOT NULL COMMENT 'done never goes back',
    note VARCHAR(255) NOT NULL DEFAULT '',
    body MEDIUMBLOB NOT NULL COMMENT 'as received; its signature was right',
    copies INT NOT NULL DEFAULT 1,
    tries SMALLINT NOT NULL DEFAULT 0,
    due_at DATETIME(3) NULL COMMENT 'next internal try of an unmatched notice; also the lease',
    received_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (inbox_id),
    UNIQUE KEY notice_once (provider, body_hash),
    KEY inbox_due (due_at),
    CONSTRAINT inbox_due_open CHECK (due_at IS NULL OR state = 'unmatched')
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'every genuine notice of a provider, and what became of it';

CREATE TABLE IF NOT EXISTS outbox (
    outbox_id BIGINT NOT NULL AUTO_INCREMENT,
    payment_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    topic VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'payment.completed, …',
    sequence SMALLINT NOT NULL DEFAULT 1,
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (outbox_id),
    UNIQUE KEY told_once (payment_id, topic, sequence),
    CONSTRAINT outbox_payment FOREIGN KEY (payment_id) REFERENCES payments (payment_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'what others must be told, written in the transaction that made it true';

CREATE TABLE IF NOT EXISTS idempotency_keys (
    user_id BIGINT NOT NULL,
    path VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    request_hash BINARY(32) NOT NULL COMMENT 'SHA-256 of the body',
    payment_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
    status SMALLINT NULL COMMENT 'HTTP status of the first answer; NULL while the outcome is open',
    body BLOB NULL COMMENT 'the first answer, byte for byte',
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) COMMENT 'kept for 30 days',
    PRIMARY KEY (user_id, path, idempotency_key),
    KEY keys_of_payment (payment_id),
    KEY keys_by_age (created_at),
    CONSTRAINT key_answer CHECK ((status IS NULL) = (body IS NULL))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'first answers to requests that carried an Idempotency-Key';

CREATE TABLE IF NOT EXISTS counters (
    name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    value BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'things that are only counted, such as notices with a wrong signature';
