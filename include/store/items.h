/* What is for sale, and the carts of payments. Every function is a step inside a unit of work
 * (store/db.h). Items are locked by ascending asset_id, after the payment if there is one. */
#ifndef STORE_ITEMS_H
#define STORE_ITEMS_H

#include "base/ident.h"
#include "domain/cart.h"
#include "domain/item.h"
#include "store/db.h"

#define ITEM_ON_SALE 1 /* Mannco's state; 0 is the owner's inventory */

/* An item as it is now. */
struct listing {
    struct item item; /* asset_id 0: there is none; its seller is the owner */
    int64_t state;
    char held_by[IDENT_MAX]; /* the open payment that reserves it; "": nobody */
};

/* Locked until the unit ends. */
enum err items_lock(struct db *db, int64_t asset_id, struct listing *ret_listing) MUST_CHECK;

/* Of an item that the unit has locked. */
enum err items_hold(struct db *db, int64_t asset_id, const char *payment_id) MUST_CHECK;
/* From its seller, as long as it is on sale: ERR_DB_CONFLICT. */
enum err items_hand_over(struct db *db, const struct item *item, int64_t to_user) MUST_CHECK;

/* Ends what the payment holds; *ret_count tells how many items that were. */
enum err items_release(struct db *db, const char *payment_id, int64_t *ret_count) MUST_CHECK;

/* The cart of a payment, written once. */
enum err items_of_payment_insert(struct db *db, const char *payment_id,
                                 const struct cart *cart) MUST_CHECK;

/* The first max of them, in the unit's arena; empty for a payment that buys none. */
enum err items_of_payment(struct db *db, const char *payment_id, size_t max,
                          struct cart *ret_cart) MUST_CHECK;

#endif
