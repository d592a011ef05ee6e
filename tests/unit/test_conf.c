/* The configuration file: every type with its bounds, every mistake reported with file and line,
 * and secrets only from files that nobody else can read. */
#include "check.h"
#include "conf_folder.h"

#include "base/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct values {
    int64_t number, small;
    bool toggle;
    char text[CONF_TEXT_MAX], url[CONF_TEXT_MAX];
    struct secret secret;
    struct public_key public_key;
    struct conf_limits limits;
    char list[CONF_LIST_MAX];
};

static const struct conf_setting settings[] = {
    {"one", "number", CONF_NUMBER, offsetof(struct values, number), "7", -10, INT64_MAX},
    {"one", "small", CONF_NUMBER, offsetof(struct values, small), NULL, 1, 9},
    {"one", "toggle", CONF_SWITCH, offsetof(struct values, toggle), "on", 0, 0},
    {"two", "text", CONF_TEXT, offsetof(struct values, text), "a default", 0, 0},
    {"two", "url", CONF_URL, offsetof(struct values, url), "https://default.test/", 0, 0},
    {"two", "secret_file", CONF_SECRET, offsetof(struct values, secret), NULL, 4, 0},
    {"two", "key_file", CONF_PUBLIC_KEY, offsetof(struct values, public_key), NULL, 0, 0},
    {"two", "limits", CONF_LIMITS, offsetof(struct values, limits), "USD:500-50000 EUR:1-9", 1,
     2500000},
    {"two", "list", CONF_LIST, offsetof(struct values, list), "by default", 0, 0},
};

static int lines[COUNT(settings)];

static void write_file(const char *path, const char *bytes, size_t len)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* Reads a configuration; what was reported goes into report. */
static enum err read_conf(const char *text, struct values *ret_values, char *report, size_t size)
{
    write_file(conf_path, text, strlen(text));
    FILE *to = fmemopen(report, size, "w");
    assert_non_null(to);
    memset(report, 0, size);
    memset(ret_values, 0, sizeof *ret_values);
    enum err err = conf_read(conf_path, settings, COUNT(settings), ret_values, lines, to);
    assert_int_equal(fclose(to), 0);
    return err;
}

static void defaults(void **state)
{
    static const char *const empty[] = {"", "\n\n", "# only a comment\n; and another\n", "[one]\n"};
    (void)state;
    for (size_t i = 0; i < COUNT(empty); i++) {
        struct values v;
        char report[1000];
        ROW(read_conf(empty[i], &v, report, sizeof report) == ERR_NONE, "%s: %s", empty[i], report);
        ROW(v.number == 7 && v.small == 0 && v.toggle && strcmp(v.text, "a default") == 0 &&
                strcmp(v.url, "https://default.test") == 0 && !secret_is_set(&v.secret),
            "%s: not the defaults", empty[i]);
        ROW(report[0] == '\0', "%s: %s", empty[i], report);
    }
    ROWS_END();
}

static void every_type(void **state)
{
    struct values v;
    char report[1000];
    (void)state;
    assert_int_equal(read_conf("[one]\nnumber = -10\nsmall=9\n  toggle   =  off  \n"
                               "[two]\ntext = /a path/with spaces # and more\n"
                               "url = https://pay.example.test:8443/v1/\n",
                               &v, report, sizeof report),
                     ERR_CONFIG); /* an indented line continues the one above: toggle is not set */
    assert_int_equal(read_conf("[one]\nnumber = -10\nsmall=9\ntoggle   =  off  \n"
                               "[two]\ntext = /a path/with spaces # and more\n"
                               "url = https://pay.example.test:8443/v1/",
                               &v, report, sizeof report),
                     ERR_NONE);
    assert_string_equal(report, "");
    assert_int_equal(v.number, -10);
    assert_int_equal(v.small, 9);
    assert_false(v.toggle);
    assert_string_equal(v.text, "/a path/with spaces # and more");
    assert_string_equal(v.url, "https://pay.example.test:8443/v1");
    assert_int_equal(read_conf("[one]\r\nnumber = 5\r\n", &v, report, sizeof report), ERR_NONE);
    assert_int_equal(v.number, 5);
}

/* One line each, at line 2 after the section's. */
static void bad_values(void **state)
{
    static const struct {
        const char *section, *line, *complaint;
    } rows[] = {
        {"one", "small = 0", "one.small must be a whole number from 1 to 9"},
        {"one", "small = 10", "one.small must be a whole number from 1 to 9"},
        {"one", "small = -1", "one.small must be"},
        {"one", "small =", "one.small must be"},
        {"one", "small = five", "one.small must be"},
        {"one", "small = 5s", "one.small must be"},
        {"one", "small = 5 5", "one.small must be"},
        {"one", "small = 5.0", "one.small must be"},
        {"one", "small = 1e0", "one.small must be"},
        {"one", "small = 0x5", "one.small must be"},
        {"one", "small = 5 # five", "one.small must be"},
        {"one", "number = -11", "one.number must be"},
        {"one", "number = 9223372036854775808", "one.number must be"},
        {"one", "number = 99999999999999999999999", "one.number must be"},
        {"one", "toggle = yes", "one.toggle must be on or off"},
        {"one", "toggle = On", "one.toggle must be"},
        {"one", "toggle = 1", "one.toggle must be"},
        {"one", "toggle =", "one.toggle must be"},
        {"two", "url = http://pay.example.test", "two.url must be an address"},
        {"two", "url = https://", "two.url must be"},
        {"two", "url = HTTPS://pay.example.test", "two.url must be"},
        {"two", "url = pay.example.test", "two.url must be"},
        {"two", "url = https://pay.example.test/?a=b", "two.url must be"},
        {"two", "url = https://pay.example.test/#a", "two.url must be"},
        {"two", "url = https://user@pay.example.test", "two.url must be"},
        {"two", "url = https://pay.example.test/a b", "two.url must be"},
        {"two", "url =", "two.url must be"},
        {"one", "speed = 5", "there is no setting one.speed"},
        {"one", "text = x", "there is no setting one.text"},
        {"one", "Small = 5", "there is no setting one.Small"},
        {"three", "small = 5", "there is no setting three.small"},
        {"", "small = 5", "there is no setting .small"},
        {"one", "small", "neither a [section] nor a key = value"},
        {"one", "[two", "neither a [section] nor a key = value"},
        {"one", "!", "neither a [section] nor a key = value"},
        {"two", "secret_file = /nonexistent/secret", "/nonexistent/secret: No such file"},
        {"two", "secret_file =", "two.secret_file: : No such file"},
        {"two", "limits = USD", "two.limits must be like \"USD:500-50000 EUR:500-50000\""},
        {"two", "limits = USD:", "two.limits must be like"},
        {"two", "limits = USD:5", "two.limits must be like"},
        {"two", "limits = USD:5-", "two.limits must be like"},
        {"two", "limits = USD:-5", "two.limits must be like"},
        {"two", "limits = USD:-5-9", "two.limits must be like"},
        {"two", "limits = USD:5--9", "two.limits must be like"},
        {"two", "limits = USD:+5-9", "two.limits must be like"},
        {"two", "limits = USD: 5-9", "two.limits must be like"},
        {"two", "limits = USD:5 - 9", "two.limits must be like"},
        {"two", "limits = USD:9-5", "two.limits must be like"},
        {"two", "limits = USD:0-9", "amounts from 1 to 2500000"},
        {"two", "limits = USD:1-2500001", "amounts from 1 to 2500000"},
        {"two", "limits = USD:1-9223372036854775808", "two.limits must be like"},
        {"two", "limits = USD:9223372036854775808-9", "two.limits must be like"},
        {"two", "limits = USD:1.5-9", "two.limits must be like"},
        {"two", "limits = USD:1e1-99", "two.limits must be like"},
        {"two", "limits = USD:5-9,EUR:5-9", "two.limits must be like"},
        {"two", "limits = USD:5-9EUR:5-9", "two.limits must be like"},
        {"two", "limits = USD:5-9 USD:5-9", "each currency once"},
        {"two", "limits = usd:5-9", "two.limits must be like"},
        {"two", "limits = US:5-9", "two.limits must be like"},
        {"two", "limits = USDT:5-9", "two.limits must be like"},
        {"two", "limits = USD:5-9 EUR", "two.limits must be like"},
        {"two", "limits = USD:5-9 # dollars", "two.limits must be like"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct values v;
        char text[500], report[1000], start[600];
        (void)snprintf(text, sizeof text, "[%s]\n%s\n", rows[i].section, rows[i].line);
        ROW(read_conf(text, &v, report, sizeof report) == ERR_CONFIG, "took %s", rows[i].line);
        (void)snprintf(start, sizeof start, "%s:2: ", conf_path);
        ROW(strncmp(report, start, strlen(start)) == 0, "%s: %s", rows[i].line, report);
        ROW(strstr(report, rows[i].complaint) != NULL, "%s: %s", rows[i].line, report);
        ROW(strchr(report, '\n') == report + strlen(report) - 1, "%s: not one line: %s",
            rows[i].line, report);
    }
    ROWS_END();
}

static void limits_per_currency(void **state)
{
    struct values v;
    char report[1000], text[300] = "[two]\nlimits =";
    (void)state;
    assert_int_equal(read_conf("", &v, report, sizeof report), ERR_NONE);
    assert_int_equal(v.limits.count, 2);
    assert_string_equal(v.limits.rows[0].currency, "USD");
    assert_int_equal(conf_limits_find(&v.limits, "USD")->minimum, 500);
    assert_int_equal(conf_limits_find(&v.limits, "USD")->maximum, 50000);
    assert_int_equal(conf_limits_find(&v.limits, "EUR")->maximum, 9);
    for (size_t i = 0; i < 4; i++)
        assert_null(conf_limits_find(&v.limits, (const char *const[]){"GBP", "", "US", "usd"}[i]));
    assert_int_equal(read_conf("[two]\nlimits = JPY:5-5   KWD:1-2500000\n", &v, report, 1000),
                     ERR_NONE);
    assert_int_equal(v.limits.count, 2);
    assert_null(conf_limits_find(&v.limits, "USD"));
    assert_int_equal(conf_limits_find(&v.limits, "JPY")->minimum, 5);
    assert_int_equal(conf_limits_find(&v.limits, "JPY")->maximum, 5);
    assert_int_equal(conf_limits_find(&v.limits, "KWD")->maximum, 2500000);
    assert_int_equal(read_conf("[two]\nlimits =\n", &v, report, sizeof report), ERR_NONE);
    assert_int_equal(v.limits.count, 0); /* nothing is taken */
    assert_null(conf_limits_find(&v.limits, "USD"));
    for (char more = 'A'; more < 'A' + CONF_LIMITS_MAX; more++) {
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof text - len, " AA%c:1-9", more);
    }
    assert_int_equal(read_conf(text, &v, report, sizeof report), ERR_NONE);
    assert_int_equal(v.limits.count, CONF_LIMITS_MAX);
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), " AAZ:1-9");
    assert_int_equal(read_conf(text, &v, report, sizeof report), ERR_CONFIG);
}

static void has_line(const char *report, int line, const char *complaint)
{
    char wanted[600];
    (void)snprintf(wanted, sizeof wanted, "%s:%d: %s", conf_path, line, complaint);
    ROW(strstr(report, wanted) != NULL, "no \"%s\" in:\n%s", wanted, report);
}

static void several_mistakes_are_all_reported(void **state)
{
    struct values v;
    char report[2000];
    (void)state;
    assert_int_equal(read_conf("[one]\nsmall = 10\nspeed = 1\nnumber = 1\n\n"
                               "# a comment\nnumber = 2\ntoggle = maybe\n[two]\nurl = x\n"
                               "just words\nsecret_file = /nonexistent\n",
                               &v, report, sizeof report),
                     ERR_CONFIG);
    has_line(report, 2, "one.small must be");
    has_line(report, 3, "there is no setting one.speed");
    has_line(report, 7, "one.number is set twice");
    has_line(report, 8, "one.toggle must be");
    has_line(report, 10, "two.url must be");
    has_line(report, 11, "neither");
    has_line(report, 12, "two.secret_file");
    ROWS_END();
}

static void two_syntax_errors_are_both_reported(void **state)
{
    struct values v;
    char report[2000];
    (void)state;
    assert_int_equal(
        read_conf("[one]\njust words\nsmall = 5\nmore words\n", &v, report, sizeof report),
        ERR_CONFIG);
    has_line(report, 2, "neither");
    has_line(report, 4, "neither");
    ROWS_END();
}

static void lists_go_on_over_indented_lines(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        const char *list;
    } rows[] = {
        {"[two]\n", ERR_NONE, "by default"},
        {"[two]\nlist = a:1\n", ERR_NONE, "a:1"},
        {"[two]\nlist = a:1 b:2\n  c:3\n\td:4\ntext = x\n", ERR_NONE, "a:1 b:2 c:3 d:4"},
        {"[two]\nlist = a:1\n# b:2\n\n  c:3\n", ERR_NONE, "a:1 c:3"},
        {"[two]\nlist = a:1\nlist = b:2\n", ERR_CONFIG, "a:1"},
        {"[two]\ntext = a:1\n  b:2\n", ERR_CONFIG, "by default"},
        {"[two]\nlist = a:1\n[one]\nsmall = 2\n  list = b:2\n", ERR_CONFIG, "a:1"},
    };
    struct values v;
    char report[1000], text[3000] = "[two]\nlist = x:1\n";
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ROW(read_conf(rows[i].text, &v, report, sizeof report) == rows[i].err, "%s: %s",
            rows[i].text, report);
        ROW(strcmp(v.list, rows[i].list) == 0, "%s: %s", rows[i].text, v.list);
    }
    ROWS_END();
    for (size_t len = strlen(text); len + 101 < CONF_LIST_MAX + 100; len += 100)
        (void)snprintf(text + len, sizeof text - len, " x:%096d\n", 1);
    assert_int_equal(read_conf(text, &v, report, sizeof report), ERR_CONFIG);
    assert_non_null(strstr(report, "two.list is longer than 2047 bytes"));
}

/* libinih reads lines into 200 bytes: a longer one must neither be cut nor taken as two. */
static void long_lines_are_refused(void **state)
{
    static const struct {
        const char *start;
        size_t fill_to; /* with x, up to this column */
        const char *end;
    } rows[] = {
        {"text = ", 199, "xxx"},
        {"text = ", 1000, ""},
        {"text = ", 199, "# the rest looks like a comment"},
        {"text = ", 199, "; and so does this"},
        {"text = ", 199, " "},
        {"text = ", 199, "url = https://evil.test"},
        {"text = ", 199, "[one]"},
        {"# a comment ", 199, "url = https://evil.test"},
        {"# a comment ", 199, "[one]"},
        {"# a comment ", 1000, ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct values v;
        char line[1100] = "", text[1300], report[2000];
        memset(line, 'x', rows[i].fill_to);
        memcpy(line, rows[i].start, strlen(rows[i].start));
        (void)snprintf(text, sizeof text, "[two]\n%s%s\nunknown = 1\n", line, rows[i].end);
        ROW(read_conf(text, &v, report, sizeof report) == ERR_CONFIG, "row %zu: taken", i);
        ROW(strcmp(v.url, "https://default.test") == 0, "row %zu: a piece became a setting", i);
        if (rows[i].start[0] != '#')
            has_line(report, 2, "");
        has_line(report, 3, "there is no setting two.unknown");
    }
    ROWS_END();
}

static void last_line_that_fits(void **state)
{
    struct values v;
    char text[300], report[500];
    (void)state;
    (void)snprintf(text, sizeof text, "[two]\ntext = %0190d\n", 7); /* 197 bytes and its end */
    assert_int_equal(read_conf(text, &v, report, sizeof report), ERR_NONE);
    assert_int_equal(strlen(v.text), 190);
}

static void missing_file(void **state)
{
    struct values v = {0};
    char report[500] = "";
    (void)state;
    FILE *to = fmemopen(report, sizeof report, "w");
    assert_int_equal(conf_read("/nonexistent/x.conf", settings, COUNT(settings), &v, lines, to),
                     ERR_CONFIG);
    (void)fclose(to);
    assert_string_equal(report, "/nonexistent/x.conf: No such file or directory\n");
}

/* Opens, but every read fails: what could not be read must not pass for an empty file. */
static void unreadable_file(void **state)
{
    struct values v = {0};
    char report[500] = "";
    (void)state;
    FILE *to = fmemopen(report, sizeof report, "w");
    enum err err = conf_read(folder, settings, COUNT(settings), &v, lines, to);
    (void)fclose(to);
    assert_int_equal(err, ERR_CONFIG);
    assert_non_null(strstr(report, folder));
}

struct secret_row {
    mode_t mode;
    const char *bytes;
    size_t len;
    const char *secret, *complaint; /* one of the two */
};

static void check_secret(const struct secret_row *row, size_t i)
{
    struct values v;
    char text[200], report[1000];
    (void)unlink(secret_path);
    write_file(secret_path, row->bytes, row->len);
    assert_int_equal(chmod(secret_path, row->mode), 0);
    (void)snprintf(text, sizeof text, "[two]\nsecret_file = %s\n", secret_path);
    enum err err = read_conf(text, &v, report, sizeof report);
    if (row->secret != NULL) {
        ROW(err == ERR_NONE && strcmp(secret_reveal(&v.secret), row->secret) == 0,
            "secret %zu, mode %o: %s", i, (unsigned)row->mode, report);
        return;
    }
    ROW(err == ERR_CONFIG && strstr(report, row->complaint) != NULL, "secret %zu, mode %o: %s", i,
        (unsigned)row->mode, report);
    ROW(strstr(report, ":2: two.secret_file") != NULL, "secret %zu: %s", i, report);
    ROW(strstr(report, "s3cret") == NULL, "secret %zu is in the report: %s", i, report);
}

#define BYTES(literal) literal, sizeof(literal) - 1

static void secret_files(void **state)
{
    static char longest[SECRET_MAX + 1];
    static const char others[] = "0640 or stricter";
    memset(longest, 'k', SECRET_MAX);
    const struct secret_row rows[] = {
        {0600, BYTES("s3cret\n"), "s3cret", NULL},
        {0640, BYTES("s3cret"), "s3cret", NULL},
        {0400, BYTES("s3cret\r\n"), "s3cret", NULL},
        {0440, BYTES("s3cret\n\n"), "s3cret", NULL},
        {0600, BYTES(" s3cret \n"), " s3cret ", NULL},
        {0600, longest, SECRET_MAX - 1, longest + 1, NULL},
        {0644, BYTES("s3cret\n"), NULL, others},
        {0604, BYTES("s3cret\n"), NULL, others},
        {0660, BYTES("s3cret\n"), NULL, others},
        {0620, BYTES("s3cret\n"), NULL, others},
        {0602, BYTES("s3cret\n"), NULL, others},
        {0700, BYTES("s3cret\n"), NULL, others},
        {0777, BYTES("s3cret\n"), NULL, others},
        {0600, BYTES(""), NULL, "empty or too short"},
        {0600, BYTES("\n\n\n\n\n"), NULL, "empty or too short"},
        {0600, BYTES("s3c\n"), NULL, "empty or too short"},
        {0600, BYTES("s3cret\0more"), NULL, "NUL"},
        {0600, longest, SECRET_MAX, NULL, "too long"},
        {0600, BYTES("s3cret\ns3cret\n"), NULL, ""}, /* one line, says the shipped file */
        {0600, BYTES("s3cret\r\nX: y\n"), NULL, ""}, /* it may end up in a header */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_secret(&rows[i], i);
    ROWS_END();
}

static void secrets_are_regular_files(void **state)
{
    struct values v;
    char text[200], report[1000];
    (void)state;
    (void)snprintf(text, sizeof text, "[two]\nsecret_file = %s\n", folder);
    assert_int_equal(read_conf(text, &v, report, sizeof report), ERR_CONFIG);
    assert_non_null(strstr(report, "not a regular file"));
    (void)unlink(secret_path);
    assert_int_equal(mkfifo(secret_path, 0600), 0); /* must not wait for a writer */
    (void)snprintf(text, sizeof text, "[two]\nsecret_file = %s\n", secret_path);
    assert_int_equal(read_conf(text, &v, report, sizeof report), ERR_CONFIG);
    assert_non_null(strstr(report, "not a regular file"));
}

#define ED25519                                                                                    \
    "-----BEGIN PUBLIC KEY-----\n"                                                                 \
    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"                               \
    "-----END PUBLIC KEY-----\n"

/* Everybody may read one, nobody else may change it. */
static void public_key_files(void **state)
{
    static char too_long[PUBLIC_KEY_PEM_MAX + 2];
    static const char others[] = "0644 or stricter";
    memset(too_long, '\n', PUBLIC_KEY_PEM_MAX + 1);
    memcpy(too_long, ED25519, sizeof ED25519 - 1);
    const struct {
        mode_t mode;
        const char *pem, *complaint; /* NULL: none */
    } rows[] = {
        {0644, ED25519, NULL},
        {0400, ED25519, NULL},
        {0644, "# the shop's key\n" ED25519, NULL},
        {0664, ED25519, others},
        {0646, ED25519, others},
        {0755, ED25519, others},
        {0644, "", "not one public key"},
        {0644, "0123456789abcdef0123456789abcdef\n", "not one public key"},
        {0644, ED25519 ED25519, "not one public key"},
        {0644, too_long, "too long"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct values v;
        char text[200], report[1000];
        (void)unlink(secret_path);
        write_file(secret_path, rows[i].pem, strlen(rows[i].pem));
        assert_int_equal(chmod(secret_path, rows[i].mode), 0);
        (void)snprintf(text, sizeof text, "[two]\nkey_file = %s\n", secret_path);
        enum err err = read_conf(text, &v, report, sizeof report);
        bool taken = rows[i].complaint == NULL;
        ROW(err == (taken ? ERR_NONE : ERR_CONFIG), "key %zu: %s", i, report);
        ROW(taken || (strstr(report, rows[i].complaint) != NULL &&
                      strstr(report, ":2: two.key_file: ") != NULL),
            "key %zu: %s", i, report);
        ROW(strcmp(public_key_algorithm(&v.public_key), taken ? "EdDSA" : "") == 0, "key %zu", i);
        public_key_free(&v.public_key);
    }
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(defaults),
        TEST(every_type),
        TEST(bad_values),
        TEST(limits_per_currency),
        TEST(several_mistakes_are_all_reported),
        TEST(two_syntax_errors_are_both_reported),
        TEST(lists_go_on_over_indented_lines),
        TEST(long_lines_are_refused),
        TEST(last_line_that_fits),
        TEST(missing_file),
        TEST(unreadable_file),
        TEST(secret_files),
        TEST(secrets_are_regular_files),
        TEST(public_key_files),
    };
    return cmocka_run_group_tests_name("conf", tests, make_folder, remove_folder);
}
