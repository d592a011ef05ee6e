/* Attempts to pay a Payviox session: what an attempt keeps, what a card makes of the session, and
 * the way to pay without a browser. */
#include "sandbox/payviox.h"

#include "sandbox/text.h"

#include "base/buf.h"
#include "base/clock.h"

#include <string.h>

struct session_attempt payviox_attempt(const struct session *session,
                                       const struct payviox_method *method, const struct card *card,
                                       const char *ip, const char *agent)
{
    struct session_attempt attempt = {
        .method = method->id,
        .fees = payviox_fees(method, session->amount),
    };
    if (card != NULL) {
        attempt.reason = card_outcome_text(card->outcome);
        memcpy(attempt.brand, card->brand, sizeof attempt.brand);
        memcpy(attempt.last4, card->last4, sizeof attempt.last4);
        memcpy(attempt.exp_month, card->exp_month, sizeof attempt.exp_month);
        memcpy(attempt.exp_year, card->exp_year, sizeof attempt.exp_year);
    }
    text_clip(attempt.ip, sizeof attempt.ip, ip);
    text_clip(attempt.agent, sizeof attempt.agent, agent);
    return attempt;
}

enum session_move payviox_card_move(enum card_outcome outcome)
{
    switch (outcome) {
    case CARD_PAYS:
        return MOVE_PAY;
    case CARD_CHALLENGE:
        return MOVE_CHALLENGE;
    case CARD_DECLINED:
    case CARD_NO_FUNDS:
    case CARD_NO_TEST_CARD:
        return MOVE_FAIL;
    }
    return MOVE_FAIL;
}

enum err payviox_pay(struct arena *arena, const struct session *session, const char *card,
                     const char *challenge, struct session *ret_session, const char **ret_text)
{
    struct card checked;
    struct card_problems problems;
    struct session_attempt attempt;
    const struct payviox_method *method = payviox_method_of(session);
    *ret_text = NULL;
    if (challenge != NULL)
        return provider_end_challenge(arena, session, challenge, ret_session);
    if (!card_check(card, "12/40", "123", clock_wall_ms(), &checked, &problems)) {
        *ret_text = problems.number != NULL ? problems.number : "This card cannot be used here.";
        return ERR_PARAMETERS;
    }
    attempt = payviox_attempt(session, method, &checked, "127.0.0.1", "Guichet-Sandbox");
    enum session_move move = payviox_card_move(checked.outcome);
    if (move == MOVE_PAY) /* the tests may let money arrive after the end of a session */
        move = MOVE_PAY_LATE;
    *ret_text = attempt.reason;
    return provider_move(arena, session, move, &attempt, ret_session);
}
