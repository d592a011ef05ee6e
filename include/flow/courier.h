/* What all ways out of the outbox share: a delivery is taken under a lease, tried without a
 * database connection, and its end written down; what fails is put off by one schedule. */
#ifndef FLOW_COURIER_H
#define FLOW_COURIER_H

#include "store/messages.h"

struct errand {
    struct delivery delivery; /* id 0: nothing was due */
    /* what became of it */
    enum delivery_state state;
    const char *note; /* "" when all is well */
    int64_t again_ms; /* while it waits: the time to the next try */
};

/* A step: the delivery due first for a receiver, kept from others for two minutes. No try may take
 * longer, or two of them run at a time. */
enum err courier_take(struct db *db, const char *receiver, struct errand *ret_errand) MUST_CHECK;

/* A step: the end of a try. */
enum err courier_end(struct db *db, const struct errand *errand) MUST_CHECK;

/* It did not work this time: it waits by the schedule, and at least as long as given. It is dead
 * when this was the last of its ten tries. */
void courier_put_off(struct errand *errand, const char *note, int64_t at_least_ms);

#endif
