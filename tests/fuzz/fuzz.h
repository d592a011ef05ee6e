/* What every fuzz target shares: libFuzzer's entry, an arena that is given back after each input,
 * and the checks that hold for any input. A target is a file fuzz_NAME.c beside this one; its first
 * inputs are the files of tests/recorded/NAME, if there are any. */
#ifndef FUZZ_H
#define FUZZ_H

#include "base/arena.h"
#include "base/httpc.h"
#include "provider/provider.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The program ends, and the fuzzer keeps the input, when this does not hold. */
#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

/* A NUL-terminated copy of its own size, so that a byte read beyond it is seen. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    HOLDS(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

static inline struct arena *fuzz_arena(void)
{
    static struct arena *arena;
    if (arena == NULL)
        arena = arena_new(ARENA_BYTES);
    HOLDS(arena != NULL);
    arena_reset(arena);
    return arena;
}

static inline bool fuzz_is_ascii(const char *text, size_t size)
{
    size_t len = strnlen(text, size);
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return len < size;
}

#endif
