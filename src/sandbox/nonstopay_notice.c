/* NonStopPay's callbacks: what they say and how they are signed. Must not send them and must not
 * decide when. */
#include "sandbox/nonstopay.h"

#include "sandbox/settings.h"
#include "sandbox/signed_notice.h"

#include <string.h>

enum { NOTICE_MAX = 64 * 1024 };

const char *nonstopay_notice_type(const struct session *session)
{
    return session->status == SESSION_CHALLENGED ? NULL : nonstopay_word(session);
}

/* callbackJson is a text in a callback, whatever it was in the invoice. */
static void write_callback(struct arena *arena, struct json_out *out, const struct notice *notice)
{
    struct json *body = NULL;
    struct buf text;
    if (notice->session != NULL &&
        json_parse(arena, notice->session->body, notice->session->body_len, &body) != ERR_NONE)
        body = NULL;
    const struct json *callback = json_get(body, "callbackJson");
    buf_init(&text, arena, NOTICE_MAX);
    if (callback == NULL || callback->type == JSON_STRING || callback->type == JSON_NULL) {
        json_out_text(out, "callbackJson", callback == NULL ? NULL : callback->text);
        return;
    }
    struct json_out *inner = json_out_new(arena, &text);
    if (inner == NULL)
        return;
    json_out_value(inner, NULL, callback);
    enum err err = json_out_end(inner);
    json_out_text(out, "callbackJson", err ? NULL : buf_text(&text));
}

static enum err make_body(struct arena *arena, const struct notice *notice, struct buf *text)
{
    const struct json id = {
        .type = JSON_NUMBER, .text = notice->session_id, .len = strlen(notice->session_id)};
    bool numeric = id.len > 0 && strspn(id.text, "0123456789") == id.len;
    buf_init(text, arena, NOTICE_MAX);
    if (notice->raw_body != NULL) {
        buf_puts(text, notice->raw_body);
        return buf_ok(text) ? ERR_NONE : ERR_OVERLOAD;
    }
    struct json_out *out = json_out_new(arena, text);
    if (out == NULL)
        return ERR_OVERLOAD;
    json_out_object(out, NULL);
    json_out_text(out, "status", notice->type);
    json_out_text(out, "devise", notice->currency);
    nonstopay_number(arena, out, "amount", notice->amount);
    if (numeric)
        json_out_value(out, "id", &id);
    else
        json_out_text(out, "id", notice->session_id);
    json_out_text(out, "description", "A callback of the sandbox");
    write_callback(arena, out, notice);
    json_out_close_object(out);
    return json_out_end(out);
}

/* Signed with the API key: the recipe is not public, and this is what Guichet assumes too. */
enum err nonstopay_notice_write(struct arena *arena, const struct notice *notice,
                                struct delivery *ret_delivery)
{
    const struct sandbox_settings *settings = sandbox_settings();
    struct buf text;
    enum err err = make_body(arena, notice, &text);
    if (err)
        return err;
    struct delivery delivery = {.provider = nonstopay.name,
                                .url = settings->nonstopay.callback_url};
    err = signed_notice_deliver(arena, notice, &text, "X-Signature", &settings->nonstopay.api_key,
                                &delivery);
    if (!err)
        *ret_delivery = delivery;
    return err;
}
