/* Creating a payment: intent committed, provider called, result committed. */
#ifndef FLOW_CHECKOUT_H
#define FLOW_CHECKOUT_H

#include "flow/answer.h"
#include "flow/cart.h"
#include "flow/context.h"
#include "provider/provider.h"
#include "store/keys.h"
#include "store/payments.h"

struct settled_create; /* flow/settled.h */

enum {
    PARTNERS_MAX = 8,      /* of the house brand, and so many attempts of a payment */
    CALL_MARGIN_MS = 3000, /* an attempt is given up this much after its call's time-out */
    ATTEMPTS_MAX = 4,      /* of a payment: with so many, a lost one is not replaced any more */
};

/* A checked request to create a payment. */
struct checkout {
    /* Who is called. The next one only when the one before has not been reached, or has cleanly
     * refused; never after an unknown outcome. */
    const struct provider_driver *drivers[PARTNERS_MAX];
    size_t driver_count;
    struct payment_intent intent; /* its amount is the cart's, if there is one */
    struct cart_wish wish;
    /* Who pays and with what, as far as the caller said: handed to the provider, never stored. */
    struct provider_payer payer;
    struct provider_card card;
    bool has_card;
    struct provider_details details;
    struct idempotency_key key;
    bool payer_unread;   /* whether the user may pay is looked up with the intent, which has no
                          * items then */
    int64_t deadline_ms; /* monotonic: of the request */
};

/* After how long an attempt that begins now is given up. */
int64_t attempt_deadline_ms(const struct context *context);

/* Runs all of it. The answer says what the caller gets; its payment_id is set as soon as a
 * payment is stored. Never fails in any other way. */
void checkout_run(struct context *context, struct arena *arena, const struct checkout *checkout,
                  struct answer *ret_answer);

/* What a driver may know of a payment; its texts are the payment's and the attempt's. Payer and
 * card are known only to the request that brings them. */
struct provider_order checkout_order(const struct payment *payment, const struct attempt *attempt,
                                     const struct cart *cart);

/* Commits what became of an attempt that no request waits for: the second half of checkout_run.
 * settled: what was read about a create that was over at once; NULL: it was not. */
enum err checkout_finish(struct context *context, struct arena *arena,
                         const struct payment *payment, const struct attempt *attempt,
                         const struct provider_result *result,
                         const struct settled_create *settled) MUST_CHECK;

/* Sees to it that a payer learns how to pay although the answer to the create was lost, by the
 * death of a process or of a connection. The create is sent again under its own reference, where
 * that is unique, which is news if nothing had happened. If something had, or cannot be told,
 * another attempt with another reference takes its place: a few of them at most. Only where no
 * money moves before the payer acts, and only as the breaker allows. ERR_NONE even when it is still
 * unknown; *ret_found is set to what was done, if anything was. */
enum err checkout_resume(struct context *context, struct arena *arena,
                         const struct provider_driver *driver, const struct payment *payment,
                         const struct attempt *attempt, const struct cart *cart,
                         const char **ret_found) MUST_CHECK;

/* Asks the provider for the answer that a lost create got, and finishes with it. ERR_NONE even when
 * it is still unknown, and *ret_known is false. */
enum err checkout_recover(struct context *context, struct arena *arena,
                          const struct provider_driver *driver, const struct payment *payment,
                          const struct attempt *attempt, const struct cart *cart,
                          bool *ret_known) MUST_CHECK;

/* Ends the open attempt of a payment that has been paid all the same: its create answer was lost,
 * the provider's notice was not. */
enum err checkout_close(struct context *context, struct arena *arena, const struct payment *payment,
                        const struct attempt *attempt) MUST_CHECK;

#endif
