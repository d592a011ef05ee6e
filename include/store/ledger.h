/* The double-entry ledger. Every function is a step inside a unit of work (store/db.h).
 * An entry is positive where an account is credited, negative where it is debited. */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H

#include "domain/money.h"
#include "store/db.h"

#include <stdio.h>

enum ledger_kind { LEDGER_USER, LEDGER_PROVIDER, LEDGER_PROVIDER_FEES };

struct ledger_line {
    enum ledger_kind kind;
    const char *owner; /* steamid or provider name */
    struct money amount;
};

#define LEDGER_LINES_MAX 8

/* Writes one posting with its lines and moves the users' balances. The lines must sum to zero
 * per currency (asserted). *ret_posted is false when this document had this effect already; then
 * nothing is written. */
enum err ledger_post(struct db *db, const char *document_id, const char *effect, int64_t sequence,
                     const struct ledger_line *lines, size_t count, bool *ret_posted) MUST_CHECK;

/* Minor units; 0 for a user without an account. */
enum err ledger_balance(struct db *db, int64_t user_id, const char *currency,
                        int64_t *ret_balance) MUST_CHECK;

/* Proves what must always hold; each break is a line on report. *ret_breaks counts them. */
enum err ledger_verify(struct db *db, FILE *report, int64_t *ret_breaks) MUST_CHECK;

#endif
