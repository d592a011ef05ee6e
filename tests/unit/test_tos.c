/* When the payer accepted the terms: every spelling that is taken or not, and the exact borders of
 * "in the future". The clock is a number here. */
#include "check.h"

#include "domain/tos.h"

#include <stdio.h>

/* 2024-02-01T00:00:00Z */
#define NOW 1706745600000

static void timestamps(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: no timestamp */
    } rows[] = {
        /* Unix seconds; from 100 000 000 000 on they are milliseconds */
        {"1706745600", NOW},
        {"0", 0},
        {"1", 1000},
        {"0001706745600", NOW},
        {"99999999999", 99999999999000},
        {"100000000000", 100000000000},
        {"1706745600000", NOW},
        {"1706745600123", NOW + 123},
        {"9999999999999999", 9999999999999999},
        {"10000000000000000", -1},
        {"00000000000000001", -1},
        {"-1", -1},
        {"-0", -1},
        {"+1706745600", -1},
        {"1706745600.0", -1},
        {"1.7067456e9", -1},
        {"1e20", -1},
        {"0x65BADE80", -1},
        {"1 706 745 600", -1},
        {"1,706,745,600", -1},
        {"", -1},
        {" ", -1},
        {" 1706745600", -1},
        {"1706745600 ", -1},
        {"1706745600\n", -1},
        {"\xd9\xa1\xd9\xa2", -1}, /* Arabic digits */
        {"NaN", -1},
        {"null", -1},
        {"true", -1},
        /* RFC 3339 */
        {"2024-02-01T00:00:00Z", NOW},
        {"2024-02-01t00:00:00z", NOW},
        {"2024-02-01T00:00:00+00:00", NOW},
        {"2024-02-01T00:00:00-00:00", NOW},
        {"2024-02-01T01:30:00+01:30", NOW},
        {"2024-01-31T16:00:00-08:00", NOW},
        {"2024-02-01T23:59:00+23:59", NOW},
        {"2024-02-01T00:00:00.1Z", NOW + 100},
        {"2024-02-01T00:00:00.12Z", NOW + 120},
        {"2024-02-01T00:00:00.123456789Z", NOW + 123},
        {"2024-02-01T00:00:00.9999999999999999999999+00:00", NOW + 999},
        {"2024-01-31T23:59:60Z", NOW}, /* a leap second is the second after it */
        {"1970-01-01T00:00:00Z", 0},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"2024-02-29T12:00:00Z", 1709208000000},
        {"2024-12-31T23:59:59Z", 1735689599000},
        {"2100-03-01T00:00:00Z", 4107542400000},
        {"9999-12-31T23:59:59Z", 253402300799000},
        {"1969-12-31T23:59:59Z", -1},
        {"1970-01-01T00:00:00+00:01", -1},
        {"0000-01-01T00:00:00Z", -1},
        {"2023-02-29T00:00:00Z", -1},
        {"2100-02-29T00:00:00Z", -1},
        {"2024-02-30T00:00:00Z", -1},
        {"2024-04-31T00:00:00Z", -1},
        {"2024-00-01T00:00:00Z", -1},
        {"2024-13-01T00:00:00Z", -1},
        {"2024-01-00T00:00:00Z", -1},
        {"2024-01-32T00:00:00Z", -1},
        {"2024-02-01T24:00:00Z", -1},
        {"2024-02-01T00:60:00Z", -1},
        {"2024-01-31T12:00:60Z", -1}, /* a leap second is the last one of a day */
        {"2024-01-31T23:59:60+01:00", -1},
        {"2024-02-01T00:00:61Z", -1},
        {"2024-02-01T00:00:00", -1},
        {"2024-02-01T00:00Z", -1},
        {"2024-02-01 00:00:00Z", -1},
        {"2024-02-01", -1},
        {"2024-2-1T00:00:00Z", -1},
        {"24-02-01T00:00:00Z", -1},
        {"02024-02-01T00:00:00Z", -1},
        {"-024-02-01T00:00:00Z", -1},
        {"2024/02/01T00:00:00Z", -1},
        {"20240201T000000Z", -1},
        {"2024-02-01T00:00:00.Z", -1},
        {"2024-02-01T00:00:00.-5Z", -1},
        {"2024-02-01T00:00:00,5Z", -1},
        {"2024-02-01T00:00:00+0100", -1},
        {"2024-02-01T00:00:00+01", -1},
        {"2024-02-01T00:00:00+1:00", -1},
        {"2024-02-01T00:00:00+24:00", -1},
        {"2024-02-01T00:00:00+01:60", -1},
        {"2024-02-01T00:00:00+01:00:00", -1},
        {"2024-02-01T00:00:00ZZ", -1},
        {"2024-02-01T00:00:00Z ", -1},
        {" 2024-02-01T00:00:00Z", -1},
        {"2024-02-01T00:00:00CET", -1},
        {"Thu, 01 Feb 2024 00:00:00 GMT", -1},
        {"T2024-02-01T00:00:00Z", -1},
        {"2024-02-01T0a:00:00Z", -1},
        {"2024-02-01Ta0:00:00Z", -1},
        {"2024-02-01T00:0a:00Z", -1},
        {"2024-02-01T00:00:0aZ", -1},
        {"2024-02-01T00:00-00Z", -1},
        {"2024-02-01T00-00:00Z", -1},
        {"2024-02/01T00:00:00Z", -1},
        {"202x-02-01T00:00:00Z", -1},
        {"2024-0x-01T00:00:00Z", -1},
        {"2024-02-0xT00:00:00Z", -1},
        {"2024-02-01T00:00:00.xZ", -1},
        {"2024-02-01T00:00:00+0x:00", -1},
        {"2024-02-01T00:00:00+00:0x", -1},
        {"2024-02-01T00:00:00+00-00", -1},
        {"2024-02-01T00:00:00\xe2\x88\x92"
         "01:00",
         -1}, /* a minus sign, but not ASCII's */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t ms = -1;
        bool taken = timestamp_parse(rows[i].text, &ms);
        ROW(taken == (rows[i].ms >= 0), "%s \"%s\"", taken ? "took" : "refused", rows[i].text);
        ROW(!taken || ms == rows[i].ms, "\"%s\" is %lld", rows[i].text, (long long)ms);
    }
    ROWS_END();
}

static void acceptance(void **state)
{
    static const struct {
        const char *text;
        bool quoted;
        int64_t skew_ms;
        enum err err;
    } rows[] = {
        {NULL, false, 0, ERR_TOS_REQUIRED},
        {NULL, true, 3600000, ERR_TOS_REQUIRED},
        {"1706745600", false, 0, ERR_NONE},
        {"1706745600", true, 0, ERR_NONE},
        {"1706745599", false, 0, ERR_NONE},
        {"1", false, 0, ERR_NONE}, /* far past */
        {"0", false, 0, ERR_NONE},
        {"1706745600000", false, 0, ERR_NONE},
        {"1706745600000", true, 0, ERR_NONE},
        {"1706745601", false, 0, ERR_TOS_FUTURE},
        {"1706745660", false, 0, ERR_TOS_FUTURE},
        {"1706749200", true, 0, ERR_TOS_FUTURE},
        {"1706745600001", false, 0, ERR_TOS_FUTURE},
        {"1706745600000000", false, 0, ERR_TOS_FUTURE}, /* microseconds */
        {"9999999999999999", true, 3600000, ERR_TOS_FUTURE},
        /* the borders of the skew, to the millisecond */
        {"1706745660", false, 60000, ERR_NONE},
        {"1706745660001", false, 60000, ERR_TOS_FUTURE},
        {"1706745661", false, 60000, ERR_TOS_FUTURE},
        {"1706749200", false, 3600000, ERR_NONE},
        {"1706749200001", false, 3600000, ERR_TOS_FUTURE},
        {"2024-02-01T00:01:00Z", true, 60000, ERR_NONE},
        {"2024-02-01T00:01:00.001Z", true, 60000, ERR_TOS_FUTURE},
        {"2024-02-01T02:00:00+02:00", true, 0, ERR_NONE},
        {"2024-02-01T02:00:00.001+02:00", true, 0, ERR_TOS_FUTURE},
        /* a date is a text: unquoted it is no JSON, but let it be told apart all the same */
        {"2024-02-01T00:00:00Z", false, 0, ERR_TOS_INVALID},
        {"1706745600.0", false, 0, ERR_TOS_INVALID},
        {"1706745600.5", false, 0, ERR_TOS_INVALID},
        {"1.7067456e9", false, 0, ERR_TOS_INVALID},
        {"1e20", false, 0, ERR_TOS_INVALID},
        {"1e20", true, 0, ERR_TOS_INVALID},
        {"100000000000000000000", false, 0, ERR_TOS_INVALID},
        {"-1", false, 0, ERR_TOS_INVALID},
        {"-1", true, 0, ERR_TOS_INVALID},
        {"-0", false, 0, ERR_TOS_INVALID},
        {"", true, 0, ERR_TOS_INVALID},
        {" ", true, 0, ERR_TOS_INVALID},
        {"null", true, 0, ERR_TOS_INVALID},
        {"NaN", true, 0, ERR_TOS_INVALID},
        {"2023-02-29T00:00:00Z", true, 0, ERR_TOS_INVALID},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t ms = -7;
        const char *shown = rows[i].text == NULL ? "nothing" : rows[i].text;
        enum err err = tos_check(rows[i].text, rows[i].quoted, NOW, rows[i].skew_ms, &ms);
        ROW(err == rows[i].err, "%s, skew %lld: %s", shown, (long long)rows[i].skew_ms,
            err_message(err));
        ROW(err == ERR_NONE ? ms >= 0 && ms <= NOW + rows[i].skew_ms : ms == -7, "%s: gave %lld ms",
            shown, (long long)ms);
    }
    ROWS_END();
}

/* Every day of 400 years follows the day before it by 86 400 seconds. */
static void calendar_has_no_gaps(void **state)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t expected = 0;
    (void)state;
    for (int year = 1970; year < 2370; year++)
        for (int month = 1; month <= 12; month++) {
            bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
            int last = days[month - 1] + (month == 2 && leap);
            for (int day = 1; day <= last; day++, expected += 86400000) {
                char text[48];
                int64_t ms = -1;
                (void)snprintf(text, sizeof text, "%04d-%02d-%02dT00:00:00Z", year, month, day);
                ROW(timestamp_parse(text, &ms) && ms == expected, "%s is %lld", text,
                    (long long)ms);
            }
        }
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(timestamps),
        TEST(acceptance),
        TEST(calendar_has_no_gaps),
    };
    return cmocka_run_group_tests_name("tos", tests, NULL, NULL);
}
