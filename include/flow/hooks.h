/* Providers that send notices only where they were told to: is that still where we are, and what
 * have they told of that did not reach us? */
#ifndef FLOW_HOOKS_H
#define FLOW_HOOKS_H

#include "flow/context.h"
#include "provider/provider.h"

struct hooks_found {
    size_t kinds;   /* of notices that we want */
    size_t wrong;   /* not registered, with another address, or switched off by the provider */
    size_t mended;  /* of those */
    int64_t missed; /* notices found in the list of events that had not come */
};

/* Is there anything to look after? Of a provider that is switched on, or was once: what was begun
 * with it goes on. */
enum err hooks_wanted(struct context *context, struct arena *arena,
                      const struct provider_driver *driver, bool *ret_wanted) MUST_CHECK;

/* Looks at the registrations and mends them. ERR_PROVIDER_UNAVAILABLE: the provider cannot be
 * asked, or not all could be mended. */
enum err hooks_check(struct context *context, struct arena *arena,
                     const struct provider_driver *driver,
                     struct hooks_found *ret_found) MUST_CHECK;

/* Reads the list of events since the last time, and takes those that were not told as if they had
 * been. ERR_PROVIDER_UNAVAILABLE. */
enum err hooks_sweep(struct context *context, struct arena *arena,
                     const struct provider_driver *driver,
                     struct hooks_found *ret_found) MUST_CHECK;

#endif
