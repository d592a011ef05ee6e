/* The transaction helper against a real database: a conflict or a lost connection reruns the whole
 * unit, so that its effects happen once; everything else is told at once. See database.h. */
#include "database.h"

#include "base/clock.h"
#include "base/httpc.h"

#include <sys/socket.h>
#include <sys/wait.h>

struct unit {
    const char *counter; /* the effect: one more of it */
    int runs;
    struct payment_intent one, two;
    unsigned long long killed;
};

static enum err count(struct db *db, const struct unit *unit)
{
    return raw(db,
               "INSERT INTO counters (name, value) VALUES ('test.%s.%s', 1)"
               " ON DUPLICATE KEY UPDATE value = value + 1",
               owner, unit->counter);
}

struct counted {
    const char *counter;
    int64_t value;
};

static enum err counted_unit(struct db *db, void *context)
{
    struct counted *counted = context;
    counted->value = raw_number(db, "SELECT value FROM counters WHERE name = 'test.%s.%s'", owner,
                                counted->counter);
    return ERR_NONE;
}

/* -1: there is no such row. */
static int64_t counted(const char *counter)
{
    struct counted context = {.counter = counter};
    assert_int_equal(db_query(pool, arena, counted_unit, &context), ERR_NONE);
    return context.value;
}

/* Another connection of the programs' account, outside the pool. */
static MYSQL *other_connection(void)
{
    MYSQL *mysql = mysql_init(NULL);
    assert_non_null(mysql_real_connect(mysql, NULL, settings.database.user,
                                       secret_reveal(&settings.database.password),
                                       settings.database.name, 0, settings.database.socket, 0));
    return mysql;
}

static void other_runs(MYSQL *mysql, const char *format, const char *text)
{
    char statement[300];
    const char *hole = strstr(format, "%s");
    (void)snprintf(statement, sizeof statement, "%.*s%s%s",
                   hole == NULL ? (int)strlen(format) : (int)(hole - format), format,
                   hole == NULL ? "" : text, hole == NULL ? "" : hole + 2);
    assert_int_equal(mysql_query(mysql, statement), 0);
    mysql_free_result(mysql_store_result(mysql));
}

static enum err commits(struct db *db, void *context)
{
    struct unit *unit = context;
    unit->runs++;
    return count(db, unit);
}

static enum err fails(struct db *db, void *context)
{
    enum err err = commits(db, context);
    return err ? err : ERR_PARAMETERS;
}

static enum err is_wrong(struct db *db, void *context)
{
    enum err err = commits(db, context);
    return err ? err : raw(db, "SELECT nonsense FROM nowhere");
}

static enum err repeats_a_key(struct db *db, void *context)
{
    struct unit *unit = context;
    enum err err = commits(db, unit);
    return err ? err : payments_insert(db, &unit->one);
}

static enum err conflicts_always(struct db *db, void *context)
{
    enum err err = commits(db, context);
    return err ? err : ERR_DB_CONFLICT;
}

static int64_t deadline_ms;

static enum err conflicts_too_late(struct db *db, void *context)
{
    while (clock_left_ms(deadline_ms) > 0)
        clock_sleep_ms(10);
    return conflicts_always(db, context);
}

/* Another state than the payment's: somebody else was faster. */
static enum err compares_and_sets(struct db *db, void *context)
{
    struct unit *unit = context;
    enum err err = commits(db, unit);
    return err ? err
               : payments_status_set(db, unit->one.payment.id, PAYMENT_FAILED, PAYMENT_COMPLETED,
                                     0);
}

static enum err conflicts_twice(struct db *db, void *context)
{
    struct unit *unit = context;
    enum err err = commits(db, unit);
    return err || unit->runs > 2 ? err : ERR_DB_CONFLICT;
}

static void units_end_as_they_say(void **state)
{
    static const struct {
        const char *what;
        enum err (*run)(struct db *db, void *context);
        enum err err;
        int runs;
        int64_t effects; /* -1: none at all */
    } rows[] = {
        {"commits", commits, ERR_NONE, 1, 1},
        {"fails", fails, ERR_PARAMETERS, 1, -1},
        {"is_wrong", is_wrong, ERR_DB, 1, -1},
        {"repeats_a_key", repeats_a_key, ERR_DB_DUPLICATE, 1, -1},
        {"conflicts_twice", conflicts_twice, ERR_NONE, 3, 1},
        {"conflicts_always", conflicts_always, ERR_DB_UNAVAILABLE, 5, -1},
        {"compares_and_sets", compares_and_sets, ERR_DB_UNAVAILABLE, 5, -1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct unit unit = {.counter = rows[i].what};
        insert_payment(&unit.one);
        enum err err = db_transact(pool, arena, rows[i].run, &unit);
        ROW(err == rows[i].err, "%s: %s", rows[i].what, err_message(err));
        ROW(unit.runs == rows[i].runs, "%s: ran %d times", rows[i].what, unit.runs);
        ROW(counted(rows[i].what) == rows[i].effects, "%s: %lld effects", rows[i].what,
            (long long)counted(rows[i].what));
    }
    ROWS_END();
}

/* Each code that asks for the whole transaction again, after a statement that had its effect. */
static unsigned signalled;

static enum err is_told_to_rerun(struct db *db, void *context)
{
    struct unit *unit = context;
    enum err err = commits(db, unit);
    if (err || unit->runs > 1)
        return err;
    return raw(db, "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = %u", signalled);
}

static void F48_each_conflict_reruns_the_unit(void **state)
{
    static const unsigned codes[] = {ER_CHECKREAD, ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK,
                                     ER_UNKNOWN_COM_ERROR};
    (void)state;
    for (size_t i = 0; i < COUNT(codes); i++) {
        char name[20];
        struct unit unit = {.counter = name};
        signalled = codes[i];
        (void)snprintf(name, sizeof name, "code_%u", signalled);
        arena_reset(arena);
        enum err err = db_transact(pool, arena, is_told_to_rerun, &unit);
        ROW(err == ERR_NONE, "%u: %s", signalled, err_message(err));
        ROW(unit.runs == 2, "%u: ran %d times", signalled, unit.runs);
        ROW(counted(name) == 1, "%u: %lld effects", signalled, (long long)counted(name));
    }
    ROWS_END();
}

#ifdef FAIL_POINTS
static enum err commits_once(struct db *db, void *context)
{
    struct unit *unit = context;
    enum err err = payments_insert(db, &unit->one);
    unit->runs++;
    if (err == ERR_DB_DUPLICATE)
        return ERR_NONE;
    return err ? err : count(db, unit);
}

static enum err commits_and_fills_up(struct db *db, void *context)
{
    struct unit *unit = context;
    enum err err = commits_once(db, unit);
    return !err && unit->runs > 1 ? ERR_OVERLOAD : err;
}

/* What COMMIT may come to, and what is to be believed then. Only a conflict says that it is undone;
 * a later run that fails for want of something of ours knows no more. */
static void F48_commit_that_fails_reruns_the_unit(void **state)
{
    static const struct {
        const char *what;
        enum err (*run)(struct db *db, void *context);
        enum fail fault;
        bool always;
        enum err err;
        int runs;
        int64_t effects;
    } rows[] = {
        {"commit_conflict", commits_once, FAIL_CONFLICT, false, ERR_NONE, 2, 1},
        {"commit_refused", commits_once, FAIL_REFUSED, false, ERR_NONE, 2, 1},
        {"commit_unsent", commits_once, FAIL_BEFORE, false, ERR_NONE, 2, 1},
        {"commit_unheard", commits_once, FAIL_AFTER, false, ERR_NONE, 2, 1},
        {"commit_conflicts", commits_once, FAIL_CONFLICT, true, ERR_DB_UNAVAILABLE, 5, -1},
        {"commit_refuseds", commits_once, FAIL_REFUSED, true, ERR_DB_LOST, 5, -1},
        {"commit_unheards", commits_once, FAIL_AFTER, true, ERR_DB_LOST, 5, 1},
        {"commit_and_full", commits_and_fills_up, FAIL_AFTER, false, ERR_DB_LOST, 2, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct unit unit = {.counter = rows[i].what};
        make_intent(&unit.one);
        arena_reset(arena);
        fail_arm(FAIL_COMMIT, rows[i].fault, 1, rows[i].always);
        enum err err = db_transact(pool, arena, rows[i].run, &unit);
        ROW(fail_disarm(), "%s: nothing failed", rows[i].what);
        ROW(err == rows[i].err, "%s: %s", rows[i].what, err_message(err));
        ROW(unit.runs == rows[i].runs, "%s: ran %d times", rows[i].what, unit.runs);
        ROW(counted(rows[i].what) == rows[i].effects, "%s: %lld effects", rows[i].what,
            (long long)counted(rows[i].what));
    }
    ROWS_END();
}
#endif

/* The first run waits for a row that another connection holds, until the server gives up. */
static MYSQL *holder;

static enum err waits_for_a_lock(struct db *db, void *context)
{
    struct unit *unit = context;
    struct payment payment;
    if (unit->runs == 1)
        other_runs(holder, "ROLLBACK", NULL);
    enum err err = commits(db, unit);
    if (!err)
        err = raw(db, "SET SESSION innodb_lock_wait_timeout = 1");
    return err ? err : payments_lock(db, unit->one.payment.id, &payment);
}

static void F48_lock_wait_reruns_the_unit(void **state)
{
    struct unit unit = {.counter = "lock_wait"};
    (void)state;
    insert_payment(&unit.one);
    holder = other_connection();
    other_runs(holder, "START TRANSACTION", NULL);
    other_runs(holder, "SELECT 1 FROM payments WHERE payment_id = '%s' FOR UPDATE",
               unit.one.payment.id);
    assert_int_equal(db_transact(pool, arena, waits_for_a_lock, &unit), ERR_NONE);
    mysql_close(holder);
    assert_int_equal(unit.runs, 2);
    assert_int_equal(counted("lock_wait"), 1);
}

/* Two units lock two rows in opposite orders; they meet once, after the first row. */
static pthread_barrier_t meeting;

static enum err locks_both(struct db *db, void *context)
{
    struct unit *unit = context;
    struct payment payment;
    enum err err = commits(db, unit);
    if (!err)
        err = payments_lock(db, unit->one.payment.id, &payment);
    if (unit->runs == 1)
        (void)pthread_barrier_wait(&meeting);
    return err ? err : payments_lock(db, unit->two.payment.id, &payment);
}

static void *locks_in_thread(void *context)
{
    struct arena *own = arena_new(ARENA_BYTES);
    enum err err = db_transact(pool, own, locks_both, context);
    arena_free(own);
    mysql_thread_end();
    return (void *)(intptr_t)err;
}

static void F48_deadlock_reruns_one_unit(void **state)
{
    struct unit units[2] = {{.counter = "deadlock_a"}, {.counter = "deadlock_b"}};
    pthread_t threads[2];
    (void)state;
    insert_payment(&units[0].one);
    insert_payment(&units[0].two);
    units[1].one = units[0].two;
    units[1].two = units[0].one;
    assert_int_equal(pthread_barrier_init(&meeting, NULL, 2), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, locks_in_thread, &units[i]), 0);
    for (int i = 0; i < 2; i++) {
        void *err;
        assert_int_equal(pthread_join(threads[i], &err), 0);
        assert_null(err);
    }
    (void)pthread_barrier_destroy(&meeting);
    assert_int_equal(units[0].runs + units[1].runs, 3);
    assert_int_equal(counted("deadlock_a"), 1);
    assert_int_equal(counted("deadlock_b"), 1);
}

static void kill_connection(struct db *db)
{
    MYSQL *killer = other_connection();
    char id[32];
    (void)snprintf(id, sizeof id, "%lu", mysql_thread_id(db->mysql));
    other_runs(killer, "KILL CONNECTION %s", id);
    mysql_close(killer);
}

/* The connection dies in the middle, at the end (so that COMMIT finds it dead), and before a unit
 * that only asks. */
static enum err dies_in_the_middle(struct db *db, void *context)
{
    struct unit *unit = context;
    enum err err = commits(db, unit);
    if (!err && unit->runs == 1)
        kill_connection(db);
    return err ? err : payments_insert(db, &unit->one);
}

static enum err dies_before_commit(struct db *db, void *context)
{
    struct unit *unit = context;
    enum err err = commits(db, unit);
    if (!err && unit->runs == 1)
        kill_connection(db);
    return err;
}

static enum err dies_always(struct db *db, void *context)
{
    enum err err = commits(db, context);
    if (!err)
        kill_connection(db);
    return err;
}

static void F47_lost_connection_reruns_the_unit(void **state)
{
    static const struct {
        const char *what;
        enum err (*run)(struct db *db, void *context);
        enum err err;
        int runs;
        int64_t effects;
    } rows[] = {
        {"dies_in_the_middle", dies_in_the_middle, ERR_NONE, 2, 1},
        {"dies_before_commit", dies_before_commit, ERR_NONE, 2, 1},
        {"dies_always", dies_always, ERR_DB_LOST, 5, -1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct unit unit = {.counter = rows[i].what};
        make_intent(&unit.one);
        arena_reset(arena);
        enum err err = db_transact(pool, arena, rows[i].run, &unit);
        ROW(err == rows[i].err, "%s: %s", rows[i].what, err_message(err));
        ROW(unit.runs == rows[i].runs, "%s: ran %d times", rows[i].what, unit.runs);
        ROW(counted(rows[i].what) == rows[i].effects, "%s: %lld effects", rows[i].what,
            (long long)counted(rows[i].what));
    }
    ROWS_END();
}

/* COMMIT is sent and done, but its answer never arrives. The unit finds its own key and leaves it.
 */
static enum err loses_the_answer(struct db *db, void *context)
{
    struct unit *unit = context;
    enum err err = payments_insert(db, &unit->one);
    unit->runs++;
    if (err == ERR_DB_DUPLICATE)
        return ERR_NONE;
    if (!err)
        err = count(db, unit);
    assert_int_equal(shutdown(mysql_get_socket(db->mysql), SHUT_RD), 0);
    return err;
}

static void F47_lost_answer_of_commit_is_no_second_effect(void **state)
{
    struct unit unit = {.counter = "lost_answer"};
    (void)state;
    make_intent(&unit.one);
    arena_reset(arena);
    assert_int_equal(db_transact(pool, arena, loses_the_answer, &unit), ERR_NONE);
    assert_int_equal(unit.runs, 2);
    assert_int_equal(counted("lost_answer"), 1);
}

static enum err remembers_connection(struct db *db, void *context)
{
    struct unit *unit = context;
    unit->killed = mysql_thread_id(db->mysql);
    return ERR_NONE;
}

/* An idle connection that the server closed is no error of the next unit. */
static void closed_idle_connection_is_replaced(void **state)
{
    struct unit unit = {.counter = "idle"};
    char id[32];
    (void)state;
    arena_reset(arena);
    assert_int_equal(db_query(pool, arena, remembers_connection, &unit), ERR_NONE);
    (void)snprintf(id, sizeof id, "%llu", unit.killed);
    MYSQL *killer = other_connection();
    other_runs(killer, "KILL CONNECTION %s", id);
    mysql_close(killer);
    assert_int_equal(db_transact(pool, arena, commits, &unit), ERR_NONE);
    assert_int_equal(counted("idle"), 1);
}

/* What a session must be for the store's promises to hold. */
static enum err session_unit(struct db *db, void *context)
{
    (void)context;
    assert_int_equal(raw_number(db, "SELECT @@session.time_zone = '+00:00'"), 1);
    assert_int_equal(raw_number(db, "SELECT @@session.sql_mode LIKE '%%STRICT_ALL_TABLES%%'"), 1);
    assert_int_equal(raw_number(db, "SELECT @@session.tx_isolation = 'READ-COMMITTED'"), 1);
    assert_int_equal(raw_number(db, "SELECT @@session.autocommit"), 1);
    /* after us: a client gives up after 8 s, and a statement that goes on holds a processor */
    assert_int_equal(raw_number(db, "SELECT @@session.max_statement_time BETWEEN 9 AND 15"), 1);
    assert_int_equal(raw_number(db, "SELECT @@session.character_set_client = 'utf8mb4'"), 1);
    return ERR_NONE;
}

static void sessions_are_strict(void **state)
{
    (void)state;
    arena_reset(arena);
    assert_int_equal(db_query(pool, arena, session_unit, NULL), ERR_NONE);
}

struct nested {
    struct db_pool *pool;
    enum err inner;
};

static enum err nothing_unit(struct db *db, void *context)
{
    (void)db;
    (void)context;
    return ERR_NONE;
}

static enum err asks_for_another(struct db *db, void *context)
{
    struct nested *nested = context;
    nested->inner = db_query(nested->pool, db_arena(db), nothing_unit, NULL);
    return ERR_NONE;
}

static void full_pool_is_told_in_time(void **state)
{
    struct settings *narrow = malloc(sizeof *narrow);
    (void)state;
    assert_non_null(narrow);
    *narrow = settings;
    narrow->database.connections = 1;
    narrow->database.pool_wait_ms = 100;
    struct nested nested = {.pool = db_pool_new(narrow, false)};
    int64_t start = clock_mono_ms();
    arena_reset(arena);
    assert_int_equal(db_query(nested.pool, arena, asks_for_another, &nested), ERR_NONE);
    assert_int_equal(nested.inner, ERR_DB_UNAVAILABLE);
    assert_true(clock_mono_ms() - start >= 100 && clock_mono_ms() - start < 5000);
    assert_string_equal(db_last_problem(), "pool: 0 no connection was free in time");
    assert_int_equal(db_query(nested.pool, arena, nothing_unit, NULL), ERR_NONE);
    db_pool_free(nested.pool);
    free(narrow);
}

static void no_database_is_told(void **state)
{
    struct settings *wrong = malloc(sizeof *wrong);
    (void)state;
    assert_non_null(wrong);
    for (int i = 0; i < 2; i++) {
        *wrong = settings;
        if (i == 0)
            (void)snprintf(wrong->database.socket, CONF_TEXT_MAX, "/nonexistent/mariadb.sock");
        else
            assert_true(secret_set(&wrong->database.password, "a wrong one", 11));
        struct db_pool *dead = db_pool_new(wrong, false);
        arena_reset(arena);
        db_forget_problem();
        ROW(db_transact(dead, arena, nothing_unit, NULL) == ERR_DB_UNAVAILABLE, "row %d", i);
        ROW(strncmp(db_last_problem(), "connect: ", 9) == 0, "row %d: %s", i, db_last_problem());
        ROW(strstr(db_last_problem(), "a wrong one") == NULL, "%s", db_last_problem());
        db_pool_free(dead);
    }
    free(wrong);
    ROWS_END();
}

/* No unit starts, and none starts again, when the request's time is over. */
static void deadline_ends_the_tries(void **state)
{
    struct unit over = {.counter = "over"}, ends = {.counter = "ends"};
    (void)state;
    arena_reset(arena);
    db_deadline(clock_mono_ms() - 1);
    enum err err = db_transact(pool, arena, commits, &over);
    deadline_ms = clock_mono_ms() + 1000; /* it begins before, on a slow machine too */
    db_deadline(deadline_ms);
    enum err while_left = db_transact(pool, arena, conflicts_too_late, &ends);
    db_deadline(0);
    assert_int_equal(err, ERR_DB_UNAVAILABLE);
    assert_int_equal(over.runs, 0);
    assert_int_equal(while_left, ERR_DB_UNAVAILABLE);
    assert_int_equal(ends.runs, 1);
    assert_int_equal(counted("over"), -1);
}

static enum err calls_out(struct db *db, void *context)
{
    const struct httpc_options options = {"/none", 1000, 1000, "guichet-test"};
    const struct httpc_request request = {.method = "GET", .url = "https://127.0.0.1:1/"};
    struct httpc_answer answer;
    (void)context;
    httpc_call(httpc_new(&options), db_arena(db), &request, &answer);
    return ERR_NONE;
}

/* No connection is held while a provider is called: a unit that tries ends the process. */
static void calling_out_of_a_unit_asserts(void **state)
{
    int status;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) { /* with a pool of its own: connections do not survive a fork */
        (void)freopen("/dev/null", "w", stderr);
        (void)signal(SIGABRT, SIG_DFL);
        struct db_pool *own = db_pool_new(&settings, false);
        enum err err = db_query(own, arena_new(ARENA_BYTES), calls_out, NULL);
        _exit((int)err);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(units_end_as_they_say),
        TEST(F48_each_conflict_reruns_the_unit),
#ifdef FAIL_POINTS
        TEST(F48_commit_that_fails_reruns_the_unit),
#endif
        TEST(F48_lock_wait_reruns_the_unit),
        TEST(F48_deadlock_reruns_one_unit),
        TEST(F47_lost_connection_reruns_the_unit),
        TEST(F47_lost_answer_of_commit_is_no_second_effect),
        TEST(closed_idle_connection_is_replaced),
        TEST(sessions_are_strict),
        TEST(full_pool_is_told_in_time),
        TEST(no_database_is_told),
        TEST(deadline_ends_the_tries),
        TEST(calling_out_of_a_unit_asserts),
    };
    int exit_code;
    if (!database_is_named("db", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("db", tests, database_open, database_close);
}
