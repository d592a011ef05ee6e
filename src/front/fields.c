/* Reads bodies. A route judges the fields; this file only tells what was written. */
#include "front/fields.h"

#include <string.h>
#include <strings.h>

enum { DIGITS_MAX = 16, PAGE_LIMIT = 10, PAGE_LIMIT_MAX = 50, PAGE_MAX = 1000000 };

/* Compares a media type without its parameters ("; charset=utf-8"). */
static bool is_type(const char *content_type, const char *type)
{
    size_t len = strcspn(content_type, "; \t");
    return len == strlen(type) && strncasecmp(content_type, type, len) == 0;
}

enum err fields_read(const struct http_request *request, struct fields *ret_fields)
{
    struct json *root;
    struct http_field *form;
    const char *encoding;
    *ret_fields = (struct fields){0};
    enum err err = http_header_get(request, "HTTP_CONTENT_ENCODING", &encoding);
    if (!err && encoding != NULL)
        err = ERR_MEDIA_TYPE;
    if (err)
        return err;
    if (is_type(request->content_type, "application/json")) {
        err = json_parse(request->arena, request->body, request->body_len, &root);
        if (!err && root->type != JSON_OBJECT)
            err = ERR_PAYLOAD;
        if (!err)
            ret_fields->json = root;
        return err;
    }
    if (!is_type(request->content_type, "application/x-www-form-urlencoded"))
        return ERR_MEDIA_TYPE;
    err = http_form_parse(request->arena, request->body, request->body_len, &form);
    if (!err)
        ret_fields->form = form;
    return err;
}

enum err fields_query(const struct http_request *request, struct fields *ret_fields)
{
    struct http_field *form = NULL;
    enum err err = http_form_parse(request->arena, request->query, strlen(request->query), &form);
    *ret_fields = (struct fields){.form = form};
    return err == ERR_PAYLOAD ? ERR_QUERY : err;
}

static struct field json_field(const struct json *value)
{
    struct field field = {.kind = FIELD_OTHER};
    if (value == NULL || value->type == JSON_NULL)
        field.kind = FIELD_ABSENT;
    else if (value->type == JSON_STRING)
        field.kind = FIELD_TEXT;
    else if (value->type == JSON_NUMBER)
        field.kind = FIELD_NUMBER;
    if (field.kind == FIELD_TEXT || field.kind == FIELD_NUMBER)
        field.text = value->text;
    return field;
}

struct field fields_get(const struct fields *fields, const char *name)
{
    if (fields->json != NULL)
        return json_field(json_get(fields->json, name));
    const char *text = http_form_get(fields->form, name);
    return (struct field){text == NULL ? FIELD_ABSENT : FIELD_TEXT, text, true};
}

bool fields_texts(const struct json *object, const struct field_member *members, size_t count,
                  void *ret_texts)
{
    for (size_t i = 0; i < count; i++) {
        const struct json *value = json_get(object, members[i].name);
        const char **text = (const char **)((char *)ret_texts + members[i].offset);
        *text = "";
        if (value == NULL || value->type == JSON_NULL)
            continue;
        if (value->type != JSON_STRING || value->len > FIELD_TEXT_MAX)
            return false;
        *text = value->text;
    }
    return true;
}

bool field_whole_number(const struct field *field, int64_t *ret_number)
{
    if (field->kind != FIELD_NUMBER && !(field->kind == FIELD_TEXT && field->from_form))
        return false;
    const struct json digits = {.type = JSON_NUMBER, .text = field->text};
    size_t len = strlen(field->text);
    if (len == 0 || len > DIGITS_MAX || strspn(field->text, "0123456789") != len ||
        (len > 1 && field->text[0] == '0'))
        return false;
    return json_int(&digits, ret_number);
}

/* A number that may be left out. */
static bool read_number(const struct fields *fields, const char *name, int64_t fallback,
                        int64_t min, int64_t max, int64_t *ret_number)
{
    struct field field = fields_get(fields, name);
    *ret_number = fallback;
    if (field.kind == FIELD_ABSENT)
        return true;
    return field_whole_number(&field, ret_number) && *ret_number >= min && *ret_number <= max;
}

enum err fields_page(const struct fields *fields, struct field_page *ret_page)
{
    return read_number(fields, "page", 0, 0, PAGE_MAX, &ret_page->page) &&
                   read_number(fields, "limit", PAGE_LIMIT, 1, PAGE_LIMIT_MAX, &ret_page->limit)
               ? ERR_NONE
               : ERR_QUERY;
}
