/* What the sandbox saw and sent, newest last, for GET /control: the last JOURNAL_KEPT calls of the
 * API and the last JOURNAL_KEPT webhook attempts, with counters that forget nothing. */
#ifndef SANDBOX_JOURNAL_H
#define SANDBOX_JOURNAL_H

#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

#define JOURNAL_KEPT 1000

struct journal_call {
    char provider[16], method[8], path[128];
    char idempotency_key[256]; /* "": none was sent */
    char fault[40];            /* the fault that the call met; "": none */
    char session_id[40], order_id[256];
    int status; /* that was answered; 0: no answer, or not yet */
    /* set here */
    int64_t number, time_ms, took_ms;
    bool ended;
};

/* Kept from its arrival on, so that calls that never end can be seen too. The first end counts. */
void journal_call_begin(struct journal_call *call);
void journal_call_end(struct journal_call *call);

struct journal_delivery {
    char provider[16], type[64], session_id[64], order_id[256];
    int attempt;         /* from 1; 0: dropped by a fault, never sent */
    int copy;            /* from 1 */
    int status;          /* what the receiver answered; 0: nothing */
    const char *problem; /* fixed text; "": an answer came */
    /* set here */
    int64_t number, time_ms;
};

void journal_delivery_add(const struct journal_delivery *delivery);

/* Forgets calls and deliveries, and their counters. */
void journal_reset(void);

/* Members "calls" and "webhooks", and their counters inside the open object "totals".
 * session_id and order_id: only theirs; NULL: everything. */
void journal_write_totals(struct json_out *out);
void journal_write(struct json_out *out, const char *session_id, const char *order_id);

#endif
