/* guichet: the FastCGI handlers. spawn-fcgi gives it a listening socket as descriptor 0; threads
 * answer requests until TERM, then what is being worked on is finished. */
#include "base/fcgi.h"
#include "base/log.h"
#include "base/program.h"
#include "base/settings.h"
#include "flow/context.h"
#include "front/front.h"

#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "usage: guichet [-c FILE] [--check-config]\n"
    "FastCGI handlers of the Guichet payment gateway; start them with\n"
    "spawn-fcgi, which gives them their listening socket.\n"
    "  -c, --config FILE   settings (default $GUICHET_CONF, or " CONFIG_DEFAULT ")\n"
    "  --check-config      read the settings, say what is wrong, and end\n"
    "  --version, --help\n";

struct app {
    struct settings settings;
    struct db_pool *pool;
};

static void *start_thread(void *context)
{
    struct app *app = context;
    return context_new(&app->settings, app->pool);
}

static void end_thread(void *state)
{
    context_free(state);
}

static int serve(struct app *app)
{
    const struct fcgi_server server = {
        .threads = app->settings.http.threads,
        .arena_bytes = ARENA_BYTES,
        .body_max = REQUEST_BODY_MAX,
        .budget_ms = app->settings.http.request_budget_ms,
        .context = app,
        .thread_start = start_thread,
        .thread_end = end_thread,
        .handle = front_handle,
        .refuse = front_refuse,
    };
    app->pool = db_pool_new(&app->settings, false);
    if (app->pool == NULL)
        return EXIT_FAILURE;
    LOG(LOG_INFO, "start", LOG_NUMBER("threads", app->settings.http.threads),
        LOG_NUMBER("connections", app->settings.database.connections));
    enum err err = fcgi_serve(&server);
    LOG(err ? LOG_ERROR : LOG_INFO, "end",
        LOG_TEXT("note", err ? "threads could not start or accept" : "drained"));
    db_pool_free(app->pool);
    return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static struct app app; /* static: the secrets in it are not left on a stack */
    struct program program = {.name = "guichet", .usage = usage};
    program_start(&program, argc, argv);
    if (settings_read(program.config, &app.settings, stderr) != ERR_NONE)
        return EXIT_FAILURE;
    if (program.check_config) {
        (void)printf("%s: fine\n", program.config);
        return EXIT_SUCCESS;
    }
    if (program_guard_memory(app.settings.nonstopay.s2s) != ERR_NONE) {
        LOG(LOG_ERROR, "start",
            LOG_TEXT("note", "memory cannot be kept out of the swap: raise LimitMEMLOCK="));
        return EXIT_FAILURE;
    }
    if (fcgi_prepare() != ERR_NONE) {
        LOG(LOG_ERROR, "start",
            LOG_TEXT("note", "descriptor 0 is no FastCGI socket: use spawn-fcgi"));
        return EXIT_FAILURE;
    }
    return serve(&app);
}
