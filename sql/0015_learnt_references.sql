-- A provider's own names for payments that its create answers did not tell (NonStopPay's invoices).

CREATE TABLE IF NOT EXISTS learnt_references (
    attempt_id BIGINT NOT NULL,
    provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    provider_reference VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (attempt_id),
    UNIQUE KEY one_payment_each (provider, provider_reference),
    CONSTRAINT learnt_attempt FOREIGN KEY (attempt_id) REFERENCES attempts (attempt_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'learnt from a callback or a list, once it was read back; one invoice never pays two payments';
