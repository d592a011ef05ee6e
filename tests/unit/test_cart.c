/* Carts: every spelling of a list that is taken or not, the borders of an id and of a list, and
 * the one order in which ids come out. */
#include "check.h"

#include "domain/cart.h"

#include <stdio.h>
#include <string.h>

static void lists(void **state)
{
    static const struct {
        const char *text;
        size_t count; /* 0: refused */
        int64_t ids[4];
    } rows[] = {
        {"987654321", 1, {987654321}},
        {"1", 1, {1}},
        {"9223372036854775807", 1, {INT64_MAX}},
        {"1,2", 2, {1, 2}},
        {"2,1", 2, {1, 2}},
        {"3,1,2", 3, {1, 2, 3}},
        {"10,9,8,11", 4, {8, 9, 10, 11}},
        {"9,10", 2, {9, 10}}, /* as numbers, not as text */
        {" 1", 1, {1}},
        {"1 ", 1, {1}},
        {"  1  ,  2  ", 2, {1, 2}},
        {"1, 2", 2, {1, 2}},
        {"", 0, {0}},
        {" ", 0, {0}},
        {",", 0, {0}},
        {" , ", 0, {0}},
        {"1,", 0, {0}},
        {",1", 0, {0}},
        {"1,,2", 0, {0}},
        {"1, ,2", 0, {0}},
        {"1,1", 0, {0}},
        {"1, 1 ", 0, {0}},
        {"2,1,2", 0, {0}},
        {"1,3,2,3", 0, {0}},
        {"0", 0, {0}},
        {"1,0", 0, {0}},
        {"01", 0, {0}},
        {"1,01", 0, {0}},
        {"-1", 0, {0}},
        {"+1", 0, {0}},
        {"1.0", 0, {0}},
        {"1e3", 0, {0}},
        {"0x1", 0, {0}},
        {"1 2", 0, {0}},
        {"1;2", 0, {0}},
        {"1\t", 0, {0}},
        {"1\n,2", 0, {0}},
        {"\"1\"", 0, {0}},
        {"[1,2]", 0, {0}},
        {"abc", 0, {0}},
        {"1,abc", 0, {0}},
        {"9223372036854775808", 0, {0}},
        {"18446744073709551617", 0, {0}},
        {"1,99999999999999999999999999", 0, {0}},
        {"\xef\xbc\x91", 0, {0}}, /* fullwidth 1 */
        {"1\xef\xbc\x8c"
         "2",
         0,
         {0}}, /* fullwidth comma */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t ids[CART_MAX] = {-7};
        size_t count = 0;
        bool taken = cart_parse(rows[i].text, ids, &count);
        ROW(taken == (rows[i].count > 0), "%s \"%s\"", taken ? "took" : "refused", rows[i].text);
        ROW(count == rows[i].count, "\"%s\": %zu ids", rows[i].text, count);
        ROW(taken ? memcmp(ids, rows[i].ids, count * sizeof ids[0]) == 0 : ids[0] == -7,
            "\"%s\": other ids", rows[i].text);
    }
    ROWS_END();
}

/* first, first - 1, ... */
static void write_list(int count, char *ret_text, size_t size)
{
    size_t len = 0;
    for (int i = 0; i < count; i++)
        len +=
            (size_t)snprintf(ret_text + len, size - len, "%s%d", i == 0 ? "" : ",", 900001000 - i);
    assert_true(len < size);
}

static void longest(void **state)
{
    char text[2000];
    int64_t ids[CART_MAX];
    size_t count = 0;
    (void)state;
    write_list(CART_MAX, text, sizeof text);
    assert_true(cart_parse(text, ids, &count));
    assert_int_equal(count, CART_MAX);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ids[i], 900001000 - CART_MAX + 1 + (int)i);
    write_list(CART_MAX + 1, text, sizeof text);
    assert_false(cart_parse(text, ids, &count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(lists), TEST(longest)};
    return cmocka_run_group_tests_name("cart", tests, NULL, NULL);
}
