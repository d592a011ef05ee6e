/* For tests of what happens to a payment after a provider has spoken: says words of providers, and
 * looks at what has become of the payment. Needs a database: see database.h. */
#ifndef TESTS_SETTLE_H
#define TESTS_SETTLE_H

#include "database.h"

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
    const struct provider_driver *driver;
    bool given_back;
    enum settle_verdict verdict;
    char note[REASON_MAX];
};

static enum err say_unit(struct db *db, void *state)
{
    struct word_unit *unit = state;
    struct provider_truth truth = {.fact = unit->word->fact,
                                   .given_back = unit->given_back,
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
    return settle_apply(db, unit->driver, &truth, "webhook", &unit->verdict, unit->note);
}

static enum settle_verdict say_as(struct word_unit unit)
{
    arena_reset(arena);
    enum err err = db_transact(pool, arena, say_unit, &unit);
    if (err)
        fail_msg("%s: %s", err_message(err), db_last_problem());
    return unit.verdict;
}

static enum settle_verdict say(const char *payment_id, struct word word)
{
    return say_as((struct word_unit){
        .payment_id = payment_id, .word = &word, .amount = AMOUNT, .driver = &payviox_driver});
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

#endif
