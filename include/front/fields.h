/* The fields of a request's body, JSON or form alike. */
#ifndef FRONT_FIELDS_H
#define FRONT_FIELDS_H

#include "base/http.h"
#include "base/json.h"

#include <stdbool.h>

struct fields {
    const struct json *json;       /* one of the two is set */
    const struct http_field *form; /* may be empty */
};

enum field_kind {
    FIELD_ABSENT, /* missing, or null */
    FIELD_TEXT,   /* a JSON string, or any form field */
    FIELD_NUMBER, /* a JSON number, as it was written */
    FIELD_OTHER,  /* a JSON true, false, array or object */
};

struct field {
    enum field_kind kind;
    const char *text; /* of a text or number; else NULL */
    bool from_form;
};

/* ERR_MEDIA_TYPE: neither JSON nor form, or encoded. ERR_PAYLOAD: not what its type says. */
enum err fields_read(const struct http_request *request, struct fields *ret_fields) MUST_CHECK;

struct field fields_get(const struct fields *fields, const char *name);

/* A member of an object that becomes a text of a struct; one is one row of a table. */
struct field_member {
    const char *name;
    size_t offset; /* of the text */
};
#define FIELD_MEMBERS(table) table, sizeof(table) / sizeof((table)[0])
#define FIELD_TEXT_MAX       1024 /* 255 characters of up to four bytes; drivers know better */

/* The texts of an object, "" where it has none or null. False when one is no text, or too long. */
bool fields_texts(const struct json *object, const struct field_member *members, size_t count,
                  void *ret_texts);

/* The parameters of the request's query, as fields of a form. ERR_QUERY: they cannot be read.
 */
enum err fields_query(const struct http_request *request, struct fields *ret_fields) MUST_CHECK;

/* ?page=0&limit=10, as the account endpoints have them: limit up to 50. ERR_QUERY. */
struct field_page {
    int64_t page, limit;
};
enum err fields_page(const struct fields *fields, struct field_page *ret_page) MUST_CHECK;

/* A whole number of 1 to 16 digits without sign or leading zero; in a form it is text by nature,
 * in JSON it must be a number. */
bool field_whole_number(const struct field *field, int64_t *ret_number);

#endif
