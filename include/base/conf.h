/* Reads one INI file (libinih) into a struct, by a table of typed settings with bounds.
 * Unknown sections and keys, repeated keys and bad values are reported with file and line. */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include "base/crypt.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum conf_type {
    CONF_NUMBER,      /* int64_t, from min to max */
    CONF_SWITCH,      /* bool: on or off */
    CONF_TEXT,        /* char[CONF_TEXT_MAX] */
    CONF_LIST,        /* char[CONF_LIST_MAX]: words; indented lines go on with it */
    CONF_URL,         /* char[CONF_TEXT_MAX]: https://…, kept without a trailing slash */
    CONF_LIMITS,      /* struct conf_limits: "USD:500-50000 EUR:500-50000" */
    CONF_SECRET,      /* struct secret, read from the file that the value names */
    CONF_WEBHOOK_KEY, /* the same, of a file that holds "whsec_" and base64 (base/webhook) */
    CONF_PUBLIC_KEY,  /* struct public_key, the same from a file in PEM */
};

#define CONF_TEXT_MAX 256
#define CONF_LIST_MAX 2048

/* Currencies, each with the smallest and largest amount in its minor units, in the order written.
 */
#define CONF_LIMITS_MAX 16
struct conf_limit {
    char currency[4];
    int64_t minimum, maximum;
};
struct conf_limits {
    struct conf_limit rows[CONF_LIMITS_MAX];
    size_t count;
};

/* NULL when the currency is not among them. */
const struct conf_limit *conf_limits_find(const struct conf_limits *limits, const char *currency);

/* One setting is one row. */
struct conf_setting {
    const char *section, *key;
    enum conf_type type;
    size_t offset;        /* of the field in the caller's struct */
    const char *fallback; /* the default, as it would be written; NULL: none */
    int64_t min, max;     /* numbers and limits: bounds; secrets: fewest bytes */
};

/* Fills *ret_values from the defaults and the file, and ret_lines with the line of each setting, 0
 * where the file has none. Every problem found is a line on report: "file:line: what is wrong".
 * ERR_CONFIG if there was any. */
enum err conf_read(const char *path, const struct conf_setting *settings, size_t count,
                   void *ret_values, int *ret_lines, FILE *report) MUST_CHECK;

/* How a line on report begins; line 0: about the whole file. */
void conf_write_place(FILE *report, const char *path, int line);

#endif
