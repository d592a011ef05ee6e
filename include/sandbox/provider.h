/* The providers that the sandbox plays. One provider is one row here and the files of its name. */
#ifndef SANDBOX_PROVIDER_H
#define SANDBOX_PROVIDER_H

#include "sandbox/deliver.h"
#include "sandbox/session.h"

#include "base/arena.h"
#include "base/http.h"
#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

/* One webhook as the merchant is to read it. */
struct notice {
    const struct provider *provider;
    const struct session *session; /* NULL: the sandbox does not know it */
    const char *session_id, *order_id, *type, *currency;
    int64_t amount, fees;
    int64_t remaining;    /* still to be paid; under 0: not said */
    const char *raw_body; /* sent instead of the provider's own body; NULL: none */
    const char *token;    /* signs instead of the merchant's own; NULL: none */
    const char
        *signature; /* sent instead of the right one, "": none is sent; NULL: the right one */
};

struct provider {
    const char *name; /* the first segment of its paths, and its name in /control */
    bool thin;        /* its webhooks name a type and an object, unsigned, and no more */
    bool asked;       /* what its webhooks tell of is read anyway: a wrong amount is told there */
    unsigned faults;  /* those that not every provider has, and this one does: FAULT_BITs */

    /* Serves everything under /name; path is what follows the name, with its slash. Its calls are
     * noted, and meet what is armed for them (sandbox/api.h). */
    void (*handle)(const struct http_request *request, const char *path,
                   struct http_response *response);

    /* The webhook's type for what became of a session; NULL: nothing is sent. */
    const char *(*notice_type)(const struct session *session);

    /* Instead of notice_type, of a provider whose objects follow its sessions: brings them up to
     * date and tells of every event. wait: see provider_move_and_wait. */
    void (*announce)(struct arena *arena, const struct session *session, bool wait);

    /* An action of /control that only this provider knows. False: it does not. NULL: none. */
    bool (*control)(const struct http_request *request, const char *action, const struct json *body,
                    struct http_response *response);

    /* What time alone does, called every second. NULL: sessions live SESSION_LIFE_MS. */
    void (*sweep)(struct arena *arena);

    /* Fills the delivery's url, headers and body; its texts live in the arena. ERR_NOT_FOUND when
     * nobody wants to be told. */
    enum err (*notice_write)(struct arena *arena, const struct notice *notice,
                             struct delivery *ret_delivery);

    /* An attempt to pay without a browser, for /control. card: a test card's number. challenge:
     * "approve" or "deny" ends a 3-D Secure step; NULL: nothing. What the payer would read goes to
     * *ret_text. ERR_PARAMETERS when the session cannot be paid. */
    enum err (*pay)(struct arena *arena, const struct session *session, const char *card,
                    const char *challenge, struct session *ret_session, const char **ret_text);
};

extern const struct provider *const provider_rows[]; /* NULL ends the list */

/* NULL when there is none of that name. */
const struct provider *provider_find(const char *name);

/* Tells the merchant of one thing, faults included. wait: see provider_move_and_wait. */
void provider_tell(struct arena *arena, struct notice *notice, bool wait);

/* Tells the merchant of a session as it is, faults included. */
void provider_announce(struct arena *arena, const struct session *session);

/* Moves a session and tells the merchant, faults included. ERR_NOT_FOUND, or ERR_PARAMETERS when
 * the move is impossible. */
enum err provider_move(struct arena *arena, const struct session *session, enum session_move move,
                       const struct session_attempt *attempt,
                       struct session *ret_session) MUST_CHECK;

/* The same, but waits until the merchant has answered the first attempt of the webhook. */
enum err provider_move_and_wait(struct arena *arena, const struct session *session,
                                enum session_move move, const struct session_attempt *attempt,
                                struct session *ret_session) MUST_CHECK;

/* What the payer told his bank: "approve", or else. ERR_PARAMETERS: it has not asked him. */
enum err provider_end_challenge(struct arena *arena, const struct session *session,
                                const char *answer, struct session *ret_session) MUST_CHECK;

/* Expires every session whose life is over. */
void provider_expire_due(struct arena *arena);

#endif
