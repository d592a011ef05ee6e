-- Double entry. An amount is positive where an account is credited (we owe more) and negative where
-- it is debited; the entries of one posting sum to zero. Entries are never changed or removed.

CREATE TABLE IF NOT EXISTS ledger_accounts (
    account_id BIGINT NOT NULL AUTO_INCREMENT,
    kind ENUM('user', 'provider', 'provider_fees', 'equity') NOT NULL COMMENT 'user: owed to a user; provider: held for us by a provider; provider_fees: what payers paid for its service; equity: the house',
    owner VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'steamid, provider name, or house',
    currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (account_id),
    UNIQUE KEY account_owner (kind, owner, currency)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'accounts of the ledger, one per owner and currency';

CREATE TABLE IF NOT EXISTS balances (
    account_id BIGINT NOT NULL,
    balance BIGINT NOT NULL DEFAULT 0 COMMENT 'minor units; the sum of the account\'s entries. Below zero only after a refund of spent money',
    PRIMARY KEY (account_id),
    CONSTRAINT balance_account FOREIGN KEY (account_id) REFERENCES ledger_accounts (account_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'running totals of user accounts only: a total of a provider or of the house would be one hot row under every payment';

CREATE TABLE IF NOT EXISTS ledger_postings (
    posting_id BIGINT NOT NULL AUTO_INCREMENT,
    document_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the payment, or OPENING_ and the user for a balance brought in',
    effect ENUM('opening', 'credit', 'refund') NOT NULL,
    sequence SMALLINT NOT NULL DEFAULT 1,
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (posting_id),
    UNIQUE KEY posted_once (document_id, effect, sequence)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'one row per movement of money; the unique key is what makes every effect happen once';

CREATE TABLE IF NOT EXISTS ledger_entries (
    posting_id BIGINT NOT NULL,
    line SMALLINT NOT NULL,
    account_id BIGINT NOT NULL,
    amount BIGINT NOT NULL COMMENT 'minor units; positive: credit, negative: debit',
    currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (posting_id, line),
    KEY entries_of_account (account_id),
    CONSTRAINT entry_posting FOREIGN KEY (posting_id) REFERENCES ledger_postings (posting_id),
    CONSTRAINT entry_account FOREIGN KEY (account_id) REFERENCES ledger_accounts (account_id),
    CONSTRAINT entry_amount CHECK (amount <> 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'the lines of the postings';
