/* POST /payment/{provider}: checks in the documented order, then hands over to checkout.
 * Every refusal is an enum err; nothing is stored before all checks have passed. */
#include "front/api.h"

#include "base/clock.h"
#include "domain/tos.h"
#include "flow/checkout.h"
#include "front/fields.h"

#include <string.h>

/* The last moment that a DATETIME can hold. */
#define YEAR_9999_MS INT64_C(253402300799999)

/* The settlement currency of POST /payment, which names none. */
static const char currency[] = "USD";

void payment_post_nameless(struct call *call)
{
    reply_error(call, ERR_PROVIDER_REQUIRED);
}

/* An absent field keeps the fallback; a provider's own word for a method otherwise. */
static enum err read_method(const struct fields *fields, char ret_method[METHOD_MAX])
{
    struct field field = fields_get(fields, "payment_method");
    if (field.kind == FIELD_ABSENT || (field.from_form && field.text[0] == '\0'))
        return ERR_NONE;
    if (field.kind != FIELD_TEXT || field.text[0] == '\0' ||
        field.text[strspn(field.text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789_.-")] != '\0' ||
        !text_copy(ret_method, METHOD_MAX, field.text))
        return ERR_PARAMETERS;
    return ERR_NONE;
}

static enum err read_checkout_time(const struct fields *fields, int64_t *ret_ms)
{
    struct field field = fields_get(fields, "checkout_create_timestamp");
    *ret_ms = -1;
    if (field.kind == FIELD_ABSENT)
        return ERR_NONE;
    return field.text != NULL && timestamp_parse(field.text, ret_ms) && *ret_ms <= YEAR_9999_MS
               ? ERR_NONE
               : ERR_PARAMETERS;
}

static enum err read_value(const struct call *call, const struct provider_driver *driver,
                           const struct fields *fields, struct payment *payment)
{
    struct field type = fields_get(fields, "type"), value = fields_get(fields, "value");
    int64_t units;
    if (type.kind != FIELD_TEXT || !payment_type_parse(type.text, &payment->type) ||
        payment->type != PAYMENT_BALANCE) /* carts are not sold yet */
        return ERR_PARAMETERS;
    if (!field_whole_number(&value, &units) || units < 1 || units > PAYMENT_VALUE_MAX ||
        !driver->allows(call->context->settings, units) ||
        !money_make(units, currency, &payment->amount))
        return ERR_PARAMETERS;
    return ERR_NONE;
}

static enum err read_tos(const struct call *call, const struct fields *fields, int64_t *ret_ms)
{
    struct field field = fields_get(fields, "tos_timestamp");
    int64_t skew_ms = call->context->settings->payment.tos_clock_skew_s * 1000;
    if (field.kind == FIELD_OTHER)
        return ERR_TOS_INVALID;
    return tos_check(field.text, field.kind == FIELD_TEXT, clock_wall_ms(), skew_ms, ret_ms);
}

/* All checks of the body, in the documented order. */
static enum err read_intent(const struct call *call, const struct provider_driver *driver,
                            struct payment_intent *intent)
{
    struct fields fields;
    enum err err = fields_read(call->request, &fields);
    if (err)
        return err == ERR_PAYLOAD ? ERR_PARAMETERS : err;
    err = read_value(call, driver, &fields, &intent->payment);
    if (!err)
        err = read_method(&fields, intent->payment.method);
    if (!err)
        err = read_checkout_time(&fields, &intent->checkout_ms);
    if (!err)
        err = read_tos(call, &fields, &intent->tos_ms);
    return err;
}

static void complete_intent(const struct call *call, const struct provider_driver *driver,
                            struct payment_intent *intent)
{
    struct payment *payment = &intent->payment;
    ident_new("PAY_", payment->id);
    payment->user_id = call->user.id;
    payment->status = PAYMENT_PENDING;
    (void)text_copy(payment->provider, sizeof payment->provider, driver->name);
    (void)text_copy(payment->client_ip, sizeof payment->client_ip, call->request->client_ip);
    intent->lifetime_s = call->context->settings->payment.lifetime_s;
    intent->request_id = call->request->id;
}

/* Idempotency-Key: a quoted string (RFC 8941) or the bare text; both spell the same key. */
static enum err read_key(const struct call *call, struct idempotency_key *ret_key)
{
    const char *header;
    enum err err = http_header_get(call->request, "HTTP_IDEMPOTENCY_KEY", &header);
    if (err || header == NULL)
        return err;
    size_t len = strlen(header);
    bool quoted = len >= 2 && header[0] == '"' && header[len - 1] == '"';
    const char *text = header + quoted;
    len -= quoted ? 2 : 0;
    if (len == 0 || len >= IDEMPOTENCY_KEY_MAX)
        return ERR_IDEMPOTENCY_KEY;
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
            return ERR_IDEMPOTENCY_KEY;
    memcpy(ret_key->text, text, len);
    ret_key->text[len] = '\0';
    ret_key->user_id = call->user.id;
    ret_key->path = call->request->path;
    crypt_sha256(call->request->body, call->request->body_len, ret_key->request_hash);
    return ERR_NONE;
}

void payment_post(struct call *call)
{
    struct context *context = call->context;
    struct arena *arena = call->request->arena;
    struct checkout checkout = {.driver = provider_find_open(context->settings, call->param),
                                .deadline_ms = call->request->deadline_ms};
    struct answer answer;
    enum err err = checkout.driver == NULL ? ERR_PROVIDER_INVALID : read_key(call, &checkout.key);
    if (err) {
        reply_error(call, err);
        return;
    }
    if (checkout_replay(context, arena, &checkout.key, &answer)) {
        reply_answer(call, &answer);
        return;
    }
    err = read_intent(call, checkout.driver, &checkout.intent);
    if (err) {
        answer_error(context->settings, arena, err, &answer);
        checkout_keep_refusal(context, arena, &checkout.key, &answer);
    } else {
        complete_intent(call, checkout.driver, &checkout.intent);
        checkout_run(context, arena, &checkout, &answer);
    }
    reply_answer(call, &answer);
}
