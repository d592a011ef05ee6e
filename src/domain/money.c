/* Money arithmetic: checked, integer, one currency at a time. */
#include "domain/money.h"

#include <string.h>

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
