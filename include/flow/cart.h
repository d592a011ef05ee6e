/* The items of a payment: chosen, held while it is open, then handed over or released. Every
 * function is a step inside a unit of work that has locked the payment, if it exists already. */
#ifndef FLOW_CART_H
#define FLOW_CART_H

#include "domain/cart.h"
#include "domain/item.h"
#include "store/payments.h"

/* What the payer asks for. */
struct cart_wish {
    int64_t asset_ids[CART_MAX]; /* ascending */
    size_t count;                /* 0: no items */
    int64_t fee_bps;             /* of a seller's price, for the house */
};

/* What became of it. */
struct cart_choice {
    struct cart cart; /* in the unit's arena */
    struct money total;
    char
        open_payment[IDENT_MAX]; /* the payer's own, still open, for the very same cart; "": none */
    /* with ERR_NO_ITEMS: payments that hold still, though they are over by the database's clock */
    char stale_holders[CART_MAX][IDENT_MAX];
    size_t stale_count;
};

/* Locks the items and says whether this payment may have them: on sale, in its
 * currency, not the payer's own, not held by somebody else. What another open payment of the same
 * payer holds may be taken over. ERR_NO_ITEMS: not all of them. */
enum err cart_choose(struct db *db, const struct payment *payment, const struct cart_wish *wish,
                     struct cart_choice *ret_choice) MUST_CHECK;

/* Writes the cart down and holds its items for the payment. */
enum err cart_hold(struct db *db, const char *payment_id, const struct cart *cart) MUST_CHECK;

/* The same for a payment that is over at once: chosen items are handed over, and not held. */
enum err cart_buy(struct db *db, const struct payment *payment, const struct cart *cart) MUST_CHECK;

/* Hands over the items of a payment that has been paid, all or none. False: one of them can no
 * longer be had; then none changes its owner and what was held is released. */
enum err cart_deliver(struct db *db, const struct payment *payment, const struct cart *cart,
                      bool *ret_delivered) MUST_CHECK;

#endif
