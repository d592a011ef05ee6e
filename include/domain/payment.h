/* The life of a payment: its states, the facts that change them, and the one transition table.
 * The table is a join over a ranking, so the order in which facts arrive does not matter. */
#ifndef DOMAIN_PAYMENT_H
#define DOMAIN_PAYMENT_H

#include <stdbool.h>
#include <stddef.h>

#define PAYMENT_VALUE_MAX 2500000 /* minor units that a caller may ask for at once */

/* Bytes of texts that belong to a payment, with their NUL. */
#define PROVIDER_NAME_MAX      17
#define METHOD_MAX             65
#define PROVIDER_REFERENCE_MAX 129
#define URL_MAX                2049
#define REASON_MAX             200

enum payment_type { PAYMENT_BALANCE, PAYMENT_ITEMS };

/* The endpoint that made a payment, which is also the shape of its answer. */
enum payment_surface { SURFACE_PAYMENT, SURFACE_PAIEMENT };

/* Ranked: a fact moves a payment to a later state or not at all. */
enum payment_status {
    PAYMENT_PENDING,
    PAYMENT_PROCESSING,
    PAYMENT_EXPIRED,
    PAYMENT_FAILED,
    PAYMENT_COMPLETED,
    PAYMENT_PARTLY_REFUNDED,
    PAYMENT_REFUNDED,
    PAYMENT_DISPUTED, /* what callers see while a dispute stands against a paid one; never stored */
    PAYMENT_STATUSES
};

enum payment_fact {
    FACT_NOTHING, /* the payer has not decided yet */
    FACT_PROCESSING,
    FACT_EXPIRED,
    FACT_FAILED,
    FACT_SUCCEEDED,
    FACT_PARTLY_REFUNDED,
    FACT_REFUNDED, /* all of it */
    FACT_DISPUTED,
    FACT_DISPUTE_WON,
    FACT_DISPUTE_LOST,
    PAYMENT_FACTS
};

/* Where a dispute stands: opened, then won or lost. In the order of how bad it is for the money, so
 * that the worst of several stands for a payment. */
enum dispute_state { DISPUTE_NONE, DISPUTE_WON, DISPUTE_OPENED, DISPUTE_LOST, DISPUTE_STATES };

/* The movement of money that a transition calls for, which is also the name of its posting. */
enum payment_effect {
    EFFECT_NONE,
    EFFECT_CREDIT,
    EFFECT_REFUND,
    EFFECT_DISPUTE, /* the disputed money is held */
    EFFECT_DISPUTE_WON,
    EFFECT_DISPUTE_LOST,
    EFFECT_SURPLUS, /* another attempt was paid as well: not a transition, but beside it */
    EFFECT_SURPLUS_REFUND,
    PAYMENT_EFFECTS
};

/* What became of a call that creates something at a provider. Only NOT_SENT may be repeated or
 * taken elsewhere; UNKNOWN is asked about, never guessed. */
enum outcome {
    OUTCOME_NONE, /* no definite answer yet */
    OUTCOME_DONE,
    OUTCOME_PENDING, /* the payer has to act, at the URL */
    OUTCOME_DECLINED,
    OUTCOME_REFUSED,  /* our request was wrong; nothing happened */
    OUTCOME_NOT_SENT, /* nothing happened; safe to repeat */
    OUTCOME_UNKNOWN,  /* it may have happened */
    OUTCOMES
};

struct payment_transition {
    enum payment_status status;
    enum payment_effect effect;
};

/* A refund or a dispute says that the payment was paid, so the first word of either credits it;
 * only what is known to be given back as a whole is never credited. */
struct payment_transition payment_next(enum payment_status status, enum payment_fact fact);

struct dispute_transition {
    enum dispute_state state;
    enum payment_effect effect;
};

/* Facts that are none of a dispute's change nothing. */
struct dispute_transition dispute_next(enum dispute_state state, enum payment_fact fact);

/* The payer's money has arrived, whatever became of it since. */
bool payment_is_paid(enum payment_status status);

/* The word for callers: a dispute that is open or lost hides the status below it. */
enum payment_status payment_status_shown(enum payment_status status, enum dispute_state dispute);

/* The same of a fact: it tells of money, so its amount must be known and right. */
bool payment_fact_is_paid(enum payment_fact fact);

/* The words of the interface and of the database. */
const char *payment_status_name(enum payment_status status);
const char *payment_type_name(enum payment_type type);
const char *payment_surface_name(enum payment_surface surface);
const char *payment_fact_name(enum payment_fact fact);
const char *payment_effect_name(enum payment_effect effect);
const char *dispute_state_name(enum dispute_state state);
bool dispute_state_parse(const char *name, enum dispute_state *ret_state);
const char *outcome_name(enum outcome outcome);
bool payment_status_parse(const char *name, enum payment_status *ret_status);
bool payment_fact_parse(const char *name, enum payment_fact *ret_fact);
bool payment_type_parse(const char *name, enum payment_type *ret_type);
bool payment_surface_parse(const char *name, enum payment_surface *ret_surface);

/* Definite, and nothing can be paid with that attempt. */
bool outcome_is_failure(enum outcome outcome);

/* OUTCOME_NONE for any other word. */
enum outcome outcome_parse(const char *name);

#endif
