/* Creates whose answer was lost: sent again, replaced by another attempt, or closed. Must not post
 * money: that is settle's business. */
#include "flow/checkout.h"

#include "base/buf.h"
#include "base/crash.h"
#include "flow/breaker.h"
#include "flow/settled.h"

/* Sends a create again. Now "not sent" and "refused" only speak of this call: the first one may
 * have happened, and a reference that is taken says that it did. Only a session is news.
 * *ret_lost: the provider has answered, and not with a session. */
static enum err send_again(struct context *context, struct arena *arena,
                           const struct provider_driver *driver, const struct payment *payment,
                           const struct attempt *attempt, const struct cart *cart,
                           const struct breaker_pass *pass, bool *ret_lost)
{
    const struct provider_order order = checkout_order(payment, attempt, cart);
    struct provider_result result;
    provider_create(driver, context->settings, context->client, arena, 0, &order, &result);
    const enum outcome outcome = result.outcome;
    *ret_lost = outcome == OUTCOME_REFUSED || result.taken;
    if (outcome != OUTCOME_PENDING && outcome != OUTCOME_DONE)
        result.outcome = OUTCOME_UNKNOWN;
    enum err err = checkout_finish(context, arena, payment, attempt, &result, NULL);
    result.outcome = outcome;
    breaker_tell(context, arena, pass, &result);
    return err;
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
    struct payment payment;
    struct attempt last;
    unit->attempt = (struct attempt){0};
    enum err err = payments_lock(db, unit->payment_id, &payment);
    if (!err)
        err = attempts_last(db, payment.id, &last);
    if (err || payment.status != PAYMENT_PENDING || payment.expires_in_ms <= 0 ||
        last.id != unit->lost->id || !last.over || attempt_is_answered(&last) ||
        outcome_is_failure(last.outcome) || last.number >= ATTEMPTS_MAX)
        return err;
    attempt_reference(payment.id, last.number + 1, reference);
    err = attempts_insert(db, &payment, last.number + 1, last.provider, reference,
                          attempt_deadline_ms(unit->context), &unit->attempt.id);
    return err ? err : attempts_last(db, payment.id, &unit->attempt);
}

/* Whether the lost attempt can be paid by somebody or not: what comes in twice is surplus. */
static enum err replace(struct context *context, struct arena *arena,
                        const struct provider_driver *driver, const struct payment *payment,
                        const struct attempt *lost, const struct cart *cart,
                        const struct breaker_pass *pass)
{
    struct replace_unit unit = {.context = context, .payment_id = payment->id, .lost = lost};
    struct provider_result result;
    enum err err = db_transact(context->pool, arena, replace_unit, &unit);
    if (err || unit.attempt.id == 0) {
        breaker_tell(context, arena, pass, NULL);
        return err;
    }
    CRASH_POINT("replace_begun");
    const struct provider_order order = checkout_order(payment, &unit.attempt, cart);
    provider_create(driver, context->settings, context->client, arena, 0, &order, &result);
    CRASH_POINT("replace_called");
    const enum outcome outcome = result.outcome;
    if (outcome == OUTCOME_NOT_SENT)
        result.outcome = OUTCOME_UNKNOWN; /* sent again with the next look, under this reference */
    err = checkout_finish(context, arena, payment, &unit.attempt, &result, NULL);
    result.outcome = outcome;
    breaker_tell(context, arena, pass, &result);
    return err;
}

/* The leave for one create, as a request asks for it; false: not now, or nobody knows. */
static bool may_create(struct context *context, struct arena *arena,
                       const struct provider_driver *driver, struct breaker_pass *ret_pass,
                       const char **ret_found, enum err *ret_err)
{
    int64_t wait_s;
    *ret_err = breaker_ask(context, arena, driver, ret_pass, &wait_s);
    if (*ret_err != ERR_PROVIDER_UNAVAILABLE)
        return *ret_err == ERR_NONE;
    *ret_err = ERR_NONE;
    *ret_found = "the provider is left alone";
    return false;
}

enum err checkout_resume(struct context *context, struct arena *arena,
                         const struct provider_driver *driver, const struct payment *payment,
                         const struct attempt *attempt, const struct cart *cart,
                         const char **ret_found)
{
    struct breaker_pass pass;
    bool lost = true;
    enum err err = ERR_NONE;
    if (driver->repeatable == NULL || !driver->repeatable(context->settings, payment->method))
        return ERR_NONE;
    if (attempt->outcome == OUTCOME_NONE && driver->reference_is_unique) {
        if (!may_create(context, arena, driver, &pass, ret_found, &err))
            return err;
        *ret_found = "create sent again";
        err = send_again(context, arena, driver, payment, attempt, cart, &pass, &lost);
    }
    if (err || !lost || !may_create(context, arena, driver, &pass, ret_found, &err))
        return err;
    return replace(context, arena, driver, payment, attempt, cart, &pass);
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
                          const struct attempt *attempt, const struct cart *cart, bool *ret_known)
{
    const struct provider_order order = checkout_order(payment, attempt, cart);
    struct provider_result result;
    struct settled_create settled;
    provider_recover(driver, context->settings, context->client, arena, 0, &order, &result);
    CRASH_POINT("create_recovered");
    *ret_known = result.outcome != OUTCOME_UNKNOWN;
    if (!*ret_known)
        return ERR_NONE;
    settled_read(context, arena, 0, driver, &order, &result, &settled);
    return checkout_finish(context, arena, payment, attempt, &result, &settled);
}
