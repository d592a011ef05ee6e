/* The first half of a create, before anybody is called: one unit, which takes part in a group where
 * it can. A payment from the balance is over with it. */
#include "flow/begin.h"

#include "base/clock.h"
#include "base/crash.h"
#include "flow/settle.h"
#include "store/items.h"
#include "store/users.h"

#include <string.h>

enum { FIRST_CHECK_S = 10 }; /* when the jobs program first looks at a new payment */

/* Claims the key. ERR_DB_DUPLICATE: this very unit has been committed before. */
static enum err claim_key(struct db *db, struct begun *unit)
{
    const struct idempotency_key *key = &unit->checkout->key;
    unit->kept = (struct kept_answer){0};
    if (key->text[0] == '\0')
        return ERR_NONE;
    enum err err = keys_put(db, key, unit->payment.id, 0, NULL, 0);
    if (err != ERR_DB_DUPLICATE)
        return err;
    err = keys_get(db, key, &unit->kept);
    if (err)
        return err;
    return strcmp(unit->kept.payment_id, unit->payment.id) == 0 ? ERR_DB_DUPLICATE
                                                                : ERR_IDEMPOTENCY_RUNNING;
}

/* The cart is the amount. ERR_CART_RUNNING: the payer has an open payment for it already. */
static enum err choose_items(struct db *db, struct begun *unit)
{
    const struct checkout *checkout = unit->checkout;
    struct cart_choice *choice = &unit->choice;
    if (checkout->wish.count == 0)
        return ERR_NONE;
    enum err err = cart_choose(db, &unit->payment, &checkout->wish, choice);
    if (err)
        return err;
    if (choice->open_payment[0] != '\0')
        return ERR_CART_RUNNING;
    int64_t units = money_minor_units(&choice->total);
    unit->payment.amount = choice->total;
    return units <= PAYMENT_VALUE_MAX &&
                   checkout->drivers[0]->allows(unit->context->settings, units)
               ? ERR_NONE
               : ERR_PARAMETERS;
}

/* A payment that is over at once is told of in the unit that inserts it: its times are known then.
 */
static enum err set_times(struct db *db, struct begun *unit, int64_t *ret_created_ms)
{
    struct payment *payment = &unit->payment;
    int64_t lifetime_ms = unit->checkout->intent.lifetime_s * 1000;
    enum err err = payments_clock(db, ret_created_ms);
    payment->expires_in_ms = lifetime_ms;
    return err || (clock_text(*ret_created_ms, payment->created_at) &&
                   clock_text(*ret_created_ms + lifetime_ms, payment->expires_at))
               ? err
               : ERR_INTERNAL;
}

static enum err insert_intent(struct db *db, struct begun *unit)
{
    struct payment_intent intent = unit->checkout->intent;
    const struct payment *payment = &unit->payment;
    enum err err = unit->checkout->drivers[0]->from_balance
                       ? set_times(db, unit, &intent.created_ms)
                       : ERR_NONE;
    intent.payment = *payment;
    if (!err)
        err = payments_insert(db, &intent);
    if (!err && unit->choice.cart.count > 0)
        err = unit->checkout->drivers[0]->from_balance
                  ? cart_buy(db, payment, &unit->choice.cart)
                  : cart_hold(db, payment->id, &unit->choice.cart);
    CRASH_POINT("create_held");
    return err;
}

static enum err insert_attempt(struct db *db, struct begun *unit)
{
    const struct payment *payment = &unit->payment;
    struct attempt *attempt = &unit->attempt;
    *attempt = (struct attempt){.number = 1};
    (void)text_copy(attempt->provider, sizeof attempt->provider, unit->checkout->drivers[0]->name);
    (void)text_copy(attempt->reference, sizeof attempt->reference, payment->id);
    enum err err = attempts_insert(db, payment, 1, attempt->provider, attempt->reference,
                                   attempt_deadline_ms(unit->context), &attempt->id);
    return err ? err : checks_insert(db, payment->id, FIRST_CHECK_S);
}

/* The whole payment at once: nothing is left to call or to wait for. */
static enum err pay_from_balance(struct db *db, struct begun *unit)
{
    const struct settlement news = {.fact = FACT_SUCCEEDED,
                                    .provider = unit->payment.provider,
                                    .detail = "paid from the balance",
                                    .source = "request",
                                    .bought = &unit->choice.cart};
    enum err err = settle_fact(db, &unit->payment, &news);
    CRASH_POINT("balance_posted");
    if (err)
        return err;
    answer_processed(db_arena(db), unit->payment.id, &unit->answer);
    if (unit->answer.err)
        return unit->answer.err; /* no answer to keep: nothing of this is stored */
    return unit->checkout->key.text[0] == '\0'
               ? ERR_NONE
               : keys_answer(db, unit->payment.id, unit->answer.status, unit->answer.body,
                             unit->answer.len);
}

/* The key first: what it says of a request seen before counts more than what has become of the
 * items since. A group reads before it changes anything; what it would not sell is decided alone.
 */
static enum err claim_and_choose(struct db *db, struct begun *unit)
{
    bool choose_first = db_gathered(db) && unit->checkout->key.text[0] != '\0';
    enum err err = choose_first ? ERR_NONE : claim_key(db, unit);
    if (!err)
        err = choose_items(db, unit);
    if (!choose_first)
        return err;
    return err ? ERR_DB_CONFLICT : claim_key(db, unit);
}

/* A lone one costs no round trip: the database looks at it with what is stored. */
static enum err check_payer(struct db *db, const struct begun *unit)
{
    struct user user;
    if (db_alone_in_group(db))
        return users_require(db, unit->payment.user_id);
    enum err err = users_get(db, unit->payment.user_id, &user);
    return err || users_may_act(&user) ? err : ERR_USER_INVALID;
}

static enum err begin_steps(struct db *db, struct begun *unit)
{
    unit->payment = unit->checkout->intent.payment;
    unit->choice = (struct cart_choice){0};
    enum err err = unit->checkout->payer_unread ? check_payer(db, unit) : ERR_NONE;
    if (!err)
        err = claim_and_choose(db, unit);
    if (!err)
        err = insert_intent(db, unit);
    if (err)
        return err;
    return unit->checkout->drivers[0]->from_balance ? pay_from_balance(db, unit)
                                                    : insert_attempt(db, unit);
}

/* What an earlier run of the unit has stored, after a COMMIT whose answer was lost. If nothing:
 * refusal. */
static enum err load_begun(struct db *db, struct begun *unit, enum err refusal)
{
    enum err err = payments_get(db, unit->checkout->intent.payment.id, &unit->payment);
    if (!err && unit->payment.id[0] == '\0')
        return refusal;
    if (!err)
        err = items_of_payment(db, unit->payment.id, CART_MAX, &unit->choice.cart);
    if (!err)
        answer_processed(db_arena(db), unit->payment.id, &unit->answer);
    if (!err)
        err = attempts_last(db, unit->payment.id, &unit->attempt);
    return err ? err : unit->answer.err; /* no memory for it: it is not called a refusal */
}

static enum err begin_unit(struct db *db, void *context)
{
    struct begun *unit = context;
    bool again = unit->again;
    unit->again = true;
    enum err err = begin_steps(db, unit);
    /* the items may be gone because they are the payer's by now, who may be banned since */
    if (err == ERR_DB_DUPLICATE || (again && (err == ERR_NO_ITEMS || err == ERR_USER_INVALID)))
        err = load_begun(db, unit, err);
    return err;
}

static enum err expire_unit(struct db *db, void *context)
{
    return settle_expiry(db, context);
}

/* Holds are for one unit at a time: what one changes, another of a group might have read before;
 * and carts of several items would not be locked in one order by a group. */
static enum err run_begin_unit(struct context *context, struct arena *arena, struct begun *unit)
{
    const struct checkout *checkout = unit->checkout;
    const struct cart_wish *wish = &checkout->wish;
    struct db_key item = db_key('i', wish->asset_ids[0]);
    struct db_key payer = db_key('u', checkout->intent.payment.user_id);
    if (wish->count > 1 || (wish->count == 1 && !checkout->drivers[0]->from_balance))
        return db_transact(context->pool, arena, begin_unit, unit);
    return db_gather(context->pool, arena,
                     wish->count == 1         ? item.text
                     : checkout->payer_unread ? payer.text
                                              : NULL,
                     begin_unit, unit);
}

static enum err begin_once(struct context *context, struct arena *arena, struct begun *unit)
{
    unit->started_ms = clock_mono_ms();
    enum err err = run_begin_unit(context, arena, unit);
    if (clock_mono_ms() - unit->started_ms > CALL_MARGIN_MS)
        unit->attempt.over = true; /* the jobs program may be at it by now */
    return err;
}

/* Payments whose time is over may still hold what is wanted: they are expired first, each under
 * locks in their usual order, and then the wish is looked at anew. */
enum err begin_payment(struct context *context, struct arena *arena, struct begun *unit)
{
    struct cart_choice *choice = &unit->choice;
    enum err err = begin_once(context, arena, unit);
    if (err != ERR_NO_ITEMS || choice->stale_count == 0)
        return err;
    err = ERR_NONE;
    for (size_t i = 0; i < choice->stale_count && !err; i++)
        err = db_transact(context->pool, arena, expire_unit, choice->stale_holders[i]);
    return err ? err : begin_once(context, arena, unit);
}
