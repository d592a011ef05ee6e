/* How the database finds the rows of each statement: by an index, reading no more than it must,
 * however many others there are, with fresh statistics or with none. It works in a schema of its
 * own with the tables of the real one. Needs a database (database.h) whose admin may make it. */
#include "database.h"

#include "plans_rows.h"

#define SCHEMA "guichet_plans"

enum {
    FIRST = 10001, /* the numbers of plans_rows.h */
    ONE = 10057,
    LAST_OF_FEW = 10060,
    LAST_OF_MANY = 30000,
    VALUES = 10,
    KEYED_ROWS = 200, /* as the optimizer estimates */
    MANY_ROWS = 2000,
    TEXT_BYTES = 16 * 1024,
};

enum way {
    UNDECIDED, /* a new statement: give it a row below */
    KEYED,     /* finds a few rows by their key */
    UNITED,    /* the same in several tables, put in order in a temporary one */
    MANY,      /* the same for 32 keys, or fewer */
    PAGED,     /* follows an index up to its LIMIT: what it could read is not bounded */
    WINDOW,    /* so many of one owner, however many there are: see PAYMENTS_LOOKED_AT */
    WHOLE,     /* all rows of one owner, or all that are open, by an index: they are asked for */
    APPENDS,   /* INSERT ... VALUES looks for nothing */
    EXEMPT,    /* may scan, and why */
};

/* values: of its parameters, in SQL; # stands for a row's number. The last one of MANY is there 32
 * times, each time with another number, or several times 32. */
struct plan {
    enum way way;
    const char *values[VALUES];
    const char *scans;  /* a table that may be, because it does not grow */
    bool fresh;         /* its index is chosen for what fresh statistics say */
    const char *exempt; /* why */
};

#define P    "'PAY_010000000000000000000#'"
#define REF  "'REF-#-1'"
#define HASH "UNHEX(SHA2(#, 256))"
#define END  "'~'"

static const struct plan plans[SQL_STATEMENTS] = {
    [SQL_READY] = {KEYED, {NULL}},
    [SQL_CLOCK] = {KEYED, {NULL}},
    [SQL_MIGRATION_LOCK] = {EXEMPT, .exempt = "reads no table"},
    [SQL_MIGRATION_GET] = {KEYED, {"17"}},
    [SQL_MIGRATION_INSERT] = {APPENDS},

    [SQL_USER_BY_ID] = {KEYED, {"#"}},
    [SQL_USER_ACTIVE] = {KEYED, {"#"}},
    [SQL_USERS_BY_ID] = {MANY, {"#"}},
    [SQL_USER_BY_KEY] = {KEYED, {HASH}},
    [SQL_USER_ADDRESS] = {KEYED, {"#"}},
    [SQL_USER_PUT] = {APPENDS},
    [SQL_USER_BAN] = {KEYED, {"1", "#"}},
    [SQL_API_KEY_PUT] = {APPENDS},
    [SQL_API_KEY_GET] = {KEYED, {HASH}},
    [SQL_API_KEY_REVOKE] = {KEYED, {HASH}},

    [SQL_PAYMENT_INSERT] = {APPENDS},
    [SQL_PAYMENT_LOCK] = {KEYED, {P}},
    [SQL_PAYMENTS_LOCK] = {MANY, {P}},
    [SQL_PAYMENT_STATUS] = {KEYED, {"'refunded'", "1", P, "'completed'"}},
    [SQL_PAYMENTS_STATUS] = {MANY, {"'refunded'", "1", "'completed'", P}},
    [SQL_PAYMENT_REFUNDED] = {KEYED, {"10", P}},
    [SQL_PAYMENT_PAID_BY] = {KEYED, {"1", P}},
    [SQL_PAYMENT_DISPUTE] = {KEYED, {P}},
    [SQL_PAYMENT_GET] = {KEYED, {P}},
    [SQL_PAYMENTS_OF_USER] = {PAGED, {BUSY, END, "''", "NULL", "NULL", "NULL", "NULL", "20"}},
    [SQL_PAYMENTS_WINDOW] = {WINDOW, {BUSY, END, "999"}},
    [SQL_PAYMENT_OF_REFERENCE] = {KEYED,
                                  {"'payviox'", REF, "'payviox'", "'SESSION-#'", "'payviox'",
                                   "'INVOICE-#'"}},
    [SQL_PAYMENT_RETURN_URL] = {KEYED, {P}},

    [SQL_REFUND_INSERT] = {KEYED, {"'REF_NEW'", P, "5", "'manual'", "NULL", "'x'", "10001", P}},
    [SQL_REFUND_FIND] = {KEYED, {P, "'REF_#'", "'r'"}},
    [SQL_REFUND_CONFIRM] = {KEYED, {"'r'", P, "10"}},
    [SQL_REFUNDS_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_ORDER_INSERT] = {APPENDS},
    [SQL_ORDER_GET] = {KEYED, {"'REF_#'"}},
    [SQL_ORDER_CONFIRM] = {KEYED, {P, "'r'", "10", "''"}},
    [SQL_ORDER_TAKE] = {PAGED, {NULL}},
    [SQL_ORDER_LEASE] = {KEYED, {"60", "'REF_#'"}},
    [SQL_ORDER_NEXT] = {KEYED, {"'x'", "NULL", "1", "60", "'REF_#'"}},
    [SQL_ORDER_END] = {KEYED, {"'done'", "'x'", "NULL", "'REF_#'"}},
    [SQL_ORDERS_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_CARD_INSERT] = {APPENDS},
    [SQL_CARD_GET] = {KEYED, {P}},
    [SQL_RECURRING_INSERT] = {APPENDS},
    [SQL_RECURRING_GET] = {KEYED, {"'REC_#'"}},
    [SQL_DISPUTE_INSERT] = {KEYED, {P, "'r'", "'mangopay'", "10", P}},
    [SQL_DISPUTE_FIND] = {KEYED, {P, "''"}},
    [SQL_DISPUTE_STATE] = {KEYED, {"'lost'", P, "''"}},
    [SQL_DISPUTES_STANDING] = {KEYED, {P, P}},
    [SQL_REVIEW_INSERT] = {APPENDS},
    [SQL_REVIEW_LOCK] = {KEYED, {"#"}},
    [SQL_REVIEW_RESOLVE] = {KEYED, {"'x'", "'x'", "#"}},

    [SQL_PAYMENT_ITEM_INSERT] = {APPENDS},
    [SQL_ITEMS_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_ITEM_LOCK] = {KEYED, {"#"}},
    [SQL_ITEMS_LOCK] = {MANY, {"#"}},
    [SQL_ITEM_HOLD] = {KEYED, {P, "#"}},
    [SQL_ITEMS_RELEASE] = {KEYED, {P}},
    [SQL_ITEM_HAND_OVER] = {KEYED, {"10001", "#", "#"}},
    [SQL_ITEMS_HAND_OVER] = {MANY, {"#"}},

    [SQL_ATTEMPT_INSERT] = {APPENDS},
    [SQL_ATTEMPTS_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_ATTEMPT_OF_PROVIDER] = {KEYED, {"'mangopay'", REF}},
    [SQL_ATTEMPT_WHOLE] = {KEYED, {"'mangopay'", REF}},
    [SQL_ATTEMPTS_OF_PAYMENTS] = {MANY, {P}},
    [SQL_ATTEMPT_NAMED] = {KEYED, {"'payviox'", "'SESSION-#'", "'payviox'", "'INVOICE-#'"}},
    [SQL_ANSWER_INSERT] = {APPENDS},
    [SQL_REFERENCE_LEARN] = {APPENDS},
    [SQL_EVENT_INSERT] = {APPENDS},
    [SQL_EVENT_FIND] = {KEYED, {P, "'completed'", "''"}},
    [SQL_EVENTS_OF_PAYMENT] = {UNITED, {P, "50"}},

    [SQL_CHECK_INSERT] = {APPENDS},
    [SQL_CHECK_TAKE] = {PAGED, {NULL}},
    [SQL_CHECK_LEASE] = {KEYED, {"60", P}},
    [SQL_CHECK_NEXT] = {KEYED, {"3", "1000", P}},
    /* DELETE takes no hint: it scans when it names half of the rows; the reads are bounded */
    [SQL_CHECK_DELETE] = {KEYED, {P}},
    [SQL_CHECKS_DELETE] = {MANY, {P}, .scans = "payment_checks"},
    [SQL_CHECK_ASK] = {KEYED, {P, "9", "60"}},
    [SQL_CHECKS_HURRY] = {PAGED, {"3", "9", "60", "'mangopay'", "10"}},
    [SQL_SILENCE_PUT] = {APPENDS},
    [SQL_SILENCE_TURN] = {KEYED, {"'mangopay'", "60", "'mangopay'", "600"}},
    [SQL_SWEEP_GET] = {KEYED, {"'mangopay'"}},
    [SQL_SWEEP_SET] = {KEYED, {"1", "'mangopay'"}},

    [SQL_ACCOUNT_PUT] = {APPENDS},
    [SQL_ACCOUNT_BY_OWNER] = {KEYED, {"'user'", "'#'", "'USD'"}},
    [SQL_ACCOUNTS_OF_PAYMENTS] = {MANY, {P}},
    [SQL_POSTING_INSERT] = {APPENDS},
    [SQL_POSTING_FIND] = {KEYED, {P, "'credit'", "1"}},
    [SQL_BALANCE_ADD] = {APPENDS},
    [SQL_ENTRY_INSERT] = {APPENDS},
    [SQL_BALANCE_OF_USER] = {KEYED, {"'#'", "'USD'"}},
    [SQL_VERIFY_POSTINGS] = {EXEMPT, .exempt = "verifies the whole ledger"},
    [SQL_VERIFY_BALANCES] = {EXEMPT, .exempt = "verifies the whole ledger"},
    [SQL_VERIFY_PAYMENTS] = {EXEMPT, .exempt = "verifies the whole ledger"},
    [SQL_VERIFY_REFUNDS] = {EXEMPT, .exempt = "verifies the whole ledger"},
    [SQL_VERIFY_DISPUTES] = {EXEMPT, .exempt = "verifies the whole ledger"},
    [SQL_VERIFY_SURPLUS] = {EXEMPT, .exempt = "verifies the whole ledger"},
    [SQL_VERIFY_HOLDS] = {EXEMPT, .exempt = "verifies all items"},
    [SQL_VERIFY_TOTALS] = {EXEMPT, .exempt = "counts what was verified"},

    [SQL_HISTORY_PAGE] = {WHOLE, {"'" BUSY "'", "20", "0"}},
    [SQL_HISTORY_COUNT] = {WHOLE, {"'" BUSY "'"}},
    [SQL_TRANSACTIONS_PAGE] = {PAGED, {BUSY, "20", "0"}},
    [SQL_TRANSACTIONS_SEARCH] = {WINDOW,
                                 {BUSY, "'PAY_010000000000000000020000'", "'none'", "'none'",
                                  "'none'", "20", "0"}},

    [SQL_INBOX_PUT] = {APPENDS},
    [SQL_INBOX_INSERT] = {APPENDS},
    [SQL_INBOX_BY_HASH] = {KEYED, {"'mangopay'", HASH}},
    [SQL_INBOX_GET] = {KEYED, {"#"}},
    [SQL_INBOX_LOCK] = {KEYED, {"#"}},
    [SQL_INBOX_SET] = {KEYED, {"'done'", "'x'", P, "0", "0", "#"}},
    [SQL_INBOX_RESOLVE] = {KEYED, {"#", P, "''"}},
    [SQL_INBOX_TAKE] = {PAGED, {NULL}},
    [SQL_INBOX_LEASE] = {KEYED, {"60", "10200"}}, /* the lease of one that is open */
    [SQL_OUTBOX_INSERT] = {APPENDS},
    [SQL_DELIVERY_INSERT] = {APPENDS},
    [SQL_DELIVERIES_INSERT] = {KEYED, {"#"}, .scans = "receivers"},
    [SQL_DELIVERIES_OF_MANY] = {MANY, {"#"}, .scans = "r"},
    [SQL_OUTBOX_GET] = {KEYED, {"#"}},
    [SQL_DELIVERY_TAKE] = {PAGED, {"'receiver_1'"}},
    [SQL_DELIVERY_LEASE] = {KEYED, {"60", "10200"}},
    [SQL_DELIVERY_SET] = {KEYED, {"'done'", "'x'", "0", "0", "#"}},
    [SQL_DELIVERIES_DROP] = {WINDOW, {"'x'", "'receiver_1'"}},
    [SQL_RECEIVER_PUT] = {APPENDS},
    [SQL_RECEIVER_DELETE] = {KEYED, {"'receiver_1'"}},
    [SQL_RECEIVER_GET] = {KEYED, {"'receiver_1'"}},
    [SQL_RECEIVER_DISABLE] = {KEYED, {"'x'", "'receiver_1'"}},
    [SQL_RECEIVER_ENABLE] = {KEYED, {"'receiver_1'"}},
    [SQL_RECEIVER_REST] = {KEYED, {"60", "'x'", "'receiver_1'"}},
    [SQL_NOTIFICATION_INSERT] = {APPENDS},
    [SQL_NOTIFICATIONS_OF_USER] = {PAGED, {BUSY, "20"}},
    [SQL_NOTIFICATIONS_COUNT] = {WINDOW, {BUSY}},
    [SQL_NOTIFICATIONS_READ] = {WINDOW, {BUSY}},

    [SQL_KEY_GET] = {KEYED, {"#", "'/payment'", "'key-#'"}},
    [SQL_KEY_PUT] = {APPENDS},
    [SQL_KEY_ANSWER] = {KEYED, {"200", "'x'", P}},
    [SQL_KEYS_ANSWER] = {MANY, {"200", P}},
    [SQL_KEY_ANSWER_AS] = {KEYED, {"200", "'x'", "'PAY_NEW'", P}},
    [SQL_KEY_RELEASE] = {KEYED, {P}},
    [SQL_KEY_EXPIRE] = {PAGED, {NULL}},
    [SQL_DECLINE_INSERT] = {APPENDS},
    [SQL_DECLINE_DELETE] = {KEYED, {"#"}},
    [SQL_DECLINES_WAIT] = {KEYED, {"UNHEX(SHA2('#', 256))", "0", "4"}},
    [SQL_DECLINES_EXPIRE] = {PAGED, {NULL}},

    [SQL_PROVIDERS] = {EXEMPT, .exempt = "a row per provider"},
    [SQL_PROVIDER_LOCK] = {KEYED, {"'mangopay'"}},
    [SQL_PROVIDER_PUT] = {APPENDS},
    [SQL_PROVIDER_SWITCH] = {APPENDS},
    [SQL_PROVIDER_OPEN] = {KEYED, {"60", "'x'", "'mangopay'"}},
    [SQL_PROVIDER_CLOSE] = {KEYED, {"'mangopay'"}},
    [SQL_PROVIDER_PROBE] = {KEYED, {"1", "1000", "'mangopay'", "1"}},
    [SQL_PROVIDER_UNPROBE] = {KEYED, {"'mangopay'", "1"}},
    [SQL_CALLS_ADD] = {APPENDS},
    [SQL_CALLS_GET] = {WHOLE, {"'mangopay'"}},
    [SQL_CALLS_FORGET] = {WHOLE, {"'mangopay'"}},
    [SQL_COUNT] = {APPENDS},

    [SQL_METRIC_PAYMENTS] = {WHOLE, {NULL}},
    [SQL_METRIC_PAYMENTS_AGE] = {WHOLE, {NULL}},
    [SQL_METRIC_OVERDUE] = {WHOLE, {NULL}},
    [SQL_METRIC_CHECKS_LAG] = {WHOLE, {NULL}},
    [SQL_METRIC_INBOX] = {WHOLE, {NULL}},
    [SQL_METRIC_INBOX_AGE] = {WHOLE, {NULL}},
    [SQL_METRIC_SILENCE] = {WHOLE, {NULL}},
    [SQL_METRIC_ATTEMPTS] = {WHOLE, {NULL}},
    [SQL_METRIC_ORDERS_AGE] = {WHOLE, {NULL}},
    [SQL_METRIC_DELIVERIES] = {WHOLE, {NULL}},
    [SQL_METRIC_DELIVERIES_LAG] = {WHOLE, {NULL}, .fresh = true},
    [SQL_METRIC_DELIVERIES_AGE] = {WHOLE, {NULL}},
    [SQL_METRIC_RECEIVERS] = {EXEMPT, .exempt = "a row per receiver"},
    [SQL_METRIC_REVIEWS] = {WHOLE, {NULL}},
    [SQL_METRIC_REVIEWS_AGE] = {WHOLE, {NULL}},
    [SQL_METRIC_UNPROVED] = {EXEMPT, .exempt = "a row per counter"},
    [SQL_METRIC_PROVIDERS] = {EXEMPT, .exempt = "a row per provider"},

    [SQL_INBOX_RETRY_LOCK] = {KEYED, {"#"}},
    [SQL_INBOX_RETRY] = {KEYED, {"#"}},
    [SQL_DELIVERY_RETRY_LOCK] = {KEYED, {"#"}},
    [SQL_DELIVERY_RETRY] = {KEYED, {"#"}},
    [SQL_DELIVERY_DEAD_NEXT] = {PAGED, {"'receiver_1'", "0"}},

    [SQL_INSPECT_PAYMENTS] = {PAGED, {END, "NULL", "NULL", "NULL", "20"}},
    [SQL_INSPECT_PAYMENTS_OF_USER] = {PAGED, {BUSY, END, "NULL", "NULL", "NULL", "20"}},
    [SQL_INSPECT_PAYMENT_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_INSPECT_ATTEMPTS_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_INSPECT_ANSWERS_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_INSPECT_ITEMS_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_INSPECT_ENTRIES_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_INSPECT_KEYS_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_INSPECT_REFUNDS_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_INSPECT_ORDERS_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_INSPECT_DISPUTES_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_INSPECT_REVIEWS_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_INSPECT_NOTICES_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_INSPECT_OUTBOX_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_INSPECT_DELIVERIES_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_INSPECT_CHECK_OF_PAYMENT] = {KEYED, {P, "20"}},
    [SQL_INSPECT_EVENTS_OF_PAYMENT] = {UNITED, {P, "20"}},
    [SQL_INSPECT_NOTICES] = {PAGED, {"99999", "NULL", "NULL", "20"}},
    [SQL_INSPECT_NOTICE] = {KEYED, {"#"}},
    [SQL_INSPECT_NOTICE_BODY] = {KEYED, {"#"}},
    [SQL_INSPECT_DELIVERIES] = {PAGED, {"99999", "NULL", "NULL", "20"}},
    [SQL_INSPECT_DELIVERIES_NARROW] = {KEYED, {P, "99999", "NULL", "NULL", "20"}},
    [SQL_INSPECT_DELIVERY] = {KEYED, {"#"}},
    [SQL_INSPECT_REVIEWS] = {PAGED, {"99999", "NULL", "20"}},
    [SQL_INSPECT_REVIEW] = {KEYED, {"#"}},
    [SQL_INSPECT_RECEIVERS] = {WHOLE, {"NULL", "20"}, .scans = "r"},
    [SQL_INSPECT_USER] = {KEYED, {"#"}},
    [SQL_INSPECT_KEY] = {KEYED, {HASH}},
};

/* What a statement of each way may read, in rows and keys of indexes. */
static const int reads_max[] = {
    [KEYED] = 20,   [UNITED] = 24, [MANY] = 12 /* per key */, [PAGED] = 20 * 8, [WINDOW] = 1000 * 4,
    [WHOLE] = 8000, [EXEMPT] = 0};
_Static_assert(8000 < LAST_OF_MANY - FIRST, "whoever reads all rows of a table is found out");

/* What the tables are like. */
struct scene {
    const char *name;
    int last;   /* number of a row */
    bool fresh; /* statistics; else they are those of empty tables */
};

/* --- statements with their values --- */

static void put_value(struct buf *out, const char *value, int number)
{
    for (; *value != '\0'; value++)
        if (*value == '#')
            buf_printf(out, "%d", number);
        else
            buf_add(out, value, 1);
}

/* The statement after some first words. keys: how many of 32 there are; the others are NULL, as in
 * a group of fewer. */
static const char *filled(const struct scene *scene, const char *words, enum sql sql, int keys)
{
    const struct plan *plan = &plans[sql];
    struct buf out;
    int place = 0, count = 0, step = (scene->last - FIRST) / MANY_MAX;
    while (count < VALUES && plan->values[count] != NULL)
        count++;
    buf_init(&out, arena, TEXT_BYTES);
    buf_puts(&out, words);
    for (const char *c = sql_text[sql]; *c != '\0'; c++) {
        if (*c != '?') {
            buf_add(&out, c, 1);
        } else if (plan->way == MANY && place >= count - 1) {
            int key = (place++ - (count - 1)) % MANY_MAX;
            put_value(&out, key < keys ? plan->values[count - 1] : "NULL", FIRST + step * key);
        } else {
            assert_true(place < count);
            put_value(&out, plan->values[place++], ONE);
        }
    }
    assert_int_equal(place % MANY_MAX, (plan->way == MANY ? count - 1 : count) % MANY_MAX);
    assert_true(buf_ok(&out));
    return buf_text(&out);
}

/* --- what the database says of them --- */

static void run_or_fail(struct db *db, const char *text)
{
    if (mysql_query(db->mysql, text) != 0)
        fail_msg("%s: %s", text, mysql_error(db->mysql));
}

static const char *text_of(const char *cell)
{
    return cell == NULL ? "" : cell;
}

/* The columns of EXPLAIN. */
enum { TABLE = 2, TYPE = 3, KEY = 5, ESTIMATE = 8 };

/* Derived tables (<derived2> and the like) are as large as what they were made of, which has rows
 * of its own; the target of an INSERT has no estimate. */
static bool scans(const struct plan *plan, char **row)
{
    const char *table = text_of(row[TABLE]), *type = text_of(row[TYPE]);
    bool whole = strcmp(type, "ALL") == 0 || strcmp(type, "index") == 0;
    bool small = plan->scans != NULL && strcmp(table, plan->scans) == 0;
    return whole && !small && table[0] != '<' && row[ESTIMATE] != NULL;
}

static void check_plan(struct db *db, const struct scene *scene, enum sql sql, int keys)
{
    const struct plan *plan = &plans[sql];
    bool bounded = scene->fresh && (plan->way == KEYED || plan->way == UNITED || plan->way == MANY);
    int64_t most = plan->way == MANY ? MANY_ROWS : KEYED_ROWS, sum = 0;
    char **row;
    run_or_fail(db, filled(scene, "EXPLAIN ", sql, keys));
    MYSQL_RES *result = mysql_store_result(db->mysql);
    assert_non_null(result);
    while ((row = mysql_fetch_row(result)) != NULL) {
        sum += strtoll(text_of(row[ESTIMATE]), NULL, 10);
        ROW(!scans(plan, row), "%s, %d keys: %s of %s by %s, %s rows: %.100s", scene->name, keys,
            row[TYPE], row[TABLE], text_of(row[KEY]), row[ESTIMATE], sql_text[sql]);
    }
    mysql_free_result(result);
    ROW(!bounded || sum < most, "%s: looks at %lld rows: %.100s", scene->name, (long long)sum,
        sql_text[sql]);
}

/* Rows and keys that this connection has read so far. Asking reads some too: always as many. */
static int64_t reads_so_far(struct db *db)
{
    return raw_number(db, "SELECT CAST(SUM(variable_value) AS SIGNED) FROM"
                          " information_schema.session_status WHERE variable_name LIKE"
                          " 'HANDLER\\_READ\\_%%'");
}

static void check_reads(struct db *db, const struct scene *scene, enum sql sql, int keys)
{
    int64_t most = reads_max[plans[sql].way] * (plans[sql].way == MANY ? keys : 1);
    run_or_fail(db, "START TRANSACTION");
    int64_t asked = reads_so_far(db), before = reads_so_far(db);
    run_or_fail(db, filled(scene, "", sql, keys));
    mysql_free_result(mysql_store_result(db->mysql));
    int64_t reads = reads_so_far(db) - before - (before - asked);
    run_or_fail(db, "ROLLBACK");
    ROW(reads <= most, "%s: reads %lld rows, not at most %lld: %.100s", scene->name,
        (long long)reads, (long long)most, sql_text[sql]);
}

/* With few rows, where a scan is cheap, only those of groups: what they lock and read is no more
 * than what they name, whatever the size. */
static void check_all(struct db *db, const struct scene *scene)
{
    static const int keys[] = {0, 1, 3, MANY_MAX};
    for (int i = 0; i < SQL_STATEMENTS; i++) {
        enum way way = plans[i].way;
        bool looks = way == MANY || (scene->last == LAST_OF_MANY && reads_max[way] > 0 &&
                                     scene->fresh >= plans[i].fresh);
        for (size_t k = way == MANY ? 0 : COUNT(keys) - 1; k < COUNT(keys) && looks; k++) {
            arena_reset(arena);
            check_plan(db, scene, (enum sql)i, keys[k]);
            check_reads(db, scene, (enum sql)i, keys[k]);
        }
    }
}

/* --- tables of some size --- */

/* One statement per table of the schema in use; # stands for its name. */
static void for_each_table(struct db *db, const char *format)
{
    char text[256], **row;
    (void)snprintf(text, sizeof text,
                   "SELECT REPLACE('%s', '#', table_name) FROM information_schema.tables"
                   " WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'",
                   format);
    run_or_fail(db, text);
    MYSQL_RES *result = mysql_store_result(db->mysql);
    assert_non_null(result);
    while ((row = mysql_fetch_row(result)) != NULL) {
        run_or_fail(db, row[0]);
        mysql_free_result(mysql_store_result(db->mysql));
    }
    mysql_free_result(result);
}

/* Statistics stay those of empty tables until they are asked for. */
static void make_tables(struct db *db, int last)
{
    struct buf out;
    run_or_fail(db, "CREATE DATABASE " SCHEMA " CHARACTER SET utf8mb4");
    for_each_table(db, "CREATE TABLE " SCHEMA ".# LIKE #");
    for_each_table(db, "ALTER TABLE " SCHEMA ".# STATS_PERSISTENT = 1, STATS_AUTO_RECALC = 0");
    run_or_fail(db, "USE " SCHEMA);
    arena_reset(arena);
    buf_init(&out, arena, TEXT_BYTES);
    put_value(&out, rows_text, last);
    assert_true(buf_ok(&out));
    if (db_script(db, buf_text(&out), strlen(buf_text(&out))) != ERR_NONE)
        fail_msg("%s", db_last_problem());
}

static enum err plans_unit(struct db *db, void *context)
{
    static const struct scene scenes[] = {
        {"few rows, old statistics", LAST_OF_FEW, false},
        {"few rows, new statistics", LAST_OF_FEW, true},
        {"many rows, old statistics", LAST_OF_MANY, false},
        {"many rows, new statistics", LAST_OF_MANY, true},
    };
    (void)context;
    for (size_t i = 0; i < COUNT(scenes); i++) {
        if (scenes[i].fresh) {
            for_each_table(db, "ANALYZE TABLE #");
        } else {
            run_or_fail(db, "DROP DATABASE IF EXISTS " SCHEMA);
            assert_int_equal(raw(db, "USE %s", settings.database.name), ERR_NONE);
            make_tables(db, scenes[i].last);
        }
        check_all(db, &scenes[i]);
    }
    run_or_fail(db, "DROP DATABASE " SCHEMA);
    return raw(db, "USE %s", settings.database.name);
}

static void every_statement_finds_its_rows_by_an_index(void **state)
{
    (void)state;
    arena_reset(arena);
    assert_int_equal(db_query(admin_pool, arena, plans_unit, NULL), ERR_NONE);
    ROWS_END();
}

/* So that whoever adds a statement says how it finds its rows. */
static void every_statement_is_decided_about(void **state)
{
    (void)state;
    for (int i = 0; i < SQL_STATEMENTS; i++) {
        const struct plan *plan = &plans[i];
        bool appends =
            strncmp(sql_text[i], "INSERT", 6) == 0 && strstr(sql_text[i], "SELECT") == NULL;
        ROW(plan->way != UNDECIDED, "undecided: %s", sql_text[i]);
        ROW((plan->way == APPENDS) == appends, "appends, or not: %s", sql_text[i]);
        ROW((plan->way == EXEMPT) == (plan->exempt != NULL), "exempt, and why: %s", sql_text[i]);
    }
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_statement_is_decided_about),
        TEST(every_statement_finds_its_rows_by_an_index),
    };
    int code;
    return database_is_named("test_plans", &code)
               ? cmocka_run_group_tests(tests, database_open, database_close)
               : code;
}
