/* The only file that knows MariaDB. Connections are opened when first needed and closed at the
 * first sign of trouble; nothing reconnects behind our back, for that would hide a rollback. */
#include "store/db.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "base/fail.h"
#include "base/httpc.h"

#include <assert.h>
#include <errmsg.h>
#include <errno.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    TRIES = 5,
    PAUSE_FIRST_MS = 5,
    COLUMNS_MAX = 24,
    VALUES_MAX = 20,
    NUMBER_BYTES = 32,
    CONNECT_TIMEOUT_S = 2,
    IO_TIMEOUT_S = 8,
};

struct db {
    MYSQL *mysql; /* NULL: not connected */
    struct db_pool *pool;
    struct arena *arena; /* of the request that borrowed it */
    MYSQL_STMT *prepared[SQL_STATEMENTS];
    MYSQL_STMT *last; /* the statement run last */
    MYSQL_STMT *open; /* the same while its rows are being read, else NULL */
    unsigned columns;
    MYSQL_BIND binds[COLUMNS_MAX];
    unsigned long lens[COLUMNS_MAX];
    my_bool nulls[COLUMNS_MAX];
    struct db *next_idle;
};

struct db_pool {
    const struct settings *settings;
    bool admin;
    pthread_mutex_t lock;
    pthread_cond_t returned;
    struct db *idle;
    size_t count;
    struct db connections[];
};

static _Thread_local char problem[256];

const char *db_last_problem(void)
{
    return problem;
}

void db_forget_problem(void)
{
    problem[0] = '\0';
}

struct db_pool *db_pool_new(const struct settings *settings, bool admin)
{
    size_t count = admin ? 1 : (size_t)settings->database.connections;
    struct db_pool *pool = calloc(1, sizeof *pool + count * sizeof pool->connections[0]);
    pthread_condattr_t monotonic;
    if (pool == NULL)
        return NULL;
    pool->settings = settings;
    pool->admin = admin;
    pool->count = count;
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&pool->returned, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    for (size_t i = 0; i < count; i++) {
        pool->connections[i].pool = pool;
        pool->connections[i].next_idle = pool->idle;
        pool->idle = &pool->connections[i];
    }
    return pool;
}

static void db_close(struct db *db)
{
    for (size_t i = 0; i < SQL_STATEMENTS; i++) {
        if (db->prepared[i] != NULL)
            (void)mysql_stmt_close(db->prepared[i]);
        db->prepared[i] = NULL;
    }
    if (db->mysql != NULL)
        mysql_close(db->mysql);
    db->mysql = NULL;
    db->last = db->open = NULL;
}

void db_pool_free(struct db_pool *pool)
{
    if (pool == NULL)
        return;
    for (size_t i = 0; i < pool->count; i++)
        db_close(&pool->connections[i]);
    (void)pthread_cond_destroy(&pool->returned);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static void note_problem(const char *what, unsigned code, const char *text)
{
    (void)snprintf(problem, sizeof problem, "%s: %u %s", what, code, text);
}

/* Sorts the server's and the connector's complaints into what must be done about them. */
static enum err judge(unsigned code)
{
    switch (code) {
    case ER_DUP_ENTRY:
        return ERR_DB_DUPLICATE;
    case ER_LOCK_DEADLOCK:
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_CHECKREAD:
    case ER_UNKNOWN_COM_ERROR: /* 1047: a Galera node that is not ready */
        return ERR_DB_CONFLICT;
    case ER_CONNECTION_KILLED:
    case ER_SERVER_SHUTDOWN:
    case ER_QUERY_INTERRUPTED:
    case ER_NET_READ_ERROR:
    case ER_NET_READ_INTERRUPTED:
    case ER_NET_ERROR_ON_WRITE:
    case ER_NET_WRITE_INTERRUPTED:
    case ER_NET_PACKETS_OUT_OF_ORDER:
    case ER_UNKNOWN_STMT_HANDLER:
    case ER_NEED_REPREPARE:
    case ER_OPTION_PREVENTS_STATEMENT: /* a server that became read-only: another may answer next */
        return ERR_DB_LOST;
    default: /* the connector's own errors: the line is broken or out of step */
        return code >= CR_MIN_ERROR && code <= CR_MAX_ERROR ? ERR_DB_LOST : ERR_DB;
    }
}

static enum err failed(struct db *db, const char *what)
{
    unsigned code = mysql_errno(db->mysql);
    note_problem(what, code, mysql_error(db->mysql));
    return judge(code);
}

static enum err statement_failed(enum sql sql, MYSQL_STMT *stmt)
{
    unsigned code = mysql_stmt_errno(stmt);
    char what[80];
    (void)snprintf(what, sizeof what, "%.60s", sql_text[sql]);
    note_problem(what, code, mysql_stmt_error(stmt));
    return judge(code);
}

#ifdef FAIL_POINTS
/* Cuts the line before the next command, or only its way back; or fails as the server would. */
static enum err meet_fault(struct db *db, enum fail fault)
{
    if (fault == FAIL_BEFORE || fault == FAIL_AFTER)
        (void)shutdown(mysql_get_socket(db->mysql), fault == FAIL_BEFORE ? SHUT_RDWR : SHUT_RD);
    if (fault != FAIL_CONFLICT && fault != FAIL_REFUSED)
        return ERR_NONE;
    return judge(fault == FAIL_CONFLICT ? ER_LOCK_DEADLOCK : ER_UNKNOWN_ERROR);
}
#else
#define meet_fault(db, fault) ((void)(db), ERR_NONE)
#endif

static enum err run_text(struct db *db, const char *text)
{
    enum err err = meet_fault(db, FAIL_AT(FAIL_STATEMENT));
    return !err && mysql_query(db->mysql, text) != 0 ? failed(db, text) : err;
}

static const char session_variables[] =
    "SET SESSION time_zone = '+00:00', innodb_lock_wait_timeout = 3,"
    " sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO'";
/* fewer gap locks than the default; every unit locks the rows that it decides by */
static const char isolation[] = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

static enum err db_connect(struct db *db)
{
    const struct settings *s = db->pool->settings;
    unsigned connect_timeout = CONNECT_TIMEOUT_S, io_timeout = IO_TIMEOUT_S;
    const char *user = db->pool->admin ? s->database.admin_user : s->database.user;
    const struct secret *word =
        db->pool->admin ? &s->database.admin_password : &s->database.password;
    db->mysql = mysql_init(NULL);
    if (db->mysql == NULL)
        return ERR_DB_UNAVAILABLE;
    mysql_options(db->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
    if (!db->pool->admin) { /* an admin's statement may take as long as it needs */
        mysql_options(db->mysql, MYSQL_OPT_READ_TIMEOUT, &io_timeout);
        mysql_options(db->mysql, MYSQL_OPT_WRITE_TIMEOUT, &io_timeout);
    }
    mysql_options(db->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(db->mysql, NULL, user, secret_reveal(word), s->database.name, 0,
                           s->database.socket,
                           db->pool->admin ? CLIENT_MULTI_STATEMENTS : 0) == NULL ||
        run_text(db, session_variables) != ERR_NONE || run_text(db, isolation) != ERR_NONE) {
        note_problem("connect", mysql_errno(db->mysql), mysql_error(db->mysql));
        db_close(db);
        return ERR_DB_UNAVAILABLE;
    }
    return ERR_NONE;
}

static struct timespec moment_in(int64_t ms)
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

/* Takes an idle connection; waits for one as long as the settings allow. */
static struct db *db_borrow(struct db_pool *pool, struct arena *arena)
{
    struct timespec until = moment_in(pool->settings->database.pool_wait_ms);
    (void)pthread_mutex_lock(&pool->lock);
    while (pool->idle == NULL)
        if (pthread_cond_timedwait(&pool->returned, &pool->lock, &until) == ETIMEDOUT)
            break;
    struct db *db = pool->idle;
    if (db != NULL)
        pool->idle = db->next_idle;
    (void)pthread_mutex_unlock(&pool->lock);
    if (db == NULL) {
        note_problem("pool", 0, "no connection was free in time");
        return NULL;
    }
    db->arena = arena;
    httpc_forbid();
    return db;
}

static void rows_end(struct db *db)
{
    if (db->open != NULL)
        (void)mysql_stmt_free_result(db->open);
    db->open = NULL;
}

static void db_give_back(struct db *db)
{
    struct db_pool *pool = db->pool;
    rows_end(db);
    db->arena = NULL;
    httpc_permit();
    (void)pthread_mutex_lock(&pool->lock);
    db->next_idle = pool->idle;
    pool->idle = db;
    (void)pthread_cond_signal(&pool->returned);
    (void)pthread_mutex_unlock(&pool->lock);
}

struct db_value db_value_int(int64_t number)
{
    return (struct db_value){.kind = DB_KIND_INT, .number = number};
}

struct db_value db_value_text(const char *text)
{
    return text == NULL ? db_value_null() : db_value_bytes(text, strlen(text));
}

struct db_value db_value_bytes(const void *bytes, size_t len)
{
    return (struct db_value){.kind = DB_KIND_BYTES, .bytes = bytes, .len = len};
}

struct db_value db_value_null(void)
{
    return (struct db_value){.kind = DB_KIND_NULL};
}

static enum err prepare(struct db *db, enum sql sql, MYSQL_STMT **ret_stmt)
{
    if (db->prepared[sql] == NULL) {
        MYSQL_STMT *stmt = mysql_stmt_init(db->mysql);
        my_bool measure = 1;
        if (stmt == NULL)
            return ERR_DB_LOST;
        mysql_stmt_attr_set(stmt, STMT_ATTR_UPDATE_MAX_LENGTH, &measure);
        if (mysql_stmt_prepare(stmt, sql_text[sql], strlen(sql_text[sql])) != 0) {
            enum err err = statement_failed(sql, stmt);
            (void)mysql_stmt_close(stmt);
            return err;
        }
        db->prepared[sql] = stmt;
    }
    *ret_stmt = db->prepared[sql];
    return ERR_NONE;
}

static void bind_value(MYSQL_BIND *bind, const struct db_value *value)
{
    if (value->kind == DB_KIND_INT) {
        bind->buffer_type = MYSQL_TYPE_LONGLONG;
        bind->buffer = (void *)&value->number;
    } else if (value->kind == DB_KIND_BYTES) {
        bind->buffer_type = MYSQL_TYPE_STRING;
        bind->buffer = (void *)value->bytes;
        bind->buffer_length = value->len;
    } else {
        bind->buffer_type = MYSQL_TYPE_NULL;
    }
}

static enum err bind_values(enum sql sql, MYSQL_STMT *stmt, const struct db_value *values)
{
    MYSQL_BIND binds[VALUES_MAX] = {0};
    unsigned count = 0;
    for (; values[count].kind != DB_KIND_END; count++) {
        assert(count < VALUES_MAX);
        bind_value(&binds[count], &values[count]);
    }
    assert(count == mysql_stmt_param_count(stmt));
    if (count > 0 && mysql_stmt_bind_param(stmt, binds) != 0)
        return statement_failed(sql, stmt);
    if (mysql_stmt_execute(stmt) != 0)
        return statement_failed(sql, stmt);
    return ERR_NONE;
}

/* Every column is fetched as text into a piece of the arena that fits its longest value. */
static enum err bind_columns(struct db *db, enum sql sql, MYSQL_STMT *stmt)
{
    if (mysql_stmt_store_result(stmt) != 0)
        return statement_failed(sql, stmt);
    MYSQL_RES *meta = mysql_stmt_result_metadata(stmt);
    if (meta == NULL)
        return ERR_DB_LOST;
    enum err err = ERR_NONE;
    db->columns = mysql_num_fields(meta);
    assert(db->columns <= COLUMNS_MAX);
    memset(db->binds, 0, sizeof db->binds);
    for (unsigned i = 0; i < db->columns && !err; i++) {
        unsigned long size = mysql_fetch_field_direct(meta, i)->max_length + NUMBER_BYTES;
        db->binds[i].buffer_type = MYSQL_TYPE_STRING;
        db->binds[i].buffer = arena_alloc(db->arena, size);
        db->binds[i].buffer_length = size - 1;
        db->binds[i].length = &db->lens[i];
        db->binds[i].is_null = &db->nulls[i];
        if (db->binds[i].buffer == NULL)
            err = ERR_OVERLOAD;
    }
    mysql_free_result(meta);
    if (!err && mysql_stmt_bind_result(stmt, db->binds) != 0)
        err = statement_failed(sql, stmt);
    db->open = stmt;
    return err;
}

enum err db_run_values(struct db *db, enum sql sql, const struct db_value *values)
{
    MYSQL_STMT *stmt = NULL;
    rows_end(db);
    enum err err = meet_fault(db, FAIL_AT(FAIL_STATEMENT));
    if (!err)
        err = prepare(db, sql, &stmt);
    if (!err)
        err = bind_values(sql, stmt, values);
    if (!err)
        db->last = stmt;
    if (!err && mysql_stmt_field_count(stmt) > 0)
        err = bind_columns(db, sql, stmt);
    return err;
}

bool db_next(struct db *db)
{
    if (db->open == NULL)
        return false;
    int code = mysql_stmt_fetch(db->open);
    if (code == 0) {
        for (unsigned i = 0; i < db->columns; i++)
            ((char *)db->binds[i].buffer)[db->nulls[i] ? 0 : db->lens[i]] = '\0';
        return true;
    }
    assert(code == MYSQL_NO_DATA); /* the rows are here already, and the buffers fit them */
    rows_end(db);
    return false;
}

int64_t db_rows(struct db *db)
{
    return db->open == NULL ? 0 : (int64_t)mysql_stmt_num_rows(db->open);
}

unsigned db_columns(struct db *db)
{
    return db->open == NULL ? 0 : db->columns;
}

const char *db_text(struct db *db, unsigned column)
{
    assert(column < db->columns);
    return db->binds[column].buffer;
}

size_t db_len(struct db *db, unsigned column)
{
    assert(column < db->columns);
    return db->nulls[column] ? 0 : db->lens[column];
}

int64_t db_int(struct db *db, unsigned column)
{
    return strtoll(db_text(db, column), NULL, 10);
}

bool db_null(struct db *db, unsigned column)
{
    assert(column < db->columns);
    return db->nulls[column] != 0;
}

void db_copy(struct db *db, unsigned column, char *to, size_t size)
{
    bool fits = text_copy(to, size, db_text(db, column));
    assert(fits);
}

const char *db_keep(struct db *db, unsigned column)
{
    return arena_strndup(db->arena, db_text(db, column), db_len(db, column));
}

int64_t db_affected(struct db *db)
{
    return (int64_t)mysql_stmt_affected_rows(db->last);
}

int64_t db_insert_id(struct db *db)
{
    return (int64_t)mysql_stmt_insert_id(db->last);
}

struct arena *db_arena(struct db *db)
{
    return db->arena;
}

enum around { AROUND_NOTHING, AROUND_TRANSACTION, AROUND_SNAPSHOT };

static enum err begin(struct db *db, enum around around)
{
    if (around == AROUND_TRANSACTION)
        return run_text(db, "START TRANSACTION");
    enum err err = run_text(db, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    return err ? err : run_text(db, "START TRANSACTION WITH CONSISTENT SNAPSHOT");
}

/* A conflict (Galera tells most of them here) has undone everything. Any other error may hide that
 * it is done: ERR_DB_LOST. */
static enum err commit(struct db *db)
{
    enum err err = meet_fault(db, FAIL_AT(FAIL_COMMIT));
    if (!err && mysql_query(db->mysql, "COMMIT") != 0)
        err = failed(db, "COMMIT");
    return err == ERR_NONE || err == ERR_DB_CONFLICT ? err : ERR_DB_LOST;
}

/* *ret_unheard becomes true when a COMMIT was sent and its answer did not come. */
static enum err run_unit(struct db *db, enum around around, enum err (*unit)(struct db *, void *),
                         void *context, bool *ret_unheard)
{
    enum err err = db->mysql == NULL ? db_connect(db) : ERR_NONE;
    if (err || around == AROUND_NOTHING)
        return err ? err : unit(db, context);
    err = begin(db, around);
    if (!err)
        err = unit(db, context);
    rows_end(db);
    if (!err) {
        err = commit(db);
        *ret_unheard |= err == ERR_DB_LOST;
        if (err) /* whatever it left open must not become part of the next unit */
            db_close(db);
        return err;
    }
    if (err != ERR_DB_LOST && run_text(db, "ROLLBACK") != ERR_NONE)
        db_close(db);
    return err;
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

static enum err run_with_retries(struct db_pool *pool, struct arena *arena, enum around around,
                                 enum err (*unit)(struct db *, void *), void *context)
{
    enum err err = ERR_NONE;
    bool unheard = false;
    int tries = pool->admin ? 1 : TRIES;
    for (int try = 0; try < tries && has_time(); try++) {
        struct db *db = db_borrow(pool, arena);
        if (db == NULL)
            break;
        err = run_unit(db, around, unit, context, &unheard);
        if (err == ERR_DB_LOST)
            db_close(db);
        db_give_back(db);
        if (err != ERR_DB_CONFLICT && err != ERR_DB_LOST && err != ERR_DB_UNAVAILABLE)
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
    enum err err = run_with_retries(pool, arena, around, unit, context);
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

enum err db_script(struct db *db, const char *text, size_t len)
{
    if (mysql_real_query(db->mysql, text, len) != 0)
        return failed(db, "script");
    for (;;) {
        MYSQL_RES *rows = mysql_store_result(db->mysql);
        mysql_free_result(rows);
        int more = mysql_next_result(db->mysql);
        if (more < 0)
            return ERR_NONE;
        if (more > 0)
            return failed(db, "script");
    }
}
