/* The Payviox driver against its documentation: the bytes that we send, every answer to a create
 * (never a success without a session) and every read-back. Notices: test_payviox_notice.c. */
#include "check.h"

#include "base/json.h"
#include "provider/payviox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFERENCE "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7Z"
#define SESSION   "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"

static struct settings settings;
static struct provider_order order;

static int set_up(void **state)
{
    (void)state;
    settings.payviox.common.enabled = true;
    (void)snprintf(settings.payment.environment, CONF_TEXT_MAX, "live");
    settings.payviox.minimum = 100;
    settings.payviox.maximum = 50000;
    (void)snprintf(settings.payviox.api_url, CONF_TEXT_MAX, "https://api.payviox.test");
    (void)snprintf(settings.payviox.page_url, CONF_TEXT_MAX, "https://secure.payviox.test/p");
    order = (struct provider_order){.reference = REFERENCE,
                                    .payment_id = REFERENCE,
                                    .user_id = 76561198000000001,
                                    .method = "",
                                    .payer_ip = "203.0.113.42",
                                    .provider_reference = SESSION};
    return !secret_set(&settings.payviox.secret_key, "sk_live_canary", 14) ||
           !money_make(10000, "USD", &order.amount);
}

static void create_request_is_exact(void **state)
{
    struct httpc_request request = {0};
    assert_int_equal(payviox_driver.create(&settings, *state, &order, &request), ERR_NONE);
    assert_string_equal(request.method, "POST");
    assert_string_equal(request.url, "https://api.payviox.test/session");
    assert_string_equal(request.headers[0], "Authorization: Bearer sk_live_canary");
    assert_string_equal(request.headers[1], "Accept: application/json");
    assert_string_equal(request.headers[2], "Content-Type: application/json");
    assert_null(request.headers[3]);
    assert_string_equal(request.body,
                        "{\"amount\":10000,\"currency\":\"USD\",\"customer\":\"76561198000000001\","
                        "\"order_id\":\"" REFERENCE "\",\"items\":[{\"name\":\"Balance deposit\","
                        "\"quantity\":1,\"price\":10000}],\"metadata\":{\"payment_id\":\"" REFERENCE
                        "\",\"user_id\":\"76561198000000001\",\"environment\":\"live\"}}");
    assert_int_equal(request.body_len, strlen(request.body));
}

static void create_request_with_options(void **state)
{
    struct httpc_request request = {0};
    struct provider_order with = order;
    struct settings sending = settings;
    struct json *root;
    with.method = "zen_card";
    sending.payviox.send_payer_ip = true;
    assert_int_equal(payviox_driver.create(&sending, *state, &with, &request), ERR_NONE);
    assert_int_equal(json_parse(*state, request.body, request.body_len, &root), ERR_NONE);
    assert_string_equal(json_get_text(root, "paymentMethodId"), "zen_card");
    assert_string_equal(json_get_text(root, "ip"), "203.0.113.42");
}

static void read_request_is_exact(void **state)
{
    struct httpc_request request = {0};
    assert_int_equal(payviox_driver.read(&settings, *state, &order, &request), ERR_NONE);
    assert_string_equal(request.method, "GET");
    assert_string_equal(request.url, "https://api.payviox.test/payment/" SESSION);
    assert_string_equal(request.headers[0], "Authorization: Bearer sk_live_canary");
    assert_string_equal(request.headers[1], "Accept: application/json");
    assert_null(request.headers[2]);
    assert_null(request.body);
}

static void requests_need_memory(void **state)
{
    (void)state;
    for (size_t bytes = 0; bytes < 512; bytes += 32) {
        struct arena *tiny = arena_new(bytes);
        struct httpc_request request = {0};
        ROW(payviox_driver.create(&settings, tiny, &order, &request) == ERR_OVERLOAD,
            "create within %zu bytes", bytes);
        arena_reset(tiny);
        ROW(bytes > 256 || payviox_driver.read(&settings, tiny, &order, &request) == ERR_OVERLOAD,
            "read within %zu bytes", bytes);
        arena_free(tiny);
    }
    ROWS_END();
}

static void limits(void **state)
{
    (void)state;
    assert_false(payviox_driver.allows(&settings, 99));
    assert_true(payviox_driver.allows(&settings, 100));
    assert_true(payviox_driver.allows(&settings, 50000));
    assert_false(payviox_driver.allows(&settings, 50001));
    assert_true(payviox_driver.reference_is_unique);
}

#define WITH(session_and_more) "{\"session_id\":" session_and_more "}"
#define HOSTED                 "https://secure.payviox.test/p/" SESSION

struct created_row {
    int status;
    const char *body;
    enum outcome outcome;
    const char *url;    /* of a pending one */
    const char *reason; /* what it must contain; NULL: nothing at all */
};

static const struct created_row created_rows[] = {
    /* sessions */
    {201, WITH("\"" SESSION "\""), OUTCOME_PENDING, HOSTED, NULL},
    {200, WITH("\"" SESSION "\""), OUTCOME_PENDING, HOSTED, NULL},
    {201, WITH("\"" SESSION "\",\"redirect_url\":null"), OUTCOME_PENDING, HOSTED, NULL},
    {201, WITH("\"" SESSION "\",\"redirect_url\":\"https://secure.zen.test/checkout/abc?x=1&y\""),
     OUTCOME_PENDING, "https://secure.zen.test/checkout/abc?x=1&y", NULL},
    {201,
     WITH("\"" SESSION "\",\"payment_error\":{\"success\":false,\"message\":\"Payment creation "
          "failed\",\"error_type\":\"http_error\"}"),
     OUTCOME_PENDING, HOSTED, "Payment creation failed"},
    {201, WITH("\"" SESSION "\",\"payment_error\":{}"), OUTCOME_PENDING, HOSTED, "payment_error"},
    {201, WITH("\"" SESSION "\",\"payment_error\":null,\"new_field\":[1,{}]"), OUTCOME_PENDING,
     HOSTED, NULL},
    {201, WITH("\"AZaz09_-\""), OUTCOME_PENDING, "https://secure.payviox.test/p/AZaz09_-", NULL},
    /* addresses that a payer must not be sent to */
    {201, WITH("\"" SESSION "\",\"redirect_url\":\"http://secure.zen.test/\""), OUTCOME_UNKNOWN,
     NULL, "without a session"},
    {201, WITH("\"" SESSION "\",\"redirect_url\":\"javascript:alert(1)\""), OUTCOME_UNKNOWN, NULL,
     "without a session"},
    {201, WITH("\"" SESSION "\",\"redirect_url\":\"//evil.test\""), OUTCOME_UNKNOWN, NULL, ""},
    {201, WITH("\"" SESSION "\",\"redirect_url\":\"\""), OUTCOME_UNKNOWN, NULL, ""},
    {201, WITH("\"" SESSION "\",\"redirect_url\":\" https://a.test\""), OUTCOME_UNKNOWN, NULL, ""},
    {201, WITH("\"" SESSION "\",\"redirect_url\":\"https://a.test/\\r\\nX: y\""), OUTCOME_UNKNOWN,
     NULL, ""},
    {201, WITH("\"" SESSION "\",\"redirect_url\":\"https://a.test/\\\"><script>\""),
     OUTCOME_UNKNOWN, NULL, ""},
    {201, WITH("\"" SESSION "\",\"redirect_url\":\"https:\\\\\\\\a.test\""), OUTCOME_UNKNOWN, NULL,
     ""},
    {201, WITH("\"" SESSION "\",\"redirect_url\":\"https://p\xc3\xa0y.test\""), OUTCOME_UNKNOWN,
     NULL, ""},
    {201, WITH("\"" SESSION "\",\"redirect_url\":7"), OUTCOME_UNKNOWN, NULL, ""},
    {201, WITH("\"" SESSION "\",\"redirect_url\":[\"https://a.test\"]"), OUTCOME_UNKNOWN, NULL, ""},
    /* no session, or none that could be one */
    {201, "{}", OUTCOME_UNKNOWN, NULL, "without a session"},
    {200, "{\"status\":\"ok\"}", OUTCOME_UNKNOWN, NULL, "without a session"},
    {200, "{\"error\":\"Payment method not found\"}", OUTCOME_UNKNOWN, NULL, "200"},
    {201, "{\"redirect_url\":\"https://a.test\"}", OUTCOME_UNKNOWN, NULL, ""},
    {201, "{\"Session_Id\":\"" SESSION "\"}", OUTCOME_UNKNOWN, NULL, ""},
    {201, "{\"data\":" WITH("\"" SESSION "\"") "}", OUTCOME_UNKNOWN, NULL, ""},
    {201, "[" WITH("\"" SESSION "\"") "]", OUTCOME_UNKNOWN, NULL, ""},
    {201, WITH("null"), OUTCOME_UNKNOWN, NULL, ""},
    {201, WITH("12345678"), OUTCOME_UNKNOWN, NULL, ""},
    {201, WITH("\"\""), OUTCOME_UNKNOWN, NULL, ""},
    {201, WITH("\"short12\""), OUTCOME_UNKNOWN, NULL, ""},
    {201, WITH("\"../../../etc/passwd\""), OUTCOME_UNKNOWN, NULL, ""},
    {201, WITH("\"a1b2c3d4?x=1\""), OUTCOME_UNKNOWN, NULL, ""},
    {201, WITH("\"a1b2c3d4 e5f6\""), OUTCOME_UNKNOWN, NULL, ""},
    {201, WITH("\"a1b2c3d4\\r\\nX: y\""), OUTCOME_UNKNOWN, NULL, ""},
    {201, WITH("\"" SESSION "\",\"session_id\":\"" SESSION "\""), OUTCOME_UNKNOWN, NULL, ""},
    /* bodies that are not JSON */
    {201, "", OUTCOME_UNKNOWN, NULL, "201 and nothing we understand"},
    {201, "<html>Created</html>", OUTCOME_UNKNOWN, NULL, "nothing we understand"},
    {201, "{\"session_id\":\"" SESSION "\"", OUTCOME_UNKNOWN, NULL, "nothing we understand"},
    {201, WITH("\"" SESSION "\"") "x", OUTCOME_UNKNOWN, NULL, ""},
    {200, "OK", OUTCOME_UNKNOWN, NULL, ""},
    /* statuses that promise nothing, even with a session */
    {202, WITH("\"" SESSION "\""), OUTCOME_UNKNOWN, NULL, "202"},
    {203, WITH("\"" SESSION "\""), OUTCOME_UNKNOWN, NULL, ""},
    {204, "", OUTCOME_UNKNOWN, NULL, "204"},
    {206, WITH("\"" SESSION "\""), OUTCOME_UNKNOWN, NULL, ""},
    {301, WITH("\"" SESSION "\""), OUTCOME_UNKNOWN, NULL, ""},
    {302, "", OUTCOME_UNKNOWN, NULL, "302"},
    {307, "", OUTCOME_UNKNOWN, NULL, ""},
    {408, "{\"error\":\"timeout\"}", OUTCOME_UNKNOWN, NULL, ""},
    {409, "{\"error\":\"conflict\"}", OUTCOME_UNKNOWN, NULL, ""},
    {418, "{}", OUTCOME_UNKNOWN, NULL, ""},
    {500, "{\"error\":\"Server Error\"}", OUTCOME_UNKNOWN, NULL, "500"},
    {500, WITH("\"" SESSION "\""), OUTCOME_UNKNOWN, NULL, ""},
    {502, "<html>Bad gateway</html>", OUTCOME_UNKNOWN, NULL, "502"},
    {503, "", OUTCOME_UNKNOWN, NULL, ""},
    {504, "", OUTCOME_UNKNOWN, NULL, ""},
    /* refusals in the documented words */
    {400, "{\"amount\":[\"The amount field is required.\"],\"currency\":[\"x\"]}", OUTCOME_REFUSED,
     NULL, "Payviox answered 400: The amount field is required."},
    {400, "{\"order_id\":[\"The order id has already been taken.\"]}", OUTCOME_REFUSED, NULL,
     "already been taken"},
    {400, "{\"error\":\"Payment method not found\"}", OUTCOME_REFUSED, NULL,
     "Payviox answered 400: Payment method not found"},
    {401, "{\"error\":\"Unauthorized\"}", OUTCOME_REFUSED, NULL, "401: Unauthorized"},
    {403, "{\"error\":\"Forbidden\"}", OUTCOME_REFUSED, NULL, "403: Forbidden"},
    {404, "{\"error\":\"Not found\"}", OUTCOME_REFUSED, NULL, "404: Not found"},
    {422, "{\"message\":\"x\",\"errors\":{\"amount\":[\"y\"]}}", OUTCOME_REFUSED, NULL,
     "422: no reason given"},
    {400, "{}", OUTCOME_REFUSED, NULL, "no reason given"},
    {400, "[]", OUTCOME_REFUSED, NULL, "no reason given"},
    {400, "null", OUTCOME_REFUSED, NULL, "no reason given"},
    {400, "{\"amount\":[]}", OUTCOME_REFUSED, NULL, "no reason given"},
    {400, "{\"amount\":[7]}", OUTCOME_REFUSED, NULL, "no reason given"},
    {400, "{\"error\":\"a\\nb\\u001b[31m\xe2\x82\xac\"}", OUTCOME_REFUSED, NULL,
     "400: a?b?[31m???"},
    /* a refusal must be Payviox's own: a page of something in between is none */
    {400, "<html>400 Bad Request</html>", OUTCOME_UNKNOWN, NULL, "400"},
    {403, "<html>blocked</html>", OUTCOME_UNKNOWN, NULL, "403"},
    {404, "", OUTCOME_UNKNOWN, NULL, "404"},
    /* too many requests: nothing was made, whatever the body */
    {429,
     "{\"error\":\"rate_limit_exceeded\",\"message\":\"Too many session requests\",\"type\":\"ip\","
     "\"retry_after\":60}",
     OUTCOME_NOT_SENT, NULL, "no more sessions"},
    {429, "<html>429</html>", OUTCOME_NOT_SENT, NULL, ""},
    {429, WITH("\"" SESSION "\""), OUTCOME_NOT_SENT, NULL, ""},
};

static void created(struct arena *arena, int status, const char *body,
                    struct provider_result *ret_result)
{
    struct httpc_answer answer = {.result = HTTPC_ANSWERED,
                                  .status = status,
                                  .body = body,
                                  .body_len = strlen(body),
                                  .problem = ""};
    /* as provider_create leaves it for the driver */
    *ret_result = (struct provider_result){.outcome = OUTCOME_UNKNOWN, .http_status = status};
    payviox_driver.created(&settings, arena, &answer, ret_result);
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
        ROW((r.url != NULL) == (r.outcome == OUTCOME_PENDING), "%d %s: url \"%s\"", row->status,
            row->body, r.url);
        ROW((r.provider_reference[0] != '\0') == (r.outcome == OUTCOME_PENDING), "%d %s: \"%s\"",
            row->status, row->body, r.provider_reference);
        ROW(row->url == NULL || strcmp(r.url, row->url) == 0, "%d %s: %s", row->status, row->body,
            r.url);
        ROW(row->reason == NULL ? r.reason[0] == '\0'
                                : r.reason[0] != '\0' && strstr(r.reason, row->reason) != NULL,
            "%d %s: reason \"%s\"", row->status, row->body, r.reason);
    }
    ROWS_END();
}

/* Whatever the status: without a session there is no success, and 2xx alone is no refusal. */
static void no_status_is_a_success_by_itself(void **state)
{
    for (int status = 100; status < 600; status++) {
        struct provider_result r;
        arena_reset(*state);
        created(*state, status, "{\"success\":true,\"status\":\"succeeded\"}", &r);
        ROW(r.outcome != OUTCOME_PENDING && r.outcome != OUTCOME_DONE, "%d: %s", status,
            outcome_name(r.outcome));
        ROW((status >= 400 && status < 500) || r.outcome == OUTCOME_UNKNOWN, "%d: %s", status,
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
        {"{\"session_id\":\"", "\"}", PROVIDER_REFERENCE_MAX - 1, OUTCOME_PENDING},
        {"{\"session_id\":\"", "\"}", PROVIDER_REFERENCE_MAX, OUTCOME_UNKNOWN},
        {"{\"session_id\":\"", "\"}", 60000, OUTCOME_UNKNOWN},
        {"{\"session_id\":\"" SESSION "\",\"redirect_url\":\"https://", "\"}", URL_MAX - 9,
         OUTCOME_PENDING},
        {"{\"session_id\":\"" SESSION "\",\"redirect_url\":\"https://", "\"}", URL_MAX - 8,
         OUTCOME_UNKNOWN},
        {"{\"error\":\"", "\"}", 60000, OUTCOME_UNKNOWN},
        {"{\"session_id\":\"" SESSION "\",\"payment_error\":{\"message\":\"", "\"}}", 60000,
         OUTCOME_PENDING},
    };
    char *text = calloc(1, 70000);
    assert_non_null(text);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_result r;
        size_t len = strlen(rows[i].before);
        memcpy(text, rows[i].before, len);
        memset(text + len, 'a', (size_t)rows[i].fill);
        memcpy(text + len + rows[i].fill, rows[i].after, strlen(rows[i].after) + 1);
        created(*state, 201, text, &r);
        ROW(r.outcome == rows[i].outcome, "row %zu: %s", i, outcome_name(r.outcome));
        ROW((r.url == NULL || strlen(r.url) < URL_MAX) && strlen(r.reason) < REASON_MAX,
            "row %zu: too long", i);
    }
    free(text);
    ROWS_END();
}

#define BACK(status_and_money)                                                                     \
    "{\"session_id\":\"" SESSION "\",\"order_id\":\"" REFERENCE "\",\"status\":" status_and_money  \
    ",\"customer\":\"x\",\"items\":[],\"metadata\":{}}"
#define USD(amount) ",\"amount\":" amount ",\"currency\":\"USD\""

struct read_row {
    int status;
    const char *body;
    enum provider_reading reading;
    enum payment_fact fact;
    int64_t amount; /* of the truth; -1: none given */
    int64_t fees;
};

static const struct read_row read_rows[] = {
    /* every documented word */
    {200, BACK("\"succeeded\"" USD("10000")), READING_TRUTH, FACT_SUCCEEDED, 10000, 0},
    {200, BACK("\"failed\"" USD("10000")), READING_TRUTH, FACT_FAILED, 10000, 0},
    {200, BACK("\"pending\"" USD("10000")), READING_TRUTH, FACT_NOTHING, 10000, 0},
    {200, BACK("\"processing\"" USD("10000")), READING_TRUTH, FACT_PROCESSING, 10000, 0},
    {200, BACK("\"pending_review\"" USD("10000")), READING_TRUTH, FACT_PROCESSING, 10000, 0},
    {200, BACK("\"declined\"" USD("10000")), READING_TRUTH, FACT_FAILED, 10000, 0},
    {200, BACK("\"expired\"" USD("10000")), READING_TRUTH, FACT_EXPIRED, 10000, 0},
    {200, BACK("\"refunded\"" USD("10000")), READING_TRUTH, FACT_REFUNDED, 10000, 0},
    {200, BACK("null" USD("10000") ",\"fees\":null,\"net_amount\":null,\"payment_method\":null"),
     READING_TRUTH, FACT_NOTHING, -1, 0},
    /* gross with fees on top, the older net style, fees absent */
    {200, BACK("\"succeeded\"" USD("10250") ",\"fees\":250,\"net_amount\":10000"), READING_TRUTH,
     FACT_SUCCEEDED, 10000, 250},
    {200, BACK("\"succeeded\"" USD("10000") ",\"fees\":250,\"net_amount\":9750"), READING_TRUTH,
     FACT_SUCCEEDED, 10000, 250},
    {200, BACK("\"succeeded\"" USD("10250") ",\"fees\":250"), READING_TRUTH, FACT_SUCCEEDED, 10000,
     250},
    {200, BACK("\"succeeded\"" USD("10000") ",\"fees\":null"), READING_TRUTH, FACT_SUCCEEDED, 10000,
     0},
    {200, BACK("\"succeeded\"" USD("10000") ",\"fees\":0,\"net_amount\":10000"), READING_TRUTH,
     FACT_SUCCEEDED, 10000, 0},
    /* unusable answers: ask again, guess nothing */
    {200, BACK("\"paid\"" USD("10000")), READING_FAILED, 0, 0, 0},
    {200, BACK("\"Succeeded\"" USD("10000")), READING_FAILED, 0, 0, 0},
    {200, BACK("\"succeeded \"" USD("10000")), READING_FAILED, 0, 0, 0},
    {200, BACK("\"\"" USD("10000")), READING_FAILED, 0, 0, 0},
    {200, BACK("true" USD("10000")), READING_FAILED, 0, 0, 0},
    {200, BACK("\"succeeded\",\"currency\":\"USD\""), READING_FAILED, 0, 0, 0},
    {200, BACK("\"succeeded\",\"amount\":10000"), READING_FAILED, 0, 0, 0},
    {200, BACK("\"succeeded\",\"amount\":10000,\"currency\":\"usd\""), READING_FAILED, 0, 0, 0},
    {200, BACK("\"succeeded\"" USD("\"10000\"")), READING_FAILED, 0, 0, 0},
    {200, BACK("\"succeeded\"" USD("10000.0")), READING_FAILED, 0, 0, 0},
    {200, BACK("\"succeeded\"" USD("1e4")), READING_FAILED, 0, 0, 0},
    {200, BACK("\"succeeded\"" USD("-10000")), READING_FAILED, 0, 0, 0},
    {200, BACK("\"succeeded\"" USD("null")), READING_FAILED, 0, 0, 0},
    {200, BACK("\"succeeded\"" USD("9223372036854775808")), READING_FAILED, 0, 0, 0},
    {200, BACK("\"succeeded\"" USD("10250") ",\"fees\":-250"), READING_FAILED, 0, 0, 0},
    {200, BACK("\"succeeded\"" USD("10250") ",\"fees\":2.5"), READING_FAILED, 0, 0, 0},
    {200, BACK("\"succeeded\"" USD("10250") ",\"fees\":\"250\""), READING_FAILED, 0, 0, 0},
    {200, "{\"session_id\":\"" SESSION "\",\"status\":\"succeeded\"" USD("10000") "}",
     READING_FAILED, 0, 0, 0},
    {200, "{\"order_id\":\"" REFERENCE "\",\"status\":\"succeeded\"" USD("10000") "}",
     READING_FAILED, 0, 0, 0},
    {200, "{\"session_id\":\"" SESSION "\",\"order_id\":\"" REFERENCE "\"" USD("10000") "}",
     READING_FAILED, 0, 0, 0},
    {200, "{\"error\":\"Payment not found\"}", READING_FAILED, 0, 0, 0},
    {200, "[]", READING_FAILED, 0, 0, 0},
    {200, "", READING_FAILED, 0, 0, 0},
    {200, "<html></html>", READING_FAILED, 0, 0, 0},
    {200, "{\"status\":\"succeeded\"", READING_FAILED, 0, 0, 0},
    {201, BACK("\"succeeded\"" USD("10000")), READING_FAILED, 0, 0, 0},
    {202, BACK("\"succeeded\"" USD("10000")), READING_FAILED, 0, 0, 0},
    {204, "", READING_FAILED, 0, 0, 0},
    {302, BACK("\"succeeded\"" USD("10000")), READING_FAILED, 0, 0, 0},
    {401, "{\"error\":\"Unauthorized\"}", READING_FAILED, 0, 0, 0},
    {403, "{\"error\":\"Forbidden\"}", READING_FAILED, 0, 0, 0},
    {404, "{\"error\":\"Payment not found\"}", READING_NOT_FOUND, 0, 0, 0},
    {404, "<html>404</html>", READING_FAILED, 0, 0, 0},
    {404, BACK("\"succeeded\"" USD("10000")), READING_NOT_FOUND, 0, 0, 0},
    {429, "{\"error\":\"rate_limit_exceeded\"}", READING_FAILED, 0, 0, 0},
    {500, BACK("\"succeeded\"" USD("10000")), READING_FAILED, 0, 0, 0},
    {503, "", READING_FAILED, 0, 0, 0},
};

static enum provider_reading readback(struct arena *arena, int status, const char *body,
                                      struct provider_truth *ret_truth)
{
    struct httpc_answer answer = {.result = HTTPC_ANSWERED,
                                  .status = status,
                                  .body = body,
                                  .body_len = strlen(body),
                                  .problem = ""};
    arena_reset(arena);
    *ret_truth = (struct provider_truth){0};
    return payviox_driver.readback(&settings, arena, &order, &answer, ret_truth);
}

static void readbacks(void **state)
{
    for (size_t i = 0; i < COUNT(read_rows); i++) {
        const struct read_row *row = &read_rows[i];
        struct provider_truth t;
        enum provider_reading reading = readback(*state, row->status, row->body, &t);
        ROW(reading == row->reading, "%d %s: reading %d", row->status, row->body, (int)reading);
        if (reading != READING_TRUTH || row->reading != READING_TRUTH)
            continue;
        ROW(t.fact == row->fact, "%s: %s", row->body, payment_fact_name(t.fact));
        ROW(strcmp(t.reference, REFERENCE) == 0 && strcmp(t.provider_reference, SESSION) == 0,
            "%s: another payment", row->body);
        ROW(t.given_back == (strstr(row->body, "\"declined\"") != NULL), "%s: given back",
            row->body);
        ROW(t.has_amount == (row->amount >= 0), "%s: has an amount", row->body);
        ROW(!t.has_amount || (money_minor_units(&t.amount) == row->amount &&
                              money_minor_units(&t.fees) == row->fees),
            "%s: %lld and %lld", row->body, (long long)money_minor_units(&t.amount),
            (long long)money_minor_units(&t.fees));
    }
    ROWS_END();
}

/* Read-backs about other money than our order's: a truth, but never one that equals the order. */
static void other_money_never_equals_the_order(void **state)
{
    static const char *const rows[] = {
        BACK("\"succeeded\"" USD("9999")),
        BACK("\"succeeded\"" USD("10001")),
        BACK("\"succeeded\"" USD("100")),
        BACK("\"succeeded\"" USD("1000000")),
        BACK("\"succeeded\"" USD("0")),
        BACK("\"succeeded\"" USD("10250") ",\"fees\":249"),
        BACK("\"succeeded\"" USD("9750") ",\"fees\":250"),
        BACK("\"succeeded\"" USD("9750") ",\"fees\":250,\"net_amount\":9500"),
        BACK("\"succeeded\"" USD("1") ",\"fees\":9223372036854775807"),
        BACK("\"succeeded\",\"amount\":10000,\"currency\":\"EUR\""),
        BACK("\"succeeded\",\"amount\":10250,\"currency\":\"EUR\",\"fees\":250,"
             "\"net_amount\":10000"),
        /* the net amount is documented as amount - fees: one that is not proves nothing */
        BACK("\"succeeded\"" USD("1") ",\"fees\":0,\"net_amount\":10000"),
        BACK("\"succeeded\"" USD("5000") ",\"net_amount\":10000"),
        BACK("\"succeeded\"" USD("10500") ",\"fees\":250,\"net_amount\":10000"),
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_truth t;
        enum provider_reading reading = readback(*state, 200, rows[i], &t);
        ROW(reading == READING_FAILED || !t.has_amount || !money_equal(&t.amount, &order.amount),
            "%s equals the order", rows[i]);
    }
    ROWS_END();
}

/* An answer about another payment is no answer to what was asked. */
static void answers_about_another_payment(void **state)
{
    static const struct {
        const char *session, *order;
        enum provider_reading reading;
    } rows[] = {
        {SESSION, REFERENCE, READING_TRUTH},
        {"z1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6", REFERENCE, READING_FAILED},
        {SESSION, "PAY_01HP2V0K8S3M5N7Q9R1T3V5X70", READING_FAILED},
        {SESSION, "", READING_FAILED},
        {"", REFERENCE, READING_FAILED},
        {SESSION "x", REFERENCE, READING_FAILED},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_truth t;
        char body[500];
        (void)snprintf(body, sizeof body,
                       "{\"session_id\":\"%s\",\"order_id\":\"%s\",\"status\":\"succeeded\""
                       ",\"amount\":10000,\"currency\":\"USD\"}",
                       rows[i].session, rows[i].order);
        ROW(readback(*state, 200, body, &t) == rows[i].reading, "%s", body);
        (void)snprintf(body, sizeof body,
                       "{\"session_id\":\"%s\",\"order_id\":\"%s\",\"status\":null}",
                       rows[i].session, rows[i].order);
        ROW(readback(*state, 200, body, &t) == rows[i].reading, "%s", body);
    }
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ARENA(create_request_is_exact),
        TEST_ARENA(create_request_with_options),
        TEST_ARENA(read_request_is_exact),
        TEST(requests_need_memory),
        TEST(limits),
        TEST_ARENA(answers_to_a_create),
        TEST_ARENA(no_status_is_a_success_by_itself),
        TEST_ARENA(lengths_of_an_answer),
        TEST_ARENA(readbacks),
        TEST_ARENA(other_money_never_equals_the_order),
        TEST_ARENA(answers_about_another_payment),
    };
    return cmocka_run_group_tests_name("payviox", tests, set_up, NULL);
}
