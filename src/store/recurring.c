/* Steps over recurring_registrations. */
#include "store/recurring.h"

enum err recurring_insert(struct db *db, const struct registration *r)
{
    return db_run(db, SQL_RECURRING_INSERT, DB_TEXT(r->id), DB_INT(r->user_id),
                  DB_TEXT(r->provider), DB_TEXT(r->reference));
}

enum err recurring_get(struct db *db, const char *id, struct registration *ret_registration)
{
    struct registration *r = ret_registration;
    enum err err = db_run(db, SQL_RECURRING_GET, DB_TEXT(id));
    *r = (struct registration){.id = ""};
    if (err || !db_next(db))
        return err;
    db_copy(db, 0, r->id, sizeof r->id);
    r->user_id = db_int(db, 1);
    db_copy(db, 2, r->provider, sizeof r->provider);
    db_copy(db, 3, r->reference, sizeof r->reference);
    return ERR_NONE;
}
