/* Helpers over a request and its answer: headers and form fields.
 * Must not know who carries the bytes. */
#include "base/http.h"

#include "base/crypt.h"
#include "base/json.h"

#include <assert.h>
#include <string.h>

enum { FIELDS_MAX = 256 };

enum err http_header_get(const struct http_request *request, const char *name,
                         const char **ret_value)
{
    const char *value = NULL;
    for (const struct http_param *param = request->params; param->name != NULL; param++) {
        if (strcmp(param->name, name) != 0)
            continue;
        if (value != NULL)
            return ERR_DUPLICATE_HEADER;
        value = param->value;
    }
    *ret_value = value;
    return ERR_NONE;
}

void http_header_set(struct http_response *response, const char *name, const char *value)
{
    struct http_param *header = response->headers;
    while (header->name != NULL && strcmp(header->name, name) != 0)
        header++;
    assert(header < response->headers + HTTP_HEADERS_MAX);
    assert(strpbrk(value, "\r\n") == NULL);
    *header = (struct http_param){name, value};
}

void http_header_add(struct http_response *response, const char *name, const char *value)
{
    struct http_param *header = response->headers;
    while (header->name != NULL)
        header++;
    assert(header < response->headers + HTTP_HEADERS_MAX);
    assert(strpbrk(value, "\r\n") == NULL);
    *header = (struct http_param){name, value};
}

/* Percent-decoding with + as space. */
static enum err decode(struct arena *arena, const char *text, size_t len, const char **ret_text)
{
    char *decoded = arena_alloc(arena, len + 1);
    size_t used = 0;
    if (decoded == NULL)
        return ERR_OVERLOAD;
    for (size_t i = 0; i < len; i++) {
        char c = text[i] == '+' ? ' ' : text[i];
        if (c == '%') {
            char digits[3] = "";
            unsigned char byte;
            if (len - i < 3)
                return ERR_PAYLOAD;
            memcpy(digits, text + i + 1, 2);
            if (!hex_decode(digits, &byte, 1))
                return ERR_PAYLOAD;
            c = (char)byte;
            i += 2;
        }
        decoded[used++] = c;
    }
    *ret_text = decoded;
    return utf8_valid(decoded, used) ? ERR_NONE : ERR_PAYLOAD;
}

static enum err form_add(struct arena *arena, const char *text, size_t len,
                         struct http_field **fields)
{
    const char *equals = memchr(text, '=', len);
    size_t name_len = equals == NULL ? len : (size_t)(equals - text);
    struct http_field *field = arena_alloc(arena, sizeof *field);
    if (field == NULL)
        return ERR_OVERLOAD;
    field->value = "";
    enum err err = decode(arena, text, name_len, &field->name);
    if (!err && equals != NULL)
        err = decode(arena, equals + 1, len - name_len - 1, &field->value);
    if (err)
        return err;
    if (http_form_get(*fields, field->name) != NULL)
        return ERR_PAYLOAD;
    field->next = *fields;
    *fields = field;
    return ERR_NONE;
}

enum err http_form_parse(struct arena *arena, const char *text, size_t len,
                         struct http_field **ret_fields)
{
    struct http_field *fields = NULL;
    const char *end = text + len;
    for (int count = 0; text < end; count++) {
        const char *next = memchr(text, '&', (size_t)(end - text));
        const char *stop = next == NULL ? end : next;
        if (count == FIELDS_MAX)
            return ERR_PAYLOAD;
        if (stop > text) {
            enum err err = form_add(arena, text, (size_t)(stop - text), &fields);
            if (err)
                return err;
        }
        text = stop + 1;
    }
    *ret_fields = fields;
    return ERR_NONE;
}

const char *http_form_get(const struct http_field *fields, const char *name)
{
    for (; fields != NULL; fields = fields->next)
        if (strcmp(fields->name, name) == 0)
            return fields->value;
    return NULL;
}
