/* call → finish of refunds that a provider carries out. No connection is held while it is called.
 */
#include "flow/refund_order.h"

#include "base/buf.h"
#include "base/crash.h"
#include "flow/checkout.h"
#include "flow/refund.h"
#include "store/reviews.h"

#include <stdio.h>
#include <string.h>

enum {
    LEASE_S = 60,
    KEY_LIFE_S = 20 * 3600, /* providers keep keys for a day: later the call could happen twice */
    PENDING_AGAIN_S = 300,
    FINISH_MS = 1000, /* of the request's time, kept for the end */
};

/* Seconds to the next try, by how many there were. */
static const int64_t schedule_s[] = {10, 60, 300, 900, 3600};

struct order_unit {
    struct context *context;
    const char *payment_id, *refund_id;
    bool caller_waits;
    struct payment payment;
    struct attempt attempt;
    struct refund_order order;
    struct provider_result result;
    struct answer answer;
};

static enum err load_unit(struct db *db, void *context)
{
    struct order_unit *unit = context;
    struct attempt attempts[ATTEMPTS_SHOWN];
    size_t count = 0;
    unit->attempt = (struct attempt){0};
    enum err err = payments_get(db, unit->payment_id, &unit->payment);
    if (!err)
        err = orders_get(db, &unit->payment, unit->refund_id, &unit->order);
    if (!err)
        err = attempts_list(db, unit->payment_id, ATTEMPTS_SHOWN, attempts, &count);
    for (size_t i = 0; i < count && !err; i++)
        if (attempts[i].number == unit->order.attempt)
            unit->attempt = attempts[i];
    return err;
}

/* A refund that the provider has taken but not made yet has a name: asking it is enough. */
static void ask(struct order_unit *unit, struct arena *arena, int64_t deadline_ms,
                const struct provider_driver *driver, struct provider_order *order)
{
    struct context *context = unit->context;
    struct provider_truth truth;
    order->provider_reference = unit->order.reference;
    order->object = PROVIDER_REFUND;
    unit->result = (struct provider_result){.outcome = OUTCOME_UNKNOWN};
    if (provider_read(driver, context->settings, context->client, arena, deadline_ms, order,
                      &truth) != READING_TRUTH)
        return;
    unit->result.outcome = OUTCOME_PENDING;
    (void)text_copy(unit->result.provider_reference, sizeof unit->result.provider_reference,
                    unit->order.reference);
    if (truth.fact >= FACT_PARTLY_REFUNDED)
        unit->result.outcome = OUTCOME_DONE;
    else if (truth.why != NULL)
        unit->result.outcome = OUTCOME_DECLINED;
    (void)snprintf(unit->result.reason, REASON_MAX, "%s says %s", driver->name, truth.word);
}

static void call(struct order_unit *unit, struct arena *arena, int64_t deadline_ms)
{
    struct context *context = unit->context;
    const struct cart nothing = {.count = 0};
    const struct provider_driver *driver = provider_find(context->settings, unit->attempt.provider);
    struct provider_order order = checkout_order(&unit->payment, &unit->attempt, &nothing);
    const struct provider_refund refund = {
        .id = unit->refund_id, .amount = unit->order.amount, .before = unit->payment.refunded};
    unit->result = (struct provider_result){.outcome = OUTCOME_UNKNOWN};
    if (driver == NULL || driver->refundable == NULL || unit->order.state != ORDER_PENDING)
        return; /* its secrets are gone, or a notice has told already */
    if (unit->order.reference[0] != '\0')
        ask(unit, arena, deadline_ms, driver, &order);
    else if (unit->order.age_s < KEY_LIFE_S)
        provider_give_back(driver, context->settings, context->client, arena, deadline_ms, &order,
                           &refund, &unit->result);
}

/* The jobs program's own tries say nothing about the first one, which may have happened. */
static bool is_failure(const struct order_unit *unit)
{
    enum outcome outcome = unit->result.outcome;
    return outcome == OUTCOME_DECLINED ||
           ((outcome == OUTCOME_REFUSED || outcome == OUTCOME_NOT_SENT) && unit->caller_waits) ||
           (outcome == OUTCOME_REFUSED && unit->result.http_status != 0);
}

static enum err book(struct db *db, const struct order_unit *unit)
{
    const struct refund_order *order = &unit->order;
    char detail[DETAIL_MAX], amount[MONEY_TEXT_MAX];
    struct refund refund = {.amount = order->amount,
                            .via = REFUND_PROVIDER,
                            .reference = unit->result.provider_reference,
                            .reason = order->reason,
                            .operator_id = order->operator_id};
    (void)text_copy(refund.id, sizeof refund.id, order->id);
    money_format(&order->amount, amount);
    (void)snprintf(detail, sizeof detail, "%s %s, given back by %s", amount,
                   money_currency(&order->amount), unit->attempt.provider);
    const struct settlement news = {.provider = unit->attempt.provider,
                                    .detail = detail,
                                    .source = unit->caller_waits ? "operator" : "check"};
    enum err err = refund_book(db, &unit->payment, &refund, &news);
    CRASH_POINT("refund_booked");
    return err ? err
               : orders_end(db, order->id, ORDER_DONE, unit->result.provider_reference,
                            "the provider has given it back");
}

static enum err fail(struct db *db, const struct order_unit *unit)
{
    const char *reason = unit->result.reason;
    enum err err =
        orders_end(db, unit->order.id, ORDER_FAILED, unit->result.provider_reference, reason);
    return err ? err
               : events_insert(db, unit->payment.id, "refund_failed", reason,
                               unit->caller_waits ? "operator" : "check");
}

/* Nobody knows, and asking under the same key is no longer safe. */
static enum err give_up(struct db *db, const struct order_unit *unit)
{
    char note[REASON_MAX];
    (void)snprintf(note, sizeof note, "%s: was it given back? Nobody has said", unit->order.id);
    struct review review = {.kind = REVIEW_UNENDED, .fact = FACT_PARTLY_REFUNDED, .note = note};
    (void)text_copy(review.payment_id, sizeof review.payment_id, unit->payment.id);
    (void)text_copy(review.provider, sizeof review.provider, unit->attempt.provider);
    enum err err = reviews_put(db, &review);
    return err ? err : orders_next(db, unit->order.id, "", note, -1);
}

static enum err wait(struct db *db, const struct order_unit *unit)
{
    const struct refund_order *order = &unit->order;
    bool pending = unit->result.outcome == OUTCOME_PENDING;
    size_t last = sizeof schedule_s / sizeof schedule_s[0] - 1;
    size_t tries = order->tries < (int64_t)last ? (size_t)order->tries : last;
    if (!pending && order->reference[0] == '\0' && order->age_s >= KEY_LIFE_S)
        return give_up(db, unit);
    return orders_next(db, order->id, pending ? unit->result.provider_reference : "",
                       unit->result.reason, pending ? PENDING_AGAIN_S : schedule_s[tries]);
}

/* As the order stands now, whoever has ended it. */
static enum err answer(struct db *db, struct order_unit *unit)
{
    const struct settings *settings = unit->context->settings;
    struct refund refund;
    enum err err = orders_get(db, &unit->payment, unit->refund_id, &unit->order);
    if (err)
        return err;
    if (unit->order.state == ORDER_FAILED) {
        bool unreached = unit->result.outcome == OUTCOME_NOT_SENT;
        answer_error(settings, db_arena(db),
                     unreached ? ERR_PROVIDER_UNAVAILABLE : ERR_REFUND_REFUSED, &unit->answer);
        if (unit->result.retry_after_s > 0)
            unit->answer.retry_after_s = unit->result.retry_after_s;
        (void)text_copy(unit->answer.payment_id, IDENT_MAX, unit->payment.id);
        unit->answer.note =
            arena_strndup(db_arena(db), unit->result.reason, strlen(unit->result.reason));
        return ERR_NONE;
    }
    return refund_answer(db, unit->payment.id, unit->refund_id,
                         unit->order.state == ORDER_DONE ? NULL : &unit->order, &refund,
                         &unit->answer);
}

/* What waits is answered too, once: a repeated request reads it and looks the payment up. What
 * could not be sent may be asked for again with the same key. */
static enum err keep_answer(struct db *db, const struct order_unit *unit)
{
    if (unit->answer.err == ERR_PROVIDER_UNAVAILABLE)
        return keys_release(db, unit->refund_id);
    return keys_answer_as(db, unit->refund_id, unit->payment.id, unit->answer.status,
                          unit->answer.body, unit->answer.len);
}

static enum err end(struct db *db, const struct order_unit *unit)
{
    struct money total;
    if (unit->order.state != ORDER_PENDING) /* by a notice, or by this very unit */
        return orders_next(db, unit->order.id, "", NULL, -1);
    if (is_failure(unit))
        return fail(db, unit);
    if (unit->result.outcome != OUTCOME_DONE)
        return wait(db, unit);
    if (!money_add(&unit->payment.refunded, &unit->order.amount, &total) ||
        money_minor_units(&total) > money_minor_units(&unit->payment.amount))
        return give_up(db, unit); /* cannot be: the amount was reserved */
    return book(db, unit);
}

static enum err finish_unit(struct db *db, void *context)
{
    struct order_unit *unit = context;
    enum err err = payments_lock(db, unit->payment_id, &unit->payment);
    if (!err)
        err = orders_get(db, &unit->payment, unit->refund_id, &unit->order);
    if (!err)
        err = end(db, unit);
    if (!err)
        err = answer(db, unit);
    return err ? err : keep_answer(db, unit);
}

static enum err carry(struct order_unit *unit, struct arena *arena, int64_t deadline_ms)
{
    struct db_pool *pool = unit->context->pool;
    enum err err = db_query(pool, arena, load_unit, unit);
    if (err)
        return err;
    call(unit, arena, deadline_ms);
    CRASH_POINT("refund_called");
    return db_transact(pool, arena, finish_unit, unit);
}

void refund_order_run(struct context *context, struct arena *arena, const char *payment_id,
                      const char *refund_id, int64_t deadline_ms, struct answer *ret_answer)
{
    struct order_unit unit = {
        .context = context, .payment_id = payment_id, .refund_id = refund_id, .caller_waits = true};
    enum err err = carry(&unit, arena, deadline_ms - FINISH_MS);
    *ret_answer = unit.answer;
    if (!err)
        return;
    answer_error(context->settings, arena, ERR_OUTCOME_UNKNOWN, ret_answer);
    (void)text_copy(ret_answer->payment_id, IDENT_MAX, payment_id);
}

struct take_unit {
    char refund_id[IDENT_MAX], payment_id[IDENT_MAX];
};

static enum err take_unit(struct db *db, void *context)
{
    struct take_unit *unit = context;
    return orders_take(db, LEASE_S, unit->refund_id, unit->payment_id);
}

enum err refund_order_step(struct context *context, struct arena *arena,
                           char ret_payment_id[IDENT_MAX])
{
    struct take_unit taken = {.payment_id = ""};
    enum err err = db_transact(context->pool, arena, take_unit, &taken);
    (void)text_copy(ret_payment_id, IDENT_MAX, taken.payment_id);
    if (err || taken.payment_id[0] == '\0')
        return err;
    struct order_unit unit = {
        .context = context, .payment_id = taken.payment_id, .refund_id = taken.refund_id};
    return carry(&unit, arena, 0);
}
