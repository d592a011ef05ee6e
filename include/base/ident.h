/* Identifiers: unique, unguessable enough for a path, and sortable by the time they were made. */
#ifndef BASE_IDENT_H
#define BASE_IDENT_H

#include <stdbool.h>
#include <stdint.h>

#define IDENT_MAX 40 /* bytes of any identifier of ours, with its NUL */

/* prefix + 26 characters: 48 bits of milliseconds and 80 random bits in Crockford's base 32 (ULID).
 * The prefix is at most 8 characters. */
void ident_new(const char *prefix, char ret_id[IDENT_MAX]);

/* True for prefix + 26 characters of that alphabet. */
bool ident_valid(const char *prefix, const char *id);

/* A user's id as text, as ledger, tokens and providers have it: ident_text(id).text. */
struct ident_text {
    char text[24];
};
struct ident_text ident_text(int64_t id);

#endif
