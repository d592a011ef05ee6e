/* POST (or GET) /webhook/{provider}: proof first, then one transaction, then 200. An unproved
 * notice leaves nothing but a count; a notice that cannot be stored is refused, so that the
 * provider repeats it. What a thin one is about is asked for after the 200, by the same thread, as
 * long as that leaves half of the threads to answer. */
#include "front/api.h"

#include "base/clock.h"
#include "base/log.h"
#include "flow/notice.h"
#include "store/messages.h"

#include <stdio.h>
#include <string.h>

/* Threads of this process that ask, or may be about to. A provider that is slow must not keep all
 * of them from answering: what is more is left to the jobs. */
static _Atomic int64_t following;

static bool may_follow(const struct call *call, const struct provider_driver *driver)
{
    if (!driver->thin)
        return false;
    if (following++ < call->context->settings->http.threads / 2)
        return true;
    following--;
    return false;
}

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
    if (notice->left)
        return "left to the jobs to ask about";
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
    enum err err = notice_follow(own, request->arena, *follow_id, &notice);
    LOG(err ? LOG_ERROR : LOG_INFO, "follow", LOG_TEXT("request", request->id),
        LOG_TEXT("payment", notice.payment_id), LOG_TEXT("word", notice.word),
        LOG_TEXT("error", err == ERR_NONE ? "" : err_message(err)),
        LOG_TEXT("note", err ? db_last_problem() : note_of(&notice)),
        LOG_NUMBER("total_ms", (clock_mono_us() - started_us) / 1000));
    following--;
}

/* False: nothing to ask, or no memory, and then the jobs ask. */
static bool follow_later(struct call *call, int64_t follow_id)
{
    int64_t *kept = follow_id == 0 ? NULL : arena_alloc(call->request->arena, sizeof *kept);
    if (kept == NULL)
        return false;
    *kept = follow_id;
    call->response->after = follow;
    call->response->after_context = kept;
    return true;
}

static void take(struct call *call, const struct provider_driver *driver, const char *notice_text,
                 size_t len)
{
    struct settled_notice notice = {0};
    if (!driver->notice_proved(call->context->settings, call->request)) {
        refuse_unproved(call, driver);
        return;
    }
    bool can_follow = may_follow(call, driver);
    enum err err = notice_settle(call->context, call->request->arena, driver, notice_text, len,
                                 can_follow, &notice);
    bool follows = !err && follow_later(call, notice.follow_id);
    following -= can_follow && !follows;
    struct json_out *out = reply_open(call, err);
    if (out == NULL)
        return;
    call->note = note_of(&notice);
    (void)text_copy(call->payment_id, sizeof call->payment_id, notice.payment_id);
    json_out_bool(out, "received", true);
    reply_close(call, out);
}

static const struct provider_driver *find(const struct call *call)
{
    const struct provider_driver *driver = provider_find(call->context->settings, call->param);
    return driver != NULL && driver->notice != NULL ? driver : NULL;
}

/* HEAD, which is served as GET elsewhere, tells of nothing. */
void webhook_take(struct call *call)
{
    const struct http_request *request = call->request;
    const struct provider_driver *driver = find(call);
    bool in_query = driver != NULL && driver->notice_in_query;
    const char *allowed = in_query ? "GET" : "POST";
    if (driver == NULL) {
        reply_error(call, ERR_NOT_FOUND);
    } else if (strcmp(request->method, allowed) != 0) {
        http_header_set(call->response, "Allow", allowed);
        reply_error(call, ERR_METHOD);
    } else if (in_query) {
        take(call, driver, request->query, strlen(request->query));
    } else {
        take(call, driver, request->body, request->body_len);
    }
}
