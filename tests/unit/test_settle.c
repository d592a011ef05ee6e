/* What happens to a payment after a provider has spoken: refunds that the provider names one by
 * one, disputes, what receivers are told, and that no order of the facts makes a difference. */
#include "settle.h"

#include "flow/dispute.h"
#include "flow/refund.h"

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
    tell("F12: nobody says how much was given back",
         (const struct step[]){{PART(PARTLY_REFUNDED, "re_1", 0), SETTLE_MISMATCH, 0, 0, "pending"},
                               {F(SUCCEEDED), SETTLE_APPLIED, 10000, 0, "completed"},
                               {F(PARTLY_REFUNDED), SETTLE_MISMATCH, 10000, 0, "completed"},
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
                                 .driver = &payviox_driver,
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refunds_and_disputes_end_where_they_must),
        TEST(parts_in_another_currency_are_not_booked),
        TEST(receivers_are_told_each_turn),
        TEST(no_order_of_the_facts_makes_a_difference),
    };
    int exit_code = 1;
    if (!database_is_named("test_settle", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("settle", tests, set_up, tear_down);
}
