/* Units whose COMMIT was done though nobody heard of it are run again, and must not take their own
 * work for somebody else's. Needs a database: see database.h. */
#include "flow/refund_order.c" /* first: it knows no globals of tests */

#include "database.h"

#include "flow/notice.h"
#include "flow/settle.h"
#include "provider/mangopay.h"
#include "provider/payviox.h"
#include "store/messages.h"

static struct context context;

static int set_up(void **state)
{
    int failed = database_open(state);
    context = (struct context){.settings = &settings, .pool = pool};
    return failed;
}

/* The next COMMIT is done, and its answer does not come. */
static void lose_answer(void)
{
#ifdef FAIL_POINTS
    fail_arm(FAIL_COMMIT, FAIL_AFTER, 1, false);
#endif
}

static void assert_lost(void)
{
#ifdef FAIL_POINTS
    assert_true(fail_disarm());
#endif
}

static enum err forget_unit(struct db *db, void *body)
{
    return raw(db, "DELETE FROM inbox WHERE body = '%s'", (const char *)body);
}

/* Whoever stored a thin notice asks about it, and not the jobs when its lease is over. */
static void a_thin_notice_is_still_followed(void **state)
{
    struct settled_notice notice;
    char body[100];
    (void)state;
    int len = snprintf(body, sizeof body, "EventType=PAYIN_NORMAL_SUCCEEDED&RessourceId=p%s&Date=1",
                       owner);
    for (int copy = 0; copy < 2; copy++) {
        arena_reset(arena);
        if (copy == 0)
            lose_answer();
        assert_int_equal(
            notice_settle(&context, arena, &mangopay_driver, body, (size_t)len, true, &notice),
            ERR_NONE);
        assert_true(copy > 0 ? notice.repeated && notice.follow_id == 0
                             : !notice.repeated && notice.follow_id != 0);
    }
    assert_lost();
    assert_int_equal(db_transact(admin_pool, arena, forget_unit, body), ERR_NONE);
}

struct order_test {
    struct payment_intent intent;
    struct refund_order order;
    char note[REASON_MAX];
};

/* A deposit that is paid, and a refund of a part that its provider is asked for. */
static enum err paid_unit(struct db *db, void *test)
{
    struct order_test *t = test;
    const struct payment *payment = &t->intent.payment;
    struct provider_truth truth = {
        .fact = FACT_SUCCEEDED, .has_amount = true, .amount = payment->amount};
    enum settle_verdict verdict;
    char note[REASON_MAX];
    int64_t id;
    (void)text_copy(truth.reference, sizeof truth.reference, payment->id);
    enum err err = attempts_insert(db, payment, 1, "payviox", payment->id, 20000, &id);
    if (!err)
        err = settle_apply(db, &payviox_driver, &truth, "webhook", &verdict, note);
    return err ? err : orders_insert(db, payment, &t->order, 3600);
}

static enum err note_unit(struct db *db, void *test)
{
    struct order_test *t = test;
    assert_int_equal(mysql_query(db->mysql,
                                 "SELECT note FROM refund_orders ORDER BY created_at DESC"
                                 " LIMIT 1"),
                     0);
    MYSQL_RES *result = mysql_store_result(db->mysql);
    (void)text_copy(t->note, sizeof t->note, mysql_fetch_row(result)[0]);
    mysql_free_result(result);
    return ERR_NONE;
}

static void a_refund_keeps_its_note(void **state)
{
    struct order_test t = {.order = {.attempt = 1, .reason = "", .operator_id = user_id}};
    (void)state;
    insert_payment(&t.intent);
    ident_new("REF_", t.order.id);
    assert_true(money_make(2500, "USD", &t.order.amount));
    assert_int_equal(db_transact(pool, arena, paid_unit, &t), ERR_NONE);
    struct order_unit unit = {.context = &context,
                              .payment_id = t.intent.payment.id,
                              .refund_id = t.order.id,
                              .result = {.outcome = OUTCOME_DONE, .provider_reference = "re_1"}};
    lose_answer();
    assert_int_equal(db_transact(pool, arena, finish_unit, &unit), ERR_NONE);
    assert_lost();
    assert_int_equal(unit.order.state, ORDER_DONE);
    assert_int_equal(money_minor_units(&unit.payment.refunded), 2500);
    assert_int_equal(db_query(admin_pool, arena, note_unit, &t), ERR_NONE);
    assert_string_equal(t.note, "the provider has given it back");
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(a_thin_notice_is_still_followed),
                                       TEST(a_refund_keeps_its_note)};
    int exit_code = 1;
    if (!database_is_named("test_repeat", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("repeat", tests, set_up, database_close);
}
