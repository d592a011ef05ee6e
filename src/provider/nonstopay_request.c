/* The calls to NonStopPay as bytes: an invoice with all its fields, and the questions about one. */
#include "provider/nonstopay.h"

#include "base/buf.h"
#include "base/crypt.h"
#include "domain/card.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { HEADER_MAX = SECRET_MAX + 32, BODY_MAX = 32 * 1024, DAY_S = 86400, DATE_SIZE = 11 };

/* Members of an object, or fields of a form. */
struct writer {
    struct json_out *json; /* NULL: a form is written */
    struct buf *form;
};

static void put(const struct writer *writer, const char *name, const char *text)
{
    if (text[0] == '\0')
        return;
    if (writer->json != NULL) {
        json_out_text(writer->json, name, text);
        return;
    }
    buf_printf(writer->form, "%s%s=", writer->form->len == 0 ? "" : "&", name);
    buf_url(writer->form, text);
}

void nonstopay_nonce(const struct settings *settings, const char *reference,
                     char ret_nonce[NONSTOPAY_NONCE_SIZE])
{
    unsigned char hash[CRYPT_HASH_BYTES];
    char text[128];
    int len = snprintf(text, sizeof text, "nonstopay callback %.64s", reference);
    crypt_hmac_sha256(&settings->api_key_hash_key, text, (size_t)len, hash);
    hex_encode(hash, (NONSTOPAY_NONCE_SIZE - 1) / 2, ret_nonce);
}

/* {"reference":…,"nonce":…}; both are words of ours that need no escaping. */
static void put_callback(const struct writer *writer, const struct settings *settings,
                         const struct provider_order *order)
{
    char nonce[NONSTOPAY_NONCE_SIZE], text[160];
    nonstopay_nonce(settings, order->reference, nonce);
    if (writer->json != NULL) {
        json_out_object(writer->json, "callbackJson");
        json_out_text(writer->json, "reference", order->reference);
        json_out_text(writer->json, "nonce", nonce);
        json_out_close_object(writer->json);
        return;
    }
    (void)snprintf(text, sizeof text, "{\"reference\":\"%.64s\",\"nonce\":\"%s\"}",
                   order->reference, nonce);
    put(writer, "callbackJson", text);
}

/* The browser tells us by our reference where it comes from; the rest is for the eye. */
static void put_urls(const struct writer *writer, const struct settings *settings,
                     const struct provider_order *order)
{
    static const char *const ends[] = {"success", "cancel", "pending", "failure"};
    char name[16], url[CONF_TEXT_MAX + 128];
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        (void)snprintf(name, sizeof name, "%s_url", ends[i]);
        (void)snprintf(url, sizeof url, "%s?order_id=%.64s&end=%s", settings->nonstopay.return_url,
                       order->reference, ends[i]);
        put(writer, name, url);
    }
}

static void put_way(const struct writer *writer, const struct settings *settings,
                    const struct provider_order *order)
{
    static const char *const types[] = {[NONSTOPAY_HOSTED] = "",
                                        [NONSTOPAY_CARD] = "CARD",
                                        [NONSTOPAY_UPI] = "UPI",
                                        [NONSTOPAY_CRYPTO] = "CRYPTO"};
    enum nonstopay_way way;
    const char *currency;
    if (!nonstopay_way(settings, order->method, &way, &currency))
        return;
    put(writer, "payableCurrencies", currency);
    if (settings->nonstopay.solution_type) /* "only with the agreement of technical support" */
        put(writer, "payment_solution_type", types[way]);
}

static void put_payer(const struct writer *writer, const struct provider_order *order)
{
    const struct provider_payer *payer = order->payer;
    const struct provider_card *card = order->card;
    const char *second = payer->address2;
    if (card != NULL && second[0] == '\0')
        second = payer->address1;
    put(writer, "name", card != NULL ? card->holder : payer->name);
    put(writer, "address1", payer->address1);
    put(writer, "address2", second);
    put(writer, "city", payer->city);
    put(writer, "country", payer->country);
    put(writer, "state", payer->state);
    put(writer, "postcode", payer->postcode);
    put(writer, "date_of_birth", payer->date_of_birth);
    put(writer, "personal_id", payer->personal_id);
    put(writer, "phone", payer->phone);
    put(writer, "customer_ip", payer->ip);
}

static void put_card(const struct writer *writer, const struct provider_card *card)
{
    char number[CARD_DIGITS_MAX + 1];
    if (card_number_read(card->number, number))
        put(writer, "card_number", number);
    put(writer, "card_expiry_date", card->expiry);
    put(writer, "card_ccv", card->cvc);
    crypt_wipe(number, sizeof number);
}

static void put_invoice(const struct writer *writer, const struct settings *settings,
                        const struct provider_order *order)
{
    char amount[MONEY_TEXT_MAX];
    money_format(&order->amount, amount);
    put(writer, "email", order->payer->email);
    put(writer, "amount", amount);
    put(writer, "devise", money_currency(&order->amount));
    put_urls(writer, settings, order);
    put_callback(writer, settings, order);
    put_way(writer, settings, order);
    put_payer(writer, order);
    if (order->card != NULL)
        put_card(writer, order->card);
}

/* Address and headers common to all calls. */
static enum err start(const struct settings *settings, struct arena *arena, const struct buf *url,
                      const char *method, struct httpc_request *ret_request)
{
    struct buf key;
    buf_init(&key, arena, HEADER_MAX);
    buf_printf(&key, "API-KEY: %s", secret_reveal(&settings->nonstopay.api_key));
    ret_request->method = method;
    ret_request->url = buf_text(url);
    ret_request->headers[0] = buf_text(&key);
    ret_request->headers[1] = "Accept: application/json";
    return buf_ok(url) && buf_ok(&key) ? ERR_NONE : ERR_OVERLOAD;
}

static const char *create_path(const struct settings *settings, const struct provider_order *order)
{
    enum nonstopay_way way;
    const char *currency;
    if (nonstopay_way(settings, order->method, &way, &currency) && way == NONSTOPAY_UPI)
        return settings->nonstopay.upi_path;
    return way == NONSTOPAY_CRYPTO ? settings->nonstopay.crypto_path
                                   : settings->nonstopay.create_path;
}

enum err nonstopay_create(const struct settings *settings, struct arena *arena,
                          const struct provider_order *order, struct httpc_request *ret_request)
{
    struct buf url, body;
    struct writer writer = {.form = &body};
    enum err err = ERR_NONE;
    bool is_form = settings->nonstopay.sends_form;
    assert(order->payer != NULL); /* invoices are made once, by the request that brings the payer */
    buf_init(&url, arena, URL_MAX);
    buf_init(&body, arena, BODY_MAX);
    buf_printf(&url, "%s%s", settings->nonstopay.api_url, create_path(settings, order));
    if (!is_form) {
        writer.json = json_out_new(arena, &body);
        if (writer.json == NULL)
            return ERR_OVERLOAD;
        json_out_object(writer.json, NULL);
    }
    put_invoice(&writer, settings, order);
    if (!is_form) {
        json_out_close_object(writer.json);
        err = json_out_end(writer.json);
    }
    ret_request->headers[2] = is_form ? "Content-Type: application/x-www-form-urlencoded"
                                      : "Content-Type: application/json";
    ret_request->body = buf_text(&body);
    ret_request->body_len = body.len;
    enum err started = start(settings, arena, &url, "POST", ret_request);
    if (err || started)
        return err ? err : started;
    return buf_ok(&body) ? ERR_NONE : ERR_OVERLOAD;
}

/* The infos tell whose invoice it is; for one that is known to be ours its status is enough. */
enum err nonstopay_read(const struct settings *settings, struct arena *arena,
                        const struct provider_order *order, struct httpc_request *ret_request)
{
    struct buf url;
    buf_init(&url, arena, URL_MAX);
    buf_printf(&url, "%s%s?id=", settings->nonstopay.api_url,
               order->unproved ? settings->nonstopay.infos_path : settings->nonstopay.status_path);
    buf_url(&url, order->provider_reference);
    return start(settings, arena, &url, "GET", ret_request);
}

static void write_day(int64_t time_s, char ret_day[DATE_SIZE])
{
    time_t seconds = (time_t)time_s;
    struct tm day;
    (void)gmtime_r(&seconds, &day);
    (void)strftime(ret_day, DATE_SIZE, "%Y-%m-%d", &day);
}

/* A day more on either side: nobody says in which zone NonStopPay counts its days. */
enum err nonstopay_search(const struct settings *settings, struct arena *arena,
                          const struct provider_order *order, const struct provider_cursor *cursor,
                          struct httpc_request *ret_request)
{
    static const char *const lists[] = {"PAID", "WAITING"};
    char from[DATE_SIZE], to[DATE_SIZE];
    struct buf url;
    write_day(order->created_s - DAY_S, from);
    write_day(order->now_s + DAY_S, to);
    buf_init(&url, arena, URL_MAX);
    buf_printf(&url, "%s%s?status=%s&from=%s&to=%s&order=ASC&page=%lld",
               settings->nonstopay.api_url, settings->nonstopay.history_path,
               lists[cursor->list == 0 ? 0 : 1], from, to, (long long)cursor->page + 1);
    return start(settings, arena, &url, "GET", ret_request);
}
