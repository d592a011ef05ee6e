/* Calls of providers' APIs: journal and faults. */
#include "sandbox/api.h"

#include "sandbox/answer.h"
#include "sandbox/pause.h"
#include "sandbox/provider.h"
#include "sandbox/text.h"

void api_begin(struct api_call *call, const struct http_request *request, const char *path,
               const char *session_id, const char *order_id)
{
    struct journal_call *entry = &call->entry;
    const char *key = NULL;
    if (http_header_get(request, "HTTP_IDEMPOTENCY_KEY", &key) != ERR_NONE || key == NULL)
        key = "";
    (void)text_copy(entry->provider, sizeof entry->provider, call->provider->name);
    text_clip(entry->method, sizeof entry->method, request->method);
    text_clip(entry->path, sizeof entry->path, path);
    text_clip(entry->session_id, sizeof entry->session_id, session_id);
    text_clip(entry->order_id, sizeof entry->order_id, order_id);
    text_clip(entry->idempotency_key, sizeof entry->idempotency_key, key);
    journal_call_begin(entry);
}

bool api_takes(struct api_call *call, enum fault fault, struct fault_args *ret_args)
{
    struct journal_call *entry = &call->entry;
    if (!fault_take(call->provider, fault, call->event, entry->order_id, ret_args))
        return false;
    (void)text_copy(entry->fault, sizeof entry->fault, fault_name(fault));
    return true;
}

/* In the journal at once: a silence that follows can be seen meanwhile. */
static void reset(struct api_call *call)
{
    answer_reset(call->response);
    call->entry.status = 0;
    journal_call_end(&call->entry);
}

bool api_fails_before(struct api_call *call)
{
    struct fault_args args;
    if (api_takes(call, FAULT_SLOW, &args))
        pause_ms(args.ms);
    if (api_takes(call, FAULT_CONNECTION_RESET, &args))
        reset(call);
    else if (api_takes(call, FAULT_ERROR_5XX, &args))
        answer_error(call->response, (int)args.status, "Server Error");
    else
        return false;
    return true;
}

void api_fails_after(struct api_call *call, const char *garbage)
{
    struct buf *body = &call->response->body;
    struct fault_args args;
    if (api_takes(call, FAULT_GARBAGE, &args)) {
        buf_init(body, body->arena, body->max);
        buf_puts(body, garbage);
    } else if (api_takes(call, FAULT_TIMEOUT_AFTER_SUCCESS, &args)) {
        reset(call);
        pause_ms(args.ms);
    } else if (api_takes(call, FAULT_CONNECTION_RESET_AFTER_SUCCESS, &args)) {
        reset(call);
    }
}

void api_end(struct api_call *call)
{
    call->entry.status = call->response->status;
    journal_call_end(&call->entry);
}
