-- How a payer pays who has no address to go to (a bank wire), and what is known of his card.

ALTER TABLE attempt_answers
    ADD COLUMN IF NOT EXISTS instructions VARCHAR(1024) NULL COMMENT 'an object of JSON for the payer: whom to wire the money to, and with which reference';

-- Up to when a provider's own list of events was read, to find what its notices have not told.
ALTER TABLE provider_silences
    ADD COLUMN IF NOT EXISTS swept_s BIGINT NULL COMMENT 'Unix time, by our clock; NULL: never';

-- Refunds through a provider's API: written before it is called, in the books once it has said yes.
ALTER TABLE refunds
    MODIFY COLUMN via ENUM('manual', 'balance', 'reported', 'provider') NOT NULL COMMENT 'manual: a person gives it back at the provider; balance: booked to the payer\'s balance; reported: the provider told us of it; provider: given back through its API';

CREATE TABLE IF NOT EXISTS refund_orders (
    refund_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'REF_ and a ULID; also the key of the call, and of the row in refunds once it is booked',
    payment_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    attempt SMALLINT NOT NULL COMMENT 'number of the attempt that was paid',
    amount BIGINT NOT NULL COMMENT 'minor units of the payment\'s currency',
    reason VARCHAR(255) NOT NULL DEFAULT '',
    operator_id BIGINT NOT NULL,
    state ENUM('pending', 'done', 'failed') NOT NULL DEFAULT 'pending' COMMENT 'pending reserves its amount; neither of the others ever changes',
    reference VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'the provider\'s own name for it, as soon as it has told',
    note VARCHAR(255) NOT NULL DEFAULT '',
    tries SMALLINT NOT NULL DEFAULT 0,
    due_at DATETIME(3) NULL COMMENT 'when the jobs program looks at it; also the lease. NULL: nothing is left to do',
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (refund_id),
    KEY orders_due (due_at),
    KEY orders_of_payment (payment_id, state),
    CONSTRAINT order_payment FOREIGN KEY (payment_id) REFERENCES payments (payment_id),
    CONSTRAINT order_operator FOREIGN KEY (operator_id) REFERENCES users (user_id),
    CONSTRAINT order_amount CHECK (amount > 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'refunds that a provider was asked for';

CREATE TABLE IF NOT EXISTS recurring_registrations (
    registration_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'REC_ and a ULID',
    user_id BIGINT NOT NULL COMMENT 'whose payments it is for',
    provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    reference VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the provider\'s own name for it; all else is asked of the provider',
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (registration_id),
    UNIQUE KEY registered_once (provider, reference),
    CONSTRAINT registration_user FOREIGN KEY (user_id) REFERENCES users (user_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'registrations of recurring payments';

CREATE TABLE IF NOT EXISTS payment_cards (
    payment_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    alias VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'as the provider shows it: never the whole number',
    country VARCHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '' COMMENT 'of the bank; empty: not known',
    PRIMARY KEY (payment_id),
    CONSTRAINT card_payment FOREIGN KEY (payment_id) REFERENCES payments (payment_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'what is known of the cards that payments on a provider\'s page were made with';
