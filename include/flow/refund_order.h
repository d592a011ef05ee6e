/* Refunds through a provider's API: the intent is committed (flow/refund.h), the provider called
 * under the refund's own key, and what it says committed. Whoever does not live to do it leaves it
 * to the jobs program. */
#ifndef FLOW_REFUND_ORDER_H
#define FLOW_REFUND_ORDER_H

#include "flow/answer.h"
#include "flow/context.h"

/* For the request that placed the order: calls and answers. Never fails in any other way. */
void refund_order_run(struct context *context, struct arena *arena, const char *payment_id,
                      const char *refund_id, int64_t deadline_ms, struct answer *ret_answer);

/* One order that was not ended: asks again. ret_payment_id: whose; "" when none is due. */
enum err refund_order_step(struct context *context, struct arena *arena,
                           char ret_payment_id[IDENT_MAX]) MUST_CHECK;

#endif
