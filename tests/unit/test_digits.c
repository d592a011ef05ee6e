/* Whole numbers: only the ten digits, and only what fits. */
#include "check.h"

#include "domain/digits.h"

#include <string.h>

static void whole_numbers(void **state)
{
    static const struct {
        const char *text;
        int64_t number; /* -1: refused */
    } rows[] = {
        {"0", 0},
        {"7", 7},
        {"00", 0},
        {"007", 7},
        {"9223372036854775807", INT64_MAX},
        {"0000000000000000000000009223372036854775807", INT64_MAX},
        {"9223372036854775808", -1},
        {"9223372036854775810", -1},
        {"99999999999999999999", -1},
        {"1000000000000000000000000000000", -1},
        {"", -1},
        {"-1", -1},
        {"+1", -1},
        {" 1", -1},
        {"1 ", -1},
        {"1/", -1},
        {"1:", -1},
        {"0x1", -1},
        {"1e3", -1},
        {"\xef\xbc\x91", -1}, /* fullwidth 1 */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t number = -1;
        bool taken = digits_parse(rows[i].text, strlen(rows[i].text), &number);
        ROW(taken == (rows[i].number >= 0), "%s \"%s\"", taken ? "took" : "refused", rows[i].text);
        ROW(number == rows[i].number, "\"%s\" is %lld", rows[i].text, (long long)number);
    }
    ROWS_END();
    int64_t number = -1;
    assert_true(digits_parse("123", 2, &number)); /* only as far as it is told to */
    assert_int_equal(number, 12);
    assert_false(digits_parse("1\0002", 3, &number));
    assert_int_equal(number, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(whole_numbers)};
    return cmocka_run_group_tests_name("digits", tests, NULL, NULL);
}
