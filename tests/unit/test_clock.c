/* Clocks: the wall is near the system's own, the monotonic one only goes forward, what is left
 * until a deadline is never negative, and every thread has a meter of its own. */
#include "check.h"

#include "base/clock.h"

#include <pthread.h>
#include <time.h>

static void wall_is_the_systems(void **state)
{
    int64_t before = (int64_t)time(NULL), now = clock_wall_ms(), after = (int64_t)time(NULL);
    (void)state;
    assert_true(now / 1000 >= before - 1);
    assert_true(now / 1000 <= after + 1);
}

static void monotonic_goes_forward(void **state)
{
    int64_t last = clock_mono_us();
    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_mono_us();
        assert_true(now >= last);
        last = now;
    }
    assert_true(clock_mono_ms() >= last / 1000);
    assert_true(clock_mono_ms() - last / 1000 < 10000);
}

static void sleep_and_deadline(void **state)
{
    int64_t deadline = clock_mono_ms() + 20;
    (void)state;
    assert_true(clock_left_ms(deadline) <= 20);
    clock_sleep_ms(30);
    assert_true(clock_left_ms(deadline) == 0);
    assert_true(clock_left_ms(0) == 0);
    assert_true(clock_left_ms(deadline + 100000) > 0);
}

static void *read_other_meter(void *context)
{
    (void)context;
    return clock_meter()->db_us == 0 ? clock_meter() : NULL;
}

static void meters_are_the_threads_own(void **state)
{
    pthread_t thread;
    void *other;
    (void)state;
    clock_meter()->db_us = 7;
    assert_int_equal(pthread_create(&thread, NULL, read_other_meter, NULL), 0);
    assert_int_equal(pthread_join(thread, &other), 0);
    assert_non_null(other);
    assert_int_equal(clock_meter()->db_us, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wall_is_the_systems),
        TEST(monotonic_goes_forward),
        TEST(sleep_and_deadline),
        TEST(meters_are_the_threads_own),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
