/* The killing half of the labelled crash points; empty in release builds. */
#include "base/crash.h"

#ifdef CRASH_POINTS
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void crash_point(const char *name)
{
    const char *folder = getenv("GUICHET_CRASH_DIR");
    char path[512];
    if (folder == NULL)
        return;
    int len = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (len > 0 && (size_t)len < sizeof path && unlink(path) == 0)
        (void)kill(getpid(), SIGKILL);
}
#endif
