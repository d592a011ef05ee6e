/* The calls to Mangopay as bytes: the token, every kind of pay-in, and the questions about them. */
#include "provider/mangopay.h"

#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    BODY_MAX = 32 * 1024,
    BASIC_MAX = CONF_TEXT_MAX + SECRET_MAX + 1, /* client:key */
    KEY_MAX = 37,                               /* an Idempotency-Key has 16 to 36 characters */
};

static void start(const struct settings *settings, struct arena *arena, const char *method,
                  struct buf *ret_url, struct httpc_request *ret_request)
{
    buf_init(ret_url, arena, URL_MAX);
    buf_printf(ret_url, "%s/v2.01/", settings->mangopay.api_url);
    ret_request->method = method;
    ret_request->headers[0] = "Accept: application/json";
    ret_request->keep = "X-RateLimit-";
}

static void start_for_client(const struct settings *settings, struct arena *arena,
                             const char *method, struct buf *ret_url,
                             struct httpc_request *ret_request)
{
    start(settings, arena, method, ret_url, ret_request);
    buf_url(ret_url, settings->mangopay.client_id);
    buf_puts(ret_url, "/");
}

static enum err finish(const struct buf *url, struct httpc_request *ret_request)
{
    ret_request->url = buf_text(url);
    return buf_ok(url) ? ERR_NONE : ERR_OVERLOAD;
}

enum err mangopay_token(const struct settings *settings, struct arena *arena,
                        struct httpc_request *ret_request)
{
    static const char body[] = "grant_type=client_credentials";
    const struct settings_mangopay *s = &settings->mangopay;
    char pair[BASIC_MAX], encoded[BASE64_SIZE(BASIC_MAX)];
    struct buf url, basic;
    int len = snprintf(pair, sizeof pair, "%s:%s", s->client_id, secret_reveal(&s->api_key));
    assert(len > 0 && (size_t)len < sizeof pair);
    base64_encode(pair, (size_t)len, encoded);
    start(settings, arena, "POST", &url, ret_request);
    buf_puts(&url, "oauth/token");
    buf_init(&basic, arena, sizeof encoded + 32);
    buf_printf(&basic, "Authorization: Basic %s", encoded);
    crypt_wipe(pair, sizeof pair);
    crypt_wipe(encoded, sizeof encoded);
    ret_request->headers[1] = "Content-Type: application/x-www-form-urlencoded";
    ret_request->headers[2] = buf_text(&basic);
    ret_request->body = body;
    ret_request->body_len = sizeof body - 1;
    return buf_ok(&basic) ? finish(&url, ret_request) : ERR_OVERLOAD;
}

/* --- Tag and Idempotency-Key --- */

/* "PAY_… live", and what the caller wants to find again there. */
static void put_tag(const struct settings *settings, const struct provider_order *order,
                    struct json_out *out)
{
    char tag[CONF_TEXT_MAX + IDENT_MAX + 640];
    const char *own = order->details->tag;
    (void)snprintf(tag, sizeof tag, "%s %s%s%s", order->reference, settings->payment.environment,
                   own[0] == '\0' ? "" : " ", own);
    json_out_text(out, "Tag", tag);
}

enum mangopay_tag mangopay_tag(const struct settings *settings, const char *tag,
                               char *ret_reference, size_t size)
{
    const char *environment = settings->payment.environment;
    size_t len = tag == NULL ? 0 : strcspn(tag, " "), rest = strlen(environment);
    ret_reference[0] = '\0';
    if (len <= 4 || len >= size || strncmp(tag, "PAY_", 4) != 0)
        return MANGOPAY_TAG_NONE;
    (void)snprintf(ret_reference, size, "%.*s", (int)len, tag);
    tag += len + (tag[len] == ' ');
    return strncmp(tag, environment, rest) == 0 && (tag[rest] == '\0' || tag[rest] == ' ')
               ? MANGOPAY_TAG_OURS
               : MANGOPAY_TAG_FOREIGN;
}

/* Our reference, in the characters that Mangopay takes. */
static void write_key(const struct provider_order *order, char ret_key[KEY_MAX])
{
    int len = snprintf(ret_key, KEY_MAX, "%s", order->reference);
    assert(len >= 16 && len < KEY_MAX);
    for (char *at = ret_key; *at != '\0'; at++)
        *at = *at == '_' ? '-' : *at;
}

/* --- the bodies --- */

static void put_money(struct json_out *out, const char *key, const struct money *money)
{
    json_out_object(out, key);
    json_out_text(out, "Currency", money_currency(money));
    json_out_int(out, "Amount", money_minor_units(money));
    json_out_close_object(out);
}

/* Nothing of it when there is nothing. */
static void put(struct json_out *out, const char *key, const char *text)
{
    if (text[0] != '\0')
        json_out_text(out, key, text);
}

void mangopay_put_address(struct json_out *out, const char *key, const struct mangopay_name *name,
                          const struct provider_address *a)
{
    json_out_object(out, key);
    if (strcmp(key, "ShippingAddress") == 0) {
        char recipient[sizeof name->first + sizeof name->last];
        (void)snprintf(recipient, sizeof recipient, "%s %s", name->first, name->last);
        json_out_text(out, "RecipientName", recipient);
    } else {
        json_out_text(out, "FirstName", name->first);
        json_out_text(out, "LastName", name->last);
    }
    json_out_object(out, "Address");
    json_out_text(out, "AddressLine1", a->address1);
    put(out, "AddressLine2", a->address2);
    json_out_text(out, "City", a->city);
    put(out, "Region", a->state);
    json_out_text(out, "PostalCode", a->postcode);
    json_out_text(out, "Country", a->country);
    json_out_close_object(out);
    json_out_close_object(out);
}

static void put_addresses(struct json_out *out, const struct mangopay_method *method,
                          const struct provider_order *order)
{
    const struct provider_payer *p = order->payer;
    const struct provider_address *shipping = &order->details->shipping;
    const struct provider_address billing = {p->first_name, p->last_name, p->address1, p->address2,
                                             p->city,       p->state,     p->postcode, p->country};
    struct mangopay_name name;
    if ((method->takes & MANGOPAY_BILLING) != 0 && p->address1[0] != '\0' &&
        mangopay_name(p->first_name, p->last_name, p->name, &name))
        mangopay_put_address(out, "Billing", &name, &billing);
    if ((method->takes & MANGOPAY_SHIPPING) != 0 && shipping->address1[0] != '\0' &&
        mangopay_name(shipping->first_name, shipping->last_name, p->name, &name))
        mangopay_put_address(out, method->kind == MANGOPAY_PAYPAL ? "ShippingAddress" : "Shipping",
                             &name, shipping);
}

void mangopay_put_people(struct json_out *out, const struct provider_order *order)
{
    put_addresses(out, mangopay_method(order->method), order);
}

static void put_browser(struct json_out *out, const struct provider_order *order)
{
    const struct provider_browser *b = &order->details->browser;
    const char *ip = order->payer->ip[0] != '\0' ? order->payer->ip : order->payer_ip;
    json_out_text(out, "IpAddress", ip);
    json_out_object(out, "BrowserInfo");
    json_out_text(out, "AcceptHeader", b->accept_header);
    json_out_bool(out, "JavaEnabled", b->java);
    json_out_text(out, "Language", b->language);
    json_out_int(out, "ColorDepth", b->color_depth);
    json_out_int(out, "ScreenHeight", b->screen_height);
    json_out_int(out, "ScreenWidth", b->screen_width);
    json_out_int(out, "TimeZoneOffset", b->time_zone_offset);
    json_out_text(out, "UserAgent", b->user_agent);
    json_out_bool(out, "JavascriptEnabled", b->javascript);
    json_out_close_object(out);
}

static void put_words(struct json_out *out, const struct settings *settings,
                      const struct mangopay_method *method, const struct provider_order *order)
{
    const struct settings_mangopay *s = &settings->mangopay;
    const struct provider_details *d = order->details;
    const char *culture = d->culture[0] != '\0' ? d->culture : s->culture;
    const char *descriptor = d->statement_descriptor;
    if (provider_lists(method->cultures, culture))
        json_out_text(out, "Culture", culture);
    if ((method->takes & MANGOPAY_SECURE_MODE) != 0)
        put(out, "SecureMode", d->secure_mode);
    if ((method->takes & MANGOPAY_DESCRIPTOR) != 0)
        put(out, "StatementDescriptor",
            descriptor[0] != '\0' ? descriptor : s->statement_descriptor);
    if ((method->needs & MANGOPAY_BROWSER) != 0)
        put_browser(out, order);
}

/* The page around the form for cards. */
static void put_template(struct json_out *out, const struct settings *settings)
{
    if (settings->mangopay.template_url[0] == '\0')
        return;
    json_out_object(out, "TemplateURLOptions");
    json_out_text(out, "PaylineV2", settings->mangopay.template_url);
    json_out_close_object(out);
}

/* What only this kind has. */
static void put_kind(struct json_out *out, const struct settings *settings,
                     const struct mangopay_method *method, const struct provider_order *order)
{
    const struct provider_details *d = order->details;
    const char *back = settings->mangopay.return_url;
    switch (method->kind) {
    case MANGOPAY_CARD_WEB:
        json_out_text(out, "CardType", method->type);
        json_out_text(out, "ReturnURL", back);
        put_template(out, settings);
        break;
    case MANGOPAY_DEBIT_WEB:
        json_out_text(out, "DirectDebitType", method->type);
        json_out_text(out, "ReturnURL", back);
        break;
    case MANGOPAY_PAYPAL:
        json_out_text(out, "ReturnURL", back);
        break;
    case MANGOPAY_CARD_DIRECT:
        json_out_text(out, "CardId", d->card_id);
        json_out_text(out, "SecureModeReturnURL", back);
        break;
    case MANGOPAY_PREAUTHORIZED:
        json_out_text(out, "PreauthorizationId", d->preauthorization_id);
        break;
    case MANGOPAY_DEPOSIT:
        json_out_text(out, "DepositId", d->deposit_id);
        break;
    case MANGOPAY_DEBIT_DIRECT:
        json_out_text(out, "MandateId", d->mandate_id);
        break;
    case MANGOPAY_RECURRING_CIT:
        json_out_text(out, "SecureModeReturnURL", back);
        json_out_text(out, "RecurringPayinRegistrationId", d->recurring_id);
        break;
    case MANGOPAY_RECURRING_MIT:
        json_out_text(out, "RecurringPayinRegistrationId", d->recurring_id);
        break;
    case MANGOPAY_BANKWIRE:
        break;
    }
}

static bool is_recurring(const struct mangopay_method *method)
{
    return method->kind == MANGOPAY_RECURRING_CIT || method->kind == MANGOPAY_RECURRING_MIT;
}

/* Author and wallet of a recurring pay-in are those of its registration. */
static void put_parties(struct json_out *out, const struct settings *settings,
                        const struct mangopay_method *method, const struct provider_order *order)
{
    const struct provider_details *d = order->details;
    char wallet[PROVIDER_REFERENCE_MAX] = "";
    if (is_recurring(method))
        return;
    (void)mangopay_wallet(settings, money_currency(&order->amount), wallet);
    json_out_text(out, "AuthorId",
                  d->author_id[0] != '\0' ? d->author_id : settings->mangopay.author_id);
    json_out_text(out, "CreditedWalletId",
                  d->credited_wallet_id[0] != '\0' ? d->credited_wallet_id : wallet);
}

static void put_payin(struct json_out *out, const struct settings *settings,
                      const struct mangopay_method *method, const struct provider_order *order)
{
    bool declared = method->kind == MANGOPAY_BANKWIRE;
    struct money fees;
    bool fits = money_make(0, money_currency(&order->amount), &fees);
    assert(fits);
    (void)mangopay_fees(settings, order, &fees);
    json_out_object(out, NULL);
    put_tag(settings, order, out);
    put_parties(out, settings, method, order);
    put_money(out, declared ? "DeclaredDebitedFunds" : "DebitedFunds", &order->amount);
    put_money(out, declared ? "DeclaredFees" : "Fees", &fees);
    put_kind(out, settings, method, order);
    put_words(out, settings, method, order);
    put_addresses(out, method, order);
    json_out_close_object(out);
}

/* One that is sent again says no more than what is stored. */
static struct provider_order complete(const struct provider_order *order)
{
    static const struct provider_payer nobody = {"", "", "", "", "", "", "",
                                                 "", "", "", "", "", "", ""};
    static const struct provider_details nothing = {
        "", "", "", "", "", "", "", "", "", "", "", -1, {"", "", "", "", "", "", "", ""}, {0}};
    struct provider_order whole = *order;
    whole.payer = order->payer == NULL ? &nobody : order->payer;
    whole.details = order->details == NULL ? &nothing : order->details;
    return whole;
}

enum err mangopay_create(const struct settings *settings, struct arena *arena,
                         const struct provider_order *order, struct httpc_request *ret_request)
{
    const struct mangopay_method *method = mangopay_method(order->method);
    const struct provider_order whole = complete(order);
    struct buf url, body, header;
    char key[KEY_MAX];
    assert(method != NULL); /* it was checked */
    start_for_client(settings, arena, "POST", &url, ret_request);
    buf_puts(&url, method->path);
    buf_init(&header, arena, sizeof key + 32);
    write_key(order, key);
    buf_printf(&header, "Idempotency-Key: %s", key);
    buf_init(&body, arena, BODY_MAX);
    struct json_out *out = json_out_new(arena, &body);
    if (out == NULL)
        return ERR_OVERLOAD;
    put_payin(out, settings, method, &whole);
    enum err err = json_out_end(out);
    ret_request->headers[1] = "Content-Type: application/json";
    ret_request->headers[2] = buf_text(&header);
    ret_request->body = buf_text(&body);
    ret_request->body_len = body.len;
    if (err || !buf_ok(&header))
        return err ? err : ERR_OVERLOAD;
    return finish(&url, ret_request);
}

enum err mangopay_call(const struct settings *settings, struct arena *arena, const char *method,
                       const char *path, const char *body, struct httpc_request *ret_request)
{
    struct buf url;
    start_for_client(settings, arena, method, &url, ret_request);
    buf_puts(&url, path);
    if (body != NULL) {
        ret_request->headers[1] = "Content-Type: application/json";
        ret_request->body = body;
        ret_request->body_len = strlen(body);
    }
    return finish(&url, ret_request);
}

/* The part of the platform's fees that goes back with the first so many of the payment's units. */
static int64_t fees_of(const struct provider_truth *payment, int64_t units)
{
    int64_t fees = money_minor_units(&payment->kept), all = money_minor_units(&payment->amount);
    return all == 0 ? 0 : fees * units / all; /* both are far below 2^31 */
}

/* What leaves the wallet, and with a minus what the fees give back: together what the payer gets.
 * Shares are taken of the sum so far, so that the last refund leaves nothing behind. */
static void put_refund(struct json_out *out, const struct provider_order *order,
                       const struct provider_refund *refund, const struct provider_truth *payment)
{
    const char *currency = money_currency(&order->amount);
    int64_t before = money_minor_units(&refund->before), units = money_minor_units(&refund->amount);
    int64_t fees = fees_of(payment, before + units) - fees_of(payment, before);
    struct money debited, back;
    bool fits = money_make(units - fees, currency, &debited) && money_make(-fees, currency, &back);
    assert(fits); /* the payment's currency is one */
    json_out_object(out, NULL);
    json_out_text(out, "Tag", refund->id);
    json_out_text(out, "AuthorId", payment->author);
    put_money(out, "DebitedFunds", &debited);
    put_money(out, "Fees", &back);
    json_out_close_object(out);
}

/* Its figures are used: Mangopay's word on them must make sense. */
static bool is_refundable(const struct provider_truth *payment)
{
    return payment->author[0] != '\0' && payment->fact == FACT_SUCCEEDED &&
           payment->stranger == NULL && payment->doubt == NULL &&
           money_minor_units(&payment->amount) <= PAYMENT_VALUE_MAX;
}

enum err mangopay_refund(const struct settings *settings, struct arena *arena,
                         const struct provider_order *order, const struct provider_refund *refund,
                         const struct provider_truth *payment, struct httpc_request *ret_request)
{
    const struct provider_order keyed = {.reference = refund->id};
    struct buf path, body, header;
    char key[KEY_MAX];
    if (!is_refundable(payment))
        return ERR_PAYLOAD;
    buf_init(&path, arena, URL_MAX);
    buf_puts(&path, "payins/");
    buf_url(&path, order->provider_reference);
    buf_puts(&path, "/refunds");
    buf_init(&header, arena, sizeof key + 32);
    write_key(&keyed, key);
    buf_printf(&header, "Idempotency-Key: %s", key);
    buf_init(&body, arena, BODY_MAX);
    struct json_out *out = json_out_new(arena, &body);
    if (out == NULL)
        return ERR_OVERLOAD;
    put_refund(out, order, refund, payment);
    enum err err = json_out_end(out);
    if (!err)
        err = mangopay_call(settings, arena, "POST", buf_text(&path), buf_text(&body), ret_request);
    ret_request->headers[2] = buf_text(&header);
    return !err && !(buf_ok(&path) && buf_ok(&header)) ? ERR_OVERLOAD : err;
}

enum err mangopay_recover(const struct settings *settings, struct arena *arena,
                          const struct provider_order *order, struct httpc_request *ret_request)
{
    struct buf url;
    char key[KEY_MAX];
    start_for_client(settings, arena, "GET", &url, ret_request);
    write_key(order, key);
    buf_printf(&url, "responses/%s", key);
    return finish(&url, ret_request);
}

enum err mangopay_read(const struct settings *settings, struct arena *arena,
                       const struct provider_order *order, struct httpc_request *ret_request)
{
    static const char *const paths[] = {[PROVIDER_PAYMENT] = "payins/",
                                        [PROVIDER_REFUND] = "refunds/",
                                        [PROVIDER_DISPUTE] = "disputes/",
                                        [PROVIDER_REPUDIATION] = "repudiations/"};
    struct buf url;
    start_for_client(settings, arena, "GET", &url, ret_request);
    buf_puts(&url, paths[order->object]);
    buf_url(&url, order->provider_reference);
    return finish(&url, ret_request);
}

enum err mangopay_card(const struct settings *settings, struct arena *arena,
                       const struct provider_order *order, struct httpc_request *ret_request)
{
    struct buf url;
    start_for_client(settings, arena, "GET", &url, ret_request);
    buf_puts(&url, "payins/card/web/");
    buf_url(&url, order->provider_reference);
    buf_puts(&url, "/extended");
    return finish(&url, ret_request);
}
