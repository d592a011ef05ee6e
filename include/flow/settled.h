/* Creates that are over with their answer: a card that we handed over may have been charged at
 * once. The answer says so, but only what is read back is believed. */
#ifndef FLOW_SETTLED_H
#define FLOW_SETTLED_H

#include "flow/answer.h"
#include "flow/context.h"
#include "provider/provider.h"
#include "store/payments.h"

struct settled_create {
    const struct provider_driver *driver; /* NULL: the create was not over */
    struct provider_truth truth;
    bool known; /* false: it could not be read; the jobs will ask */
};

/* Reads the payment back if the result calls for it. order: as it was created with. */
void settled_read(struct context *context, struct arena *arena, int64_t deadline_ms,
                  const struct provider_driver *driver, const struct provider_order *order,
                  const struct provider_result *result, struct settled_create *ret_settled);

/* A step inside a unit that has locked the payment: posts what was read, through the one posting
 * function. What does not fit is in the review list then. *payment is read anew. */
enum err settled_post(struct db *db, const struct settled_create *settled, const char *source,
                      struct payment *payment) MUST_CHECK;

/* No page for the payer: the provider has decided, or is still at it. */
void settled_answer(const struct settings *settings, struct arena *arena,
                    const struct payment *payment, struct answer *ret_answer);

#endif
