-- Demo data for make run: balances and items. Users and API keys come from guichetctl before it.
-- May run any number of times: what is there stays as it is.

SET time_zone = '+00:00';

INSERT IGNORE INTO ledger_accounts (kind, owner, currency) VALUES
    ('equity', 'house', 'USD'),
    ('user', '76561198000000001', 'USD'),
    ('user', '76561198000000002', 'USD');

START TRANSACTION;
INSERT IGNORE INTO ledger_postings (document_id, effect) VALUES ('OPENING_76561198000000001', 'opening');
SET @first = ROW_COUNT() = 1, @posting = LAST_INSERT_ID();
INSERT INTO ledger_entries (posting_id, line, account_id, amount, currency, balance_after)
    SELECT @posting, IF(kind = 'user', 1, 2), account_id, IF(kind = 'user', 5000, -5000), 'USD', IF(kind = 'user', 5000, NULL)
    FROM ledger_accounts
    WHERE @first AND currency = 'USD'
        AND ((kind = 'user' AND owner = '76561198000000001') OR (kind = 'equity' AND owner = 'house'));
INSERT INTO balances (account_id, balance)
    SELECT account_id, 5000 FROM ledger_accounts
    WHERE @first AND kind = 'user' AND owner = '76561198000000001' AND currency = 'USD';
COMMIT;

INSERT IGNORE INTO items (asset_id, owner_id, state, price, name, game) VALUES
    (987654321, 76561198000000002, 1, 1500, 'Mann Co. Supply Crate Key', 440),
    (987654322, 76561198000000002, 1, 2500, 'Team Captain', 440),
    (987654323, 76561198000000002, 0, 2000, 'Bill\'s Hat', 440),
    (987654330, 76561198000000001, 1, 1200, 'Earbuds', 440);

INSERT IGNORE INTO items (asset_id, owner_id, state, price, name, game)
    SELECT 900000000 + seq, 76561198000000002, 1, 100 + (seq * 37) % 901, CONCAT('Demo item ', seq), 440
    FROM seq_1_to_1000;
