/* One row per dispute, one posting per turn that it takes. Must not call a provider. */
#include "flow/dispute.h"

#include "flow/notify.h"
#include "flow/posting.h"
#include "store/refunds.h"

#include <stdio.h>

/* The row of the dispute, made when it is first heard of. */
static enum err find_or_insert(struct db *db, const struct payment *payment,
                               const struct settlement *news, struct dispute *ret_dispute)
{
    const struct provider_truth *truth = news->truth;
    const struct money *amount = truth->has_change ? &truth->change : &payment->amount;
    enum err err = disputes_find(db, payment, truth->change_reference, ret_dispute);
    if (err || ret_dispute->sequence != 0)
        return err;
    err = disputes_insert(db, payment, truth->change_reference, news->provider, amount);
    return err ? err : disputes_find(db, payment, truth->change_reference, ret_dispute);
}

static enum err tell(struct db *db, const struct payment *payment, const struct dispute *dispute,
                     enum dispute_state state, const struct settlement *news)
{
    char kind[33], detail[DETAIL_MAX], amount[MONEY_TEXT_MAX];
    money_format(&dispute->amount, amount);
    (void)snprintf(kind, sizeof kind, "dispute_%s", dispute_state_name(state));
    (void)snprintf(detail, sizeof detail, "%s %s: %.150s", amount, money_currency(&dispute->amount),
                   news->detail);
    enum err err = events_insert(db, payment->id, kind, detail, news->source);
    return err ? err
               : notify_event(db, payment, TOPIC_DISPUTED,
                              dispute->sequence * DISPUTE_STATES + (int64_t)state);
}

/* A dispute says that the payment was paid: that is booked first. */
static enum err credit_first(struct db *db, const struct payment *payment,
                             const struct settlement *news)
{
    return payment_is_paid(payment->status) ? ERR_NONE : settle_fact(db, payment, news);
}

enum err dispute_reported(struct db *db, const struct payment *payment,
                          const struct settlement *news, const char **ret_mismatch)
{
    const struct provider_truth *truth = news->truth;
    struct dispute dispute;
    struct posting posting;
    bool fresh;
    *ret_mismatch = NULL;
    if (truth->has_change &&
        (money_minor_units(&truth->change) <= 0 ||
         money_minor_units(&truth->change) > money_minor_units(&payment->amount))) {
        *ret_mismatch = "a dispute that exceeds the payment";
        return ERR_NONE;
    }
    enum err err = credit_first(db, payment, news);
    if (!err)
        err = find_or_insert(db, payment, news, &dispute);
    if (err)
        return err;
    struct dispute_transition next = dispute_next(dispute.state, news->fact);
    if (next.state == dispute.state)
        return ERR_NONE;
    err = disputes_state_set(db, payment, truth->change_reference, next.state);
    if (!err && next.effect != EFFECT_NONE) {
        posting_dispute(&posting, payment, news->provider, dispute.amount, dispute.state,
                        next.effect);
        err = ledger_post(db, payment->id, payment_effect_name(next.effect), dispute.sequence,
                          posting.lines, posting.count, &fresh);
    }
    return err ? err : tell(db, payment, &dispute, next.state, news);
}
