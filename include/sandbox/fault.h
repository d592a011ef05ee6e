/* Faults on demand: what /control armed, taken one by one where they are to happen. */
#ifndef SANDBOX_FAULT_H
#define SANDBOX_FAULT_H

#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

struct provider;

enum fault {
    FAULT_SLOW,
    FAULT_TIMEOUT_AFTER_SUCCESS,
    FAULT_CONNECTION_RESET,
    FAULT_CONNECTION_RESET_AFTER_SUCCESS,
    FAULT_ERROR_5XX,
    FAULT_GARBAGE,
    FAULT_RATE_LIMITED,
    FAULT_UNAUTHORIZED,
    FAULT_REFUSED,
    FAULT_ERROR_CODE,
    FAULT_PAYMENT_ERROR,
    FAULT_REFUND_HELD,
    FAULT_READBACK_404,
    FAULT_READBACK_PENDING,
    FAULT_WEBHOOK_BEFORE_ANSWER,
    FAULT_WEBHOOK_DUPLICATE,
    FAULT_WEBHOOK_REORDERED,
    FAULT_WEBHOOK_LATE,
    FAULT_WEBHOOK_DROPPED,
    FAULT_WRONG_AMOUNT,
    FAULT_WRONG_CURRENCY,
    FAULT_BAD_SIGNATURE,
    FAULT_FOREIGN_ID,
    FAULT_GONE,
    FAULT_COUNT
};

/* What a fault can happen to. */
enum fault_event {
    EVENT_CREATE = 1, /* a call that makes a payment */
    EVENT_READ = 2,   /* every other call of the API */
    EVENT_WEBHOOK = 4,
    EVENT_HOOK = 8, /* an event that arrives at /hooks/, which is armed as a provider "hooks" */
};

/* Every fault reads its own few of these. */
struct fault_args {
    int64_t ms;          /* how long */
    int64_t status;      /* HTTP status instead of the answer */
    int64_t code;        /* error code of the provider's own */
    int64_t retry_after; /* seconds that the answer names */
    int64_t delta;       /* added to the amount */
    int64_t copies;      /* sent in parallel */
    char currency[4];    /* "": another than the payment's */
};

/* A set of faults is the sum of their bits. */
#define FAULT_BIT(fault) (1U << (fault))

const char *fault_name(enum fault fault);
const char *fault_about(enum fault fault); /* one line for people */

/* The fault of that name, FAULT_COUNT if there is none. */
enum fault fault_find(const char *name);

/* Arms what a body of POST /control asks for. What is wrong with it, fixed text; NULL: armed. */
const char *fault_arm(const struct provider *provider, enum fault fault, const struct json *body);

/* Takes one armed occurrence, the oldest that fits. order_id: the payment's, "" when unknown. */
bool fault_take(const struct provider *provider, enum fault fault, enum fault_event event,
                const char *order_id, struct fault_args *ret_args);

/* Would the next webhook of this payment take it? */
bool fault_is_armed(const struct provider *provider, enum fault fault, const char *order_id);

void fault_reset(void);

/* Writes the members "armed" and "faults" of GET /control. */
void fault_write(struct json_out *out);

#endif
