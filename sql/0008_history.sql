-- The history of a balance: entries in the order in which they moved it, and what it was after each.

ALTER TABLE ledger_entries
    ADD COLUMN IF NOT EXISTS entry_id BIGINT NOT NULL AUTO_INCREMENT UNIQUE COMMENT 'given while the balance is locked, so it orders the entries of an account',
    ADD COLUMN IF NOT EXISTS balance_after BIGINT NULL COMMENT 'minor units; NULL for accounts that have no running total';

UPDATE ledger_entries e
    JOIN (SELECT entry_id, SUM(amount) OVER (PARTITION BY account_id ORDER BY entry_id) AS total FROM ledger_entries) t USING (entry_id)
    JOIN ledger_accounts a USING (account_id)
    SET e.balance_after = t.total
    WHERE a.kind = 'user' AND e.balance_after IS NULL;
