/* Registrations of recurring payments: whose they are, and what the provider calls them.
 * Every function is a step inside a unit of work (store/db.h). */
#ifndef STORE_RECURRING_H
#define STORE_RECURRING_H

#include "base/ident.h"
#include "domain/payment.h"
#include "store/db.h"

struct registration {
    char id[IDENT_MAX]; /* "": there is none */
    int64_t user_id;
    char provider[PROVIDER_NAME_MAX], reference[PROVIDER_REFERENCE_MAX];
};

enum err recurring_insert(struct db *db, const struct registration *registration) MUST_CHECK;
enum err recurring_get(struct db *db, const char *id,
                       struct registration *ret_registration) MUST_CHECK;

#endif
