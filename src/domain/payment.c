/* The transition table of a payment and the names of its states. No I/O, no clock. */
#include "domain/payment.h"

#include "base/buf.h"

#include <assert.h>
#include <string.h>

/* clang-format off */
#define STAY(status)     {PAYMENT_##status, EFFECT_NONE}
#define TO(status)       {PAYMENT_##status, EFFECT_NONE}
#define CREDITED(status) {PAYMENT_##status, EFFECT_CREDIT}

/* Each of these says that the payer has paid. A refund of all of it that is heard of before its
 * success ends in refunded too, with nothing ever credited. */
#define PAID_AT_LAST \
    [FACT_SUCCEEDED] = CREDITED(COMPLETED), \
    [FACT_PARTLY_REFUNDED] = CREDITED(PARTLY_REFUNDED), \
    [FACT_REFUNDED] = TO(REFUNDED), \
    [FACT_DISPUTED] = CREDITED(COMPLETED), \
    [FACT_DISPUTE_WON] = CREDITED(COMPLETED), \
    [FACT_DISPUTE_LOST] = CREDITED(COMPLETED)

#define PAYING(status) STAY(status), STAY(status), STAY(status), STAY(status), [FACT_SUCCEEDED] = STAY(status)
#define DISPUTING(status) \
    [FACT_DISPUTED] = STAY(status), [FACT_DISPUTE_WON] = STAY(status), [FACT_DISPUTE_LOST] = STAY(status)

static const struct payment_transition table[PAYMENT_DISPUTED][PAYMENT_FACTS] = {
    /*                      nothing            processing        expired        failed */
    [PAYMENT_PENDING]    = {STAY(PENDING),    TO(PROCESSING),   TO(EXPIRED),   TO(FAILED),   PAID_AT_LAST},
    [PAYMENT_PROCESSING] = {STAY(PROCESSING), STAY(PROCESSING), TO(EXPIRED),   TO(FAILED),   PAID_AT_LAST},
    [PAYMENT_EXPIRED]    = {STAY(EXPIRED),    STAY(EXPIRED),    STAY(EXPIRED), TO(FAILED),   PAID_AT_LAST},
    [PAYMENT_FAILED]     = {STAY(FAILED),     STAY(FAILED),     STAY(FAILED),  STAY(FAILED), PAID_AT_LAST},
    /* paid: only a refund changes anything; disputes have a table of their own */
    [PAYMENT_COMPLETED] = {
        PAYING(COMPLETED), [FACT_PARTLY_REFUNDED] = TO(PARTLY_REFUNDED), [FACT_REFUNDED] = TO(REFUNDED), DISPUTING(COMPLETED)},
    [PAYMENT_PARTLY_REFUNDED] = {
        PAYING(PARTLY_REFUNDED), [FACT_PARTLY_REFUNDED] = STAY(PARTLY_REFUNDED), [FACT_REFUNDED] = TO(REFUNDED), DISPUTING(PARTLY_REFUNDED)},
    [PAYMENT_REFUNDED] = {
        PAYING(REFUNDED), [FACT_PARTLY_REFUNDED] = STAY(REFUNDED), [FACT_REFUNDED] = STAY(REFUNDED), DISPUTING(REFUNDED)},
};

/* A dispute that is won before it was heard of moves nothing: nothing was held. */
#define SAME(state) {DISPUTE_##state, EFFECT_NONE}
#define OPENED      {DISPUTE_OPENED, EFFECT_DISPUTE}
#define WON         {DISPUTE_WON, EFFECT_DISPUTE_WON}
#define LOST        {DISPUTE_LOST, EFFECT_DISPUTE_LOST}

static const struct dispute_transition dispute_table[DISPUTE_STATES][PAYMENT_FACTS - FACT_DISPUTED] = {
    /*                   disputed      dispute won   dispute lost */
    [DISPUTE_NONE]   = {OPENED,       SAME(WON),    LOST},
    [DISPUTE_OPENED] = {SAME(OPENED), WON,          LOST},
    [DISPUTE_WON]    = {SAME(WON),    SAME(WON),    LOST},
    [DISPUTE_LOST]   = {SAME(LOST),   SAME(LOST),   SAME(LOST)},
};
/* clang-format on */

static const char *const status_names[PAYMENT_STATUSES] = {
    [PAYMENT_PENDING] = "pending",     [PAYMENT_PROCESSING] = "processing",
    [PAYMENT_EXPIRED] = "expired",     [PAYMENT_FAILED] = "failed",
    [PAYMENT_COMPLETED] = "completed", [PAYMENT_PARTLY_REFUNDED] = "partially_refunded",
    [PAYMENT_REFUNDED] = "refunded",   [PAYMENT_DISPUTED] = "disputed",
};

static const char *const fact_names[PAYMENT_FACTS] = {
    [FACT_NOTHING] = "nothing",         [FACT_PROCESSING] = "processing",
    [FACT_EXPIRED] = "expired",         [FACT_FAILED] = "failed",
    [FACT_SUCCEEDED] = "succeeded",     [FACT_PARTLY_REFUNDED] = "partly_refunded",
    [FACT_REFUNDED] = "refunded",       [FACT_DISPUTED] = "disputed",
    [FACT_DISPUTE_WON] = "dispute_won", [FACT_DISPUTE_LOST] = "dispute_lost",
};

static const char *const effect_names[PAYMENT_EFFECTS] = {
    [EFFECT_NONE] = "none",
    [EFFECT_CREDIT] = "credit",
    [EFFECT_REFUND] = "refund",
    [EFFECT_DISPUTE] = "dispute",
    [EFFECT_DISPUTE_WON] = "dispute_won",
    [EFFECT_DISPUTE_LOST] = "dispute_lost",
    [EFFECT_SURPLUS] = "surplus",
    [EFFECT_SURPLUS_REFUND] = "surplus_refund",
};

static const char *const dispute_names[DISPUTE_STATES] = {
    [DISPUTE_NONE] = "none",
    [DISPUTE_WON] = "won",
    [DISPUTE_OPENED] = "opened",
    [DISPUTE_LOST] = "lost",
};

struct payment_transition payment_next(enum payment_status status, enum payment_fact fact)
{
    assert(status < PAYMENT_DISPUTED && fact < PAYMENT_FACTS);
    return table[status][fact];
}

struct dispute_transition dispute_next(enum dispute_state state, enum payment_fact fact)
{
    assert(state < DISPUTE_STATES && fact < PAYMENT_FACTS);
    if (fact >= FACT_DISPUTED)
        return dispute_table[state][fact - FACT_DISPUTED];
    return (struct dispute_transition){state, EFFECT_NONE};
}

bool payment_is_paid(enum payment_status status)
{
    return status >= PAYMENT_COMPLETED;
}

bool payment_fact_is_paid(enum payment_fact fact)
{
    return fact >= FACT_SUCCEEDED;
}

enum payment_status payment_status_shown(enum payment_status status, enum dispute_state dispute)
{
    return dispute >= DISPUTE_OPENED ? PAYMENT_DISPUTED : status;
}

const char *payment_status_name(enum payment_status status)
{
    assert(status < PAYMENT_STATUSES);
    return status_names[status];
}

const char *payment_type_name(enum payment_type type)
{
    return type == PAYMENT_BALANCE ? "balance" : "items";
}

const char *payment_surface_name(enum payment_surface surface)
{
    return surface == SURFACE_PAYMENT ? "payment" : "paiement";
}

const char *payment_fact_name(enum payment_fact fact)
{
    assert(fact < PAYMENT_FACTS);
    return fact_names[fact];
}

const char *payment_effect_name(enum payment_effect effect)
{
    assert(effect < PAYMENT_EFFECTS);
    return effect_names[effect];
}

const char *dispute_state_name(enum dispute_state state)
{
    assert(state < DISPUTE_STATES);
    return dispute_names[state];
}

bool payment_status_parse(const char *name, enum payment_status *ret_status)
{
    size_t found = text_find(status_names, PAYMENT_STATUSES, name);
    if (found < PAYMENT_STATUSES)
        *ret_status = (enum payment_status)found;
    return found < PAYMENT_STATUSES;
}

bool payment_fact_parse(const char *name, enum payment_fact *ret_fact)
{
    size_t found = text_find(fact_names, PAYMENT_FACTS, name);
    if (found < PAYMENT_FACTS)
        *ret_fact = (enum payment_fact)found;
    return found < PAYMENT_FACTS;
}

bool dispute_state_parse(const char *name, enum dispute_state *ret_state)
{
    size_t found = text_find(dispute_names, DISPUTE_STATES, name);
    if (found < DISPUTE_STATES)
        *ret_state = (enum dispute_state)found;
    return found < DISPUTE_STATES;
}

bool payment_type_parse(const char *name, enum payment_type *ret_type)
{
    bool items = strcmp(name, "items") == 0;
    if (!items && strcmp(name, "balance") != 0)
        return false;
    *ret_type = items ? PAYMENT_ITEMS : PAYMENT_BALANCE;
    return true;
}

bool payment_surface_parse(const char *name, enum payment_surface *ret_surface)
{
    bool older = strcmp(name, "paiement") == 0;
    if (!older && strcmp(name, "payment") != 0)
        return false;
    *ret_surface = older ? SURFACE_PAIEMENT : SURFACE_PAYMENT;
    return true;
}

static const char *const outcome_names[OUTCOMES] = {
    [OUTCOME_NONE] = "none",         [OUTCOME_DONE] = "done",       [OUTCOME_PENDING] = "pending",
    [OUTCOME_DECLINED] = "declined", [OUTCOME_REFUSED] = "refused", [OUTCOME_NOT_SENT] = "not_sent",
    [OUTCOME_UNKNOWN] = "unknown",
};

const char *outcome_name(enum outcome outcome)
{
    assert(outcome < OUTCOMES);
    return outcome_names[outcome];
}

bool outcome_is_failure(enum outcome outcome)
{
    return outcome == OUTCOME_DECLINED || outcome == OUTCOME_REFUSED || outcome == OUTCOME_NOT_SENT;
}

enum outcome outcome_parse(const char *name)
{
    size_t found = text_find(outcome_names, OUTCOMES, name);
    return found < OUTCOMES ? (enum outcome)found : OUTCOME_NONE;
}
