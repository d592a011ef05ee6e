/* Card numbers, expiry dates, security codes and country codes: what may be sent on, and what not.
 */
#include "check.h"

#include "domain/card.h"
#include "domain/country.h"

#include <string.h>

#define NOW_S INT64_C(1781438400) /* 2026-06-14 12:00 UTC */

static void numbers(void **state)
{
    static const struct {
        const char *text, *digits; /* "": refused */
    } rows[] = {
        {"4242424242424242", "4242424242424242"},
        {"4242 4242 4242 4242", "4242424242424242"},
        {"4242-4242-4242-4242", "4242424242424242"},
        {"3782 822463 10005", "378282246310005"},
        {"4000002760003184", "4000002760003184"},
        {"000000000000", "000000000000"},
        {"0000000000000000000", "0000000000000000000"},
        {"4242424242424241", ""},     /* check digit */
        {"4242424242424224", ""},     /* two digits changed places */
        {"00000000000", ""},          /* 11 */
        {"00000000000000000000", ""}, /* 20 */
        {" 4242424242424242", ""},
        {"4242424242424242 ", ""},
        {"4242  424242424242", ""},
        {"4242- 424242424242", ""},
        {"4242\t424242424242", ""},
        {"4242424242424242\n", ""},
        {"4242.4242.4242.4242", ""},
        {"+4242424242424242", ""},
        {"424242424242424a", ""},
        {"\xd9\xa4\xd9\xa2", ""}, /* Arabic digits */
        {"-", ""},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char digits[CARD_DIGITS_MAX + 1];
        bool valid = card_number_read(rows[i].text, digits);
        ROW(valid == (rows[i].digits[0] != '\0') && strcmp(digits, rows[i].digits) == 0,
            "\"%s\": \"%s\"", rows[i].text, digits);
    }
    ROWS_END();
}

/* Every single wrong digit is found out. */
static void one_wrong_digit(void **state)
{
    static const char right[] = "4000002760003184";
    (void)state;
    for (size_t i = 0; i < sizeof right - 1; i++)
        for (char c = '0'; c <= '9'; c++) {
            char wrong[sizeof right], digits[CARD_DIGITS_MAX + 1];
            memcpy(wrong, right, sizeof right);
            wrong[i] = c;
            ROW(card_number_read(wrong, digits) == (c == right[i]), "%s", wrong);
        }
    ROWS_END();
}

static void expiry_dates(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"06/2026", true},  {"07/2026", true},  {"01/2027", true},     {"12/2045", true},
        {"06/2046", true},  {"05/2026", false}, {"12/2025", false},    {"07/2046", false},
        {"02/2025", false}, {"00/2027", false}, {"13/2027", false},    {"6/2026", false},
        {"06/26", false},   {"06-2026", false}, {"0a/2027", false},    {"06/20a7", false},
        {" 6/2027", false}, {"06/ 027", false}, {"+6/2027", false},    {"06/2027 ", false},
        {"06/-027", false}, {"", false},        {"//////////", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        ROW(card_expiry_valid(rows[i].text, NOW_S) == rows[i].valid, "\"%s\"", rows[i].text);
    ROWS_END();
    /* the last second of a month and the first of the next */
    assert_true(card_expiry_valid("06/2026", 1782863999));
    assert_false(card_expiry_valid("06/2026", 1782864000));
}

static void security_codes(void **state)
{
    static const struct {
        const char *cvc, *number;
        bool valid;
    } rows[] = {
        {"000", "4242424242424242", true},   {"999", "5555555555554444", true},
        {"1234", "378282246310005", true},   {"1234", "343434343434343", true},
        {"123", "378282246310005", false},   {"123", "343434343434343", false},
        {"1234", "4242424242424242", false}, {"12", "4242424242424242", false},
        {"12a", "4242424242424242", false},  {" 12", "4242424242424242", false},
        {"12 ", "4242424242424242", false},  {"123 ", "4242424242424242", false},
        {"", "4242424242424242", false},     {"123", "", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        ROW(card_cvc_valid(rows[i].cvc, rows[i].number) == rows[i].valid, "\"%s\" of %s",
            rows[i].cvc, rows[i].number);
    ROWS_END();
}

static void countries(void **state)
{
    static const char *const known[] = {"AD", "DE", "FR", "GB", "IN", "US", "ZA", "ZW"};
    static const char *const unknown[] = {"",   "D",  "DEU", "de",  "De",  "XX", "ZZ",      "EU",
                                          "UK", "A ", " A",  "D E", "D\n", "E ", "\xc3\x84"};
    int count = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(known); i++)
        ROW(country_valid(known[i]), "%s", known[i]);
    for (size_t i = 0; i < COUNT(unknown); i++)
        ROW(!country_valid(unknown[i]), "\"%s\"", unknown[i]);
    for (char a = 'A'; a <= 'Z'; a++)
        for (char b = 'A'; b <= 'Z'; b++)
            count += country_valid((char[]){a, b, '\0'});
    ROWS_END();
    assert_int_equal(count, 249); /* as ISO counts them */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers),        TEST(one_wrong_digit), TEST(expiry_dates),
        TEST(security_codes), TEST(countries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
