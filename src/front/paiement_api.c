/* POST /paiement/{provider}: the older endpoint, for deposits in any currency that the provider
 * takes. The house brand is carried out by a partner: see provider_route. */
#include "front/api.h"

#include "domain/return_url.h"
#include "front/create.h"
#include "front/payer.h"

/* Absent, null, or empty in a form. */
static bool is_absent(const struct field *field)
{
    return field->kind == FIELD_ABSENT || (field->from_form && field->text[0] == '\0');
}

/* Amount and currency belong together: the limits are the currency's. */
static enum err read_amount(const struct call *call, const struct fields *fields,
                            const struct provider_driver *driver, struct money *ret_amount)
{
    const struct conf_limits *deposits = &driver->terms(call->context->settings)->deposits;
    struct field amount = fields_get(fields, "amount"), currency = fields_get(fields, "currency");
    int64_t units;
    if (!field_whole_number(&amount, &units) || units < 1 || units > PAYMENT_VALUE_MAX)
        return ERR_AMOUNT;
    if (is_absent(&currency))
        currency = (struct field){.kind = FIELD_TEXT, .text = "USD"};
    const struct conf_limit *limit =
        currency.kind == FIELD_TEXT ? conf_limits_find(deposits, currency.text) : NULL;
    if (limit == NULL)
        return ERR_CURRENCY;
    if (units < limit->minimum || units > limit->maximum ||
        !money_make(units, limit->currency, ret_amount))
        return ERR_AMOUNT;
    return ERR_NONE;
}

static enum err read_return_url(const struct call *call, const struct fields *fields,
                                const char **ret_url)
{
    const struct settings *settings = call->context->settings;
    struct field url = fields_get(fields, "returnUrl");
    *ret_url = NULL;
    if (is_absent(&url))
        return ERR_NONE;
    if (url.kind != FIELD_TEXT ||
        !return_url_allowed(url.text, settings->returns.hosts, settings->returns.localhost_http))
        return ERR_RETURN_URL;
    *ret_url = url.text;
    return ERR_NONE;
}

/* Whoever may be called wants the payer's second factor as if it had been asked itself. */
static enum err route(const struct call *call, struct checkout *checkout)
{
    const struct payment *payment = &checkout->intent.payment;
    enum err err =
        provider_route(call->context->settings, checkout->drivers[0], &payment->amount,
                       payment->method, PARTNERS_MAX, checkout->drivers, &checkout->driver_count);
    for (size_t i = 0; i < checkout->driver_count && !err; i++)
        err = create_second_factor(call, checkout->drivers[i]);
    return err;
}

static enum err read_paiement(struct call *call, const struct fields *fields,
                              struct checkout *checkout)
{
    struct payment_intent *intent = &checkout->intent;
    enum err err = read_amount(call, fields, checkout->drivers[0], &intent->payment.amount);
    if (!err)
        err = read_return_url(call, fields, &intent->return_url);
    if (!err)
        err = create_method(fields, "method", ERR_METHOD_OF_PAYMENT, intent->payment.method);
    if (!err)
        err = route(call, checkout);
    return err ? err : payer_read(call, fields, checkout);
}

void paiement_post(struct call *call)
{
    struct checkout checkout = {
        .driver_count = 1,
        .intent = {.payment.surface = SURFACE_PAIEMENT, .tos_ms = -1, .checkout_ms = -1}};
    enum err err = create_provider(call, &checkout.drivers[0]);
    if (err)
        create_refuse(call, err);
    else
        create_run(call, &checkout, read_paiement);
}
