/* The review list: what only a person can decide. Every function is a step inside a unit of work
 * (store/db.h). */
#ifndef STORE_REVIEWS_H
#define STORE_REVIEWS_H

#include "store/payments.h"

enum review_kind {
    REVIEW_MISMATCH,   /* another amount, currency or session than ours */
    REVIEW_STRANGER,   /* another merchant or environment */
    REVIEW_UNMATCHED,  /* a notice about no payment of ours */
    REVIEW_UNREADABLE, /* a genuine notice that is not as documented */
    REVIEW_UNENDED,    /* the provider never came to an end */
    REVIEW_SURPLUS,    /* paid twice */
    REVIEW_KINDS
};

struct review {
    int64_t id; /* 0: there is none */
    enum review_kind kind;
    char payment_id[IDENT_MAX]; /* "": none that we know */
    int64_t inbox_id;           /* 0: no notice, or any about the payment with the same note */
    char provider[PROVIDER_NAME_MAX];
    enum payment_fact fact; /* what the provider says of the payment */
    const char *note;       /* what does not fit; in the unit's arena */
    bool resolved;          /* by somebody, some time */
};

/* Asks for a person, about a payment or else about a notice. Once: the same again is no news, even
 * when it has been resolved. */
enum err reviews_put(struct db *db, const struct review *review) MUST_CHECK;

/* Locked until the unit ends; id 0 when there is none. Kind and provider are not read back. */
enum err reviews_lock(struct db *db, int64_t id, struct review *ret_review) MUST_CHECK;

/* The notice that asked for it is done with, too. */
enum err reviews_resolve(struct db *db, const struct review *review, const char *by,
                         const char *resolution) MUST_CHECK;

#endif
