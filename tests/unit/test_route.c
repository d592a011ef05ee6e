/* A deposit that the house brand hands to partners: who is asked next and when nobody is, whose
 * word about it counts afterwards, and that a successor goes on with the right one. Two partners,
 * played by a TLS server; a real database, see database.h. */
#include "partner.h" /* first: it includes code that knows no globals of tests */

#include "database.h"

#include "flow/checkout.h"
#include "flow/notice.h"
#include "flow/reconcile.h"
#include "flow/replay.h"
#include "store/ledger.h"
#include "tls_server.h"

#include <sys/wait.h>

#define HEAD(status)  "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n"
#define TEXT(literal) literal, sizeof(literal) - 1
#define SESSION       "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"
#define PAGE          "https://second.test/" SESSION
#define ASKED_FIRST   "POST /first/session\n"
#define ASKED_SECOND  "POST /second/session\n"
#define AMOUNT        10000

static struct context *context;

static const struct script made = {
    ACT_ANSWER,
    TEXT(HEAD("201 Created") "Content-Length: 49\r\n\r\n{\"session_id\":\"" SESSION "\"}")};
static const struct script refused = {
    ACT_ANSWER, TEXT(HEAD("400 No") "Content-Length: 23\r\n\r\n{\"error\":\"Not for you\"}")};
static const struct script too_many = {
    ACT_ANSWER, TEXT(HEAD("429 Slow") "Retry-After: 17\r\nContent-Length: 2\r\n\r\n{}")};
static const struct script broken = {ACT_ANSWER,
                                     TEXT(HEAD("500 Oops") "Content-Length: 2\r\n\r\n{}")};
static const struct script garbage = {ACT_ANSWER,
                                      TEXT(HEAD("201 Created") "Content-Length: 2\r\n\r\n{}")};
static const struct script no_handshake = {ACT_CLOSE, TEXT("")};
static const struct script cut = {ACT_READ_CLOSE, TEXT("")};
static const struct script silent = {ACT_READ_HANG, TEXT("")};

static int set_up(void **state)
{
    if (server_start(state) != 0 || database_open(state) != 0)
        return 1;
    (void)text_copy(settings.provider.ca_file, CONF_TEXT_MAX, server.ca_file);
    (void)snprintf(second_url, sizeof second_url, "https://localhost:%d/second", server.port);
    second_set_up();
    context = context_new(&settings, pool);
    return context == NULL;
}

static int tear_down(void **state)
{
    context_free(context);
    return database_close(state) + server_stop(state);
}

/* The first partner listens, or nobody does at its address. */
static void place_first(bool listens)
{
    (void)snprintf(settings.payviox.api_url, CONF_TEXT_MAX, "https://localhost:%d/first",
                   listens ? server.port : 1);
}

/* A deposit through the house brand, as POST /paiement would hand it over. */
static void make_checkout(struct checkout *ret_checkout)
{
    *ret_checkout = (struct checkout){.drivers = {&payviox_driver, &second_driver},
                                      .driver_count = 2,
                                      .deadline_ms = clock_mono_ms() + 20000,
                                      .key = {.user_id = user_id, .path = "/paiement/mannco"}};
    struct payment_intent *intent = &ret_checkout->intent;
    make_intent(intent);
    intent->tos_ms = -1;
    intent->return_url = "https://shop.test/paid?cart=1";
    intent->payment.surface = SURFACE_PAIEMENT;
    (void)text_copy(intent->payment.provider, PROVIDER_NAME_MAX, "mannco");
    (void)snprintf(ret_checkout->key.text, IDEMPOTENCY_KEY_MAX, "key of %s", intent->payment.id);
}

struct seen {
    const char *payment_id;
    char status[20], outcomes[200], message[200];
    int64_t checks;
};

static enum err seen_unit(struct db *db, void *unit)
{
    struct seen *seen = unit;
    struct payment payment;
    enum err err = payments_get(db, seen->payment_id, &payment);
    if (err)
        return err;
    (void)text_copy(seen->status, sizeof seen->status, payment_status_name(payment.status));
    seen->checks =
        raw_number(db, "SELECT COUNT(*) FROM payment_checks WHERE payment_id = '%s'", payment.id);
    return ERR_NONE;
}

/* Every answer that an attempt of the payment got, in their order: "payviox refused, ..." */
static enum err outcomes_unit(struct db *db, void *unit)
{
    struct seen *seen = unit;
    char text[400];
    (void)snprintf(text, sizeof text,
                   "SELECT GROUP_CONCAT(CONCAT(provider, ' ', COALESCE(outcome, '-')) ORDER BY"
                   " number, answer_id SEPARATOR ', ') FROM attempts LEFT JOIN attempt_answers"
                   " USING (attempt_id) WHERE payment_id = '%s'",
                   seen->payment_id);
    db_rows_end(db);
    assert_int_equal(mysql_query(db->mysql, text), 0);
    MYSQL_RES *result = mysql_store_result(db->mysql);
    MYSQL_ROW row = mysql_fetch_row(result);
    (void)text_copy(seen->outcomes, sizeof seen->outcomes, row[0] == NULL ? "" : row[0]);
    mysql_free_result(result);
    return ERR_NONE;
}

static struct seen look_at(const char *payment_id)
{
    struct seen seen = {.payment_id = payment_id};
    assert_int_equal(db_query(pool, arena, seen_unit, &seen), ERR_NONE);
    assert_int_equal(db_query(pool, arena, outcomes_unit, &seen), ERR_NONE);
    return seen;
}

#define OK_BODY                                                                                    \
    "{\"err\":false,\"success\":true,\"content\":{\"paymentId\":\"%s\",\"provider\":\"mannco\","   \
    "\"amount\":10000,\"currency\":\"USD\",\"status\":\"pending\",\"paymentUrl\":\"%s\","          \
    "\"expiresAt\":\""
#define FIRST_PAGE NULL /* where it lies is the configuration's */

static const struct {
    const char *what;
    bool first_listens;
    const struct script *first, *second; /* what the first and the second connection meets */
    const char *asked;                   /* of whom */
    int status;
    const char *content; /* the message, or where the payer goes */
    const char *outcomes, *payment;
    int64_t retry_after_s;
    int kept; /* the status that a repeated request gets: 0: none, it is new; 409: open */
} rows[] = {
    {"the first takes it", true, &made, &made, ASKED_FIRST, 200, FIRST_PAGE, "payviox pending",
     "pending", 0, 200},
    {"nobody listens at the first", false, &made, &made, ASKED_SECOND, 200, PAGE,
     "payviox not_sent, second pending", "pending", 0, 200},
    {"the first hangs up before TLS", true, &no_handshake, &made, ASKED_SECOND, 200, PAGE,
     "payviox not_sent, second pending", "pending", 0, 200},
    {"the first refuses", true, &refused, &made, ASKED_FIRST ASKED_SECOND, 200, PAGE,
     "payviox refused, second pending", "pending", 0, 200},
    {"the first takes no more", true, &too_many, &made, ASKED_FIRST ASKED_SECOND, 200, PAGE,
     "payviox not_sent, second pending", "pending", 0, 200},
    {"the first is cut after the request", true, &cut, &made, ASKED_FIRST, 504,
     "Payment outcome unknown", "payviox unknown", "pending", 0, 409},
    {"the first answers 500", true, &broken, &made, ASKED_FIRST, 502, "Failed to process payment",
     "payviox unknown", "pending", 0, 502},
    {"the first answers nothing we understand", true, &garbage, &made, ASKED_FIRST, 502,
     "Failed to process payment", "payviox unknown", "pending", 0, 502},
    {"both refuse", true, &refused, &refused, ASKED_FIRST ASKED_SECOND, 502,
     "Failed to process payment", "payviox refused, second refused", "failed", 0, 502},
    {"nobody can be reached", false, &no_handshake, &no_handshake, "", 503, "Provider unavailable",
     "payviox not_sent, second not_sent", "failed", 5, 0},
    {"neither takes any more", true, &too_many, &too_many, ASKED_FIRST ASKED_SECOND, 503,
     "Provider unavailable", "payviox not_sent, second not_sent", "failed", 17, 0},
    {"the first refuses, the second is cut", true, &refused, &cut, ASKED_FIRST ASKED_SECOND, 504,
     "Payment outcome unknown", "payviox refused, second unknown", "pending", 0, 409},
    {"the first refuses, the second answers 500", true, &refused, &broken, ASKED_FIRST ASKED_SECOND,
     502, "Failed to process payment", "payviox refused, second unknown", "pending", 0, 502},
};

static void check_answer(size_t i, const struct checkout *checkout, const struct answer *answer)
{
    const char *id = checkout->intent.payment.id;
    char wanted[700], page[400] = "";
    if (rows[i].content != NULL)
        (void)text_copy(page, sizeof page, rows[i].content);
    else
        (void)snprintf(page, sizeof page, "%s/" SESSION, settings.payviox.page_url);
    if (rows[i].status == 200)
        (void)snprintf(wanted, sizeof wanted, OK_BODY, id, page);
    else
        (void)snprintf(wanted, sizeof wanted, "{\"err\":true,\"success\":false,\"content\":\"%s\"}",
                       page);
    ROW(answer->status == rows[i].status, "%s: %d %s", rows[i].what, answer->status, answer->body);
    ROW(strncmp(answer->body, wanted, strlen(wanted)) == 0, "%s: %s", rows[i].what, answer->body);
    ROW(answer->retry_after_s == rows[i].retry_after_s, "%s: Retry-After %lld", rows[i].what,
        (long long)answer->retry_after_s);
    ROW(strcmp(answer->payment_id, id) == 0, "%s: of %s", rows[i].what, answer->payment_id);
}

static void check_repeated(size_t i, const struct checkout *checkout, const struct answer *first)
{
    struct answer again = {.status = 0};
    bool found = replay_find(context, arena, &checkout->key, &again);
    ROW(found == (rows[i].kept != 0) && again.status == rows[i].kept, "%s: repeated, %d %s",
        rows[i].what, again.status, found ? again.body : "");
    if (found && rows[i].kept != 409)
        ROW(again.replayed && again.len == first->len &&
                memcmp(again.body, first->body, first->len) == 0,
            "%s: repeated, %s", rows[i].what, again.body);
}

static void run_row(size_t i)
{
    struct checkout checkout;
    struct answer answer;
    char lines[512];
    place_first(rows[i].first_listens);
    server_scripts(rows[i].first, rows[i].second);
    make_checkout(&checkout);
    arena_reset(arena);
    checkout_run(context, arena, &checkout, &answer);
    server_copy_lines(lines, sizeof lines);
    ROW(strcmp(lines, rows[i].asked) == 0, "%s: asked %s", rows[i].what, lines);
    check_answer(i, &checkout, &answer);
    check_repeated(i, &checkout, &answer);
    struct seen seen = look_at(checkout.intent.payment.id);
    ROW(strcmp(seen.outcomes, rows[i].outcomes) == 0, "%s: %s", rows[i].what, seen.outcomes);
    ROW(strcmp(seen.status, rows[i].payment) == 0, "%s: the payment is %s", rows[i].what,
        seen.status);
    ROW(seen.checks == (strcmp(rows[i].payment, "failed") == 0 ? 0 : 1), "%s: %lld checks wait",
        rows[i].what, (long long)seen.checks);
}

static void who_is_asked(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        run_row(i);
    ROWS_END();
}

/* The whole order, under the one reference. */
static void the_second_gets_the_same_order(void **state)
{
    struct checkout checkout;
    struct answer answer;
    char wanted[100];
    (void)state;
    place_first(false);
    server_scripts(&made, &made);
    make_checkout(&checkout);
    (void)text_copy(checkout.intent.payment.method, METHOD_MAX, "seashells");
    arena_reset(arena);
    checkout_run(context, arena, &checkout, &answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(server.request, "\"paymentMethodId\":\"seashells\""));
    (void)snprintf(wanted, sizeof wanted, "\"order_id\":\"%s\"", checkout.intent.payment.id);
    assert_non_null(strstr(server.request, wanted));
    assert_non_null(strstr(server.request, "\"amount\":10000,\"currency\":\"USD\""));
}

/* Without time to hear an answer nobody is asked. */
static void no_time_left(void **state)
{
    struct checkout checkout;
    struct answer answer;
    (void)state;
    place_first(true);
    server_scripts(&made, &made);
    make_checkout(&checkout);
    checkout.deadline_ms = clock_mono_ms() + 1500;
    arena_reset(arena);
    checkout_run(context, arena, &checkout, &answer);
    assert_int_equal(answer.status, 503);
    assert_int_equal(server_requests(), 0);
    struct seen seen = look_at(checkout.intent.payment.id);
    assert_string_equal(seen.outcomes, "payviox not_sent");
    assert_string_equal(seen.status, "failed");
}

static enum settle_verdict notify(const struct provider_driver *driver, const char *payment_id,
                                  const char *type)
{
    struct settled_notice notice;
    char body[400];
    int len = snprintf(body, sizeof body,
                       "{\"amount\":%d,\"currency\":\"USD\",\"fees\":0,\"order_id\":\"%s\","
                       "\"metadata\":{\"integration_session_id\":\"" SESSION "\"},"
                       "\"type\":\"%s\",\"sent_by\":\"%s\"}",
                       AMOUNT, payment_id, type, driver->name);
    arena_reset(arena);
    assert_int_equal(notice_settle(context, arena, driver, body, (size_t)len, true, &notice),
                     ERR_NONE);
    return notice.verdict;
}

struct money_unit {
    const char *payment_id;
    int64_t balance, second, first, reviews;
};

static enum err money_unit(struct db *db, void *unit)
{
    static const char held[] =
        "SELECT COALESCE(SUM(e.amount), 0) FROM ledger_entries e JOIN ledger_accounts"
        " USING (account_id) JOIN ledger_postings USING (posting_id) WHERE kind = 'provider'"
        " AND owner = '%s' AND document_id = '%s'";
    struct money_unit *money = unit;
    money->second = raw_number(db, held, "second", money->payment_id);
    money->first = raw_number(db, held, "payviox", money->payment_id);
    money->reviews =
        raw_number(db, "SELECT COUNT(*) FROM events WHERE payment_id = '%s' AND kind = 'review'",
                   money->payment_id);
    return ledger_balance(db, user_id, "USD", &money->balance);
}

static struct money_unit money_of(const char *payment_id)
{
    struct money_unit money = {.payment_id = payment_id};
    assert_int_equal(db_query(pool, arena, money_unit, &money), ERR_NONE);
    return money;
}

/* A deposit that the second partner has taken after the first refused. */
static void make_second(struct checkout *ret_checkout)
{
    struct answer answer;
    place_first(true);
    server_scripts(&refused, &made);
    make_checkout(ret_checkout);
    arena_reset(arena);
    checkout_run(context, arena, ret_checkout, &answer);
    assert_int_equal(answer.status, 200);
}

/* F15: what the partner says who was left does not touch what the next one has; F07: should it
 * have taken money after all, a person must look. */
static void only_the_last_ones_word_counts(void **state)
{
    struct checkout checkout;
    (void)state;
    make_second(&checkout);
    const char *id = checkout.intent.payment.id;
    int64_t before = money_of(id).balance;
    assert_int_equal(notify(&payviox_driver, id, "declined"), SETTLE_MISMATCH);
    assert_int_equal(notify(&payviox_driver, id, "expired"), SETTLE_MISMATCH);
    assert_int_equal(notify(&payviox_driver, id, "succeeded"), SETTLE_MISMATCH);
    assert_string_equal(look_at(id).status, "pending");
    assert_int_equal(money_of(id).balance, before);
    assert_int_equal(money_of(id).reviews, 3);

    assert_int_equal(notify(&second_driver, id, "succeeded"), SETTLE_APPLIED);
    struct money_unit after = money_of(id);
    assert_string_equal(look_at(id).status, "completed");
    assert_int_equal(after.balance, before + AMOUNT);
    assert_int_equal(after.second, -AMOUNT);
    assert_int_equal(after.first, 0);
    assert_int_equal(look_at(id).checks, 0);

    assert_int_equal(notify(&payviox_driver, id, "refunded"), SETTLE_MISMATCH);
    assert_string_equal(look_at(id).status, "completed");
}

static enum err due_unit(struct db *db, void *payment_id)
{
    enum err err = raw(db, "UPDATE attempts SET deadline_at = created_at WHERE payment_id = '%s'",
                       (const char *)payment_id);
    return err ? err
               : raw(db, "UPDATE payment_checks SET due_at = '2000-01-01' WHERE payment_id = '%s'",
                     (const char *)payment_id);
}

/* Looks at the payment now, as the jobs program would: it must be stopped meanwhile. */
static struct reconciled check_now(const char *payment_id)
{
    struct reconciled done;
    arena_reset(arena);
    assert_int_equal(db_query(admin_pool, arena, due_unit, (void *)payment_id), ERR_NONE);
    assert_int_equal(reconcile_step(context, arena, &done), ERR_NONE);
    assert_string_equal(done.payment_id, payment_id);
    return done;
}

/* A session read back: what the second partner says of a payment. */
static void play_reading(const char *payment_id, const char *status)
{
    static char answer[1000], body[500];
    static struct script script;
    (void)snprintf(body, sizeof body,
                   "{\"session_id\":\"" SESSION "\",\"order_id\":\"%s\",\"status\":\"%s\","
                   "\"amount\":%d,\"currency\":\"USD\",\"fees\":0}",
                   payment_id, status, AMOUNT);
    (void)snprintf(answer, sizeof answer, HEAD("200 OK") "Content-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
    script = (struct script){ACT_ANSWER, answer, strlen(answer)};
    server_scripts(&script, &script);
}

static void the_check_asks_the_last_one(void **state)
{
    struct checkout checkout;
    char lines[512];
    (void)state;
    make_second(&checkout);
    const char *id = checkout.intent.payment.id;
    int64_t before = money_of(id).balance;
    play_reading(id, "succeeded");
    (void)check_now(id);
    server_copy_lines(lines, sizeof lines);
    assert_string_equal(lines, "GET /second/payment/" SESSION "\n");
    assert_string_equal(look_at(id).status, "completed");
    assert_int_equal(money_of(id).balance, before + AMOUNT);
    assert_int_equal(money_of(id).second, -AMOUNT);
}

/* The payer may come back from the first one's page too: the one who has the payment is asked. */
static void the_return_asks_the_last_one(void **state)
{
    const struct provider_driver *from[] = {&payviox_driver, &second_driver};
    (void)state;
    for (size_t i = 0; i < COUNT(from); i++) {
        struct checkout checkout;
        struct payment payment;
        char url[URL_MAX], lines[512];
        make_second(&checkout);
        play_reading(checkout.intent.payment.id, "succeeded");
        arena_reset(arena);
        assert_int_equal(reconcile_returned(context, arena, from[i], checkout.intent.payment.id,
                                            clock_mono_ms() + 5000, &payment, url),
                         ERR_NONE);
        server_copy_lines(lines, sizeof lines);
        ROW(strcmp(lines, "GET /second/payment/" SESSION "\n") == 0, "from %s: asked %s",
            from[i]->name, lines);
        ROW(strcmp(payment.id, checkout.intent.payment.id) == 0, "from %s: %s", from[i]->name,
            payment.id);
        ROW(payment.status == PAYMENT_COMPLETED, "from %s: %s", from[i]->name,
            payment_status_name(payment.status));
        ROW(strcmp(url, checkout.intent.return_url) == 0, "from %s: %s", from[i]->name, url);
    }
    ROWS_END();
}

/* A process that dies while the second partner thinks: its successor asks that one again. */
static void die_while_the_second_is_asked(const struct checkout *checkout)
{
    int status;
    server_scripts(&refused, &silent);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) { /* with a pool of its own: connections do not survive a fork */
        struct answer answer;
        struct context *own = context_new(&settings, db_pool_new(&settings, false));
        checkout_run(own, arena_new(ARENA_BYTES), checkout, &answer);
        _exit(1);
    }
    for (int tries = 0; server_requests() < 2 && tries < 3000; tries++)
        clock_sleep_ms(10);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void a_successor_goes_on_with_the_last_one(void **state)
{
    struct checkout checkout;
    struct answer again;
    char lines[512];
    (void)state;
    place_first(true);
    make_checkout(&checkout);
    const char *id = checkout.intent.payment.id;
    die_while_the_second_is_asked(&checkout);
    assert_string_equal(look_at(id).outcomes, "payviox refused, second -");
    assert_string_equal(look_at(id).status, "pending");

    server_scripts(&made, &made);
    assert_string_equal(check_now(id).found, "create sent again");
    server_copy_lines(lines, sizeof lines);
    assert_string_equal(lines, ASKED_SECOND);
    assert_string_equal(look_at(id).outcomes, "payviox refused, second pending");
    arena_reset(arena);
    assert_true(replay_find(context, arena, &checkout.key, &again));
    assert_int_equal(again.status, 200);
    assert_non_null(strstr(again.body, PAGE));
}

/* The successor's own "no" says nothing of the first create, which may have happened. But nobody
 * knows where to pay that one, and when another attempt with another reference is refused too,
 * there is no hope left: its caller is told so. */
static void a_successor_that_is_refused_twice_gives_up(void **state)
{
    struct checkout checkout;
    struct answer again;
    (void)state;
    place_first(true);
    make_checkout(&checkout);
    die_while_the_second_is_asked(&checkout);
    server_scripts(&refused, &refused);
    (void)check_now(checkout.intent.payment.id);
    struct seen seen = look_at(checkout.intent.payment.id);
    assert_string_equal(seen.outcomes, "payviox refused, second unknown, second refused");
    assert_string_equal(seen.status, "failed");
    assert_int_equal(seen.checks, 0);
    arena_reset(arena);
    assert_true(replay_find(context, arena, &checkout.key, &again));
    assert_int_equal(again.status, 502);
}

/* Taken, and nobody knows by which session: a reference of its own leads to one that is known. */
static void f41_f43_taken_is_no_failure(void **state)
{
    struct checkout checkout;
    struct answer again;
    (void)state;
    place_first(true);
    make_checkout(&checkout);
    die_while_the_second_is_asked(&checkout);
    server_scripts(&refused, &made);
    assert_string_equal(check_now(checkout.intent.payment.id).found, "create sent again");
    struct seen seen = look_at(checkout.intent.payment.id);
    assert_string_equal(seen.outcomes, "payviox refused, second unknown, second pending");
    assert_string_equal(seen.status, "pending");
    assert_int_equal(seen.checks, 1);
    arena_reset(arena);
    assert_true(replay_find(context, arena, &checkout.key, &again));
    assert_int_equal(again.status, 200);
    assert_non_null(strstr(again.body, PAGE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_is_asked),
        TEST(the_second_gets_the_same_order),
        TEST(no_time_left),
        TEST(only_the_last_ones_word_counts),
        TEST(the_check_asks_the_last_one),
        TEST(the_return_asks_the_last_one),
        TEST(a_successor_goes_on_with_the_last_one),
        TEST(a_successor_that_is_refused_twice_gives_up),
        TEST(f41_f43_taken_is_no_failure),
    };
    int exit_code;
    if (!database_is_named("route", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("route", tests, set_up, tear_down);
}
