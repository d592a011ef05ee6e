/* What the tests of Mangopay's driver share: settings, an order, recorded answers. */
#ifndef UNIT_MANGOPAY_H
#define UNIT_MANGOPAY_H

#include "check.h"

#include "base/buf.h"
#include "base/json.h"
#include "provider/mangopay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFERENCE "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7Z"
#define PAYIN     "payin_m_01JFAJSSR3VW3SHX2X74C8GW82"

static struct settings settings;
static struct provider_order order;
static struct provider_payer payer;
static struct provider_details details;

#define NO_ADDRESS                                                                                 \
    {                                                                                              \
        "", "", "", "", "", "", "", ""                                                             \
    }

static void set_text(char *field, const char *text)
{
    assert_true(text_copy(field, CONF_TEXT_MAX, text));
}

static inline void set_amount(int64_t units, const char *currency)
{
    assert_true(money_make(units, currency, &order.amount));
}

static int set_up(void **state)
{
    struct settings_mangopay *s = &settings.mangopay;
    settings = (struct settings){0};
    s->common.enabled = s->callers_name_wallets = true;
    s->minimum = 100;
    s->maximum = 50000;
    set_text(settings.payment.environment, "unit test");
    set_text(s->api_url, "https://api.mangopay.test");
    set_text(s->return_url, "https://pay.example.test/return/mangopay");
    set_text(s->hook_url, "https://pay.example.test/webhook/mangopay");
    set_text(s->client_id, "shop");
    set_text(s->author_id, "user_m_1");
    set_text(s->wallets, "EUR:wlt_eur  GBP:wlt_gbp");
    set_text(s->culture, "EN");
    payer = (struct provider_payer){"payer@example.test",
                                    "Jo van Doe",
                                    "",
                                    "",
                                    "",
                                    "203.0.113.9",
                                    "",
                                    "",
                                    "",
                                    "",
                                    "",
                                    "",
                                    "",
                                    ""};
    details = (struct provider_details){"", "", "", "", "", "",         "",
                                        "", "", "", "", -1, NO_ADDRESS, {.given = false}};
    order = (struct provider_order){.reference = REFERENCE,
                                    .payment_id = REFERENCE,
                                    .method = "",
                                    .payer_ip = "203.0.113.42",
                                    .provider_reference = PAYIN,
                                    .payer = &payer,
                                    .details = &details};
    set_amount(1504, "EUR");
    return !secret_set(&s->api_key, "a key of the dashboard", 22) || arena_setup(state);
}

static inline struct httpc_answer answer_of(int status, const char *body)
{
    return (struct httpc_answer){.result = HTTPC_ANSWERED,
                                 .status = status,
                                 .body = body,
                                 .body_len = strlen(body),
                                 .kept = "",
                                 .problem = "",
                                 .at_s = 1000};
}

/* The body of a request, parsed. */
static inline const struct json *body_of(struct arena *arena, const struct httpc_request *request)
{
    struct json *root = NULL;
    assert_int_equal(json_parse(arena, request->body, request->body_len, &root), ERR_NONE);
    return root;
}

static inline bool has_header(const struct httpc_request *request, const char *header)
{
    for (int i = 0; i < HTTPC_HEADERS_MAX && request->headers[i] != NULL; i++)
        if (strcmp(request->headers[i], header) == 0)
            return true;
    return false;
}

#endif
