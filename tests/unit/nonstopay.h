/* What the tests of NonStopPay's driver share: settings, an order, a payer, a card, recorded
 * answers. */
#ifndef UNIT_NONSTOPAY_H
#define UNIT_NONSTOPAY_H

#include "check.h"

#include "base/buf.h"
#include "base/json.h"
#include "provider/nonstopay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFERENCE "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7Z"
#define OTHER     "PAY_01HP2V0K8S3M5N7Q9R1T3V5X70"
#define NOW_S     INT64_C(1781438400) /* 2026-06-14 12:00 UTC */

static struct settings settings;
static struct provider_order order;
static struct provider_payer payer;
static struct provider_card card;
static char nonce[NONSTOPAY_NONCE_SIZE];

static void set_text(char *field, const char *text)
{
    assert_true(text_copy(field, CONF_TEXT_MAX, text));
}

static int set_up(void **state)
{
    struct settings_nonstopay *s = &settings.nonstopay;
    (void)state;
    settings = (struct settings){0};
    s->common.enabled = s->s2s = true;
    s->minimum = 100;
    s->maximum = 50000;
    set_text(s->api_url, "https://api.nonstopay.test");
    set_text(s->return_url, "https://pay.example.test/return/nonstopay");
    set_text(s->create_path, "/create/");
    set_text(s->upi_path, "/upi/");
    set_text(s->crypto_path, "/crypto/");
    set_text(s->history_path, "/history/");
    set_text(s->status_path, "/api/invoice/status/");
    set_text(s->infos_path, "/api/client-invoice-info/get/");
    set_text(s->signature, "hmac-sha256-hex");
    set_text(s->payable_currencies, "USDT_polygon USDC_tron");
    payer = (struct provider_payer){
        "payer@example.test", "", "", "", "", "", "", "", "", "", "", "", "", ""};
    card = (struct provider_card){"4242 4242 4242 4242", "12/2030", "123", "John Smith"};
    order = (struct provider_order){.reference = REFERENCE,
                                    .payment_id = REFERENCE,
                                    .user_id = 76561198000000001,
                                    .method = "",
                                    .payer_ip = "203.0.113.42",
                                    .provider_reference = "1689",
                                    .created_s = NOW_S,
                                    .now_s = NOW_S,
                                    .payer = &payer};
    return !secret_set(&s->api_key, "0d8d8e89a6cdcd", 14) ||
           !secret_set(&settings.api_key_hash_key, "a key of thirty-two bytes or more", 33) ||
           !money_make(1504, "USD", &order.amount);
}

static int set_up_arena(void **state)
{
    if (set_up(state) != 0)
        return 1;
    nonstopay_nonce(&settings, REFERENCE, nonce);
    return arena_setup(state);
}

/* Everything that a payer and a card can say. */
static inline void know_all(void)
{
    payer = (struct provider_payer){
        .email = "payer@example.test",
        .name = "Jane Doe",
        .phone = "020 7946 0018",
        .date_of_birth = "1990-12-31",
        .personal_id = "45861024531",
        .ip = "127.0.0.1",
        .address1 = "1000 Lombard St",
        .address2 = "Flat 2",
        .city = "San Francisco",
        .state = "California",
        .postcode = "90210",
        .country = "US",
    };
    order.card = &card;
}

#define TEST_NONSTOPAY(function)                                                                   \
    cmocka_unit_test_setup_teardown(function, set_up_arena, arena_teardown)

/* An answer of tests/recorded/nonstopay. */
static inline const char *recorded(struct arena *arena, const char *name)
{
    char path[256], text[64 * 1024];
    (void)snprintf(path, sizeof path, "tests/recorded/nonstopay/%s.json", name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    return arena_strndup(arena, text, len);
}

static inline struct httpc_answer answer_of(int status, const char *body)
{
    return (struct httpc_answer){.result = HTTPC_ANSWERED,
                                 .status = status,
                                 .body = body,
                                 .body_len = strlen(body),
                                 .problem = ""};
}

#endif
