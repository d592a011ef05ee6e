/* The only file that knows MariaDB. Connections are opened when first needed and closed at the
 * first sign of trouble; nothing reconnects behind our back, for that would hide a rollback. */
#include "store/batch.h"

#include "base/buf.h"
#include "base/fail.h"
#include "store/ready.h"

#include <assert.h>
#include <errmsg.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    VALUES_MAX = MANY_MAX,
    NUMBER_BYTES = 32,
    CONNECT_TIMEOUT_S = 2,
    IO_TIMEOUT_S = 8,
};

/* Lists of values as the connector wants them: column by column. */
struct column {
    int64_t numbers[MANY_MAX];
    const void *texts[MANY_MAX];
    unsigned long lens[MANY_MAX];
    char indicators[MANY_MAX];
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

void db_close(struct db *db)
{
    db->last = db->open = NULL;
    for (size_t i = 0; i < SQL_STATEMENTS; i++)
        db_forget(db, &db->prepared[i]);
    for (size_t i = 0; i < BATCHES_MAX; i++)
        db_forget(db, &db->batches[i].stmt);
    if (db->mysql != NULL)
        mysql_close(db->mysql);
    free(db->binds);
    free(db->columns_of_many);
    db->binds = NULL;
    db->columns_of_many = NULL;
    db->mysql = NULL;
    db->ahead = db->to_begin = false;
}

void db_note_problem(const char *what, unsigned code, const char *text)
{
    (void)snprintf(problem, sizeof problem, "%s: %u %s", what, code, text);
}

void db_retell_problem(const char *text)
{
    (void)text_copy(problem, sizeof problem, text);
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
    case ER_ERROR_DURING_COMMIT:       /* in a batch, where no other is told from it */
        return ERR_DB_LOST;
    default: /* the connector's own errors: the line is broken or out of step */
        return code >= CR_MIN_ERROR && code <= CR_MAX_ERROR ? ERR_DB_LOST : ERR_DB;
    }
}

static enum err failed(struct db *db, const char *what)
{
    unsigned code = mysql_errno(db->mysql);
    db_note_problem(what, code, mysql_error(db->mysql));
    return judge(code);
}

static enum err statement_failed(const char *text, MYSQL_STMT *stmt)
{
    unsigned code = mysql_stmt_errno(stmt);
    char what[80];
    (void)snprintf(what, sizeof what, "%.60s", text);
    db_note_problem(what, code, mysql_stmt_error(stmt));
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

/* A transaction begins with its first statement: with one that reads, in the same round trip. */
static enum err begin_now(struct db *db)
{
    bool begins = db->to_begin;
    db->to_begin = false;
    return begins ? run_text(db, "START TRANSACTION") : ERR_NONE;
}

static const char session_variables[] =
    "SET SESSION time_zone = '+00:00', innodb_lock_wait_timeout = 3,"
    " sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO'";
/* fewer gap locks than the default; every unit locks the rows that it decides by */
static const char isolation[] = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
/* The server goes on with a statement whose client has hung up, after IO_TIMEOUT_S. Not at once: a
 * client that still listens would hear of it, and not know what became of a COMMIT. */
static const char statement_limit[] = "SET SESSION max_statement_time = 10";

static enum err set_session(struct db *db)
{
    enum err err = run_text(db, session_variables);
    if (!err)
        err = run_text(db, isolation);
    return err || db->pool->admin ? err : run_text(db, statement_limit);
}

/* A program that is newer than the schema would find out with a payment half done, so it does not
 * begin one. A schema may be newer: the next program is about to start. */
static bool is_migrated(struct db *db)
{
    char text[80];
    MYSQL_RES *result = NULL;
    if (db->pool->admin || db->pool->migrated)
        return true;
    (void)snprintf(text, sizeof text, "SELECT MAX(version) >= %d FROM schema_migrations",
                   SCHEMA_VERSION);
    if (mysql_query(db->mysql, text) == 0)
        result = mysql_store_result(db->mysql);
    MYSQL_ROW row = result == NULL ? NULL : mysql_fetch_row(result);
    db->pool->migrated = row != NULL && row[0] != NULL && row[0][0] == '1';
    mysql_free_result(result);
    return db->pool->migrated;
}

enum err db_connect(struct db *db)
{
    const struct settings *s = db->pool->settings;
    unsigned connect_timeout = CONNECT_TIMEOUT_S, io_timeout = IO_TIMEOUT_S;
    const char *user = db->pool->admin ? s->database.admin_user : s->database.user;
    const struct secret *word =
        db->pool->admin ? &s->database.admin_password : &s->database.password;
    db->unheard = false; /* what the last one left unsaid has been told */
    db->mysql = mysql_init(NULL);
    db->binds = calloc(BINDS_MAX, sizeof *db->binds);
    db->columns_of_many = calloc(VALUES_MAX, sizeof *db->columns_of_many);
    if (db->mysql == NULL || db->binds == NULL || db->columns_of_many == NULL) {
        db_close(db);
        return ERR_DB_UNAVAILABLE;
    }
    mysql_options(db->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
    if (!db->pool->admin) { /* an admin's statement may take as long as it needs */
        mysql_options(db->mysql, MYSQL_OPT_READ_TIMEOUT, &io_timeout);
        mysql_options(db->mysql, MYSQL_OPT_WRITE_TIMEOUT, &io_timeout);
    }
    mysql_options(db->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(db->mysql, NULL, user, secret_reveal(word), s->database.name, 0,
                           s->database.socket,
                           db->pool->admin ? CLIENT_MULTI_STATEMENTS : 0) == NULL ||
        set_session(db) != ERR_NONE) {
        db_note_problem("connect", mysql_errno(db->mysql), mysql_error(db->mysql));
        db_close(db);
        return ERR_DB_UNAVAILABLE;
    }
    if (!is_migrated(db)) {
        db_note_problem("connect", mysql_errno(db->mysql),
                        "the schema is older than the program: run guichetctl migrate");
        db_close(db);
        return ERR_DB_UNAVAILABLE;
    }
    return ERR_NONE;
}

void db_rows_end(struct db *db)
{
    if (db->open != NULL)
        (void)mysql_stmt_free_result(db->open);
    while (db->last != NULL && mysql_stmt_more_results(db->last) &&
           mysql_stmt_next_result(db->last) == 0)
        ; /* what else a batch returns */
    db->open = NULL;
    db->ahead = false;
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

enum err db_prepare(struct db *db, const char *text, MYSQL_STMT **place)
{
    MYSQL_STMT *stmt = mysql_stmt_init(db->mysql);
    my_bool measure = 1;
    if (stmt == NULL)
        return ERR_DB_LOST;
    mysql_stmt_attr_set(stmt, STMT_ATTR_UPDATE_MAX_LENGTH, &measure);
    if (mysql_stmt_prepare(stmt, text, strlen(text)) != 0) {
        enum err err = statement_failed(text, stmt);
        (void)mysql_stmt_close(stmt);
        return err;
    }
    *place = stmt;
    return ERR_NONE;
}

static enum err prepare(struct db *db, enum sql sql, MYSQL_STMT **ret_stmt)
{
    enum err err =
        db->prepared[sql] == NULL ? db_prepare(db, sql_text[sql], &db->prepared[sql]) : ERR_NONE;
    *ret_stmt = db->prepared[sql];
    return err;
}

void db_forget(struct db *db, MYSQL_STMT **place)
{
    assert(*place == NULL || *place != db->open);
    if (*place != NULL && *place == db->last)
        db->last = NULL;
    if (*place != NULL)
        (void)mysql_stmt_close(*place);
    *place = NULL;
}

size_t db_count_values(const struct db_value *values)
{
    size_t count = 0;
    while (values[count].kind != DB_KIND_END)
        count++;
    return count;
}

struct db_value db_value_later(const int64_t *number)
{
    return (struct db_value){.kind = DB_KIND_LATER, .bytes = number};
}

static const int64_t *later_number(const struct db_value *value)
{
    return value->kind == DB_KIND_LATER ? value->bytes : &value->number;
}

static void bind_value(MYSQL_BIND *bind, const struct db_value *value)
{
    *bind = (MYSQL_BIND){0};
    if (value->kind == DB_KIND_INT || value->kind == DB_KIND_LATER) {
        bind->buffer_type = MYSQL_TYPE_LONGLONG;
        bind->buffer = (void *)later_number(value);
    } else if (value->kind == DB_KIND_BYTES) {
        bind->buffer_type = MYSQL_TYPE_STRING;
        bind->buffer = (void *)value->bytes;
        bind->buffer_length = value->len;
    } else {
        bind->buffer_type = MYSQL_TYPE_NULL;
    }
}

static enum err run_prepared(struct db *db, const char *text, MYSQL_STMT *stmt,
                             const struct db_value *values)
{
    size_t count = db_count_values(values);
    assert(count == mysql_stmt_param_count(stmt) && count <= BINDS_MAX);
    for (size_t i = 0; i < count; i++)
        bind_value(&db->binds[i], &values[i]);
    if (count > 0 && mysql_stmt_bind_param(stmt, db->binds) != 0)
        return statement_failed(text, stmt);
    return mysql_stmt_execute(stmt) != 0 ? statement_failed(text, stmt) : ERR_NONE;
}

/* Every column is fetched as text into a piece of the arena that fits its longest value. */
static enum err bind_columns(struct db *db, const char *text, MYSQL_STMT *stmt)
{
    MYSQL_BIND binds[COLUMNS_MAX] = {0};
    if (mysql_stmt_store_result(stmt) != 0)
        return statement_failed(text, stmt);
    MYSQL_RES *meta = mysql_stmt_result_metadata(stmt);
    if (meta == NULL)
        return ERR_DB_LOST;
    enum err err = ERR_NONE;
    db->columns = mysql_num_fields(meta);
    assert(db->columns <= COLUMNS_MAX);
    for (unsigned i = 0; i < db->columns && !err; i++) {
        unsigned long size = mysql_fetch_field_direct(meta, i)->max_length + NUMBER_BYTES;
        db->cells[i] = arena_alloc(db->arena, size);
        binds[i].buffer_type = MYSQL_TYPE_STRING;
        binds[i].buffer = db->cells[i];
        binds[i].buffer_length = size - 1;
        binds[i].length = &db->lens[i];
        binds[i].is_null = &db->nulls[i];
        if (db->cells[i] == NULL)
            err = ERR_OVERLOAD;
    }
    mysql_free_result(meta);
    if (!err && mysql_stmt_bind_result(stmt, binds) != 0)
        err = statement_failed(text, stmt);
    db->open = stmt;
    return err;
}

static enum err ready_statement(struct db *db, enum sql sql, MYSQL_STMT **ret_stmt)
{
    db_rows_end(db);
    enum err err = begin_now(db);
    if (!err)
        err = meet_fault(db, FAIL_AT(FAIL_STATEMENT));
    return err ? err : prepare(db, sql, ret_stmt);
}

static enum err read_results(struct db *db, const char *text, MYSQL_STMT *stmt)
{
    db->last = stmt;
    return mysql_stmt_field_count(stmt) > 0 ? bind_columns(db, text, stmt) : ERR_NONE;
}

enum err db_run_now(struct db *db, enum sql sql, const struct db_value *values)
{
    MYSQL_STMT *stmt = NULL;
    if (db->to_begin && sql_reads(sql))
        return batch_begin_with(db, &(struct db_read){sql, values}, 1);
    enum err err = ready_statement(db, sql, &stmt);
    if (!err)
        err = run_prepared(db, sql_text[sql], stmt, values);
    return err ? err : read_results(db, sql_text[sql], stmt);
}

/* --- several statements as one, see batch.c --- */

enum err db_run_batch(struct db *db, MYSQL_STMT **place, const char *text,
                      const struct db_value *values, enum fail_place step)
{
    enum err err = meet_fault(db, FAIL_AT(step));
    if (!err && *place == NULL)
        err = db_prepare(db, text, place);
    if (err)
        return err;
    db->to_begin = false;
    err = run_prepared(db, text, *place, values);
    /* "gone" is what it says when nothing could be sent */
    db->unheard = err == ERR_DB_LOST && step == FAIL_COMMIT &&
                  mysql_stmt_errno(*place) != CR_SERVER_GONE_ERROR;
    db->last = *place;
    return err;
}

enum err db_read_first(struct db *db, const char *text)
{
    return read_results(db, text, db->last);
}

enum err db_read_next(struct db *db, const char *text)
{
    MYSQL_STMT *stmt = db->last;
    db->open = NULL;
    int more = mysql_stmt_next_result(stmt);
    if (more > 0)
        return statement_failed(text, stmt);
    return more < 0 ? ERR_NONE : read_results(db, text, stmt);
}

static void bind_column(struct column *column, MYSQL_BIND *bind,
                        const struct db_value *const *lists, unsigned count, unsigned index)
{
    enum db_kind kind = DB_KIND_NULL;
    for (unsigned i = 0; i < count; i++) {
        const struct db_value *value = &lists[i][index];
        bool null = value->kind == DB_KIND_NULL;
        bool number = value->kind == DB_KIND_INT || value->kind == DB_KIND_LATER;
        column->indicators[i] = null ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE;
        column->numbers[i] = number ? *later_number(value) : 0;
        column->texts[i] = null || number ? "" : value->bytes;
        column->lens[i] = null || number ? 0 : value->len;
        if (!null)
            kind = number ? DB_KIND_INT : DB_KIND_BYTES;
    }
    *bind = (MYSQL_BIND){.u.indicator = column->indicators};
    bind->buffer_type = kind == DB_KIND_INT ? MYSQL_TYPE_LONGLONG : MYSQL_TYPE_STRING;
    bind->buffer = kind == DB_KIND_INT ? (void *)column->numbers : (void *)column->texts;
    bind->length = column->lens;
}

static enum err run_bulk(struct db *db, const char *text, MYSQL_STMT *stmt,
                         const struct db_value *const *lists, unsigned count)
{
    unsigned none = 0, values = (unsigned)mysql_stmt_param_count(stmt);
    assert(values > 0 && values <= VALUES_MAX && count <= MANY_MAX);
    for (unsigned i = 0; i < values; i++)
        bind_column(&db->columns_of_many[i], &db->binds[i], lists, count, i);
    (void)mysql_stmt_attr_set(stmt, STMT_ATTR_ARRAY_SIZE, &count);
    enum err err = mysql_stmt_bind_param(stmt, db->binds) != 0 || mysql_stmt_execute(stmt) != 0
                       ? statement_failed(text, stmt)
                       : ERR_NONE;
    (void)mysql_stmt_attr_set(stmt, STMT_ATTR_ARRAY_SIZE, &none);
    return err;
}

enum err db_run_many(struct db *db, enum sql sql, const struct db_value *const *lists,
                     unsigned count)
{
    MYSQL_STMT *stmt = NULL;
    enum err err = ready_statement(db, sql, &stmt);
    if (!err)
        err = run_bulk(db, sql_text[sql], stmt, lists, count);
    return err ? err : read_results(db, sql_text[sql], stmt);
}

bool db_next(struct db *db)
{
    if (db->ahead) {
        db->ahead = false;
        return true;
    }
    if (db->open == NULL)
        return false;
    int code = mysql_stmt_fetch(db->open);
    if (code == 0) {
        for (unsigned i = 0; i < db->columns; i++)
            db->cells[i][db->nulls[i] ? 0 : db->lens[i]] = '\0';
        return true;
    }
    assert(code == MYSQL_NO_DATA); /* the rows are here already, and the buffers fit them */
    db_rows_end(db);
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
    return db->cells[column];
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

enum err db_keep_or_null(struct db *db, unsigned column, const char **ret_text)
{
    bool null = db_null(db, column);
    *ret_text = null ? NULL : db_keep(db, column);
    return null || *ret_text != NULL ? ERR_NONE : ERR_OVERLOAD;
}

int64_t db_affected(struct db *db)
{
    return (int64_t)mysql_stmt_affected_rows(db->last);
}

struct arena *db_arena(struct db *db)
{
    return db->arena;
}

enum err db_begin(struct db *db, enum around around)
{
    db->unheard = false;
    db->to_begin = around == AROUND_TRANSACTION;
    if (db->to_begin)
        return ERR_NONE;
    enum err err = run_text(db, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    return err ? err : run_text(db, "START TRANSACTION WITH CONSISTENT SNAPSHOT");
}

/* Nothing has been done in a transaction that has yet to begin. */
static bool is_over(struct db *db)
{
    bool over = db->to_begin;
    db->to_begin = false;
    return over;
}

/* A conflict (Galera tells most of them here) has undone everything. Any other error may hide that
 * it is done: ERR_DB_LOST. */
enum err db_commit(struct db *db)
{
    if (is_over(db))
        return ERR_NONE;
    enum err err = meet_fault(db, FAIL_AT(FAIL_COMMIT));
    if (!err && mysql_query(db->mysql, "COMMIT") != 0)
        err = failed(db, "COMMIT");
    db->unheard = err != ERR_NONE && err != ERR_DB_CONFLICT;
    return db->unheard ? ERR_DB_LOST : err;
}

enum err db_roll_back(struct db *db)
{
    return is_over(db) ? ERR_NONE : run_text(db, "ROLLBACK");
}

enum err db_script(struct db *db, const char *text, size_t len)
{
    enum err err = begin_now(db);
    if (err)
        return err;
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
