/* Waiting on purpose, in small steps, so that a fault of a minute does not hold up the end of the
 * program. */
#include "sandbox/pause.h"

#include "base/clock.h"

#include <signal.h>
#include <stdbool.h>

enum { STEP_MS = 50 };

/* base/fcgi wakes each of its threads with USR1, which stays pending while a request is served. */
static bool is_ending(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) == 1;
}

void pause_ms(int64_t ms)
{
    int64_t end = clock_mono_ms() + ms;
    for (int64_t left = ms; left > 0 && !is_ending(); left = clock_left_ms(end))
        clock_sleep_ms(left < STEP_MS ? left : STEP_MS);
}
