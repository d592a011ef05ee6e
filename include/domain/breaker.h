/* When a provider is left alone, and when it is tried again. Pure rules: counts and times come from
 * the store, so that all processes see the same. */
#ifndef DOMAIN_BREAKER_H
#define DOMAIN_BREAKER_H

#include "base/settings.h"
#include "domain/payment.h"

/* Calls that create payments. */
struct breaker_counts {
    int64_t calls, failures;
};

/* A breaker and its switch as they stand at a moment. */
struct breaker {
    bool disabled; /* by an operator */
    bool open;
    int64_t open_left_ms;  /* of the cool-down; 0 or less: it is over */
    int64_t probe_left_ms; /* of the lease of the call that tries; 0 or less: nobody does */
};

enum breaker_state {
    BREAKER_CLOSED,    /* everybody may call */
    BREAKER_DISABLED,  /* nobody may, until an operator says so */
    BREAKER_OPEN,      /* nobody may, for open_left_ms */
    BREAKER_HALF_OPEN, /* one may */
    BREAKER_PROBED,    /* and somebody does */
};

enum breaker_state breaker_state(const struct breaker *breaker);

/* After how many seconds it is worth asking again; 0: now. */
int64_t breaker_wait_s(const struct breaker *breaker);

/* Does this speak against the provider? Not reached, no answer, or none that makes sense: yes. An
 * answer about this payer or this request (declined, refused, any 4xx): no. http_status 0: there
 * was no answer. */
bool breaker_is_failure(enum outcome outcome, int http_status);

/* Adds what happened in a second that began age_s ago, if that lies in the window. */
void breaker_count(const struct settings_breaker *rules, int64_t age_s,
                   const struct breaker_counts *second, struct breaker_counts *window);

/* Is this window reason enough to open? */
bool breaker_must_open(const struct settings_breaker *rules, const struct breaker_counts *window);

#endif
