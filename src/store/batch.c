/* Several statements in one round trip. The server keeps a compound statement for each list of
 * them; how many there are is bounded by what units do, and the oldest makes room. A number that
 * one of them finds is kept in a variable, for those after it and for us. */
#include "store/batch.h"

#include "base/buf.h"

#include <assert.h>
#include <string.h>

enum { TEXT_MAX = 32768 };

/* What tells one batch from another: how it begins and ends, its statements, and after each those
 * of its values that are variables. */
enum { STEP_BEGINS = 1, STEP_COMMITS = 2 };
enum {
    STEP_VARIABLE = 0x8000, /* which value, and who finds it */
    STEP_ONE_ROW = 0x4000,
    STEP_COVERED = 0x2000,
    STEP_VALUE_SHIFT = 8,
};
_Static_assert((int)SQL_STATEMENTS < STEP_COVERED, "a number for each statement");

/* Which statement before has found this value; BATCH_MAX: none, it is known. */
static size_t finder_of(const struct appended *const *list, size_t index,
                        const struct db_value *value)
{
    for (size_t i = 0; i < index && value->kind == DB_KIND_LATER; i++)
        if (list[i]->expected.ret_number == value->bytes)
            return i;
    return BATCH_MAX;
}

static void add_step(struct batch *batch, size_t step)
{
    assert(batch->count < STEPS_MAX);
    batch->steps[batch->count++] = (uint16_t)step;
}

static void name_steps(const struct db *db, const struct appended *const *list, size_t count,
                       bool commits, struct batch *ret_wanted)
{
    assert(count > 0 && count <= BATCH_MAX);
    ret_wanted->count = 0;
    add_step(ret_wanted, (db->to_begin ? STEP_BEGINS : 0) | (commits ? STEP_COMMITS : 0));
    for (size_t i = 0; i < count; i++) {
        const struct db_value *values = list[i]->values;
        add_step(ret_wanted, list[i]->sql | (list[i]->expected.one_row ? STEP_ONE_ROW : 0) |
                                 (list[i]->expected.covered ? STEP_COVERED : 0));
        for (size_t j = 0; values[j].kind != DB_KIND_END; j++) {
            size_t finder = finder_of(list, i, &values[j]);
            if (finder < BATCH_MAX)
                add_step(ret_wanted, STEP_VARIABLE | j << STEP_VALUE_SHIFT | finder);
        }
    }
}

/* The one that the server knows already, or room for it. */
static struct batch *find_batch(struct db *db, const struct batch *wanted)
{
    size_t bytes = wanted->count * sizeof wanted->steps[0];
    for (size_t i = 0; i < BATCHES_MAX; i++)
        if (db->batches[i].count == wanted->count &&
            memcmp(db->batches[i].steps, wanted->steps, bytes) == 0)
            return &db->batches[i];
    struct batch *batch = &db->batches[db->batch_next++ % BATCHES_MAX];
    db_forget(db, &batch->stmt);
    *batch = *wanted;
    return batch;
}

/* --- its text --- */

/* The "(?, ?)" of a statement that only inserts one row; else NULL. */
static const char *row_of(const char *text)
{
    static const char before[] = " VALUES ";
    const char *values = strstr(text, before);
    bool plain = strncmp(text, "INSERT INTO ", 12) == 0 && strstr(text, " RETURNING ") == NULL &&
                 strstr(text, " ON DUPLICATE ") == NULL;
    return plain && values != NULL ? values + strlen(before) : NULL;
}

/* A statement, or its row, with its variables; what it returns is found otherwise. */
static void add_text(struct buf *text, const struct appended *const *list, size_t index,
                     const char *part)
{
    const char *returns = strstr(part, " RETURNING ");
    const char *end = returns == NULL ? part + strlen(part) : returns;
    for (const struct db_value *value = list[index]->values; part < end;) {
        size_t plain = strcspn(part, "?");
        if (part + plain >= end)
            plain = (size_t)(end - part);
        buf_add(text, part, plain);
        part += plain;
        if (part == end)
            return;
        size_t finder = finder_of(list, index, value++);
        if (finder == BATCH_MAX)
            buf_puts(text, "?");
        else
            buf_printf(text, "n%zu", finder);
        part++;
    }
}

/* How its number is found: INSERT has no RETURNING into a variable. */
static void add_finder(struct buf *text, enum sql sql, size_t index)
{
    if (sql == SQL_BALANCE_ADD)
        buf_printf(text, "; SELECT balance INTO n%zu FROM balances WHERE account_id = ?", index);
    else /* 0: what it had to insert was there */
        buf_printf(text, "; SET n%zu = IF(ROW_COUNT() = 1, LAST_INSERT_ID(), 0)", index);
}

/* As the server tells of one. */
static void add_conflict(struct buf *text, const char *what)
{
    buf_printf(text,
               " THEN SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = '%s'; END IF",
               what);
}

static void add_condition(struct buf *text, const struct appended *const *list, size_t index)
{
    buf_puts(text, index > 0 ? "; IF NOT EXISTS (" : "IF NOT EXISTS (");
    add_text(text, list, index, sql_text[list[index]->sql]);
    buf_puts(text, ")");
    add_conflict(text, "a row is not there");
}

/* One more row for the statement before, or one more statement. */
static void add_statement(struct buf *text, const struct appended *const *list, size_t index)
{
    const struct appended *appended = list[index];
    const char *statement = sql_text[appended->sql], *row = row_of(statement);
    bool again = row != NULL && index > 0 && list[index - 1]->sql == appended->sql;
    if (appended->expected.exists) {
        add_condition(text, list, index);
        return;
    }
    buf_puts(text, again ? ", " : index > 0 ? "; " : "");
    add_text(text, list, index, again ? row : statement);
    if (appended->expected.ret_number != NULL)
        add_finder(text, appended->sql, index);
    if (appended->expected.one_row) {
        buf_puts(text, "; IF ROW_COUNT() <> 1");
        add_conflict(text, "not one row was changed");
    }
    if (appended->expected.covered) {
        buf_printf(text, "; IF n%zu < 0", index);
        add_conflict(text, "the balance does not cover it");
    }
}

/* Once all is done, nobody asks for what is for its unit only. */
static bool has_number(const struct appended *appended, bool done)
{
    return appended->expected.ret_number != NULL && !(done && appended->expected.inner);
}

/* With each variable's number in it. */
static bool add_variables(struct buf *text, const struct appended *const *list, size_t count,
                          bool done, const char *before)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (!has_number(list[i], done))
            continue;
        buf_printf(text, "%sn%zu", any ? ", " : before, i);
        any = true;
    }
    return any;
}

/* NULL: the arena is full. */
static const char *text_of(struct arena *arena, const struct appended *const *list, size_t count,
                           unsigned around)
{
    struct buf text;
    buf_init(&text, arena, TEXT_MAX);
    buf_puts(&text, "BEGIN NOT ATOMIC ");
    if (add_variables(&text, list, count, false, "DECLARE "))
        buf_puts(&text, " BIGINT; ");
    if ((around & STEP_BEGINS) != 0)
        buf_puts(&text, "START TRANSACTION; ");
    for (size_t i = 0; i < count; i++)
        add_statement(&text, list, i);
    (void)add_variables(&text, list, count, (around & STEP_COMMITS) != 0, "; SELECT ");
    if ((around & STEP_COMMITS) != 0)
        buf_puts(&text, "; COMMIT");
    buf_puts(&text, "; END");
    return buf_ok(&text) ? buf_text(&text) : NULL;
}

/* --- what goes in and out --- */

/* Those of all, one after the other, but for the variables. NULL: the arena is full. */
static struct db_value *join_values(struct arena *arena, const struct appended *const *list,
                                    size_t count)
{
    size_t all = 1;
    for (size_t i = 0; i < count; i++)
        all += db_count_values(list[i]->values) + 1;
    struct db_value *values = arena_alloc(arena, all * sizeof *values), *end = values;
    for (size_t i = 0; i < count && values != NULL; i++) {
        const struct db_value *value = list[i]->values;
        for (; value->kind != DB_KIND_END; value++)
            if (finder_of(list, i, value) == BATCH_MAX)
                *end++ = *value;
        if (list[i]->sql == SQL_BALANCE_ADD)
            *end++ = list[i]->values[0]; /* see add_finder */
    }
    if (values != NULL)
        *end = (struct db_value){.kind = DB_KIND_END};
    return values;
}

/* One row of all of them, if there are any. */
static enum err read_numbers(struct db *db, const char *what, const struct appended *const *list,
                             size_t count, bool done)
{
    unsigned column = 0;
    enum err err = db_read_first(db, what);
    bool found = !err && db_next(db);
    for (size_t i = 0; i < count && found; i++)
        if (has_number(list[i], done))
            *list[i]->expected.ret_number = db_int(db, column++);
    return found ? db_read_next(db, what) : err;
}

/* *ret_what: for the log. */
static enum err run(struct db *db, const struct appended *const *list, size_t count, bool commits,
                    const char **ret_what)
{
    struct batch wanted = {.stmt = NULL};
    db_rows_end(db); /* they may be of the one that makes room */
    name_steps(db, list, count, commits, &wanted);
    struct batch *batch = find_batch(db, &wanted);
    const struct db_value *values = join_values(db->arena, list, count);
    *ret_what = batch->stmt == NULL ? text_of(db->arena, list, count, wanted.steps[0])
                                    : sql_text[list[0]->sql];
    if (*ret_what == NULL || values == NULL)
        return ERR_OVERLOAD;
    return db_run_batch(db, &batch->stmt, *ret_what, values,
                        commits ? FAIL_COMMIT : FAIL_STATEMENT);
}

enum err batch_run(struct db *db, const struct appended *const *list, size_t count, bool commits)
{
    const char *what;
    enum err err = run(db, list, count, commits, &what);
    if (err)
        return err;
    err = read_numbers(db, what, list, count, commits);
    if (commits && err && err != ERR_DB_CONFLICT) {
        db->unheard = true; /* the COMMIT's answer comes after the numbers: it may be done */
        return ERR_DB_LOST;
    }
    db_rows_end(db);
    return err;
}

enum err batch_begin_with(struct db *db, const struct db_read *reads, size_t count)
{
    struct appended steps[2];
    const struct appended *list[2];
    const char *what;
    assert(count <= 2);
    for (size_t i = 0; i < count; i++) {
        steps[i] = (struct appended){.sql = reads[i].sql, .values = reads[i].values};
        list[i] = &steps[i];
    }
    enum err err = run(db, list, count, false, &what);
    return err ? err : db_read_first(db, what);
}
