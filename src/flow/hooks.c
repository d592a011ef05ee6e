/* Asks without a connection; what was missed goes the way of every notice. */
#include "flow/hooks.h"

#include "base/clock.h"
#include "base/crash.h"
#include "flow/notice.h"
#include "store/providers.h"

#include <assert.h>
#include <string.h>

enum {
    FIRST_SWEEP_S = 3 * 86400, /* as long as Mangopay repeats a notice */
    OVERLAP_S = 300,           /* clocks differ, and an event may be listed late */
    PAGES_MAX = 100,           /* at once */
};

static enum err call(struct context *context, struct arena *arena,
                     const struct provider_driver *driver, struct httpc_request *request,
                     struct httpc_answer *ret_answer)
{
    provider_call(driver, context->settings, context->client, arena, request, ret_answer);
    return ret_answer->result == HTTPC_ANSWERED ? ERR_NONE : ERR_PROVIDER_UNAVAILABLE;
}

/* A page with its rows is large: each has the memory to itself. */
static enum err look(struct context *context, struct arena *arena,
                     const struct provider_driver *driver, struct provider_hook *ret_hooks)
{
    bool more = true;
    enum err err = ERR_NONE;
    for (int64_t i = 0; i < PAGES_MAX && more && !err; i++) {
        struct httpc_request request = {0};
        struct httpc_answer answer;
        arena_reset(arena);
        err = driver->hooks->list(context->settings, arena, i, &request);
        if (!err)
            err = call(context, arena, driver, &request, &answer);
        if (!err && driver->hooks->list_read(context->settings, arena, &answer, ret_hooks, &more))
            err = ERR_PROVIDER_UNAVAILABLE;
    }
    return err;
}

static enum err mend(struct context *context, struct arena *arena,
                     const struct provider_driver *driver, size_t index,
                     const struct provider_hook *hook)
{
    struct httpc_request request = {0};
    struct httpc_answer answer;
    arena_reset(arena);
    enum err err = driver->hooks->mend(context->settings, arena, index, hook, &request);
    if (!err)
        err = call(context, arena, driver, &request, &answer);
    if (!err && answer.status != 200)
        err = ERR_PROVIDER_UNAVAILABLE;
    return err;
}

/* All that can be mended is; the first failure is returned. */
static enum err mend_all(struct context *context, struct arena *arena,
                         const struct provider_driver *driver, const struct provider_hook *hooks,
                         struct hooks_found *found)
{
    enum err first = ERR_NONE;
    for (size_t i = 0; i < driver->hooks->kinds; i++) {
        if (hooks[i].state == PROVIDER_HOOK_FINE)
            continue;
        enum err err = mend(context, arena, driver, i, &hooks[i]);
        found->wrong++;
        found->mended += !err;
        first = first ? first : err;
    }
    return first;
}

/* Whoever mends at the same time, in another program, has made our calls fail. */
static bool are_fine_now(struct context *context, struct arena *arena,
                         const struct provider_driver *driver)
{
    struct provider_hook hooks[PROVIDER_HOOKS_MAX] = {{.id = ""}};
    bool fine = look(context, arena, driver, hooks) == ERR_NONE;
    for (size_t i = 0; i < driver->hooks->kinds && fine; i++)
        fine = hooks[i].state == PROVIDER_HOOK_FINE;
    return fine;
}

enum err hooks_check(struct context *context, struct arena *arena,
                     const struct provider_driver *driver, struct hooks_found *ret_found)
{
    struct provider_hook hooks[PROVIDER_HOOKS_MAX] = {{.id = ""}};
    *ret_found = (struct hooks_found){.kinds = driver->hooks->kinds};
    assert(ret_found->kinds <= PROVIDER_HOOKS_MAX);
    enum err err = look(context, arena, driver, hooks);
    if (!err)
        err = mend_all(context, arena, driver, hooks, ret_found);
    if (err && ret_found->wrong > 0 && are_fine_now(context, arena, driver)) {
        ret_found->mended = ret_found->wrong;
        err = ERR_NONE;
    }
    return err;
}

struct sweep_unit {
    const char *provider;
    int64_t swept_s;
};

static enum err get_unit(struct db *db, void *context)
{
    struct sweep_unit *unit = context;
    return sweeps_get(db, unit->provider, &unit->swept_s);
}

static enum err set_unit(struct db *db, void *context)
{
    const struct sweep_unit *unit = context;
    return sweeps_set(db, unit->provider, unit->swept_s);
}

enum err hooks_wanted(struct context *context, struct arena *arena,
                      const struct provider_driver *driver, bool *ret_wanted)
{
    const struct settings *settings = context->settings;
    struct sweep_unit unit = {.provider = driver->name};
    enum err err = ERR_NONE;
    *ret_wanted = false;
    if (driver->hooks == NULL || !driver->configured(settings))
        return ERR_NONE;
    if (!driver->terms(settings)->enabled)
        err = db_query(context->pool, arena, get_unit, &unit);
    *ret_wanted = !err && (driver->terms(settings)->enabled || unit.swept_s > 0);
    return err;
}

static enum err take(struct context *context, struct arena *arena,
                     const struct provider_driver *driver, const char *text,
                     struct hooks_found *found)
{
    struct settled_notice notice, followed;
    enum err err = notice_settle(context, arena, driver, text, strlen(text), true, &notice);
    if (err || notice.repeated)
        return err;
    found->missed++;
    return notice.follow_id == 0 ? ERR_NONE
                                 : notice_follow(context, arena, notice.follow_id, &followed);
}

/* A page with its rows is large: it has memory of its own. */
static enum err sweep_page(struct context *context, struct arena *arena, struct arena *page,
                           const struct provider_driver *driver, int64_t after_s, int64_t number,
                           int64_t *ret_last_s, struct hooks_found *found)
{
    struct httpc_request request = {0};
    struct httpc_answer answer;
    const char *notices[PROVIDER_EVENTS_MAX];
    size_t count = 0;
    arena_reset(page);
    enum err err = driver->hooks->events(context->settings, page, after_s, number, &request);
    if (!err)
        err = call(context, page, driver, &request, &answer);
    if (!err && driver->hooks->events_read(page, &answer, notices, &count, ret_last_s) != ERR_NONE)
        err = ERR_PROVIDER_UNAVAILABLE;
    for (size_t i = 0; i < count && !err; i++) {
        err = take(context, arena, driver, notices[i], found);
        arena_reset(arena);
    }
    return err;
}

/* What the next sweep begins before, by the overlap: after a list that was too long, it goes on
 * with the last second that was read. */
static int64_t swept_until_s(int64_t now_s, int64_t last_s)
{
    if (last_s == 0)
        return now_s;
    return (last_s < now_s ? last_s : now_s) + OVERLAP_S - 1;
}

enum err hooks_sweep(struct context *context, struct arena *arena,
                     const struct provider_driver *driver, struct hooks_found *ret_found)
{
    struct sweep_unit unit = {.provider = driver->name};
    int64_t now_s = clock_wall_ms() / 1000, pages = 0, last_s = 0;
    *ret_found = (struct hooks_found){.kinds = driver->hooks->kinds};
    enum err err = db_query(context->pool, arena, get_unit, &unit);
    struct arena *page = err ? NULL : arena_new(ARENA_BYTES);
    if (page == NULL)
        return err ? err : ERR_OVERLOAD;
    int64_t after_s = unit.swept_s == 0 ? now_s - FIRST_SWEEP_S : unit.swept_s - OVERLAP_S;
    do
        err = sweep_page(context, arena, page, driver, after_s, pages++, &last_s, ret_found);
    while (!err && last_s != 0 && pages < PAGES_MAX);
    arena_free(page);
    CRASH_POINT("hooks_swept");
    unit.swept_s = swept_until_s(now_s, last_s);
    return err ? err : db_transact(context->pool, arena, set_unit, &unit);
}
