/* Checks an invoice the way NonStopPay does, in the order of its error codes; what its
 * documentation gives no code for gets one that it does not know. Makes nothing, keeps nothing of a
 * card. */
#include "sandbox/nonstopay.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { NOT_DOCUMENTED = 50100, AMOUNT_MIN = 100, AMOUNT_MAX = 1000000, BODY_MAX = 64 * 1024 };

void nonstopay_error(struct http_response *response, int code, const char *message)
{
    buf_init(&response->body, response->body.arena, response->body.max);
    response->status = 200;
    buf_printf(&response->body, "{\"errorCode\":%d,\"errorMessage\":\"%s\"}", code, message);
}

static struct json *form_body(struct arena *arena, const struct http_field *fields)
{
    struct json *root = arena_alloc(arena, sizeof *root);
    for (; root != NULL && fields != NULL; fields = fields->next) {
        struct json *member = arena_alloc(arena, sizeof *member);
        if (member == NULL)
            return NULL;
        *member = (struct json){.type = JSON_STRING,
                                .key = fields->name,
                                .text = fields->value,
                                .len = strlen(fields->value),
                                .next = root->child};
        root->child = member;
    }
    if (root != NULL)
        root->type = JSON_OBJECT;
    return root;
}

const struct json *nonstopay_body(const struct http_request *request)
{
    struct json *root;
    struct http_field *fields;
    if (strncasecmp(request->content_type, "application/x-www-form-urlencoded", 33) == 0)
        return http_form_parse(request->arena, request->body, request->body_len, &fields) ==
                       ERR_NONE
                   ? form_body(request->arena, fields)
                   : NULL;
    return json_parse(request->arena, request->body, request->body_len, &root) == ERR_NONE ? root
                                                                                           : NULL;
}

/* "" when it is missing, null or no text; numbers are texts. */
static const char *text_of(const struct json *root, const char *key)
{
    const struct json *value = json_get(root, key);
    return value != NULL && (value->type == JSON_STRING || value->type == JSON_NUMBER) ? value->text
                                                                                       : "";
}

static bool is_email(const char *text)
{
    const char *at = strchr(text, '@');
    return at != NULL && at > text && strchr(at + 1, '.') != NULL && strchr(at + 1, '@') == NULL &&
           strpbrk(text, " <>\"\r\n") == NULL;
}

/* 15.04 or 42: digits, a point and one or two digits. False for anything else. */
static bool read_amount(const char *text, int64_t *ret_hundredths)
{
    size_t whole = strspn(text, "0123456789"), places = 0;
    int64_t sum = 0;
    if (whole == 0 || whole > 9)
        return false;
    if (text[whole] == '.') {
        places = strspn(text + whole + 1, "0123456789");
        if (places < 1 || places > 2)
            return false;
    }
    if (text[whole + (places > 0 ? places + 1 : 0)] != '\0')
        return false;
    for (size_t i = 0; i < whole; i++)
        sum = sum * 10 + (text[i] - '0');
    for (size_t i = 1; i <= 2; i++)
        sum = sum * 10 + (i <= places ? text[whole + i] - '0' : 0);
    *ret_hundredths = sum;
    return true;
}

static bool is_devise(const char *text)
{
    return strlen(text) == 3 && strchr(text, ' ') == NULL &&
           strstr("USD EUR GBP INR ZAR", text) != NULL;
}

/* The codes that are documented. 0: nothing is wrong. */
static int check_documented(const struct json *root, struct session *draft, const char **ret_text)
{
    const char *email = text_of(root, "email"), *amount = text_of(root, "amount");
    const char *devise = text_of(root, "devise");
    int code = 0;
    if (email[0] == '\0')
        code = 50002, *ret_text = "email required";
    else if (!read_amount(amount, &draft->amount))
        code = 50003, *ret_text = "amount required";
    else if (devise[0] == '\0')
        code = 50004, *ret_text = "devise required";
    else if (!is_email(email))
        code = 50005, *ret_text = "invalid email address";
    else if (!is_devise(devise))
        code = 50009, *ret_text = "invalid devise";
    else if (draft->amount > AMOUNT_MAX)
        code = 50011, *ret_text = "Your amount is ABOVE the allowed maximum amount";
    else if (draft->amount < AMOUNT_MIN)
        code = 50012, *ret_text = "Your amount is BELOW the allowed minimum amount";
    else
        memcpy(draft->currency, devise, sizeof draft->currency);
    return code;
}

static const char *check_urls(const struct json *root)
{
    static const char *const names[] = {"success_url", "cancel_url", "pending_url", "failure_url"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *url = text_of(root, names[i]);
        if (url[0] != '\0' &&
            (strncmp(url, "https://", 8) != 0 || strpbrk(url, " \"<>\r\n") != NULL))
            return "invalid url";
    }
    return NULL;
}

static const char *check_callback(struct arena *arena, const struct json *root)
{
    const struct json *callback = json_get(root, "callbackJson");
    struct json *parsed;
    if (callback == NULL || callback->type == JSON_NULL || callback->type == JSON_OBJECT)
        return NULL;
    return callback->type == JSON_STRING &&
                   json_parse(arena, callback->text, callback->len, &parsed) == ERR_NONE
               ? NULL
               : "invalid callbackJson";
}

static const char *check_way(const struct json *root, struct session *draft)
{
    const char *type = text_of(root, "payment_solution_type"), *id = text_of(root, "personal_id");
    const char *payable = text_of(root, "payableCurrencies");
    draft->method = payable[0] != '\0' || strcmp(type, "CRYPTO") == 0 ? "CRYPTO"
                    : strcmp(type, "UPI") == 0                        ? "UPI"
                                                                      : NULL;
    if (type[0] != '\0' && strcmp(type, "CARD") != 0 && draft->method == NULL)
        return "invalid payment_solution_type";
    if (draft->method != NULL && strcmp(draft->currency, "USD") != 0)
        return "devise must be USD";
    if (id[0] != '\0' && (strlen(id) != 11 || strspn(id, "0123456789") != 11))
        return "invalid personal_id";
    return NULL;
}

/* Fields that are mandatory as soon as a card comes along. */
static const char *check_s2s(const struct json *root, int64_t now_ms, struct card *ret_card)
{
    static const char *const names[] = {
        "name",  "address1",    "address2",      "city",     "country",     "postcode",
        "phone", "customer_ip", "date_of_birth", "card_ccv", "card_number", "card_expiry_date"};
    struct card_problems problems;
    unsigned char address[4];
    const char *expiry = text_of(root, "card_expiry_date"), *country = text_of(root, "country");
    const char *birth = text_of(root, "date_of_birth");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (text_of(root, names[i])[0] == '\0')
            return "a field that is mandatory in S2S is missing";
    if (strlen(country) != 2 || strspn(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2)
        return "invalid country";
    if (strlen(birth) != 10 || birth[4] != '-' || birth[7] != '-')
        return "invalid date_of_birth";
    if (inet_pton(AF_INET, text_of(root, "customer_ip"), address) != 1)
        return "invalid customer_ip";
    if (strspn(text_of(root, "card_number"), "0123456789") !=
            strlen(text_of(root, "card_number")) ||
        strlen(expiry) != 7)
        return "invalid card";
    return card_check(text_of(root, "card_number"), expiry, text_of(root, "card_ccv"), now_ms,
                      ret_card, &problems)
               ? NULL
               : "invalid card";
}

/* What is kept of an invoice: everything but the card. */
static bool keep_body(struct arena *arena, const struct json *root, struct session *draft)
{
    struct buf body;
    buf_init(&body, arena, BODY_MAX);
    struct json_out *out = json_out_new(arena, &body);
    if (out == NULL)
        return false;
    json_out_object(out, NULL);
    for (const struct json *member = root->child; member != NULL; member = member->next)
        if (strncmp(member->key, "card_", 5) != 0)
            json_out_value(out, member->key, member);
    json_out_close_object(out);
    if (json_out_end(out) != ERR_NONE)
        return false;
    draft->body = buf_text(&body);
    draft->body_len = body.len;
    return true;
}

bool nonstopay_check(const struct http_request *request, const struct json *root,
                     struct session *ret_draft, struct card *ret_card, bool *ret_has_card,
                     struct http_response *response)
{
    struct arena *arena = request->arena;
    struct session draft = {.provider = &nonstopay};
    const char *problem = NULL;
    int code = check_documented(root, &draft, &problem);
    *ret_has_card = json_get(root, "card_number") != NULL || json_get(root, "card_ccv") != NULL ||
                    json_get(root, "card_expiry_date") != NULL;
    if (problem == NULL)
        problem = check_urls(root);
    if (problem == NULL)
        problem = check_callback(arena, root);
    if (problem == NULL)
        problem = check_way(root, &draft);
    if (problem == NULL && *ret_has_card)
        problem = check_s2s(root, clock_wall_ms(), ret_card);
    if (problem == NULL && !keep_body(arena, root, &draft))
        problem = "the invoice does not fit";
    if (problem != NULL) {
        nonstopay_error(response, code != 0 ? code : NOT_DOCUMENTED, problem);
        return false;
    }
    *ret_draft = draft;
    return true;
}
