/* The texts of all statements, in the order of enum sql. Nothing else in the program holds SQL,
 * but for the session settings in db.c and the files of sql/.
 * Times go in as milliseconds or as spans from the database's own clock; they come out as RFC 3339.
 */
#include "store/sql.h"

#include "base/settings.h"
#include "store/sql_columns.h"

#include <string.h>

_Static_assert(RECEIVERS_MAX == 4, "WAITING names them");

/* clang-format off */
const char *const sql_text[SQL_STATEMENTS] = {
    [SQL_READY] =
        "SELECT @@innodb_flush_log_at_trx_commit, MAX(version), @@read_only FROM schema_migrations",
    [SQL_CLOCK] = /* milliseconds */
        "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', NOW(3)) DIV 1000",
    [SQL_MIGRATION_LOCK] =
        "SELECT GET_LOCK('guichet_migrate', 30)",
    [SQL_MIGRATION_GET] =
        "SELECT checksum FROM schema_migrations WHERE version = ?",
    [SQL_MIGRATION_INSERT] =
        "INSERT INTO schema_migrations (version, name, checksum) VALUES (?, ?, ?)",

    [SQL_USER_BY_ID] =
        "SELECT user_id, banned_at IS NOT NULL, role = 'operator' FROM users WHERE user_id = ?",
    [SQL_USER_ACTIVE] =
        "SELECT user_id FROM users WHERE user_id = ? AND banned_at IS NULL",
    [SQL_USERS_BY_ID] = /* for many, see held.c */
        "SELECT user_id, banned_at IS NOT NULL, role = 'operator' FROM users FORCE INDEX (PRIMARY)"
        " WHERE user_id IN (" THIRTY_TWO ")",
    [SQL_USER_BY_KEY] =
        "SELECT u.user_id, u.banned_at IS NOT NULL, u.role = 'operator' FROM api_keys k JOIN users u USING (user_id)"
        " WHERE k.key_hash = ? AND k.revoked_at IS NULL",
    [SQL_USER_ADDRESS] =
        "SELECT name, email FROM users WHERE user_id = ?",
    [SQL_USER_PUT] =
        "INSERT INTO users (user_id, name, email, role) VALUES (?, ?, ?, ?)"
        " ON DUPLICATE KEY UPDATE name = VALUES(name), email = VALUES(email), role = VALUES(role)",
    [SQL_USER_BAN] =
        "UPDATE users SET banned_at = IF(?, COALESCE(banned_at, NOW(3)), NULL) WHERE user_id = ?",
    [SQL_API_KEY_PUT] =
        "INSERT INTO api_keys (key_hash, user_id) VALUES (?, ?) ON DUPLICATE KEY UPDATE key_hash = VALUES(key_hash)",
    [SQL_API_KEY_GET] =
        "SELECT user_id, revoked_at IS NOT NULL FROM api_keys WHERE key_hash = ?",
    [SQL_API_KEY_REVOKE] =
        "UPDATE api_keys SET revoked_at = COALESCE(revoked_at, NOW(3)) WHERE key_hash = ?",

    [SQL_PAYMENT_INSERT] =
        "INSERT INTO payments (payment_id, user_id, provider, type, amount, currency, method,"
        " tos_accepted_at, checkout_created_at, client_ip, request_id, surface, return_url, created_at,"
        " expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, " MS_TO_TIME ", " MS_TO_TIME ", ?, ?, ?, ?,"
        " COALESCE(" MS_TO_TIME ", NOW(3)), COALESCE(" MS_TO_TIME ", NOW(3)) + INTERVAL ? SECOND)",
    [SQL_PAYMENT_LOCK] =
        "SELECT " PAYMENT_COLUMNS " FROM payments p WHERE p.payment_id = ? FOR UPDATE",
    [SQL_PAYMENTS_LOCK] = /* the same for many, see held.c */
        "SELECT " PAYMENT_COLUMNS " FROM payments p FORCE INDEX (PRIMARY) WHERE p.payment_id IN (" THIRTY_TWO ") FOR UPDATE",
    [SQL_PAYMENT_STATUS] =
        "UPDATE payments SET status = ?, paid_by = COALESCE(paid_by, ?) WHERE payment_id = ? AND status = ?",
    [SQL_PAYMENTS_STATUS] = /* for many, see held.c */
        "UPDATE payments FORCE INDEX (PRIMARY) SET status = ?, paid_by = COALESCE(paid_by, ?)"
        " WHERE status = ? AND payment_id IN (" THIRTY_TWO ")",
    [SQL_PAYMENT_REFUNDED] =
        "UPDATE payments SET refunded = refunded + ? WHERE payment_id = ?",
    [SQL_PAYMENT_PAID_BY] =
        "UPDATE payments SET paid_by = ? WHERE payment_id = ? AND paid_by IS NULL",
    [SQL_PAYMENT_DISPUTE] =
        "UPDATE payments p SET dispute = (SELECT MAX(CAST(d.state AS UNSIGNED)) FROM disputes d"
        " WHERE d.payment_id = p.payment_id) WHERE p.payment_id = ?",
    [SQL_PAYMENT_GET] =
        "SELECT " PAYMENT_COLUMNS " FROM payments p WHERE p.payment_id = ?",
    [SQL_PAYMENTS_OF_USER] =
        "SELECT " PAYMENT_COLUMNS " FROM payments p"
        " WHERE p.user_id = ? AND p.payment_id < ? AND p.payment_id >= ? AND p.provider = COALESCE(?, p.provider)"
        " AND p.created_at >= COALESCE(" MS_TO_TIME ", p.created_at)"
        " AND p.created_at < COALESCE(" MS_TO_TIME ", p.created_at + INTERVAL 1 SECOND)"
        " AND " STATUS_NOW " = COALESCE(?, " STATUS_NOW ") ORDER BY p.payment_id DESC LIMIT ?",
    [SQL_PAYMENTS_WINDOW] =
        "SELECT payment_id FROM payments WHERE user_id = ? AND payment_id < ?"
        " ORDER BY payment_id DESC LIMIT 1 OFFSET ?",
    [SQL_PAYMENT_OF_REFERENCE] =
        "SELECT a.payment_id FROM attempts a WHERE a.provider = ? AND a.reference = ? UNION"
        " SELECT a.payment_id FROM attempt_answers d JOIN attempts a USING (attempt_id)"
        " WHERE a.provider = ? AND d.provider_reference = ? UNION"
        " SELECT a.payment_id FROM learnt_references l JOIN attempts a USING (attempt_id)"
        " WHERE l.provider = ? AND l.provider_reference = ? LIMIT 1",
    [SQL_PAYMENT_RETURN_URL] =
        "SELECT return_url FROM payments WHERE payment_id = ?",

    [SQL_REFUND_INSERT] =
        "INSERT INTO refunds (refund_id, payment_id, sequence, amount, via, reference, reason, operator_id)"
        " SELECT ?, ?, COUNT(*) + 1, ?, ?, ?, ?, ? FROM refunds WHERE payment_id = ?",
    [SQL_REFUND_FIND] =
        "SELECT " REFUND_COLUMNS " WHERE payment_id = ? AND (refund_id = ? OR reference = ?)",
    [SQL_REFUND_CONFIRM] =
        "UPDATE refunds SET reference = ? WHERE payment_id = ? AND via = 'manual' AND reference IS NULL"
        " AND amount = ? ORDER BY sequence LIMIT 1",
    [SQL_REFUNDS_OF_PAYMENT] =
        "SELECT " REFUND_COLUMNS " WHERE payment_id = ? ORDER BY sequence LIMIT ?",
    [SQL_ORDER_INSERT] =
        "INSERT INTO refund_orders (refund_id, payment_id, attempt, amount, reason, operator_id, due_at)"
        " VALUES (?, ?, ?, ?, ?, ?, " IN_SECONDS ")",
    [SQL_ORDER_GET] =
        "SELECT " ORDER_COLUMNS " WHERE refund_id = ? FOR UPDATE",
    [SQL_ORDER_CONFIRM] = /* the one that the provider has named so, else ours of this amount, and of this name if it is known */
        "SELECT " ORDER_COLUMNS " WHERE payment_id = ? AND state = 'pending' AND (reference = ?"
        " OR reference IS NULL AND amount = ? AND ? IN ('', refund_id)) ORDER BY reference IS NULL, created_at LIMIT 1 FOR UPDATE",
    [SQL_ORDER_TAKE] =
        "SELECT refund_id, payment_id FROM refund_orders WHERE due_at <= NOW(3)"
        " ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED",
    [SQL_ORDER_LEASE] =
        "UPDATE refund_orders SET tries = LEAST(tries + 1, 1000), due_at = " IN_SECONDS " WHERE refund_id = ?",
    [SQL_ORDER_NEXT] =
        "UPDATE refund_orders SET note = COALESCE(?, note), reference = COALESCE(?, reference), due_at = IF(?, " IN_SECONDS ", NULL)"
        " WHERE refund_id = ?",
    [SQL_ORDER_END] =
        "UPDATE refund_orders SET state = ?, note = ?, reference = COALESCE(?, reference), due_at = NULL"
        " WHERE refund_id = ? AND state = 'pending'",
    [SQL_ORDERS_OF_PAYMENT] =
        "SELECT " ORDER_COLUMNS " WHERE payment_id = ? AND state = 'pending' ORDER BY created_at LIMIT ?",
    [SQL_CARD_INSERT] =
        "INSERT IGNORE INTO payment_cards (payment_id, alias, country) VALUES (?, ?, ?)",
    [SQL_CARD_GET] =
        "SELECT alias, country FROM payment_cards WHERE payment_id = ?",
    [SQL_RECURRING_INSERT] =
        "INSERT INTO recurring_registrations (registration_id, user_id, provider, reference) VALUES (?, ?, ?, ?)",
    [SQL_RECURRING_GET] =
        "SELECT registration_id, user_id, provider, reference FROM recurring_registrations"
        " WHERE registration_id = ?",
    [SQL_DISPUTE_INSERT] =
        "INSERT INTO disputes (payment_id, reference, sequence, provider, amount, state)"
        " SELECT ?, ?, COUNT(*) + 1, ?, ?, 'none' FROM disputes WHERE payment_id = ?",
    [SQL_DISPUTE_FIND] =
        "SELECT sequence, amount, state FROM disputes WHERE payment_id = ? AND reference = ? FOR UPDATE",
    [SQL_DISPUTE_STATE] =
        "UPDATE disputes SET state = ? WHERE payment_id = ? AND reference = ?",
    [SQL_DISPUTES_STANDING] =
        "SELECT COALESCE(SUM(amount), 0) FROM (SELECT amount FROM disputes WHERE payment_id = ?"
        " AND state IN ('opened', 'lost') UNION ALL SELECT amount FROM refund_orders WHERE payment_id = ?"
        " AND state = 'pending') standing",
    [SQL_REVIEW_INSERT] =
        "INSERT IGNORE INTO reviews (kind, subject, payment_id, inbox_id, provider, fact, note)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
    [SQL_REVIEW_LOCK] =
        "SELECT review_id, payment_id, inbox_id, provider, fact, note, resolved_at IS NOT NULL FROM reviews"
        " WHERE review_id = ? FOR UPDATE",
    [SQL_REVIEW_RESOLVE] =
        "UPDATE reviews SET resolved_at = NOW(3), resolved_by = ?, resolution = ? WHERE review_id = ?",

    [SQL_PAYMENT_ITEM_INSERT] =
        "INSERT INTO payment_items (payment_id, asset_id, seller_id, price, fee, name) VALUES (?, ?, ?, ?, ?, ?)",
    [SQL_ITEMS_OF_PAYMENT] =
        "SELECT i.asset_id, i.seller_id, i.price, i.fee, p.currency, i.name, COUNT(*) OVER ()"
        " FROM payment_items i"
        " JOIN payments p USING (payment_id) WHERE i.payment_id = ? ORDER BY i.asset_id LIMIT ?",
    [SQL_ITEM_LOCK] =
        "SELECT " ITEM_COLUMNS " WHERE asset_id = ? FOR UPDATE",
    [SQL_ITEMS_LOCK] = /* for many, see held.c */
        "SELECT " ITEM_COLUMNS " FORCE INDEX (PRIMARY) WHERE asset_id IN (" THIRTY_TWO ") FOR UPDATE",
    [SQL_ITEM_HOLD] =
        "UPDATE items SET held_by = ? WHERE asset_id = ?",
    [SQL_ITEMS_RELEASE] =
        "UPDATE items SET held_by = NULL WHERE held_by = ?",
    [SQL_ITEM_HAND_OVER] =
        "UPDATE items SET owner_id = ?, state = 0, held_by = NULL WHERE asset_id = ? AND owner_id = ?"
        " AND state = 1",
    [SQL_ITEMS_HAND_OVER] = /* for many, see held.c */
        "UPDATE items FORCE INDEX (PRIMARY) SET owner_id = CASE asset_id" THIRTY_TWO_WHEN " END, state = 0,"
        " held_by = NULL WHERE asset_id IN (" THIRTY_TWO ") AND state = 1"
        " AND owner_id = CASE asset_id" THIRTY_TWO_WHEN " END",

    [SQL_ATTEMPT_INSERT] =
        "INSERT INTO attempts (payment_id, number, provider, reference, deadline_at)"
        " VALUES (?, ?, ?, ?, " IN_MS ") RETURNING attempt_id",
    [SQL_ATTEMPTS_OF_PAYMENT] =
        "SELECT " ATTEMPTS_BY("attempt_number") " WHERE a.payment_id = ? ORDER BY a.number DESC LIMIT ?",
    [SQL_ATTEMPT_OF_PROVIDER] =
        "SELECT " ATTEMPTS_ALONE("attempt_reference") " WHERE a.provider = ? AND a.reference = ?",
    [SQL_ATTEMPT_WHOLE] =
        "SELECT " ATTEMPTS_BY("attempt_reference") " WHERE a.provider = ? AND a.reference = ?",
    [SQL_ATTEMPTS_OF_PAYMENTS] = /* for many, see held.c */
        "SELECT " ATTEMPTS_ALONE("attempt_number") " WHERE a.payment_id IN (" THIRTY_TWO ")",
    [SQL_ATTEMPT_NAMED] =
        "SELECT a.reference FROM attempt_answers d JOIN attempts a USING (attempt_id)"
        " WHERE a.provider = ? AND d.provider_reference = ? AND d.definite = 1 UNION"
        " SELECT a.reference FROM learnt_references l JOIN attempts a USING (attempt_id)"
        " WHERE l.provider = ? AND l.provider_reference = ? LIMIT 1",
    [SQL_ANSWER_INSERT] =
        "INSERT INTO attempt_answers (attempt_id, outcome, definite, http_status, provider_reference,"
        " url, reason, instructions, source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_REFERENCE_LEARN] =
        "INSERT INTO learnt_references (attempt_id, provider, provider_reference) VALUES (?, ?, ?)",
    [SQL_EVENT_INSERT] =
        "INSERT INTO events (payment_id, kind, detail, source) VALUES (?, ?, ?, ?)",
    [SQL_EVENT_FIND] =
        "SELECT 1 FROM events WHERE payment_id = ? AND kind = ? AND detail = ? LIMIT 1",
    [SQL_EVENTS_OF_PAYMENT] =
        "SELECT at, kind, detail, source FROM " TIMELINE,

    [SQL_CHECK_INSERT] =
        "INSERT IGNORE INTO payment_checks (payment_id, due_at) VALUES (?, " IN_SECONDS ")",
    [SQL_CHECK_TAKE] =
        "SELECT payment_id, tries FROM payment_checks WHERE due_at <= NOW(3)"
        " ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED",
    [SQL_CHECK_LEASE] =
        "UPDATE payment_checks SET due_at = " IN_SECONDS ", asked_at = NOW(3) WHERE payment_id = ?",
    [SQL_CHECK_NEXT] = /* assigned from left to right */
        "UPDATE payment_checks SET tries = IF(resume_at IS NULL, LEAST(?, 1000), tries),"
        " due_at = COALESCE(resume_at, " IN_MS "), resume_at = NULL WHERE payment_id = ?",
    [SQL_CHECK_DELETE] =
        "DELETE FROM payment_checks WHERE payment_id = ?",
    [SQL_CHECKS_DELETE] = /* for many, see held.c */
        "DELETE FROM payment_checks WHERE payment_id IN (" THIRTY_TWO ")",
    [SQL_CHECK_ASK] =
        "UPDATE payment_checks SET asked_at = NOW(3), extra = extra + 1 WHERE payment_id = ? AND extra < ?"
        " AND (asked_at IS NULL OR asked_at <= NOW(3) - INTERVAL ? SECOND)",
    [SQL_CHECKS_HURRY] = /* in the index's order, or all that are open would be read, locked and sorted */
        "UPDATE payment_checks c FORCE INDEX (checks_early) SET resume_at = due_at, due_at = NOW(3), extra = extra + 1 WHERE tries < ?"
        " AND extra < ? AND asked_at <= NOW(3) - INTERVAL ? SECOND AND due_at > NOW(3) AND resume_at IS NULL"
        " AND EXISTS (SELECT 1 FROM attempts a WHERE a.payment_id = c.payment_id AND a.provider = ?)"
        " ORDER BY tries, asked_at LIMIT ?",
    [SQL_SILENCE_PUT] =
        "INSERT IGNORE INTO provider_silences (provider, hurried_at) VALUES (?, '2000-01-01')",
    [SQL_SILENCE_TURN] =
        "UPDATE provider_silences SET hurried_at = NOW(3) WHERE provider = ?"
        " AND hurried_at <= NOW(3) - INTERVAL ? SECOND AND NOT EXISTS (SELECT 1 FROM inbox i"
        " WHERE i.provider = ? AND i.received_at > NOW(3) - INTERVAL ? SECOND)",

    [SQL_SWEEP_GET] =
        "SELECT COALESCE(swept_s, 0) FROM provider_silences WHERE provider = ?",
    [SQL_SWEEP_SET] =
        "UPDATE provider_silences SET swept_s = GREATEST(COALESCE(swept_s, 0), ?) WHERE provider = ?",

    [SQL_ACCOUNT_PUT] =
        "INSERT IGNORE INTO ledger_accounts (kind, owner, currency) VALUES (?, ?, ?)",
    [SQL_ACCOUNT_BY_OWNER] =
        "SELECT account_id FROM ledger_accounts WHERE kind = ? AND owner = ? AND currency = ?",
    [SQL_ACCOUNTS_OF_PAYMENTS] = /* their payers', for many, see held.c */
        "SELECT account_id, kind, owner, a.currency FROM payments p FORCE INDEX (PRIMARY) STRAIGHT_JOIN ledger_accounts a"
        " ON a.kind = 'user' AND a.owner = CAST(p.user_id AS CHAR CHARACTER SET ascii) COLLATE ascii_bin AND a.currency = p.currency"
        " WHERE p.payment_id IN (" THIRTY_TWO ")",
    [SQL_POSTING_INSERT] =
        "INSERT INTO ledger_postings (document_id, effect, sequence) VALUES (?, ?, ?) RETURNING posting_id",
    [SQL_POSTING_FIND] =
        "SELECT 1 FROM ledger_postings WHERE document_id = ? AND effect = ? AND sequence = ?",
    [SQL_BALANCE_ADD] =
        "INSERT INTO balances (account_id, balance) VALUES (?, ?)"
        " ON DUPLICATE KEY UPDATE balance = balance + VALUES(balance) RETURNING balance",
    [SQL_ENTRY_INSERT] =
        "INSERT INTO ledger_entries (posting_id, line, account_id, amount, currency, balance_after)"
        " VALUES (?, ?, ?, ?, ?, ?)",
    [SQL_BALANCE_OF_USER] =
        "SELECT b.balance FROM ledger_accounts a JOIN balances b USING (account_id)"
        " WHERE a.kind = 'user' AND a.owner = ? AND a.currency = ?",
    [SQL_VERIFY_POSTINGS] =
        "SELECT p.document_id, p.effect, e.currency, COALESCE(SUM(e.amount), 0) AS off"
        " FROM ledger_postings p LEFT JOIN ledger_entries e USING (posting_id)"
        " GROUP BY p.posting_id, e.currency HAVING off <> 0 OR e.currency IS NULL LIMIT 100",
    [SQL_VERIFY_BALANCES] =
        "SELECT a.owner, a.currency, COALESCE(b.balance, 0) AS balance, COALESCE(s.total, 0) AS total"
        " FROM ledger_accounts a LEFT JOIN balances b USING (account_id)"
        " LEFT JOIN (SELECT account_id, SUM(amount) AS total FROM ledger_entries GROUP BY account_id) s"
        " USING (account_id) WHERE a.kind = 'user' HAVING balance <> total LIMIT 100",
    [SQL_VERIFY_PAYMENTS] =
        "SELECT p.payment_id, p.status, p.amount, COALESCE(s.credited, 0) AS credited,"
        " COALESCE(s.refunded, 0) AS taken_back, p.refunded FROM payments p"
        " LEFT JOIN (SELECT l.document_id, SUM(IF(l.effect = 'credit' AND e.amount > 0, e.amount, 0)) AS credited,"
        " SUM(IF(l.effect = 'refund' AND e.amount < 0, -e.amount, 0)) AS refunded"
        " FROM ledger_postings l STRAIGHT_JOIN ledger_entries e ON e.posting_id = l.posting_id"
        " STRAIGHT_JOIN ledger_accounts a ON a.account_id = e.account_id" /* never by way of a busy account */
        " WHERE a.kind IN ('user', 'equity') GROUP BY l.document_id) s ON s.document_id = p.payment_id"
        " HAVING p.status IN ('completed', 'partially_refunded') AND (credited <> p.amount OR taken_back <> p.refunded)"
        " OR p.status = 'refunded' AND (credited <> taken_back OR p.refunded <> p.amount)"
        " OR p.status IN ('pending', 'processing', 'expired', 'failed') AND (credited <> 0 OR taken_back <> 0) LIMIT 100",
    [SQL_VERIFY_REFUNDS] =
        "SELECT p.payment_id, p.refunded, COALESCE(SUM(r.amount), 0) AS total FROM payments p"
        " LEFT JOIN refunds r USING (payment_id) GROUP BY p.payment_id HAVING p.refunded <> total LIMIT 100",
    [SQL_VERIFY_DISPUTES] =
        "SELECT owner, currency, SUM(held), SUM(disputed) FROM (SELECT a.owner, a.currency, SUM(e.amount) AS held,"
        " 0 AS disputed FROM ledger_accounts a JOIN ledger_entries e USING (account_id) WHERE a.kind = 'disputes'"
        " GROUP BY a.account_id UNION ALL SELECT d.provider, p.currency, 0, SUM(d.amount) FROM disputes d"
        " JOIN payments p USING (payment_id) WHERE d.state = 'opened' GROUP BY d.provider, p.currency) both_sides"
        " GROUP BY owner, currency HAVING SUM(held) <> SUM(disputed) LIMIT 100",
    [SQL_VERIFY_SURPLUS] = /* what another attempt has paid too; given back only if it was credited */
        "SELECT l.document_id, l.effect, l.sequence FROM ledger_postings l LEFT JOIN payments p"
        " ON p.payment_id = l.document_id LEFT JOIN attempts a ON a.payment_id = l.document_id AND a.number = l.sequence"
        " LEFT JOIN ledger_postings s ON s.document_id = l.document_id AND s.effect = 'surplus' AND s.sequence = l.sequence"
        " WHERE l.effect IN ('surplus', 'surplus_refund') AND NOT COALESCE(a.attempt_id IS NOT NULL"
        " AND s.posting_id IS NOT NULL AND p.paid_by <> l.sequence"
        " AND p.status IN ('completed', 'partially_refunded', 'refunded'), FALSE) LIMIT 100",
    [SQL_VERIFY_HOLDS] =
        "SELECT i.asset_id, p.payment_id, p.status FROM items i JOIN payments p ON p.payment_id = i.held_by"
        " WHERE p.status NOT IN ('pending', 'processing') LIMIT 100",
    [SQL_VERIFY_TOTALS] =
        "SELECT (SELECT COUNT(*) FROM ledger_postings), (SELECT COUNT(*) FROM ledger_entries),"
        " (SELECT COUNT(*) FROM balances), (SELECT COUNT(*) FROM payments)",

    [SQL_HISTORY_PAGE] = /* the page first: what it does not show is not looked up */
        "SELECT e.entry_id, e.amount, e.balance_after, e.currency, " UNIX("l.created_at") ", l.effect,"
        " p.payment_id, p.user_id, p.type FROM (SELECT h.entry_id FROM ledger_accounts a"
        " JOIN ledger_entries h USING (account_id) WHERE a.kind = 'user' AND a.owner = ?"
        " ORDER BY h.entry_id DESC LIMIT ? OFFSET ?) shown JOIN ledger_entries e USING (entry_id)"
        " JOIN ledger_postings l USING (posting_id) LEFT JOIN payments p ON p.payment_id = l.document_id"
        " ORDER BY e.entry_id DESC",
    [SQL_HISTORY_COUNT] =
        "SELECT COUNT(*) FROM ledger_accounts a JOIN ledger_entries e USING (account_id)"
        " WHERE a.kind = 'user' AND a.owner = ?",
    [SQL_TRANSACTIONS_PAGE] = /* as the history's */
        "SELECT " PAYMENT_COLUMNS " FROM (SELECT payment_id FROM payments WHERE user_id = ?"
        " ORDER BY payment_id DESC LIMIT ? OFFSET ?) shown JOIN payments p USING (payment_id)"
        " ORDER BY p.payment_id DESC",
    [SQL_TRANSACTIONS_SEARCH] =
        "SELECT " PAYMENT_COLUMNS " FROM payments p WHERE p.user_id = ? AND p.payment_id >= ?"
        " AND (LOCATE(?, " ANY_TEXT("p.payment_id") ") > 0"
        " OR LOCATE(?, " ANY_TEXT("p.provider") ") > 0 OR (SELECT COUNT(*)" /* EXISTS would gather all items first */
        " FROM payment_items i WHERE i.payment_id = p.payment_id AND LOCATE(?, i.name) > 0) > 0)"
        " ORDER BY p.payment_id DESC LIMIT ? OFFSET ?",

    [SQL_INBOX_PUT] =
        "INSERT INTO inbox (provider, body_hash, body, state) VALUES (?, ?, ?, 'unmatched')"
        " ON DUPLICATE KEY UPDATE copies = copies + 1",
    [SQL_INBOX_INSERT] =
        "INSERT INTO inbox (provider, body_hash, body, state, note, reference, due_at)"
        " VALUES (?, ?, ?, ?, ?, ?, IF(?, " IN_SECONDS ", NULL))",
    [SQL_INBOX_BY_HASH] =
        "SELECT inbox_id, state, tries, provider, body, copies FROM inbox"
        " WHERE provider = ? AND body_hash = ? FOR UPDATE",
    [SQL_INBOX_GET] =
        "SELECT inbox_id, state, tries, provider, body, copies FROM inbox WHERE inbox_id = ?",
    [SQL_INBOX_LOCK] =
        "SELECT inbox_id, state, tries, provider, body, copies FROM inbox WHERE inbox_id = ? FOR UPDATE",
    [SQL_INBOX_SET] =
        "UPDATE inbox SET state = ?, note = ?, reference = ?, due_at = IF(?, " IN_SECONDS ", NULL)"
        " WHERE inbox_id = ?",
    [SQL_INBOX_RESOLVE] =
        "UPDATE inbox SET state = 'done' WHERE state = 'review' AND (inbox_id = ? OR reference = ? AND note = ?)",
    [SQL_INBOX_TAKE] =
        "SELECT inbox_id FROM inbox WHERE due_at <= NOW(3) ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED",
    [SQL_INBOX_LEASE] =
        "UPDATE inbox SET tries = LEAST(tries + 1, 1000), due_at = " IN_SECONDS " WHERE inbox_id = ?",
    [SQL_OUTBOX_INSERT] =
        "INSERT IGNORE INTO outbox (payment_id, topic, sequence, body) VALUES (?, ?, ?, ?) RETURNING outbox_id",
    [SQL_DELIVERY_INSERT] =
        "INSERT IGNORE INTO deliveries (outbox_id, receiver) VALUES (?, ?)",
    [SQL_DELIVERIES_INSERT] =
        "INSERT IGNORE INTO deliveries (outbox_id, receiver) SELECT ?, name FROM receivers",
    [SQL_DELIVERIES_OF_MANY] = /* for many, see held.c */
        "INSERT IGNORE INTO deliveries (outbox_id, receiver) SELECT o.outbox_id, r.name"
        " FROM outbox o FORCE INDEX (PRIMARY) JOIN receivers r WHERE o.outbox_id IN (" THIRTY_TWO ")"
        " AND o.body IS NOT NULL", /* which the index alone does not tell, so it is not read whole */
    [SQL_OUTBOX_GET] =
        "SELECT payment_id, topic, " UNIX("created_at") ", sequence, body FROM outbox WHERE outbox_id = ?",
    [SQL_DELIVERY_TAKE] =
        "SELECT delivery_id, outbox_id, tries FROM deliveries WHERE due_at <= NOW(3) AND receiver = ?"
        " ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED",
    [SQL_DELIVERY_LEASE] =
        "UPDATE deliveries SET tries = LEAST(tries + 1, 1000), due_at = " IN_SECONDS " WHERE delivery_id = ?",
    [SQL_DELIVERY_SET] =
        "UPDATE deliveries SET state = ?, note = ?, due_at = IF(?, " IN_MS ", NULL)"
        " WHERE delivery_id = ? AND state = 'waiting'",
    [SQL_DELIVERIES_DROP] =
        "UPDATE deliveries SET state = 'dead', note = ?, due_at = NULL WHERE receiver = ? AND due_at IS NOT NULL"
        " LIMIT 1000",
    [SQL_RECEIVER_PUT] = /* in this order: each assignment sees those before it */
        "INSERT INTO receivers (name, url) VALUES (?, ?) ON DUPLICATE KEY UPDATE"
        " disabled_at = IF(url = VALUES(url), disabled_at, NULL),"
        " rests_until = IF(url = VALUES(url), rests_until, NULL),"
        " note = IF(url = VALUES(url), note, ''), url = VALUES(url)",
    [SQL_RECEIVER_DELETE] =
        "DELETE FROM receivers WHERE name = ?",
    [SQL_RECEIVER_GET] =
        "SELECT disabled_at IS NOT NULL, COALESCE(rests_until > NOW(3), 0) FROM receivers WHERE name = ?",
    [SQL_RECEIVER_DISABLE] =
        "UPDATE receivers SET disabled_at = COALESCE(disabled_at, NOW(3)), note = ? WHERE name = ?",
    [SQL_RECEIVER_ENABLE] =
        "UPDATE receivers SET disabled_at = NULL, rests_until = NULL, note = '' WHERE name = ?",
    [SQL_RECEIVER_REST] =
        "UPDATE receivers SET rests_until = GREATEST(COALESCE(rests_until, NOW(3)), " IN_SECONDS "), note = ?"
        " WHERE name = ? AND disabled_at IS NULL",
    [SQL_NOTIFICATION_INSERT] =
        "INSERT IGNORE INTO notifications (user_id, payment_id, kind, text) VALUES (?, ?, ?, ?)",
    [SQL_NOTIFICATIONS_OF_USER] =
        "SELECT notification_id, " UNIX("created_at") ", text, payment_id FROM notifications"
        " WHERE user_id = ? AND read_at IS NULL ORDER BY notification_id DESC LIMIT ?",
    [SQL_NOTIFICATIONS_COUNT] =
        "SELECT COUNT(*) FROM (SELECT 1 FROM notifications WHERE user_id = ? AND read_at IS NULL LIMIT 1000) unread",
    [SQL_NOTIFICATIONS_READ] =
        "UPDATE notifications SET read_at = NOW(3) WHERE user_id = ? AND read_at IS NULL LIMIT 1000",

    [SQL_KEY_GET] =
        "SELECT request_hash, payment_id, status, body FROM idempotency_keys"
        " WHERE user_id = ? AND path = ? AND idempotency_key = ?",
    [SQL_KEY_PUT] =
        "INSERT INTO idempotency_keys (user_id, path, idempotency_key, request_hash, payment_id, status, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
    [SQL_KEY_ANSWER] =
        "UPDATE idempotency_keys SET status = ?, body = ? WHERE payment_id = ? AND status IS NULL",
    [SQL_KEYS_ANSWER] = /* for many, see held.c */
        "UPDATE idempotency_keys FORCE INDEX (keys_of_payment) SET status = ?, body = CASE payment_id"
        THIRTY_TWO_WHEN " END WHERE payment_id IN (" THIRTY_TWO ") AND status IS NULL",
    [SQL_KEY_ANSWER_AS] =
        "UPDATE idempotency_keys SET status = ?, body = ?, payment_id = ? WHERE payment_id = ? AND status IS NULL",
    [SQL_KEY_RELEASE] =
        "DELETE FROM idempotency_keys WHERE payment_id = ? AND status IS NULL",
    [SQL_KEY_EXPIRE] =
        "DELETE FROM idempotency_keys WHERE created_at < NOW(3) - INTERVAL 30 DAY LIMIT 500",

    [SQL_DECLINE_INSERT] = /* counts until its day is over */
        "INSERT INTO declines (subject, declined_at) VALUES (?, NOW(3) - INTERVAL 1 DAY + INTERVAL ? SECOND)"
        " RETURNING decline_id",
    [SQL_DECLINE_DELETE] =
        "DELETE FROM declines WHERE decline_id = ?",
    [SQL_DECLINES_WAIT] =
        "SELECT 1 + TIMESTAMPDIFF(SECOND, NOW(3), declined_at + INTERVAL 1 DAY) FROM declines"
        " WHERE subject = ? AND declined_at > NOW(3) - INTERVAL 1 DAY AND decline_id <> ? ORDER BY declined_at DESC LIMIT 1 OFFSET ?",
    [SQL_DECLINES_EXPIRE] =
        "DELETE FROM declines WHERE declined_at < NOW(3) - INTERVAL 1 DAY LIMIT 500",

    /* metrics: a label's value, and a number */
    [SQL_METRIC_PAYMENTS] =
        "SELECT status, COUNT(*) FROM payments WHERE status IN ('pending', 'processing') GROUP BY status",
    [SQL_METRIC_PAYMENTS_AGE] =
        "SELECT status, " SECONDS_SINCE("MIN(created_at)") " FROM payments WHERE status IN ('pending', 'processing')"
        " AND expires_at <= created_at + INTERVAL 1 DAY GROUP BY status", /* payment.lifetime at most */
    [SQL_METRIC_OVERDUE] =
        "SELECT '', COALESCE(MAX(" SECONDS_SINCE("expires_at") "), 0) FROM payments"
        " WHERE status = 'pending' AND expires_at < NOW(3)",
    [SQL_METRIC_CHECKS_LAG] =
        "SELECT '', COALESCE(" SECONDS_SINCE("MIN(due_at)") ", 0) FROM payment_checks WHERE due_at < NOW(3)",
    [SQL_METRIC_INBOX] =
        "SELECT '', COUNT(*) FROM inbox WHERE due_at IS NOT NULL",
    [SQL_METRIC_INBOX_AGE] =
        "SELECT '', COALESCE(" SECONDS_SINCE("MIN(received_at)") ", 0) FROM inbox WHERE due_at IS NOT NULL",
    [SQL_METRIC_SILENCE] =
        "SELECT provider, " SECONDS_SINCE("MAX(received_at)") " FROM inbox GROUP BY provider",
    [SQL_METRIC_ATTEMPTS] =
        "SELECT a.provider, COUNT(*) FROM payments p STRAIGHT_JOIN attempts a ON a.payment_id = p.payment_id"
        " WHERE p.status IN ('pending', 'processing') GROUP BY a.provider",
    [SQL_METRIC_ORDERS_AGE] =
        "SELECT '', COALESCE(" SECONDS_SINCE("MIN(created_at)") ", 0) FROM refund_orders WHERE due_at IS NOT NULL",
    [SQL_METRIC_DELIVERIES] =
        "SELECT receiver, COUNT(*) " WAITING,
    [SQL_METRIC_DELIVERIES_LAG] =
        "SELECT receiver, GREATEST(" SECONDS_SINCE("MIN(due_at)") ", 0) FROM deliveries"
        " GROUP BY receiver HAVING MIN(due_at) IS NOT NULL",
    [SQL_METRIC_DELIVERIES_AGE] =
        "SELECT d.receiver, " SECONDS_SINCE("o.created_at") " FROM (SELECT MIN(delivery_id) AS delivery_id " WAITING ") oldest"
        " JOIN deliveries d USING (delivery_id) JOIN outbox o USING (outbox_id)",
    [SQL_METRIC_RECEIVERS] =
        "SELECT name, disabled_at IS NOT NULL FROM receivers",
    [SQL_METRIC_REVIEWS] =
        "SELECT kind, COUNT(*) FROM reviews WHERE resolved_at IS NULL GROUP BY kind",
    [SQL_METRIC_REVIEWS_AGE] =
        "SELECT kind, " SECONDS_SINCE("MIN(created_at)") " FROM reviews WHERE resolved_at IS NULL GROUP BY kind",
    [SQL_METRIC_UNPROVED] =
        "SELECT SUBSTRING(name, LENGTH('webhook.unproved.') + 1), value FROM counters"
        " WHERE name LIKE 'webhook.unproved.%'",
    [SQL_METRIC_PROVIDERS] =
        "SELECT provider, disabled OR opened_at IS NOT NULL FROM provider_health",
    [SQL_PROVIDERS] =
        "SELECT " HEALTH_COLUMNS " FROM provider_health ORDER BY provider LIMIT ?",
    [SQL_PROVIDER_LOCK] =
        "SELECT " HEALTH_COLUMNS " FROM provider_health WHERE provider = ? FOR UPDATE",
    [SQL_PROVIDER_PUT] =
        "INSERT IGNORE INTO provider_health (provider) VALUES (?)",
    [SQL_PROVIDER_SWITCH] =
        "INSERT INTO provider_health (provider, disabled, switched_by, switch_note, switched_at)"
        " VALUES (?, ?, ?, ?, NOW(3)) ON DUPLICATE KEY UPDATE disabled = VALUES(disabled),"
        " switched_by = VALUES(switched_by), switch_note = VALUES(switch_note),"
        " switched_at = VALUES(switched_at)",
    [SQL_PROVIDER_OPEN] =
        "UPDATE provider_health SET opened_at = COALESCE(opened_at, NOW(3)), open_until = " IN_SECONDS ","
        " probe_id = NULL, probe_until = NULL, reason = ? WHERE provider = ?",
    [SQL_PROVIDER_CLOSE] =
        "UPDATE provider_health SET opened_at = NULL, open_until = NULL, probe_id = NULL,"
        " probe_until = NULL, reason = '' WHERE provider = ?",
    [SQL_PROVIDER_PROBE] =
        "UPDATE provider_health SET probe_id = ?, probe_until = " IN_MS
        " WHERE provider = ? AND open_until <= NOW(3)"
        " AND (probe_until IS NULL OR probe_until <= NOW(3) OR probe_id = ?)",
    [SQL_PROVIDER_UNPROBE] =
        "UPDATE provider_health SET probe_id = NULL, probe_until = NULL WHERE provider = ? AND probe_id = ?",
    [SQL_CALLS_ADD] = /* a second's place is taken again when the ring has come round */
        "INSERT INTO provider_calls (provider, place, second_of, calls, failures)"
        " VALUES (?, " UNIX("NOW(3)") " MOD 300, " UNIX("NOW(3)") ", ?, ?) ON DUPLICATE KEY UPDATE"
        " calls = IF(second_of = VALUES(second_of), calls, 0) + VALUES(calls),"
        " failures = IF(second_of = VALUES(second_of), failures, 0) + VALUES(failures),"
        " second_of = VALUES(second_of)",
    [SQL_CALLS_GET] =
        "SELECT " UNIX("NOW(3)") " - second_of, calls, failures FROM provider_calls WHERE provider = ?",
    [SQL_CALLS_FORGET] =
        "UPDATE provider_calls SET calls = 0, failures = 0 WHERE provider = ?",

    [SQL_COUNT] =
        "INSERT INTO counters (name, value) VALUES (?, 1) ON DUPLICATE KEY UPDATE value = value + 1",

    [SQL_INBOX_RETRY_LOCK] =
        "SELECT state, COALESCE(due_at <= NOW(3), 0), reference FROM inbox WHERE inbox_id = ? FOR UPDATE",
    [SQL_INBOX_RETRY] =
        "UPDATE inbox SET state = 'unmatched', due_at = NOW(3) WHERE inbox_id = ?",
    [SQL_DELIVERY_RETRY_LOCK] =
        "SELECT d.state, COALESCE(d.due_at <= NOW(3), 0), o.payment_id, d.receiver, o.topic"
        " FROM deliveries d JOIN outbox o USING (outbox_id) WHERE d.delivery_id = ? FOR UPDATE",
    [SQL_DELIVERY_RETRY] =
        "UPDATE deliveries SET tries = IF(state = 'waiting', tries, 0), state = 'waiting', due_at = NOW(3)"
        " WHERE delivery_id = ?",
    [SQL_DELIVERY_DEAD_NEXT] =
        "SELECT delivery_id FROM deliveries WHERE receiver = ? AND state = 'dead' AND delivery_id > ?"
        " ORDER BY delivery_id LIMIT 1",

    [SQL_INSPECT_PAYMENTS] =
        "SELECT " SEEN_PAYMENT " FROM payments p WHERE" SEEN_PAYMENTS_PAGE,
    [SQL_INSPECT_PAYMENTS_OF_USER] =
        "SELECT " SEEN_PAYMENT " FROM payments p WHERE p.user_id = ? AND" SEEN_PAYMENTS_PAGE,
    [SQL_INSPECT_PAYMENT_OF_PAYMENT] =
        "SELECT " SEEN_PAYMENT ", p.status, p.surface, p.client_ip, p.request_id, p.return_url, "
        RFC3339("p.tos_accepted_at") ", " RFC3339("p.checkout_created_at") " FROM payments p"
        " WHERE p.payment_id = ? LIMIT ?",
    [SQL_INSPECT_ATTEMPTS_OF_PAYMENT] =
        "SELECT number, provider, reference, " RFC3339("created_at") ", " RFC3339("deadline_at")
        " FROM attempts WHERE payment_id = ? ORDER BY number LIMIT ?",
    [SQL_INSPECT_ANSWERS_OF_PAYMENT] =
        "SELECT a.number, " RFC3339("d.created_at") ", d.outcome, d.http_status, d.provider_reference,"
        " d.reason, d.url FROM attempts a JOIN attempt_answers d USING (attempt_id)"
        " WHERE a.payment_id = ? ORDER BY d.answer_id LIMIT ?",
    [SQL_INSPECT_ITEMS_OF_PAYMENT] =
        "SELECT i.asset_id, i.seller_id, i.price, i.fee, p.currency, t.owner_id,"
        " COALESCE(t.held_by = p.payment_id, 0), i.name FROM payments p JOIN payment_items i USING (payment_id)"
        " LEFT JOIN items t USING (asset_id) WHERE p.payment_id = ? ORDER BY i.asset_id LIMIT ?",
    [SQL_INSPECT_ENTRIES_OF_PAYMENT] =
        "SELECT " RFC3339("l.created_at") ", l.effect, l.sequence, a.kind, a.owner, e.amount, e.currency,"
        " e.balance_after FROM ledger_postings l JOIN ledger_entries e USING (posting_id)"
        " JOIN ledger_accounts a USING (account_id) WHERE l.document_id = ?"
        " ORDER BY l.posting_id, e.line LIMIT ?",
    [SQL_INSPECT_KEYS_OF_PAYMENT] =
        "SELECT " RFC3339("created_at") ", path, IF(status IS NULL, 'open', 'answered'), status,"
        " idempotency_key FROM idempotency_keys WHERE payment_id = ? ORDER BY created_at LIMIT ?",
    [SQL_INSPECT_REFUNDS_OF_PAYMENT] =
        "SELECT r.refund_id, " RFC3339("r.created_at") ", r.amount, p.currency, r.via, r.operator_id,"
        " r.reference, r.reason FROM refunds r JOIN payments p USING (payment_id)"
        " WHERE r.payment_id = ? ORDER BY r.sequence LIMIT ?",
    [SQL_INSPECT_ORDERS_OF_PAYMENT] =
        "SELECT o.refund_id, " RFC3339("o.created_at") ", o.amount, p.currency, o.state, o.operator_id,"
        " o.reference, o.tries, " RFC3339("o.due_at") ", o.note, o.reason"
        " FROM refund_orders o JOIN payments p USING (payment_id)"
        " WHERE o.payment_id = ? AND o.state <> 'done' ORDER BY o.created_at LIMIT ?",
    [SQL_INSPECT_DISPUTES_OF_PAYMENT] =
        "SELECT " RFC3339("d.created_at") ", d.state, d.amount, p.currency, d.provider, d.reference"
        " FROM disputes d JOIN payments p USING (payment_id) WHERE d.payment_id = ?"
        " ORDER BY d.sequence LIMIT ?",
    [SQL_INSPECT_REVIEWS_OF_PAYMENT] =
        SEEN_REVIEW " WHERE payment_id = ? ORDER BY review_id LIMIT ?",
    [SQL_INSPECT_NOTICES_OF_PAYMENT] =
        SEEN_NOTICE " WHERE reference = ? ORDER BY inbox_id LIMIT ?",
    [SQL_INSPECT_OUTBOX_OF_PAYMENT] =
        "SELECT outbox_id, " RFC3339("created_at") ", topic FROM outbox WHERE payment_id = ?"
        " ORDER BY outbox_id LIMIT ?",
    [SQL_INSPECT_DELIVERIES_OF_PAYMENT] =
        SEEN_DELIVERY " WHERE o.payment_id = ? ORDER BY d.delivery_id LIMIT ?",
    [SQL_INSPECT_CHECK_OF_PAYMENT] =
        "SELECT " RFC3339("due_at") ", tries FROM payment_checks WHERE payment_id = ? LIMIT ?",
    [SQL_INSPECT_EVENTS_OF_PAYMENT] =
        "SELECT at, source, kind, detail FROM " TIMELINE,
    [SQL_INSPECT_NOTICES] =
        SEEN_NOTICE " WHERE inbox_id < ? AND state = COALESCE(?, state) AND provider = COALESCE(?, provider)"
        " ORDER BY inbox_id DESC LIMIT ?",
    [SQL_INSPECT_NOTICE] =
        SEEN_NOTICE " WHERE inbox_id = ?",
    [SQL_INSPECT_NOTICE_BODY] =
        "SELECT body FROM inbox WHERE inbox_id = ?",
    [SQL_INSPECT_DELIVERIES] =
        SEEN_DELIVERY " WHERE" SEEN_DELIVERIES_PAGE,
    [SQL_INSPECT_DELIVERIES_NARROW] =
        SEEN_DELIVERY " WHERE o.payment_id = ? AND" SEEN_DELIVERIES_PAGE,
    [SQL_INSPECT_DELIVERY] =
        SEEN_DELIVERY " WHERE d.delivery_id = ?",
    [SQL_INSPECT_REVIEWS] =
        SEEN_REVIEW " WHERE review_id < ? HAVING state = COALESCE(?, state) ORDER BY review_id DESC LIMIT ?",
    [SQL_INSPECT_REVIEW] =
        SEEN_REVIEW " WHERE review_id = ?",
    [SQL_INSPECT_RECEIVERS] =
        "SELECT r.name, IF(r.disabled_at IS NOT NULL, 'disabled', IF(r.rests_until > NOW(3), 'resting', 'enabled')),"
        " COALESCE(w.waiting, 0), " RFC3339("r.disabled_at") ", " RFC3339("r.rests_until") ", r.url, r.note FROM receivers r"
        " LEFT JOIN (SELECT receiver, COUNT(*) AS waiting " WAITING ") w ON w.receiver = r.name"
        " WHERE r.name = COALESCE(?, r.name) ORDER BY r.name LIMIT ?",
    [SQL_INSPECT_USER] =
        "SELECT user_id, name, email, role, " RFC3339("banned_at") ", " RFC3339("created_at")
        " FROM users WHERE user_id = ?",
    [SQL_INSPECT_KEY] =
        "SELECT user_id, " RFC3339("created_at") ", " RFC3339("revoked_at") " FROM api_keys WHERE key_hash = ?",
};
/* clang-format on */

bool sql_reads(enum sql sql)
{
    return strncmp(sql_text[sql], "SELECT", 6) == 0;
}
