-- Several attempts of one payment: which of them paid it, and what it is asked about out of turn.

ALTER TABLE payments
    ADD COLUMN IF NOT EXISTS paid_by SMALLINT NULL COMMENT 'number of the attempt whose success is the payment''s, set once; NULL: none has paid, or the payment is older than this column';

ALTER TABLE payment_checks
    ADD COLUMN IF NOT EXISTS asked_at DATETIME(3) NULL COMMENT 'when it was last looked at, or its provider asked by the return page',
    ADD COLUMN IF NOT EXISTS resume_at DATETIME(3) NULL COMMENT 'what due_at was before it was brought forward; NULL: it was not',
    ADD COLUMN IF NOT EXISTS extra SMALLINT NOT NULL DEFAULT 0 COMMENT 'questions out of turn, which are bounded',
    ADD INDEX IF NOT EXISTS checks_early (tries, asked_at);

ALTER TABLE ledger_postings
    MODIFY COLUMN effect ENUM('opening', 'credit', 'refund', 'dispute', 'dispute_won', 'dispute_lost', 'surplus', 'surplus_refund') NOT NULL COMMENT 'dispute: the disputed money is held; then it is given back, or gone; surplus: another attempt was paid too, its sequence is the attempt''s number';

-- When did a provider last tell us anything?
ALTER TABLE inbox ADD INDEX IF NOT EXISTS inbox_by_age (provider, received_at);

CREATE TABLE IF NOT EXISTS provider_silences (
    provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    hurried_at DATETIME(3) NOT NULL COMMENT 'when its open payments were last asked about out of turn: shared by all processes, so that it bounds the rate',
    PRIMARY KEY (provider)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'providers that have sent no notice for a while';
