/* Labelled points between two steps at which tests kill the process. In release builds there
 * are none: CRASH_POINT is empty unless CRASH_POINTS is defined. */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

#ifdef CRASH_POINTS
/* Kills this process with SIGKILL if the folder named by GUICHET_CRASH_DIR holds a file of that
 * name; the file is removed first, so that one file is one death. */
void crash_point(const char *name);
#define CRASH_POINT(name) crash_point(name)
#else
#define CRASH_POINT(name) ((void)0)
#endif

#endif
