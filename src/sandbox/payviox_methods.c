/* Payviox' payment methods: the table, the fees, and the list that merchants ask for.
 * Fees are whole cents and basis points; decimals exist only as text on the wire. */
#include "sandbox/payviox.h"

#include "sandbox/answer.h"
#include "sandbox/text.h"

#include <string.h>
#include <strings.h>

enum { FILTER_MAX = 200 };

#define IMAGES "https://cdn.payviox.com/images/"

const struct payviox_method payviox_methods[] = {
    {"stripe_credit", "Credit Card (Stripe)", "stripe", "card", FORM_CARD, false, 30, 290, 250,
     NULL, NULL, IMAGES "stripe.png"},
    {"zen_card", "Credit Card (Zen)", "zen", "card", FORM_CARD, true, 25, 250, 220, NULL, NULL,
     IMAGES "zen.png"},
    {"zen_blik", "BLIK (Zen)", "zen", "blik", FORM_CODE, true, 0, 150, 150, "PL", "PLN,EUR,USD",
     IMAGES "blik.png"},
    {"paypal", "PayPal", "paypal", "paypal", FORM_EMAIL, true, 35, 349, 290, NULL, NULL,
     IMAGES "paypal.png"},
    {"nicepay_va", "Virtual Account (Nicepay)", "nicepay", "bank_transfer", FORM_CONFIRM, true, 0,
     150, 150, "ID", "IDR,USD", IMAGES "va.png"},
    {"nicepay_ewallet", "E-wallet (Nicepay)", "nicepay", "ewallet", FORM_CONFIRM, true, 0, 200, 200,
     "ID", "IDR,USD", IMAGES "ewallet.png"},
    {"payssion", "Local methods (Payssion)", "payssion", "bank_transfer", FORM_CONFIRM, true, 20,
     300, 300, NULL, "USD,EUR,BRL", IMAGES "payssion.png"},
    {"pallapay", "Crypto (Pallapay)", "pallapay", "crypto", FORM_CRYPTO, true, 0, 100, 100, NULL,
     "USD,EUR", IMAGES "pallapay.png"},
    {"cryptocom", "Crypto.com Pay", "cryptocom", "crypto", FORM_CRYPTO, true, 0, 100, 100, NULL,
     "USD", IMAGES "cryptocom.png"},
    {"cryptocom_btc", "Bitcoin (Crypto.com)", "cryptocom", "crypto", FORM_CRYPTO, true, 0, 100, 100,
     NULL, "USD", IMAGES "bitcoin.png"},
    {.id = NULL},
};

const struct payviox_method *payviox_method_find(const char *id)
{
    for (const struct payviox_method *method = payviox_methods; method->id != NULL; method++)
        if (strcmp(method->id, id) == 0)
            return method;
    return NULL;
}

const struct payviox_method *payviox_method_of(const struct session *session)
{
    const char *id = session->attempt.method != NULL ? session->attempt.method : session->method;
    const struct payviox_method *method = id == NULL ? NULL : payviox_method_find(id);
    return method == NULL ? &payviox_methods[0] : method;
}

int64_t payviox_fees(const struct payviox_method *method, int64_t amount)
{
    return method->fee_cents + (amount * method->fee_basis_points + 5000) / 10000;
}

/* True when the comma-separated list holds the code. */
static bool list_holds(const char *list, const char *code, size_t len)
{
    for (;;) {
        size_t step = strcspn(list, ",");
        if (step == len && strncasecmp(list, code, len) == 0)
            return true;
        if (list[step] == '\0')
            return false;
        list += step + 1;
    }
}

/* True when the method has no such list, or any of the codes asked for is on it. */
static bool list_meets(const char *list, const char *asked)
{
    if (list == NULL || asked == NULL || *asked == '\0')
        return true;
    for (;;) {
        size_t step = strcspn(asked, ",");
        if (list_holds(list, asked, step))
            return true;
        if (asked[step] == '\0')
            return false;
        asked += step + 1;
    }
}

bool payviox_method_takes(const struct payviox_method *method, const char *currency)
{
    return list_meets(method->currencies, currency);
}

/* Codes of so many letters, at most 200 of them. */
static bool filter_valid(const char *asked, size_t letters)
{
    int count = 0;
    if (asked == NULL || *asked == '\0')
        return true;
    for (;;) {
        size_t step = strcspn(asked, ",");
        if (step != letters || ++count > FILTER_MAX ||
            strspn(asked, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") < letters)
            return false;
        if (asked[step] == '\0')
            return true;
        asked += step + 1;
    }
}

static void write_list(struct json_out *out, const char *key, const char *list)
{
    if (list == NULL) {
        json_out_text(out, key, NULL);
        return;
    }
    json_out_array(out, key);
    for (;;) {
        char code[8] = "";
        size_t step = strcspn(list, ",");
        if (step < sizeof code)
            memcpy(code, list, step);
        json_out_text(out, NULL, code);
        if (list[step] == '\0')
            break;
        list += step + 1;
    }
    json_out_close_array(out);
}

static void write_decimal(struct arena *arena, struct json_out *out, const char *key,
                          int64_t decimal, int places)
{
    struct buf digits;
    buf_init(&digits, arena, 32);
    buf_decimal(&digits, decimal, places, 0);
    const struct json number = {.type = JSON_NUMBER, .text = buf_text(&digits), .len = digits.len};
    json_out_value(out, key, &number);
}

static void write_method(struct arena *arena, struct json_out *out,
                         const struct payviox_method *method, bool company)
{
    json_out_object(out, method->id);
    write_list(out, "countries", method->countries);
    write_list(out, "currencies", method->currencies);
    json_out_object(out, "fees");
    write_decimal(arena, out, "static_fees", method->fee_cents, 2);
    write_decimal(arena, out, "percent_fees",
                  company ? method->company_basis_points : method->fee_basis_points, 4);
    json_out_close_object(out);
    json_out_text(out, "name", method->name);
    json_out_text(out, "image", method->image);
    json_out_close_object(out);
}

static void answer_invalid(struct http_response *response, struct arena *arena, const char *error,
                           const char *message)
{
    struct json_out *out = answer_json(arena, response, 400);
    if (out == NULL)
        return;
    json_out_text(out, "error", error);
    json_out_text(out, "message", message);
    answer_json_end(response, out);
}

void payviox_methods_answer(const struct http_request *request, struct http_response *response)
{
    struct http_field *query;
    struct arena *arena = request->arena;
    if (http_form_parse(arena, request->query, strlen(request->query), &query) != ERR_NONE) {
        answer_error(response, 400, "Invalid query");
        return;
    }
    const char *countries = http_form_get(query, "countries");
    const char *currencies = http_form_get(query, "currencies");
    const char *company = http_form_get(query, "is_company");
    if (!filter_valid(countries, 2)) {
        answer_invalid(response, arena, "Invalid country code",
                       "Country code must be ISO 3166-1 alpha-2 format");
        return;
    }
    if (!filter_valid(currencies, 3)) {
        answer_invalid(response, arena, "Invalid currency code",
                       "Currency code must be ISO 4217 format");
        return;
    }
    bool is_company =
        company != NULL && (strcmp(company, "true") == 0 || strcmp(company, "1") == 0);
    struct json_out *out = answer_json(arena, response, 200);
    if (out == NULL)
        return;
    for (const struct payviox_method *method = payviox_methods; method->id != NULL; method++)
        if (list_meets(method->countries, countries) && list_meets(method->currencies, currencies))
            write_method(arena, out, method, is_company);
    answer_json_end(response, out);
}
