/* What the APIs of all providers have in common: each call has its place in the journal, and what
 * was armed happens to it, instead of its work or after it. */
#ifndef SANDBOX_API_H
#define SANDBOX_API_H

#include "sandbox/fault.h"
#include "sandbox/journal.h"

#include "base/http.h"

/* A part of the struct in which a provider keeps a call while it is served. */
struct api_call {
    const struct provider *provider;
    struct http_response *response;
    enum fault_event event;
    struct journal_call entry;
};

/* The call has come. session_id, order_id: "" when they are not known, or not yet. */
void api_begin(struct api_call *call, const struct http_request *request, const char *path,
               const char *session_id, const char *order_id);

/* Takes an armed fault, if there is one, and says so in the journal. */
bool api_takes(struct api_call *call, enum fault fault, struct fault_args *ret_args);

/* The faults that look alike everywhere and come instead of the work. True: the answer is made. */
bool api_fails_before(struct api_call *call);

/* Those that come after the work. garbage: the text that then stands for the body. */
void api_fails_after(struct api_call *call, const char *garbage);

/* The call is answered, if nothing has ended it before. */
void api_end(struct api_call *call);

#endif
