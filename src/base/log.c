/* Writes log lines. A line that would not fit is cut at a field, never in the middle of one. */
#include "base/log.h"

#include "base/clock.h"
#include "base/fail.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096 };

struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
    bool full;
};

static const char *program = "guichet";

void log_program(const char *name)
{
    program = name;
}

static void put(struct line *line, const char *text, size_t len)
{
    if (line->full || len > sizeof line->text - line->len - 2) { /* 2: the end "}\n" */
        line->full = true;
        return;
    }
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

/* Quotes and control characters are escaped; bytes over 127 pass as they are. */
static void put_quoted(struct line *line, const char *text)
{
    put(line, "\"", 1);
    while (*text != '\0') {
        size_t plain = 0;
        char escaped[8];
        while (is_plain((unsigned char)text[plain]))
            plain++;
        put(line, text, plain);
        text += plain;
        if (*text == '\0')
            break;
        (void)snprintf(escaped, sizeof escaped, *text == '"' || *text == '\\' ? "\\%c" : "\\u%04x",
                       (unsigned char)*text);
        put_text(line, escaped);
        text++;
    }
    put(line, "\"", 1);
}

static void put_field(struct line *line, const struct log_field *field)
{
    size_t before = line->len;
    put_text(line, ",\"");
    put_text(line, field->key);
    put_text(line, "\":");
    if (field->text != NULL) {
        put_quoted(line, field->text);
    } else {
        char digits[24];
        (void)snprintf(digits, sizeof digits, "%lld", (long long)field->number);
        put_text(line, digits);
    }
    if (line->full)
        line->len = before;
}

static void put_time(struct line *line)
{
    int64_t ms = clock_wall_ms();
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    char text[40];
    (void)gmtime_r(&seconds, &parts);
    size_t len = strftime(text, sizeof text, "{\"time\":\"%Y-%m-%dT%H:%M:%S", &parts);
    put(line, text, len);
    (void)snprintf(text, sizeof text, ".%03dZ\"", (int)(ms % 1000));
    put_text(line, text);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    static const char *const names[] = {"error", "warn", "info"};
    struct line line = {.len = 0};
    put_time(&line);
    put_field(&line, &(struct log_field)LOG_TEXT("level", names[level]));
    put_field(&line, &(struct log_field)LOG_TEXT("program", program));
    put_field(&line, &(struct log_field)LOG_TEXT("event", event));
    for (; fields->key != NULL && !line.full; fields++)
        if (fields->text == NULL || fields->text[0] != '\0')
            put_field(&line, fields);
    memcpy(line.text + line.len, "}\n", 2);
    if (FAIL_AT(FAIL_WRITE) != FAIL_NONE)
        return;
    ssize_t written = write(STDERR_FILENO, line.text, line.len + 2);
    (void)written; /* nowhere left to say so */
}
