/* Requests and answers as structs: form fields with every kind of bad escape, headers that came
 * twice, headers of an answer. */
#include "check.h"

#include "base/http.h"

#include <stdlib.h>
#include <string.h>

#define TEXT(literal) literal, sizeof(literal) - 1

static enum err parse(struct arena *arena, const char *text, size_t len,
                      struct http_field **ret_fields)
{
    arena_reset(arena);
    return http_form_parse(arena, text, len, ret_fields);
}

static void forms_are_read(void **state)
{
    static const struct {
        const char *text, *name, *value; /* value NULL: there is no such field */
    } rows[] = {
        {"", "a", NULL},
        {"a=1", "a", "1"},
        {"a=1", "A", NULL},
        {"a=1&b=2&c=3", "b", "2"},
        {"a=1&b=2&c=3", "c", "3"},
        {"a=", "a", ""},
        {"a", "a", ""},
        {"a&b", "b", ""},
        {"a=b=c", "a", "b=c"},
        {"=1", "", "1"},
        {"&&a=1&&", "a", "1"},
        {"a=x+y", "a", "x y"},
        {"a+b=1", "a b", "1"},
        {"a=x%20y%2B%26%3D%25", "a", "x y+&=%"},
        {"a=%41%4a%4A", "a", "AJJ"},
        {"%61=1", "a", "1"},
        {"a=%E2%82%AC", "a", "\xe2\x82\xac"},
        {"a=\xe2\x82\xac", "a", "\xe2\x82\xac"},
        {"a=%0D%0A", "a", "\r\n"},
        {"a=1;b=2", "a", "1;b=2"},
        {"items=987654321,987654322", "items", "987654321,987654322"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_field *fields;
        ROW(parse(*state, rows[i].text, strlen(rows[i].text), &fields) == ERR_NONE, "refused %s",
            rows[i].text);
        const char *value = http_form_get(fields, rows[i].name);
        ROW(rows[i].value == NULL ? value == NULL
                                  : value != NULL && strcmp(value, rows[i].value) == 0,
            "%s: %s is %s", rows[i].text, rows[i].name, value == NULL ? "absent" : value);
    }
    ROWS_END();
}

static void bad_forms_are_refused(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } rows[] = {
        {TEXT("a=%")},
        {TEXT("a=%4")},
        {TEXT("a=%4&b=1")},
        {TEXT("a=%zz")},
        {TEXT("a=%4g")},
        {TEXT("a=% 1")},
        {TEXT("a=%+1")},
        {TEXT("a=%u0041")},
        {TEXT("%=1")},
        {TEXT("a=%00")},
        {TEXT("a%00b=1")},
        {TEXT("a=x\0y")},
        {TEXT("\0")},
        {TEXT("a=%C0%AF")},
        {TEXT("a=%FF")},
        {TEXT("a=\xff")},
        {TEXT("a=%ED%A0%80")},
        {TEXT("a=%E2%82")},
        {TEXT("%C3=1")},
        {TEXT("a=1&a=1")},
        {TEXT("a=1&b=2&a=")},
        {TEXT("a=1&%61=2")},
        {TEXT("a&a")},
        {TEXT("=1&=2")},
        {TEXT("a=%F5%80%80%80")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_field *fields;
        ROW(parse(*state, rows[i].text, rows[i].len, &fields) == ERR_PAYLOAD, "row %zu: took %s", i,
            rows[i].text);
    }
    ROWS_END();
}

/* An escape at the very end must not be read beyond it. */
static void cut_escapes_stay_inside(void **state)
{
    static const char *const rows[] = {"a=%", "a=%4", "%", "a=b%2", "x"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_field *fields;
        size_t len = strlen(rows[i]);
        char *exact = malloc(len);
        memcpy(exact, rows[i], len);
        ROW(parse(*state, exact, len, &fields) == (i == 4 ? ERR_NONE : ERR_PAYLOAD), "%s", rows[i]);
        free(exact);
    }
    ROWS_END();
}

static void fields_are_limited(void **state)
{
    struct http_field *fields;
    struct buf text;
    struct arena *scratch = arena_new(ARENA_BYTES), *tiny = arena_new(64);
    buf_init(&text, scratch, 10000);
    for (int i = 0; i < 256; i++)
        buf_printf(&text, "%sf%d=%d", i == 0 ? "" : "&", i, i);
    assert_int_equal(parse(*state, buf_text(&text), text.len, &fields), ERR_NONE);
    assert_string_equal(http_form_get(fields, "f0"), "0");
    assert_string_equal(http_form_get(fields, "f255"), "255");
    buf_puts(&text, "&f256=256");
    assert_int_equal(parse(*state, buf_text(&text), text.len, &fields), ERR_PAYLOAD);
    assert_int_not_equal(http_form_parse(tiny, TEXT("a=1&b=2&c=3"), &fields), ERR_NONE);
    arena_free(tiny);
    arena_free(scratch);
}

static void headers_of_a_request(void **state)
{
    static const struct http_request request = {.params = {
                                                    {"REQUEST_METHOD", "POST"},
                                                    {"HTTP_AUTHORIZATION", "Bearer x"},
                                                    {"HTTP_IDEMPOTENCY_KEY", "one"},
                                                    {"HTTP_EMPTY", ""},
                                                    {"HTTP_IDEMPOTENCY_KEY", "one"},
                                                }};
    const char *value = "untouched";
    (void)state;
    assert_int_equal(http_header_get(&request, "HTTP_AUTHORIZATION", &value), ERR_NONE);
    assert_string_equal(value, "Bearer x");
    assert_int_equal(http_header_get(&request, "HTTP_EMPTY", &value), ERR_NONE);
    assert_string_equal(value, "");
    assert_int_equal(http_header_get(&request, "HTTP_AUTH", &value), ERR_NONE);
    assert_null(value);
    assert_int_equal(http_header_get(&request, "HTTP_IDEMPOTENCY_KEY", &value),
                     ERR_DUPLICATE_HEADER);
}

static void headers_of_an_answer(void **state)
{
    struct http_response response = {0};
    (void)state;
    http_header_set(&response, "Location", "/payments/1");
    http_header_set(&response, "Retry-After", "5");
    http_header_set(&response, "Location", "/payments/2");
    assert_string_equal(response.headers[0].name, "Location");
    assert_string_equal(response.headers[0].value, "/payments/2");
    assert_string_equal(response.headers[1].value, "5");
    assert_null(response.headers[2].name);
    http_header_add(&response, "Retry-After", "6"); /* one more line of that name */
    assert_string_equal(response.headers[1].value, "5");
    assert_string_equal(response.headers[2].name, "Retry-After");
    assert_string_equal(response.headers[2].value, "6");
    assert_null(response.headers[3].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ARENA(forms_are_read),          TEST_ARENA(bad_forms_are_refused),
        TEST_ARENA(cut_escapes_stay_inside), TEST_ARENA(fields_are_limited),
        TEST(headers_of_a_request),          TEST(headers_of_an_answer),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
