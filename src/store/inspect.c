/* Reads rows for people. Must not change anything, nor lock it. */
#include "store/inspect.h"

#include <assert.h>

const char *inspect_cell(const struct inspect_rows *rows, size_t row, size_t column)
{
    assert(row < rows->count && column < rows->columns);
    return rows->cells[row * rows->columns + column];
}

/* What the last statement gave, when it went well. */
static enum err keep(struct db *db, enum err err, struct inspect_rows *ret_rows)
{
    struct inspect_rows rows = {0};
    size_t there = err ? 0 : (size_t)db_rows(db);
    *ret_rows = rows;
    if (err || there == 0)
        return err;
    rows.columns = db_columns(db);
    rows.cells = arena_alloc(db_arena(db), there * rows.columns * sizeof *rows.cells);
    if (rows.cells == NULL)
        return ERR_OVERLOAD;
    for (; rows.count < there && db_next(db); rows.count++) {
        for (unsigned i = 0; i < rows.columns; i++) {
            const char **cell = &rows.cells[rows.count * rows.columns + i];
            err = db_keep_or_null(db, i, cell);
            if (err)
                return err;
        }
    }
    *ret_rows = rows;
    return ERR_NONE;
}

/* "~" sorts after every id */
enum err inspect_payments(struct db *db, const struct inspect_payments *filter,
                          struct inspect_rows *ret_rows)
{
    const struct inspect_payments *f = filter;
    const struct db_value before = DB_TEXT(f->cursor == NULL ? "~" : f->cursor);
    const struct db_value since = f->since_ms == 0 ? DB_NOTHING : DB_INT(f->since_ms);
    if (f->user_id == 0)
        return keep(db,
                    db_run(db, SQL_INSPECT_PAYMENTS, before, DB_TEXT(f->provider), since,
                           DB_TEXT(f->status), DB_INT(f->max)),
                    ret_rows);
    return keep(db,
                db_run(db, SQL_INSPECT_PAYMENTS_OF_USER, DB_INT(f->user_id), before,
                       DB_TEXT(f->provider), since, DB_TEXT(f->status), DB_INT(f->max)),
                ret_rows);
}

static struct db_value before_id(int64_t cursor)
{
    return DB_INT(cursor == 0 ? INT64_MAX : cursor);
}

enum err inspect_notices(struct db *db, const struct inspect_messages *filter,
                         struct inspect_rows *ret_rows)
{
    assert(filter->payment_id == NULL);
    return keep(db,
                db_run(db, SQL_INSPECT_NOTICES, before_id(filter->cursor), DB_TEXT(filter->state),
                       DB_TEXT(filter->party), DB_INT(filter->max)),
                ret_rows);
}

enum err inspect_deliveries(struct db *db, const struct inspect_messages *filter,
                            struct inspect_rows *ret_rows)
{
    const struct inspect_messages *f = filter;
    if (f->payment_id == NULL)
        return keep(db,
                    db_run(db, SQL_INSPECT_DELIVERIES, before_id(f->cursor), DB_TEXT(f->state),
                           DB_TEXT(f->party), DB_INT(f->max)),
                    ret_rows);
    return keep(db,
                db_run(db, SQL_INSPECT_DELIVERIES_NARROW, DB_TEXT(f->payment_id),
                       before_id(f->cursor), DB_TEXT(f->state), DB_TEXT(f->party), DB_INT(f->max)),
                ret_rows);
}

enum err inspect_reviews(struct db *db, const struct inspect_messages *filter,
                         struct inspect_rows *ret_rows)
{
    assert(filter->party == NULL && filter->payment_id == NULL);
    return keep(db,
                db_run(db, SQL_INSPECT_REVIEWS, before_id(filter->cursor), DB_TEXT(filter->state),
                       DB_INT(filter->max)),
                ret_rows);
}

enum err inspect_receivers(struct db *db, const char *name, struct inspect_rows *ret_rows)
{
    return keep(db, db_run(db, SQL_INSPECT_RECEIVERS, DB_TEXT(name), DB_INT(INSPECT_ROWS_MAX)),
                ret_rows);
}

enum err inspect_of_payment(struct db *db, enum sql list, const char *payment_id,
                            struct inspect_rows *ret_rows)
{
    return keep(db, db_run(db, list, DB_TEXT(payment_id), DB_INT(INSPECT_ROWS_MAX)), ret_rows);
}

enum err inspect_one(struct db *db, enum sql row, int64_t id, struct inspect_rows *ret_rows)
{
    return keep(db, db_run(db, row, DB_INT(id)), ret_rows);
}

enum err inspect_key(struct db *db, const unsigned char key_hash[CRYPT_HASH_BYTES],
                     struct inspect_rows *ret_rows)
{
    return keep(db, db_run(db, SQL_INSPECT_KEY, DB_BYTES(key_hash, CRYPT_HASH_BYTES)), ret_rows);
}

enum err inspect_notice_body(struct db *db, int64_t id, const char **ret_body, size_t *ret_len)
{
    enum err err = db_run(db, SQL_INSPECT_NOTICE_BODY, DB_INT(id));
    *ret_body = NULL;
    *ret_len = 0;
    if (err || !db_next(db))
        return err;
    *ret_len = db_len(db, 0);
    *ret_body = db_keep(db, 0);
    return *ret_body == NULL ? ERR_OVERLOAD : ERR_NONE;
}
