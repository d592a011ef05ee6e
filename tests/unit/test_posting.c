/* Who gives and who gets, line by line: deposits, carts, what could not be delivered, and refunds.
 * Whatever is posted sums to zero, names no account twice, and has no line about nothing. */
#include "check.h"

#include "flow/posting.h"

#include <string.h>

enum { PAYER = 7, SELLER = 8, OTHER = 9 };

static struct money usd(int64_t units)
{
    struct money money;
    assert_true(money_make(units, "USD", &money));
    return money;
}

static struct payment payment_of(int64_t units)
{
    return (struct payment){.id = "PAY_X", .user_id = PAYER, .amount = usd(units)};
}

static struct provider_truth truth_with(int64_t fees)
{
    return (struct provider_truth){.fact = FACT_SUCCEEDED, .fees = usd(fees)};
}

struct line {
    enum ledger_kind kind;
    const char *owner; /* NULL ends the list */
    int64_t units;
};

static bool has_line(const struct posting *posting, const struct line *line)
{
    for (size_t i = 0; i < posting->count; i++)
        if (posting->lines[i].kind == line->kind &&
            strcmp(posting->lines[i].owner, line->owner) == 0)
            return money_minor_units(&posting->lines[i].amount) == line->units;
    return false;
}

static void check_lines(const char *what, const struct posting *posting, const struct line *lines)
{
    size_t count = 0;
    int64_t sum = 0;
    for (; lines[count].owner != NULL; count++)
        ROW(has_line(posting, &lines[count]), "%s: %s is not given %lld", what, lines[count].owner,
            (long long)lines[count].units);
    ROW(posting->count == count, "%s: %zu lines, not %zu", what, posting->count, count);
    for (size_t i = 0; i < posting->count; i++)
        sum += money_minor_units(&posting->lines[i].amount);
    ROW(sum == 0, "%s: the sum is %lld", what, (long long)sum);
}

struct sold {
    int64_t seller, price, fee;
};

static struct cart cart_of(const struct sold *sold, size_t count, struct item *items)
{
    for (size_t i = 0; i < count; i++)
        items[i] = (struct item){.asset_id = (int64_t)i + 1,
                                 .seller_id = sold[i].seller,
                                 .price = usd(sold[i].price),
                                 .fee = usd(sold[i].fee)};
    return (struct cart){.items = items, .count = count};
}

static void credits(void **state)
{
    static const struct {
        const char *what;
        int64_t amount, fees; /* fees below 0: the payer's own balance pays */
        struct sold
            sold[3]; /* a price of 0 ends the cart; an empty one: the money is the payer's */
        struct line lines[6];
    } rows[] = {
        {"a deposit",
         1000,
         0,
         {{0}},
         {{LEDGER_USER, "7", 1000}, {LEDGER_PROVIDER, "payviox", -1000}}},
        {"a deposit with fees on top",
         1000,
         59,
         {{0}},
         {{LEDGER_USER, "7", 1000},
          {LEDGER_PROVIDER_FEES, "payviox", 59},
          {LEDGER_PROVIDER, "payviox", -1059}}},
        {"an item",
         1000,
         0,
         {{SELLER, 1000, 50}},
         {{LEDGER_USER, "8", 950},
          {LEDGER_EQUITY, LEDGER_HOUSE, 50},
          {LEDGER_PROVIDER, "payviox", -1000}}},
        {"an item with fees on top",
         1000,
         59,
         {{SELLER, 1000, 50}},
         {{LEDGER_USER, "8", 950},
          {LEDGER_EQUITY, LEDGER_HOUSE, 50},
          {LEDGER_PROVIDER_FEES, "payviox", 59},
          {LEDGER_PROVIDER, "payviox", -1059}}},
        {"two of one seller are one line",
         1998,
         0,
         {{SELLER, 999, 49}, {SELLER, 999, 49}},
         {{LEDGER_USER, "8", 1900},
          {LEDGER_EQUITY, LEDGER_HOUSE, 98},
          {LEDGER_PROVIDER, "payviox", -1998}}},
        {"two sellers, one of them twice",
         600,
         0,
         {{SELLER, 100, 5}, {OTHER, 200, 10}, {SELLER, 300, 15}},
         {{LEDGER_USER, "8", 380},
          {LEDGER_USER, "9", 190},
          {LEDGER_EQUITY, LEDGER_HOUSE, 30},
          {LEDGER_PROVIDER, "payviox", -600}}},
        {"no fee, no line for the house",
         5,
         0,
         {{SELLER, 5, 0}},
         {{LEDGER_USER, "8", 5}, {LEDGER_PROVIDER, "payviox", -5}}},
        {"all of it fee, no line for the seller",
         1,
         0,
         {{SELLER, 1, 1}},
         {{LEDGER_EQUITY, LEDGER_HOUSE, 1}, {LEDGER_PROVIDER, "payviox", -1}}},
        {"from the balance",
         300,
         -1,
         {{SELLER, 100, 5}, {OTHER, 200, 10}},
         {{LEDGER_USER, "7", -300},
          {LEDGER_USER, "8", 95},
          {LEDGER_USER, "9", 190},
          {LEDGER_EQUITY, LEDGER_HOUSE, 15}}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct posting posting;
        struct item items[3];
        size_t count = 0;
        while (count < COUNT(rows[i].sold) && rows[i].sold[count].price > 0)
            count++;
        const struct payment payment = payment_of(rows[i].amount);
        const struct provider_truth truth = truth_with(rows[i].fees < 0 ? 0 : rows[i].fees);
        const struct cart cart = cart_of(rows[i].sold, count, items);
        posting_credit(&posting, &payment, "payviox", rows[i].fees < 0 ? NULL : &truth,
                       count > 0 ? &cart : NULL);
        check_lines(rows[i].what, &posting, rows[i].lines);
    }
    ROWS_END();
}

/* The greatest cart: as many sellers as items, and fees of both kinds. */
static void a_full_cart_fits(void **state)
{
    enum { ITEMS = 100 };
    struct sold sold[ITEMS];
    struct item items[ITEMS];
    struct posting posting;
    (void)state;
    for (int i = 0; i < ITEMS; i++)
        sold[i] = (struct sold){76561198000000100 + i, 100 + i, 5};
    const struct cart cart = cart_of(sold, ITEMS, items);
    const struct payment payment = payment_of(14950);
    const struct provider_truth truth = truth_with(500);
    static const struct line some[] = {{LEDGER_USER, "76561198000000199", 194},
                                       {LEDGER_EQUITY, LEDGER_HOUSE, 500}};
    posting_credit(&posting, &payment, "payviox", &truth, &cart);
    assert_int_equal(posting.count, ITEMS + 3);
    for (size_t i = 0; i < COUNT(some); i++)
        assert_true(has_line(&posting, &some[i]));
    for (size_t i = 0; i < posting.count; i++)
        for (size_t k = 0; k < i; k++)
            ROW(posting.lines[i].kind != posting.lines[k].kind ||
                    strcmp(posting.lines[i].owner, posting.lines[k].owner) != 0,
                "%s has two lines", posting.lines[i].owner);
    posting_credit(&posting, &payment, "payviox", NULL, &cart);
    assert_int_equal(posting.count, ITEMS + 2);
    ROWS_END();
}

static void what_is_given_back_is_claimed(void **state)
{
    static const struct line by_provider[] = {
        {LEDGER_USER, "7", -400}, {LEDGER_PROVIDER, "payviox", 400}, {0}};
    static const struct line to_balance[] = {
        {LEDGER_USER, "7", 400}, {LEDGER_EQUITY, LEDGER_HOUSE, -400}, {0}};
    const struct payment payment = payment_of(1000);
    struct posting posting;
    (void)state;
    posting_refund(&posting, &payment, "payviox", usd(400));
    check_lines("a refund", &posting, by_provider);
    posting_balance_refund(&posting, &payment, usd(400));
    check_lines("a refund to the balance", &posting, to_balance);
    ROWS_END();
}

static void disputed_money_is_held_and_then_given_back_or_gone(void **state)
{
    static const struct {
        const char *what;
        enum dispute_state was;
        enum payment_effect effect;
        struct line lines[3];
    } rows[] = {
        {"opened",
         DISPUTE_NONE,
         EFFECT_DISPUTE,
         {{LEDGER_USER, "7", -300}, {LEDGER_DISPUTES, "bank", 300}, {0}}},
        {"won",
         DISPUTE_OPENED,
         EFFECT_DISPUTE_WON,
         {{LEDGER_DISPUTES, "bank", -300}, {LEDGER_USER, "7", 300}, {0}}},
        {"lost",
         DISPUTE_OPENED,
         EFFECT_DISPUTE_LOST,
         {{LEDGER_DISPUTES, "bank", -300}, {LEDGER_PROVIDER, "bank", 300}, {0}}},
        {"lost, never heard to be opened",
         DISPUTE_NONE,
         EFFECT_DISPUTE_LOST,
         {{LEDGER_USER, "7", -300}, {LEDGER_PROVIDER, "bank", 300}, {0}}},
        {"lost after it was won",
         DISPUTE_WON,
         EFFECT_DISPUTE_LOST,
         {{LEDGER_USER, "7", -300}, {LEDGER_PROVIDER, "bank", 300}, {0}}},
    };
    const struct payment payment = payment_of(1000);
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct posting posting;
        posting_dispute(&posting, &payment, "bank", usd(300), rows[i].was, rows[i].effect);
        check_lines(rows[i].what, &posting, rows[i].lines);
    }
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(credits),
        TEST(a_full_cart_fits),
        TEST(what_is_given_back_is_claimed),
        TEST(disputed_money_is_held_and_then_given_back_or_gone),
    };
    return cmocka_run_group_tests_name("posting", tests, NULL, NULL);
}
