/* GET /payments and GET /payments/{id}: the caller's own payments, and the timeline of one. */
#include "front/api.h"

#include "domain/tos.h"
#include "front/fields.h"
#include "provider/provider.h"
#include "store/items.h"
#include "store/refunds.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_DEFAULT = 20, PAGE_MAX = 100, EVENTS_MAX = 200 };

struct page_unit {
    struct payment_filter filter;
    struct payment *payments;
    size_t count;
    char last[IDENT_MAX]; /* the next page begins after it; "": there is none */
};

static enum err page_unit(struct db *db, void *context)
{
    struct page_unit *unit = context;
    return payments_list(db, &unit->filter, unit->payments, &unit->count, unit->last);
}

/* A filter that may be left out. */
static const char *read_text(const struct fields *query, const char *name)
{
    struct field field = fields_get(query, name);
    return field.kind == FIELD_TEXT ? field.text : NULL;
}

static enum err read_moment(const struct fields *query, const char *name, int64_t *ret_ms)
{
    const char *text = read_text(query, name);
    *ret_ms = -1;
    return text == NULL || (timestamp_parse(text, ret_ms) && *ret_ms <= MOMENT_MAX_MS) ? ERR_NONE
                                                                                       : ERR_QUERY;
}

static enum err read_filter(const struct fields *query, struct payment_filter *filter)
{
    const char *cursor = read_text(query, "cursor");
    enum payment_status status;
    filter->cursor = cursor == NULL ? "" : cursor;
    filter->provider = read_text(query, "provider");
    filter->status = read_text(query, "status");
    if ((cursor != NULL && !ident_valid("PAY_", cursor)) ||
        (filter->status != NULL && !payment_status_parse(filter->status, &status)) ||
        (filter->provider != NULL && !provider_is_known(filter->provider)))
        return ERR_QUERY;
    enum err err = read_moment(query, "from", &filter->from_ms);
    return err ? err : read_moment(query, "to", &filter->to_ms);
}

/* ?limit=1…100&cursor=id&status=&provider=&from=&to= */
static enum err read_page(const struct call *call, struct page_unit *unit)
{
    struct fields query;
    int64_t limit = PAGE_DEFAULT;
    enum err err = fields_query(call->request, &query);
    if (!err)
        err = read_filter(&query, &unit->filter);
    if (err)
        return err;
    struct field field = fields_get(&query, "limit");
    if (field.kind != FIELD_ABSENT &&
        (!field_whole_number(&field, &limit) || limit < 1 || limit > PAGE_MAX))
        return ERR_QUERY;
    unit->filter.user_id = call->user.id;
    unit->filter.max = (size_t)limit + 1; /* one more tells whether there is a next page */
    unit->payments = arena_alloc(call->request->arena, unit->filter.max * sizeof *unit->payments);
    return unit->payments == NULL ? ERR_OVERLOAD : ERR_NONE;
}

void payments_get_list(struct call *call)
{
    struct page_unit unit = {0};
    enum err err = read_page(call, &unit);
    if (!err)
        err = db_query(call->context->pool, call->request->arena, page_unit, &unit);
    struct json_out *out = reply_open(call, err);
    if (out == NULL)
        return;
    size_t shown = unit.count == unit.filter.max ? unit.count - 1 : unit.count;
    json_out_array(out, "payments");
    for (size_t i = 0; i < shown; i++) {
        json_out_object(out, NULL);
        answer_payment(out, &unit.payments[i]);
        json_out_close_object(out);
    }
    json_out_close_array(out);
    if (shown < unit.count)
        (void)text_copy(unit.last, sizeof unit.last, unit.payments[shown - 1].id);
    json_out_text(out, "cursor", unit.last[0] == '\0' ? NULL : unit.last);
    reply_close(call, out);
}

struct one_unit {
    const char *payment_id;
    struct payment payment;
    struct attempt attempt;
    struct payment_card card;
    struct cart cart;
    struct refund refunds[REFUNDS_MAX];
    size_t refund_count;
    struct refund_order orders[REFUNDS_MAX]; /* that a provider is still asked for */
    size_t order_count;
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
        err = cards_get(db, unit->payment_id, &unit->card);
    if (!err)
        err = items_of_payment(db, unit->payment_id, CART_MAX, &unit->cart);
    if (!err)
        err =
            refunds_of_payment(db, &unit->payment, REFUNDS_MAX, unit->refunds, &unit->refund_count);
    if (!err)
        err = orders_of_payment(db, &unit->payment, REFUNDS_MAX, unit->orders, &unit->order_count);
    if (!err)
        err = events_of_payment(db, unit->payment_id, EVENTS_MAX, unit->events, &unit->count);
    return err;
}

/* What operators write is for operators: their names, and what they think of a payer. So is why a
 * provider or a bank refuses, which may tell of rules against fraud, or of a card reported stolen:
 * who pays was told in the words of his answer. */
static void write_detail(struct json_out *out, const struct event *event, bool operator)
{
    char word[sizeof event->detail] = "";
    bool attempt = strcmp(event->kind, "attempt") == 0; /* "declined: why" */
    if (attempt)
        (void)snprintf(word, sizeof word, "%.*s", (int)strcspn(event->detail, ":"), event->detail);
    bool hidden = attempt || strcmp(event->kind, "failed") == 0 ||
                  strcmp(event->kind, "refund_failed") == 0 ||
                  strcmp(event->source, "operator") == 0;
    json_out_text(out, "detail", operator|| !hidden ? event->detail : word);
}

static void write_timeline(struct json_out *out, const struct one_unit *unit, bool operator)
{
    json_out_array(out, "timeline");
    for (size_t i = 0; i < unit->count; i++) {
        json_out_object(out, NULL);
        json_out_text(out, "at", unit->events[i].at);
        json_out_text(out, "kind", unit->events[i].kind);
        write_detail(out, &unit->events[i], operator);
        json_out_text(out, "source", unit->events[i].source);
        json_out_close_object(out);
    }
    json_out_close_array(out);
}

static void write_refund(struct json_out *out, const char *id, const struct money *amount,
                         enum refund_via via, const char *state, const char *reason,
                         const char *created_at)
{
    json_out_object(out, NULL);
    json_out_text(out, "id", id);
    json_out_int(out, "amount", money_minor_units(amount));
    json_out_text(out, "via", refund_via_name(via));
    json_out_text(out, "state", state);
    json_out_text(out, "reason", reason);
    json_out_text(out, "createdAt", created_at);
    json_out_close_object(out);
}

static void write_refunds(struct json_out *out, const struct one_unit *unit)
{
    json_out_array(out, "refunds");
    for (size_t i = 0; i < unit->refund_count; i++) {
        const struct refund *r = &unit->refunds[i];
        write_refund(out, r->id, &r->amount, r->via, "done", r->reason, r->created_at);
    }
    for (size_t i = 0; i < unit->order_count; i++) {
        const struct refund_order *o = &unit->orders[i];
        write_refund(out, o->id, &o->amount, REFUND_PROVIDER, "pending", o->reason, o->created_at);
    }
    json_out_close_array(out);
}

static void write_card(struct json_out *out, const struct payment_card *card)
{
    if (card->alias[0] == '\0') {
        json_out_text(out, "card", NULL);
        return;
    }
    json_out_object(out, "card");
    json_out_text(out, "alias", card->alias);
    json_out_text(out, "country", card->country[0] == '\0' ? NULL : card->country);
    json_out_close_object(out);
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
    bool own = unit->payment.user_id == call->user.id || call->user.operator;
    if (!err && (unit->payment.id[0] == '\0' || !own))
        err = ERR_NOT_FOUND; /* somebody else's is no different from none */
    return err;
}

void payments_get_one(struct call *call)
{
    struct one_unit unit = {0};
    enum err err = load_one(call, &unit);
    struct json_out *out = reply_open(call, err);
    if (out == NULL)
        return;
    (void)text_copy(call->payment_id, sizeof call->payment_id, unit.payment.id);
    bool open = payment_status_now(&unit.payment) == PAYMENT_PENDING;
    answer_payment(out, &unit.payment);
    json_out_text(out, "url", open ? unit.attempt.url : NULL);
    answer_bankwire(out, call->request->arena, open ? unit.attempt.instructions : NULL);
    write_card(out, &unit.card);
    reply_items(out, &unit.cart);
    write_refunds(out, &unit);
    write_timeline(out, &unit, call->user.operator);
    reply_close(call, out);
}
