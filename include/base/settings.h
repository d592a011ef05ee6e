/* Every setting of guichet, guichet-jobs and guichetctl, as read from guichet.conf at the start.
 * What each means, its unit and default stand in the shipped nginx/guichet.conf. */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include "base/conf.h"

#include <stdbool.h>
#include <stdio.h>

/* What every provider has. */
struct settings_provider {
    bool enabled, requires_2fa;
    struct conf_limits deposits; /* of POST /paiement */
};

struct settings_payviox {
    struct settings_provider common;
    bool send_payer_ip;
    char api_url[CONF_TEXT_MAX], page_url[CONF_TEXT_MAX];
    struct secret secret_key, webhook_token;
    int64_t minimum, maximum; /* minor units of USD */
};

#define NONSTOPAY_CURRENCIES "USD EUR GBP INR ZAR" /* what an invoice may be in */

/* Paths are those of the API; the payer's browser comes back to return_url. */
struct settings_nonstopay {
    struct settings_provider common;
    char api_url[CONF_TEXT_MAX], return_url[CONF_TEXT_MAX];
    char create_path[CONF_TEXT_MAX], upi_path[CONF_TEXT_MAX], crypto_path[CONF_TEXT_MAX];
    char history_path[CONF_TEXT_MAX], status_path[CONF_TEXT_MAX], infos_path[CONF_TEXT_MAX];
    bool sends_form; /* bodies as a form instead of JSON */
    struct secret api_key, signature_key;
    char signature[CONF_TEXT_MAX];          /* the scheme of X-Signature */
    char callback_addresses[CONF_TEXT_MAX]; /* separated by spaces; "": from anywhere */
    char merchant_id[CONF_TEXT_MAX];        /* "": not compared */
    int64_t minimum, maximum;               /* minor units of USD */
    bool approval_credits, s2s, solution_type;
    char payable_currencies[CONF_TEXT_MAX]; /* separated by spaces */
};

/* The payer's browser comes back to return_url, notices come to hook_url. */
struct settings_mangopay {
    struct settings_provider common;
    char api_url[CONF_TEXT_MAX], return_url[CONF_TEXT_MAX], hook_url[CONF_TEXT_MAX];
    char client_id[CONF_TEXT_MAX];
    struct secret api_key;
    char callback_addresses[CONF_TEXT_MAX]; /* separated by spaces; "": from anywhere */
    char author_id[CONF_TEXT_MAX];          /* who pays in, in Mangopay's eyes */
    char wallets[CONF_LIST_MAX];            /* CURRENCY:ID, separated by spaces */
    bool callers_name_wallets;              /* may callers name author, wallet and fees? */
    int64_t fees_bps;                       /* of each payment, for the platform */
    char culture[CONF_TEXT_MAX], statement_descriptor[CONF_TEXT_MAX];
    char template_url[CONF_TEXT_MAX]; /* of the page for cards; "": Mangopay's own */
    int64_t minimum, maximum;         /* minor units of USD */
};

struct settings_mannco {
    struct settings_provider common;
    char partners[CONF_TEXT_MAX]; /* names, separated by spaces */
};

/* When a provider is left alone, and for how long. */
struct settings_breaker {
    int64_t failures_percent, minimum, window_s, cool_down_s;
};

/* Mail to payers; server "": none is sent. */
struct settings_mail {
    char server[CONF_TEXT_MAX], from[CONF_TEXT_MAX], user[CONF_TEXT_MAX];
    struct secret password;
    bool starttls;
};

/* An endpoint of the marketplace's own that is told of payments. */
#define RECEIVERS_MAX 4
struct settings_receiver {
    char url[CONF_TEXT_MAX];               /* "": there is none */
    struct secret secret, previous_secret; /* the latter only while the two are changed over */
};

/* Their sections, which are also their names in the database. */
extern const char *const settings_receivers[RECEIVERS_MAX];

struct settings {
    struct {
        char socket[CONF_TEXT_MAX], name[CONF_TEXT_MAX], user[CONF_TEXT_MAX];
        char admin_user[CONF_TEXT_MAX], migrations[CONF_TEXT_MAX];
        struct secret password, admin_password;
        int64_t connections, pool_wait_ms;
    } database;
    struct {
        int64_t threads, request_budget_ms, business_error_status;
    } http;
    struct {
        struct secret secret;
        struct public_key public_key; /* either may be missing, not both */
        char issuer[CONF_TEXT_MAX];
        int64_t lifetime_s, clock_skew_s;
        bool check_ip;
    } token;
    struct secret api_key_hash_key;
    struct {
        int64_t lifetime_s, tos_clock_skew_s, seller_fee_bps;
        char environment[CONF_TEXT_MAX]; /* travels with every payment; another one's is a stranger
                                          */
    } payment;
    struct {
        char hosts[CONF_TEXT_MAX], page[CONF_TEXT_MAX];
        bool localhost_http;
    } returns;
    struct {
        int64_t connect_timeout_ms, timeout_ms;
        char ca_file[CONF_TEXT_MAX];
    } provider;
    struct settings_breaker breaker;
    struct {
        int64_t payer_declines, address_declines, card_declines; /* in 24 hours; 0: no limit */
    } velocity;
    struct {
        int64_t threads, idle_wait_ms, silence_s;
    } jobs;
    struct settings_mail mail;
    struct settings_receiver receivers[RECEIVERS_MAX];
    struct settings_payviox payviox;
    struct settings_nonstopay nonstopay;
    struct settings_mangopay mangopay;
    struct settings_mannco mannco;
};

/* The table, for the reader and for the test that compares it with the shipped file. */
extern const struct conf_setting settings_table[];
extern const size_t settings_count;

/* What may stand on a payer's statement, by Mangopay's rules; "" may. */
bool settings_is_descriptor(const char *text);

/* Reads and cross-checks; every problem is a line on report. ERR_CONFIG if there was any. */
enum err settings_read(const char *path, struct settings *ret_settings, FILE *report) MUST_CHECK;

#endif
