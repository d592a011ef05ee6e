/* What NonStopPay says about an invoice: status, infos, history, callbacks; who may say it, and
 * what is believed of it. */
#include "nonstopay.h"

static enum provider_reading read_back(struct arena *arena, int status, const char *body,
                                       struct provider_truth *ret_truth)
{
    struct httpc_answer answer = answer_of(status, body);
    *ret_truth = (struct provider_truth){0};
    return nonstopay_driver.readback(&settings, arena, &order, &answer, ret_truth);
}

/* Every documented word, wherever it stands, and nothing else. */
static void words(void **state)
{
    static const struct {
        const char *word;
        enum payment_fact fact, approved; /* PAYMENT_FACTS: no word; with approval_credits */
    } rows[] = {
        {"invoice:created", FACT_NOTHING, FACT_NOTHING},
        {"invoice:opened", FACT_NOTHING, FACT_NOTHING},
        {"invoice:awaiting_approval", FACT_PROCESSING, FACT_SUCCEEDED},
        {"invoice:paid", FACT_SUCCEEDED, FACT_SUCCEEDED},
        {"invoice:failed", FACT_FAILED, FACT_FAILED},
        {"invoice:chargeback", FACT_DISPUTED, FACT_DISPUTED},
        {"invoice:charge back", FACT_DISPUTED, FACT_DISPUTED},
        {"invoice:withheld", FACT_PROCESSING, FACT_PROCESSING},
        {"PAID", FACT_SUCCEEDED, FACT_SUCCEEDED},
        {"INVOICE:PAID", FACT_SUCCEEDED, FACT_SUCCEEDED},
        {"invoice:", PAYMENT_FACTS, PAYMENT_FACTS},
        {"", PAYMENT_FACTS, PAYMENT_FACTS},
        {"paid ", PAYMENT_FACTS, PAYMENT_FACTS},
        {"invoice:prepaid", PAYMENT_FACTS, PAYMENT_FACTS},
        {"invoice:paid2", PAYMENT_FACTS, PAYMENT_FACTS},
        {"invoice:invoice:paid", PAYMENT_FACTS, PAYMENT_FACTS},
        {"success", PAYMENT_FACTS, PAYMENT_FACTS},
        {"fund:success", PAYMENT_FACTS, PAYMENT_FACTS},
    };
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        char body[256];
        struct provider_truth t;
        settings.nonstopay.approval_credits = i >= COUNT(rows);
        enum payment_fact right = settings.nonstopay.approval_credits
                                      ? rows[i % COUNT(rows)].approved
                                      : rows[i % COUNT(rows)].fact;
        (void)snprintf(body, sizeof body,
                       "{\"errorCode\":0,\"invoice\":{\"id\":\"1689\",\"devise\":\"USD\","
                       "\"amount\":\"15.04\",\"status\":\"%s\"}}",
                       rows[i % COUNT(rows)].word);
        arena_reset(*state);
        enum provider_reading reading = read_back(*state, 200, body, &t);
        ROW((reading == READING_TRUTH) == (right != PAYMENT_FACTS), "%s: %d", body, (int)reading);
        ROW(reading != READING_TRUTH || t.fact == right, "%s: %s", body, payment_fact_name(t.fact));
    }
    ROWS_END();
}

#define INVOICE(members) "{\"errorCode\":0,\"invoice\":{" members "}}"

/* F28, F31: "amount" in "devise", as a plain decimal, number or text; nothing else is money. */
static void statuses(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum provider_reading reading;
        int64_t units;
    } rows[] = {
        {200, INVOICE("\"id\":\"1689\",\"devise\":\"USD\",\"amount\":\"4\",\"status\":\"paid\""),
         READING_TRUTH, 400},
        {200, INVOICE("\"id\":1689,\"devise\":\"USD\",\"amount\":15.04,\"status\":\"paid\""),
         READING_TRUTH, 1504},
        {200, INVOICE("\"id\":1689,\"devise\":\"USD\",\"amount\":15.0,\"status\":\"paid\""),
         READING_TRUTH, 1500},
        {200, INVOICE("\"id\":1689,\"devise\":\"JPY\",\"amount\":15,\"status\":\"paid\""),
         READING_TRUTH, 15},
        {200, INVOICE("\"id\":1689,\"devise\":\"USD\",\"amount\":0,\"status\":\"paid\""),
         READING_TRUTH, 0},
        {200, INVOICE("\"id\":1688,\"devise\":\"USD\",\"amount\":4,\"status\":\"paid\""),
         READING_FAILED, 0},
        {200, INVOICE("\"id\":\"01689\",\"devise\":\"USD\",\"amount\":4,\"status\":\"paid\""),
         READING_FAILED, 0},
        {200, INVOICE("\"devise\":\"USD\",\"amount\":4,\"status\":\"paid\""), READING_FAILED, 0},
        {200, INVOICE("\"id\":1689,\"devise\":\"USD\",\"amount\":\"4,00\",\"status\":\"paid\""),
         READING_FAILED, 0},
        {200, INVOICE("\"id\":1689,\"devise\":\"USD\",\"amount\":\"1,000\",\"status\":\"paid\""),
         READING_FAILED, 0},
        {200, INVOICE("\"id\":1689,\"devise\":\"USD\",\"amount\":4e2,\"status\":\"paid\""),
         READING_FAILED, 0},
        {200, INVOICE("\"id\":1689,\"devise\":\"USD\",\"amount\":\"+4\",\"status\":\"paid\""),
         READING_FAILED, 0},
        {200, INVOICE("\"id\":1689,\"devise\":\"USD\",\"amount\":-4,\"status\":\"paid\""),
         READING_FAILED, 0},
        {200, INVOICE("\"id\":1689,\"devise\":\"USD\",\"amount\":4.001,\"status\":\"paid\""),
         READING_FAILED, 0},
        {200, INVOICE("\"id\":1689,\"devise\":\"USD\",\"amount\":null,\"status\":\"paid\""),
         READING_FAILED, 0},
        {200, INVOICE("\"id\":1689,\"devise\":\"USD\",\"totalAmount\":4,\"status\":\"paid\""),
         READING_FAILED, 0},
        {200, INVOICE("\"id\":1689,\"devise\":\"USD\",\"fiat_amount\":4,\"status\":\"paid\""),
         READING_FAILED, 0},
        {200, INVOICE("\"id\":1689,\"totalCurrency\":\"USD\",\"amount\":4,\"status\":\"paid\""),
         READING_FAILED, 0},
        {200, INVOICE("\"id\":1689,\"devise\":\"USDC\",\"amount\":4,\"status\":\"paid\""),
         READING_FAILED, 0},
        {200, INVOICE("\"id\":1689,\"devise\":\"usd\",\"amount\":4,\"status\":\"paid\""),
         READING_FAILED, 0},
        {200,
         INVOICE(
             "\"id\":1689,\"devise\":\"USD\",\"amount\":99999999999999999999,\"status\":\"paid\""),
         READING_FAILED, 0},
        {200, "{\"errorCode\":0}", READING_FAILED, 0},
        {200, "{\"errorCode\":0,\"invoice\":[]}", READING_FAILED, 0},
        {200, "{\"invoice\":{\"id\":1689,\"devise\":\"USD\",\"amount\":4,\"status\":\"paid\"}}",
         READING_FAILED, 0},
        {200, "{\"errorCode\":50007}", READING_FAILED, 0},
        {200, "{\"errorCode\":50010}", READING_FAILED, 0},
        {200, "", READING_FAILED, 0},
        {200, "<html>", READING_FAILED, 0},
        {202, INVOICE("\"id\":1689,\"devise\":\"USD\",\"amount\":4,\"status\":\"paid\""),
         READING_FAILED, 0},
        {400, INVOICE("\"id\":1689,\"devise\":\"USD\",\"amount\":4,\"status\":\"paid\""),
         READING_FAILED, 0},
        {302, "", READING_FAILED, 0},
        {404, "", READING_NOT_FOUND, 0},
        {404, "{\"errorCode\":50002}", READING_NOT_FOUND, 0},
        {429, "{\"errorCode\":50002}", READING_FAILED, 0},
        {500, INVOICE("\"id\":1689,\"devise\":\"USD\",\"amount\":4,\"status\":\"paid\""),
         READING_FAILED, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_truth t;
        arena_reset(*state);
        enum provider_reading reading = read_back(*state, rows[i].status, rows[i].body, &t);
        ROW(reading == rows[i].reading, "%d %s: %d", rows[i].status, rows[i].body, (int)reading);
        if (reading != READING_TRUTH)
            continue;
        ROW(t.has_amount && money_minor_units(&t.amount) == rows[i].units, "%s: amount",
            rows[i].body);
        ROW(strcmp(t.reference, REFERENCE) == 0 && strcmp(t.provider_reference, "1689") == 0,
            "%s: %s %s", rows[i].body, t.reference, t.provider_reference);
    }
    ROWS_END();
}

/* F35: infos show whose invoice it is. */
static void infos(void **state)
{
    static const struct {
        const char *merchant, *callback; /* "%s" in it: our nonce */
        bool foreign;
    } rows[] = {
        {"\"77\"", "null", false},
        {"77", "null", false},
        {"77", "{\"reference\":\"" REFERENCE "\",\"nonce\":\"%s\"}", false},
        {"77", "{\"nonce\":\"%s\",\"more\":[1],\"reference\":\"" REFERENCE "\"}", false},
        {"77", "\"{\\\"reference\\\":\\\"" REFERENCE "\\\",\\\"nonce\\\":\\\"%s\\\"}\"", false},
        {"78", "null", true},
        {"null", "null", true},
        {"\"\"", "null", true},
        {"77", "{\"reference\":\"" REFERENCE "\",\"nonce\":\"00000000000000000000000000000000\"}",
         true},
        {"77", "{\"reference\":\"" OTHER "\",\"nonce\":\"%s\"}", true},
        {"77", "{\"reference\":\"" REFERENCE "\"}", true},
        {"77", "{\"reference\":\"" REFERENCE "\",\"nonce\":\"\"}", true},
        {"77", "{\"txId\":\"qktr12eqzg\",\"status\":\"sfrt\"}", true},
        {"77", "\"sfrt\"", true},
        {"77", "\"\"", true},
        {"77", "7", true},
        {"77", "[\"" REFERENCE "\"]", true},
    };
    set_text(settings.nonstopay.merchant_id, "77");
    order.unproved = true;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char callback[512], body[1024];
        struct provider_truth t;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(callback, sizeof callback, rows[i].callback, nonce);
#pragma GCC diagnostic pop
        (void)snprintf(
            body, sizeof body,
            "{\"errorCode\":0,\"merchant_id\":%s,\"invoice_id\":\"1689\",\"data\":{"
            "\"status\":\"invoice:paid\",\"id\":1736,\"devise\":\"USD\",\"amount\":15.04,"
            "\"totalAmount\":4,\"callbackJson\":%s}}",
            rows[i].merchant, callback);
        arena_reset(*state);
        enum provider_reading reading = read_back(*state, 200, body, &t);
        ROW(reading == READING_TRUTH && (t.stranger != NULL) == rows[i].foreign, "%s: %d %d", body,
            (int)reading, t.stranger != NULL);
        ROW(money_minor_units(&t.amount) == 1504, "%s: amount", body);
    }
    ROWS_END();
}

static void recorded_answers(void **state)
{
    struct provider_truth t;
    assert_int_equal(read_back(*state, 200, recorded(*state, "status"), &t), READING_TRUTH);
    assert_int_equal(t.fact, FACT_NOTHING);
    assert_int_equal(money_minor_units(&t.amount), 400);
    assert_null(t.stranger);
    assert_int_equal(read_back(*state, 200, recorded(*state, "error_foreign"), &t), READING_TRUTH);
    assert_non_null(t.stranger);
    assert_false(t.has_amount);
    assert_int_equal(read_back(*state, 200, recorded(*state, "infos"), &t), READING_FAILED);
    order.unproved = true;
    assert_int_equal(read_back(*state, 200, recorded(*state, "infos"), &t), READING_TRUTH);
    assert_int_equal(t.fact, FACT_SUCCEEDED);
    assert_int_equal(money_minor_units(&t.amount), 500);
    assert_string_equal(money_currency(&t.amount), "USD");
    assert_int_equal(read_back(*state, 200, recorded(*state, "status"), &t), READING_FAILED);
}

/* --- the history --- */

static enum provider_reading searched(struct arena *arena, int status, const char *body,
                                      struct provider_cursor *cursor,
                                      char ret_reference[PROVIDER_REFERENCE_MAX])
{
    struct httpc_answer answer = answer_of(status, body);
    return nonstopay_driver.searched(&settings, arena, &order, &answer, cursor, ret_reference);
}

static void history(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum provider_reading reading;
    } rows[] = {
        {200,
         "{\"errorCode\":0,\"list\":[{\"id\":7,\"success_url\":null},{\"id\":\"1932\",\"success_"
         "url\":"
         "\"https://pay.example.test/return/nonstopay?order_id=" REFERENCE "&end=success\"}]}",
         READING_TRUTH},
        {200,
         "{\"errorCode\":0,\"list\":[{\"id\":1932,\"cancel_url\":\"https://x/?" REFERENCE "\"}]}",
         READING_TRUTH},
        {200, "{\"errorCode\":0,\"list\":[{\"id\":1932,\"cancel_url\":\"https://x/?" OTHER "\"}]}",
         READING_NOT_FOUND},
        {200, "{\"errorCode\":0,\"list\":[{\"id\":1932,\"email\":\"" REFERENCE "\"}]}",
         READING_NOT_FOUND},
        {200, "{\"errorCode\":0,\"list\":[{\"id\":\"x\",\"cancel_url\":\"" REFERENCE "\"}]}",
         READING_NOT_FOUND},
        {200, "{\"errorCode\":0,\"list\":[{\"cancel_url\":\"" REFERENCE "\"}]}", READING_NOT_FOUND},
        {200, "{\"errorCode\":0,\"list\":[{\"id\":1932,\"cancel_url\":[\"" REFERENCE "\"]}]}",
         READING_NOT_FOUND},
        {200,
         "{\"errorCode\":0,\"list\":[{\"id\":1932,\"callbackJson\":{\"reference\":\"" REFERENCE
         "\"}}]}",
         READING_NOT_FOUND},
        {200, "{\"errorCode\":0,\"list\":[null,7,\"x\",[]]}", READING_NOT_FOUND},
        {200, "{\"errorCode\":0,\"list\":[]}", READING_NOT_FOUND},
        {200, "{\"errorCode\":0,\"list\":{}}", READING_FAILED},
        {200, "{\"errorCode\":0}", READING_FAILED},
        {200, "{\"list\":[]}", READING_FAILED},
        {200, "{\"errorCode\":50012,\"list\":[]}", READING_FAILED},
        {200, "[]", READING_FAILED},
        {200, "", READING_FAILED},
        {404, "{\"errorCode\":0,\"list\":[]}", READING_FAILED},
        {500, "{\"errorCode\":0,\"list\":[]}", READING_FAILED},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char found[PROVIDER_REFERENCE_MAX] = "";
        struct provider_cursor cursor = {0};
        arena_reset(*state);
        enum provider_reading reading =
            searched(*state, rows[i].status, rows[i].body, &cursor, found);
        ROW(reading == rows[i].reading, "%d %s: %d", rows[i].status, rows[i].body, (int)reading);
        ROW(reading != READING_TRUTH || strcmp(found, "1932") == 0, "%s: %s", rows[i].body, found);
        ROW(reading != READING_NOT_FOUND || (cursor.list == 1 && cursor.page == 0 && !cursor.end),
            "%s: the next list follows", rows[i].body);
    }
    ROWS_END();
}

static void history_by_its_callback(void **state)
{
    char found[PROVIDER_REFERENCE_MAX], body[512];
    struct provider_cursor cursor = {0};
    (void)snprintf(body, sizeof body,
                   "{\"errorCode\":0,\"list\":[{\"id\":1932,\"callbackJson\":\"{\\\"reference\\\":"
                   "\\\"" REFERENCE "\\\",\\\"nonce\\\":\\\"%s\\\"}\"}]}",
                   nonce);
    assert_int_equal(searched(*state, 200, body, &cursor, found), READING_TRUTH);
    assert_string_equal(found, "1932");
    order.reference = OTHER;
    assert_int_equal(searched(*state, 200, body, &cursor, found), READING_NOT_FOUND);
    assert_int_equal(searched(*state, 200, recorded(*state, "history"), &cursor, found),
                     READING_NOT_FOUND);
}

/* Full pages lead to the next page, at most twenty of each list; then the search ends. */
static void history_has_an_end(void **state)
{
    char found[PROVIDER_REFERENCE_MAX], body[4096] = "{\"errorCode\":0,\"list\":[";
    struct provider_cursor cursor = {0};
    int calls = 0;
    for (int i = 0; i < 50; i++)
        (void)snprintf(body + strlen(body), sizeof body - strlen(body), "%s{\"id\":%d}",
                       i == 0 ? "" : ",", i + 1);
    (void)snprintf(body + strlen(body), sizeof body - strlen(body), "]}");
    for (; !cursor.end && calls < 1000; calls++) {
        arena_reset(*state);
        assert_int_equal(searched(*state, 200, body, &cursor, found), READING_NOT_FOUND);
    }
    assert_int_equal(calls, 40);
}

/* --- callbacks --- */

static struct http_request callback_of(const char *signature, const char *ip, const char *body)
{
    struct http_request request = {.client_ip = ip, .body = body, .body_len = strlen(body)};
    if (signature != NULL)
        request.params[0] = (struct http_param){"HTTP_X_SIGNATURE", signature};
    return request;
}

static bool proved(const char *signature, const char *ip, const char *body)
{
    struct http_request request = callback_of(signature, ip, body);
    return nonstopay_driver.notice_proved(&settings, &request);
}

#define BODY "{\"id\":1689}"
static char hex[2 * CRYPT_HASH_BYTES + 1];

static void sign(const struct secret *key)
{
    unsigned char hash[CRYPT_HASH_BYTES];
    crypt_hmac_sha256(key, BODY, strlen(BODY), hash);
    hex_encode(hash, sizeof hash, hex);
}

static void signatures(void **state)
{
    char wrong[sizeof hex];
    (void)state;
    sign(&settings.nonstopay.api_key);
    assert_true(proved(hex, "203.0.113.9", BODY));
    assert_false(proved(hex, "203.0.113.9", BODY " "));
    assert_false(proved(hex, "203.0.113.9", "{\"id\": 1689}"));
    assert_false(proved(NULL, "203.0.113.9", BODY));
    assert_false(proved("", "203.0.113.9", BODY));
    for (size_t i = 0; i < sizeof hex - 1; i++) {
        memcpy(wrong, hex, sizeof hex);
        wrong[i] = wrong[i] == '0' ? '1' : '0';
        ROW(!proved(wrong, "203.0.113.9", BODY), "%s", wrong);
    }
    ROWS_END();
    struct http_request twice = callback_of(hex, "", BODY);
    twice.params[1] = twice.params[0];
    assert_false(nonstopay_driver.notice_proved(&settings, &twice));
    /* a key of its own */
    assert_true(secret_set(&settings.nonstopay.signature_key, "callback-key", 12));
    assert_false(proved(hex, "203.0.113.9", BODY));
    sign(&settings.nonstopay.signature_key);
    assert_true(proved(hex, "203.0.113.9", BODY));
}

static void signatures_in_base64(void **state)
{
    unsigned char hash[CRYPT_HASH_BYTES];
    char text[64], wrong[80];
    crypt_hmac_sha256(&settings.nonstopay.api_key, BODY, strlen(BODY), hash);
    base64url_encode(hash, sizeof hash, text);
    for (char *at = text; *at != '\0'; at++)
        *at = *at == '-' ? '+' : *at == '_' ? '/' : *at;
    set_text(settings.nonstopay.signature, "hmac-sha256-base64");
    assert_true(proved(text, "", BODY));
    (void)snprintf(wrong, sizeof wrong, "%s=", text);
    assert_true(proved(wrong, "", BODY));
    (void)snprintf(wrong, sizeof wrong, "%s=x", text);
    assert_false(proved(wrong, "", BODY));
    assert_false(proved("", "", BODY));
    assert_false(proved("=", "", BODY));
    text[0] = text[0] == 'A' ? 'B' : 'A';
    assert_false(proved(text, "", BODY));
    (void)state;
}

static void source_addresses(void **state)
{
    static const struct {
        const char *ip;
        bool taken;
    } rows[] = {{"85.206.160.33", true},
                {"2001:db8::7", true},
                {"85.206.160.3", false},
                {"5.206.160.33", false},
                {"85.206.160.333", false},
                {"127.0.0.1", false},
                {"", false},
                {" ", false}};
    (void)state;
    set_text(settings.nonstopay.callback_addresses, "85.206.160.33 2001:db8::7");
    set_text(settings.nonstopay.signature, "off");
    for (size_t i = 0; i < COUNT(rows); i++)
        ROW(proved(NULL, rows[i].ip, BODY) == rows[i].taken, "\"%s\"", rows[i].ip);
    ROWS_END();
    set_text(settings.nonstopay.signature, "hmac-sha256-hex");
    assert_false(proved(NULL, "85.206.160.33", BODY));
}

/* F36: what a callback claims is only which invoice to look at, and only with our own word in it.
 */
static void callbacks(void **state)
{
    static const struct {
        const char *body; /* "%s" in it: our nonce */
        enum err err;
        bool foreign;
        const char *id;
    } rows[] = {
        {"{\"status\":\"invoice:paid\",\"devise\":\"USD\",\"amount\":15.04,\"id\":1689,"
         "\"description\":"
         "\"x\",\"callbackJson\":\"{\\\"reference\\\":\\\"" REFERENCE
         "\\\",\\\"nonce\\\":\\\"%s\\\"}\"}",
         ERR_NONE, false, "1689"},
        {"{\"status\":\"invoice:created\",\"id\":\"7\",\"callbackJson\":{\"reference\":\"" REFERENCE
         "\",\"nonce\":\"%s\"}}",
         ERR_NONE, false, "7"},
        {"{\"status\":\"invoice:paid\",\"id\":1689,\"callbackJson\":null}", ERR_NONE, true, "1689"},
        {"{\"status\":\"invoice:paid\",\"id\":1689}", ERR_NONE, true, "1689"},
        {"{\"status\":\"invoice:paid\",\"id\":1689,\"callbackJson\":\"{\\\"reference\\\":"
         "\\\"" REFERENCE "\\\",\\\"nonce\\\":\\\"0123456789abcdef0123456789abcdef\\\"}\"}",
         ERR_NONE, true, "1689"},
        {"{\"status\":\"invoice:paid\",\"id\":1689,\"callbackJson\":\"{\\\"reference\\\":\\\"" OTHER
         "\\\",\\\"nonce\\\":\\\"%s\\\"}\"}",
         ERR_NONE, true, "1689"},
        {"{\"status\":\"invoice:paid\",\"id\":1689,\"callbackJson\":\"\\\"{}\"}", ERR_NONE, true,
         "1689"},
        {"{\"status\":\"invoice:paid\",\"callbackJson\":null}", ERR_PAYLOAD, false, NULL},
        {"{\"status\":\"invoice:paid\",\"id\":0}", ERR_PAYLOAD, false, NULL},
        {"{\"status\":\"invoice:paid\",\"id\":\"1689/../1\"}", ERR_PAYLOAD, false, NULL},
        {"{\"status\":\"invoice:paid\",\"id\":1689.0}", ERR_PAYLOAD, false, NULL},
        {"{\"status\":\"invoice:unheard_of\",\"id\":1689}", ERR_PAYLOAD, false, NULL},
        {"{\"id\":1689}", ERR_PAYLOAD, false, NULL},
        {"[]", ERR_PAYLOAD, false, NULL},
        {"", ERR_PAYLOAD, false, NULL},
        {"status=invoice:paid&id=1689", ERR_PAYLOAD, false, NULL},
        {"{\"status\":\"invoice:paid\",\"id\":1689,\"id\":1690}", ERR_PAYLOAD, false, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char body[1024];
        struct provider_truth t;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(body, sizeof body, rows[i].body, nonce);
#pragma GCC diagnostic pop
        arena_reset(*state);
        enum err err =
            provider_notice(&nonstopay_driver, &settings, *state, body, strlen(body), &t);
        ROW(err == rows[i].err, "%s: %s", body, err_message(err));
        if (err)
            continue;
        ROW((t.stranger != NULL) == rows[i].foreign && !t.has_amount, "%s: stranger", body);
        ROW(strcmp(t.provider_reference, rows[i].id) == 0, "%s: %s", body, t.provider_reference);
        ROW(strcmp(t.reference, t.stranger != NULL ? "" : REFERENCE) == 0, "%s: %s", body,
            t.reference);
    }
    ROWS_END();
}

static void recorded_callback(void **state)
{
    struct provider_truth t;
    const char *body = recorded(*state, "callback");
    assert_int_equal(provider_notice(&nonstopay_driver, &settings, *state, body, strlen(body), &t),
                     ERR_NONE);
    assert_non_null(t.stranger); /* NonStopPay's example is nobody's payment here */
    assert_string_equal(t.word, "invoice:paid");
}

static void returning(void **state)
{
    struct http_field *query;
    const char *text = "order_id=" REFERENCE "&end=success";
    assert_int_equal(http_form_parse(*state, text, strlen(text), &query), ERR_NONE);
    assert_string_equal(nonstopay_driver.returned(query), REFERENCE);
    assert_null(nonstopay_driver.returned(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_NONSTOPAY(words),
        TEST_NONSTOPAY(statuses),
        TEST_NONSTOPAY(infos),
        TEST_NONSTOPAY(recorded_answers),
        TEST_NONSTOPAY(history),
        TEST_NONSTOPAY(history_by_its_callback),
        TEST_NONSTOPAY(history_has_an_end),
        TEST_NONSTOPAY(signatures),
        TEST_NONSTOPAY(signatures_in_base64),
        TEST_NONSTOPAY(source_addresses),
        TEST_NONSTOPAY(callbacks),
        TEST_NONSTOPAY(recorded_callback),
        TEST_NONSTOPAY(returning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
