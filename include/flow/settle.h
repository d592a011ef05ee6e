/* From a provider's word to our books: the one place where the state of a payment changes and
 * money is posted. Webhooks, the jobs program and failed creates all end here. */
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

/* A step inside a unit: applies what the driver's provider says to the payment it names.
 * ret_note says why when it was not applied. */
enum err settle_apply(struct db *db, const struct provider_driver *driver,
                      const struct provider_truth *truth, const char *source,
                      enum settle_verdict *ret_verdict, char ret_note[REASON_MAX]) MUST_CHECK;

/* A step inside a unit: applies a fact to a payment that the unit has locked. truth: NULL when
 * the fact is our own finding and moves no money. */
enum err settle_fact(struct db *db, const struct payment *payment, enum payment_fact fact,
                     const struct provider_truth *truth, const char *detail,
                     const char *source) MUST_CHECK;

/* What became of a notice, for the log. */
struct settled_notice {
    char payment_id[64]; /* as the notice names it */
    char word[32];
    enum settle_verdict verdict;
    bool repeated; /* it had been dealt with before */
};

/* Stores a proved notice and applies it, in one transaction. Any error: nothing is stored, the
 * provider should send it again. */
enum err settle_notice(struct context *context, struct arena *arena,
                       const struct provider_driver *driver, const char *body, size_t len,
                       struct settled_notice *ret_notice) MUST_CHECK;

/* Tries one stored notice that named no payment before. *ret_found is false when none is due. */
enum err settle_waiting_notice(struct context *context, struct arena *arena,
                               bool *ret_found) MUST_CHECK;

#endif
