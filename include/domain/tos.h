/* When the payer accepted the terms of service, as the client's clock has it. */
#ifndef DOMAIN_TOS_H
#define DOMAIN_TOS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* The last moment that the database can hold: the end of the year 9999. */
#define MOMENT_MAX_MS INT64_C(253402300799999)

/* Reads Unix seconds as digits (from 100 000 000 000 on they are milliseconds), or RFC 3339.
 * Gives milliseconds since 1970. False for anything else. */
bool timestamp_parse(const char *text, int64_t *ret_ms);

/* text: the field as it was written, NULL when it was missing. quoted: it was a string, so that
 * RFC 3339 is possible. Refuses what lies more than skew_ms after now_ms. */
enum err tos_check(const char *text, bool quoted, int64_t now_ms, int64_t skew_ms,
                   int64_t *ret_ms) MUST_CHECK;

#endif
