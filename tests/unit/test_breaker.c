/* The rules of a breaker: every state at its exact borders, what counts as a failure, what lies in
 * the window and what opens. */
#include "check.h"

#include "domain/breaker.h"

#include <string.h>

static void states(void **state)
{
    static const struct {
        struct breaker breaker;
        enum breaker_state state;
        int64_t wait_s;
    } rows[] = {
        {{false, false, 0, 0}, BREAKER_CLOSED, 0},
        {{false, false, 5000, 5000}, BREAKER_CLOSED, 0}, /* what is closed has no times */
        {{false, true, 120000, 0}, BREAKER_OPEN, 120},
        {{false, true, 119001, 0}, BREAKER_OPEN, 120},
        {{false, true, 119000, 0}, BREAKER_OPEN, 119},
        {{false, true, 1000, 0}, BREAKER_OPEN, 1},
        {{false, true, 999, 0}, BREAKER_OPEN, 1},
        {{false, true, 1, 0}, BREAKER_OPEN, 1},
        {{false, true, 1, 1}, BREAKER_OPEN, 1},
        {{false, true, 0, 0}, BREAKER_HALF_OPEN, 0},
        {{false, true, -1, 0}, BREAKER_HALF_OPEN, 0},
        {{false, true, INT64_MIN, INT64_MIN}, BREAKER_HALF_OPEN, 0},
        {{false, true, 0, 1}, BREAKER_PROBED, 5},
        {{false, true, -60000, 20000}, BREAKER_PROBED, 5},
        {{false, true, -60000, -1}, BREAKER_HALF_OPEN, 0}, /* whoever tried has died */
        {{true, false, 0, 0}, BREAKER_DISABLED, 60},
        {{true, true, 120000, 0}, BREAKER_DISABLED, 60},
        {{true, true, 0, 0}, BREAKER_DISABLED, 60},
        {{true, true, 0, 1}, BREAKER_DISABLED, 60},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ROW(breaker_state(&rows[i].breaker) == rows[i].state, "row %zu: state %d", i,
            (int)breaker_state(&rows[i].breaker));
        ROW(breaker_wait_s(&rows[i].breaker) == rows[i].wait_s, "row %zu: wait %lld", i,
            (long long)breaker_wait_s(&rows[i].breaker));
    }
    ROWS_END();
}

/* Every outcome with every kind of status: f is a failure, . is none. */
static void failures(void **state)
{
    static const int statuses[] = {0,   200, 201, 204, 302, 399, 400, 401,
                                   404, 408, 429, 499, 500, 503, 599};
    static const struct {
        enum outcome outcome;
        const char *failures;
    } rows[] = {
        {OUTCOME_NONE, "ffffff......fff"},    {OUTCOME_DONE, "..............."},
        {OUTCOME_PENDING, "..............."}, {OUTCOME_DECLINED, "..............."},
        {OUTCOME_REFUSED, "..............."}, {OUTCOME_NOT_SENT, "ffffff......fff"},
        {OUTCOME_UNKNOWN, "ffffff......fff"},
    };
    (void)state;
    assert_int_equal(COUNT(rows), OUTCOMES);
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t k = 0; k < COUNT(statuses); k++)
            ROW(breaker_is_failure(rows[i].outcome, statuses[k]) == (rows[i].failures[k] == 'f'),
                "%s %d", outcome_name(rows[i].outcome), statuses[k]);
    ROWS_END();
}

static void windows(void **state)
{
    static const struct settings_breaker rules = {.window_s = 60}, shortest = {.window_s = 1};
    static const struct {
        const struct settings_breaker *rules;
        int64_t age_s;
        bool counts;
    } rows[] = {
        {&rules, 0, true},    {&rules, 1, true},          {&rules, 59, true},
        {&rules, 60, false},  {&rules, 61, false},        {&rules, INT64_MAX, false},
        {&rules, -1, false},  {&rules, INT64_MIN, false}, /* the database's clock was set back */
        {&shortest, 0, true}, {&shortest, 1, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct breaker_counts second = {.calls = 3, .failures = 2};
        struct breaker_counts window = {.calls = 10, .failures = 1};
        breaker_count(rows[i].rules, rows[i].age_s, &second, &window);
        ROW(window.calls == (rows[i].counts ? 13 : 10), "row %zu: %lld calls", i,
            (long long)window.calls);
        ROW(window.failures == (rows[i].counts ? 3 : 1), "row %zu: %lld failures", i,
            (long long)window.failures);
    }
    ROWS_END();
}

static void openings(void **state)
{
    static const struct {
        int64_t percent, minimum;
        struct breaker_counts window;
        bool opens;
    } rows[] = {
        {50, 10, {0, 0}, false},
        {50, 10, {9, 9}, false}, /* one call short of the minimum */
        {50, 10, {10, 10}, true},
        {50, 10, {10, 5}, true}, /* exactly half */
        {50, 10, {10, 4}, false},
        {50, 10, {11, 5}, false}, /* 45.45 % */
        {50, 10, {11, 6}, true},
        {50, 10, {1000001, 500000}, false},
        {50, 10, {1000001, 500001}, true},
        {35, 20, {20, 7}, true},
        {35, 20, {20, 6}, false},
        {35, 20, {19, 19}, false},
        {33, 3, {3, 1}, true}, /* 33.3 % */
        {34, 3, {3, 1}, false},
        {100, 10, {10, 9}, false},
        {100, 10, {10, 10}, true},
        {1, 1, {1, 1}, true},
        {1, 1, {100, 1}, true},
        {1, 1, {101, 1}, false},
        {1, 1, {1, 0}, false},
        {50, 1000000000, {999999999, 999999999}, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct settings_breaker rules = {.failures_percent = rows[i].percent,
                                               .minimum = rows[i].minimum};
        ROW(breaker_must_open(&rules, &rows[i].window) == rows[i].opens, "row %zu", i);
    }
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(states),
        TEST(failures),
        TEST(windows),
        TEST(openings),
    };
    return cmocka_run_group_tests_name("breaker", tests, NULL, NULL);
}
