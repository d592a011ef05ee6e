/* The settings of the programs: what they need of one another, and that the shipped
 * nginx/guichet.conf tells of every one with its default and of no other. */
#include "check.h"
#include "conf_folder.h"

#include "base/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char shipped[] = "nginx/guichet.conf";
static int make_folder_with_secret(void **state)
{
    if (make_folder(state) != 0)
        return 1;
    FILE *secret = fopen(secret_path, "w");
    if (secret == NULL || fprintf(secret, "%032d\n", 7) < 0 || fclose(secret) != 0)
        return 1;
    return chmod(secret_path, 0600);
}

/* Writes lines of "section.key = value", each under a section of its own; @ is the secret's file.
 */
static enum err read_settings(const char *const *lines, struct settings *ret_settings,
                              char *ret_report, size_t size)
{
    FILE *file = fopen(conf_path, "w"), *report = fmemopen(ret_report, size, "w");
    assert_non_null(file);
    assert_non_null(report);
    memset(ret_report, 0, size);
    for (; *lines != NULL; lines++) {
        size_t len = strlen(*lines);
        bool secret = (*lines)[len - 1] == '@';
        (void)fprintf(file, "[%.*s]\n%.*s%s\n", (int)strcspn(*lines, "."), *lines,
                      (int)(len - strcspn(*lines, ".") - 1 - secret), strchr(*lines, '.') + 1,
                      secret ? secret_path : "");
    }
    assert_int_equal(fclose(file), 0);
    enum err err = settings_read(conf_path, ret_settings, report);
    assert_int_equal(fclose(report), 0);
    return err;
}

#define NEEDED "database.password_file = @", "token.secret_file = @", "api_key.hash_key_file = @"

static void enough_is_enough(void **state)
{
    static const char *const lines[] = {NEEDED, NULL};
    struct settings *s = calloc(1, sizeof *s);
    char report[2000];
    (void)state;
    assert_int_equal(read_settings(lines, s, report, sizeof report), ERR_NONE);
    assert_string_equal(report, "");
    assert_string_equal(s->database.socket, "/run/mysqld/mysqld.sock");
    assert_int_equal(s->database.connections, 8);
    assert_int_equal(s->http.business_error_status, 400);
    assert_int_equal(s->token.lifetime_s, 31 * 86400);
    assert_int_equal(s->payment.lifetime_s, 3600);
    assert_int_equal(s->payment.tos_clock_skew_s, 0);
    assert_true(s->token.check_ip);
    assert_false(s->payviox.common.enabled);
    assert_true(s->provider.timeout_ms < s->http.request_budget_ms);
    assert_false(s->nonstopay.common.enabled || s->nonstopay.s2s || s->nonstopay.approval_credits);
    assert_string_equal(s->nonstopay.signature, "hmac-sha256-hex");
    assert_false(s->payviox.common.requires_2fa || s->mannco.common.requires_2fa);
    assert_false(s->mannco.common.enabled || s->returns.localhost_http);
    assert_string_equal(s->returns.hosts, ""); /* nobody may be sent anywhere */
    assert_string_equal(s->returns.page, "");
    assert_string_equal(s->mannco.partners, "payviox nonstopay mangopay");
    /* 5 to 500 and 10 to 1000 */
    const struct conf_limit *payviox = conf_limits_find(&s->payviox.common.deposits, "USD");
    const struct conf_limit *mannco = conf_limits_find(&s->mannco.common.deposits, "USD");
    assert_true(payviox != NULL && payviox->minimum == 500 && payviox->maximum == 50000);
    assert_true(mannco != NULL && mannco->minimum == 1000 && mannco->maximum == 100000);
    free(s);
}

static void settings_need_one_another(void **state)
{
    static const struct {
        const char *lines[8];
        const char *complaint; /* NULL: none */
    } rows[] = {
        {{NULL}, "database.password_file is missing"},
        {{NULL}, "token.secret_file is missing"},
        {{NULL}, "api_key.hash_key_file is missing"},
        {{NEEDED, "http.business_error_status = 300"}, NULL},
        {{NEEDED, "http.business_error_status = 301"}, "http.business_error_status is 300 or 400"},
        {{NEEDED, "http.business_error_status = 399"}, "http.business_error_status is 300 or 400"},
        {{NEEDED, "http.business_error_status = 200"}, "from 300 to 400"},
        {{NEEDED, "provider.timeout = 20000"}, "must be below http.request_budget"},
        {{NEEDED, "http.request_budget = 15000"}, "must be below http.request_budget"},
        {{NEEDED, "provider.timeout = 19999"}, NULL},
        {{NEEDED, "payviox.minimum = 501", "payviox.maximum = 500"},
         "payviox.minimum is above payviox.maximum"},
        {{NEEDED, "payviox.minimum = 500", "payviox.maximum = 500"}, NULL},
        {{NEEDED, "payviox.maximum = 2500001"}, "payviox.maximum must be"},
        {{NEEDED, "payviox.deposits = USD:500-2500001"}, "payviox.deposits must be like"},
        {{NEEDED, "mannco.deposits = USD:0-500"}, "mannco.deposits must be like"},
        {{NEEDED, "mannco.enabled = on"}, NULL},
        {{NEEDED, "payviox.enabled = on"}, "payviox.secret_key_file is missing"},
        {{NEEDED, "payviox.enabled = on"}, "payviox.webhook_token_file is missing"},
        {{NEEDED, "payviox.enabled = on", "payviox.secret_key_file = @",
          "payviox.webhook_token_file = @"},
         NULL},
        {{NEEDED, "nonstopay.minimum = 501", "nonstopay.maximum = 500"},
         "nonstopay.minimum is above nonstopay.maximum"},
        {{NEEDED, "nonstopay.enabled = on"}, "nonstopay.api_key_file is missing"},
        {{NEEDED, "nonstopay.enabled = on", "nonstopay.api_key_file = @"},
         ":8: nonstopay.return_url is missing"},
        {{NEEDED, "nonstopay.enabled = on", "nonstopay.api_key_file = @",
          "nonstopay.return_url = https://a.test/return/nonstopay"},
         NULL},
        {{NEEDED, "nonstopay.signature = md5"}, "nonstopay.signature is"},
        {{NEEDED, "nonstopay.signature = off"}, "nonstopay.callback_addresses must be set"},
        {{NEEDED, "nonstopay.signature = off", "nonstopay.callback_addresses = 85.206.160.33"},
         NULL},
        {{NEEDED, "nonstopay.signature = hmac-sha256-base64"}, NULL},
        {{NEEDED, "nonstopay.create_path = api"}, "must start with /"},
        {{NEEDED, "nonstopay.upi_path = api"}, "must start with /"},
        {{NEEDED, "nonstopay.crypto_path = api"}, "must start with /"},
        {{NEEDED, "nonstopay.history_path = api"}, "must start with /"},
        {{NEEDED, "nonstopay.status_path = api"}, "must start with /"},
        {{NEEDED, "nonstopay.infos_path = api"}, "must start with /"},
        {{NEEDED, "mangopay.culture = en"}, ":8: mangopay.culture is two capital letters"},
        {{NEEDED, "mangopay.culture = ENG"}, "mangopay.culture is two capital letters"},
        {{NEEDED, "mangopay.statement_descriptor = Shop.com"}, "letters, digits and spaces"},
        {{NEEDED, "mangopay.statement_descriptor = My Shop 12"}, NULL},
        {{NEEDED, "mangopay.template_url = shop.html"}, "mangopay.template_url must be"},
        {{NEEDED, "mangopay.template_url = https://shop.test/card.html"}, NULL},
        {{NEEDED, "payment.environment = abcdefghijklmnopqrstuvwxyz"}, NULL},
        {{NEEDED, "payment.environment = abcdefghijklmnopqrstuvwxyz1"}, "more than 26 characters"},
        {{NEEDED, "nonstopay.deposits = USD:500-500 JPY:500-500"}, "nonstopay.deposits may name"},
        {{NEEDED, "provider.ca_file = /none"}, ":8: provider.ca_file cannot be read"},
        {{NEEDED, "return.hosts = a.test b.test:8443 localhost:* [::1]:8443"}, NULL},
        {{NEEDED, "return.hosts = a.test https://b.test"}, ":8: return.hosts is a list"},
        {{NEEDED, "return.hosts = a.test,b.test"}, "return.hosts is a list"},
        {{NEEDED, "nonstopay.callback_addresses = 85.206.160.33  2001:db8::1"}, NULL},
        {{NEEDED, "nonstopay.callback_addresses = 85.206.160.333"}, "is a list of IP addresses"},
        {{NEEDED, "nonstopay.callback_addresses = ::1, ::2"}, "is a list of IP addresses"},
        {{NEEDED, "mangopay.callback_addresses = 203.0.113.7 ::1"}, NULL},
        {{NEEDED, "mangopay.callback_addresses = a.b"}, "mangopay.callback_addresses is a list"},
        {{NEEDED, "mannco.partners = mangopay"}, NULL},
        {{NEEDED, "mannco.partners = payviox mango"}, ":8: mannco.partners is a list"},
        {{NEEDED, "mannco.partners = payviox,mangopay"}, "mannco.partners is a list"},
        {{NEEDED, "mannco.partners = mannco"}, "mannco.partners is a list"},
        {{NEEDED, "mangopay.wallets = EUR:a USD:b"}, NULL},
        {{NEEDED, "mangopay.wallets = EUR:a USDb"}, "mangopay.wallets is a list"},
        {{NEEDED, "mail.from = a@b.test", "mail.server = smtps://"}, "mail.server must be"},
        {{NEEDED, "mail.from = a@b.test", "mail.server = mail.test"}, "mail.server must be"},
        {{NEEDED, "mail.from = a@b.test", "mail.server = unix:/run/mail"}, NULL},
    };
    struct settings *s = calloc(1, sizeof *s);
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char report[2000];
        enum err err = read_settings(rows[i].lines, s, report, sizeof report);
        if (rows[i].complaint == NULL)
            ROW(err == ERR_NONE && report[0] == '\0', "row %zu: %s", i, report);
        else
            ROW(err == ERR_CONFIG && strstr(report, rows[i].complaint) != NULL, "row %zu: %s", i,
                report);
    }
    free(s);
    ROWS_END();
}

/* Tokens need a key: a secret, a public key, or both. */
static void either_key_of_tokens(void **state)
{
    static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
                              "-----END PUBLIC KEY-----\n";
    char line[128], path[80], report[2000];
    const char *lines[] = {"database.password_file = @", "api_key.hash_key_file = @", line, NULL,
                           NULL};
    struct settings *s = calloc(1, sizeof *s);
    (void)state;
    (void)snprintf(path, sizeof path, "%s/token.pem", folder);
    (void)snprintf(line, sizeof line, "token.public_key_file = %s", path);
    FILE *file = fopen(path, "w");
    assert_true(fputs(pem, file) > 0 && fclose(file) == 0 && chmod(path, 0644) == 0);
    for (int both = 0; both <= 1; both++) {
        lines[3] = both == 1 ? "token.secret_file = @" : NULL;
        ROW(read_settings(lines, s, report, sizeof report) == ERR_NONE, "%s", report);
        ROW(strcmp(public_key_algorithm(&s->token.public_key), "EdDSA") == 0, "no key");
        ROW(secret_is_set(&s->token.secret) == (both == 1), "secret");
        public_key_free(&s->token.public_key);
    }
    lines[1] = "http.threads = 3"; /* one thing is missing: nothing of the key is left */
    ROW(read_settings(lines, s, report, sizeof report) == ERR_CONFIG, "%s", report);
    ROW(public_key_algorithm(&s->token.public_key)[0] == '\0', "a key of refused settings");
    (void)unlink(path);
    free(s);
    ROWS_END();
}

/* A key that guards money or tokens must not be short. */
static void keys_are_long_enough(void **state)
{
    static const struct {
        const char *setting;
        int fewest;
    } rows[] = {
        {"token.secret_file = @", 32},           {"api_key.hash_key_file = @", 32},
        {"database.password_file = @", 8},       {"payviox.secret_key_file = @", 8},
        {"payviox.webhook_token_file = @", 8},   {"nonstopay.api_key_file = @", 8},
        {"nonstopay.signature_key_file = @", 8},
    };
    struct settings *s = calloc(1, sizeof *s);
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *lines[] = {rows[i].setting, NULL};
        char report[2000];
        assert_int_equal(truncate(secret_path, rows[i].fewest - 1), 0);
        (void)read_settings(lines, s, report, sizeof report);
        ROW(strstr(report, "too short") != NULL, "%s: %d bytes are taken", rows[i].setting,
            rows[i].fewest - 1);
        FILE *file = fopen(secret_path, "w");
        (void)fprintf(file, "%032d\n", 7);
        (void)fclose(file);
        (void)read_settings(lines, s, report, sizeof report);
        ROW(strstr(report, "too short") == NULL, "%s: %s", rows[i].setting, report);
    }
    free(s);
    ROWS_END();
}

/* Where events go, and what signs them. $ is a file with a good secret, @ one with another text. */
static void receivers_are_told_safely(void **state)
{
    static const struct {
        const char *lines[4];
        const char *complaint; /* NULL: none */
    } rows[] = {
        {{"receiver_1.url = https://shop.test/hooks/?a=b", "receiver_1.secret_file = $"}, NULL},
        {{"receiver_4.url = https://[::1]:8443", "receiver_4.secret_file = $",
          "receiver_4.previous_secret_file = $"},
         NULL},
        {{"receiver_1.url = http://localhost:8080/x", "receiver_1.secret_file = $",
          "return.localhost_http = on"},
         NULL},
        {{"receiver_1.url = http://localhost", "receiver_1.secret_file = $",
          "return.localhost_http = on"},
         NULL},
        {{"receiver_1.url = https://shop.test/"}, "receiver_1.secret_file is missing"},
        {{"receiver_2.secret_file = $"}, "receiver_2 has a secret, but no url"},
        {{"receiver_3.previous_secret_file = $"}, "receiver_3 has a secret, but no url"},
        {{"receiver_1.url = https://shop.test/", "receiver_1.previous_secret_file = $"},
         "receiver_1.secret_file is missing"},
        {{"receiver_1.url = https://shop.test/", "receiver_1.secret_file = @"},
         "test.conf:10: receiver_1.secret_file: "},
        {{"receiver_1.url = https://shop.test/", "receiver_1.secret_file = @"},
         "it is not whsec_ and the base64 of 24 to 64 bytes"},
        {{"receiver_1.url = http://localhost:8080/x", "receiver_1.secret_file = $"},
         "receiver_1.url must"},
        {{"receiver_5.url = https://shop.test/"}, "there is no setting receiver_5.url"},
    };
    static const char *const urls[] = {
        "http://shop.test/",
        "http://localhost.evil.test/",
        "http://localhost@evil.test/",
        "http://127.0.0.1/",
        "https://",
        "https:///path",
        "https://?a=b",
        "https://me:secret@shop.test",
        "ftp://shop.test/",
        "shop.test",
        "https://shop.test/a b",
        "https://shop.test/#part",
        "https://shop.test/\"x\"",
        "https://shop.test/\\",
        "HTTPS://shop.test/",
    };
    char path[80], line[128], report[2000];
    struct settings *s = calloc(1, sizeof *s);
    (void)state;
    (void)snprintf(path, sizeof path, "%s/whsec", folder);
    FILE *file = fopen(path, "w");
    assert_true(fputs("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", file) > 0 && fclose(file) == 0);
    assert_int_equal(chmod(path, 0600), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char filled[4][128];
        const char *lines[8] = {NEEDED};
        for (size_t k = 0; k < 4 && rows[i].lines[k] != NULL; k++) {
            size_t len = strcspn(rows[i].lines[k], "$");
            (void)snprintf(filled[k], sizeof filled[k], "%.*s%s", (int)len, rows[i].lines[k],
                           rows[i].lines[k][len] == '$' ? path : "");
            lines[3 + k] = filled[k];
        }
        enum err err = read_settings(lines, s, report, sizeof report);
        const char *complaint = rows[i].complaint;
        ROW(complaint == NULL ? err == ERR_NONE && report[0] == '\0'
                              : err == ERR_CONFIG && strstr(report, complaint) != NULL,
            "row %zu: %s", i, report);
    }
    for (size_t i = 0; i < COUNT(urls); i++) {
        char secret[128];
        const char *lines[] = {NEEDED, line, secret, "return.localhost_http = on", NULL};
        (void)snprintf(line, sizeof line, "receiver_1.url = %s", urls[i]);
        (void)snprintf(secret, sizeof secret, "receiver_1.secret_file = %s", path);
        ROW(read_settings(lines, s, report, sizeof report) == ERR_CONFIG &&
                strstr(report, "receiver_1.url must start with https://") != NULL,
            "%s is taken: %s", urls[i], report);
    }
    (void)unlink(path);
    free(s);
    ROWS_END();
}

struct shown {
    char section[64], key[64], value[256];
    bool comment;
};

/* "key = value" or "# key = value"; a sentence of a comment is neither. */
static bool read_shown(const char *line, struct shown *shown)
{
    shown->comment = line[0] == '#';
    line += shown->comment ? 2 : 0;
    size_t len = strspn(line, "abcdefghijklmnopqrstuvwxyz_0123456789");
    if (len == 0 || len >= sizeof shown->key || strncmp(line + len, " = ", 3) != 0)
        return false;
    (void)snprintf(shown->key, sizeof shown->key, "%.*s", (int)len, line);
    (void)snprintf(shown->value, sizeof shown->value, "%s", line + len + 3);
    return true;
}

static size_t find_setting(const struct shown *shown)
{
    size_t i = 0;
    while (i < settings_count && (strcmp(settings_table[i].section, shown->section) != 0 ||
                                  strcmp(settings_table[i].key, shown->key) != 0))
        i++;
    return i;
}

static void check_shown(const struct shown *shown, int *seen)
{
    size_t i = find_setting(shown);
    ROW(i < settings_count, "%s: there is no setting %s.%s", shipped, shown->section, shown->key);
    if (i == settings_count)
        return;
    const char *fallback = settings_table[i].fallback;
    seen[i]++;
    if (fallback != NULL && shown->comment)
        ROW(strcmp(shown->value, fallback) == 0, "%s: %s.%s is said to be %s, it is %s", shipped,
            shown->section, shown->key, shown->value, fallback);
    if (settings_table[i].type == CONF_SECRET || settings_table[i].type == CONF_WEBHOOK_KEY)
        ROW(shown->value[0] == '/', "%s: %s.%s is no path", shipped, shown->section, shown->key);
}

static void shipped_file_shows_every_setting(void **state)
{
    FILE *file = fopen(shipped, "r");
    int *seen = calloc(settings_count, sizeof *seen);
    struct shown shown = {.section = ""};
    char line[400];
    (void)state;
    assert_non_null(file); /* run from the project's folder */
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        ROW(strlen(line) < 199, "%s: too long a line: %s", shipped, line);
        if (line[0] == '[')
            (void)snprintf(shown.section, sizeof shown.section, "%.*s", (int)strcspn(line + 1, "]"),
                           line + 1);
        else if (read_shown(line, &shown))
            check_shown(&shown, seen);
    }
    for (size_t i = 0; i < settings_count; i++)
        ROW(seen[i] == 1, "%s: %s.%s stands there %d times", shipped, settings_table[i].section,
            settings_table[i].key, seen[i]);
    free(seen);
    (void)fclose(file);
    ROWS_END();
}

/* Its secrets lie in folders that this machine need not have; nothing else may be wrong. */
static void shipped_file_is_read(void **state)
{
    struct settings *s = calloc(1, sizeof *s);
    char report[4000] = "", *rest = report, *line;
    (void)state;
    FILE *to = fmemopen(report, sizeof report, "w");
    enum err err = settings_read(shipped, s, to);
    (void)fclose(to);
    ROW(err == ERR_NONE || err == ERR_CONFIG, "%d", err);
    while ((line = strsep(&rest, "\n")) != NULL)
        ROW(line[0] == '\0' || strstr(line, "/etc/guichet/secrets/") != NULL, "%s", line);
    free(s);
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(enough_is_enough),          TEST(settings_need_one_another),
        TEST(keys_are_long_enough),      TEST(shipped_file_shows_every_setting),
        TEST(shipped_file_is_read),      TEST(either_key_of_tokens),
        TEST(receivers_are_told_safely),
    };
    return cmocka_run_group_tests_name("settings", tests, make_folder_with_secret, remove_folder);
}
