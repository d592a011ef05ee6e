/* POST /payments/{id}/refunds: an operator gives back a payment, in part or as a whole. */
#include "front/api.h"

#include "flow/refund.h"
#include "flow/replay.h"
#include "front/create.h"

#include <string.h>

/* {"amount": minor units?, "reason": text?}; no amount is all that is left. The reason stands in
 * the timeline of the payment, where its payer can read it. */
static enum err read_refund(const struct call *call, struct refund_request *ret_request)
{
    struct fields fields;
    enum err err = fields_read(call->request, &fields);
    if (err)
        return err == ERR_PAYLOAD ? ERR_REFUND_PARAMETERS : err;
    struct field amount = fields_get(&fields, "amount"), reason = fields_get(&fields, "reason");
    if (amount.kind != FIELD_ABSENT &&
        (!field_whole_number(&amount, &ret_request->amount) || ret_request->amount < 1))
        return ERR_REFUND_AMOUNT;
    if (reason.kind != FIELD_ABSENT &&
        (reason.kind != FIELD_TEXT || strlen(reason.text) >= REFUND_REASON_MAX))
        return ERR_REFUND_PARAMETERS;
    ret_request->reason = reason.kind == FIELD_TEXT ? reason.text : "";
    return ERR_NONE;
}

void refunds_post(struct call *call)
{
    struct context *context = call->context;
    struct arena *arena = call->request->arena;
    struct refund_request request = {.payment_id = call->param,
                                     .operator_id = call->user.id,
                                     .deadline_ms = call->request->deadline_ms};
    struct answer answer;
    enum err err =
        ident_valid("PAY_", call->param) ? create_key(call, &request.key) : ERR_NOT_FOUND;
    if (err) {
        reply_error(call, err);
        return;
    }
    if (replay_find(context, arena, &request.key, &answer)) {
        reply_answer(call, &answer);
        return;
    }
    err = read_refund(call, &request);
    if (err) {
        answer_error(context->settings, arena, err, &answer);
        replay_keep(context, arena, &request.key, &answer);
    } else {
        refund_run(context, arena, &request, &answer);
    }
    reply_answer(call, &answer);
}
