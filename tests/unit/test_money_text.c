/* Amounts as text, both ways, and shares of them: against oracles that only move digits about, in
 * every locale that this machine has, and with what people and programs send instead of amounts. */
#include "check.h"

#include "domain/money.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *currency;
    size_t places;
} currencies[] = {{"JPY", 0}, {"USD", 2}, {"KWD", 3}};

static const int64_t amounts[] = {
    0,
    1,
    5,
    9,
    10,
    99,
    100,
    101,
    999,
    1000,
    1001,
    1504, /* 15.04 * 100 is 1503.999... in binary */
    123456,
    2500000,
    INT32_MAX,
    (int64_t)INT32_MAX + 1,
    9007199254740993, /* beyond what a double counts */
    INT64_MAX - 1,
    INT64_MAX,
};

/* The digits of the amount, at least one before the point. */
static void oracle(int64_t units, size_t places, char *ret_text, size_t size)
{
    char digits[40];
    int len = snprintf(digits, sizeof digits, "%0*lld", (int)places + 1, (long long)units);
    size_t whole = (size_t)len - places;
    (void)snprintf(ret_text, size, "%.*s%s%s", (int)whole, digits, places > 0 ? "." : "",
                   digits + whole);
}

static void both_ways(void **state)
{
    (void)state;
    for (size_t c = 0; c < COUNT(currencies); c++)
        for (size_t i = 0; i < COUNT(amounts); i++) {
            char wanted[50], negative_wanted[60], text[MONEY_TEXT_MAX];
            struct money money, negative, read;
            assert_true(money_make(amounts[i], currencies[c].currency, &money));
            oracle(amounts[i], currencies[c].places, wanted, sizeof wanted);
            money_format(&money, text);
            ROW(strcmp(text, wanted) == 0, "%s %s is written %s", currencies[c].currency, wanted,
                text);
            ROW(money_parse(text, currencies[c].currency, &read) && money_equal(&read, &money),
                "%s %s is read as another amount", currencies[c].currency, text);
            if (amounts[i] == 0)
                continue;
            negative = money_negative(&money);
            (void)snprintf(negative_wanted, sizeof negative_wanted, "-%s", wanted);
            money_format(&negative, text);
            ROW(strcmp(text, negative_wanted) == 0, "%s is written %s", negative_wanted, text);
            ROW(!money_parse(text, currencies[c].currency, &read), "took %s", text);
        }
    ROWS_END();
}

static void written(void **state)
{
    static const struct {
        int64_t units;
        const char *currency, *text;
    } rows[] = {
        {1234, "USD", "12.34"},
        {-5, "USD", "-0.05"},
        {-1234, "USD", "-12.34"},
        {1234, "JPY", "1234"},
        {-1234, "JPY", "-1234"},
        {1234, "KWD", "1.234"},
        {-5, "KWD", "-0.005"},
        {INT64_MAX, "USD", "92233720368547758.07"},
        {-INT64_MAX, "KWD", "-9223372036854775.807"},
        {1234, "XTS", "1234"}, /* who knows */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct money money;
        char text[MONEY_TEXT_MAX];
        assert_true(money_make(rows[i].units, rows[i].currency, &money));
        money_format(&money, text);
        ROW(strcmp(text, rows[i].text) == 0, "%s %s is written %s", rows[i].currency, rows[i].text,
            text);
    }
    ROWS_END();
}

/* F30: no cent is lost or won between 0.00 and 9999.99. */
static void every_cent(void **state)
{
    (void)state;
    for (int units = 0; units < 1000000; units++) {
        char wanted[16], text[MONEY_TEXT_MAX];
        struct money money;
        (void)snprintf(wanted, sizeof wanted, "%d.%d%d", units / 100, units / 10 % 10, units % 10);
        ROW(money_parse(wanted, "USD", &money) && money_minor_units(&money) == units,
            "%s is not %d", wanted, units);
        money_format(&money, text);
        ROW(strcmp(text, wanted) == 0, "%s became %s", wanted, text);
    }
    ROWS_END();
}

static const struct {
    const char *text, *currency;
    int64_t units; /* -1: refused */
} readings[] = {
    {"12", "USD", 1200},
    {"12.3", "USD", 1230},
    {"12.30", "USD", 1230},
    {"12.34", "USD", 1234},
    {"0", "USD", 0},
    {"0.0", "USD", 0},
    {"0.00", "USD", 0},
    {"0.05", "USD", 5},
    {"0.5", "USD", 50},
    {"15.04", "USD", 1504},
    {"12", "JPY", 12},
    {"0", "JPY", 0},
    {"12", "KWD", 12000},
    {"12.3", "KWD", 12300},
    {"12.34", "KWD", 12340},
    {"12.345", "KWD", 12345},
    {"0.001", "KWD", 1},
    {"9223372036854775807", "JPY", INT64_MAX},
    {"92233720368547758.07", "USD", INT64_MAX},
    {"9223372036854775.807", "KWD", INT64_MAX},
    /* more places than the currency has, even if they are empty */
    {"12.345", "USD", -1},
    {"12.340", "USD", -1},
    {"12.000", "USD", -1},
    {"12.0", "JPY", -1},
    {"12.", "JPY", -1},
    {"12.3456", "KWD", -1},
    {"0.0000000000000000000000000000000000000001", "USD", -1},
    /* does not fit */
    {"9223372036854775808", "JPY", -1},
    {"92233720368547758.08", "USD", -1},
    {"92233720368547759", "USD", -1},
    {"92233720368547758.1", "USD", -1},
    {"9223372036854775808", "USD", -1},
    {"9223372036854775.808", "KWD", -1},
    {"1000000000000000000000000000000", "USD", -1},
    {"18446744073709551617", "JPY", -1},
    /* another grammar */
    {"", "USD", -1},
    {"-", "USD", -1},
    {"+", "USD", -1},
    {".", "USD", -1},
    {",", "USD", -1},
    {"1.", "USD", -1},
    {".5", "USD", -1},
    {"-1", "USD", -1},
    {"-0", "USD", -1},
    {"+1", "USD", -1},
    {"+1.00", "USD", -1},
    {"00", "USD", -1},
    {"01", "USD", -1},
    {"00.5", "USD", -1},
    {"01.50", "USD", -1},
    {"1.2.3", "USD", -1},
    {"1..2", "USD", -1},
    {"1.-2", "USD", -1},
    {"1.+2", "USD", -1},
    {"1. 2", "USD", -1},
    {"12,34", "USD", -1},
    {"1,234", "USD", -1},
    {"1,234.56", "USD", -1},
    {"1.234,56", "USD", -1},
    {"1 234", "USD", -1},
    {"1'234", "USD", -1},
    {"1_234", "USD", -1},
    {" 1", "USD", -1},
    {"1 ", "USD", -1},
    {"1\t", "USD", -1},
    {"1\n", "USD", -1},
    {"1.5\n", "USD", -1},
    {"1e2", "USD", -1},
    {"1E2", "USD", -1},
    {"1.5e1", "USD", -1},
    {"1e400", "USD", -1},
    {"1e-2", "USD", -1},
    {"0x10", "USD", -1},
    {"0x1p3", "USD", -1},
    {"NaN", "USD", -1},
    {"nan", "USD", -1},
    {"inf", "USD", -1},
    {"Infinity", "USD", -1},
    {"null", "USD", -1},
    {"$1", "USD", -1},
    {"1$", "USD", -1},
    {"1 USD", "USD", -1},
    {"1f", "USD", -1},
    {"1.5f", "USD", -1},
    {"1/", "USD", -1},
    {"1:", "USD", -1},
    {"1./", "USD", -1},
    {"1.5:", "USD", -1},
    {"\xef\xbc\x91\xef\xbc\x92", "USD", -1}, /* fullwidth 12 */
    {"\xd9\xa1", "USD", -1},                 /* Arabic 1 */
    {"1\xd9\xab"
     "5",
     "USD", -1}, /* Arabic decimal separator */
    {"1\xc2\xa0"
     "000",
     "USD", -1}, /* a blank that does not break */
    {"\xef\xbb\xbf"
     "1",
     "USD", -1}, /* byte order mark */
    {"\xe2\x88\x92"
     "1",
     "USD", -1}, /* minus sign */
    /* another currency */
    {"12.34", "usd", -1},
    {"12.34", "", -1},
    {"12.34", "USDT", -1},
    {"12", "XTS", -1},
    {"12", "XAU", -1},
    {"12", "CLF", -1},
};

static void readings_hold(const char *locale)
{
    for (size_t i = 0; i < COUNT(readings); i++) {
        struct money money;
        assert_true(money_make(77, "XTS", &money));
        bool taken = money_parse(readings[i].text, readings[i].currency, &money);
        ROW(taken == (readings[i].units >= 0), "%s \"%s\" (%s, locale %s)",
            taken ? "took" : "refused", readings[i].text, readings[i].currency, locale);
        ROW(money_minor_units(&money) == (taken ? readings[i].units : 77), "\"%s\" is %lld",
            readings[i].text, (long long)money_minor_units(&money));
        ROW(strcmp(money_currency(&money), taken ? readings[i].currency : "XTS") == 0,
            "\"%s\" is in %s", readings[i].text, money_currency(&money));
    }
}

static void read_strictly(void **state)
{
    (void)state;
    readings_hold("C");
    ROWS_END();
}

/* F31: a decimal comma, grouping and other digits belong to the screen, not to the wire. A machine
 * without such a locale tries the others. */
static void locale_changes_nothing(void **state)
{
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE",       "fr_FR.UTF-8",
                                          "ar_EG.UTF-8", "en_US.UTF-8", "C.UTF-8"};
    (void)state;
    for (size_t i = 0; i < COUNT(locales); i++) {
        if (setlocale(LC_ALL, locales[i]) == NULL)
            continue;
        readings_hold(locales[i]);
        written(NULL);
    }
    (void)setlocale(LC_ALL, "C");
    ROWS_END();
}

static void shares(void **state)
{
    static const struct {
        int64_t units, basis_points, share; /* -1: refused */
    } rows[] = {
        {0, 500, 0},
        {1500, 500, 75},
        {1500, 0, 0},
        {1500, 10000, 1500},
        {1500, 1, 0},
        {10000, 1, 1},
        {9999, 1, 0},
        {19999, 1, 1},
        {1, 9999, 0},
        {3, 3333, 0},
        {3, 3334, 1},
        {99, 250, 2},
        {2500000, 1234, 308500},
        {INT64_MAX, 10000, INT64_MAX},
        {INT64_MAX, 0, 0},
        {INT64_MAX, 1, 922337203685477},
        {INT64_MAX, 5000, INT64_MAX / 2},
        {1500, -1, -1},
        {1500, 10001, -1},
        {1500, INT64_MIN, -1},
        {1500, INT64_MAX, -1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct money money, negative, share;
        assert_true(money_make(rows[i].units, "USD", &money));
        assert_true(money_make(-1, "XTS", &share));
        bool taken = money_share(&money, rows[i].basis_points, &share);
        ROW(taken == (rows[i].share >= 0), "row %zu", i);
        ROW(money_minor_units(&share) == rows[i].share, "row %zu: %lld", i,
            (long long)money_minor_units(&share));
        ROW(strcmp(money_currency(&share), taken ? "USD" : "XTS") == 0, "row %zu: %s", i,
            money_currency(&share));
        if (!taken)
            continue;
        negative = money_negative(&money);
        ROW(money_share(&negative, rows[i].basis_points, &share) &&
                money_minor_units(&share) == -rows[i].share,
            "row %zu: a refund takes back another share", i);
    }
    ROWS_END();
}

/* Against arithmetic of twice the width, over amounts of every size. */
static void shares_of_everything(void **state)
{
    uint64_t random = 88172645463325252u;
    (void)state;
    for (int i = 0; i < 200000; i++) {
        struct money money, share;
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        int64_t units = (int64_t)(random >> (1 + i % 63)), points = (int64_t)(random % 10001);
        assert_true(money_make(units, "USD", &money));
        assert_true(money_share(&money, points, &share));
        int64_t wanted = (int64_t)((__int128)units * points / 10000);
        ROW(money_minor_units(&share) == wanted, "%lld of %lld: %lld", (long long)points,
            (long long)units, (long long)money_minor_units(&share));
    }
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_ways),
        TEST(written),
        TEST(every_cent),
        TEST(read_strictly),
        TEST(locale_changes_nothing),
        TEST(shares),
        TEST(shares_of_everything),
    };
    return cmocka_run_group_tests_name("money text", tests, NULL, NULL);
}
