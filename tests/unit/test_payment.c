/* The life of a payment: whatever order its facts arrive in, and however often, it ends in the same
 * state with the same money; no fact ever moves it down. tests/model runs the same table among
 * processes that die. */
#include "check.h"

#include "domain/payment.h"

#include <string.h>

/* A deposit of 100. Refunds a and b are together all of it; whole is a provider's word that all of
 * it was given back. Disputes a and b are about parts of it. */
enum { PRICE = 100, PART_A = 40, PART_B = 60, DISPUTED_A = 70, DISPUTED_B = 30 };

enum event {
    CREATED,
    PROCESSING,
    EXPIRED,
    FAILED,
    SUCCEEDED,
    REFUND_A,
    REFUND_B,
    REFUND_WHOLE,
    OPENED_A,
    WON_A,
    LOST_A,
    OPENED_B,
    WON_B,
    LOST_B,
    EVENTS
};

enum { SETS = 1 << EVENTS, DISPUTES = 2 };

/* What the database keeps of the payment, and what the payer has of it. */
struct books {
    enum payment_status status;
    enum dispute_state disputes[DISPUTES];
    bool heard_of[2]; /* the refunds a and b, by the provider's names for them */
    int refunded;
    int credits, balance, held;
};

static void pay(struct books *books, enum payment_fact fact)
{
    struct payment_transition next = payment_next(books->status, fact);
    books->status = next.status;
    if (next.effect == EFFECT_CREDIT) {
        books->credits++;
        books->balance += PRICE;
    }
}

/* What no longer fits into the payment has been given back before, under another name. */
static void refund(struct books *books, int amount)
{
    if (amount == 0 || books->refunded + amount > PRICE)
        return;
    books->refunded += amount;
    pay(books, books->refunded < PRICE ? FACT_PARTLY_REFUNDED : FACT_REFUNDED);
    if (books->credits > 0)
        books->balance -= amount;
}

static void refund_part(struct books *books, int part, int amount)
{
    if (!books->heard_of[part])
        refund(books, amount);
    books->heard_of[part] = true;
}

static void dispute(struct books *books, int which, enum payment_fact fact)
{
    int amount = which == 0 ? DISPUTED_A : DISPUTED_B;
    struct dispute_transition next = dispute_next(books->disputes[which], fact);
    bool held = books->disputes[which] == DISPUTE_OPENED;
    pay(books, fact);
    books->disputes[which] = next.state;
    if (next.effect == EFFECT_DISPUTE || (next.effect == EFFECT_DISPUTE_LOST && !held))
        books->balance -= amount;
    if (next.effect == EFFECT_DISPUTE_WON)
        books->balance += amount;
    if (next.effect != EFFECT_NONE)
        books->held += next.effect == EFFECT_DISPUTE ? amount : held ? -amount : 0;
}

static void hear(struct books *books, enum event event)
{
    switch (event) {
    case CREATED:
    case PROCESSING:
    case EXPIRED:
    case FAILED:
    case SUCCEEDED:
        pay(books, (enum payment_fact)event); /* their order is that of the facts */
        break;
    case REFUND_A:
    case REFUND_B:
        refund_part(books, event - REFUND_A, event == REFUND_A ? PART_A : PART_B);
        break;
    case REFUND_WHOLE:
        refund(books, PRICE - books->refunded);
        break;
    case OPENED_A:
    case WON_A:
    case LOST_A:
        dispute(books, 0, (enum payment_fact)(FACT_DISPUTED + event - OPENED_A));
        break;
    case OPENED_B:
    case WON_B:
    case LOST_B:
        dispute(books, 1, (enum payment_fact)(FACT_DISPUTED + event - OPENED_B));
        break;
    case EVENTS:
        break;
    }
}

static bool has(unsigned set, enum event event)
{
    return (set >> event & 1) != 0;
}

static enum dispute_state expected_dispute(unsigned set, enum event opened)
{
    static const enum dispute_state by_strength[] = {DISPUTE_OPENED, DISPUTE_WON, DISPUTE_LOST};
    enum dispute_state state = DISPUTE_NONE;
    for (int i = 0; i < 3; i++)
        if (has(set, (enum event)(opened + i)))
            state = by_strength[i];
    return state;
}

static enum payment_status expected_status(unsigned set, int refunded)
{
    static const unsigned disputes =
        1u << OPENED_A | 1u << WON_A | 1u << LOST_A | 1u << OPENED_B | 1u << WON_B | 1u << LOST_B;
    if (refunded > 0)
        return refunded < PRICE ? PAYMENT_PARTLY_REFUNDED : PAYMENT_REFUNDED;
    if (has(set, SUCCEEDED) || (set & disputes) != 0)
        return PAYMENT_COMPLETED;
    return has(set, FAILED)       ? PAYMENT_FAILED
           : has(set, EXPIRED)    ? PAYMENT_EXPIRED
           : has(set, PROCESSING) ? PAYMENT_PROCESSING
                                  : PAYMENT_PENDING;
}

/* What a set of facts must come to, in words and not in a table. */
static struct books expected(unsigned set)
{
    static const int disputed[DISPUTES] = {DISPUTED_A, DISPUTED_B};
    struct books books = {.heard_of = {has(set, REFUND_A), has(set, REFUND_B)}};
    books.refunded =
        has(set, REFUND_WHOLE) ? PRICE : has(set, REFUND_A) * PART_A + has(set, REFUND_B) * PART_B;
    books.status = expected_status(set, books.refunded);
    books.balance = payment_is_paid(books.status) ? PRICE - books.refunded : 0;
    for (int i = 0; i < DISPUTES; i++) {
        enum dispute_state state = expected_dispute(set, i == 0 ? OPENED_A : OPENED_B);
        books.disputes[i] = state;
        if (state == DISPUTE_OPENED || state == DISPUTE_LOST)
            books.balance -= disputed[i];
        if (state == DISPUTE_OPENED)
            books.held += disputed[i];
    }
    return books;
}

static bool same(const struct books *a, const struct books *b)
{
    return a->status == b->status && a->disputes[0] == b->disputes[0] &&
           a->disputes[1] == b->disputes[1] && a->heard_of[0] == b->heard_of[0] &&
           a->heard_of[1] == b->heard_of[1] && a->refunded == b->refunded &&
           a->balance == b->balance && a->held == b->held;
}

/* All sequences of any length, by induction over the facts that they hold: whatever has been heard,
 * in whatever order, has come to what is expected of the set (that is how the step's books are
 * made, with each number of credits that any order leads to), and any one more, new or a copy,
 * comes to what is expected of the set with it. */
static void f14_order_and_copies_do_not_matter(void **state)
{
    static bool reached[SETS][2] = {{true}};
    int steps = 0;
    (void)state;
    for (unsigned set = 0; set < SETS; set++)
        for (int at = 0; at < 2 * EVENTS; at++) {
            int credits = at / EVENTS, event = at % EVENTS;
            struct books books = expected(set), wanted = expected(set | 1u << event);
            if (!reached[set][credits])
                continue;
            steps++;
            books.credits = credits;
            hear(&books, (enum event)event);
            ROW(same(&books, &wanted),
                "set %x and event %d: %s, disputes %s %s, balance %d, held %d", set, event,
                payment_status_name(books.status), dispute_state_name(books.disputes[0]),
                dispute_state_name(books.disputes[1]), books.balance, books.held);
            ROW(books.credits <= 1, "set %x and event %d: credited again", set, event);
            reached[set | 1u << event][books.credits > 0] = true;
        }
    ROW(steps > SETS * EVENTS, "only %d steps were tried", steps);
    ROWS_END();
}

static void facts_only_move_up(void **state)
{
    (void)state;
    for (int status = 0; status < PAYMENT_DISPUTED; status++)
        for (int fact = 0; fact < PAYMENT_FACTS; fact++) {
            struct payment_transition next =
                payment_next((enum payment_status)status, (enum payment_fact)fact);
            const char *from = payment_status_name((enum payment_status)status);
            const char *what = payment_fact_name((enum payment_fact)fact);
            bool was_paid = payment_is_paid((enum payment_status)status);
            bool whole = fact == FACT_REFUNDED;
            ROW((int)next.status >= status, "%s + %s goes down", from, what);
            ROW(next.status < PAYMENT_DISPUTED, "%s + %s is stored as disputed", from, what);
            ROW(next.effect == EFFECT_NONE || next.effect == EFFECT_CREDIT,
                "%s + %s moves money that is not the payment's", from, what);
            ROW((next.effect == EFFECT_CREDIT) ==
                    (!was_paid && !whole && payment_is_paid(next.status)),
                "%s + %s: credited exactly when it is first known to be paid", from, what);
            ROW(payment_is_paid(next.status) ==
                    (was_paid || payment_fact_is_paid((enum payment_fact)fact)),
                "%s + %s: paid or not", from, what);
        }
    ROWS_END();
}

/* none, opened, won, lost: in this order, and the money follows. */
static void disputes_only_move_up(void **state)
{
    static const int rank[DISPUTE_STATES] = {
        [DISPUTE_NONE] = 0, [DISPUTE_OPENED] = 1, [DISPUTE_WON] = 2, [DISPUTE_LOST] = 3};
    static const enum payment_effect first_heard_of[] = {EFFECT_DISPUTE, EFFECT_NONE,
                                                         EFFECT_DISPUTE_LOST};
    (void)state;
    for (int from = 0; from < DISPUTE_STATES; from++)
        for (int fact = 0; fact < PAYMENT_FACTS; fact++) {
            struct dispute_transition next =
                dispute_next((enum dispute_state)from, (enum payment_fact)fact);
            const char *was = dispute_state_name((enum dispute_state)from);
            const char *what = payment_fact_name((enum payment_fact)fact);
            ROW(rank[next.state] >= rank[from], "%s + %s goes down", was, what);
            ROW((int)next.state != from || next.effect == EFFECT_NONE,
                "%s + %s stays, but moves money", was, what);
            ROW(fact >= FACT_DISPUTED || (int)next.state == from, "%s + %s is no dispute's", was,
                what);
        }
    for (int i = 0; i < 3; i++)
        ROW(dispute_next(DISPUTE_NONE, (enum payment_fact)(FACT_DISPUTED + i)).effect ==
                first_heard_of[i],
            "%s, out of the blue", payment_fact_name((enum payment_fact)(FACT_DISPUTED + i)));
    ROWS_END();
}

static void a_dispute_that_stands_hides_the_status(void **state)
{
    (void)state;
    for (int i = 0; i < PAYMENT_DISPUTED; i++) {
        enum payment_status status = (enum payment_status)i;
        ROW(payment_status_shown(status, DISPUTE_NONE) == status, "%d, no dispute", i);
        ROW(payment_status_shown(status, DISPUTE_WON) == status, "%d, won", i);
        ROW(payment_status_shown(status, DISPUTE_OPENED) == PAYMENT_DISPUTED, "%d, opened", i);
        ROW(payment_status_shown(status, DISPUTE_LOST) == PAYMENT_DISPUTED, "%d, lost", i);
    }
    ROWS_END();
}

/* The cases that payment systems get wrong, by name. */
static void f14_f16_f17_f19_known_traps(void **state)
{
    static const struct {
        const char *what;
        enum payment_status from;
        enum payment_fact fact;
        enum payment_status to;
        enum payment_effect effect;
    } rows[] = {
        {"F14: failure after success", PAYMENT_COMPLETED, FACT_FAILED, PAYMENT_COMPLETED,
         EFFECT_NONE},
        {"F14: failure after its refund", PAYMENT_REFUNDED, FACT_FAILED, PAYMENT_REFUNDED,
         EFFECT_NONE},
        {"F14: success after failure", PAYMENT_FAILED, FACT_SUCCEEDED, PAYMENT_COMPLETED,
         EFFECT_CREDIT},
        {"F14: success after its refund", PAYMENT_REFUNDED, FACT_SUCCEEDED, PAYMENT_REFUNDED,
         EFFECT_NONE},
        {"F14: refund before its success", PAYMENT_PENDING, FACT_REFUNDED, PAYMENT_REFUNDED,
         EFFECT_NONE},
        {"F14: refund of a part before its success", PAYMENT_PENDING, FACT_PARTLY_REFUNDED,
         PAYMENT_PARTLY_REFUNDED, EFFECT_CREDIT},
        {"F14: dispute before its success", PAYMENT_PENDING, FACT_DISPUTED, PAYMENT_COMPLETED,
         EFFECT_CREDIT},
        {"F01: success again", PAYMENT_COMPLETED, FACT_SUCCEEDED, PAYMENT_COMPLETED, EFFECT_NONE},
        {"F01: success after a part was refunded", PAYMENT_PARTLY_REFUNDED, FACT_SUCCEEDED,
         PAYMENT_PARTLY_REFUNDED, EFFECT_NONE},
        {"F16: processing is a state of its own", PAYMENT_PENDING, FACT_PROCESSING,
         PAYMENT_PROCESSING, EFFECT_NONE},
        {"F16: processing is no end", PAYMENT_PROCESSING, FACT_SUCCEEDED, PAYMENT_COMPLETED,
         EFFECT_CREDIT},
        {"F16: processing after success", PAYMENT_COMPLETED, FACT_PROCESSING, PAYMENT_COMPLETED,
         EFFECT_NONE},
        {"F16: processing after expiry", PAYMENT_EXPIRED, FACT_PROCESSING, PAYMENT_EXPIRED,
         EFFECT_NONE},
        {"F17: success after expiry", PAYMENT_EXPIRED, FACT_SUCCEEDED, PAYMENT_COMPLETED,
         EFFECT_CREDIT},
        {"F17: expiry after success", PAYMENT_COMPLETED, FACT_EXPIRED, PAYMENT_COMPLETED,
         EFFECT_NONE},
        {"F19: the create answer after success", PAYMENT_COMPLETED, FACT_NOTHING, PAYMENT_COMPLETED,
         EFFECT_NONE},
        {"F19: the create answer after processing", PAYMENT_PROCESSING, FACT_NOTHING,
         PAYMENT_PROCESSING, EFFECT_NONE},
        {"F19: the create answer after expiry", PAYMENT_EXPIRED, FACT_NOTHING, PAYMENT_EXPIRED,
         EFFECT_NONE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct payment_transition next = payment_next(rows[i].from, rows[i].fact);
        ROW(next.status == rows[i].to && next.effect == rows[i].effect, "%s: %s, %s", rows[i].what,
            payment_status_name(next.status), payment_effect_name(next.effect));
    }
    ROWS_END();
}

/* The words are stored and shown: to change one is to break old rows and callers. */
static void names_round_trip(void **state)
{
    static const char *const statuses[PAYMENT_STATUSES] = {
        [PAYMENT_PENDING] = "pending",     [PAYMENT_PROCESSING] = "processing",
        [PAYMENT_EXPIRED] = "expired",     [PAYMENT_FAILED] = "failed",
        [PAYMENT_COMPLETED] = "completed", [PAYMENT_PARTLY_REFUNDED] = "partially_refunded",
        [PAYMENT_REFUNDED] = "refunded",   [PAYMENT_DISPUTED] = "disputed",
    };
    static const char *const effects[PAYMENT_EFFECTS] = {
        [EFFECT_NONE] = "none",
        [EFFECT_CREDIT] = "credit",
        [EFFECT_REFUND] = "refund",
        [EFFECT_DISPUTE] = "dispute",
        [EFFECT_DISPUTE_WON] = "dispute_won",
        [EFFECT_DISPUTE_LOST] = "dispute_lost",
        [EFFECT_SURPLUS] = "surplus",
        [EFFECT_SURPLUS_REFUND] = "surplus_refund",
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
    for (int i = 0; i < PAYMENT_FACTS; i++) {
        enum payment_fact fact = PAYMENT_FACTS;
        const char *name = payment_fact_name((enum payment_fact)i);
        ROW(name[0] != '\0' && payment_fact_parse(name, &fact) && (int)fact == i, "fact %d", i);
    }
    for (int i = 0; i < DISPUTE_STATES; i++) {
        enum dispute_state dispute = DISPUTE_STATES;
        const char *name = dispute_state_name((enum dispute_state)i);
        ROW(name[0] != '\0' && dispute_state_parse(name, &dispute) && (int)dispute == i,
            "dispute %d", i);
    }
    for (int i = 0; i < PAYMENT_EFFECTS; i++)
        ROW(strcmp(payment_effect_name((enum payment_effect)i), effects[i]) == 0, "%s", effects[i]);
    ROW(strcmp(payment_type_name(PAYMENT_BALANCE), "balance") == 0, "balance");
    ROW(strcmp(payment_type_name(PAYMENT_ITEMS), "items") == 0, "items");
    ROWS_END();
}

/* Only what is definite lets the next provider be tried. */
static void unknown_is_no_failure(void **state)
{
    (void)state;
    for (int i = 0; i < OUTCOMES; i++)
        ROW(outcome_is_failure((enum outcome)i) ==
                (i == OUTCOME_DECLINED || i == OUTCOME_REFUSED || i == OUTCOME_NOT_SENT),
            "%s", outcome_name((enum outcome)i));
    ROWS_END();
}

static void other_words_are_refused(void **state)
{
    static const char *const words[] = {"",           "Completed", "COMPLETED", "complete",
                                        "completed ", "sending",   "paid"};
    enum payment_status status;
    enum payment_type type;
    enum payment_fact fact;
    enum dispute_state dispute;
    (void)state;
    for (size_t i = 0; i < COUNT(words); i++) {
        ROW(!payment_status_parse(words[i], &status), "\"%s\" is a status", words[i]);
        ROW(!payment_type_parse(words[i], &type), "\"%s\" is a type", words[i]);
        ROW(!payment_fact_parse(words[i], &fact), "\"%s\" is a fact", words[i]);
        ROW(!dispute_state_parse(words[i], &dispute), "\"%s\" is a dispute's", words[i]);
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
        TEST(f14_order_and_copies_do_not_matter),
        TEST(facts_only_move_up),
        TEST(disputes_only_move_up),
        TEST(a_dispute_that_stands_hides_the_status),
        TEST(f14_f16_f17_f19_known_traps),
        TEST(names_round_trip),
        TEST(surfaces),
        TEST(unknown_is_no_failure),
        TEST(other_words_are_refused),
    };
    return cmocka_run_group_tests_name("payment", tests, NULL, NULL);
}
