/* The Payviox driver: session create and read-back, signed notices. No I/O, no state. */
#include "provider/payviox.h"

#include "base/crypt.h"
#include "base/json.h"

#include <stdio.h>
#include <string.h>

enum { SIGNATURE_BYTES = 32, AUTHORIZATION_MAX = SECRET_MAX + 32, BODY_MAX = 96 * 1024 };

static bool payviox_configured(const struct settings *settings)
{
    return secret_is_set(&settings->payviox.secret_key) &&
           secret_is_set(&settings->payviox.webhook_token);
}

static const struct settings_provider *payviox_terms(const struct settings *settings)
{
    return &settings->payviox.common;
}

static bool payviox_allows(const struct settings *settings, int64_t value)
{
    return value >= settings->payviox.minimum && value <= settings->payviox.maximum;
}

/* Address and headers common to all calls. */
static enum err start_request(const struct settings *settings, struct arena *arena,
                              const char *path, const char *id, struct httpc_request *ret_request)
{
    struct buf url, authorization;
    buf_init(&url, arena, URL_MAX);
    buf_printf(&url, "%s/%s%s", settings->payviox.api_url, path, id);
    buf_init(&authorization, arena, AUTHORIZATION_MAX);
    buf_printf(&authorization, "Authorization: Bearer %s",
               secret_reveal(&settings->payviox.secret_key));
    ret_request->url = buf_text(&url);
    ret_request->headers[0] = buf_text(&authorization);
    ret_request->headers[1] = "Accept: application/json";
    return buf_ok(&url) && buf_ok(&authorization) ? ERR_NONE : ERR_OVERLOAD;
}

static void write_item(struct json_out *out, const char *name, const struct money *price)
{
    json_out_object(out, NULL);
    json_out_text(out, "name", name);
    json_out_int(out, "quantity", 1);
    json_out_int(out, "price", money_minor_units(price));
    json_out_close_object(out);
}

static void write_session(const struct settings *settings, const struct provider_order *order,
                          struct json_out *out)
{
    const struct ident_text customer = ident_text(order->user_id);
    json_out_object(out, NULL);
    json_out_int(out, "amount", money_minor_units(&order->amount));
    json_out_text(out, "currency", money_currency(&order->amount));
    json_out_text(out, "customer", customer.text);
    json_out_text(out, "order_id", order->reference);
    json_out_array(out, "items"); /* their sum must equal the amount */
    for (size_t i = 0; i < order->cart.count; i++)
        write_item(out, order->cart.items[i].name, &order->cart.items[i].price);
    if (order->cart.count == 0)
        write_item(out, "Balance deposit", &order->amount);
    json_out_close_array(out);
    if (order->method[0] != '\0')
        json_out_text(out, "paymentMethodId", provider_method_id(&payviox_driver, order->method));
    if (settings->payviox.send_payer_ip)
        json_out_text(out, "ip", order->payer_ip);
    json_out_object(out, "metadata");
    json_out_text(out, "payment_id", order->payment_id);
    json_out_text(out, "user_id", customer.text);
    json_out_text(out, "environment", settings->payment.environment);
    json_out_close_object(out);
    json_out_close_object(out);
}

static enum err payviox_create(const struct settings *settings, struct arena *arena,
                               const struct provider_order *order,
                               struct httpc_request *ret_request)
{
    struct buf body;
    enum err err = start_request(settings, arena, "session", "", ret_request);
    buf_init(&body, arena, BODY_MAX);
    struct json_out *out = err ? NULL : json_out_new(arena, &body);
    if (out == NULL)
        return ERR_OVERLOAD;
    write_session(settings, order, out);
    err = json_out_end(out);
    ret_request->method = "POST";
    ret_request->headers[2] = "Content-Type: application/json";
    ret_request->body = buf_text(&body);
    ret_request->body_len = body.len;
    return err;
}

/* {"amount":["The amount field is required."]} or {"error":"…"}: the first text found. */
static void quote_refusal(const struct json *root, struct provider_result *ret_result)
{
    char first[REASON_MAX], text[REASON_MAX];
    const struct json *member = root->type == JSON_OBJECT ? root->child : NULL;
    const char *message = json_get_text(root, "error");
    if (message == NULL && member != NULL && member->type == JSON_ARRAY && member->child != NULL &&
        member->child->type == JSON_STRING)
        message = member->child->text;
    provider_quote(first, sizeof first, message == NULL ? "no reason given" : message);
    (void)snprintf(text, sizeof text, "Payviox answered %d: %.150s", ret_result->http_status,
                   first);
    provider_quote(ret_result->reason, REASON_MAX, text);
}

static bool is_session_id(const char *text)
{
    return strlen(text) >= 8 && provider_is_id(text, PROVIDER_REFERENCE_MAX - 1);
}

/* NULL: the arena is full. */
static const char *page_of(const struct settings *settings, struct arena *arena,
                           const char *session)
{
    struct buf url;
    buf_init(&url, arena, URL_MAX);
    buf_printf(&url, "%s/%s", settings->payviox.page_url, session);
    return buf_ok(&url) ? buf_text(&url) : NULL;
}

/* 201 with a session. Its page works even when payment_error says that the direct way did not. */
static bool read_session(const struct settings *settings, struct arena *arena,
                         const struct json *root, struct provider_result *ret_result)
{
    const char *session = json_get_text(root, "session_id");
    const struct json *redirect = json_get(root, "redirect_url");
    const struct json *failure = json_get(root, "payment_error");
    if (session == NULL || !is_session_id(session))
        return false;
    if (redirect != NULL && redirect->type != JSON_NULL &&
        (redirect->type != JSON_STRING || !provider_is_payer_url(redirect->text)))
        return false;
    (void)snprintf(ret_result->provider_reference, PROVIDER_REFERENCE_MAX, "%s", session);
    ret_result->url = redirect != NULL && redirect->type == JSON_STRING
                          ? redirect->text
                          : page_of(settings, arena, session);
    if (ret_result->url == NULL)
        return false;
    if (failure != NULL && failure->type == JSON_OBJECT) {
        const char *message = json_get_text(failure, "message");
        provider_quote(ret_result->reason, REASON_MAX,
                       message == NULL ? "payment_error without a message" : message);
    }
    ret_result->outcome = OUTCOME_PENDING;
    return true;
}

static void payviox_created(const struct settings *settings, struct arena *arena,
                            const struct httpc_answer *answer, struct provider_result *ret_result)
{
    struct json *root;
    (void)snprintf(ret_result->reason, REASON_MAX, "Payviox answered %d and nothing we understand",
                   answer->status);
    if (answer->status == 429) { /* "Too many session requests", per payer or per address */
        ret_result->outcome = OUTCOME_NOT_SENT;
        (void)snprintf(ret_result->reason, REASON_MAX, "Payviox takes no more sessions for now");
        return;
    }
    if (json_parse(arena, answer->body, answer->body_len, &root) != ERR_NONE)
        return;
    if (provider_is_refusal(answer->status)) {
        ret_result->outcome = OUTCOME_REFUSED;
        quote_refusal(root, ret_result);
    } else if (answer->status == 201 || answer->status == 200) {
        ret_result->reason[0] = '\0';
        if (!read_session(settings, arena, root, ret_result))
            (void)snprintf(ret_result->reason, REASON_MAX, "Payviox answered %d without a session",
                           answer->status);
    }
}

static enum err payviox_read(const struct settings *settings, struct arena *arena,
                             const struct provider_order *order, struct httpc_request *ret_request)
{
    ret_request->method = "GET";
    return start_request(settings, arena, "payment/", order->provider_reference, ret_request);
}

/* The words of notices, of read-backs, and of the notices of older Payviox versions.
 * "failed" is the payer's last try; the session may still be paid, and a success after it counts.
 */
static const struct {
    const char *word;
    enum payment_fact fact;
    bool given_back; /* "fraud; the customer is refunded automatically" */
} words[] = {
    {"succeeded", FACT_SUCCEEDED, false},
    {"pending_review", FACT_PROCESSING, false},
    {"declined", FACT_FAILED, true},
    {"refunded", FACT_REFUNDED, false},
    {"expired", FACT_EXPIRED, false},
    {"incomplete", FACT_PROCESSING, false},
    {"failed", FACT_FAILED, false},
    {"pending", FACT_NOTHING, false},
    {"processing", FACT_PROCESSING, false},
    {"canceled", FACT_FAILED, false},
    {"requires_payment_method", FACT_NOTHING, false},
    {"requires_confirmation", FACT_NOTHING, false},
    {"requires_action", FACT_NOTHING, false},
};

static bool read_word(const char *word, struct provider_truth *ret_truth)
{
    for (size_t i = 0; word != NULL && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].word, word) != 0)
            continue;
        ret_truth->fact = words[i].fact;
        ret_truth->given_back = words[i].given_back;
        provider_quote(ret_truth->word, sizeof ret_truth->word, word);
        return true;
    }
    return false;
}

/* amount and fees of a notice or read-back as money; a missing or null fee is none. */
static bool read_money(const struct json *root, struct provider_truth *ret_truth)
{
    const char *currency = json_get_text(root, "currency");
    const struct json *fees = json_get(root, "fees");
    int64_t amount, fee = 0;
    if (currency == NULL || !json_int(json_get(root, "amount"), &amount) || amount < 0)
        return false;
    if (fees != NULL && fees->type != JSON_NULL && (!json_int(fees, &fee) || fee < 0))
        return false;
    ret_truth->has_amount = money_make(amount, currency, &ret_truth->amount) &&
                            money_make(fee, currency, &ret_truth->fees);
    return ret_truth->has_amount;
}

static bool read_texts(const char *order_id, const char *session, struct provider_truth *ret_truth)
{
    return order_id != NULL && session != NULL &&
           text_copy(ret_truth->reference, sizeof ret_truth->reference, order_id) &&
           text_copy(ret_truth->provider_reference, sizeof ret_truth->provider_reference, session);
}

/* The read-back's amount is what the payer paid, with fees on top; before a first try, and in older
 * versions of the interface, it is the session's own. Whichever of the two gives the amount of our
 * order is taken. */
static void settle_gross(const struct provider_order *order, struct provider_truth *truth)
{
    struct money minus_fees = money_negative(&truth->fees), net;
    if (!money_equal(&truth->amount, &order->amount) &&
        money_add(&truth->amount, &minus_fees, &net))
        truth->amount = net;
}

static enum provider_reading payviox_readback(const struct settings *settings, struct arena *arena,
                                              const struct provider_order *order,
                                              const struct httpc_answer *answer,
                                              struct provider_truth *ret_truth)
{
    struct json *root;
    (void)settings;
    if (json_parse(arena, answer->body, answer->body_len, &root) != ERR_NONE)
        return READING_FAILED;
    if (answer->status == 404)
        return READING_NOT_FOUND;
    const struct json *status = json_get(root, "status");
    if (answer->status != 200 || status == NULL ||
        !read_texts(json_get_text(root, "order_id"), json_get_text(root, "session_id"),
                    ret_truth) ||
        strcmp(ret_truth->reference, order->reference) != 0 ||
        strcmp(ret_truth->provider_reference, order->provider_reference) != 0)
        return READING_FAILED;       /* not an answer to what was asked */
    if (status->type == JSON_NULL) { /* nobody has tried to pay yet */
        ret_truth->fact = FACT_NOTHING;
        return READING_TRUTH;
    }
    if (status->type != JSON_STRING || !read_word(status->text, ret_truth) ||
        !read_money(root, ret_truth))
        return READING_FAILED;
    settle_gross(order, ret_truth);
    return READING_TRUTH;
}

static bool payviox_notice_proved(const struct settings *settings,
                                  const struct http_request *request)
{
    unsigned char claimed[SIGNATURE_BYTES], right[SIGNATURE_BYTES];
    const char *signature;
    if (http_header_get(request, "HTTP_SIGNATURE", &signature) != ERR_NONE || signature == NULL ||
        !hex_decode(signature, claimed, sizeof claimed))
        return false;
    crypt_hmac_sha256(&settings->payviox.webhook_token, request->body, request->body_len, right);
    return crypt_equal(claimed, right, sizeof right);
}

/* One Payviox account may serve several installations of ours; each hears of the others' payments.
 * Payments of older versions bear no name. */
static const char *find_stranger(const struct settings *settings, const struct json *metadata)
{
    const char *environment = json_get_text(metadata, "environment");
    return environment == NULL || strcmp(environment, settings->payment.environment) == 0
               ? NULL
               : "of another environment";
}

static enum err payviox_notice(const struct settings *settings, struct arena *arena,
                               const char *body, size_t len, struct provider_truth *ret_truth)
{
    struct json *root;
    enum err err = json_parse(arena, body, len, &root);
    if (err)
        return err;
    const struct json *metadata = json_get(root, "metadata");
    if (!read_texts(json_get_text(root, "order_id"),
                    json_get_text(metadata, "integration_session_id"), ret_truth) ||
        !read_word(json_get_text(root, "type"), ret_truth) || !read_money(root, ret_truth))
        return ERR_PAYLOAD;
    ret_truth->stranger = find_stranger(settings, metadata);
    return ERR_NONE;
}

/* The page adds these to the return address of its dashboard; the latter is always there. */
static const char *payviox_returned(const struct http_field *query)
{
    const char *order_id = http_form_get(query, "order_id");
    return order_id != NULL ? order_id : http_form_get(query, "session_id");
}

/* The words of the older interface first; then the ids that Payviox documents. Its list depends on
 * the account (GET /payments/methods), so any other id is passed on as it is. */
static const struct provider_method methods[] = {
    {"credit_card", "stripe_credit"}, {"paypal", "paypal"},
    {"crypto", "cryptocom"},          {"stripe_credit", "stripe_credit"},
    {"zen_card", "zen_card"},         {"zen_blik", "zen_blik"},
    {"nicepay_va", "nicepay_va"},     {"nicepay_ewallet", "nicepay_ewallet"},
    {"cryptocom", "cryptocom"},       {NULL, NULL},
};

static bool payviox_repeatable(const struct settings *settings, const char *method)
{
    (void)settings;
    (void)method;
    return true; /* every session waits for its payer */
}

const struct provider_driver payviox_driver = {
    .name = "payviox",
    .configured = payviox_configured,
    .terms = payviox_terms,
    .allows = payviox_allows,
    .methods = methods,
    .create = payviox_create,
    .created = payviox_created,
    .read = payviox_read,
    .readback = payviox_readback,
    .notice_proved = payviox_notice_proved,
    .notice = payviox_notice,
    .returned = payviox_returned,
    .reference_is_unique = true, /* "order_id: unique per business" */
    .repeatable = payviox_repeatable,
};
