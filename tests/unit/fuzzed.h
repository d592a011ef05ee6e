/* A fuzz target for a moment, with every test run: its recorded inputs, whole, cut at every byte,
 * and with bytes changed at random. make fuzz does it for longer, and with a sense of direction.
 * Included after the target. */
#ifndef UNIT_FUZZED_H
#define UNIT_FUZZED_H

#include "check.h"

#include <dirent.h>
#include <stdio.h>

enum { INPUT_MAX = 16 * 1024, CHANGED = 500 };

/* xorshift: the same bytes in every run. */
static inline uint32_t next_random(void)
{
    static uint32_t state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static inline void change_bytes(const uint8_t *data, size_t size)
{
    static const char pieces[] = "{}[]\",:\\0e-.";
    uint8_t changed[INPUT_MAX];
    for (int round = 0; round < CHANGED; round++) {
        memcpy(changed, data, size);
        for (uint32_t left = next_random() % 4 + 1; left > 0; left--) {
            uint32_t byte = next_random();
            changed[next_random() % size] = byte % 2 == 0
                                                ? (uint8_t)pieces[byte / 2 % (sizeof pieces - 1)]
                                                : (uint8_t)(byte / 2);
        }
        (void)LLVMFuzzerTestOneInput(changed, size);
    }
}

static inline size_t read_input(const char *folder, const char *name, uint8_t data[INPUT_MAX])
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(data, 1, INPUT_MAX, file);
    (void)fclose(file);
    return size;
}

/* How many inputs the folder holds. */
static inline int fuzz_recorded(const char *folder)
{
    uint8_t data[INPUT_MAX];
    int count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        size_t size = read_input(folder, entry->d_name, data);
        for (size_t cut = 0; cut <= size; cut++)
            (void)LLVMFuzzerTestOneInput(data, cut);
        change_bytes(data, size);
        count++;
    }
    (void)closedir(dir);
    return count;
}

#endif
