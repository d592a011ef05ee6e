/* Limits on declined cards. Whoever tries card after card is testing what he has stolen, and the
 * card networks charge the marketplace for every try. On a provider's own page the provider looks
 * out for that; where callers bring the card, we do. */
#ifndef FLOW_VELOCITY_H
#define FLOW_VELOCITY_H

#include "flow/checkout.h"

enum { VELOCITY_SUBJECTS = 3 }; /* the payer, the address, the card */

struct velocity_subject {
    unsigned char hash[CRYPT_HASH_BYTES];
    int64_t limit;  /* 0: it is not counted */
    int64_t try_id; /* 0: none is under way */
};

/* One try, which counts as declined while it is under way. */
struct velocity_try {
    struct velocity_subject subjects[VELOCITY_SUBJECTS];
    int64_t wait_s; /* 0: it may be made */
};

/* May this payer, from this address and with this card, try once more? ERR_RATE: not before
 * ret_try->wait_s seconds have passed. Any other error: the database. Without a card among the
 * request's members there is no limit, and nobody is asked. ERR_NONE: velocity_tell must follow. */
enum err velocity_ask(struct context *context, struct arena *arena, const struct checkout *checkout,
                      struct velocity_try *ret_try) MUST_CHECK;

/* Ends the try, and counts the answer if it is that a card was declined. One that cannot be counted
 * is one try more. */
void velocity_tell(struct context *context, struct arena *arena, const struct velocity_try *attempt,
                   enum err answered);

#endif
