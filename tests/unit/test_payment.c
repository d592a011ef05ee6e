/* The life of a payment: whatever order its facts arrive in, and however often, it ends in the same
 * state with the same money; no fact ever moves it down. */
#include "check.h"

#include "domain/payment.h"

#include <string.h>

enum { LONGEST = 6 };

struct end {
    enum payment_status status;
    int net;     /* credits less refunds, in payments */
    int credits; /* never more than one, and none without its refund being possible */
};

static struct end run(const int *facts, int count)
{
    struct end end = {PAYMENT_PENDING, 0, 0};
    for (int i = 0; i < count; i++) {
        struct payment_transition next = payment_next(end.status, (enum payment_fact)facts[i]);
        end.net += (next.effect == EFFECT_CREDIT) - (next.effect == EFFECT_REFUND);
        end.credits += next.effect == EFFECT_CREDIT;
        end.status = next.status;
    }
    return end;
}

/* What a set of facts must come to, in words and not in a table. */
static struct end expected(unsigned facts)
{
    static const struct {
        enum payment_fact fact;
        enum payment_status status;
    } strongest_first[] = {
        {FACT_REFUNDED, PAYMENT_REFUNDED},     {FACT_SUCCEEDED, PAYMENT_COMPLETED},
        {FACT_FAILED, PAYMENT_FAILED},         {FACT_EXPIRED, PAYMENT_EXPIRED},
        {FACT_PROCESSING, PAYMENT_PROCESSING},
    };
    for (size_t i = 0; i < COUNT(strongest_first); i++)
        if ((facts >> strongest_first[i].fact & 1) != 0)
            return (struct end){strongest_first[i].status,
                                strongest_first[i].status == PAYMENT_COMPLETED, 0};
    return (struct end){PAYMENT_PENDING, 0, 0};
}

/* All sequences of up to six facts out of the six: with every order and every duplicate. */
static void order_and_copies_do_not_matter(void **state)
{
    (void)state;
    for (int count = 0, sequences = 1; count <= LONGEST; count++, sequences *= PAYMENT_FACTS)
        for (int number = 0; number < sequences; number++) {
            int facts[LONGEST] = {0};
            unsigned set = 0;
            for (int i = 0, rest = number; i < count; i++, rest /= PAYMENT_FACTS) {
                facts[i] = rest % PAYMENT_FACTS;
                set |= 1u << facts[i];
            }
            struct end end = run(facts, count), wanted = expected(set);
            ROW(end.status == wanted.status && end.net == wanted.net && end.credits <= 1,
                "sequence %d of %d facts: %s, net %d, %d credits", number, count,
                payment_status_name(end.status), end.net, end.credits);
        }
    ROWS_END();
}

static void facts_only_move_up(void **state)
{
    (void)state;
    for (int status = 0; status < PAYMENT_STATUSES; status++)
        for (int fact = 0; fact < PAYMENT_FACTS; fact++) {
            struct payment_transition next =
                payment_next((enum payment_status)status, (enum payment_fact)fact);
            const char *from = payment_status_name((enum payment_status)status);
            const char *what = payment_fact_name((enum payment_fact)fact);
            ROW((int)next.status >= status, "%s + %s goes down", from, what);
            ROW(next.status != (enum payment_status)status || next.effect == EFFECT_NONE,
                "%s + %s stays, but moves money", from, what);
            ROW(next.effect != EFFECT_CREDIT || next.status == PAYMENT_COMPLETED,
                "%s + %s credits without completing", from, what);
            ROW(next.effect != EFFECT_REFUND || status == PAYMENT_COMPLETED,
                "%s + %s takes back what was not given", from, what);
        }
    ROWS_END();
}

/* The cases that payment systems get wrong, by name. */
static void known_traps(void **state)
{
    static const struct {
        const char *what;
        enum payment_status from;
        enum payment_fact fact;
        enum payment_status to;
        enum payment_effect effect;
    } rows[] = {
        {"success after expiry", PAYMENT_EXPIRED, FACT_SUCCEEDED, PAYMENT_COMPLETED, EFFECT_CREDIT},
        {"success after failure", PAYMENT_FAILED, FACT_SUCCEEDED, PAYMENT_COMPLETED, EFFECT_CREDIT},
        {"success again", PAYMENT_COMPLETED, FACT_SUCCEEDED, PAYMENT_COMPLETED, EFFECT_NONE},
        {"late failure", PAYMENT_COMPLETED, FACT_FAILED, PAYMENT_COMPLETED, EFFECT_NONE},
        {"late expiry", PAYMENT_COMPLETED, FACT_EXPIRED, PAYMENT_COMPLETED, EFFECT_NONE},
        {"late processing", PAYMENT_COMPLETED, FACT_PROCESSING, PAYMENT_COMPLETED, EFFECT_NONE},
        {"refund", PAYMENT_COMPLETED, FACT_REFUNDED, PAYMENT_REFUNDED, EFFECT_REFUND},
        {"refund again", PAYMENT_REFUNDED, FACT_REFUNDED, PAYMENT_REFUNDED, EFFECT_NONE},
        {"success after its refund", PAYMENT_REFUNDED, FACT_SUCCEEDED, PAYMENT_REFUNDED,
         EFFECT_NONE},
        {"refund before its success", PAYMENT_PENDING, FACT_REFUNDED, PAYMENT_REFUNDED,
         EFFECT_NONE},
        {"processing after expiry", PAYMENT_EXPIRED, FACT_PROCESSING, PAYMENT_EXPIRED, EFFECT_NONE},
        {"nothing", PAYMENT_PENDING, FACT_NOTHING, PAYMENT_PENDING, EFFECT_NONE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct payment_transition next = payment_next(rows[i].from, rows[i].fact);
        ROW(next.status == rows[i].to && next.effect == rows[i].effect, "%s: %s, %s", rows[i].what,
            payment_status_name(next.status), payment_effect_name(next.effect));
    }
    ROWS_END();
}

static void names_round_trip(void **state)
{
    static const char *const statuses[PAYMENT_STATUSES] = {
        [PAYMENT_PENDING] = "pending",     [PAYMENT_PROCESSING] = "processing",
        [PAYMENT_EXPIRED] = "expired",     [PAYMENT_FAILED] = "failed",
        [PAYMENT_COMPLETED] = "completed", [PAYMENT_REFUNDED] = "refunded",
    };
    (void)state;
    for (int i = 0; i < PAYMENT_STATUSES; i++) {
        enum payment_status status = PAYMENT_STATUSES;
        ROW(strcmp(payment_status_name((enum payment_status)i), statuses[i]) == 0, "%s",
            statuses[i]);
        ROW(payment_status_parse(statuses[i], &status) && (int)status == i, "%s", statuses[i]);
    }
    for (int i = OUTCOME_DONE; i < OUTCOMES; i++)
        ROW((int)outcome_parse(outcome_name((enum outcome)i)) == i, "%s",
            outcome_name((enum outcome)i));
    for (int i = 0; i < PAYMENT_FACTS; i++)
        ROW(payment_fact_name((enum payment_fact)i)[0] != '\0', "fact %d", i);
    ROW(strcmp(payment_type_name(PAYMENT_BALANCE), "balance") == 0, "balance");
    ROW(strcmp(payment_type_name(PAYMENT_ITEMS), "items") == 0, "items");
    ROW(strcmp(payment_effect_name(EFFECT_NONE), "none") == 0, "none");
    ROW(strcmp(payment_effect_name(EFFECT_CREDIT), "credit") == 0, "credit");
    ROW(strcmp(payment_effect_name(EFFECT_REFUND), "refund") == 0, "refund");
    ROW(payment_effect_name((enum payment_effect)99)[0] == '\0', "no effect has a name");
    ROWS_END();
}

static void paid_or_not(void **state)
{
    (void)state;
    for (int i = 0; i < PAYMENT_STATUSES; i++)
        ROW(payment_is_paid((enum payment_status)i) ==
                (i == PAYMENT_COMPLETED || i == PAYMENT_REFUNDED),
            "%s", payment_status_name((enum payment_status)i));
    for (int i = 0; i < PAYMENT_FACTS; i++)
        ROW(payment_fact_is_paid((enum payment_fact)i) ==
                (i == FACT_SUCCEEDED || i == FACT_REFUNDED),
            "%s", payment_fact_name((enum payment_fact)i));
    ROWS_END();
}

static void other_words_are_refused(void **state)
{
    static const char *const words[] = {"",           "Completed", "COMPLETED", "complete",
                                        "completed ", "sending",   "paid"};
    enum payment_status status;
    enum payment_type type;
    (void)state;
    for (size_t i = 0; i < COUNT(words); i++) {
        ROW(!payment_status_parse(words[i], &status), "\"%s\" is a status", words[i]);
        ROW(!payment_type_parse(words[i], &type), "\"%s\" is a type", words[i]);
        ROW(outcome_parse(words[i]) == OUTCOME_NONE, "\"%s\" is an outcome", words[i]);
    }
    ROW(outcome_parse("none") == OUTCOME_NONE, "none");
    ROW(payment_type_parse("balance", &type) && type == PAYMENT_BALANCE, "balance");
    ROW(payment_type_parse("items", &type) && type == PAYMENT_ITEMS, "items");
    ROW(!payment_type_parse("Balance", &type), "Balance");
    ROWS_END();
}

static void surfaces(void **state)
{
    enum payment_surface surface = SURFACE_PAYMENT;
    (void)state;
    assert_string_equal(payment_surface_name(SURFACE_PAYMENT), "payment");
    assert_string_equal(payment_surface_name(SURFACE_PAIEMENT), "paiement");
    assert_true(payment_surface_parse("paiement", &surface) && surface == SURFACE_PAIEMENT);
    assert_true(payment_surface_parse("payment", &surface) && surface == SURFACE_PAYMENT);
    assert_false(payment_surface_parse("payments", &surface));
    assert_false(payment_surface_parse("", &surface));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(order_and_copies_do_not_matter),
        TEST(facts_only_move_up),
        TEST(known_traps),
        TEST(names_round_trip),
        TEST(surfaces),
        TEST(paid_or_not),
        TEST(other_words_are_refused),
    };
    return cmocka_run_group_tests_name("payment", tests, NULL, NULL);
}
