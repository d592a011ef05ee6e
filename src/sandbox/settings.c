/* The table of the sandbox's settings. A provider's settings are rows of its own section. */
#include "sandbox/settings.h"

#include <stddef.h>

static struct sandbox_settings settings;

#define FIELD(name) offsetof(struct sandbox_settings, name)

static const struct conf_setting rows[] = {
    {"sandbox", "public_url", CONF_URL, FIELD(public_url), NULL, 0, 0},
    {"sandbox", "ca_file", CONF_TEXT, FIELD(ca_file), "/etc/ssl/certs/ca-certificates.crt", 0, 0},
    {"sandbox", "journal", CONF_TEXT, FIELD(journal), "", 0, 0},
    {"sandbox", "retry_scale", CONF_NUMBER, FIELD(retry_scale), "100", 1, 1000},
    {"payviox", "secret_key_file", CONF_SECRET, FIELD(payviox.secret_key), NULL, 8, 0},
    {"payviox", "public_key_file", CONF_SECRET, FIELD(payviox.public_key), NULL, 8, 0},
    {"payviox", "webhook_token_file", CONF_SECRET, FIELD(payviox.webhook_token), NULL, 8, 0},
    {"payviox", "webhook_url", CONF_URL, FIELD(payviox.webhook_url), NULL, 0, 0},
    {"payviox", "return_url", CONF_URL, FIELD(payviox.return_url), NULL, 0, 0},
    {"nonstopay", "api_key_file", CONF_SECRET, FIELD(nonstopay.api_key), NULL, 8, 0},
    {"nonstopay", "callback_url", CONF_URL, FIELD(nonstopay.callback_url), NULL, 0, 0},
    {"nonstopay", "merchant_id", CONF_TEXT, FIELD(nonstopay.merchant_id), "77", 0, 0},
    {"mangopay", "api_key_file", CONF_SECRET, FIELD(mangopay.api_key), NULL, 8, 0},
    {"mangopay", "client_id", CONF_TEXT, FIELD(mangopay.client_id), "guichet", 0, 0},
    {"mangopay", "author_id", CONF_TEXT, FIELD(mangopay.author_id), "", 0, 0},
    {"hooks", "secret_file", CONF_WEBHOOK_KEY, FIELD(hooks_secret), NULL, 1, 0},
    {"mail", "folder", CONF_TEXT, FIELD(mail_folder), "", 0, 0},
    {"payviox", "merchant", CONF_TEXT, FIELD(payviox.merchant), "Demo marketplace", 0, 0},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static bool row_is_set(const struct conf_setting *row)
{
    const void *field = (const char *)&settings + row->offset;
    if (row->type == CONF_SECRET)
        return secret_is_set(field);
    if (row->type == CONF_WEBHOOK_KEY)
        return true; /* a sandbox of providers alone needs none */
    return row->fallback != NULL || *(const char *)field != '\0';
}

enum err sandbox_settings_read(const char *path, FILE *report)
{
    int lines[ROWS];
    enum err err = conf_read(path, rows, ROWS, &settings, lines, report);
    if (err)
        return err;
    for (size_t i = 0; i < ROWS; i++) {
        if (row_is_set(&rows[i]))
            continue;
        (void)fprintf(report, "%s: %s.%s is missing\n", path, rows[i].section, rows[i].key);
        err = ERR_CONFIG;
    }
    return err;
}

const struct sandbox_settings *sandbox_settings(void)
{
    return &settings;
}
