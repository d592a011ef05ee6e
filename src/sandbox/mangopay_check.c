/* Checks a body by a list of fields: what must be there, of which type, how long, out of which
 * words. Every field that is wrong is named in the one answer. */
#include "sandbox/mangopay.h"

#include <arpa/inet.h>
#include <string.h>

struct checking {
    struct mango_call *call;
    struct json *errors;
};

bool mango_is_word(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = words; len > 0 && (at = strstr(at, word)) != NULL; at++)
        if (at > words && at[-1] == ' ' && at[len] == ' ' && strchr(word, ' ') == NULL)
            return true;
    return false;
}

static void wrong(struct checking *checking, const char *name, const char *message)
{
    mango_set_text(checking->call->arena, checking->errors, name, message);
}

static bool is_url(const char *text)
{
    size_t scheme = strncmp(text, "https://", 8) == 0  ? 8
                    : strncmp(text, "http://", 7) == 0 ? 7
                                                       : 0;
    return scheme > 0 && text[scheme] != '\0' && text[scheme] != '/' &&
           strpbrk(text, " \"<>\\\r\n\t") == NULL;
}

static bool is_ip(const char *text)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool is_descriptor(const char *text)
{
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ") ==
           strlen(text);
}

static const char *upper(struct arena *arena, const char *text)
{
    char large[64];
    size_t len = 0;
    for (; text[len] != '\0' && len + 1 < sizeof large; len++)
        large[len] = (char)(text[len] >= 'a' && text[len] <= 'z' ? text[len] - 32 : text[len]);
    large[len] = '\0';
    return mango_print(arena, "%s", large);
}

/* What is wrong with a text; NULL: nothing. */
static const char *text_problem(struct arena *arena, const struct mango_field *field,
                                const char *name, const char *text)
{
    const char *word = field->type == FIELD_CULTURE ? upper(arena, text) : text;
    if (field->words != NULL && !mango_is_word(field->words, word))
        return mango_print(arena, "The value '%.40s' is not valid for %s.", text, name);
    if (field->max > 0 && (int)utf8_length(text) > field->max)
        return mango_print(arena,
                           "The field %s must be a string or array type with a maximum length of "
                           "'%d'.",
                           name, field->max);
    if (field->type == FIELD_URL && !is_url(text))
        return mango_print(arena, "The %s field is not a valid fully-qualified http or https URL.",
                           name);
    if (field->type == FIELD_IP && !is_ip(text))
        return mango_print(arena, "The %s field must be an IPv4 or IPv6 address.", name);
    if (field->type == FIELD_DESCRIPTOR && !is_descriptor(text))
        return mango_print(arena, "The %s can only contain alphanumeric characters and spaces.",
                           name);
    return NULL;
}

static bool is_text(enum mango_type type)
{
    return type == FIELD_TEXT || type == FIELD_URL || type == FIELD_DESCRIPTOR ||
           type == FIELD_IP || type == FIELD_REGION || type == FIELD_CULTURE;
}

/* "+60", as browsers' scripts write it. */
static bool is_offset(const struct json *value)
{
    if (value->type != JSON_STRING)
        return false;
    const char *digits = value->text + strspn(value->text, "+-");
    return digits - value->text <= 1 && *digits != '\0' && strlen(digits) <= 4 &&
           strspn(digits, "0123456789") == strlen(digits);
}

static bool fits_type(enum mango_type type, const struct json *value)
{
    int64_t number;
    switch (type) {
    case FIELD_INT:
        return json_int(value, &number);
    case FIELD_AMOUNT:
        return json_int(value, &number) && number >= 0;
    case FIELD_OFFSET:
        return json_int(value, &number) || is_offset(value);
    case FIELD_BOOL:
        return value->type == JSON_BOOL;
    case FIELD_GROUP:
        return value->type == JSON_OBJECT;
    case FIELD_TEXTS:
        return value->type == JSON_ARRAY && value->child != NULL &&
               value->child->type == JSON_STRING;
    case FIELD_TEXT:
    case FIELD_URL:
    case FIELD_CULTURE:
    case FIELD_DESCRIPTOR:
    case FIELD_IP:
    case FIELD_REGION:
        return value->type == JSON_STRING;
    }
    return false;
}

static bool is_required(const struct mango_field *field, const struct json *object)
{
    if (field->type == FIELD_REGION)
        return mango_is_word(" US CA MX ", mango_text(object, "Country"));
    return field->required;
}

static void check_list(struct checking *checking, const struct json *object, const char *prefix,
                       const struct mango_field *fields);

static void check_one(struct checking *checking, const struct json *object, const char *prefix,
                      const struct mango_field *field)
{
    struct arena *arena = checking->call->arena;
    const char *name = mango_print(arena, "%s%s", prefix, field->name), *problem;
    const struct json *value = mango_given(object, field->name);
    /* an empty text is none */
    bool empty = value != NULL && value->type == JSON_STRING && value->len == 0;
    if (value == NULL || (empty && is_text(field->type))) {
        if (is_required(field, object))
            wrong(checking, name, mango_print(arena, "The %s field is required.", name));
    } else if (!fits_type(field->type, value)) {
        wrong(checking, name, mango_print(arena, "The value of %s is not of its type.", name));
    } else if (field->type == FIELD_GROUP) {
        check_list(checking, value, mango_print(arena, "%s.", name), field->fields);
    } else if (is_text(field->type)) {
        problem = text_problem(arena, field, name, value->text);
        if (problem != NULL)
            wrong(checking, name, problem);
    }
}

static void check_list(struct checking *checking, const struct json *object, const char *prefix,
                       const struct mango_field *fields)
{
    for (; fields->name != NULL; fields++)
        check_one(checking, object, prefix, fields);
}

bool mango_check(struct mango_call *call, const struct mango_field *fields)
{
    struct checking checking = {.call = call, .errors = mango_object(call->arena)};
    if (call->body == NULL || call->body->type != JSON_OBJECT) {
        mango_error_param(call, "Body", "The body must be a JSON object.");
        return false;
    }
    check_list(&checking, call->body, "", fields);
    if (checking.errors->child == NULL)
        return true;
    mango_error(
        call, 400, "param_error",
        "One or several required parameters are missing or incorrect. An incorrect resource "
        "ID also raises this kind of error.",
        checking.errors);
    return false;
}
