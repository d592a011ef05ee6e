/* Applies providers' words to payments. Exactly once by (payment, effect, sequence); the notice's
 * own identity never decides about money. Must not call a provider: units hold a connection. */
#include "flow/settle.h"

#include "base/buf.h"
#include "base/crash.h"
#include "store/ledger.h"
#include "store/messages.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { LEASE_S = 60, UNMATCHED_FIRST_S = 5 };

/* Credit: the provider holds amount and fees for us, owes the fees to itself, we owe the user.
 * A refund takes back the amount; what the payer paid for the service is not returned. */
static enum err post_effect(struct db *db, const struct payment *payment,
                            enum payment_effect effect, const struct provider_truth *truth)
{
    struct ident_text owner = ident_text(payment->user_id);
    bool credit = effect == EFFECT_CREDIT, fees = money_minor_units(&truth->fees) > 0;
    struct money amount = payment->amount, minus = money_negative(&amount), gross, posted;
    struct ledger_line lines[3] = {{.kind = LEDGER_USER, .owner = owner.text}};
    size_t count = 2;
    bool fresh;
    lines[0].amount = credit ? amount : minus;
    lines[1] = (struct ledger_line){LEDGER_PROVIDER, payment->provider, credit ? minus : amount};
    if (credit && fees && money_add(&amount, &truth->fees, &gross)) {
        posted = money_negative(&gross);
        lines[1].amount = posted;
        lines[count++] = (struct ledger_line){LEDGER_PROVIDER_FEES, payment->provider, truth->fees};
    }
    return ledger_post(db, payment->id, payment_effect_name(effect), 1, lines, count, &fresh);
}

static enum err tell_outside(struct db *db, const struct payment *payment,
                             enum payment_status status)
{
    char topic[33];
    if (status == PAYMENT_PROCESSING)
        return ERR_NONE;
    (void)snprintf(topic, sizeof topic, "payment.%s", payment_status_name(status));
    return outbox_put(db, payment->id, topic);
}

enum err settle_fact(struct db *db, const struct payment *payment, enum payment_fact fact,
                     const struct provider_truth *truth, const char *detail, const char *source)
{
    struct payment_transition next = payment_next(payment->status, fact);
    assert(next.effect == EFFECT_NONE || truth != NULL);
    if (next.status == payment->status)
        return ERR_NONE;
    enum err err = payments_status_set(db, payment->id, payment->status, next.status);
    if (!err && next.effect != EFFECT_NONE)
        err = post_effect(db, payment, next.effect, truth);
    if (!err)
        err = events_insert(db, payment->id, payment_status_name(next.status), detail, source);
    return err ? err : tell_outside(db, payment, next.status);
}

/* Is this truth about this payment, in every respect that we know? NULL, or what differs. */
static const char *find_mismatch(const struct payment *payment, const struct attempt *attempt,
                                 const struct provider_driver *driver,
                                 const struct provider_truth *truth)
{
    if (strcmp(payment->provider, driver->name) != 0)
        return "the payment was made with another provider";
    if (attempt->provider_reference[0] != '\0' &&
        strcmp(attempt->provider_reference, truth->provider_reference) != 0)
        return "another session than the payment's";
    if (payment_fact_is_paid(truth->fact) && !truth->has_amount)
        return "no amount given";
    if (truth->has_amount &&
        strcmp(money_currency(&truth->amount), money_currency(&payment->amount)) != 0)
        return "another currency than the payment's";
    if (truth->given_back && payment->status == PAYMENT_COMPLETED)
        return "given back to the payer after it was credited";
    if (truth->has_amount && !money_equal(&truth->amount, &payment->amount))
        return "another amount than the payment's";
    return NULL;
}

static enum err note_mismatch(struct db *db, const struct payment *payment,
                              const struct provider_truth *truth, const char *why,
                              const char *source, char ret_note[REASON_MAX])
{
    (void)snprintf(ret_note, REASON_MAX, "%s: %s", truth->word, why);
    return events_insert(db, payment->id, "review", ret_note, source);
}

/* What the truth means for a create that was never answered, and for the checks that remain. */
static enum err close_attempt(struct db *db, const struct payment *payment,
                              const struct attempt *attempt, const struct provider_truth *truth)
{
    bool paid = payment_fact_is_paid(truth->fact);
    if (attempt->outcome != OUTCOME_NONE) /* without a URL, the jobs still owe an answer */
        return paid && attempt->url[0] != '\0' ? checks_delete(db, payment->id) : ERR_NONE;
    if (!attempt->over || paid) /* its own answer may still come; a paid one the jobs close */
        return ERR_NONE;
    return answers_insert(db, attempt->id, OUTCOME_PENDING, 0, truth->provider_reference, "",
                          "learnt from the provider's notice");
}

enum err settle_apply(struct db *db, const struct provider_driver *driver,
                      const struct provider_truth *truth, const char *source,
                      enum settle_verdict *ret_verdict, char ret_note[REASON_MAX])
{
    struct payment payment;
    struct attempt attempt;
    char detail[REASON_MAX];
    *ret_verdict = SETTLE_UNMATCHED;
    (void)snprintf(ret_note, REASON_MAX, "no payment of ours has this reference");
    if (!ident_valid("PAY_", truth->reference))
        return ERR_NONE;
    enum err err = payments_lock(db, truth->reference, &payment);
    if (err || payment.id[0] == '\0')
        return err;
    err = attempts_last(db, payment.id, &attempt);
    if (err)
        return err;
    const char *mismatch = find_mismatch(&payment, &attempt, driver, truth);
    if (mismatch != NULL) {
        *ret_verdict = SETTLE_MISMATCH;
        return note_mismatch(db, &payment, truth, mismatch, source, ret_note);
    }
    *ret_verdict = SETTLE_APPLIED;
    ret_note[0] = '\0';
    (void)snprintf(detail, sizeof detail, "%s says %s", driver->name, truth->word);
    err = settle_fact(db, &payment, truth->fact, truth, detail, source);
    return err ? err : close_attempt(db, &payment, &attempt, truth);
}

struct notice_unit {
    const struct provider_driver *driver;
    const char *body;
    size_t len;
    struct settled_notice *notice;
};

/* When to try an unmatched notice again: the row may appear any moment, or never. */
static int64_t retry_in_s(int64_t tries)
{
    return tries >= INBOX_TRIES_MAX ? -1 : UNMATCHED_FIRST_S << tries;
}

static enum err apply_row(struct db *db, const struct provider_driver *driver,
                          const struct notice_row *row, struct settled_notice *ret_notice)
{
    struct provider_truth truth;
    char note[REASON_MAX];
    enum err err = driver->notice(db_arena(db), row->body, row->body_len, &truth);
    if (err == ERR_PAYLOAD) {
        ret_notice->verdict = SETTLE_MISMATCH;
        return inbox_set(db, row->id, INBOX_REVIEW, "genuine, but not as documented", "", -1);
    }
    if (err)
        return err;
    (void)text_copy(ret_notice->payment_id, sizeof ret_notice->payment_id, truth.reference);
    (void)text_copy(ret_notice->word, sizeof ret_notice->word, truth.word);
    err = settle_apply(db, driver, &truth, "webhook", &ret_notice->verdict, note);
    if (err)
        return err;
    int64_t retry = ret_notice->verdict == SETTLE_UNMATCHED ? retry_in_s(row->tries) : -1;
    enum inbox_state state = ret_notice->verdict == SETTLE_APPLIED ? INBOX_DONE
                             : retry >= 0                          ? INBOX_UNMATCHED
                                                                   : INBOX_REVIEW;
    return inbox_set(db, row->id, state, note, truth.reference, retry);
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
    err = apply_row(db, unit->driver, &row, unit->notice);
    CRASH_POINT("notice_posted");
    return err;
}

enum err settle_notice(struct context *context, struct arena *arena,
                       const struct provider_driver *driver, const char *body, size_t len,
                       struct settled_notice *ret_notice)
{
    struct notice_unit unit = {driver, body, len, ret_notice};
    CRASH_POINT("notice_proved");
    enum err err = db_transact(context->pool, arena, notice_unit, &unit);
    CRASH_POINT("notice_committed");
    return err;
}

struct waiting_unit {
    const struct settings *settings;
    int64_t inbox_id;
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
    if (driver == NULL)
        return ERR_NONE; /* its secrets are gone; it waits for the next lease */
    return apply_row(db, driver, &row, &notice);
}

enum err settle_waiting_notice(struct context *context, struct arena *arena, bool *ret_found)
{
    struct waiting_unit unit = {.settings = context->settings};
    enum err err = db_transact(context->pool, arena, take_unit, &unit);
    *ret_found = !err && unit.inbox_id != 0;
    if (!err && *ret_found)
        err = db_transact(context->pool, arena, waiting_unit, &unit);
    return err;
}
