/* Notices of providers: stored, applied now or later, and asked about first when they are thin.
 * Must not post anything itself: that is settle's business. Units must not call a provider. */
#include "flow/notice.h"

#include "base/buf.h"
#include "base/crash.h"
#include "flow/checkout.h"
#include "store/messages.h"
#include "store/reviews.h"

#include <stdio.h>
#include <string.h>

enum {
    LEASE_S = 60,
    FOLLOW_LEASE_S = 30, /* of the thread that has just answered a thin notice */
    UNMATCHED_FIRST_S = 5,
};

/* What a notice says, as far as it can be read. */
struct said {
    enum err err; /* ERR_PAYLOAD: not as documented */
    struct provider_truth truth;
};

struct notice_unit {
    const struct provider_driver *driver;
    const char *body;
    size_t len;
    bool can_follow;
    struct said said;
    bool again; /* it has run before, and may have been committed */
    struct settled_notice *notice;
};

/* When to try an unmatched notice again: the row may appear any moment, or never. */
static int64_t retry_in_s(int64_t tries)
{
    return tries >= INBOX_TRIES_MAX ? -1 : UNMATCHED_FIRST_S << tries;
}

/* A notice that no payment's review speaks of. */
static enum err ask_about_notice(struct db *db, const struct notice_row *row, enum review_kind kind,
                                 enum payment_fact fact, const char *note)
{
    if (row->id == 0)
        return ERR_DB_CONFLICT; /* alone, the notice has a number to be named by */
    struct review review = {.kind = kind, .inbox_id = row->id, .fact = fact, .note = note};
    (void)text_copy(review.provider, sizeof review.provider, row->provider);
    return reviews_put(db, &review);
}

static enum err apply_unreadable(struct db *db, const struct notice_row *row,
                                 struct settled_notice *ret_notice)
{
    static const char note[] = "genuine, but not as documented";
    ret_notice->verdict = SETTLE_MISMATCH;
    enum err err = ask_about_notice(db, row, REVIEW_UNREADABLE, FACT_NOTHING, note);
    return err ? err : inbox_set(db, row, INBOX_REVIEW, note, "", -1);
}

/* A notice that names no payment of ours: tried again for a while, then it is a person's. */
static enum err keep_unmatched(struct db *db, const struct notice_row *row,
                               const struct provider_truth *truth, const char *note)
{
    bool stranger = truth->stranger != NULL;
    const char *why = stranger ? truth->stranger : note;
    int64_t retry = stranger ? -1 : retry_in_s(row->tries);
    enum err err = ERR_NONE;
    if (retry < 0)
        err = ask_about_notice(db, row, stranger ? REVIEW_STRANGER : REVIEW_UNMATCHED, truth->fact,
                               why);
    return err ? err
               : inbox_set(db, row, retry < 0 ? INBOX_REVIEW : INBOX_UNMATCHED, why,
                           truth->reference, retry);
}

/* What becomes of a notice after a try. */
static enum err end_row(struct db *db, const struct notice_row *row,
                        const struct provider_truth *claim, enum settle_verdict verdict,
                        const char *note)
{
    if (verdict == SETTLE_UNMATCHED)
        return keep_unmatched(db, row, claim, note);
    return inbox_set(db, row, verdict == SETTLE_APPLIED ? INBOX_DONE : INBOX_REVIEW, note,
                     claim->reference, -1);
}

/* For the log. */
static void copy_words(const struct provider_truth *truth, struct settled_notice *ret_notice)
{
    (void)text_copy(ret_notice->payment_id, sizeof ret_notice->payment_id, truth->reference);
    (void)text_copy(ret_notice->word, sizeof ret_notice->word, truth->word);
}

static enum err apply_row(struct db *db, const struct provider_driver *driver,
                          const struct notice_row *row, const struct said *said,
                          struct settled_notice *ret_notice)
{
    const struct provider_truth *truth = &said->truth;
    char note[REASON_MAX];
    if (said->err)
        return said->err == ERR_PAYLOAD ? apply_unreadable(db, row, ret_notice) : said->err;
    copy_words(truth, ret_notice);
    enum err err = settle_apply(db, driver, truth, "webhook", &ret_notice->verdict, note);
    return err ? err : end_row(db, row, truth, ret_notice->verdict, note);
}

/* What a thin notice names is enough to ask about; who asks has it to himself for a while, or else
 * it is due at once. One that is not about us needs no question. */
static enum err apply_hint(struct db *db, const struct notice_unit *unit,
                           const struct notice_row *row, struct settled_notice *ret_notice)
{
    const struct said *said = &unit->said;
    const struct provider_truth *hint = &said->truth;
    if (said->err)
        return said->err == ERR_PAYLOAD ? apply_unreadable(db, row, ret_notice) : said->err;
    copy_words(hint, ret_notice);
    ret_notice->verdict = SETTLE_UNMATCHED;
    if (hint->stranger == NULL) {
        ret_notice->left = !unit->can_follow;
        ret_notice->follow_id = unit->can_follow ? row->id : 0;
        return inbox_set(db, row, INBOX_UNMATCHED, "to be asked about", hint->reference,
                         unit->can_follow ? FOLLOW_LEASE_S : 0);
    }
    ret_notice->verdict = SETTLE_MISMATCH;
    return keep_unmatched(db, row, hint, "");
}

static enum err notice_unit(struct db *db, void *context)
{
    struct notice_unit *unit = context;
    struct notice_row row;
    bool again = unit->again;
    unit->again = true;
    *unit->notice = (struct settled_notice){0};
    enum err err = inbox_put(db, unit->driver->name, unit->body, unit->len, &row);
    if (err)
        return err;
    if (row.state != INBOX_UNMATCHED) {
        unit->notice->repeated = true;
        unit->notice->verdict = row.state == INBOX_DONE ? SETTLE_APPLIED : SETTLE_MISMATCH;
        return ERR_NONE;
    }
    CRASH_POINT("notice_stored");
    if (unit->driver->thin && row.copies > 1 && !again) { /* whoever brought the first one asks */
        unit->notice->repeated = true;
        unit->notice->verdict = SETTLE_UNMATCHED;
        return ERR_NONE;
    }
    err = unit->driver->thin ? apply_hint(db, unit, &row, unit->notice)
                             : apply_row(db, unit->driver, &row, &unit->said, unit->notice);
    CRASH_POINT("notice_posted");
    return err;
}

/* Which payment would a notice with everything in it lock? False: one that needs its own row. */
static bool is_about(const struct notice_unit *unit, char ret_payment_id[IDENT_MAX])
{
    return !unit->driver->thin && unit->said.err == ERR_NONE &&
           attempt_reference_parse(unit->said.truth.reference, ret_payment_id);
}

enum err notice_settle(struct context *context, struct arena *arena,
                       const struct provider_driver *driver, const char *body, size_t len,
                       bool can_follow, struct settled_notice *ret_notice)
{
    struct notice_unit unit = {
        .driver = driver, .body = body, .len = len, .can_follow = can_follow, .notice = ret_notice};
    char payment_id[IDENT_MAX];
    unit.said.err = provider_notice(driver, context->settings, arena, body, len, &unit.said.truth);
    CRASH_POINT("notice_proved");
    enum err err = is_about(&unit, payment_id)
                       ? db_gather_urgent(context->pool, arena, payment_id, notice_unit, &unit)
                       : db_transact(context->pool, arena, notice_unit, &unit);
    CRASH_POINT("notice_committed");
    return err;
}

/* --- thin notices: answered first, then asked about --- */

struct follow_unit {
    struct context *context;
    int64_t inbox_id;
    const struct provider_driver *driver; /* NULL: its secrets are gone */
    struct notice_row row;
    struct provider_truth hint;
    bool asked;
    enum provider_reading reading;
    struct provider_truth truth;
    bool has_whole;              /* the notice is about a part, a refund say: */
    struct provider_truth whole; /* the truth about the payment that it is a part of */
    struct payment payment;      /* id "": there is none (yet) */
    struct attempt attempt;
    struct settled_notice *notice;
};

/* What to ask about. Nothing is locked: asking twice does no harm. */
static enum err hint_unit(struct db *db, void *context)
{
    struct follow_unit *unit = context;
    const struct settings *settings = unit->context->settings;
    char payment_id[IDENT_MAX];
    enum err err = inbox_get(db, unit->inbox_id, &unit->row);
    unit->driver = provider_find(settings, unit->row.provider);
    if (err || unit->row.state != INBOX_UNMATCHED || unit->driver == NULL || !unit->driver->thin)
        return err;
    err = provider_notice(unit->driver, settings, db_arena(db), unit->row.body, unit->row.body_len,
                          &unit->hint);
    if (err)
        return err == ERR_PAYLOAD ? ERR_NONE : err;
    if (unit->hint.reference[0] == '\0') /* the provider's own name must do */
        err = attempts_named(db, unit->driver->name, unit->hint.provider_reference,
                             unit->hint.reference);
    if (err || !attempt_reference_parse(unit->hint.reference, payment_id))
        return err;
    err = payments_get(db, payment_id, &unit->payment);
    if (!err && unit->payment.id[0] != '\0')
        err = attempts_get(db, unit->driver->name, unit->hint.reference, &unit->attempt);
    return err;
}

static enum provider_reading ask_about(const struct follow_unit *unit, struct arena *arena,
                                       enum provider_object object, const char *name,
                                       struct provider_truth *ret_truth)
{
    struct context *context = unit->context;
    const struct cart nothing = {.count = 0};
    struct provider_order order = checkout_order(&unit->payment, &unit->attempt, &nothing);
    order.provider_reference = name;
    order.object = object;
    order.unproved = true;
    return provider_read(unit->driver, context->settings, context->client, arena, 0, &order,
                         ret_truth);
}

/* Of a part the payment itself is asked about too: it says whose it is, and whether it was paid. */
static void ask(struct follow_unit *unit, struct arena *arena)
{
    struct provider_truth *truth = &unit->truth, *whole = &unit->whole;
    unit->asked = true;
    unit->reading = ask_about(unit, arena, unit->hint.object, unit->hint.provider_reference, truth);
    if (unit->reading != READING_TRUTH || truth->object == PROVIDER_PAYMENT ||
        truth->stranger != NULL)
        return;
    unit->reading = ask_about(unit, arena, PROVIDER_PAYMENT, truth->provider_reference, whole);
    unit->has_whole = unit->reading == READING_TRUTH;
    if (!unit->has_whole)
        return;
    (void)text_copy(truth->reference, sizeof truth->reference, whole->reference);
    truth->stranger = whole->stranger;
    truth->has_amount = whole->has_amount;
    truth->amount = whole->amount;
    truth->fees = whole->fees;
}

/* Why the notice is not done with yet; NULL: it is. A provider may be slower than its notices,
 * so what it says now is applied, and asked for again if the notice told of more. */
static const char *find_doubt(const struct follow_unit *unit)
{
    switch (unit->reading) {
    case READING_NOT_FOUND:
        return "the provider does not know it";
    case READING_FAILED:
        return "no usable answer";
    case READING_TRUTH:
        break;
    }
    return unit->truth.fact < unit->hint.fact && !unit->truth.warning
               ? "the provider says less than its notice"
               : NULL;
}

/* What was read goes into the books: the payment first, then the part of it. */
static enum err apply_read(struct db *db, struct follow_unit *unit, char ret_note[REASON_MAX])
{
    enum settle_verdict *verdict = &unit->notice->verdict;
    enum err err = ERR_NONE;
    if (unit->has_whole) {
        *verdict = SETTLE_UNMATCHED;
        err = settle_apply(db, unit->driver, &unit->whole, "webhook", verdict, ret_note);
    }
    if (err || (unit->has_whole && *verdict != SETTLE_APPLIED))
        return err;
    return settle_apply(db, unit->driver, &unit->truth, "webhook", verdict, ret_note);
}

static enum err apply_truth(struct db *db, struct follow_unit *unit)
{
    struct settled_notice *notice = unit->notice;
    const struct provider_truth *truth = &unit->truth;
    bool read = unit->asked && unit->reading == READING_TRUTH;
    bool names = read && truth->reference[0] != '\0'; /* a payment, which a notice need not do */
    const struct provider_truth *claim =
        names || (read && truth->stranger != NULL) ? truth : &unit->hint;
    const char *doubt = find_doubt(unit);
    char note[REASON_MAX] = "no payment of ours has this reference";
    enum err err = ERR_NONE;
    /* that nothing has been paid yet is not worth a second question */
    notice->verdict = unit->hint.fact == FACT_NOTHING ? SETTLE_APPLIED : SETTLE_UNMATCHED;
    if (names)
        err = apply_read(db, unit, note);
    if (doubt != NULL && notice->verdict != SETTLE_MISMATCH && unit->asked &&
        unit->hint.fact != FACT_NOTHING) {
        (void)snprintf(note, sizeof note, "%s: %s", unit->hint.word, doubt);
        notice->verdict = SETTLE_UNMATCHED;
    }
    return err ? err : end_row(db, &unit->row, claim, notice->verdict, note);
}

static enum err follow_unit(struct db *db, void *context)
{
    struct follow_unit *unit = context;
    enum err err = inbox_lock(db, unit->inbox_id, &unit->row);
    if (err || unit->row.state != INBOX_UNMATCHED)
        return err;
    CRASH_POINT("notice_read");
    if (unit->hint.provider_reference[0] == '\0')
        return apply_unreadable(db, &unit->row, unit->notice);
    return apply_truth(db, unit);
}

enum err notice_follow(struct context *context, struct arena *arena, int64_t follow_id,
                       struct settled_notice *ret_notice)
{
    struct follow_unit unit = {.context = context, .inbox_id = follow_id, .notice = ret_notice};
    *ret_notice = (struct settled_notice){0};
    CRASH_POINT("notice_answered");
    enum err err = db_query(context->pool, arena, hint_unit, &unit);
    if (err || unit.driver == NULL || unit.row.state != INBOX_UNMATCHED)
        return err; /* it waits for the next lease, or is done */
    copy_words(&unit.hint, ret_notice);
    if (unit.payment.id[0] != '\0' || unit.hint.reference[0] == '\0')
        ask(&unit, arena);
    return db_transact(context->pool, arena, follow_unit, &unit);
}

struct waiting_unit {
    const struct settings *settings;
    int64_t inbox_id;
    bool thin; /* found: it wants to be followed */
};

static enum err take_unit(struct db *db, void *context)
{
    struct waiting_unit *unit = context;
    return inbox_take(db, LEASE_S, &unit->inbox_id);
}

static enum err waiting_unit(struct db *db, void *context)
{
    struct waiting_unit *unit = context;
    struct settled_notice notice = {0};
    struct notice_row row;
    struct said said;
    enum err err = inbox_lock(db, unit->inbox_id, &row);
    if (err || row.state != INBOX_UNMATCHED) /* the provider may have sent it again meanwhile */
        return err;
    const struct provider_driver *driver = provider_find(unit->settings, row.provider);
    unit->thin = driver != NULL && driver->thin;
    if (driver == NULL || unit->thin)
        return ERR_NONE; /* its secrets are gone; it waits for the next lease */
    said.err =
        provider_notice(driver, unit->settings, db_arena(db), row.body, row.body_len, &said.truth);
    return apply_row(db, driver, &row, &said, &notice);
}

enum err notice_retry(struct context *context, struct arena *arena, bool *ret_found)
{
    struct waiting_unit unit = {.settings = context->settings};
    struct settled_notice notice;
    enum err err = db_transact(context->pool, arena, take_unit, &unit);
    *ret_found = !err && unit.inbox_id != 0;
    if (!err && *ret_found)
        err = db_transact(context->pool, arena, waiting_unit, &unit);
    if (!err && unit.thin)
        err = notice_follow(context, arena, unit.inbox_id, &notice);
    return err;
}
