/* Disputes: a payer's bank takes a PayIn back, which is a repudiation; the platform contests or
 * gives in, somebody decides, and what is lost is settled out of the payer's wallet. */
#include "sandbox/mangopay.h"

#include <string.h>

enum { CONTEST_S = 10 * 86400 };

static const char *repudiation_new(struct arena *arena, const struct json *payin)
{
    struct json *object = mango_parse(
        arena, "{\"Tag\":null,\"CreditedUserId\":null,\"Status\":\"SUCCEEDED\",\"Type\":\"PAYOUT\","
               "\"Nature\":\"REPUDIATION\",\"InitialTransactionType\":\"PAYIN\","
               "\"InitialTransactionNature\":\"REGULAR\",\"CreditedWalletId\":null}");
    const char *id = mango_id(arena, "repud_m_"), *currency = mango_currency(payin, "DebitedFunds");
    mango_set_text(arena, object, "Id", id);
    mango_set_int(arena, object, "CreationDate", mango_now_s());
    mango_set_int(arena, object, "ExecutionDate", mango_now_s());
    mango_set(arena, object, "AuthorId", json_get(payin, "AuthorId"));
    mango_set(arena, object, "DebitedFunds", json_get(payin, "DebitedFunds"));
    mango_set(arena, object, "CreditedFunds", json_get(payin, "DebitedFunds"));
    mango_set_money(arena, object, "Fees", currency, 0);
    mango_set(arena, object, "InitialTransactionId", json_get(payin, "Id"));
    mango_set_text(arena, object, "DebitedWalletId",
                   mango_print(arena, "REPUDIATION_%s", currency));
    mango_result_set(arena, object, "000000");
    mango_put(arena, "repudiation", id, object);
    return id;
}

/* Of a retrieval the bank takes nothing back yet: it has no repudiation. */
void mango_dispute_open(struct arena *arena, const struct session *session, bool retrieval)
{
    const struct json *payin = mango_payin_read(arena, session);
    const char *id = mango_id(arena, "disp_m_");
    const char *repudiation = retrieval ? NULL : repudiation_new(arena, payin);
    struct json *dispute = mango_parse(
        arena, "{\"InitialTransactionType\":\"PAYIN\",\"InitialTransactionNature\":\"REGULAR\","
               "\"DisputeType\":\"CONTESTABLE\",\"ContestedFunds\":null,"
               "\"Status\":\"PENDING_CLIENT_ACTION\",\"StatusMessage\":null,\"DisputeReason\":{"
               "\"DisputeReasonMessage\":\"The payer does not know the payment\","
               "\"DisputeReasonType\":\"UNKNOWN\"},\"ResultCode\":null,\"ResultMessage\":null,"
               "\"Tag\":null,\"ClosedDate\":null}");
    mango_set(arena, dispute, "InitialTransactionId", json_get(payin, "Id"));
    mango_set_int(arena, dispute, "ContestDeadlineDate", mango_now_s() + CONTEST_S);
    mango_set(arena, dispute, "DisputedFunds", json_get(payin, "DebitedFunds"));
    mango_set_text(arena, dispute, "Id", id);
    mango_set_int(arena, dispute, "CreationDate", mango_now_s());
    mango_set_text(arena, dispute, "RepudiationId", repudiation);
    if (retrieval)
        mango_set_text(arena, dispute, "DisputeType", "RETRIEVAL");
    mango_put(arena, "dispute", id, dispute);
    if (!retrieval) {
        mango_tell(arena, "PAYIN_REPUDIATION_CREATED", repudiation, session->order_id, session,
                   false);
        mango_tell(arena, "PAYIN_REPUDIATION_SUCCEEDED", repudiation, session->order_id, session,
                   false);
    }
    mango_tell(arena, "DISPUTE_CREATED", id, session->order_id, session, false);
    mango_tell(arena, "DISPUTE_ACTION_REQUIRED", id, session->order_id, session, false);
}

/* The dispute of the path, and that its fields are right. NULL: refused, answered. */
static struct json *find(struct mango_call *call, const struct mango_field *fields)
{
    struct json *dispute = mango_get(call->arena, "dispute", call->id);
    if (dispute == NULL)
        mango_error_missing(call, "Dispute", call->id);
    return dispute != NULL && mango_check(call, fields) ? dispute : NULL;
}

static bool is_open(struct mango_call *call, const struct json *dispute)
{
    if (mango_is_word(" PENDING_CLIENT_ACTION REOPENED_PENDING_CLIENT_ACTION ",
                      mango_text(dispute, "Status")))
        return true;
    mango_error(call, 400, "invalid_action",
                "The dispute's Status has to be PENDING_CLIENT_ACTION or "
                "REOPENED_PENDING_CLIENT_ACTION",
                NULL);
    return false;
}

static void keep(struct mango_call *call, const struct json *dispute, const char *event)
{
    mango_put(call->arena, "dispute", call->id, dispute);
    if (event != NULL)
        mango_tell(call->arena, event, call->id, "", NULL, false);
    mango_answer(call, dispute);
}

void mango_dispute_change(struct mango_call *call)
{
    struct json *dispute = find(call, mango_dispute_fields);
    if (dispute == NULL)
        return;
    mango_set(call->arena, dispute, "Tag", mango_given(call->body, "Tag"));
    keep(call, dispute, NULL);
}

void mango_dispute_submit(struct mango_call *call)
{
    struct json *dispute = find(call, mango_contest_fields);
    if (dispute == NULL || !is_open(call, dispute))
        return;
    const struct json *funds = mango_given(call->body, "ContestedFunds");
    if (funds == NULL)
        funds = json_get(dispute, "DisputedFunds");
    if (mango_int(funds, "Amount") > mango_amount(dispute, "DisputedFunds")) {
        mango_error_param(call, "ContestedFunds",
                          "The ContestedFunds cannot be higher than the DisputedFunds");
        return;
    }
    mango_set(call->arena, dispute, "ContestedFunds", funds);
    mango_set_text(call->arena, dispute, "Status", "SUBMITTED");
    keep(call, dispute, "DISPUTE_SUBMITTED");
}

void mango_dispute_close(struct mango_call *call)
{
    struct json *dispute = find(call, mango_dispute_fields);
    if (dispute == NULL || !is_open(call, dispute))
        return;
    mango_set_text(call->arena, dispute, "Status", "CLOSED");
    mango_set_text(call->arena, dispute, "ResultCode", "LOST");
    mango_set_int(call->arena, dispute, "ClosedDate", mango_now_s());
    keep(call, dispute, "DISPUTE_CLOSED");
}

struct wanted {
    char id[MANGO_ID_MAX];
};

/* --- settlement --- */

static bool remember_lost(const struct json *dispute, void *context)
{
    struct wanted *wanted = context;
    bool lost = strcmp(mango_text(dispute, "ResultCode"), "LOST") == 0;
    return !lost || !text_copy(wanted->id, sizeof wanted->id, mango_text(dispute, "Id"));
}

static bool add(const struct json *settlement, void *context)
{
    int64_t *sum = context;
    *sum += mango_amount(settlement, "DebitedFunds");
    return true;
}

/* What a lost dispute has cost goes from the wallet to the repudiation. */
bool mango_make_settlement(struct mango_call *call, struct json *object)
{
    struct arena *arena = call->arena;
    struct wanted lost = {0};
    int64_t settled = 0, amount = mango_amount(call->body, "DebitedFunds");
    const struct json *repudiation = mango_get(arena, "repudiation", call->id);
    if (repudiation == NULL) {
        mango_error_missing(call, "Repudiation", call->id);
        return false;
    }
    mango_each("dispute", "RepudiationId", call->id, remember_lost, &lost);
    if (lost.id[0] == '\0') {
        mango_error(call, 400, "invalid_action", "The dispute has to be CLOSED and LOST", NULL);
        return false;
    }
    mango_each("settlement", "RepudiationId", call->id, add, &settled);
    if (settled + amount > mango_amount(repudiation, "DebitedFunds")) {
        mango_error_param(call, "DebitedFunds",
                          "The total DebitedFunds settled cannot exceed the initial transaction "
                          "DebitedFunds available for settlement");
        return false;
    }
    const struct json *payin =
        session_by_id(&mangopay, mango_text(repudiation, "InitialTransactionId"), &call->session) ==
                ERR_NONE
            ? mango_payin_read(arena, &call->session)
            : NULL;
    mango_set_text(arena, object, "RepudiationId", call->id);
    mango_set(arena, object, "DebitedWalletId", json_get(payin, "CreditedWalletId"));
    mango_set(arena, object, "CreditedWalletId", json_get(repudiation, "DebitedWalletId"));
    mango_set_money(arena, object, "CreditedFunds", mango_currency(call->body, "DebitedFunds"),
                    amount - mango_amount(call->body, "Fees"));
    mango_set_int(arena, object, "ExecutionDate", mango_now_s());
    mango_result_set(arena, object, "000000");
    mango_wallet_add(arena, mango_text(object, "DebitedWalletId"), -amount);
    mango_tell(arena, "TRANSFER_SETTLEMENT_CREATED", mango_text(object, "Id"), "", NULL, false);
    return true;
}

/* --- decided by /control --- */

static bool remember(const struct json *dispute, void *context)
{
    struct wanted *wanted = context;
    bool open = strcmp(mango_text(dispute, "Status"), "CLOSED") != 0;
    return !open || !text_copy(wanted->id, sizeof wanted->id, mango_text(dispute, "Id"));
}

bool mango_dispute_decide(struct arena *arena, const char *payin, const char *result)
{
    struct wanted wanted = {0};
    mango_each("dispute", "InitialTransactionId", payin, remember, &wanted);
    if (wanted.id[0] == '\0')
        return false;
    struct json *dispute = mango_get(arena, "dispute", wanted.id);
    mango_set_text(arena, dispute, "Status", "CLOSED");
    mango_set_text(arena, dispute, "ResultCode", result);
    mango_set_int(arena, dispute, "ClosedDate", mango_now_s());
    mango_put(arena, "dispute", wanted.id, dispute);
    mango_tell(arena, "DISPUTE_CLOSED", wanted.id, "", NULL, false);
    return true;
}
