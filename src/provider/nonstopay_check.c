/* NonStopPay's fields, each with its own rule, checked before anything is stored or sent. Pure. */
#include "provider/nonstopay.h"

#include "base/address.h"
#include "domain/card.h"
#include "domain/country.h"
#include "domain/digits.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

enum { NAME_MAX_CHARS = 100, ADDRESS_MAX_CHARS = 128, CITY_MAX_CHARS = 64, PERSONAL_DIGITS = 11 };

bool nonstopay_way(const struct settings *settings, const char *method, enum nonstopay_way *ret_way,
                   const char **ret_currency)
{
    static const struct {
        const char *method;
        enum nonstopay_way way;
    } rows[] = {
        {"", NONSTOPAY_HOSTED},
        {"credit_card", NONSTOPAY_CARD},
        {"upi", NONSTOPAY_UPI},
        {"crypto", NONSTOPAY_CRYPTO},
    };
    *ret_currency = "";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].method, method) != 0)
            continue;
        *ret_way = rows[i].way;
        return true;
    }
    *ret_way = NONSTOPAY_CRYPTO;
    *ret_currency = method;
    return provider_lists(settings->nonstopay.payable_currencies, method);
}

/* "020 7946 0018", "+1 (989) 653-2145": 5 to 15 digits, as E.164 allows at most. */
static bool is_phone(const char *text)
{
    size_t digits = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at >= '0' && *at <= '9')
            digits++;
        else if (strchr(" -.()", *at) == NULL && !(*at == '+' && at == text))
            return false;
    }
    return digits >= 5 && digits <= 15 && strlen(text) <= 32;
}

/* 1990-12-31: a day that there was, not before 1900 and not after today. */
static bool is_birth_date(const char *text, int64_t now_s)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    time_t seconds = (time_t)now_s;
    struct tm now;
    int64_t year, month, day;
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-' || !digits_parse(text, 4, &year) ||
        !digits_parse(text + 5, 2, &month) || !digits_parse(text + 8, 2, &day) || year < 1900 ||
        month < 1 || month > 12)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day < 1 || day > days[month - 1] + (month == 2 && leap))
        return false;
    (void)gmtime_r(&seconds, &now);
    int64_t today = (now.tm_year + 1900) * 10000 + (now.tm_mon + 1) * 100 + now.tm_mday;
    return year * 10000 + month * 100 + day <= today;
}

static bool is_postcode(const char *text)
{
    size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -");
    return text[len] == '\0' && len >= 2 && len <= 12;
}

static bool is_ipv4(const char *text)
{
    struct in_addr address;
    return inet_pton(AF_INET, text, &address) == 1;
}

static bool is_personal_id(const char *text)
{
    return strlen(text) == PERSONAL_DIGITS && strspn(text, "0123456789") == PERSONAL_DIGITS;
}

static bool unknown(const char *text)
{
    return text[0] == '\0';
}

/* What was given must be right, and the e-mail address must be given. */
static enum err check_payer(const struct provider_payer *payer, int64_t now_s)
{
    if (!address_valid(payer->email) || !provider_is_line(payer->name, NAME_MAX_CHARS) ||
        !(unknown(payer->phone) || is_phone(payer->phone)) ||
        !(unknown(payer->date_of_birth) || is_birth_date(payer->date_of_birth, now_s)) ||
        !(unknown(payer->personal_id) || is_personal_id(payer->personal_id)) ||
        !(unknown(payer->ip) || is_ipv4(payer->ip)))
        return ERR_CUSTOMER;
    if (!provider_is_line(payer->address1, ADDRESS_MAX_CHARS) ||
        !provider_is_line(payer->address2, ADDRESS_MAX_CHARS) ||
        !provider_is_line(payer->city, CITY_MAX_CHARS) ||
        !provider_is_line(payer->state, CITY_MAX_CHARS) ||
        !(unknown(payer->postcode) || is_postcode(payer->postcode)) ||
        !(unknown(payer->country) || country_valid(payer->country)))
        return ERR_BILLING;
    return ERR_NONE;
}

/* What is "mandatory in S2S". A second line of the address is the first one again if there is none,
 * as in NonStopPay's own example. */
static enum err check_s2s(const struct provider_order *order)
{
    const struct provider_payer *payer = order->payer;
    const struct provider_card *card = order->card;
    char number[CARD_DIGITS_MAX + 1];
    bool fits = card_number_read(card->number, number) && card_cvc_valid(card->cvc, number) &&
                card_expiry_valid(card->expiry, order->now_s) && !unknown(card->holder) &&
                provider_is_line(card->holder, NAME_MAX_CHARS);
    crypt_wipe(number, sizeof number);
    if (!fits)
        return ERR_CARD;
    if (unknown(payer->phone) || unknown(payer->date_of_birth) || unknown(payer->ip))
        return ERR_CUSTOMER;
    return unknown(payer->address1) || unknown(payer->city) || unknown(payer->postcode) ||
                   unknown(payer->country)
               ? ERR_BILLING
               : ERR_NONE;
}

enum err nonstopay_check(const struct settings *settings, const struct provider_order *order)
{
    const char *payable, *currency = money_currency(&order->amount);
    enum nonstopay_way way;
    if (!nonstopay_way(settings, order->method, &way, &payable))
        return ERR_METHOD_OF_PAYMENT;
    bool usd_only = way == NONSTOPAY_UPI || way == NONSTOPAY_CRYPTO;
    if (!provider_lists(usd_only ? "USD" : NONSTOPAY_CURRENCIES, currency))
        return ERR_CURRENCY;
    enum err err = order->payer == NULL ? ERR_CUSTOMER : check_payer(order->payer, order->now_s);
    if (err || order->card == NULL)
        return err;
    return settings->nonstopay.s2s && !usd_only ? check_s2s(order) : ERR_CARD;
}
