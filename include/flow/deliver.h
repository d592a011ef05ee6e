/* Events leave the outbox for the marketplace's own endpoints, signed as Standard Webhooks have it.
 * Safe when several processes do it at once. */
#ifndef FLOW_DELIVER_H
#define FLOW_DELIVER_H

#include "flow/context.h"
#include "store/payments.h"

/* Tells the database who the receivers are, so that whoever settles a payment knows it. *ret_left:
 * something may still wait for one that is no longer there, which another call ends. */
enum err deliver_prepare(struct context *context, struct arena *arena, bool *ret_left) MUST_CHECK;

#define DELIVERED_FOUND_MAX 64

/* What one step did, for the log. */
struct delivered {
    char payment_id[IDENT_MAX]; /* "": nothing was due */
    char found[DELIVERED_FOUND_MAX];
    bool sent;
    bool disabled; /* the receiver said that it is gone: from now on it gets nothing */
};

/* Sends a receiver (an index into the settings') the event that is due first. One that it may have
 * taken is sent again: the same bytes under the same webhook-id. */
enum err deliver_step(struct context *context, struct arena *arena, size_t receiver,
                      struct delivered *ret_done) MUST_CHECK;

#endif
