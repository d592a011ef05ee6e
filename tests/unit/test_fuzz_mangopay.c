/* The fuzz target of Mangopay's driver, for a moment. */
#include "check.h"

#include "../fuzz/fuzz_mangopay.c"

#include "fuzzed.h"

static void recorded_inputs(void **state)
{
    (void)state;
    assert_true(fuzz_recorded("tests/recorded/mangopay") >= 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(recorded_inputs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
