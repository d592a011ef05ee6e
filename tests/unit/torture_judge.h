/* What must be true after a run of test_torture, whatever has failed in it. */
#ifndef UNIT_TORTURE_JUDGE_H
#define UNIT_TORTURE_JUDGE_H

#include "torture_shop.h"

#include "base/err.h"

/* Who asks, and so who asks again. */
enum role {
    ROLE_CREATE,  /* a payer, whom a provider's page waits for */
    ROLE_REFUSED, /* a payer whose balance is too small */
    ROLE_BANNED,  /* a payer who may not pay */
    /* a success of these is done */
    ROLE_BALANCE, /* a payer who pays at once */
    ROLE_REFUND,  /* an operator who gives back */
    ROLE_WORD,    /* an operator at his terminal */
    ROLE_NOTICE,  /* the provider, which repeats a notice until it is taken */
    ROLE_HINT,    /* the same, of what is to be asked for: the books are not waited for */
    ROLE_RETURN,  /* the payer's browser; a notice comes too */
    ROLE_JOBS,    /* nobody */
};

/* What there is of the buyer when all has gone well in the end; sums in minor units. */
struct wanted {
    int64_t paid;    /* payments */
    int64_t back;    /* given back by refunds */
    int64_t gone;    /* held or taken by disputes */
    int64_t surplus; /* paid beside the session that counts */
};

static struct {
    const char *path, *kind;
    int nth, mails;
} verdict;

static int verdicts_wrong;

#define CHECK(fine, ...)                                                                           \
    do {                                                                                           \
        if (!(fine)) {                                                                             \
            verdicts_wrong++;                                                                      \
            (void)printf("WRONG: %s / %s / %d: ", verdict.path, verdict.kind, verdict.nth);        \
            (void)printf(__VA_ARGS__);                                                             \
            (void)printf("\n");                                                                    \
            (void)fflush(stdout);                                                                  \
        }                                                                                          \
    } while (0)

static void verdict_begin(const char *path, const char *kind, int nth)
{
    verdict.path = path;
    verdict.kind = kind;
    verdict.nth = nth;
    verdict.mails = 0;
}

#define PAYMENTS " FROM payments p WHERE user_id = # "
#define OF_BUYER " JOIN payments p USING (payment_id) WHERE user_id = # "
#define DOCUMENT " JOIN payments p ON payment_id = document_id WHERE p.user_id = # "
#define PAID     "(p.status IN ('completed', 'partially_refunded', 'refunded'))"

/* Less what was given back of it. */
#define SURPLUS                                                                                    \
    "SELECT COALESCE(SUM(IF(effect = 'surplus', p.amount, -p.amount)), 0) FROM "                   \
    "ledger_postings" DOCUMENT "AND effect IN ('surplus', 'surplus_refund')"

static int64_t paid_now(void)
{
    return ask("SELECT COUNT(*)" PAYMENTS "AND " PAID);
}

static bool is_done(const struct wanted *wanted)
{
    struct question now;
    ask_all("SELECT (SELECT COUNT(*)" PAYMENTS "AND " PAID "),"
            " (SELECT COALESCE(SUM(t.amount), 0) FROM refunds t" OF_BUYER "),"
            " (SELECT COALESCE(SUM(t.amount), 0) FROM disputes t" OF_BUYER
            "AND state IN ('opened', 'lost')),"
            " (" SURPLUS ")",
            &now);
    return now.numbers[0] == wanted->paid && now.numbers[1] == wanted->back &&
           now.numbers[2] == wanted->gone && now.numbers[3] == wanted->surplus;
}

/* --- the answer --- */

/* What is answered on a good day. */
static int wanted_status(enum role role)
{
    return role == ROLE_RETURN ? 303 : role == ROLE_REFUSED ? 402 : role == ROLE_BANNED ? 403 : 200;
}

static bool is_success(enum role role)
{
    return role == ROLE_JOBS || run.first.status == wanted_status(role);
}

/* One of the table's errors, in the envelope; a fault is never the caller's fault. */
static bool is_documented_error(const struct reply *reply)
{
    char body[200];
    for (int err = 1; err < ERR_COUNT; err++) {
        (void)snprintf(body, sizeof body, "{\"err\":true,\"success\":false,\"content\":\"%s\"}",
                       err_message((enum err)err));
        if (reply->status == err_status((enum err)err) && strcmp(reply->body, body) == 0)
            return reply->status >= 500;
    }
    return false;
}

/* At once, before anybody tries again. */
static void judge_answer(enum role role, const struct wanted *wanted, bool may_break)
{
    const struct reply *reply = &run.first;
    int64_t paid = paid_now();
    if (role == ROLE_JOBS)
        return;
    if (!reply->whole) {
        CHECK(may_break, "no answer");
        return;
    }
    CHECK(is_success(role) || is_documented_error(reply), "answered %d %s", reply->status,
          reply->body);
    if (is_success(role) && role >= ROLE_BALANCE && role <= ROLE_NOTICE)
        CHECK(is_done(wanted) || strstr(reply->body, "\"state\":\"pending\"") != NULL,
              "a success, and nothing is done");
    if (is_success(role) && (role == ROLE_CREATE || role == ROLE_BALANCE))
        CHECK(strstr(reply->text, "Location: /payments/PAY_") != NULL, "no Location");
    if (is_success(role) && role == ROLE_CREATE)
        CHECK(bank.count == 1 && strstr(reply->body, bank.sessions[0].id) != NULL,
              "a success without a session: %s", reply->body);
    if (role == ROLE_RETURN && strstr(reply->text, "status=completed") != NULL)
        CHECK(paid == 1, "called completed, and is not");
    if ((role == ROLE_BALANCE || role == ROLE_REFUND) && !is_success(role) && reply->status != 504)
        CHECK(!is_done(wanted), "refused with %d %s, and done", reply->status, reply->body);
    if (role == ROLE_CREATE || role == ROLE_REFUSED || role == ROLE_BANNED)
        CHECK(paid == 0, "nobody has paid");
    if (role == ROLE_CREATE && reply->status == 503)
        CHECK(bank.count == 0, "called unavailable, and there is a session");
    if (role == ROLE_BANNED)
        CHECK(ask("SELECT COUNT(*)" PAYMENTS) == 0 && bank.count == 0, "a payment of the banned");
}

/* --- everybody tries again --- */

/* Who sends no key asks again only when he was not answered; what he has bought is sold by then. */
static void recover_keyless(enum role role, void (*act)(struct reply *))
{
    struct reply again;
    if (!is_success(role))
        act(&again);
    for (int i = 0; i < 4 && !is_success(role) && again.status == 409; i++) {
        jobs_until_idle();
        act(&again);
    }
    CHECK(is_success(role) || again.status == wanted_status(role) ||
              (role == ROLE_BALANCE && again.status == 400 && paid_now() == 1),
          "tried again: %d %s", again.status, again.body);
    remember_payment(is_success(role) ? &run.first : &again);
    if (role == ROLE_CREATE && run.payment[0] != '\0') {
        pay_on_page();
        jobs_until_idle();
    }
}

static void recover_create(enum role role, void (*act)(struct reply *))
{
    struct reply again, last;
    act(&again);
    for (int i = 0; i < 4 && again.status == 409; i++) {
        jobs_until_idle();
        act(&again);
    }
    if (run.first.status == 200 && run.first.whole)
        CHECK(strcmp(again.body, run.first.body) == 0 &&
                  strstr(again.text, "Idempotent-Replayed: true") != NULL,
              "repeated: %d %s", again.status, again.body);
    CHECK(again.status == wanted_status(role) || again.status == 409 || again.status == 502,
          "tried again: %d %s", again.status, again.body);
    if (again.status != 200)
        return;
    remember_payment(&again);
    act(&last);
    CHECK(strcmp(last.body, again.body) == 0, "and again: %s", last.body);
    if (role == ROLE_CREATE) {
        pay_on_page();
        jobs_until_idle();
    }
}

/* What a hint names is asked for when there is time. */
static void recover_notice(enum role role, const struct wanted *wanted, void (*act)(struct reply *))
{
    struct reply again;
    act(&again);
    CHECK(again.status == 200 && (role == ROLE_HINT || is_done(wanted)), "sent again: %d %s",
          again.status, again.body);
}

/* Some words can be said once only. */
static void recover_word(const struct wanted *wanted, void (*act)(struct reply *))
{
    struct reply again;
    act(&again);
    CHECK((again.status == 200 || again.status == 409) && is_done(wanted), "said again: %d %s",
          again.status, again.body);
}

/* Then their time is over, and the jobs come to an end with everything. */
static void recover(enum role role, const struct wanted *wanted, void (*act)(struct reply *))
{
    if (run.keyless)
        recover_keyless(role, act);
    else if (role <= ROLE_REFUND)
        recover_create(role, act);
    else if (role == ROLE_WORD)
        recover_word(wanted, act);
    else if (role == ROLE_NOTICE || role == ROLE_HINT)
        recover_notice(role, wanted, act);
    jobs_until_idle();
    expire_all();
    jobs_until_idle();
    jobs_until_idle();
}

/* --- the end state --- */

/* None of these may be found. */
static const struct {
    const char *what, *count;
} wrongs[] = {
    {"payments still open", "SELECT COUNT(*)" PAYMENTS "AND status IN ('pending', 'processing')"},
    /* a session that was made may still be paid, after the expiry or beside the one that was */
    {"checks left",
     "SELECT COUNT(*) FROM payment_checks" OF_BUYER "AND status <> 'expired' AND NOT EXISTS"
     " (SELECT 1 FROM attempts a WHERE a.payment_id = p.payment_id AND number > 1)"},
    {"items still held", "SELECT COUNT(*) FROM items JOIN payments p ON payment_id = held_by"
                         " WHERE user_id = #"},
    {"keys without an answer",
     "SELECT COUNT(*) FROM idempotency_keys WHERE user_id IN (#, # + 50000) AND status IS NULL"},
    {"mails not sent", "SELECT COUNT(*) FROM deliveries d JOIN outbox USING (outbox_id)" OF_BUYER
                       "AND receiver = 'mail' AND state <> 'done'"},
    {"open reviews, but for what was paid twice",
     "SELECT (SELECT COUNT(*) FROM reviews" OF_BUYER "AND resolved_at IS NULL) -"
     " (SELECT COUNT(*) FROM ledger_postings" DOCUMENT "AND effect = 'surplus')"},
    {"notices not dealt with", "SELECT COUNT(*) FROM inbox JOIN payments p ON payment_id = "
                               "reference WHERE user_id = # AND state <> 'done'"},
    {"payments credited other than once",
     "SELECT COUNT(*)" PAYMENTS "AND " PAID " <> (SELECT COUNT(*) FROM ledger_postings"
     " WHERE document_id = p.payment_id AND effect = 'credit')"},
    {"payments with refunds posted other than once",
     "SELECT COUNT(*)" PAYMENTS "AND (SELECT COUNT(*) FROM refunds r WHERE r.payment_id ="
     " p.payment_id) <> (SELECT COUNT(*) FROM ledger_postings WHERE document_id = p.payment_id"
     " AND effect = 'refund')"},
    {"payments with refunds told of other than once",
     "SELECT COUNT(*)" PAYMENTS "AND (SELECT COUNT(*) FROM refunds r WHERE r.payment_id ="
     " p.payment_id) <> (SELECT COUNT(*) FROM outbox o WHERE o.payment_id = p.payment_id"
     " AND topic = 'payment.refunded')"},
    {"refunds still ordered",
     "SELECT COUNT(*) FROM refund_orders" OF_BUYER "AND (state = 'pending' OR due_at IS NOT NULL)"},
    {"turns of a dispute written twice",
     "SELECT COUNT(*) - COUNT(DISTINCT kind) FROM events" OF_BUYER "AND kind LIKE 'dispute%'"},
    {"turns of a dispute told of other than once",
     "SELECT COUNT(*)" PAYMENTS "AND (SELECT COUNT(*) FROM events e WHERE e.payment_id ="
     " p.payment_id AND kind LIKE 'dispute%') <> (SELECT COUNT(*) FROM outbox o WHERE"
     " o.payment_id = p.payment_id AND topic = 'payment.disputed')"},
    {"payments told of other than once",
     "SELECT COUNT(*)" PAYMENTS "AND " PAID " <> (SELECT COUNT(*) FROM outbox o"
     " WHERE o.payment_id = p.payment_id AND topic = 'payment.completed')"},
    {"payments alerted of other than once",
     "SELECT COUNT(*)" PAYMENTS "AND " PAID " <> (SELECT COUNT(*) FROM notifications"
     " n WHERE n.payment_id = p.payment_id)"},
    {"payments without an end",
     "SELECT COUNT(*)" PAYMENTS "AND 1 <> (SELECT COUNT(*) FROM events e WHERE e.payment_id ="
     " p.payment_id AND kind = p.status)"},
    {"carts without their items",
     "SELECT COUNT(*)" PAYMENTS "AND (type = 'items') * 2 <> (SELECT COUNT(*) FROM payment_items i"
     " WHERE i.payment_id = p.payment_id)"},
    {"deposits without an attempt",
     "SELECT COUNT(*)" PAYMENTS "AND (provider <> 'mannco' OR type = 'balance') AND NOT EXISTS"
     " (SELECT 1 FROM attempts a WHERE a.payment_id = p.payment_id)"},
    {"carts not handed over",
     "SELECT COUNT(*) FROM payment_items" OF_BUYER "AND " PAID " AND (SELECT owner_id"
     " FROM items t WHERE t.asset_id = payment_items.asset_id) <> p.user_id"},
    {"items not paid for",
     "SELECT COUNT(*) FROM items t WHERE owner_id = # AND NOT EXISTS (SELECT 1 FROM payment_items i"
     " JOIN payments p USING (payment_id) WHERE i.asset_id = t.asset_id AND " PAID ")"},
};

/* What the money must agree with, after the counts above. */
enum sum {
    SUM_PAID,
    SUM_DEPOSITS,
    SUM_SPENT,
    SUM_SOLD,
    SUM_SESSIONS, /* paid at the provider */
    SUM_TO_BALANCE,
    SUM_BACK,
    SUM_ORDERED, /* by its API */
    SUM_GONE,
    SUM_SURPLUS,
    SUMS
};

#define SUM_OF(what) "SELECT COALESCE(SUM(" what "), 0)"

static const char *const sums[SUMS] = {
    [SUM_PAID] = "SELECT COUNT(*)" PAYMENTS "AND " PAID,
    [SUM_DEPOSITS] = SUM_OF("amount") PAYMENTS "AND " PAID " AND type = 'balance'",
    [SUM_SPENT] = SUM_OF("amount") PAYMENTS "AND " PAID " AND type = 'items'"
                                            " AND provider = 'mannco'",
    [SUM_SOLD] = SUM_OF("price - fee") " FROM payment_items" OF_BUYER "AND " PAID,
    [SUM_SESSIONS] = "SELECT (SELECT COUNT(DISTINCT payment_id) FROM attempts" OF_BUYER "AND " PAID
                     ") + (SELECT COUNT(*) FROM ledger_postings" DOCUMENT "AND effect = 'surplus')",
    [SUM_TO_BALANCE] = SUM_OF("t.amount") " FROM refunds t" OF_BUYER "AND via = 'balance'",
    [SUM_BACK] = SUM_OF("t.amount") " FROM refunds t" OF_BUYER "AND via <> 'balance'",
    [SUM_ORDERED] = SUM_OF("t.amount") " FROM refunds t" OF_BUYER "AND via = 'provider'",
    [SUM_GONE] = SUM_OF("t.amount") " FROM disputes t" OF_BUYER "AND state IN ('opened', 'lost')",
    [SUM_SURPLUS] = SURPLUS,
};

/* All of them in one question. */
static void ask_everything(struct question *ret_question)
{
    char text[TEXT_MAX] = "SELECT ";
    size_t len = strlen(text);
    for (size_t i = 0; i < COUNT(wrongs) + COUNT(sums); i++) {
        const char *part = i < COUNT(wrongs) ? wrongs[i].count : sums[i - COUNT(wrongs)];
        len += (size_t)snprintf(text + len, sizeof text - len, "%s(%s)", i == 0 ? "" : ", ", part);
        assert_true(len < sizeof text);
    }
    ask_all(text, ret_question);
}

static void judge_money(const int64_t *sum)
{
    int64_t balance = balance_of(run.buyer), got = balance_of(user_id) - run.sellers_before;
    int64_t in = sum[SUM_DEPOSITS] + sum[SUM_TO_BALANCE] + sum[SUM_SURPLUS];
    int64_t out = sum[SUM_SPENT] + sum[SUM_BACK] + sum[SUM_GONE];
    CHECK(balance == OPENING + in - out, "the buyer has %lld", (long long)balance);
    CHECK(got == sum[SUM_SOLD], "the seller got %lld", (long long)got);
}

/* The provider's journal against our rows: whoever paid there is completed here. */
static void judge_sessions(int64_t paid_here, int64_t back_here)
{
    int64_t paid_there = 0, back_there = 0;
    for (int i = 0; i < bank.count; i++) {
        paid_there += bank.sessions[i].paid;
        back_there += bank.sessions[i].back;
    }
    CHECK(back_here == back_there, "the provider has given back %lld, the books say %lld",
          (long long)back_there, (long long)back_here);
    CHECK(paid_here == paid_there, "%lld sessions were paid, %lld payments are completed",
          (long long)paid_there, (long long)paid_here);
}

/* must: exactly as on a good day, else perhaps nothing at all. */
static void judge_end(const struct wanted *good_day, bool must)
{
    static const struct wanted nothing = {0};
    struct question all;
    ask_everything(&all);
    for (size_t i = 0; i < COUNT(wrongs); i++)
        CHECK(all.numbers[i] == 0, "%lld %s", (long long)all.numbers[i], wrongs[i].what);
    const int64_t *sum = all.numbers + COUNT(wrongs);
    const struct wanted *wanted = !must && sum[SUM_PAID] == 0 ? &nothing : good_day;
    CHECK(is_done(wanted), "%lld are paid, %lld given back, %lld held or gone, %lld surplus",
          (long long)sum[SUM_PAID], (long long)(sum[SUM_TO_BALANCE] + sum[SUM_BACK]),
          (long long)sum[SUM_GONE], (long long)sum[SUM_SURPLUS]);
    CHECK(verdict.mails >= sum[SUM_PAID] && verdict.mails <= 2 * sum[SUM_PAID], "%d mails",
          verdict.mails);
    judge_money(sum);
    judge_sessions(sum[SUM_SESSIONS], sum[SUM_ORDERED]);
}

static FILE *ledger_report;

static enum err ledger_unit(struct db *db, void *context)
{
    return ledger_verify(db, ledger_report, context);
}

static void judge_ledger(void)
{
    char *report = NULL;
    size_t len;
    int64_t breaks;
    ledger_report = open_memstream(&report, &len);
    arena_reset(arena);
    enum err err = db_snapshot(pool, arena, ledger_unit, &breaks);
    (void)fclose(ledger_report);
    CHECK(err == ERR_NONE && breaks == 0, "the ledger does not add up: %s", report);
    free(report);
}

#endif
