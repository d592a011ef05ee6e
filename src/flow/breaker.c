/* One view of all breakers per process, a second old at most, and what has not been told yet. The
 * database decides: this file only asks it, tells it, and remembers. */
#include "flow/breaker.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/log.h"
#include "store/providers.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum {
    FRESH_MS = 1000, /* a view this old is looked at again, by one thread */
    STALE_MS = 2000, /* and this old by everybody */
    TRUST_MS = 5000, /* and this old it is worth nothing, even if the database is too busy */
};

/* What this process knows of a provider. Moments are of its own monotonic clock. */
struct view {
    bool disabled, open;
    int64_t open_until_ms, probe_until_ms;
    struct breaker_counts untold;
};

static struct {
    pthread_mutex_t mutex;
    bool known, exchanging;
    int64_t seen_ms;
    struct view views[PROVIDERS_MAX]; /* in the order of the drivers */
} shared = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void lock(void)
{
    (void)pthread_mutex_lock(&shared.mutex);
}

static void unlock(void)
{
    (void)pthread_mutex_unlock(&shared.mutex);
}

static size_t index_of(const struct provider_driver *driver)
{
    size_t i = 0;
    while (provider_at(i) != driver)
        i++;
    return i;
}

/* --- telling the database what was counted, and looking at what all processes know --- */

struct exchange {
    const struct settings_breaker *rules;
    struct breaker_counts told[PROVIDERS_MAX];
    struct breaker_counts opened[PROVIDERS_MAX]; /* out: the window that opened it; else no calls */
    struct provider_record records[PROVIDERS_MAX];
    size_t count;
};

static void describe_window(const struct settings_breaker *rules,
                            const struct breaker_counts *window, char ret_text[REASON_MAX])
{
    (void)snprintf(ret_text, REASON_MAX, "%lld of %lld calls failed within %lld s",
                   (long long)window->failures, (long long)window->calls,
                   (long long)rules->window_s);
}

/* Failures are counted and judged under the lock of the breaker, so that of several processes one
 * sees the sum. */
static enum err tell_counts(struct db *db, struct exchange *exchange, size_t index)
{
    const char *name = provider_at(index)->name;
    const struct breaker_counts *told = &exchange->told[index];
    struct breaker breaker = {.open = true};
    struct breaker_counts window;
    char reason[REASON_MAX];
    enum err err = told->failures > 0 ? providers_lock(db, name, &breaker) : ERR_NONE;
    if (!err)
        err = calls_add(db, name, told);
    if (err || breaker.open)
        return err;
    err = calls_window(db, name, exchange->rules, &window);
    if (err || !breaker_must_open(exchange->rules, &window))
        return err;
    exchange->opened[index] = window;
    describe_window(exchange->rules, &window, reason);
    return providers_open(db, name, exchange->rules->cool_down_s, reason);
}

static enum err exchange_unit(struct db *db, void *context)
{
    struct exchange *exchange = context;
    enum err err = ERR_NONE;
    memset(exchange->opened, 0, sizeof exchange->opened);
    for (size_t i = 0; provider_at(i) != NULL && !err; i++)
        if (exchange->told[i].calls > 0)
            err = tell_counts(db, exchange, i);
    return err ? err : providers_list(db, PROVIDERS_MAX, exchange->records, &exchange->count);
}

/* True: there is something to tell. */
static bool take_untold(struct exchange *exchange)
{
    bool any = false;
    lock();
    for (size_t i = 0; i < PROVIDERS_MAX; i++) {
        exchange->told[i] = shared.views[i].untold;
        shared.views[i].untold = (struct breaker_counts){0};
        any = any || exchange->told[i].calls > 0;
    }
    unlock();
    return any;
}

/* Under the lock, as the next. */
static void give_untold_back(const struct exchange *exchange)
{
    for (size_t i = 0; i < PROVIDERS_MAX; i++) {
        shared.views[i].untold.calls += exchange->told[i].calls;
        shared.views[i].untold.failures += exchange->told[i].failures;
    }
}

static const struct breaker *find_record(const struct exchange *exchange, const char *name)
{
    static const struct breaker none = {.disabled = false};
    for (size_t i = 0; i < exchange->count; i++)
        if (strcmp(exchange->records[i].provider, name) == 0)
            return &exchange->records[i].breaker;
    return &none;
}

static void remember(const struct exchange *exchange, int64_t asked_ms)
{
    int64_t now_ms = clock_mono_ms();
    if (shared.known && asked_ms < shared.seen_ms) /* overtaken by a newer look */
        return;
    for (size_t i = 0; provider_at(i) != NULL; i++) {
        const struct breaker *breaker = find_record(exchange, provider_at(i)->name);
        struct view *view = &shared.views[i];
        view->disabled = breaker->disabled;
        view->open = breaker->open;
        view->open_until_ms = now_ms + breaker->open_left_ms;
        view->probe_until_ms = now_ms + breaker->probe_left_ms;
    }
    shared.seen_ms = asked_ms;
    shared.known = true;
}

/* The process that opened it says so, once for all. */
static void log_opened(const struct exchange *exchange)
{
    char note[REASON_MAX];
    for (size_t i = 0; provider_at(i) != NULL; i++) {
        const struct breaker_counts *window = &exchange->opened[i];
        if (window->calls == 0)
            continue;
        describe_window(exchange->rules, window, note);
        LOG(LOG_WARN, "breaker", LOG_TEXT("provider", provider_at(i)->name),
            LOG_TEXT("state", "open"), LOG_NUMBER("seconds", exchange->rules->cool_down_s),
            LOG_NUMBER("calls", window->calls), LOG_NUMBER("failures", window->failures),
            LOG_TEXT("note", note));
    }
}

static enum err exchange_now(struct context *context, struct arena *arena)
{
    struct exchange exchange = {.rules = &context->settings->breaker};
    int64_t asked_ms = clock_mono_ms();
    enum err err = take_untold(&exchange)
                       ? db_transact(context->pool, arena, exchange_unit, &exchange)
                       : db_query(context->pool, arena, exchange_unit, &exchange);
    lock();
    shared.exchanging = false;
    if (err)
        give_untold_back(&exchange);
    else
        remember(&exchange, asked_ms);
    unlock();
    if (!err)
        log_opened(&exchange);
    return err;
}

/* One thread looks; the others go by what they know, but not for ever. */
static enum err look(struct context *context, struct arena *arena)
{
    lock();
    int64_t age_ms = clock_mono_ms() - shared.seen_ms;
    bool due = !shared.known || age_ms >= (shared.exchanging ? STALE_MS : FRESH_MS);
    shared.exchanging = shared.exchanging || due;
    bool trusted = shared.known && age_ms < TRUST_MS;
    unlock();
    enum err err = due ? exchange_now(context, arena) : ERR_NONE;
    return trusted ? ERR_NONE : err;
}

/* --- the probe --- */

struct probe {
    const char *provider;
    int64_t id, lease_ms;
    bool taken;
};

static enum err probe_unit(struct db *db, void *context)
{
    struct probe *probe = context;
    return providers_probe(db, probe->provider, probe->id, probe->lease_ms, &probe->taken);
}

static enum err unprobe_unit(struct db *db, void *context)
{
    const struct probe *probe = context;
    return providers_unprobe(db, probe->provider, probe->id);
}

static struct probe make_probe(const struct context *context, const struct breaker_pass *pass)
{
    return (struct probe){.provider = pass->driver->name,
                          .id = pass->probe_id,
                          .lease_ms = context->settings->http.request_budget_ms};
}

/* Of all threads of all processes one gets the lease. It may die: then the lease ends. */
static enum err ask_for_probe(struct context *context, struct arena *arena,
                              const struct provider_driver *driver, struct breaker_pass *ret_pass,
                              int64_t *ret_wait_s)
{
    struct breaker_pass pass = {.driver = driver};
    crypt_random(&pass.probe_id, sizeof pass.probe_id);
    pass.probe_id = (pass.probe_id & INT64_MAX) | 1;
    struct probe probe = make_probe(context, &pass);
    struct view *view = &shared.views[index_of(driver)];
    enum err err = db_query(context->pool, arena, probe_unit, &probe);
    if (err)
        return err;
    const struct breaker now = {.open = true, .probe_left_ms = probe.lease_ms};
    lock(); /* whoever lost looks again soon: it may be over by then */
    view->probe_until_ms = clock_mono_ms() + (probe.taken ? probe.lease_ms : FRESH_MS);
    unlock();
    *ret_wait_s = breaker_wait_s(&now);
    *ret_pass = pass;
    return probe.taken ? ERR_NONE : ERR_PROVIDER_UNAVAILABLE;
}

enum err breaker_ask(struct context *context, struct arena *arena,
                     const struct provider_driver *driver, struct breaker_pass *ret_pass,
                     int64_t *ret_wait_s)
{
    const struct view *view = &shared.views[index_of(driver)];
    enum err err = look(context, arena);
    if (err)
        return err;
    lock();
    const int64_t now_ms = clock_mono_ms();
    const struct breaker breaker = {.disabled = view->disabled,
                                    .open = view->open,
                                    .open_left_ms = view->open_until_ms - now_ms,
                                    .probe_left_ms = view->probe_until_ms - now_ms};
    unlock();
    switch (breaker_state(&breaker)) {
    case BREAKER_CLOSED:
        *ret_pass = (struct breaker_pass){.driver = driver};
        return ERR_NONE;
    case BREAKER_HALF_OPEN:
        return ask_for_probe(context, arena, driver, ret_pass, ret_wait_s);
    case BREAKER_DISABLED:
    case BREAKER_OPEN:
    case BREAKER_PROBED:
        break;
    }
    *ret_wait_s = breaker_wait_s(&breaker);
    return ERR_PROVIDER_UNAVAILABLE;
}

bool breaker_is_closed(struct context *context, struct arena *arena,
                       const struct provider_driver *driver)
{
    const struct view *view = &shared.views[index_of(driver)];
    enum err err = look(context, arena);
    (void)err; /* then it is the last that was known */
    lock();
    bool closed = !view->disabled && !view->open;
    unlock();
    return closed;
}

/* --- changes --- */

struct change {
    const char *provider;
    bool trip; /* even if it is closed; else its probe may have taken so long that it is news */
    int64_t seconds; /* 0: closes */
    const char *reason;
    bool changed; /* out */
};

static enum err change_unit(struct db *db, void *context)
{
    struct change *change = context;
    struct breaker breaker;
    enum err err = providers_lock(db, change->provider, &breaker);
    if (err)
        return err;
    change->changed = breaker.open || change->trip;
    if (!change->changed)
        return ERR_NONE;
    return change->seconds == 0
               ? providers_close(db, change->provider)
               : providers_open(db, change->provider, change->seconds, change->reason);
}

static enum err make_change(struct context *context, struct arena *arena, struct change *change)
{
    enum err err = db_transact(context->pool, arena, change_unit, change);
    if (err)
        return err;
    if (change->changed)
        LOG(LOG_WARN, "breaker", LOG_TEXT("provider", change->provider),
            LOG_TEXT("state", change->seconds == 0 ? "closed" : "open"),
            LOG_NUMBER("seconds", change->seconds), LOG_TEXT("note", change->reason));
    return exchange_now(context, arena); /* this process at least knows it at once */
}

enum err breaker_trip(struct context *context, struct arena *arena,
                      const struct provider_driver *driver, int64_t seconds, const char *note)
{
    struct change change = {
        .provider = driver->name, .trip = true, .seconds = seconds, .reason = note};
    return make_change(context, arena, &change);
}

/* The one call that tried decides for all. */
static enum err conclude_probe(struct context *context, struct arena *arena,
                               const struct breaker_pass *pass, bool failed, const char *why)
{
    char reason[REASON_MAX + 32];
    struct change change = {.provider = pass->driver->name,
                            .seconds = failed ? context->settings->breaker.cool_down_s : 0,
                            .reason = "a call succeeded after the cool-down"};
    if (failed) {
        (void)snprintf(reason, sizeof reason, "the call after the cool-down failed: %s", why);
        change.reason = reason;
    }
    return make_change(context, arena, &change);
}

static enum err give_back(struct context *context, struct arena *arena,
                          const struct breaker_pass *pass)
{
    struct probe probe = make_probe(context, pass);
    if (pass->probe_id == 0)
        return ERR_NONE;
    enum err err = db_query(context->pool, arena, unprobe_unit, &probe);
    return err ? err : exchange_now(context, arena);
}

/* Successes wait in memory for the next look, failures are told at once, by one thread at a time.
 */
static enum err count_call(struct context *context, struct arena *arena,
                           const struct breaker_pass *pass, bool failed)
{
    struct breaker_counts *untold = &shared.views[index_of(pass->driver)].untold;
    lock();
    untold->calls++;
    untold->failures += failed;
    bool now = failed && !shared.exchanging;
    shared.exchanging = shared.exchanging || now;
    unlock();
    return now ? exchange_now(context, arena) : ERR_NONE;
}

void breaker_tell(struct context *context, struct arena *arena, const struct breaker_pass *pass,
                  const struct provider_result *result)
{
    enum err err;
    if (pass->driver == NULL)
        return;
    if (result == NULL || !result->called) {
        err = give_back(context, arena, pass);
    } else if (result->trip_s > 0) {
        err = breaker_trip(context, arena, pass->driver, result->trip_s, result->reason);
    } else {
        bool failed = breaker_is_failure(result->outcome, result->http_status);
        err = pass->probe_id != 0 ? conclude_probe(context, arena, pass, failed, result->reason)
                                  : count_call(context, arena, pass, failed);
    }
    (void)err; /* counts are told with the next; a lease ends by itself */
}
