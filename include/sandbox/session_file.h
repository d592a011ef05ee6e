/* Keeps sessions over a restart: one line of JSON for every change, appended to a file. */
#ifndef SANDBOX_SESSION_FILE_H
#define SANDBOX_SESSION_FILE_H

#include "sandbox/session.h"

/* Hands every state kept in the file, oldest first, to restore, then opens it for appending.
 * path "": nothing is kept. ERR_CONFIG when the file cannot be read or written. */
enum err session_file_open(const char *path,
                           void (*restore)(const struct session *session)) MUST_CHECK;

/* Appends the state as it is now. Not for two threads at a time: the caller holds its mutex. */
void session_file_append(const struct session *session);

#endif
