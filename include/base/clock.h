/* Time, read in one place. Wall-clock times are milliseconds since 1970 (UTC);
 * deadlines and durations are milliseconds of the monotonic clock. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);

#define CLOCK_TEXT_MAX 25 /* RFC 3339, UTC, milliseconds */

/* A moment of the wall clock as text; false: beyond the years that have four digits. */
bool clock_text(int64_t wall_ms, char ret_text[CLOCK_TEXT_MAX]);

/* Milliseconds until the deadline, 0 when it has passed. */
int64_t clock_left_ms(int64_t deadline_ms);

void clock_sleep_ms(int64_t ms);

/* Where the time of this thread's request went; reset at its start, logged at its end. */
struct clock_meter {
    int64_t db_us, provider_us;
};
struct clock_meter *clock_meter(void);

#endif
