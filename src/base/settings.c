/* The table of settings: adding one is adding a row here, a field in the header and a commented
 * line in nginx/guichet.conf. */
#include "base/settings.h"

#include "base/address.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#define AT(field) offsetof(struct settings, field)
#define NUMBER(section, key, field, fallback, min, max)                                            \
    {                                                                                              \
        section, key, CONF_NUMBER, AT(field), fallback, min, max                                   \
    }
#define SWITCH(section, key, field, fallback)                                                      \
    {                                                                                              \
        section, key, CONF_SWITCH, AT(field), fallback, 0, 0                                       \
    }
#define TEXT(section, key, field, fallback)                                                        \
    {                                                                                              \
        section, key, CONF_TEXT, AT(field), fallback, 0, 0                                         \
    }
#define LIST(section, key, field, fallback)                                                        \
    {                                                                                              \
        section, key, CONF_LIST, AT(field), fallback, 0, 0                                         \
    }
#define URL(section, key, field, fallback)                                                         \
    {                                                                                              \
        section, key, CONF_URL, AT(field), fallback, 0, 0                                          \
    }
#define LIMITS(section, key, field, fallback, max)                                                 \
    {                                                                                              \
        section, key, CONF_LIMITS, AT(field), fallback, 1, max                                     \
    }
#define SECRET(section, key, field, fewest)                                                        \
    {                                                                                              \
        section, key, CONF_SECRET, AT(field), NULL, fewest, 0                                      \
    }

#define WEBHOOK_KEY(section, key, field)                                                           \
    {                                                                                              \
        section, key, CONF_WEBHOOK_KEY, AT(field), NULL, 1, 0                                      \
    }

#define RECEIVER(section, i)                                                                       \
    TEXT(section, "url", receivers[i].url, NULL),                                                  \
        WEBHOOK_KEY(section, "secret_file", receivers[i].secret),                                  \
        WEBHOOK_KEY(section, "previous_secret_file", receivers[i].previous_secret)

#define PUBLIC_KEY(section, key, field)                                                            \
    {                                                                                              \
        section, key, CONF_PUBLIC_KEY, AT(field), NULL, 0, 0                                       \
    }

/* clang-format off */
const struct conf_setting settings_table[] = {
    TEXT("database", "socket", database.socket, "/run/mysqld/mysqld.sock"),
    TEXT("database", "name", database.name, "guichet"),
    TEXT("database", "user", database.user, "guichet"),
    SECRET("database", "password_file", database.password, 8),
    NUMBER("database", "connections", database.connections, "8", 1, 256),
    NUMBER("database", "pool_wait", database.pool_wait_ms, "1000", 1, 60000),
    TEXT("database", "admin_user", database.admin_user, "guichet_admin"),
    SECRET("database", "admin_password_file", database.admin_password, 8),
    TEXT("database", "migrations", database.migrations, "/usr/share/guichet/sql"),
    NUMBER("http", "threads", http.threads, "16", 1, 4096),
    NUMBER("http", "request_budget", http.request_budget_ms, "20000", 1000, 600000),
    NUMBER("http", "business_error_status", http.business_error_status, "400", 300, 400),
    SECRET("token", "secret_file", token.secret, CRYPT_HASH_BYTES),
    PUBLIC_KEY("token", "public_key_file", token.public_key),
    TEXT("token", "issuer", token.issuer, "API"),
    NUMBER("token", "lifetime", token.lifetime_s, "2678400", 60, 31536000),
    SWITCH("token", "check_ip", token.check_ip, "on"),
    NUMBER("token", "clock_skew", token.clock_skew_s, "0", 0, 300),
    SECRET("api_key", "hash_key_file", api_key_hash_key, CRYPT_HASH_BYTES),
    NUMBER("payment", "lifetime", payment.lifetime_s, "3600", 1, 86400),
    NUMBER("payment", "tos_clock_skew", payment.tos_clock_skew_s, "0", 0, 3600),
    TEXT("payment", "environment", payment.environment, "live"),
    NUMBER("payment", "seller_fee_bps", payment.seller_fee_bps, "500", 0, 5000),
    TEXT("return", "hosts", returns.hosts, NULL),
    SWITCH("return", "localhost_http", returns.localhost_http, "off"),
    URL("return", "page", returns.page, NULL),
    NUMBER("provider", "connect_timeout", provider.connect_timeout_ms, "3000", 100, 30000),
    NUMBER("provider", "timeout", provider.timeout_ms, "15000", 500, 60000),
    TEXT("provider", "ca_file", provider.ca_file, "/etc/ssl/certs/ca-certificates.crt"),
    NUMBER("breaker", "failures", breaker.failures_percent, "50", 1, 100),
    NUMBER("breaker", "minimum", breaker.minimum, "10", 1, 1000000000),
    NUMBER("breaker", "window", breaker.window_s, "60", 1, 300),
    NUMBER("breaker", "cool_down", breaker.cool_down_s, "120", 1, 86400),
    NUMBER("velocity", "payer_declines", velocity.payer_declines, "10", 0, 1000000),
    NUMBER("velocity", "address_declines", velocity.address_declines, "0", 0, 1000000),
    NUMBER("velocity", "card_declines", velocity.card_declines, "5", 0, 1000000),
    NUMBER("jobs", "threads", jobs.threads, "2", 1, 64),
    NUMBER("jobs", "idle_wait", jobs.idle_wait_ms, "1000", 10, 60000),
    NUMBER("jobs", "silence", jobs.silence_s, "300", 1, 86400),
    TEXT("mail", "server", mail.server, NULL),
    SWITCH("mail", "starttls", mail.starttls, "on"),
    TEXT("mail", "from", mail.from, NULL),
    TEXT("mail", "user", mail.user, NULL),
    SECRET("mail", "password_file", mail.password, 1),
    RECEIVER("receiver_1", 0),
    RECEIVER("receiver_2", 1),
    RECEIVER("receiver_3", 2),
    RECEIVER("receiver_4", 3),
    SWITCH("payviox", "enabled", payviox.common.enabled, "off"),
    SWITCH("payviox", "requires_2fa", payviox.common.requires_2fa, "off"),
    LIMITS("payviox", "deposits", payviox.common.deposits, "USD:500-50000 EUR:500-50000", 2500000),
    URL("payviox", "api_url", payviox.api_url, "https://api.payviox.com"),
    URL("payviox", "page_url", payviox.page_url, "https://secure.payviox.com"),
    SECRET("payviox", "secret_key_file", payviox.secret_key, 8),
    SECRET("payviox", "webhook_token_file", payviox.webhook_token, 8),
    NUMBER("payviox", "minimum", payviox.minimum, "100", 100, 2500000),
    NUMBER("payviox", "maximum", payviox.maximum, "2500000", 100, 2500000),
    SWITCH("payviox", "send_payer_ip", payviox.send_payer_ip, "off"),
    SWITCH("nonstopay", "enabled", nonstopay.common.enabled, "off"),
    SWITCH("nonstopay", "requires_2fa", nonstopay.common.requires_2fa, "off"),
    LIMITS("nonstopay", "deposits", nonstopay.common.deposits, "USD:500-50000 EUR:500-50000", 2500000),
    URL("nonstopay", "api_url", nonstopay.api_url, "https://usdc.nonstopay.net"),
    TEXT("nonstopay", "create_path", nonstopay.create_path, "/api/btn-create-invoice/get/"),
    TEXT("nonstopay", "upi_path", nonstopay.upi_path, "/api/btn-create-invoice/get/"),
    TEXT("nonstopay", "crypto_path", nonstopay.crypto_path, "/api/btn-create-invoice/get/"),
    TEXT("nonstopay", "history_path", nonstopay.history_path, "/api/invoice/history/"),
    TEXT("nonstopay", "status_path", nonstopay.status_path, "/api/invoice/status/"),
    TEXT("nonstopay", "infos_path", nonstopay.infos_path, "/api/client-invoice-info/get/"),
    SWITCH("nonstopay", "sends_form", nonstopay.sends_form, "off"),
    SECRET("nonstopay", "api_key_file", nonstopay.api_key, 8),
    SECRET("nonstopay", "signature_key_file", nonstopay.signature_key, 8),
    TEXT("nonstopay", "signature", nonstopay.signature, "hmac-sha256-hex"),
    TEXT("nonstopay", "callback_addresses", nonstopay.callback_addresses, NULL),
    TEXT("nonstopay", "merchant_id", nonstopay.merchant_id, NULL),
    URL("nonstopay", "return_url", nonstopay.return_url, NULL),
    NUMBER("nonstopay", "minimum", nonstopay.minimum, "100", 1, 2500000),
    NUMBER("nonstopay", "maximum", nonstopay.maximum, "2500000", 1, 2500000),
    SWITCH("nonstopay", "approval_credits", nonstopay.approval_credits, "off"),
    SWITCH("nonstopay", "solution_type", nonstopay.solution_type, "off"),
    TEXT("nonstopay", "payable_currencies", nonstopay.payable_currencies, "USDT_polygon"),
    SWITCH("nonstopay", "s2s", nonstopay.s2s, "off"),
    SWITCH("mangopay", "enabled", mangopay.common.enabled, "off"),
    SWITCH("mangopay", "requires_2fa", mangopay.common.requires_2fa, "off"),
    LIMITS("mangopay", "deposits", mangopay.common.deposits, "EUR:500-50000 USD:500-50000", 2500000),
    URL("mangopay", "api_url", mangopay.api_url, "https://api.mangopay.com"),
    TEXT("mangopay", "client_id", mangopay.client_id, NULL),
    SECRET("mangopay", "api_key_file", mangopay.api_key, 8),
    URL("mangopay", "return_url", mangopay.return_url, NULL),
    URL("mangopay", "hook_url", mangopay.hook_url, NULL),
    TEXT("mangopay", "callback_addresses", mangopay.callback_addresses, NULL),
    TEXT("mangopay", "author_id", mangopay.author_id, NULL),
    LIST("mangopay", "wallets", mangopay.wallets, NULL),
    SWITCH("mangopay", "callers_name_wallets", mangopay.callers_name_wallets, "off"),
    NUMBER("mangopay", "fees_bps", mangopay.fees_bps, "0", 0, 9999),
    TEXT("mangopay", "culture", mangopay.culture, "EN"),
    TEXT("mangopay", "statement_descriptor", mangopay.statement_descriptor, NULL),
    URL("mangopay", "template_url", mangopay.template_url, NULL),
    NUMBER("mangopay", "minimum", mangopay.minimum, "100", 1, 2500000),
    NUMBER("mangopay", "maximum", mangopay.maximum, "2500000", 1, 2500000),
    SWITCH("mannco", "enabled", mannco.common.enabled, "off"),
    SWITCH("mannco", "requires_2fa", mannco.common.requires_2fa, "off"),
    LIMITS("mannco", "deposits", mannco.common.deposits, "USD:1000-100000 EUR:1000-100000", 2500000),
    TEXT("mannco", "partners", mannco.partners, "payviox nonstopay mangopay"),
};
/* clang-format on */

const size_t settings_count = sizeof settings_table / sizeof settings_table[0];

const char *const settings_receivers[RECEIVERS_MAX] = {"receiver_1", "receiver_2", "receiver_3",
                                                       "receiver_4"};

struct check {
    const char *path;
    const struct settings *settings;
    int lines[sizeof settings_table / sizeof settings_table[0]];
    FILE *report;
    int problems;
};

static int line_of(const struct check *check, const void *field)
{
    size_t offset = (size_t)((const char *)field - (const char *)check->settings), i = 0;
    while (settings_table[i].offset != offset)
        i++;
    return check->lines[i];
}

/* field: of the settings, what is wrong or asks for what is missing. */
static void demand(struct check *check, const void *field, bool fine, const char *what)
{
    if (fine)
        return;
    conf_write_place(check->report, check->path, line_of(check, field));
    (void)fprintf(check->report, "%s\n", what);
    check->problems++;
}

/* Does each word of a list pass? */
static bool all_words(const char *list, bool (*passes)(const char *word, size_t len))
{
    for (list += strspn(list, " "); *list != '\0'; list += strspn(list, " ")) {
        size_t len = strcspn(list, " ");
        if (!passes(list, len))
            return false;
        list += len;
    }
    return true;
}

/* HOST, HOST:PORT or HOST:* */
static bool is_host(const char *word, size_t len)
{
    return strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._[]:*") >=
           len;
}

static bool is_ip(const char *word, size_t len)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    char text[INET6_ADDRSTRLEN];
    if (len >= sizeof text)
        return false;
    memcpy(text, word, len);
    text[len] = '\0';
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* A provider that takes deposits itself. */
static bool is_partner(const char *word, size_t len)
{
    for (size_t i = 0; i < settings_count; i++)
        if (settings_table[i].type == CONF_LIMITS && strlen(settings_table[i].section) == len &&
            strncmp(settings_table[i].section, word, len) == 0)
            return strncmp(word, "mannco", len) != 0;
    return false;
}

static bool is_mail_server(const char *text)
{
    static const char *const schemes[] = {"smtp://", "smtps://", "unix:/"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncmp(text, schemes[i], strlen(schemes[i])) == 0)
            return text[strlen(schemes[i])] != '\0';
    return text[0] == '\0';
}

static bool is_signature(const char *text)
{
    return strcmp(text, "hmac-sha256-hex") == 0 || strcmp(text, "hmac-sha256-base64") == 0 ||
           strcmp(text, "off") == 0;
}

static void check_addresses(struct check *check, const char *section, const char *addresses)
{
    char what[128];
    (void)snprintf(what, sizeof what,
                   "%s.callback_addresses is a list of IP addresses, separated by spaces", section);
    demand(check, addresses, all_words(addresses, is_ip), what);
}

static void check_nonstopay(struct check *check, const struct settings_nonstopay *s)
{
    demand(check, &s->minimum, s->minimum <= s->maximum,
           "nonstopay.minimum is above nonstopay.maximum");
    const char *const paths[] = {s->create_path,  s->upi_path,    s->crypto_path,
                                 s->history_path, s->status_path, s->infos_path};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        demand(check, paths[i], paths[i][0] == '/', "a path of nonstopay must start with /");
    demand(check, s->signature, is_signature(s->signature),
           "nonstopay.signature is hmac-sha256-hex, hmac-sha256-base64 or off");
    demand(check, s->signature,
           strcmp(s->signature, "off") != 0 || s->callback_addresses[0] != '\0',
           "nonstopay.callback_addresses must be set while nonstopay.signature is off");
    check_addresses(check, "nonstopay", s->callback_addresses);
    for (size_t i = 0; i < s->common.deposits.count; i++)
        demand(check, &s->common.deposits,
               strstr(NONSTOPAY_CURRENCIES, s->common.deposits.rows[i].currency) != NULL,
               "nonstopay.deposits may name these only: " NONSTOPAY_CURRENCIES);
    if (!s->common.enabled)
        return;
    demand(check, &s->common.enabled, secret_is_set(&s->api_key),
           "nonstopay.api_key_file is missing while nonstopay is enabled");
    demand(check, &s->common.enabled, s->return_url[0] != '\0',
           "nonstopay.return_url is missing while nonstopay is enabled");
}

/* EUR:wallet */
static bool is_wallet(const char *word, size_t len)
{
    return len >= 5 && word[3] == ':' && strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

bool settings_is_descriptor(const char *text)
{
    size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ");
    return len <= 10 && text[len] == '\0';
}

/* What Mangopay would refuse with every payment, or with recurring ones: those return to an address
 * of 100 characters. */
static void check_mangopay(struct check *check, const struct settings_mangopay *s)
{
    demand(check, &s->minimum, s->minimum <= s->maximum,
           "mangopay.minimum is above mangopay.maximum");
    demand(check, s->wallets, all_words(s->wallets, is_wallet),
           "mangopay.wallets is a list of CURRENCY:ID");
    check_addresses(check, "mangopay", s->callback_addresses);
    demand(check, s->return_url, strlen(s->return_url) <= 100,
           "mangopay.return_url has more than 100 characters");
    demand(check, s->culture,
           strlen(s->culture) == 2 && strspn(s->culture, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2,
           "mangopay.culture is two capital letters");
    demand(check, s->statement_descriptor, settings_is_descriptor(s->statement_descriptor),
           "mangopay.statement_descriptor is at most 10 letters, digits and spaces");
    if (!s->common.enabled)
        return;
    demand(check, &s->common.enabled, s->client_id[0] != '\0',
           "mangopay.client_id is missing while mangopay is enabled");
    demand(check, &s->common.enabled, secret_is_set(&s->api_key),
           "mangopay.api_key_file is missing while mangopay is enabled");
    demand(check, &s->common.enabled, s->return_url[0] != '\0' && s->hook_url[0] != '\0',
           "mangopay.return_url or hook_url is missing while mangopay is enabled");
    demand(check, &s->common.enabled,
           s->callers_name_wallets || (s->author_id[0] != '\0' && s->wallets[0] != '\0'),
           "mangopay.author_id or wallets is missing while mangopay is enabled");
}

/* https://HOST… with what may stand in a URL; for a receiver on this machine http://localhost… */
static bool is_receiver_url(const char *url, bool localhost_http)
{
    static const char local[] = "http://localhost";
    const char *host = strncmp(url, "https://", 8) == 0 ? url + 8 : NULL;
    if (localhost_http && strncmp(url, local, sizeof local - 1) == 0 &&
        strchr(":/?", url[sizeof local - 1]) != NULL)
        host = url + 7;
    return host != NULL && strcspn(host, "/?") > 0 &&
           strcspn(host, "@") >= strcspn(host, "/?") && /* a password would stand in plain sight */
           host[strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                             "-._~:/?[]@!$&'()*+,;=%")] == '\0';
}

static void check_receiver(struct check *check, const struct settings *s, size_t i)
{
    const struct settings_receiver *r = &s->receivers[i];
    char what[128];
    (void)snprintf(what, sizeof what, "%s.secret_file is missing while its url is set",
                   settings_receivers[i]);
    demand(check, r->url, r->url[0] == '\0' || secret_is_set(&r->secret), what);
    (void)snprintf(what, sizeof what, "%s has a secret, but no url", settings_receivers[i]);
    demand(check, &r->secret,
           r->url[0] != '\0' || !(secret_is_set(&r->secret) || secret_is_set(&r->previous_secret)),
           what);
    (void)snprintf(what, sizeof what,
                   "%s.url must start with https:// and hold neither spaces nor a password",
                   settings_receivers[i]);
    demand(check, r->url, r->url[0] == '\0' || is_receiver_url(r->url, s->returns.localhost_http),
           what);
}

/* What no single row can say: settings that need one another. */
static void cross_check(struct check *check)
{
    const struct settings *s = check->settings;
    int64_t status = s->http.business_error_status;
    demand(check, &s->database.password, secret_is_set(&s->database.password),
           "database.password_file is missing");
    demand(check, &s->token.secret,
           secret_is_set(&s->token.secret) || public_key_algorithm(&s->token.public_key)[0] != '\0',
           "token.secret_file is missing, and token.public_key_file too");
    demand(check, &s->api_key_hash_key, secret_is_set(&s->api_key_hash_key),
           "api_key.hash_key_file is missing");
    demand(check, &s->http.business_error_status, status == 300 || status == 400,
           "http.business_error_status is 300 or 400");
    demand(check, &s->provider.timeout_ms, s->provider.timeout_ms < s->http.request_budget_ms,
           "provider.timeout must be below http.request_budget");
    demand(check, s->provider.ca_file, access(s->provider.ca_file, R_OK) == 0,
           "provider.ca_file cannot be read");
    demand(check, s->returns.hosts, all_words(s->returns.hosts, is_host),
           "return.hosts is a list of HOST, HOST:PORT or HOST:*, separated by spaces");
    demand(check, s->mannco.partners, all_words(s->mannco.partners, is_partner),
           "mannco.partners is a list of other providers, separated by spaces");
    /* with a payment's id and 40 characters of the caller's, it fits into Mangopay's shortest Tag
     */
    demand(check, s->payment.environment, strlen(s->payment.environment) <= 26,
           "payment.environment has more than 26 characters");
    demand(check, &s->payviox.minimum, s->payviox.minimum <= s->payviox.maximum,
           "payviox.minimum is above payviox.maximum");
    demand(check, s->mail.server, is_mail_server(s->mail.server),
           "mail.server must be smtp://HOST, smtps://HOST or unix:/PATH");
    demand(check, s->mail.server, s->mail.server[0] == '\0' || address_valid(s->mail.from),
           "mail.from must be an address while mail.server is set");
    for (size_t i = 0; i < RECEIVERS_MAX; i++)
        check_receiver(check, s, i);
    if (s->payviox.common.enabled) {
        demand(check, &s->payviox.common.enabled, secret_is_set(&s->payviox.secret_key),
               "payviox.secret_key_file is missing while payviox is enabled");
        demand(check, &s->payviox.common.enabled, secret_is_set(&s->payviox.webhook_token),
               "payviox.webhook_token_file is missing while payviox is enabled");
    }
    check_nonstopay(check, &s->nonstopay);
    check_mangopay(check, &s->mangopay);
}

enum err settings_read(const char *path, struct settings *ret_settings, FILE *report)
{
    struct check check = {.path = path, .settings = ret_settings, .report = report};
    memset(ret_settings, 0, sizeof *ret_settings);
    enum err err =
        conf_read(path, settings_table, settings_count, ret_settings, check.lines, report);
    if (!err)
        cross_check(&check);
    if (check.problems > 0)
        err = ERR_CONFIG;
    if (err)
        public_key_free(&ret_settings->token.public_key);
    return err;
}
