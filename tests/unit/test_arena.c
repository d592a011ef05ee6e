/* The arena: pieces are zeroed, aligned and apart; the ceiling holds; a reset wipes and starts
 * again. */
#include "check.h"

#include <stdalign.h>
#include <string.h>

enum { SMALL = 1024 };

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 31, 100};
    unsigned char *last_end = NULL;
    (void)state;
    struct arena *arena = arena_new(SMALL);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        unsigned char *piece = arena_alloc(arena, sizes[i]);
        assert_non_null(piece);
        ROW((uintptr_t)piece % alignof(max_align_t) == 0, "%zu bytes: not aligned", sizes[i]);
        ROW(piece >= last_end, "%zu bytes: overlaps the piece before", sizes[i]);
        for (size_t k = 0; k < sizes[i]; k++)
            ROW(piece[k] == 0, "%zu bytes: byte %zu is not 0", sizes[i], k);
        memset(piece, 0xaa, sizes[i]);
        last_end = piece + sizes[i];
    }
    arena_free(arena);
    ROWS_END();
}

static void ceiling_holds(void **state)
{
    static const size_t too_many[] = {SMALL + 1, SMALL * 2, SIZE_MAX - 15, SIZE_MAX};
    (void)state;
    struct arena *arena = arena_new(SMALL);
    for (size_t i = 0; i < COUNT(too_many); i++)
        ROW(arena_alloc(arena, too_many[i]) == NULL, "%zu bytes of %d", too_many[i], SMALL);
    size_t pieces = 0, bytes = 0;
    for (unsigned char *piece; (piece = arena_alloc(arena, 10)) != NULL; pieces++) {
        memset(piece, 1, 10); /* the sanitizer sees it if the arena gives away too much */
        bytes += 10;
    }
    ROW(pieces > 0 && bytes <= SMALL, "%zu bytes in %zu pieces of %d", bytes, pieces, SMALL);
    assert_null(arena_alloc(arena, SMALL / 2));
    arena_free(arena);
    ROWS_END();
}

static void reset_wipes_and_starts_again(void **state)
{
    (void)state;
    struct arena *arena = arena_new(SMALL);
    char *secret = arena_strndup(arena, "4242424242424242", 16);
    assert_non_null(secret);
    arena_reset(arena);
    for (int i = 0; i < 16; i++)
        ROW(secret[i] == '\0', "byte %d survived the reset", i);
    char *again = arena_alloc(arena, SMALL / 2);
    assert_ptr_equal(again, secret);
    assert_int_equal(again[0], 0);
    arena_free(arena);
    ROWS_END();
}

static void copies_are_terminated(void **state)
{
    (void)state;
    struct arena *arena = arena_new(SMALL);
    assert_string_equal(arena_strndup(arena, "abcdef", 3), "abc");
    assert_string_equal(arena_strndup(arena, "", 0), "");
    assert_memory_equal(arena_strndup(arena, "a\0b", 3), "a\0b", 4);
    assert_null(arena_strndup(arena, "x", SMALL * 2));
    arena_free(arena);
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pieces_are_zeroed_aligned_and_apart),
        TEST(ceiling_holds),
        TEST(reset_wipes_and_starts_again),
        TEST(copies_are_terminated),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
