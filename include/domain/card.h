/* What can be said of a payment card without asking anybody. Pure rules: nothing is kept. */
#ifndef DOMAIN_CARD_H
#define DOMAIN_CARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CARD_DIGITS_MAX 19

/* The digits of a number that people write with blanks or dashes between its groups. False, with
 * ret_digits "", unless they are 12 to 19 digits whose check digit is right (ISO/IEC 7812). */
bool card_number_read(const char *text, char ret_digits[CARD_DIGITS_MAX + 1]);

/* MM/YYYY: this month or a later one, at most 20 years ahead. */
bool card_expiry_valid(const char *text, int64_t now_s);

/* 4 digits for American Express, 3 for all others. number: as card_number_read gives it. */
bool card_cvc_valid(const char *cvc, const char *number);

#endif
