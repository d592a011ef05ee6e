/* Several statements of one unit in one round trip: the same effect as one after the other.
 * Needs a database: see database.h. */
#include "database.h"

#include "store/messages.h"

struct events_of {
    const char *payment_id;
    int64_t count;
};

static enum err events_unit(struct db *db, void *context)
{
    struct events_of *events = context;
    events->count =
        raw_number(db, "SELECT COUNT(*) FROM events WHERE payment_id = '%s'", events->payment_id);
    return ERR_NONE;
}

static int64_t events_of(const struct payment_intent *intent)
{
    struct events_of events = {.payment_id = intent->payment.id};
    assert_int_equal(db_query(pool, arena, events_unit, &events), ERR_NONE);
    return events.count;
}

/* More lists of statements than a connection remembers, and longer ones than go into one batch. */
struct many_events {
    const char *payment_id;
    int count;
    bool card; /* another list */
};

static enum err many_events_unit(struct db *db, void *context)
{
    const struct many_events *many = context;
    enum err err = many->card ? cards_insert(db, many->payment_id, "497010", "FR") : ERR_NONE;
    for (int i = 0; i < many->count && !err; i++)
        err = events_insert(db, many->payment_id, "many", "", "request");
    return err;
}

static void batches_are_forgotten_and_made_anew(void **state)
{
    struct payment_intent intent;
    int64_t events = 0;
    (void)state;
    insert_payment(&intent);
    for (int round = 0; round < 2; round++)
        for (int count = 1; count <= BATCH_MAX + 2; count++) {
            struct many_events many = {intent.payment.id, count, count % 2 == 0};
            arena_reset(arena);
            assert_int_equal(db_gather(pool, arena, NULL, many_events_unit, &many), ERR_NONE);
            events += count;
            assert_int_equal(events_of(&intent), events);
        }
}

/* Two events, and a delivery of one of them: the same statements, whichever that is. */
struct telling {
    const char *payment_id;
    const char *topics[2];
    int delivered; /* which of the two */
    int64_t ids[2];
};

static enum err telling_unit(struct db *db, void *context)
{
    struct telling *telling = context;
    const int64_t *ids[2] = {NULL, NULL};
    struct payment payment;
    enum err err = ERR_NONE;
    for (size_t i = 0; i < COUNT(ids) && !err; i++)
        err = outbox_put(db, telling->payment_id, telling->topics[i], 1, "{}", &ids[i]);
    if (!err)
        err = deliveries_put(db, ids[telling->delivered], "mail");
    if (!err) /* runs what is held back */
        err = payments_get(db, telling->payment_id, &payment);
    for (size_t i = 0; i < COUNT(ids) && !err; i++)
        telling->ids[i] = *ids[i];
    return err;
}

static enum err deliveries_unit(struct db *db, void *context)
{
    return raw_number(db, "SELECT COUNT(*) FROM deliveries WHERE outbox_id = %lld",
                      (long long)*(int64_t *)context) == 1
               ? ERR_NONE
               : ERR_INTERNAL;
}

static void what_is_found_is_used_in_the_same_round_trip(void **state)
{
    struct payment_intent intent;
    (void)state;
    insert_payment(&intent);
    const char *id = intent.payment.id;
    struct telling rows[] = {
        {id, {"payment.a", "payment.b"}, 0, {0}},
        {id, {"payment.c", "payment.d"}, 1, {0}},
        {id, {"payment.a", "payment.e"}, 1, {0}}, /* the first is there already */
        {id, {"payment.f", "payment.b"}, 1, {0}}, /* what was not inserted is not delivered */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct telling *row = &rows[i];
        int64_t before = executed();
        arena_reset(arena);
        assert_int_equal(db_gather(pool, arena, NULL, telling_unit, row), ERR_NONE);
        ROW(executed() - before <= 3, "%zu: %lld round trips", i, (long long)(executed() - before));
        ROW((row->ids[0] == 0) == (i == 2) && (row->ids[1] == 0) == (i == 3),
            "%zu: found %lld and %lld", i, (long long)row->ids[0], (long long)row->ids[1]);
        int64_t delivered = row->ids[row->delivered];
        enum err err = db_query(pool, arena, deliveries_unit, &delivered);
        ROW((err == ERR_NONE) == (delivered != 0), "%zu: delivered", i);
    }
    ROWS_END();
}

static enum err lock_both_unit(struct db *db, void *context)
{
    const char *id = context;
    struct payment payment;
    struct attempt attempt;
    enum err err = payments_lock_attempt(db, id, "payviox", "none", &payment, &attempt);
    assert_true(err || (strcmp(payment.id, id) == 0 && attempt.id == 0));
    return err;
}

static void two_reads_are_one_round_trip_and_the_commit(void **state)
{
    struct payment_intent intent;
    (void)state;
    insert_payment(&intent);
    for (int i = 0; i < 2; i++) { /* the second time the server knows them */
        int64_t before = executed();
        arena_reset(arena);
        assert_int_equal(db_gather(pool, arena, NULL, lock_both_unit, intent.payment.id), ERR_NONE);
        assert_int_equal(executed() - before, 2);
        before = executed();
        assert_int_equal(db_transact(pool, arena, lock_both_unit, intent.payment.id), ERR_NONE);
        assert_int_equal(executed() - before, 2);
    }
}

/* A batch whose rows are still being read is the one that makes room. */
static enum err open_unit(struct db *db, void *context)
{
    const struct many_events *many = context;
    struct payment payment;
    struct attempt attempt;
    enum err err =
        payments_lock_attempt(db, many->payment_id, "test", many->payment_id, &payment, &attempt);
    assert_true(err || db->open != NULL);
    if (!err)
        err = many_events_unit(db, context);
    return err ? err : payments_get(db, many->payment_id, &payment);
}

static enum err answered_unit(struct db *db, void *context)
{
    const struct payment_intent *intent = context;
    const struct attempt_answer answer = {
        .outcome = OUTCOME_PENDING, .provider_reference = "x", .reason = ""};
    int64_t id;
    enum err err = attempts_insert(db, &intent->payment, 1, "test", intent->payment.id, 1000, &id);
    return err ? err : answers_insert(db, id, &answer);
}

static void an_open_one_is_not_forgotten(void **state)
{
    struct payment_intent intent;
    (void)state;
    insert_payment(&intent);
    assert_int_equal(db_transact(pool, arena, answered_unit, &intent), ERR_NONE);
    for (int round = 0; round < 4; round++)
        for (int count = 1; count < BATCH_MAX; count++) {
            struct many_events many = {intent.payment.id, count, round % 2 == 0};
            arena_reset(arena);
            assert_int_equal(db_gather(pool, arena, NULL, open_unit, &many), ERR_NONE);
        }
}

/* An error after the rows is the COMMIT's: but for a conflict, nobody knows what became of it. */
static enum err late_unit(struct db *db, void *context)
{
    static const struct db_value none[] = {{0}};
    MYSQL_STMT *place = NULL;
    char text[120];
    (void)snprintf(text, sizeof text,
                   "BEGIN NOT ATOMIC SELECT 1; SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = %d; END",
                   *(const int *)context);
    enum err err = db_run_batch(db, &place, text, none, FAIL_COMMIT);
    if (!err)
        err = db_read_first(db, text);
    assert_true(!err && db_next(db));
    err = db_read_next(db, text);
    db_forget(db, &place);
    return err;
}

static void late_errors_are_heard(void **state)
{
    static const struct {
        int code;
        enum err err;
    } rows[] = {{1213, ERR_DB_CONFLICT}, {1180, ERR_DB_LOST}, {1026, ERR_DB}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct db *db = pool_borrow(pool, arena);
        assert_non_null(db);
        arena_reset(arena);
        assert_int_equal(db->mysql == NULL ? db_connect(db) : ERR_NONE, ERR_NONE);
        enum err err = late_unit(db, (void *)&rows[i].code);
        ROW(err == rows[i].err, "%d: %s", rows[i].code, err_message(err));
        pool_give_back(db);
    }
    ROWS_END();
}

/* What must change one row, and does not, undoes the rest. */
struct absent {
    const char *payment_id;
    int runs;
};

static enum err absent_unit(struct db *db, void *context)
{
    struct absent *absent = context;
    absent->runs++;
    enum err err = events_insert(db, absent->payment_id, "absent", "", "request");
    return err ? err
               : payments_status_set(db, absent->payment_id, PAYMENT_FAILED, PAYMENT_COMPLETED, 0);
}

static void a_change_of_nothing_is_a_conflict(void **state)
{
    struct payment_intent intent;
    (void)state;
    insert_payment(&intent);
    struct absent absent = {.payment_id = intent.payment.id};
    assert_int_equal(db_gather(pool, arena, NULL, absent_unit, &absent), ERR_DB_UNAVAILABLE);
    assert_true(absent.runs > 2); /* conflicts may end */
    assert_int_equal(events_of(&intent), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(batches_are_forgotten_and_made_anew),
        TEST(what_is_found_is_used_in_the_same_round_trip),
        TEST(two_reads_are_one_round_trip_and_the_commit),
        TEST(an_open_one_is_not_forgotten),
        TEST(late_errors_are_heard),
        TEST(a_change_of_nothing_is_a_conflict),
    };
    int exit_code;
    if (!database_is_named("batch", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("batch", tests, database_open, database_close);
}
