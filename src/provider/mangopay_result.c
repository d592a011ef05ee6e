/* What a functional failure means: its result code as an answer for the caller and as words for
 * people. Source: docs.mangopay.com, errors and result codes. */
#include "provider/mangopay.h"

#include <string.h>

/* A row is for all codes that begin so; the longest that fits stands first. */
static const struct row {
    const char *begins;
    enum err err;
    const char *why;
} rows[] = {
    {"001015", ERR_PROCESS, "our access to Mangopay is not active"},
    {"00101", ERR_AMOUNT, "the amount is outside of what is permitted"},
    {"001023", ERR_PARAMETERS, "the card belongs to another user of Mangopay"},
    {"001024", ERR_PARAMETERS, "the mandate belongs to another user of Mangopay"},
    {"001030", ERR_DECLINED, "the payer was not sent to the page"},
    {"001031", ERR_CANCELLED, "the payer cancelled"},
    {"00103", ERR_DECLINED, "the payer let the time run out"},
    {"001505", ERR_AMOUNT, "the amount is above what is left of the preauthorization"},
    {"001830", ERR_DECLINED_FUNDS, "there is not enough money in the bank account"},
    {"001832", ERR_CANCELLED, "the payment was cancelled"},
    {"001834", ERR_DECLINED, "the payer disputes the payment"},
    {"0018", ERR_DECLINED, "the mandate or its bank account cannot be used"},
    {"001999", ERR_PROCESS, "a failure at Mangopay, without a reason"},
    {"00299", ERR_DECLINED, "a limit of the user's verification at Mangopay is reached"},
    {"00298", ERR_DECLINED, "the user's verification at Mangopay is incomplete"},
    {"00800", ERR_DECLINED, "the bank suspects fraud"},
    {"008", ERR_DECLINED, "Mangopay's rules against fraud forbid it"},
    {"009", ERR_PROCESS, "a technical error at Mangopay or the bank"},
    {"101001", ERR_CANCELLED, "the payer did not finish"},
    {"101002", ERR_CANCELLED, "the payer cancelled"},
    {"101101", ERR_DECLINED, "the bank refuses, without a reason"},
    {"101102", ERR_DECLINED_FUNDS, "the amount is above a limit of the bank"},
    {"101104", ERR_DECLINED_FUNDS, "the card's limit is reached"},
    {"101105", ERR_DECLINED_CARD, "the card has expired"},
    {"101106", ERR_DECLINED_CARD, "the card is inactive"},
    {"101109", ERR_DECLINED, "the payer let the time run out"},
    {"101111", ERR_DECLINED, "too many attempts were made"},
    {"101112", ERR_DECLINED_FUNDS, "the amount is above a limit"},
    {"101113", ERR_DECLINED_FUNDS, "the amount is above a limit"},
    {"101115", ERR_DECLINED_FUNDS, "a limit of the card is reached"},
    {"101116", ERR_DECLINED_FUNDS, "a limit of the card is reached"},
    {"101118", ERR_DECLINED, "another payment with this card is not over yet"},
    {"1011", ERR_DECLINED, "the bank refuses"},
    {"1013", ERR_DECLINED_3DS, "the payer was not authenticated (3-D Secure)"},
    {"101410", ERR_DECLINED_CARD, "the card is inactive"},
    {"105", ERR_DECLINED_CARD, "the card's data are wrong"},
    {"201001", ERR_DECLINED_FUNDS, "there is not enough money in the PayPal account"},
    {"201003", ERR_CANCELLED, "the payer did not approve it in time"},
    {"201004", ERR_CANCELLED, "the payer did not approve it"},
    {"201005", ERR_SHIPPING, "the shipping address is invalid"},
    {"201", ERR_DECLINED, "PayPal refuses"},
    {"2061", ERR_DECLINED, "the payer's bank refuses, or was not reached"},
};

struct mangopay_verdict mangopay_verdict(const char *result_code)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strncmp(result_code, rows[i].begins, strlen(rows[i].begins)) == 0)
            return (struct mangopay_verdict){rows[i].err, rows[i].why};
    return (struct mangopay_verdict){ERR_DECLINED, "Mangopay refuses, and gives no known reason"};
}
