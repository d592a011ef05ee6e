/* The only file that asks the system what time it is. */
#include "base/clock.h"

#include "base/fail.h"

#include <stdio.h>

#include <time.h>

static int64_t read_us(clockid_t id)
{
    const int64_t hour_us = INT64_C(3600) * 1000000;
    struct timespec now;
    (void)clock_gettime(id, &now); /* cannot fail for these clocks */
    enum fail fault = FAIL_AT(FAIL_CLOCK);
    int64_t ahead_us = fault == FAIL_AHEAD                          ? hour_us
                       : fault == FAIL_BACK && id == CLOCK_REALTIME ? -hour_us
                                                                    : 0;
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + ahead_us;
}

int64_t clock_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_mono_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_left_ms(int64_t deadline_ms)
{
    int64_t left = deadline_ms - clock_mono_ms();
    return left > 0 ? left : 0;
}

void clock_sleep_ms(int64_t ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&pause, NULL); /* a signal may end it early: callers loop anyway */
}

struct clock_meter *clock_meter(void)
{
    static _Thread_local struct clock_meter meter;
    return &meter;
}

bool clock_text(int64_t wall_ms, char ret_text[CLOCK_TEXT_MAX])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    char text[CLOCK_TEXT_MAX];
    if (gmtime_r(&seconds, &utc) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc) == 0)
        return false;
    return snprintf(ret_text, CLOCK_TEXT_MAX, "%.19s.%03dZ", text, (int)(wall_ms % 1000)) <
           CLOCK_TEXT_MAX;
}
