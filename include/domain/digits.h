/* Whole numbers in text, the strict way that money, identifiers and clocks share. */
#ifndef DOMAIN_DIGITS_H
#define DOMAIN_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One or more of the digits 0 to 9 and nothing else, whatever the locale. False when there is
 * anything else or the number does not fit; then *ret_number is untouched. */
bool digits_parse(const char *text, size_t len, int64_t *ret_number);

#endif
