/* Test cards: what the payer typed, checked, and what the card will do. */
#ifndef SANDBOX_CARD_H
#define SANDBOX_CARD_H

#include <stdbool.h>
#include <stdint.h>

enum card_outcome { CARD_PAYS, CARD_DECLINED, CARD_NO_FUNDS, CARD_CHALLENGE, CARD_NO_TEST_CARD };

/* All that is ever kept of a card. */
struct card {
    char brand[12], last4[5], exp_month[3], exp_year[5];
    enum card_outcome outcome;
};

/* What is wrong with each field, for the payer to read; NULL: nothing. */
struct card_problems {
    const char *number, *expiry, *cvc;
};

/* now_ms: wall-clock time, for the expiry. False when anything is wrong. */
bool card_check(const char *number, const char *expiry, const char *cvc, int64_t now_ms,
                struct card *ret_card, struct card_problems *ret_problems);

/* Why the card was refused, for the payer to read; NULL for one that pays. */
const char *card_outcome_text(enum card_outcome outcome);

#endif
