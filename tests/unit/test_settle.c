/* What happens to a payment after a provider or an operator has spoken: refunds that the provider
 * names one by one, disputes, the review list, and that no order of the facts makes a difference.
 * Needs a database: see database.h. */
#include "database.h"

#include "flow/dispute.h"
#include "flow/refund.h"
#include "flow/review.h"
#include "flow/settle.h"
#include "provider/payviox.h"
#include "store/ledger.h"

#define AMOUNT 10000

static struct context *context;

static int set_up(void **state)
{
    if (database_open(state) != 0)
        return 1;
    context = context_new(&settings, pool);
    return context == NULL;
}

static int tear_down(void **state)
{
    context_free(context);
    return database_close(state);
}

static struct money usd(int64_t units)
{
    struct money money;
    assert_true(money_make(units, "USD", &money));
    return money;
}

static enum err attempt_unit(struct db *db, void *intent)
{
    const struct payment_intent *made = intent;
    int64_t id;
    return attempts_insert(db, &made->payment, 1, "payviox", made->payment.id, 20000, &id);
}

/* A deposit of 100.00 that Payviox has been asked for. */
static void make_payment(struct payment_intent *ret_intent)
{
    insert_payment(ret_intent);
    assert_int_equal(db_transact(pool, arena, attempt_unit, ret_intent), ERR_NONE);
}

struct word {
    enum payment_fact fact;
    const char *reference; /* of a refund or dispute */
    int64_t part;          /* of a refund or dispute; 0: all of it */
};

struct word_unit {
    const char *payment_id;
    const struct word *word;
    int64_t amount;       /* of the order, as the provider has it */
    const char *currency; /* of the part; NULL: USD */
    const char *stranger;
    enum settle_verdict verdict;
    char note[REASON_MAX];
};

static enum err say_unit(struct db *db, void *state)
{
    struct word_unit *unit = state;
    struct provider_truth truth = {.fact = unit->word->fact,
                                   .has_amount = true,
                                   .amount = usd(unit->amount),
                                   .fees = usd(0),
                                   .has_change = unit->word->part != 0,
                                   .stranger = unit->stranger};
    assert_true(money_make(unit->word->part, unit->currency == NULL ? "USD" : unit->currency,
                           &truth.change));
    (void)text_copy(truth.reference, sizeof truth.reference, unit->payment_id);
    (void)text_copy(truth.word, sizeof truth.word, payment_fact_name(unit->word->fact));
    (void)text_copy(truth.change_reference, sizeof truth.change_reference, unit->word->reference);
    return settle_apply(db, &payviox_driver, &truth, "webhook", &unit->verdict, unit->note);
}

static enum settle_verdict say(const char *payment_id, struct word word)
{
    struct word_unit unit = {.payment_id = payment_id, .word = &word, .amount = AMOUNT};
    arena_reset(arena);
    enum err err = db_transact(pool, arena, say_unit, &unit);
    if (err)
        fail_msg("%s: %s", err_message(err), db_last_problem());
    return unit.verdict;
}

/* --- what has become of it --- */

struct state {
    const char *payment_id;
    struct payment payment;
    int64_t balance, held, postings, reviews, events;
};

static enum err state_unit(struct db *db, void *context_)
{
    struct state *s = context_;
    const char *id = s->payment_id;
    enum err err = payments_get(db, id, &s->payment);
    if (!err)
        err = ledger_balance(db, user_id, "USD", &s->balance);
    s->held = raw_number(db,
                         "SELECT COALESCE(SUM(e.amount), 0) FROM ledger_entries e"
                         " JOIN ledger_accounts USING (account_id) JOIN ledger_postings"
                         " USING (posting_id) WHERE kind = 'disputes' AND document_id = '%s'",
                         id);
    s->postings =
        raw_number(db, "SELECT COUNT(*) FROM ledger_postings WHERE document_id = '%s'", id);
    s->reviews = raw_number(db, "SELECT COUNT(*) FROM reviews WHERE payment_id = '%s'", id);
    s->events = raw_number(db, "SELECT COUNT(*) FROM events WHERE payment_id = '%s'", id);
    return err;
}

static struct state state_of(const char *payment_id)
{
    struct state s = {.payment_id = payment_id};
    arena_reset(arena);
    assert_int_equal(db_query(admin_pool, arena, state_unit, &s), ERR_NONE);
    return s;
}

struct ledger_check {
    int64_t breaks;
};

static enum err verify_unit(struct db *db, void *check)
{
    return ledger_verify(db, stderr, &((struct ledger_check *)check)->breaks);
}

static void assert_ledger(void)
{
    struct ledger_check check = {0};
    arena_reset(arena);
    assert_int_equal(db_snapshot(admin_pool, arena, verify_unit, &check), ERR_NONE);
    assert_int_equal(check.breaks, 0);
}

/* --- stories --- */

struct step {
    struct word word;
    enum settle_verdict verdict;
    int64_t balance; /* of the payer, since the story began */
    int64_t held;
    const char *shown;
};

#define F(fact)                                                                                    \
    {                                                                                              \
        FACT_##fact, "", 0                                                                         \
    }
#define PART(fact, id, sum)                                                                        \
    {                                                                                              \
        FACT_##fact, id, sum                                                                       \
    }

static void tell(const char *name, const struct step *steps)
{
    struct payment_intent intent;
    make_payment(&intent);
    const char *id = intent.payment.id;
    int64_t before = state_of(id).balance;
    for (int i = 0; steps[i].shown != NULL; i++) {
        for (int copy = 0; copy < 2; copy++) { /* everything is said twice */
            enum settle_verdict verdict = say(id, steps[i].word);
            struct state s = state_of(id);
            const char *shown = payment_status_name(payment_status_now(&s.payment));
            ROW(verdict == steps[i].verdict && s.balance - before == steps[i].balance &&
                    s.held == steps[i].held && strcmp(shown, steps[i].shown) == 0,
                "%s, step %d, copy %d: verdict %d, balance %lld, held %lld, %s", name, i, copy,
                (int)verdict, (long long)(s.balance - before), (long long)s.held, shown);
        }
    }
    assert_ledger();
}

static void refunds_and_disputes_end_where_they_must(void **state)
{
    (void)state;
    tell("F11: two partial refunds make a whole",
         (const struct step[]){
             {F(SUCCEEDED), SETTLE_APPLIED, 10000, 0, "completed"},
             {PART(REFUNDED, "re_1", 4000), SETTLE_APPLIED, 6000, 0, "partially_refunded"},
             {PART(REFUNDED, "re_2", 6000), SETTLE_APPLIED, 0, 0, "refunded"},
             {PART(REFUNDED, "re_3", 1), SETTLE_MISMATCH, 0, 0, "refunded"},
             {{FACT_NOTHING, "", 0}, SETTLE_APPLIED, 0, 0, NULL}});
    tell(
        "F11: a dispute is opened and won",
        (const struct step[]){{F(SUCCEEDED), SETTLE_APPLIED, 10000, 0, "completed"},
                              {PART(DISPUTED, "dp_1", 0), SETTLE_APPLIED, 0, 10000, "disputed"},
                              {PART(DISPUTE_WON, "dp_1", 0), SETTLE_APPLIED, 10000, 0, "completed"},
                              {PART(DISPUTED, "dp_1", 0), SETTLE_APPLIED, 10000, 0, "completed"},
                              {{FACT_NOTHING, "", 0}, SETTLE_APPLIED, 0, 0, NULL}});
    tell("F11: a dispute is opened and lost",
         (const struct step[]){{F(SUCCEEDED), SETTLE_APPLIED, 10000, 0, "completed"},
                               {F(DISPUTED), SETTLE_APPLIED, 0, 10000, "disputed"},
                               {F(DISPUTE_LOST), SETTLE_APPLIED, 0, 0, "disputed"},
                               {F(DISPUTED), SETTLE_APPLIED, 0, 0, "disputed"},
                               {{FACT_NOTHING, "", 0}, SETTLE_APPLIED, 0, 0, NULL}});
    tell("F12: a dispute is the first that we hear",
         (const struct step[]){
             {PART(DISPUTED, "dp_1", 2500), SETTLE_APPLIED, 7500, 2500, "disputed"},
             {F(SUCCEEDED), SETTLE_APPLIED, 7500, 2500, "disputed"},
             {PART(DISPUTED, "dp_2", 1000), SETTLE_APPLIED, 6500, 3500, "disputed"},
             {PART(DISPUTE_LOST, "dp_2", 1000), SETTLE_APPLIED, 6500, 2500, "disputed"},
             {PART(DISPUTE_WON, "dp_1", 2500), SETTLE_APPLIED, 9000, 0, "disputed"},
             {{FACT_NOTHING, "", 0}, SETTLE_APPLIED, 0, 0, NULL}});
    tell("F12: a refund in part is the first that we hear",
         (const struct step[]){
             {PART(PARTLY_REFUNDED, "re_1", 2500), SETTLE_APPLIED, 7500, 0, "partially_refunded"},
             {F(SUCCEEDED), SETTLE_APPLIED, 7500, 0, "partially_refunded"},
             {F(FAILED), SETTLE_APPLIED, 7500, 0, "partially_refunded"},
             {{FACT_NOTHING, "", 0}, SETTLE_APPLIED, 0, 0, NULL}});
    tell("F14: refunded before its success",
         (const struct step[]){{F(REFUNDED), SETTLE_APPLIED, 0, 0, "refunded"},
                               {F(SUCCEEDED), SETTLE_APPLIED, 0, 0, "refunded"},
                               {{FACT_NOTHING, "", 0}, SETTLE_APPLIED, 0, 0, NULL}});
    tell("sums that cannot be",
         (const struct step[]){
             {F(SUCCEEDED), SETTLE_APPLIED, 10000, 0, "completed"},
             {PART(REFUNDED, "re_1", 10001), SETTLE_MISMATCH, 10000, 0, "completed"},
             {PART(REFUNDED, "re_2", -5), SETTLE_MISMATCH, 10000, 0, "completed"},
             {PART(DISPUTED, "dp_1", 10001), SETTLE_MISMATCH, 10000, 0, "completed"},
             {PART(DISPUTED, "dp_2", -5), SETTLE_MISMATCH, 10000, 0, "completed"},
             {{FACT_NOTHING, "", 0}, SETTLE_APPLIED, 0, 0, NULL}});
    ROWS_END();
}

static void parts_in_another_currency_are_not_booked(void **state)
{
    static const struct word words[] = {{FACT_DISPUTED, "dp_1", 2500},
                                        {FACT_PARTLY_REFUNDED, "re_1", 2500}};
    struct payment_intent intent;
    (void)state;
    make_payment(&intent);
    assert_int_equal(say(intent.payment.id, (struct word){FACT_SUCCEEDED, "", 0}), SETTLE_APPLIED);
    int64_t before = state_of(intent.payment.id).balance;
    for (size_t i = 0; i < COUNT(words); i++) {
        struct word_unit unit = {.payment_id = intent.payment.id,
                                 .word = &words[i],
                                 .amount = AMOUNT,
                                 .currency = "JPY"};
        assert_int_equal(db_transact(pool, arena, say_unit, &unit), ERR_NONE);
        assert_int_equal(unit.verdict, SETTLE_MISMATCH);
    }
    struct state s = state_of(intent.payment.id);
    assert_true(s.balance == before && s.held == 0 && s.reviews == 2);
}

static enum err told_unit(struct db *db, void *id)
{
    static const struct {
        const char *topic;
        int sequence;
        const char *part;
    } rows[] = {
        {"payment.completed", 1, "\"status\":\"completed\",\"refunded\":0,\"dispute\":null"},
        {"payment.refunded", 1,
         "\"status\":\"partially_refunded\",\"refunded\":3000,\"dispute\":null"},
        {"payment.disputed", DISPUTE_STATES + DISPUTE_OPENED,
         "\"status\":\"disputed\",\"refunded\":3000,\"dispute\":\"opened\""},
        {"payment.disputed", DISPUTE_STATES + DISPUTE_WON,
         "\"status\":\"partially_refunded\",\"refunded\":3000,\"dispute\":\"won\""},
        {"payment.refunded", 2, "\"status\":\"refunded\",\"refunded\":10000,\"dispute\":\"won\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        ROW(raw_number(
                db,
                "SELECT COUNT(*) FROM outbox WHERE payment_id = '%s' AND topic = '%s' AND"
                " sequence = %d AND LOCATE('{\"type\":\"%s\",', body) = 1 AND LOCATE('%s', body)",
                (const char *)id, rows[i].topic, rows[i].sequence, rows[i].topic,
                rows[i].part) == 1,
            "%s %d is not told with %s", rows[i].topic, rows[i].sequence, rows[i].part);
    ROW(raw_number(db, "SELECT COUNT(*) FROM outbox WHERE payment_id = '%s'", (const char *)id) ==
            (int64_t)COUNT(rows),
        "told more than that");
    return ERR_NONE;
}

/* Each event tells the payment as it was then, and copies tell nothing. */
static void receivers_are_told_each_turn(void **state)
{
    static const struct word words[] = {{FACT_SUCCEEDED, "", 0},
                                        {FACT_PARTLY_REFUNDED, "re_1", 3000},
                                        {FACT_DISPUTED, "dp_1", 2000},
                                        {FACT_DISPUTE_WON, "dp_1", 2000},
                                        {FACT_PARTLY_REFUNDED, "re_2", 7000}};
    struct payment_intent intent;
    (void)state;
    make_payment(&intent);
    for (size_t i = 0; i < COUNT(words); i++)
        for (int copy = 0; copy < 2; copy++)
            (void)say(intent.payment.id, words[i]);
    arena_reset(arena);
    assert_int_equal(db_query(pool, arena, told_unit, intent.payment.id), ERR_NONE);
    ROWS_END();
}

/* Shuffles by a number, so that every number from 0 to 8! - 1 is another order. */
static void permute(int number, int *facts, int count)
{
    for (int i = count - 1; i > 0; i--) {
        int other = number % (i + 1), swapped = facts[i];
        number /= i + 1;
        facts[i] = facts[other];
        facts[other] = swapped;
    }
}

/* Through the database; tests of the domain try all orders. */
static void no_order_of_the_facts_makes_a_difference(void **state)
{
    (void)state;
    for (int round = 0; round < 24; round++) {
        int facts[] = {FACT_NOTHING,   FACT_PROCESSING, FACT_FAILED,   FACT_EXPIRED,
                       FACT_SUCCEEDED, FACT_REFUNDED,   FACT_DISPUTED, FACT_DISPUTE_WON};
        struct payment_intent intent;
        make_payment(&intent);
        int64_t before = state_of(intent.payment.id).balance;
        permute(round * 1681 + 7, facts, COUNT(facts));
        for (size_t i = 0; i < 2 * COUNT(facts); i++)
            (void)say(intent.payment.id, (struct word){(enum payment_fact)facts[i / 2], "", 0});
        struct state s = state_of(intent.payment.id);
        ROW(s.payment.status == PAYMENT_REFUNDED && s.payment.dispute == DISPUTE_WON &&
                payment_status_now(&s.payment) == PAYMENT_REFUNDED && s.balance == before &&
                s.held == 0,
            "order %d: %s, dispute %s, balance %+lld, held %lld", round,
            payment_status_name(s.payment.status), dispute_state_name(s.payment.dispute),
            (long long)(s.balance - before), (long long)s.held);
    }
    assert_ledger();
    ROWS_END();
}

/* --- the review list and the operator's word --- */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refunds_and_disputes_end_where_they_must),
        TEST(parts_in_another_currency_are_not_booked),
        TEST(receivers_are_told_each_turn),
        TEST(no_order_of_the_facts_makes_a_difference),
        TEST(what_does_not_fit_waits_for_a_person),
        TEST(an_operators_word_counts_like_a_providers),
    };
    int exit_code = 1;
    if (!database_is_named("test_settle", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("settle", tests, set_up, tear_down);
}
