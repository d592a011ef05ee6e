/* Rows that a group changes with one statement for all: each as its own unit wants. Needs a
 * database: see database.h. */
#include "store/gather.c"

#include "groups.h"

#include "store/items.h"
#include "store/keys.h"

enum { UNITS = 6, ODD = 2, FIRST_ASSET = -200 };

static const int64_t buyers[] = {76561198000000001, 76561198000000002}; /* the demo's */

struct change {
    enum payment_status from, to;
    int64_t paid_by, buyer;
    int status; /* of the answer that is kept */
    struct item item;
    struct payment_intent intent;
    struct idempotency_key key;
    char body[IDENT_MAX + 8];
    int runs, runs_in_group;
    enum err err;
    pthread_t thread;
};

static enum err change_unit(struct db *db, void *context)
{
    struct change *change = context;
    change->runs++;
    change->runs_in_group += db_gathered(db);
    const char *id = change->intent.payment.id;
    enum err err = payments_status_set(db, id, change->from, change->to, change->paid_by);
    if (!err)
        err = items_hand_over(db, &change->item, change->buyer);
    return err ? err : keys_answer(db, id, change->status, change->body, strlen(change->body));
}

static void *change_in_thread(void *context)
{
    struct change *change = context;
    struct arena *own = arena_new(ARENA_BYTES);
    assert_non_null(own);
    change->err = db_gather(pool, own, NULL, change_unit, change);
    arena_free(own);
    mysql_thread_end();
    return NULL;
}

static enum err clear_unit(struct db *db, void *context)
{
    (void)context;
    return raw(db, "DELETE FROM items WHERE asset_id < 0");
}

static enum err put_unit(struct db *db, void *context)
{
    const struct change *change = context;
    enum err err = keys_put(db, &change->key, change->intent.payment.id, 0, NULL, 0);
    if (err)
        return err;
    return raw(db,
               "INSERT INTO items (asset_id, owner_id, state, price, name, game) VALUES"
               " (%lld, %s, 1, 100, 'item', 440)",
               (long long)change->item.asset_id, owner);
}

static void run_changes(struct change *changes)
{
    assert_int_equal(db_transact(admin_pool, arena, clear_unit, NULL), ERR_NONE);
    for (int i = 0; i < UNITS; i++) {
        insert_payment(&changes[i].intent);
        changes[i].key = (struct idempotency_key){.user_id = user_id, .path = "/payment"};
        (void)text_copy(changes[i].key.text, sizeof changes[i].key.text,
                        changes[i].intent.payment.id);
        (void)snprintf(changes[i].body, sizeof changes[i].body, "\xc3\xa9 %s",
                       changes[i].intent.payment.id);
        changes[i].item.asset_id = FIRST_ASSET + i;
        assert_int_equal(db_transact(admin_pool, arena, put_unit, &changes[i]), ERR_NONE);
    }
    hold();
    for (size_t i = 0; i < UNITS; i++)
        start_waiting(&changes[i].thread, change_in_thread, &changes[i], i);
    let_go();
    for (int i = 0; i < UNITS; i++)
        assert_int_equal(pthread_join(changes[i].thread, NULL), 0);
}

struct found {
    const struct change *change;
    struct payment payment;
    struct listing listing;
    struct kept_answer answer;
};

static enum err read_unit(struct db *db, void *context)
{
    struct found *found = context;
    enum err err = payments_get(db, found->change->intent.payment.id, &found->payment);
    if (!err)
        err = items_lock(db, found->change->item.asset_id, &found->listing);
    return err ? err : keys_get(db, &found->change->key, &found->answer);
}

/* As it wants, or not at all. */
static bool is_as_wanted(const struct change *change, bool done)
{
    struct found o = {.change = change};
    size_t len = strlen(change->body);
    arena_reset(arena);
    assert_int_equal(db_transact(admin_pool, arena, read_unit, &o), ERR_NONE);
    if (!done)
        return o.payment.status == PAYMENT_PENDING && o.payment.paid_by == 0 &&
               o.listing.state == ITEM_ON_SALE && o.listing.item.seller_id == user_id &&
               o.answer.status == 0;
    return o.payment.status == change->to && o.payment.paid_by == change->paid_by &&
           o.listing.state != ITEM_ON_SALE && o.listing.item.seller_id == change->buyer &&
           o.answer.status == change->status && o.answer.body_len == len &&
           memcmp(o.answer.body, change->body, len) == 0;
}

/* One of the units is another than the rest, or expects what is not so. */
static void each_row_is_changed_as_its_unit_wants(void **state)
{
    static const struct {
        const char *what;
        enum payment_status from, to;
        int64_t paid_by;
        int status;
        bool others_item, done;
    } rows[] = {
        {"all alike", PAYMENT_PENDING, PAYMENT_COMPLETED, 1, 200, false, true},
        {"another status", PAYMENT_PENDING, PAYMENT_FAILED, 0, 200, false, true},
        {"paid by another attempt", PAYMENT_PENDING, PAYMENT_COMPLETED, 2, 200, false, true},
        {"another answer", PAYMENT_PENDING, PAYMENT_COMPLETED, 1, 402, false, true},
        {"not in that status", PAYMENT_PROCESSING, PAYMENT_COMPLETED, 1, 200, false, false},
        {"an item of somebody else", PAYMENT_PENDING, PAYMENT_COMPLETED, 1, 200, true, false},
    };
    (void)state;
    for (size_t r = 0; r < COUNT(rows); r++) {
        struct change changes[UNITS] = {0};
        for (int i = 0; i < UNITS; i++)
            changes[i] =
                (struct change){PAYMENT_PENDING,          PAYMENT_COMPLETED, 1, buyers[i % 2], 200,
                                .item.seller_id = user_id};
        changes[ODD].from = rows[r].from;
        changes[ODD].to = rows[r].to;
        changes[ODD].paid_by = rows[r].paid_by;
        changes[ODD].status = rows[r].status;
        changes[ODD].item.seller_id = rows[r].others_item ? buyers[0] : user_id;
        run_changes(changes);
        for (int i = 0; i < UNITS; i++) {
            bool done = i != ODD || rows[r].done;
            ROW((changes[i].err == ERR_NONE) == done, "%s, unit %d: %s", rows[r].what, i,
                err_message(changes[i].err));
            ROW(is_as_wanted(&changes[i], done), "%s, unit %d", rows[r].what, i);
            ROW(changes[i].runs_in_group == 1 && (changes[i].runs == 1) == rows[r].done,
                "%s, unit %d: ran %d times, %d in a group", rows[r].what, i, changes[i].runs,
                changes[i].runs_in_group);
        }
    }
    ROWS_END();
}

static int close_without_items(void **state)
{
    assert_int_equal(db_transact(admin_pool, arena, clear_unit, NULL), ERR_NONE);
    return database_close(state);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(each_row_is_changed_as_its_unit_wants),
    };
    int exit_code;
    if (!database_is_named("held", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("held", tests, database_open, close_without_items);
}
