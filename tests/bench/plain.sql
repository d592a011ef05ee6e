-- What PHP, Node and bare C keep: the least that does the job, in a database of their own each.

CREATE TABLE users (
    user_id BIGINT PRIMARY KEY,
    banned TINYINT NOT NULL DEFAULT 0
) ENGINE = InnoDB;

CREATE TABLE balances (
    user_id BIGINT PRIMARY KEY,
    balance BIGINT NOT NULL DEFAULT 0
) ENGINE = InnoDB;

CREATE TABLE payments (
    payment_id BIGINT AUTO_INCREMENT PRIMARY KEY,
    user_id BIGINT NOT NULL,
    type ENUM('balance', 'items') NOT NULL,
    amount BIGINT NOT NULL,
    status ENUM('sending', 'pending', 'completed', 'failed') NOT NULL DEFAULT 'sending',
    provider_reference VARCHAR(128) NULL,
    url VARCHAR(255) NULL,
    idempotency_key VARCHAR(64) NULL,
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    UNIQUE KEY (user_id, idempotency_key)
) ENGINE = InnoDB;

-- limit.c with several rows a step
CREATE TABLE answers (
    payment_id BIGINT PRIMARY KEY,
    provider_reference VARCHAR(128) NOT NULL,
    url VARCHAR(255) NOT NULL
) ENGINE = InnoDB;

-- An amount is positive where we owe more. account: a user, or 0 the provider, 1 the house.
CREATE TABLE ledger (
    entry_id BIGINT AUTO_INCREMENT PRIMARY KEY,
    payment_id BIGINT NOT NULL,
    account BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    UNIQUE KEY (payment_id, account),
    KEY (account)
) ENGINE = InnoDB;

CREATE TABLE items (
    asset_id BIGINT PRIMARY KEY,
    owner_id BIGINT NOT NULL,
    on_sale TINYINT NOT NULL,
    price BIGINT NOT NULL,
    KEY (owner_id)
) ENGINE = InnoDB;

CREATE TABLE payment_items (
    payment_id BIGINT NOT NULL,
    asset_id BIGINT NOT NULL,
    price BIGINT NOT NULL,
    PRIMARY KEY (payment_id, asset_id)
) ENGINE = InnoDB;

CREATE TABLE notices (
    notice_id BIGINT AUTO_INCREMENT PRIMARY KEY,
    body_hash BINARY(32) NOT NULL UNIQUE,
    body BLOB NOT NULL,
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)
) ENGINE = InnoDB;
