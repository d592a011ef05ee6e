/* Payviox' webhooks: what they are called, what they say and how they are signed.
 * Must not send them and must not decide when. */
#include "sandbox/payviox.h"

#include "sandbox/settings.h"
#include "sandbox/signed_notice.h"

#include <string.h>

enum { NOTICE_MAX = 256 * 1024 };

const char *payviox_notice_type(const struct session *session)
{
    switch (session->status) {
    case SESSION_NEW:
    case SESSION_OPENED:
    case SESSION_WITHHELD:
    case SESSION_CHARGED_BACK:
    case SESSION_STATUSES:
    case SESSION_CHALLENGED:
    case SESSION_FAILED: /* a payer may try again: merchants are not told */
        return NULL;
    case SESSION_INCOMPLETE:
        return "incomplete";
    case SESSION_IN_REVIEW:
        return "pending_review";
    case SESSION_SUCCEEDED:
        return "succeeded";
    case SESSION_DECLINED:
        return "declined";
    case SESSION_REFUNDED:
        return "refunded";
    case SESSION_EXPIRED:
        return "expired";
    }
    return NULL;
}

void payviox_customer_write(struct json_out *out, const char *key, const struct json *body)
{
    const char *customer = json_get_text(body, "customer");
    bool is_email = customer != NULL && strchr(customer, '@') != NULL;
    json_out_object(out, key);
    json_out_text(out, "name", "Jenny Rosen");
    json_out_text(out, "email", is_email ? customer : "jenny.rosen@example.com");
    json_out_text(out, "phone", "+33612345678");
    json_out_object(out, "address");
    json_out_text(out, "line1", "12 rue de la Paix");
    json_out_text(out, "line2", NULL);
    json_out_text(out, "city", "Paris");
    json_out_text(out, "state", NULL);
    json_out_text(out, "postal_code", "75002");
    json_out_text(out, "country", "FR");
    json_out_close_object(out);
    json_out_close_object(out);
}

static void write_metadata(struct json_out *out, const struct notice *notice,
                           const struct json *body)
{
    const struct json *metadata = json_get(body, "metadata");
    json_out_object(out, "metadata");
    json_out_text(out, "integration_session_id", notice->session_id);
    if (metadata != NULL && metadata->type == JSON_OBJECT)
        for (const struct json *member = metadata->child; member != NULL; member = member->next)
            if (strcmp(member->key, "integration_session_id") != 0)
                json_out_value(out, member->key, member);
    json_out_close_object(out);
}

/* A made-up webhook of a session that nobody knows still lists one item. */
static void write_items(struct json_out *out, const struct notice *notice, const struct json *body)
{
    const struct json *items = json_get(body, "items");
    if (items != NULL) {
        json_out_value(out, "items", items);
        return;
    }
    json_out_array(out, "items");
    json_out_object(out, NULL);
    json_out_text(out, "name", "Unknown item");
    json_out_int(out, "quantity", 1);
    json_out_int(out, "price", notice->amount);
    json_out_close_object(out);
    json_out_close_array(out);
}

static void write_body(struct json_out *out, const struct notice *notice, const struct json *body)
{
    const struct session *session = notice->session;
    bool tried = session != NULL && session->attempt.method != NULL;
    const struct payviox_method *method = tried ? payviox_method_of(session) : payviox_methods;
    json_out_object(out, NULL);
    json_out_int(out, "amount", notice->amount);
    json_out_text(out, "currency", notice->currency);
    if (tried || notice->fees != 0)
        json_out_int(out, "fees", notice->fees);
    write_metadata(out, notice, body);
    json_out_text(out, "type", notice->type);
    json_out_text(out, "provider", method->provider);
    json_out_text(out, "order_id", notice->order_id);
    write_items(out, notice, body);
    if (tried) {
        json_out_text(out, "payment_method", method->kind);
        payviox_customer_write(out, "customer", body);
    }
    if (notice->remaining >= 0)
        json_out_int(out, "amount_remaining", notice->remaining);
    json_out_close_object(out);
}

static enum err make_body(struct arena *arena, const struct notice *notice, struct buf *text)
{
    struct json *body = NULL;
    buf_init(text, arena, NOTICE_MAX);
    if (notice->raw_body != NULL) {
        buf_puts(text, notice->raw_body);
        return buf_ok(text) ? ERR_NONE : ERR_OVERLOAD;
    }
    if (notice->session != NULL) {
        enum err err = json_parse(arena, notice->session->body, notice->session->body_len, &body);
        if (err)
            return err;
    }
    struct json_out *out = json_out_new(arena, text);
    if (out == NULL)
        return ERR_OVERLOAD;
    write_body(out, notice, body);
    return json_out_end(out);
}

enum err payviox_notice_write(struct arena *arena, const struct notice *notice,
                              struct delivery *ret_delivery)
{
    const struct sandbox_settings *settings = sandbox_settings();
    struct buf text;
    enum err err = make_body(arena, notice, &text);
    if (err)
        return err;
    struct delivery delivery = {.provider = payviox.name, .url = settings->payviox.webhook_url};
    err = signed_notice_deliver(arena, notice, &text, "Signature", &settings->payviox.webhook_token,
                                &delivery);
    if (!err)
        *ret_delivery = delivery;
    return err;
}
