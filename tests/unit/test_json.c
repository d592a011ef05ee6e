/* JSON: what is taken and what is refused, limits, whole numbers without floating point, UTF-8, and
 * writing that reads back as it was. The table of texts is a compact JSONTestSuite. */
#include "check.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/* A text that may hold NUL bytes. */
#define TEXT(literal) literal, sizeof(literal) - 1

struct text {
    const char *text;
    size_t len;
};

static enum err parse(struct arena *arena, const char *text, size_t len, struct json **ret_root)
{
    /* a copy of exactly that length, so that the sanitizer sees a read beyond it */
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memmove(copy, text, len);
    copy = realloc(copy, len == 0 ? 1 : len);
    assert_non_null(copy);
    arena_reset(arena);
    enum err err = json_parse(arena, copy, len, ret_root);
    free(copy);
    return err;
}

static void valid_texts(void **state)
{
    static const struct text rows[] = {
        {TEXT("{}")},
        {TEXT("[]")},
        {TEXT("null")},
        {TEXT("true")},
        {TEXT("false")},
        {TEXT("0")},
        {TEXT("-0")},
        {TEXT("\"\"")},
        {TEXT(" \t\r\n[ 1 , 2 ] \n")},
        {TEXT("[[],[[]],{}]")},
        {TEXT("{\"\":0}")},
        {TEXT("{\"a\":{\"a\":{\"a\":[]}}}")},
        {TEXT("{\"a\":1,\"A\":2,\"a \":3}")},
        {TEXT("[-1,123,1e3,1E3,1e+3,1e-3,0.5,-0.5,0e0,1.5E+9]")},
        {TEXT("[123456789012345678901234567890,1e9999,0.1e-9999]")},
        {TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"")},
        {TEXT("\"\\uD834\\uDD1E\"")},
        {TEXT("\"\\ud83d\\ude00 \\u20ac\"")},
        {TEXT("\"\x7f\"")},
        {TEXT("\"\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf\"")},
        {TEXT("\"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf\"")},
        {TEXT("\"\xe2\x80\xa8\xe2\x80\xa9\"")},
        {TEXT("\"\\uffff \\ufdd0\"")},
    };
    struct json *root;
    for (size_t i = 0; i < COUNT(rows); i++)
        ROW(parse(*state, rows[i].text, rows[i].len, &root) == ERR_NONE, "refused %s",
            rows[i].text);
    ROWS_END();
}

static void invalid_texts(void **state)
{
    static const struct text rows[] = {
        {TEXT("")},
        {TEXT(" ")},
        {TEXT("{")},
        {TEXT("[")},
        {TEXT("]")},
        {TEXT("}")},
        {TEXT("[1")},
        {TEXT("[1,")},
        {TEXT("[1,]")},
        {TEXT("[,1]")},
        {TEXT("[1,,2]")},
        {TEXT("[1 2]")},
        {TEXT("[1}")},
        {TEXT("{]")},
        {TEXT("{\"a\"}")},
        {TEXT("{\"a\":}")},
        {TEXT("{\"a\":1")},
        {TEXT("{\"a\":1,}")},
        {TEXT("{,}")},
        {TEXT("{\"a\" 1}")},
        {TEXT("{\"a\":1 \"b\":2}")},
        {TEXT("{a:1}")},
        {TEXT("{'a':1}")},
        {TEXT("{1:1}")},
        {TEXT("{null:1}")},
        /* anything after the value */
        {TEXT("{}{}")},
        {TEXT("{} x")},
        {TEXT("[]]")},
        {TEXT("1 2")},
        {TEXT("null,")},
        {TEXT("\"a\"\"b\"")},
        /* duplicate names, also spelt differently or in depth */
        {TEXT("{\"a\":1,\"a\":1}")},
        {TEXT("{\"a\":1,\"b\":2,\"a\":null}")},
        {TEXT("{\"a\":1,\"\\u0061\":2}")},
        {TEXT("[{\"x\":{\"a\":1,\"a\":2}}]")},
        /* words and numbers that are not JSON's */
        {TEXT("nul")},
        {TEXT("nulll")},
        {TEXT("True")},
        {TEXT("NaN")},
        {TEXT("Infinity")},
        {TEXT("-Infinity")},
        {TEXT("undefined")},
        {TEXT("007")},
        {TEXT("-01")},
        {TEXT("+1")},
        {TEXT("-")},
        {TEXT(".5")},
        {TEXT("5.")},
        {TEXT("5.e1")},
        {TEXT("1e")},
        {TEXT("1e+")},
        {TEXT("0x10")},
        {TEXT("1_000")},
        {TEXT("1,5")},
        {TEXT("- 1")},
        {TEXT("--1")},
        /* comments */
        {TEXT("/* x */ {}")},
        {TEXT("{} // x")},
        {TEXT("{\"a\":/**/1}")},
        {TEXT("# x\n{}")},
        /* strings */
        {TEXT("\"a")},
        {TEXT("\"")},
        {TEXT("'a'")},
        {TEXT("\"\\\"")},
        {TEXT("\"\\x41\"")},
        {TEXT("\"\\a\"")},
        {TEXT("\"\\u12\"")},
        {TEXT("\"\\u12g4\"")},
        {TEXT("\"\\U0041\"")},
        {TEXT("\"a\nb\"")},
        {TEXT("\"a\tb\"")},
        {TEXT("\"\x1f\"")},
        /* NUL: raw, in a string, escaped, in a name */
        {TEXT("\0")},
        {TEXT("{}\0")},
        {TEXT("\"a\0b\"")},
        {TEXT("\"\\u0000\"")},
        {TEXT("{\"a\\u0000b\":1}")},
        /* byte order marks, other encodings, other white space */
        {TEXT("\xef\xbb\xbf{}")},
        {TEXT("\xfe\xff\0{\0}")},
        {TEXT("{\0}\0")},
        {TEXT("\f{}")},
        {TEXT("[1,\f2]")},
        {TEXT("\v{}")},
        {TEXT("\xc2\xa0{}")},
        /* no UTF-8: overlong, surrogates, too large, cut, stray */
        {TEXT("\"\xc0\xaf\"")},
        {TEXT("\"\xc1\xbf\"")},
        {TEXT("\"\xe0\x80\xaf\"")},
        {TEXT("\"\xf0\x80\x80\xaf\"")},
        {TEXT("\"\xed\xa0\x80\"")},
        {TEXT("\"\xed\xbf\xbf\"")},
        {TEXT("\"\xf4\x90\x80\x80\"")},
        {TEXT("\"\xf5\x80\x80\x80\"")},
        {TEXT("\"\xff\"")},
        {TEXT("\"\x80\"")},
        {TEXT("\"\xe2\x82\"")},
        {TEXT("\"\xe2(\xa1\"")},
        {TEXT("{\"\xed\xa0\x80\":1}")},
        {TEXT("\xff")},
    };
    struct json *root;
    for (size_t i = 0; i < COUNT(rows); i++)
        ROW(parse(*state, rows[i].text, rows[i].len, &root) == ERR_PAYLOAD, "row %zu: took %s", i,
            rows[i].text);
    ROWS_END();
}

/* Half of a pair is no character, so there is no text that it could stand for. */
static void lone_surrogates_are_refused(void **state)
{
    static const char *const rows[] = {
        "\"\\ud800\"",    "\"\\udbff\"",        "\"\\udc00\"",        "\"\\udfff\"",
        "\"a\\ud800b\"",  "\"\\ud800\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud800\\u0041\"",
        "\"\\ud800\\n\"", "{\"\\ud800\":1}",    "{\"\\udead\":1}",    "\"\\ud83d\\u20ac\"",
    };
    struct json *root;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum err err = parse(*state, rows[i], strlen(rows[i]), &root);
        ROW(err == ERR_PAYLOAD, "took %s as \"%s\"", rows[i], root->text == NULL ? "" : root->text);
    }
    ROWS_END();
}

static enum err parse_nested(struct arena *arena, int depth, const char *open, const char *close)
{
    struct json *root;
    struct buf text;
    struct arena *scratch = arena_new(ARENA_BYTES);
    buf_init(&text, scratch, 100000);
    for (int i = 0; i < depth; i++)
        buf_puts(&text, open);
    buf_puts(&text, "1");
    for (int i = 0; i < depth; i++)
        buf_puts(&text, close);
    assert_true(buf_ok(&text));
    enum err err = parse(arena, buf_text(&text), text.len, &root);
    arena_free(scratch);
    return err;
}

static void depth_is_limited(void **state)
{
    assert_int_equal(parse_nested(*state, JSON_DEPTH_MAX, "[", "]"), ERR_NONE);
    assert_int_equal(parse_nested(*state, JSON_DEPTH_MAX + 1, "[", "]"), ERR_PAYLOAD);
    assert_int_equal(parse_nested(*state, JSON_DEPTH_MAX, "{\"a\":", "}"), ERR_NONE);
    assert_int_equal(parse_nested(*state, JSON_DEPTH_MAX + 1, "{\"a\":", "}"), ERR_PAYLOAD);
    char *brackets = malloc(65536);
    struct json *root;
    assert_non_null(brackets);
    memset(brackets, '[', 65536);
    assert_int_equal(json_parse(*state, brackets, 65536, &root), ERR_PAYLOAD);
    for (size_t i = 0; i + 5 <= 65536; i += 5)
        memcpy(brackets + i, "{\"a\":", 5);
    assert_int_equal(json_parse(*state, brackets, 65535, &root), ERR_PAYLOAD);
    free(brackets);
}

/* An array of so many numbers counts one value more: itself. */
static enum err parse_many(struct arena *arena, int numbers)
{
    struct json *root;
    struct buf text;
    struct arena *scratch = arena_new(ARENA_BYTES);
    buf_init(&text, scratch, 100000);
    for (int i = 0; i < numbers; i++)
        buf_puts(&text, i == 0 ? "[0" : ",0");
    buf_puts(&text, "]");
    enum err err = parse(arena, buf_text(&text), text.len, &root);
    arena_free(scratch);
    return err;
}

static enum err parse_members(struct arena *arena, int members)
{
    struct json *root;
    struct buf text;
    struct arena *scratch = arena_new(ARENA_BYTES);
    buf_init(&text, scratch, 100000);
    for (int i = 0; i < members; i++)
        buf_printf(&text, "%s\"m%d\":{\"a\":1}", i == 0 ? "[{" : ",", i);
    buf_puts(&text, "},{\"m0\":0}]"); /* another object counts anew */
    enum err err = parse(arena, buf_text(&text), text.len, &root);
    arena_free(scratch);
    return err;
}

static void members_are_limited(void **state)
{
    assert_int_equal(parse_members(*state, JSON_MEMBERS_MAX), ERR_NONE);
    assert_int_equal(parse_members(*state, JSON_MEMBERS_MAX + 1), ERR_PAYLOAD);
}

static void values_and_memory_are_limited(void **state)
{
    struct json *root;
    struct arena *tiny = arena_new(256);
    assert_int_equal(parse_many(*state, JSON_VALUES_MAX - 1), ERR_NONE);
    assert_int_equal(parse_many(*state, JSON_VALUES_MAX), ERR_PAYLOAD);
    assert_int_equal(json_parse(tiny, TEXT("[1,2,3,4,5,6,7]"), &root), ERR_OVERLOAD);
    arena_free(tiny);
}

static void values_read_back(void **state)
{
    static const char text[] = " {\"s\":\"a\\u20ac\\\"\",\"n\":-12.50e3,\"t\":true,\"f\":false,"
                               "\"z\":null,\"a\":[1,[],\"x\"],\"o\":{\"k\":\"v\"}} ";
    struct json *root;
    assert_int_equal(parse(*state, TEXT(text), &root), ERR_NONE);
    assert_int_equal(root->type, JSON_OBJECT);
    assert_string_equal(json_get_text(root, "s"), "a\xe2\x82\xac\"");
    assert_int_equal(json_get(root, "s")->len, 5);
    assert_int_equal(json_get(root, "n")->type, JSON_NUMBER);
    assert_string_equal(json_get(root, "n")->text, "-12.50e3");
    assert_true(json_get(root, "t")->boolean);
    assert_int_equal(json_get(root, "f")->type, JSON_BOOL);
    assert_false(json_get(root, "f")->boolean);
    assert_int_equal(json_get(root, "z")->type, JSON_NULL);
    const struct json *array = json_get(root, "a");
    assert_int_equal(array->type, JSON_ARRAY);
    assert_string_equal(array->child->text, "1");
    assert_null(array->child->key);
    assert_int_equal(array->child->next->type, JSON_ARRAY);
    assert_string_equal(array->child->next->next->text, "x");
    assert_null(array->child->next->next->next);
    assert_string_equal(json_get_text(json_get(root, "o"), "k"), "v");
    assert_null(json_get(root, "S"));
    assert_null(json_get(array, "s"));
    assert_null(json_get(NULL, "s"));
    assert_null(json_get_text(root, "n"));
    assert_null(json_get_text(root, "z"));
}

static void whole_numbers(void **state)
{
    static const struct {
        const char *text;
        bool whole;
        int64_t number;
    } rows[] = {
        {"0", true, 0},
        {"1", true, 1},
        {"-1", true, -1},
        {"10000", true, 10000},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775807", true, -INT64_MAX},
        {"-9223372036854775808", false, 0}, /* has no positive: safer refused */
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"18446744073709551616", false, 0},
        {"18446744073709551617", false, 0},
        {"99999999999999999999999999", false, 0},
        {"-0", false, 0},
        {"1e4", false, 0},
        {"1E4", false, 0},
        {"1e0", false, 0},
        {"10000.0", false, 0},
        {"1.5", false, 0},
        {"0.0", false, 0},
        {"\"10000\"", false, 0},
        {"\"\"", false, 0},
        {"true", false, 0},
        {"null", false, 0},
        {"[1]", false, 0},
        {"{}", false, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json *root;
        int64_t number = 77;
        assert_int_equal(parse(*state, rows[i].text, strlen(rows[i].text), &root), ERR_NONE);
        bool whole = json_int(root, &number);
        ROW(whole == rows[i].whole, "%s: %s", rows[i].text, whole ? "taken" : "refused");
        ROW(number == (whole ? rows[i].number : 77), "%s: %lld", rows[i].text, (long long)number);
    }
    assert_false(json_int(NULL, NULL));
    ROWS_END();
}

static void utf8(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        bool valid;
    } rows[] = {
        {TEXT(""), true},
        {TEXT("ascii \x01\x7f"), true},
        {TEXT("\xc2\x80"), true},
        {TEXT("\xf4\x8f\xbf\xbf"), true},
        {TEXT("a\0b"), false},
        {TEXT("\xc0\x80"), false},
        {TEXT("\xc0\xaf"), false},
        {TEXT("\xe0\x9f\xbf"), false},
        {TEXT("\xed\xa0\x80"), false},
        {TEXT("\xf0\x8f\xbf\xbf"), false},
        {TEXT("\xf4\x90\x80\x80"), false},
        {TEXT("\xf5\x80\x80\x80"), false},
        {TEXT("\xf8\x88\x80\x80\x80"), false},
        {TEXT("\xbf"), false},
        {TEXT("\xc2"), false},
        {TEXT("\xe2\x82"), false},
        {TEXT("\xf0\x9f\x98"), false},
        {TEXT("\xf0\x9f\x98x"), false},
        {TEXT("\xc2\xc2"), false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        ROW(utf8_valid(rows[i].text, rows[i].len) == rows[i].valid, "row %zu", i);
    ROWS_END();
}

static void writer_escapes(void **state)
{
    struct buf buf;
    buf_init(&buf, *state, 1000);
    struct json_out *out = json_out_new(*state, &buf);
    json_out_object(out, NULL);
    json_out_text(out, "t", "a\"b\\c/d\n\r\t\b\f\x01\x1f\xe2\x82\xac</script>");
    json_out_text(out, "", NULL);
    json_out_int(out, "min", INT64_MIN + 1);
    json_out_int(out, "max", INT64_MAX);
    json_out_bool(out, "\"", true);
    json_out_array(out, "a");
    json_out_bool(out, NULL, false);
    json_out_object(out, NULL);
    json_out_close_object(out);
    json_out_close_array(out);
    json_out_close_object(out);
    assert_int_equal(json_out_end(out), ERR_NONE);
    assert_string_equal(buf_text(&buf),
                        "{\"t\":\"a\\\"b\\\\c/d\\n\\r\\t\\b\\f\\u0001\\u001F\xe2\x82\xac</script>\""
                        ",\"\":null,\"min\":-9223372036854775807,\"max\":9223372036854775807,"
                        "\"\\\"\":true,\"a\":[false,{}]}");
}

static void writer_fails_whole(void **state)
{
    static const struct {
        const char *text;
        size_t max;
    } rows[] = {{"\xff", 100}, {"\xed\xa0\x80", 100}, {"abcdef", 9}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf buf;
        buf_init(&buf, *state, rows[i].max);
        struct json_out *out = json_out_new(*state, &buf);
        json_out_array(out, NULL);
        json_out_text(out, NULL, rows[i].text);
        json_out_close_array(out);
        ROW(json_out_end(out) == ERR_OVERLOAD, "row %zu", i);
    }
    struct arena *tiny = arena_new(8);
    assert_null(json_out_new(tiny, NULL));
    arena_free(tiny);
    ROWS_END();
}

/* A foreign object is copied value by value: same text as before, numbers as they were written. */
static void values_round_trip(void **state)
{
    static const char *const rows[] = {
        "null",
        "true",
        "-12.50e+3",
        "123456789012345678901234567890",
        "\"\"",
        "\"\\u0001\\n\\\"\\\\ \xe2\x82\xac \xf0\x9f\x98\x80\"",
        "[]",
        "{}",
        "[1,[2,[3,{\"a\":[{}]}]],null,false]",
        "{\"a\":1,\"b\":{\"c\":[true,\"x\"],\"\":-0},\"d\":0.10}",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json *root;
        struct buf buf;
        assert_int_equal(parse(*state, rows[i], strlen(rows[i]), &root), ERR_NONE);
        buf_init(&buf, *state, 1000);
        struct json_out *out = json_out_new(*state, &buf);
        json_out_object(out, NULL);
        json_out_value(out, "v", root);
        json_out_close_object(out);
        ROW(json_out_end(out) == ERR_NONE, "%s: not written", rows[i]);
        ROW(buf.len == strlen(rows[i]) + 6 &&
                strncmp(buf_text(&buf) + 5, rows[i], strlen(rows[i])) == 0,
            "%s became %s", rows[i], buf_text(&buf));
    }
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ARENA(valid_texts),
        TEST_ARENA(invalid_texts),
        TEST_ARENA(lone_surrogates_are_refused),
        TEST_ARENA(depth_is_limited),
        TEST_ARENA(members_are_limited),
        TEST_ARENA(values_and_memory_are_limited),
        TEST_ARENA(values_read_back),
        TEST_ARENA(whole_numbers),
        TEST(utf8),
        TEST_ARENA(writer_escapes),
        TEST_ARENA(writer_fails_whole),
        TEST_ARENA(values_round_trip),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
