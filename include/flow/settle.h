/* From a provider's word to our books: the one place where the state of a payment changes and
 * money is posted. Webhooks, the return page, the jobs program, operators and failed creates all
 * end here. */
#ifndef FLOW_SETTLE_H
#define FLOW_SETTLE_H

#include "flow/context.h"
#include "provider/provider.h"
#include "store/payments.h"

enum settle_verdict {
    SETTLE_APPLIED,   /* in the books now, or there already */
    SETTLE_UNMATCHED, /* no payment of ours (yet) */
    SETTLE_MISMATCH,  /* another session, amount or currency: a person must look */
};

#define DETAIL_MAX 256 /* of an event */

/* A step inside a unit: applies what the driver's provider says to the payment whose attempt it
 * names.
 * ret_note says why when it was not applied. */
enum err settle_apply(struct db *db, const struct provider_driver *driver,
                      const struct provider_truth *truth, const char *source,
                      enum settle_verdict *ret_verdict, char ret_note[REASON_MAX]) MUST_CHECK;

/* What was learnt about a payment, and from whom. */
struct settlement {
    enum payment_fact fact;
    const char *provider; /* who was called, and holds the money */
    /* NULL: our own finding. A success without one is paid from the payer's own balance. */
    const struct provider_truth *truth;
    const char *detail, *source; /* for the timeline */
    int64_t paid_by;             /* the attempt that the news is of; 0: of none */
    const struct cart *bought;   /* handed over already; NULL: what the payment holds is to be */
};

/* A step inside a unit: applies it to a payment that the unit has locked. ERR_BALANCE: the payer's
 * balance is too small; the unit must not be committed. */
enum err settle_fact(struct db *db, const struct payment *payment,
                     const struct settlement *news) MUST_CHECK;

/* A step inside a unit: the same for any news, refunds and disputes too. What they are about stands
 * in news->truth. *ret_mismatch: why it is not in the books, as a fixed text; NULL: it is. */
enum err settle_news(struct db *db, const struct payment *payment, const struct settlement *news,
                     const char **ret_mismatch) MUST_CHECK;

/* A step inside a unit: the same of one attempt to pay it. News of one that has not paid it leave
 * the payment alone: what that one has paid is surplus. */
enum err settle_attempt(struct db *db, const struct payment *payment, const struct attempt *attempt,
                        const struct settlement *news, const char **ret_mismatch) MUST_CHECK;

/* A step inside a unit: ends the wait for a payer when the payment's time is over by the
 * database's clock. One that the provider is working on is left to the provider, but its items
 * are no longer held. */
enum err settle_expiry(struct db *db, const char *payment_id) MUST_CHECK;

#endif
