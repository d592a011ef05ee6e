/* A running database for the tests of the store: the one of the guichet.conf that the environment
 * names in GUICHET_TEST_CONF. What the tests write there hangs on one user, and goes at the end.
 * Includes store/db.c, so that tests can speak to a connection behind its back. */
#ifndef UNIT_DATABASE_H
#define UNIT_DATABASE_H

#include "check.h"

#include "store/db.c"

#include "base/ident.h"
#include "store/payments.h"
#include "store/users.h"

static struct settings settings;
static struct db_pool *pool, *admin_pool;
static struct arena *arena;
static int64_t user_id;
static char owner[24]; /* the same as text */

/* Lets a unit be a unit: raw statements in the place of store functions. */
static enum err raw(struct db *db, const char *format, ...) __attribute__((format(printf, 2, 3)));
static enum err raw(struct db *db, const char *format, ...)
{
    char text[2000];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert_true(len > 0 && (size_t)len < sizeof text);
    db_rows_end(db);
    enum err err = begin_now(db);
    return err ? err : run_text(db, text);
}

/* The first column of the first row; -1 when there is none. */
static inline int64_t raw_number(struct db *db, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline int64_t raw_number(struct db *db, const char *format, ...)
{
    char text[2000];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    db_rows_end(db);
    assert_int_equal(begin_now(db), ERR_NONE);
    assert_int_equal(mysql_query(db->mysql, text), 0);
    MYSQL_RES *result = mysql_store_result(db->mysql);
    assert_non_null(result);
    MYSQL_ROW row = mysql_fetch_row(result);
    int64_t number = row == NULL || row[0] == NULL ? -1 : strtoll(row[0], NULL, 10);
    mysql_free_result(result);
    return number;
}

/* A payment of the test's user, as checkout would store it. */
static void make_intent(struct payment_intent *ret_intent)
{
    *ret_intent = (struct payment_intent){
        .tos_ms = 1706745600000, .checkout_ms = -1, .lifetime_s = 3600, .request_id = "test"};
    struct payment *payment = &ret_intent->payment;
    ident_new("PAY_", payment->id);
    payment->user_id = user_id;
    payment->type = PAYMENT_BALANCE;
    (void)text_copy(payment->provider, sizeof payment->provider, "test");
    (void)text_copy(payment->client_ip, sizeof payment->client_ip, "203.0.113.42");
    assert_true(money_make(10000, "USD", &payment->amount));
}

static enum err insert_unit(struct db *db, void *context)
{
    return payments_insert(db, context);
}

static inline void insert_payment(struct payment_intent *ret_intent)
{
    make_intent(ret_intent);
    arena_reset(arena);
    assert_int_equal(db_transact(pool, arena, insert_unit, ret_intent), ERR_NONE);
}

static enum err add_user_unit(struct db *db, void *context)
{
    (void)context;
    return users_put(db, user_id, "unit test", "unit@example.test", "user");
}

static inline enum err remove_user_unit(struct db *db, void *context)
{
    static const char *const statements[] = {
        "DELETE FROM idempotency_keys WHERE user_id = @u",
        "DELETE FROM notifications WHERE user_id = @u",
        "DELETE d FROM deliveries d JOIN outbox USING (outbox_id) JOIN payments USING (payment_id)"
        " WHERE user_id = @u",
        "DELETE t FROM reviews t JOIN payments USING (payment_id) WHERE user_id = @u",
        "DELETE t FROM refunds t JOIN payments USING (payment_id) WHERE user_id = @u",
        "DELETE t FROM refund_orders t JOIN payments USING (payment_id) WHERE user_id = @u",
        "DELETE t FROM disputes t JOIN payments USING (payment_id) WHERE user_id = @u",
        "DELETE t FROM inbox t JOIN payments ON payment_id = reference WHERE user_id = @u",
        "DELETE e FROM ledger_entries e JOIN ledger_postings USING (posting_id)"
        " JOIN payments ON payment_id = document_id WHERE user_id = @u",
        "DELETE t FROM ledger_postings t JOIN payments ON payment_id = document_id"
        " WHERE user_id = @u",
        "DELETE d FROM attempt_answers d JOIN attempts USING (attempt_id)"
        " JOIN payments USING (payment_id) WHERE user_id = @u",
        "DELETE l FROM learnt_references l JOIN attempts USING (attempt_id)"
        " JOIN payments USING (payment_id) WHERE user_id = @u",
        "DELETE t FROM attempts t JOIN payments USING (payment_id) WHERE user_id = @u",
        "DELETE t FROM events t JOIN payments USING (payment_id) WHERE user_id = @u",
        "DELETE t FROM payment_checks t JOIN payments USING (payment_id) WHERE user_id = @u",
        "DELETE t FROM outbox t JOIN payments USING (payment_id) WHERE user_id = @u",
        "DELETE FROM payments WHERE user_id = @u",
        "DELETE t FROM balances t JOIN ledger_accounts USING (account_id) WHERE owner = @u",
        "DELETE t FROM ledger_entries t JOIN ledger_accounts USING (account_id) WHERE owner = @u",
        "DELETE FROM ledger_postings WHERE document_id LIKE CONCAT('TEST_', @u, '%')",
        "DELETE FROM ledger_accounts WHERE owner = @u",
        "DELETE FROM counters WHERE name LIKE CONCAT('test.', @u, '%')",
        "DELETE FROM users WHERE user_id = @u",
    };
    enum err err = raw(db, "SET @u = '%s'", owner);
    (void)context;
    for (size_t i = 0; i < COUNT(statements) && !err; i++)
        err = raw(db, "%s", statements[i]);
    return err;
}

static int database_open(void **state)
{
    uint64_t random;
    (void)state;
    if (settings_read(getenv("GUICHET_TEST_CONF"), &settings, stderr) != ERR_NONE)
        return 1;
    crypt_random(&random, sizeof random);
    user_id = (int64_t)(random >> 2);
    (void)snprintf(owner, sizeof owner, "%lld", (long long)user_id);
    pool = db_pool_new(&settings, false);
    admin_pool = db_pool_new(&settings, true);
    arena = arena_new(ARENA_BYTES);
    enum err err = db_transact(admin_pool, arena, add_user_unit, NULL);
    if (err)
        print_error("cannot work with the database: %s\n", db_last_problem());
    return err != ERR_NONE;
}

static inline int database_close(void **state)
{
    (void)state;
    enum err err = db_transact(admin_pool, arena, remove_user_unit, NULL);
    if (err)
        print_error("cannot clean up: %s\n", db_last_problem());
    db_pool_free(pool);
    db_pool_free(admin_pool);
    arena_free(arena);
    mysql_library_end();
    return err != ERR_NONE;
}

/* How many round trips to the server there were, but for those of this question. */
static inline enum err executed_unit(struct db *db, void *context)
{
    static int64_t own;
    *(int64_t *)context =
        raw_number(db, "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS"
                       " WHERE VARIABLE_NAME = 'QUESTIONS'") -
        ++own;
    return ERR_NONE;
}

static inline int64_t executed(void)
{
    int64_t count = 0;
    arena_reset(arena);
    assert_int_equal(db_query(pool, arena, executed_unit, &count), ERR_NONE);
    return count;
}

/* False when there is no database to test with; *ret_exit then says whether that is a failure. */
static bool database_is_named(const char *test, int *ret_exit)
{
    const char *ci = getenv("CI"), *required = getenv("GUICHET_REQUIRE_DB");
    if (getenv("GUICHET_TEST_CONF") != NULL)
        return true;
    bool must =
        (ci != NULL && strcmp(ci, "true") == 0) || (required != NULL && strcmp(required, "1") == 0);
    (void)printf("%s: %s: GUICHET_TEST_CONF names no guichet.conf of a running instance\n", test,
                 must ? "FAILED" : "skipped");
    *ret_exit = must ? 1 : 0;
    return false;
}

#endif
