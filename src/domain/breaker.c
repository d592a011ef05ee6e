/* The state machine of a breaker: closed, open, half-open, probed, and a switch above it. */
#include "domain/breaker.h"

enum {
    DISABLED_WAIT_S = 60, /* nobody knows how long; often enough to notice */
    PROBED_WAIT_S = 5,    /* a call is a matter of seconds */
};

enum breaker_state breaker_state(const struct breaker *breaker)
{
    if (breaker->disabled)
        return BREAKER_DISABLED;
    if (!breaker->open)
        return BREAKER_CLOSED;
    if (breaker->open_left_ms > 0)
        return BREAKER_OPEN;
    return breaker->probe_left_ms > 0 ? BREAKER_PROBED : BREAKER_HALF_OPEN;
}

int64_t breaker_wait_s(const struct breaker *breaker)
{
    enum breaker_state state = breaker_state(breaker);
    if (state == BREAKER_DISABLED)
        return DISABLED_WAIT_S;
    if (state == BREAKER_OPEN)
        return (breaker->open_left_ms + 999) / 1000;
    return state == BREAKER_PROBED ? PROBED_WAIT_S : 0;
}

bool breaker_is_failure(enum outcome outcome, int http_status)
{
    bool answered_us = http_status >= 400 && http_status <= 499;
    bool definite = outcome == OUTCOME_DONE || outcome == OUTCOME_PENDING ||
                    outcome == OUTCOME_DECLINED || outcome == OUTCOME_REFUSED;
    return !definite && !answered_us;
}

void breaker_count(const struct settings_breaker *rules, int64_t age_s,
                   const struct breaker_counts *second, struct breaker_counts *window)
{
    if (age_s < 0 || age_s >= rules->window_s)
        return;
    window->calls += second->calls;
    window->failures += second->failures;
}

bool breaker_must_open(const struct settings_breaker *rules, const struct breaker_counts *window)
{
    return window->calls >= rules->minimum &&
           window->failures * 100 >= window->calls * rules->failures_percent;
}
