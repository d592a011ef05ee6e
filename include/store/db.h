/* The database: a pool of connections, statements with bound values, and one way to run a unit
 * of work. No foreign type shows. A connection is held for as short as a unit takes, and never
 * while a provider is called (httpc asserts it). */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/arena.h"
#include "base/err.h"
#include "base/settings.h"
#include "store/sql.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct db_pool;

/* Connects lazily: a database that is down is no reason not to start. admin: as the account that
 * may change tables. NULL when there is no memory. */
struct db_pool *db_pool_new(const struct settings *settings, bool admin);
void db_pool_free(struct db_pool *pool);

/* Values to bind. The list ends with a value of kind DB_KIND_END, which db_run adds. */
enum db_kind { DB_KIND_END, DB_KIND_NULL, DB_KIND_INT, DB_KIND_BYTES, DB_KIND_LATER };
struct db_value {
    enum db_kind kind;
    int64_t number;
    const void *bytes;
    size_t len;
};
#define DB_INT(value)          db_value_int(value)
#define DB_TEXT(value)         db_value_text(value) /* NULL binds NULL, "" too where it says OR_NULL */
#define DB_TEXT_OR_NULL(value) db_value_text((value)[0] == '\0' ? NULL : (value))
#define DB_BYTES(value, size)  db_value_bytes(value, size)
#define DB_NOTHING             db_value_null()
#define DB_LATER(number)       db_value_later(number) /* what db_append_number will have found */
struct db_value db_value_int(int64_t number);
struct db_value db_value_text(const char *text);
struct db_value db_value_bytes(const void *bytes, size_t len);
struct db_value db_value_null(void);
struct db_value db_value_later(const int64_t *number);

#define DB_VALUES(...) ((const struct db_value[]){__VA_ARGS__, {0}})

/* Runs a statement. Its rows are read with db_next; those not read are dropped by the next run. */
#define db_run(db, sql, ...)  db_run_values(db, sql, DB_VALUES(__VA_ARGS__))
#define db_run_plain(db, sql) db_run_values(db, sql, (const struct db_value[]){{0}})
enum err db_run_values(struct db *db, enum sql sql, const struct db_value *values) MUST_CHECK;

/* A statement with its values, which outlive what is done with it. */
struct db_read {
    enum sql sql;
    const struct db_value *values;
};
/* Runs the first of two statements that read, the second of which can be asked for in the same
 * round trip: it needs nothing that the first finds. db_second turns to its rows. */
enum err db_run_two(struct db *db, struct db_read first, struct db_read second) MUST_CHECK;
enum err db_second(struct db *db) MUST_CHECK;

/* A change of which the unit reads nothing more. In a unit that is gathered (see db_gather) it may
 * be held back, and be run with those of other units, or as one round trip: then parents come
 * before children as in enum sql, an error of theirs is nobody's answer, and each unit runs again,
 * alone. */
#define db_append(db, sql, ...) db_append_values(db, sql, DB_VALUES(__VA_ARGS__), NULL)
/* The same, for one that must change exactly one row, else ERR_DB_CONFLICT. */
#define db_change(db, sql, ...)                                                                    \
    db_append_values(db, sql, DB_VALUES(__VA_ARGS__), &(const struct db_expected){.one_row = true})
/* The same, for one that returns a number, or nothing: then it is 0. *number is set when it has
 * run; before that it serves as DB_LATER only, so it must outlive the unit. */
#define db_append_number(db, number, sql, ...)                                                     \
    db_append_values(db, sql, DB_VALUES(__VA_ARGS__),                                              \
                     &(const struct db_expected){.ret_number = number})
/* The same, for one that is only ever DB_LATER of what follows, never to be read: db_number_new. */
#define db_append_inner(db, number, sql, ...)                                                      \
    db_append_values(db, sql, DB_VALUES(__VA_ARGS__),                                              \
                     &(const struct db_expected){.ret_number = number, .inner = true})
/* The same, for a balance; one that is to cover the change must not fall below 0: ERR_BALANCE. */
#define db_append_balance(db, number, is_covered, sql, ...)                                        \
    db_append_values(                                                                              \
        db, sql, DB_VALUES(__VA_ARGS__),                                                           \
        &(const struct db_expected){.ret_number = number, .inner = true, .covered = is_covered})
/* A row that must be there, asked for by a statement that finds it, else ERR_DB_CONFLICT. Only in a
 * unit that is gathered and has the group to itself: others read it, and share that. */
#define db_append_condition(db, sql, ...)                                                          \
    db_append_values(db, sql, DB_VALUES(__VA_ARGS__), &(const struct db_expected){.exists = true})
struct db_expected {
    bool one_row;
    bool exists;         /* it finds a row, and changes nothing */
    int64_t *ret_number; /* NULL: it returns nothing */
    bool inner;          /* what it returns is for its unit only */
    bool covered;        /* what it returns must not be below 0 */
};
/* In the unit's arena; NULL when that is full. */
int64_t *db_number_new(struct db *db);
enum err db_append_values(struct db *db, enum sql sql, const struct db_value *values,
                          const struct db_expected *expected) MUST_CHECK;

/* The next row of the last statement; false after the last one. Columns count from 0 and stay
 * valid until the next call. NULL reads as 0 and "". */
bool db_next(struct db *db);
int64_t db_rows(struct db *db);     /* how many rows the last statement has given */
unsigned db_columns(struct db *db); /* of these rows */
int64_t db_int(struct db *db, unsigned column);
const char *db_text(struct db *db, unsigned column);
size_t db_len(struct db *db, unsigned column);
bool db_null(struct db *db, unsigned column);

/* Copies a text column into a fixed array; cut texts are a bug, so it asserts that it fits. */
void db_copy(struct db *db, unsigned column, char *to, size_t size);

/* A text column kept for the request; NULL when the arena is full. */
const char *db_keep(struct db *db, unsigned column);

/* The same for one that may be NULL, which is *ret_text then. ERR_OVERLOAD: the arena is full. */
enum err db_keep_or_null(struct db *db, unsigned column, const char **ret_text) MUST_CHECK;

int64_t db_affected(struct db *db);
struct arena *db_arena(struct db *db);

/* Until when (monotonic milliseconds) units of this thread may be started again; 0: no limit. */
void db_deadline(int64_t mono_ms);

/* Runs unit(db, context) as one transaction and commits when it returns ERR_NONE; any other
 * result rolls back and is returned. The whole unit runs again, up to 5 times with growing random
 * pauses, after a conflict and after a lost connection, even one lost during COMMIT: so a unit
 * must recognise by a key that it has already happened, and must set its results anew each time.
 * ERR_DB_UNAVAILABLE: no connection (in time); nothing happened. ERR_DB_LOST: the same, but a
 * COMMIT was sent whose answer did not come: it may have happened. */
enum err db_transact(struct db_pool *pool, struct arena *arena,
                     enum err (*unit)(struct db *db, void *context), void *context) MUST_CHECK;

/* The same, faster under load: units of threads that wait for the database anyway become one
 * transaction, in which each runs as if after the others, with its changes held back to its end
 * (db_append). About what the unit is, says key: the id of a payment or the db_key of a row that it
 * reads first of all, NULL for what nobody else can be about; two units about the same are never in
 * one group. A unit
 * that meets an error which it would be run again for is run by db_transact's rules, alone. */
enum err db_gather(struct db_pool *pool, struct arena *arena, const char *key,
                   enum err (*unit)(struct db *db, void *context), void *context) MUST_CHECK;

/* The same for units that may not queue behind db_gather's: they have groups of their own. */
enum err db_gather_urgent(struct db_pool *pool, struct arena *arena, const char *key,
                          enum err (*unit)(struct db *db, void *context), void *context) MUST_CHECK;

/* The key of a row with a number: 'u' for a user, 'i' for an item. */
struct db_key {
    char text[24];
};
struct db_key db_key(char kind, int64_t number);

/* The same for units that read one row, which key names. */
enum err db_gather_read(struct db_pool *pool, struct arena *arena, const char *key,
                        enum err (*unit)(struct db *db, void *context), void *context) MUST_CHECK;

/* True: other units may share the transaction, and what is appended is not there yet. */
bool db_gathered(const struct db *db);
/* True: so far none does, and a round trip less counts. */
bool db_alone_in_group(const struct db *db);

/* The same for units that only read, or write with one statement: no transaction around it. */
enum err db_query(struct db_pool *pool, struct arena *arena,
                  enum err (*unit)(struct db *db, void *context), void *context) MUST_CHECK;

/* The same for units that compare what they read: everything is of one moment. */
enum err db_snapshot(struct db_pool *pool, struct arena *arena,
                     enum err (*unit)(struct db *db, void *context), void *context) MUST_CHECK;

/* Runs several statements as they stand (migrations); needs the admin's pool. */
enum err db_script(struct db *db, const char *text, size_t len) MUST_CHECK;

/* What the last failed statement on this thread was and said: for the log, never for callers. */
const char *db_last_problem(void);
void db_forget_problem(void);

#endif
