/* GET /health/live: this process answers. GET /health/ready: it can take payments. Providers that
 * are down do not count: restarting us would not help them. */
#include "front/api.h"

#include "store/ready.h"

static void reply_status(struct call *call, const char *status)
{
    struct json_out *out = reply_open(call, ERR_NONE);
    if (out == NULL)
        return;
    json_out_text(out, "status", status);
    reply_close(call, out);
}

void health_get_live(struct call *call)
{
    reply_status(call, "live");
}

static enum err ready_unit(struct db *db, void *context)
{
    return ready_check(db, context);
}

void health_get_ready(struct call *call)
{
    const char *problem = NULL;
    enum err err = db_query(call->context->pool, call->request->arena, ready_unit, &problem);
    if (!err && problem == NULL) {
        reply_status(call, "ready");
        return;
    }
    call->note = err ? db_last_problem() : problem;
    reply_error(call, err ? err : ERR_DB_UNAVAILABLE);
}
