/* GET /providers: whom one can pay with through POST /paiement, in which currencies and limits. */
#include "front/api.h"

#include "flow/breaker.h"

/* Who carries out what is asked of a provider: itself, or the partners of the house brand. */
static const struct provider_driver *carrier(const struct settings *settings,
                                             const struct provider_driver *driver, size_t index)
{
    if (driver->from_balance)
        return provider_partner(settings, index);
    return index == 0 ? driver : NULL;
}

static bool is_named_before(const struct settings *settings, const struct provider_driver *driver,
                            size_t index, const char *name)
{
    for (size_t i = 0; i < index; i++)
        if (provider_has_method(carrier(settings, driver, i), name))
            return true;
    return false;
}

static void write_methods(struct json_out *out, const struct settings *settings,
                          const struct provider_driver *driver)
{
    const struct provider_driver *by;
    json_out_array(out, "methods");
    for (size_t i = 0; (by = carrier(settings, driver, i)) != NULL; i++)
        for (const struct provider_method *m = by->methods; m->name != NULL; m++)
            if (!is_named_before(settings, driver, i, m->name))
                json_out_text(out, NULL, m->name);
    json_out_close_array(out);
}

static void write_limits(struct json_out *out, const struct conf_limits *deposits)
{
    json_out_array(out, "currencies");
    for (size_t i = 0; i < deposits->count; i++)
        json_out_text(out, NULL, deposits->rows[i].currency);
    json_out_close_array(out);
    json_out_int(out, "minimum", deposits->rows[0].minimum);
    json_out_int(out, "maximum", deposits->rows[0].maximum);
    json_out_array(out, "limits");
    for (size_t i = 0; i < deposits->count; i++) {
        json_out_object(out, NULL);
        json_out_text(out, "currency", deposits->rows[i].currency);
        json_out_int(out, "minimum", deposits->rows[i].minimum);
        json_out_int(out, "maximum", deposits->rows[i].maximum);
        json_out_close_object(out);
    }
    json_out_close_array(out);
}

/* Open for new payments: itself, and of those who carry them out at least one, if there is any. */
static bool is_up(struct call *call, const struct provider_driver *driver)
{
    struct context *context = call->context;
    struct arena *arena = call->request->arena;
    const struct provider_driver *by;
    bool any = false, up = false;
    if (provider_find_open(context->settings, driver->name) == NULL ||
        !breaker_is_closed(context, arena, driver))
        return false;
    for (size_t i = 0; (by = carrier(context->settings, driver, i)) != NULL && !up; i++) {
        any = true;
        up = breaker_is_closed(context, arena, by);
    }
    return up || !any;
}

void providers_get(struct call *call)
{
    const struct settings *settings = call->context->settings;
    const struct provider_driver *driver;
    struct json_out *out = reply_open(call, ERR_NONE);
    if (out == NULL)
        return;
    json_out_array(out, "providers");
    for (size_t i = 0; (driver = provider_at(i)) != NULL; i++) {
        json_out_object(out, NULL);
        json_out_text(out, "name", driver->name);
        write_methods(out, settings, driver);
        write_limits(out, &driver->terms(settings)->deposits);
        json_out_text(out, "status", is_up(call, driver) ? "up" : "down");
        json_out_close_object(out);
    }
    json_out_close_array(out);
    reply_close(call, out);
}
