/* Opens and ends a thread's context. */
#include "flow/context.h"

#include <stdlib.h>

struct context *context_new(const struct settings *settings, struct db_pool *pool)
{
    struct context *context = calloc(1, sizeof *context);
    if (context == NULL)
        return NULL;
    context->settings = settings;
    context->pool = pool;
    context->client = httpc_new(&(struct httpc_options){
        .ca_file = settings->provider.ca_file,
        .connect_timeout_ms = settings->provider.connect_timeout_ms,
        .timeout_ms = settings->provider.timeout_ms,
        .user_agent = "guichet",
    });
    if (context->client == NULL) {
        free(context);
        return NULL;
    }
    return context;
}

void context_free(struct context *context)
{
    if (context == NULL)
        return;
    httpc_free(context->client);
    free(context);
}
