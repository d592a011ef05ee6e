/* JSON, read strictly and written safely, over yajl's callback parser and generator.
 * Refused on reading: depth over 16, over 4096 values, over 256 members of an object, duplicate
 * keys, NUL and invalid UTF-8, anything after the value. Numbers stay text: they never pass through
 * floating point. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX   16
#define JSON_VALUES_MAX  4096
#define JSON_MEMBERS_MAX 256

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_type type;
    bool boolean;
    const char *key;  /* the member's name inside an object, else NULL */
    const char *text; /* a string's text, a number's digits as written; NUL-terminated */
    size_t len;
    struct json *child; /* first element or member */
    struct json *next;  /* next sibling */
};

/* ERR_PAYLOAD when it is not JSON as above, ERR_OVERLOAD when the arena is full.
 * The values live in the arena. */
enum err json_parse(struct arena *arena, const char *text, size_t len,
                    struct json **ret_root) MUST_CHECK;

/* The member of an object, NULL if there is none, or if the value is no object. */
const struct json *json_get(const struct json *object, const char *key);

/* The text of a string member, NULL if it is missing or no string. */
const char *json_get_text(const struct json *object, const char *key);

/* Whole numbers written plainly: -?(0|[1-9][0-9]*), from -(2^63 - 1) to 2^63 - 1. False for
 * anything else (1e4, 10.0, -0, quoted digits). */
bool json_int(const struct json *value, int64_t *ret_number);

/* True when the bytes are UTF-8 as RFC 3629 has it, without NUL. */
bool utf8_valid(const char *text, size_t len);

/* Characters of a text that is valid: what begins a sequence. */
size_t utf8_length(const char *text);

/* Writing: an output over a buf. Errors stick in the output and in the buf. */
struct json_out;

/* Lives in the arena; give it up with json_out_end. NULL when the arena is full. */
struct json_out *json_out_new(struct arena *arena, struct buf *to);
void json_out_object(struct json_out *out, const char *key); /* key: NULL in an array or at top */
void json_out_array(struct json_out *out, const char *key);
void json_out_close_object(struct json_out *out);
void json_out_close_array(struct json_out *out);
void json_out_text(struct json_out *out, const char *key, const char *text); /* NULL writes null */
void json_out_int(struct json_out *out, const char *key, int64_t number);
void json_out_bool(struct json_out *out, const char *key, bool value);

/* Copies a parsed value, for example a caller's or provider's own object. */
void json_out_value(struct json_out *out, const char *key, const struct json *value);

/* Frees the output; ERR_OVERLOAD when anything did not fit or was no UTF-8. */
enum err json_out_end(struct json_out *out) MUST_CHECK;

#endif
