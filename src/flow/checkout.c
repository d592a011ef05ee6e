/* begin → call → finish. begin and finish are one transaction each; no connection is held while
 * the provider is called. Must not post money: that is settle's business. */
#include "flow/checkout.h"

#include "base/clock.h"
#include "base/crash.h"
#include "flow/settle.h"

#include <stdio.h>
#include <string.h>

enum {
    FIRST_CHECK_S = 10,    /* when the jobs program first looks at a new payment */
    CALL_MARGIN_MS = 3000, /* an attempt's deadline lies this much after its call's time-out */
    FINISH_MS = 2000,      /* of the request's time, kept for finish and its answer */
};

struct begin_unit {
    struct context *context;
    const struct checkout *checkout;
    struct attempt attempt;
    struct kept_answer kept; /* found: this key was claimed by another request */
};

/* Claims the key. ERR_DB_DUPLICATE: this very unit has been committed before. */
static enum err claim_key(struct db *db, struct begin_unit *unit)
{
    const struct idempotency_key *key = &unit->checkout->key;
    const char *payment_id = unit->checkout->intent.payment.id;
    unit->kept = (struct kept_answer){0};
    if (key->text[0] == '\0')
        return ERR_NONE;
    enum err err = keys_put(db, key, payment_id, 0, NULL, 0);
    if (err != ERR_DB_DUPLICATE)
        return err;
    err = keys_get(db, key, &unit->kept);
    if (err)
        return err;
    return strcmp(unit->kept.payment_id, payment_id) == 0 ? ERR_DB_DUPLICATE
                                                          : ERR_IDEMPOTENCY_RUNNING;
}

static enum err insert_intent(struct db *db, const struct begin_unit *unit)
{
    const struct payment *payment = &unit->checkout->intent.payment;
    int64_t deadline_ms = unit->context->settings->provider.timeout_ms + CALL_MARGIN_MS;
    enum err err = payments_insert(db, &unit->checkout->intent);
    if (!err)
        err = attempts_insert(db, payment, 1, payment->id, deadline_ms);
    if (!err)
        err = events_insert(db, payment->id, "created", payment->provider, "request");
    if (!err)
        err = checks_insert(db, payment->id, FIRST_CHECK_S);
    return err;
}

static enum err begin_unit(struct db *db, void *context)
{
    struct begin_unit *unit = context;
    enum err err = claim_key(db, unit);
    if (!err)
        err = insert_intent(db, unit);
    if (err && err != ERR_DB_DUPLICATE)
        return err;
    return attempts_last(db, unit->checkout->intent.payment.id, &unit->attempt);
}

struct finish_unit {
    struct context *context;
    const struct payment *payment;
    const struct provider_result *result;
    bool caller_waits;      /* a request, not a later check */
    struct attempt attempt; /* in: the attempt; out: with its definite answer, if there is one */
    struct answer answer;
};

/* What the caller gets for an outcome. An answered 5xx or garbage is the provider's error, an
 * absent answer is an unknown outcome; neither says that nothing happened. */
static void answer_outcome(struct arena *arena, struct finish_unit *unit)
{
    const struct settings *settings = unit->context->settings;
    const struct provider_result *result = unit->result;
    switch (unit->attempt.outcome) {
    case OUTCOME_DONE:
        answer_processed(arena, unit->payment->id, &unit->answer);
        break;
    case OUTCOME_PENDING:
        if (unit->attempt.url[0] != '\0')
            answer_url(arena, unit->payment->id, unit->attempt.url, &unit->answer);
        else /* only a notice told of it */
            answer_error(settings, arena, ERR_OUTCOME_UNKNOWN, &unit->answer);
        break;
    case OUTCOME_DECLINED:
    case OUTCOME_REFUSED:
        answer_error(settings, arena, ERR_PROCESS, &unit->answer);
        break;
    case OUTCOME_NOT_SENT:
        answer_error(settings, arena, ERR_PROVIDER_UNAVAILABLE, &unit->answer);
        if (result->retry_after_s > 0)
            unit->answer.retry_after_s = result->retry_after_s;
        break;
    case OUTCOME_NONE:
    case OUTCOME_UNKNOWN:
    case OUTCOMES:
        answer_error(settings, arena, result->http_status != 0 ? ERR_PROCESS : ERR_OUTCOME_UNKNOWN,
                     &unit->answer);
        break;
    }
    (void)text_copy(unit->answer.payment_id, IDENT_MAX, unit->payment->id);
    unit->answer.note = arena_strndup(arena, result->reason, strlen(result->reason));
}

/* Kept: every definite answer, and a provider's error once the caller has been told of it. Open
 * stays what nobody knows; forgotten is what the caller may simply send again. */
static enum err keep_answer(struct db *db, const struct finish_unit *unit)
{
    const struct answer *answer = &unit->answer;
    if (answer->err == ERR_OVERLOAD)
        return ERR_OVERLOAD; /* no answer to keep: nothing of this is stored */
    if (unit->attempt.outcome == OUTCOME_NOT_SENT)
        return keys_release(db, unit->payment->id);
    if (answer->err == ERR_OUTCOME_UNKNOWN ||
        (unit->attempt.outcome == OUTCOME_NONE && !unit->caller_waits))
        return ERR_NONE;
    return keys_answer(db, unit->payment->id, answer->status, answer->body, answer->len);
}

static const char *source_of(const struct finish_unit *unit)
{
    return unit->caller_waits ? "request" : "check";
}

static enum err store_answer(struct db *db, struct finish_unit *unit)
{
    const struct provider_result *r = unit->result;
    char detail[REASON_MAX + 32];
    enum err err = answers_insert(db, unit->attempt.id, r->outcome, r->http_status,
                                  r->provider_reference, r->url, r->reason);
    if (err == ERR_DB_DUPLICATE) /* another process, or this unit, was here before */
        return attempts_last(db, unit->payment->id, &unit->attempt);
    if (err)
        return err;
    (void)snprintf(detail, sizeof detail, "%s%s%s", outcome_name(r->outcome),
                   r->reason[0] == '\0' ? "" : ": ", r->reason);
    err = events_insert(db, unit->payment->id, "attempt", detail, source_of(unit));
    return err ? err : attempts_last(db, unit->payment->id, &unit->attempt);
}

static enum err fail_payment(struct db *db, const struct finish_unit *unit,
                             const struct payment *payment)
{
    enum err err =
        settle_fact(db, payment, FACT_FAILED, NULL, unit->attempt.reason, source_of(unit));
    return err ? err : checks_delete(db, payment->id);
}

static bool is_failure(enum outcome outcome)
{
    return outcome == OUTCOME_DECLINED || outcome == OUTCOME_REFUSED || outcome == OUTCOME_NOT_SENT;
}

static enum err finish_unit(struct db *db, void *context)
{
    struct finish_unit *unit = context;
    struct payment payment;
    /* first of all: rows that point to it would lock it too, but not as firmly */
    enum err err = payments_lock(db, unit->payment->id, &payment);
    if (!err)
        err = store_answer(db, unit);
    if (!err && is_failure(unit->attempt.outcome))
        err = fail_payment(db, unit, &payment);
    if (err)
        return err;
    answer_outcome(db_arena(db), unit);
    return keep_answer(db, unit);
}

struct provider_order checkout_order(const struct payment *payment, const struct attempt *attempt)
{
    return (struct provider_order){
        .reference = attempt->reference,
        .payment_id = payment->id,
        .user_id = payment->user_id,
        .amount = payment->amount,
        .method = payment->method,
        .payer_ip = payment->client_ip,
        .provider_reference = attempt->provider_reference,
    };
}

static void call_provider(struct context *context, struct arena *arena,
                          const struct provider_driver *driver, const struct payment *payment,
                          const struct attempt *attempt, int64_t deadline_ms,
                          struct provider_result *ret_result)
{
    const struct provider_order order = checkout_order(payment, attempt);
    provider_create(driver, context->settings, context->client, arena, deadline_ms, &order,
                    ret_result);
}

/* The call, unless begin took so long that the jobs program may be at it already, or that there
 * is no time left to hear an answer. */
static void call_in_time(struct context *context, struct arena *arena,
                         const struct checkout *checkout, const struct attempt *attempt,
                         struct provider_result *ret_result)
{
    *ret_result = (struct provider_result){.outcome = OUTCOME_UNKNOWN};
    if (attempt->over || attempt->outcome != OUTCOME_NONE) {
        (void)text_copy(ret_result->reason, REASON_MAX, "the database was too slow to begin");
    } else if (clock_left_ms(checkout->deadline_ms) <= FINISH_MS) {
        ret_result->outcome = OUTCOME_NOT_SENT;
        (void)text_copy(ret_result->reason, REASON_MAX, "no time was left to call the provider");
    } else {
        call_provider(context, arena, checkout->driver, &checkout->intent.payment, attempt,
                      checkout->deadline_ms - FINISH_MS, ret_result);
    }
}

/* The result is known to us alone now: worth more patience than one round of tries. */
static enum err finish(struct context *context, struct arena *arena, struct finish_unit *unit,
                       int64_t deadline_ms)
{
    enum err err;
    do {
        err = db_transact(context->pool, arena, finish_unit, unit);
    } while (err == ERR_DB_UNAVAILABLE && clock_left_ms(deadline_ms) > FINISH_MS / 4);
    return err;
}

static void refuse_begin(struct context *context, struct arena *arena,
                         const struct begin_unit *begin, enum err err, struct answer *ret_answer)
{
    if (err == ERR_IDEMPOTENCY_RUNNING &&
        checkout_replay(context, arena, &begin->checkout->key, ret_answer))
        return;
    answer_error(context->settings, arena, ERR_SAVE, ret_answer);
}

void checkout_run(struct context *context, struct arena *arena, struct checkout *checkout,
                  struct answer *ret_answer)
{
    struct payment *payment = &checkout->intent.payment;
    struct begin_unit begin = {.context = context, .checkout = checkout};
    struct provider_result result;
    enum err err = db_transact(context->pool, arena, begin_unit, &begin);
    if (err) {
        refuse_begin(context, arena, &begin, err, ret_answer);
        return;
    }
    CRASH_POINT("create_begun");
    call_in_time(context, arena, checkout, &begin.attempt, &result);
    CRASH_POINT("create_called");
    struct finish_unit unit = {.context = context,
                               .payment = payment,
                               .result = &result,
                               .caller_waits = true,
                               .attempt = begin.attempt};
    err = finish(context, arena, &unit, checkout->deadline_ms);
    CRASH_POINT("create_finished");
    if (err) {
        answer_error(context->settings, arena, ERR_OUTCOME_UNKNOWN, &unit.answer);
        (void)text_copy(unit.answer.payment_id, IDENT_MAX, payment->id);
    }
    *ret_answer = unit.answer;
}

struct replay_unit {
    const struct idempotency_key *key;
    struct kept_answer kept;
};

static enum err replay_unit(struct db *db, void *context)
{
    struct replay_unit *unit = context;
    return keys_get(db, unit->key, &unit->kept);
}

bool checkout_replay(struct context *context, struct arena *arena,
                     const struct idempotency_key *key, struct answer *ret_answer)
{
    struct replay_unit unit = {.key = key};
    if (key->text[0] == '\0')
        return false;
    enum err err = db_query(context->pool, arena, replay_unit, &unit);
    if (err) {
        answer_error(context->settings, arena, ERR_SAVE, ret_answer);
        return true;
    }
    if (!unit.kept.found)
        return false;
    if (!unit.kept.same_request) {
        answer_error(context->settings, arena, ERR_IDEMPOTENCY_REUSED, ret_answer);
    } else if (unit.kept.status == 0) {
        answer_error(context->settings, arena, ERR_IDEMPOTENCY_RUNNING, ret_answer);
    } else {
        *ret_answer = (struct answer){.status = unit.kept.status,
                                      .body = unit.kept.body,
                                      .len = unit.kept.body_len,
                                      .replayed = true};
        (void)text_copy(ret_answer->payment_id, IDENT_MAX, unit.kept.payment_id);
    }
    return true;
}

struct refusal_unit {
    const struct idempotency_key *key;
    const struct answer *answer;
};

static enum err refusal_unit(struct db *db, void *context)
{
    const struct refusal_unit *unit = context;
    enum err err =
        keys_put(db, unit->key, "", unit->answer->status, unit->answer->body, unit->answer->len);
    return err == ERR_DB_DUPLICATE ? ERR_NONE : err;
}

void checkout_keep_refusal(struct context *context, struct arena *arena,
                           const struct idempotency_key *key, const struct answer *answer)
{
    struct refusal_unit unit = {key, answer};
    /* 415: the request has not been read */
    if (key->text[0] == '\0' || answer->status == 401 || answer->status == 415 ||
        answer->status == 429 || answer->status == 503)
        return;
    /* a refusal that could not be kept is found out again the same way */
    enum err err = db_query(context->pool, arena, refusal_unit, &unit);
    (void)err;
}

/* The second half of a create for a process that did not live to run it. */
static enum err finish_open(struct context *context, struct arena *arena,
                            const struct payment *payment, const struct attempt *attempt,
                            const struct provider_result *result)
{
    struct finish_unit unit = {
        .context = context, .payment = payment, .result = result, .attempt = *attempt};
    return finish(context, arena, &unit, 0);
}

enum err checkout_resume(struct context *context, struct arena *arena,
                         const struct provider_driver *driver, const struct payment *payment,
                         const struct attempt *attempt)
{
    struct provider_result result;
    call_provider(context, arena, driver, payment, attempt, 0, &result);
    /* Now "not sent" and "refused" only speak of this call. The first one may have happened: a
     * reference that is taken says that it did. Only a session is news. */
    if (result.outcome != OUTCOME_PENDING && result.outcome != OUTCOME_DONE)
        result.outcome = OUTCOME_UNKNOWN;
    return finish_open(context, arena, payment, attempt, &result);
}

enum err checkout_close(struct context *context, struct arena *arena, const struct payment *payment,
                        const struct attempt *attempt)
{
    struct provider_result result = {.outcome = OUTCOME_DONE};
    (void)text_copy(result.reason, REASON_MAX, "learnt from the provider's notice");
    return finish_open(context, arena, payment, attempt, &result);
}
