/* Payment sessions of all providers: what a merchant asked for and what became of it.
 * Callers get copies; the one table of moves decides what may follow what. */
#ifndef SANDBOX_SESSION_H
#define SANDBOX_SESSION_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct provider;

#define SESSION_ID_MAX   40
#define SESSION_LIFE_MS  (24 * 60 * 60 * INT64_C(1000))
#define SESSION_TEXT_MAX 255 /* bytes of an order_id or customer */

enum session_status {
    SESSION_NEW,        /* nobody tried to pay yet */
    SESSION_CHALLENGED, /* a card waits for its 3-D Secure step */
    SESSION_FAILED,     /* the last attempt failed or was cancelled; payable again */
    SESSION_INCOMPLETE, /* crypto: less than asked for has arrived */
    SESSION_IN_REVIEW,  /* paid, but held by the fraud prevention */
    SESSION_SUCCEEDED,
    SESSION_DECLINED, /* by the fraud prevention; the payer has the money back */
    SESSION_REFUNDED,
    SESSION_EXPIRED,
    SESSION_OPENED,       /* the payer has seen the page */
    SESSION_WITHHELD,     /* paid, but the provider keeps the money */
    SESSION_CHARGED_BACK, /* the payer's bank has taken it back */
    SESSION_STATUSES
};

/* The word that /control shows. */
const char *session_status_word(enum session_status status);

enum session_move {
    MOVE_CHALLENGE,
    MOVE_FAIL,
    MOVE_CANCEL,
    MOVE_UNDERPAY,
    MOVE_REVIEW,
    MOVE_PAY,
    MOVE_PAY_LATE, /* also after expiry: a transfer that was long under way */
    MOVE_APPROVE,  /* a 3-D Secure step or a review ends well */
    MOVE_DECLINE,
    MOVE_REFUND,
    MOVE_EXPIRE,
    MOVE_OPEN,
    MOVE_WITHHOLD,
    MOVE_CHARGE_BACK,
    MOVE_FAIL_LATE, /* a bank takes back what it had confirmed, without a dispute */
};

/* Who tried to pay, and how. The texts that are pointers are fixed or never freed. */
struct session_attempt {
    const char *method; /* the provider's own id of the payment method */
    const char *reason; /* why it failed, for the payer to read; NULL: it did not */
    int64_t fees;       /* paid on top of the amount */
    int64_t received;   /* when it was less than the amount */
    char brand[12], last4[5], exp_month[3], exp_year[5];
    char ip[46], agent[128];
};

struct session {
    const struct provider *provider;
    char id[SESSION_ID_MAX];
    int64_t number; /* counts from 1 in the order of creation */
    int64_t created_ms, changed_ms;
    int64_t amount;
    char currency[4];
    char ip[46];          /* the payer must come from here; "": from anywhere */
    const char *order_id; /* the merchant's, unique per provider */
    const char *method;   /* the only one that the merchant allows; NULL: any */
    const char *body; /* the merchant's request as JSON, kept for items, metadata and the like */
    size_t body_len;
    enum session_status status;
    int charges; /* how often money was taken */
    struct session_attempt attempt;
};

/* Takes up the sessions kept in a file, and keeps them there from now on; "": in memory only. */
enum err session_open(const char *path) MUST_CHECK;

/* Keeps a copy of the draft and of its texts; number, times and status are set here.
 * ERR_PARAMETERS when the order_id was used before. */
enum err session_create(const struct session *draft, struct session *ret_session) MUST_CHECK;

/* ERR_NOT_FOUND when there is none. */
enum err session_by_id(const struct provider *provider, const char *id,
                       struct session *ret_session) MUST_CHECK;
enum err session_by_order(const struct provider *provider, const char *order_id,
                          struct session *ret_session) MUST_CHECK;

/* False when numbers end before this one. */
bool session_by_number(int64_t number, struct session *ret_session);

/* Makes the move if it may follow the present state. attempt is NULL when nobody tries to pay.
 * ERR_NOT_FOUND, or ERR_PARAMETERS when the move is impossible. */
enum err session_move(const struct provider *provider, const char *id, enum session_move move,
                      const struct session_attempt *attempt,
                      struct session *ret_session) MUST_CHECK;

/* The next session whose life has ended without a payment and that was not given out before. */
bool session_next_due(int64_t now_ms, struct session *ret_session);

/* How many sessions and charges there are, and the sum of what is paid and kept. */
struct session_totals {
    int64_t sessions, charges, paid;
};
void session_totals(struct session_totals *ret_totals);

/* Nobody has tried to pay it yet. */
static inline bool session_is_untried(const struct session *session)
{
    return session->status == SESSION_NEW || session->status == SESSION_OPENED;
}

#endif
