/* GET /payments and GET /payments/{id}: the caller's own payments, and the timeline of one. */
#include "front/api.h"

#include "front/fields.h"
#include "store/payments.h"

#include <string.h>

enum { PAGE_DEFAULT = 20, PAGE_MAX = 100, EVENTS_MAX = 200 };

struct page_unit {
    int64_t user_id;
    const char *cursor;
    int64_t limit;
    struct payment *payments;
    size_t count;
};

static enum err page_unit(struct db *db, void *context)
{
    struct page_unit *unit = context;
    /* one more than asked for tells whether there is a next page */
    return payments_of_user(db, unit->user_id, unit->cursor, (size_t)unit->limit + 1,
                            unit->payments, &unit->count);
}

/* ?limit=1…100&cursor=id */
static enum err read_page(const struct call *call, struct page_unit *unit)
{
    struct http_field *query;
    enum err err = http_form_parse(call->request->arena, call->request->query,
                                   strlen(call->request->query), &query);
    if (err)
        return err;
    const char *limit = http_form_get(query, "limit"), *cursor = http_form_get(query, "cursor");
    struct field field = {FIELD_TEXT, limit, true};
    unit->limit = PAGE_DEFAULT;
    if (limit != NULL &&
        (!field_whole_number(&field, &unit->limit) || unit->limit < 1 || unit->limit > PAGE_MAX))
        return ERR_PARAMETERS;
    unit->cursor = cursor == NULL ? "" : cursor;
    if (cursor != NULL && !ident_valid("PAY_", cursor))
        return ERR_PARAMETERS;
    unit->user_id = call->user.id;
    unit->payments =
        arena_alloc(call->request->arena, ((size_t)unit->limit + 1) * sizeof *unit->payments);
    return unit->payments == NULL ? ERR_OVERLOAD : ERR_NONE;
}

/* Expiry is read off the database's clock, not off the jobs program having been there. */
static enum payment_status status_now(const struct payment *payment)
{
    return payment->status == PAYMENT_PENDING && payment->expires_in_ms <= 0 ? PAYMENT_EXPIRED
                                                                             : payment->status;
}

static void write_payment(struct json_out *out, const struct payment *payment)
{
    json_out_text(out, "id", payment->id);
    json_out_text(out, "provider", payment->provider);
    json_out_text(out, "type", payment_type_name(payment->type));
    json_out_int(out, "amount", money_minor_units(&payment->amount));
    json_out_text(out, "currency", money_currency(&payment->amount));
    json_out_text(out, "method", payment->method[0] == '\0' ? NULL : payment->method);
    json_out_text(out, "status", payment_status_name(status_now(payment)));
    json_out_text(out, "createdAt", payment->created_at);
    json_out_text(out, "expiresAt", payment->expires_at);
}

void payments_get_list(struct call *call)
{
    struct page_unit unit = {0};
    enum err err = read_page(call, &unit);
    if (!err)
        err = db_query(call->context->pool, call->request->arena, page_unit, &unit);
    if (err) {
        reply_error(call, err == ERR_PAYLOAD ? ERR_PARAMETERS : err);
        return;
    }
    struct json_out *out = reply_open(call);
    if (out == NULL)
        return;
    size_t shown = unit.count > (size_t)unit.limit ? (size_t)unit.limit : unit.count;
    json_out_array(out, "payments");
    for (size_t i = 0; i < shown; i++) {
        json_out_object(out, NULL);
        write_payment(out, &unit.payments[i]);
        json_out_close_object(out);
    }
    json_out_close_array(out);
    json_out_text(out, "cursor", shown < unit.count ? unit.payments[shown - 1].id : NULL);
    reply_close(call, out);
}

struct one_unit {
    const char *payment_id;
    struct payment payment;
    struct attempt attempt;
    struct event *events;
    size_t count;
};

static enum err one_unit(struct db *db, void *context)
{
    struct one_unit *unit = context;
    enum err err = payments_get(db, unit->payment_id, &unit->payment);
    if (!err)
        err = attempts_last(db, unit->payment_id, &unit->attempt);
    if (!err)
        err = events_of_payment(db, unit->payment_id, EVENTS_MAX, unit->events, &unit->count);
    return err;
}

static void write_timeline(struct json_out *out, const struct one_unit *unit)
{
    json_out_array(out, "timeline");
    for (size_t i = 0; i < unit->count; i++) {
        json_out_object(out, NULL);
        json_out_text(out, "at", unit->events[i].at);
        json_out_text(out, "kind", unit->events[i].kind);
        json_out_text(out, "detail", unit->events[i].detail);
        json_out_text(out, "source", unit->events[i].source);
        json_out_close_object(out);
    }
    json_out_close_array(out);
}

static enum err load_one(struct call *call, struct one_unit *unit)
{
    if (!ident_valid("PAY_", call->param))
        return ERR_NOT_FOUND;
    unit->payment_id = call->param;
    unit->events = arena_alloc(call->request->arena, EVENTS_MAX * sizeof *unit->events);
    if (unit->events == NULL)
        return ERR_OVERLOAD;
    enum err err = db_snapshot(call->context->pool, call->request->arena, one_unit, unit);
    if (!err && (unit->payment.id[0] == '\0' || unit->payment.user_id != call->user.id))
        err = ERR_NOT_FOUND; /* somebody else's is no different from none */
    return err;
}

void payments_get_one(struct call *call)
{
    struct one_unit unit = {0};
    enum err err = load_one(call, &unit);
    struct json_out *out = err ? NULL : reply_open(call);
    if (err)
        reply_error(call, err);
    if (out == NULL)
        return;
    (void)text_copy(call->payment_id, sizeof call->payment_id, unit.payment.id);
    bool payable = status_now(&unit.payment) == PAYMENT_PENDING && unit.attempt.url[0] != '\0';
    write_payment(out, &unit.payment);
    json_out_text(out, "url", payable ? unit.attempt.url : NULL);
    write_timeline(out, &unit);
    reply_close(call, out);
}
