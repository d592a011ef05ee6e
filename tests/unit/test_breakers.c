/* Breakers and switches as processes share them: what opens and closes one, that one call tries,
 * what a dead or late one leaves, and how checkout goes by them. Two partners, played by a TLS
 * server; a real database, see database.h. Another process is this one with nothing remembered. */
#include "partner.h" /* first: it includes code that knows no globals of tests */

#include "flow/breaker.c"

#include "database.h"

#include "flow/checkout.h"
#include "flow/replay.h"
#include "tls_server.h"

static struct context *context;

static enum err clean_unit(struct db *db, void *unit)
{
    (void)unit;
    enum err err = raw(db, "DELETE FROM provider_health");
    return err ? err : raw(db, "DELETE FROM provider_calls");
}

static void be_another_process(void)
{
    shared.known = shared.exchanging = false;
    shared.seen_ms = 0;
    memset(shared.views, 0, sizeof shared.views);
}

/* As if the last look were so long ago. */
static void let_pass(int64_t ms)
{
    shared.seen_ms = clock_mono_ms() - ms;
}

static void let_a_second_pass(void)
{
    let_pass(FRESH_MS);
}

static int set_up(void **state)
{
    if (server_start(state) != 0 || database_open(state) != 0)
        return 1;
    (void)text_copy(settings.provider.ca_file, CONF_TEXT_MAX, server.ca_file);
    (void)snprintf(settings.payviox.api_url, CONF_TEXT_MAX, "https://localhost:%d/first",
                   server.port);
    (void)snprintf(second_url, sizeof second_url, "https://localhost:%d/second", server.port);
    second_set_up();
    context = context_new(&settings, pool);
    return context == NULL;
}

static int clean(void **state)
{
    (void)state;
    arena_reset(arena);
    be_another_process();
    settings.breaker = (struct settings_breaker){
        .failures_percent = 50, .minimum = 10, .window_s = 60, .cool_down_s = 120};
    return db_query(admin_pool, arena, clean_unit, NULL) != ERR_NONE;
}

static int tear_down(void **state)
{
    int failed = clean(state);
    context_free(context);
    return failed + database_close(state) + server_stop(state);
}

/* --- what a test says and sees --- */

struct statement_unit {
    const char *text;
    int64_t number;
};

static enum err statement_unit(struct db *db, void *unit)
{
    return raw(db, "%s", ((struct statement_unit *)unit)->text);
}

static enum err number_unit(struct db *db, void *unit)
{
    struct statement_unit *statement = unit;
    statement->number = raw_number(db, "%s", statement->text);
    return ERR_NONE;
}

static void change(const char *text)
{
    struct statement_unit unit = {.text = text};
    assert_int_equal(db_query(admin_pool, arena, statement_unit, &unit), ERR_NONE);
}

static int64_t number(const char *text)
{
    struct statement_unit unit = {.text = text};
    assert_int_equal(db_query(admin_pool, arena, number_unit, &unit), ERR_NONE);
    return unit.number;
}

static const struct provider_result fine = {
    .called = true, .outcome = OUTCOME_PENDING, .http_status = 201};
static const struct provider_result broken = {
    .called = true, .outcome = OUTCOME_UNKNOWN, .http_status = 500, .reason = "it answered 500"};
static const struct provider_result never_called = {.outcome = OUTCOME_NOT_SENT};

/* "" when it may be called, else why not: "wait 60", or whole minutes if it is longer, for the test
 * may be slow. */
static const char *ask(struct breaker_pass *ret_pass)
{
    static char text[40];
    int64_t wait_s = -1;
    enum err err = breaker_ask(context, arena, &payviox_driver, ret_pass, &wait_s);
    if (err == ERR_NONE)
        return "";
    assert_int_equal(err, ERR_PROVIDER_UNAVAILABLE);
    if (wait_s > 60)
        wait_s = (wait_s + 59) / 60 * 60;
    (void)snprintf(text, sizeof text, "wait %lld", (long long)wait_s);
    return text;
}

static bool may_call(void)
{
    struct breaker_pass pass;
    bool may = ask(&pass)[0] == '\0';
    if (may)
        breaker_tell(context, arena, &pass, NULL);
    return may;
}

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

/* --- tests --- */

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
        (void)snprintf(text, sizeof text,
                       "UPDATE provider_calls SET second_of = second_of - %lld, place = (place +"
                       " 300 - %lld) MOD 300",
                       (long long)rows[i].age_s, (long long)rows[i].age_s);
        change(text);
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
    let_a_second_pass();
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

/* --- checkout --- */

#define HEAD(status)  "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n"
#define TEXT(literal) literal, sizeof(literal) - 1
#define SESSION       "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"
#define FIRST         "POST /first/session\n"
#define SECOND        "POST /second/session\n"

static const struct script made = {
    ACT_ANSWER,
    TEXT(HEAD("201 Created") "Content-Length: 49\r\n\r\n{\"session_id\":\"" SESSION "\"}")};
static const struct script declined = {
    ACT_ANSWER, TEXT(HEAD("400 No") "Content-Length: 23\r\n\r\n{\"error\":\"Not for you\"}")};
static const struct script too_many = {
    ACT_ANSWER, TEXT(HEAD("429 Slow") "Retry-After: 17\r\nContent-Length: 2\r\n\r\n{}")};
static const struct script oops = {ACT_ANSWER,
                                   TEXT(HEAD("500 Oops") "Content-Length: 2\r\n\r\n{}")};
static const struct script no_handshake = {ACT_CLOSE, TEXT("")};

/* A deposit through the house brand; by_name: of the first partner alone. Gives its answer, with
 * whom it asked. */
static struct answer deposit(bool by_name, char ret_asked[512])
{
    static struct checkout checkout;
    struct answer answer;
    checkout = (struct checkout){.drivers = {&payviox_driver, &second_driver},
                                 .driver_count = by_name ? 1 : 2,
                                 .deadline_ms = clock_mono_ms() + 20000,
                                 .key = {.user_id = user_id, .path = "/paiement/mannco"}};
    struct payment *payment = &checkout.intent.payment;
    make_intent(&checkout.intent);
    payment->surface = SURFACE_PAIEMENT;
    (void)text_copy(payment->provider, PROVIDER_NAME_MAX, by_name ? "payviox" : "mannco");
    (void)snprintf(checkout.key.text, IDEMPOTENCY_KEY_MAX, "key of %s", payment->id);
    arena_reset(arena);
    checkout_run(context, arena, &checkout, &answer);
    server_copy_lines(ret_asked, 512);
    if (answer.status == 503) { /* whatever else: it may be sent again */
        struct answer again;
        assert_string_equal(err_message(answer.err), "Provider unavailable");
        assert_false(replay_find(context, arena, &checkout.key, &again));
    }
    return answer;
}

static int64_t payments_stored(void)
{
    char text[100];
    (void)snprintf(text, sizeof text, "SELECT COUNT(*) FROM payments WHERE user_id = %s", owner);
    return number(text);
}

static void put_first(const char *columns)
{
    char text[300];
    (void)snprintf(text, sizeof text, "REPLACE INTO provider_health SET provider = 'payviox', %s",
                   columns);
    change(text);
    be_another_process();
}

#define OPEN_FOR(provider, seconds)                                                                \
    "REPLACE INTO provider_health SET provider = '" provider "', opened_at = NOW(3),"              \
    " open_until = NOW(3) + INTERVAL " seconds " SECOND"

static void the_house_brand_passes_over(void **state)
{
    static const struct {
        const char *what, *first, *second, *house; /* statements; NULL: none */
        const struct script *script;
        const char *asked;
        int status;
        int64_t retry_after_s, stored;
    } rows[] = {
        {"both closed", NULL, NULL, NULL, &made, FIRST, 200, 0, 1},
        {"the first open", OPEN_FOR("payviox", "100"), NULL, NULL, &made, SECOND, 200, 0, 1},
        {"the second open", NULL, OPEN_FOR("second", "100"), NULL, &made, FIRST, 200, 0, 1},
        {"both open", OPEN_FOR("payviox", "100"), OPEN_FOR("second", "50"), NULL, &made, "", 503,
         50, 0},
        {"both open, the other way round", OPEN_FOR("payviox", "50"), OPEN_FOR("second", "100"),
         NULL, &made, "", 503, 50, 0},
        {"the first refuses, the second open", NULL, OPEN_FOR("second", "100"), NULL, &declined,
         FIRST, 502, 0, 1},
        {"the first takes no more, the second open", NULL, OPEN_FOR("second", "100"), NULL,
         &too_many, FIRST, 503, 17, 1},
        {"the first switched off",
         "REPLACE INTO provider_health SET provider = 'payviox', disabled = 1", NULL, NULL, &made,
         SECOND, 200, 0, 1},
        {"the house brand switched off", NULL, NULL,
         "REPLACE INTO provider_health SET provider = 'mannco', disabled = 1", &made, "", 503, 60,
         0},
        {"the first half open", OPEN_FOR("payviox", "-1"), NULL, NULL, &made, FIRST, 200, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *const statements[] = {rows[i].first, rows[i].second, rows[i].house};
        char asked[512];
        assert_int_equal(clean(state), 0);
        for (size_t k = 0; k < COUNT(statements); k++)
            if (statements[k] != NULL)
                change(statements[k]);
        int64_t before = payments_stored();
        server_scripts(rows[i].script, rows[i].script);
        const struct answer answer = deposit(false, asked);
        ROW(strcmp(asked, rows[i].asked) == 0, "%s: asked %s", rows[i].what, asked);
        ROW(answer.status == rows[i].status, "%s: %d", rows[i].what, answer.status);
        ROW(answer.retry_after_s <= rows[i].retry_after_s &&
                answer.retry_after_s >=
                    rows[i].retry_after_s - (rows[i].retry_after_s == 50 ? 20 : 0),
            "%s: Retry-After %lld", rows[i].what, (long long)answer.retry_after_s);
        ROW(payments_stored() - before == rows[i].stored, "%s: stored", rows[i].what);
        ROW((answer.payment_id[0] != '\0') == (rows[i].stored == 1), "%s: %s", rows[i].what,
            answer.payment_id);
    }
    ROWS_END();
}

/* F53: A is down. Its own callers are told at once, and through the house brand B takes all. */
static void f53_a_is_down_and_b_is_not(void **state)
{
    char asked[512];
    (void)state;
    for (int i = 0; i < 10; i++) {
        server_scripts(&oops, &oops);
        assert_int_equal(deposit(true, asked).status, 502);
        assert_string_equal(asked, FIRST);
    }
    server_scripts(&made, &made);
    int64_t before = payments_stored();
    for (int i = 0; i < 5; i++) {
        int64_t started_ms = clock_mono_ms();
        const struct answer answer = deposit(true, asked);
        assert_int_equal(answer.status, 503);
        assert_in_range(answer.retry_after_s, 60, 120);
        assert_true(clock_mono_ms() - started_ms < 1000);
    }
    assert_int_equal(server_requests(), 0);
    assert_int_equal(payments_stored(), before);
    assert_int_equal(deposit(false, asked).status, 200);
    assert_string_equal(asked, SECOND);
    assert_int_equal(number("SELECT SUM(failures) FROM provider_calls WHERE provider = 'second'"),
                     -1);
}

/* Who is not reached counts against him alone; the one who took over is healthy. */
static void falling_over_counts(void **state)
{
    char asked[512];
    (void)state;
    for (int i = 0; i < 10; i++) {
        server_scripts(&no_handshake, &made);
        assert_int_equal(deposit(false, asked).status, 200);
        assert_string_equal(asked, SECOND);
    }
    assert_false(may_call());
    assert_true(breaker_is_closed(context, arena, &second_driver));
    let_a_second_pass();
    assert_true(breaker_is_closed(context, arena, &second_driver));
    assert_int_equal(number("SELECT SUM(calls) * 100 + SUM(failures) FROM provider_calls"
                            " WHERE provider = 'payviox'"),
                     1010);
    assert_int_equal(number("SELECT SUM(calls) * 100 + SUM(failures) FROM provider_calls"
                            " WHERE provider = 'second'"),
                     1000);
}

/* The call that tries is a payment as any other, and closes for all. */
static void a_payment_tries(void **state)
{
    static const char half_open[] = "opened_at = NOW(3), open_until = NOW(3) - INTERVAL 1 SECOND";
    char asked[512];
    (void)state;
    put_first(half_open);
    server_scripts(&oops, &oops);
    assert_int_equal(deposit(true, asked).status, 502);
    assert_int_equal(deposit(true, asked).status, 503);
    put_first(half_open);
    server_scripts(&made, &made);
    assert_int_equal(deposit(true, asked).status, 200);
    assert_int_equal(deposit(true, asked).status, 200);
    assert_int_equal(number("SELECT COUNT(*) FROM provider_health WHERE open_until IS NOT NULL"),
                     0);
}

/* A payment that is refused before the call does not keep the others from trying. */
static void a_payment_that_is_not_made_gives_its_pass_back(void **state)
{
    struct checkout checkout = {.drivers = {&payviox_driver},
                                .driver_count = 1,
                                .deadline_ms = clock_mono_ms() + 20000,
                                .wish = {.asset_ids = {1}, .count = 1}};
    struct answer answer;
    (void)state;
    put_first("opened_at = NOW(3), open_until = NOW(3) - INTERVAL 1 SECOND");
    make_intent(&checkout.intent);
    checkout.intent.payment.type = PAYMENT_ITEMS;
    checkout_run(context, arena, &checkout, &answer);
    assert_string_equal(err_message(answer.err), "No items found");
    assert_int_equal(number("SELECT COUNT(*) FROM provider_health WHERE probe_id IS NULL"), 1);
    assert_true(may_call());
}

#define TEST_CLEAN(function) cmocka_unit_test_setup(function, clean)

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
        TEST_CLEAN(the_house_brand_passes_over),
        TEST_CLEAN(f53_a_is_down_and_b_is_not),
        TEST_CLEAN(falling_over_counts),
        TEST_CLEAN(a_payment_tries),
        TEST_CLEAN(a_payment_that_is_not_made_gives_its_pass_back),
    };
    int exit_code;
    if (!database_is_named("breakers", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("breakers", tests, set_up, tear_down);
}
