/* Refunds, one row and one posting each; their sum never exceeds the payment. Calls a provider only
 * through refund_order. */
#include "flow/refund.h"

#include "base/buf.h"
#include "base/crash.h"
#include "flow/notify.h"
#include "flow/posting.h"
#include "flow/refund_order.h"
#include "flow/replay.h"

#include <assert.h>
#include <stdio.h>

enum { ORDER_FIRST_S = 60 }; /* when the jobs program looks at what nobody has ended */

/* Writes the row, moves the payment's status and posts the money. What is given back as a whole
 * before it was ever heard to be paid was never credited, so nothing is claimed for it. */
enum err refund_book(struct db *db, const struct payment *payment, const struct refund *refund,
                     const struct settlement *news)
{
    struct settlement change = *news;
    struct posting posting;
    struct money total;
    struct refund stored;
    bool fresh, fits = money_add(&payment->refunded, &refund->amount, &total);
    assert(fits); /* the caller has compared it with the payment */
    change.fact = money_equal(&total, &payment->amount) ? FACT_REFUNDED : FACT_PARTLY_REFUNDED;
    bool moves = payment_next(payment->status, change.fact).status != payment->status;
    bool credited = payment_is_paid(payment->status) || change.fact == FACT_PARTLY_REFUNDED;
    enum err err = refunds_insert(db, payment, refund);
    if (!err)
        err = refunds_find(db, payment, refund->id, &stored);
    if (!err)
        err = payments_refunded_add(db, payment->id, &refund->amount);
    if (!err)
        err = moves ? settle_fact(db, payment, &change)
                    : events_insert(db, payment->id, payment_status_name(payment->status),
                                    news->detail, news->source);
    if (err)
        return err;
    CRASH_POINT("refund_stored");
    if (refund->via == REFUND_BALANCE)
        posting_balance_refund(&posting, payment, refund->amount);
    else
        posting_refund(&posting, payment, news->provider, refund->amount);
    if (credited)
        err = ledger_post(db, payment->id, payment_effect_name(EFFECT_REFUND), stored.sequence,
                          posting.lines, posting.count, &fresh);
    return err ? err : notify_event(db, payment, TOPIC_REFUNDED, stored.sequence);
}

/* A refund that the provider names: known, or one given by hand that it now tells us of? */
static enum err is_known(struct db *db, const struct payment *payment, const char *reference,
                         const struct money *amount, bool *ret_known)
{
    struct refund refund;
    enum err err = refunds_find(db, payment, reference, &refund);
    *ret_known = !err && refund.id[0] != '\0';
    return err || *ret_known ? err : refunds_confirm(db, payment->id, amount, reference, ret_known);
}

/* A provider that names no refunds speaks of the payment as a whole: what it says is a sum. */
static enum err compare_sum(const struct payment *payment, const struct money *amount,
                            bool *ret_known, const char **ret_mismatch)
{
    int64_t booked = money_minor_units(&payment->refunded);
    *ret_known = booked >= money_minor_units(amount);
    if (!*ret_known && booked > 0)
        *ret_mismatch = "given back by the provider, and in part by us: how much was it in all?";
    return ERR_NONE;
}

/* One that the provider was asked for by us is that one: its answer was slower than the notice. */
static enum err book_reported(struct db *db, const struct payment *payment, struct refund *refund,
                              const struct settlement *news)
{
    struct refund_order order;
    enum err err = orders_confirm(db, payment, news->truth->refund_id, refund->reference,
                                  &refund->amount, &order);
    if (err)
        return err;
    refund->reason = "";
    ident_new("REF_", refund->id);
    if (order.id[0] != '\0') {
        (void)text_copy(refund->id, sizeof refund->id, order.id);
        refund->via = REFUND_PROVIDER;
        refund->reason = order.reason;
        refund->operator_id = order.operator_id;
        err = orders_end(db, order.id, ORDER_DONE, refund->reference, "the provider's notice told");
        if (!err) /* whoever asked for it may wait for its answer */
            err = orders_next(db, order.id, "", NULL, 0);
    }
    return err ? err : refund_book(db, payment, refund, news);
}

enum err refund_reported(struct db *db, const struct payment *payment,
                         const struct settlement *news, const char **ret_mismatch)
{
    const struct provider_truth *truth = news->truth;
    struct refund refund = {.via = REFUND_REPORTED, .reference = truth->change_reference};
    struct money total;
    bool known;
    refund.amount = truth->has_change ? truth->change : payment->amount;
    *ret_mismatch = NULL;
    enum err err = truth->change_reference[0] == '\0'
                       ? compare_sum(payment, &refund.amount, &known, ret_mismatch)
                       : is_known(db, payment, refund.reference, &refund.amount, &known);
    if (err || known || *ret_mismatch != NULL)
        return err;
    if (!money_add(&payment->refunded, &refund.amount, &total) ||
        money_minor_units(&refund.amount) <= 0 ||
        money_minor_units(&total) > money_minor_units(&payment->amount)) {
        *ret_mismatch = "a refund that exceeds the payment";
        return ERR_NONE;
    }
    return book_reported(db, payment, &refund, news);
}

struct refund_unit {
    struct context *context;
    const struct refund_request *request;
    char id[IDENT_MAX]; /* of the refund, the same in every run */
    bool ordered;       /* out: the provider is to be asked */
    struct refund refund;
    struct payment payment;
    struct answer answer;
};

/* ERR_NOT_FOUND, ERR_REFUND_AMOUNT, ERR_REFUND_STATE, ERR_REFUND_LEFT, or the amount to give back.
 */
static enum err choose_amount(struct db *db, struct refund_unit *unit)
{
    const struct payment *payment = &unit->payment;
    struct money left, wanted;
    if (payment->id[0] == '\0')
        return ERR_NOT_FOUND;
    if (!payment_is_paid(payment->status))
        return ERR_REFUND_STATE;
    enum err err = refunds_left(db, payment, &left);
    if (err)
        return err;
    if (!money_make(unit->request->amount, money_currency(&payment->amount), &wanted) ||
        money_minor_units(&wanted) > money_minor_units(&payment->amount))
        return ERR_REFUND_AMOUNT;
    if (money_minor_units(&wanted) == 0)
        wanted = left;
    unit->refund.amount = wanted;
    if (money_minor_units(&wanted) > money_minor_units(&left))
        return ERR_REFUND_LEFT;
    return money_minor_units(&left) == 0 ? ERR_REFUND_STATE : ERR_NONE;
}

static void write_refund(struct json_out *out, const struct payment *payment,
                         const struct refund *refund, const char *state)
{
    json_out_text(out, "id", refund->id);
    json_out_text(out, "paymentId", payment->id);
    json_out_int(out, "amount", money_minor_units(&refund->amount));
    json_out_text(out, "currency", money_currency(&refund->amount));
    json_out_text(out, "via", refund_via_name(refund->via));
    json_out_text(out, "state", state);
    json_out_text(out, "reason", refund->reason);
    json_out_text(out, "createdAt", refund->created_at);
    json_out_text(out, "status", payment_status_name(payment_status_now(payment)));
    json_out_int(out, "refunded", money_minor_units(&payment->refunded));
}

/* As it will stand in the books. */
static void show_order(const struct refund_order *order, struct refund *ret_refund)
{
    *ret_refund =
        (struct refund){.amount = order->amount, .via = REFUND_PROVIDER, .reason = order->reason};
    (void)text_copy(ret_refund->id, sizeof ret_refund->id, order->id);
    (void)text_copy(ret_refund->created_at, sizeof ret_refund->created_at, order->created_at);
}

enum err refund_answer(struct db *db, const char *payment_id, const char *refund_id,
                       const struct refund_order *order, struct refund *ret_refund,
                       struct answer *ret_answer)
{
    struct payment payment;
    struct buf body;
    enum err err = payments_get(db, payment_id, &payment);
    if (!err && order == NULL)
        err = refunds_find(db, &payment, refund_id, ret_refund);
    if (err)
        return err;
    if (order != NULL)
        show_order(order, ret_refund);
    struct json_out *out = answer_open(db_arena(db), &body, ANSWER_MAX);
    if (out == NULL)
        return ERR_OVERLOAD;
    write_refund(out, &payment, ret_refund, order == NULL ? "done" : "pending");
    *ret_answer = (struct answer){.status = 200};
    (void)text_copy(ret_answer->payment_id, IDENT_MAX, payment.id);
    err = answer_close(out);
    ret_answer->body = buf_text(&body);
    ret_answer->len = body.len;
    return err;
}

/* Can the provider be asked, or is it for a person to do? */
static bool is_refundable(const struct refund_unit *unit, const struct attempt *attempt)
{
    const struct provider_driver *driver =
        provider_find(unit->context->settings, attempt->provider);
    return driver != NULL && driver->refundable != NULL && attempt->provider_reference[0] != '\0' &&
           driver->refundable(unit->payment.method);
}

/* The intent, committed before the provider is asked; its amount is reserved. */
static enum err place_order(struct db *db, struct refund_unit *unit, const struct attempt *attempt)
{
    struct refund_order order = {.attempt = attempt->number,
                                 .amount = unit->refund.amount,
                                 .reason = unit->request->reason,
                                 .operator_id = unit->request->operator_id};
    char detail[DETAIL_MAX], amount[MONEY_TEXT_MAX];
    (void)text_copy(order.id, sizeof order.id, unit->id);
    money_format(&order.amount, amount);
    (void)snprintf(detail, sizeof detail, "%s %s, asked of %s", amount,
                   money_currency(&order.amount), attempt->provider);
    unit->ordered = true;
    enum err err = orders_insert(db, &unit->payment, &order, ORDER_FIRST_S);
    return err ? err : events_insert(db, unit->payment.id, "refund_asked", detail, "operator");
}

static enum err book_request(struct db *db, struct refund_unit *unit, const struct attempt *attempt)
{
    char detail[DETAIL_MAX], amount[MONEY_TEXT_MAX];
    bool called = attempt->id != 0;
    unit->refund.via = called ? REFUND_MANUAL : REFUND_BALANCE;
    unit->refund.reason = unit->request->reason;
    unit->refund.operator_id = unit->request->operator_id;
    (void)text_copy(unit->refund.id, IDENT_MAX, unit->id);
    money_format(&unit->refund.amount, amount);
    (void)snprintf(detail, sizeof detail, "%s %s, %s", amount, money_currency(&unit->refund.amount),
                   called ? "to be given back in the provider's dashboard" : "to the balance");
    const struct settlement news = {.provider = called ? attempt->provider : unit->payment.provider,
                                    .detail = detail,
                                    .source = "operator"};
    enum err err = refund_book(db, &unit->payment, &unit->refund, &news);
    CRASH_POINT("refund_booked");
    return err ? err
               : refund_answer(db, unit->payment.id, unit->id, NULL, &unit->refund, &unit->answer);
}

static enum err refund_unit(struct db *db, void *context)
{
    struct refund_unit *unit = context;
    const struct idempotency_key *key = &unit->request->key;
    struct attempt attempt;
    unit->ordered = false;
    unit->refund = (struct refund){0};
    unit->answer = (struct answer){0};
    enum err err = payments_lock(db, unit->request->payment_id, &unit->payment);
    if (!err)
        err = choose_amount(db, unit);
    if (!err)
        err = attempts_paid(db, &unit->payment, &attempt);
    if (!err)
        err = is_refundable(unit, &attempt) ? place_order(db, unit, &attempt)
                                            : book_request(db, unit, &attempt);
    if (err || key->text[0] == '\0')
        return err;
    return unit->ordered ? keys_put(db, key, unit->id, 0, NULL, 0)
                         : keys_put(db, key, unit->payment.id, unit->answer.status,
                                    unit->answer.body, unit->answer.len);
}

/* A run of the unit may have been committed although nobody heard of it. */
static enum err booked_unit(struct db *db, void *context)
{
    struct refund_unit *unit = context;
    struct refund_order order;
    enum err err = payments_get(db, unit->request->payment_id, &unit->payment);
    if (!err)
        err = orders_get(db, &unit->payment, unit->id, &order);
    unit->ordered = !err && order.id[0] != '\0';
    if (err || unit->ordered)
        return err;
    err = refund_answer(db, unit->payment.id, unit->id, NULL, &unit->refund, &unit->answer);
    return !err && unit->refund.id[0] == '\0' ? ERR_NOT_FOUND : err;
}

void refund_run(struct context *context, struct arena *arena, const struct refund_request *request,
                struct answer *ret_answer)
{
    struct refund_unit unit = {.context = context, .request = request};
    ident_new("REF_", unit.id);
    enum err err = db_transact(context->pool, arena, refund_unit, &unit);
    /* an earlier run may have been committed although nobody heard of it: the last one's refusal
     * says nothing, and if that cannot be looked up, nobody knows */
    if (err && err != ERR_NOT_FOUND && err != ERR_DB_UNAVAILABLE) {
        enum err found = db_query(context->pool, arena, booked_unit, &unit);
        if (found != ERR_NOT_FOUND)
            err = found ? ERR_DB_LOST : ERR_NONE;
    }
    if (!err) {
        *ret_answer = unit.answer;
        CRASH_POINT("refund_ordered");
        if (unit.ordered)
            refund_order_run(context, arena, request->payment_id, unit.id, request->deadline_ms,
                             ret_answer);
        return;
    }
    if (err == ERR_DB_DUPLICATE && replay_find(context, arena, &request->key, ret_answer))
        return;
    answer_error(context->settings, arena, err == ERR_DB_LOST ? ERR_OUTCOME_UNKNOWN : err,
                 ret_answer);
    if (err != ERR_DB_LOST)
        replay_keep(context, arena, &request->key, ret_answer);
}
