/* The texts of all statements, in the order of enum sql. Nothing else in the program holds SQL,
 * but for the session settings in db.c and the files of sql/.
 * Times go in as milliseconds or as spans from the database's own clock; they come out as RFC 3339.
 */
#include "store/sql.h"

#define MS_TO_TIME      "TIMESTAMP '1970-01-01 00:00:00' + INTERVAL ? * 1000 MICROSECOND"
#define IN_SECONDS      "NOW(3) + INTERVAL ? SECOND"
#define IN_MS           "NOW(3) + INTERVAL ? * 1000 MICROSECOND"
#define RFC3339(column) "CONCAT(LEFT(DATE_FORMAT(" column ", '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z')"
#define PAYMENT_COLUMNS                                                                            \
    "p.payment_id, p.user_id, p.provider, p.type, p.amount, p.currency, p.method, p.status,"       \
    " p.client_ip, TIMESTAMPDIFF(MICROSECOND, NOW(3), p.expires_at) DIV 1000, " RFC3339(           \
        "p.created_at") ", " RFC3339("p.expires_at")

/* clang-format off */
const char *const sql_text[SQL_STATEMENTS] = {
    [SQL_READY] =
        "SELECT @@innodb_flush_log_at_trx_commit, MAX(version) FROM schema_migrations",
    [SQL_MIGRATION_LOCK] =
        "SELECT GET_LOCK('guichet_migrate', 30)",
    [SQL_MIGRATION_GET] =
        "SELECT checksum FROM schema_migrations WHERE version = ?",
    [SQL_MIGRATION_INSERT] =
        "INSERT INTO schema_migrations (version, name, checksum) VALUES (?, ?, ?)",

    [SQL_USER_BY_ID] =
        "SELECT user_id, banned_at IS NOT NULL FROM users WHERE user_id = ?",
    [SQL_USER_BY_KEY] =
        "SELECT u.user_id, u.banned_at IS NOT NULL FROM api_keys k JOIN users u USING (user_id)"
        " WHERE k.key_hash = ? AND k.revoked_at IS NULL",
    [SQL_USER_PUT] =
        "INSERT INTO users (user_id, name, email, role) VALUES (?, ?, ?, ?)"
        " ON DUPLICATE KEY UPDATE name = VALUES(name), email = VALUES(email), role = VALUES(role)",
    [SQL_USER_BAN] =
        "UPDATE users SET banned_at = IF(?, COALESCE(banned_at, NOW(3)), NULL) WHERE user_id = ?",
    [SQL_API_KEY_PUT] =
        "INSERT INTO api_keys (key_hash, user_id) VALUES (?, ?)"
        " ON DUPLICATE KEY UPDATE key_hash = VALUES(key_hash)",
    [SQL_API_KEY_GET] =
        "SELECT user_id, revoked_at IS NOT NULL FROM api_keys WHERE key_hash = ?",
    [SQL_API_KEY_REVOKE] =
        "UPDATE api_keys SET revoked_at = COALESCE(revoked_at, NOW(3)) WHERE key_hash = ?",

    [SQL_PAYMENT_INSERT] =
        "INSERT INTO payments (payment_id, user_id, provider, type, amount, currency, method,"
        " tos_accepted_at, checkout_created_at, client_ip, request_id, created_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, " MS_TO_TIME ", " MS_TO_TIME ", ?, ?, NOW(3), " IN_SECONDS ")",
    [SQL_PAYMENT_LOCK] =
        "SELECT " PAYMENT_COLUMNS " FROM payments p WHERE p.payment_id = ? FOR UPDATE",
    [SQL_PAYMENT_STATUS] =
        "UPDATE payments SET status = ? WHERE payment_id = ? AND status = ?",
    [SQL_PAYMENT_GET] =
        "SELECT " PAYMENT_COLUMNS " FROM payments p WHERE p.payment_id = ?",
    [SQL_PAYMENTS_OF_USER] =
        "SELECT " PAYMENT_COLUMNS " FROM payments p"
        " WHERE p.user_id = ? AND p.payment_id < ? ORDER BY p.payment_id DESC LIMIT ?",

    [SQL_ATTEMPT_INSERT] =
        "INSERT INTO attempts (payment_id, number, provider, reference, deadline_at)"
        " VALUES (?, ?, ?, ?, " IN_MS ")",
    [SQL_ATTEMPT_OF_PAYMENT] =
        "SELECT a.attempt_id, a.reference, a.deadline_at <= NOW(3) OR EXISTS (SELECT 1 FROM"
        " attempt_answers u WHERE u.attempt_id = a.attempt_id), d.outcome,"
        " d.provider_reference, d.url, d.reason"
        " FROM attempts a LEFT JOIN attempt_answers d ON d.attempt_id = a.attempt_id AND d.definite = 1"
        " WHERE a.payment_id = ? ORDER BY a.number DESC LIMIT 1",
    [SQL_ANSWER_INSERT] =
        "INSERT INTO attempt_answers (attempt_id, outcome, definite, http_status, provider_reference,"
        " url, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
    [SQL_EVENT_INSERT] =
        "INSERT INTO events (payment_id, kind, detail, source) VALUES (?, ?, ?, ?)",
    [SQL_EVENTS_OF_PAYMENT] =
        "SELECT at, kind, detail, source FROM (SELECT event_id, " RFC3339("created_at") " AS at, kind,"
        " detail, source FROM events WHERE payment_id = ? ORDER BY event_id DESC LIMIT ?) newest"
        " ORDER BY event_id",

    [SQL_CHECK_INSERT] =
        "INSERT INTO payment_checks (payment_id, due_at) VALUES (?, " IN_SECONDS ")",
    [SQL_CHECK_TAKE] =
        "SELECT payment_id, tries FROM payment_checks WHERE due_at <= NOW(3)"
        " ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED",
    [SQL_CHECK_LEASE] =
        "UPDATE payment_checks SET due_at = " IN_SECONDS " WHERE payment_id = ?",
    [SQL_CHECK_NEXT] =
        "UPDATE payment_checks SET tries = LEAST(tries + ?, 1000), due_at = " IN_MS
        " WHERE payment_id = ?",
    [SQL_CHECK_DELETE] =
        "DELETE FROM payment_checks WHERE payment_id = ?",

    [SQL_ACCOUNT_PUT] =
        "INSERT IGNORE INTO ledger_accounts (kind, owner, currency) VALUES (?, ?, ?)",
    [SQL_ACCOUNT_BY_OWNER] =
        "SELECT account_id FROM ledger_accounts WHERE kind = ? AND owner = ? AND currency = ?",
    [SQL_POSTING_INSERT] =
        "INSERT INTO ledger_postings (document_id, effect, sequence) VALUES (?, ?, ?)",
    [SQL_ENTRY_INSERT] =
        "INSERT INTO ledger_entries (posting_id, line, account_id, amount, currency) VALUES (?, ?, ?, ?, ?)",
    [SQL_BALANCE_ADD] =
        "INSERT INTO balances (account_id, balance) VALUES (?, ?)"
        " ON DUPLICATE KEY UPDATE balance = balance + VALUES(balance)",
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
        "SELECT p.payment_id, p.status, p.amount, COALESCE(SUM(e.amount), 0) AS posted FROM payments p"
        " LEFT JOIN ledger_postings l ON l.document_id = p.payment_id"
        " LEFT JOIN ledger_accounts a ON a.kind = 'user' AND a.owner = CAST(p.user_id AS CHAR CHARACTER SET ascii) AND a.currency = p.currency"
        " LEFT JOIN ledger_entries e ON e.posting_id = l.posting_id AND e.account_id = a.account_id"
        " WHERE p.type = 'balance' GROUP BY p.payment_id"
        " HAVING posted <> IF(p.status = 'completed', p.amount, 0) LIMIT 100",
    [SQL_VERIFY_TOTALS] =
        "SELECT (SELECT COUNT(*) FROM ledger_postings), (SELECT COUNT(*) FROM ledger_entries),"
        " (SELECT COUNT(*) FROM balances), (SELECT COUNT(*) FROM payments)",

    [SQL_INBOX_PUT] =
        "INSERT INTO inbox (provider, body_hash, body, state) VALUES (?, ?, ?, 'unmatched')"
        " ON DUPLICATE KEY UPDATE copies = copies + 1",
    [SQL_INBOX_BY_HASH] =
        "SELECT inbox_id, state, tries, provider, body FROM inbox"
        " WHERE provider = ? AND body_hash = ? FOR UPDATE",
    [SQL_INBOX_LOCK] =
        "SELECT inbox_id, state, tries, provider, body FROM inbox WHERE inbox_id = ? FOR UPDATE",
    [SQL_INBOX_SET] =
        "UPDATE inbox SET state = ?, note = ?, reference = ?, due_at = IF(?, " IN_SECONDS ", NULL)"
        " WHERE inbox_id = ?",
    [SQL_INBOX_TAKE] =
        "SELECT inbox_id FROM inbox WHERE due_at <= NOW(3)"
        " ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED",
    [SQL_INBOX_LEASE] =
        "UPDATE inbox SET tries = LEAST(tries + 1, 1000), due_at = " IN_SECONDS " WHERE inbox_id = ?",
    [SQL_OUTBOX_INSERT] =
        "INSERT IGNORE INTO outbox (payment_id, topic) VALUES (?, ?)",

    [SQL_KEY_GET] =
        "SELECT request_hash, payment_id, status, body FROM idempotency_keys"
        " WHERE user_id = ? AND path = ? AND idempotency_key = ?",
    [SQL_KEY_PUT] =
        "INSERT INTO idempotency_keys (user_id, path, idempotency_key, request_hash, payment_id, status, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
    [SQL_KEY_ANSWER] =
        "UPDATE idempotency_keys SET status = ?, body = ? WHERE payment_id = ? AND status IS NULL",
    [SQL_KEY_RELEASE] =
        "DELETE FROM idempotency_keys WHERE payment_id = ? AND status IS NULL",
    [SQL_KEY_EXPIRE] =
        "DELETE FROM idempotency_keys WHERE created_at < NOW(3) - INTERVAL 30 DAY LIMIT 500",

    [SQL_COUNT] =
        "INSERT INTO counters (name, value) VALUES (?, 1) ON DUPLICATE KEY UPDATE value = value + 1",
};
/* clang-format on */
