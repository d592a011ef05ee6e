/* Registrations of recurring payments: kept by the provider, named and owned here. */
#ifndef FLOW_RECURRING_H
#define FLOW_RECURRING_H

#include "flow/answer.h"
#include "flow/context.h"
#include "provider/provider.h"
#include "store/keys.h"
#include "store/recurring.h"

struct recurring_request {
    const struct provider_driver *driver;
    int64_t user_id;
    struct provider_recurring recurring; /* checked */
    struct idempotency_key key;          /* of a create */
    int64_t deadline_ms;
};

/* The answer to what cannot be: some words of payments are not among those of registrations. */
void recurring_refuse(const struct settings *settings, struct arena *arena, enum err err,
                      struct answer *ret_answer);

/* Each answers with the registration as the provider has it now. None fails in any other way. */
void recurring_create(struct context *context, struct arena *arena,
                      const struct recurring_request *request, struct answer *ret_answer);
void recurring_view(struct context *context, struct arena *arena,
                    const struct registration *registration, int64_t deadline_ms,
                    struct answer *ret_answer);
void recurring_change(struct context *context, struct arena *arena,
                      const struct registration *registration,
                      const struct recurring_request *request, struct answer *ret_answer);

/* The registration of this id, if it is the user's (0: anybody's). id "": there is none. */
enum err recurring_find(struct context *context, struct arena *arena, const char *id,
                        int64_t user_id, struct registration *ret_registration) MUST_CHECK;

#endif
