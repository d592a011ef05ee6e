/* What the files behind db.h share, and nobody else knows: db.c speaks to MariaDB, batch.c makes
 * one round trip of several statements, pool.c lends connections and repeats units, gather.c runs
 * units of several threads as one transaction. */
#ifndef STORE_CONNECTION_H
#define STORE_CONNECTION_H

#include "base/fail.h"
#include "store/db.h"

#include <pthread.h>

enum {
    COLUMNS_MAX = 24,
    MANY_MAX = 32,
    BATCH_MAX = 24, /* their numbers are columns of one row */
    BATCHES_MAX = 32,
    STEPS_MAX = 3 * BATCH_MAX + 1, /* no statement has more than two variables */
    BINDS_MAX = BATCH_MAX * 20,    /* values in one round trip */
};

struct st_mysql;
struct st_mysql_stmt;
struct st_mysql_bind;
struct column;
struct gathering;

/* Several statements as one that the server knows. */
struct batch {
    uint16_t steps[STEPS_MAX]; /* which they are, see batch.c */
    size_t count;              /* of the steps; 0: not in use */
    struct st_mysql_stmt *stmt;
};

struct db {
    struct st_mysql *mysql; /* NULL: not connected */
    struct db_pool *pool;
    struct arena *arena;         /* of the request whose unit runs */
    struct gathering *gathering; /* that the unit belongs to; NULL: it is alone */
    struct st_mysql_bind *binds; /* this and the next: too much for the stack of every thread */
    struct column *columns_of_many;
    struct st_mysql_stmt *prepared[SQL_STATEMENTS];
    struct batch batches[BATCHES_MAX];
    size_t batch_next;          /* which of them makes room for a new one */
    bool to_begin;              /* the transaction begins with the next statement */
    struct db_read second;      /* of two, see db_run_two */
    bool second_sent;           /* with the first */
    bool unheard;               /* a COMMIT was sent, and its answer did not come */
    struct st_mysql_stmt *last; /* the statement run last */
    struct st_mysql_stmt *open; /* the same while its rows are being read, else NULL */
    bool ahead;                 /* the row to read next was fetched before, and is in the cells */
    unsigned columns;
    char *cells[COLUMNS_MAX]; /* of the row read last, each ended by a NUL */
    unsigned long lens[COLUMNS_MAX];
    char nulls[COLUMNS_MAX];
    struct db *next_idle;
};

struct member;

/* Threads whose units wait to be run together. */
struct gather_queue {
    pthread_mutex_t lock;
    struct member *first, **end; /* end: where the next one is linked */
    size_t waiting;              /* how many they are */
    struct gathering *idle;      /* of those who might lead; none: whoever comes waits */
    size_t running;              /* how many others are not at their COMMIT yet */
};

struct db_pool {
    const struct settings *settings;
    bool admin;
    pthread_mutex_t lock;
    pthread_cond_t returned;
    struct db *idle;
    struct gather_queue writers, urgent, readers;
    size_t count;
    struct db connections[];
};

enum around { AROUND_NOTHING, AROUND_TRANSACTION, AROUND_SNAPSHOT };

/* --- db.c --- */

enum err db_connect(struct db *db) MUST_CHECK;
void db_close(struct db *db);
enum err db_begin(struct db *db, enum around around) MUST_CHECK;
/* ERR_DB_CONFLICT has undone everything; any other error is ERR_DB_LOST: it may be done, and
 * unheard is true. */
enum err db_commit(struct db *db) MUST_CHECK;
enum err db_roll_back(struct db *db) MUST_CHECK;

/* Runs it now, whatever the unit's gathering holds back. */
enum err db_run_now(struct db *db, enum sql sql, const struct db_value *values) MUST_CHECK;

/* The same statement with each of 2 to MANY_MAX lists of values, in one round trip. A column of
 * values is of one kind, or NULL. What they return is read one after the other. */
enum err db_run_many(struct db *db, enum sql sql, const struct db_value *const *lists,
                     unsigned count) MUST_CHECK;

/* Prepares into *place, which db_forget empties again. */
enum err db_prepare(struct db *db, const char *text, struct st_mysql_stmt **place) MUST_CHECK;
void db_forget(struct db *db, struct st_mysql_stmt **place);

/* For batch.c: runs text, which is prepared into *place when that is empty. The rows of the first
 * statement in it that returns some are read with db_next after db_read_first, those of the next
 * after db_read_next. step: what it counts as for a test that makes it fail. unheard is set, when
 * it holds a COMMIT. */
enum err db_run_batch(struct db *db, struct st_mysql_stmt **place, const char *text,
                      const struct db_value *values, enum fail_place step) MUST_CHECK;
enum err db_read_first(struct db *db, const char *text) MUST_CHECK;
enum err db_read_next(struct db *db, const char *text) MUST_CHECK;

/* Without the one that ends them. */
size_t db_count_values(const struct db_value *values);

void db_rows_end(struct db *db);
void db_note_problem(const char *what, unsigned code, const char *text);
void db_retell_problem(const char *text); /* of another thread, as db_last_problem told it */

/* --- pool.c --- */

/* Waits for an idle connection as long as the settings allow; NULL: there was none. */
struct db *pool_borrow(struct db_pool *pool, struct arena *arena);
void pool_give_back(struct db *db);
struct timespec pool_moment_in(int64_t ms);

/* True for errors after which the whole unit is run again. */
bool pool_retries(enum err err);

/* Tries again and again. unheard: an earlier try has ended so. */
enum err pool_run(struct db_pool *pool, struct arena *arena, enum around around,
                  enum err (*unit)(struct db *, void *), void *context, bool unheard) MUST_CHECK;

/* --- gather.c --- */

/* False: out of memory. It is to be freed all the same. */
bool gather_queue_init(struct gather_queue *queue, enum around around);
void gather_queue_free(struct gather_queue *queue);

#endif
