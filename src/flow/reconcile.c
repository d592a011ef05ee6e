/* One check at a time: take it under a lease, ask without a connection, apply what was learnt. */
#include "flow/reconcile.h"

#include "base/buf.h"
#include "base/crash.h"
#include "flow/checkout.h"
#include "flow/settle.h"
#include "store/items.h"
#include "store/keys.h"
#include "store/reviews.h"

#include <string.h>

enum {
    LEASE_S = 60,
    IN_FLIGHT_AGAIN_MS = 5000,
    AFRESH_S = 10, /* after a lost create: as after a new payment's */
    LONG_S = 2 * 86400,
    LOST_FIRST_S = 5,   /* while a create is lost, the time between looks doubles */
    LOST_DOUBLINGS = 9, /* up to 43 minutes */
    EXTRA_EVERY_S = 3,
    EXTRA_MAX = 20, /* questions out of turn about one payment */
    SILENCE_EVERY_S = 10,
    SILENCE_PAYMENTS = 20, /* of one provider, by all processes together */
    EARLY_TRIES = 5,       /* the part of the schedule that a silence makes denser */
    MUTE_AGAIN_S = 900,    /* while its provider has no secrets set */
};

#define MUTE "its provider has no secrets set"

/* Seconds to the next check, by how many there were. The first is set when the payment is made. */
static const int64_t schedule_s[] = {60, 300, 900, 3600, 86400, 86400, 86400, 86400, 86400};

enum { CHECKS_MAX = sizeof schedule_s / sizeof schedule_s[0] };

struct check {
    struct context *context;
    struct payment payment;
    struct attempt attempts[ATTEMPTS_SHOWN]; /* the last one first */
    size_t count;
    struct cart cart;
    const char *source;         /* who asks, for the timeline */
    int64_t tries, deadline_ms; /* of a question: monotonic, 0: the usual time-out */
};

static const struct attempt *last_of(const struct check *check)
{
    return &check->attempts[0];
}

static const struct provider_driver *driver_of(const struct check *check,
                                               const struct attempt *attempt)
{
    return provider_find(check->context->settings, attempt->provider);
}

static bool in_flight(const struct check *check)
{
    return last_of(check)->outcome == OUTCOME_NONE && !last_of(check)->over;
}

/* Its create may have happened, but nobody knows where to pay. */
static bool is_lost(const struct check *check)
{
    return last_of(check)->outcome == OUTCOME_NONE && last_of(check)->over;
}

static bool is_over(const struct check *check)
{
    return check->payment.expires_in_ms <= 0;
}

/* Its session is known at the provider by a name that we know, or can be searched for. */
static bool is_findable(const struct check *check, const struct attempt *attempt)
{
    const struct provider_driver *driver = driver_of(check, attempt);
    bool called = attempt->over || attempt->outcome != OUTCOME_NONE;
    return attempt->provider_reference[0] != '\0' ||
           (driver != NULL && (driver->search != NULL || driver->recover != NULL) && called);
}

/* Is there anything to learn about this attempt? When another one has paid: whether it has, too. */
static bool is_open(const struct check *check, const struct attempt *attempt)
{
    bool paid = payment_is_paid(check->payment.status);
    bool by_other = check->payment.paid_by != 0 && check->payment.paid_by != attempt->number;
    return is_findable(check, attempt) && !outcome_is_failure(attempt->outcome) &&
           (!paid || by_other);
}

static const struct attempt *first_open(const struct check *check)
{
    size_t i = 0;
    while (i < check->count && !is_open(check, &check->attempts[i]))
        i++;
    return i < check->count ? &check->attempts[i] : NULL;
}

static enum err load(struct db *db, const char *payment_id, struct check *check)
{
    check->attempts[0] = (struct attempt){0};
    enum err err = payments_get(db, payment_id, &check->payment);
    if (!err)
        err = attempts_list(db, payment_id, ATTEMPTS_SHOWN, check->attempts, &check->count);
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

struct truth_unit {
    const struct provider_driver *driver;
    const char *source;
    struct provider_truth truth;
    enum settle_verdict verdict;
};

static enum err truth_unit(struct db *db, void *context)
{
    struct truth_unit *unit = context;
    char note[REASON_MAX];
    return settle_apply(db, unit->driver, &unit->truth, unit->source, &unit->verdict, note);
}

static enum err expire_unit(struct db *db, void *context)
{
    const struct check *check = context;
    return settle_expiry(db, check->payment.id);
}

/* Somebody should be asked, but has no secrets set any more: nothing will be heard of it. */
static bool is_mute(const struct check *check)
{
    const struct attempt *open = first_open(check);
    return open != NULL && driver_of(check, open) == NULL;
}

/* A payment that its provider is working on, and that will not come to an end by itself. */
static enum err ask_for_review(struct db *db, const struct check *check, const char *note)
{
    struct review review = {.kind = REVIEW_UNENDED, .fact = FACT_PROCESSING, .note = note};
    (void)text_copy(review.payment_id, sizeof review.payment_id, check->payment.id);
    (void)text_copy(review.provider, sizeof review.provider, last_of(check)->provider);
    enum err err = reviews_put(db, &review);
    return err ? err : events_insert_once(db, review.payment_id, "review", review.note, "check");
}

/* When to look again: soon while a create is lost, else by the schedule, but not later than the
 * expiry. A look that could not ask does not count, and a person hears of it. */
static enum err next_unit(struct db *db, void *context)
{
    const struct check *check = context;
    int64_t tries = check->tries, due_ms;
    struct attempt now;
    enum err err = attempts_last(db, check->payment.id, &now);
    if (err)
        return err;
    if (is_mute(check) && check->payment.status == PAYMENT_PROCESSING)
        err = ask_for_review(db, check, "nobody can be asked: " MUTE);
    if (err)
        return err;
    if (in_flight(check)) {
        due_ms = IN_FLIGHT_AGAIN_MS;
    } else if (is_mute(check)) {
        due_ms = MUTE_AGAIN_S * 1000LL;
    } else if (now.outcome == OUTCOME_NONE) {
        due_ms = (LOST_FIRST_S * 1000LL) << (tries < LOST_DOUBLINGS ? tries : LOST_DOUBLINGS);
        tries++;
    } else if (is_lost(check)) {
        due_ms = AFRESH_S * 1000LL;
        tries = 0;
    } else {
        due_ms = schedule_s[tries < CHECKS_MAX ? tries : CHECKS_MAX - 1] * 1000;
        tries += driver_of(check, last_of(check)) != NULL;
    }
    if (check->payment.expires_in_ms > 0 && check->payment.expires_in_ms < due_ms)
        due_ms = check->payment.expires_in_ms;
    return checks_next(db, check->payment.id, tries, due_ms);
}

/* Its payer has longer than the schedule: a bank wire, say, which is asked about every day. */
static bool is_long(const struct check *check)
{
    return check->payment.expires_s - check->payment.created_s > LONG_S;
}

/* Nothing more to learn: paid or over, with no session that could still be paid, or this was the
 * last look. */
static bool is_last(const struct check *check)
{
    bool tried = check->tries >= CHECKS_MAX && driver_of(check, last_of(check)) != NULL &&
                 (is_over(check) || !(is_lost(check) || is_long(check)));
    bool ended = payment_is_paid(check->payment.status) || is_over(check);
    return !in_flight(check) && (tried || (ended && first_open(check) == NULL));
}

/* Ends the questions, unless a notice has told meanwhile of a session that can be asked about. Who
 * repeats a create that was never answered is told what is known. */
static enum err drop_unit(struct db *db, void *context)
{
    const struct check *check = context;
    struct check now = *check;
    struct payment payment;
    struct answer answer;
    enum err err = payments_lock(db, check->payment.id, &payment);
    if (!err)
        err = load(db, payment.id, &now);
    if (!err && !is_last(&now))
        return next_unit(db, context);
    if (!err && payment.status == PAYMENT_PROCESSING)
        err = ask_for_review(db, check, "the provider never came to an end");
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

/* A provider that told no name of its own for the payment is searched for it first. */
static enum provider_reading read_or_search(const struct check *check, struct arena *arena,
                                            const struct provider_driver *driver,
                                            const struct provider_order *asked,
                                            struct provider_truth *ret_truth)
{
    struct provider_order order = *asked;
    const struct settings *settings = check->context->settings;
    struct httpc *client = check->context->client;
    char found[PROVIDER_REFERENCE_MAX] = "";
    enum provider_reading reading = READING_TRUTH;
    if (order.provider_reference[0] == '\0') {
        reading = provider_search(driver, settings, client, check->deadline_ms, &order, found);
        order.provider_reference = found;
        order.unproved = true;
    }
    return reading != READING_TRUTH ? reading
                                    : provider_read(driver, settings, client, arena,
                                                    check->deadline_ms, &order, ret_truth);
}

/* *ret_known becomes true when a lost create's answer was found. */
static enum err ask_provider(const struct check *check, const struct attempt *attempt,
                             struct arena *arena, const char **ret_found, bool *ret_known)
{
    struct context *context = check->context;
    const struct provider_order order = checkout_order(&check->payment, attempt, &check->cart);
    struct truth_unit unit = {.driver = driver_of(check, attempt), .source = check->source};
    if (unit.driver == NULL)
        return ERR_NONE;
    if (attempt->provider_reference[0] == '\0' && unit.driver->recover != NULL) {
        *ret_found = "asked for the lost answer";
        return checkout_recover(context, arena, unit.driver, &check->payment, attempt, &check->cart,
                                ret_known);
    }
    switch (read_or_search(check, arena, unit.driver, &order, &unit.truth)) {
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
    *ret_found = payment_fact_name(unit.truth.fact);
    enum err err = db_transact(context->pool, arena, truth_unit, &unit);
    if (!err && unit.verdict != SETTLE_APPLIED)
        *ret_found = "an answer that does not fit the payment";
    return err;
}

/* A create that was never answered, although its payment is paid: by a notice. */
static enum err close_paid(const struct check *check, struct arena *arena)
{
    int64_t paid_by = check->payment.paid_by;
    const struct attempt *attempt = last_of(check), *end = check->attempts + check->count;
    while (paid_by != 0 && attempt < end && attempt->number != paid_by)
        attempt++;
    return attempt < end && attempt->outcome == OUTCOME_NONE
               ? checkout_close(check->context, arena, &check->payment, attempt)
               : ERR_NONE;
}

/* The payer has no address yet: asks for one. */
static enum err look_for_address(const struct check *check, struct arena *arena,
                                 const char **ret_found)
{
    const struct attempt *last = last_of(check);
    const struct provider_driver *driver = driver_of(check, last);
    if (driver == NULL || is_over(check) || attempt_is_answered(last) ||
        check->payment.status != PAYMENT_PENDING || outcome_is_failure(last->outcome))
        return ERR_NONE;
    return checkout_resume(check->context, arena, driver, &check->payment, last, &check->cart,
                           ret_found);
}

static enum err look(const struct check *check, struct arena *arena, const char **ret_found)
{
    bool paid = payment_is_paid(check->payment.status), known = false;
    enum err err = ERR_NONE;
    *ret_found = paid ? "paid" : is_mute(check) ? MUTE : "nothing to ask";
    if (in_flight(check))
        return ERR_NONE;
    if (paid)
        err = close_paid(check, arena);
    for (size_t i = 0; i < check->count && !err; i++)
        if (is_open(check, &check->attempts[i]))
            err = ask_provider(check, &check->attempts[i], arena, ret_found, &known);
    return err || paid || known ? err : look_for_address(check, arena, ret_found);
}

enum err reconcile_step(struct context *context, struct arena *arena, struct reconciled *ret_done)
{
    struct check check = {.context = context, .source = "check"};
    *ret_done = (struct reconciled){.found = ""};
    enum err err = db_transact(context->pool, arena, take_unit, &check);
    if (err || check.payment.id[0] == '\0')
        return err;
    (void)text_copy(ret_done->payment_id, IDENT_MAX, check.payment.id);
    CRASH_POINT("check_taken");
    ret_done->mute = is_mute(&check);
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
    bool granted;
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

/* Anybody may come back as often as he likes, but the provider is not asked as often. */
static enum err ask_unit(struct db *db, void *context)
{
    struct returned_unit *unit = context;
    return checks_ask(db, unit->check.payment.id, EXTRA_EVERY_S, EXTRA_MAX, &unit->granted);
}

/* The one that the payer comes back from. A house brand may have gone on to another partner, and
 * what a lost create is called at the provider is not known: then the last one that is. */
static const struct attempt *choose_attempt(const struct returned_unit *unit)
{
    const struct check *check = &unit->check;
    for (size_t i = 0; i < check->count; i++) {
        const struct attempt *attempt = &check->attempts[i];
        bool named = strcmp(attempt->provider, unit->from) == 0 &&
                     (strcmp(attempt->reference, unit->reference) == 0 ||
                      strcmp(attempt->provider_reference, unit->reference) == 0);
        if (named && is_open(check, attempt))
            return attempt;
    }
    return first_open(check);
}

enum err reconcile_returned(struct context *context, struct arena *arena,
                            const struct provider_driver *driver, const char *reference,
                            int64_t deadline_ms, struct payment *ret_payment, char ret_url[URL_MAX])
{
    struct returned_unit unit = {
        .from = driver->name,
        .reference = reference,
        .check = {.context = context, .deadline_ms = deadline_ms, .source = "return"},
        .ret_url = ret_url};
    struct check *check = &unit.check;
    const char *found;
    bool recovered;
    enum err err = db_query(context->pool, arena, find_unit, &unit);
    bool known = !err && check->payment.id[0] != '\0';
    const struct attempt *attempt = known ? choose_attempt(&unit) : NULL;
    if (attempt != NULL && driver_of(check, attempt) != NULL)
        err = db_query(context->pool, arena, ask_unit, &unit);
    if (!err && unit.granted && attempt != NULL)
        err = ask_provider(check, attempt, arena, &found, &recovered);
    if (!err && attempt != NULL) /* a notice may have been faster, whoever was asked */
        err = db_query(context->pool, arena, find_unit, &unit);
    *ret_payment = check->payment;
    return err;
}

struct silence_unit {
    const struct settings *settings;
    const char *provider;
    int64_t hurried;
};

static enum err silence_unit(struct db *db, void *context)
{
    struct silence_unit *unit = context;
    const struct hurry hurry = {.silence_s = unit->settings->jobs.silence_s,
                                .every_s = SILENCE_EVERY_S,
                                .payments = SILENCE_PAYMENTS,
                                .tries_below = EARLY_TRIES,
                                .extra_max = EXTRA_MAX};
    return checks_hurry(db, unit->provider, &hurry, &unit->hurried);
}

enum err reconcile_silence(struct context *context, struct arena *arena, int64_t *ret_hurried)
{
    const struct provider_driver *driver;
    enum err err = ERR_NONE;
    *ret_hurried = 0;
    for (size_t i = 0; !err && (driver = provider_at(i)) != NULL; i++) {
        struct silence_unit unit = {.settings = context->settings, .provider = driver->name};
        if (driver->from_balance || !driver->configured(context->settings))
            continue;
        err = db_transact(context->pool, arena, silence_unit, &unit);
        *ret_hurried += err ? 0 : unit.hurried;
    }
    return err;
}
