/* INI settings over libinih. We feed it line by line, so that every complaint has its number. */
#include "base/conf.h"

#include "base/buf.h"
#include "base/webhook.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct reading {
    const char *path;
    FILE *file, *report;
    int line, problems;
    bool indented; /* the line: libinih gives it as more of the setting before */
    const struct conf_setting *settings;
    size_t count;
    void *values;
    int *lines; /* of each setting; 0: not seen */
};

void conf_write_place(FILE *report, const char *path, int line)
{
    if (line > 0)
        (void)fprintf(report, "%s:%d: ", path, line);
    else
        (void)fprintf(report, "%s: ", path);
}

__attribute__((format(printf, 3, 4))) static int complain(struct reading *reading, int line,
                                                          const char *format, ...)
{
    va_list args;
    va_start(args, format);
    conf_write_place(reading->report, reading->path, line);
    (void)vfprintf(reading->report, format, args);
    (void)fputc('\n', reading->report);
    va_end(args);
    reading->problems++;
    return 1;
}

/* A blank line, a comment, a [section] or a key = value: what libinih takes without complaint. */
static bool is_ini(const char *line)
{
    line += strspn(line, " \t\r\n");
    if (*line == '\0' || *line == '#' || *line == ';')
        return true;
    return *line == '[' ? strchr(line, ']') != NULL : strpbrk(line, "=:") != NULL;
}

/* libinih would take a line that does not fit as two, and reports only the first error. */
static char *next_line(char *to, int size, void *context)
{
    struct reading *reading = context;
    if (fgets(to, size, reading->file) == NULL)
        return NULL;
    reading->line++;
    reading->indented = to[0] == ' ' || to[0] == '\t';
    bool cut = strchr(to, '\n') == NULL && !feof(reading->file);
    for (int c = '\n'; cut && (c = fgetc(reading->file)) != '\n' && c != EOF;)
        ;
    if (cut)
        (void)complain(reading, reading->line, "longer than %d bytes", size - 2);
    else if (!is_ini(to))
        (void)complain(reading, reading->line, "neither a [section] nor a key = value");
    if (cut || !is_ini(to))
        to[0] = '\0';
    return to;
}

static int set_number(struct reading *reading, const struct conf_setting *setting,
                      const char *value, void *field)
{
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || number < setting->min ||
        number > setting->max)
        return complain(reading, reading->line, "%s.%s must be a whole number from %lld to %lld",
                        setting->section, setting->key, (long long)setting->min,
                        (long long)setting->max);
    *(int64_t *)field = number;
    return 1;
}

static int set_switch(struct reading *reading, const struct conf_setting *setting,
                      const char *value, void *field)
{
    bool on = strcmp(value, "on") == 0;
    if (!on && strcmp(value, "off") != 0)
        return complain(reading, reading->line, "%s.%s must be on or off", setting->section,
                        setting->key);
    *(bool *)field = on;
    return 1;
}

static int set_text(struct reading *reading, const struct conf_setting *setting, const char *value,
                    void *field)
{
    char *text = field;
    if (!text_copy(text, CONF_TEXT_MAX, value))
        return complain(reading, reading->line, "%s.%s is longer than %d bytes", setting->section,
                        setting->key, CONF_TEXT_MAX - 1);
    if (setting->type == CONF_TEXT)
        return 1;
    size_t len = strlen(text);
    if (strncmp(text, "https://", 8) != 0 || len == 8 || strpbrk(text, " \t\"<>?#@\\") != NULL)
        return complain(reading, reading->line,
                        "%s.%s must be an address that starts with https:// and has no query",
                        setting->section, setting->key);
    if (text[len - 1] == '/')
        text[len - 1] = '\0';
    return 1;
}

/* Puts what an indented line says behind what is there. */
static int set_list(struct reading *reading, const struct conf_setting *setting, const char *value,
                    bool more, void *field)
{
    char *list = field;
    size_t len = more ? strlen(list) : 0;
    if (len + more + strlen(value) >= CONF_LIST_MAX)
        return complain(reading, reading->line, "%s.%s is longer than %d bytes", setting->section,
                        setting->key, CONF_LIST_MAX - 1);
    if (more)
        list[len++] = ' ';
    memcpy(list + len, value, strlen(value) + 1);
    return 1;
}

/* "USD:500-50000"; gives the first character after it, NULL when it is none. */
static const char *read_limit(const struct conf_setting *setting, const char *text,
                              struct conf_limit *ret_limit)
{
    char *end;
    if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3 || text[3] != ':' ||
        !isdigit((unsigned char)text[4]))
        return NULL;
    memcpy(ret_limit->currency, text, 3);
    ret_limit->currency[3] = '\0';
    errno = 0;
    ret_limit->minimum = strtoll(text + 4, &end, 10);
    if (*end != '-' || !isdigit((unsigned char)end[1]))
        return NULL;
    ret_limit->maximum = strtoll(end + 1, &end, 10);
    return errno == 0 && (*end == '\0' || *end == ' ') && ret_limit->minimum >= setting->min &&
                   ret_limit->maximum <= setting->max && ret_limit->minimum <= ret_limit->maximum
               ? end
               : NULL;
}

static int set_limits(struct reading *reading, const struct conf_setting *setting,
                      const char *value, void *field)
{
    struct conf_limits limits = {0};
    while (value != NULL && *value != '\0') {
        struct conf_limit *limit = &limits.rows[limits.count];
        value = limits.count < CONF_LIMITS_MAX ? read_limit(setting, value, limit) : NULL;
        if (value != NULL && conf_limits_find(&limits, limit->currency) != NULL)
            value = NULL;
        limits.count++;
        if (value != NULL)
            value += strspn(value, " ");
    }
    if (value == NULL)
        return complain(reading, reading->line,
                        "%s.%s must be like \"USD:500-50000 EUR:500-50000\": each currency once,"
                        " amounts from %lld to %lld",
                        setting->section, setting->key, (long long)setting->min,
                        (long long)setting->max);
    *(struct conf_limits *)field = limits;
    return 1;
}

const struct conf_limit *conf_limits_find(const struct conf_limits *limits, const char *currency)
{
    for (size_t i = 0; i < limits->count; i++)
        if (strcmp(limits->rows[i].currency, currency) == 0)
            return &limits->rows[i];
    return NULL;
}

/* A secret may end up in a header. */
static bool is_one_line(const char *text, size_t len)
{
    return memchr(text, '\0', len) == NULL && memchr(text, '\n', len) == NULL &&
           memchr(text, '\r', len) == NULL;
}

/* A regular file with none of the forbidden mode bits, shorter than size. NULL or what is wrong. */
static const char *read_file(const char *path, mode_t forbidden, const char *mode_problem,
                             char *ret_text, size_t size, size_t *ret_len)
{
    struct stat info;
    *ret_len = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return strerror(errno);
    const char *problem = NULL;
    ssize_t len = 0;
    if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode))
        problem = "not a regular file";
    else if ((info.st_mode & forbidden) != 0)
        problem = mode_problem;
    else if ((len = read(file, ret_text, size)) < 0)
        problem = strerror(errno);
    else if (len == (ssize_t)size)
        problem = "it is too long";
    (void)close(file);
    *ret_len = len > 0 ? (size_t)len : 0;
    return problem;
}

/* Reads at most SECRET_MAX bytes of a file that nobody else can read. NULL or what is wrong. */
static const char *read_secret(const char *path, const struct conf_setting *setting,
                               struct secret *ret_secret)
{
    char text[SECRET_MAX + 1];
    size_t len;
    const char *problem =
        read_file(path, 0137, "others can read or change it: its mode must be 0640 or stricter",
                  text, sizeof text, &len);
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    if (problem == NULL && len < (size_t)setting->min)
        problem = "it is empty or too short";
    else if (problem == NULL && !is_one_line(text, len))
        problem = "it holds a NUL byte or more than one line";
    else if (problem == NULL && !secret_set(ret_secret, text, len))
        problem = "it is too long";
    crypt_wipe(text, sizeof text);
    return problem;
}

/* Everybody may read it, but who can change it can make signatures. NULL or what is wrong. */
static const char *read_public_key(const char *path, struct public_key *ret_key)
{
    char pem[PUBLIC_KEY_PEM_MAX + 1];
    size_t len;
    const char *problem =
        read_file(path, 0133, "others can change it: its mode must be 0644 or stricter", pem,
                  sizeof pem, &len);
    if (problem != NULL)
        return problem;
    pem[len] = '\0';
    if (!public_key_load(pem, ret_key))
        return "it is not one public key in PEM, of RSA with 2048 bits or more, P-256 or Ed25519";
    return NULL;
}

static int set_from_file(struct reading *reading, const struct conf_setting *setting,
                         const char *value, void *field)
{
    const char *problem = setting->type == CONF_PUBLIC_KEY ? read_public_key(value, field)
                                                           : read_secret(value, setting, field);
    if (problem == NULL && setting->type == CONF_WEBHOOK_KEY && !webhook_key(field))
        problem = "it is not whsec_ and the base64 of 24 to 64 bytes";
    if (problem != NULL)
        return complain(reading, reading->line, "%s.%s: %s: %s", setting->section, setting->key,
                        value, problem);
    return 1;
}

static int set_value(struct reading *reading, const struct conf_setting *setting, const char *value,
                     bool more)
{
    void *field = (char *)reading->values + setting->offset;
    switch (setting->type) {
    case CONF_NUMBER:
        return set_number(reading, setting, value, field);
    case CONF_SWITCH:
        return set_switch(reading, setting, value, field);
    case CONF_TEXT:
    case CONF_URL:
        return set_text(reading, setting, value, field);
    case CONF_LIST:
        return set_list(reading, setting, value, more, field);
    case CONF_LIMITS:
        return set_limits(reading, setting, value, field);
    case CONF_SECRET:
    case CONF_WEBHOOK_KEY:
    case CONF_PUBLIC_KEY:
        return set_from_file(reading, setting, value, field);
    }
    return 0;
}

static int on_setting(void *context, const char *section, const char *key, const char *value)
{
    struct reading *reading = context;
    for (size_t i = 0; i < reading->count; i++) {
        const struct conf_setting *setting = &reading->settings[i];
        if (strcmp(setting->section, section) != 0 || strcmp(setting->key, key) != 0)
            continue;
        bool more = reading->lines[i] != 0 && reading->indented && setting->type == CONF_LIST;
        if (reading->lines[i] != 0 && !more)
            return complain(reading, reading->line, "%s.%s is set twice", section, key);
        reading->lines[i] = reading->line;
        return set_value(reading, setting, value, more);
    }
    return complain(reading, reading->line, "there is no setting %s.%s", section, key);
}

static void set_defaults(struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++)
        if (reading->settings[i].fallback != NULL)
            (void)set_value(reading, &reading->settings[i], reading->settings[i].fallback, false);
}

enum err conf_read(const char *path, const struct conf_setting *settings, size_t count,
                   void *ret_values, int *ret_lines, FILE *report)
{
    struct reading reading = {.path = path,
                              .report = report,
                              .settings = settings,
                              .count = count,
                              .values = ret_values,
                              .lines = ret_lines};
    memset(ret_lines, 0, count * sizeof *ret_lines);
    set_defaults(&reading);
    reading.file = fopen(path, "re");
    if (reading.file == NULL) {
        (void)complain(&reading, 0, "%s", strerror(errno));
        return ERR_CONFIG;
    }
    int line = ini_parse_stream(next_line, &reading, on_setting, &reading);
    if (ferror(reading.file) || (line != 0 && reading.problems == 0))
        (void)complain(&reading, line > 0 ? line : 0, "cannot be read");
    (void)fclose(reading.file);
    return reading.problems == 0 ? ERR_NONE : ERR_CONFIG;
}
