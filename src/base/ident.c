/* Sortable random identifiers (ULID). Must not depend on any state shared between processes. */
#include "base/ident.h"

#include "base/clock.h"
#include "base/crypt.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { TIME_DIGITS = 10, RANDOM_DIGITS = 16, PREFIX_MAX = 8 };

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void ident_new(const char *prefix, char ret_id[IDENT_MAX])
{
    size_t len = strlen(prefix);
    unsigned char random[RANDOM_DIGITS];
    int64_t ms = clock_wall_ms();
    assert(len <= PREFIX_MAX);
    crypt_random(random, sizeof random);
    memcpy(ret_id, prefix, len);
    char *digits = ret_id + len;
    for (int i = TIME_DIGITS - 1; i >= 0; i--, ms >>= 5)
        digits[i] = crockford[ms & 31];
    for (int i = 0; i < RANDOM_DIGITS; i++)
        digits[TIME_DIGITS + i] = crockford[random[i] & 31];
    digits[TIME_DIGITS + RANDOM_DIGITS] = '\0';
}

bool ident_valid(const char *prefix, const char *id)
{
    size_t len = strlen(prefix);
    return strncmp(id, prefix, len) == 0 && strlen(id) == len + TIME_DIGITS + RANDOM_DIGITS &&
           strspn(id + len, crockford) == TIME_DIGITS + RANDOM_DIGITS;
}

struct ident_text ident_text(int64_t id)
{
    struct ident_text text;
    (void)snprintf(text.text, sizeof text.text, "%lld", (long long)id);
    return text;
}
