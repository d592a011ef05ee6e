/* The sandbox's writers of text: amounts and decimals without floating point, times, clipping. */
#include "check.h"

#include "sandbox/text.c"

static void amounts(void **state)
{
    static const struct {
        int64_t amount;
        const char *currency, *text;
    } rows[] = {
        {1234, "USD", "12.34 USD"}, {5, "EUR", "0.05 EUR"},
        {0, "USD", "0.00 USD"},     {1234, "JPY", "1234 JPY"},
        {1234, "KWD", "1.234 KWD"}, {100000000, "USD", "1000000.00 USD"},
        {7, "KWD", "0.007 KWD"},    {12345, "CLF", "1.2345 CLF"},
        {1, "UYI", "1 UYI"},        {1, "XAU", "0.01 XAU"},
        {1, "XYZ", "0.01 XYZ"},     {1, "JP", "0.01 JP"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf buf;
        buf_init(&buf, *state, 100);
        buf_money(&buf, rows[i].amount, rows[i].currency);
        ROW(strcmp(buf_text(&buf), rows[i].text) == 0, "%s is not %s", buf_text(&buf),
            rows[i].text);
    }
    ROWS_END();
}

static void decimals(void **state)
{
    static const struct {
        int64_t decimal;
        int places, min_places;
        const char *text;
    } rows[] = {
        {29, 3, 0, "0.029"}, {290, 4, 0, "0.029"}, {30, 2, 2, "0.30"},
        {30, 2, 0, "0.3"},   {0, 2, 0, "0"},       {1000, 3, 0, "1"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf buf;
        buf_init(&buf, *state, 100);
        buf_decimal(&buf, rows[i].decimal, rows[i].places, rows[i].min_places);
        ROW(strcmp(buf_text(&buf), rows[i].text) == 0, "%s is not %s", buf_text(&buf),
            rows[i].text);
    }
    ROWS_END();
}

static void times_and_clips(void **state)
{
    struct buf buf;
    char clipped[6];
    buf_init(&buf, *state, 100);
    buf_time(&buf, INT64_C(1795176000123));
    assert_string_equal(buf_text(&buf), "2026-11-20T12:00:00.123000Z");
    text_clip(clipped, sizeof clipped,
              "a\x01\xff"
              "bcdef");
    assert_string_equal(clipped, "a??bc");
    buf_init(&buf, *state, 100);
    buf_url(&buf, "a b&c=\xc3\xa9/~");
    assert_string_equal(buf_text(&buf), "a%20b%26c%3D%C3%A9%2F~");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ARENA(amounts),
        TEST_ARENA(decimals),
        TEST_ARENA(times_and_clips),
    };
    return cmocka_run_group_tests_name("sandbox/text", tests, NULL, NULL);
}
