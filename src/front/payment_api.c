/* POST /payment/{provider}: checks in the documented order, then hands over to checkout.
 * Every refusal is an enum err. */
#include "front/api.h"

#include "base/clock.h"
#include "domain/tos.h"
#include "front/create.h"
#include "front/payer.h"

#include <string.h>

/* The settlement currency of POST /payment, which names none. */
static const char currency[] = "USD";

void payment_post_nameless(struct call *call)
{
    reply_error(call, ERR_PROVIDER_REQUIRED);
}

static enum err read_checkout_time(const struct fields *fields, int64_t *ret_ms)
{
    struct field field = fields_get(fields, "checkout_create_timestamp");
    *ret_ms = -1;
    if (field.kind == FIELD_ABSENT)
        return ERR_NONE;
    return field.text != NULL && timestamp_parse(field.text, ret_ms) && *ret_ms <= MOMENT_MAX_MS
               ? ERR_NONE
               : ERR_PARAMETERS;
}

static enum err read_deposit(const struct call *call, const struct fields *fields,
                             struct checkout *checkout)
{
    struct field value = fields_get(fields, "value");
    const struct provider_driver *driver = checkout->drivers[0];
    int64_t units;
    if (driver->from_balance || !field_whole_number(&value, &units) || units < 1 ||
        units > PAYMENT_VALUE_MAX || !driver->allows(call->context->settings, units) ||
        !money_make(units, currency, &checkout->intent.payment.amount))
        return ERR_PARAMETERS;
    return ERR_NONE;
}

/* What the items cost is known once they are locked. */
static enum err read_items(const struct call *call, const struct fields *fields,
                           struct checkout *checkout)
{
    struct field items = fields_get(fields, "items");
    checkout->wish.fee_bps = call->context->settings->payment.seller_fee_bps;
    if (items.kind != FIELD_TEXT ||
        !cart_parse(items.text, checkout->wish.asset_ids, &checkout->wish.count) ||
        !money_make(0, currency, &checkout->intent.payment.amount))
        return ERR_PARAMETERS;
    return ERR_NONE;
}

static enum err read_type(const struct call *call, const struct fields *fields,
                          struct checkout *checkout)
{
    struct field type = fields_get(fields, "type");
    enum payment_type *parsed = &checkout->intent.payment.type;
    if (type.kind != FIELD_TEXT || !payment_type_parse(type.text, parsed))
        return ERR_PARAMETERS;
    return *parsed == PAYMENT_ITEMS ? read_items(call, fields, checkout)
                                    : read_deposit(call, fields, checkout);
}

static enum err read_tos(const struct call *call, const struct fields *fields, int64_t *ret_ms)
{
    struct field field = fields_get(fields, "tos_timestamp");
    int64_t skew_ms = call->context->settings->payment.tos_clock_skew_s * 1000;
    if (field.kind == FIELD_OTHER)
        return ERR_TOS_INVALID;
    return tos_check(field.text, field.kind == FIELD_TEXT, clock_wall_ms(), skew_ms, ret_ms);
}

/* Method and currency have no messages of their own here. */
static enum err read_payer(struct call *call, const struct fields *fields,
                           struct checkout *checkout)
{
    enum err err = payer_read(call, fields, checkout);
    return err == ERR_METHOD_OF_PAYMENT || err == ERR_CURRENCY ? ERR_PARAMETERS : err;
}

static enum err read_payment(struct call *call, const struct fields *fields,
                             struct checkout *checkout)
{
    struct payment_intent *intent = &checkout->intent;
    enum err err = read_type(call, fields, checkout);
    if (!err)
        err = create_method(fields, "payment_method", ERR_PARAMETERS, intent->payment.method);
    if (!err)
        err = read_checkout_time(fields, &intent->checkout_ms);
    if (!err)
        err = read_payer(call, fields, checkout);
    if (!err)
        err = read_tos(call, fields, &intent->tos_ms);
    return err;
}

void payment_post(struct call *call)
{
    struct checkout checkout = {.driver_count = 1, .intent.payment.surface = SURFACE_PAYMENT};
    enum err err = create_provider(call, &checkout.drivers[0]);
    if (err)
        create_refuse(call, err);
    else
        create_run(call, &checkout, read_payment);
}
