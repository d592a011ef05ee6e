/* guichet-sandbox: plays the payment providers behind nginx. Start order, threads, first segment
 * of the path, one log line per request, end. */
#include "sandbox/answer.h"
#include "sandbox/control.h"
#include "sandbox/deliver.h"
#include "sandbox/hooks.h"
#include "sandbox/index.h"
#include "sandbox/mail.h"
#include "sandbox/mangopay.h"
#include "sandbox/provider.h"
#include "sandbox/settings.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/fcgi.h"
#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum {
    THREADS = 64,
    REQUEST_ARENA = 32 * 1024 * 1024, /* for a long journal; pages cost nothing until touched */
    BODY_MAX = 64 * 1024,
    BUDGET_MS = 120 * 1000,
    SWEEP_MS = 1000,
};

static void route(const struct http_request *request, struct http_response *response)
{
    const char *path = request->path;
    if (strcmp(path, "/") == 0) {
        index_handle(request, response);
        return;
    }
    if (strcmp(path, "/control") == 0) {
        control_handle(request, response);
        return;
    }
    if (strncmp(path, "/mail", 5) == 0 && (path[5] == '\0' || path[5] == '/')) {
        mail_handle(request, path + 5, response);
        return;
    }
    if (strncmp(path, "/hooks", 6) == 0 && (path[6] == '\0' || path[6] == '/')) {
        hooks_handle(request, path + 6, response);
        return;
    }
    for (size_t i = 0; provider_rows[i] != NULL; i++) {
        size_t len = strlen(provider_rows[i]->name);
        if (path[0] == '/' && strncmp(path + 1, provider_rows[i]->name, len) == 0 &&
            path[len + 1] == '/') {
            provider_rows[i]->handle(request, path + len + 1, response);
            return;
        }
    }
    answer_error(response, 404, "Not found");
}

static void handle(void *state, const struct http_request *request, struct http_response *response)
{
    int64_t started = clock_mono_ms();
    (void)state;
    route(request, response);
    LOG(LOG_INFO, "request", LOG_TEXT("request", request->id), LOG_TEXT("method", request->method),
        LOG_TEXT("path", request->path), LOG_NUMBER("status", response->status),
        LOG_NUMBER("ms", clock_mono_ms() - started));
}

static void refuse(void *state, const struct http_request *request, enum err why,
                   struct http_response *response)
{
    (void)state;
    (void)request;
    answer_error(response, err_status(why), err_message(why));
}

static void *thread_start(void *context)
{
    return context;
}

static void thread_end(void *state)
{
    (void)state;
}

/* Expires sessions for as long as the program runs. */
static void *sweep(void *context)
{
    struct arena *arena = context;
    for (;;) {
        provider_expire_due(arena);
        clock_sleep_ms(SWEEP_MS);
    }
    return NULL;
}

static enum err start(void)
{
    static const pthread_t none;
    pthread_t thread = none;
    struct arena *arena = arena_new(ARENA_BYTES);
    if (arena == NULL || pthread_create(&thread, NULL, sweep, arena) != 0 ||
        pthread_detach(thread) != 0)
        return ERR_INTERNAL;
    return deliver_start();
}

int main(int argc, char **argv)
{
    int nothing = 0; /* threads here have no state of their own */
    const struct fcgi_server server = {
        .threads = THREADS,
        .arena_bytes = REQUEST_ARENA,
        .body_max = BODY_MAX,
        .budget_ms = BUDGET_MS,
        .context = &nothing,
        .thread_start = thread_start,
        .thread_end = thread_end,
        .handle = handle,
        .refuse = refuse,
    };
    log_program("guichet-sandbox");
    if (argc != 3 || strcmp(argv[1], "-c") != 0) {
        (void)fputs("usage: guichet-sandbox -c FILE\n", stderr);
        return 2;
    }
    enum err err = fcgi_prepare();
    if (!err)
        err = sandbox_settings_read(argv[2], stderr);
    if (!err)
        err = session_open(sandbox_settings()->journal);
    if (!err)
        err = mango_store_open();
    if (!err)
        mango_seed();
    if (!err)
        err = start();
    if (!err)
        err = fcgi_serve(&server);
    deliver_stop();
    if (err)
        LOG(LOG_ERROR, "ended", LOG_TEXT("why", err_message(err)));
    return err ? 1 : 0;
}
