/* Memory of one request: allocated piece by piece, given back as a whole.
 * The ceiling is reserved once, so that a request never waits for the system's allocator
 * and never takes more than its share. Not for use by two threads at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena;

#define ARENA_BYTES (1024 * 1024)

/* NULL when the system has no memory. The caller owns it and ends it with arena_free. */
struct arena *arena_new(size_t bytes);
void arena_free(struct arena *arena);

/* Forgets everything allocated and wipes what was used. */
void arena_reset(struct arena *arena);

/* Zeroed memory that lives until the reset. NULL when the ceiling is reached: ERR_OVERLOAD. */
void *arena_alloc(struct arena *arena, size_t bytes);

/* A NUL-terminated copy; NULL when the ceiling is reached. */
char *arena_strndup(struct arena *arena, const char *text, size_t len);

#endif
