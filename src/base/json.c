/* JSON over yajl. Reading uses the callback parser (its tree parser leaks and recurses on hostile
 * input); writing uses its generator. Must not convert numbers: they are text here. */
#include "base/json.h"

#include "base/crypt.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

/* yajl does not check its allocations; a process that ends at once is safe, a wild write is not. */
static void *must_alloc(void *context, size_t size)
{
    void *piece = malloc(size);
    (void)context;
    if (piece == NULL)
        abort();
    return piece;
}

static void *must_realloc(void *context, void *piece, size_t size)
{
    void *moved = crypt_realloc(piece, size);
    (void)context;
    if (moved == NULL)
        abort();
    return moved;
}

static void give_back(void *context, void *piece)
{
    (void)context;
    crypt_free(piece); /* what was parsed may have been a card */
}

static yajl_alloc_funcs allocator = {must_alloc, must_realloc, give_back, NULL};

struct parse {
    struct arena *arena;
    struct json *root;
    struct json *open[JSON_DEPTH_MAX], *last[JSON_DEPTH_MAX];
    int members[JSON_DEPTH_MAX];
    int depth, values;
    const char *key;
    bool full;
};

static struct json *parse_add(struct parse *parse, enum json_type type)
{
    if (++parse->values > JSON_VALUES_MAX)
        return NULL;
    struct json *value = arena_alloc(parse->arena, sizeof *value);
    if (value == NULL) {
        parse->full = true;
        return NULL;
    }
    value->type = type;
    value->key = parse->key;
    parse->key = NULL;
    if (parse->depth == 0) {
        parse->root = value;
        return value;
    }
    int top = parse->depth - 1;
    if (parse->last[top] == NULL)
        parse->open[top]->child = value;
    else
        parse->last[top]->next = value;
    parse->last[top] = value;
    return value;
}

static int parse_text(struct parse *parse, enum json_type type, const void *text, size_t len)
{
    struct json *value = parse_add(parse, type);
    if (value == NULL || !utf8_valid(text, len))
        return 0;
    value->text = arena_strndup(parse->arena, text, len);
    value->len = len;
    parse->full |= value->text == NULL;
    return value->text != NULL;
}

static int parse_open(struct parse *parse, enum json_type type)
{
    if (parse->depth == JSON_DEPTH_MAX)
        return 0;
    struct json *value = parse_add(parse, type);
    if (value == NULL)
        return 0;
    parse->open[parse->depth] = value;
    parse->members[parse->depth] = 0;
    parse->last[parse->depth++] = NULL;
    return 1;
}

static int on_null(void *context)
{
    return parse_add(context, JSON_NULL) != NULL;
}

static int on_bool(void *context, int boolean)
{
    struct json *value = parse_add(context, JSON_BOOL);
    if (value == NULL)
        return 0;
    value->boolean = boolean != 0;
    return 1;
}

static int on_number(void *context, const char *digits, size_t len)
{
    return parse_text(context, JSON_NUMBER, digits, len);
}

static int on_string(void *context, const unsigned char *text, size_t len)
{
    return parse_text(context, JSON_STRING, text, len);
}

static int on_object(void *context)
{
    return parse_open(context, JSON_OBJECT);
}

static int on_array(void *context)
{
    return parse_open(context, JSON_ARRAY);
}

/* Each is compared with all before it: thousands would keep a processor busy for one request. */
static int on_key(void *context, const unsigned char *text, size_t len)
{
    struct parse *parse = context;
    int top = parse->depth - 1;
    if (++parse->members[top] > JSON_MEMBERS_MAX || !utf8_valid((const char *)text, len))
        return 0;
    parse->key = arena_strndup(parse->arena, (const char *)text, len);
    parse->full |= parse->key == NULL;
    return parse->key != NULL && json_get(parse->open[top], parse->key) == NULL;
}

static int on_close(void *context)
{
    struct parse *parse = context;
    parse->depth--;
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_bool,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_close,
    .yajl_start_array = on_array,
    .yajl_end_array = on_close,
};

/* The UTF-16 unit of an escape \uXXXX at text, -1 if there is none. */
static int escaped_unit(const char *text, size_t left)
{
    unsigned char bytes[2];
    char digits[5] = "";
    if (left < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;
    memcpy(digits, text + 2, 4);
    return hex_decode(digits, bytes, 2) ? bytes[0] << 8 | bytes[1] : -1;
}

/* What yajl lets through: control characters between and after values, and escapes of lone
 * surrogates, which it turns into other text. */
static bool is_clean(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < ' ' && strchr("\t\n\r", text[i]) == NULL)
            return false;
        if (text[i] == '\0')
            return false;
        if (text[i] != '\\')
            continue;
        int unit = escaped_unit(text + i, len - i);
        bool high = unit >= 0xd800 && unit <= 0xdbff, low = unit >= 0xdc00 && unit <= 0xdfff;
        int next = high ? escaped_unit(text + i + 6, len - i - 6) : 0;
        if (low || (high && (next < 0xdc00 || next > 0xdfff)))
            return false;
        i += high ? 11 : 1; /* past the pair, or past the character that is escaped */
    }
    return true;
}

enum err json_parse(struct arena *arena, const char *text, size_t len, struct json **ret_root)
{
    struct parse parse = {.arena = arena};
    if (!is_clean(text, len))
        return ERR_PAYLOAD;
    yajl_handle handle = yajl_alloc(&callbacks, &allocator, &parse);
    yajl_status status = yajl_parse(handle, (const unsigned char *)text, len);
    if (status == yajl_status_ok)
        status = yajl_complete_parse(handle);
    yajl_free(handle);
    if (parse.full)
        return ERR_OVERLOAD;
    if (status != yajl_status_ok || parse.root == NULL)
        return ERR_PAYLOAD;
    *ret_root = parse.root;
    return ERR_NONE;
}

const struct json *json_get(const struct json *object, const char *key)
{
    if (object == NULL || object->type != JSON_OBJECT)
        return NULL;
    for (const struct json *member = object->child; member != NULL; member = member->next)
        if (strcmp(member->key, key) == 0)
            return member;
    return NULL;
}

const char *json_get_text(const struct json *object, const char *key)
{
    const struct json *member = json_get(object, key);
    return member != NULL && member->type == JSON_STRING ? member->text : NULL;
}

bool json_int(const struct json *value, int64_t *ret_number)
{
    if (value == NULL || value->type != JSON_NUMBER)
        return false;
    const char *digits = value->text;
    bool negative = *digits == '-';
    digits += negative;
    size_t count = strspn(digits, "0123456789");
    if (digits[count] != '\0' || (negative && *digits == '0') || count > 19)
        return false;
    uint64_t number = 0;
    for (; *digits != '\0'; digits++)
        number = number * 10 + (uint64_t)(*digits - '0');
    if (number > (uint64_t)INT64_MAX)
        return false;
    *ret_number = negative ? -(int64_t)number : (int64_t)number;
    return true;
}

/* The length of one valid sequence at text, 0 if there is none. */
static size_t utf8_sequence(const unsigned char *text, size_t left)
{
    static const struct {
        unsigned char first, last, low, high; /* first byte's range, second byte's range */
        size_t len;
    } rows[] = {
        {0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (text[0] < rows[i].first || text[0] > rows[i].last)
            continue;
        if (rows[i].len > left ||
            (rows[i].len > 1 && (text[1] < rows[i].low || text[1] > rows[i].high)))
            return 0;
        for (size_t k = 2; k < rows[i].len; k++)
            if ((text[k] & 0xc0) != 0x80)
                return 0;
        return rows[i].len;
    }
    return 0;
}

bool utf8_valid(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    while (len > 0) {
        size_t step = utf8_sequence(at, len);
        if (step == 0)
            return false;
        at += step;
        len -= step;
    }
    return true;
}

size_t utf8_length(const char *text)
{
    size_t length = 0;
    for (; *text != '\0'; text++)
        length += ((unsigned char)*text & 0xc0) != 0x80;
    return length;
}

struct json_out {
    struct buf *to;
    yajl_gen gen;
    bool failed;
};

static void out_print(void *context, const char *text, size_t len)
{
    buf_add(((struct json_out *)context)->to, text, len);
}

struct json_out *json_out_new(struct arena *arena, struct buf *to)
{
    struct json_out *out = arena_alloc(arena, sizeof *out);
    if (out == NULL)
        return NULL;
    out->to = to;
    out->gen = yajl_gen_alloc(&allocator);
    yajl_gen_config(out->gen, yajl_gen_print_callback, out_print, out);
    yajl_gen_config(out->gen, yajl_gen_validate_utf8, 1);
    return out;
}

static void out_check(struct json_out *out, yajl_gen_status status)
{
    out->failed |= status != yajl_gen_status_ok;
}

static void out_string(struct json_out *out, const char *text)
{
    size_t len = strlen(text);
    out->failed |= !utf8_valid(text, len);
    out_check(out, yajl_gen_string(out->gen, (const unsigned char *)text, len));
}

static void out_key(struct json_out *out, const char *key)
{
    if (key != NULL)
        out_string(out, key);
}

void json_out_object(struct json_out *out, const char *key)
{
    out_key(out, key);
    out_check(out, yajl_gen_map_open(out->gen));
}

void json_out_array(struct json_out *out, const char *key)
{
    out_key(out, key);
    out_check(out, yajl_gen_array_open(out->gen));
}

void json_out_close_object(struct json_out *out)
{
    out_check(out, yajl_gen_map_close(out->gen));
}

void json_out_close_array(struct json_out *out)
{
    out_check(out, yajl_gen_array_close(out->gen));
}

void json_out_text(struct json_out *out, const char *key, const char *text)
{
    out_key(out, key);
    if (text == NULL)
        out_check(out, yajl_gen_null(out->gen));
    else
        out_string(out, text);
}

void json_out_int(struct json_out *out, const char *key, int64_t number)
{
    out_key(out, key);
    out_check(out, yajl_gen_integer(out->gen, number));
}

void json_out_bool(struct json_out *out, const char *key, bool value)
{
    out_key(out, key);
    out_check(out, yajl_gen_bool(out->gen, value));
}

void json_out_value(struct json_out *out, const char *key, const struct json *value)
{
    switch (value->type) {
    case JSON_NULL:
        json_out_text(out, key, NULL);
        return;
    case JSON_BOOL:
        json_out_bool(out, key, value->boolean);
        return;
    case JSON_NUMBER:
        out_key(out, key);
        out_check(out, yajl_gen_number(out->gen, value->text, value->len));
        return;
    case JSON_STRING:
        json_out_text(out, key, value->text);
        return;
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    bool object = value->type == JSON_OBJECT;
    if (object)
        json_out_object(out, key);
    else
        json_out_array(out, key);
    for (const struct json *child = value->child; child != NULL; child = child->next)
        json_out_value(out, child->key, child);
    if (object)
        json_out_close_object(out);
    else
        json_out_close_array(out);
}

enum err json_out_end(struct json_out *out)
{
    bool fine = !out->failed && buf_ok(out->to);
    yajl_gen_free(out->gen);
    return fine ? ERR_NONE : ERR_OVERLOAD;
}
