/* A payment's intent is committed: what checkout begins with. */
#ifndef FLOW_BEGIN_H
#define FLOW_BEGIN_H

#include "flow/checkout.h"

struct begun {
    struct context *context;
    const struct checkout *checkout;
    int64_t started_ms; /* out, monotonic */
    bool again;         /* it has run before, and may have been committed */
    struct payment payment;
    struct attempt attempt;
    struct cart_choice choice;
    struct kept_answer kept; /* found: this key was claimed by another request */
    struct answer answer;    /* of a payment from the balance, which is over at once */
};

/* Commits the intent to pay and, unless it is paid from the balance, to call the first of the
 * drivers. In: context and checkout. ERR_IDEMPOTENCY_RUNNING: the key was claimed by another
 * request; ERR_CART_RUNNING: choice names the payer's open payment for the same cart; ERR_NO_ITEMS,
 * ERR_BALANCE, ERR_PARAMETERS, ERR_USER_INVALID: refused. With any error nothing of it is stored,
 * but for ERR_DB_LOST.
 */
enum err begin_payment(struct context *context, struct arena *arena,
                       struct begun *begun) MUST_CHECK;

#endif
