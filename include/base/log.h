/* One JSON object per line on stderr, written by a single write(2).
 * Levels: ERROR a person must look; WARN something was refused or retried by us; INFO one line
 * per unit of work. Low rooms never log: the edge of each program does, once per failure. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO };

struct log_field {
    const char *key;  /* NULL ends the list */
    const char *text; /* NULL: the number is meant; "" is left out of the line */
    int64_t number;
};

/* Bodies, tokens, keys and card data have no business here: struct secret does not fit in. */
#define LOG(level, event, ...) log_write(level, event, (const struct log_field[]){__VA_ARGS__, {0}})
#define LOG_TEXT(name, value)                                                                      \
    {                                                                                              \
        .key = name, .text = value                                                                 \
    }
#define LOG_NUMBER(name, value)                                                                    \
    {                                                                                              \
        .key = name, .number = value                                                               \
    }

void log_write(enum log_level level, const char *event, const struct log_field *fields);

/* The program's name on every line; fixed text. */
void log_program(const char *name);

#endif
