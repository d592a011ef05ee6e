/* Steps over refunds and disputes. */
#include "store/refunds.h"

#include <assert.h>
#include <string.h>

static const char *const via_names[] = {
    [REFUND_MANUAL] = "manual", [REFUND_BALANCE] = "balance", [REFUND_REPORTED] = "reported"};

const char *refund_via_name(enum refund_via via)
{
    return via_names[via];
}

static enum refund_via via_parse(const char *name)
{
    if (strcmp(name, via_names[REFUND_BALANCE]) == 0)
        return REFUND_BALANCE;
    return strcmp(name, via_names[REFUND_MANUAL]) == 0 ? REFUND_MANUAL : REFUND_REPORTED;
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
    r->reference = db_null(db, 4) ? NULL : db_keep(db, 4);
    r->reason = db_keep(db, 5);
    return r->reason == NULL || (!db_null(db, 4) && r->reference == NULL) ? ERR_OVERLOAD : ERR_NONE;
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
    enum err err = db_run(db, SQL_DISPUTES_STANDING, DB_TEXT(payment->id));
    int64_t standing = !err && db_next(db) ? db_int(db, 0) : 0;
    int64_t left = money_minor_units(&payment->amount) - money_minor_units(&payment->refunded);
    bool fine = money_make(left > standing ? left - standing : 0, money_currency(&payment->amount),
                           ret_left);
    assert(fine); /* the payment's currency is one */
    return err;
}
