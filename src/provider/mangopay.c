/* The Mangopay driver: its token and its table. No I/O, no state. */
#include "provider/mangopay.h"

#include "base/buf.h"

#include <string.h>
#include <strings.h>

static bool mangopay_configured(const struct settings *settings)
{
    return secret_is_set(&settings->mangopay.api_key) && settings->mangopay.client_id[0] != '\0';
}

static const struct settings_provider *mangopay_terms(const struct settings *settings)
{
    return &settings->mangopay.common;
}

static bool mangopay_allows(const struct settings *settings, int64_t value)
{
    return value >= settings->mangopay.minimum && value <= settings->mangopay.maximum;
}

static int64_t mangopay_lifetime_s(const char *name)
{
    const struct mangopay_method *method = mangopay_method(name);
    return method == NULL ? 0 : method->lifetime_s;
}

bool mangopay_id(const struct json *object, const char *key, char *ret_id, size_t size)
{
    const char *text = json_get_text(object, key);
    ret_id[0] = '\0';
    return text != NULL && mangopay_is_id(text) && text_copy(ret_id, size, text);
}

bool mangopay_money(const struct json *object, const char *key, struct money *ret_money)
{
    const struct json *funds = json_get(object, key), *amount = json_get(funds, "Amount");
    const char *currency = json_get_text(funds, "Currency");
    int64_t units;
    return amount != NULL && currency != NULL && json_int(amount, &units) && units >= 0 &&
           money_make(units, currency, ret_money);
}

const char *mangopay_text(const struct json *object, const char *key, const char *fallback)
{
    const char *text = json_get_text(object, key);
    return text == NULL ? fallback : text;
}

bool mangopay_says(const struct json *object, const char *key, const char *right)
{
    return strcmp(mangopay_text(object, key, ""), right) == 0;
}

/* It goes into a header: printable, and no space. */
static bool is_token(const char *text)
{
    size_t len = 0;
    while (text[len] > ' ' && text[len] <= '~')
        len++;
    return len > 0 && text[len] == '\0';
}

static bool mangopay_token_read(struct arena *arena, const struct httpc_answer *answer,
                                struct provider_token *ret_token)
{
    struct json *root;
    if (answer->status != 200 ||
        json_parse(arena, answer->body, answer->body_len, &root) != ERR_NONE)
        return false;
    const struct json *life = json_get(root, "expires_in");
    const char *token = json_get_text(root, "access_token");
    return strcasecmp(mangopay_text(root, "token_type", ""), "bearer") == 0 && token != NULL &&
           is_token(token) && life != NULL && json_int(life, &ret_token->life_s) &&
           ret_token->life_s > 0 && text_copy(ret_token->text, sizeof ret_token->text, token);
}

/* Mangopay adds it to the address that we gave. */
static const char *mangopay_returned(const struct http_field *query)
{
    return http_form_get(query, "transactionId");
}

const struct provider_driver mangopay_driver = {
    .name = "mangopay",
    .configured = mangopay_configured,
    .terms = mangopay_terms,
    .allows = mangopay_allows,
    .methods = mangopay_methods,
    .check = mangopay_check,
    .create = mangopay_create,
    .created = mangopay_created,
    .read = mangopay_read,
    .readback = mangopay_readback,
    .fits = mangopay_fits,
    .recover = mangopay_recover,
    .recovered = mangopay_recovered,
    .refundable = mangopay_refundable,
    .refund = mangopay_refund,
    .refunded = mangopay_created,
    .token = mangopay_token,
    .token_read = mangopay_token_read,
    .lifetime_s = mangopay_lifetime_s,
    .reference_is_unique = true, /* a key is taken once in a day */
    .repeatable = mangopay_repeatable,
    .notice_proved = mangopay_notice_proved,
    .notice = mangopay_notice,
    .thin = true,
    .notice_in_query = true,
    .hooks = &mangopay_hooks,
    .registrations = &mangopay_registrations,
    .desk = &mangopay_desk,
    .card = mangopay_card,
    .card_read = mangopay_card_read,
    .returned = mangopay_returned,
};
