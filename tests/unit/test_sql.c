/* Every statement against the real schema, what the programs' account may and may not do, what the
 * tables themselves refuse, and the ledger. Needs a database: see database.h. */
#include "database.h"

#include "store/keys.h"
#include "store/ledger.h"
#include "store/messages.h"
#include "store/ready.h"

static enum err prepare_all(struct db *db)
{
    MYSQL_STMT *stmt = NULL;
    for (unsigned i = 0; i < SQL_STATEMENTS; i++) {
        enum err err = prepare(db, (enum sql)i, &stmt);
        if (err)
            return err;
    }
    return ERR_NONE;
}

static enum err prepare_unit(struct db *db, void *context)
{
    (void)context;
    return prepare_all(db);
}

static void every_statement_prepares(void **state)
{
    (void)state;
    arena_reset(arena);
    enum err err = db_query(admin_pool, arena, prepare_unit, NULL);
    if (err)
        fail_msg("%s", db_last_problem());
}

/* The programs' account can prepare all but what guichetctl does as the admin. */
static enum err prepare_runtime_unit(struct db *db, void *context)
{
    static const enum sql admins[] = {SQL_MIGRATION_INSERT, SQL_USER_PUT,       SQL_USER_BAN,
                                      SQL_API_KEY_PUT,      SQL_API_KEY_REVOKE, SQL_REVIEW_RESOLVE,
                                      SQL_PROVIDER_SWITCH,  SQL_INSPECT_USER};
    MYSQL_STMT *stmt;
    (void)context;
    for (int i = 0; i < SQL_STATEMENTS; i++) {
        bool may = true;
        for (size_t k = 0; k < COUNT(admins); k++)
            may = may && (int)admins[k] != i;
        ROW(sql_text[i] != NULL, "statement %d has no text", i);
        enum err err = prepare(db, (enum sql)i, &stmt);
        ROW((err == ERR_NONE) == may, "%s: %s", sql_text[i], err ? db_last_problem() : "allowed");
    }
    return ERR_NONE;
}

static void runtime_account_may_run_its_statements(void **state)
{
    (void)state;
    arena_reset(arena);
    assert_int_equal(db_query(pool, arena, prepare_runtime_unit, NULL), ERR_NONE);
    ROWS_END();
}

static const char *const denied[] = {
    "DELETE FROM payments WHERE 1 = 0",
    "DELETE FROM attempts WHERE 1 = 0",
    "DELETE FROM attempt_answers WHERE 1 = 0",
    "DELETE FROM events WHERE 1 = 0",
    "DELETE FROM ledger_accounts WHERE 1 = 0",
    "DELETE FROM ledger_postings WHERE 1 = 0",
    "DELETE FROM ledger_entries WHERE 1 = 0",
    "DELETE FROM balances WHERE 1 = 0",
    "DELETE FROM users WHERE 1 = 0",
    "DELETE FROM api_keys WHERE 1 = 0",
    "DELETE FROM inbox WHERE 1 = 0",
    "DELETE FROM outbox WHERE 1 = 0",
    "DELETE FROM items WHERE 1 = 0",
    "DELETE FROM counters WHERE 1 = 0",
    "DELETE FROM schema_migrations WHERE 1 = 0",
    "DELETE FROM provider_health WHERE 1 = 0",
    "DELETE FROM provider_calls WHERE 1 = 0",
    "UPDATE provider_health SET disabled = 0 WHERE 1 = 0",
    "UPDATE provider_health SET switched_by = 'x' WHERE 1 = 0",
    "INSERT INTO provider_health (provider, disabled) VALUES ('x', 0)",
    "UPDATE payments SET amount = 1 WHERE 1 = 0",
    "UPDATE payments SET user_id = 1 WHERE 1 = 0",
    "UPDATE payments SET currency = 'EUR' WHERE 1 = 0",
    "UPDATE payments SET expires_at = NOW() WHERE 1 = 0",
    "UPDATE payments SET status = 'completed', amount = 1 WHERE 1 = 0",
    "UPDATE attempts SET reference = 'x' WHERE 1 = 0",
    "UPDATE attempt_answers SET outcome = 'done' WHERE 1 = 0",
    "UPDATE events SET detail = 'x' WHERE 1 = 0",
    "UPDATE ledger_accounts SET owner = 'x' WHERE 1 = 0",
    "UPDATE ledger_postings SET sequence = 2 WHERE 1 = 0",
    "UPDATE ledger_entries SET amount = 1 WHERE 1 = 0",
    "UPDATE users SET role = 'operator' WHERE 1 = 0",
    "UPDATE users SET banned_at = NULL WHERE 1 = 0",
    "DELETE FROM refunds WHERE 1 = 0",
    "DELETE FROM disputes WHERE 1 = 0",
    "DELETE FROM reviews WHERE 1 = 0",
    "UPDATE refunds SET amount = 1 WHERE 1 = 0",
    "UPDATE disputes SET amount = 1 WHERE 1 = 0",
    "UPDATE reviews SET resolved_by = 'x' WHERE 1 = 0",
    "UPDATE api_keys SET revoked_at = NULL WHERE 1 = 0",
    "UPDATE items SET price = 1 WHERE 1 = 0",
    "UPDATE schema_migrations SET checksum = 'x' WHERE 1 = 0",
    "INSERT INTO users (user_id, name, email) VALUES (1, 'x', 'x')",
    "INSERT INTO api_keys (key_hash, user_id) VALUES ('x', 1)",
    "INSERT INTO schema_migrations (version, name, checksum) VALUES (99, 'x', 'x')",
    "INSERT INTO items (asset_id, owner_id, price, name, game) VALUES (1, 1, 1, 'x', 1)",
    "REPLACE INTO payments (payment_id) VALUES ('x')",
    "TRUNCATE payments",
    "TRUNCATE ledger_entries",
    "DROP TABLE events",
    "ALTER TABLE payments ADD COLUMN x INT",
    "ALTER TABLE payments DROP CONSTRAINT payment_amount_positive",
    "CREATE TABLE x (x INT)",
    "CREATE INDEX x ON payments (amount)",
    "CREATE TRIGGER x BEFORE INSERT ON payments FOR EACH ROW SET @x = 1",
    "CREATE VIEW x AS SELECT 1",
    "CREATE DATABASE guichet_test_x",
    "DROP DATABASE guichet",
    "CREATE USER x@localhost",
    "GRANT ALL ON guichet.* TO guichet@localhost",
    "SELECT * FROM mysql.global_priv",
    "SELECT 1 INTO OUTFILE '/tmp/guichet-test-x'",
    "SET GLOBAL innodb_flush_log_at_trx_commit = 0",
    "SET GLOBAL sql_mode = ''",
};

static bool is_denial(unsigned code)
{
    return code == ER_DBACCESS_DENIED_ERROR || code == ER_ACCESS_DENIED_ERROR ||
           code == ER_TABLEACCESS_DENIED_ERROR || code == ER_COLUMNACCESS_DENIED_ERROR ||
           code == ER_SPECIFIC_ACCESS_DENIED_ERROR;
}

static enum err denied_unit(struct db *db, void *context)
{
    (void)context;
    for (size_t i = 0; i < COUNT(denied); i++) {
        bool done = mysql_query(db->mysql, denied[i]) == 0;
        unsigned code = mysql_errno(db->mysql);
        if (done)
            mysql_free_result(mysql_store_result(db->mysql));
        ROW(!done && is_denial(code), "%s: %s", denied[i], done ? "allowed" : db_last_problem());
    }
    ROW(raw(db, "UPDATE payments SET status = 'failed' WHERE 1 = 0") == ERR_NONE, "status: %s",
        db_last_problem());
    return ERR_NONE;
}

static void runtime_account_cannot_rewrite_history(void **state)
{
    (void)state;
    arena_reset(arena);
    assert_int_equal(db_query(pool, arena, denied_unit, NULL), ERR_NONE);
    ROWS_END();
}

/* One row each; @p is a payment, @a its attempt, @o a posting, @c an account, @u the user. */
#define PAYMENT(columns, values)                                                                   \
    "INSERT INTO payments (payment_id, user_id, provider, type, method, tos_accepted_at, "         \
    "client_ip, request_id, " columns ") VALUES ('TEST_X', @u, 'test', 'balance', NULL, "          \
    "NOW(), '::1', 'x', " values ")"
#define PAYMENT_MONEY(amount, currency)                                                            \
    PAYMENT("expires_at, amount, currency", "NOW(3) + INTERVAL 1 HOUR, " amount ", '" currency "'")
#define ANSWER(outcome, definite)                                                                  \
    "INSERT INTO attempt_answers (attempt_id, outcome, definite) VALUES (@a, " outcome             \
    ", " definite ")"
#define ENTRY(posting, account, amount)                                                            \
    "INSERT INTO ledger_entries (posting_id, line, account_id, amount, currency) VALUES "          \
    "(" posting ", 1, " account ", " amount ", 'USD')"
#define INBOX(state, due)                                                                          \
    "INSERT INTO inbox (provider, body_hash, body, state, due_at) VALUES ('test', REPEAT('x', "    \
    "32),"                                                                                         \
    " 'x', '" state "', " due ")"

enum { FINE = 0, CHECKED = ER_CONSTRAINT_FAILED, NO_PARENT = ER_NO_REFERENCED_ROW_2 };

static const struct {
    const char *statement;
    int code;
} constraints[] = {
    {PAYMENT_MONEY("1", "USD"), FINE},
    {PAYMENT_MONEY("0", "USD"), CHECKED},
    {PAYMENT_MONEY("-1", "USD"), CHECKED},
    {PAYMENT_MONEY("9223372036854775808", "USD"), ER_WARN_DATA_OUT_OF_RANGE},
    {PAYMENT_MONEY("NULL", "USD"), ER_BAD_NULL_ERROR},
    {PAYMENT_MONEY("1", "usd"), CHECKED},
    {PAYMENT_MONEY("1", "US"), CHECKED},
    {PAYMENT_MONEY("1", "US1"), CHECKED},
    {PAYMENT_MONEY("1", ""), CHECKED},
    {PAYMENT_MONEY("1", "USDT"), ER_DATA_TOO_LONG},
    {PAYMENT("amount, currency, created_at, expires_at", "1, 'USD', NOW(3), NOW(3)"), CHECKED},
    {PAYMENT("amount, currency, expires_at", "1, 'USD', NOW(3) - INTERVAL 1 SECOND"), CHECKED},
    {PAYMENT("amount, currency, expires_at, status", "1, 'USD', '2100-01-01', 'paid'"),
     WARN_DATA_TRUNCATED},
    {"UPDATE payments SET status = '' WHERE payment_id = @p", WARN_DATA_TRUNCATED},
    {"UPDATE payments SET amount = 0 WHERE payment_id = @p", CHECKED},
    {"UPDATE payments SET refunded = -1 WHERE payment_id = @p", CHECKED},
    {"UPDATE payments SET refunded = amount + 1 WHERE payment_id = @p", CHECKED},
    {"INSERT INTO refunds (refund_id, payment_id, sequence, amount, via) VALUES "
     "('REF_TEST', @p, 1, 0, 'manual')",
     CHECKED},
    {"INSERT INTO refunds (refund_id, payment_id, sequence, amount, via) VALUES "
     "('REF_TEST', 'TEST_none', 1, 5, 'manual')",
     NO_PARENT},
    {"INSERT INTO refunds (refund_id, payment_id, sequence, amount, via, reference) VALUES "
     "('REF_TEST', @p, 1, 5, 'reported', 'r'), ('REF_TEST2', @p, 2, 5, 'reported', 'r')",
     ER_DUP_ENTRY},
    {"INSERT INTO disputes (payment_id, reference, sequence, provider, amount, state) VALUES "
     "(@p, '', 1, 'test', 0, 'opened')",
     CHECKED},
    {"UPDATE payments SET user_id = 1 WHERE payment_id = @p", NO_PARENT},
    {"DELETE FROM payments WHERE payment_id = @p", ER_ROW_IS_REFERENCED_2},
    {"DELETE FROM users WHERE user_id = @u", ER_ROW_IS_REFERENCED_2},
    {"INSERT INTO users (user_id, name, email) VALUES (0, 'x', 'x')", CHECKED},
    {"INSERT INTO users (user_id, name, email) VALUES (-1, 'x', 'x')", CHECKED},
    {"INSERT INTO api_keys (key_hash, user_id) VALUES (REPEAT('x', 32), 1)", NO_PARENT},
    {"INSERT INTO attempts (payment_id, number, provider, reference, deadline_at) VALUES "
     "(@p, 1, 'test', 'other', NOW())",
     ER_DUP_ENTRY},
    {"INSERT INTO attempts (payment_id, number, provider, reference, deadline_at) VALUES "
     "(@p, 2, 'test', @p, NOW())",
     ER_DUP_ENTRY},
    {"INSERT INTO attempts (payment_id, number, provider, reference, deadline_at) VALUES "
     "('TEST_none', 1, 'test', 'other', NOW())",
     NO_PARENT},
    {ANSWER("'pending'", "1"), FINE},
    {ANSWER("'unknown'", "NULL"), FINE},
    {ANSWER("'unknown'", "1"), CHECKED},
    {ANSWER("'pending'", "NULL"), CHECKED},
    {ANSWER("'maybe'", "1"), WARN_DATA_TRUNCATED},
    {ANSWER("'pending'", "1), (@a, 'refused', 1"), ER_DUP_ENTRY},
    {ANSWER("'unknown'", "NULL), (@a, 'unknown', NULL"), FINE},
    {"INSERT INTO events (payment_id, kind, source) VALUES ('TEST_none', 'x', 'x')", NO_PARENT},
    {ENTRY("@o", "@c", "5"), FINE},
    {ENTRY("@o", "@c", "0"), CHECKED},
    {ENTRY("@o", "-1", "5"), NO_PARENT},
    {ENTRY("-1", "@c", "5"), NO_PARENT},
    {"INSERT INTO ledger_postings (document_id, effect) SELECT document_id, effect FROM "
     "ledger_postings WHERE posting_id = @o",
     ER_DUP_ENTRY},
    {"INSERT INTO ledger_postings (document_id, effect) VALUES ('TEST_X', 'gift')",
     WARN_DATA_TRUNCATED},
    {"INSERT INTO ledger_accounts (kind, owner, currency) SELECT kind, owner, currency FROM "
     "ledger_accounts WHERE account_id = @c",
     ER_DUP_ENTRY},
    {"INSERT INTO items (asset_id, owner_id, price, name, game) VALUES (-9, @u, 1, 'x', 1)", FINE},
    {"INSERT INTO items (asset_id, owner_id, price, name, game) VALUES (-9, @u, 0, 'x', 1)",
     CHECKED},
    {"INSERT INTO items (asset_id, owner_id, price, name, game, held_by) VALUES "
     "(-9, @u, 1, 'x', 1, 'TEST_none')",
     NO_PARENT},
    {INBOX("unmatched", "NOW()"), FINE},
    {INBOX("done", "NOW()"), CHECKED},
    {INBOX("review", "NOW()"), CHECKED},
    {"INSERT INTO idempotency_keys (user_id, path, idempotency_key, request_hash, status) VALUES "
     "(@u, '/x', 'x', REPEAT('x', 32), 200)",
     CHECKED},
    {"INSERT INTO idempotency_keys (user_id, path, idempotency_key, request_hash, body) VALUES "
     "(@u, '/x', 'x', REPEAT('x', 32), 'x')",
     CHECKED},
};

static enum err base_rows(struct db *db, const char *payment_id)
{
    enum err err = raw(db, "SET @p = '%s', @u = %s", payment_id, owner);
    if (!err)
        err = raw(db, "INSERT INTO attempts (payment_id, number, provider, reference, deadline_at)"
                      " VALUES (@p, 1, 'test', @p, NOW())");
    if (!err)
        err = raw(db, "SET @a = LAST_INSERT_ID()");
    if (!err)
        err = raw(db, "INSERT INTO ledger_accounts (kind, owner, currency) VALUES"
                      " ('user', @u, 'XTS')");
    if (!err)
        err = raw(db, "SET @c = LAST_INSERT_ID()");
    if (!err)
        err = raw(db, "INSERT INTO ledger_postings (document_id, effect) VALUES (@p, 'credit')");
    return err ? err : raw(db, "SET @o = LAST_INSERT_ID()");
}

/* Rolled back by its result; so is each statement, by its savepoint. */
static enum err constraints_unit(struct db *db, void *context)
{
    enum err err = base_rows(db, context);
    if (err)
        return err;
    for (size_t i = 0; i < COUNT(constraints); i++) {
        assert_int_equal(raw(db, "SAVEPOINT row"), ERR_NONE);
        int code = mysql_query(db->mysql, constraints[i].statement) == 0
                       ? FINE
                       : (int)mysql_errno(db->mysql);
        ROW(code == constraints[i].code, "%s: %d, not %d: %s", constraints[i].statement, code,
            constraints[i].code, mysql_error(db->mysql));
        assert_int_equal(raw(db, "ROLLBACK TO SAVEPOINT row"), ERR_NONE);
    }
    return ERR_INTERNAL;
}

static void tables_refuse_bad_rows(void **state)
{
    struct payment_intent intent;
    (void)state;
    insert_payment(&intent);
    enum err err = db_transact(admin_pool, arena, constraints_unit, intent.payment.id);
    if (err != ERR_INTERNAL)
        fail_msg("%s", db_last_problem());
    ROWS_END();
}

static void pair_of_lines(struct ledger_line lines[2], int64_t units)
{
    struct money amount;
    assert_true(money_make(units, "XTS", &amount)); /* the currency code for tests */
    lines[0] = (struct ledger_line){LEDGER_USER, owner, amount, false};
    lines[1] = (struct ledger_line){LEDGER_PROVIDER, owner, money_negative(&amount), false};
}

struct post {
    char document[40];
    const char *effect;
    int64_t units;
    bool posted;
};

static enum err post_unit(struct db *db, void *context)
{
    struct post *post = context;
    struct ledger_line lines[2];
    pair_of_lines(lines, post->units);
    return ledger_post(db, post->document, post->effect, 1, lines, 2, &post->posted);
}

static enum err balance_unit(struct db *db, void *context)
{
    return ledger_balance(db, user_id, "XTS", context);
}

static int64_t balance_now(void)
{
    int64_t balance = -7;
    assert_int_equal(db_query(pool, arena, balance_unit, &balance), ERR_NONE);
    return balance;
}

static void an_effect_is_posted_once(void **state)
{
    static const struct {
        const char *document, *effect;
        int64_t units;
        bool posted;
        int64_t balance;
    } rows[] = {
        {"one", "credit", 10000, true, 10000},  {"one", "credit", 10000, false, 10000},
        {"one", "credit", 99999, false, 10000}, {"two", "credit", 250, true, 10250},
        {"one", "refund", -10000, true, 250},   {"one", "refund", -10000, false, 250},
        {"two", "refund", -250, true, 0},       {"three", "credit", 1, true, 1},
        {"three", "refund", -500, true, -499},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct post post = {.effect = rows[i].effect, .units = rows[i].units};
        (void)snprintf(post.document, sizeof post.document, "TEST_%s_%s", owner, rows[i].document);
        arena_reset(arena);
        assert_int_equal(db_transact(pool, arena, post_unit, &post), ERR_NONE);
        ROW(post.posted == rows[i].posted, "row %zu: posted %d", i, post.posted);
        ROW(balance_now() == rows[i].balance, "row %zu: the balance is %lld", i,
            (long long)balance_now());
    }
    ROWS_END();
}

enum { POSTERS = 8 };

static void *post_in_thread(void *context)
{
    struct arena *own = arena_new(ARENA_BYTES);
    enum err err = db_transact(pool, own, post_unit, context);
    arena_free(own);
    mysql_thread_end();
    return (void *)(intptr_t)err;
}

static void parallel_posts_move_money_once(void **state)
{
    struct post posts[POSTERS];
    pthread_t threads[POSTERS];
    int64_t before = balance_now();
    int posted = 0;
    (void)state;
    for (int i = 0; i < POSTERS; i++) {
        posts[i] = (struct post){.effect = "credit", .units = 100};
        (void)snprintf(posts[i].document, sizeof posts[i].document, "TEST_%s_parallel", owner);
        assert_int_equal(pthread_create(&threads[i], NULL, post_in_thread, &posts[i]), 0);
    }
    for (int i = 0; i < POSTERS; i++) {
        void *err;
        assert_int_equal(pthread_join(threads[i], &err), 0);
        ROW(err == NULL, "thread %d: %s", i, err_message((enum err)(intptr_t)err));
        posted += posts[i].posted;
    }
    assert_int_equal(posted, 1);
    assert_int_equal(balance_now() - before, 100);
    ROWS_END();
}

struct verify {
    const char *damage; /* done first */
    int64_t breaks;
};

static enum err verify_unit(struct db *db, void *context)
{
    struct verify *verify = context;
    FILE *nowhere = fopen("/dev/null", "w");
    enum err err = raw(db, "SET @u = '%s'", owner);
    assert_non_null(nowhere);
    if (!err && verify->damage != NULL)
        err = raw(db, "%s", verify->damage);
    if (!err)
        err = ledger_verify(db, nowhere, &verify->breaks);
    (void)fclose(nowhere);
    return err ? err : ERR_INTERNAL; /* rolls the damage back */
}

static void verifier_sees_every_break(void **state)
{
    static const char *const damages[] = {
        "UPDATE balances JOIN ledger_accounts USING (account_id) SET balance = balance + 1"
        " WHERE owner = @u AND kind = 'user'",
        "DELETE b FROM balances b JOIN ledger_accounts USING (account_id) WHERE owner = @u",
        "UPDATE ledger_entries JOIN ledger_accounts USING (account_id) SET amount = amount * 2"
        " WHERE owner = @u AND kind = 'provider'",
        "DELETE e FROM ledger_entries e JOIN ledger_accounts USING (account_id)"
        " WHERE owner = @u AND kind = 'provider'",
        "INSERT INTO ledger_postings (document_id, effect) VALUES (CONCAT('TEST_', @u, '_empty'), "
        "'credit')",
        "UPDATE payments SET status = 'completed' WHERE user_id = @u LIMIT 1",
    };
    struct payment_intent intent;
    struct verify verify = {0};
    (void)state;
    insert_payment(&intent);
    arena_reset(arena);
    assert_int_equal(db_snapshot(pool, arena, verify_unit, &verify), ERR_INTERNAL);
    assert_int_equal(verify.breaks, 0);
    for (size_t i = 0; i < COUNT(damages); i++) {
        verify = (struct verify){.damage = damages[i]};
        arena_reset(arena);
        ROW(db_transact(admin_pool, arena, verify_unit, &verify) == ERR_INTERNAL, "%s: %s",
            damages[i], db_last_problem());
        ROW(verify.breaks > 0, "unseen: %s", damages[i]);
    }
    ROWS_END();
}

static enum err ready_unit(struct db *db, void *context)
{
    return ready_check(db, context);
}

static void database_is_ready(void **state)
{
    const char *complaint = "?";
    (void)state;
    arena_reset(arena);
    assert_int_equal(db_query(pool, arena, ready_unit, &complaint), ERR_NONE);
    assert_null(complaint);
}

/* Idempotency keys: one row per user, path and key; an answer is kept once. */
static enum err keys_unit(struct db *db, void *context)
{
    struct idempotency_key key = {.user_id = user_id, .path = "/test", .text = "key-1"};
    struct kept_answer kept;
    const struct payment_intent *intent = context;
    const char *id = intent->payment.id;
    assert_int_equal(keys_get(db, &key, &kept), ERR_NONE);
    assert_false(kept.found);
    assert_int_equal(keys_put(db, &key, id, 0, NULL, 0), ERR_NONE);
    assert_int_equal(keys_put(db, &key, id, 0, NULL, 0), ERR_DB_DUPLICATE);
    assert_int_equal(keys_get(db, &key, &kept), ERR_NONE);
    assert_true(kept.found && kept.same_request && kept.status == 0);
    assert_string_equal(kept.payment_id, id);
    assert_int_equal(keys_answer(db, id, 200, "first\0one", 9), ERR_NONE);
    assert_int_equal(keys_answer(db, id, 502, "second", 6), ERR_NONE);
    assert_int_equal(keys_release(db, id), ERR_NONE); /* only open ones go */
    key.request_hash[31] = 1;
    assert_int_equal(keys_get(db, &key, &kept), ERR_NONE);
    assert_true(kept.found && !kept.same_request && kept.status == 200);
    assert_int_equal(kept.body_len, 9);
    assert_memory_equal(kept.body, "first\0one", 9);
    return ERR_INTERNAL;
}

static void keys_keep_the_first_answer(void **state)
{
    struct payment_intent intent;
    (void)state;
    insert_payment(&intent);
    assert_int_equal(db_transact(pool, arena, keys_unit, &intent), ERR_INTERNAL);
}

/* Copies of a notice share a row; its bytes come back as they were. */
static enum err inbox_unit(struct db *db, void *context)
{
    static const char body[] = "{\"a\":\"\xff\0\xe2\x82\xac\"}";
    struct notice_row first, copy, other;
    (void)context;
    assert_int_equal(inbox_put(db, "test", body, sizeof body - 1, &first), ERR_NONE);
    assert_int_equal(inbox_put(db, "test", body, sizeof body - 1, &copy), ERR_NONE);
    assert_int_equal(inbox_put(db, "test", body, sizeof body - 2, &other), ERR_NONE);
    assert_true(first.id == copy.id && first.id != other.id && first.state == INBOX_UNMATCHED);
    assert_int_equal(copy.body_len, sizeof body - 1);
    assert_int_equal(
        raw_number(db, "SELECT copies FROM inbox WHERE inbox_id = %lld", (long long)first.id), 2);
    assert_int_equal(inbox_set(db, &first, INBOX_DONE, "", "PAY_x", -1), ERR_NONE);
    assert_int_equal(inbox_lock(db, first.id, &copy), ERR_NONE);
    assert_true(copy.state == INBOX_DONE && copy.body_len == sizeof body - 1);
    assert_memory_equal(copy.body, body, sizeof body - 1);
    /* a notice of a payment's second attempt is one of the payment */
    assert_int_equal(inbox_set(db, &other, INBOX_DONE, "", "PAY_01M7WP5AWKD4KG5TY09QNPVXWS-2", -1),
                     ERR_NONE);
    assert_int_equal(raw_number(db, "SELECT inbox_id FROM inbox"
                                    " WHERE reference = 'PAY_01M7WP5AWKD4KG5TY09QNPVXWS'"),
                     other.id);
    return ERR_INTERNAL;
}

static void inbox_keeps_raw_bytes(void **state)
{
    (void)state;
    arena_reset(arena);
    assert_int_equal(db_transact(pool, arena, inbox_unit, NULL), ERR_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_statement_prepares),
        TEST(runtime_account_may_run_its_statements),
        TEST(runtime_account_cannot_rewrite_history),
        TEST(tables_refuse_bad_rows),
        TEST(an_effect_is_posted_once),
        TEST(parallel_posts_move_money_once),
        TEST(verifier_sees_every_break),
        TEST(database_is_ready),
        TEST(keys_keep_the_first_answer),
        TEST(inbox_keeps_raw_bytes),
    };
    int exit_code;
    if (!database_is_named("sql", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("sql", tests, database_open, database_close);
}
