/* Money given back: by an operator's word, or as the provider tells of it. */
#ifndef FLOW_REFUND_H
#define FLOW_REFUND_H

#include "flow/answer.h"
#include "flow/context.h"
#include "flow/settle.h"
#include "store/keys.h"
#include "store/refunds.h"

#define REFUND_REASON_MAX 200 /* bytes, with the NUL */

struct refund_request {
    const char *payment_id;
    int64_t amount; /* minor units; 0: all that is left */
    const char *reason;
    int64_t operator_id;
    struct idempotency_key key;
};

/* Books a refund and answers. No provider of ours takes a refund by its API so far: a person gives
 * the money back in the provider's dashboard (via manual), and the provider's own notice of it is
 * recognised. What was paid from the balance goes back there at once. */
void refund_run(struct context *context, struct arena *arena, const struct refund_request *request,
                struct answer *ret_answer);

/* A step inside a unit: the provider tells of a refund of a payment that the unit has locked.
 * *ret_mismatch: why it cannot be booked, as a fixed text; NULL: it is in the books. */
enum err refund_reported(struct db *db, const struct payment *payment,
                         const struct settlement *news, const char **ret_mismatch) MUST_CHECK;

#endif
