/* Refunds of PayIns: who may ask for how much, what fails, and what stays in the wallet. */
#include "sandbox/mangopay.h"

#include "base/log.h"

#include <string.h>

enum { REFUNDABLE_S = 335 * 86400 };

struct sums {
    int64_t debited, fees;
    bool pending;
};

static bool add(const struct json *refund, void *context)
{
    struct sums *sums = context;
    if (strcmp(mango_text(refund, "Status"), "FAILED") != 0) {
        sums->pending |= strcmp(mango_text(refund, "Status"), "CREATED") == 0;
        sums->debited += mango_amount(refund, "DebitedFunds");
        sums->fees -= mango_amount(refund, "Fees");
    }
    return true;
}

/* What has gone back already, or is about to. */
static struct sums sums_of(const char *payin)
{
    struct sums sums = {0};
    mango_each("refund", "InitialTransactionId", payin, add, &sums);
    return sums;
}

/* code NULL: it succeeds */
static void set_end(struct arena *arena, struct json *refund, const char *code)
{
    mango_set_text(arena, refund, "Status", code == NULL ? "SUCCEEDED" : "FAILED");
    mango_result_set(arena, refund, code == NULL ? "000000" : code);
    if (code == NULL)
        mango_set_int(arena, refund, "ExecutionDate", mango_now_s());
}

/* In the order of the document's members; it has no end yet. */
static struct json *refund_new(struct arena *arena, const struct json *payin)
{
    struct json *refund = mango_object(arena), *reason = mango_object(arena);
    mango_set_text(arena, refund, "Id", mango_id(arena, "refund_m_"));
    mango_set(arena, refund, "Tag", NULL);
    mango_set_int(arena, refund, "CreationDate", mango_now_s());
    mango_set(arena, refund, "AuthorId", json_get(payin, "AuthorId"));
    mango_set(arena, refund, "CreditedUserId", NULL);
    mango_set_text(arena, refund, "Status", "CREATED");
    mango_result_set(arena, refund, NULL);
    mango_set(arena, refund, "ExecutionDate", NULL);
    mango_set_text(arena, refund, "Type", "PAYOUT");
    mango_set_text(arena, refund, "Nature", "REFUND");
    mango_set(arena, refund, "InitialTransactionId", json_get(payin, "Id"));
    mango_set_text(arena, refund, "InitialTransactionType", "PAYIN");
    mango_set_text(arena, refund, "InitialTransactionNature", "REGULAR");
    mango_set(arena, refund, "DebitedWalletId", json_get(payin, "CreditedWalletId"));
    mango_set(arena, refund, "CreditedWalletId", NULL);
    mango_set(arena, reason, "RefundReasonMessage", NULL);
    mango_set_text(arena, reason, "RefundReasonType", "INITIALIZED_BY_CLIENT");
    mango_set(arena, refund, "RefundReason", reason);
    mango_set(arena, refund, "StatementDescriptor", NULL);
    return refund;
}

/* What follows from its end. */
static void keep_end(struct arena *arena, const struct json *refund, const struct session *session)
{
    const char *id = mango_text(refund, "Id");
    bool done = strcmp(mango_text(refund, "Status"), "SUCCEEDED") == 0;
    mango_put(arena, "refund", id, refund);
    if (done)
        mango_wallet_add(arena, mango_text(refund, "DebitedWalletId"),
                         -mango_amount(refund, "DebitedFunds"));
    mango_tell(arena, done ? "PAYIN_REFUND_SUCCEEDED" : "PAYIN_REFUND_FAILED", id,
               session->order_id, session, false);
}

/* fees: what goes back of the platform's fees, over 0. */
static void keep(struct arena *arena, struct json *refund, const struct session *session,
                 int64_t debited, int64_t fees)
{
    const char *id = mango_text(refund, "Id"), *currency = session->currency;
    mango_set_money(arena, refund, "DebitedFunds", currency, debited);
    mango_set_money(arena, refund, "CreditedFunds", currency, debited + fees);
    mango_set_money(arena, refund, "Fees", currency, -fees);
    mango_put(arena, "refund", id, refund);
    mango_tell(arena, "PAYIN_REFUND_CREATED", id, session->order_id, session, false);
    if (strcmp(mango_text(refund, "Status"), "CREATED") != 0)
        keep_end(arena, refund, session);
}

/* All of the payment has gone back. */
static void count(const struct session *session)
{
    struct session moved;
    if (session_move(&mangopay, session->id, MOVE_REFUND, NULL, &moved) != ERR_NONE)
        LOG(LOG_ERROR, "refund not counted", LOG_TEXT("session", session->id));
}

void mango_refund_rest(struct arena *arena, const struct session *session)
{
    const struct json *payin = mango_payin_read(arena, session);
    const struct sums sums = sums_of(session->id);
    int64_t left = mango_amount(payin, "CreditedFunds") - sums.debited;
    if (left <= 0)
        return;
    struct json *refund = refund_new(arena, payin);
    set_end(arena, refund, NULL);
    keep(arena, refund, session, left, mango_amount(payin, "Fees") - sums.fees);
}

/* --- asked for over the API --- */

static bool refuse_param(struct mango_call *call, const char *field, const char *message)
{
    mango_error_param(call, field, message);
    return false;
}

/* Everything that makes a call an error rather than a refund that failed. */
static bool is_allowed(struct mango_call *call, const struct json *payin)
{
    const struct mango_payin *kind = mango_payin_find(call->session.method);
    const struct json *funds = mango_given(call->body, "DebitedFunds");
    const struct json *fees = mango_given(call->body, "Fees");
    if (strcmp(mango_payin_status(&call->session), "SUCCEEDED") != 0) {
        mango_error(call, 400, "original_transaction_must_be_succeeded",
                    "The original transaction must have a SUCCEEDED Status to be refunded",
                    mango_object(call->arena));
        return false;
    }
    if (kind == NULL || kind->final) {
        mango_error(call, 400, "invalid_action", "This means of payment cannot be refunded", NULL);
        return false;
    }
    if (strcmp(mango_text(call->body, "AuthorId"), mango_text(payin, "AuthorId")) != 0)
        return refuse_param(call, "AuthorId",
                            "Author of the refund is not the author of the initial payin");
    if (funds != NULL && fees == NULL)
        return refuse_param(call, "Fees", "if DebitedFunds are defined, Fees must be defined");
    if (funds == NULL && fees != NULL)
        return refuse_param(call, "DebitedFunds",
                            "if Fees are defined, DebitedFunds must be defined");
    if (call->session.status == SESSION_CHARGED_BACK)
        return refuse_param(
            call, "DebitedFunds",
            "Due to repudiations against this transaction, you can not refund this amount");
    if (funds == NULL)
        return true;
    if (strcmp(mango_text(funds, "Currency"), call->session.currency) != 0 ||
        strcmp(mango_text(fees, "Currency"), call->session.currency) != 0)
        return refuse_param(call, "DebitedFunds",
                            "The currency must be the one of the initial PayIn");
    if (mango_int(funds, "Amount") > mango_amount(payin, "CreditedFunds"))
        return refuse_param(
            call, "DebitedFunds",
            "DebitedFunds cannot be superior the CreditedFunds of the initial PayIn");
    return true;
}

/* The code with which the refund fails; NULL: it does not. */
static const char *problem_of(struct mango_call *call, const struct json *payin,
                              const struct sums *sums, int64_t debited, int64_t fees)
{
    struct fault_args args;
    int64_t left = mango_amount(payin, "CreditedFunds") - sums->debited;
    const struct json *wallet =
        mango_get(call->arena, "wallet", mango_text(payin, "CreditedWalletId"));
    if (api_takes(&call->api, FAULT_ERROR_CODE, &args))
        return mango_print(call->arena, "%06lld", (long long)args.code);
    if (sums->pending)
        return "005406";
    if (left <= 0)
        return "001401";
    if (mango_now_s() - mango_int(payin, "CreationDate") > REFUNDABLE_S)
        return "001403";
    if (debited <= 0)
        return "001012";
    if (debited > left)
        return "005403";
    if (fees > mango_amount(payin, "Fees") - sums->fees)
        return "005404";
    if (wallet != NULL && mango_amount(wallet, "Balance") < debited)
        return "001001";
    return NULL;
}

void mango_refund_create(struct mango_call *call)
{
    struct arena *arena = call->arena;
    if (call->session.provider == NULL) {
        mango_error_missing(call, "PayIn", call->id);
        return;
    }
    const struct json *payin = mango_payin_read(arena, &call->session);
    if (!mango_check(call, mango_refund_fields) || !is_allowed(call, payin))
        return;
    const struct sums sums = sums_of(call->session.id);
    bool whole = mango_given(call->body, "DebitedFunds") == NULL;
    int64_t all = mango_amount(payin, "CreditedFunds");
    int64_t debited = whole ? all - sums.debited : mango_amount(call->body, "DebitedFunds");
    /* fees that go back are written with a minus */
    int64_t fees =
        whole ? mango_amount(payin, "Fees") - sums.fees : -mango_amount(call->body, "Fees");
    const char *code = problem_of(call, payin, &sums, debited, fees);
    struct json *refund = refund_new(arena, payin);
    struct fault_args args;
    bool held = code == NULL && api_takes(&call->api, FAULT_REFUND_HELD, &args);
    if (!held)
        set_end(arena, refund, code);
    mango_set(arena, refund, "Tag", mango_given(call->body, "Tag"));
    mango_set(arena, refund, "StatementDescriptor", mango_given(call->body, "StatementDescriptor"));
    keep(arena, refund, &call->session, debited, fees);
    if (code == NULL && !held && sums.debited + debited == all)
        count(&call->session);
    mango_answer(call, refund);
}

bool mango_refund_end(struct arena *arena, const char *id, const char *code)
{
    struct session session;
    bool ended = false;
    mango_lock();
    struct json *refund = mango_get(arena, "refund", id);
    if (strcmp(mango_text(refund, "Status"), "CREATED") == 0 &&
        session_by_id(&mangopay, mango_text(refund, "InitialTransactionId"), &session) ==
            ERR_NONE) {
        const struct json *payin = mango_payin_read(arena, &session);
        set_end(arena, refund, code);
        keep_end(arena, refund, &session);
        if (code == NULL && sums_of(session.id).debited == mango_amount(payin, "CreditedFunds"))
            count(&session);
        ended = true;
    }
    mango_unlock();
    return ended;
}
