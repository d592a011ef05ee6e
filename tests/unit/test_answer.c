/* Answers byte for byte: the envelope of errors and of successes, the status that imitates the live
 * Mannco API, and what is said when there is no memory to say it. */
#include "check.h"

#include "flow/answer.h"

#include <string.h>

static const struct settings plain = {.http = {.business_error_status = 400}};
static const struct settings imitating = {.http = {.business_error_status = 300}};

static void errors(void **state)
{
    static const struct {
        enum err err;
        int status, imitated;
        int64_t retry_after_s;
        const char *body;
    } rows[] = {
        {ERR_PARAMETERS, 400, 300, 0,
         "{\"err\":true,\"success\":false,\"content\":\"Invalid request parameters\"}"},
        {ERR_TOS_FUTURE, 400, 300, 0,
         "{\"err\":true,\"success\":false,\"content\":\"Tos acceptance cannot be in the future\"}"},
        {ERR_DUPLICATE_HEADER, 400, 400, 0,
         "{\"err\":true,\"success\":false,\"content\":\"Duplicate header\"}"},
        {ERR_UNAUTHORIZED, 401, 401, 0,
         "{\"err\":true,\"success\":false,\"content\":\"Unauthorized\"}"},
        {ERR_USER_INVALID, 403, 403, 0,
         "{\"err\":true,\"success\":false,\"content\":\"Invalid user\"}"},
        {ERR_PROCESS, 502, 502, 0,
         "{\"err\":true,\"success\":false,\"content\":\"Failed to process payment\"}"},
        {ERR_SAVE, 503, 503, 5,
         "{\"err\":true,\"success\":false,\"content\":\"Failed to save transaction\"}"},
        {ERR_PROVIDER_UNAVAILABLE, 503, 503, 5,
         "{\"err\":true,\"success\":false,\"content\":\"Provider unavailable\"}"},
        {ERR_OUTCOME_UNKNOWN, 504, 504, 0,
         "{\"err\":true,\"success\":false,\"content\":\"Payment outcome unknown\"}"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a;
        answer_error(&plain, *state, rows[i].err, &a);
        ROW(a.status == rows[i].status && a.err == rows[i].err, "%s: %d", rows[i].body, a.status);
        ROW(a.len == strlen(rows[i].body) && strcmp(a.body, rows[i].body) == 0, "%s: %s",
            rows[i].body, a.body);
        ROW(a.retry_after_s == rows[i].retry_after_s, "%s: Retry-After", rows[i].body);
        ROW(a.payment_id[0] == '\0' && !a.replayed, "%s: says too much", rows[i].body);
        answer_error(&imitating, *state, rows[i].err, &a);
        ROW(a.status == rows[i].imitated, "%s: %d", rows[i].body, a.status);
    }
    ROWS_END();
}

static void every_error_is_json(void **state)
{
    for (int i = ERR_NONE + 1; i < ERR_COUNT; i++) {
        struct answer a;
        struct json *root;
        arena_reset(*state);
        answer_error(&plain, *state, (enum err)i, &a);
        ROW(json_parse(*state, a.body, a.len, &root) == ERR_NONE &&
                json_get(root, "err")->boolean && !json_get(root, "success")->boolean &&
                strcmp(json_get_text(root, "content"), err_message((enum err)i)) == 0,
            "%s", a.body);
    }
    ROWS_END();
}

static void successes(void **state)
{
    struct answer a;
    answer_url(*state, "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7Z", "https://pay.test/a?b=\"c\"&d=\\", &a);
    assert_int_equal(a.status, 200);
    assert_int_equal(a.err, ERR_NONE);
    assert_string_equal(a.body, "{\"err\":false,\"success\":true,\"content\":{\"url\":"
                                "\"https://pay.test/a?b=\\\"c\\\"&d=\\\\\"}}");
    assert_int_equal(a.len, strlen(a.body));
    assert_string_equal(a.payment_id, "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7Z");
    answer_processed(*state, "PAY_1", &a);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "{\"err\":false,\"success\":true,\"content\":{\"message\":"
                                "\"Payment processed successfully\"}}");
    assert_string_equal(a.payment_id, "PAY_1");
}

static void make_deposit(struct payment *ret_payment)
{
    *ret_payment = (struct payment){.id = "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7Z",
                                    .provider = "mannco",
                                    .surface = SURFACE_PAIEMENT,
                                    .expires_in_ms = 3600000,
                                    .expires_s = 1706835600};
    assert_true(money_make(10000, "USD", &ret_payment->amount));
}

/* The older endpoint's answer has all its members in every state, in the seed's order. */
static void deposits(void **state)
{
    static const struct {
        enum payment_status status;
        int64_t expires_in_ms;
        const char *url, *word, *written;
    } rows[] = {
        {PAYMENT_PENDING, 3600000, "https://pay.test/a?b=c", "pending",
         "\"https://pay.test/a?b=c\""},
        {PAYMENT_PROCESSING, 3600000, "https://pay.test/\"", "processing",
         "\"https://pay.test/\\\"\""},
        {PAYMENT_COMPLETED, 3600000, NULL, "completed", "null"},
        {PAYMENT_FAILED, 0, NULL, "failed", "null"},
        {PAYMENT_EXPIRED, 0, NULL, "expired", "null"},
        {PAYMENT_PENDING, 0, NULL, "expired", "null"}, /* by the clock */
        {PAYMENT_REFUNDED, 0, NULL, "refunded", "null"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct payment payment;
        struct answer a;
        char wanted[500];
        make_deposit(&payment);
        payment.status = rows[i].status;
        payment.expires_in_ms = rows[i].expires_in_ms;
        (void)snprintf(wanted, sizeof wanted,
                       "{\"err\":false,\"success\":true,\"content\":{\"paymentId\":"
                       "\"PAY_01HP2V0K8S3M5N7Q9R1T3V5X7Z\",\"provider\":\"mannco\","
                       "\"amount\":10000,\"currency\":\"USD\",\"status\":\"%s\","
                       "\"paymentUrl\":%s,\"expiresAt\":\"1706835600\"}}",
                       rows[i].word, rows[i].written);
        arena_reset(*state);
        answer_deposit(*state, &payment, rows[i].url, &a);
        ROW(a.status == 200 && a.err == ERR_NONE && a.retry_after_s == 0, "row %zu: %d", i,
            a.status);
        ROW(a.len == strlen(wanted) && strcmp(a.body, wanted) == 0, "row %zu: %s", i, a.body);
        ROW(strcmp(a.payment_id, payment.id) == 0, "row %zu: of %s", i, a.payment_id);
    }
    ROWS_END();
}

static void paid_by_either_endpoint(void **state)
{
    struct payment payment;
    struct answer a;
    make_deposit(&payment);
    payment.status = PAYMENT_COMPLETED;
    answer_paid(*state, &payment, &a);
    assert_non_null(strstr(a.body, "\"status\":\"completed\",\"paymentUrl\":null,"));
    payment.surface = SURFACE_PAYMENT;
    answer_paid(*state, &payment, &a);
    assert_string_equal(a.body, "{\"err\":false,\"success\":true,\"content\":{\"message\":"
                                "\"Payment processed successfully\"}}");
    assert_string_equal(a.payment_id, payment.id);
}

static void envelope_around_an_object(void **state)
{
    struct buf body;
    struct json_out *out = answer_open(*state, &body, 1000);
    json_out_int(out, "balance", 5000);
    assert_int_equal(answer_close(out), ERR_NONE);
    assert_string_equal(buf_text(&body),
                        "{\"err\":false,\"success\":true,\"content\":{\"balance\":5000}}");
    out = answer_open(*state, &body, 20);
    assert_int_equal(answer_close(out), ERR_OVERLOAD);
}

/* However little memory there is, the answer is whole: what was asked for, or the fallback. */
static void no_memory(void **state)
{
    static const char fallback[] =
        "{\"err\":true,\"success\":false,\"content\":\"Service unavailable\"}";
    int fallbacks = 0;
    struct payment payment;
    (void)state;
    make_deposit(&payment);
    for (size_t bytes = 0; bytes < 1024; bytes += 64)
        for (int kind = 0; kind < 4; kind++) {
            struct arena *tiny = arena_new(bytes);
            struct answer a;
            if (kind == 0)
                answer_error(&plain, tiny, ERR_PARAMETERS, &a);
            else if (kind == 1)
                answer_url(tiny, "PAY_1", "https://pay.test/", &a);
            else if (kind == 2)
                answer_processed(tiny, "PAY_1", &a);
            else
                answer_deposit(tiny, &payment, "https://pay.test/", &a);
            bool fell = strcmp(a.body, fallback) == 0;
            fallbacks += fell;
            ROW(a.len == strlen(a.body) && a.body[a.len - 1] == '}', "%zu bytes: %s", bytes,
                a.body);
            ROW(fell ? a.status == 503 && a.err == ERR_OVERLOAD && a.retry_after_s > 0
                     : a.status == (kind == 0 ? 400 : 200),
                "%zu bytes: %d %s", bytes, a.status, a.body);
            answer_error(&plain, tiny, ERR_OUTCOME_UNKNOWN, &a);
            ROW(a.status == 504 && a.err == ERR_OUTCOME_UNKNOWN &&
                    strstr(a.body, "Payment outcome unknown") != NULL,
                "%zu bytes: %d %s", bytes, a.status, a.body);
            arena_free(tiny);
        }
    assert_true(fallbacks > 3);
    ROWS_END();
}

static void text_that_is_no_utf8(void **state)
{
    struct answer a;
    answer_url(*state, "PAY_1", "https://pay.test/\xff", &a);
    assert_int_equal(a.status, 503);
    assert_string_equal(a.body,
                        "{\"err\":true,\"success\":false,\"content\":\"Service unavailable\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ARENA(errors),
        TEST_ARENA(every_error_is_json),
        TEST_ARENA(successes),
        TEST_ARENA(deposits),
        TEST_ARENA(paid_by_either_endpoint),
        TEST_ARENA(envelope_around_an_object),
        TEST(no_memory),
        TEST_ARENA(text_that_is_no_utf8),
    };
    return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
