/* Idempotency keys on the way in: kept answers given again, and refusals kept. */
#ifndef FLOW_REPLAY_H
#define FLOW_REPLAY_H

#include "flow/answer.h"
#include "flow/context.h"
#include "store/keys.h"

/* Was this request seen before? True: *ret_answer holds the kept answer, or the refusal. */
bool replay_find(struct context *context, struct arena *arena, const struct idempotency_key *key,
                 struct answer *ret_answer);

/* Keeps the answer to a request that made no payment of its own, if it is one to keep. */
void replay_keep(struct context *context, struct arena *arena, const struct idempotency_key *key,
                 const struct answer *answer);

#endif
