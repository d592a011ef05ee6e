/* Waiting on purpose. */
#ifndef SANDBOX_PAUSE_H
#define SANDBOX_PAUSE_H

#include <stdint.h>

/* Sleeps, but not longer than the program runs. */
void pause_ms(int64_t ms);

#endif
