/* What /control can do at Mangopay alone: move its clock, send money to a wire or an alias, decide
 * mandates, disputes and refunds, let a payment fail late, pay without a browser. Refuses what it
 * does not know. */
#include "sandbox/mangopay.h"

#include "sandbox/answer.h"

#include <string.h>

struct order {
    struct mango_call call; /* for those that make objects */
    const struct json *body;
    struct http_response *response;
    struct arena *arena;
    const char *id; /* that it was about, or of what it made */
    const char *problem;
};

static enum err end_challenge(struct arena *arena, const struct session *session,
                              const char *challenge, struct session *ret_session)
{
    bool approved = strcmp(challenge, "approve") == 0;
    if (session->status != SESSION_CHALLENGED)
        return ERR_PARAMETERS;
    return mango_payin_end(arena, session, approved ? NULL : "101301", false, ret_session);
}

enum err mango_pay(struct arena *arena, const struct session *session, const char *card,
                   const char *challenge, struct session *ret_session, const char **ret_text)
{
    struct card checked;
    struct card_problems problems;
    bool debit = strcmp(session->method, "directdebit") == 0;
    *ret_text = NULL;
    if (challenge != NULL)
        return end_challenge(arena, session, challenge, ret_session);
    if (!card_check(card, "12/40", strncmp(card, "37", 2) == 0 ? "1234" : "123", mango_now_ms(),
                    &checked, &problems)) {
        *ret_text = problems.number != NULL ? problems.number : "This card cannot be used here.";
        return ERR_PARAMETERS;
    }
    const char *code = debit ? mango_debit_code(arena, session) : NULL;
    if (code == NULL)
        code = mango_outcome_code(checked.outcome);
    if (strcmp(session->method, "card_web") == 0)
        mango_card_keep(arena, session->id, card, "1240", &checked);
    if (code == NULL && checked.outcome == CARD_CHALLENGE && !debit)
        return mango_payin_challenge(arena, session, ret_session);
    *ret_text = code == NULL ? NULL : mango_result_find(code)->message;
    return mango_payin_end(arena, session, code, false, ret_session);
}

/* --- the actions --- */

static void run_advance(struct order *order)
{
    int64_t ms = mango_int(order->body, "ms");
    if (ms <= 0)
        order->problem = "ms must be a whole number over 0";
    else
        mango_advance(ms);
}

static void run_forget(struct order *order)
{
    (void)order;
    mango_tokens_forget();
}

static void run_retry(struct order *order)
{
    mango_retry_every(json_get(order->body, "ms") == NULL ? -1 : mango_int(order->body, "ms"));
}

static void run_instruct(struct order *order)
{
    const struct json *alias =
        mango_get(order->arena, "bankingalias", mango_text(order->body, "alias"));
    int64_t amount = mango_int(order->body, "amount");
    const char *reference = json_get_text(order->body, "wire_reference");
    if (alias == NULL || amount <= 0) {
        order->problem = "alias must be the id of a banking alias, amount over 0";
        return;
    }
    order->id = mango_payin_instruct(&order->call, alias, amount, mango_int(order->body, "fees"),
                                     reference == NULL ? "Example123" : reference);
    if (order->id == NULL)
        order->problem = "The payment could not be made";
}

/* A wire arrives, with the amount declared or another. */
static void run_wire(struct order *order)
{
    struct session session, moved;
    const char *id = mango_text(order->body, "session_id");
    int64_t amount = mango_int(order->body, "amount");
    if (session_by_id(&mangopay, id, &session) != ERR_NONE ||
        strstr(session.method, "bankwire") == NULL || amount < 0) {
        order->problem = "session_id must be the id of a bank wire";
        return;
    }
    session.attempt.received = amount;
    if (mango_payin_end(order->arena, &session, NULL, false, &moved) != ERR_NONE)
        order->problem = "The wire's state does not allow this";
    order->id = id;
}

static void run_dispute(struct order *order)
{
    const char *result = mango_text(order->body, "result");
    order->id = mango_text(order->body, "session_id");
    if (!mango_is_word(" WON LOST VOID ", result))
        order->problem = "result must be WON, LOST or VOID";
    else if (!mango_dispute_decide(order->arena, order->id, result))
        order->problem = "There is no open dispute about this payment";
}

/* The payer's bank asks about a payment, and takes nothing back. */
static void run_retrieval(struct order *order)
{
    struct session session;
    order->id = mango_text(order->body, "session_id");
    if (session_by_id(&mangopay, order->id, &session) != ERR_NONE ||
        session.status != SESSION_SUCCEEDED)
        order->problem = "session_id must be the id of a payment that has succeeded";
    else
        mango_dispute_open(order->arena, &session, true);
}

/* A payment that was credited fails after all, as direct debits can. */
static void run_fail_late(struct order *order)
{
    struct session session, moved;
    const char *code = json_get_text(order->body, "code");
    order->id = mango_text(order->body, "session_id");
    if (session_by_id(&mangopay, order->id, &session) != ERR_NONE ||
        mango_payin_fail_late(order->arena, &session, code == NULL ? "001832" : code, &moved) !=
            ERR_NONE)
        order->problem = "session_id must be the id of a payment that has succeeded";
}

static void run_refund_end(struct order *order)
{
    order->id = mango_text(order->body, "refund_id");
    if (!mango_refund_end(order->arena, order->id, json_get_text(order->body, "code")))
        order->problem = "refund_id must be the id of a refund that is held";
}

static void run_mandate(struct order *order)
{
    const char *status = mango_text(order->body, "status");
    const char *code = json_get_text(order->body, "code");
    order->id = mango_text(order->body, "mandate_id");
    if (!mango_is_word(" SUBMITTED ACTIVE FAILED EXPIRED ", status))
        order->problem = "status must be SUBMITTED, ACTIVE, FAILED or EXPIRED";
    else if (mango_get(order->arena, "mandate", order->id) == NULL)
        order->problem = "There is no such mandate";
    else
        mango_mandate_end(order->arena, order->id, status, code);
}

/* members: words between spaces, besides provider and action */
static const struct {
    const char *name, *members;
    void (*run)(struct order *order);
} actions[] = {
    {"advance", " ms ", run_advance},
    {"forget_tokens", " ", run_forget},
    {"retry_every", " ms ", run_retry},
    {"external_instruction", " alias amount fees wire_reference ", run_instruct},
    {"wire", " session_id amount ", run_wire},
    {"dispute", " session_id result ", run_dispute},
    {"retrieval", " session_id ", run_retrieval},
    {"mandate", " mandate_id status code ", run_mandate},
    {"fail_late", " session_id code ", run_fail_late},
    {"refund_end", " refund_id code ", run_refund_end},
};

static bool knows_members(const struct json *body, const char *members)
{
    for (const struct json *member = body->child; member != NULL; member = member->next)
        if (!mango_is_word(" provider action ", member->key) &&
            !mango_is_word(members, member->key))
            return false;
    return true;
}

static void answer(struct order *order)
{
    if (order->problem != NULL) {
        answer_error(order->response, 400, order->problem);
        return;
    }
    struct json_out *out = answer_json(order->arena, order->response, 200);
    if (out == NULL)
        return;
    json_out_text(out, "id", order->id);
    json_out_int(out, "now", mango_now_s());
    answer_json_end(order->response, out);
}

bool mango_control(const struct http_request *request, const char *action, const struct json *body,
                   struct http_response *response)
{
    struct order order = {
        .call = {.request = request, .response = response, .arena = request->arena},
        .body = body,
        .response = response,
        .arena = request->arena,
    };
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(actions[i].name, action) != 0)
            continue;
        if (!knows_members(body, actions[i].members))
            order.problem = "This action does not take one of the members given";
        else
            actions[i].run(&order);
        answer(&order);
        return true;
    }
    return false;
}
