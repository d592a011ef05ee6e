/* The transition table of a payment and the names of its states. No I/O, no clock. */
#include "domain/payment.h"

#include <assert.h>
#include <string.h>

#define STAY(status)                                                                               \
    {                                                                                              \
        PAYMENT_##status, EFFECT_NONE                                                              \
    }
#define TO(status)                                                                                 \
    {                                                                                              \
        PAYMENT_##status, EFFECT_NONE                                                              \
    }
#define CREDITED                                                                                   \
    {                                                                                              \
        PAYMENT_COMPLETED, EFFECT_CREDIT                                                           \
    }
#define REFUNDED                                                                                   \
    {                                                                                              \
        PAYMENT_REFUNDED, EFFECT_REFUND                                                            \
    }

/* A refund heard of before its success ends in refunded too, with nothing ever credited. */
/* clang-format off */
static const struct payment_transition table[PAYMENT_STATUSES][PAYMENT_FACTS] = {
    /*                      nothing            processing        expired           failed            succeeded         refunded */
    [PAYMENT_PENDING]    = {STAY(PENDING),    TO(PROCESSING),   TO(EXPIRED),      TO(FAILED),       CREDITED,         TO(REFUNDED)},
    [PAYMENT_PROCESSING] = {STAY(PROCESSING), STAY(PROCESSING), TO(EXPIRED),      TO(FAILED),       CREDITED,         TO(REFUNDED)},
    [PAYMENT_EXPIRED]    = {STAY(EXPIRED),    STAY(EXPIRED),    STAY(EXPIRED),    TO(FAILED),       CREDITED,         TO(REFUNDED)},
    [PAYMENT_FAILED]     = {STAY(FAILED),     STAY(FAILED),     STAY(FAILED),     STAY(FAILED),     CREDITED,         TO(REFUNDED)},
    [PAYMENT_COMPLETED]  = {STAY(COMPLETED),  STAY(COMPLETED),  STAY(COMPLETED),  STAY(COMPLETED),  STAY(COMPLETED),  REFUNDED},
    [PAYMENT_REFUNDED]   = {STAY(REFUNDED),   STAY(REFUNDED),   STAY(REFUNDED),   STAY(REFUNDED),   STAY(REFUNDED),   STAY(REFUNDED)},
};
/* clang-format on */

static const char *const status_names[PAYMENT_STATUSES] = {
    [PAYMENT_PENDING] = "pending",     [PAYMENT_PROCESSING] = "processing",
    [PAYMENT_EXPIRED] = "expired",     [PAYMENT_FAILED] = "failed",
    [PAYMENT_COMPLETED] = "completed", [PAYMENT_REFUNDED] = "refunded",
};

static const char *const fact_names[PAYMENT_FACTS] = {
    [FACT_NOTHING] = "nothing", [FACT_PROCESSING] = "processing", [FACT_EXPIRED] = "expired",
    [FACT_FAILED] = "failed",   [FACT_SUCCEEDED] = "succeeded",   [FACT_REFUNDED] = "refunded",
};

struct payment_transition payment_next(enum payment_status status, enum payment_fact fact)
{
    assert(status < PAYMENT_STATUSES && fact < PAYMENT_FACTS);
    return table[status][fact];
}

bool payment_is_paid(enum payment_status status)
{
    return status == PAYMENT_COMPLETED || status == PAYMENT_REFUNDED;
}

bool payment_fact_is_paid(enum payment_fact fact)
{
    return fact == FACT_SUCCEEDED || fact == FACT_REFUNDED;
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
    switch (effect) {
    case EFFECT_NONE:
        return "none";
    case EFFECT_CREDIT:
        return "credit";
    case EFFECT_REFUND:
        return "refund";
    }
    return "";
}

bool payment_status_parse(const char *name, enum payment_status *ret_status)
{
    for (int i = 0; i < PAYMENT_STATUSES; i++) {
        if (strcmp(name, status_names[i]) != 0)
            continue;
        *ret_status = (enum payment_status)i;
        return true;
    }
    return false;
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

enum outcome outcome_parse(const char *name)
{
    for (int i = OUTCOME_DONE; i <= OUTCOME_UNKNOWN; i++)
        if (strcmp(name, outcome_names[i]) == 0)
            return (enum outcome)i;
    return OUTCOME_NONE;
}
