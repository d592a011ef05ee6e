/* A marketplace for test_plans.c: payments and what belongs to each, numbered alike in all tables,
 * up to # in place of the last; the user BUSY has a tenth of them. */
#ifndef UNIT_PLANS_ROWS_H
#define UNIT_PLANS_ROWS_H

/* clang-format off */
#define SEQUENCE " FROM seq_10001_to_#;"
#define ID       "CONCAT('PAY_010000000000000000000', seq)"
#define OWNER    "IF(seq % 10 = 0, 9999, seq)"
#define BUSY     "9999"
#define AGO      "NOW(3) - INTERVAL (# - seq) MINUTE"

static const char rows_text[] =
    "INSERT INTO users (user_id, name, email) VALUES (" BUSY ", 'busy', 'busy@example.test');"
    "INSERT INTO users (user_id, name, email) SELECT seq, 'x', 'x@example.test'" SEQUENCE
    "INSERT INTO api_keys (key_hash, user_id) SELECT UNHEX(SHA2(seq, 256)), seq" SEQUENCE
    "INSERT INTO payments (payment_id, user_id, provider, type, amount, currency, status, client_ip, request_id,"
    " created_at, expires_at) SELECT " ID ", " OWNER ", IF(seq % 3, 'mangopay', 'payviox'), 'items', 1000, 'USD',"
    " IF(seq % 100, 'completed', 'pending'), '::1', 'x', " AGO ", " AGO " + INTERVAL 1 HOUR" SEQUENCE
    "INSERT INTO payment_items (payment_id, asset_id, seller_id, price, fee, name) SELECT " ID ", seq, 10001, 1000, 0,"
    " 'x'" SEQUENCE
    "INSERT INTO payment_cards (payment_id, alias) SELECT " ID ", 'x'" SEQUENCE
    "INSERT INTO payment_checks (payment_id, due_at, tries, asked_at) SELECT " ID ","
    " NOW(3) + INTERVAL IF(seq % 200, 1, -1) * CAST(seq AS SIGNED) SECOND, seq % 20, " AGO SEQUENCE
    /* every tenth payment has a second attempt */
    "INSERT INTO attempts (attempt_id, payment_id, number, provider, reference, deadline_at) SELECT seq, " ID ", 1,"
    " IF(seq % 3, 'mangopay', 'payviox'), CONCAT('REF-', seq, '-1'), " AGO SEQUENCE
    "INSERT INTO attempts (payment_id, number, provider, reference, deadline_at) SELECT " ID ", 2, 'mannco',"
    " CONCAT('REF-', seq, '-2'), " AGO " FROM seq_10001_to_# WHERE seq % 10 = 0;"
    "INSERT INTO attempt_answers (attempt_id, outcome, definite, provider_reference, url) SELECT attempt_id, 'pending',"
    " 1, CONCAT('SESSION-', attempt_id), 'https://x' FROM attempts;"
    "INSERT INTO attempt_answers (attempt_id, outcome) SELECT attempt_id, 'unknown' FROM attempts WHERE number = 2;"
    "INSERT INTO learnt_references (attempt_id, provider, provider_reference) SELECT seq,"
    " IF(seq % 3, 'mangopay', 'payviox'), CONCAT('INVOICE-', seq)" SEQUENCE
    "INSERT INTO events (payment_id, kind, source) SELECT " ID ", 'created', 'request'" SEQUENCE
    "INSERT INTO events (payment_id, kind, source) SELECT " ID ", 'completed', 'webhook'" SEQUENCE
    "INSERT INTO ledger_accounts (account_id, kind, owner, currency) VALUES (1, 'provider', 'mangopay', 'USD'),"
    " (2, 'equity', 'house', 'USD'), (" BUSY ", 'user', '" BUSY "', 'USD');"
    "INSERT INTO ledger_accounts (account_id, kind, owner, currency) SELECT seq, 'user', seq, 'USD'" SEQUENCE
    "INSERT INTO balances (account_id, balance) SELECT account_id, 1000 FROM ledger_accounts WHERE kind = 'user';"
    "INSERT INTO ledger_postings (posting_id, document_id, effect) SELECT seq, " ID ", 'credit'" SEQUENCE
    "INSERT INTO ledger_entries (posting_id, line, account_id, amount, currency, balance_after) SELECT seq, 1, " OWNER
    ", 1000, 'USD', 1000" SEQUENCE
    "INSERT INTO ledger_entries (posting_id, line, account_id, amount, currency) SELECT seq, 2, 1, -1000, 'USD'" SEQUENCE
    "INSERT INTO items (asset_id, owner_id, state, price, name, game, held_by) SELECT seq, " OWNER ", 1, 1000, 'x', 440,"
    " IF(seq % 10 = 7, " ID ", NULL)" SEQUENCE
    "INSERT INTO inbox (inbox_id, provider, body_hash, body, reference, state, note, due_at, received_at) SELECT seq,"
    " IF(seq % 3, 'mangopay', 'payviox'), UNHEX(SHA2(seq, 256)), 'x', " ID ", CASE seq % 200 WHEN 0 THEN 'unmatched'"
    " WHEN 1 THEN 'review' ELSE 'done' END, '', IF(seq % 200, NULL, NOW(3) - INTERVAL seq SECOND), " AGO SEQUENCE
    "INSERT INTO outbox (outbox_id, payment_id, topic, body) SELECT seq, " ID ", 'payment.completed', '{}'" SEQUENCE
    "INSERT INTO receivers (name, url) VALUES ('receiver_1', 'https://x'), ('receiver_2', 'https://y');"
    "INSERT INTO deliveries (delivery_id, outbox_id, receiver, state, due_at) SELECT seq, seq, 'receiver_1',"
    " CASE seq % 200 WHEN 0 THEN 'waiting' WHEN 1 THEN 'dead' ELSE 'done' END,"
    " IF(seq % 200, NULL, NOW(3) - INTERVAL seq SECOND)" SEQUENCE
    "INSERT INTO deliveries (outbox_id, receiver, state, due_at) SELECT seq, 'mail', 'done', NULL" SEQUENCE
    "INSERT INTO notifications (user_id, payment_id, kind, text, read_at) SELECT " OWNER ", " ID
    ", 'payment.completed', 'x', IF(seq % 3, NOW(3), NULL)" SEQUENCE
    "INSERT INTO idempotency_keys (user_id, path, idempotency_key, request_hash, payment_id, status, body, created_at)"
    " SELECT " OWNER ", '/payment', CONCAT('key-', seq), UNHEX(SHA2(seq, 256)), " ID ", 200, 'x', " AGO SEQUENCE
    "INSERT INTO declines (subject) SELECT UNHEX(SHA2(seq, 256))" SEQUENCE
    "INSERT INTO reviews (review_id, kind, subject, payment_id, inbox_id, provider, fact, note, resolved_at, resolved_by)"
    " SELECT seq, 'mismatch', " ID ", " ID ", seq, 'mangopay', 'paid', 'x', IF(seq % 100, NOW(3), NULL),"
    " IF(seq % 100, 'x', NULL)" SEQUENCE
    "INSERT INTO refunds (refund_id, payment_id, sequence, amount, via) SELECT CONCAT('REF_', seq), " ID ", 1, 10,"
    " 'manual'" SEQUENCE
    "INSERT INTO refund_orders (refund_id, payment_id, attempt, amount, operator_id, state, due_at) SELECT"
    " CONCAT('REF_', seq), " ID ", 1, 10, 10001, IF(seq % 100, 'done', 'pending'),"
    " IF(seq % 100, NULL, NOW(3) - INTERVAL seq SECOND)" SEQUENCE
    "INSERT INTO disputes (payment_id, reference, sequence, provider, amount, state) SELECT " ID ", '', 1, 'mangopay',"
    " 10, IF(seq % 100, 'won', 'opened')" SEQUENCE
    "INSERT INTO recurring_registrations (registration_id, user_id, provider, reference) SELECT CONCAT('REC_', seq), seq,"
    " 'mangopay', seq" SEQUENCE
    "INSERT INTO provider_health (provider) VALUES ('mangopay'), ('payviox');"
    "INSERT INTO provider_silences (provider, hurried_at) VALUES ('mangopay', '2000-01-01'), ('payviox', '2000-01-01');"
    "INSERT INTO provider_calls (provider, place, second_of, calls, failures) SELECT IF(seq % 2, 'mangopay', 'payviox'),"
    " seq DIV 2, seq, 1, 0 FROM seq_0_to_599;"
    "INSERT INTO counters (name, value) VALUES ('webhook.unproved.mangopay', 1), ('x', 1);";
/* clang-format on */

#endif
