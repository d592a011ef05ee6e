/* One block per arena, taken from the kernel as a whole; pages cost nothing until touched.
 * Must not hand out memory beyond the ceiling or give single pieces back. */
#include "base/arena.h"

#include "base/crypt.h"
#include "base/fail.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena {
    size_t size, used;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena *arena_new(size_t bytes)
{
    struct arena *arena = calloc(1, sizeof *arena + bytes);
    if (arena != NULL)
        arena->size = bytes;
    return arena;
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    arena_reset(arena);
    free(arena);
}

void arena_reset(struct arena *arena)
{
    crypt_wipe(arena->bytes, arena->used);
    arena->used = 0;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    size_t align = alignof(max_align_t);
    size_t room = arena->size - arena->used;
    if (bytes > room || room - bytes < align || FAIL_AT(FAIL_MEMORY) != FAIL_NONE)
        return NULL;
    void *piece = arena->bytes + arena->used;
    arena->used += (bytes + align - 1) / align * align;
    return piece;
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}
