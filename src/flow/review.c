/* What operators decide, as one transaction each. Must not call a provider. */
#include "flow/review.h"

#include "base/buf.h"

#include <stdio.h>

struct word_unit {
    const struct operator_word *word;
    const char *problem;
};

static enum err refuse(struct word_unit *unit, const char *problem)
{
    unit->problem = problem;
    return ERR_CONFLICT;
}

/* The word as a provider would have said it, about the payment's own amount. */
static enum err write_truth(const struct operator_word *word, const struct payment *payment,
                            const struct attempt *attempt, struct provider_truth *ret_truth)
{
    const char *currency = money_currency(&payment->amount);
    struct provider_truth *t = ret_truth;
    *t = (struct provider_truth){.fact = word->fact,
                                 .has_amount = true,
                                 .amount = payment->amount,
                                 .has_change = word->amount != 0};
    (void)text_copy(t->reference, sizeof t->reference, attempt->reference);
    (void)text_copy(t->provider_reference, sizeof t->provider_reference,
                    attempt->provider_reference);
    (void)text_copy(t->word, sizeof t->word, payment_fact_name(word->fact));
    return text_copy(t->change_reference, sizeof t->change_reference, word->reference) &&
                   money_make(0, currency, &t->fees) &&
                   money_make(word->amount, currency, &t->change)
               ? ERR_NONE
               : ERR_PARAMETERS;
}

static enum err apply_word(struct db *db, struct word_unit *unit)
{
    const struct operator_word *word = unit->word;
    struct payment payment;
    struct attempt attempt;
    struct provider_truth truth;
    char detail[DETAIL_MAX];
    const char *mismatch = NULL;
    enum err err = payments_lock(db, word->payment_id, &payment);
    if (!err && payment.id[0] == '\0')
        return ERR_NOT_FOUND;
    if (!err)
        err = attempts_last(db, payment.id, &attempt);
    if (err)
        return err;
    if (attempt.id == 0)
        return refuse(unit, "it was paid from the balance: no provider knows of it");
    err = write_truth(word, &payment, &attempt, &truth);
    (void)snprintf(detail, sizeof detail, "%s says %s: %s", word->by, truth.word, word->why);
    const struct settlement news = {word->fact, attempt.provider, &truth, detail, "operator", 0,
                                    NULL};
    if (!err)
        err = settle_news(db, &payment, &news, &mismatch);
    return !err && mismatch != NULL ? refuse(unit, mismatch) : err;
}

static enum err word_unit(struct db *db, void *context)
{
    return apply_word(db, context);
}

enum err operator_settle(struct context *context, struct arena *arena,
                         const struct operator_word *word, const char **ret_problem)
{
    struct word_unit unit = {.word = word};
    enum err err = db_transact(context->pool, arena, word_unit, &unit);
    *ret_problem = unit.problem;
    return err;
}

struct resolve_unit {
    int64_t review_id;
    bool accept;
    const char *by, *why;
    struct word_unit word;
};

static enum err accept_review(struct db *db, struct resolve_unit *unit, const struct review *review)
{
    const struct operator_word word = {.payment_id = review->payment_id,
                                       .fact = review->fact,
                                       .reference = "",
                                       .by = unit->by,
                                       .why = unit->why};
    unit->word = (struct word_unit){.word = &word};
    if (review->payment_id[0] == '\0')
        return refuse(&unit->word, "it names no payment of ours: there is nothing to accept");
    if (review->fact == FACT_NOTHING)
        return refuse(&unit->word, "it says nothing that could be accepted");
    return apply_word(db, &unit->word);
}

static enum err resolve_unit(struct db *db, void *context)
{
    struct resolve_unit *unit = context;
    struct review review;
    char resolution[DETAIL_MAX], detail[DETAIL_MAX];
    enum err err = reviews_lock(db, unit->review_id, &review);
    if (!err && review.id == 0)
        return ERR_NOT_FOUND;
    if (!err && review.resolved)
        return refuse(&unit->word, "somebody has resolved it already");
    if (!err && unit->accept)
        err = accept_review(db, unit, &review);
    (void)snprintf(resolution, sizeof resolution, "%s: %s", unit->accept ? "accepted" : "dismissed",
                   unit->why);
    if (!err)
        err = reviews_resolve(db, &review, unit->by, resolution);
    (void)snprintf(detail, sizeof detail, "%.150s, by %.80s", resolution, unit->by);
    return err || review.payment_id[0] == '\0'
               ? err
               : events_insert(db, review.payment_id, "review_resolved", detail, "operator");
}

enum err review_resolve(struct context *context, struct arena *arena, int64_t review_id,
                        bool accept, const char *by, const char *why, const char **ret_problem)
{
    struct resolve_unit unit = {.review_id = review_id, .accept = accept, .by = by, .why = why};
    enum err err = db_transact(context->pool, arena, resolve_unit, &unit);
    *ret_problem = unit.word.problem;
    return err;
}
