/* The countdown to a test's fault; empty in release builds. */
#include "base/fail.h"

#ifdef FAIL_POINTS
#include <signal.h>
#include <unistd.h>

static _Thread_local struct {
    enum fail_place place;
    enum fail fault; /* FAIL_NONE: not armed */
    int left;        /* places to pass before it happens */
    bool lasting, happened;
} plan;

void fail_arm(enum fail_place place, enum fail fault, int nth, bool lasting)
{
    plan.place = place;
    plan.fault = fault;
    plan.left = nth - 1;
    plan.lasting = lasting;
    plan.happened = false;
}

bool fail_disarm(void)
{
    plan.fault = FAIL_NONE;
    return plan.happened;
}

enum fail fail_at(enum fail_place place)
{
    if (plan.fault == FAIL_NONE || place != plan.place || (plan.happened && !plan.lasting) ||
        plan.left-- > 0)
        return FAIL_NONE;
    plan.left = 0;
    plan.happened = true;
    if (plan.fault == FAIL_DEATH)
        (void)kill(getpid(), SIGKILL);
    return plan.fault;
}
#endif
