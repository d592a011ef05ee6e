/* What every test file shares: cmocka, and tables whose rows are all tried before the test fails.
 */
#ifndef UNIT_CHECK_H
#define UNIT_CHECK_H

/* cmocka wants these four before itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

#include <stdbool.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A row that does not hold is named at once; the test fails when its table is done. */
static int rows_wrong __attribute__((unused));
#define ROW(fine, ...)                                                                             \
    do {                                                                                           \
        if (!(fine)) {                                                                             \
            rows_wrong++;                                                                          \
            print_error("wrong: " __VA_ARGS__);                                                    \
            print_error("\n");                                                                     \
        }                                                                                          \
    } while (0)
#define ROWS_END()                                                                                 \
    do {                                                                                           \
        int rows_ended = rows_wrong;                                                               \
        rows_wrong = 0;                                                                            \
        assert_int_equal(rows_ended, 0);                                                           \
    } while (0)

/* An arena for one test: *state. */
static inline int arena_setup(void **state)
{
    *state = arena_new(ARENA_BYTES);
    return *state == NULL;
}

static inline int arena_teardown(void **state)
{
    arena_free(*state);
    return 0;
}

#define TEST(function)       cmocka_unit_test(function)
#define TEST_ARENA(function) cmocka_unit_test_setup_teardown(function, arena_setup, arena_teardown)

#endif
