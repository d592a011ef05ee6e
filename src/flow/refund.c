/* Refunds, one row and one posting each; their sum never exceeds the payment. Must not call a
 * provider. */
#include "flow/refund.h"

#include "base/buf.h"
#include "base/crash.h"
#include "flow/notify.h"
#include "flow/posting.h"
#include "flow/replay.h"

#include <assert.h>
#include <stdio.h>

/* Writes the row, moves the payment's status and posts the money. What is given back as a whole
 * before it was ever heard to be paid was never credited, so nothing is claimed for it. */
static enum err book(struct db *db, const struct payment *payment, const struct refund *refund,
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
    refund.reason = "";
    ident_new("REF_", refund.id);
    return book(db, payment, &refund, news);
}

struct refund_unit {
    const struct refund_request *request;
    char id[IDENT_MAX]; /* of the refund, the same in every run */
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

static void write_refund(struct json_out *out, const struct refund_unit *unit)
{
    json_out_text(out, "id", unit->refund.id);
    json_out_text(out, "paymentId", unit->payment.id);
    json_out_int(out, "amount", money_minor_units(&unit->refund.amount));
    json_out_text(out, "currency", money_currency(&unit->refund.amount));
    json_out_text(out, "via", refund_via_name(unit->refund.via));
    json_out_text(out, "reason", unit->refund.reason);
    json_out_text(out, "createdAt", unit->refund.created_at);
    json_out_text(out, "status", payment_status_name(payment_status_now(&unit->payment)));
    json_out_int(out, "refunded", money_minor_units(&unit->payment.refunded));
}

/* As it is in the books now, whichever run of the unit has put it there. */
static enum err answer_refund(struct db *db, struct refund_unit *unit)
{
    enum err err = payments_get(db, unit->request->payment_id, &unit->payment);
    if (!err)
        err = refunds_find(db, &unit->payment, unit->id, &unit->refund);
    if (err)
        return err;
    struct buf body;
    struct json_out *out = answer_open(db_arena(db), &body, ANSWER_MAX);
    if (out == NULL)
        return ERR_OVERLOAD;
    write_refund(out, unit);
    unit->answer = (struct answer){.status = 200};
    (void)text_copy(unit->answer.payment_id, IDENT_MAX, unit->payment.id);
    err = answer_close(out);
    unit->answer.body = buf_text(&body);
    unit->answer.len = body.len;
    return err;
}

static enum err book_request(struct db *db, struct refund_unit *unit)
{
    char detail[DETAIL_MAX], amount[MONEY_TEXT_MAX];
    struct attempt attempt;
    enum err err = choose_amount(db, unit);
    if (!err)
        err = attempts_last(db, unit->payment.id, &attempt);
    if (err)
        return err;
    bool called = attempt.id != 0;
    unit->refund.via = called ? REFUND_MANUAL : REFUND_BALANCE;
    unit->refund.reason = unit->request->reason;
    unit->refund.operator_id = unit->request->operator_id;
    (void)text_copy(unit->refund.id, IDENT_MAX, unit->id);
    money_format(&unit->refund.amount, amount);
    (void)snprintf(detail, sizeof detail, "%s %s, %s", amount, money_currency(&unit->refund.amount),
                   called ? "to be given back in the provider's dashboard" : "to the balance");
    const struct settlement news = {.provider = called ? attempt.provider : unit->payment.provider,
                                    .detail = detail,
                                    .source = "operator"};
    return book(db, &unit->payment, &unit->refund, &news);
}

static enum err refund_unit(struct db *db, void *context)
{
    struct refund_unit *unit = context;
    const struct idempotency_key *key = &unit->request->key;
    unit->refund = (struct refund){0};
    unit->answer = (struct answer){0};
    enum err err = payments_lock(db, unit->request->payment_id, &unit->payment);
    if (!err)
        err = book_request(db, unit);
    CRASH_POINT("refund_booked");
    if (!err)
        err = answer_refund(db, unit);
    if (!err && key->text[0] != '\0')
        err = keys_put(db, key, unit->payment.id, unit->answer.status, unit->answer.body,
                       unit->answer.len);
    return err;
}

/* A run of the unit may have been committed although nobody heard of it. */
static enum err booked_unit(struct db *db, void *context)
{
    struct refund_unit *unit = context;
    enum err err = answer_refund(db, unit);
    return !err && unit->refund.id[0] == '\0' ? ERR_NOT_FOUND : err;
}

void refund_run(struct context *context, struct arena *arena, const struct refund_request *request,
                struct answer *ret_answer)
{
    struct refund_unit unit = {.request = request};
    ident_new("REF_", unit.id);
    enum err err = db_transact(context->pool, arena, refund_unit, &unit);
    if (err && err != ERR_NOT_FOUND &&
        db_query(context->pool, arena, booked_unit, &unit) == ERR_NONE)
        err = ERR_NONE;
    if (!err) {
        *ret_answer = unit.answer;
        return;
    }
    if (err == ERR_DB_DUPLICATE && replay_find(context, arena, &request->key, ret_answer))
        return;
    answer_error(context->settings, arena, err == ERR_DB_LOST ? ERR_OUTCOME_UNKNOWN : err,
                 ret_answer);
    if (err != ERR_DB_LOST)
        replay_keep(context, arena, &request->key, ret_answer);
}
