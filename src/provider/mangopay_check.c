/* What a caller may say about a pay-in: lengths and words as Mangopay documents them. */
#include "provider/mangopay.h"

#include "domain/country.h"

#include <arpa/inet.h>
#include <string.h>

enum {
    ID_MAX = 255,
    LINE_MAX_CHARS = 255,
    SHIPPING_NAME_MAX = 100,
    POSTCODE_MAX = 50,
    CALLER_TAG_MAX = 150,   /* of the 255 of a Tag; the rest is ours */
    RECURRING_TAG_MAX = 40, /* of 100 */
};

static bool unknown(const char *text)
{
    return text[0] == '\0';
}

bool mangopay_is_id(const char *text)
{
    return provider_is_id(text, ID_MAX);
}

/* Nothing of it, or all that Mangopay requires. */
static bool is_address(const struct provider_address *a, const char *name, size_t name_max)
{
    struct mangopay_name names;
    if (unknown(a->address1) && unknown(a->address2) && unknown(a->city) && unknown(a->state) &&
        unknown(a->postcode) && unknown(a->country) && unknown(a->first_name) &&
        unknown(a->last_name))
        return true;
    return mangopay_name(a->first_name, a->last_name, name, &names) &&
           provider_is_line(names.first, name_max) && provider_is_line(names.last, name_max) &&
           !unknown(a->address1) && provider_is_line(a->address1, LINE_MAX_CHARS) &&
           provider_is_line(a->address2, LINE_MAX_CHARS) && !unknown(a->city) &&
           provider_is_line(a->city, LINE_MAX_CHARS) &&
           provider_is_line(a->state, LINE_MAX_CHARS) &&
           !(unknown(a->state) && provider_lists("US CA MX", a->country)) &&
           !unknown(a->postcode) && provider_is_line(a->postcode, POSTCODE_MAX) &&
           country_valid(a->country);
}

static enum err check_addresses(const struct mangopay_method *method,
                                const struct provider_order *order)
{
    const struct provider_payer *p = order->payer;
    const struct provider_address billing = {p->first_name, p->last_name, p->address1, p->address2,
                                             p->city,       p->state,     p->postcode, p->country};
    if ((method->takes & MANGOPAY_BILLING) != 0 && !is_address(&billing, p->name, LINE_MAX_CHARS))
        return ERR_BILLING;
    if ((method->takes & MANGOPAY_SHIPPING) != 0 &&
        !is_address(&order->details->shipping, p->name, SHIPPING_NAME_MAX))
        return ERR_SHIPPING;
    return ERR_NONE;
}

static bool is_ip(const char *text)
{
    struct in6_addr address; /* large enough for both */
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

/* Whoever names no address of the payer means that of the request. */
static enum err check_browser(const struct mangopay_method *method,
                              const struct provider_order *order)
{
    const struct provider_browser *b = &order->details->browser;
    if ((method->needs & MANGOPAY_BROWSER) == 0)
        return ERR_NONE;
    if (!unknown(order->payer->ip) && !is_ip(order->payer->ip))
        return ERR_CUSTOMER;
    return b->given && !unknown(b->accept_header) &&
                   provider_is_line(b->accept_header, LINE_MAX_CHARS) && !unknown(b->language) &&
                   provider_is_line(b->language, LINE_MAX_CHARS) && !unknown(b->user_agent) &&
                   provider_is_line(b->user_agent, LINE_MAX_CHARS)
               ? ERR_NONE
               : ERR_BROWSER;
}

/* The thing that is paid with, for the kinds that have one. */
static bool has_source(const struct mangopay_method *method, const struct provider_details *d)
{
    switch (method->kind) {
    case MANGOPAY_CARD_DIRECT:
        return mangopay_is_id(d->card_id);
    case MANGOPAY_PREAUTHORIZED:
        return mangopay_is_id(d->preauthorization_id);
    case MANGOPAY_DEPOSIT:
        return mangopay_is_id(d->deposit_id);
    case MANGOPAY_DEBIT_DIRECT:
        return mangopay_is_id(d->mandate_id);
    case MANGOPAY_RECURRING_CIT:
    case MANGOPAY_RECURRING_MIT:
        return mangopay_is_id(d->recurring_id);
    case MANGOPAY_CARD_WEB:
    case MANGOPAY_BANKWIRE:
    case MANGOPAY_DEBIT_WEB:
    case MANGOPAY_PAYPAL:
        break;
    }
    return true;
}

static bool is_word_fine(const struct mangopay_method *method, const struct provider_details *d)
{
    return (unknown(d->culture) || method->cultures[0] == '\0' ||
            provider_lists(method->cultures, d->culture)) &&
           (unknown(d->secure_mode) || provider_lists("DEFAULT FORCE NO_CHOICE", d->secure_mode)) &&
           settings_is_descriptor(d->statement_descriptor) &&
           provider_is_line(d->tag,
                            d->recurring_id[0] == '\0' ? CALLER_TAG_MAX : RECURRING_TAG_MAX);
}

/* Where the money goes is ours to say, unless the settings leave it to callers. */
static bool may_name(const struct settings *settings, const struct provider_details *d)
{
    bool named = !unknown(d->author_id) || !unknown(d->credited_wallet_id) || d->fees >= 0;
    return (!named || settings->mangopay.callers_name_wallets) &&
           (unknown(d->author_id) || mangopay_is_id(d->author_id)) &&
           (unknown(d->credited_wallet_id) || mangopay_is_id(d->credited_wallet_id));
}

static enum err check_wallet(const struct settings *settings, const struct provider_order *order)
{
    char wallet[PROVIDER_REFERENCE_MAX];
    struct money fees;
    if (unknown(order->details->credited_wallet_id) &&
        !mangopay_wallet(settings, money_currency(&order->amount), wallet))
        return ERR_CURRENCY;
    bool known = money_minor_units(&order->amount) > 0; /* a cart's is known later */
    return known && !mangopay_fees(settings, order, &fees) ? ERR_PARAMETERS : ERR_NONE;
}

enum err mangopay_check_words(const struct settings *settings, const struct provider_order *order)
{
    const struct mangopay_method *method = mangopay_method(order->method);
    const struct provider_details *details = order->details;
    if (order->card != NULL) /* Mangopay takes cards from payers only */
        return ERR_CARD;
    if (order->payer == NULL || details == NULL || !has_source(method, details) ||
        !is_word_fine(method, details) || !may_name(settings, details))
        return ERR_PARAMETERS;
    enum err err = check_addresses(method, order);
    return err ? err : check_browser(method, order);
}

enum err mangopay_check(const struct settings *settings, const struct provider_order *order)
{
    const struct mangopay_method *method = mangopay_method(order->method);
    if (method == NULL)
        return ERR_METHOD_OF_PAYMENT;
    if (!provider_lists(method->currencies, money_currency(&order->amount)))
        return ERR_CURRENCY;
    enum err err = mangopay_check_words(settings, order);
    return err ? err : check_wallet(settings, order);
}
