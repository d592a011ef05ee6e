/* Writes the envelope {"err":…,"success":…,"content":…}. */
#include "flow/answer.h"

#include <stdio.h>
#include <string.h>

enum { RETRY_AFTER_S = 5 };

static const char no_memory[] =
    "{\"err\":true,\"success\":false,\"content\":\"Service unavailable\"}";
static const char unknown[] =
    "{\"err\":true,\"success\":false,\"content\":\"Payment outcome unknown\"}";

/* Without memory. Whoever hears "unavailable" may try anew, whoever hears "unknown" must not. */
static void answer_fallback(enum err err, struct answer *ret_answer)
{
    bool is_unknown = err == ERR_OUTCOME_UNKNOWN;
    ret_answer->err = is_unknown ? err : ERR_OVERLOAD;
    ret_answer->status = err_status(ret_answer->err);
    ret_answer->body = is_unknown ? unknown : no_memory;
    ret_answer->len = strlen(ret_answer->body);
    ret_answer->retry_after_s = is_unknown ? 0 : RETRY_AFTER_S;
}

void answer_error(const struct settings *settings, struct arena *arena, enum err err,
                  struct answer *ret_answer)
{
    struct buf body;
    buf_init(&body, arena, ANSWER_MAX);
    /* the messages are fixed texts of ours without anything to escape */
    buf_printf(&body, "{\"err\":true,\"success\":false,\"content\":\"%s\"}", err_message(err));
    *ret_answer = (struct answer){.err = err, .status = err_status(err)};
    if (err_is_business(err))
        ret_answer->status = (int)settings->http.business_error_status;
    if (ret_answer->status == 503)
        ret_answer->retry_after_s = RETRY_AFTER_S;
    ret_answer->body = buf_text(&body);
    ret_answer->len = body.len;
    if (!buf_ok(&body))
        answer_fallback(err, ret_answer);
}

struct json_out *answer_open(struct arena *arena, struct buf *body, size_t max)
{
    buf_init(body, arena, max);
    struct json_out *out = json_out_new(arena, body);
    if (out == NULL)
        return NULL;
    json_out_object(out, NULL);
    json_out_bool(out, "err", false);
    json_out_bool(out, "success", true);
    json_out_object(out, "content");
    return out;
}

enum err answer_close(struct json_out *out)
{
    json_out_close_object(out);
    json_out_close_object(out);
    return json_out_end(out);
}

/* out: NULL when there was no memory for it. */
static void answer_finish(struct json_out *out, const struct buf *body, struct answer *ret_answer)
{
    enum err err = out == NULL ? ERR_OVERLOAD : answer_close(out);
    ret_answer->body = buf_text(body);
    ret_answer->len = body->len;
    if (err)
        answer_fallback(ERR_OVERLOAD, ret_answer);
}

/* A success about a payment, with one text as its content. */
static void answer_text(struct arena *arena, const char *payment_id, const char *key,
                        const char *text, struct answer *ret_answer)
{
    struct buf body;
    struct json_out *out = answer_open(arena, &body, ANSWER_MAX);
    *ret_answer = (struct answer){.status = 200};
    (void)text_copy(ret_answer->payment_id, IDENT_MAX, payment_id);
    if (out != NULL)
        json_out_text(out, key, text);
    answer_finish(out, &body, ret_answer);
}

void answer_url(struct arena *arena, const char *payment_id, const char *url,
                struct answer *ret_answer)
{
    answer_text(arena, payment_id, "url", url, ret_answer);
}

static void write_deposit(struct json_out *out, const struct payment *payment, const char *url)
{
    json_out_text(out, "paymentId", payment->id);
    json_out_text(out, "provider", payment->provider);
    json_out_int(out, "amount", money_minor_units(&payment->amount));
    json_out_text(out, "currency", money_currency(&payment->amount));
    json_out_text(out, "status", payment_status_name(payment_status_now(payment)));
    json_out_text(out, "paymentUrl", url);
    json_out_text(out, "expiresAt", ident_text(payment->expires_s).text);
}

void answer_deposit(struct arena *arena, const struct payment *payment, const char *url,
                    struct answer *ret_answer)
{
    struct buf body;
    struct json_out *out = answer_open(arena, &body, ANSWER_MAX);
    *ret_answer = (struct answer){.status = 200};
    (void)text_copy(ret_answer->payment_id, IDENT_MAX, payment->id);
    if (out != NULL)
        write_deposit(out, payment, url);
    answer_finish(out, &body, ret_answer);
}

void answer_bankwire(struct json_out *out, struct arena *arena, const char *instructions)
{
    struct json *parsed;
    if (instructions != NULL &&
        json_parse(arena, instructions, strlen(instructions), &parsed) == ERR_NONE)
        json_out_value(out, "bankwire", parsed);
    else
        json_out_text(out, "bankwire", NULL);
}

void answer_instructions(struct arena *arena, const struct payment *payment,
                         const char *instructions, struct answer *ret_answer)
{
    struct buf body;
    struct json_out *out = answer_open(arena, &body, ANSWER_MAX);
    *ret_answer = (struct answer){.status = 200};
    (void)text_copy(ret_answer->payment_id, IDENT_MAX, payment->id);
    if (out != NULL && payment->surface == SURFACE_PAIEMENT)
        write_deposit(out, payment, NULL);
    if (out != NULL)
        answer_bankwire(out, arena, instructions);
    answer_finish(out, &body, ret_answer);
}

void answer_payment(struct json_out *out, const struct payment *payment)
{
    json_out_text(out, "id", payment->id);
    json_out_text(out, "provider", payment->provider);
    json_out_text(out, "type", payment_type_name(payment->type));
    json_out_int(out, "amount", money_minor_units(&payment->amount));
    json_out_text(out, "currency", money_currency(&payment->amount));
    json_out_text(out, "method", payment->method[0] == '\0' ? NULL : payment->method);
    json_out_text(out, "status", payment_status_name(payment_status_now(payment)));
    json_out_int(out, "refunded", money_minor_units(&payment->refunded));
    json_out_text(out, "dispute",
                  payment->dispute == DISPUTE_NONE ? NULL : dispute_state_name(payment->dispute));
    json_out_text(out, "createdAt", payment->created_at);
    json_out_text(out, "expiresAt", payment->expires_at);
}

void answer_processed(struct arena *arena, const char *payment_id, struct answer *ret_answer)
{
    answer_text(arena, payment_id, "message", "Payment processed successfully", ret_answer);
}

void answer_paid(struct arena *arena, const struct payment *payment, struct answer *ret_answer)
{
    if (payment->surface == SURFACE_PAIEMENT)
        answer_deposit(arena, payment, NULL, ret_answer);
    else
        answer_processed(arena, payment->id, ret_answer);
}

void answer_underway(struct arena *arena, const struct payment *payment, struct answer *ret_answer)
{
    if (payment->surface == SURFACE_PAIEMENT)
        answer_deposit(arena, payment, NULL, ret_answer);
    else
        answer_text(arena, payment->id, "message", "Payment is being processed", ret_answer);
}
