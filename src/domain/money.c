/* Money arithmetic: checked, integer, one currency at a time. */
#include "domain/money.h"

#include "domain/currency.h"
#include "domain/digits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BASIS_POINTS = 10000, PLACES_MAX = 3 };

/* Minor units in one unit of a currency, by its decimal places. */
static const int64_t scales[PLACES_MAX + 1] = {1, 10, 100, 1000};

bool money_make(int64_t minor_units, const char *currency, struct money *ret_money)
{
    if (minor_units == INT64_MIN || strlen(currency) != 3 ||
        strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
        return false;
    ret_money->minor_units_ = minor_units;
    memcpy(ret_money->currency_, currency, CURRENCY_SIZE);
    return true;
}

int64_t money_minor_units(const struct money *money)
{
    return money->minor_units_;
}

const char *money_currency(const struct money *money)
{
    return money->currency_;
}

bool money_equal(const struct money *a, const struct money *b)
{
    return a->minor_units_ == b->minor_units_ && strcmp(a->currency_, b->currency_) == 0;
}

bool money_add(const struct money *a, const struct money *b, struct money *ret_sum)
{
    int64_t sum;
    if (strcmp(a->currency_, b->currency_) != 0 ||
        __builtin_add_overflow(a->minor_units_, b->minor_units_, &sum))
        return false;
    return money_make(sum, a->currency_, ret_sum);
}

struct money money_negative(const struct money *money)
{
    struct money negative = *money;
    negative.minor_units_ = -money->minor_units_;
    return negative;
}

/* ".05"; nothing for a currency without places. */
static void format_fraction(uint64_t rest, int places, char ret_text[PLACES_MAX + 2])
{
    ret_text[0] = '.';
    ret_text[places > 0 ? places + 1 : 0] = '\0';
    for (; places > 0; places--, rest /= 10)
        ret_text[places] = (char)('0' + rest % 10);
}

void money_format(const struct money *money, char ret_text[MONEY_TEXT_MAX])
{
    char fraction[PLACES_MAX + 2];
    int places = currency_exponent(money->currency_);
    uint64_t units = (uint64_t)money->minor_units_, scale = 1;
    const char *sign = "";
    if (money->minor_units_ < 0) {
        units = -units;
        sign = "-";
    }
    if (places > 0)
        scale = (uint64_t)scales[places];
    format_fraction(units % scale, places, fraction);
    (void)snprintf(ret_text, MONEY_TEXT_MAX, "%s%" PRIu64 "%s", sign, units / scale, fraction);
}

/* ".3" of two places is 30. */
static bool parse_fraction(const char *text, int places, int64_t *ret_units)
{
    size_t len = strlen(text + 1);
    int64_t digits;
    if (text[0] != '.' || len > (size_t)places || !digits_parse(text + 1, len, &digits))
        return false;
    *ret_units = digits * scales[(size_t)places - len];
    return true;
}

bool money_parse(const char *text, const char *currency, struct money *ret_money)
{
    int places = currency_exponent(currency);
    size_t len = strspn(text, "0123456789");
    int64_t units, fraction = 0;
    if (places < 0 || !digits_parse(text, len, &units) || (len > 1 && text[0] == '0'))
        return false;
    if (text[len] != '\0' && !parse_fraction(text + len, places, &fraction))
        return false;
    if (__builtin_mul_overflow(units, scales[places], &units) ||
        __builtin_add_overflow(units, fraction, &units))
        return false;
    return money_make(units, currency, ret_money);
}

bool money_share(const struct money *money, int64_t basis_points, struct money *ret_share)
{
    int64_t units = money->minor_units_;
    if (basis_points < 0 || basis_points > BASIS_POINTS)
        return false;
    struct money share = *money;
    /* in two parts, neither of which can overflow */
    share.minor_units_ =
        units / BASIS_POINTS * basis_points + units % BASIS_POINTS * basis_points / BASIS_POINTS;
    *ret_share = share;
    return true;
}
