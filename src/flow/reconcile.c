/* One check at a time: take it under a lease, ask without a connection, apply what was learnt. */
#include "flow/reconcile.h"

#include "base/buf.h"
#include "base/crash.h"
#include "flow/checkout.h"
#include "flow/settle.h"
#include "store/items.h"
#include "store/keys.h"
#include "store/reviews.h"

enum { LEASE_S = 60, IN_FLIGHT_AGAIN_MS = 5000 };

/* Seconds to the next check, by how many there were. The first is set when the payment is made. */
static const int64_t schedule_s[] = {60, 300, 900, 3600, 86400, 86400, 86400, 86400, 86400};

enum { CHECKS_MAX = sizeof schedule_s / sizeof schedule_s[0] };

struct check {
    struct context *context;
    const struct provider_driver *driver;
    struct payment payment;
    struct attempt attempt;
    struct cart cart;
    struct provider_truth truth;
    const char *source; /* who asked, for the timeline */
    enum settle_verdict verdict;
    int64_t tries, deadline_ms; /* of the question: monotonic, 0: the usual time-out */
};

static bool in_flight(const struct check *check)
{
    return check->attempt.outcome == OUTCOME_NONE && !check->attempt.over;
}

static bool is_over(const struct check *check)
{
    return check->payment.expires_in_ms <= 0;
}

static enum err load(struct db *db, const char *payment_id, struct check *check)
{
    enum err err = payments_get(db, payment_id, &check->payment);
    if (!err)
        err = attempts_last(db, payment_id, &check->attempt);
    return err ? err : items_of_payment(db, payment_id, CART_MAX, &check->cart);
}

static enum err take_unit(struct db *db, void *context)
{
    struct check *check = context;
    char payment_id[IDENT_MAX];
    check->payment.id[0] = '\0';
    enum err err = checks_take(db, payment_id, &check->tries);
    if (err || payment_id[0] == '\0')
        return err;
    err = load(db, payment_id, check);
    return err ? err : checks_lease(db, payment_id, LEASE_S);
}

static enum err truth_unit(struct db *db, void *context)
{
    struct check *check = context;
    char note[REASON_MAX];
    return settle_apply(db, check->driver, &check->truth, check->source, &check->verdict, note);
}

static enum err expire_unit(struct db *db, void *context)
{
    const struct check *check = context;
    return settle_expiry(db, check->payment.id);
}

/* A payment that its provider is still working on after the last question. */
static enum err ask_for_review(struct db *db, const struct check *check)
{
    struct review review = {.kind = REVIEW_UNENDED,
                            .fact = FACT_PROCESSING,
                            .note = "the provider never came to an end"};
    (void)text_copy(review.payment_id, sizeof review.payment_id, check->payment.id);
    (void)text_copy(review.provider, sizeof review.provider, check->attempt.provider);
    enum err err = reviews_put(db, &review);
    return err ? err : events_insert(db, review.payment_id, "review", review.note, "check");
}

/* Ends the questions. Who repeats a create that was never answered is told what is known. */
static enum err drop_unit(struct db *db, void *context)
{
    const struct check *check = context;
    struct payment payment;
    struct answer answer;
    enum err err = payments_lock(db, check->payment.id, &payment);
    if (!err && payment.status == PAYMENT_PROCESSING)
        err = ask_for_review(db, check);
    if (!err)
        err = checks_delete(db, payment.id);
    if (err)
        return err;
    if (payment_is_paid(payment.status))
        answer_paid(db_arena(db), &payment, &answer);
    else
        answer_error(check->context->settings, db_arena(db), ERR_OUTCOME_UNKNOWN, &answer);
    return keys_answer(db, payment.id, answer.status, answer.body, answer.len);
}

/* When to look again: by the schedule, but not later than the expiry. A look that could not ask
 * does not count. */
static enum err next_unit(struct db *db, void *context)
{
    const struct check *check = context;
    bool counts = !in_flight(check) && check->driver != NULL;
    int64_t tries = check->tries < CHECKS_MAX ? check->tries : CHECKS_MAX - 1;
    int64_t due_ms = in_flight(check) ? IN_FLIGHT_AGAIN_MS : schedule_s[tries] * 1000;
    if (check->payment.expires_in_ms > 0 && check->payment.expires_in_ms < due_ms)
        due_ms = check->payment.expires_in_ms;
    return checks_next(db, check->payment.id, counts, due_ms);
}

/* A provider that told no name of its own for the payment is searched for it first. */
static enum provider_reading find_session(const struct check *check, struct provider_order *order,
                                          char found[PROVIDER_REFERENCE_MAX])
{
    if (order->provider_reference[0] != '\0')
        return READING_TRUTH;
    order->provider_reference = found;
    order->unproved = true;
    return provider_search(check->driver, check->context->settings, check->context->client,
                           check->deadline_ms, order, found);
}

/* Its session is known, or can be searched for. */
static bool is_findable(const struct check *check)
{
    return check->attempt.provider_reference[0] != '\0' ||
           (check->driver != NULL && check->driver->search != NULL);
}

static enum err ask_provider(struct check *check, struct arena *arena, const char *source,
                             const char **ret_found)
{
    struct provider_order order = checkout_order(&check->payment, &check->attempt, &check->cart);
    char session[PROVIDER_REFERENCE_MAX] = "";
    enum provider_reading reading = find_session(check, &order, session);
    if (reading == READING_TRUTH)
        reading = provider_read(check->driver, check->context->settings, check->context->client,
                                arena, check->deadline_ms, &order, &check->truth);
    switch (reading) {
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
    check->source = source;
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
    check->driver = provider_find(context->settings, check->attempt.provider);
    *ret_found = "nothing to ask";
    if (check->driver == NULL || in_flight(check))
        return ERR_NONE;
    if (payment_is_paid(check->payment.status)) {
        *ret_found = "paid";
        return attempt->outcome == OUTCOME_NONE
                   ? checkout_close(context, arena, &check->payment, attempt)
                   : ERR_NONE;
    }
    if (is_findable(check))
        return ask_provider(check, arena, "check", ret_found);
    if (attempt->outcome == OUTCOME_NONE && !is_over(check) && check->driver->reference_is_unique) {
        *ret_found = "create sent again";
        return checkout_resume(context, arena, check->driver, &check->payment, attempt,
                               &check->cart);
    }
    return ERR_NONE;
}

/* Nothing more to learn: paid, or no session that could still be, or this was the last look. */
static bool is_last(const struct check *check)
{
    bool unpayable = !is_findable(check) && is_over(check);
    bool tried = check->tries >= CHECKS_MAX && check->driver != NULL;
    bool paid = payment_is_paid(check->payment.status);
    return !in_flight(check) && (paid || unpayable || tried);
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
    if (!err && is_over(&check) && !in_flight(&check))
        err = db_transact(context->pool, arena, expire_unit, &check);
    if (err)
        return err; /* the lease ends, and somebody looks again */
    return db_transact(context->pool, arena, is_last(&check) ? drop_unit : next_unit, &check);
}

struct returned_unit {
    const char *from, *reference;
    struct check check;
    char *ret_url;
};

static enum err find_unit(struct db *db, void *context)
{
    struct returned_unit *unit = context;
    char payment_id[IDENT_MAX];
    unit->check.payment.id[0] = '\0';
    enum err err = payments_find(db, unit->from, unit->reference, payment_id);
    if (err || payment_id[0] == '\0')
        return err;
    err = payments_return_url(db, payment_id, unit->ret_url);
    return err ? err : load(db, payment_id, &unit->check);
}

enum err reconcile_returned(struct context *context, struct arena *arena,
                            const struct provider_driver *driver, const char *reference,
                            int64_t deadline_ms, struct payment *ret_payment, char ret_url[URL_MAX])
{
    struct returned_unit unit = {.from = driver->name,
                                 .reference = reference,
                                 .check = {.context = context, .deadline_ms = deadline_ms},
                                 .ret_url = ret_url};
    struct check *check = &unit.check;
    const char *found;
    enum err err = db_query(context->pool, arena, find_unit, &unit);
    bool open = !err && check->payment.id[0] != '\0' && !payment_is_paid(check->payment.status);
    /* who has the payment by now: a house brand may have gone on to the next partner */
    check->driver = provider_find(context->settings, check->attempt.provider);
    if (open && check->driver != NULL && is_findable(check)) {
        err = ask_provider(check, arena, "return", &found);
        if (!err)
            err = db_query(context->pool, arena, find_unit, &unit);
    }
    *ret_payment = check->payment;
    return err;
}
