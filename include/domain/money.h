/* An amount with its currency. Amounts are whole minor units (cents for USD); nothing here or
 * elsewhere uses floating point. Only money.c touches the members. */
#ifndef DOMAIN_MONEY_H
#define DOMAIN_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#define CURRENCY_SIZE 4

struct money {
    int64_t minor_units_;
    char currency_[CURRENCY_SIZE];
};

/* False when the currency is not three capital letters. */
bool money_make(int64_t minor_units, const char *currency, struct money *ret_money);

int64_t money_minor_units(const struct money *money);
const char *money_currency(const struct money *money);

/* Same amount and same currency. */
bool money_equal(const struct money *a, const struct money *b);

/* False when the currencies differ or the sum does not fit; then *ret_sum is untouched. */
bool money_add(const struct money *a, const struct money *b, struct money *ret_sum);

/* The amount with the other sign; INT64_MIN is no amount and cannot be made. */
struct money money_negative(const struct money *money);

#endif
