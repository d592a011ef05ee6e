/* The fuzz target of NonStopPay's driver, for a moment. */
#include "check.h"

#include "../fuzz/fuzz_nonstopay.c"

#include "fuzzed.h"

static void recorded_inputs(void **state)
{
    (void)state;
    assert_true(fuzz_recorded("tests/recorded/nonstopay") >= 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(recorded_inputs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
