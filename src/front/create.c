/* One walk for both creating endpoints. Nothing is stored before all checks have passed, but for
 * the refusal itself under its Idempotency-Key. */
#include "front/create.h"

#include "base/clock.h"
#include "flow/replay.h"
#include "front/auth.h"

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
        if (text[i] < (quoted ? ' ' : '!') || text[i] > '~' || text[i] == '"' || text[i] == '\\')
            return ERR_IDEMPOTENCY_KEY;
    memcpy(ret_key->text, text, len);
    ret_key->text[len] = '\0';
    ret_key->user_id = call->claims.user_id;
    ret_key->path = call->request->path;
    /* with a key: a body may hold card data, which a plain hash would give away */
    crypt_hmac_sha256(&call->context->settings->api_key_hash_key, call->request->body,
                      call->request->body_len, ret_key->request_hash);
    return ERR_NONE;
}

/* Items are not held for the days that some ways to pay take. */
static enum err check_lifetime(const struct call *call, const struct checkout *checkout,
                               int64_t *ret_lifetime_s)
{
    const struct provider_driver *driver = checkout->drivers[0];
    const char *method = checkout->intent.payment.method;
    int64_t own_s = driver->lifetime_s == NULL ? 0 : driver->lifetime_s(method);
    *ret_lifetime_s = own_s > 0 ? own_s : call->context->settings->payment.lifetime_s;
    return own_s > 0 && checkout->wish.count > 0 ? ERR_PARAMETERS : ERR_NONE;
}

static void complete_intent(const struct call *call, struct payment_intent *intent)
{
    struct payment *payment = &intent->payment;
    ident_new("PAY_", payment->id);
    payment->user_id = call->claims.user_id;
    payment->status = PAYMENT_PENDING;
    (void)text_copy(payment->provider, sizeof payment->provider, call->param);
    (void)text_copy(payment->client_ip, sizeof payment->client_ip, call->request->client_ip);
    intent->request_id = call->request->id;
}

static enum err read_body(struct call *call, create_reader *read, struct checkout *checkout)
{
    struct fields fields;
    enum err err = fields_read(call->request, &fields);
    if (err)
        return err == ERR_PAYLOAD ? ERR_PARAMETERS : err;
    err = read(call, &fields, checkout);
    return err ? err : check_lifetime(call, checkout, &checkout->intent.lifetime_s);
}

void create_refuse(struct call *call, enum err err)
{
    enum err denial = auth_user(call);
    reply_error(call, denial ? denial : err);
}

static void answer_request(struct call *call, struct checkout *checkout, create_reader *read,
                           struct answer *ret_answer)
{
    struct context *context = call->context;
    struct arena *arena = call->request->arena;
    if (replay_find(context, arena, &checkout->key, ret_answer))
        return;
    checkout->deadline_ms = call->request->deadline_ms;
    enum err err = read_body(call, read, checkout);
    if (!err && checkout->wish.count > 0) /* the intent is about the items first of all */
        err = auth_user(call);
    if (err) {
        answer_error(context->settings, arena, err, ret_answer);
        replay_keep(context, arena, &checkout->key, ret_answer);
        return;
    }
    complete_intent(call, &checkout->intent);
    checkout->payer_unread = call->user.id == 0;
    checkout_run(context, arena, checkout, ret_answer);
}

/* With a key, the user is read first: what was answered before is his alone. Without one, he is
 * read with the intent to pay; if it comes to none, before anything else is said. */
void create_run(struct call *call, struct checkout *checkout, create_reader *read)
{
    struct answer answer;
    enum err err = create_key(call, &checkout->key);
    enum err denial = err || checkout->key.text[0] != '\0' ? auth_user(call) : ERR_NONE;
    if (!err && !denial) {
        answer_request(call, checkout, read, &answer);
        if (answer.payment_id[0] == '\0')
            denial = auth_user(call);
    }
    if (err || denial)
        reply_error(call, denial ? denial : err);
    else
        reply_answer(call, &answer);
}
