/* Finds out what nobody told us: asks providers about open payments, resumes creates whose outcome
 * is open, and expires what was not paid in time. Safe when several processes do it at once. */
#ifndef FLOW_RECONCILE_H
#define FLOW_RECONCILE_H

#include "flow/context.h"
#include "provider/provider.h"
#include "store/payments.h"

/* What one step did, for the log. */
struct reconciled {
    char payment_id[IDENT_MAX]; /* "": nothing was due */
    const char *found;          /* fixed text */
    bool mute; /* nobody can be asked: the provider has no secrets set. An operator should know */
};

/* Takes the check that is due first and does what it calls for. The number of questions per attempt
 * is bounded: after 10 s, 1 min, 5 min, 15 min, 1 h, then daily for five days. While nobody knows
 * what became of the create, looks are 5 s apart at first, and then twice as far each time. */
enum err reconcile_step(struct context *context, struct arena *arena,
                        struct reconciled *ret_done) MUST_CHECK;

/* The payer's browser comes back, and the provider is asked, unless it was a few seconds ago or has
 * been too often. reference: ours or the
 * provider's. ret_payment->id is "" when it names no payment made with this provider; ret_url is
 * the caller's returnUrl, "" if there is none. */
enum err reconcile_returned(struct context *context, struct arena *arena,
                            const struct provider_driver *driver, const char *reference,
                            int64_t deadline_ms, struct payment *ret_payment,
                            char ret_url[URL_MAX]) MUST_CHECK;

/* A provider that has sent no notice for the configured time: brings forward the next checks of its
 * open payments, a few at a time, and each payment at most once in that time. */
enum err reconcile_silence(struct context *context, struct arena *arena,
                           int64_t *ret_hurried) MUST_CHECK;

#endif
