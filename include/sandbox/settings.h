/* The settings of guichet-sandbox: one file, read once before any thread exists. */
#ifndef SANDBOX_SETTINGS_H
#define SANDBOX_SETTINGS_H

#include "base/conf.h"
#include "base/crypt.h"
#include "base/err.h"

#include <stdint.h>
#include <stdio.h>

/* What a merchant would enter in Payviox' dashboard. */
struct payviox_settings {
    struct secret secret_key, public_key, webhook_token;
    char webhook_url[CONF_TEXT_MAX]; /* receives the webhooks */
    char return_url[CONF_TEXT_MAX];  /* where the payer's browser goes after the page */
    char merchant[CONF_TEXT_MAX];    /* the name that payers see */
};

/* What a merchant would enter in NonStopPay's dashboard, or read there. */
struct nonstopay_settings {
    struct secret api_key;
    char callback_url[CONF_TEXT_MAX], merchant_id[CONF_TEXT_MAX];
};

struct sandbox_settings {
    char public_url[CONF_TEXT_MAX];  /* where nginx serves this program */
    char ca_file[CONF_TEXT_MAX];     /* certificates trusted when webhooks are delivered */
    char journal[CONF_TEXT_MAX];     /* sessions are kept here over a restart; "": they are not */
    int64_t retry_scale;             /* percent of the documented pauses between attempts */
    char mail_folder[CONF_TEXT_MAX]; /* the Maildir of the demo's mails; "": none are shown */
    struct secret hooks_secret;      /* signs the events that /hooks/ takes; none: it takes none */
    struct payviox_settings payviox;
    struct nonstopay_settings nonstopay;
};

/* Reads the file; every problem is a line on report. ERR_CONFIG when there is any. */
enum err sandbox_settings_read(const char *path, FILE *report) MUST_CHECK;

/* What was read; does not change afterwards. */
const struct sandbox_settings *sandbox_settings(void);

#endif
