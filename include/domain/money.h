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

/* The amount in the currency's own units: "12.34", "-0.05", "1234" (JPY), "1.234" (KWD). An amount
 * in a currency that ISO 4217 does not know is written as its count of minor units. */
#define MONEY_TEXT_MAX 24
void money_format(const struct money *money, char ret_text[MONEY_TEXT_MAX]);

/* The other way: digits, then perhaps a point and at most as many digits as the currency has
 * places ("12.3" is 12.30). No sign, no blank, no comma, no exponent, no needless leading zero, in
 * any locale. False for anything else, what does not fit, and a currency without known places. */
bool money_parse(const char *text, const char *currency, struct money *ret_money);

/* basis_points / 10 000 of the amount, rounded towards zero, so that the share of a refund is the
 * share of its payment. False outside 0 to 10 000 basis points. */
bool money_share(const struct money *money, int64_t basis_points, struct money *ret_share);

#endif
