/* What guichetctl prints: nothing that a terminal obeys, and amounts, times and columns as people
 * read them. */
#include "check.h"

#include "ctl/show.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void only_harmless_characters_pass(void **state)
{
    static const struct {
        const char *text, *safe;
    } rows[] = {
        {"", ""},
        {"plain, \"quoted\" \\ and {json}", "plain, \"quoted\" \\ and {json}"},
        {"caf\xc3\xa9 \xd0\x9a \xe6\x97\xa5 \xf0\x9f\x98\x80",
         "caf\xc3\xa9 \xd0\x9a \xe6\x97\xa5 \xf0\x9f\x98\x80"},
        {"\x1b[2J", "\\u001b[2J"},
        {"a\nb\tc\rd", "a\\u000ab\\u0009c\\u000dd"},
        {"\x7f", "\\u007f"},
        {"\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\\u0080\\u009b\\u009f\xc2\xa0"},
        {"\xe2\x80\x8b\xe2\x80\x8f\xe2\x80\x90", "\\u200b\\u200f\xe2\x80\x90"},
        {"\xe2\x80\xa8\xe2\x80\xae\xe2\x80\xaf", "\\u2028\\u202e\xe2\x80\xaf"},
        {"\xe2\x81\xa0\xe2\x81\xa6\xe2\x81\xaf\xe2\x81\xb0", "\\u2060\\u2066\\u206f\xe2\x81\xb0"},
        {"\xef\xbb\xbf", "\\ufeff"},
        {"\x9b"
         "31m",
         "\\x9b31m"},
        {"\xff\xfe", "\\xff\\xfe"},
        {"\xc3", "\\xc3"},
        {"\xc3(", "\\xc3("},
        {"\xe2\x82", "\\xe2\\x82"},
        {"\xc0\xaf", "\\xc0\\xaf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf buf;
        buf_init(&buf, *state, 1000);
        show_safe(&buf, rows[i].text, strlen(rows[i].text));
        ROW(strcmp(buf_text(&buf), rows[i].safe) == 0, "row %zu: %s", i, buf_text(&buf));
    }
    ROWS_END();
}

static void a_nul_is_a_character_like_others(void **state)
{
    struct buf buf;
    buf_init(&buf, *state, 100);
    show_safe(&buf, "a\0b", 3);
    assert_string_equal(buf_text(&buf), "a\\u0000b");
}

static const struct column columns[] = {COLUMN(TEXT, "id", "id"),
                                        COLUMN(TIME, "at", "at"),
                                        COLUMN_AMOUNT("amount", "amount", 3),
                                        COLUMN(TEXT, "currency", NULL),
                                        COLUMN(BOOL, "held", "held"),
                                        COLUMN_ASIDE(NUMBER, "tries", "tries"),
                                        COLUMN(TEXT, "note", "note"),
                                        {0}};
static const char *cells[] = {
    "\xd0\x9a",
    "2026-11-28T20:35:09.123Z",
    "-5",
    "USD",
    "1",
    "3",
    "x\x1by",
    "two",
    "0001-01-01T00:00:00.000Z",
    "1234",
    "KWD",
    "0",
    "4",
    NULL,
    "three",
    NULL,
    "1234",
    "JPY",
    NULL,
    NULL,
    "",
};

/* Runs show() with standard output in a file, and reads that. */
static void print(void **state, enum section_shape shape, bool json, const char *wanted)
{
    static char text[4096];
    const struct ctl ctl = {.arena = *state, .json = json};
    const struct section section = {
        .shape = shape, .key = "rows", .columns = columns, .rows = {3, 7, cells}};
    FILE *file = tmpfile();
    int out = dup(STDOUT_FILENO);
    assert_true(file != NULL && out >= 0);
    (void)fflush(stdout);
    assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
    int status = show(&ctl, &section, 1, "a note");
    (void)fflush(stdout);
    assert_true(dup2(out, STDOUT_FILENO) >= 0);
    (void)close(out);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    assert_int_equal(status, CTL_FINE);
    assert_string_equal(text, wanted);
}

static void lists_are_aligned(void **state)
{
    print(state, SECTION_LIST, false,
          "ID     AT                       AMOUNT  HELD  NOTE\n"
          "\xd0\x9a      2026-11-28 20:35:09Z  -0.05 USD  yes   x\\u001by\n"
          "two    0001-01-01 00:00:00Z  1.234 KWD  no    -\n"
          "three  -                      1234 JPY  -\n"
          "a note\n");
}

static void fields_stand_alone(void **state)
{
    print(state, SECTION_FIELDS, false,
          "id      \xd0\x9a\n"
          "at      2026-11-28 20:35:09Z\n"
          "amount  -0.05 USD\n"
          "held    yes\n"
          "tries   3\n"
          "note    x\\u001by\n"
          "a note\n");
}

static void json_has_every_member_with_its_type(void **state)
{
    print(state, SECTION_LIST, true,
          "{\"rows\":["
          "{\"id\":\"\xd0\x9a\",\"at\":\"2026-11-28T20:35:09.123Z\",\"amount\":-5,\"currency\":"
          "\"USD\",\"held\":true,\"tries\":3,\"note\":\"x\\u001By\"},"
          "{\"id\":\"two\",\"at\":\"0001-01-01T00:00:00.000Z\",\"amount\":1234,\"currency\":"
          "\"KWD\",\"held\":false,\"tries\":4,\"note\":null},"
          "{\"id\":\"three\",\"at\":null,\"amount\":1234,\"currency\":\"JPY\",\"held\":null,"
          "\"tries\":null,\"note\":\"\"}]}\n");
    print(state, SECTION_OBJECT, true,
          "{\"rows\":{\"id\":\"\xd0\x9a\",\"at\":\"2026-11-28T20:35:09.123Z\",\"amount\":-5,"
          "\"currency\":\"USD\",\"held\":true,\"tries\":3,\"note\":\"x\\u001By\"}}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_harmless_characters_pass, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(a_nul_is_a_character_like_others, arena_setup,
                                        arena_teardown),
        cmocka_unit_test_setup_teardown(lists_are_aligned, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(fields_stand_alone, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(json_has_every_member_with_its_type, arena_setup,
                                        arena_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
