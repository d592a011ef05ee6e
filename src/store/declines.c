/* Steps over declines, and over tries that are under way: the same rows, but for their age. */
#include "store/declines.h"

enum err declines_put(struct db *db, const unsigned char subject[CRYPT_HASH_BYTES], int64_t life_s,
                      int64_t *ret_id)
{
    enum err err =
        db_run(db, SQL_DECLINE_INSERT, DB_BYTES(subject, CRYPT_HASH_BYTES), DB_INT(life_s));
    *ret_id = !err && db_next(db) ? db_int(db, 0) : 0;
    return err;
}

enum err declines_take_back(struct db *db, int64_t id)
{
    return db_run(db, SQL_DECLINE_DELETE, DB_INT(id));
}

enum err declines_wait(struct db *db, const unsigned char subject[CRYPT_HASH_BYTES], int64_t limit,
                       int64_t own_id, int64_t *ret_wait_s)
{
    enum err err = db_run(db, SQL_DECLINES_WAIT, DB_BYTES(subject, CRYPT_HASH_BYTES),
                          DB_INT(own_id), DB_INT(limit - 1));
    *ret_wait_s = !err && db_next(db) ? db_int(db, 0) : 0;
    return err;
}

enum err declines_expire(struct db *db, int64_t *ret_count)
{
    enum err err = db_run_plain(db, SQL_DECLINES_EXPIRE);
    *ret_count = err ? 0 : db_affected(db);
    return err;
}
