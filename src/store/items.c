/* Steps over items and payment_items. */
#include "store/items.h"

#include <assert.h>

enum err items_lock(struct db *db, int64_t asset_id, struct listing *ret_listing)
{
    struct item *item = &ret_listing->item;
    *ret_listing = (struct listing){0};
    enum err err = db_run(db, SQL_ITEM_LOCK, DB_INT(asset_id));
    if (err || !db_next(db))
        return err;
    bool fine = money_make(db_int(db, 2), db_text(db, 3), &item->price);
    assert(fine); /* the table's own constraints say so */
    item->asset_id = asset_id;
    item->seller_id = db_int(db, 0);
    item->name = db_keep(db, 4);
    ret_listing->state = db_int(db, 1);
    db_copy(db, 5, ret_listing->held_by, sizeof ret_listing->held_by);
    return item->name == NULL ? ERR_OVERLOAD : ERR_NONE;
}

enum err items_hold(struct db *db, int64_t asset_id, const char *payment_id)
{
    return db_run(db, SQL_ITEM_HOLD, DB_TEXT(payment_id), DB_INT(asset_id));
}

enum err items_hand_over(struct db *db, const struct item *item, int64_t to_user)
{
    return db_change(db, SQL_ITEM_HAND_OVER, DB_INT(to_user), DB_INT(item->asset_id),
                     DB_INT(item->seller_id));
}

enum err items_release(struct db *db, const char *payment_id, int64_t *ret_count)
{
    enum err err = db_run(db, SQL_ITEMS_RELEASE, DB_TEXT(payment_id));
    *ret_count = err ? 0 : db_affected(db);
    return err;
}

enum err items_of_payment_insert(struct db *db, const char *payment_id, const struct cart *cart)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; i < cart->count && !err; i++) {
        const struct item *item = &cart->items[i];
        err = db_append(db, SQL_PAYMENT_ITEM_INSERT, DB_TEXT(payment_id), DB_INT(item->asset_id),
                        DB_INT(item->seller_id), DB_INT(money_minor_units(&item->price)),
                        DB_INT(money_minor_units(&item->fee)), DB_TEXT(item->name));
    }
    return err;
}

enum err items_of_payment(struct db *db, const char *payment_id, size_t max, struct cart *ret_cart)
{
    *ret_cart = (struct cart){0};
    enum err err = db_run(db, SQL_ITEMS_OF_PAYMENT, DB_TEXT(payment_id), DB_INT((int64_t)max));
    size_t rows = err ? 0 : (size_t)db_rows(db);
    if (err || rows == 0)
        return err;
    ret_cart->items = arena_alloc(db_arena(db), rows * sizeof *ret_cart->items);
    if (ret_cart->items == NULL)
        return ERR_OVERLOAD;
    while (ret_cart->count < rows && db_next(db)) {
        struct item *item = &ret_cart->items[ret_cart->count++];
        bool fine = money_make(db_int(db, 2), db_text(db, 4), &item->price) &&
                    money_make(db_int(db, 3), db_text(db, 4), &item->fee);
        assert(fine);
        item->asset_id = db_int(db, 0);
        item->seller_id = db_int(db, 1);
        item->name = db_keep(db, 5);
        ret_cart->total = (size_t)db_int(db, 6);
        if (item->name == NULL)
            return ERR_OVERLOAD;
    }
    return ERR_NONE;
}
