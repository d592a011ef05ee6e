/* Credits what was paid twice, and takes it back when the provider has given it back: one posting
 * each per attempt. Must not change the payment, and must not call a provider. */
#include "flow/surplus.h"

#include "base/buf.h"
#include "base/crash.h"
#include "flow/posting.h"
#include "store/reviews.h"

#include <stdio.h>

struct surplus {
    const struct payment *payment;
    const struct attempt *attempt;
    const struct settlement *news;
};

static enum err ask_for_review(struct db *db, const struct surplus *s)
{
    char note[REASON_MAX];
    struct review review = {.kind = REVIEW_SURPLUS, .fact = FACT_SUCCEEDED, .note = note};
    (void)snprintf(note, sizeof note, "paid twice: %s was put on the payer's balance",
                   s->attempt->reference);
    (void)text_copy(review.payment_id, sizeof review.payment_id, s->payment->id);
    (void)text_copy(review.provider, sizeof review.provider, s->attempt->provider);
    return reviews_put(db, &review);
}

/* The posting and its line in the timeline, unless both are there. */
static enum err post(struct db *db, const struct surplus *s, enum payment_effect effect,
                     const struct posting *posting, bool *ret_fresh)
{
    char detail[DETAIL_MAX];
    const char *kind = payment_effect_name(effect);
    (void)snprintf(detail, sizeof detail, "%s: %.150s", s->attempt->reference, s->news->detail);
    enum err err = ledger_post(db, s->payment->id, kind, s->attempt->number, posting->lines,
                               posting->count, ret_fresh);
    return err || !*ret_fresh ? err
                              : events_insert(db, s->payment->id, kind, detail, s->news->source);
}

static enum err credit(struct db *db, const struct surplus *s)
{
    struct posting posting;
    bool fresh;
    posting_credit(&posting, s->payment, s->news->provider, s->news->truth, NULL);
    enum err err = post(db, s, EFFECT_SURPLUS, &posting, &fresh);
    CRASH_POINT("surplus_posted");
    return err || !fresh ? err : ask_for_review(db, s);
}

static enum err take_back(struct db *db, const struct surplus *s)
{
    struct posting posting;
    bool fresh;
    posting_refund(&posting, s->payment, s->news->provider, s->payment->amount);
    return post(db, s, EFFECT_SURPLUS_REFUND, &posting, &fresh);
}

/* A refund says that it was paid, so it is booked whole even when it is heard of first. */
static enum err refund(struct db *db, const struct surplus *s, const char **ret_mismatch)
{
    const struct provider_truth *truth = s->news->truth;
    enum err err = credit(db, s);
    if (!err && truth->has_change && !money_equal(&truth->change, &s->payment->amount))
        *ret_mismatch = "a refund in part of what was paid twice";
    return err || *ret_mismatch != NULL ? err : take_back(db, s);
}

/* "Had the payer paid, it is given back": of what was never credited, nothing is taken. */
static enum err give_back(struct db *db, const struct surplus *s)
{
    bool credited;
    enum err err = ledger_posted(db, s->payment->id, payment_effect_name(EFFECT_SURPLUS),
                                 s->attempt->number, &credited);
    return err || !credited ? err : take_back(db, s);
}

enum err surplus_reported(struct db *db, const struct payment *payment,
                          const struct attempt *attempt, const struct settlement *news,
                          const char **ret_mismatch)
{
    const struct surplus s = {payment, attempt, news};
    enum err err;
    *ret_mismatch = NULL;
    switch (news->fact) {
    case FACT_NOTHING:
    case FACT_PROCESSING:
    case FACT_EXPIRED:
        return ERR_NONE;
    case FACT_FAILED:
        return news->truth->given_back ? give_back(db, &s) : ERR_NONE;
    case FACT_SUCCEEDED:
        return credit(db, &s);
    case FACT_PARTLY_REFUNDED:
    case FACT_REFUNDED:
        return refund(db, &s, ret_mismatch);
    case FACT_DISPUTED:
    case FACT_DISPUTE_WON:
    case FACT_DISPUTE_LOST:
        err = credit(db, &s);
        *ret_mismatch = "a dispute about what was paid twice";
        return err;
    case PAYMENT_FACTS:
        break;
    }
    return ERR_INTERNAL;
}
