/* Replies: the only code that fills a response. */
#include "front/call.h"

#include <stdio.h>

enum { CONTENT_MAX = 256 * 1024 };

static void set_retry_after(struct http_response *response, int64_t seconds)
{
    (void)snprintf(response->retry_after, sizeof response->retry_after, "%lld", (long long)seconds);
    http_header_set(response, "Retry-After", response->retry_after);
}

static void set_location(struct http_response *response, const char *payment_id)
{
    (void)snprintf(response->location, sizeof response->location, "/payments/%s", payment_id);
    http_header_set(response, "Location", response->location);
}

void reply_answer(struct call *call, const struct answer *answer)
{
    call->err = answer->err;
    if (answer->note != NULL)
        call->note = answer->note;
    call->response->status = answer->status;
    buf_show(&call->response->body, answer->body, answer->len);
    if (answer->retry_after_s > 0)
        set_retry_after(call->response, answer->retry_after_s);
    if (answer->replayed)
        http_header_set(call->response, "Idempotent-Replayed", "true");
    if (answer->payment_id[0] == '\0')
        return;
    set_location(call->response, answer->payment_id);
    (void)text_copy(call->payment_id, sizeof call->payment_id, answer->payment_id);
}

void reply_error(struct call *call, enum err err)
{
    struct answer answer;
    answer_error(call->context->settings, call->request->arena, err, &answer);
    reply_answer(call, &answer);
    if (err == ERR_UNAUTHORIZED)
        http_header_set(call->response, "WWW-Authenticate", "Bearer");
}

struct json_out *reply_open(struct call *call, enum err err)
{
    struct arena *arena = call->request->arena;
    struct json_out *out = err ? NULL : answer_open(arena, &call->response->body, CONTENT_MAX);
    if (out == NULL)
        reply_error(call, err ? err : ERR_OVERLOAD);
    return out;
}

void reply_close(struct call *call, struct json_out *out)
{
    enum err err = answer_close(out);
    if (err)
        reply_error(call, err);
}

void reply_items(struct json_out *out, const struct cart *cart)
{
    json_out_array(out, "items");
    for (size_t i = 0; i < cart->count; i++) {
        json_out_object(out, NULL);
        json_out_text(out, "assetId", ident_text(cart->items[i].asset_id).text);
        json_out_text(out, "name", cart->items[i].name);
        json_out_int(out, "price", money_minor_units(&cart->items[i].price));
        json_out_close_object(out);
    }
    json_out_close_array(out);
}
