/* Refunds and disputes of payments. Every function is a step inside a unit of work (store/db.h)
 * that has locked the payment. */
#ifndef STORE_REFUNDS_H
#define STORE_REFUNDS_H

#include "store/payments.h"

enum refund_via {
    REFUND_MANUAL,   /* a person gives it back at the provider */
    REFUND_BALANCE,  /* booked to the payer's balance */
    REFUND_REPORTED, /* the provider told us of it */
    REFUND_PROVIDER, /* given back through the provider's API */
};

struct refund {
    char id[IDENT_MAX]; /* "": there is none */
    int64_t sequence;   /* from 1, within the payment */
    struct money amount;
    enum refund_via via;
    /* The provider's own name for it, "" when it names none; NULL when it has not told us of it. */
    const char *reference;
    const char *reason;  /* for the payer and for operators; like reference in the unit's arena */
    int64_t operator_id; /* who asked for it; 0: the provider. Not read back. */
    char created_at[TIME_TEXT_MAX];
};

#define REFUNDS_MAX 100 /* of one payment that are shown */

const char *refund_via_name(enum refund_via via);

/* Gives it the next sequence. ERR_DB_DUPLICATE: it is stored already, by its id or its reference.
 */
enum err refunds_insert(struct db *db, const struct payment *payment,
                        const struct refund *refund) MUST_CHECK;

/* By our id or by the provider's reference. */
enum err refunds_find(struct db *db, const struct payment *payment, const char *id_or_reference,
                      struct refund *ret_refund) MUST_CHECK;

/* The provider tells of a refund: is it one of this amount that a person has given by hand? Then
 * that one bears the reference from now on. */
enum err refunds_confirm(struct db *db, const char *payment_id, const struct money *amount,
                         const char *reference, bool *ret_confirmed) MUST_CHECK;

enum err refunds_of_payment(struct db *db, const struct payment *payment, size_t max,
                            struct refund *ret_refunds, size_t *ret_count) MUST_CHECK;

/* A refund that a provider is asked for: in the books once it has said yes. */
enum order_state { ORDER_PENDING, ORDER_DONE, ORDER_FAILED, ORDER_STATES };

struct refund_order {
    char id[IDENT_MAX]; /* "": there is none; the refund's, once it is booked */
    int64_t attempt;    /* number of the one that was paid */
    struct money amount;
    enum order_state state;
    char reference[PROVIDER_REFERENCE_MAX]; /* the provider's; "": not told yet */
    const char *reason;                     /* in the unit's arena */
    int64_t operator_id, tries, age_s;
    char created_at[TIME_TEXT_MAX];
};

/* The jobs program looks at it after so many seconds, if nobody ends it before. */
enum err orders_insert(struct db *db, const struct payment *payment,
                       const struct refund_order *order, int64_t due_in_s) MUST_CHECK;

/* Locked until the unit ends. */
enum err orders_get(struct db *db, const struct payment *payment, const char *refund_id,
                    struct refund_order *ret_order) MUST_CHECK;

/* The provider tells of a refund: is it one that was asked for? Then that one, locked. refund_id:
 * as we have named it; "": it does not say. */
enum err orders_confirm(struct db *db, const struct payment *payment, const char *refund_id,
                        const char *reference, const struct money *amount,
                        struct refund_order *ret_order) MUST_CHECK;

enum err orders_of_payment(struct db *db, const struct payment *payment, size_t max,
                           struct refund_order *ret_orders, size_t *ret_count) MUST_CHECK;

/* The one due first, under a lease; ret_refund_id "" when none is. */
enum err orders_take(struct db *db, int64_t lease_s, char ret_refund_id[IDENT_MAX],
                     char ret_payment_id[IDENT_MAX]) MUST_CHECK;

/* It stays as it is: looked at again after so many seconds, below 0: not again. reference "": not
 * told; note NULL: the last one stands. */
enum err orders_next(struct db *db, const char *refund_id, const char *reference, const char *note,
                     int64_t due_in_s) MUST_CHECK;
enum err orders_end(struct db *db, const char *refund_id, enum order_state state,
                    const char *reference, const char *note) MUST_CHECK;

struct dispute {
    int64_t sequence; /* from 1, within the payment; 0: there is none */
    struct money amount;
    enum dispute_state state;
};

/* ret_dispute->sequence is 0 when the payment has no dispute of this reference. */
enum err disputes_find(struct db *db, const struct payment *payment, const char *reference,
                       struct dispute *ret_dispute) MUST_CHECK;

/* With state DISPUTE_NONE. */
enum err disputes_insert(struct db *db, const struct payment *payment, const char *reference,
                         const char *provider, const struct money *amount) MUST_CHECK;

/* Also sums up the payment's disputes in the payment's own row. */
enum err disputes_state_set(struct db *db, const struct payment *payment, const char *reference,
                            enum dispute_state state) MUST_CHECK;

/* What may still be given back: the payment less refunds, less those that a provider is being asked
 * for, and less what disputes hold or took. */
enum err refunds_left(struct db *db, const struct payment *payment,
                      struct money *ret_left) MUST_CHECK;

#endif
