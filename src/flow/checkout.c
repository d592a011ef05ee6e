/* begin → call → finish. begin and finish are one transaction each; no connection is held while
 * the provider is called. A payment from the balance is over with begin. Must not post money: that
 * is settle's business. */
#include "flow/checkout.h"

#include "base/clock.h"
#include "base/crash.h"
#include "flow/begin.h"
#include "flow/breaker.h"
#include "flow/replay.h"
#include "flow/settle.h"
#include "flow/settled.h"
#include "flow/velocity.h"
#include "store/items.h"

#include <stdio.h>
#include <string.h>

enum { FINISH_MS = 2000 }; /* of the request's time, kept for finish and its answer */

struct finish_unit {
    struct context *context;
    struct payment payment; /* in: its id; out: as it is now */
    const struct provider_result *result;
    const struct provider_driver *next;   /* whom to try if this one failed; NULL: nobody */
    bool caller_waits;                    /* a request, not a later check */
    bool keyless;                         /* it came without an Idempotency-Key */
    const struct attempt *tried;          /* the attempt that the result is of */
    const struct settled_create *settled; /* NULL: nothing was */
    int64_t alone_until_ms; /* monotonic: the jobs make no other attempt for long after it */
    bool locked;            /* the payment is, and is as it is now */
    struct attempt attempt; /* out: the same with its definite answer, or the next one */
    struct answer answer;   /* status 0: the next attempt is open */
};

static bool is_settled(const struct finish_unit *unit)
{
    return unit->settled != NULL && unit->settled->driver != NULL;
}

/* The shape belongs to the endpoint that the payment was made with. */
static void answer_success(const struct settings *settings, struct arena *arena,
                           const struct payment *payment, const struct attempt *attempt,
                           struct answer *ret_answer)
{
    bool paid_otherwise = payment->paid_by != 0 && payment->paid_by != attempt->number;
    if (attempt->outcome == OUTCOME_DONE || paid_otherwise)
        answer_paid(arena, payment, ret_answer);
    else if (attempt->instructions != NULL)
        answer_instructions(arena, payment, attempt->instructions, ret_answer);
    else if (attempt->url == NULL) /* only a notice told of it */
        answer_error(settings, arena, ERR_OUTCOME_UNKNOWN, ret_answer);
    else if (payment->surface == SURFACE_PAIEMENT)
        answer_deposit(arena, payment, attempt->url, ret_answer);
    else
        answer_url(arena, payment->id, attempt->url, ret_answer);
}

/* Of a refusal. POST /payment has no message of its own for a method. */
static enum err word_of(const struct finish_unit *unit)
{
    enum err refusal = unit->result->refusal;
    if (refusal == ERR_METHOD_OF_PAYMENT && unit->payment.surface == SURFACE_PAYMENT)
        return ERR_PARAMETERS;
    return refusal ? refusal : ERR_PROCESS;
}

/* What the caller gets for an outcome. An answered 5xx or garbage is the provider's error, an
 * absent answer is an unknown outcome; neither says that nothing happened. */
static void answer_outcome(struct arena *arena, struct finish_unit *unit)
{
    const struct settings *settings = unit->context->settings;
    const struct provider_result *result = unit->result;
    switch (unit->attempt.outcome) {
    case OUTCOME_DONE:
    case OUTCOME_PENDING:
        if (is_settled(unit))
            settled_answer(settings, arena, &unit->payment, &unit->answer);
        else
            answer_success(settings, arena, &unit->payment, &unit->attempt, &unit->answer);
        break;
    case OUTCOME_DECLINED:
    case OUTCOME_REFUSED:
        answer_error(settings, arena, word_of(unit), &unit->answer);
        break;
    case OUTCOME_NOT_SENT:
        answer_error(settings, arena, ERR_PROVIDER_UNAVAILABLE, &unit->answer);
        if (result->retry_after_s > 0)
            unit->answer.retry_after_s = result->retry_after_s;
        if (result->trip_s > 0)
            unit->answer.retry_after_s = result->trip_s;
        break;
    case OUTCOME_NONE:
    case OUTCOME_UNKNOWN:
    case OUTCOMES:
        answer_error(settings, arena, result->http_status != 0 ? ERR_PROCESS : ERR_OUTCOME_UNKNOWN,
                     &unit->answer);
        break;
    }
    (void)text_copy(unit->answer.payment_id, IDENT_MAX, unit->payment.id);
    unit->answer.note = arena_strndup(arena, result->reason, strlen(result->reason));
}

/* Kept: every definite answer, and a provider's error once the caller has been told of it. Open
 * stays what nobody knows; forgotten is what the caller may simply send again. */
static enum err keep_answer(struct db *db, const struct finish_unit *unit)
{
    const struct answer *answer = &unit->answer;
    if (answer->err == ERR_OVERLOAD)
        return ERR_OVERLOAD; /* no answer to keep: nothing of this is stored */
    if (unit->keyless)
        return ERR_NONE;
    if (unit->attempt.outcome == OUTCOME_NOT_SENT)
        return keys_release(db, unit->payment.id);
    if (answer->err == ERR_OUTCOME_UNKNOWN ||
        (unit->attempt.outcome == OUTCOME_NONE && !unit->caller_waits))
        return ERR_NONE;
    return keys_answer(db, unit->payment.id, answer->status, answer->body, answer->len);
}

static const char *source_of(const struct finish_unit *unit)
{
    return unit->caller_waits ? "request" : "check";
}

static enum err reload_attempt(struct db *db, struct finish_unit *unit)
{
    return attempts_get(db, unit->tried->provider, unit->tried->reference, &unit->attempt);
}

/* The usual case is a URL for the payer: of the payment nothing is read or changed then, so what
 * happens to it meanwhile might as well have happened before. */
static bool needs_the_payment(const struct finish_unit *unit)
{
    const struct provider_result *r = unit->result;
    return r->outcome != OUTCOME_PENDING || r->url == NULL || r->instructions != NULL ||
           is_settled(unit) || unit->payment.surface == SURFACE_PAIEMENT ||
           clock_mono_ms() >= unit->alone_until_ms;
}

/* There is an answer already, and whatever follows from it needs the payment. */
static enum err was_before(struct db *db, struct finish_unit *unit)
{
    unit->alone_until_ms = 0;
    return unit->locked ? reload_attempt(db, unit) : ERR_DB_CONFLICT; /* again, from the start */
}

/* The attempt as it is with its answer. A success needs no look at the others of the payment. */
static enum err renew_attempt(struct db *db, struct finish_unit *unit)
{
    const struct provider_result *r = unit->result;
    struct attempt *attempt = &unit->attempt;
    if (r->outcome != OUTCOME_DONE && r->outcome != OUTCOME_PENDING)
        return reload_attempt(db, unit);
    attempt->outcome = r->outcome;
    attempt->over = true;
    if (r->provider_reference[0] != '\0')
        (void)text_copy(attempt->provider_reference, sizeof attempt->provider_reference,
                        r->provider_reference);
    attempt->url = r->url;
    (void)text_copy(attempt->reason, sizeof attempt->reason, r->reason);
    attempt->instructions = r->instructions;
    return ERR_NONE;
}

static enum err store_answer(struct db *db, struct finish_unit *unit)
{
    const struct provider_result *r = unit->result;
    const struct attempt_answer answer = {r->outcome,     r->http_status, r->provider_reference,
                                          r->reason,      r->url,         r->instructions,
                                          source_of(unit)};
    enum err err = answers_insert(db, unit->tried->id, &answer);
    if (err == ERR_DB_DUPLICATE) /* another process, or this unit, was here before */
        return was_before(db, unit);
    return err ? err : renew_attempt(db, unit);
}

static enum err fail_payment(struct db *db, const struct finish_unit *unit)
{
    const struct settlement news = {
        .fact = FACT_FAILED, .detail = unit->attempt.reason, .source = source_of(unit)};
    enum err err = settle_fact(db, &unit->payment, &news);
    return err ? err : checks_delete(db, unit->payment.id);
}

/* The answer came so late that the jobs program has made another attempt: its business now. */
static enum err answer_unknown(struct db *db, struct finish_unit *unit)
{
    answer_error(unit->context->settings, db_arena(db), ERR_OUTCOME_UNKNOWN, &unit->answer);
    (void)text_copy(unit->answer.payment_id, IDENT_MAX, unit->payment.id);
    return ERR_NONE;
}

int64_t attempt_deadline_ms(const struct context *context)
{
    return context->settings->provider.timeout_ms + CALL_MARGIN_MS;
}

/* The intent to try the next one, in the transaction that stores why the last one failed. */
static enum err open_next(struct db *db, struct finish_unit *unit)
{
    int64_t number = unit->attempt.number + 1;
    enum err err = attempts_insert(db, &unit->payment, number, unit->next->name, unit->payment.id,
                                   attempt_deadline_ms(unit->context), &unit->attempt.id);
    unit->answer = (struct answer){0};
    if (!err || err == ERR_DB_DUPLICATE)
        err = attempts_last(db, unit->payment.id, &unit->attempt);
    return err || strcmp(unit->attempt.provider, unit->next->name) == 0 ? err
                                                                        : answer_unknown(db, unit);
}

static enum err finish_unit(struct db *db, void *context)
{
    struct finish_unit *unit = context;
    unit->attempt = *unit->tried;
    /* first of all: rows that point to it would lock it too, but not as firmly */
    unit->locked = needs_the_payment(unit);
    enum err err = unit->locked ? payments_lock(db, unit->payment.id, &unit->payment) : ERR_NONE;
    if (!err)
        err = store_answer(db, unit);
    bool failed = !err && outcome_is_failure(unit->attempt.outcome);
    if (failed && unit->next != NULL && !payment_is_paid(unit->payment.status))
        return open_next(db, unit);
    if (failed && unit->attempt.rivalled)
        return answer_unknown(db, unit);
    if (failed)
        err = fail_payment(db, unit);
    if (!err && is_settled(unit))
        err = settled_post(db, unit->settled, source_of(unit), &unit->payment);
    if (err)
        return err;
    answer_outcome(db_arena(db), unit);
    return keep_answer(db, unit);
}

struct provider_order checkout_order(const struct payment *payment, const struct attempt *attempt,
                                     const struct cart *cart)
{
    return (struct provider_order){
        .reference = attempt->reference,
        .payment_id = payment->id,
        .user_id = payment->user_id,
        .amount = payment->amount,
        .method = payment->method,
        .cart = *cart,
        .payer_ip = payment->client_ip,
        .provider_reference = attempt->provider_reference,
        .created_s = payment->created_s,
        .now_s = clock_wall_ms() / 1000,
    };
}

/* The call, unless begin took so long that the jobs program may be at it already, or that there
 * is no time left to hear an answer. */
static void call_in_time(const struct begun *begin, struct arena *arena,
                         const struct provider_driver *driver, const struct attempt *attempt,
                         struct provider_result *ret_result, struct settled_create *ret_settled)
{
    struct provider_order order = checkout_order(&begin->payment, attempt, &begin->choice.cart);
    int64_t deadline_ms = begin->checkout->deadline_ms;
    order.payer = &begin->checkout->payer;
    order.card = begin->checkout->has_card ? &begin->checkout->card : NULL;
    order.details = &begin->checkout->details;
    *ret_result = (struct provider_result){.outcome = OUTCOME_UNKNOWN};
    if (attempt->over || attempt->outcome != OUTCOME_NONE) {
        (void)text_copy(ret_result->reason, REASON_MAX, "the database was too slow to begin");
    } else if (clock_left_ms(deadline_ms) <= FINISH_MS) {
        ret_result->outcome = OUTCOME_NOT_SENT;
        (void)text_copy(ret_result->reason, REASON_MAX, "no time was left to call the provider");
    } else {
        provider_create(driver, begin->context->settings, begin->context->client, arena,
                        deadline_ms - FINISH_MS, &order, ret_result);
    }
    settled_read(begin->context, arena, deadline_ms - FINISH_MS, driver, &order, ret_result,
                 ret_settled);
}

/* The result is known to us alone now: worth more patience than one round of tries. */
static enum err finish(struct finish_unit *unit, struct arena *arena, int64_t deadline_ms)
{
    enum err err;
    do {
        err = db_gather(unit->context->pool, arena, unit->payment.id, finish_unit, unit);
    } while ((err == ERR_DB_UNAVAILABLE || err == ERR_DB_LOST) &&
             clock_left_ms(deadline_ms) > FINISH_MS / 4);
    return err;
}

struct open_unit {
    const struct begun *begin;
    struct answer answer;
};

/* The payment that is open for this very cart, as its own request was answered. */
static enum err open_unit(struct db *db, void *context)
{
    struct open_unit *unit = context;
    const struct settings *settings = unit->begin->context->settings;
    struct payment payment;
    struct attempt attempt;
    enum err err = payments_get(db, unit->begin->choice.open_payment, &payment);
    if (!err)
        err = attempts_last(db, payment.id, &attempt);
    if (err)
        return err;
    if (attempt.url != NULL)
        answer_success(settings, db_arena(db), &payment, &attempt, &unit->answer);
    else
        answer_error(settings, db_arena(db), ERR_CART_RUNNING, &unit->answer);
    (void)text_copy(unit->answer.payment_id, IDENT_MAX, payment.id);
    return ERR_NONE;
}

/* What is not the caller's doing is a failure to save, unless the money may have moved: a payment
 * from the balance is over with the COMMIT whose answer we have not heard. */
static enum err refusal_of(const struct begun *begin, enum err err)
{
    bool over_at_once = begin->checkout->drivers[0]->from_balance;
    if (err == ERR_NO_ITEMS || err == ERR_BALANCE || err == ERR_PARAMETERS ||
        err == ERR_USER_INVALID)
        return err;
    return over_at_once && err == ERR_DB_LOST ? ERR_OUTCOME_UNKNOWN : ERR_SAVE;
}

/* Nothing of the request has been stored, as far as we know: says why. */
static void refuse_begin(const struct begun *begin, struct arena *arena, enum err err,
                         struct answer *ret_answer)
{
    struct context *context = begin->context;
    const struct idempotency_key *key = &begin->checkout->key;
    struct open_unit open = {.begin = begin};
    if (err == ERR_IDEMPOTENCY_RUNNING && replay_find(context, arena, key, ret_answer))
        return;
    if (err == ERR_CART_RUNNING && db_query(context->pool, arena, open_unit, &open) == ERR_NONE)
        *ret_answer = open.answer;
    else
        answer_error(context->settings, arena, refusal_of(begin, err), ret_answer);
    if (ret_answer->err == ERR_OUTCOME_UNKNOWN)
        (void)text_copy(ret_answer->payment_id, IDENT_MAX, begin->checkout->intent.payment.id);
    else if (ret_answer->err != ERR_CART_RUNNING)
        replay_keep(context, arena, key, ret_answer);
}

/* Passes over providers that may not be called now, from *index on. ERR_PROVIDER_UNAVAILABLE: none
 * may; *ret_wait_s is the shortest time to wait for one. */
static enum err find_fit(struct context *context, struct arena *arena,
                         const struct checkout *checkout, size_t *index,
                         struct breaker_pass *ret_pass, int64_t *ret_wait_s)
{
    int64_t wait_s;
    for (bool first = true; *index < checkout->driver_count; (*index)++, first = false) {
        enum err err = breaker_ask(context, arena, checkout->drivers[*index], ret_pass, &wait_s);
        if (err != ERR_PROVIDER_UNAVAILABLE)
            return err;
        if (first || wait_s < *ret_wait_s)
            *ret_wait_s = wait_s;
    }
    return ERR_PROVIDER_UNAVAILABLE;
}

/* The next one that may be asked after a failure; false: nobody, or there is no time left. */
static bool find_next(const struct begun *begin, struct arena *arena, enum outcome outcome,
                      size_t *index, struct breaker_pass *ret_pass)
{
    const struct checkout *checkout = begin->checkout;
    int64_t wait_s;
    (*index)++;
    return outcome_is_failure(outcome) && clock_left_ms(checkout->deadline_ms) > FINISH_MS &&
           find_fit(begin->context, arena, checkout, index, ret_pass, &wait_s) == ERR_NONE;
}

/* Calls one provider after the other, as long as the answer of each allows it. */
static enum err call_all(const struct begun *begin, struct arena *arena, struct breaker_pass pass,
                         struct answer *ret_answer)
{
    const struct checkout *checkout = begin->checkout;
    int64_t half_ms = begin->context->settings->provider.timeout_ms / 2;
    struct attempt attempt = begin->attempt;
    enum err err = ERR_NONE;
    ret_answer->status = 0;
    for (size_t i = 0; i < checkout->driver_count && !err && ret_answer->status == 0;) {
        struct provider_result result;
        struct settled_create settled;
        struct breaker_pass next_pass = {.driver = NULL};
        struct finish_unit unit = {.context = begin->context,
                                   .payment = begin->payment,
                                   .result = &result,
                                   .settled = &settled,
                                   .caller_waits = true,
                                   .keyless = checkout->key.text[0] == '\0',
                                   .alone_until_ms =
                                       attempt.number == 1 ? begin->started_ms + half_ms : 0,
                                   .tried = &attempt};
        call_in_time(begin, arena, checkout->drivers[i], &attempt, &result, &settled);
        CRASH_POINT("create_called");
        if (find_next(begin, arena, result.outcome, &i, &next_pass))
            unit.next = checkout->drivers[i];
        err = finish(&unit, arena, checkout->deadline_ms);
        breaker_tell(begin->context, arena, &pass, &result);
        pass = next_pass;
        *ret_answer = unit.answer;
        attempt = unit.attempt;
    }
    breaker_tell(begin->context, arena, &pass, NULL);
    return err;
}

/* Who is asked for may be a house brand, which has a switch of its own. Providers that may not be
 * called now are left out, up to the first that may. */
static enum err admit(struct context *context, struct arena *arena, struct checkout *checkout,
                      struct breaker_pass *ret_pass, int64_t *ret_wait_s)
{
    const struct provider_driver *asked =
        provider_find(context->settings, checkout->intent.payment.provider);
    size_t first = 0;
    enum err err = ERR_NONE;
    if (asked != NULL && asked != checkout->drivers[0])
        err = breaker_ask(context, arena, asked, ret_pass, ret_wait_s);
    if (!err)
        err = find_fit(context, arena, checkout, &first, ret_pass, ret_wait_s);
    if (err)
        return err;
    checkout->driver_count -= first;
    for (size_t i = 0; i < checkout->driver_count; i++)
        checkout->drivers[i] = checkout->drivers[first + i];
    return ERR_NONE;
}

/* Nobody may be called, or not for this payer: nothing is stored, nor kept. */
static void refuse_all(struct context *context, struct arena *arena, enum err err, int64_t wait_s,
                       struct answer *ret_answer)
{
    bool ours = err == ERR_PROVIDER_UNAVAILABLE || err == ERR_RATE;
    answer_error(context->settings, arena, ours ? err : ERR_SAVE, ret_answer);
    if (err == ERR_RATE)
        ret_answer->note = "too many declined cards: see [velocity]";
    if (ours && wait_s > 0)
        ret_answer->retry_after_s = wait_s;
}

static void run(struct context *context, struct arena *arena, const struct checkout *checkout,
                struct answer *ret_answer)
{
    struct checkout admitted = *checkout;
    struct begun begun = {.context = context, .checkout = &admitted};
    struct breaker_pass pass;
    int64_t wait_s = 0;
    enum err err = admit(context, arena, &admitted, &pass, &wait_s);
    if (err) {
        refuse_all(context, arena, err, wait_s, ret_answer);
        return;
    }
    err = begin_payment(context, arena, &begun);
    if (err) {
        refuse_begin(&begun, arena, err, ret_answer);
        breaker_tell(context, arena, &pass, NULL);
        return;
    }
    CRASH_POINT("create_begun");
    if (admitted.drivers[0]->from_balance) {
        *ret_answer = begun.answer;
        return;
    }
    err = call_all(&begun, arena, pass, ret_answer);
    CRASH_POINT("create_finished");
    if (!err)
        return;
    answer_error(context->settings, arena, ERR_OUTCOME_UNKNOWN, ret_answer);
    (void)text_copy(ret_answer->payment_id, IDENT_MAX, begun.payment.id);
}

void checkout_run(struct context *context, struct arena *arena, const struct checkout *checkout,
                  struct answer *ret_answer)
{
    struct velocity_try attempt;
    enum err err = velocity_ask(context, arena, checkout, &attempt);
    if (err) {
        refuse_all(context, arena, err, attempt.wait_s, ret_answer);
        return;
    }
    run(context, arena, checkout, ret_answer);
    velocity_tell(context, arena, &attempt, ret_answer->err);
}

enum err checkout_finish(struct context *context, struct arena *arena,
                         const struct payment *payment, const struct attempt *attempt,
                         const struct provider_result *result, const struct settled_create *settled)
{
    struct finish_unit unit = {.context = context,
                               .payment = *payment,
                               .result = result,
                               .settled = settled,
                               .tried = attempt};
    return finish(&unit, arena, 0);
}
