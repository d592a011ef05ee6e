/* GET /return/{provider}: the payer's browser comes back from the provider's page. What its address
 * says is only a hint which payment to ask about; it moves no money. */
#include "front/api.h"

#include "base/clock.h"
#include "domain/return_url.h"
#include "flow/reconcile.h"

#include <string.h>

/* A person waits: without an answer by then, the payment is still being verified. */
enum { PATIENCE_MS = 5000 };

static enum err read_reference(const struct call *call, const struct provider_driver *driver,
                               const char **ret_reference)
{
    struct http_field *query;
    if (driver == NULL || driver->returned == NULL)
        return ERR_NOT_FOUND;
    enum err err = http_form_parse(call->request->arena, call->request->query,
                                   strlen(call->request->query), &query);
    if (err)
        return err == ERR_OVERLOAD ? err : ERR_NOT_FOUND;
    const char *reference = driver->returned(query);
    bool plain = reference != NULL &&
                 reference[strspn(reference, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "0123456789_-")] == '\0';
    *ret_reference = reference;
    return plain ? ERR_NONE : ERR_NOT_FOUND;
}

static void reply_status(struct call *call, const struct payment *payment, const char *status)
{
    struct json_out *out = reply_open(call, ERR_NONE);
    if (out == NULL)
        return;
    json_out_text(out, "paymentId", payment->id);
    json_out_text(out, "status", status);
    reply_close(call, out);
}

static void send_back(struct call *call, const struct payment *payment, const char *url)
{
    const char *status = payment_status_name(payment_status_now(payment));
    const char *page = url[0] != '\0' ? url : call->context->settings->returns.page;
    size_t size = strlen(page) + 128;
    char *location = arena_alloc(call->request->arena, size);
    (void)text_copy(call->payment_id, sizeof call->payment_id, payment->id);
    if (page[0] == '\0') {
        reply_status(call, payment, status);
        return;
    }
    if (location == NULL || !return_url_with(page, payment->id, status, location, size)) {
        reply_error(call, ERR_OVERLOAD);
        return;
    }
    call->response->status = 303;
    http_header_set(call->response, "Location", location);
}

void return_get(struct call *call)
{
    struct context *context = call->context;
    const struct provider_driver *driver = provider_find(context->settings, call->param);
    const char *reference;
    int64_t deadline_ms = clock_mono_ms() + PATIENCE_MS;
    char url[URL_MAX];
    struct payment payment = {.id = ""};
    enum err err = read_reference(call, driver, &reference);
    if (!err)
        err = reconcile_returned(context, call->request->arena, driver, reference, deadline_ms,
                                 &payment, url);
    if (!err && payment.id[0] == '\0')
        err = ERR_NOT_FOUND;
    if (err)
        reply_error(call, err);
    else
        send_back(call, &payment, url);
}
