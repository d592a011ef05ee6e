/* The sandbox's test cards: what is taken for a card, which message each wrong field gets, and
 * what each test number does. */
#include "check.h"

#include "sandbox/card.c"

/* 2026-11-20 12:00 UTC */
static const int64_t now_ms = INT64_C(1795176000000);

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void numbers(void **state)
{
    static const struct {
        const char *number;
        bool fine;
        enum card_outcome outcome;
        const char *brand, *last4;
    } rows[] = {
        {"4242424242424242", true, CARD_PAYS, "visa", "4242"},
        {"4242 4242 4242 4242", true, CARD_PAYS, "visa", "4242"},
        {"4242-4242-4242-4242", true, CARD_PAYS, "visa", "4242"},
        {"4000000000000002", true, CARD_DECLINED, "visa", "0002"},
        {"4000000000009995", true, CARD_NO_FUNDS, "visa", "9995"},
        {"4000002760003184", true, CARD_CHALLENGE, "visa", "3184"},
        {"4970107111111119", true, CARD_PAYS, "visa", "1119"},
        {"4970105181818183", true, CARD_CHALLENGE, "visa", "8183"},
        {"5033951000000004", true, CARD_PAYS, "maestro", "0004"},
        {"5555555555554444", true, CARD_NO_TEST_CARD, "mastercard", "4444"},
        {"4242424242424241", false, CARD_NO_TEST_CARD, "", ""},
        {"", false, CARD_NO_TEST_CARD, "", ""},
        {"0", false, CARD_NO_TEST_CARD, "", ""},
        {"42424242424", false, CARD_NO_TEST_CARD, "", ""},
        {"42424242424242424242", false, CARD_NO_TEST_CARD, "", ""},
        {"4242x24242424242", false, CARD_NO_TEST_CARD, "", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct card card = {0};
        struct card_problems problems;
        bool fine = card_check(rows[i].number, "12/30", "123", now_ms, &card, &problems);
        ROW(fine == rows[i].fine && fine == (problems.number == NULL), "%s", rows[i].number);
        if (fine)
            ROW(card.outcome == rows[i].outcome && same(card.brand, rows[i].brand) &&
                    same(card.last4, rows[i].last4),
                "%s: %d %s %s", rows[i].number, card.outcome, card.brand, card.last4);
    }
    ROWS_END();
}

static void expiries(void **state)
{
    static const char malformed[] = "Write the expiry date as MM/YY.";
    static const char past[] = "This card has expired.",
                      far[] = "This expiry date is too far ahead.";
    static const struct {
        const char *expiry, *problem;
    } rows[] = {
        {"11/26", NULL},
        {"12/2030", NULL},
        {"1/27", NULL},
        {" 12 / 30 ", NULL},
        {"10/26", past},
        {"01/2020", past},
        {"11/46", NULL},
        {"12/46", far},
        {"13/30", malformed},
        {"00/30", malformed},
        {"12", malformed},
        {"12/3", malformed},
        {"12/030", malformed},
        {"12/20300", malformed},
        {"a/30", malformed},
        {"12/30/1", malformed},
        {"", "Enter the expiry date."},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct card card;
        struct card_problems problems;
        bool fine = card_check("4242424242424242", rows[i].expiry, "123", now_ms, &card, &problems);
        ROW(same(problems.expiry, rows[i].problem) && fine == (rows[i].problem == NULL), "%s: %s",
            rows[i].expiry, problems.expiry == NULL ? "taken" : problems.expiry);
    }
    ROWS_END();
}

static void codes(void **state)
{
    static const struct {
        const char *number, *code;
        bool fine;
    } rows[] = {
        {"4242424242424242", "123", true}, {"4242424242424242", "1234", false},
        {"4242424242424242", "12", false}, {"4242424242424242", "12a", false},
        {"4242424242424242", "", false},   {"378282246310005", "1234", true},
        {"378282246310005", "123", false}, {"375989111111119", "1234", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct card card;
        struct card_problems problems;
        bool fine = card_check(rows[i].number, "12/30", rows[i].code, now_ms, &card, &problems);
        ROW(fine == rows[i].fine, "%s %s", rows[i].number, rows[i].code);
    }
    ROWS_END();
}

static void every_refusal_has_its_words(void **state)
{
    (void)state;
    assert_null(card_outcome_text(CARD_PAYS));
    assert_null(card_outcome_text(CARD_CHALLENGE));
    assert_non_null(card_outcome_text(CARD_DECLINED));
    assert_non_null(card_outcome_text(CARD_NO_FUNDS));
    assert_non_null(strstr(card_outcome_text(CARD_NO_TEST_CARD), "4242 4242 4242 4242"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers),
        TEST(expiries),
        TEST(codes),
        TEST(every_refusal_has_its_words),
    };
    return cmocka_run_group_tests_name("sandbox/card", tests, NULL, NULL);
}
