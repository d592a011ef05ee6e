/* Carries webhooks to the merchant: at once or from a queue, with the documented attempts. */
#ifndef SANDBOX_DELIVER_H
#define SANDBOX_DELIVER_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define DELIVER_HEADERS_MAX 3
#define DELIVER_COPIES_MAX  20

struct delivery;

/* How a provider's webhooks travel. */
struct delivery_way {
    int64_t timeout_ms;               /* within which the receiver must have answered */
    int64_t (*pause_ms)(int attempt); /* before that attempt, from 1; under 0: there is none */
    void (*tried)(const struct delivery *delivery, int status); /* after each; NULL: nothing */
};

/* One webhook, ready to be sent. The queue copies every text; provider is fixed text. */
struct delivery {
    const char *provider, *type, *session_id, *order_id; /* for the journal */
    const char *url;
    const char *headers[DELIVER_HEADERS_MAX]; /* "Name: value"; NULL ends the list */
    const char *body;                         /* NULL: a GET without one */
    size_t body_len;
    int first_attempt;              /* 0 and 1: the first; 2: one attempt was made elsewhere */
    const struct delivery_way *way; /* NULL: a POST's 30 s, again after 30 s, 5 min and 30 min */
};

/* How the queue treats one webhook. */
struct delivery_plan {
    int64_t wait_ms; /* before the first attempt, on top of the documented pause */
    int copies;      /* of the first attempt, sent at the same time; 0 is 1 */
    int64_t swap_ms; /* over 0: after the next webhook, or after so long without one */
};

enum err deliver_start(void) MUST_CHECK;

/* Ends the threads that wait; those in a transfer end with the program. */
void deliver_stop(void);

/* Sends in a while, again after the documented pauses until the receiver answers 200. */
void deliver_queue(const struct delivery *delivery, const struct delivery_plan *plan);

/* Sends copies at the same time and waits: one attempt each. ret_status: what each was answered,
 * 0 for nothing; copies is at most DELIVER_COPIES_MAX. */
void deliver_now(const struct delivery *delivery, int copies, int attempt, int *ret_status);

#endif
