/* Timestamps from clients. Pure text work: knows no clock and no time zone database. */
#include "domain/tos.h"

#include "domain/digits.h"

#include <stddef.h>
#include <string.h>

enum { DIGITS_MAX = 16 };

/* A clock that counts seconds reaches this number in the year 5138; one that counts milliseconds
 * passed it in 1973. */
#define FIRST_MILLISECOND_VALUE 100000000000

static bool parse_unix(const char *text, int64_t *ret_ms)
{
    int64_t number;
    if (strlen(text) > DIGITS_MAX || !digits_parse(text, strlen(text), &number))
        return false;
    *ret_ms = number >= FIRST_MILLISECOND_VALUE ? number : number * 1000;
    return true;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, counted in years that begin in March.
 */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400, of_era = year % 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* "Z", or an offset such as +01:30, at the very end. */
static bool parse_offset(const char *text, int64_t *ret_minutes)
{
    int64_t hours, minutes;
    if ((text[0] == 'Z' || text[0] == 'z') && text[1] == '\0') {
        *ret_minutes = 0;
        return true;
    }
    if ((text[0] != '+' && text[0] != '-') || strlen(text) != 6 || text[3] != ':' ||
        !digits_parse(text + 1, 2, &hours) || !digits_parse(text + 4, 2, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    *ret_minutes = (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

/* ".123456": only the milliseconds count; gives the first character after it. */
static const char *parse_fraction(const char *text, int64_t *ret_ms)
{
    int64_t ms = 0, weight = 100;
    *ret_ms = 0;
    if (*text != '.')
        return text;
    if (text[1] < '0' || text[1] > '9')
        return NULL;
    for (text++; *text >= '0' && *text <= '9'; text++, weight /= 10)
        ms += (*text - '0') * weight;
    *ret_ms = ms;
    return text;
}

static bool parse_date(const char *text, int64_t *ret_days)
{
    int64_t year, month, day;
    if (text[4] != '-' || text[7] != '-' || !digits_parse(text, 4, &year) ||
        !digits_parse(text + 5, 2, &month) || !digits_parse(text + 8, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *ret_days = days_from_date(year, month, day);
    return true;
}

static bool parse_time(const char *text, int64_t *ret_seconds)
{
    int64_t hour, minute, second;
    if (text[2] != ':' || text[5] != ':' || !digits_parse(text, 2, &hour) ||
        !digits_parse(text + 3, 2, &minute) || !digits_parse(text + 6, 2, &second))
        return false;
    *ret_seconds = hour * 3600 + minute * 60 + second;
    return hour <= 23 && minute <= 59 && second <= 60; /* 60: a leap second */
}

static bool parse_rfc3339(const char *text, int64_t *ret_ms)
{
    int64_t days, seconds, fraction_ms, offset_minutes;
    if (strlen(text) < sizeof "2024-02-01T00:00:00Z" - 1)
        return false;
    if (!parse_date(text, &days) || (text[10] != 'T' && text[10] != 't') ||
        !parse_time(text + 11, &seconds))
        return false;
    const char *rest = parse_fraction(text + 19, &fraction_ms);
    if (rest == NULL || !parse_offset(rest, &offset_minutes))
        return false;
    int64_t ms = (days * 86400 + seconds - offset_minutes * 60) * 1000 + fraction_ms;
    bool leap = strncmp(text + 17, "60", 2) == 0; /* only ever the last second of a day */
    *ret_ms = ms;
    return ms >= 0 && (!leap || ms / 1000 % 86400 == 0);
}

bool timestamp_parse(const char *text, int64_t *ret_ms)
{
    return parse_unix(text, ret_ms) || parse_rfc3339(text, ret_ms);
}

enum err tos_check(const char *text, bool quoted, int64_t now_ms, int64_t skew_ms, int64_t *ret_ms)
{
    int64_t ms;
    if (text == NULL)
        return ERR_TOS_REQUIRED;
    if (!(quoted ? timestamp_parse(text, &ms) : parse_unix(text, &ms)))
        return ERR_TOS_INVALID;
    if (ms > now_ms + skew_ms)
        return ERR_TOS_FUTURE;
    *ret_ms = ms;
    return ERR_NONE;
}
