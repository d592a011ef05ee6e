/* What a thread of any program works with: settings and pool are shared, the client is its own. */
#ifndef FLOW_CONTEXT_H
#define FLOW_CONTEXT_H

#include "base/httpc.h"
#include "base/settings.h"
#include "store/db.h"

struct context {
    const struct settings *settings;
    struct db_pool *pool;
    struct httpc *client;
};

/* NULL when there is no memory. context_free ends only what is the thread's own. */
struct context *context_new(const struct settings *settings, struct db_pool *pool);
void context_free(struct context *context);

#endif
