/* Creates whose answer was lost: sent again, replaced by another attempt, or closed. Must not post
 * money: that is settle's business. */
#include "flow/checkout.h"

#include "base/buf.h"
#include "base/crash.h"
#include "flow/settled.h"

/* Sends a create again. Now "not sent" and "refused" only speak of this call: the first one may
 * have happened, and a reference that is taken says that it did. Only a session is news.
 * *ret_lost: the provider has answered, and not with a session. */
static enum err send_again(struct context *context, struct arena *arena,
                           const struct provider_driver *driver, const struct payment *payment,
                           const struct attempt *attempt, const struct cart *cart, bool *ret_lost)
{
    const struct provider_order order = checkout_order(payment, attempt, cart);
    struct provider_result result;
    provider_create(driver, context->settings, context->client, arena, 0, &order, &result);
    *ret_lost = result.outcome == OUTCOME_REFUSED;
    if (result.outcome != OUTCOME_PENDING && result.outcome != OUTCOME_DONE)
        result.outcome = OUTCOME_UNKNOWN;
    return checkout_finish(context, arena, payment, attempt, &result, NULL);
}

struct replace_unit {
    struct context *context;
    const char *payment_id;
    const struct attempt *lost;
    struct attempt attempt; /* out: the one that takes its place; id 0: none may */
};

/* The intent of another attempt, if the payment still waits for nothing but an address. */
static enum err replace_unit(struct db *db, void *context)
{
    struct replace_unit *unit = context;
    char reference[IDENT_MAX];
    int64_t deadline_ms = unit->context->settings->provider.timeout_ms + CALL_MARGIN_MS;
    struct payment payment;
    struct attempt last;
    unit->attempt = (struct attempt){0};
    enum err err = payments_lock(db, unit->payment_id, &payment);
    if (!err)
        err = attempts_last(db, payment.id, &last);
    if (err || payment.status != PAYMENT_PENDING || payment.expires_in_ms <= 0 ||
        last.id != unit->lost->id || !last.over || last.url[0] != '\0' ||
        outcome_is_failure(last.outcome) || last.number >= ATTEMPTS_MAX)
        return err;
    attempt_reference(payment.id, last.number + 1, reference);
    err = attempts_insert(db, &payment, last.number + 1, last.provider, reference, deadline_ms,
                          &unit->attempt.id);
    return err ? err : attempts_last(db, payment.id, &unit->attempt);
}

/* Whether the lost attempt can be paid by somebody or not: what comes in twice is surplus. */
static enum err replace(struct context *context, struct arena *arena,
                        const struct provider_driver *driver, const struct payment *payment,
                        const struct attempt *lost, const struct cart *cart)
{
    struct replace_unit unit = {.context = context, .payment_id = payment->id, .lost = lost};
    struct provider_result result;
    enum err err = db_transact(context->pool, arena, replace_unit, &unit);
    if (err || unit.attempt.id == 0)
        return err;
    CRASH_POINT("replace_begun");
    const struct provider_order order = checkout_order(payment, &unit.attempt, cart);
    provider_create(driver, context->settings, context->client, arena, 0, &order, &result);
    CRASH_POINT("replace_called");
    if (result.outcome == OUTCOME_NOT_SENT)
        result.outcome = OUTCOME_UNKNOWN; /* sent again with the next look, under this reference */
    return checkout_finish(context, arena, payment, &unit.attempt, &result, NULL);
}

enum err checkout_resume(struct context *context, struct arena *arena,
                         const struct provider_driver *driver, const struct payment *payment,
                         const struct attempt *attempt, const struct cart *cart)
{
    bool lost = true;
    enum err err = ERR_NONE;
    if (attempt->outcome == OUTCOME_NONE && driver->reference_is_unique)
        err = send_again(context, arena, driver, payment, attempt, cart, &lost);
    return err || !lost || !driver->payer_must_act
               ? err
               : replace(context, arena, driver, payment, attempt, cart);
}

enum err checkout_close(struct context *context, struct arena *arena, const struct payment *payment,
                        const struct attempt *attempt)
{
    struct provider_result result = {.outcome = OUTCOME_DONE};
    (void)text_copy(result.reason, REASON_MAX, "learnt from the provider's notice");
    return checkout_finish(context, arena, payment, attempt, &result, NULL);
}

enum err checkout_recover(struct context *context, struct arena *arena,
                          const struct provider_driver *driver, const struct payment *payment,
                          const struct attempt *attempt, const struct cart *cart)
{
    const struct provider_order order = checkout_order(payment, attempt, cart);
    struct provider_result result;
    struct settled_create settled;
    provider_recover(driver, context->settings, context->client, arena, 0, &order, &result);
    CRASH_POINT("create_recovered");
    if (result.outcome == OUTCOME_UNKNOWN)
        return ERR_NONE;
    settled_read(context, arena, 0, driver, &order, &result, &settled);
    return checkout_finish(context, arena, payment, attempt, &result, &settled);
}
