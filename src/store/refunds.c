/* Steps over refunds and disputes. */
#include "store/refunds.h"

#include <assert.h>
#include <string.h>

static const char *const via_names[] = {
    [REFUND_MANUAL] = "manual",
    [REFUND_BALANCE] = "balance",
    [REFUND_REPORTED] = "reported",
    [REFUND_PROVIDER] = "provider",
};

const char *refund_via_name(enum refund_via via)
{
    return via_names[via];
}

static enum refund_via via_parse(const char *name)
{
    size_t via = text_find(via_names, sizeof via_names / sizeof via_names[0], name);
    assert(via <= REFUND_PROVIDER); /* the table's own constraints say so */
    return (enum refund_via)via;
}

enum err refunds_insert(struct db *db, const struct payment *payment, const struct refund *refund)
{
    return db_run(db, SQL_REFUND_INSERT, DB_TEXT(refund->id), DB_TEXT(payment->id),
                  DB_INT(money_minor_units(&refund->amount)), DB_TEXT(via_names[refund->via]),
                  DB_TEXT(refund->reference), DB_TEXT(refund->reason),
                  refund->operator_id == 0 ? DB_NOTHING : DB_INT(refund->operator_id),
                  DB_TEXT(payment->id));
}

/* The columns are REFUND_COLUMNS of sql.c. */
static enum err read_refund(struct db *db, const struct payment *payment, struct refund *ret_refund)
{
    struct refund *r = ret_refund;
    *r = (struct refund){.sequence = db_int(db, 1), .via = via_parse(db_text(db, 3))};
    bool fine = money_make(db_int(db, 2), money_currency(&payment->amount), &r->amount);
    assert(fine); /* the payment's currency is one */
    db_copy(db, 0, r->id, sizeof r->id);
    db_copy(db, 6, r->created_at, sizeof r->created_at);
    r->reason = db_keep(db, 5);
    return r->reason == NULL ? ERR_OVERLOAD : db_keep_or_null(db, 4, &r->reference);
}

enum err refunds_find(struct db *db, const struct payment *payment, const char *id_or_reference,
                      struct refund *ret_refund)
{
    enum err err = db_run(db, SQL_REFUND_FIND, DB_TEXT(payment->id), DB_TEXT(id_or_reference),
                          DB_TEXT(id_or_reference));
    *ret_refund = (struct refund){0};
    return err || !db_next(db) ? err : read_refund(db, payment, ret_refund);
}

enum err refunds_confirm(struct db *db, const char *payment_id, const struct money *amount,
                         const char *reference, bool *ret_confirmed)
{
    enum err err = db_run(db, SQL_REFUND_CONFIRM, DB_TEXT(reference), DB_TEXT(payment_id),
                          DB_INT(money_minor_units(amount)));
    *ret_confirmed = !err && db_affected(db) == 1;
    return err;
}

enum err refunds_of_payment(struct db *db, const struct payment *payment, size_t max,
                            struct refund *ret_refunds, size_t *ret_count)
{
    enum err err = db_run(db, SQL_REFUNDS_OF_PAYMENT, DB_TEXT(payment->id), DB_INT((int64_t)max));
    *ret_count = 0;
    while (!err && *ret_count < max && db_next(db))
        err = read_refund(db, payment, &ret_refunds[(*ret_count)++]);
    return err;
}

static const char *const order_names[ORDER_STATES] = {
    [ORDER_PENDING] = "pending", [ORDER_DONE] = "done", [ORDER_FAILED] = "failed"};

enum err orders_insert(struct db *db, const struct payment *payment,
                       const struct refund_order *order, int64_t due_in_s)
{
    return db_run(db, SQL_ORDER_INSERT, DB_TEXT(order->id), DB_TEXT(payment->id),
                  DB_INT(order->attempt), DB_INT(money_minor_units(&order->amount)),
                  DB_TEXT(order->reason), DB_INT(order->operator_id), DB_INT(due_in_s));
}

/* The columns are ORDER_COLUMNS of sql.c. False when there is no row left. */
static bool read_order(struct db *db, const struct payment *payment, struct refund_order *ret_order)
{
    struct refund_order *o = ret_order;
    *o = (struct refund_order){.reason = ""};
    if (!db_next(db))
        return false;
    db_copy(db, 0, o->id, sizeof o->id);
    o->attempt = db_int(db, 1);
    bool fine = money_make(db_int(db, 2), money_currency(&payment->amount), &o->amount);
    assert(fine); /* the payment's currency is one */
    o->state = (enum order_state)text_find(order_names, ORDER_STATES, db_text(db, 3));
    assert(o->state < ORDER_STATES);
    db_copy(db, 4, o->reference, sizeof o->reference);
    o->reason = db_keep(db, 5);
    o->operator_id = db_int(db, 6);
    o->tries = db_int(db, 7);
    db_copy(db, 8, o->created_at, sizeof o->created_at);
    o->age_s = db_int(db, 9);
    return true;
}

enum err orders_get(struct db *db, const struct payment *payment, const char *refund_id,
                    struct refund_order *ret_order)
{
    enum err err = db_run(db, SQL_ORDER_GET, DB_TEXT(refund_id));
    if (!err)
        (void)read_order(db, payment, ret_order);
    return !err && ret_order->reason == NULL ? ERR_OVERLOAD : err;
}

enum err orders_confirm(struct db *db, const struct payment *payment, const char *refund_id,
                        const char *reference, const struct money *amount,
                        struct refund_order *ret_order)
{
    enum err err = db_run(db, SQL_ORDER_CONFIRM, DB_TEXT(payment->id), DB_TEXT(reference),
                          DB_INT(money_minor_units(amount)), DB_TEXT(refund_id));
    if (!err)
        (void)read_order(db, payment, ret_order);
    return !err && ret_order->reason == NULL ? ERR_OVERLOAD : err;
}

enum err orders_of_payment(struct db *db, const struct payment *payment, size_t max,
                           struct refund_order *ret_orders, size_t *ret_count)
{
    enum err err = db_run(db, SQL_ORDERS_OF_PAYMENT, DB_TEXT(payment->id), DB_INT((int64_t)max));
    *ret_count = 0;
    while (!err && *ret_count < max && read_order(db, payment, &ret_orders[*ret_count]))
        err = ret_orders[(*ret_count)++].reason == NULL ? ERR_OVERLOAD : ERR_NONE;
    return err;
}

enum err orders_take(struct db *db, int64_t lease_s, char ret_refund_id[IDENT_MAX],
                     char ret_payment_id[IDENT_MAX])
{
    enum err err = db_run_plain(db, SQL_ORDER_TAKE);
    ret_refund_id[0] = ret_payment_id[0] = '\0';
    if (err || !db_next(db))
        return err;
    db_copy(db, 0, ret_refund_id, IDENT_MAX);
    db_copy(db, 1, ret_payment_id, IDENT_MAX);
    return db_run(db, SQL_ORDER_LEASE, DB_INT(lease_s), DB_TEXT(ret_refund_id));
}

enum err orders_next(struct db *db, const char *refund_id, const char *reference, const char *note,
                     int64_t due_in_s)
{
    return db_run(db, SQL_ORDER_NEXT, DB_TEXT(note), DB_TEXT_OR_NULL(reference),
                  DB_INT(due_in_s >= 0), DB_INT(due_in_s < 0 ? 0 : due_in_s), DB_TEXT(refund_id));
}

enum err orders_end(struct db *db, const char *refund_id, enum order_state state,
                    const char *reference, const char *note)
{
    return db_run(db, SQL_ORDER_END, DB_TEXT(order_names[state]), DB_TEXT(note),
                  DB_TEXT_OR_NULL(reference), DB_TEXT(refund_id));
}

enum err disputes_find(struct db *db, const struct payment *payment, const char *reference,
                       struct dispute *ret_dispute)
{
    struct dispute *d = ret_dispute;
    enum err err = db_run(db, SQL_DISPUTE_FIND, DB_TEXT(payment->id), DB_TEXT(reference));
    *d = (struct dispute){0};
    if (err || !db_next(db))
        return err;
    d->sequence = db_int(db, 0);
    bool fine = money_make(db_int(db, 1), money_currency(&payment->amount), &d->amount) &&
                dispute_state_parse(db_text(db, 2), &d->state);
    assert(fine); /* the table's own constraints say so */
    return ERR_NONE;
}

enum err disputes_insert(struct db *db, const struct payment *payment, const char *reference,
                         const char *provider, const struct money *amount)
{
    return db_run(db, SQL_DISPUTE_INSERT, DB_TEXT(payment->id), DB_TEXT(reference),
                  DB_TEXT(provider), DB_INT(money_minor_units(amount)), DB_TEXT(payment->id));
}

enum err disputes_state_set(struct db *db, const struct payment *payment, const char *reference,
                            enum dispute_state state)
{
    enum err err = db_run(db, SQL_DISPUTE_STATE, DB_TEXT(dispute_state_name(state)),
                          DB_TEXT(payment->id), DB_TEXT(reference));
    return err ? err : payments_dispute_update(db, payment->id);
}

enum err refunds_left(struct db *db, const struct payment *payment, struct money *ret_left)
{
    enum err err = db_run(db, SQL_DISPUTES_STANDING, DB_TEXT(payment->id), DB_TEXT(payment->id));
    int64_t standing = !err && db_next(db) ? db_int(db, 0) : 0;
    int64_t left = money_minor_units(&payment->amount) - money_minor_units(&payment->refunded);
    bool fine = money_make(left > standing ? left - standing : 0, money_currency(&payment->amount),
                           ret_left);
    assert(fine); /* the payment's currency is one */
    return err;
}
