/* A second partner for the house brand: Payviox's driver under another name and address, with
 * methods and currencies of its own, as one more row in the array of drivers. Includes
 * provider/provider.c. */
#ifndef UNIT_PARTNER_H
#define UNIT_PARTNER_H

#include "check.h"

#include "base/buf.h"
#include "provider/mannco.h"
#include "provider/payviox.h"

static struct provider_driver second_driver = {.name = "second"};
static struct settings_provider second_terms = {.enabled = true};
static char second_url[CONF_TEXT_MAX];

#define mannco_driver mannco_driver, &second_driver
#include "provider/provider.c"
#undef mannco_driver

static const struct settings *second_settings(const struct settings *settings)
{
    static struct settings own;
    own = *settings;
    assert_true(text_copy(own.payviox.api_url, CONF_TEXT_MAX, second_url));
    assert_true(text_copy(own.payviox.page_url, CONF_TEXT_MAX, "https://second.test"));
    return &own;
}

static const struct settings_provider *second_get_terms(const struct settings *settings)
{
    (void)settings;
    return &second_terms;
}

static enum err second_create(const struct settings *settings, struct arena *arena,
                              const struct provider_order *order, struct httpc_request *ret_request)
{
    return payviox_driver.create(second_settings(settings), arena, order, ret_request);
}

static void second_created(const struct settings *settings, struct arena *arena,
                           const struct httpc_answer *answer, struct provider_result *ret_result)
{
    payviox_driver.created(second_settings(settings), arena, answer, ret_result);
}

static enum err second_read(const struct settings *settings, struct arena *arena,
                            const struct provider_order *order, struct httpc_request *ret_request)
{
    return payviox_driver.read(second_settings(settings), arena, order, ret_request);
}

static void second_set_up(void)
{
    static const struct provider_method methods[] = {
        {"credit_card", "card"}, {"seashells", "seashells"}, {NULL, NULL}};
    second_driver = payviox_driver;
    second_driver.name = "second";
    second_driver.terms = second_get_terms;
    second_driver.methods = methods;
    second_driver.create = second_create;
    second_driver.created = second_created;
    second_driver.read = second_read;
}

#endif
