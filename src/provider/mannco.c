/* The driver of the on-site balance: terms only, for there is nobody to call. */
#include "provider/mannco.h"

static bool mannco_configured(const struct settings *settings)
{
    (void)settings; /* it needs no secret */
    return true;
}

static const struct settings_provider *mannco_terms(const struct settings *settings)
{
    return &settings->mannco.common;
}

static bool mannco_allows(const struct settings *settings, int64_t value)
{
    (void)settings;
    (void)value; /* the balance is the limit */
    return true;
}

static const struct provider_method methods[] = {{NULL, NULL}};

const struct provider_driver mannco_driver = {
    .name = "mannco",
    .configured = mannco_configured,
    .terms = mannco_terms,
    .allows = mannco_allows,
    .methods = methods,
    .from_balance = true,
};
