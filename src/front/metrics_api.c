/* GET /metrics: numbers for Prometheus, from the database, so that any handler may be asked. */
#include "front/api.h"

#include "store/metrics.h"

enum { METRICS_MAX = 64 * 1024 };

struct metrics_unit {
    struct arena *arena;
    struct buf out;
};

static enum err metrics_unit(struct db *db, void *context)
{
    struct metrics_unit *unit = context;
    buf_init(&unit->out, unit->arena, METRICS_MAX);
    return metrics_write(db, &unit->out);
}

void metrics_get(struct call *call)
{
    struct metrics_unit unit = {.arena = call->request->arena};
    enum err err = db_query(call->context->pool, call->request->arena, metrics_unit, &unit);
    if (err) {
        reply_error(call, err);
        return;
    }
    call->response->status = 200;
    call->response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    call->response->body = unit.out;
}
