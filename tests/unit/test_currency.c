/* The table of currencies: places as ISO 4217 has them, and nothing that nobody pays in. */
#include "check.h"

#include "domain/currency.h"

#include <stdio.h>

static void places(void **state)
{
    static const struct {
        const char *code;
        int exponent;
    } rows[] = {
        {"USD", 2},
        {"EUR", 2},
        {"GBP", 2},
        {"AED", 2},
        {"ZWG", 2},
        {"MGA", 2},
        {"MRU", 2},
        {"XCG", 2},
        {"HUF", 2},
        {"IDR", 2},
        {"JPY", 0},
        {"KRW", 0},
        {"CLP", 0},
        {"VND", 0},
        {"ISK", 0},
        {"UGX", 0},
        {"XPF", 0},
        {"BIF", 0},
        {"KWD", 3},
        {"BHD", 3},
        {"IQD", 3},
        {"JOD", 3},
        {"LYD", 3},
        {"OMR", 3},
        {"TND", 3},
        /* retired */
        {"DEM", -1},
        {"HRK", -1},
        {"BGN", -1},
        {"ANG", -1},
        {"ZWL", -1},
        {"SLL", -1},
        {"CUC", -1},
        {"MRO", -1},
        {"BYR", -1},
        /* tests, none, metals, units of account, funds */
        {"XTS", -1},
        {"XAU", -1},
        {"XAG", -1},
        {"XPT", -1},
        {"XPD", -1},
        {"XDR", -1},
        {"XSU", -1},
        {"XUA", -1},
        {"XBA", -1},
        {"XAD", -1},
        {"BOV", -1},
        {"CHE", -1},
        {"CHW", -1},
        {"CLF", -1},
        {"COU", -1},
        {"MXV", -1},
        {"USN", -1},
        {"UYI", -1},
        {"UYW", -1},
        /* no codes at all, and parts of the table's text */
        {"BTC", -1},
        {"", -1},
        {"US", -1},
        {"USDT", -1},
        {"usd", -1},
        {"US ", -1},
        {" US", -1},
        {"D A", -1},
        {"ED ", -1},
        {"AED AFN", -1},
        {"840", -1},
        {"U\xc5\xa0", -1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int exponent = currency_exponent(rows[i].code);
        ROW(exponent == rows[i].exponent, "\"%s\": %d", rows[i].code, exponent);
    }
    ROWS_END();
}

/* Of all 17 576 codes: how many have how many places. */
static void whole_table(void **state)
{
    int count[5] = {0};
    (void)state;
    for (int code = 0; code < 26 * 26 * 26; code++) {
        char text[4];
        (void)snprintf(text, sizeof text, "%c%c%c", 'A' + code / 676, 'A' + code / 26 % 26,
                       'A' + code % 26);
        int exponent = currency_exponent(text);
        assert_in_range(exponent + 1, 0, 4);
        count[exponent + 1]++;
    }
    assert_int_equal(count[1], 16);
    assert_int_equal(count[2], 0);
    assert_int_equal(count[3], 132);
    assert_int_equal(count[4], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(places), TEST(whole_table)};
    return cmocka_run_group_tests_name("currency", tests, NULL, NULL);
}
