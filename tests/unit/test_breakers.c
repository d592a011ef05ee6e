/* Breakers and switches as processes share them: what opens and closes one, that one call tries,
 * and what a dead or late one leaves. */
#include "breakers.h"

static const struct provider_result fine = {
    .called = true, .outcome = OUTCOME_PENDING, .http_status = 201};
static const struct provider_result broken = {
    .called = true, .outcome = OUTCOME_UNKNOWN, .http_status = 500, .reason = "it answered 500"};
static const struct provider_result never_called = {.outcome = OUTCOME_NOT_SENT};

static void calls(const struct provider_result *result, int count)
{
    for (int i = 0; i < count; i++) {
        struct breaker_pass pass;
        assert_string_equal(ask(&pass), "");
        breaker_tell(context, arena, &pass, result);
    }
}

static void open_it(void)
{
    calls(&broken, 10);
    assert_string_equal(ask(&(struct breaker_pass){0}), "wait 120");
}

static void end_the_cool_down(void)
{
    change("UPDATE provider_health SET opened_at = NOW(3) - INTERVAL 2 MINUTE,"
           " open_until = NOW(3)");
    clock_sleep_ms(2);
    be_another_process();
}

static void opens_at_the_tenth(void **state)
{
    (void)state;
    calls(&broken, 9);
    assert_true(may_call());
    calls(&broken, 1);
    assert_string_equal(ask(&(struct breaker_pass){0}), "wait 120");
    be_another_process();
    assert_string_equal(ask(&(struct breaker_pass){0}), "wait 120");
    assert_int_equal(number("SELECT COUNT(*) FROM provider_health WHERE provider = 'payviox' AND"
                            " reason = '10 of 10 calls failed within 60 s' AND opened_at <= NOW(3)"
                            " AND open_until = opened_at + INTERVAL 120 SECOND"),
                     1);
    assert_true(breaker_is_closed(context, arena, &second_driver));
    assert_false(breaker_is_closed(context, arena, &payviox_driver));
}

/* Successes count, those of other processes too. */
static void opens_at_half(void **state)
{
    (void)state;
    calls(&fine, 6);
    calls(&broken, 5);
    assert_true(may_call()); /* 5 of 11 */
    be_another_process();
    calls(&broken, 1);
    assert_string_equal(ask(&(struct breaker_pass){0}), "wait 120");
}

/* A process that dies takes what it has not told yet: successes of one second. */
static void two_processes_make_the_sum(void **state)
{
    (void)state;
    calls(&broken, 5);
    be_another_process();
    calls(&broken, 4);
    be_another_process();
    assert_true(may_call());
    calls(&broken, 1);
    assert_false(may_call());
}

static void the_window_slides(void **state)
{
    static const struct {
        int64_t age_s;
        bool opens;
    } rows[] = {{45, true}, {60, false}, {61, false}, {-30, false}, {299, false}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[200];
        assert_int_equal(clean(state), 0);
        calls(&broken, 9);
        /* In two steps, for the calls may be of two seconds, and one may not take the other's
         * place. */
        (void)snprintf(text, sizeof text,
                       "UPDATE provider_calls SET second_of = second_of - %lld, place = 1000 +"
                       " (place + 300 - %lld) MOD 300",
                       (long long)rows[i].age_s, (long long)rows[i].age_s);
        change(text);
        change("UPDATE provider_calls SET place = place - 1000");
        calls(&broken, 1);
        ROW(may_call() != rows[i].opens, "failures %lld s ago", (long long)rows[i].age_s);
    }
    ROWS_END();
}

/* The place of a second is taken again after 300 s: what was there is over. */
static void the_ring_comes_round(void **state)
{
    (void)state;
    calls(&broken, 5);
    change("UPDATE provider_calls SET second_of = second_of - 300");
    calls(&broken, 9);
    assert_true(number("SELECT SUM(calls) FROM provider_calls WHERE second_of >"
                       " TIMESTAMPDIFF(SECOND, '1970-01-01', NOW()) - 60") == 9);
    assert_true(may_call());
}

/* No call of a healthy provider goes to the database but for a look each second. */
static void health_costs_nothing(void **state)
{
    (void)state;
    calls(&fine, 1);
    int64_t seen_ms = shared.seen_ms, spent_us = clock_meter()->db_us;
    for (int i = 0; i < 1000; i++) {
        shared.seen_ms = clock_mono_ms(); /* however slow this machine */
        calls(&fine, 1);
    }
    assert_int_equal(clock_meter()->db_us, spent_us);
    assert_true(seen_ms > 0);
    assert_int_equal(number("SELECT COUNT(*) FROM provider_calls"), 0);
    let_a_second_pass();
    calls(&fine, 1);
    assert_int_equal(number("SELECT SUM(calls) FROM provider_calls WHERE failures = 0"), 1001);
}

/* What the database does not take is told later. */
static void counts_survive_a_database_that_is_away(void **state)
{
    struct breaker_pass passes[10];
    struct settings elsewhere = settings;
    (void)state;
    for (size_t i = 0; i < COUNT(passes); i++)
        assert_string_equal(ask(&passes[i]), "");
    (void)text_copy(elsewhere.database.socket, CONF_TEXT_MAX, "/nowhere");
    struct db_pool *nowhere = db_pool_new(&elsewhere, false);
    context->pool = nowhere;
    for (size_t i = 0; i < COUNT(passes); i++)
        breaker_tell(context, arena, &passes[i], &broken);
    let_pass(TRUST_MS - 2000);
    assert_string_equal(ask(&passes[0]), ""); /* what was known is good for a while */
    let_pass(TRUST_MS);
    int64_t wait_s;
    assert_int_equal(breaker_ask(context, arena, &payviox_driver, &passes[0], &wait_s),
                     ERR_DB_UNAVAILABLE);
    assert_true(breaker_is_closed(context, arena, &payviox_driver));
    context->pool = pool;
    db_pool_free(nowhere);
    assert_string_equal(ask(&passes[0]), "wait 120");
}

static void what_was_not_called_does_not_count(void **state)
{
    (void)state;
    calls(&never_called, 20);
    calls(NULL, 20);
    let_a_second_pass();
    assert_true(may_call());
    assert_int_equal(number("SELECT COUNT(*) FROM provider_calls"), 0);
}

struct racer {
    pthread_t thread;
    struct arena *arena;
    struct breaker_pass pass;
    enum err err;
};

static void *race(void *unit)
{
    struct racer *racer = unit;
    int64_t wait_s;
    racer->err = breaker_ask(context, racer->arena, &payviox_driver, &racer->pass, &wait_s);
    return NULL;
}

static void one_of_twenty_tries(void **state)
{
    struct racer racers[20];
    size_t winners = 0;
    (void)state;
    open_it();
    end_the_cool_down();
    for (size_t i = 0; i < COUNT(racers); i++) {
        racers[i].arena = arena_new(ARENA_BYTES);
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < COUNT(racers); i++) {
        assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
        assert_true(racers[i].err == ERR_NONE || racers[i].err == ERR_PROVIDER_UNAVAILABLE);
        winners += racers[i].err == ERR_NONE;
        arena_free(racers[i].arena);
    }
    assert_int_equal(winners, 1);
    be_another_process();
    assert_string_equal(ask(&(struct breaker_pass){0}), "wait 5");
}

static void a_success_closes(void **state)
{
    struct breaker_pass pass;
    (void)state;
    open_it();
    end_the_cool_down();
    assert_string_equal(ask(&pass), "");
    assert_true(pass.probe_id != 0);
    assert_string_equal(ask(&(struct breaker_pass){0}), "wait 5");
    breaker_tell(context, arena, &pass, &fine);
    assert_true(may_call());
    calls(&broken, 9); /* the old ones are forgotten */
    assert_true(may_call());
    be_another_process();
    assert_true(may_call());
    calls(&broken, 1);
    assert_false(may_call());
}

static void a_failure_opens_again(void **state)
{
    struct breaker_pass pass;
    (void)state;
    open_it();
    end_the_cool_down();
    assert_string_equal(ask(&pass), "");
    breaker_tell(context, arena, &pass, &broken);
    assert_string_equal(ask(&pass), "wait 120");
    be_another_process();
    assert_string_equal(ask(&pass), "wait 120");
    assert_int_equal(
        number("SELECT COUNT(*) FROM provider_health WHERE probe_id IS NULL AND reason ="
               " 'the call after the cool-down failed: it answered 500' AND opened_at"
               " < NOW(3) - INTERVAL 1 MINUTE"),
        1);
}

/* Whoever tried has died: his lease ends. What he says after all is no news by then. */
static void a_dead_one_is_replaced(void **state)
{
    struct breaker_pass dead, heir;
    (void)state;
    open_it();
    end_the_cool_down();
    assert_string_equal(ask(&dead), "");
    assert_int_equal(number("SELECT COUNT(*) FROM provider_health WHERE probe_until BETWEEN"
                            " NOW(3) + INTERVAL 10 SECOND AND NOW(3) + INTERVAL 20 SECOND"),
                     1);
    change("UPDATE provider_health SET probe_until = NOW(3)");
    clock_sleep_ms(2);
    be_another_process();
    assert_string_equal(ask(&heir), "");
    assert_true(heir.probe_id != dead.probe_id);
    breaker_tell(context, arena, &dead, NULL); /* not his any more */
    be_another_process();
    assert_string_equal(ask(&(struct breaker_pass){0}), "wait 5");
    breaker_tell(context, arena, &heir, &fine);
    breaker_tell(context, arena, &dead, &broken);
    be_another_process();
    assert_true(may_call());
}

static void a_pass_given_back_is_there_for_the_next(void **state)
{
    struct breaker_pass pass;
    (void)state;
    open_it();
    end_the_cool_down();
    for (int i = 0; i < 3; i++) {
        assert_string_equal(ask(&pass), "");
        breaker_tell(context, arena, &pass, i == 0 ? NULL : &never_called);
    }
}

/* A call that began before it opened says nothing about the time after. */
static void stragglers_change_nothing(void **state)
{
    struct breaker_pass early[2];
    (void)state;
    assert_string_equal(ask(&early[0]), "");
    assert_string_equal(ask(&early[1]), "");
    open_it();
    int64_t until = number("SELECT UNIX_TIMESTAMP(open_until) * 1000 FROM provider_health");
    breaker_tell(context, arena, &early[0], &fine);
    breaker_tell(context, arena, &early[1], &broken);
    assert_int_equal(number("SELECT UNIX_TIMESTAMP(open_until) * 1000 FROM provider_health"),
                     until);
    be_another_process();
    assert_false(may_call());
}

static void a_trip_opens_at_once(void **state)
{
    struct provider_result refused_key = {.called = true,
                                          .outcome = OUTCOME_REFUSED,
                                          .http_status = 401,
                                          .trip_s = 900,
                                          .reason = "it does not know our key"};
    (void)state;
    assert_int_equal(breaker_trip(context, arena, &payviox_driver, 300, "wrong key"), ERR_NONE);
    assert_string_equal(ask(&(struct breaker_pass){0}), "wait 300");
    assert_int_equal(number("SELECT COUNT(*) FROM provider_health WHERE reason = 'wrong key'"), 1);
    assert_int_equal(clean(state), 0);
    calls(&refused_key, 1);
    assert_string_equal(ask(&(struct breaker_pass){0}), "wait 900");
    assert_int_equal(
        number("SELECT COUNT(*) FROM provider_health WHERE reason = 'it does not know our key'"),
        1);
}

struct switch_unit {
    enum err (*turn)(struct db *db, const char *provider, const char *operator_name,
                     const char *note);
    const char *provider, *note;
    struct provider_record records[4];
    size_t count;
};

static enum err switch_unit(struct db *db, void *unit)
{
    struct switch_unit *s = unit;
    enum err err = s->turn(db, s->provider, "olivia", s->note);
    return err ? err : providers_list(db, COUNT(s->records), s->records, &s->count);
}

static struct switch_unit turn_switch(bool on, const char *provider, const char *note)
{
    struct switch_unit unit = {
        .turn = on ? providers_enable : providers_disable, .provider = provider, .note = note};
    assert_int_equal(db_transact(admin_pool, arena, switch_unit, &unit), ERR_NONE);
    return unit;
}

static void the_switch(void **state)
{
    (void)state;
    assert_true(may_call());
    struct switch_unit off = turn_switch(false, "payviox", "they are moving house");
    assert_int_equal(off.count, 1);
    assert_string_equal(off.records[0].provider, "payviox");
    assert_string_equal(off.records[0].switched_by, "olivia");
    assert_string_equal(off.records[0].switch_note, "they are moving house");
    assert_int_equal(strlen(off.records[0].switched_at), 24);
    assert_string_equal(off.records[0].opened_at, "");
    assert_int_equal(breaker_state(&off.records[0].breaker), BREAKER_DISABLED);
    let_a_second_pass();
    assert_string_equal(ask(&(struct breaker_pass){0}), "wait 60");
    assert_false(breaker_is_closed(context, arena, &payviox_driver));
    be_another_process();
    assert_string_equal(ask(&(struct breaker_pass){0}), "wait 60");
    struct switch_unit on = turn_switch(true, "payviox", "");
    assert_int_equal(breaker_state(&on.records[0].breaker), BREAKER_CLOSED);
    let_a_second_pass();
    assert_true(may_call());
}

/* Enabling is an operator's word that it works again. */
static void enabling_closes(void **state)
{
    (void)state;
    open_it();
    struct switch_unit on = turn_switch(true, "payviox", "mended");
    assert_string_equal(on.records[0].reason, "");
    let_a_second_pass();
    assert_true(may_call());
    calls(&broken, 9);
    assert_true(may_call());
}

/* Others look at the old view while one looks anew, but not for ever. */
static void one_looks_for_all(void **state)
{
    (void)state;
    assert_true(may_call());
    (void)turn_switch(false, "payviox", "");
    shared.exchanging = true;
    let_a_second_pass();
    assert_true(may_call());
    let_pass(STALE_MS);
    assert_false(may_call());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CLEAN(opens_at_the_tenth),
        TEST_CLEAN(opens_at_half),
        TEST_CLEAN(two_processes_make_the_sum),
        TEST_CLEAN(the_window_slides),
        TEST_CLEAN(the_ring_comes_round),
        TEST_CLEAN(health_costs_nothing),
        TEST_CLEAN(counts_survive_a_database_that_is_away),
        TEST_CLEAN(what_was_not_called_does_not_count),
        TEST_CLEAN(one_of_twenty_tries),
        TEST_CLEAN(a_success_closes),
        TEST_CLEAN(a_failure_opens_again),
        TEST_CLEAN(a_dead_one_is_replaced),
        TEST_CLEAN(a_pass_given_back_is_there_for_the_next),
        TEST_CLEAN(stragglers_change_nothing),
        TEST_CLEAN(a_trip_opens_at_once),
        TEST_CLEAN(the_switch),
        TEST_CLEAN(enabling_closes),
        TEST_CLEAN(one_looks_for_all),
    };
    int exit_code;
    if (!database_is_named("breakers", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("breakers", tests, set_up, tear_down);
}
