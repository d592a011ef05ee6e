/* The paths that money takes, for test_torture: what is prepared, what is done, and what there is
 * of it in the end. */
#ifndef UNIT_TORTURE_PATHS_H
#define UNIT_TORTURE_PATHS_H

#include "torture_judge.h"

static void post(const char *path, const char *body, struct reply *ret_reply)
{
    call_guichet(&(struct ask){"POST", path, "", body, NULL, false}, ret_reply);
}

static const char *items_body(void)
{
    static char body[200];
    (void)snprintf(body, sizeof body,
                   "{\"type\":\"items\",\"items\":\"%lld,%lld\",\"tos_timestamp\":1706745600}",
                   (long long)run.asset, (long long)run.asset + 1);
    return body;
}

static void deposit(struct reply *ret_reply)
{
    post("/payment/payviox", "{\"type\":\"balance\",\"value\":2500,\"tos_timestamp\":1706745600}",
         ret_reply);
}

static void buy_by_card(struct reply *ret_reply)
{
    post("/payment/payviox", items_body(), ret_reply);
}

static void buy_from_balance(struct reply *ret_reply)
{
    post("/payment/mannco", items_body(), ret_reply);
}

/* The first partner refuses every order, the second one takes it. */
static void deposit_by_brand(struct reply *ret_reply)
{
    post("/paiement/mannco",
         "{\"amount\":2500,\"currency\":\"USD\",\"returnUrl\":\"https://yourapp.com/paid\"}",
         ret_reply);
}

static void make_first_refuse(void)
{
    place_first("/first");
}

static void make_balance_small(void)
{
    tell("UPDATE items SET price = 6000 WHERE state = 1");
}

/* Then the payer is looked at with what is stored. */
static void lose_key(void)
{
    run.keyless = true;
}

static void ban_payer(void)
{
    lose_key();
    tell("UPDATE users SET banned_at = NOW(3) WHERE user_id = #");
}

static void must_make(void (*create)(struct reply *))
{
    struct reply reply;
    create(&reply);
    assert_int_equal(reply.status, 200);
    remember_payment(&reply);
}

static void make_paid_deposit(void)
{
    must_make(deposit);
    pay_on_page();
}

static void make_paid_cart(void)
{
    must_make(buy_by_card);
    pay_on_page();
}

static void send_notice(struct reply *ret_reply)
{
    int64_t amount = ask("SELECT amount FROM payments WHERE user_id = #");
    notify_of(run.payment, "succeeded", amount, ret_reply);
}

static void come_back(struct reply *ret_reply)
{
    char query[100];
    (void)snprintf(query, sizeof query, "order_id=%s", run.payment);
    call_guichet(&(struct ask){"GET", "/return/payviox", query, "", NULL, false}, ret_reply);
}

static void make_paid_and_due(void)
{
    make_paid_cart();
    hurry();
}

static void make_unanswered_create(enum bank_fault fault)
{
    struct reply reply;
    bank_arm(fault, 1);
    deposit(&reply);
    assert_int_equal(reply.status, 504);
    remember_payment(&reply);
    (void)bank_disarm();
    hurry();
}

/* A create that was sent, and never arrived: the jobs send it again. */
static void make_lost_create(void)
{
    make_unanswered_create(BANK_LOST);
}

/* One that did arrive: nobody knows its page, so the jobs make another. */
static void make_unheard_create(void)
{
    make_unanswered_create(BANK_DONE);
}

static void make_over(void)
{
    must_make(buy_by_card);
    expire_all();
    hurry();
}

static void make_mail_due(void)
{
    struct reply reply;
    make_paid_deposit();
    send_notice(&reply);
    assert_int_equal(reply.status, 200);
    hurry();
}

static void make_balance_mail_due(void)
{
    must_make(buy_from_balance);
    hurry();
}

static enum err early_unit(struct db *db, void *context)
{
    struct payment_intent *intent = context;
    int64_t id;
    enum err err = payments_insert(db, intent);
    if (!err)
        err = attempts_insert(db, &intent->payment, 1, "payviox", intent->payment.id, 1, &id);
    return err ? err : checks_insert(db, intent->payment.id, 10);
}

/* The notice of a payment whose row appears only afterwards. */
static void make_early_notice(void)
{
    struct payment_intent intent;
    struct reply reply;
    make_intent(&intent);
    intent.payment.user_id = run.buyer;
    assert_true(money_make(DEPOSIT, "USD", &intent.payment.amount));
    (void)text_copy(intent.payment.provider, PROVIDER_NAME_MAX, "payviox");
    (void)text_copy(run.payment, IDENT_MAX, intent.payment.id);
    notify_of(run.payment, "succeeded", DEPOSIT, &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(db_transact(pool, arena, early_unit, &intent), ERR_NONE);
    (void)pthread_mutex_lock(&server.lock);
    (void)bank_add(run.payment, DEPOSIT);
    (void)pthread_mutex_unlock(&server.lock);
    pay_on_page();
    hurry();
}

static void give_back_of(const char *body, struct reply *ret_reply)
{
    char path[80];
    (void)snprintf(path, sizeof path, "/payments/%s/refunds", run.payment);
    call_guichet(&(struct ask){"POST", path, "", body, NULL, true}, ret_reply);
}

static void give_back(struct reply *ret_reply)
{
    give_back_of("{\"reason\":\"torture\"}", ret_reply);
}

static void give_back_part(struct reply *ret_reply)
{
    give_back_of("{\"amount\":1000}", ret_reply);
}

static void tell_refund(struct reply *ret_reply)
{
    notify_of(run.payment, "refunded", DEPOSIT, ret_reply);
}

static void must(void (*act)(struct reply *))
{
    struct reply reply;
    act(&reply);
    assert_int_equal(reply.status, 200);
}

static void make_completed_deposit(void)
{
    make_paid_deposit();
    must(send_notice);
}

static void make_completed_cart(void)
{
    make_paid_cart();
    must(send_notice);
}

static void make_purchase(void)
{
    must_make(buy_from_balance);
}

static void make_refund(void)
{
    make_completed_deposit();
    must(give_back);
}

/* --- two sessions of one payment --- */

static void pay_lost(void)
{
    (void)pthread_mutex_lock(&server.lock);
    bank.sessions[0].paid = true;
    (void)pthread_mutex_unlock(&server.lock);
}

static void make_two_sessions(void)
{
    make_unheard_create();
    jobs_until_idle();
    assert_int_equal(bank.count, 2);
}

static void make_lost_paid(void)
{
    make_two_sessions();
    pay_lost();
}

static void make_paid_twice(void)
{
    struct reply reply;
    make_two_sessions();
    pay_on_page();
    notify_of(bank.sessions[1].order, "succeeded", DEPOSIT, &reply);
    assert_int_equal(reply.status, 200);
    pay_lost();
}

static void tell_lost(struct reply *ret_reply)
{
    notify_of(run.payment, "succeeded", DEPOSIT, ret_reply);
}

static void make_surplus(void)
{
    make_paid_twice();
    must(tell_lost);
}

/* --- Mangopay: its notices only name what has happened --- */

static void deposit_at_mangopay(struct reply *ret_reply)
{
    post("/payment/mangopay", "{\"type\":\"balance\",\"value\":2500,\"tos_timestamp\":1706745600}",
         ret_reply);
}

static void hint(const char *event, const char *letter, struct reply *ret_reply)
{
    char query[120];
    (void)snprintf(query, sizeof query, "EventType=%s&RessourceId=%s%s&Date=1", event, letter,
                   bank.sessions[0].id);
    call_guichet(&(struct ask){"GET", "/webhook/mangopay", query, "", NULL, false}, ret_reply);
}

static void hint_payment(struct reply *ret_reply)
{
    hint("PAYIN_NORMAL_SUCCEEDED", "", ret_reply);
}

static void hint_refund(struct reply *ret_reply)
{
    hint("PAYIN_REFUND_SUCCEEDED", "R", ret_reply);
}

static void hint_dispute(struct reply *ret_reply)
{
    hint("DISPUTE_CREATED", "D", ret_reply);
}

static void hint_end(struct reply *ret_reply)
{
    hint("DISPUTE_CLOSED", "D", ret_reply);
}

static void make_mangopay_paid(void)
{
    must_make(deposit_at_mangopay);
    pay_on_page();
}

static void make_mangopay_completed(void)
{
    make_mangopay_paid();
    must(hint_payment);
}

/* The provider has given back, and nobody has heard of it. */
static void make_unheard_refund(void)
{
    make_mangopay_completed();
    bank_arm(BANK_SILENT, 2); /* after the payment was read */
    must(give_back_part);
    assert_true(bank_disarm());
    hurry();
}

static void make_mangopay_dispute(void)
{
    make_mangopay_completed();
    must(hint_dispute);
}

static void make_dispute_won(void)
{
    make_mangopay_dispute();
    bank.sessions[0].dispute = "WON";
}

static void make_dispute_lost(void)
{
    make_mangopay_dispute();
    bank.sessions[0].dispute = "LOST";
}

/* --- an operator's words: in guichetctl's way, with its one try --- */

static void reply_word(enum err err, struct reply *ret_reply)
{
    *ret_reply = (struct reply){.whole = true, .status = err ? err_status(err) : 200};
    ret_reply->body = ret_reply->text;
    (void)snprintf(ret_reply->text, sizeof ret_reply->text,
                   "{\"err\":true,\"success\":false,\"content\":\"%s\"}", err_message(err));
}

static void say(enum payment_fact fact, struct reply *ret_reply)
{
    struct context context = {.settings = &settings, .pool = admin_pool};
    const struct operator_word word = {
        .payment_id = run.payment, .fact = fact, .reference = "", .by = "torture", .why = "so"};
    const char *refusal;
    arena_reset(arena);
    reply_word(operator_settle(&context, arena, &word, &refusal), ret_reply);
}

static void say_disputed(struct reply *ret_reply)
{
    say(FACT_DISPUTED, ret_reply);
}

static void say_won(struct reply *ret_reply)
{
    say(FACT_DISPUTE_WON, ret_reply);
}

static void say_lost(struct reply *ret_reply)
{
    say(FACT_DISPUTE_LOST, ret_reply);
}

static void make_dispute(void)
{
    make_completed_deposit();
    must(say_disputed);
}

/* Another amount than the payment's. */
static void make_review(void)
{
    struct reply reply;
    make_paid_deposit();
    notify_of(run.payment, "succeeded", DEPOSIT + 1, &reply);
    assert_int_equal(reply.status, 200);
    run.review = ask("SELECT review_id FROM reviews JOIN payments USING (payment_id)"
                     " WHERE user_id = #");
}

static void accept_review(struct reply *ret_reply)
{
    struct context context = {.settings = &settings, .pool = admin_pool};
    const char *refusal;
    arena_reset(arena);
    reply_word(review_resolve(&context, arena, run.review, true, "torture", "it is so", &refusal),
               ret_reply);
}

static void work_once(struct reply *ret_reply)
{
    enum err err;
    (void)jobs_round(&err);
    *ret_reply = (struct reply){.whole = true, .body = ""};
}

static const struct path {
    const char *name;
    enum role role;
    void (*prepare)(void);
    void (*act)(struct reply *ret_reply);
    struct wanted wanted;
} paths[] = {
    {"create deposit", ROLE_CREATE, NULL, deposit, {.paid = 1}},
    {"create cart by card", ROLE_CREATE, NULL, buy_by_card, {.paid = 1}},
    {"create cart from balance", ROLE_BALANCE, NULL, buy_from_balance, {.paid = 1}},
    {"create beyond the balance", ROLE_REFUSED, make_balance_small, buy_from_balance, {0}},
    {"create by a banned payer", ROLE_BANNED, ban_payer, deposit, {0}},
    {"create deposit, no key", ROLE_CREATE, lose_key, deposit, {.paid = 1}},
    {"create cart, no key", ROLE_CREATE, lose_key, buy_by_card, {.paid = 1}},
    {"create from balance, no key", ROLE_BALANCE, lose_key, buy_from_balance, {.paid = 1}},
    {"create by the house brand", ROLE_CREATE, make_first_refuse, deposit_by_brand, {.paid = 1}},
    {"webhook of a deposit", ROLE_NOTICE, make_paid_deposit, send_notice, {.paid = 1}},
    {"webhook of a cart", ROLE_NOTICE, make_paid_cart, send_notice, {.paid = 1}},
    {"return page", ROLE_RETURN, make_paid_deposit, come_back, {.paid = 1}},
    {"jobs: reconcile", ROLE_JOBS, make_paid_and_due, work_once, {.paid = 1}},
    {"jobs: create sent again", ROLE_JOBS, make_lost_create, work_once, {0}},
    {"jobs: expiry", ROLE_JOBS, make_over, work_once, {0}},
    {"jobs: waiting notice", ROLE_JOBS, make_early_notice, work_once, {.paid = 1}},
    {"jobs: mail of a deposit", ROLE_JOBS, make_mail_due, work_once, {.paid = 1}},
    {"jobs: mail of a purchase", ROLE_JOBS, make_balance_mail_due, work_once, {.paid = 1}},
    {"refund in part",
     ROLE_REFUND,
     make_completed_deposit,
     give_back_part,
     {.paid = 1, .back = 1000}},
    {"refund of a cart by card",
     ROLE_REFUND,
     make_completed_cart,
     give_back,
     {.paid = 1, .back = CART}},
    {"refund of a purchase", ROLE_REFUND, make_purchase, give_back, {.paid = 1, .back = CART}},
    {"webhook of a refund",
     ROLE_NOTICE,
     make_completed_deposit,
     tell_refund,
     {.paid = 1, .back = DEPOSIT}},
    {"webhook of our refund", ROLE_NOTICE, make_refund, tell_refund, {.paid = 1, .back = DEPOSIT}},
    {"webhook of the lost session", ROLE_NOTICE, make_lost_paid, tell_lost, {.paid = 1}},
    {"webhook of a surplus",
     ROLE_NOTICE,
     make_paid_twice,
     tell_lost,
     {.paid = 1, .surplus = DEPOSIT}},
    {"webhook of its refund", ROLE_NOTICE, make_surplus, tell_refund, {.paid = 1}},
    {"jobs: create replaced", ROLE_JOBS, make_unheard_create, work_once, {0}},
    {"dispute opened",
     ROLE_WORD,
     make_completed_deposit,
     say_disputed,
     {.paid = 1, .gone = DEPOSIT}},
    {"dispute won", ROLE_WORD, make_dispute, say_won, {.paid = 1}},
    {"dispute lost", ROLE_WORD, make_dispute, say_lost, {.paid = 1, .gone = DEPOSIT}},
    {"mangopay: create", ROLE_CREATE, NULL, deposit_at_mangopay, {.paid = 1}},
    {"mangopay: webhook", ROLE_HINT, make_mangopay_paid, hint_payment, {.paid = 1}},
    {"mangopay: refund",
     ROLE_REFUND,
     make_mangopay_completed,
     give_back_part,
     {.paid = 1, .back = 1000}},
    {"mangopay: webhook of a refund",
     ROLE_HINT,
     make_unheard_refund,
     hint_refund,
     {.paid = 1, .back = 1000}},
    {"mangopay: jobs: refund",
     ROLE_JOBS,
     make_unheard_refund,
     work_once,
     {.paid = 1, .back = 1000}},
    {"mangopay: dispute opened",
     ROLE_HINT,
     make_mangopay_completed,
     hint_dispute,
     {.paid = 1, .gone = DEPOSIT}},
    {"mangopay: dispute won", ROLE_HINT, make_dispute_won, hint_end, {.paid = 1}},
    {"mangopay: dispute lost",
     ROLE_HINT,
     make_dispute_lost,
     hint_end,
     {.paid = 1, .gone = DEPOSIT}},
    {"review accepted", ROLE_WORD, make_review, accept_review, {.paid = 1}},
};

#endif
