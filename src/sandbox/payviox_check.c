/* Checks the body of POST /session the way Payviox does: every field that is missing or wrong is
 * named, with a list of messages in the wording of its framework. Makes nothing. */
#include "sandbox/payviox.h"

#include "sandbox/answer.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct check {
    struct arena *arena;
    struct json_out *out; /* the object of complaints */
    bool failed;
};

/* One field, one message. */
__attribute__((format(printf, 3, 4))) static bool complain(struct check *check, const char *field,
                                                           const char *format, ...)
{
    char message[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    json_out_array(check->out, field);
    json_out_text(check->out, NULL, message);
    json_out_close_array(check->out);
    check->failed = true;
    return false;
}

/* An empty text counts as missing. */
static bool is_missing(const struct json *value)
{
    return value == NULL || value->type == JSON_NULL ||
           (value->type == JSON_STRING && value->len == 0) ||
           ((value->type == JSON_ARRAY || value->type == JSON_OBJECT) && value->child == NULL);
}

static bool check_text(struct check *check, const char *field, const struct json *value,
                       bool required)
{
    if (is_missing(value))
        return !required || complain(check, field, "The %s field is required.", field);
    if (value->type != JSON_STRING)
        return complain(check, field, "The %s field must be a string.", field);
    if (utf8_length(value->text) > SESSION_TEXT_MAX)
        return complain(check, field, "The %s field must not be greater than %d characters.", field,
                        SESSION_TEXT_MAX);
    return true;
}

/* The journal and the faults have room for so many bytes. */
static bool check_order_id(struct check *check, const struct json *value)
{
    if (!check_text(check, "order_id", value, true))
        return false;
    return value->len <= SESSION_TEXT_MAX ||
           complain(check, "order_id", "The order_id field must not be greater than %d bytes.",
                    SESSION_TEXT_MAX);
}

static bool check_number(struct check *check, const char *field, const struct json *value,
                         int64_t min, int64_t *ret_number)
{
    if (is_missing(value))
        return complain(check, field, "The %s field is required.", field);
    if (!json_int(value, ret_number))
        return complain(check, field, "The %s field must be an integer.", field);
    if (*ret_number < min)
        return complain(check, field, "The %s field must be at least %lld.", field, (long long)min);
    if (*ret_number > PAYVIOX_PRICE_MAX)
        return complain(check, field, "The %s field must not be greater than %lld.", field,
                        (long long)PAYVIOX_PRICE_MAX);
    return true;
}

static bool check_currency(struct check *check, const struct json *value)
{
    if (is_missing(value))
        return complain(check, "currency", "The currency field is required.");
    if (value->type != JSON_STRING)
        return complain(check, "currency", "The currency field must be a string.");
    if (value->len != 3)
        return complain(check, "currency", "The currency field must be 3 characters.");
    if (strspn(value->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
        return complain(check, "currency", "The currency field format is invalid.");
    return true;
}

/* "items.0.price": the name lives in the arena. */
static const char *item_field(struct check *check, int index, const char *name)
{
    char field[32];
    (void)snprintf(field, sizeof field, "items.%d.%s", index, name);
    const char *copy = arena_strndup(check->arena, field, strlen(field));
    return copy == NULL ? "items" : copy;
}

/* Adds price * quantity to the sum, which stays at its greatest value when it would overflow. */
static bool check_item(struct check *check, int index, const struct json *item, int64_t *sum)
{
    int64_t quantity = 0, price = 0, total;
    const char *name = item_field(check, index, "name");
    bool good = check_text(check, name, json_get(item, "name"), true);
    good &= check_number(check, item_field(check, index, "quantity"), json_get(item, "quantity"), 1,
                         &quantity);
    good &=
        check_number(check, item_field(check, index, "price"), json_get(item, "price"), 1, &price);
    if (good && (__builtin_mul_overflow(price, quantity, &total) ||
                 __builtin_add_overflow(*sum, total, sum)))
        *sum = INT64_MAX;
    return good;
}

static bool check_items(struct check *check, const struct json *items, int64_t *ret_sum)
{
    bool good = true;
    int index = 0;
    *ret_sum = 0;
    if (is_missing(items))
        return complain(check, "items", "The items field is required.");
    if (items->type != JSON_ARRAY)
        return complain(check, "items", "The items field must be an array.");
    for (const struct json *item = items->child; item != NULL; item = item->next)
        good &= check_item(check, index++, item, ret_sum);
    return good;
}

static void check_metadata(struct check *check, const struct json *metadata)
{
    if (metadata == NULL || metadata->type == JSON_NULL || metadata->type == JSON_OBJECT)
        return;
    /* an empty list is what a PHP client makes of no metadata */
    if (metadata->type != JSON_ARRAY || metadata->child != NULL)
        (void)complain(check, "metadata", "The metadata field must be an array.");
}

static void check_ip(struct check *check, const struct json *ip)
{
    unsigned char address[16];
    if (is_missing(ip))
        return;
    if (ip->type != JSON_STRING ||
        (inet_pton(AF_INET, ip->text, address) != 1 && inet_pton(AF_INET6, ip->text, address) != 1))
        (void)complain(check, "ip", "The ip field must be a valid IP address.");
}

static void check_fields(struct check *check, const struct json *root, struct session *draft)
{
    int64_t sum;
    const struct json *currency = json_get(root, "currency");
    bool amount =
        check_number(check, "amount", json_get(root, "amount"), PAYVIOX_AMOUNT_MIN, &draft->amount);
    if (check_currency(check, currency))
        memcpy(draft->currency, currency->text, sizeof draft->currency);
    (void)check_text(check, "customer", json_get(root, "customer"), true);
    if (check_order_id(check, json_get(root, "order_id")))
        draft->order_id = json_get_text(root, "order_id");
    bool items = check_items(check, json_get(root, "items"), &sum);
    if (amount && items && sum != draft->amount)
        (void)complain(check, "amount",
                       "The total amount does not match the sum of the items "
                       "(calculated: %lld, received: %lld)",
                       (long long)sum, (long long)draft->amount);
    (void)check_text(check, "description", json_get(root, "description"), false);
    (void)check_text(check, "paymentMethodId", json_get(root, "paymentMethodId"), false);
    check_ip(check, json_get(root, "ip"));
    check_metadata(check, json_get(root, "metadata"));
}

/* With the secret key the merchant may bind the payer's address; with the public key the caller is
 * the payer's browser. */
static void bind_ip(const struct http_request *request, const struct json *root, bool by_secret,
                    struct session *draft)
{
    const char *ip = by_secret ? json_get_text(root, "ip") : request->client_ip;
    if (ip != NULL)
        (void)text_copy(draft->ip, sizeof draft->ip, ip);
}

bool payviox_check(const struct http_request *request, const struct json *root, bool by_secret,
                   struct session *ret_draft, struct http_response *response)
{
    struct check check = {.arena = request->arena};
    struct session draft = {.provider = &payviox, .body = request->body};
    draft.body_len = request->body_len;
    check.out = answer_json(request->arena, response, 400);
    if (check.out == NULL)
        return false;
    check_fields(&check, root, &draft);
    answer_json_end(response, check.out);
    if (check.failed)
        return false;
    const char *id = json_get_text(root, "paymentMethodId");
    const struct payviox_method *method = id == NULL ? NULL : payviox_method_find(id);
    if (id != NULL && *id != '\0' && method == NULL) {
        answer_error(response, 400, PAYVIOX_NO_METHOD);
        return false;
    }
    draft.method = method == NULL ? NULL : method->id;
    bind_ip(request, root, by_secret, &draft);
    *ret_draft = draft;
    return true;
}
