/* POST /webhook/{provider}: proof first, then one transaction, then 200. An unproved notice leaves
 * nothing but a count; a notice that cannot be stored is refused, so that the provider repeats it.
 * What a thin one is about is asked for after the 200, by the same thread. */
#include "front/api.h"

#include "base/clock.h"
#include "base/log.h"
#include "flow/settle.h"
#include "store/messages.h"

#include <stdio.h>

static enum err count_unit(struct db *db, void *context)
{
    const struct provider_driver *driver = context;
    char name[64];
    (void)snprintf(name, sizeof name, "webhook.unproved.%s", driver->name);
    return counters_add(db, name);
}

static void refuse_unproved(struct call *call, const struct provider_driver *driver)
{
    enum err err = db_query(call->context->pool, call->request->arena, count_unit, (void *)driver);
    call->note = err ? "signature is wrong; not even counted" : "signature is wrong";
    reply_error(call, ERR_SIGNATURE);
}

static const char *note_of(const struct settled_notice *notice)
{
    if (notice->repeated)
        return "a copy of a notice dealt with before";
    if (notice->follow_id != 0)
        return "to be asked about";
    switch (notice->verdict) {
    case SETTLE_APPLIED:
        return "applied";
    case SETTLE_UNMATCHED:
        return "no payment of ours yet; kept for later";
    case SETTLE_MISMATCH:
        return "does not fit; waits for review";
    }
    return "";
}

/* The answer is on its way: nobody waits any more but the next request of this thread. */
static void follow(void *state, const struct http_request *request, void *context)
{
    const int64_t *follow_id = context;
    struct context *own = state;
    struct settled_notice notice;
    int64_t started_us = clock_mono_us();
    db_forget_problem();
    db_deadline(0);
    enum err err = settle_follow(own, request->arena, *follow_id, &notice);
    LOG(err ? LOG_ERROR : LOG_INFO, "follow", LOG_TEXT("request", request->id),
        LOG_TEXT("payment", notice.payment_id), LOG_TEXT("word", notice.word),
        LOG_TEXT("error", err == ERR_NONE ? "" : err_message(err)),
        LOG_TEXT("note", err ? db_last_problem() : note_of(&notice)),
        LOG_NUMBER("total_ms", (clock_mono_us() - started_us) / 1000));
}

static void follow_later(struct call *call, int64_t follow_id)
{
    int64_t *kept = follow_id == 0 ? NULL : arena_alloc(call->request->arena, sizeof *kept);
    if (kept == NULL)
        return; /* nothing to ask, or no memory: then the jobs program asks */
    *kept = follow_id;
    call->response->after = follow;
    call->response->after_context = kept;
}

void webhook_post(struct call *call)
{
    const struct provider_driver *driver = provider_find(call->context->settings, call->param);
    struct settled_notice notice = {0};
    if (driver == NULL || driver->notice == NULL) {
        reply_error(call, ERR_NOT_FOUND);
        return;
    }
    if (!driver->notice_proved(call->context->settings, call->request)) {
        refuse_unproved(call, driver);
        return;
    }
    enum err err = settle_notice(call->context, call->request->arena, driver, call->request->body,
                                 call->request->body_len, &notice);
    struct json_out *out = err ? NULL : reply_open(call);
    if (err)
        reply_error(call, err);
    if (out == NULL)
        return;
    call->note = note_of(&notice);
    follow_later(call, notice.follow_id);
    (void)text_copy(call->payment_id, sizeof call->payment_id, notice.payment_id);
    json_out_bool(out, "received", true);
    reply_close(call, out);
}
