/* The NonStopPay driver: what its answers and callbacks say. No I/O, no state. */
#include "provider/nonstopay.h"

#include "base/buf.h"
#include "base/crypt.h"
#include "domain/digits.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    CODE_FOREIGN = 50011, /* of a read: "This invoice belongs to another merchant" */
    ID_DIGITS_MAX = 18,
    PAGE_ROWS = 50, /* "Each page contains a maximum of 50 records" */
    PAGES_MAX = 20, /* of one list that a search reads */
    LISTS = 2,
};

static const char another_merchant[] = "the invoice of another merchant";
static const char another_payment[] = "an invoice that Guichet has not made, or not here";

static bool nonstopay_configured(const struct settings *settings)
{
    return secret_is_set(&settings->nonstopay.api_key);
}

static const struct settings_provider *nonstopay_terms(const struct settings *settings)
{
    return &settings->nonstopay.common;
}

static bool nonstopay_allows(const struct settings *settings, int64_t value)
{
    return value >= settings->nonstopay.minimum && value <= settings->nonstopay.maximum;
}

/* --- what every answer is made of: numbers may be texts --- */

/* The text of a number or of a string; NULL of anything else. */
static const char *number_text(const struct json *value)
{
    return value != NULL && (value->type == JSON_NUMBER || value->type == JSON_STRING) ? value->text
                                                                                       : NULL;
}

static bool read_id(const struct json *value, char *ret_id, size_t size)
{
    const char *text = number_text(value);
    size_t len = text == NULL ? 0 : strspn(text, "0123456789");
    return len > 0 && len <= ID_DIGITS_MAX && text[len] == '\0' && text[0] != '0' &&
           text_copy(ret_id, size, text);
}

/* False when the answer has none. */
static bool read_code(const struct json *root, int64_t *ret_code)
{
    const char *text = number_text(json_get(root, "errorCode"));
    return text != NULL && digits_parse(text, strlen(text), ret_code);
}

/* "amount" and "devise" alone: fiat_amount and totalAmount are in other units. */
static bool read_money(const struct json *object, struct provider_truth *ret_truth)
{
    const char *amount = number_text(json_get(object, "amount"));
    const char *currency = json_get_text(object, "devise");
    ret_truth->has_amount = amount != NULL && currency != NULL &&
                            money_parse(amount, currency, &ret_truth->amount) &&
                            money_make(0, currency, &ret_truth->fees);
    return ret_truth->has_amount;
}

/* With or without "invoice:" in front, in either case: the lists write PAID. */
static const struct word {
    const char *word;
    enum payment_fact fact;
} words[] = {
    {"created", FACT_NOTHING},     {"opened", FACT_NOTHING},
    {"paid", FACT_SUCCEEDED},      {"failed", FACT_FAILED},
    {"chargeback", FACT_DISPUTED}, {"charge back", FACT_DISPUTED},
    {"withheld", FACT_PROCESSING}, {"awaiting_approval", FACT_PROCESSING},
};

static bool read_word(const struct settings *settings, const char *word,
                      struct provider_truth *ret_truth)
{
    const char *bare = word != NULL && strncasecmp(word, "invoice:", 8) == 0 ? word + 8 : word;
    for (size_t i = 0; bare != NULL && i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(words[i].word, bare) != 0)
            continue;
        ret_truth->fact = words[i].fact;
        if (settings->nonstopay.approval_credits && strcasecmp(bare, "awaiting_approval") == 0)
            ret_truth->fact = FACT_SUCCEEDED;
        provider_quote(ret_truth->word, sizeof ret_truth->word, word);
        return true;
    }
    return false;
}

/* Our callbackJson, which comes back as the object that we sent or as a text that holds it. */
enum callback { CALLBACK_NONE, CALLBACK_FOREIGN, CALLBACK_OURS };

static enum callback read_callback(const struct settings *settings, struct arena *arena,
                                   const struct json *value, char *ret_reference, size_t size)
{
    char right[NONSTOPAY_NONCE_SIZE];
    struct json *parsed;
    ret_reference[0] = '\0';
    if (value == NULL || value->type == JSON_NULL)
        return CALLBACK_NONE;
    if (value->type == JSON_STRING) {
        if (json_parse(arena, value->text, value->len, &parsed) != ERR_NONE)
            return CALLBACK_FOREIGN;
        value = parsed;
    }
    const char *reference = json_get_text(value, "reference");
    const char *nonce = json_get_text(value, "nonce");
    if (reference == NULL || nonce == NULL || strlen(nonce) != sizeof right - 1)
        return CALLBACK_FOREIGN;
    nonstopay_nonce(settings, reference, right);
    if (!crypt_equal(nonce, right, sizeof right - 1) || !text_copy(ret_reference, size, reference))
        return CALLBACK_FOREIGN;
    return CALLBACK_OURS;
}

/* --- the answer to a create --- */

/* The documented error codes, in words of ours: a text of theirs might repeat what we sent. */
static const struct code {
    int64_t code;
    enum err refusal; /* ERR_NONE: nothing that a caller can change */
    const char *text;
} codes[] = {
    {50001, ERR_NONE, "the API key is required"},
    {50002, ERR_CUSTOMER, "an e-mail address is required"},
    {50003, ERR_AMOUNT, "an amount is required"},
    {50004, ERR_CURRENCY, "a devise is required"},
    {50005, ERR_CUSTOMER, "the e-mail address is invalid"},
    {50006, ERR_NONE, "this API key may not be used from our address"},
    {50007, ERR_NONE, "the API key is invalid"},
    {50008, ERR_NONE, "the wallet is still being validated"},
    {50009, ERR_CURRENCY, "the devise is invalid"},
    {50010, ERR_NONE, "no address is linked to the account"},
    {50011, ERR_AMOUNT, "the amount is above the maximum"},
    {50012, ERR_AMOUNT, "the amount is below the minimum"},
};

static void read_refusal(int64_t number, struct provider_result *ret_result)
{
    const struct code *code = codes;
    const struct code *end = codes + sizeof codes / sizeof codes[0];
    while (code < end && code->code != number)
        code++;
    (void)snprintf(ret_result->reason, REASON_MAX, "NonStopPay answered errorCode %lld: %s",
                   (long long)number, code < end ? code->text : "not documented");
    if (code == end)
        return; /* nobody knows what it means, or whether it happened */
    ret_result->outcome = OUTCOME_REFUSED;
    ret_result->refusal = code->refusal;
    if (code->refusal != ERR_NONE)
        return;
    ret_result->outcome = OUTCOME_NOT_SENT;
    ret_result->trip_s = PROVIDER_TRIP_S;
}

/* The address inside <a href='…'>, with its entities undone; false when there is none. */
static bool read_link(const char *html, char ret_url[URL_MAX])
{
    const char *at = html == NULL ? NULL : strstr(html, "href=");
    size_t len = 0;
    if (at == NULL || (at[5] != '\'' && at[5] != '"'))
        return false;
    char quote = at[5];
    for (at += 6; *at != quote; at++) {
        if (*at == '\0' || len + 1 == URL_MAX)
            return false;
        ret_url[len++] = *at;
        if (strncmp(at, "&amp;", 5) == 0)
            at += 4;
    }
    ret_url[len] = '\0';
    return true;
}

/* redirectUrl, or else the link that is meant for a page, which is written into room; NULL: neither
 * is an address for a payer. */
static const char *find_url(const struct json *root, char room[URL_MAX])
{
    const struct json *redirect = json_get(root, "redirectUrl");
    bool given = redirect != NULL && redirect->type != JSON_NULL &&
                 !(redirect->type == JSON_STRING && redirect->len == 0);
    if (given ? redirect->type != JSON_STRING : !read_link(json_get_text(root, "html"), room))
        return NULL;
    const char *url = given ? redirect->text : room;
    return provider_is_payer_url(url) ? url : NULL;
}

/* errorCode 0: an address for the payer, or for a card of ours an invoice that is over already. */
static bool read_invoice(const struct settings *settings, struct arena *arena,
                         const struct json *root, struct provider_result *ret_result)
{
    struct provider_truth truth = {0};
    char *room = arena_alloc(arena, URL_MAX);
    if (room == NULL)
        return false; /* who knows what it says? */
    bool has_id = read_id(json_get(root, "ID"), ret_result->provider_reference,
                          sizeof ret_result->provider_reference);
    bool has_word = read_word(settings, json_get_text(root, "status"), &truth);
    bool over = has_id && has_word && truth.fact != FACT_NOTHING;
    ret_result->url = over ? NULL : find_url(root, room);
    if (ret_result->url != NULL) {
        ret_result->outcome = OUTCOME_PENDING;
        return true;
    }
    if (!has_id)
        return false;
    ret_result->outcome = truth.fact == FACT_FAILED ? OUTCOME_DECLINED : OUTCOME_PENDING;
    ret_result->settled = ret_result->outcome == OUTCOME_PENDING;
    if (ret_result->outcome != OUTCOME_DECLINED)
        return true;
    ret_result->refusal = ERR_DECLINED;
    (void)snprintf(ret_result->reason, REASON_MAX, "NonStopPay says %s", truth.word);
    return true;
}

static void nonstopay_created(const struct settings *settings, struct arena *arena,
                              const struct httpc_answer *answer, struct provider_result *ret_result)
{
    struct json *root;
    int64_t code;
    (void)snprintf(ret_result->reason, REASON_MAX,
                   "NonStopPay answered %d and nothing we understand", answer->status);
    if (answer->status == 429) {
        ret_result->outcome = OUTCOME_NOT_SENT;
        (void)snprintf(ret_result->reason, REASON_MAX, "NonStopPay takes no more calls for now");
        return;
    }
    bool accepted = answer->status == 200 || answer->status == 201;
    if ((!accepted && !provider_is_refusal(answer->status)) ||
        json_parse(arena, answer->body, answer->body_len, &root) != ERR_NONE ||
        !read_code(root, &code))
        return;
    if (code != 0) {
        read_refusal(code, ret_result);
    } else if (accepted) {
        ret_result->reason[0] = '\0';
        if (!read_invoice(settings, arena, root, ret_result))
            (void)snprintf(ret_result->reason, REASON_MAX,
                           "NonStopPay answered %d without an address", answer->status);
    }
}

/* --- the answers to reads --- */

static bool is_asked(const struct json *value, const struct provider_order *order)
{
    char id[PROVIDER_REFERENCE_MAX];
    return read_id(value, id, sizeof id) && strcmp(id, order->provider_reference) == 0;
}

/* Infos. Their data may carry an id of its own, of the transaction: invoice_id is the invoice's. */
static enum provider_reading read_infos(const struct settings *settings, struct arena *arena,
                                        const struct provider_order *order, const struct json *root,
                                        struct provider_truth *ret_truth)
{
    const struct json *data = json_get(root, "data");
    const char *merchant = number_text(json_get(root, "merchant_id"));
    const char *ours = settings->nonstopay.merchant_id;
    char reference[sizeof ret_truth->reference];
    if (!is_asked(json_get(root, "invoice_id"), order) ||
        !read_word(settings, json_get_text(data, "status"), ret_truth) ||
        !read_money(data, ret_truth))
        return READING_FAILED;
    enum callback callback =
        read_callback(settings, arena, json_get(data, "callbackJson"), reference, sizeof reference);
    if (ours[0] != '\0' && (merchant == NULL || strcmp(ours, merchant) != 0))
        ret_truth->stranger = another_merchant;
    else if (callback == CALLBACK_FOREIGN ||
             (callback == CALLBACK_OURS && strcmp(reference, order->reference) != 0))
        ret_truth->stranger = another_payment;
    return READING_TRUTH;
}

static enum provider_reading read_status(const struct settings *settings,
                                         const struct provider_order *order,
                                         const struct json *root, struct provider_truth *ret_truth)
{
    const struct json *invoice = json_get(root, "invoice");
    return is_asked(json_get(invoice, "id"), order) &&
                   read_word(settings, json_get_text(invoice, "status"), ret_truth) &&
                   read_money(invoice, ret_truth)
               ? READING_TRUTH
               : READING_FAILED;
}

static enum provider_reading nonstopay_readback(const struct settings *settings,
                                                struct arena *arena,
                                                const struct provider_order *order,
                                                const struct httpc_answer *answer,
                                                struct provider_truth *ret_truth)
{
    struct json *root;
    int64_t code;
    if (answer->status == 404)
        return READING_NOT_FOUND;
    if ((answer->status != 200 && !provider_is_refusal(answer->status)) ||
        json_parse(arena, answer->body, answer->body_len, &root) != ERR_NONE ||
        !read_code(root, &code) || (code == 0 && answer->status != 200) ||
        !text_copy(ret_truth->reference, sizeof ret_truth->reference, order->reference) ||
        !text_copy(ret_truth->provider_reference, sizeof ret_truth->provider_reference,
                   order->provider_reference))
        return READING_FAILED;
    if (code == CODE_FOREIGN) {
        ret_truth->stranger = another_merchant;
        return READING_TRUTH;
    }
    if (code != 0)
        return READING_FAILED;
    return order->unproved ? read_infos(settings, arena, order, root, ret_truth)
                           : read_status(settings, order, root, ret_truth);
}

/* A row of the history carries no callbackJson as it is documented, but the addresses that we sent.
 * Either is known to nobody but us and NonStopPay. */
static bool is_our_row(const struct settings *settings, struct arena *arena,
                       const struct provider_order *order, const struct json *row)
{
    static const char *const urls[] = {"success_url", "cancel_url", "pending_url", "failure_url"};
    char reference[IDENT_MAX];
    if (read_callback(settings, arena, json_get(row, "callbackJson"), reference,
                      sizeof reference) == CALLBACK_OURS)
        return strcmp(reference, order->reference) == 0;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        const char *url = json_get_text(row, urls[i]);
        if (url != NULL && strstr(url, order->reference) != NULL)
            return true;
    }
    return false;
}

static void move_on(struct provider_cursor *cursor, int rows)
{
    if (rows >= PAGE_ROWS && ++cursor->page < PAGES_MAX)
        return;
    cursor->page = 0;
    cursor->end = ++cursor->list == LISTS;
}

static enum provider_reading
nonstopay_searched(const struct settings *settings, struct arena *arena,
                   const struct provider_order *order, const struct httpc_answer *answer,
                   struct provider_cursor *cursor, char ret_reference[PROVIDER_REFERENCE_MAX])
{
    struct json *root;
    int64_t code;
    int rows = 0;
    if (answer->status != 200 ||
        json_parse(arena, answer->body, answer->body_len, &root) != ERR_NONE ||
        !read_code(root, &code) || code != 0)
        return READING_FAILED;
    const struct json *list = json_get(root, "list");
    if (list == NULL || list->type != JSON_ARRAY)
        return READING_FAILED;
    for (const struct json *row = list->child; row != NULL; row = row->next, rows++)
        if (is_our_row(settings, arena, order, row) &&
            read_id(json_get(row, "id"), ret_reference, PROVIDER_REFERENCE_MAX))
            return READING_TRUTH;
    move_on(cursor, rows);
    return READING_NOT_FOUND;
}

/* --- callbacks --- */

/* Standard base64, padded or not, of the right signature? */
static bool is_base64_of(const char *text, const unsigned char right[CRYPT_HASH_BYTES])
{
    char own[BASE64URL_SIZE(CRYPT_HASH_BYTES)];
    size_t len = strcspn(text, "=");
    base64url_encode(right, CRYPT_HASH_BYTES, own);
    for (char *at = own; *at != '\0'; at++)
        *at = *at == '-' ? '+' : *at == '_' ? '/' : *at;
    return len == strlen(own) && strspn(text + len, "=") == strlen(text + len) &&
           crypt_equal(text, own, len);
}

static bool nonstopay_notice_proved(const struct settings *settings,
                                    const struct http_request *request)
{
    const struct settings_nonstopay *s = &settings->nonstopay;
    const struct secret *key = secret_is_set(&s->signature_key) ? &s->signature_key : &s->api_key;
    unsigned char claimed[CRYPT_HASH_BYTES], right[CRYPT_HASH_BYTES];
    const char *signature;
    if (!provider_may_call(s->callback_addresses, request))
        return false;
    if (strcmp(s->signature, "off") == 0)
        return true;
    if (http_header_get(request, "HTTP_X_SIGNATURE", &signature) != ERR_NONE || signature == NULL)
        return false;
    crypt_hmac_sha256(key, request->body, request->body_len, right);
    if (strcmp(s->signature, "hmac-sha256-base64") == 0)
        return is_base64_of(signature, right);
    return hex_decode(signature, claimed, sizeof claimed) &&
           crypt_equal(claimed, right, sizeof right);
}

/* Only a hint which invoice to read: what it says of money is not even looked at. One without our
 * callbackJson is of another shop or another environment with the same account. */
static enum err nonstopay_notice(const struct settings *settings, struct arena *arena,
                                 const char *body, size_t len, struct provider_truth *ret_truth)
{
    struct json *root;
    enum err err = json_parse(arena, body, len, &root);
    if (err)
        return err;
    if (!read_id(json_get(root, "id"), ret_truth->provider_reference,
                 sizeof ret_truth->provider_reference) ||
        !read_word(settings, json_get_text(root, "status"), ret_truth))
        return ERR_PAYLOAD;
    if (read_callback(settings, arena, json_get(root, "callbackJson"), ret_truth->reference,
                      sizeof ret_truth->reference) != CALLBACK_OURS)
        ret_truth->stranger = another_payment;
    return ERR_NONE;
}

/* In the addresses that we gave it; see nonstopay_create. */
static const char *nonstopay_returned(const struct http_field *query)
{
    return http_form_get(query, "order_id");
}

static const struct provider_method methods[] = {
    {"credit_card", "CARD"},
    {"upi", "UPI"},
    {"crypto", "CRYPTO"},
    {NULL, NULL},
};

const struct provider_driver nonstopay_driver = {
    .name = "nonstopay",
    .configured = nonstopay_configured,
    .terms = nonstopay_terms,
    .allows = nonstopay_allows,
    .methods = methods,
    .check = nonstopay_check,
    .create = nonstopay_create,
    .created = nonstopay_created,
    .read = nonstopay_read,
    .readback = nonstopay_readback,
    .search = nonstopay_search,
    .searched = nonstopay_searched,
    .notice_proved = nonstopay_notice_proved,
    .notice = nonstopay_notice,
    .thin = true,
    .returned = nonstopay_returned,
};
