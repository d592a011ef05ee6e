/* Several statements in one round trip. The server keeps a compound statement for each list of
 * them; how many there are is bounded by what units do, and the oldest makes room. */
#include "store/batch.h"

#include "base/buf.h"

#include <assert.h>
#include <string.h>

enum { TEXT_MAX = 32768 };

/* The first step says how a batch begins and ends, the others name statements. */
enum { STEP_BEGINS = 1, STEP_COMMITS = 2 };
enum { STEP_ONE_ROW = 0x8000 };

static void name_steps(const struct db *db, const struct appended *const *list, size_t count,
                       bool commits, struct batch *ret_wanted)
{
    assert(count > 0 && count <= BATCH_MAX);
    ret_wanted->steps[0] =
        (uint16_t)((db->to_begin ? STEP_BEGINS : 0) | (commits ? STEP_COMMITS : 0));
    for (size_t i = 0; i < count; i++)
        ret_wanted->steps[i + 1] =
            (uint16_t)(list[i]->sql | (list[i]->expected.one_row ? STEP_ONE_ROW : 0));
    ret_wanted->count = count + 1;
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

/* The "(?, ?)" of a statement that only inserts one row; else NULL. */
static const char *row_of(const char *text)
{
    static const char before[] = " VALUES ";
    const char *values = strstr(text, before);
    bool plain = strncmp(text, "INSERT INTO ", 12) == 0 && strstr(text, " RETURNING ") == NULL &&
                 strstr(text, " ON DUPLICATE ") == NULL;
    return plain && values != NULL ? values + strlen(before) : NULL;
}

/* One more row for the statement before, or one more statement. */
static void add_step(struct buf *text, const struct batch *wanted, size_t index)
{
    uint16_t step = wanted->steps[index];
    const char *statement = sql_text[step & ~STEP_ONE_ROW];
    const char *row = index > 1 && step == wanted->steps[index - 1] ? row_of(statement) : NULL;
    if (row != NULL)
        buf_printf(text, ", %s", row);
    else
        buf_printf(text, "%s%s", index > 1 ? "; " : "", statement);
    if ((step & STEP_ONE_ROW) != 0) /* as the server tells of a conflict */
        buf_puts(text, "; IF ROW_COUNT() <> 1 THEN SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213,"
                       " MESSAGE_TEXT = 'not one row was changed'; END IF");
}

static const char *text_of(struct arena *arena, const struct batch *wanted)
{
    struct buf text;
    buf_init(&text, arena, TEXT_MAX);
    buf_puts(&text, "BEGIN NOT ATOMIC ");
    if ((wanted->steps[0] & STEP_BEGINS) != 0)
        buf_puts(&text, "START TRANSACTION; ");
    for (size_t i = 1; i < wanted->count; i++)
        add_step(&text, wanted, i);
    if ((wanted->steps[0] & STEP_COMMITS) != 0)
        buf_puts(&text, "; COMMIT");
    buf_puts(&text, "; END");
    return buf_ok(&text) ? buf_text(&text) : NULL;
}

/* Those of all, one after the other. NULL: the arena is full. */
static struct db_value *join_values(struct arena *arena, const struct appended *const *list,
                                    size_t count)
{
    size_t all = 1;
    for (size_t i = 0; i < count; i++)
        all += db_count_values(list[i]->values);
    struct db_value *values = arena_alloc(arena, all * sizeof *values), *end = values;
    for (size_t i = 0; i < count && values != NULL; i++) {
        size_t some = db_count_values(list[i]->values);
        memcpy(end, list[i]->values, some * sizeof *values);
        end += some;
    }
    if (values != NULL)
        *end = (struct db_value){.kind = DB_KIND_END};
    return values;
}

/* Of one statement after the other, those that return one. */
static enum err read_numbers(struct db *db, const char *what, const struct appended *const *list,
                             size_t count)
{
    enum err err = db_read_first(db, what);
    for (size_t i = 0; i < count && !err; i++) {
        int64_t *number = list[i]->expected.ret_number;
        if (number == NULL)
            continue;
        *number = db_next(db) ? db_int(db, 0) : 0;
        err = db_read_next(db, what);
    }
    return err;
}

/* *ret_what: for the log. */
static enum err run(struct db *db, const struct appended *const *list, size_t count, bool commits,
                    const char **ret_what)
{
    struct batch wanted = {.stmt = NULL};
    name_steps(db, list, count, commits, &wanted);
    struct batch *batch = find_batch(db, &wanted);
    const struct db_value *values = join_values(db->arena, list, count);
    *ret_what = batch->stmt == NULL ? text_of(db->arena, &wanted) : sql_text[list[0]->sql];
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
    err = read_numbers(db, what, list, count);
    if (commits && (err == ERR_DB_LOST || err == ERR_OVERLOAD)) {
        db->unheard = true; /* whatever we could not read, it may be done */
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
