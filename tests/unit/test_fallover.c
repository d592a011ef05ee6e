/* Creating payments by the breakers and switches of providers: who is called, who is passed over,
 * and what counts. */
#include "breakers.h"

#include "flow/checkout.h"
#include "flow/replay.h"

#define HEAD(status)  "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n"
#define TEXT(literal) literal, sizeof(literal) - 1
#define SESSION       "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"
#define FIRST         "POST /first/session\n"
#define SECOND        "POST /second/session\n"

static const struct script made = {
    ACT_ANSWER,
    TEXT(HEAD("201 Created") "Content-Length: 49\r\n\r\n{\"session_id\":\"" SESSION "\"}")};
static const struct script declined = {
    ACT_ANSWER, TEXT(HEAD("400 No") "Content-Length: 23\r\n\r\n{\"error\":\"Not for you\"}")};
static const struct script too_many = {
    ACT_ANSWER, TEXT(HEAD("429 Slow") "Retry-After: 17\r\nContent-Length: 2\r\n\r\n{}")};
static const struct script oops = {ACT_ANSWER,
                                   TEXT(HEAD("500 Oops") "Content-Length: 2\r\n\r\n{}")};
static const struct script no_handshake = {ACT_CLOSE, TEXT("")};

/* A deposit through the house brand; by_name: of the first partner alone. Gives its answer, with
 * whom it asked. */
static struct answer deposit(bool by_name, char ret_asked[512])
{
    static struct checkout checkout;
    struct answer answer;
    checkout = (struct checkout){.drivers = {&payviox_driver, &second_driver},
                                 .driver_count = by_name ? 1 : 2,
                                 .deadline_ms = clock_mono_ms() + 20000,
                                 .key = {.user_id = user_id, .path = "/paiement/mannco"}};
    struct payment *payment = &checkout.intent.payment;
    make_intent(&checkout.intent);
    payment->surface = SURFACE_PAIEMENT;
    (void)text_copy(payment->provider, PROVIDER_NAME_MAX, by_name ? "payviox" : "mannco");
    (void)snprintf(checkout.key.text, IDEMPOTENCY_KEY_MAX, "key of %s", payment->id);
    arena_reset(arena);
    checkout_run(context, arena, &checkout, &answer);
    server_copy_lines(ret_asked, 512);
    if (answer.status == 503) { /* whatever else: it may be sent again */
        struct answer again;
        assert_string_equal(err_message(answer.err), "Provider unavailable");
        assert_false(replay_find(context, arena, &checkout.key, &again));
    }
    return answer;
}

static int64_t payments_stored(void)
{
    char text[100];
    (void)snprintf(text, sizeof text, "SELECT COUNT(*) FROM payments WHERE user_id = %s", owner);
    return number(text);
}

static void put_first(const char *columns)
{
    char text[300];
    (void)snprintf(text, sizeof text, "REPLACE INTO provider_health SET provider = 'payviox', %s",
                   columns);
    change(text);
    be_another_process();
}

#define OPEN_FOR(provider, seconds)                                                                \
    "REPLACE INTO provider_health SET provider = '" provider "', opened_at = NOW(3),"              \
    " open_until = NOW(3) + INTERVAL " seconds " SECOND"

static void the_house_brand_passes_over(void **state)
{
    static const struct {
        const char *what, *first, *second, *house; /* statements; NULL: none */
        const struct script *script;
        const char *asked;
        int status;
        int64_t retry_after_s, stored;
    } rows[] = {
        {"both closed", NULL, NULL, NULL, &made, FIRST, 200, 0, 1},
        {"the first open", OPEN_FOR("payviox", "100"), NULL, NULL, &made, SECOND, 200, 0, 1},
        {"the second open", NULL, OPEN_FOR("second", "100"), NULL, &made, FIRST, 200, 0, 1},
        {"both open", OPEN_FOR("payviox", "100"), OPEN_FOR("second", "50"), NULL, &made, "", 503,
         50, 0},
        {"both open, the other way round", OPEN_FOR("payviox", "50"), OPEN_FOR("second", "100"),
         NULL, &made, "", 503, 50, 0},
        {"the first refuses, the second open", NULL, OPEN_FOR("second", "100"), NULL, &declined,
         FIRST, 502, 0, 1},
        {"the first takes no more, the second open", NULL, OPEN_FOR("second", "100"), NULL,
         &too_many, FIRST, 503, 17, 1},
        {"the first switched off",
         "REPLACE INTO provider_health SET provider = 'payviox', disabled = 1", NULL, NULL, &made,
         SECOND, 200, 0, 1},
        {"the house brand switched off", NULL, NULL,
         "REPLACE INTO provider_health SET provider = 'mannco', disabled = 1", &made, "", 503, 60,
         0},
        {"the first half open", OPEN_FOR("payviox", "-1"), NULL, NULL, &made, FIRST, 200, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *const statements[] = {rows[i].first, rows[i].second, rows[i].house};
        char asked[512];
        assert_int_equal(clean(state), 0);
        for (size_t k = 0; k < COUNT(statements); k++)
            if (statements[k] != NULL)
                change(statements[k]);
        int64_t before = payments_stored();
        server_scripts(rows[i].script, rows[i].script);
        const struct answer answer = deposit(false, asked);
        ROW(strcmp(asked, rows[i].asked) == 0, "%s: asked %s", rows[i].what, asked);
        ROW(answer.status == rows[i].status, "%s: %d", rows[i].what, answer.status);
        ROW(answer.retry_after_s <= rows[i].retry_after_s &&
                answer.retry_after_s >=
                    rows[i].retry_after_s - (rows[i].retry_after_s == 50 ? 20 : 0),
            "%s: Retry-After %lld", rows[i].what, (long long)answer.retry_after_s);
        ROW(payments_stored() - before == rows[i].stored, "%s: stored", rows[i].what);
        ROW((answer.payment_id[0] != '\0') == (rows[i].stored == 1), "%s: %s", rows[i].what,
            answer.payment_id);
    }
    ROWS_END();
}

/* F53: A is down. Its own callers are told at once, and through the house brand B takes all. */
static void f53_a_is_down_and_b_is_not(void **state)
{
    char asked[512];
    (void)state;
    for (int i = 0; i < 10; i++) {
        server_scripts(&oops, &oops);
        assert_int_equal(deposit(true, asked).status, 502);
        assert_string_equal(asked, FIRST);
    }
    server_scripts(&made, &made);
    int64_t before = payments_stored();
    for (int i = 0; i < 5; i++) {
        int64_t started_ms = clock_mono_ms();
        const struct answer answer = deposit(true, asked);
        assert_int_equal(answer.status, 503);
        assert_in_range(answer.retry_after_s, 60, 120);
        assert_true(clock_mono_ms() - started_ms < 5000);
    }
    assert_int_equal(server_requests(), 0);
    assert_int_equal(payments_stored(), before);
    assert_int_equal(deposit(false, asked).status, 200);
    assert_string_equal(asked, SECOND);
    assert_int_equal(number("SELECT SUM(failures) FROM provider_calls WHERE provider = 'second'"),
                     -1);
}

/* Who is not reached counts against him alone; the one who took over is healthy. */
static void falling_over_counts(void **state)
{
    char asked[512];
    (void)state;
    for (int i = 0; i < 10; i++) {
        server_scripts(&no_handshake, &made);
        assert_int_equal(deposit(false, asked).status, 200);
        assert_string_equal(asked, SECOND);
    }
    assert_false(may_call());
    assert_true(breaker_is_closed(context, arena, &second_driver));
    let_a_second_pass();
    assert_true(breaker_is_closed(context, arena, &second_driver));
    assert_int_equal(number("SELECT SUM(calls) * 100 + SUM(failures) FROM provider_calls"
                            " WHERE provider = 'payviox'"),
                     1010);
    assert_int_equal(number("SELECT SUM(calls) * 100 + SUM(failures) FROM provider_calls"
                            " WHERE provider = 'second'"),
                     1000);
}

/* The call that tries is a payment as any other, and closes for all. */
static void a_payment_tries(void **state)
{
    static const char half_open[] = "opened_at = NOW(3), open_until = NOW(3) - INTERVAL 1 SECOND";
    char asked[512];
    (void)state;
    put_first(half_open);
    server_scripts(&oops, &oops);
    assert_int_equal(deposit(true, asked).status, 502);
    assert_int_equal(deposit(true, asked).status, 503);
    put_first(half_open);
    server_scripts(&made, &made);
    assert_int_equal(deposit(true, asked).status, 200);
    assert_int_equal(deposit(true, asked).status, 200);
    assert_int_equal(number("SELECT COUNT(*) FROM provider_health WHERE open_until IS NOT NULL"),
                     0);
}

/* A payment that is refused before the call does not keep the others from trying. */
static void a_payment_that_is_not_made_gives_its_pass_back(void **state)
{
    struct checkout checkout = {.drivers = {&payviox_driver},
                                .driver_count = 1,
                                .deadline_ms = clock_mono_ms() + 20000,
                                .wish = {.asset_ids = {1}, .count = 1}};
    struct answer answer;
    (void)state;
    put_first("opened_at = NOW(3), open_until = NOW(3) - INTERVAL 1 SECOND");
    make_intent(&checkout.intent);
    checkout.intent.payment.type = PAYMENT_ITEMS;
    checkout_run(context, arena, &checkout, &answer);
    assert_string_equal(err_message(answer.err), "No items found");
    assert_int_equal(number("SELECT COUNT(*) FROM provider_health WHERE probe_id IS NULL"), 1);
    assert_true(may_call());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CLEAN(the_house_brand_passes_over),
        TEST_CLEAN(f53_a_is_down_and_b_is_not),
        TEST_CLEAN(falling_over_counts),
        TEST_CLEAN(a_payment_tries),
        TEST_CLEAN(a_payment_that_is_not_made_gives_its_pass_back),
    };
    int exit_code;
    if (!database_is_named("fallover", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("fallover", tests, set_up, tear_down);
}
