/* The double-entry ledger. Every function is a step inside a unit of work (store/db.h).
 * An entry is positive where an account is credited, negative where it is debited. */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H

#include "domain/money.h"
#include "store/db.h"

#include <stdio.h>

enum ledger_kind {
    LEDGER_USER,
    LEDGER_PROVIDER,
    LEDGER_PROVIDER_FEES,
    LEDGER_EQUITY,
    LEDGER_DISPUTES, /* held while a payer's dispute with the provider is open */
};

struct ledger_line {
    enum ledger_kind kind;
    const char *owner; /* steamid, provider name, or LEDGER_HOUSE */
    struct money amount;
    bool covered; /* of a user: the balance must not fall below 0 by it */
};

#define LEDGER_LINES_MAX 104 /* a cart's sellers, and a few more */
#define LEDGER_HOUSE     "house"

/* Writes one posting with its lines and moves the users' balances, in an order of its own: two
 * postings over the same accounts must not wait for each other. The lines must sum to zero
 * (asserted). *ret_posted is false when this document had this effect already; then
 * nothing is written. ERR_BALANCE: a balance does not cover its line; the unit must not be
 * committed. */
enum err ledger_post(struct db *db, const char *document_id, const char *effect, int64_t sequence,
                     const struct ledger_line *lines, size_t count, bool *ret_posted) MUST_CHECK;

/* Has this document had this effect? Certain while its payment is locked. */
enum err ledger_posted(struct db *db, const char *document_id, const char *effect, int64_t sequence,
                       bool *ret_posted) MUST_CHECK;

/* Minor units; 0 for a user without an account. */
enum err ledger_balance(struct db *db, int64_t user_id, const char *currency,
                        int64_t *ret_balance) MUST_CHECK;

/* One movement of a user's balance. */
struct ledger_movement {
    int64_t entry_id;
    struct money amount; /* signed */
    int64_t balance_after;
    int64_t time_s;           /* Unix seconds */
    const char *effect;       /* in the unit's arena, as are the next two */
    const char *payment_id;   /* "": none */
    const char *payment_type; /* "": none */
    bool own;                 /* the payment is the user's own, not one that bought from him */
};

/* Newest first; *ret_count tells how many. */
enum err ledger_history(struct db *db, int64_t user_id, int64_t max, int64_t offset,
                        struct ledger_movement *ret_movements, size_t *ret_count) MUST_CHECK;
enum err ledger_history_count(struct db *db, int64_t user_id, int64_t *ret_count) MUST_CHECK;

/* Proves what must always hold; each break is a line on report. *ret_breaks counts them. */
enum err ledger_verify(struct db *db, FILE *report, int64_t *ret_breaks) MUST_CHECK;

#endif
