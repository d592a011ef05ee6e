/* Lends connections, and runs units of work until they are done or cannot be. */
#include "store/connection.h"

#include "base/clock.h"
#include "base/crypt.h"
#include "base/httpc.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum { TRIES = 5, PAUSE_FIRST_MS = 5 };

/* What waits with it waits by the monotonic clock. */
static void cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

static bool init_queues(struct db_pool *pool)
{
    bool writers = gather_queue_init(&pool->writers, AROUND_TRANSACTION);
    bool urgent = gather_queue_init(&pool->urgent, AROUND_TRANSACTION);
    bool readers = gather_queue_init(&pool->readers, AROUND_NOTHING);
    return writers && urgent && readers;
}

static void free_queues(struct db_pool *pool)
{
    gather_queue_free(&pool->writers);
    gather_queue_free(&pool->urgent);
    gather_queue_free(&pool->readers);
}

struct db_pool *db_pool_new(const struct settings *settings, bool admin)
{
    size_t count = admin ? 1 : (size_t)settings->database.connections;
    struct db_pool *pool = calloc(1, sizeof *pool + count * sizeof pool->connections[0]);
    if (pool == NULL)
        return NULL;
    if (!init_queues(pool)) {
        free_queues(pool);
        free(pool);
        return NULL;
    }
    pool->settings = settings;
    pool->admin = admin;
    pool->count = count;
    (void)pthread_mutex_init(&pool->lock, NULL);
    cond_init(&pool->returned);
    for (size_t i = 0; i < count; i++) {
        pool->connections[i].pool = pool;
        pool->connections[i].next_idle = pool->idle;
        pool->idle = &pool->connections[i];
    }
    return pool;
}

void db_pool_free(struct db_pool *pool)
{
    if (pool == NULL)
        return;
    for (size_t i = 0; i < pool->count; i++)
        db_close(&pool->connections[i]);
    free_queues(pool);
    (void)pthread_cond_destroy(&pool->returned);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}

struct timespec pool_moment_in(int64_t ms)
{
    struct timespec when;
    (void)clock_gettime(CLOCK_MONOTONIC, &when);
    int64_t nanoseconds = when.tv_nsec + ms % 1000 * 1000000;
    when.tv_sec += ms / 1000 + nanoseconds / 1000000000;
    when.tv_nsec = nanoseconds % 1000000000;
    return when;
}

static _Thread_local int64_t deadline_ms;

void db_deadline(int64_t mono_ms)
{
    deadline_ms = mono_ms;
}

static bool has_time(void)
{
    return deadline_ms == 0 || clock_left_ms(deadline_ms) > 0;
}

struct db *pool_borrow(struct db_pool *pool, struct arena *arena)
{
    struct timespec until = pool_moment_in(pool->settings->database.pool_wait_ms);
    (void)pthread_mutex_lock(&pool->lock);
    while (pool->idle == NULL)
        if (pthread_cond_timedwait(&pool->returned, &pool->lock, &until) == ETIMEDOUT)
            break;
    struct db *db = pool->idle;
    if (db != NULL)
        pool->idle = db->next_idle;
    (void)pthread_mutex_unlock(&pool->lock);
    if (db == NULL) {
        db_note_problem("pool", 0, "no connection was free in time");
        return NULL;
    }
    db->arena = arena;
    httpc_forbid();
    return db;
}

void pool_give_back(struct db *db)
{
    struct db_pool *pool = db->pool;
    db_rows_end(db);
    db->arena = NULL;
    httpc_permit();
    (void)pthread_mutex_lock(&pool->lock);
    db->next_idle = pool->idle;
    pool->idle = db;
    (void)pthread_cond_signal(&pool->returned);
    (void)pthread_mutex_unlock(&pool->lock);
}

/* One try. *ret_unheard becomes true when a COMMIT was sent and its answer did not come. */
static enum err run_once(struct db *db, enum around around, enum err (*unit)(struct db *, void *),
                         void *context, bool *ret_unheard)
{
    enum err err = db->mysql == NULL ? db_connect(db) : ERR_NONE;
    if (err || around == AROUND_NOTHING)
        return err ? err : unit(db, context);
    err = db_begin(db, around);
    if (!err)
        err = unit(db, context);
    db_rows_end(db);
    if (!err) {
        err = db_commit(db);
        *ret_unheard |= db->unheard;
        if (err) /* whatever it left open must not become part of the next unit */
            db_close(db);
        return err;
    }
    if (err != ERR_DB_LOST && db_roll_back(db) != ERR_NONE)
        db_close(db);
    return err;
}

bool pool_retries(enum err err)
{
    return err == ERR_DB_CONFLICT || err == ERR_DB_LOST || err == ERR_DB_UNAVAILABLE;
}

static void pause_before(int try)
{
    uint32_t random;
    crypt_random(&random, sizeof random);
    int64_t longest = (int64_t)PAUSE_FIRST_MS << try;
    clock_sleep_ms(1 + random % longest);
}

/* True for a run that ended for want of something of ours: it says nothing of an earlier COMMIT. */
static bool is_ours(enum err err)
{
    return err == ERR_OVERLOAD || err == ERR_DB || err == ERR_INTERNAL;
}

enum err pool_run(struct db_pool *pool, struct arena *arena, enum around around,
                  enum err (*unit)(struct db *, void *), void *context, bool unheard)
{
    enum err err = ERR_NONE;
    int tries = pool->admin ? 1 : TRIES;
    for (int try = 0; try < tries && has_time(); try++) {
        struct db *db = pool_borrow(pool, arena);
        if (db == NULL)
            break;
        err = run_once(db, around, unit, context, &unheard);
        if (err == ERR_DB_LOST)
            db_close(db);
        pool_give_back(db);
        if (!pool_retries(err))
            return unheard && is_ours(err) ? ERR_DB_LOST : err;
        if (try + 1 < tries)
            pause_before(try);
    }
    return unheard ? ERR_DB_LOST : ERR_DB_UNAVAILABLE;
}

static enum err run_timed(struct db_pool *pool, struct arena *arena, enum around around,
                          enum err (*unit)(struct db *, void *), void *context)
{
    int64_t started = clock_mono_us();
    enum err err = pool_run(pool, arena, around, unit, context, false);
    clock_meter()->db_us += clock_mono_us() - started;
    return err;
}

enum err db_transact(struct db_pool *pool, struct arena *arena,
                     enum err (*unit)(struct db *db, void *context), void *context)
{
    return run_timed(pool, arena, AROUND_TRANSACTION, unit, context);
}

enum err db_query(struct db_pool *pool, struct arena *arena,
                  enum err (*unit)(struct db *db, void *context), void *context)
{
    return run_timed(pool, arena, AROUND_NOTHING, unit, context);
}

enum err db_snapshot(struct db_pool *pool, struct arena *arena,
                     enum err (*unit)(struct db *db, void *context), void *context)
{
    return run_timed(pool, arena, AROUND_SNAPSHOT, unit, context);
}
