/* Checks what no transaction can make up for: durability of commits, the schema, and whether
 * anything can be written. */
#include "store/ready.h"

enum err ready_check(struct db *db, const char **ret_problem)
{
    enum err err = db_run_plain(db, SQL_READY);
    *ret_problem = "the database did not answer";
    if (err || !db_next(db))
        return err;
    *ret_problem = NULL;
    if (db_int(db, 0) != 1) /* at 0 or 2 an acknowledged payment can be lost */
        *ret_problem = "innodb_flush_log_at_trx_commit is not 1";
    else if (db_int(db, 2) != 0)
        *ret_problem = "the database is read-only";
    else if (db_int(db, 1) < SCHEMA_VERSION)
        *ret_problem = "the schema is older than the program: run guichetctl migrate";
    return ERR_NONE;
}
