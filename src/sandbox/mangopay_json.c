/* JSON trees put together, changed and written: what base/json reads, made by hand. Must not know
 * what an object is about. */
#include "sandbox/mangopay_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 1024 * 1024 };

static void *must(void *piece)
{
    if (piece == NULL)
        abort();
    return piece;
}

static struct json *node(struct arena *arena, enum json_type type, const char *text)
{
    struct json *value = must(arena_alloc(arena, sizeof *value));
    value->type = type;
    if (text != NULL) {
        value->len = strlen(text);
        value->text = must(arena_strndup(arena, text, value->len));
    }
    return value;
}

struct json *mango_object(struct arena *arena)
{
    return node(arena, JSON_OBJECT, NULL);
}

struct json *mango_array(struct arena *arena)
{
    return node(arena, JSON_ARRAY, NULL);
}

struct json *mango_parse(struct arena *arena, const char *text)
{
    struct json *root;
    if (json_parse(arena, text, strlen(text), &root) != ERR_NONE)
        abort();
    return root;
}

void mango_set(struct arena *arena, struct json *object, const char *key, const struct json *value)
{
    struct json **at = &object->child;
    while (*at != NULL && strcmp((*at)->key, key) != 0)
        at = &(*at)->next;
    struct json *after = *at == NULL ? NULL : (*at)->next;
    struct json *copy = node(arena, JSON_NULL, NULL);
    if (value != NULL)
        *copy = *value;
    copy->key = key;
    copy->next = after;
    *at = copy;
}

void mango_set_text(struct arena *arena, struct json *object, const char *key, const char *text)
{
    mango_set(arena, object, key, text == NULL ? NULL : node(arena, JSON_STRING, text));
}

void mango_set_int(struct arena *arena, struct json *object, const char *key, int64_t number)
{
    mango_set(arena, object, key,
              node(arena, JSON_NUMBER, mango_print(arena, "%lld", (long long)number)));
}

void mango_set_bool(struct arena *arena, struct json *object, const char *key, bool value)
{
    struct json *made = node(arena, JSON_BOOL, NULL);
    made->boolean = value;
    mango_set(arena, object, key, made);
}

void mango_set_money(struct arena *arena, struct json *object, const char *key,
                     const char *currency, int64_t amount)
{
    struct json *money = mango_object(arena);
    mango_set_text(arena, money, "Currency", currency);
    mango_set_int(arena, money, "Amount", amount);
    mango_set(arena, object, key, money);
}

void mango_merge(struct arena *arena, struct json *object, const struct json *from)
{
    for (const struct json *member = from->child; member != NULL; member = member->next)
        mango_set(arena, object, member->key, member);
}

const struct json *mango_given(const struct json *object, const char *key)
{
    const struct json *value = json_get(object, key);
    return value == NULL || value->type == JSON_NULL ? NULL : value;
}

const char *mango_text(const struct json *object, const char *key)
{
    const char *text = json_get_text(object, key);
    return text == NULL ? "" : text;
}

int64_t mango_int(const struct json *object, const char *key)
{
    int64_t number = 0;
    const struct json *value = json_get(object, key);
    return value != NULL && json_int(value, &number) ? number : 0;
}

int64_t mango_amount(const struct json *object, const char *key)
{
    return mango_int(json_get(object, key), "Amount");
}

const char *mango_currency(const struct json *object, const char *key)
{
    return mango_text(json_get(object, key), "Currency");
}

const char *mango_write(struct arena *arena, const struct json *value)
{
    struct buf text;
    buf_init(&text, arena, TEXT_BYTES_MAX);
    struct json_out *out = must(json_out_new(arena, &text));
    json_out_value(out, NULL, value);
    if (json_out_end(out) != ERR_NONE)
        abort();
    return buf_text(&text);
}

const char *mango_print(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = must(arena_alloc(arena, (size_t)len + 1));
    (void)vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}
