/* The wrapper around the drivers: which provider is found when, which partners a deposit may go to,
 * and what an answer, none or half of one means for a create and for a reading. */
#include "partner.h" /* first: it includes code that knows no globals of tests */

#include "base/clock.h"
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
    second_set_up();
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

/* The house brand needs no secret. */
static void the_house_brand_is_found(void **state)
{
    struct settings with = settings;
    (void)state;
    assert_ptr_equal(provider_find(&with, "mannco"), &mannco_driver);
    assert_null(provider_find_open(&with, "mannco"));
    with.mannco.common.enabled = true;
    assert_ptr_equal(provider_find_open(&with, "mannco"), &mannco_driver);
    assert_true(mannco_driver.from_balance && !payviox_driver.from_balance);
}

#define SMALL   "abcdefghijklmnopqrstuvwxyz0123456789"
#define LETTERS SMALL "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool is_word(const char *text, const char *letters, size_t size)
{
    return text[0] != '\0' && strlen(text) < size && text[strspn(text, letters)] == '\0';
}

/* What each must have, and what comes together or not at all: NULL, or what is wrong. */
static const char *find_gap(const struct provider_driver *d)
{
    if (d->configured == NULL || d->terms == NULL || d->allows == NULL || d->methods == NULL)
        return "configured, terms, allows or methods is missing";
    if (!d->from_balance &&
        (d->create == NULL || d->created == NULL || d->read == NULL || d->readback == NULL))
        return "create, created, read or readback is missing";
    if ((d->notice == NULL) != (d->notice_proved == NULL) ||
        (d->notice == NULL && (d->thin || d->notice_in_query || d->hooks != NULL)))
        return "notice without its proof";
    if ((d->search == NULL) != (d->searched == NULL) ||
        (d->recover == NULL) != (d->recovered == NULL) ||
        (d->token == NULL) != (d->token_read == NULL) ||
        (d->card == NULL) != (d->card_read == NULL))
        return "a question without the reader of its answer";
    if ((d->refundable == NULL) != (d->refund == NULL) ||
        (d->refund == NULL) != (d->refunded == NULL))
        return "refundable, refund and refunded come together";
    if (d->reference_is_unique && d->repeatable == NULL)
        return "reference_is_unique, but no create is repeatable";
    return NULL;
}

static const char *find_wrong_method(const struct provider_driver *driver)
{
    for (const struct provider_method *m = driver->methods; m->name != NULL; m++)
        if (m->id == NULL || !is_word(m->name, LETTERS "_.-", METHOD_MAX) ||
            find_method(driver, m->name) != m)
            return m->name;
    return NULL;
}

static void providers_one_by_one(void **state)
{
    size_t count = 0;
    (void)state;
    for (; provider_at(count) != NULL; count++) {
        const struct provider_driver *driver = provider_at(count);
        const char *gap = find_gap(driver);
        ROW(gap == NULL, "%s: %s", driver->name, gap);
        ROW(is_word(driver->name, SMALL, PROVIDER_NAME_MAX), "%s is no name", driver->name);
        ROW(provider_is_known(driver->name), "%s is not known", driver->name);
        const char *method = gap == NULL ? find_wrong_method(driver) : NULL;
        ROW(method == NULL, "%s: the method %s", driver->name, method);
        for (size_t i = 0; i < count; i++)
            ROW(strcmp(provider_at(i)->name, driver->name) != 0, "%s is there twice", driver->name);
    }
    ROW(count >= 3 && provider_at(count + 1) == NULL, "%zu", count);
    ROW(!provider_is_known("") && !provider_is_known("Mannco") && !provider_is_known("manncos"),
        "a name is known that is none");
    ROWS_END();
}

/* A refund that waits is asked about by its own name, which is none of a payment's. */
static void refunds_are_read_by_a_call_of_their_own(void **state)
{
    for (size_t i = 0; provider_at(i) != NULL; i++) {
        const struct provider_driver *driver = provider_at(i);
        struct provider_order refund = order;
        struct httpc_request of_payment = {0}, of_refund = {0};
        refund.object = PROVIDER_REFUND;
        arena_reset(*state);
        if (driver->refund == NULL)
            continue;
        assert_int_equal(driver->read(&settings, *state, &order, &of_payment), ERR_NONE);
        assert_int_equal(driver->read(&settings, *state, &refund, &of_refund), ERR_NONE);
        ROW(strcmp(of_payment.url, of_refund.url) != 0,
            "%s: read asks for a refund as for a payment", driver->name);
    }
    ROWS_END();
}

/* What is posted at once must be proved: nothing but a hint comes without a signature. */
static void nothing_unsigned_is_posted(void **state)
{
    for (size_t i = 0; provider_at(i) != NULL; i++) {
        const struct provider_driver *driver = provider_at(i);
        const struct http_request unsigned_one = {.arena = *state, .body = "{}", .body_len = 2};
        if (driver->notice != NULL && !driver->thin)
            ROW(!driver->notice_proved(&settings, &unsigned_one), "%s: a notice without a proof",
                driver->name);
    }
    ROWS_END();
}

/* The enum of ProviderName names them all, in the order of the array. */
static void callers_are_told_of_every_provider(void **state)
{
    char *text = arena_alloc(*state, ARENA_BYTES / 2), listed[400] = "\"enum\": [";
    FILE *file = fopen("nginx/www/openapi.json", "r"); /* run from the project's folder */
    assert_non_null(file);
    assert_true(fread(text, 1, ARENA_BYTES / 2 - 1, file) > 0 && feof(file));
    (void)fclose(file);
    for (size_t i = 0; provider_at(i) != NULL; i++)
        if (provider_at(i) != &second_driver)
            (void)snprintf(listed + strlen(listed), sizeof listed - strlen(listed), "%s\"%s\"",
                           i == 0 ? "" : ", ", provider_at(i)->name);
    (void)strncat(listed, "]", sizeof listed - strlen(listed) - 1);
    const char *schema = strstr(text, "\"ProviderName\": {");
    assert_non_null(schema);
    const char *names = strstr(schema, "\"enum\"");
    ROW(names != NULL && strncmp(names, listed, strlen(listed)) == 0,
        "nginx/www/openapi.json: ProviderName should have %s", listed);
    ROWS_END();
}

/* Answers without sense: nothing was made, as far as anybody knows, and nothing is true. */
static void meet_garbage(struct arena *arena, const struct provider_driver *driver, int status,
                         const char *body)
{
    const struct httpc_answer answer = {.result = HTTPC_ANSWERED,
                                        .status = status,
                                        .body = body,
                                        .body_len = strlen(body),
                                        .kept = "",
                                        .problem = ""};
    struct provider_result r = {0};
    struct provider_truth truth = {0};
    assert_true(begin_result(&answer, &r));
    driver->created(&settings, arena, &answer, &r);
    bool refusal = r.outcome == OUTCOME_REFUSED || r.outcome == OUTCOME_NOT_SENT;
    ROW(r.outcome == OUTCOME_UNKNOWN || (refusal && status >= 400 && status <= 499),
        "%s: %d %s: created %s", driver->name, status, body, outcome_name(r.outcome));
    ROW(r.url == NULL && r.provider_reference[0] == '\0', "%s: %d %s: with a session", driver->name,
        status, body);
    ROW(driver->readback(&settings, arena, &order, &answer, &truth) != READING_TRUTH,
        "%s: %d %s: read as a truth", driver->name, status, body);
    ROW(driver->notice == NULL ||
            provider_notice(driver, &settings, arena, body, answer.body_len, &truth) == ERR_PAYLOAD,
        "%s: %s: taken for a notice", driver->name, body);
}

static void garbage_is_never_believed(void **state)
{
    static const int statuses[] = {200, 201, 202, 204, 301, 302, 400, 401, 402, 403,
                                   404, 405, 409, 413, 422, 429, 500, 502, 503, 504};
    static const char *const bodies[] = {
        "",
        "{}",
        "[]",
        "null",
        "1",
        "\"\"",
        "[[{}]]",
        "{\"a\":",
        "<html></html>",
        "{\"id\":{},\"Id\":{},\"session_id\":{},\"status\":{},\"Status\":{},\"errorCode\":{}}"};
    for (size_t i = 0; provider_at(i) != NULL; i++)
        for (size_t k = 0; k < COUNT(statuses) * COUNT(bodies); k++) {
            arena_reset(*state);
            if (!provider_at(i)->from_balance)
                meet_garbage(*state, provider_at(i), statuses[k % COUNT(statuses)],
                             bodies[k / COUNT(statuses)]);
        }
    ROWS_END();
}

static void methods_and_their_ids(void **state)
{
    static const struct {
        const struct provider_driver *driver;
        const char *name, *id;
        bool has;
    } rows[] = {
        {&payviox_driver, "credit_card", "stripe_credit", true},
        {&payviox_driver, "paypal", "paypal", true},
        {&payviox_driver, "crypto", "cryptocom", true},
        {&payviox_driver, "cryptocom", "cryptocom", true},
        {&payviox_driver, "stripe_credit", "stripe_credit", true},
        {&payviox_driver, "zen_blik", "zen_blik", true},
        {&payviox_driver, "cryptocom_btc", "cryptocom_btc", false}, /* goes as it is */
        {&payviox_driver, "Paypal", "Paypal", false},
        {&payviox_driver, "", "", true},
        {&second_driver, "credit_card", "card", true},
        {&second_driver, "paypal", "paypal", false},
        {&second_driver, "", "", true},
        {&mannco_driver, "credit_card", "credit_card", false},
        {&mannco_driver, "", "", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ROW(strcmp(provider_method_id(rows[i].driver, rows[i].name), rows[i].id) == 0,
            "%s %s: it is %s", rows[i].driver->name, rows[i].name,
            provider_method_id(rows[i].driver, rows[i].name));
        ROW(provider_has_method(rows[i].driver, rows[i].name) == rows[i].has, "%s %s: has",
            rows[i].driver->name, rows[i].name);
    }
    ROWS_END();
}

static void set_limits(struct conf_limits *limits, const char *codes)
{
    limits->count = 0;
    for (; codes[0] != '\0'; codes += strcspn(codes, " "), codes += strspn(codes, " ")) {
        struct conf_limit *limit = &limits->rows[limits->count++];
        *limit = (struct conf_limit){.minimum = 1, .maximum = 1000};
        (void)snprintf(limit->currency, sizeof limit->currency, "%.3s", codes);
    }
}

/* payviox takes USD and EUR, second USD and JPY and not paypal. */
static const struct {
    const char *asked, *partners;
    bool payviox_on, second_on;
    const char *currency, *method;
    enum err err;
    const char *names; /* in the order in which they are asked */
} routes[] = {
    {"payviox", "second", true, true, "USD", "", ERR_NONE, "payviox"},
    {"payviox", "second", true, true, "USD", "of_its_own", ERR_NONE, "payviox"},
    {"mannco", "payviox second", true, true, "USD", "", ERR_NONE, "payviox second"},
    {"mannco", "second payviox", true, true, "USD", "", ERR_NONE, "second payviox"},
    {"mannco", "  second   payviox  ", true, true, "USD", "", ERR_NONE, "second payviox"},
    {"mannco", "payviox second", true, true, "USD", "paypal", ERR_NONE, "payviox"},
    {"mannco", "payviox second", true, true, "USD", "credit_card", ERR_NONE, "payviox second"},
    {"mannco", "payviox second", true, true, "USD", "seashells", ERR_NONE, "second"},
    {"mannco", "payviox second", true, true, "EUR", "", ERR_NONE, "payviox"},
    {"mannco", "payviox second", true, true, "JPY", "", ERR_NONE, "second"},
    {"mannco", "payviox second", false, true, "USD", "", ERR_NONE, "second"},
    {"mannco", "payviox second", true, false, "USD", "", ERR_NONE, "payviox"},
    {"mannco", "nonesuch payviox Second secondary", true, true, "USD", "", ERR_NONE, "payviox"},
    {"mannco", "a-name-that-is-longer-than-any second", true, true, "USD", "", ERR_NONE, "second"},
    {"mannco", "mannco second", true, true, "USD", "", ERR_NONE, "second"},
    {"mannco", "second payviox second", true, true, "USD", "", ERR_NONE, "second payviox"},
    {"mannco", "payviox second", true, true, "JPY", "paypal", ERR_METHOD_OF_PAYMENT, ""},
    {"mannco", "payviox second", true, true, "USD", "barter", ERR_METHOD_OF_PAYMENT, ""},
    {"mannco", "payviox second", true, true, "KWD", "", ERR_PROVIDER_UNAVAILABLE, ""},
    {"mannco", "payviox second", true, true, "KWD", "barter", ERR_PROVIDER_UNAVAILABLE, ""},
    {"mannco", "payviox second", false, false, "USD", "", ERR_PROVIDER_UNAVAILABLE, ""},
    {"mannco", "", true, true, "USD", "", ERR_PROVIDER_UNAVAILABLE, ""},
    {"mannco", "mannco", true, true, "USD", "", ERR_PROVIDER_UNAVAILABLE, ""},
};

static void who_carries_a_deposit_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(routes); i++) {
        const struct provider_driver *drivers_found[4];
        struct settings with = settings;
        struct money amount;
        char names[100] = "";
        size_t count = 99;
        with.payviox.common.enabled = routes[i].payviox_on;
        set_limits(&with.payviox.common.deposits, "USD EUR");
        second_terms.enabled = routes[i].second_on;
        set_limits(&second_terms.deposits, "USD JPY");
        (void)text_copy(with.mannco.partners, CONF_TEXT_MAX, routes[i].partners);
        assert_true(money_make(100, routes[i].currency, &amount));
        enum err err = provider_route(&with, find_driver(routes[i].asked), &amount,
                                      routes[i].method, 4, drivers_found, &count);
        for (size_t k = 0; !err && k < count; k++)
            (void)snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s",
                           k == 0 ? "" : " ", drivers_found[k]->name);
        ROW(err == routes[i].err, "row %zu: %s", i, err_message(err));
        ROW(strcmp(names, routes[i].names) == 0, "row %zu: %s", i, names);
    }
    ROWS_END();
}

static void no_more_partners_than_there_is_room_for(void **state)
{
    const struct provider_driver *found[1];
    struct settings with = settings;
    struct money amount;
    size_t count;
    (void)state;
    set_limits(&with.payviox.common.deposits, "USD");
    (void)text_copy(with.mannco.partners, CONF_TEXT_MAX, "second payviox");
    assert_true(money_make(100, "USD", &amount));
    second_terms.enabled = true;
    set_limits(&second_terms.deposits, "USD");
    assert_int_equal(provider_route(&with, &mannco_driver, &amount, "", 1, found, &count),
                     ERR_NONE);
    assert_true(count == 1 && found[0] == &second_driver);
    assert_ptr_equal(provider_partner(&with, 0), &second_driver);
    assert_ptr_equal(provider_partner(&with, 1), &payviox_driver);
    assert_null(provider_partner(&with, 2));
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
        TEST(which_provider_is_found),
        TEST(the_house_brand_is_found),
        TEST(providers_one_by_one),
        TEST_ARENA(refunds_are_read_by_a_call_of_their_own),
        TEST_ARENA(nothing_unsigned_is_posted),
        TEST_ARENA(callers_are_told_of_every_provider),
        TEST_ARENA(garbage_is_never_believed),
        TEST(methods_and_their_ids),
        TEST(who_carries_a_deposit_out),
        TEST(no_more_partners_than_there_is_room_for),
        TEST_ARENA(outcomes_of_a_create),
        TEST_ARENA(readings),
        TEST(request_that_does_not_fit_is_not_sent),
        TEST(quotes_are_printable),
    };
    return cmocka_run_group_tests_name("provider", tests, set_up, tear_down);
}
