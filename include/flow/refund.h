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
    int64_t deadline_ms; /* monotonic: of the request */
};

/* Books a refund and answers. Where the provider takes refunds by its API, it is asked first: see
 * flow/refund_order.h. Where it does not, a person gives the money back in the provider's dashboard
 * (via manual), and the provider's own notice of it is recognised. What was paid from the balance
 * goes back there at once. */
void refund_run(struct context *context, struct arena *arena, const struct refund_request *request,
                struct answer *ret_answer);

/* A step inside a unit: the provider tells of a refund of a payment that the unit has locked.
 * *ret_mismatch: why it cannot be booked, as a fixed text; NULL: it is in the books. */
enum err refund_reported(struct db *db, const struct payment *payment,
                         const struct settlement *news, const char **ret_mismatch) MUST_CHECK;

/* A step inside a unit that has locked the payment: writes the refund's row, moves the payment's
 * status and posts the money. The sum of all refunds must not exceed the payment. */
enum err refund_book(struct db *db, const struct payment *payment, const struct refund *refund,
                     const struct settlement *news) MUST_CHECK;

/* A step inside a unit: the answer about a refund that is in the books, by its id, or, with order
 * not NULL, about one that the provider is still asked for. refund.id "" when there is none. */
enum err refund_answer(struct db *db, const char *payment_id, const char *refund_id,
                       const struct refund_order *order, struct refund *ret_refund,
                       struct answer *ret_answer) MUST_CHECK;

#endif
