/* Steps over receivers. */
#include "store/receivers.h"

enum err receivers_put(struct db *db, const char *name, const char *url)
{
    return db_run(db, SQL_RECEIVER_PUT, DB_TEXT(name), DB_TEXT(url));
}

enum err receivers_remove(struct db *db, const char *name, bool *ret_left)
{
    enum err err = db_run(db, SQL_RECEIVER_DELETE, DB_TEXT(name));
    if (!err)
        err = db_run(db, SQL_DELIVERIES_DROP, DB_TEXT("the receiver is no longer in the settings"),
                     DB_TEXT(name));
    *ret_left = !err && db_affected(db) > 0;
    return err;
}

enum err receivers_get(struct db *db, const char *name, struct receiver *ret_receiver)
{
    enum err err = db_run(db, SQL_RECEIVER_GET, DB_TEXT(name));
    *ret_receiver = (struct receiver){.known = !err && db_next(db)};
    if (ret_receiver->known) {
        ret_receiver->disabled = db_int(db, 0) != 0;
        ret_receiver->rests = db_int(db, 1) != 0;
    }
    return err;
}

enum err receivers_disable(struct db *db, const char *name, const char *note)
{
    return db_run(db, SQL_RECEIVER_DISABLE, DB_TEXT(note), DB_TEXT(name));
}

enum err receivers_enable(struct db *db, const char *name)
{
    return db_run(db, SQL_RECEIVER_ENABLE, DB_TEXT(name));
}

enum err receivers_rest(struct db *db, const char *name, int64_t rest_s, const char *note)
{
    return db_run(db, SQL_RECEIVER_REST, DB_INT(rest_s), DB_TEXT(note), DB_TEXT(name));
}
