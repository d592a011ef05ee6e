/* The wrapper around the drivers: which provider is found when, and what an answer, none or half of
 * one means for a create and for a reading. */
#include "check.h"

#include "base/clock.h"
#include "provider/payviox.h"
#include "tls_server.h"

#define TEXT(literal) literal, sizeof(literal) - 1
#define REFERENCE     "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7Z"
#define SESSION       "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"

static struct settings settings;
static struct provider_order order;
static struct httpc *client;

static int set_up(void **state)
{
    if (server_start(state) != 0)
        return 1;
    settings.payviox.common.enabled = true;
    (void)snprintf(settings.payviox.api_url, CONF_TEXT_MAX, "https://localhost:%d", server.port);
    (void)snprintf(settings.payviox.page_url, CONF_TEXT_MAX, "https://secure.payviox.test");
    client = httpc_new(&(struct httpc_options){.ca_file = server.ca_file,
                                               .connect_timeout_ms = 5000,
                                               .timeout_ms = 5000,
                                               .user_agent = "guichet-test"});
    order = (struct provider_order){.reference = REFERENCE,
                                    .payment_id = REFERENCE,
                                    .user_id = 1,
                                    .method = "",
                                    .payer_ip = "203.0.113.42",
                                    .provider_reference = SESSION};
    return client == NULL || !secret_set(&settings.payviox.secret_key, "sk_live_canary", 14) ||
           !secret_set(&settings.payviox.webhook_token, "whk_canary", 10) ||
           !money_make(10000, "USD", &order.amount);
}

static int tear_down(void **state)
{
    httpc_free(client);
    return server_stop(state);
}

/* What was begun with a provider goes on when it is switched off; without its secrets nothing
 * can. */
static void which_provider_is_found(void **state)
{
    static const struct {
        const char *name;
        bool key, token, enabled, found, open;
    } rows[] = {
        {"payviox", true, true, true, true, true},    {"payviox", true, true, false, true, false},
        {"payviox", false, true, true, false, false}, {"payviox", true, false, true, false, false},
        {"Payviox", true, true, true, false, false},  {"payvio", true, true, true, false, false},
        {"payvioxx", true, true, true, false, false}, {"", true, true, true, false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct settings with = settings;
        with.payviox.common.enabled = rows[i].enabled;
        (void)secret_set(&with.payviox.secret_key, "sk", rows[i].key ? 2 : 0);
        (void)secret_set(&with.payviox.webhook_token, "wt", rows[i].token ? 2 : 0);
        ROW((provider_find(&with, rows[i].name) == &payviox_driver) == rows[i].found, "row %zu", i);
        ROW((provider_find_open(&with, rows[i].name) == &payviox_driver) == rows[i].open,
            "row %zu: open", i);
    }
    ROWS_END();
}

#define JSON_HEAD(status) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n"

static void outcomes_of_a_create(void **state)
{
    static const struct {
        const char *what;
        enum act act;
        const char *answer;
        size_t len;
        enum outcome outcome;
        int status;
        int64_t retry_after_s;
    } rows[] = {
        {"a session", ACT_ANSWER,
         TEXT(JSON_HEAD("201 Created") "Content-Length: 49\r\n\r\n{\"session_id\":\"" SESSION
                                       "\"}"),
         OUTCOME_PENDING, 201, 0},
        {"a refusal", ACT_ANSWER,
         TEXT(JSON_HEAD("401 No") "Content-Length: 24\r\n\r\n{\"error\":\"Unauthorized\"}"),
         OUTCOME_REFUSED, 401, 0},
        {"too many", ACT_ANSWER,
         TEXT(JSON_HEAD("429 Slow") "Retry-After: 17\r\nContent-Length: 2\r\n\r\n{}"),
         OUTCOME_NOT_SENT, 429, 17},
        {"an error", ACT_ANSWER, TEXT(JSON_HEAD("500 Oops") "Content-Length: 2\r\n\r\n{}"),
         OUTCOME_UNKNOWN, 500, 0},
        {"half a session", ACT_ANSWER,
         TEXT(JSON_HEAD("201 Created") "Content-Length: 49\r\n\r\n{\"session_id\":\"a1b2"),
         OUTCOME_UNKNOWN, 0, 0},
        {"no answer", ACT_READ_CLOSE, TEXT(""), OUTCOME_UNKNOWN, 0, 0},
        {"no connection", ACT_CLOSE, TEXT(""), OUTCOME_NOT_SENT, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_result r;
        arena_reset(*state);
        server_script(rows[i].act, rows[i].answer, rows[i].len);
        provider_create(&payviox_driver, &settings, client, *state, clock_mono_ms() + 5000, &order,
                        &r);
        ROW(r.outcome == rows[i].outcome, "%s: %s, %s", rows[i].what, outcome_name(r.outcome),
            r.reason);
        ROW(r.http_status == rows[i].status, "%s: status %d", rows[i].what, r.http_status);
        ROW(r.retry_after_s == rows[i].retry_after_s, "%s: retry after", rows[i].what);
        ROW((r.reason[0] == '\0') == (r.outcome == OUTCOME_PENDING), "%s: reason \"%s\"",
            rows[i].what, r.reason);
    }
    ROWS_END();
}

static void readings(void **state)
{
    static const struct {
        const char *what;
        enum act act;
        const char *answer;
        size_t len;
        enum provider_reading reading;
    } rows[] = {
        {"unknown there", ACT_ANSWER,
         TEXT(JSON_HEAD("404 No") "Content-Length: 29\r\n\r\n{\"error\":\"Payment not found\"}"),
         READING_NOT_FOUND},
        {"an error", ACT_ANSWER, TEXT(JSON_HEAD("500 Oops") "Content-Length: 2\r\n\r\n{}"),
         READING_FAILED},
        {"no answer", ACT_READ_CLOSE, TEXT(""), READING_FAILED},
        {"no connection", ACT_CLOSE, TEXT(""), READING_FAILED},
        {"no try yet", ACT_ANSWER,
         TEXT(JSON_HEAD("200 OK") "Transfer-Encoding: chunked\r\n\r\n70\r\n{\"session_id\":"
                                  "\"" SESSION "\",\"order_id\":\"" REFERENCE
                                  "\",\"status\":null     }\r\n0\r\n\r\n"),
         READING_TRUTH},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_truth t;
        arena_reset(*state);
        server_script(rows[i].act, rows[i].answer, rows[i].len);
        enum provider_reading reading =
            provider_read(&payviox_driver, &settings, client, *state, 0, &order, &t);
        ROW(reading == rows[i].reading, "%s: %d", rows[i].what, (int)reading);
    }
    ROWS_END();
}

static void request_that_does_not_fit_is_not_sent(void **state)
{
    struct arena *tiny = arena_new(64);
    struct provider_result r;
    struct provider_truth t;
    (void)state;
    server_script(ACT_READ_CLOSE, TEXT(""));
    provider_create(&payviox_driver, &settings, client, tiny, 0, &order, &r);
    assert_int_equal(r.outcome, OUTCOME_NOT_SENT);
    assert_true(r.reason[0] != '\0');
    assert_int_equal(provider_read(&payviox_driver, &settings, client, tiny, 0, &order, &t),
                     READING_FAILED);
    assert_int_equal(server_requests(), 0);
    arena_free(tiny);
}

static void quotes_are_printable(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"plain", "plain"},
        {"a\nb\tc\x1b[0m", "a?b?c?[0m"},
        {"\xe2\x82\xac", "???"},
        {"123456789", "123456789"},
        {"1234567890", "123456789"},
        {"\x7f~ ", "?~ "},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char to[10];
        provider_quote(to, sizeof to, rows[i][0]);
        ROW(strcmp(to, rows[i][1]) == 0, "row %zu: %s", i, to);
    }
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(which_provider_is_found), TEST_ARENA(outcomes_of_a_create),
        TEST_ARENA(readings),          TEST(request_that_does_not_fit_is_not_sent),
        TEST(quotes_are_printable),
    };
    return cmocka_run_group_tests_name("provider", tests, set_up, tear_down);
}
