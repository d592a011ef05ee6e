/* What a payer wants to buy: a list of Steam asset ids as text. */
#ifndef DOMAIN_CART_H
#define DOMAIN_CART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CART_MAX = 100 };

/* Ids separated by commas, with spaces around them if need be: whole numbers from 1 without
 * leading zeros. Given in ascending order, so that everybody locks items in the same one. False
 * for an id that is none, empty or there twice, and for more than CART_MAX; then nothing is
 * written. */
bool cart_parse(const char *text, int64_t ret_asset_ids[CART_MAX], size_t *ret_count);

#endif
