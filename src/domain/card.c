/* Rules of card numbers, expiry dates and security codes. No I/O, no clock of its own. */
#include "domain/card.h"

#include "domain/digits.h"

#include <string.h>
#include <time.h>

enum { DIGITS_MIN = 12, YEARS_AHEAD = 20, EXPIRY_LEN = 7 };

static bool luhn_valid(const char *digits, size_t len)
{
    int sum = 0;
    for (size_t i = 0; i < len; i++) {
        int digit = digits[len - 1 - i] - '0';
        if (i % 2 == 1)
            digit = digit > 4 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    return sum % 10 == 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The number of digits; 0 when anything but single separators stands between them. */
static size_t copy_digits(const char *text, char *ret_digits)
{
    size_t len = 0;
    for (; *text != '\0'; text++) {
        bool separates = (*text == ' ' || *text == '-') && len > 0 && is_digit(text[1]);
        if (separates)
            continue;
        if (!is_digit(*text) || len == CARD_DIGITS_MAX)
            return 0;
        ret_digits[len++] = *text;
    }
    return len;
}

bool card_number_read(const char *text, char ret_digits[CARD_DIGITS_MAX + 1])
{
    size_t len = copy_digits(text, ret_digits);
    bool valid = len >= DIGITS_MIN && luhn_valid(ret_digits, len);
    ret_digits[valid ? len : 0] = '\0';
    return valid;
}

bool card_expiry_valid(const char *text, int64_t now_s)
{
    time_t seconds = (time_t)now_s;
    struct tm now;
    int64_t month, year;
    if (strlen(text) != EXPIRY_LEN || text[2] != '/' || !digits_parse(text, 2, &month) ||
        !digits_parse(text + 3, 4, &year) || month < 1 || month > 12)
        return false;
    (void)gmtime_r(&seconds, &now);
    int64_t months_left = (year - 1900 - now.tm_year) * 12 + month - 1 - now.tm_mon;
    return months_left >= 0 && months_left <= (int64_t)YEARS_AHEAD * 12;
}

bool card_cvc_valid(const char *cvc, const char *number)
{
    bool amex = strncmp(number, "34", 2) == 0 || strncmp(number, "37", 2) == 0;
    size_t len = strspn(cvc, "0123456789");
    return cvc[len] == '\0' && len == (amex ? 4 : 3);
}
