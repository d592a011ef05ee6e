/* What we send to NonStopPay, field by field, and what its answer to a create becomes: every error
 * code, and never a success without an address or an invoice. */
#include "nonstopay.h"

#define URLS                                                                                       \
    "\"success_url\":\"https://pay.example.test/return/nonstopay?order_id=" REFERENCE              \
    "&end=success\","                                                                              \
    "\"cancel_url\":\"https://pay.example.test/return/nonstopay?order_id=" REFERENCE               \
    "&end=cancel\","                                                                               \
    "\"pending_url\":\"https://pay.example.test/return/nonstopay?order_id=" REFERENCE              \
    "&end=pending\","                                                                              \
    "\"failure_url\":\"https://pay.example.test/return/nonstopay?order_id=" REFERENCE              \
    "&end=failure\","

static const char *body_of(struct arena *arena)
{
    struct httpc_request request = {0};
    assert_int_equal(nonstopay_driver.create(&settings, arena, &order, &request), ERR_NONE);
    assert_int_equal(request.body_len, strlen(request.body));
    return request.body;
}

static void invoice_is_exact(void **state)
{
    struct httpc_request request = {0};
    char right[2048];
    assert_int_equal(nonstopay_driver.create(&settings, *state, &order, &request), ERR_NONE);
    assert_string_equal(request.method, "POST");
    assert_string_equal(request.url, "https://api.nonstopay.test/create/");
    assert_string_equal(request.headers[0], "API-KEY: 0d8d8e89a6cdcd");
    assert_string_equal(request.headers[1], "Accept: application/json");
    assert_string_equal(request.headers[2], "Content-Type: application/json");
    assert_null(request.headers[3]);
    (void)snprintf(right, sizeof right,
                   "{\"email\":\"payer@example.test\",\"amount\":\"15.04\",\"devise\":\"USD\"," URLS
                   "\"callbackJson\":{\"reference\":\"" REFERENCE "\",\"nonce\":\"%s\"}}",
                   nonce);
    assert_string_equal(request.body, right);
}

static void invoice_with_everything(void **state)
{
    char right[2048];
    know_all();
    (void)snprintf(
        right, sizeof right,
        "{\"email\":\"payer@example.test\",\"amount\":\"15.04\",\"devise\":\"USD\"," URLS
        "\"callbackJson\":{\"reference\":\"" REFERENCE "\",\"nonce\":\"%s\"},"
        "\"name\":\"John Smith\",\"address1\":\"1000 Lombard St\",\"address2\":\"Flat 2\","
        "\"city\":\"San Francisco\",\"country\":\"US\",\"state\":\"California\","
        "\"postcode\":\"90210\",\"date_of_birth\":\"1990-12-31\",\"personal_id\":\"45861024531\","
        "\"phone\":\"020 7946 0018\",\"customer_ip\":\"127.0.0.1\","
        "\"card_number\":\"4242424242424242\",\"card_expiry_date\":\"12/2030\","
        "\"card_ccv\":\"123\"}",
        nonce);
    assert_string_equal(body_of(*state), right);
    payer.address2 = "";
    assert_non_null(strstr(body_of(*state), "\"address2\":\"1000 Lombard St\""));
    order.card = NULL;
    assert_null(strstr(body_of(*state), "address2"));
    assert_null(strstr(body_of(*state), "card_"));
    assert_non_null(strstr(body_of(*state), "\"name\":\"Jane Doe\""));
}

static void invoice_as_a_form(void **state)
{
    struct httpc_request request = {0};
    settings.nonstopay.sends_form = true;
    payer.name = "J. D\xc3\xb6 & S\xc3\xb6hne";
    assert_int_equal(nonstopay_driver.create(&settings, *state, &order, &request), ERR_NONE);
    assert_string_equal(request.headers[2], "Content-Type: application/x-www-form-urlencoded");
    assert_int_equal(
        strncmp(request.body, "email=payer%40example.test&amount=15.04&devise=USD&", 50), 0);
    struct http_field *fields;
    assert_int_equal(http_form_parse(*state, request.body, request.body_len, &fields), ERR_NONE);
    assert_string_equal(http_form_get(fields, "name"), "J. D\xc3\xb6 & S\xc3\xb6hne");
    struct json *callback;
    const char *text = http_form_get(fields, "callbackJson");
    assert_int_equal(json_parse(*state, text, strlen(text), &callback), ERR_NONE);
    assert_string_equal(json_get_text(callback, "reference"), REFERENCE);
    assert_string_equal(json_get_text(callback, "nonce"), nonce);
}

/* F29, F30: whole minor units become exactly the decimal text of the currency, and come back. */
static void amounts_are_decimal_texts(void **state)
{
    static const struct {
        int64_t units;
        const char *text;
    } rows[] = {{1, "0.01"},         {10, "0.10"},         {99, "0.99"},    {100, "1.00"},
                {101, "1.01"},       {1504, "15.04"},      {4200, "42.00"}, {29999, "299.99"},
                {100005, "1000.05"}, {2500000, "25000.00"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char right[64];
        assert_true(money_make(rows[i].units, "EUR", &order.amount));
        (void)snprintf(right, sizeof right, "\"amount\":\"%s\",\"devise\":\"EUR\"", rows[i].text);
        ROW(strstr(body_of(*state), right) != NULL, "%lld: %s", (long long)rows[i].units,
            body_of(*state));
        arena_reset(*state);
    }
    ROWS_END();
}

static void ways_to_pay(void **state)
{
    static const struct {
        const char *method, *url, *currency, *type;
    } rows[] = {
        {"", "/create/", NULL, NULL},
        {"credit_card", "/create/", NULL, "CARD"},
        {"upi", "/upi/", NULL, "UPI"},
        {"crypto", "/crypto/", NULL, "CRYPTO"},
        {"USDT_polygon", "/crypto/", "USDT_polygon", "CRYPTO"},
        {"USDC_tron", "/crypto/", "USDC_tron", "CRYPTO"},
    };
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        struct httpc_request request = {0};
        struct json *root;
        settings.nonstopay.solution_type = i >= COUNT(rows);
        order.method = rows[i % COUNT(rows)].method;
        assert_int_equal(nonstopay_driver.create(&settings, *state, &order, &request), ERR_NONE);
        assert_int_equal(json_parse(*state, request.body, request.body_len, &root), ERR_NONE);
        const char *currency = json_get_text(root, "payableCurrencies");
        const char *type = json_get_text(root, "payment_solution_type");
        const char *right = settings.nonstopay.solution_type ? rows[i % COUNT(rows)].type : NULL;
        ROW(strcmp(request.url + strlen("https://api.nonstopay.test"), rows[i % COUNT(rows)].url) ==
                0,
            "%s: %s", order.method, request.url);
        ROW((currency == NULL) == (rows[i % COUNT(rows)].currency == NULL) &&
                (currency == NULL || strcmp(currency, order.method) == 0),
            "%s: %s", order.method, request.body);
        ROW((type == NULL) == (right == NULL) && (type == NULL || strcmp(type, right) == 0),
            "%s: %s", order.method, request.body);
        arena_reset(*state);
    }
    ROWS_END();
}

static void questions_are_exact(void **state)
{
    struct httpc_request request = {0};
    struct provider_cursor cursor = {0};
    assert_int_equal(nonstopay_driver.read(&settings, *state, &order, &request), ERR_NONE);
    assert_string_equal(request.method, "GET");
    assert_string_equal(request.url, "https://api.nonstopay.test/api/invoice/status/?id=1689");
    assert_string_equal(request.headers[0], "API-KEY: 0d8d8e89a6cdcd");
    assert_null(request.headers[2]);
    assert_null(request.body);
    order.unproved = true;
    assert_int_equal(nonstopay_driver.read(&settings, *state, &order, &request), ERR_NONE);
    assert_string_equal(request.url,
                        "https://api.nonstopay.test/api/client-invoice-info/get/?id=1689");
    order.created_s = 1767225599; /* the last second of 2025 */
    assert_int_equal(nonstopay_driver.search(&settings, *state, &order, &cursor, &request),
                     ERR_NONE);
    assert_string_equal(request.url,
                        "https://api.nonstopay.test/history/?status=PAID&from=2025-12-30"
                        "&to=2026-06-15&order=ASC&page=1");
    cursor = (struct provider_cursor){.list = 1, .page = 2};
    assert_int_equal(nonstopay_driver.search(&settings, *state, &order, &cursor, &request),
                     ERR_NONE);
    assert_non_null(strstr(request.url, "status=WAITING&"));
    assert_non_null(strstr(request.url, "&page=3"));
}

static void requests_need_memory(void **state)
{
    know_all();
    for (size_t bytes = 0; bytes < 2048; bytes += 32) {
        struct arena *tiny = arena_new(bytes);
        struct httpc_request request = {0};
        ROW(nonstopay_driver.create(&settings, tiny, &order, &request) == ERR_OVERLOAD,
            "create within %zu bytes", bytes);
        arena_reset(tiny);
        ROW(bytes > 256 || nonstopay_driver.read(&settings, tiny, &order, &request) == ERR_OVERLOAD,
            "read within %zu bytes", bytes);
        arena_free(tiny);
    }
    (void)state;
    ROWS_END();
}

/* The word that proves a callback: another for every payment and every key, nobody else's to make.
 */
static void nonces(void **state)
{
    char again[NONSTOPAY_NONCE_SIZE], other[NONSTOPAY_NONCE_SIZE];
    nonstopay_nonce(&settings, REFERENCE, again);
    assert_string_equal(nonce, again);
    assert_int_equal(strlen(nonce), 32);
    nonstopay_nonce(&settings, OTHER, other);
    assert_string_not_equal(nonce, other);
    assert_true(secret_set(&settings.api_key_hash_key, "another key of thirty-two bytes..", 33));
    nonstopay_nonce(&settings, REFERENCE, other);
    assert_string_not_equal(nonce, other);
    (void)state;
}

#define URL "https://usdc.nonstopay.net/widget/sale/create/?token=a%2Bb%3D"

struct created_row {
    int status;
    const char *body;
    enum outcome outcome;
    const char *url;
    const char *reason; /* what it must contain; NULL: nothing at all */
};

static const struct created_row created_rows[] = {
    /* an address */
    {200, "{\"errorCode\":0,\"redirectUrl\":\"" URL "\",\"html\":\"x\"}", OUTCOME_PENDING, URL,
     NULL},
    {201, "{\"errorCode\":0,\"redirectUrl\":\"" URL "\"}", OUTCOME_PENDING, URL, NULL},
    {200, "{\"errorCode\":\"0\",\"redirectUrl\":\"" URL "\"}", OUTCOME_PENDING, URL, NULL},
    {200, "{\"errorCode\":0,\"html\":\"<a href='" URL "'></a>\"}", OUTCOME_PENDING, URL, NULL},
    {200,
     "{\"errorCode\":0,\"redirectUrl\":null,\"html\":\"<a class=x href=\\\"" URL "\\\">pay</a>\"}",
     OUTCOME_PENDING, URL, NULL},
    {200,
     "{\"errorCode\":0,\"redirectUrl\":\"\",\"html\":\"<a href='https://a.test/?x=1&amp;y=2'>\"}",
     OUTCOME_PENDING, "https://a.test/?x=1&y=2", NULL},
    /* a card of ours: over already, or at its bank's page */
    {200, "{\"errorCode\":0,\"status\":\"invoice:paid\",\"ID\":\"1691\"}", OUTCOME_PENDING, "",
     NULL},
    {200, "{\"errorCode\":0,\"status\":\"invoice:awaiting_approval\",\"ID\":1691}", OUTCOME_PENDING,
     "", NULL},
    {200, "{\"errorCode\":0,\"status\":\"something new\",\"ID\":1691}", OUTCOME_PENDING, "", NULL},
    {200, "{\"errorCode\":0,\"ID\":1691}", OUTCOME_PENDING, "", NULL},
    {200, "{\"errorCode\":0,\"status\":\"invoice:failed\",\"ID\":1691}", OUTCOME_DECLINED, "",
     "invoice:failed"},
    {200, "{\"errorCode\":0,\"status\":\"invoice:opened\",\"ID\":1691,\"redirectUrl\":\"" URL "\"}",
     OUTCOME_PENDING, URL, NULL},
    {200, "{\"errorCode\":0,\"status\":\"invoice:paid\",\"ID\":1691,\"redirectUrl\":\"" URL "\"}",
     OUTCOME_PENDING, "", NULL},
    /* 200 and nothing to go by */
    {200, "{\"errorCode\":0}", OUTCOME_UNKNOWN, "", "without an address"},
    {200, "{\"errorCode\":0,\"status\":\"invoice:paid\"}", OUTCOME_UNKNOWN, "", "without"},
    {200, "{\"errorCode\":0,\"redirectUrl\":\"http://a.test\"}", OUTCOME_UNKNOWN, "", "without"},
    {200, "{\"errorCode\":0,\"redirectUrl\":\"javascript:alert(1)\"}", OUTCOME_UNKNOWN, "",
     "without"},
    {200, "{\"errorCode\":0,\"redirectUrl\":\"https://a.test/\\r\\nX: y\"}", OUTCOME_UNKNOWN, "",
     ""},
    {200, "{\"errorCode\":0,\"redirectUrl\":\"https://\"}", OUTCOME_UNKNOWN, "", ""},
    {200, "{\"errorCode\":0,\"redirectUrl\":7}", OUTCOME_UNKNOWN, "", ""},
    {200, "{\"errorCode\":0,\"redirectUrl\":[\"" URL "\"]}", OUTCOME_UNKNOWN, "", ""},
    {200, "{\"errorCode\":0,\"html\":\"<a href='" URL "\"}", OUTCOME_UNKNOWN, "", ""},
    {200, "{\"errorCode\":0,\"html\":\"<a href=" URL ">\"}", OUTCOME_UNKNOWN, "", ""},
    {200, "{\"errorCode\":0,\"html\":\"<a href='javascript:x'>\"}", OUTCOME_UNKNOWN, "", ""},
    {200, "{\"errorCode\":0,\"html\":\"href=\"}", OUTCOME_UNKNOWN, "", ""},
    {200, "{\"redirectUrl\":\"" URL "\"}", OUTCOME_UNKNOWN, "", "nothing we understand"},
    {200, "{\"errorCode\":null,\"redirectUrl\":\"" URL "\"}", OUTCOME_UNKNOWN, "", ""},
    {200, "{\"errorCode\":\"\",\"redirectUrl\":\"" URL "\"}", OUTCOME_UNKNOWN, "", ""},
    {200, "{\"errorCode\":0.0,\"redirectUrl\":\"" URL "\"}", OUTCOME_UNKNOWN, "", ""},
    {200, "{\"errorCode\":false,\"redirectUrl\":\"" URL "\"}", OUTCOME_UNKNOWN, "", ""},
    {200, "[]", OUTCOME_UNKNOWN, "", ""},
    {200, "", OUTCOME_UNKNOWN, "", "200 and nothing we understand"},
    {200, "<html>OK</html>", OUTCOME_UNKNOWN, "", ""},
    {200, "{\"errorCode\":0,\"redirectUrl\":\"" URL "\"", OUTCOME_UNKNOWN, "", ""},
    {200, "{\"errorCode\":0,\"ID\":\"-5\"}", OUTCOME_UNKNOWN, "", ""},
    {200, "{\"errorCode\":0,\"ID\":\"1e3\"}", OUTCOME_UNKNOWN, "", ""},
    {200, "{\"errorCode\":0,\"ID\":\"../1\"}", OUTCOME_UNKNOWN, "", ""},
    {200, "{\"errorCode\":0,\"ID\":\"1234567890123456789\"}", OUTCOME_UNKNOWN, "", ""},
    /* codes that nobody has documented */
    {200, "{\"errorCode\":1}", OUTCOME_UNKNOWN, "", "errorCode 1: not documented"},
    {200, "{\"errorCode\":50000}", OUTCOME_UNKNOWN, "", "50000"},
    {200, "{\"errorCode\":50013,\"errorMessage\":\"4242424242424242\"}", OUTCOME_UNKNOWN, "",
     "50013"},
    {400, "{\"errorCode\":-1}", OUTCOME_UNKNOWN, "", "nothing we understand"},
    /* statuses that promise nothing */
    {202, "{\"errorCode\":0,\"redirectUrl\":\"" URL "\"}", OUTCOME_UNKNOWN, "", "202"},
    {204, "", OUTCOME_UNKNOWN, "", "204"},
    {302, "{\"errorCode\":0,\"redirectUrl\":\"" URL "\"}", OUTCOME_UNKNOWN, "", "302"},
    {400, "{\"errorCode\":0,\"redirectUrl\":\"" URL "\"}", OUTCOME_UNKNOWN, "", "400"},
    {403, "<html>blocked</html>", OUTCOME_UNKNOWN, "", "403"},
    {409, "{\"errorCode\":50003}", OUTCOME_UNKNOWN, "", "409"},
    {500, "{\"errorCode\":50003}", OUTCOME_UNKNOWN, "", "500"},
    {502, "<html>Bad gateway</html>", OUTCOME_UNKNOWN, "", "502"},
    {503, "", OUTCOME_UNKNOWN, "", "503"},
    {429, "<html>429</html>", OUTCOME_NOT_SENT, "", "no more calls"},
};

static void created(struct arena *arena, int status, const char *body,
                    struct provider_result *ret_result)
{
    struct httpc_answer answer = answer_of(status, body);
    *ret_result = (struct provider_result){.outcome = OUTCOME_UNKNOWN, .http_status = status};
    nonstopay_driver.created(&settings, arena, &answer, ret_result);
}

static void answers_to_a_create(void **state)
{
    for (size_t i = 0; i < COUNT(created_rows); i++) {
        const struct created_row *row = &created_rows[i];
        struct provider_result r;
        arena_reset(*state);
        created(*state, row->status, row->body, &r);
        ROW(r.outcome == row->outcome, "%d %s: %s", row->status, row->body,
            outcome_name(r.outcome));
        const char *url = r.url == NULL ? "" : r.url;
        ROW(strcmp(url, row->url) == 0, "%d %s: %s", row->status, row->body, url);
        ROW(r.settled == (r.outcome == OUTCOME_PENDING && r.url == NULL), "%d %s: settled",
            row->status, row->body);
        ROW(!r.settled || strcmp(r.provider_reference, "1691") == 0, "%s: %s", row->body,
            r.provider_reference);
        enum err refusal = r.outcome == OUTCOME_DECLINED ? ERR_DECLINED : ERR_NONE;
        ROW(r.refusal == refusal && r.trip_s == 0, "%s: refusal", row->body);
        ROW(row->reason == NULL ? r.reason[0] == '\0'
                                : r.reason[0] != '\0' && strstr(r.reason, row->reason) != NULL,
            "%d %s: reason \"%s\"", row->status, row->body, r.reason);
        ROW(strstr(r.reason, "4242") == NULL, "%s: %s", row->body, r.reason);
    }
    ROWS_END();
}

/* F34: each code has one meaning, whatever the status that carries it, as long as it is an answer.
 */
static void error_codes(void **state)
{
    static const struct {
        int64_t code;
        enum outcome outcome;
        enum err refusal;
    } rows[] = {
        {50001, OUTCOME_NOT_SENT, ERR_NONE},    {50002, OUTCOME_REFUSED, ERR_CUSTOMER},
        {50003, OUTCOME_REFUSED, ERR_AMOUNT},   {50004, OUTCOME_REFUSED, ERR_CURRENCY},
        {50005, OUTCOME_REFUSED, ERR_CUSTOMER}, {50006, OUTCOME_NOT_SENT, ERR_NONE},
        {50007, OUTCOME_NOT_SENT, ERR_NONE},    {50008, OUTCOME_NOT_SENT, ERR_NONE},
        {50009, OUTCOME_REFUSED, ERR_CURRENCY}, {50010, OUTCOME_NOT_SENT, ERR_NONE},
        {50011, OUTCOME_REFUSED, ERR_AMOUNT},   {50012, OUTCOME_REFUSED, ERR_AMOUNT},
    };
    static const int statuses[] = {200, 201, 400, 401, 403, 404, 422};
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t k = 0; k < COUNT(statuses) * 2; k++) {
            struct provider_result r;
            char body[128], code[32];
            (void)snprintf(body, sizeof body,
                           k % 2 == 0 ? "{\"errorCode\":%d,\"errorMessage\":\"4242424242424242\"}"
                                      : "{\"errorCode\":\"%d\",\"redirectUrl\":\"https://a.test\"}",
                           (int)rows[i].code);
            (void)snprintf(code, sizeof code, "errorCode %d: ", (int)rows[i].code);
            arena_reset(*state);
            created(*state, statuses[k / 2], body, &r);
            ROW(r.outcome == rows[i].outcome && r.refusal == rows[i].refusal, "%s: %s", body,
                outcome_name(r.outcome));
            ROW((r.trip_s > 0) == (rows[i].outcome == OUTCOME_NOT_SENT), "%s: trip", body);
            ROW(strstr(r.reason, code) != NULL && strstr(r.reason, "4242") == NULL &&
                    strstr(r.reason, "documented") == NULL,
                "%s: %s", body, r.reason);
            ROW(r.url == NULL && r.provider_reference[0] == '\0', "%s: %s", body, r.url);
        }
    ROWS_END();
}

static void recorded_answers(void **state)
{
    struct provider_result r;
    created(*state, 200, recorded(*state, "created"), &r);
    assert_int_equal(r.outcome, OUTCOME_PENDING);
    assert_int_equal(strncmp(r.url, "https://usdc.nonstopay.net/widget/sale/create/?token=", 53),
                     0);
    created(*state, 200, recorded(*state, "error_50003"), &r);
    assert_int_equal(r.refusal, ERR_AMOUNT);
    created(*state, 200, recorded(*state, "created_s2s_3ds"), &r);
    assert_string_equal(r.provider_reference, "1690");
    assert_non_null(strstr(r.url, "3ds"));
    created(*state, 200, recorded(*state, "created_s2s_paid"), &r);
    assert_true(r.settled);
}

/* Whatever the status: without an address or an invoice there is no success. */
static void no_status_is_a_success_by_itself(void **state)
{
    for (int status = 100; status < 600; status++) {
        struct provider_result r;
        arena_reset(*state);
        created(*state, status, "{\"success\":true,\"status\":\"invoice:paid\"}", &r);
        ROW(r.outcome != OUTCOME_PENDING && r.outcome != OUTCOME_DONE, "%d: %s", status,
            outcome_name(r.outcome));
        ROW(r.outcome == OUTCOME_UNKNOWN || status == 429, "%d: %s", status,
            outcome_name(r.outcome));
    }
    ROWS_END();
}

static void lengths_of_an_answer(void **state)
{
    static const struct {
        const char *before, *after;
        int fill;
        enum outcome outcome;
    } rows[] = {
        {"{\"errorCode\":0,\"redirectUrl\":\"https://", "\"}", URL_MAX - 9, OUTCOME_PENDING},
        {"{\"errorCode\":0,\"redirectUrl\":\"https://", "\"}", URL_MAX - 8, OUTCOME_UNKNOWN},
        {"{\"errorCode\":0,\"html\":\"<a href='https://", "'>\"}", URL_MAX - 9, OUTCOME_PENDING},
        {"{\"errorCode\":0,\"html\":\"<a href='https://", "'>\"}", URL_MAX - 8, OUTCOME_UNKNOWN},
        {"{\"errorCode\":0,\"html\":\"<a href='https://", "'>\"}", 60000, OUTCOME_UNKNOWN},
        {"{\"errorCode\":50003,\"errorMessage\":\"", "\"}", 60000, OUTCOME_REFUSED},
    };
    char *text = calloc(1, 70000);
    assert_non_null(text);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_result r;
        size_t len = strlen(rows[i].before);
        memcpy(text, rows[i].before, len);
        memset(text + len, 'a', (size_t)rows[i].fill);
        memcpy(text + len + rows[i].fill, rows[i].after, strlen(rows[i].after) + 1);
        arena_reset(*state);
        created(*state, 200, text, &r);
        ROW(r.outcome == rows[i].outcome, "row %zu: %s", i, outcome_name(r.outcome));
        ROW((r.url == NULL || strlen(r.url) < URL_MAX) && strlen(r.reason) < REASON_MAX,
            "row %zu: too long", i);
    }
    free(text);
    ROWS_END();
}

static void limits(void **state)
{
    (void)state;
    assert_false(nonstopay_driver.allows(&settings, 99));
    assert_true(nonstopay_driver.allows(&settings, 100));
    assert_true(nonstopay_driver.allows(&settings, 50000));
    assert_false(nonstopay_driver.allows(&settings, 50001));
    assert_true(nonstopay_driver.configured(&settings));
    assert_false(nonstopay_driver.reference_is_unique);
    settings.nonstopay.api_key = (struct secret){0};
    assert_false(nonstopay_driver.configured(&settings));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_NONSTOPAY(invoice_is_exact),     TEST_NONSTOPAY(invoice_with_everything),
        TEST_NONSTOPAY(invoice_as_a_form),    TEST_NONSTOPAY(amounts_are_decimal_texts),
        TEST_NONSTOPAY(ways_to_pay),          TEST_NONSTOPAY(questions_are_exact),
        TEST_NONSTOPAY(requests_need_memory), TEST_NONSTOPAY(nonces),
        TEST_NONSTOPAY(answers_to_a_create),  TEST_NONSTOPAY(error_codes),
        TEST_NONSTOPAY(recorded_answers),     TEST_NONSTOPAY(no_status_is_a_success_by_itself),
        TEST_NONSTOPAY(lengths_of_an_answer), TEST_NONSTOPAY(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
