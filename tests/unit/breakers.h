/* Two partners, played by a TLS server, and their breakers in a real database (see database.h), for
 * the tests of breakers. Another process is this one with nothing remembered. Includes
 * flow/breaker.c. */
#ifndef UNIT_BREAKERS_H
#define UNIT_BREAKERS_H

#include "partner.h" /* first: it includes code that knows no globals of tests */

#include "flow/breaker.c"

#include "database.h"

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

#define TEST_CLEAN(function) cmocka_unit_test_setup(function, clean)

#endif
