-- A page of a balance's history, and how many entries there are, from an index alone: a busy seller
-- has hundreds of thousands.

ALTER TABLE ledger_entries
    ADD INDEX IF NOT EXISTS history_of_account (account_id, entry_id),
    DROP INDEX IF EXISTS entries_of_account;
