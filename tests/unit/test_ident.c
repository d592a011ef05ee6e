/* Identifiers: their shape, that they sort by the time they were made, that none comes twice, and
 * what is taken for one. */
#include "check.h"

#include "base/clock.h"
#include "base/ident.h"

#include <stdlib.h>
#include <string.h>

enum { MANY = 100000 };

static void shape(void **state)
{
    static const char *const prefixes[] = {"", "PAY_", "12345678"};
    char id[IDENT_MAX];
    (void)state;
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        memset(id, '?', sizeof id);
        ident_new(prefixes[i], id);
        ROW(strlen(id) == strlen(prefixes[i]) + 26, "%s", id);
        ROW(strncmp(id, prefixes[i], strlen(prefixes[i])) == 0, "%s", id);
        ROW(ident_valid(prefixes[i], id), "%s", id);
    }
    ROWS_END();
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void none_comes_twice(void **state)
{
    char(*ids)[IDENT_MAX] = calloc(MANY, IDENT_MAX);
    (void)state;
    assert_non_null(ids);
    for (int i = 0; i < MANY; i++)
        ident_new("PAY_", ids[i]);
    qsort(ids, MANY, IDENT_MAX, compare);
    for (int i = 1; i < MANY; i++)
        ROW(strcmp(ids[i - 1], ids[i]) != 0, "%s twice", ids[i]);
    free(ids);
    ROWS_END();
}

static void sorts_by_time(void **state)
{
    char last[IDENT_MAX], next[IDENT_MAX];
    (void)state;
    ident_new("PAY_", last);
    for (int i = 0; i < 20; i++) {
        clock_sleep_ms(2);
        ident_new("PAY_", next);
        ROW(strcmp(last, next) < 0, "%s is not before %s", last, next);
        memcpy(last, next, sizeof last);
    }
    ROWS_END();
}

static void what_is_taken_for_one(void **state)
{
    static const struct {
        const char *prefix, *id;
        bool valid;
    } rows[] = {
        {"PAY_", "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7Z", true},
        {"", "01HP2V0K8S3M5N7Q9R1T3V5X7Z", true},
        {"PAY_", "", false},
        {"PAY_", "PAY_", false},
        {"PAY_", "01HP2V0K8S3M5N7Q9R1T3V5X7Z", false},
        {"PAY_", "pay_01HP2V0K8S3M5N7Q9R1T3V5X7Z", false},
        {"PAY_", "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7", false},
        {"PAY_", "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7ZZ", false},
        {"PAY_", "PAY_01hp2v0k8s3m5n7q9r1t3v5x7z", false}, /* one spelling per payment */
        {"PAY_", "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7I", false}, /* I, L, O, U are not in the alphabet */
        {"PAY_", "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7L", false},
        {"PAY_", "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7O", false},
        {"PAY_", "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7U", false},
        {"PAY_", "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7/", false},
        {"PAY_", "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7\n", false},
        {"PAY_", "PAY_01HP2V0K8S3M5N7Q9R1T3V5X' ", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        ROW(ident_valid(rows[i].prefix, rows[i].id) == rows[i].valid, "\"%s\"", rows[i].id);
    ROWS_END();
}

static void numbers_as_text(void **state)
{
    (void)state;
    assert_string_equal(ident_text(76561198000000001).text, "76561198000000001");
    assert_string_equal(ident_text(0).text, "0");
    assert_string_equal(ident_text(INT64_MAX).text, "9223372036854775807");
    assert_string_equal(ident_text(INT64_MIN).text, "-9223372036854775808");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(shape),           TEST(none_comes_twice),
        TEST(sorts_by_time),   TEST(what_is_taken_for_one),
        TEST(numbers_as_text),
    };
    return cmocka_run_group_tests_name("ident", tests, NULL, NULL);
}
