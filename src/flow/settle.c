/* Applies providers' words to payments. Exactly once by (payment, effect, sequence); the notice's
 * own identity never decides about money. Units must not call a provider: they hold a connection.
 */
#include "flow/settle.h"

#include "base/buf.h"
#include "base/crash.h"
#include "flow/cart.h"
#include "flow/checkout.h"
#include "flow/dispute.h"
#include "flow/notify.h"
#include "flow/posting.h"
#include "flow/refund.h"
#include "flow/surplus.h"
#include "store/items.h"
#include "store/messages.h"
#include "store/reviews.h"

#include <stdio.h>
#include <string.h>

enum {
    LEASE_S = 60,
    FOLLOW_LEASE_S = 30, /* of the thread that has just answered a thin notice */
    UNMATCHED_FIRST_S = 5,
    SESSION_CHECK_S = 60,
};

/* Hands over what was bought, if it can still be had, and posts who gives and who gets. Nothing is
 * handed over to a payer who is first heard of by a refund or a dispute. */
static enum err complete(struct db *db, const struct payment *payment,
                         const struct settlement *news, enum told *ret_told)
{
    struct posting posting;
    struct cart cart;
    bool fresh, delivered = false;
    enum err err = ERR_NONE;
    cart.count = 0;
    if (payment->type == PAYMENT_ITEMS && news->bought == NULL)
        err = items_of_payment(db, payment->id, CART_MAX, &cart);
    if (!err && cart.count > 0 && news->fact == FACT_SUCCEEDED)
        err = cart_deliver(db, payment, &cart, &delivered);
    if (news->bought != NULL) {
        cart = *news->bought;
        delivered = true;
    }
    CRASH_POINT("cart_delivered");
    if (err)
        return err;
    *ret_told = cart.count == 0 ? TOLD_DEPOSIT : delivered ? TOLD_PURCHASE : TOLD_UNDELIVERABLE;
    if (news->truth != NULL && news->truth->card_alias[0] != '\0')
        err = cards_insert(db, payment->id, news->truth->card_alias, news->truth->card_country);
    if (err)
        return err;
    posting_credit(&posting, payment, news->provider, news->truth, delivered ? &cart : NULL);
    return ledger_post(db, payment->id, payment_effect_name(EFFECT_CREDIT), 1, posting.lines,
                       posting.count, &fresh);
}

/* Tells of the payment as it is now. A struct that was never read, or that knows nothing of the
 * refund which is the news, is read anew. */
static enum err tell(struct db *db, const struct payment *payment, enum payment_status status,
                     enum told told)
{
    struct payment now = *payment;
    bool credited = told != TOLD_NOTHING;
    bool known = payment->created_at[0] != '\0' && status <= PAYMENT_COMPLETED;
    enum err err = known ? ERR_NONE : payments_get(db, payment->id, &now);
    if (known)
        now.status = status;
    return err ? err : notify_status(db, &now, credited ? PAYMENT_COMPLETED : status, told);
}

enum err settle_fact(struct db *db, const struct payment *payment, const struct settlement *news)
{
    struct payment_transition next = payment_next(payment->status, news->fact);
    bool credits = next.effect == EFFECT_CREDIT;
    enum told told = TOLD_NOTHING;
    int64_t released;
    if (next.status == payment->status)
        return ERR_NONE;
    enum err err = payments_status_set(db, payment->id, payment->status, next.status);
    if (!err && credits)
        err = complete(db, payment, news, &told);
    if (!err && payment->type == PAYMENT_ITEMS && next.status > PAYMENT_PROCESSING &&
        news->bought == NULL)
        err = items_release(db, payment->id, &released);
    if (!err)
        err = events_insert(db, payment->id, payment_status_name(next.status), news->detail,
                            news->source);
    if (!err && told == TOLD_UNDELIVERABLE)
        err = events_insert(db, payment->id, "undeliverable",
                            "the money went to the payer's balance", news->source);
    if (err || (next.status > PAYMENT_COMPLETED && !credits)) /* refunds are told one by one */
        return err;
    return tell(db, payment, next.status, told);
}

enum err settle_news(struct db *db, const struct payment *payment, const struct settlement *news,
                     const char **ret_mismatch)
{
    *ret_mismatch = NULL;
    switch (news->fact) {
    case FACT_NOTHING:
    case FACT_PROCESSING:
    case FACT_EXPIRED:
    case FACT_FAILED:
    case FACT_SUCCEEDED:
        return settle_fact(db, payment, news);
    case FACT_PARTLY_REFUNDED:
    case FACT_REFUNDED:
        return refund_reported(db, payment, news, ret_mismatch);
    case FACT_DISPUTED:
    case FACT_DISPUTE_WON:
    case FACT_DISPUTE_LOST:
        return dispute_reported(db, payment, news, ret_mismatch);
    case PAYMENT_FACTS:
        break;
    }
    return ERR_INTERNAL;
}

enum err settle_expiry(struct db *db, const char *payment_id)
{
    static const struct settlement over = {
        .fact = FACT_EXPIRED, .detail = "not paid in time", .source = "expiry"};
    struct payment payment;
    int64_t released = 0;
    enum err err = payments_lock(db, payment_id, &payment);
    if (err || payment.id[0] == '\0' || payment.expires_in_ms > 0)
        return err;
    if (payment.status == PAYMENT_PENDING)
        return settle_fact(db, &payment, &over);
    if (payment.status == PAYMENT_PROCESSING)
        err = items_release(db, payment_id, &released);
    if (!err && released > 0)
        err = events_insert(db, payment_id, "released", "the items are no longer held", "expiry");
    return err;
}

/* Was the payment paid with another attempt than this one? */
static bool is_paid_otherwise(const struct payment *payment, const struct attempt *attempt)
{
    return payment->paid_by != 0 && payment->paid_by != attempt->number;
}

/* Is this truth about this payment, in every respect that we know? NULL, or what differs. */
static const char *find_mismatch(const struct provider_driver *driver,
                                 const struct payment *payment, const struct attempt *attempt,
                                 const struct provider_truth *truth)
{
    bool whole = truth->object == PROVIDER_PAYMENT;
    if (truth->stranger != NULL)
        return truth->stranger;
    if (truth->doubt != NULL)
        return truth->doubt;
    if (attempt->id == 0)
        return "the payment was made with another provider";
    if (attempt->left && outcome_is_failure(attempt->outcome))
        return "another provider was asked after this one had refused";
    if (attempt->provider_reference[0] != '\0' &&
        strcmp(attempt->provider_reference, truth->provider_reference) != 0)
        return "another session than the payment's";
    if (whole && driver->fits != NULL && !driver->fits(payment->method, truth->way))
        return "another way of paying than was asked for";
    if (payment_fact_is_paid(truth->fact) && !truth->has_amount)
        return "no amount given";
    if (truth->has_amount &&
        strcmp(money_currency(&truth->amount), money_currency(&payment->amount)) != 0)
        return "another currency than the payment's";
    if (truth->given_back && payment->status == PAYMENT_COMPLETED &&
        !is_paid_otherwise(payment, attempt))
        return "given back to the payer after it was credited";
    if (truth->has_amount && !money_equal(&truth->amount, &payment->amount))
        return "another amount than the payment's";
    return NULL;
}

/* Once: the payer's browser may come back, and ask, any number of times. */
static enum err ask_for_review(struct db *db, const struct payment *payment, const char *provider,
                               const struct provider_truth *truth, const char *why,
                               const char *source, char ret_note[REASON_MAX])
{
    (void)snprintf(ret_note, REASON_MAX, "%s: %s", truth->word, why);
    struct review review = {
        .kind = truth->stranger != NULL ? REVIEW_STRANGER : REVIEW_MISMATCH,
        .fact = truth->given_back && payment_is_paid(payment->status) ? FACT_REFUNDED : truth->fact,
        .note = ret_note};
    (void)text_copy(review.payment_id, sizeof review.payment_id, payment->id);
    (void)text_copy(review.provider, sizeof review.provider, provider);
    enum err err = reviews_put(db, &review);
    return err ? err : events_insert_once(db, payment->id, "review", ret_note, source);
}

/* What the truth means for a create that was never answered, and for the checks that remain. */
static enum err close_attempt(struct db *db, const struct payment *payment,
                              const struct attempt *attempt, const struct provider_truth *truth)
{
    bool paid = payment_fact_is_paid(truth->fact);
    bool over = paid && !attempt->rivalled; /* who knows what becomes of the other attempts? */
    if (attempt->outcome != OUTCOME_NONE)   /* without a URL, the jobs still owe an answer */
        return over && attempt->url[0] != '\0' ? checks_delete(db, payment->id) : ERR_NONE;
    if (!attempt->over || paid) /* its own answer may still come; a paid one the jobs close */
        return ERR_NONE;
    const struct attempt_answer answer = {.outcome = OUTCOME_PENDING,
                                          .provider_reference = truth->provider_reference,
                                          .url = "",
                                          .reason = "learnt from the provider's notice",
                                          .instructions = ""};
    enum err err = answers_insert(db, attempt->id, &answer);
    /* whoever gave up for lack of a session has one to ask about now */
    return err ? err : checks_insert(db, payment->id, SESSION_CHECK_S);
}

/* The first truth about an attempt whose answer told no reference of the provider's ties the two
 * together. *ret_mismatch: that reference pays another payment already. */
static enum err learn(struct db *db, const struct provider_driver *driver,
                      const struct attempt *attempt, const struct provider_truth *truth,
                      const char **ret_mismatch)
{
    bool may_lack = driver->search != NULL || driver->recover != NULL;
    if (!may_lack || attempt->provider_reference[0] != '\0' || truth->provider_reference[0] == '\0')
        return ERR_NONE;
    enum err err = attempts_learn(db, attempt->id, driver->name, truth->provider_reference);
    if (err != ERR_DB_DUPLICATE)
        return err;
    *ret_mismatch = "the session of another payment";
    return ERR_NONE;
}

/* What is said of an attempt is said of its payment, unless another attempt has paid that, or
 * can still be paid. */
static enum err settle_attempt(struct db *db, const struct payment *payment,
                               const struct attempt *attempt, const struct settlement *news,
                               const char **ret_mismatch)
{
    bool paid = payment_fact_is_paid(news->fact);
    *ret_mismatch = NULL;
    if (is_paid_otherwise(payment, attempt))
        return surplus_reported(db, payment, attempt, news, ret_mismatch);
    if (attempt->rivalled && (news->fact == FACT_FAILED || news->fact == FACT_EXPIRED))
        return ERR_NONE;
    enum err err = settle_news(db, payment, news, ret_mismatch);
    return err || !paid || payment->paid_by != 0 || *ret_mismatch != NULL
               ? err
               : payments_paid_by_set(db, payment->id, attempt->number);
}

enum err settle_apply(struct db *db, const struct provider_driver *driver,
                      const struct provider_truth *truth, const char *source,
                      enum settle_verdict *ret_verdict, char ret_note[REASON_MAX])
{
    struct payment payment;
    struct attempt attempt;
    char detail[REASON_MAX], payment_id[IDENT_MAX];
    *ret_verdict = SETTLE_UNMATCHED;
    (void)snprintf(ret_note, REASON_MAX, "no payment of ours has this reference");
    if (!attempt_reference_parse(truth->reference, payment_id))
        return ERR_NONE;
    enum err err = payments_lock(db, payment_id, &payment);
    if (err || payment.id[0] == '\0')
        return err;
    err = attempts_get(db, driver->name, truth->reference, &attempt);
    if (err)
        return err;
    const char *mismatch = find_mismatch(driver, &payment, &attempt, truth);
    (void)snprintf(detail, sizeof detail, "%s says %s%s%s", driver->name, truth->word,
                   truth->why == NULL ? "" : ": ", truth->why == NULL ? "" : truth->why);
    const struct settlement news = {truth->fact, driver->name, truth, detail, source, NULL};
    if (mismatch == NULL)
        err = learn(db, driver, &attempt, truth, &mismatch);
    if (!err && mismatch == NULL)
        err = settle_attempt(db, &payment, &attempt, &news, &mismatch);
    if (err)
        return err;
    if (mismatch != NULL) {
        *ret_verdict = SETTLE_MISMATCH;
        return ask_for_review(db, &payment, driver->name, truth, mismatch, source, ret_note);
    }
    *ret_verdict = SETTLE_APPLIED;
    ret_note[0] = '\0';
    return close_attempt(db, &payment, &attempt, truth);
}

struct notice_unit {
    const struct settings *settings;
    const struct provider_driver *driver;
    const char *body;
    size_t len;
    bool can_follow;
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

static enum err apply_row(struct db *db, const struct settings *settings,
                          const struct provider_driver *driver, const struct notice_row *row,
                          struct settled_notice *ret_notice)
{
    struct provider_truth truth;
    char note[REASON_MAX];
    enum err err = driver->notice(settings, db_arena(db), row->body, row->body_len, &truth);
    if (err)
        return err == ERR_PAYLOAD ? apply_unreadable(db, row, ret_notice) : err;
    (void)text_copy(ret_notice->payment_id, sizeof ret_notice->payment_id, truth.reference);
    (void)text_copy(ret_notice->word, sizeof ret_notice->word, truth.word);
    err = settle_apply(db, driver, &truth, "webhook", &ret_notice->verdict, note);
    if (err)
        return err;
    return end_row(db, row, &truth, ret_notice->verdict, note);
}

/* What a thin notice names is enough to ask about; who asks has it to himself for a while, or else
 * it is due at once. One that is not about us needs no question. */
static enum err apply_hint(struct db *db, const struct notice_unit *unit,
                           const struct notice_row *row, struct settled_notice *ret_notice)
{
    struct provider_truth hint;
    enum err err =
        unit->driver->notice(unit->settings, db_arena(db), row->body, row->body_len, &hint);
    if (err)
        return err == ERR_PAYLOAD ? apply_unreadable(db, row, ret_notice) : err;
    (void)text_copy(ret_notice->payment_id, sizeof ret_notice->payment_id, hint.reference);
    (void)text_copy(ret_notice->word, sizeof ret_notice->word, hint.word);
    ret_notice->verdict = SETTLE_UNMATCHED;
    if (hint.stranger == NULL) {
        ret_notice->left = !unit->can_follow;
        ret_notice->follow_id = unit->can_follow ? row->id : 0;
        return inbox_set(db, row, INBOX_UNMATCHED, "to be asked about", hint.reference,
                         unit->can_follow ? FOLLOW_LEASE_S : 0);
    }
    ret_notice->verdict = SETTLE_MISMATCH;
    return keep_unmatched(db, row, &hint, "");
}

static enum err notice_unit(struct db *db, void *context)
{
    struct notice_unit *unit = context;
    struct notice_row row;
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
    if (unit->driver->thin && row.copies > 1) {
        unit->notice->repeated = true;
        unit->notice->verdict = SETTLE_UNMATCHED;
        return ERR_NONE;
    }
    err = unit->driver->thin ? apply_hint(db, unit, &row, unit->notice)
                             : apply_row(db, unit->settings, unit->driver, &row, unit->notice);
    CRASH_POINT("notice_posted");
    return err;
}

/* Which payment would a notice with everything in it lock? False: one that needs its own row. */
static bool is_about(const struct context *context, struct arena *arena,
                     const struct notice_unit *unit, char ret_payment_id[IDENT_MAX])
{
    struct provider_truth truth;
    return !unit->driver->thin &&
           unit->driver->notice(context->settings, arena, unit->body, unit->len, &truth) ==
               ERR_NONE &&
           attempt_reference_parse(truth.reference, ret_payment_id);
}

enum err settle_notice(struct context *context, struct arena *arena,
                       const struct provider_driver *driver, const char *body, size_t len,
                       bool can_follow, struct settled_notice *ret_notice)
{
    struct notice_unit unit = {context->settings, driver, body, len, can_follow, ret_notice};
    char payment_id[IDENT_MAX];
    CRASH_POINT("notice_proved");
    enum err err = is_about(context, arena, &unit, payment_id)
                       ? db_gather(context->pool, arena, payment_id, notice_unit, &unit)
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
    err = unit->driver->notice(settings, db_arena(db), unit->row.body, unit->row.body_len,
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
    return unit->truth.fact < unit->hint.fact ? "the provider says less than its notice" : NULL;
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
    const struct provider_truth *claim = &unit->hint;
    const char *doubt = find_doubt(unit);
    char note[REASON_MAX] = "no payment of ours has this reference";
    enum err err = ERR_NONE;
    /* that nothing has been paid yet is not worth a second question */
    notice->verdict = unit->hint.fact == FACT_NOTHING ? SETTLE_APPLIED : SETTLE_UNMATCHED;
    if (unit->asked && unit->reading == READING_TRUTH && unit->truth.reference[0] != '\0')
        err = apply_read(db, unit, note);
    else if (unit->asked && unit->reading == READING_TRUTH && unit->truth.stranger != NULL)
        claim = &unit->truth; /* it names nothing of ours */
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

enum err settle_follow(struct context *context, struct arena *arena, int64_t follow_id,
                       struct settled_notice *ret_notice)
{
    struct follow_unit unit = {.context = context, .inbox_id = follow_id, .notice = ret_notice};
    *ret_notice = (struct settled_notice){0};
    CRASH_POINT("notice_answered");
    enum err err = db_query(context->pool, arena, hint_unit, &unit);
    if (err || unit.driver == NULL || unit.row.state != INBOX_UNMATCHED)
        return err; /* it waits for the next lease, or is done */
    (void)text_copy(ret_notice->payment_id, sizeof ret_notice->payment_id, unit.hint.reference);
    (void)text_copy(ret_notice->word, sizeof ret_notice->word, unit.hint.word);
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
    enum err err = inbox_lock(db, unit->inbox_id, &row);
    if (err || row.state != INBOX_UNMATCHED) /* the provider may have sent it again meanwhile */
        return err;
    const struct provider_driver *driver = provider_find(unit->settings, row.provider);
    unit->thin = driver != NULL && driver->thin;
    if (driver == NULL || unit->thin)
        return ERR_NONE; /* its secrets are gone; it waits for the next lease */
    return apply_row(db, unit->settings, driver, &row, &notice);
}

enum err settle_waiting_notice(struct context *context, struct arena *arena, bool *ret_found)
{
    struct waiting_unit unit = {.settings = context->settings};
    struct settled_notice notice;
    enum err err = db_transact(context->pool, arena, take_unit, &unit);
    *ret_found = !err && unit.inbox_id != 0;
    if (!err && *ret_found)
        err = db_transact(context->pool, arena, waiting_unit, &unit);
    if (!err && unit.thin)
        err = settle_follow(context, arena, unit.inbox_id, &notice);
    return err;
}
