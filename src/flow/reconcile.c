/* One check at a time: take it under a lease, ask without a connection, apply what was learnt. */
#include "flow/reconcile.h"

#include "base/buf.h"
#include "base/crash.h"
#include "flow/checkout.h"
#include "flow/settle.h"

#include <assert.h>

enum { IN_FLIGHT_AGAIN_S = 10 };

/* Seconds to the next check, by how many there were. The first is set when the payment is made. */
static const int64_t schedule_s[] = {60, 300, 900, 3600, 86400, 86400, 86400, 86400, 86400};

enum { CHECKS_MAX = sizeof schedule_s / sizeof schedule_s[0] };

struct check {
    struct context *context;
    const struct provider_driver *driver;
    struct payment payment;
    struct attempt attempt;
    struct provider_truth truth;
    enum settle_verdict verdict;
    int64_t tries;
};

static bool in_flight(const struct check *check)
{
    return check->attempt.outcome == OUTCOME_NONE && !check->attempt.over;
}

static bool is_paid(const struct check *check)
{
    return check->payment.status == PAYMENT_COMPLETED || check->payment.status == PAYMENT_REFUNDED;
}

static enum err take_unit(struct db *db, void *context)
{
    struct check *check = context;
    char payment_id[IDENT_MAX];
    check->payment.id[0] = '\0';
    enum err err = checks_take(db, payment_id, &check->tries);
    if (err || payment_id[0] == '\0')
        return err;
    err = payments_get(db, payment_id, &check->payment);
    if (!err)
        err = attempts_last(db, payment_id, &check->attempt);
    if (err)
        return err;
    int64_t next_s =
        check->tries < CHECKS_MAX ? schedule_s[check->tries] : schedule_s[CHECKS_MAX - 1];
    return checks_lease(db, payment_id, in_flight(check) ? IN_FLIGHT_AGAIN_S : next_s);
}

static enum err truth_unit(struct db *db, void *context)
{
    struct check *check = context;
    char note[REASON_MAX];
    return settle_apply(db, check->driver, &check->truth, "check", &check->verdict, note);
}

/* Ends the wait for a payer, by the database's clock. A payment that the provider is working on is
 * left to the provider. */
static enum err expire_unit(struct db *db, void *context)
{
    struct check *check = context;
    struct payment payment;
    enum err err = payments_lock(db, check->payment.id, &payment);
    if (err || !payment.over || payment.status != PAYMENT_PENDING)
        return err;
    return settle_fact(db, &payment, FACT_EXPIRED, NULL, "not paid in time", "expiry");
}

/* Ends the questions. Who repeats a create that nobody ever answered is told so from now on. */
static enum err drop_unit(struct db *db, void *context)
{
    struct check *check = context;
    struct answer answer;
    answer_error(check->context->settings, db_arena(db), ERR_OUTCOME_UNKNOWN, &answer);
    enum err err = keys_answer(db, check->payment.id, answer.status, answer.body, answer.len);
    return err ? err : checks_delete(db, check->payment.id);
}

static enum err ask_provider(struct check *check, struct arena *arena, const char **ret_found)
{
    struct provider_order order = {
        .reference = check->attempt.reference,
        .payment_id = check->payment.id,
        .user_id = check->payment.user_id,
        .amount = check->payment.amount,
        .method = check->payment.method,
        .payer_ip = check->payment.client_ip,
        .provider_reference = check->attempt.provider_reference,
    };
    switch (provider_read(check->driver, check->context->settings, check->context->client, arena, 0,
                          &order, &check->truth)) {
    case READING_NOT_FOUND:
        *ret_found = "the provider does not know it";
        return ERR_NONE;
    case READING_FAILED:
        *ret_found = "no usable answer";
        return ERR_NONE;
    case READING_TRUTH:
        break;
    }
    CRASH_POINT("check_read");
    *ret_found = payment_fact_name(check->truth.fact);
    enum err err = db_transact(check->context->pool, arena, truth_unit, check);
    if (!err && check->verdict != SETTLE_APPLIED)
        *ret_found = "an answer that does not fit the payment";
    return err;
}

static enum err look(struct check *check, struct arena *arena, const char **ret_found)
{
    struct context *context = check->context;
    const struct attempt *attempt = &check->attempt;
    check->driver = provider_find(context->settings, check->payment.provider);
    *ret_found = "nothing to ask";
    if (check->driver == NULL || in_flight(check))
        return ERR_NONE;
    if (is_paid(check)) {
        *ret_found = "paid; the create was never answered";
        return attempt->outcome == OUTCOME_NONE
                   ? checkout_close(context, arena, &check->payment, attempt)
                   : ERR_NONE;
    }
    if (attempt->provider_reference[0] != '\0')
        return ask_provider(check, arena, ret_found);
    if (attempt->outcome == OUTCOME_NONE && !check->payment.over &&
        check->driver->reference_is_unique) {
        *ret_found = "create sent again";
        return checkout_resume(context, arena, check->driver, &check->payment, attempt);
    }
    return ERR_NONE;
}

/* Nothing more to learn: no session that could still be paid, or the last check was made. */
static bool is_last(const struct check *check)
{
    bool unpayable = check->attempt.provider_reference[0] == '\0' && check->payment.over;
    bool closed = is_paid(check) && !in_flight(check);
    return unpayable || closed || check->tries >= CHECKS_MAX;
}

enum err reconcile_step(struct context *context, struct arena *arena, struct reconciled *ret_done)
{
    struct check check = {.context = context};
    *ret_done = (struct reconciled){.found = ""};
    enum err err = db_transact(context->pool, arena, take_unit, &check);
    if (err || check.payment.id[0] == '\0')
        return err;
    (void)text_copy(ret_done->payment_id, IDENT_MAX, check.payment.id);
    CRASH_POINT("check_taken");
    err = look(&check, arena, &ret_done->found);
    if (!err && check.payment.over)
        err = db_transact(context->pool, arena, expire_unit, &check);
    if (!err && is_last(&check))
        err = db_transact(context->pool, arena, drop_unit, &check);
    return err;
}
