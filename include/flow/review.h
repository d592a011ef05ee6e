/* An operator's word: about what waits in the review list, and about any payment made with a
 * provider. It goes through the same posting as a provider's. */
#ifndef FLOW_REVIEW_H
#define FLOW_REVIEW_H

#include "flow/context.h"
#include "flow/settle.h"
#include "store/reviews.h"

#define OPERATOR_NAME_MAX 64 /* bytes, with the NUL */
#define OPERATOR_WHY_MAX  120

/* What an operator has found out about a payment, in the provider's dashboard say. */
struct operator_word {
    const char *payment_id;
    enum payment_fact fact;
    int64_t amount;        /* of a refund or dispute, minor units; 0: all of the payment */
    const char *reference; /* the provider's own for it; "": it names none */
    const char *by, *why;  /* both stand in the timeline */
};

/* ERR_NOT_FOUND: no such payment. ERR_CONFLICT: *ret_problem says why it cannot be. */
enum err operator_settle(struct context *context, struct arena *arena,
                         const struct operator_word *word, const char **ret_problem) MUST_CHECK;

/* accept: what the provider says is true of its attempt, at the payment's own amount; possible for
 * entries that speak of a payment and of no part of it. Otherwise the entry is dismissed and
 * nothing else changes. Either way it stands in the payment's timeline. ERR_NOT_FOUND: no such
 * entry. ERR_CONFLICT: *ret_problem says why it cannot be. */
enum err review_resolve(struct context *context, struct arena *arena, int64_t review_id,
                        bool accept, const char *by, const char *why,
                        const char **ret_problem) MUST_CHECK;

#endif
