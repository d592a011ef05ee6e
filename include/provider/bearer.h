/* The tokens that providers give out for a while: kept for all threads of a process, in memory
 * only, and never in a log. One thread at a time asks for a new one. */
#ifndef PROVIDER_BEARER_H
#define PROVIDER_BEARER_H

#include "provider/provider.h"

/* A token to call with. stale: the one that the provider has just refused, which is not given
 * again; NULL: none. False: none can be had, and ret_answer tells what the provider said (its
 * result is HTTPC_NOT_SENT, its status that of the call for the token, 0 when somebody else made
 * it). */
bool bearer_get(const struct provider_driver *driver, const struct settings *settings,
                struct httpc *client, struct arena *arena, int64_t deadline_ms, const char *stale,
                char ret_token[PROVIDER_TOKEN_MAX], struct httpc_answer *ret_answer);

#endif
