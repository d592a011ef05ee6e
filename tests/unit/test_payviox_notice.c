/* Payviox's notices: the signature holds over the raw bytes and over nothing else, and a genuine
 * body is read as documented or not at all. */
#include "check.h"

#include "provider/payviox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFERENCE     "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7Z"
#define SESSION       "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"
#define TEXT(literal) literal, sizeof(literal) - 1

enum { HEX = 2 * CRYPT_HASH_BYTES, MUTATIONS = 10000 };

static struct settings settings;
static struct http_request request;

static int set_up(void **state)
{
    (void)state;
    settings.payviox.common.enabled = true;
    (void)snprintf(settings.payment.environment, CONF_TEXT_MAX, "live");
    return !secret_set(&settings.payviox.webhook_token, "whk_test_token", 14);
}

static void sign(const char *body, size_t len, char ret_signature[HEX + 1])
{
    unsigned char hash[CRYPT_HASH_BYTES];
    crypt_hmac_sha256(&settings.payviox.webhook_token, body, len, hash);
    hex_encode(hash, sizeof hash, ret_signature);
}

static bool proved(const char *body, size_t len, const char *signature)
{
    request = (struct http_request){.body = body, .body_len = len};
    if (signature != NULL)
        request.params[0] = (struct http_param){"HTTP_SIGNATURE", signature};
    return payviox_driver.notice_proved(&settings, &request);
}

#define VECTOR      "{\"type\":\"succeeded\",\"order_id\":\"order_1\"}"
#define VECTOR_SIGN "50d5b34d307d37e94b8a39a78a2e0042e042442628808d08e593224fea8a3159"

/* One header for the vector's body: its form decides. */
static void signature_forms(void **state)
{
    static const struct {
        const char *signature;
        bool proved;
    } rows[] = {
        {VECTOR_SIGN, true},
        {"50D5B34D307D37E94B8A39A78A2E0042E042442628808D08E593224FEA8A3159", true},
        {NULL, false},
        {"", false},
        {" ", false},
        {VECTOR_SIGN " ", false},
        {" " VECTOR_SIGN, false},
        {VECTOR_SIGN "00", false},
        {VECTOR_SIGN "," VECTOR_SIGN, false},
        {"sha256=" VECTOR_SIGN, false},
        {"50d5b34d307d37e94b8a39a78a2e0042e042442628808d08e593224fea8a315", false},
        {"50d5b34d307d37e94b8a39a78a2e0042e042442628808d08e593224fea8a315g", false},
        {"50d5b34d307d37e94b8a39a78a2e0042e042442628808d08e593224fea8a3158", false},
        {"0000000000000000000000000000000000000000000000000000000000000000", false},
        {"UNKEYED", false}, /* stands for SHA-256 without the key */
        {"UNWzTTB9N+lLijmnii4AQuBCRCYogI0I5ZMiT+qKMVk=", false}, /* the same in base64 */
        {"null", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char unkeyed[HEX + 1];
        unsigned char hash[CRYPT_HASH_BYTES];
        const char *signature = rows[i].signature;
        crypt_sha256(VECTOR, strlen(VECTOR), hash);
        hex_encode(hash, sizeof hash, unkeyed);
        if (signature != NULL && strcmp(signature, "UNKEYED") == 0)
            signature = unkeyed;
        ROW(proved(TEXT(VECTOR), signature) == rows[i].proved, "row %zu: %s", i,
            signature == NULL ? "no header" : signature);
    }
    ROWS_END();
}

static void two_signatures_are_none(void **state)
{
    (void)state;
    request = (struct http_request){
        .body = VECTOR,
        .body_len = strlen(VECTOR),
        .params = {{"HTTP_SIGNATURE", VECTOR_SIGN}, {"HTTP_SIGNATURE", VECTOR_SIGN}}};
    assert_false(payviox_driver.notice_proved(&settings, &request));
}

/* Bodies that a parser would call the same are not the same bytes: each has its own signature,
 * which holds for it and for no other. */
static void signature_is_over_raw_bytes(void **state)
{
    static const struct {
        const char *body;
        size_t len;
    } rows[] = {
        {TEXT("{\"type\":\"succeeded\",\"order_id\":\"\xc3\xa9\"}")},
        {TEXT("{\"type\":\"succeeded\",\"order_id\":\"\\u00e9\"}")},
        {TEXT("{\"type\":\"succeeded\",\"order_id\":\"\\u00E9\"}")},
        {TEXT("{ \"type\" : \"succeeded\",\t\"order_id\":\"\\u00e9\" }")},
        {TEXT("{\"order_id\":\"\\u00e9\",\"type\":\"succeeded\"}")},
        {TEXT("{\"type\":\"succeeded\",\"order_id\":\"\\u00e9\"}\n")},
        {TEXT("{\"type\":\"succeeded\",\"order_id\":\"\\u00e9\"}\r\n")},
        {TEXT("{\"type\":\"succeeded\",\"order_id\":\"\\u00e9\"}\0")},
        {TEXT("\0")},
        {TEXT("")},
        {TEXT("not JSON \xff\xfe")},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char signature[HEX + 1];
        sign(rows[i].body, rows[i].len, signature);
        for (size_t k = 0; k < COUNT(rows); k++)
            ROW(proved(rows[k].body, rows[k].len, signature) == (i == k),
                "body %zu with the signature of %zu", k, i);
    }
    ROWS_END();
}

static void large_body(void **state)
{
    enum { SIZE = 1024 * 1024 };
    char signature[HEX + 1], *body = malloc(SIZE);
    (void)state;
    assert_non_null(body);
    memset(body, ' ', SIZE);
    sign(body, SIZE, signature);
    assert_true(proved(body, SIZE, signature));
    assert_false(proved(body, SIZE - 1, signature));
    body[SIZE - 1] = '\n';
    assert_false(proved(body, SIZE, signature));
    free(body);
}

static uint32_t random_below(uint32_t limit)
{
    uint32_t number;
    crypt_random(&number, sizeof number);
    return number % limit;
}

/* Changes a bit, or a byte, at a random place; the result differs from what it was. */
static void mutate(char *bytes, size_t len)
{
    size_t at = random_below((uint32_t)len);
    if (random_below(2) == 0)
        bytes[at] = (char)(bytes[at] ^ 1 << random_below(8));
    else
        bytes[at] = (char)(bytes[at] + 1 + (int)random_below(255));
}

/* An upper-case digit is the same digit. */
static bool same_signature(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

static void no_mutation_is_accepted(void **state)
{
    static const char good[] = "{\"amount\":10000,\"currency\":\"USD\",\"type\":\"succeeded\","
                               "\"order_id\":\"" REFERENCE "\"}";
    int tried = 0;
    (void)state;
    for (int i = 0; i < MUTATIONS; i++) {
        char body[sizeof good], signature[HEX + 1], right[HEX + 1];
        memcpy(body, good, sizeof good);
        sign(body, sizeof good - 1, right);
        memcpy(signature, right, sizeof right);
        if (i % 2 == 0)
            mutate(body, sizeof good - 1);
        else
            mutate(signature, HEX);
        if (i % 2 == 1 && same_signature(signature, right))
            continue;
        tried++;
        ROW(!proved(body, sizeof good - 1, signature), "%s with %s", body, signature);
    }
    assert_true(tried > MUTATIONS * 9 / 10);
    ROWS_END();
}

#define NOTICE(type, money, more)                                                                  \
    "{" money "\"metadata\":{\"integration_session_id\":\"" SESSION "\",\"user_id\":\"1\"},"       \
    "\"type\":" type ",\"provider\":\"stripe\",\"order_id\":\"" REFERENCE "\",\"items\":[]" more   \
    "}"
#define USD(amount) "\"amount\":" amount ",\"currency\":\"USD\","
#define GOOD        USD("10000")

struct notice_row {
    const char *body;
    enum err err;
    enum payment_fact fact;
    int64_t amount, fees;
};

static const struct notice_row notice_rows[] = {
    /* the six types of today */
    {NOTICE("\"succeeded\"", GOOD, ""), ERR_NONE, FACT_SUCCEEDED, 10000, 0},
    {NOTICE("\"pending_review\"", GOOD, ""), ERR_NONE, FACT_PROCESSING, 10000, 0},
    {NOTICE("\"declined\"", GOOD, ""), ERR_NONE, FACT_FAILED, 10000, 0},
    {NOTICE("\"refunded\"", GOOD, ""), ERR_NONE, FACT_REFUNDED, 10000, 0},
    {NOTICE("\"expired\"", GOOD, ""), ERR_NONE, FACT_EXPIRED, 10000, 0},
    {NOTICE("\"incomplete\"", GOOD, ",\"amount_remaining\":1200"), ERR_NONE, FACT_PROCESSING, 10000,
     0},
    /* and those of older versions */
    {NOTICE("\"processing\"", GOOD, ""), ERR_NONE, FACT_PROCESSING, 10000, 0},
    {NOTICE("\"canceled\"", GOOD, ""), ERR_NONE, FACT_FAILED, 10000, 0},
    {NOTICE("\"requires_payment_method\"", GOOD, ""), ERR_NONE, FACT_NOTHING, 10000, 0},
    {NOTICE("\"requires_confirmation\"", GOOD, ""), ERR_NONE, FACT_NOTHING, 10000, 0},
    {NOTICE("\"requires_action\"", GOOD, ""), ERR_NONE, FACT_NOTHING, 10000, 0},
    /* a notice's amount is the session's; fees come on top of it */
    {NOTICE("\"succeeded\"", GOOD, ",\"fees\":350"), ERR_NONE, FACT_SUCCEEDED, 10000, 350},
    {NOTICE("\"succeeded\"", GOOD, ",\"fees\":0"), ERR_NONE, FACT_SUCCEEDED, 10000, 0},
    {NOTICE("\"succeeded\"", GOOD, ",\"fees\":null"), ERR_NONE, FACT_SUCCEEDED, 10000, 0},
    {NOTICE("\"succeeded\"", GOOD, ",\"customer\":{\"name\":\"\\u00e9\"},\"unknown\":[{}]"),
     ERR_NONE, FACT_SUCCEEDED, 10000, 0},
    {NOTICE("\"succeeded\"", USD("1"), ""), ERR_NONE, FACT_SUCCEEDED, 1, 0},
    {NOTICE("\"succeeded\"", USD("9223372036854775807"), ""), ERR_NONE, FACT_SUCCEEDED, INT64_MAX,
     0},
    /* words that nobody documented */
    {NOTICE("\"paid\"", GOOD, ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"SUCCEEDED\"", GOOD, ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\\u0020\"", GOOD, ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"\"", GOOD, ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("null", GOOD, ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("1", GOOD, ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("[\"succeeded\"]", GOOD, ""), ERR_PAYLOAD, 0, 0, 0},
    /* amounts */
    {NOTICE("\"succeeded\"", "\"currency\":\"USD\",", ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", "\"amount\":10000,", ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", USD("\"10000\""), ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", USD("100.00"), ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", USD("10000.0"), ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", USD("1e4"), ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", USD("-10000"), ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", USD("-0"), ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", USD("null"), ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", USD("[10000]"), ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", USD("9223372036854775808"), ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", USD("18446744073709561616"), ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", GOOD, ",\"fees\":-1"), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", GOOD, ",\"fees\":3.5"), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", GOOD, ",\"fees\":\"350\""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", GOOD GOOD, ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", "\"amount\":10000,\"currency\":\"usd\",", ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", "\"amount\":10000,\"currency\":840,", ""), ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", "\"amount\":10000,\"currency\":\"\",", ""), ERR_PAYLOAD, 0, 0, 0},
    /* what it is about */
    {"{" GOOD "\"type\":\"succeeded\",\"order_id\":\"" REFERENCE "\"}", ERR_PAYLOAD, 0, 0, 0},
    {"{" GOOD "\"type\":\"succeeded\",\"order_id\":\"" REFERENCE "\",\"metadata\":{}}", ERR_PAYLOAD,
     0, 0, 0},
    {"{" GOOD "\"type\":\"succeeded\",\"order_id\":\"" REFERENCE "\",\"metadata\":null}",
     ERR_PAYLOAD, 0, 0, 0},
    {"{" GOOD "\"type\":\"succeeded\",\"order_id\":\"" REFERENCE "\",\"metadata\":[\"" SESSION
     "\"]}",
     ERR_PAYLOAD, 0, 0, 0},
    {"{" GOOD "\"type\":\"succeeded\",\"order_id\":\"" REFERENCE
     "\",\"metadata\":{\"integration_session_id\":7}}",
     ERR_PAYLOAD, 0, 0, 0},
    {"{" GOOD "\"type\":\"succeeded\",\"metadata\":{\"integration_session_id\":\"" SESSION "\"}}",
     ERR_PAYLOAD, 0, 0, 0},
    {"{" GOOD "\"type\":\"succeeded\",\"order_id\":7,\"metadata\":{\"integration_session_id\":"
     "\"" SESSION "\"}}",
     ERR_PAYLOAD, 0, 0, 0},
    {"{" GOOD "\"type\":\"succeeded\",\"order_id\":\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeee"
     "eeeeeeffffffffffgggg\",\"metadata\":{\"integration_session_id\":\"" SESSION "\"}}",
     ERR_PAYLOAD, 0, 0, 0},
    /* no object at all */
    {"", ERR_PAYLOAD, 0, 0, 0},
    {"{}", ERR_PAYLOAD, 0, 0, 0},
    {"[]", ERR_PAYLOAD, 0, 0, 0},
    {"null", ERR_PAYLOAD, 0, 0, 0},
    {"type=succeeded&amount=10000", ERR_PAYLOAD, 0, 0, 0},
    {"[" NOTICE("\"succeeded\"", GOOD, "") "]", ERR_PAYLOAD, 0, 0, 0},
    {NOTICE("\"succeeded\"", GOOD, "") "x", ERR_PAYLOAD, 0, 0, 0},
};

static void notices(void **state)
{
    for (size_t i = 0; i < COUNT(notice_rows); i++) {
        const struct notice_row *row = &notice_rows[i];
        struct provider_truth t;
        arena_reset(*state);
        enum err err =
            provider_notice(&payviox_driver, &settings, *state, row->body, strlen(row->body), &t);
        ROW(err == row->err, "%s: %s", row->body, err_message(err));
        if (err || row->err)
            continue;
        ROW(t.fact == row->fact, "%s: %s", row->body, payment_fact_name(t.fact));
        ROW(strcmp(t.reference, REFERENCE) == 0 && strcmp(t.provider_reference, SESSION) == 0,
            "%s: about another payment", row->body);
        /* only a declined payment is refunded by Payviox itself */
        ROW(t.given_back == (strstr(row->body, "\"declined\"") != NULL), "%s: given back",
            row->body);
        ROW(t.has_amount && money_minor_units(&t.amount) == row->amount &&
                money_minor_units(&t.fees) == row->fees &&
                strcmp(money_currency(&t.amount), "USD") == 0,
            "%s: other money", row->body);
    }
    ROWS_END();
}

static void strangers(void **state)
{
#define OF(environment)                                                                            \
    "{" GOOD "\"metadata\":{\"integration_session_id\":\"" SESSION "\"" environment                \
    "},\"type\":\"succeeded\",\"order_id\":\"" REFERENCE "\"}"
    static const struct {
        const char *body;
        bool ours;
    } rows[] = {
        {OF(""), true},
        {OF(",\"environment\":\"live\""), true},
        {OF(",\"environment\":null"), true},
        {OF(",\"environment\":\"staging\""), false},
        {OF(",\"environment\":\"\""), false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_truth t;
        arena_reset(*state);
        assert_int_equal(provider_notice(&payviox_driver, &settings, *state, rows[i].body,
                                         strlen(rows[i].body), &t),
                         ERR_NONE);
        ROW((t.stranger == NULL) == rows[i].ours, "%s", rows[i].body);
    }
    ROWS_END();
}

/* No memory is not the same as no sense: the notice must be sent again, not shelved. */
static void notice_without_memory(void **state)
{
    static const char body[] = NOTICE("\"succeeded\"", GOOD, "");
    struct provider_truth t;
    struct arena *tiny = arena_new(200);
    (void)state;
    assert_int_equal(provider_notice(&payviox_driver, &settings, tiny, TEXT(body), &t),
                     ERR_OVERLOAD);
    arena_free(tiny);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(signature_forms), TEST(two_signatures_are_none), TEST(signature_is_over_raw_bytes),
        TEST(large_body),      TEST(no_mutation_is_accepted), TEST_ARENA(notices),
        TEST_ARENA(strangers), TEST(notice_without_memory),
    };
    return cmocka_run_group_tests_name("payviox_notice", tests, set_up, NULL);
}
