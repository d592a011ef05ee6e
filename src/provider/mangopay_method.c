/* What can be paid with, and how: the one table of Mangopay's methods, and small rules about them.
 */
#include "provider/mangopay.h"

#include <stdio.h>
#include <string.h>

#define DAY_S INT64_C(86400)

/* Currencies by the table at the head of "The PayIn object". */
#define CARDS   "EUR GBP USD CHF PLN NOK SEK DKK CAD AUD"
#define ANY     "AED AUD CAD CHF CZK DKK EUR GBP HKD JPY NOK PLN SEK USD ZAR"
#define WEB     "DE EN DA ES ET FI FR EL HU IT NL NO PL PT SK SV CS"
#define DIRECT  "DE EN ES FR IT NL PL PT"
#define PAYPAL  "AT FR BR CA CH CN DE ES GB IT NL PL PT RU US DK IL ID JP NO SE TH TR JK TW"
#define PAGE    MANGOPAY_BILLING | MANGOPAY_SHIPPING | MANGOPAY_SECURE_MODE | MANGOPAY_DESCRIPTOR
#define BROWSER MANGOPAY_BROWSER

/* A bank wire waits a month and a day for its bank; a direct debit is known to have worked after
 * five or six working days. */
#define MONTH (32 * DAY_S)
#define DEBIT (14 * DAY_S)

/* clang-format off */
#define ROWS(ROW) \
    /*  name                     type                  kind            path                         currencies cultures needs takes lifetime */ \
    ROW("card_web",              "CB_VISA_MASTERCARD", CARD_WEB,       "payins/card/web/",          CARDS,     WEB,    0, PAGE, 0) \
    ROW("credit_card",           "CB_VISA_MASTERCARD", CARD_WEB,       "payins/card/web/",          CARDS,     WEB,    0, PAGE, 0) \
    ROW("CB_VISA_MASTERCARD",    "CB_VISA_MASTERCARD", CARD_WEB,       "payins/card/web/",          CARDS,     WEB,    0, PAGE, 0) \
    ROW("DINERS",                "DINERS",             CARD_WEB,       "payins/card/web/",          "EUR",     WEB,    0, PAGE, 0) \
    ROW("AMEX",                  "AMEX",               CARD_WEB,       "payins/card/web/",          CARDS,     WEB,    0, PAGE, 0) \
    ROW("MAESTRO",               "MAESTRO",            CARD_WEB,       "payins/card/web/",          "EUR",     WEB,    0, PAGE, 0) \
    ROW("P24",                   "P24",                CARD_WEB,       "payins/card/web/",          "PLN",     WEB,    0, PAGE, 0) \
    ROW("IDEAL",                 "IDEAL",              CARD_WEB,       "payins/card/web/",          "EUR",     WEB,    0, PAGE, 0) \
    ROW("BCMC",                  "BCMC",               CARD_WEB,       "payins/card/web/",          "EUR",     WEB,    0, PAGE, 0) \
    ROW("card_direct",           "",                   CARD_DIRECT,    "payins/card/direct/",       CARDS,     DIRECT, BROWSER, PAGE, 0) \
    ROW("card_preauthorized",    "",                   PREAUTHORIZED,  "payins/preauthorized/direct/", CARDS,  "",     0, 0, 0) \
    ROW("deposit_preauthorized", "",                   DEPOSIT,        "payins/deposit-preauthorized/direct/full-capture", CARDS, "", 0, 0, 0) \
    ROW("bankwire",              "",                   BANKWIRE,       "payins/bankwire/direct/",   ANY,       "",     0, 0, MONTH) \
    ROW("directdebit_web",       "SOFORT",             DEBIT_WEB,      "payins/directdebit/web",    "EUR",     WEB,    0, 0, 0) \
    ROW("SOFORT",                "SOFORT",             DEBIT_WEB,      "payins/directdebit/web",    "EUR",     WEB,    0, 0, 0) \
    ROW("GIROPAY",               "GIROPAY",            DEBIT_WEB,      "payins/directdebit/web",    "EUR",     WEB,    0, 0, 0) \
    ROW("directdebit",           "",                   DEBIT_DIRECT,   "payins/directdebit/direct", "EUR GBP", "",     0, MANGOPAY_DESCRIPTOR, DEBIT) \
    ROW("paypal",                "",                   PAYPAL,         "payins/paypal/web",         ANY,       PAYPAL, 0, MANGOPAY_SHIPPING | MANGOPAY_DESCRIPTOR, 0) \
    ROW("recurring_cit",         "",                   RECURRING_CIT,  "payins/recurring/card/direct", CARDS,  "",     BROWSER, MANGOPAY_DESCRIPTOR, 0) \
    ROW("recurring_mit",         "",                   RECURRING_MIT,  "payins/recurring/card/direct", CARDS,  "",     0, MANGOPAY_DESCRIPTOR, 0)

#define METHOD(name, type, kind, path, currencies, cultures, needs, takes, lifetime) \
    {name, type, MANGOPAY_##kind, path, currencies, cultures, needs, takes, lifetime},
#define NAME(name, type, kind, path, currencies, cultures, needs, takes, lifetime) {name, name},
/* clang-format on */

static const struct mangopay_method methods[] = {ROWS(METHOD)};

const struct provider_method mangopay_methods[] = {ROWS(NAME){NULL, NULL}};

const struct mangopay_method *mangopay_method(const char *name)
{
    if (name[0] == '\0')
        return methods;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

/* PaymentType and ExecutionType of the pay-in. */
bool mangopay_fits(const char *name, const char *way)
{
    static const char *const ways[] = {
        [MANGOPAY_CARD_WEB] = "CARD WEB",
        [MANGOPAY_CARD_DIRECT] = "CARD DIRECT",
        [MANGOPAY_PREAUTHORIZED] = "PREAUTHORIZED DIRECT",
        [MANGOPAY_DEPOSIT] = "PREAUTHORIZED DIRECT",
        [MANGOPAY_BANKWIRE] = "BANK_WIRE DIRECT",
        [MANGOPAY_DEBIT_WEB] = "DIRECT_DEBIT WEB",
        [MANGOPAY_DEBIT_DIRECT] = "DIRECT_DEBIT DIRECT",
        [MANGOPAY_PAYPAL] = "PAYPAL WEB",
        [MANGOPAY_RECURRING_CIT] = "CARD DIRECT",
        [MANGOPAY_RECURRING_MIT] = "CARD DIRECT",
    };
    const struct mangopay_method *method = mangopay_method(name);
    if (method == NULL)
        return false;
    return strcmp(way, ways[method->kind]) == 0 || /* the documents show both for a deposit */
           (method->kind == MANGOPAY_DEPOSIT && strcmp(way, ways[MANGOPAY_CARD_DIRECT]) == 0);
}

bool mangopay_refundable(const char *name)
{
    const struct mangopay_method *method = mangopay_method(name);
    return method != NULL && method->kind != MANGOPAY_BANKWIRE;
}

/* Those that begin with a page or a wire. Whose wallet the money goes to is not stored, so it must
 * be ours to say. */
bool mangopay_repeatable(const struct settings *settings, const char *name)
{
    const struct mangopay_method *method = mangopay_method(name);
    return method != NULL && !settings->mangopay.callers_name_wallets &&
           (method->kind == MANGOPAY_CARD_WEB || method->kind == MANGOPAY_DEBIT_WEB ||
            method->kind == MANGOPAY_PAYPAL || method->kind == MANGOPAY_BANKWIRE);
}

bool mangopay_wallet(const struct settings *settings, const char *currency,
                     char ret_wallet[PROVIDER_REFERENCE_MAX])
{
    const char *at = settings->mangopay.wallets;
    for (at += strspn(at, " "); *at != '\0'; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        if (len > 4 && len - 4 < PROVIDER_REFERENCE_MAX && at[3] == ':' &&
            strncmp(at, currency, 3) == 0) {
            (void)snprintf(ret_wallet, PROVIDER_REFERENCE_MAX, "%.*s", (int)(len - 4), at + 4);
            return true;
        }
        at += len;
    }
    return false;
}

bool mangopay_fees(const struct settings *settings, const struct provider_order *order,
                   struct money *ret_fees)
{
    int64_t units = order->details == NULL ? -1 : order->details->fees;
    bool fine = units < 0 ? money_share(&order->amount, settings->mangopay.fees_bps, ret_fees)
                          : money_make(units, money_currency(&order->amount), ret_fees);
    return fine && money_minor_units(ret_fees) < money_minor_units(&order->amount);
}

bool mangopay_name(const char *first, const char *last, const char *name,
                   struct mangopay_name *ret_name)
{
    const char *gap = strrchr(name, ' ');
    *ret_name = (struct mangopay_name){.first = ""};
    if (first[0] != '\0' || last[0] != '\0')
        return first[0] != '\0' && last[0] != '\0' &&
               text_copy(ret_name->first, sizeof ret_name->first, first) &&
               text_copy(ret_name->last, sizeof ret_name->last, last);
    if (gap == NULL || gap == name || gap[1] == '\0' ||
        (size_t)(gap - name) >= sizeof ret_name->first)
        return false;
    (void)snprintf(ret_name->first, sizeof ret_name->first, "%.*s", (int)(gap - name), name);
    return text_copy(ret_name->last, sizeof ret_name->last, gap + 1);
}
