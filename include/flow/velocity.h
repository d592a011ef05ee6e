/* Limits on declined cards. Whoever tries card after card is testing what he has stolen, and the
 * card networks charge the marketplace for every try. On a provider's own page the provider looks
 * out for that; where callers bring the card, we do. */
#ifndef FLOW_VELOCITY_H
#define FLOW_VELOCITY_H

#include "flow/checkout.h"

/* May this payer, from this address and with this card, try once more? ERR_RATE: not before
 * *ret_wait_s seconds have passed. Any other error: the database. Without a card among the
 * request's members there is no limit, and nobody is asked. */
enum err velocity_ask(struct context *context, struct arena *arena, const struct checkout *checkout,
                      int64_t *ret_wait_s) MUST_CHECK;

/* Counts the answer, if it is that a card was declined. One that cannot be counted is one try more.
 */
void velocity_tell(struct context *context, struct arena *arena, const struct checkout *checkout,
                   enum err answered);

#endif
