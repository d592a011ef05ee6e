/* Payments, attempts, answers, the timeline and the queue of checks.
 * Every function is a step inside a unit of work (store/db.h). */
#ifndef STORE_PAYMENTS_H
#define STORE_PAYMENTS_H

#include "base/clock.h"
#include "base/http.h"
#include "base/ident.h"
#include "domain/item.h"
#include "domain/money.h"
#include "domain/payment.h"
#include "store/db.h"

#define TIME_TEXT_MAX CLOCK_TEXT_MAX

struct payment {
    char id[IDENT_MAX]; /* "": there is none */
    int64_t user_id;
    char provider[PROVIDER_NAME_MAX]; /* as it was asked for; attempts know who was called */
    enum payment_type type;
    enum payment_surface surface;
    struct money amount;
    char method[METHOD_MAX]; /* "": the provider's default */
    enum payment_status status;
    enum dispute_state dispute; /* the worst of its disputes */
    struct money refunded;      /* in the books; 0 to amount */
    int64_t paid_by;            /* number of the attempt that has paid it; 0: none that we know */
    char client_ip[CLIENT_IP_MAX];
    int64_t expires_in_ms; /* by the database's clock; 0 or less: it is over */
    char created_at[TIME_TEXT_MAX], expires_at[TIME_TEXT_MAX];
    int64_t created_s, expires_s; /* the same as Unix seconds */
};

/* Its url and instructions are in the arena of the unit that has read it. */
struct attempt {
    int64_t id;     /* 0: there is none */
    int64_t number; /* from 1; a house brand may try several partners */
    char provider[PROVIDER_NAME_MAX];
    char reference[IDENT_MAX]; /* ours */
    bool over;                 /* its call has ended, whatever became of it */
    bool left;                 /* another attempt was made after it */
    bool rivalled;             /* another attempt is being made, or its payer knows where to pay */
    enum outcome outcome;      /* the definite answer, or OUTCOME_NONE */
    char provider_reference[PROVIDER_REFERENCE_MAX];
    char reason[REASON_MAX];
    const char *url;          /* where the payer pays; NULL: nowhere */
    const char *instructions; /* for the payer, as JSON; NULL: none */
};

struct payment_intent {
    struct payment payment; /* its id, user, provider, type, surface, amount, method, client_ip */
    int64_t created_ms;     /* by the database's clock; 0: now */
    int64_t tos_ms, checkout_ms; /* below 0: not given */
    const char *return_url;      /* NULL: none */
    int64_t lifetime_s;
    const char *request_id;
};

/* What the database's clock says, in milliseconds since 1970. */
enum err payments_clock(struct db *db, int64_t *ret_ms) MUST_CHECK;

/* ERR_DB_DUPLICATE: this intent is stored already. */
enum err payments_insert(struct db *db, const struct payment_intent *intent) MUST_CHECK;

/* id "" when there is none. Locked until the unit ends. */
enum err payments_lock(struct db *db, const char *payment_id,
                       struct payment *ret_payment) MUST_CHECK;
enum err payments_get(struct db *db, const char *payment_id,
                      struct payment *ret_payment) MUST_CHECK;

/* Compare-and-set; ERR_DB_CONFLICT when the payment is not in `from`. paid_by: the attempt that has
 * paid it, if none has before; 0: none. */
enum err payments_status_set(struct db *db, const char *payment_id, enum payment_status from,
                             enum payment_status to, int64_t paid_by) MUST_CHECK;

/* Adds a refund to the running sum of a locked payment. */
enum err payments_refunded_add(struct db *db, const char *payment_id,
                               const struct money *amount) MUST_CHECK;

/* The same for a payment that is paid already. */
enum err payments_paid_by_set(struct db *db, const char *payment_id, int64_t number) MUST_CHECK;

/* Sums up the disputes of a locked payment in its own row. */
enum err payments_dispute_update(struct db *db, const char *payment_id) MUST_CHECK;

/* Which payment has an attempt with this reference, ours or the provider's own? "" when none. */
enum err payments_find(struct db *db, const char *provider, const char *reference,
                       char ret_payment_id[IDENT_MAX]) MUST_CHECK;

/* "" when the payment came without one. */
enum err payments_return_url(struct db *db, const char *payment_id,
                             char ret_url[URL_MAX]) MUST_CHECK;

/* The status that callers see: by the database's clock, whether the jobs program has been there or
 * not, and with a standing dispute above all. */
enum payment_status payment_status_now(const struct payment *payment);

/* Of all that a user has, so many are looked at for what he wants to see only some of. */
enum { PAYMENTS_LOOKED_AT = 1000 };

/* Which payments of a user to list; NULL and numbers below 0 do not narrow. */
struct payment_filter {
    int64_t user_id;
    const char *cursor; /* the last id of the page before; "" starts */
    const char *provider, *status;
    int64_t from_ms, to_ms; /* from_ms <= created_at < to_ms */
    size_t max;
};

/* Newest first; *ret_count tells how many. ret_last: the last one that was looked at, if older ones
 * were not; else "". */
enum err payments_list(struct db *db, const struct payment_filter *filter,
                       struct payment *ret_payments, size_t *ret_count,
                       char ret_last[IDENT_MAX]) MUST_CHECK;

/* Newest first; of the newest PAYMENTS_LOOKED_AT those in whose id, provider or items the text
 * occurs; NULL: all. */
enum err payments_search(struct db *db, int64_t user_id, const char *text, int64_t max,
                         int64_t offset, struct payment *ret_payments,
                         size_t *ret_count) MUST_CHECK;

/* Does its answer say how the payer pays: at an address, or by a wire? */
static inline bool attempt_is_answered(const struct attempt *attempt)
{
    return attempt->url != NULL || attempt->instructions != NULL;
}

/* What we call an attempt that repeats one at the same provider: the payment's id, and a number. */
void attempt_reference(const char *payment_id, int64_t number, char ret_reference[IDENT_MAX]);
/* The payment of a reference of ours, with a number or without; false: it is none. */
bool attempt_reference_parse(const char *reference, char ret_payment_id[IDENT_MAX]);

/* The deadline is counted from now by the database's clock. *ret_id is set by the COMMIT at the
 * latest (db_append_number). */
enum err attempts_insert(struct db *db, const struct payment *payment, int64_t number,
                         const char *provider, const char *reference, int64_t deadline_ms,
                         int64_t *ret_id) MUST_CHECK;

/* The last attempt of a payment. */
enum err attempts_last(struct db *db, const char *payment_id,
                       struct attempt *ret_attempt) MUST_CHECK;

enum { ATTEMPTS_SHOWN = 8 }; /* no payment has more */

/* The one that the payment was paid with, or the last one while that is not known; id 0: none, it
 * is from the balance. */
enum err attempts_paid(struct db *db, const struct payment *payment,
                       struct attempt *ret_attempt) MUST_CHECK;

/* The last ones, the very last first; *ret_count tells how many. */
enum err attempts_list(struct db *db, const char *payment_id, size_t max,
                       struct attempt *ret_attempts, size_t *ret_count) MUST_CHECK;

/* The attempt that this provider knows by this reference of ours. */
enum err attempts_get(struct db *db, const char *provider, const char *reference,
                      struct attempt *ret_attempt) MUST_CHECK;

/* Locks a payment, and reads the attempt of it that attempts_get would find. */
enum err payments_lock_attempt(struct db *db, const char *payment_id, const char *provider,
                               const char *reference, struct payment *ret_payment,
                               struct attempt *ret_attempt) MUST_CHECK;

/* Our reference of the attempt that this provider calls so; "" when there is none. */
enum err attempts_named(struct db *db, const char *provider, const char *provider_reference,
                        char ret_reference[IDENT_MAX]) MUST_CHECK;

/* What became of an attempt. */
struct attempt_answer {
    enum outcome outcome;
    int64_t http_status;                     /* 0: there was no answer */
    const char *provider_reference, *reason; /* "": not told */
    const char *url, *instructions;          /* NULL: there are none */
    const char *source; /* as of an event; NULL: one that the timeline has already brought it */
};

/* ERR_DB_DUPLICATE: a definite answer is there already. */
enum err answers_insert(struct db *db, int64_t attempt_id,
                        const struct attempt_answer *answer) MUST_CHECK;

/* The provider's own name for an attempt whose answer told none. ERR_DB_DUPLICATE: it is another
 * attempt's, or this one has got another. */
enum err attempts_learn(struct db *db, int64_t attempt_id, const char *provider,
                        const char *provider_reference) MUST_CHECK;

/* What is known of the card that a payment was made with; alias "": nothing. */
struct payment_card {
    char alias[33], country[4];
};
enum err cards_insert(struct db *db, const char *payment_id, const char *alias,
                      const char *country) MUST_CHECK;
enum err cards_get(struct db *db, const char *payment_id, struct payment_card *ret_card) MUST_CHECK;

struct event {
    char at[TIME_TEXT_MAX], kind[33], source[17];
    char detail[1024]; /* 255 characters of up to 4 bytes */
};
enum err events_insert(struct db *db, const char *payment_id, const char *kind, const char *detail,
                       const char *source) MUST_CHECK;
enum err events_find(struct db *db, const char *payment_id, const char *kind, const char *detail,
                     bool *ret_found) MUST_CHECK;
/* Inserts it unless the payment has had this very event before, whoever brought it. */
enum err events_insert_once(struct db *db, const char *payment_id, const char *kind,
                            const char *detail, const char *source) MUST_CHECK;
/* The newest max, oldest first. */
enum err events_of_payment(struct db *db, const char *payment_id, size_t max,
                           struct event *ret_events, size_t *ret_count) MUST_CHECK;

/* The queue of payments whose truth must be asked for. */
/* Nothing changes for one that is in the queue. */
enum err checks_insert(struct db *db, const char *payment_id, int64_t due_in_s) MUST_CHECK;
/* The row due first, locked; payment_id "" when none is due. */
enum err checks_take(struct db *db, char ret_payment_id[IDENT_MAX], int64_t *ret_tries) MUST_CHECK;
/* Keeps others away from the row while it is worked on. */
enum err checks_lease(struct db *db, const char *payment_id, int64_t lease_s) MUST_CHECK;
/* Ends the lease: says when to look again, and how many looks there were. One that was brought
 * forward goes back to where it was in the schedule. */
enum err checks_next(struct db *db, const char *payment_id, int64_t tries,
                     int64_t due_in_ms) MUST_CHECK;
/* May its provider be asked out of turn, now? Not more often than every every_s seconds, and
 * max times in all. */
enum err checks_ask(struct db *db, const char *payment_id, int64_t every_s, int64_t max,
                    bool *ret_granted) MUST_CHECK;
enum err checks_delete(struct db *db, const char *payment_id) MUST_CHECK;

struct hurry {
    int64_t silence_s; /* of a provider, and between two questions about one payment */
    int64_t every_s,
        payments;        /* so many payments of a provider at once, not more often than that */
    int64_t tries_below; /* later in its schedule, a payment is not brought forward */
    int64_t extra_max;   /* times that one payment may be asked about out of turn */
};
/* Brings checks of a provider's payments forward when it has sent no notice for a while. */
enum err checks_hurry(struct db *db, const char *provider, const struct hurry *hurry,
                      int64_t *ret_hurried) MUST_CHECK;

#endif
