/* A payment with several attempts: whichever is paid first has paid it, what another one brings in
 * is surplus, and what is given up changes nothing that could still be paid. In any order, with
 * copies. Needs a database: see database.h. */
#include "database.h"

#include "flow/settle.h"
#include "provider/payviox.h"
#include "store/ledger.h"

#define AMOUNT 10000

static struct money usd(int64_t units)
{
    struct money money;
    assert_true(money_make(units, "USD", &money));
    return money;
}

/* Two attempts with Payviox: the first was never answered, the second's payer knows where to pay.
 */
static enum err attempts_unit(struct db *db, void *intent)
{
    const struct payment *payment = &((const struct payment_intent *)intent)->payment;
    char reference[IDENT_MAX];
    struct attempt last;
    int64_t id;
    attempt_reference(payment->id, 2, reference);
    enum err err = attempts_insert(db, payment, 1, "payviox", payment->id, 0, &id);
    if (!err)
        err = attempts_insert(db, payment, 2, "payviox", reference, 0, &id);
    if (!err)
        err = attempts_last(db, payment->id, &last);
    if (!err)
        err = answers_insert(db, last.id,
                             &(struct attempt_answer){.outcome = OUTCOME_PENDING,
                                                      .http_status = 201,
                                                      .provider_reference = "session2",
                                                      .reason = "",
                                                      .url = "https://pay.test/2"});
    return err ? err : checks_insert(db, payment->id, 3600);
}

static void make_payment(struct payment_intent *ret_intent)
{
    insert_payment(ret_intent);
    assert_int_equal(db_transact(pool, arena, attempts_unit, ret_intent), ERR_NONE);
}

struct word {
    int attempt;
    enum payment_fact fact;
    bool given_back;
    int64_t part; /* of a refund; 0: all of it */
};

struct say_unit {
    const char *payment_id;
    struct word word;
    enum settle_verdict verdict;
    char note[REASON_MAX];
};

static enum err say_unit(struct db *db, void *state)
{
    struct say_unit *unit = state;
    struct provider_truth truth = {.fact = unit->word.fact,
                                   .given_back = unit->word.given_back,
                                   .has_amount = true,
                                   .amount = usd(AMOUNT),
                                   .fees = usd(0),
                                   .has_change = unit->word.part != 0,
                                   .change = usd(unit->word.part)};
    (void)snprintf(truth.reference, sizeof truth.reference, "%s%s", unit->payment_id,
                   unit->word.attempt == 1 ? "" : "-2");
    (void)snprintf(truth.provider_reference, sizeof truth.provider_reference, "session%d",
                   unit->word.attempt);
    (void)text_copy(truth.word, sizeof truth.word, payment_fact_name(unit->word.fact));
    return settle_apply(db, &payviox_driver, &truth, "webhook", &unit->verdict, unit->note);
}

static enum settle_verdict say(const char *payment_id, struct word word)
{
    struct say_unit unit = {.payment_id = payment_id, .word = word};
    arena_reset(arena);
    enum err err = db_transact(pool, arena, say_unit, &unit);
    if (err)
        fail_msg("%s: %s", err_message(err), db_last_problem());
    return unit.verdict;
}

struct state {
    const char *id;
    struct payment payment;
    int64_t balance, surplus, reviews, checks;
};

static enum err state_unit(struct db *db, void *context)
{
    struct state *s = context;
    enum err err = payments_get(db, s->id, &s->payment);
    if (!err)
        err = ledger_balance(db, user_id, "USD", &s->balance);
    s->surplus = raw_number(db,
                            "SELECT COUNT(*) FROM ledger_postings WHERE document_id = '%s'"
                            " AND effect = 'surplus'",
                            s->id);
    s->reviews = raw_number(
        db, "SELECT COUNT(*) FROM reviews WHERE payment_id = '%s' AND kind = 'surplus'", s->id);
    s->checks =
        raw_number(db, "SELECT COUNT(*) FROM payment_checks WHERE payment_id = '%s'", s->id);
    return err;
}

static struct state state_of(const char *payment_id)
{
    struct state s = {.id = payment_id};
    arena_reset(arena);
    assert_int_equal(db_query(admin_pool, arena, state_unit, &s), ERR_NONE);
    return s;
}

static enum err verify_unit(struct db *db, void *breaks)
{
    return ledger_verify(db, stderr, breaks);
}

static void assert_ledger(void)
{
    int64_t breaks = -1;
    arena_reset(arena);
    assert_int_equal(db_snapshot(admin_pool, arena, verify_unit, &breaks), ERR_NONE);
    assert_int_equal(breaks, 0);
}

/* The number chooses one of the orders of the words. */
static void shuffle(int number, struct word *words, int count)
{
    for (int i = count - 1; i > 0; i--) {
        int other = number % (i + 1);
        struct word swapped = words[i];
        number /= i + 1;
        words[i] = words[other];
        words[other] = swapped;
    }
}

static void f07_f15_paid_twice_is_surplus_once_in_any_order(void **state)
{
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct word words[] = {{1, FACT_SUCCEEDED, false, 0},  {2, FACT_SUCCEEDED, false, 0},
                               {1, FACT_FAILED, false, 0},     {1, FACT_EXPIRED, false, 0},
                               {2, FACT_PROCESSING, false, 0}, {2, FACT_FAILED, false, 0}};
        struct payment_intent intent;
        make_payment(&intent);
        int64_t before = state_of(intent.payment.id).balance;
        shuffle(round * 13 + 5, words, COUNT(words));
        for (size_t i = 0; i < 3 * COUNT(words); i++)
            ROW(say(intent.payment.id, words[i % COUNT(words)]) == SETTLE_APPLIED,
                "order %d, word %zu", round, i);
        struct state s = state_of(intent.payment.id);
        ROW(s.payment.status == PAYMENT_COMPLETED && s.balance == before + 2 * AMOUNT &&
                s.surplus == 1 && s.reviews == 1,
            "order %d: %s, balance %+lld, %lld surplus, %lld reviews", round,
            payment_status_name(s.payment.status), (long long)(s.balance - before),
            (long long)s.surplus, (long long)s.reviews);
    }
    assert_ledger();
    ROWS_END();
}

static void f11_one_of_two_is_given_back_in_any_order(void **state)
{
    (void)state;
    for (int round = 0; round < 6; round++) {
        struct word words[] = {{1, FACT_SUCCEEDED, false, 0},
                               {2, FACT_SUCCEEDED, false, 0},
                               {2, FACT_REFUNDED, false, 0}};
        struct payment_intent intent;
        make_payment(&intent);
        int64_t before = state_of(intent.payment.id).balance;
        shuffle(round, words, COUNT(words));
        for (size_t i = 0; i < 3 * COUNT(words); i++)
            ROW(say(intent.payment.id, words[i % COUNT(words)]) == SETTLE_APPLIED,
                "order %d, word %zu", round, i);
        struct state s = state_of(intent.payment.id);
        ROW(payment_is_paid(s.payment.status) && s.balance == before + AMOUNT,
            "order %d: %s, balance %+lld", round, payment_status_name(s.payment.status),
            (long long)(s.balance - before));
    }
    ROWS_END();
}

struct step {
    struct word word;
    enum settle_verdict verdict;
    enum payment_status status;
    int64_t balance; /* since the story began */
};

static void tell(const char *name, const struct step *steps, size_t count)
{
    struct payment_intent intent;
    make_payment(&intent);
    int64_t before = state_of(intent.payment.id).balance;
    for (size_t i = 0; i < 2 * count; i++) { /* everything is said twice */
        const struct step *step = &steps[i / 2];
        enum settle_verdict verdict = say(intent.payment.id, step->word);
        struct state s = state_of(intent.payment.id);
        ROW(verdict == step->verdict && s.payment.status == step->status &&
                s.balance - before == step->balance,
            "%s, step %zu: verdict %d, %s, balance %+lld", name, i / 2, (int)verdict,
            payment_status_name(s.payment.status), (long long)(s.balance - before));
    }
}

#define TELL(name, ...)                                                                            \
    do {                                                                                           \
        static const struct step steps[] = {__VA_ARGS__};                                          \
        tell(name, steps, COUNT(steps));                                                           \
    } while (0)

static void what_is_given_up_leaves_the_rest_alone(void **state)
{
    (void)state;
    TELL("F15: the abandoned one expires and fails; the other is paid",
         {{1, FACT_EXPIRED, false, 0}, SETTLE_APPLIED, PAYMENT_PENDING, 0},
         {{1, FACT_FAILED, true, 0}, SETTLE_APPLIED, PAYMENT_PENDING, 0},
         {{2, FACT_SUCCEEDED, false, 0}, SETTLE_APPLIED, PAYMENT_COMPLETED, AMOUNT},
         {{1, FACT_FAILED, true, 0}, SETTLE_APPLIED, PAYMENT_COMPLETED, AMOUNT},
         {{1, FACT_EXPIRED, false, 0}, SETTLE_APPLIED, PAYMENT_COMPLETED, AMOUNT});
    TELL("the last one fails, and the lost one, whose address nobody has, keeps nothing open",
         {{2, FACT_FAILED, false, 0}, SETTLE_APPLIED, PAYMENT_FAILED, 0},
         {{1, FACT_SUCCEEDED, false, 0}, SETTLE_APPLIED, PAYMENT_COMPLETED, AMOUNT});
    TELL("the surplus is given back by the provider itself",
         {{1, FACT_SUCCEEDED, false, 0}, SETTLE_APPLIED, PAYMENT_COMPLETED, AMOUNT},
         {{2, FACT_SUCCEEDED, false, 0}, SETTLE_APPLIED, PAYMENT_COMPLETED, 2 * AMOUNT},
         {{2, FACT_FAILED, true, 0}, SETTLE_APPLIED, PAYMENT_COMPLETED, AMOUNT},
         {{1, FACT_REFUNDED, false, 0}, SETTLE_APPLIED, PAYMENT_REFUNDED, 0});
    TELL("a part of the surplus, and disputes about it, are for a person",
         {{1, FACT_SUCCEEDED, false, 0}, SETTLE_APPLIED, PAYMENT_COMPLETED, AMOUNT},
         {{2, FACT_REFUNDED, false, 300}, SETTLE_MISMATCH, PAYMENT_COMPLETED, 2 * AMOUNT},
         {{2, FACT_DISPUTED, false, 0}, SETTLE_MISMATCH, PAYMENT_COMPLETED, 2 * AMOUNT});
    TELL("an attempt that was never made",
         {{3, FACT_NOTHING, false, 0}, SETTLE_MISMATCH, PAYMENT_PENDING, 0});
    assert_ledger();
    ROWS_END();
}

static void checks_go_on_while_another_attempt_can_be_paid(void **state)
{
    struct payment_intent intent;
    (void)state;
    make_payment(&intent);
    (void)say(intent.payment.id, (struct word){1, FACT_SUCCEEDED, false, 0});
    assert_int_equal(state_of(intent.payment.id).checks, 1);
    make_payment(&intent);
    (void)say(intent.payment.id, (struct word){2, FACT_SUCCEEDED, false, 0});
    assert_int_equal(state_of(intent.payment.id).checks, 0);
}

struct asking {
    const char *id;
    bool granted[5];
};

static enum err ask_unit(struct db *db, void *context)
{
    struct asking *asking = context;
    enum err err = ERR_NONE;
    for (size_t i = 0; i < COUNT(asking->granted) && !err; i++) {
        if (i == 2)
            err = raw(db,
                      "UPDATE payment_checks SET asked_at = NOW(3) - INTERVAL 4 SECOND"
                      " WHERE payment_id = '%s'",
                      asking->id);
        if (i == 3)
            err = raw(db,
                      "UPDATE payment_checks SET asked_at = NULL, extra = 20"
                      " WHERE payment_id = '%s'",
                      asking->id);
        if (!err && i == 4)
            err = checks_delete(db, asking->id);
        if (!err)
            err = checks_ask(db, asking->id, 3, 20, &asking->granted[i]);
    }
    return err;
}

static void f22_questions_out_of_turn_are_bounded(void **state)
{
    struct payment_intent intent;
    (void)state;
    make_payment(&intent);
    struct asking asking = {.id = intent.payment.id};
    arena_reset(arena);
    assert_int_equal(db_transact(pool, arena, ask_unit, &asking), ERR_NONE);
    static const bool expected[] = {true, false, true, false, false};
    assert_memory_equal(asking.granted, expected, sizeof expected);
}

static void references_lead_to_their_payment(void **state)
{
    static const struct {
        const char *reference, *payment_id; /* NULL: none */
    } rows[] = {
        {"PAY_01M7WP5AWKD4KG5TY09QNPVXWS", "PAY_01M7WP5AWKD4KG5TY09QNPVXWS"},
        {"PAY_01M7WP5AWKD4KG5TY09QNPVXWS-2", "PAY_01M7WP5AWKD4KG5TY09QNPVXWS"},
        {"PAY_01M7WP5AWKD4KG5TY09QNPVXW-2", NULL},
        {"PAY_01M7WP5AWKD4KG5TY09QNPVXWSX-2", NULL},
        {"-2", NULL},
        {"", NULL},
        {"ref_01M7WP5AWKD4KG5TY09QNPVXWS-2", NULL},
        {"PAY_01M7WP5AWKD4KG5TY09QNPVXWSPAY_01M7WP5AWKD4KG5TY09QNPVXWS", NULL},
    };
    char id[IDENT_MAX], reference[IDENT_MAX];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool found = attempt_reference_parse(rows[i].reference, id);
        ROW(found == (rows[i].payment_id != NULL) &&
                (!found || strcmp(id, rows[i].payment_id) == 0),
            "%s", rows[i].reference);
    }
    attempt_reference("PAY_01M7WP5AWKD4KG5TY09QNPVXWS", 4, reference);
    assert_string_equal(reference, "PAY_01M7WP5AWKD4KG5TY09QNPVXWS-4");
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(f07_f15_paid_twice_is_surplus_once_in_any_order),
        TEST(f11_one_of_two_is_given_back_in_any_order),
        TEST(what_is_given_up_leaves_the_rest_alone),
        TEST(checks_go_on_while_another_attempt_can_be_paid),
        TEST(f22_questions_out_of_turn_are_bounded),
        TEST(references_lead_to_their_payment),
    };
    int exit_code = 1;
    if (!database_is_named("test_attempts", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("attempts", tests, database_open, database_close);
}
