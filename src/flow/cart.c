/* Decides over items under their row locks, by ascending asset id so that two carts never wait for
 * each other. Must not post money: settle does, for what is handed over here. */
#include "flow/cart.h"

#include "base/buf.h"
#include "store/items.h"

#include <string.h>

/* Who holds the items looked at so far, as far as it is the payer. */
struct holder {
    struct payment payment; /* the holder looked up last; id "": none yet */
    bool everything;        /* each item so far is held by that one */
};

/* ERR_NO_ITEMS: held by somebody else. */
static enum err look_at_holder(struct db *db, const struct payment *payment,
                               const struct listing *listing, struct holder *holder,
                               struct cart_choice *choice)
{
    if (listing->held_by[0] == '\0' || strcmp(listing->held_by, payment->id) == 0) {
        holder->everything = false;
        return ERR_NONE;
    }
    if (strcmp(listing->held_by, holder->payment.id) != 0) {
        holder->everything &= holder->payment.id[0] == '\0';
        enum err err = payments_get(db, listing->held_by, &holder->payment);
        if (err)
            return err;
    }
    if (holder->payment.user_id == payment->user_id)
        return ERR_NONE;
    if (holder->payment.expires_in_ms <= 0)
        (void)text_copy(choice->stale_holders[choice->stale_count++], IDENT_MAX,
                        holder->payment.id);
    return ERR_NO_ITEMS;
}

static bool is_for_sale(const struct payment *payment, const struct listing *listing)
{
    return listing->item.asset_id != 0 && listing->state == ITEM_ON_SALE &&
           listing->item.seller_id != payment->user_id &&
           strcmp(money_currency(&listing->item.price), money_currency(&payment->amount)) == 0;
}

static enum err choose_one(struct db *db, const struct payment *payment, int64_t asset_id,
                           int64_t fee_bps, struct holder *holder, struct cart_choice *choice)
{
    struct listing listing;
    struct item *item = &choice->cart.items[choice->cart.count];
    enum err err = items_lock(db, asset_id, &listing);
    if (!err && !is_for_sale(payment, &listing))
        err = ERR_NO_ITEMS;
    if (!err)
        err = look_at_holder(db, payment, &listing, holder, choice);
    if (err)
        return err;
    *item = listing.item;
    choice->cart.count++;
    return money_share(&item->price, fee_bps, &item->fee) &&
                   money_add(&choice->total, &item->price, &choice->total)
               ? ERR_NONE
               : ERR_PARAMETERS;
}

/* The same wish again, while the first one may still be paid, or is being verified? */
static enum err find_open_payment(struct db *db, const struct payment *payment,
                                  const struct holder *holder, struct cart_choice *choice)
{
    const struct payment *open = &holder->payment;
    struct cart cart;
    bool alive = open->status == PAYMENT_PENDING || open->status == PAYMENT_PROCESSING;
    if (!holder->everything || !alive || open->expires_in_ms <= 0 ||
        open->surface != payment->surface || strcmp(open->provider, payment->provider) != 0 ||
        strcmp(open->method, payment->method) != 0)
        return ERR_NONE;
    enum err err = items_of_payment(db, open->id, CART_MAX, &cart);
    if (!err && cart.count == choice->cart.count)
        (void)text_copy(choice->open_payment, IDENT_MAX, open->id);
    return err;
}

enum err cart_choose(struct db *db, const struct payment *payment, const struct cart_wish *wish,
                     struct cart_choice *ret_choice)
{
    struct holder holder = {.everything = true};
    enum err err = ERR_NONE;
    bool refused = false;
    *ret_choice = (struct cart_choice){0};
    ret_choice->cart.items = arena_alloc(db_arena(db), wish->count * sizeof(struct item));
    if (ret_choice->cart.items == NULL ||
        !money_make(0, money_currency(&payment->amount), &ret_choice->total))
        return ERR_OVERLOAD;
    for (size_t i = 0; i < wish->count && !err; i++) {
        err = choose_one(db, payment, wish->asset_ids[i], wish->fee_bps, &holder, ret_choice);
        refused |= err == ERR_NO_ITEMS;
        err = err == ERR_NO_ITEMS ? ERR_NONE : err; /* the next one may have a stale holder too */
    }
    if (!err && refused)
        err = ERR_NO_ITEMS;
    return err ? err : find_open_payment(db, payment, &holder, ret_choice);
}

enum err cart_hold(struct db *db, const char *payment_id, const struct cart *cart)
{
    enum err err = items_of_payment_insert(db, payment_id, cart);
    for (size_t i = 0; i < cart->count && !err; i++)
        err = items_hold(db, cart->items[i].asset_id, payment_id);
    return err;
}

/* Ours as long as we hold it; a hold that is over leaves the item to whoever comes first. */
static bool can_be_had(const struct payment *payment, const struct item *sold,
                       const struct listing *listing)
{
    bool held = strcmp(listing->held_by, payment->id) == 0;
    return listing->item.asset_id != 0 && listing->state == ITEM_ON_SALE &&
           listing->item.seller_id == sold->seller_id &&
           (held ||
            (listing->held_by[0] == '\0' && money_equal(&listing->item.price, &sold->price)));
}

enum err cart_deliver(struct db *db, const struct payment *payment, const struct cart *cart,
                      bool *ret_delivered)
{
    struct listing listing;
    int64_t released;
    enum err err = ERR_NONE;
    *ret_delivered = true;
    for (size_t i = 0; i < cart->count && !err; i++) {
        err = items_lock(db, cart->items[i].asset_id, &listing);
        *ret_delivered &= !err && can_be_had(payment, &cart->items[i], &listing);
    }
    if (!err && !*ret_delivered)
        return items_release(db, payment->id, &released);
    for (size_t i = 0; i < cart->count && !err; i++)
        err = items_hand_over(db, &cart->items[i], payment->user_id);
    return err;
}

enum err cart_buy(struct db *db, const struct payment *payment, const struct cart *cart)
{
    enum err err = items_of_payment_insert(db, payment->id, cart);
    for (size_t i = 0; i < cart->count && !err; i++)
        err = items_hand_over(db, &cart->items[i], payment->user_id);
    return err;
}
