/* Pure rules of test cards: Luhn, expiry, security code, and what each test number does.
 * Must not keep a number: only brand and last four digits leave this file. */
#include "sandbox/card.h"

#include "base/crypt.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

enum { DIGITS_MIN = 12, DIGITS_MAX = 19, YEARS_AHEAD = 20 };

static const struct {
    const char *number;
    enum card_outcome outcome;
} test_cards[] = {
    {"4242424242424242", CARD_PAYS},
    {"4000000000000002", CARD_DECLINED},
    {"4000000000009995", CARD_NO_FUNDS},
    {"4000002760003184", CARD_CHALLENGE},
    /* Mangopay's own */
    {"4970107111111119", CARD_PAYS},
    {"4970105181818183", CARD_CHALLENGE},
    {"5033951000000004", CARD_PAYS},
    {"375989111111119", CARD_PAYS},
};

static const struct {
    const char *prefix, *brand;
} brands[] = {
    {"4", "visa"},       {"50", "maestro"}, {"5", "mastercard"},
    {"2", "mastercard"}, {"34", "amex"},    {"37", "amex"},
};

const char *card_outcome_text(enum card_outcome outcome)
{
    switch (outcome) {
    case CARD_PAYS:
    case CARD_CHALLENGE:
        return NULL;
    case CARD_DECLINED:
        return "Your card was declined.";
    case CARD_NO_FUNDS:
        return "Your card has insufficient funds.";
    case CARD_NO_TEST_CARD:
        return "Your card was declined: this is a sandbox. Use 4242 4242 4242 4242 to pay, "
               "4000 0000 0000 0002 for a refusal, 4000 0000 0000 9995 for insufficient funds "
               "or 4000 0027 6000 3184 for 3-D Secure.";
    }
    return NULL;
}

/* The digits alone; spaces and dashes are how people write them. False for anything else. */
static bool digits_only(const char *text, char *ret_digits, size_t size)
{
    size_t len = 0;
    for (; *text != '\0'; text++) {
        if (*text == ' ' || *text == '-')
            continue;
        if (*text < '0' || *text > '9' || len + 1 == size)
            return false;
        ret_digits[len++] = *text;
    }
    ret_digits[len] = '\0';
    return true;
}

static bool luhn_valid(const char *digits)
{
    int sum = 0;
    size_t len = strlen(digits);
    for (size_t i = 0; i < len; i++) {
        int digit = digits[len - 1 - i] - '0';
        if (i % 2 == 1)
            digit = digit > 4 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    return sum % 10 == 0;
}

static const char *brand_of(const char *digits)
{
    for (size_t i = 0; i < sizeof brands / sizeof brands[0]; i++)
        if (strncmp(digits, brands[i].prefix, strlen(brands[i].prefix)) == 0)
            return brands[i].brand;
    return "unknown";
}

static enum card_outcome outcome_of(const char *digits)
{
    for (size_t i = 0; i < sizeof test_cards / sizeof test_cards[0]; i++)
        if (strcmp(digits, test_cards[i].number) == 0)
            return test_cards[i].outcome;
    return CARD_NO_TEST_CARD;
}

static const char *check_number(const char *text, struct card *card)
{
    char digits[DIGITS_MAX + 1];
    const char *problem = NULL;
    if (*text == '\0')
        return "Enter the card number.";
    if (!digits_only(text, digits, sizeof digits) || strlen(digits) < DIGITS_MIN ||
        !luhn_valid(digits)) {
        problem = "This is not a card number.";
    } else {
        const char *brand = brand_of(digits);
        memcpy(card->brand, brand, strlen(brand) + 1);
        memcpy(card->last4, digits + strlen(digits) - 4, 5);
        card->outcome = outcome_of(digits);
    }
    crypt_wipe(digits, sizeof digits);
    return problem;
}

/* MM/YY or MM/YYYY, with or without spaces around the slash. */
static bool split_expiry(const char *text, int *ret_month, int *ret_year)
{
    int parts[2] = {0, 0}, lengths[2] = {0, 0}, part = 0;
    for (; *text != '\0'; text++) {
        if (*text == ' ')
            continue;
        if (*text == '/' && part == 0) {
            part = 1;
            continue;
        }
        if (*text < '0' || *text > '9' || ++lengths[part] > 4)
            return false;
        parts[part] = parts[part] * 10 + (*text - '0');
    }
    if (lengths[0] < 1 || lengths[0] > 2 || (lengths[1] != 2 && lengths[1] != 4))
        return false;
    *ret_month = parts[0];
    *ret_year = lengths[1] == 2 ? 2000 + parts[1] : parts[1];
    return true;
}

/* Two digits or four, written without printf: its range warnings cannot know the bounds. */
static void write_digits(char *to, int digits, int number)
{
    to[digits] = '\0';
    for (; digits > 0; number /= 10)
        to[--digits] = (char)('0' + number % 10);
}

static const char *check_expiry(const char *text, int64_t now_ms, struct card *card)
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm today;
    int month, year;
    (void)gmtime_r(&seconds, &today);
    if (*text == '\0')
        return "Enter the expiry date.";
    if (!split_expiry(text, &month, &year) || month < 1 || month > 12)
        return "Write the expiry date as MM/YY.";
    int months_left = (year - 1900 - today.tm_year) * 12 + month - 1 - today.tm_mon;
    if (months_left < 0)
        return "This card has expired.";
    if (months_left > YEARS_AHEAD * 12)
        return "This expiry date is too far ahead.";
    write_digits(card->exp_month, 2, month);
    write_digits(card->exp_year, 4, year);
    return NULL;
}

static const char *check_cvc(const char *text, const struct card *card)
{
    size_t want = strcmp(card->brand, "amex") == 0 ? 4 : 3;
    if (*text == '\0')
        return "Enter the security code.";
    if (strspn(text, "0123456789") != strlen(text) || strlen(text) != want)
        return want == 4 ? "The security code has 4 digits." : "The security code has 3 digits.";
    return NULL;
}

bool card_check(const char *number, const char *expiry, const char *cvc, int64_t now_ms,
                struct card *ret_card, struct card_problems *ret_problems)
{
    struct card card = {.outcome = CARD_NO_TEST_CARD};
    *ret_problems = (struct card_problems){.number = check_number(number, &card)};
    ret_problems->expiry = check_expiry(expiry, now_ms, &card);
    ret_problems->cvc = check_cvc(cvc, &card);
    if (ret_problems->number || ret_problems->expiry || ret_problems->cvc)
        return false;
    *ret_card = card;
    return true;
}
