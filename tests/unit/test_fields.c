/* The fields of a body, JSON or form alike: which content types are taken, what kind each field is,
 * and which of them is a whole number. */
#include "check.h"

#include "front/fields.h"

#include <string.h>

static enum err read(struct arena *arena, const char *type, const char *encoding, const char *body,
                     struct fields *ret_fields)
{
    static struct http_request request;
    request = (struct http_request){
        .arena = arena, .content_type = type, .body = body, .body_len = strlen(body)};
    if (encoding != NULL)
        request.params[0] = (struct http_param){"HTTP_CONTENT_ENCODING", encoding};
    return fields_read(&request, ret_fields);
}

static void content_types(void **state)
{
    static const struct {
        const char *type, *encoding, *body;
        enum err err;
    } rows[] = {
        {"application/json", NULL, "{\"a\":1}", ERR_NONE},
        {"application/json; charset=utf-8", NULL, "{\"a\":1}", ERR_NONE},
        {"application/json;charset=UTF-8", NULL, "{\"a\":1}", ERR_NONE},
        {"application/json ; x=y", NULL, "{\"a\":1}", ERR_NONE},
        {"Application/JSON", NULL, "{\"a\":1}", ERR_NONE},
        {"application/x-www-form-urlencoded", NULL, "a=1", ERR_NONE},
        {"application/x-www-form-urlencoded; charset=utf-8", NULL, "a=1", ERR_NONE},
        {"APPLICATION/X-WWW-FORM-URLENCODED", NULL, "a=1", ERR_NONE},
        {"application/x-www-form-urlencoded", NULL, "", ERR_NONE},
        {"", NULL, "{\"a\":1}", ERR_MEDIA_TYPE},
        {";", NULL, "{\"a\":1}", ERR_MEDIA_TYPE},
        {"text/plain", NULL, "{\"a\":1}", ERR_MEDIA_TYPE},
        {"text/json", NULL, "{\"a\":1}", ERR_MEDIA_TYPE},
        {"application/jsonp", NULL, "{\"a\":1}", ERR_MEDIA_TYPE},
        {"application/json-seq", NULL, "{\"a\":1}", ERR_MEDIA_TYPE},
        {"application/jso", NULL, "{\"a\":1}", ERR_MEDIA_TYPE},
        {"application/json, text/plain", NULL, "{\"a\":1}", ERR_MEDIA_TYPE},
        {"text/html; application/json", NULL, "{\"a\":1}", ERR_MEDIA_TYPE},
        {"multipart/form-data; boundary=x", NULL, "a=1", ERR_MEDIA_TYPE},
        {"application/xml", NULL, "<a>1</a>", ERR_MEDIA_TYPE},
        {"application/json", "gzip", "{\"a\":1}", ERR_MEDIA_TYPE},
        {"application/x-www-form-urlencoded", "deflate", "a=1", ERR_MEDIA_TYPE},
        {"application/json", NULL, "", ERR_PAYLOAD},
        {"application/json", NULL, "a=1", ERR_PAYLOAD},
        {"application/json", NULL, "[1]", ERR_PAYLOAD},
        {"application/json", NULL, "null", ERR_PAYLOAD},
        {"application/json", NULL, "\"a\"", ERR_PAYLOAD},
        {"application/json", NULL, "{\"a\":1,\"a\":1}", ERR_PAYLOAD},
        {"application/json", NULL, "{\"a\":1} ", ERR_NONE},
        {"application/json", NULL, "{\"a\":1}x", ERR_PAYLOAD},
        {"application/x-www-form-urlencoded", NULL, "a=1&a=1", ERR_PAYLOAD},
        {"application/x-www-form-urlencoded", NULL, "a=%", ERR_PAYLOAD},
        {"application/x-www-form-urlencoded", NULL, "{\"a\":1}", ERR_NONE}, /* a field's name */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fields fields;
        enum err err = read(*state, rows[i].type, rows[i].encoding, rows[i].body, &fields);
        ROW(err == rows[i].err, "%s, %s: %s", rows[i].type, rows[i].body, err_message(err));
        if (!err)
            ROW((fields.json != NULL) == (rows[i].type[12] == 'j' || rows[i].type[12] == 'J'),
                "%s: read as the other", rows[i].type);
    }
    ROWS_END();
}

static void repeated_encoding_header(void **state)
{
    static struct http_request request;
    struct fields fields;
    request = (struct http_request){
        .arena = *state,
        .content_type = "application/json",
        .body = "{}",
        .body_len = 2,
        .params = {{"HTTP_CONTENT_ENCODING", "gzip"}, {"HTTP_CONTENT_ENCODING", "gzip"}}};
    assert_int_equal(fields_read(&request, &fields), ERR_DUPLICATE_HEADER);
}

static void kinds(void **state)
{
    static const struct {
        bool form;
        const char *body;
        enum field_kind kind;
        const char *text;
    } rows[] = {
        {false, "{}", FIELD_ABSENT, NULL},
        {false, "{\"A\":1}", FIELD_ABSENT, NULL},
        {false, "{\"b\":{\"a\":1}}", FIELD_ABSENT, NULL},
        {false, "{\"a\":null}", FIELD_ABSENT, NULL},
        {false, "{\"a\":\"\"}", FIELD_TEXT, ""},
        {false, "{\"a\":\"x y\"}", FIELD_TEXT, "x y"},
        {false, "{\"a\":\"null\"}", FIELD_TEXT, "null"},
        {false, "{\"a\":1}", FIELD_NUMBER, "1"},
        {false, "{\"a\":-0.10e5}", FIELD_NUMBER, "-0.10e5"},
        {false, "{\"a\":true}", FIELD_OTHER, NULL},
        {false, "{\"a\":false}", FIELD_OTHER, NULL},
        {false, "{\"a\":[1]}", FIELD_OTHER, NULL},
        {false, "{\"a\":{}}", FIELD_OTHER, NULL},
        {true, "", FIELD_ABSENT, NULL},
        {true, "b=1", FIELD_ABSENT, NULL},
        {true, "a=", FIELD_TEXT, ""},
        {true, "a", FIELD_TEXT, ""},
        {true, "a=1", FIELD_TEXT, "1"},
        {true, "a=x+y", FIELD_TEXT, "x y"},
        {true, "a=null", FIELD_TEXT, "null"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fields fields;
        assert_int_equal(
            read(*state, rows[i].form ? "application/x-www-form-urlencoded" : "application/json",
                 NULL, rows[i].body, &fields),
            ERR_NONE);
        struct field field = fields_get(&fields, "a");
        ROW(field.kind == rows[i].kind, "%s: kind %d", rows[i].body, (int)field.kind);
        ROW(rows[i].text == NULL ? field.text == NULL
                                 : field.text != NULL && strcmp(field.text, rows[i].text) == 0,
            "%s: %s", rows[i].body, field.text == NULL ? "no text" : field.text);
        ROW(field.from_form == rows[i].form, "%s: from a form", rows[i].body);
    }
    ROWS_END();
}

static void whole_numbers(void **state)
{
    static const struct {
        const char *json; /* the value as JSON writes it */
        bool whole;       /* ... and the same, unquoted, in a form: */
        bool form_whole;
        int64_t number;
    } rows[] = {
        {"0", true, true, 0},
        {"1", true, true, 1},
        {"10000", true, true, 10000},
        {"2500000", true, true, 2500000},
        {"2500001", true, true, 2500001},
        {"1234567890123456", true, true, 1234567890123456},
        {"9999999999999999", true, true, 9999999999999999},
        {"10000000000000000", false, false, 0},
        {"9223372036854775807", false, false, 0},
        {"9223372036854775808", false, false, 0},
        {"18446744073709551617", false, false, 0},
        {"-1", false, false, 0},
        {"-0", false, false, 0},
        {"1e4", false, false, 0},
        {"1E4", false, false, 0},
        {"10000.0", false, false, 0},
        {"0.5", false, false, 0},
        {"1e-1", false, false, 0},
        {"\"10000\"", false, true, 10000},
        {"\"0\"", false, true, 0},
        {"\"\"", false, false, 0},
        {"\"007\"", false, false, 0},
        {"\"00\"", false, false, 0},
        {"\" 1\"", false, false, 0},
        {"\"1 \"", false, false, 0},
        {"\"+1\"", false, false, 0},
        {"\"%2B1\"", false, false, 0},
        {"\"1.00\"", false, false, 0},
        {"\"1,000\"", false, false, 0},
        {"\"0x10\"", false, false, 0},
        {"\"1_000\"", false, false, 0},
        {"\"NaN\"", false, false, 0},
        {"\"\xef\xbc\x91\"", false, false, 0}, /* a full-width 1 */
        {"true", false, false, 0},
        {"null", false, false, 0},
        {"[1]", false, false, 0},
        {"{}", false, false, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int form = 0; form <= 1; form++) {
            struct fields fields;
            struct buf body;
            int64_t number = -7;
            const char *text = rows[i].json;
            int quoted = form == 1 && text[0] == '"';
            buf_init(&body, *state, 200);
            buf_puts(&body, form == 1 ? "a=" : "{\"a\":");
            buf_add(&body, text + quoted, strlen(text) - (size_t)(2 * quoted));
            buf_puts(&body, form == 1 ? "" : "}");
            assert_int_equal(
                read(*state, form == 1 ? "application/x-www-form-urlencoded" : "application/json",
                     NULL, buf_text(&body), &fields),
                ERR_NONE);
            struct field field = fields_get(&fields, "a");
            bool wanted = form == 1 ? rows[i].form_whole : rows[i].whole;
            ROW(field_whole_number(&field, &number) == wanted, "%s", buf_text(&body));
            ROW(number == (wanted ? rows[i].number : -7), "%s: %lld", buf_text(&body),
                (long long)number);
        }
    }
    ROWS_END();
}

static enum err query(struct arena *arena, const char *text, struct fields *ret_fields)
{
    static struct http_request request;
    request = (struct http_request){.arena = arena, .query = text};
    return fields_query(&request, ret_fields);
}

static void queries(void **state)
{
    static const struct {
        const char *query;
        enum err err;
        const char *a; /* NULL: absent */
    } rows[] = {
        {"", ERR_NONE, NULL},
        {"b=1", ERR_NONE, NULL},
        {"A=1", ERR_NONE, NULL},
        {"a=1", ERR_NONE, "1"},
        {"b=2&a=1", ERR_NONE, "1"},
        {"a=", ERR_NONE, ""},
        {"a", ERR_NONE, ""},
        {"a=x+y%20z", ERR_NONE, "x y z"},
        {"a=%E2%82%AC", ERR_NONE, "\xe2\x82\xac"},
        {"a=1&a=1", ERR_QUERY, NULL},
        {"a=%", ERR_QUERY, NULL},
        {"a=%zz", ERR_QUERY, NULL},
        {"a=%00", ERR_QUERY, NULL},
        {"a=%ff", ERR_QUERY, NULL},
        {"a=%c0%80", ERR_QUERY, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fields fields;
        enum err err = query(*state, rows[i].query, &fields);
        ROW(err == rows[i].err, "%s: %s", rows[i].query, err_message(err));
        if (err)
            continue;
        struct field field = fields_get(&fields, "a");
        ROW(rows[i].a == NULL ? field.kind == FIELD_ABSENT
                              : field.kind == FIELD_TEXT && strcmp(field.text, rows[i].a) == 0,
            "%s: kind %d", rows[i].query, (int)field.kind);
    }
    ROWS_END();
}

static void pages(void **state)
{
    static const struct {
        const char *query;
        int64_t page, limit; /* page below 0: refused */
    } rows[] = {
        {"", 0, 10},
        {"page=0", 0, 10},
        {"page=1", 1, 10},
        {"limit=1", 0, 1},
        {"limit=50&page=7", 7, 50},
        {"page=1000000&limit=50", 1000000, 50},
        {"x=1", 0, 10},
        {"limit=0", -1, 0},
        {"limit=51", -1, 0},
        {"limit=-1", -1, 0},
        {"limit=", -1, 0},
        {"limit=ten", -1, 0},
        {"limit=1.0", -1, 0},
        {"limit=1e1", -1, 0},
        {"limit=010", -1, 0},
        {"limit=+5", -1, 0},
        {"page=-1", -1, 0},
        {"page=", -1, 0},
        {"page=1000001", -1, 0},
        {"page=9223372036854775807", -1, 0},
        {"page=99999999999999999999", -1, 0},
        {"page=1&limit=51", -1, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fields fields;
        struct field_page page = {-7, -7};
        assert_int_equal(query(*state, rows[i].query, &fields), ERR_NONE);
        enum err err = fields_page(&fields, &page);
        ROW(err == (rows[i].page < 0 ? ERR_QUERY : ERR_NONE), "%s: %s", rows[i].query,
            err_message(err));
        if (!err)
            ROW(page.page == rows[i].page && page.limit == rows[i].limit, "%s: %lld, %lld",
                rows[i].query, (long long)page.page, (long long)page.limit);
    }
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ARENA(content_types), TEST_ARENA(repeated_encoding_header),
        TEST_ARENA(kinds),         TEST_ARENA(whole_numbers),
        TEST_ARENA(queries),       TEST_ARENA(pages),
    };
    return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
