/* The list of events is read to its end, however long it is and however many looks that takes.
 * Needs a database: see database.h. */
#include "database.h"

#include "flow/hooks.h"
#include "provider/mangopay.h"

#include "tls_server.h"

enum { EVENTS = 250, EVERY_S = 600 }; /* one on each page: more than one look takes */

static struct context *context;
static int64_t first_s, asked_after_s, asked_page;
static bool seen[EVENTS];

static enum err ask_events(const struct settings *given, struct arena *page, int64_t after_s,
                           int64_t number, struct httpc_request *ret_request)
{
    static char url[64];
    (void)given;
    (void)page;
    asked_after_s = after_s;
    asked_page = number;
    (void)snprintf(url, sizeof url, "https://localhost:%d/events", server.port);
    ret_request->method = "GET";
    ret_request->url = url;
    return ERR_NONE;
}

static enum err read_events(struct arena *page, const struct httpc_answer *answer,
                            const char *ret_notices[PROVIDER_EVENTS_MAX], size_t *ret_count,
                            int64_t *ret_last_s, bool *ret_more)
{
    int64_t index = 0;
    (void)page;
    (void)answer;
    (void)ret_notices;
    while (index < EVENTS && first_s + index * EVERY_S <= asked_after_s)
        index++;
    index += asked_page;
    *ret_count = 0; /* whose notices they are is not asked here */
    *ret_more = index + 1 < EVENTS;
    if (index < EVENTS) {
        seen[index] = true;
        *ret_last_s = first_s + index * EVERY_S;
    }
    return ERR_NONE;
}

static enum err forget_unit(struct db *db, void *unit)
{
    (void)unit;
    return raw(db, "DELETE FROM provider_silences WHERE provider = 'listed'");
}

static int set_up(void **state)
{
    if (server_start(state) != 0 || database_open(state) != 0)
        return 1;
    (void)text_copy(settings.provider.ca_file, CONF_TEXT_MAX, server.ca_file);
    context = context_new(&settings, pool);
    return context == NULL;
}

static int tear_down(void **state)
{
    enum err err = db_query(admin_pool, arena, forget_unit, NULL);
    context_free(context);
    return (err != ERR_NONE) + database_close(state) + server_stop(state);
}

static void a_long_list_is_read_to_its_end(void **state)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    const struct provider_hooks hooks = {.events = ask_events, .events_read = read_events};
    const struct provider_driver driver = {.name = "listed", .hooks = &hooks};
    struct hooks_found found;
    (void)state;
    first_s = clock_wall_ms() / 1000 - 2 * 86400;
    server_script(ACT_ANSWER, answer, sizeof answer - 1);
    for (int look = 0; look < 4; look++) {
        arena_reset(arena);
        assert_int_equal(hooks_sweep(context, arena, &driver, &found), ERR_NONE);
    }
    for (int i = 0; i < EVENTS; i++)
        ROW(seen[i], "event %d was never read", i);
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(a_long_list_is_read_to_its_end)};
    int exit_code = 1;
    if (!database_is_named("test_hooks", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("hooks", tests, set_up, tear_down);
}
