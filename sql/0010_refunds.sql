-- What happens after a success: refunds, disputes, and what only a person can decide.

ALTER TABLE payments
    ADD COLUMN IF NOT EXISTS refunded BIGINT NOT NULL DEFAULT 0 COMMENT 'minor units; the sum of the refunds that are in the books',
    ADD COLUMN IF NOT EXISTS dispute ENUM('none', 'won', 'opened', 'lost') NOT NULL DEFAULT 'none' COMMENT 'the worst of its disputes',
    ADD CONSTRAINT IF NOT EXISTS payment_refunded CHECK (refunded BETWEEN 0 AND amount);

CREATE TABLE IF NOT EXISTS refunds (
    refund_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'REF_ and a ULID',
    payment_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    sequence SMALLINT NOT NULL COMMENT 'from 1; that of its posting',
    amount BIGINT NOT NULL COMMENT 'minor units of the payment\'s currency',
    via ENUM('manual', 'balance', 'reported') NOT NULL COMMENT 'manual: a person gives it back at the provider; balance: booked to the payer\'s balance; reported: the provider told us of it',
    reference VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'the provider\'s own name for it; empty: the provider names none; NULL: not heard of from the provider',
    reason VARCHAR(255) NOT NULL DEFAULT '',
    operator_id BIGINT NULL COMMENT 'who asked for it; NULL: the provider told us',
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (refund_id),
    UNIQUE KEY refund_sequence (payment_id, sequence),
    UNIQUE KEY refunded_once (payment_id, reference),
    CONSTRAINT refund_payment FOREIGN KEY (payment_id) REFERENCES payments (payment_id),
    CONSTRAINT refund_operator FOREIGN KEY (operator_id) REFERENCES users (user_id),
    CONSTRAINT refund_amount CHECK (amount > 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'money given back, in part or as a whole';

CREATE TABLE IF NOT EXISTS disputes (
    payment_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    reference VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the provider\'s own name for it; empty: the provider names none, so there is one',
    sequence SMALLINT NOT NULL COMMENT 'from 1; that of its postings',
    provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    amount BIGINT NOT NULL COMMENT 'minor units of the payment\'s currency',
    state ENUM('none', 'won', 'opened', 'lost') NOT NULL COMMENT 'held while it is opened, gone when it is lost',
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (payment_id, reference),
    UNIQUE KEY dispute_sequence (payment_id, sequence),
    CONSTRAINT dispute_payment FOREIGN KEY (payment_id) REFERENCES payments (payment_id),
    CONSTRAINT dispute_amount CHECK (amount > 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'payers who asked their bank for their money; chargebacks';

CREATE TABLE IF NOT EXISTS reviews (
    review_id BIGINT NOT NULL AUTO_INCREMENT,
    kind ENUM('mismatch', 'stranger', 'unmatched', 'unreadable', 'unended', 'surplus') NOT NULL COMMENT 'mismatch: other amount, currency or session than ours; stranger: another merchant or environment; unmatched: no payment of ours; unreadable: not as documented; unended: the provider never came to an end; surplus: paid twice',
    subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the payment, or notice: and the number of the inbox',
    payment_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
    inbox_id BIGINT NULL,
    provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    fact VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'what the provider says; none: nothing that we understand',
    note VARCHAR(255) NOT NULL COMMENT 'what does not fit',
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    resolved_at DATETIME(3) NULL,
    resolved_by VARCHAR(64) NULL,
    resolution VARCHAR(255) NULL COMMENT 'accepted or dismissed, and why',
    PRIMARY KEY (review_id),
    UNIQUE KEY reviewed_once (subject, kind, note),
    KEY reviews_open (resolved_at, review_id),
    CONSTRAINT review_payment FOREIGN KEY (payment_id) REFERENCES payments (payment_id),
    CONSTRAINT review_notice FOREIGN KEY (inbox_id) REFERENCES inbox (inbox_id),
    CONSTRAINT review_resolved CHECK ((resolved_at IS NULL) = (resolved_by IS NULL))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'what a person must decide';

ALTER TABLE ledger_postings
    MODIFY COLUMN effect ENUM('opening', 'credit', 'refund', 'dispute', 'dispute_won', 'dispute_lost') NOT NULL COMMENT 'dispute: the disputed money is held; then it is given back, or gone';

ALTER TABLE ledger_accounts
    MODIFY COLUMN kind ENUM('user', 'provider', 'provider_fees', 'equity', 'disputes') NOT NULL COMMENT 'user: owed to a user; provider: held for us by a provider; provider_fees: what payers paid for its service; equity: the house; disputes: taken from payers while their disputes with a provider are open';

-- The words of a notice lead to it.
ALTER TABLE inbox ADD INDEX IF NOT EXISTS inbox_by_reference (reference);

-- Refunds that are in the books already were all of it, and known by the provider's word alone.
UPDATE payments SET refunded = amount WHERE status = 'refunded';
INSERT IGNORE INTO refunds (refund_id, payment_id, sequence, amount, via, reference)
    SELECT CONCAT('REF_', SUBSTRING(payment_id, 5)), payment_id, 1, amount, 'reported', '' FROM payments WHERE status = 'refunded';

-- What waited for a person before there was a list of it.
INSERT IGNORE INTO reviews (kind, subject, inbox_id, provider, fact, note, created_at)
    SELECT IF(reference = '', 'unreadable', 'mismatch'), CONCAT('notice:', inbox_id), inbox_id, provider, 'none', note, received_at
    FROM inbox WHERE state = 'review';
