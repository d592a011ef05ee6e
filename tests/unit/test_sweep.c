/* The sweep through a provider's events: what it reads, and where the next one goes on. */
#include "flow/hooks.c" /* first: it knows no globals of tests */

#include "database.h"

#include "tls_server.h"

static struct context *context;
static char url[64];

static const struct script empty = {ACT_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
                                    sizeof "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]" - 1};

/* A list of events, one second apart from the asked one on, as long as the test says. */
static int64_t pages_there, pages_asked, asked_after_s;

static enum err ask_events(const struct settings *s, struct arena *to, int64_t after_s,
                           int64_t page, struct httpc_request *ret_request)
{
    (void)s;
    (void)to;
    assert_int_equal(page, pages_asked++);
    asked_after_s = after_s;
    *ret_request = (struct httpc_request){.method = "GET", .url = url};
    return ERR_NONE;
}

static enum err read_nothing(struct arena *from, const struct httpc_answer *answer,
                             const char *ret_notices[PROVIDER_EVENTS_MAX], size_t *ret_count,
                             int64_t *ret_last_s)
{
    (void)from;
    (void)answer;
    (void)ret_notices;
    *ret_count = 0;
    *ret_last_s = pages_asked < pages_there ? asked_after_s + pages_asked : 0;
    return ERR_NONE;
}

static const struct provider_hooks hooks = {.events = ask_events, .events_read = read_nothing};
static const struct provider_driver driver = {.name = "sweep test", .hooks = &hooks};

static void sweep(int64_t pages)
{
    struct hooks_found found;
    pages_there = pages;
    pages_asked = 0;
    assert_int_equal(hooks_sweep(context, arena, &driver, &found), ERR_NONE);
}

static enum err forget_unit(struct db *db, void *unit)
{
    (void)unit;
    return raw(db, "DELETE FROM provider_silences WHERE provider = '%s'", driver.name);
}

static enum err swept_unit(struct db *db, void *swept_s)
{
    return sweeps_set(db, driver.name, *(int64_t *)swept_s);
}

static int set_up(void **state)
{
    if (server_start(state) != 0 || database_open(state) != 0)
        return 1;
    (void)text_copy(settings.provider.ca_file, CONF_TEXT_MAX, server.ca_file);
    (void)snprintf(url, sizeof url, "https://localhost:%d/", server.port);
    server_scripts(&empty, &empty);
    context = context_new(&settings, pool);
    return context == NULL;
}

static int tear_down(void **state)
{
    int failed = db_query(admin_pool, arena, forget_unit, NULL) != ERR_NONE;
    context_free(context);
    return failed + database_close(state) + server_stop(state);
}

static void a_list_that_ends_is_read_to_its_end(void **state)
{
    int64_t now_s = clock_wall_ms() / 1000;
    (void)state;
    sweep(3);
    assert_int_equal(pages_asked, 3);
    sweep(1);
    assert_in_range(asked_after_s, now_s - OVERLAP_S, now_s - OVERLAP_S + 60);
}

/* The next one asks from the last second that was read: nothing is passed over. */
static void a_list_without_end_is_gone_on_with(void **state)
{
    int64_t long_ago_s = clock_wall_ms() / 1000 - 86400;
    (void)state;
    assert_int_equal(db_query(admin_pool, arena, forget_unit, NULL), ERR_NONE);
    assert_int_equal(db_transact(pool, arena, swept_unit, &long_ago_s), ERR_NONE);
    sweep(PAGES_MAX + 1);
    assert_int_equal(pages_asked, PAGES_MAX);
    int64_t read_s = asked_after_s + PAGES_MAX;
    sweep(1);
    assert_int_equal(asked_after_s, read_s - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_that_ends_is_read_to_its_end),
        cmocka_unit_test(a_list_without_end_is_gone_on_with),
    };
    int exit_code;
    if (!database_is_named("sweep", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("sweep", tests, set_up, tear_down);
}
