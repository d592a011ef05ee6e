/* What is for a person to decide: what does not fit, what an operator says of it, and what is
 * accepted or refused from the review list. */
#include "settle.h"

#include "flow/review.h"
#include "provider/nonstopay.h"

static enum err last_review_unit(struct db *db, void *id)
{
    *(int64_t *)id = raw_number(db, "SELECT MAX(review_id) FROM reviews");
    return ERR_NONE;
}

static int64_t last_review(void)
{
    int64_t id = 0;
    assert_int_equal(db_query(admin_pool, arena, last_review_unit, &id), ERR_NONE);
    return id;
}

static enum err resolve(int64_t review, bool accept, const char **ret_problem)
{
    struct context admin = *context;
    admin.pool = admin_pool;
    arena_reset(arena);
    return review_resolve(&admin, arena, review, accept, "olivia", "seen in the dashboard",
                          ret_problem);
}

static void what_does_not_fit_waits_for_a_person(void **state)
{
    static const struct word success = {FACT_SUCCEEDED, "", 0};
    static const struct {
        const char *stranger;
        int64_t amount;
        bool accept;
        int64_t credited;
    } rows[] = {{NULL, AMOUNT - 1, true, AMOUNT},
                {NULL, AMOUNT + 1, false, 0},
                {"of another environment", AMOUNT, false, 0}};
    const char *why;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct payment_intent intent;
        make_payment(&intent);
        int64_t before = state_of(intent.payment.id).balance;
        struct word_unit unit = {.payment_id = intent.payment.id,
                                 .word = &success,
                                 .amount = rows[i].amount,
                                 .driver = &payviox_driver,
                                 .stranger = rows[i].stranger};
        for (int copy = 0; copy < 3; copy++) {
            assert_int_equal(db_transact(pool, arena, say_unit, &unit), ERR_NONE);
            assert_int_equal(unit.verdict, SETTLE_MISMATCH);
        }
        struct state s = state_of(intent.payment.id);
        assert_int_equal(s.reviews, 1);
        assert_int_equal(s.balance, before);
        int64_t review = last_review();
        assert_int_equal(resolve(review, rows[i].accept, &why), ERR_NONE);
        s = state_of(intent.payment.id);
        assert_int_equal(s.balance, before + rows[i].credited);
        assert_int_equal(resolve(review, rows[i].accept, &why), ERR_CONFLICT);
        assert_string_equal(why, "somebody has resolved it already");
    }
    assert_int_equal(resolve(INT64_MAX, true, &why), ERR_NOT_FOUND);
    assert_ledger();
}

static enum err operator_says(const char *payment_id, enum payment_fact fact, int64_t amount,
                              const char **ret_problem)
{
    const struct operator_word word = {.payment_id = payment_id,
                                       .fact = fact,
                                       .amount = amount,
                                       .reference = "",
                                       .by = "olivia",
                                       .why = "a letter from the bank"};
    arena_reset(arena);
    return operator_settle(context, arena, &word, ret_problem);
}

static void an_operators_word_counts_like_a_providers(void **state)
{
    struct payment_intent intent, bare;
    const char *why;
    (void)state;
    make_payment(&intent);
    insert_payment(&bare); /* nobody was asked for it */
    const char *id = intent.payment.id;
    int64_t before = state_of(id).balance;
    assert_int_equal(operator_says(id, FACT_SUCCEEDED, 0, &why), ERR_NONE);
    assert_int_equal(say(id, (struct word){FACT_SUCCEEDED, "", 0}), SETTLE_APPLIED);
    assert_int_equal(state_of(id).balance, before + AMOUNT);
    assert_int_equal(operator_says(id, FACT_DISPUTED, 3000, &why), ERR_NONE);
    assert_int_equal(state_of(id).balance, before + AMOUNT - 3000);
    assert_int_equal(operator_says(id, FACT_DISPUTE_LOST, 3000, &why), ERR_NONE);
    struct state s = state_of(id);
    assert_int_equal(s.balance, before + AMOUNT - 3000);
    assert_int_equal(s.held, 0);
    assert_int_equal(operator_says(id, FACT_REFUNDED, AMOUNT + 1, &why), ERR_CONFLICT);
    assert_string_equal(why, "a refund that exceeds the payment");
    assert_int_equal(operator_says("PAY_none", FACT_REFUNDED, 0, &why), ERR_NOT_FOUND);
    assert_int_equal(operator_says(bare.payment.id, FACT_SUCCEEDED, 0, &why), ERR_CONFLICT);
    assert_ledger();
}

static enum err refused_unit(struct db *db, void *intent)
{
    static const struct attempt_answer answer = {
        .outcome = OUTCOME_REFUSED, .provider_reference = "", .reason = "down"};
    const struct payment *payment = &((const struct payment_intent *)intent)->payment;
    int64_t first, second;
    enum err err = attempts_insert(db, payment, 1, "nonstopay", payment->id, 20000, &first);
    if (!err)
        err = answers_insert(db, first, &answer);
    return err ? err : attempts_insert(db, payment, 2, "payviox", payment->id, 20000, &second);
}

static enum err provider_unit(struct db *db, void *sums)
{
    static const char *const owners[] = {"nonstopay", "payviox"};
    const char *id = *(const char **)sums;
    int64_t *ret = (int64_t *)((const char **)sums + 1);
    for (size_t i = 0; i < COUNT(owners); i++)
        ret[i] = raw_number(db,
                            "SELECT COALESCE(SUM(e.amount), 0) FROM ledger_entries e"
                            " JOIN ledger_accounts USING (account_id) JOIN ledger_postings"
                            " USING (posting_id) WHERE kind = 'provider' AND owner = '%s'"
                            " AND document_id = '%s'",
                            owners[i], id);
    return ERR_NONE;
}

/* The house brand's first partner has refused, the second one was asked; then both say that they
 * were paid. What is accepted of the first is the first's, and the other one's money is not lost.
 */
static void what_is_accepted_is_of_the_provider_that_said_it(void **state)
{
    static const struct word success = {FACT_SUCCEEDED, "", 0};
    const char *why;
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct payment_intent intent;
        insert_payment(&intent);
        assert_int_equal(db_transact(pool, arena, refused_unit, &intent), ERR_NONE);
        const char *id = intent.payment.id;
        int64_t before = state_of(id).balance;
        if (late)
            assert_int_equal(say(id, success), SETTLE_APPLIED);
        assert_int_equal(
            say_as((struct word_unit){
                .payment_id = id, .word = &success, .amount = AMOUNT, .driver = &nonstopay_driver}),
            SETTLE_MISMATCH);
        assert_int_equal(resolve(last_review(), true, &why), ERR_NONE);
        assert_int_equal(say(id, success), SETTLE_APPLIED);
        struct {
            const char *id;
            int64_t of[2];
        } sums = {.id = id};
        arena_reset(arena);
        assert_int_equal(db_query(admin_pool, arena, provider_unit, &sums), ERR_NONE);
        struct state s = state_of(id);
        ROW(s.balance == before + 2 * AMOUNT && sums.of[0] == -AMOUNT && sums.of[1] == -AMOUNT &&
                s.payment.paid_by == 1 + late,
            "late %d: balance %+lld, nonstopay %lld, payviox %lld, paid by %lld", late,
            (long long)(s.balance - before), (long long)sums.of[0], (long long)sums.of[1],
            (long long)s.payment.paid_by);
    }
    assert_ledger();
    ROWS_END();
}

/* A part whose size the entry does not tell is not taken for the whole. */
static void a_part_cannot_be_accepted_as_the_whole(void **state)
{
    struct payment_intent intent;
    const char *why;
    (void)state;
    make_payment(&intent);
    const char *id = intent.payment.id;
    (void)say(id, (struct word){FACT_SUCCEEDED, "", 0});
    int64_t before = state_of(id).balance;
    static const struct word part = {FACT_PARTLY_REFUNDED, "re_1", 300};
    assert_int_equal(
        say_as((struct word_unit){
            .payment_id = id, .word = &part, .amount = AMOUNT + 1, .driver = &payviox_driver}),
        SETTLE_MISMATCH);
    int64_t review = last_review();
    assert_int_equal(resolve(review, true, &why), ERR_CONFLICT);
    assert_int_equal(state_of(id).balance, before);
    assert_int_equal(resolve(review, false, &why), ERR_NONE);
    assert_ledger();
}

/* The success overtook nothing, or was overtaken: the same credit, and the same question. */
static void given_back_is_looked_at_in_any_order(void **state)
{
    static const struct word failed = {FACT_FAILED, "", 0}, success = {FACT_SUCCEEDED, "", 0},
                             expired = {FACT_EXPIRED, "", 0};
    static const struct word *const orders[][4] = {
        {&success, &failed}, {&failed, &success, &success}, {&failed, &expired, &success, &failed}};
    const char *why;
    (void)state;
    for (size_t i = 0; i < COUNT(orders); i++) {
        struct payment_intent intent;
        make_payment(&intent);
        const char *id = intent.payment.id;
        int64_t before = state_of(id).balance;
        for (size_t j = 0; j < COUNT(orders[i]) && orders[i][j] != NULL; j++)
            (void)say_as((struct word_unit){.payment_id = id,
                                            .word = orders[i][j],
                                            .amount = AMOUNT,
                                            .driver = &payviox_driver,
                                            .given_back = orders[i][j] == &failed});
        struct state s = state_of(id);
        ROW(s.payment.status == PAYMENT_COMPLETED && s.balance == before + AMOUNT && s.reviews > 0,
            "order %zu: %s, %+lld, %lld reviews", i, payment_status_name(s.payment.status),
            (long long)(s.balance - before), (long long)s.reviews);
        assert_int_equal(resolve(last_review(), true, &why), ERR_NONE);
        s = state_of(id);
        ROW(s.payment.status == PAYMENT_REFUNDED && s.balance == before, "order %zu: %s, %+lld", i,
            payment_status_name(s.payment.status), (long long)(s.balance - before));
    }
    assert_ledger();
    ROWS_END();
}

/* Part of it was refunded by us before the provider took all of it back: the rest is not the
 * payer's to keep unseen. */
static void given_back_after_a_refund_in_part_waits_for_a_person(void **state)
{
    static const struct word failed = {FACT_FAILED, "", 0};
    struct payment_intent intent;
    (void)state;
    make_payment(&intent);
    const char *id = intent.payment.id;
    (void)say(id, (struct word){FACT_SUCCEEDED, "", 0});
    (void)say(id, (struct word){FACT_PARTLY_REFUNDED, "re_1", 300});
    struct word_unit unit = {.payment_id = id,
                             .word = &failed,
                             .amount = AMOUNT,
                             .driver = &payviox_driver,
                             .given_back = true};
    assert_int_equal(say_as(unit), SETTLE_MISMATCH);
    assert_int_equal(say_as(unit), SETTLE_MISMATCH);
    assert_int_equal(state_of(id).reviews, 1);
    (void)say(id, (struct word){FACT_PARTLY_REFUNDED, "re_2", AMOUNT - 300});
    assert_int_equal(say_as(unit), SETTLE_APPLIED);
    assert_ledger();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_does_not_fit_waits_for_a_person),
        TEST(an_operators_word_counts_like_a_providers),
        TEST(what_is_accepted_is_of_the_provider_that_said_it),
        TEST(a_part_cannot_be_accepted_as_the_whole),
        TEST(given_back_is_looked_at_in_any_order),
        TEST(given_back_after_a_refund_in_part_waits_for_a_person),
    };
    int exit_code = 1;
    if (!database_is_named("test_review", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("review", tests, set_up, tear_down);
}
