/* When a delivery that failed is tried again, and when no more. */
#include "check.h"

#include "flow/courier.h"

#include <string.h>

enum { ROUNDS = 200 };

/* The seconds between the tries, as the standard has them. */
static const int64_t plan_s[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};

static void tries_follow_the_plan(void **state)
{
    (void)state;
    for (int64_t tries = 0; tries < (int64_t)COUNT(plan_s); tries++) {
        int64_t planned = plan_s[tries] * 1000, least = INT64_MAX, most = 0;
        for (int round = 0; round < ROUNDS; round++) {
            struct errand errand = {.delivery.tries = tries, .state = DELIVERY_DONE};
            courier_put_off(&errand, "no connection", 0);
            ROW(errand.state == DELIVERY_WAITING, "try %d: state %d", (int)tries, errand.state);
            ROW(errand.again_ms >= planned && errand.again_ms <= planned + planned / 10,
                "try %d: %lld ms", (int)tries, (long long)errand.again_ms);
            least = errand.again_ms < least ? errand.again_ms : least;
            most = errand.again_ms > most ? errand.again_ms : most;
        }
        ROW(most > least, "try %d: never another time than %lld ms", (int)tries, (long long)most);
    }
    ROWS_END();
}

static void the_tenth_is_the_last(void **state)
{
    (void)state;
    for (int64_t tries = COUNT(plan_s); tries < 1001; tries += 99) {
        struct errand errand = {.delivery.tries = tries};
        courier_put_off(&errand, "it answered 500", 3600000);
        ROW(errand.state == DELIVERY_DEAD, "try %d: state %d", (int)tries, errand.state);
        ROW(strcmp(errand.note, "it answered 500") == 0, "%s", errand.note);
    }
    ROWS_END();
}

static void what_was_asked_for_is_the_least(void **state)
{
    struct errand errand = {.delivery.tries = 0};
    (void)state;
    courier_put_off(&errand, "it answered 429", 120000);
    assert_in_range(errand.again_ms, 120000, 132000);
    errand.delivery.tries = 1;
    courier_put_off(&errand, "it answered 429", 1000);
    assert_in_range(errand.again_ms, 300000, 330000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tries_follow_the_plan),
        TEST(the_tenth_is_the_last),
        TEST(what_was_asked_for_is_the_least),
    };
    return cmocka_run_group_tests_name("courier", tests, NULL, NULL);
}
