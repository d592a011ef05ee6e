/* The sweep through a provider's list of events: none is passed over, however many there are since
 * the last time. And the mending of its hooks, beside somebody else who does the same. Provider and
 * database are played here, around flow/hooks.c. */
#include "check.h"

#define provider_call played_call
#define db_query      played_query
#define db_transact   played_query
#define notice_settle played_settle
#define sweeps_get    played_get
#define sweeps_set    played_set
#include "flow/hooks.c"

#include <stdlib.h>

enum { EVENTS = 25000 /* the last of them now */, KINDS = 10 };

static struct {
    int64_t first_s, swept_s, per_s;
    int64_t from; /* the first event of the page that is asked for */
    bool told[EVENTS];
    bool registered[KINDS], mends_nothing;
    size_t mending; /* the kind that is asked for */
    size_t others;  /* kinds that somebody else registers just before we do */
} world;

enum err played_query(struct db_pool *pool, struct arena *arena,
                      enum err (*unit)(struct db *db, void *context), void *context)
{
    (void)pool;
    (void)arena;
    return unit(NULL, context);
}

enum err played_get(struct db *db, const char *provider, int64_t *ret_swept_s)
{
    (void)db;
    (void)provider;
    *ret_swept_s = world.swept_s;
    return ERR_NONE;
}

enum err played_set(struct db *db, const char *provider, int64_t swept_s)
{
    (void)db;
    (void)provider;
    world.swept_s = swept_s > world.swept_s ? swept_s : world.swept_s;
    return ERR_NONE;
}

void played_call(const struct provider_driver *driver, const struct settings *settings,
                 struct httpc *client, struct arena *arena, struct httpc_request *request,
                 struct httpc_answer *ret_answer)
{
    (void)driver;
    (void)settings;
    (void)client;
    (void)arena;
    (void)request;
    *ret_answer = (struct httpc_answer){.result = HTTPC_ANSWERED, .status = 200};
    if (world.mending == KINDS) /* a list */
        return;
    bool *registered = &world.registered[world.mending];
    if (world.mends_nothing || *registered || world.mending < world.others)
        ret_answer->status = 400;
    *registered = !world.mends_nothing;
    world.mending = KINDS;
}

enum err played_settle(struct context *context, struct arena *arena,
                       const struct provider_driver *driver, const char *body, size_t len,
                       bool can_follow, struct settled_notice *ret_notice)
{
    bool *told = &world.told[atoi(body)];
    (void)context;
    (void)arena;
    (void)driver;
    (void)len;
    (void)can_follow;
    *ret_notice = (struct settled_notice){.repeated = *told};
    *told = true;
    return ERR_NONE;
}

static enum err events(const struct settings *settings, struct arena *arena, int64_t after_s,
                       int64_t page, struct httpc_request *ret_request)
{
    (void)settings;
    (void)arena;
    (void)ret_request;
    int64_t after = (after_s - world.first_s + 1) * world.per_s;
    world.from = (after > 0 ? after : 0) + page * PROVIDER_EVENTS_MAX;
    return ERR_NONE;
}

static enum err events_read(struct arena *arena, const struct httpc_answer *answer,
                            const char *ret_notices[PROVIDER_EVENTS_MAX], size_t *ret_count,
                            int64_t *ret_last_s)
{
    int64_t i = world.from, end = i + PROVIDER_EVENTS_MAX;
    char text[24];
    (void)answer;
    *ret_count = 0;
    for (; i < end && i < EVENTS; i++) {
        (void)snprintf(text, sizeof text, "%lld", (long long)i);
        ret_notices[(*ret_count)++] = arena_strndup(arena, text, strlen(text));
    }
    *ret_last_s = i == end ? world.first_s + (i - 1) / world.per_s : 0;
    return ERR_NONE;
}

static enum err list(const struct settings *settings, struct arena *arena, int64_t page,
                     struct httpc_request *ret_request)
{
    (void)settings;
    (void)arena;
    (void)page;
    (void)ret_request;
    return ERR_NONE;
}

static enum err list_read(const struct settings *settings, struct arena *arena,
                          const struct httpc_answer *answer, struct provider_hook *ret_hooks,
                          bool *ret_more)
{
    (void)settings;
    (void)arena;
    (void)answer;
    for (size_t i = 0; i < KINDS; i++)
        if (world.registered[i])
            ret_hooks[i].state = PROVIDER_HOOK_FINE;
    *ret_more = false;
    return ERR_NONE;
}

static enum err mend_one(const struct settings *settings, struct arena *arena, size_t index,
                         const struct provider_hook *hook, struct httpc_request *ret_request)
{
    (void)settings;
    (void)arena;
    (void)hook;
    (void)ret_request;
    world.mending = index;
    return ERR_NONE;
}

static void who_mends_at_the_same_time_does_no_harm(void **state)
{
    static const struct provider_hooks hooks = {
        .kinds = KINDS, .list = list, .list_read = list_read, .mend = mend_one};
    static const struct provider_driver driver = {.name = "played", .hooks = &hooks};
    static const struct {
        size_t others;
        bool mends_nothing;
        enum err err;
        size_t mended;
    } rows[] = {{0, false, ERR_NONE, KINDS},
                {3, false, ERR_NONE, KINDS},
                {KINDS, false, ERR_NONE, KINDS},
                {0, true, ERR_PROVIDER_UNAVAILABLE, 0}};
    struct context context = {.pool = NULL};
    struct hooks_found found;
    for (size_t i = 0; i < COUNT(rows); i++) {
        memset(&world, 0, sizeof world);
        world.mending = KINDS;
        world.others = rows[i].others;
        world.mends_nothing = rows[i].mends_nothing;
        enum err err = hooks_check(&context, *state, &driver, &found);
        ROW(err == rows[i].err && found.wrong == KINDS && found.mended == rows[i].mended,
            "%zu others: %s, %zu wrong, %zu mended", rows[i].others, err_message(err), found.wrong,
            found.mended);
    }
    ROWS_END();
}

/* Four sweeps are enough for all of them, at so many a second. */
static void sweep_all(struct arena *arena, int64_t per_s)
{
    static const struct provider_hooks hooks = {.events = events, .events_read = events_read};
    static const struct provider_driver driver = {.name = "played", .hooks = &hooks};
    struct context context = {.pool = NULL};
    struct hooks_found found;
    int64_t missed = 0;
    memset(&world, 0, sizeof world);
    world.mending = KINDS;
    world.per_s = per_s;
    world.first_s = clock_wall_ms() / 1000 - (EVENTS - 1) / per_s;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(hooks_sweep(&context, arena, &driver, &found), ERR_NONE);
        missed += found.missed;
    }
    assert_int_equal(missed, EVENTS);
    assert_true(world.swept_s >= world.first_s + (EVENTS - 1) / per_s);
}

static void no_event_is_passed_over(void **state)
{
    sweep_all(*state, 1);
}

/* More than one sweep reads, within the time that each reads again. */
static void a_flood_is_got_through(void **state)
{
    sweep_all(*state, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST_ARENA(no_event_is_passed_over),
                                       TEST_ARENA(a_flood_is_got_through),
                                       TEST_ARENA(who_mends_at_the_same_time_does_no_harm)};
    return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
