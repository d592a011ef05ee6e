/* Money: only whole units of a named currency, sums that fit, never two currencies at once. */
#include "check.h"

#include "domain/money.h"

#include <string.h>

static void what_is_money(void **state)
{
    static const struct {
        int64_t units;
        const char *currency;
        bool valid;
    } rows[] = {
        {0, "USD", true},         {1, "EUR", true},          {-1, "JPY", true},
        {INT64_MAX, "USD", true}, {-INT64_MAX, "USD", true}, {INT64_MIN, "USD", false},
        {1, "", false},           {1, "US", false},          {1, "USDT", false},
        {1, "usd", false},        {1, "Usd", false},         {1, "US1", false},
        {1, "US ", false},        {1, " USD", false},        {1, "US\n", false},
        {1, "US$", false},        {1, "\xc3\x89U", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct money money;
        assert_true(money_make(77, "XTS", &money));
        bool valid = money_make(rows[i].units, rows[i].currency, &money);
        ROW(valid == rows[i].valid, "%lld \"%s\"", (long long)rows[i].units, rows[i].currency);
        if (valid)
            ROW(money_minor_units(&money) == rows[i].units &&
                    strcmp(money_currency(&money), rows[i].currency) == 0,
                "%lld %s: became another", (long long)rows[i].units, rows[i].currency);
        else
            ROW(money_minor_units(&money) == 77, "\"%s\": written though refused",
                rows[i].currency);
    }
    ROWS_END();
}

static void sums(void **state)
{
    static const struct {
        int64_t a, b;
        const char *a_currency, *b_currency;
        bool fits;
        int64_t sum;
    } rows[] = {
        {2, 3, "USD", "USD", true, 5},
        {-2, 2, "USD", "USD", true, 0},
        {INT64_MAX, 0, "USD", "USD", true, INT64_MAX},
        {INT64_MAX, -INT64_MAX, "USD", "USD", true, 0},
        {INT64_MAX - 1, 1, "USD", "USD", true, INT64_MAX},
        {INT64_MAX, 1, "USD", "USD", false, 0},
        {1, INT64_MAX, "USD", "USD", false, 0},
        {-INT64_MAX, -1, "USD", "USD", false, 0}, /* would be INT64_MIN */
        {-INT64_MAX, -2, "USD", "USD", false, 0},
        {INT64_MAX, INT64_MAX, "USD", "USD", false, 0},
        {2, 3, "USD", "EUR", false, 0},
        {0, 0, "USD", "USN", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct money a, b, sum;
        assert_true(money_make(rows[i].a, rows[i].a_currency, &a));
        assert_true(money_make(rows[i].b, rows[i].b_currency, &b));
        assert_true(money_make(77, "XTS", &sum));
        bool fits = money_add(&a, &b, &sum);
        ROW(fits == rows[i].fits, "row %zu", i);
        ROW(money_minor_units(&sum) == (fits ? rows[i].sum : 77), "row %zu: %lld", i,
            (long long)money_minor_units(&sum));
        ROW(strcmp(money_currency(&sum), fits ? rows[i].a_currency : "XTS") == 0, "row %zu: %s", i,
            money_currency(&sum));
        if (fits) /* the sum may be one of its parts */
            ROW(money_add(&a, &b, &a) && money_equal(&a, &sum), "row %zu: in place", i);
    }
    ROWS_END();
}

static void equality_and_sign(void **state)
{
    static const int64_t units[] = {0, 1, 2500000, INT64_MAX};
    struct money dollars, euros, other;
    (void)state;
    assert_true(money_make(1000, "USD", &dollars));
    assert_true(money_make(1000, "EUR", &euros));
    assert_true(money_make(1001, "USD", &other));
    assert_true(money_equal(&dollars, &dollars));
    assert_false(money_equal(&dollars, &euros));
    assert_false(money_equal(&dollars, &other));
    for (size_t i = 0; i < COUNT(units); i++) {
        struct money money, sum;
        assert_true(money_make(units[i], "USD", &money));
        struct money minus = money_negative(&money), back = money_negative(&minus);
        ROW(money_minor_units(&minus) == -units[i], "%lld", (long long)units[i]);
        ROW(money_equal(&money, &back), "%lld: not the same twice", (long long)units[i]);
        ROW(money_add(&money, &minus, &sum) && money_minor_units(&sum) == 0, "%lld: no zero",
            (long long)units[i]);
    }
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_money),
        TEST(sums),
        TEST(equality_and_sign),
    };
    return cmocka_run_group_tests_name("money", tests, NULL, NULL);
}
