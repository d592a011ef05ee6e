/* Waiting on purpose, in small steps, so that a fault of a minute does not hold up the end of the
 * program. */
#include "sandbox/pause.h"

#include "base/clock.h"
#include "base/fcgi.h"

enum { STEP_MS = 50 };

void pause_ms(int64_t ms)
{
    int64_t end = clock_mono_ms() + ms;
    for (int64_t left = ms; left > 0 && !fcgi_draining(); left = clock_left_ms(end))
        clock_sleep_ms(left < STEP_MS ? left : STEP_MS);
}
