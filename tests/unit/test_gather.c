/* Units of several threads as one transaction: each has the effect that it would have alone, once,
 * whatever happens to it or to its neighbours. Needs a database: see database.h. */
#include "store/gather.c"

#include "groups.h"

#include "store/ledger.h"

enum { PARTS = 6 };

enum behaviour {
    BEHAVES,
    CONFLICTS,     /* while it is in a group */
    REFUSES,       /* having appended only */
    REFUSES_LATE,  /* having changed something already */
    COPIES,        /* appends a key that is stored already */
    READS_ITS_OWN, /* what it has just appended */
    DIES,          /* its connection does, while it is in a group */
    LOSES_ANSWER,  /* of the group's COMMIT */
};

struct part {
    enum behaviour behaviour;
    struct payment_intent intent;
    const struct payment_intent *stored;
    const char *key;
    int runs, runs_in_group;
    size_t group; /* how many units the last run was one of */
    bool found;
    enum err err;
    pthread_t thread;
};

static void kill_it(struct db *db)
{
    MYSQL *mysql = mysql_init(NULL);
    char text[40];
    (void)snprintf(text, sizeof text, "KILL CONNECTION %lu", mysql_thread_id(db->mysql));
    assert_non_null(mysql_real_connect(mysql, NULL, settings.database.user,
                                       secret_reveal(&settings.database.password),
                                       settings.database.name, 0, settings.database.socket, 0));
    assert_int_equal(mysql_query(mysql, text), 0);
    mysql_close(mysql);
}

static enum err misbehave(struct db *db, struct part *part)
{
    bool grouped = db_gathered(db);
    struct payment payment;
    enum err err = ERR_NONE;
    switch (part->behaviour) {
    case BEHAVES:
        return ERR_NONE;
    case CONFLICTS:
        return grouped ? ERR_DB_CONFLICT : ERR_NONE;
    case REFUSES:
        return ERR_NO_ITEMS;
    case COPIES:
        return payments_insert(db, part->stored);
    case REFUSES_LATE:
    case READS_ITS_OWN:
        err = payments_get(db, part->intent.payment.id, &payment);
        part->found = !err && payment.id[0] != '\0';
        return err || part->behaviour == READS_ITS_OWN ? err : ERR_NO_ITEMS;
    case DIES:
        if (grouped)
            kill_it(db);
        return ERR_NONE;
    case LOSES_ANSWER:
#ifdef FAIL_POINTS
        if (grouped)
            fail_arm(FAIL_COMMIT, FAIL_AFTER, 1, false);
#endif
        return ERR_NONE;
    }
    return ERR_INTERNAL;
}

static enum err part_unit(struct db *db, void *context)
{
    struct part *part = context;
    part->runs++;
    part->runs_in_group += db_gathered(db);
    part->group = db_gathered(db) ? db->gathering->member_count : 1;
    enum err err = payments_insert(db, &part->intent);
    if (err == ERR_DB_DUPLICATE)
        return part->runs > 1 ? ERR_NONE : err; /* it had happened, unheard */
    if (!err)
        err = events_insert(db, part->intent.payment.id, "created", "test", "request");
    return err ? err : misbehave(db, part);
}

static void *part_in_thread(void *context)
{
    struct part *part = context;
    struct arena *own = arena_new(ARENA_BYTES);
    assert_non_null(own);
    part->err = db_gather(pool, own, part->key, part_unit, part);
#ifdef FAIL_POINTS
    (void)fail_disarm();
#endif
    arena_free(own);
    mysql_thread_end();
    return NULL;
}

/* Runs all parts behind a leader that waits until they have come, in their order. */
static void run_parts(struct part *parts, size_t count)
{
    struct payment_intent before;
    insert_payment(&before);
    hold();
    for (size_t i = 0; i < count; i++) {
        make_intent(&parts[i].intent);
        parts[i].stored = &before;
        start_waiting(&parts[i].thread, part_in_thread, &parts[i], i);
    }
    let_go();
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_join(parts[i].thread, NULL), 0);
}

struct stored {
    const struct part *part;
    int64_t payments, events;
};

static enum err stored_unit(struct db *db, void *context)
{
    struct stored *stored = context;
    const char *id = stored->part->intent.payment.id;
    stored->payments = raw_number(db, "SELECT COUNT(*) FROM payments WHERE payment_id = '%s'", id);
    stored->events = raw_number(db, "SELECT COUNT(*) FROM events WHERE payment_id = '%s'", id);
    return ERR_NONE;
}

static struct stored stored(const struct part *part)
{
    struct stored stored = {.part = part};
    arena_reset(arena);
    assert_int_equal(db_query(pool, arena, stored_unit, &stored), ERR_NONE);
    return stored;
}

/* One of the units, the third, does something; what becomes of it, and of the others? */
static void each_unit_has_its_own_effect(void **state)
{
    static const struct {
        const char *what;
        enum behaviour behaviour;
        enum err err;      /* of the one */
        int stored;        /* of the one: its payment and event */
        int runs;          /* of the one */
        int other_runs;    /* of each of the others */
        int runs_in_group; /* of each of the others */
    } rows[] = {
        {"nothing", BEHAVES, ERR_NONE, 1, 1, 1, 1},
        {"a conflict: taken out, the rest runs again together", CONFLICTS, ERR_NONE, 1, 2, 2, 2},
        {"a refusal: nothing of it remains", REFUSES, ERR_NO_ITEMS, 0, 1, 1, 1},
        {"a refusal with something done", REFUSES_LATE, ERR_NO_ITEMS, 0, 2, 2, 2},
        {"a key that is stored already: all run alone", COPIES, ERR_DB_DUPLICATE, 0, 2, 2, 1},
        {"reads what it has appended", READS_ITS_OWN, ERR_NONE, 1, 1, 1, 1},
        {"the connection dies: all run alone", DIES, ERR_NONE, 1, 2, 2, 1},
#ifdef FAIL_POINTS
        {"COMMIT's answer is lost: all run alone", LOSES_ANSWER, ERR_NONE, 1, 2, 2, 1},
#endif
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct part parts[PARTS] = {0};
        parts[2].behaviour = rows[i].behaviour;
        if (rows[i].behaviour == LOSES_ANSWER) { /* the leader's thread is where it happens */
            parts[2].behaviour = BEHAVES;
            parts[0].behaviour = LOSES_ANSWER;
        }
        run_parts(parts, PARTS);
        for (int p = 0; p < PARTS; p++) {
            struct stored s = stored(&parts[p]);
            bool one = p == 2;
            enum err err = one ? rows[i].err : ERR_NONE;
            int expected = one ? rows[i].stored : 1;
            /* the units before the one may have run once less: they were not reached */
            int runs = one ? rows[i].runs : rows[i].other_runs;
            ROW(parts[p].err == err, "%s, unit %d: %s", rows[i].what, p, err_message(parts[p].err));
            ROW(s.payments == expected && s.events == expected,
                "%s, unit %d: %lld payments, %lld events", rows[i].what, p, (long long)s.payments,
                (long long)s.events);
            ROW(parts[p].runs <= runs && parts[p].runs >= 1, "%s, unit %d: ran %d times",
                rows[i].what, p, parts[p].runs);
            ROW(one || parts[p].runs_in_group >= 1, "%s, unit %d: %d times in a group",
                rows[i].what, p, parts[p].runs_in_group);
        }
        ROW(parts[2].found ==
                (rows[i].behaviour == READS_ITS_OWN || rows[i].behaviour == REFUSES_LATE),
            "%s: found %d", rows[i].what, parts[2].found);
    }
    ROWS_END();
}

/* Two units about the same payment must see each other's effect: they are never in one group. */
static void same_key_is_never_in_one_group(void **state)
{
    struct part parts[3] = {{.key = "A"}, {.key = "A"}, {.key = "B"}};
    (void)state;
    run_parts(parts, COUNT(parts));
    /* B goes with one of the others, or, with several leaders, alone */
    assert_true(parts[0].group == 1 || parts[1].group == 1);
    for (size_t i = 0; i < COUNT(parts); i++)
        assert_true(parts[i].err == ERR_NONE && parts[i].runs == 1 && parts[i].group <= 2);
}

/* --- money --- */

struct transfer {
    struct part part; /* first: it is run by the same threads */
    int64_t units;
    bool covered;
};

static enum err transfer_unit(struct db *db, void *context)
{
    struct transfer *transfer = context;
    struct money amount;
    bool posted;
    transfer->part.runs++;
    transfer->part.runs_in_group += db_gathered(db);
    assert_true(money_make(transfer->units, "USD", &amount));
    const struct ledger_line lines[] = {{LEDGER_USER, owner, amount, transfer->covered},
                                        {LEDGER_PROVIDER, owner, money_negative(&amount), false}};
    return ledger_post(db, transfer->part.intent.payment.id, "credit", 1, lines, COUNT(lines),
                       &posted);
}

static void *transfer_in_thread(void *context)
{
    struct transfer *transfer = context;
    struct arena *own = arena_new(ARENA_BYTES);
    assert_non_null(own);
    transfer->part.err = db_gather(pool, own, NULL, transfer_unit, transfer);
    arena_free(own);
    mysql_thread_end();
    return NULL;
}

static void run_transfers(struct transfer *transfers, size_t count)
{
    hold();
    for (size_t i = 0; i < count; i++) {
        make_intent(&transfers[i].part.intent);
        (void)snprintf(transfers[i].part.intent.payment.id, IDENT_MAX, "TEST_%s_%llx", owner,
                       (unsigned long long)(uintptr_t)transfers * 16 + i);
        start_waiting(&transfers[i].part.thread, transfer_in_thread, &transfers[i], i);
    }
    let_go();
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_join(transfers[i].part.thread, NULL), 0);
}

/* Each entry shows the balance as it was after it: in the order of the entries. */
static enum err history_unit(struct db *db, void *context)
{
    (void)context;
    return raw_number(
               db,
               "SELECT COUNT(*) FROM (SELECT balance_after AS told, SUM(amount) OVER"
               " (ORDER BY entry_id) AS sum FROM ledger_entries JOIN ledger_accounts"
               " USING (account_id) WHERE owner = '%s' AND kind = 'user') t WHERE told <> sum",
               owner) == 0
               ? ERR_NONE
               : ERR_INTERNAL;
}

static enum err balance_unit(struct db *db, void *context)
{
    return ledger_balance(db, user_id, "USD", context);
}

static int64_t balance_now(void)
{
    int64_t balance = -1;
    arena_reset(arena);
    assert_int_equal(db_query(pool, arena, balance_unit, &balance), ERR_NONE);
    assert_int_equal(db_query(pool, arena, history_unit, NULL), ERR_NONE);
    return balance;
}

static void balances_move_in_the_order_of_their_entries(void **state)
{
    struct transfer first[] = {{.units = 100}, {.units = 5}};
    struct transfer then[] = {{.units = 7}, {.units = -30}, {.units = 11}, {.units = -1}};
    (void)state;
    run_transfers(first, COUNT(first)); /* the account is opened, by one alone */
    assert_int_equal(balance_now(), 105);
    run_transfers(then, COUNT(then));
    assert_int_equal(balance_now(), 92);
    for (size_t i = 0; i < COUNT(then); i++)
        ROW(then[i].part.err == ERR_NONE && then[i].part.runs == 1 &&
                then[i].part.runs_in_group == 1,
            "transfer %zu: ran %d times, %d in a group", i, then[i].part.runs,
            then[i].part.runs_in_group);
    ROWS_END();
}

/* Two can be paid from 92, not the third: whichever comes last is refused. */
static void what_is_not_covered_is_refused_alone(void **state)
{
    struct transfer t[] = {{.units = -40, .covered = true},
                           {.units = -40, .covered = true},
                           {.units = -40, .covered = true}};
    int refused = 0;
    (void)state;
    run_transfers(t, COUNT(t));
    for (size_t i = 0; i < COUNT(t); i++) {
        ROW(t[i].part.err == ERR_NONE || t[i].part.err == ERR_BALANCE, "transfer %zu: %s", i,
            err_message(t[i].part.err));
        refused += t[i].part.err == ERR_BALANCE;
    }
    assert_int_equal(refused, 1);
    assert_int_equal(balance_now(), 12);
    ROWS_END();
}

/* --- one alone: the same, in as few round trips as it takes --- */

static void one_alone_has_its_own_effect(void **state)
{
    static const struct {
        const char *what;
        enum behaviour behaviour;
        enum err err;
        int stored, runs;
    } rows[] = {
        {"nothing", BEHAVES, ERR_NONE, 1, 1},
        {"a conflict", CONFLICTS, ERR_NONE, 1, 2},
        {"a refusal", REFUSES, ERR_NO_ITEMS, 0, 1},
        {"a refusal with something done", REFUSES_LATE, ERR_NO_ITEMS, 0, 2},
        {"a key that is stored already", COPIES, ERR_DB_DUPLICATE, 0, 2},
        {"reads what it has appended", READS_ITS_OWN, ERR_NONE, 1, 1},
        {"the connection dies", DIES, ERR_NONE, 1, 2},
#ifdef FAIL_POINTS
        {"COMMIT's answer is lost", LOSES_ANSWER, ERR_NONE, 1, 2},
#endif
    };
    struct payment_intent before;
    (void)state;
    insert_payment(&before);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct part part = {.behaviour = rows[i].behaviour, .stored = &before};
        make_intent(&part.intent);
        (void)part_in_thread(&part);
        struct stored s = stored(&part);
        ROW(part.err == rows[i].err && part.runs == rows[i].runs, "%s: %s after %d runs",
            rows[i].what, err_message(part.err), part.runs);
        ROW(s.payments == rows[i].stored && s.events == rows[i].stored,
            "%s: %lld payments, %lld events", rows[i].what, (long long)s.payments,
            (long long)s.events);
    }
    ROWS_END();
}

static void one_alone_takes_few_round_trips(void **state)
{
    struct part part = {.behaviour = BEHAVES};
    struct transfer transfers[] = {{.units = 100},
                                   {.units = 5},
                                   {.units = -50, .covered = true},
                                   {.units = -200, .covered = true}};
    (void)state;
    make_intent(&part.intent);
    int64_t before = executed(), balance = balance_now();
    (void)part_in_thread(&part);
    assert_int_equal(executed() - before, 3); /* with the two of balance_now */
    for (size_t i = 0; i < COUNT(transfers); i++) {
        make_intent(&transfers[i].part.intent);
        (void)snprintf(transfers[i].part.intent.payment.id, IDENT_MAX, "TEST_%s_alone%zu", owner,
                       i);
        before = executed();
        (void)transfer_in_thread(&transfers[i]);
        /* posting, balance, whether it covers, the entries with what those returned, COMMIT; but
         * the first opens an account, and the last runs twice */
        ROW(i % 3 == 0 || executed() - before == 1, "posting %zu: %lld round trips", i,
            (long long)(executed() - before));
    }
    assert_int_equal(transfers[3].part.err, ERR_BALANCE);
    assert_int_equal(balance_now(), balance + 55);
    ROWS_END();
}

/* --- readers, and patience --- */

static enum err read_unit(struct db *db, void *context)
{
    struct user *user = context;
    return users_get(db, user_id, user);
}

static void *read_in_thread(void *context)
{
    struct arena *own = arena_new(ARENA_BYTES);
    struct db_key key = db_key('u', user_id);
    for (int i = 0; i < 50; i++) {
        struct user user = {0};
        arena_reset(own);
        enum err err = db_gather_read(pool, own, key.text, read_unit, &user);
        *(bool *)context |= err != ERR_NONE || user.id != user_id;
    }
    arena_free(own);
    mysql_thread_end();
    return NULL;
}

static void readers_of_the_same_read_the_same(void **state)
{
    pthread_t threads[8];
    bool wrong[COUNT(threads)] = {false};
    (void)state;
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_in_thread, &wrong[i]), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(wrong[i]);
    }
}

static void who_waits_too_long_has_done_nothing(void **state)
{
    struct part part = {.behaviour = BEHAVES};
    int64_t patience = settings.database.pool_wait_ms;
    (void)state;
    settings.database.pool_wait_ms = 50;
    hold();
    make_intent(&part.intent);
    assert_int_equal(pthread_create(&part.thread, NULL, part_in_thread, &part), 0);
    assert_int_equal(pthread_join(part.thread, NULL), 0);
    let_go();
    settings.database.pool_wait_ms = patience;
    assert_int_equal(part.err, ERR_DB_UNAVAILABLE);
    assert_int_equal(part.runs, 0);
    assert_int_equal(stored(&part).payments, 0);
    assert_null(pool->writers.first);
}

/* However long a halt of the machine: none of those who must gather gives up before they have. */
static int open_patiently(void **state)
{
    int result = database_open(state);
    settings.database.pool_wait_ms = 60000;
    return result;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(each_unit_has_its_own_effect),
        TEST(same_key_is_never_in_one_group),
        TEST(balances_move_in_the_order_of_their_entries),
        TEST(what_is_not_covered_is_refused_alone),
        TEST(one_alone_has_its_own_effect),
        TEST(one_alone_takes_few_round_trips),
        TEST(readers_of_the_same_read_the_same),
        TEST(who_waits_too_long_has_done_nothing),
    };
    int exit_code;
    if (!database_is_named("gather", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("gather", tests, open_patiently, database_close);
}
