/* A provider that fails is left alone: its callers get an answer at once, and it gets rest. State
 * is shared by all processes through the database; each looks there once a second at most, and
 * counts in memory meanwhile, so that a healthy provider costs a payment nothing. */
#ifndef FLOW_BREAKER_H
#define FLOW_BREAKER_H

#include "flow/context.h"
#include "provider/provider.h"

/* The leave to call a provider once. */
struct breaker_pass {
    const struct provider_driver *driver; /* NULL: none */
    int64_t probe_id;                     /* 0: one of many; else the one call that tries */
};

/* May a payment be created with this provider now? Every pass must be told what became of it.
 * ERR_PROVIDER_UNAVAILABLE: no; *ret_wait_s is when to ask again, 0 for soon. Any other error:
 * the database does not say. */
enum err breaker_ask(struct context *context, struct arena *arena,
                     const struct provider_driver *driver, struct breaker_pass *ret_pass,
                     int64_t *ret_wait_s) MUST_CHECK;

/* What became of the call; NULL: there was none, and the pass is given back. Call it after the
 * payment's own transaction: what cannot be stored is told again with the next call. */
void breaker_tell(struct context *context, struct arena *arena, const struct breaker_pass *pass,
                  const struct provider_result *result);

/* Leaves a provider alone for so many seconds, whatever was measured: for what will not mend by
 * itself, as a refused key. The note is for an operator: no secret, nothing of the payer. Drivers
 * do no I/O: they set trip_s of their result, and breaker_tell comes here. */
enum err breaker_trip(struct context *context, struct arena *arena,
                      const struct provider_driver *driver, int64_t seconds,
                      const char *note) MUST_CHECK;

/* Is it called at present? For lists: the last that was known if the database does not answer. */
bool breaker_is_closed(struct context *context, struct arena *arena,
                       const struct provider_driver *driver);

#endif
