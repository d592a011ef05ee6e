/* One walk for both creating endpoints. Nothing is stored before all checks have passed, but for
 * the refusal itself under its Idempotency-Key. */
#include "front/create.h"

#include "base/clock.h"
#include "flow/replay.h"

#include <string.h>

enum err create_second_factor(const struct call *call, const struct provider_driver *driver)
{
    bool sure = call->claims.api || call->claims.two_factor;
    return driver->terms(call->context->settings)->requires_2fa && !sure ? ERR_TWO_FACTOR
                                                                         : ERR_NONE;
}

enum err create_provider(const struct call *call, const struct provider_driver **ret_driver)
{
    const struct provider_driver *driver = provider_find_open(call->context->settings, call->param);
    if (driver == NULL)
        return ERR_PROVIDER_INVALID;
    *ret_driver = driver;
    return create_second_factor(call, driver);
}

enum err create_method(const struct fields *fields, const char *name, enum err refusal,
                       char ret_method[METHOD_MAX])
{
    struct field field = fields_get(fields, name);
    if (field.kind == FIELD_ABSENT || (field.from_form && field.text[0] == '\0'))
        return ERR_NONE;
    if (field.kind != FIELD_TEXT || field.text[0] == '\0' ||
        field.text[strspn(field.text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789_.-")] != '\0' ||
        !text_copy(ret_method, METHOD_MAX, field.text))
        return refusal;
    return ERR_NONE;
}

enum err create_key(const struct call *call, struct idempotency_key *ret_key)
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
    /* with a key: a body may hold card data, which a plain hash would give away */
    crypt_hmac_sha256(&call->context->settings->api_key_hash_key, call->request->body,
                      call->request->body_len, ret_key->request_hash);
    return ERR_NONE;
}

static void complete_intent(const struct call *call, struct payment_intent *intent)
{
    struct payment *payment = &intent->payment;
    ident_new("PAY_", payment->id);
    payment->user_id = call->user.id;
    payment->status = PAYMENT_PENDING;
    (void)text_copy(payment->provider, sizeof payment->provider, call->param);
    (void)text_copy(payment->client_ip, sizeof payment->client_ip, call->request->client_ip);
    intent->lifetime_s = call->context->settings->payment.lifetime_s;
    intent->request_id = call->request->id;
}

static enum err read_body(const struct call *call, create_reader *read, struct checkout *checkout)
{
    struct fields fields;
    enum err err = fields_read(call->request, &fields);
    if (err)
        return err == ERR_PAYLOAD ? ERR_PARAMETERS : err;
    return read(call, &fields, checkout);
}

void create_run(struct call *call, struct checkout *checkout, create_reader *read)
{
    struct context *context = call->context;
    struct arena *arena = call->request->arena;
    struct answer answer;
    enum err err = create_key(call, &checkout->key);
    if (err) {
        reply_error(call, err);
        return;
    }
    if (replay_find(context, arena, &checkout->key, &answer)) {
        reply_answer(call, &answer);
        return;
    }
    checkout->deadline_ms = call->request->deadline_ms;
    err = read_body(call, read, checkout);
    if (err) {
        answer_error(context->settings, arena, err, &answer);
        replay_keep(context, arena, &checkout->key, &answer);
    } else {
        complete_intent(call, &checkout->intent);
        checkout_run(context, arena, checkout, &answer);
    }
    reply_answer(call, &answer);
}
