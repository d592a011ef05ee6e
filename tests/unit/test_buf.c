/* Buffers: they grow up to their maximum and not beyond, a failure sticks, HTML is escaped, and
 * texts are copied whole or not at all. */
#include "check.h"

#include "base/buf.h"

#include <string.h>

static void text_is_empty_before_the_first_write(void **state)
{
    struct buf buf;
    buf_init(&buf, *state, 10);
    assert_true(buf_ok(&buf));
    assert_string_equal(buf_text(&buf), "");
    buf_add(&buf, NULL, 0);
    assert_true(buf_ok(&buf));
    assert_string_equal(buf_text(&buf), "");
}

static void growth_keeps_every_byte(void **state)
{
    struct buf buf;
    buf_init(&buf, *state, 100000);
    for (int i = 0; i < 5000; i++)
        buf_printf(&buf, "%d,", i % 10);
    assert_true(buf_ok(&buf));
    assert_int_equal(buf.len, 10000);
    assert_int_equal(strlen(buf_text(&buf)), 10000);
    for (int i = 0; i < 5000; i++)
        ROW(buf_text(&buf)[2 * i] == '0' + i % 10, "byte %d", 2 * i);
    ROWS_END();
}

static void maximum_is_exact_and_failure_sticks(void **state)
{
    static const size_t maxima[] = {0, 1, 255, 256, 257, 1000};
    char text[1001];
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < COUNT(maxima); i++) {
        struct buf buf;
        buf_init(&buf, *state, maxima[i]);
        buf_add(&buf, text, maxima[i]);
        ROW(buf_ok(&buf) && buf.len == maxima[i], "max %zu: it does not fill", maxima[i]);
        buf_puts(&buf, "");
        ROW(buf_ok(&buf), "max %zu: nothing more did not fit", maxima[i]);
        buf_puts(&buf, "y");
        ROW(!buf_ok(&buf), "max %zu: one byte more fits", maxima[i]);
        ROW(buf.len == maxima[i], "max %zu: a failed write left %zu bytes", maxima[i], buf.len);
        buf_puts(&buf, "");
        buf_printf(&buf, "%d", 1);
        buf_html(&buf, "<");
        ROW(!buf_ok(&buf) && buf.len == maxima[i], "max %zu: it forgot its failure", maxima[i]);
    }
    ROWS_END();
}

static void printf_does_not_write_a_part(void **state)
{
    struct buf buf;
    buf_init(&buf, *state, 5);
    buf_printf(&buf, "%s", "abc");
    buf_printf(&buf, "%s", "defg");
    assert_false(buf_ok(&buf));
    assert_string_equal(buf_text(&buf), "abc");
}

static void full_arena_is_a_failure(void **state)
{
    (void)state;
    struct arena *arena = arena_new(300);
    struct buf buf;
    buf_init(&buf, arena, 10000);
    for (int i = 0; i < 100; i++)
        buf_puts(&buf, "0123456789");
    assert_false(buf_ok(&buf));
    assert_int_equal(strlen(buf_text(&buf)), buf.len);
    arena_free(arena);
}

static void html_is_escaped(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"plain text, 10.00 \xe2\x82\xac", "plain text, 10.00 \xe2\x82\xac"},
        {"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
        {"\" onload='x' &amp;", "&quot; onload=&#39;x&#39; &amp;amp;"},
        {"&&<<>>", "&amp;&amp;&lt;&lt;&gt;&gt;"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf buf;
        buf_init(&buf, *state, 200);
        buf_html(&buf, rows[i][0]);
        ROW(strcmp(buf_text(&buf), rows[i][1]) == 0, "%s became %s", rows[i][0], buf_text(&buf));
    }
    ROWS_END();
}

static void texts_are_copied_whole_or_not(void **state)
{
    static const struct {
        const char *from;
        size_t size;
        bool fits;
    } rows[] = {
        {"", 1, true}, {"abc", 4, true}, {"abc", 9, true}, {"a", 1, false}, {"abcd", 4, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char to[10] = "?????????";
        bool fits = text_copy(to, rows[i].size, rows[i].from);
        ROW(fits == rows[i].fits, "\"%s\" into %zu bytes", rows[i].from, rows[i].size);
        ROW(strcmp(to, fits ? rows[i].from : "") == 0, "\"%s\" became \"%s\"", rows[i].from, to);
        ROW(to[rows[i].size] == (rows[i].size < 9 ? '?' : '\0'), "\"%s\": wrote too far",
            rows[i].from);
    }
    ROWS_END();
}

static void texts_are_found(void **state)
{
    static const char *const texts[] = {"one", "two", "three"};
    (void)state;
    assert_int_equal(text_find(texts, 3, "one"), 0);
    assert_int_equal(text_find(texts, 3, "three"), 2);
    assert_int_equal(text_find(texts, 2, "three"), 2); /* none of the two */
    assert_int_equal(text_find(texts, 3, ""), 3);
    assert_int_equal(text_find(texts, 3, "twos"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ARENA(text_is_empty_before_the_first_write),
        TEST_ARENA(growth_keeps_every_byte),
        TEST_ARENA(maximum_is_exact_and_failure_sticks),
        TEST_ARENA(printf_does_not_write_a_part),
        TEST(full_arena_is_a_failure),
        TEST_ARENA(html_is_escaped),
        TEST(texts_are_copied_whole_or_not),
        TEST(texts_are_found),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
