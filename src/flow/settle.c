/* Applies providers' words to payments. Exactly once by (payment, effect, sequence); the notice's
 * own identity never decides about money. Units must not call a provider: they hold a connection.
 */
#include "flow/settle.h"

#include "base/buf.h"
#include "base/crash.h"
#include "flow/cart.h"
#include "flow/dispute.h"
#include "flow/notify.h"
#include "flow/posting.h"
#include "flow/refund.h"
#include "flow/surplus.h"
#include "store/items.h"
#include "store/reviews.h"

#include <stdio.h>
#include <string.h>

enum { SESSION_CHECK_S = 60 };

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
    enum err err = payments_status_set(db, payment->id, payment->status, next.status,
                                       payment_is_paid(next.status) ? news->paid_by : 0);
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

static bool is_foreign(const struct money *money, const struct payment *payment)
{
    return strcmp(money_currency(money), money_currency(&payment->amount)) != 0;
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
    if ((payment_fact_is_paid(truth->fact) && !truth->has_amount) ||
        (truth->fact == FACT_PARTLY_REFUNDED && !truth->has_change))
        return "no amount given";
    if ((truth->has_amount && is_foreign(&truth->amount, payment)) ||
        (truth->has_change && is_foreign(&truth->change, payment)))
        return "another currency than the payment's";
    if (truth->given_back && payment_is_paid(payment->status) &&
        payment->status != PAYMENT_REFUNDED && !is_paid_otherwise(payment, attempt))
        return "given back to the payer after it was credited";
    if (truth->has_amount && !money_equal(&truth->amount, &payment->amount))
        return "another amount than the payment's";
    return NULL;
}

/* Once for each amount: the payer's browser may come back, and ask, any number of times. */
static enum err ask_for_review(struct db *db, const struct payment *payment, const char *provider,
                               const struct provider_truth *truth, enum payment_fact fact,
                               const char *why, const char *source, char ret_note[REASON_MAX])
{
    char amount[MONEY_TEXT_MAX], paid[MONEY_TEXT_MAX + 8] = "";
    if (truth->has_amount) {
        money_format(&truth->amount, amount);
        (void)snprintf(paid, sizeof paid, " (%s %s)", amount, money_currency(&truth->amount));
    }
    (void)snprintf(ret_note, REASON_MAX, "%s: %s%s", truth->word, why, paid);
    struct review review = {.kind = truth->stranger != NULL ? REVIEW_STRANGER : REVIEW_MISMATCH,
                            .fact = fact,
                            .note = ret_note};
    (void)text_copy(review.payment_id, sizeof review.payment_id, payment->id);
    (void)text_copy(review.provider, sizeof review.provider, provider);
    enum err err = reviews_put(db, &review);
    return err ? err : events_insert_once(db, payment->id, "review", ret_note, source);
}

/* The order of the facts makes no difference: what was given back is credited when its success is
 * heard of, before or after, and a person looks at it. */
static enum err look_back(struct db *db, const char *provider, const struct payment *payment,
                          const struct attempt *attempt, const struct provider_truth *truth,
                          const char *source)
{
    static const char kind[] = "given_back";
    char note[REASON_MAX];
    bool given_back = false, over = payment->status == PAYMENT_FAILED ||
                                    payment->status == PAYMENT_EXPIRED || attempt->rivalled;
    if (truth->given_back && !payment_is_paid(payment->status))
        return events_insert_once(db, payment->id, kind, attempt->reference, source);
    if (truth->fact != FACT_SUCCEEDED || !over)
        return ERR_NONE;
    enum err err = events_find(db, payment->id, kind, attempt->reference, &given_back);
    return err || !given_back
               ? err
               : ask_for_review(db, payment, provider, truth, FACT_REFUNDED,
                                "given back to the payer before it was credited", source, note);
}

/* What the truth means for a create that was never answered, and for the checks that remain. */
static enum err close_attempt(struct db *db, const struct payment *payment,
                              const struct attempt *attempt, const struct provider_truth *truth)
{
    bool paid = payment_fact_is_paid(truth->fact);
    bool over = paid && !attempt->rivalled; /* who knows what becomes of the other attempts? */
    if (attempt->outcome != OUTCOME_NONE)   /* without a URL, the jobs still owe an answer */
        return over && attempt->url != NULL ? checks_delete(db, payment->id) : ERR_NONE;
    if (!attempt->over || paid) /* its own answer may still come; a paid one the jobs close */
        return ERR_NONE;
    const struct attempt_answer answer = {.outcome = OUTCOME_PENDING,
                                          .provider_reference = truth->provider_reference,
                                          .reason = "learnt from the provider's notice"};
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
enum err settle_attempt(struct db *db, const struct payment *payment, const struct attempt *attempt,
                        const struct settlement *news, const char **ret_mismatch)
{
    bool paid = payment_fact_is_paid(news->fact);
    *ret_mismatch = NULL;
    if (is_paid_otherwise(payment, attempt))
        return surplus_reported(db, payment, attempt, news, ret_mismatch);
    if (attempt->rivalled && (news->fact == FACT_FAILED || news->fact == FACT_EXPIRED))
        return ERR_NONE;
    enum err err = settle_news(db, payment, news, ret_mismatch);
    bool noted = payment->paid_by != 0 || !payment_is_paid(payment->status); /* with its status */
    return err || !paid || noted || *ret_mismatch != NULL
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
    enum err err =
        payments_lock_attempt(db, payment_id, driver->name, truth->reference, &payment, &attempt);
    if (err || payment.id[0] == '\0')
        return err;
    const char *mismatch = find_mismatch(driver, &payment, &attempt, truth);
    (void)snprintf(detail, sizeof detail, "%s says %s%s%s", driver->name, truth->word,
                   truth->why == NULL ? "" : ": ", truth->why == NULL ? "" : truth->why);
    const struct settlement news = {truth->fact, driver->name,   truth, detail,
                                    source,      attempt.number, NULL};
    if (mismatch == NULL)
        err = learn(db, driver, &attempt, truth, &mismatch);
    if (!err && mismatch == NULL)
        err = look_back(db, driver->name, &payment, &attempt, truth, source);
    if (!err && mismatch == NULL)
        err = settle_attempt(db, &payment, &attempt, &news, &mismatch);
    if (!err && mismatch == NULL && truth->warning)
        err = events_insert_once(db, payment.id, "dispute_warning", detail, source);
    if (err)
        return err;
    if (mismatch != NULL) {
        bool taken_back = truth->given_back && payment_is_paid(payment.status);
        *ret_verdict = SETTLE_MISMATCH;
        return ask_for_review(db, &payment, driver->name, truth,
                              taken_back ? FACT_REFUNDED : truth->fact, mismatch, source, ret_note);
    }
    *ret_verdict = SETTLE_APPLIED;
    ret_note[0] = '\0';
    return close_attempt(db, &payment, &attempt, truth);
}
