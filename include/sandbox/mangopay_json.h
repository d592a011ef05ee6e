/* JSON trees that are put together, changed and written. The sandbox ends rather than lose a part:
 * its arenas are sized for this. */
#ifndef SANDBOX_MANGOPAY_JSON_H
#define SANDBOX_MANGOPAY_JSON_H

#include "base/arena.h"
#include "base/json.h"

struct json *mango_object(struct arena *arena);
struct json *mango_array(struct arena *arena);

/* From text that is JSON for certain. */
struct json *mango_parse(struct arena *arena, const char *text);

/* Sets a member to a copy of the value, which shares its children; NULL: null. Keys live as long as
 * the object. */
void mango_set(struct arena *arena, struct json *object, const char *key, const struct json *value);
void mango_set_text(struct arena *arena, struct json *object, const char *key, const char *text);
void mango_set_int(struct arena *arena, struct json *object, const char *key, int64_t number);
void mango_set_bool(struct arena *arena, struct json *object, const char *key, bool value);
void mango_set_money(struct arena *arena, struct json *object, const char *key,
                     const char *currency, int64_t amount);

/* Sets every member of from in the object. */
void mango_merge(struct arena *arena, struct json *object, const struct json *from);

/* The member unless it is missing or null. */
const struct json *mango_given(const struct json *object, const char *key);

/* "" and 0 when there is no such member. */
const char *mango_text(const struct json *object, const char *key);
int64_t mango_int(const struct json *object, const char *key);
int64_t mango_amount(const struct json *object, const char *key);
const char *mango_currency(const struct json *object, const char *key);

const char *mango_write(struct arena *arena, const struct json *value);

/* Text made like printf's. */
const char *mango_print(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
