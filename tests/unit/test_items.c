/* Items and carts in the database, the history of a balance, alerts and deliveries: what each step
 * changes, what it returns, and what happens once only. Needs a database: see database.h. */
#include "database.h"

#include "store/items.h"
#include "store/ledger.h"
#include "store/messages.h"
#include "store/receivers.h"

#define EIGHT       "Déjà vu "
#define SIXTEEN     EIGHT EIGHT
#define NAME_OF_128 SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN

/* Every test is one unit that is rolled back; it runs as the admin, who may put items on sale. */
static void run_unit_test(enum err (*unit)(struct db *db, void *context))
{
    struct payment_intent intent;
    insert_payment(&intent);
    arena_reset(arena);
    enum err err = db_transact(admin_pool, arena, unit, intent.payment.id);
    if (err != ERR_INTERNAL)
        fail_msg("%s: %s", err_message(err), db_last_problem());
}

static struct money money_of(int64_t units, const char *currency)
{
    struct money money;
    assert_true(money_make(units, currency, &money));
    return money;
}

static void put_item(struct db *db, int64_t asset_id, int64_t state, int64_t price)
{
    assert_int_equal(raw(db,
                         "INSERT INTO items (asset_id, owner_id, state, price, name, game) VALUES"
                         " (%lld, %s, %lld, %lld, 'item', 440)",
                         (long long)asset_id, owner, (long long)state, (long long)price),
                     ERR_NONE);
}

/* Ids that no marketplace has, for the demo's items are in the same table. */
enum { FIRST = -30, SECOND = -20, THIRD = -10 };

static enum err listing_unit(struct db *db, void *context)
{
    struct listing listing;
    (void)context;
    assert_int_equal(items_lock(db, FIRST, &listing), ERR_NONE);
    assert_int_equal(listing.item.asset_id, 0);
    put_item(db, FIRST, 1, 1500);
    assert_int_equal(
        raw(db, "UPDATE items SET name = '%s' WHERE asset_id = %d", NAME_OF_128, FIRST), ERR_NONE);
    assert_int_equal(items_lock(db, FIRST, &listing), ERR_NONE);
    const struct money price = money_of(1500, "USD");
    assert_int_equal(listing.item.asset_id, FIRST);
    assert_int_equal(listing.item.seller_id, user_id);
    assert_true(money_equal(&listing.item.price, &price));
    assert_string_equal(listing.item.name, NAME_OF_128);
    assert_int_equal(listing.state, ITEM_ON_SALE);
    assert_string_equal(listing.held_by, "");
    return ERR_INTERNAL;
}

static void a_listing_is_read_whole(void **state)
{
    (void)state;
    run_unit_test(listing_unit);
}

static const char *holder_of(struct db *db, int64_t asset_id)
{
    struct listing *listing = arena_alloc(arena, sizeof *listing);
    assert_int_equal(items_lock(db, asset_id, listing), ERR_NONE);
    return listing->held_by;
}

static enum err hold_unit(struct db *db, void *context)
{
    const char *id = context;
    struct listing listing;
    int64_t count;
    for (int64_t asset = FIRST; asset <= THIRD; asset += 10)
        put_item(db, asset, 1, 100);
    assert_int_equal(items_hold(db, FIRST, id), ERR_NONE);
    assert_int_equal(items_hold(db, THIRD, id), ERR_NONE);
    assert_string_equal(holder_of(db, FIRST), id);
    assert_string_equal(holder_of(db, SECOND), "");
    assert_int_equal(items_release(db, "PAY_other", &count), ERR_NONE);
    assert_int_equal(count, 0);
    assert_string_equal(holder_of(db, THIRD), id);
    assert_int_equal(items_release(db, id, &count), ERR_NONE);
    assert_int_equal(count, 2);
    assert_string_equal(holder_of(db, FIRST), "");
    assert_int_equal(items_release(db, id, &count), ERR_NONE);
    assert_int_equal(count, 0);

    assert_int_equal(items_hold(db, SECOND, id), ERR_NONE);
    assert_int_equal(items_lock(db, SECOND, &listing), ERR_NONE);
    assert_int_equal(items_hand_over(db, &listing.item, 76561198000000001), ERR_NONE);
    assert_int_equal(items_hand_over(db, &listing.item, 76561198000000001), ERR_DB_CONFLICT);
    assert_int_equal(items_lock(db, SECOND, &listing), ERR_NONE);
    assert_int_equal(listing.item.seller_id, 76561198000000001);
    assert_int_equal(listing.state, 0);
    assert_string_equal(listing.held_by, "");
    return ERR_INTERNAL;
}

static void holds_end_with_release_or_hand_over(void **state)
{
    (void)state;
    run_unit_test(hold_unit);
}

static enum err cart_unit(struct db *db, void *context)
{
    struct item items[] = {
        {THIRD, user_id, money_of(300, "USD"), money_of(300, "USD"), NAME_OF_128},
        {FIRST, user_id, money_of(100, "USD"), money_of(0, "USD"), "first"},
        {SECOND, user_id, money_of(200, "USD"), money_of(10, "USD"), "O'Second \\ \"%"},
    };
    const struct cart cart = {.items = items, .count = COUNT(items)};
    struct cart found;
    assert_int_equal(items_of_payment(db, context, CART_MAX, &found), ERR_NONE);
    assert_true(found.count == 0 && found.items == NULL);
    assert_int_equal(items_of_payment_insert(db, context, &cart), ERR_NONE);
    assert_int_equal(items_of_payment(db, context, CART_MAX, &found), ERR_NONE);
    assert_int_equal(found.count, COUNT(items));
    static const size_t order[] = {1, 2, 0};
    for (size_t i = 0; i < COUNT(order); i++) {
        const struct item *was = &items[order[i]], *is = &found.items[i];
        ROW(is->asset_id == was->asset_id && is->seller_id == was->seller_id, "row %zu: ids", i);
        ROW(money_equal(&is->price, &was->price) && money_equal(&is->fee, &was->fee),
            "row %zu: money", i);
        ROW(strcmp(is->name, was->name) == 0, "row %zu: %s", i, is->name);
    }
    assert_int_equal(items_of_payment_insert(db, context, &cart), ERR_DB_DUPLICATE);
    ROWS_END();
    return ERR_INTERNAL;
}

static void a_cart_comes_back_in_order(void **state)
{
    (void)state;
    run_unit_test(cart_unit);
}

/* What the tables refuse to hold. */
static enum err refusals_unit(struct db *db, void *context)
{
    static const struct {
        int64_t price, fee;
        const char *seller; /* NULL: the test's user */
    } rows[] = {{0, 0, NULL}, {-1, -1, NULL}, {100, 101, NULL}, {100, -1, NULL}, {100, 5, "1"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(raw(db, "SAVEPOINT row"), ERR_NONE);
        enum err err = raw(db,
                           "INSERT INTO payment_items (payment_id, asset_id, seller_id, price, fee,"
                           " name) VALUES ('%s', 1, %s, %lld, %lld, 'x')",
                           (const char *)context, rows[i].seller == NULL ? owner : rows[i].seller,
                           (long long)rows[i].price, (long long)rows[i].fee);
        ROW(err == ERR_DB, "row %zu is taken", i);
        assert_int_equal(raw(db, "ROLLBACK TO SAVEPOINT row"), ERR_NONE);
    }
    ROWS_END();
    return ERR_INTERNAL;
}

static void carts_hold_no_nonsense(void **state)
{
    (void)state;
    run_unit_test(refusals_unit);
}

static void post(struct db *db, const char *document, const char *effect, int64_t units,
                 const char *currency)
{
    const struct money amount = money_of(units, currency);
    const struct ledger_line lines[] = {
        {LEDGER_USER, owner, amount, false},
        {LEDGER_EQUITY, LEDGER_HOUSE, money_negative(&amount), false}};
    bool posted;
    assert_int_equal(ledger_post(db, document, effect, 1, lines, COUNT(lines), &posted), ERR_NONE);
    assert_true(posted);
}

static enum err history_unit(struct db *db, void *context)
{
    static const struct {
        int64_t units, balance;
        const char *effect, *currency;
        bool own;
    } rows[] = {/* newest first */
                {-25, -25, "credit", "XTS", false},
                {-700, 300, "refund", "USD", true},
                {700, 1000, "credit", "USD", true},
                {300, 300, "opening", "USD", false}};
    struct ledger_movement movements[8];
    char document[40];
    size_t count;
    int64_t total, last_id = INT64_MAX;
    (void)snprintf(document, sizeof document, "OPENING_%s", owner);
    post(db, document, "opening", 300, "USD");
    post(db, context, "credit", 700, "USD");
    post(db, context, "refund", -700, "USD");
    (void)snprintf(document, sizeof document, "TEST_%s_none", owner);
    post(db, document, "credit", -25, "XTS");

    assert_int_equal(ledger_history_count(db, user_id, &total), ERR_NONE);
    assert_int_equal(total, COUNT(rows));
    assert_int_equal(ledger_history(db, user_id, COUNT(movements), 0, movements, &count), ERR_NONE);
    assert_int_equal(count, COUNT(rows));
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct ledger_movement *m = &movements[i];
        ROW(m->entry_id < last_id, "row %zu: the order", i);
        ROW(money_minor_units(&m->amount) == rows[i].units &&
                strcmp(money_currency(&m->amount), rows[i].currency) == 0,
            "row %zu: %lld %s", i, (long long)money_minor_units(&m->amount),
            money_currency(&m->amount));
        ROW(m->balance_after == rows[i].balance, "row %zu: %lld afterwards", i,
            (long long)m->balance_after);
        ROW(strcmp(m->effect, rows[i].effect) == 0, "row %zu: %s", i, m->effect);
        ROW(m->own == rows[i].own, "row %zu: own %d", i, m->own);
        ROW(strcmp(m->payment_id, rows[i].own ? (const char *)context : "") == 0, "row %zu: of %s",
            i, m->payment_id);
        ROW(strcmp(m->payment_type, rows[i].own ? "balance" : "") == 0, "row %zu: type %s", i,
            m->payment_type);
        last_id = m->entry_id;
    }
    assert_int_equal(ledger_history(db, user_id, 2, 1, movements, &count), ERR_NONE);
    assert_int_equal(count, 2);
    assert_string_equal(movements[0].effect, "refund");
    assert_int_equal(ledger_history(db, user_id, 2, 4, movements, &count), ERR_NONE);
    assert_int_equal(count, 0);
    ROWS_END();
    return ERR_INTERNAL;
}

static void a_history_tells_every_balance(void **state)
{
    (void)state;
    run_unit_test(history_unit);
}

static enum err alerts_unit(struct db *db, void *context)
{
    struct notification found[2];
    size_t count;
    int64_t unread;
    bool left;
    const char *id = context;
    assert_int_equal(notifications_get(db, user_id, 2, found, &count, &unread), ERR_NONE);
    assert_true(count == 0 && unread == 0);
    assert_int_equal(notifications_put(db, user_id, id, "one", "first"), ERR_NONE);
    assert_int_equal(notifications_put(db, user_id, id, "one", "the same again"), ERR_NONE);
    assert_int_equal(notifications_put(db, user_id, id, "two", "second"), ERR_NONE);
    assert_int_equal(notifications_put(db, user_id, id, "three", "third"), ERR_NONE);
    assert_int_equal(notifications_get(db, user_id, 2, found, &count, &unread), ERR_NONE);
    assert_true(count == 2 && unread == 3);
    assert_string_equal(found[0].text, "third");
    assert_string_equal(found[1].text, "second");
    assert_string_equal(found[0].payment_id, id);
    assert_int_equal(notifications_read(db, user_id + 1, &left), ERR_NONE);
    assert_false(left);
    assert_int_equal(notifications_get(db, user_id, 2, found, &count, &unread), ERR_NONE);
    assert_int_equal(unread, 3);
    assert_int_equal(notifications_read(db, user_id, &left), ERR_NONE);
    assert_int_equal(notifications_put(db, user_id, id, "four", "fourth"), ERR_NONE);
    assert_int_equal(notifications_get(db, user_id, 2, found, &count, &unread), ERR_NONE);
    assert_true(count == 1 && unread == 1);
    assert_string_equal(found[0].text, "fourth");
    /* however many a user has left unread: no statement counts or changes them all */
    assert_int_equal(raw(db,
                         "INSERT INTO notifications (user_id, payment_id, kind, text) SELECT"
                         " %s, '%s', CONCAT('many.', seq), 'x' FROM seq_1_to_1500",
                         owner, id),
                     ERR_NONE);
    assert_int_equal(notifications_get(db, user_id, 2, found, &count, &unread), ERR_NONE);
    assert_int_equal(unread, 1000);
    assert_int_equal(notifications_read(db, user_id, &left), ERR_NONE);
    assert_true(left && db_affected(db) == 1000);
    assert_int_equal(notifications_read(db, user_id, &left), ERR_NONE);
    assert_true(left && db_affected(db) == 501);
    assert_int_equal(notifications_read(db, user_id, &left), ERR_NONE);
    assert_false(left);
    return ERR_INTERNAL;
}

static void an_alert_is_told_once(void **state)
{
    (void)state;
    run_unit_test(alerts_unit);
}

static enum err deliveries_unit(struct db *db, void *context)
{
    const char *id = context;
    const int64_t *outbox_id;
    struct delivery first, again;
    assert_int_equal(deliveries_take(db, "test", 60, &first), ERR_NONE);
    assert_int_equal(first.id, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(outbox_put(db, id, "payment.completed", 1, NULL, &outbox_id), ERR_NONE);
        assert_true((*outbox_id == 0) == (i > 0));
        assert_int_equal(deliveries_put(db, outbox_id, "test"), ERR_NONE);
    }
    assert_int_equal(raw_number(db, "SELECT COUNT(*) FROM deliveries WHERE receiver = 'test'"), 1);
    assert_int_equal(deliveries_take(db, "test", 60, &first), ERR_NONE);
    assert_true(first.id != 0 && first.tries == 0);
    assert_string_equal(first.payment_id, id);
    assert_string_equal(first.topic, "payment.completed");
    assert_string_equal(first.body, "");
    assert_int_equal(deliveries_take(db, "test", 60, &again), ERR_NONE);
    assert_int_equal(again.id, 0); /* leased */
    assert_int_equal(deliveries_set(db, first.id, DELIVERY_WAITING, "busy", 0), ERR_NONE);
    assert_int_equal(deliveries_take(db, "test", 60, &again), ERR_NONE);
    assert_true(again.id == first.id && again.tries == 1);
    assert_int_equal(deliveries_set(db, first.id, DELIVERY_DONE, "", 0), ERR_NONE);
    assert_int_equal(deliveries_set(db, first.id, DELIVERY_WAITING, "late", 0), ERR_NONE);
    assert_int_equal(deliveries_take(db, "test", 60, &again), ERR_NONE);
    assert_int_equal(again.id, 0);
    assert_int_equal(raw_number(db, "SELECT state = 'done' AND due_at IS NULL FROM deliveries"
                                    " WHERE receiver = 'test'"),
                     1);
    return ERR_INTERNAL;
}

static void a_delivery_has_one_taker(void **state)
{
    (void)state;
    run_unit_test(deliveries_unit);
}

/* Runs inside one unit that rolls back, as the others here. */
static enum err receivers_unit(struct db *db, void *context)
{
    const char *id = context;
    const int64_t *outbox_id;
    struct receiver one;
    struct delivery delivery;
    bool left;
    assert_int_equal(receivers_get(db, "unit_1", &one), ERR_NONE);
    assert_false(one.known || one.disabled || one.rests);
    assert_int_equal(receivers_put(db, "unit_1", "https://one.test/"), ERR_NONE);
    assert_int_equal(receivers_put(db, "unit_2", "https://two.test/"), ERR_NONE);
    /* two refunds are two events; a repetition is none, and the first body stays */
    for (int64_t sequence = 1; sequence <= 2; sequence++)
        for (int i = 0; i < 2; i++) {
            assert_int_equal(
                outbox_put(db, id, "payment.refunded", sequence, i == 0 ? "{}" : "[]", &outbox_id),
                ERR_NONE);
            assert_int_equal(deliveries_put_all(db, outbox_id), ERR_NONE);
        }
    assert_int_equal(raw_number(db, "SELECT COUNT(*) FROM deliveries WHERE receiver = 'unit_1'"),
                     2);
    for (int64_t sequence = 1; sequence <= 2; sequence++) {
        assert_int_equal(deliveries_take(db, "unit_2", 60, &delivery), ERR_NONE);
        assert_true(delivery.id != 0 && delivery.sequence == sequence);
        assert_string_equal(delivery.body, "{}");
    }
    /* disabled and enabled: it stays so over a repeated start, but not at another address */
    assert_int_equal(receivers_disable(db, "unit_1", "gone"), ERR_NONE);
    assert_int_equal(receivers_put(db, "unit_1", "https://one.test/"), ERR_NONE);
    assert_int_equal(receivers_get(db, "unit_1", &one), ERR_NONE);
    assert_true(one.known && one.disabled && !one.rests);
    assert_int_equal(receivers_enable(db, "unit_1"), ERR_NONE);
    assert_int_equal(db_affected(db), 1);
    assert_int_equal(receivers_enable(db, "unit_1"), ERR_NONE);
    assert_int_equal(db_affected(db), 0);
    assert_int_equal(receivers_disable(db, "unit_1", "gone"), ERR_NONE);
    assert_int_equal(receivers_put(db, "unit_1", "https://other.test/"), ERR_NONE);
    assert_int_equal(receivers_get(db, "unit_1", &one), ERR_NONE);
    assert_true(one.known && !one.disabled);
    /* a longer rest stays, and ends */
    assert_int_equal(receivers_rest(db, "unit_1", 600, "busy"), ERR_NONE);
    assert_int_equal(receivers_rest(db, "unit_1", 30, "busy"), ERR_NONE);
    assert_int_equal(raw_number(db, "SELECT rests_until > NOW(3) + INTERVAL 590 SECOND"
                                    " FROM receivers WHERE name = 'unit_1'"),
                     1);
    assert_int_equal(receivers_get(db, "unit_1", &one), ERR_NONE);
    assert_true(one.rests);
    assert_int_equal(raw(db, "UPDATE receivers SET rests_until = NOW(3) WHERE name = 'unit_1'"),
                     ERR_NONE);
    assert_int_equal(receivers_get(db, "unit_1", &one), ERR_NONE);
    assert_false(one.rests);
    /* no longer in the settings: nothing waits for it, and nothing is lost, a thousand at a time */
    assert_int_equal(raw(db,
                         "INSERT INTO outbox (payment_id, topic, sequence) SELECT '%s', 'many',"
                         " seq FROM seq_1_to_1500",
                         id),
                     ERR_NONE);
    assert_int_equal(raw(db, "INSERT INTO deliveries (outbox_id, receiver) SELECT outbox_id,"
                             " 'unit_1' FROM outbox WHERE topic = 'many'"),
                     ERR_NONE);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(receivers_remove(db, "unit_1", &left), ERR_NONE);
        assert_int_equal(db_affected(db), i == 0 ? 1000 : i == 1 ? 502 : 0);
        assert_int_equal(left, i < 2);
    }
    assert_int_equal(receivers_get(db, "unit_1", &one), ERR_NONE);
    assert_false(one.known);
    assert_int_equal(raw_number(db, "SELECT COUNT(*) FROM deliveries WHERE receiver = 'unit_1'"
                                    " AND state = 'dead' AND due_at IS NULL"),
                     1502);
    return ERR_INTERNAL;
}

static void receivers_come_and_go(void **state)
{
    (void)state;
    run_unit_test(receivers_unit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_listing_is_read_whole),       TEST(holds_end_with_release_or_hand_over),
        TEST(a_cart_comes_back_in_order),    TEST(carts_hold_no_nonsense),
        TEST(a_history_tells_every_balance), TEST(an_alert_is_told_once),
        TEST(a_delivery_has_one_taker),      TEST(receivers_come_and_go),
    };
    int exit_code;
    if (!database_is_named("items", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("items", tests, database_open, database_close);
}
