/* /hooks/: plays an endpoint of the marketplace's own, which is told of payments. It checks every
 * signature, and shows people and tests what came. */
#ifndef SANDBOX_HOOKS_H
#define SANDBOX_HOOKS_H

#include "sandbox/provider.h"

#include "base/http.h"

/* What the endpoint is called where providers are: in /control, when faults are armed. It is none,
 * so it has no functions. */
extern const struct provider hooks_receiver;

/* path: what follows /hooks, with its slash, or "". POST / takes an event, GET / shows the newest,
 * GET /events gives them as JSON. */
void hooks_handle(const struct http_request *request, const char *path,
                  struct http_response *response);

/* Forgets what came. */
void hooks_reset(void);

#endif
