/* GET /user/getTransactionHistory and /user/getTransactionDetails: the caller's own payments, in
 * the words of docs.mannco.store. A transaction's id is the payment's. */
#include "front/api.h"

#include "front/fields.h"
#include "store/items.h"

#include <string.h>

/* A list shows the first items of a cart; the details have all of them. What lies before a page is
 * read for it: beyond so many, GET /payments goes on from where it was. */
enum { SEARCH_MIN = 3, LISTED_ITEMS_MAX = 5, SEARCH_BYTES_MAX = 200, DEPTH_MAX = 100000 };

struct list_unit {
    int64_t user_id;
    struct field_page page;
    const char *search; /* NULL: all */
    struct payment *payments;
    struct cart *carts;
    size_t count;
};

static enum err list_unit(struct db *db, void *context)
{
    struct list_unit *unit = context;
    enum err err =
        payments_search(db, unit->user_id, unit->search, unit->page.limit,
                        unit->page.page * unit->page.limit, unit->payments, &unit->count);
    for (size_t i = 0; i < unit->count && !err; i++)
        err = items_of_payment(db, unit->payments[i].id, LISTED_ITEMS_MAX, &unit->carts[i]);
    return err;
}

/* Characters of UTF-8, which the text is known to be. */
static size_t count_characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static enum err read_list(const struct call *call, struct list_unit *unit)
{
    struct arena *arena = call->request->arena;
    struct fields query;
    enum err err = fields_query(call->request, &query);
    if (!err)
        err = fields_page(&query, &unit->page);
    if (!err && unit->page.page * unit->page.limit > DEPTH_MAX)
        err = ERR_QUERY;
    if (err)
        return err;
    struct field search = fields_get(&query, "search");
    unit->search = search.kind == FIELD_TEXT && search.text[0] != '\0' ? search.text : NULL;
    if (unit->search != NULL &&
        (count_characters(unit->search) < SEARCH_MIN || strlen(unit->search) > SEARCH_BYTES_MAX))
        return ERR_QUERY;
    unit->payments = arena_alloc(arena, (size_t)unit->page.limit * sizeof *unit->payments);
    unit->carts = arena_alloc(arena, (size_t)unit->page.limit * sizeof *unit->carts);
    return unit->payments == NULL || unit->carts == NULL ? ERR_OVERLOAD : ERR_NONE;
}

static void write_transaction(struct json_out *out, const char *key, const struct payment *payment,
                              const struct cart *cart)
{
    json_out_object(out, key);
    json_out_text(out, "id", payment->id);
    json_out_text(out, "type", payment->type == PAYMENT_ITEMS ? "purchase" : "deposit");
    json_out_text(out, "provider", payment->provider);
    json_out_text(out, "method", payment->method[0] == '\0' ? NULL : payment->method);
    reply_items(out, cart);
    json_out_int(out, "itemsCount", (int64_t)cart->total);
    json_out_int(out, "totalPrice", money_minor_units(&payment->amount));
    json_out_text(out, "currency", money_currency(&payment->amount));
    json_out_text(out, "status", payment_status_name(payment_status_now(payment)));
    json_out_text(out, "time", ident_text(payment->created_s).text);
    json_out_close_object(out);
}

void transactions_get_list(struct call *call)
{
    struct list_unit unit = {.user_id = call->user.id};
    enum err err = read_list(call, &unit);
    if (!err)
        err = db_snapshot(call->context->pool, call->request->arena, list_unit, &unit);
    struct json_out *out = reply_open(call, err);
    if (out == NULL)
        return;
    json_out_array(out, "values");
    for (size_t i = 0; i < unit.count; i++)
        write_transaction(out, NULL, &unit.payments[i], &unit.carts[i]);
    json_out_close_array(out);
    reply_close(call, out);
}

struct one_unit {
    const char *id;
    struct payment payment;
    struct cart cart;
};

static enum err one_unit(struct db *db, void *context)
{
    struct one_unit *unit = context;
    enum err err = payments_get(db, unit->id, &unit->payment);
    return err ? err : items_of_payment(db, unit->id, CART_MAX, &unit->cart);
}

static enum err load_one(struct call *call, struct one_unit *unit)
{
    struct fields query;
    enum err err = fields_query(call->request, &query);
    if (err)
        return err;
    struct field id = fields_get(&query, "transactionId");
    if (id.kind != FIELD_TEXT || id.text[0] == '\0')
        return ERR_TRANSACTION_ID_MISSING;
    if (!ident_valid("PAY_", id.text))
        return ERR_TRANSACTION_NOT_FOUND;
    unit->id = id.text;
    err = db_query(call->context->pool, call->request->arena, one_unit, unit);
    if (!err && (unit->payment.id[0] == '\0' || unit->payment.user_id != call->user.id))
        err = ERR_TRANSACTION_NOT_FOUND;
    return err;
}

void transactions_get_one(struct call *call)
{
    struct one_unit unit = {0};
    enum err err = load_one(call, &unit);
    struct json_out *out = reply_open(call, err);
    if (out == NULL)
        return;
    (void)text_copy(call->payment_id, sizeof call->payment_id, unit.payment.id);
    write_transaction(out, "transaction", &unit.payment, &unit.cart);
    reply_close(call, out);
}
