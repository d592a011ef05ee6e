/* How a unit of a group sees the database: rows that all of them ask for were fetched for all at
 * once, and what it appends is run at the end, one statement for all. It cannot tell: what it has
 * appended itself is run before it reads again, and no other unit of the group is about the same.
 */
#include "store/gathering.h"

#include "base/ident.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Which statements are fetched for all, by their keys, if they have any; which of the columns hold
 * the values that a single one is asked with. */
static const struct ahead {
    enum sql one, many;
    char kind; /* of their keys: see db_key; 'P': ids of payments */
    unsigned values, columns[3];
} aheads[] = {
    {SQL_CLOCK, SQL_CLOCK, '\0', 0, {0}},
    {SQL_USER_BY_ID, SQL_USERS_BY_ID, 'u', 1, {0}},
    {SQL_PAYMENT_LOCK, SQL_PAYMENTS_LOCK, 'P', 1, {0}},
    {SQL_ATTEMPT_OF_PROVIDER, SQL_ATTEMPTS_OF_PAYMENTS, 'P', 2, {7, 1}},
    {SQL_ACCOUNT_BY_OWNER, SQL_ACCOUNTS_OF_PAYMENTS, 'P', 3, {1, 2, 3}},
    {SQL_ITEM_LOCK, SQL_ITEMS_LOCK, 'i', 1, {6}},
};
_Static_assert(sizeof aheads / sizeof aheads[0] == AHEADS, "a place for each");

int64_t *db_number_new(struct db *db)
{
    return arena_alloc(db->arena, sizeof(int64_t));
}

bool db_gathered(const struct db *db)
{
    return db->gathering != NULL;
}

bool db_alone_in_group(const struct db *db)
{
    return db->gathering != NULL && db->gathering->member_count == 1;
}

/* --- what is held back --- */

static enum err check_one(struct db *db, const struct appended *appended)
{
    int64_t *number = appended->expected.ret_number;
    if (number == NULL)
        return ERR_NONE;
    *number = db_next(db) ? db_int(db, 0) : 0;
    if (!appended->expected.covered || *number >= 0)
        return ERR_NONE;
    if (db->gathering != NULL)
        db->gathering->cause = appended->member;
    return ERR_BALANCE;
}

enum { NAMES_MAX = 6 * MANY_MAX };

/* Run with many values, the database makes one statement of an INSERT, but one of each value of
 * anything else. So there is one that names up to MANY_MAX rows at once. */
static const struct naming {
    enum sql one, many;
    const char *shared;   /* which values of one must be the same for all: they come first */
    const char *lists[4]; /* then, list after list, these of each */
} namings[] = {
    {SQL_PAYMENT_STATUS, SQL_PAYMENTS_STATUS, "013", {"2"}},
    {SQL_ITEM_HAND_OVER, SQL_ITEMS_HAND_OVER, "", {"10", "1", "12"}},
    {SQL_KEY_ANSWER, SQL_KEYS_ANSWER, "0", {"21", "2"}},
    {SQL_CHECK_DELETE, SQL_CHECKS_DELETE, "", {"0"}},
    {SQL_DELIVERIES_INSERT, SQL_DELIVERIES_OF_MANY, "", {"0"}},
};

static bool is_same(const struct db_value *one, const struct db_value *other)
{
    if (one->kind != other->kind || one->number != other->number || one->len != other->len)
        return false;
    return one->kind == DB_KIND_BYTES ? memcmp(one->bytes, other->bytes, one->len) == 0
                                      : one->bytes == other->bytes;
}

static bool share(const struct naming *naming, const struct appended *const *list, unsigned count)
{
    for (const char *c = naming->shared; *c != '\0'; c++)
        for (unsigned i = 1; i < count; i++)
            if (!is_same(&list[i]->values[*c - '0'], &list[0]->values[*c - '0']))
                return false;
    return true;
}

/* NULL: it can be run with many values only. */
static const struct naming *find_naming(const struct appended *const *list, unsigned count)
{
    for (size_t i = 0; i < sizeof namings / sizeof *namings; i++)
        if (namings[i].one == list[0]->sql)
            return share(&namings[i], list, count) ? &namings[i] : NULL;
    return NULL;
}

static enum err run_naming(struct db *db, const struct naming *naming,
                           const struct appended *const *list, unsigned count)
{
    struct db_value values[NAMES_MAX], *end = values;
    for (const char *c = naming->shared; *c != '\0'; c++)
        *end++ = list[0]->values[*c - '0'];
    for (const char *const *each = naming->lists; *each != NULL; each++)
        for (unsigned i = 0; i < MANY_MAX; i++)
            for (const char *c = *each; *c != '\0'; c++)
                *end++ = i < count ? list[i]->values[*c - '0'] : DB_NOTHING;
    *end = (struct db_value){.kind = DB_KIND_END};
    return db_run_now(db, naming->many, values);
}

static enum err run_values(struct db *db, const struct appended *const *list, unsigned count)
{
    const struct db_value *values[MANY_MAX];
    for (unsigned i = 0; i < count; i++)
        values[i] = list[i]->values;
    return db_run_many(db, list[0]->sql, values, count);
}

static enum err run_all(struct db *db, const struct appended *const *list, unsigned count)
{
    if (count == 1)
        return db_run_now(db, list[0]->sql, list[0]->values);
    const struct naming *naming = find_naming(list, count);
    return naming == NULL ? run_values(db, list, count) : run_naming(db, naming, list, count);
}

/* Were as many rows changed, and numbers returned, as must be? */
static bool is_whole(struct db *db, const struct db_expected *expected, unsigned count)
{
    if (expected->one_row && db_affected(db) != (int64_t)count)
        return false;
    return expected->ret_number == NULL || count == 1 || db_rows(db) == (int64_t)count;
}

/* list: of one statement. */
static enum err run_list(struct db *db, const struct appended *const *list, unsigned count)
{
    enum err err = run_all(db, list, count);
    if (!err && !is_whole(db, &list[0]->expected, count))
        return ERR_DB_CONFLICT;
    for (unsigned i = 0; i < count && !err; i++)
        err = check_one(db, list[i]);
    return err;
}

/* Parents come before children in enum sql, whichever unit was first to append which. Balances are
 * locked as they are changed: in one order by all, so that two groups do not wait for each other.
 * Those of one account stay in the order of their units, which is their entries'. */
static int in_order(const void *a, const void *b)
{
    const struct appended *one = *(const struct appended *const *)a;
    const struct appended *other = *(const struct appended *const *)b;
    if (one->sql != other->sql)
        return one->sql < other->sql ? -1 : 1;
    int64_t account = one->values[0].number, other_account = other->values[0].number;
    if (one->sql == SQL_BALANCE_ADD && account != other_account)
        return account < other_account ? -1 : 1;
    return one < other ? -1 : 1;
}

/* Each statement once, for all that want it. */
static enum err flush_for_many(struct db *db, struct gathering *g)
{
    enum err err = ERR_NONE;
    for (size_t i = 0, count; i < g->appended_count && !err; i += count) {
        for (count = 1; i + count < g->appended_count && count < MANY_MAX; count++)
            if (g->list[i + count]->sql != g->list[i]->sql)
                break;
        err = run_list(db, g->list + i, (unsigned)count);
    }
    return err;
}

/* Nobody to share a statement with: then all that can be in one round trip, the COMMIT too. */
static enum err flush_for_one(struct db *db, struct gathering *g, bool last)
{
    enum err err = ERR_NONE;
    for (size_t i = 0, count; i < g->appended_count && !err; i += count) {
        const struct appended *const *list = g->list + i;
        count = g->appended_count - i < BATCH_MAX ? g->appended_count - i : BATCH_MAX;
        g->committed = last && i + count == g->appended_count;
        err = batch_run(db, list, count, g->committed);
    }
    return err;
}

enum err held_flush(struct db *db, bool last)
{
    struct gathering *g = db->gathering;
    for (size_t i = 0; i < g->appended_count; i++)
        g->list[i] = &g->appended[i];
    qsort(g->list, g->appended_count, sizeof(void *), in_order);
    enum err err = g->member_count == 1 ? flush_for_one(db, g, last) : flush_for_many(db, g);
    g->executed = g->executed || g->appended_count > g->first;
    g->broken = err != ERR_NONE;
    g->appended_count = g->first = 0;
    db_rows_end(db);
    return err == ERR_NONE || pool_retries(err) ? err : ERR_DB_CONFLICT;
}

static enum err copy_value(struct arena *arena, struct db_value *value)
{
    if (value->kind != DB_KIND_BYTES)
        return ERR_NONE;
    value->bytes = arena_strndup(arena, value->bytes, value->len);
    return value->bytes == NULL ? ERR_OVERLOAD : ERR_NONE;
}

static enum err hold_back(struct db *db, enum sql sql, const struct db_value *values,
                          const struct db_expected *expected)
{
    struct gathering *g = db->gathering;
    size_t count = db_count_values(values);
    enum err err = g->appended_count == APPENDED_MAX ? held_flush(db, false) : ERR_NONE;
    struct db_value *copy = arena_alloc(db->arena, (count + 1) * sizeof *copy);
    if (copy == NULL)
        return ERR_OVERLOAD;
    memcpy(copy, values, (count + 1) * sizeof *copy);
    for (size_t i = 0; i < count && !err; i++)
        err = copy_value(db->arena, &copy[i]);
    if (!err)
        g->appended[g->appended_count++] = (struct appended){sql, copy, *expected, g->running};
    return err;
}

enum err db_append_values(struct db *db, enum sql sql, const struct db_value *values,
                          const struct db_expected *expected)
{
    static const struct db_expected nothing = {.one_row = false};
    const struct appended now = {
        .sql = sql, .values = values, .expected = *(expected == NULL ? &nothing : expected)};
    const struct appended *list = &now;
    return db->gathering == NULL ? run_list(db, &list, 1)
                                 : hold_back(db, sql, values, &now.expected);
}

/* --- what was fetched for all --- */

static char **keep_cells(struct db *db)
{
    char **cells = arena_alloc(db->arena, db->columns * sizeof *cells);
    for (unsigned i = 0; i < db->columns && cells != NULL; i++) {
        cells[i] = arena_strndup(db->arena, db->cells[i], db_len(db, i));
        if (cells[i] == NULL)
            return NULL;
    }
    return cells;
}

static enum err keep_row(struct db *db, struct ahead_row *ret_row)
{
    *ret_row = (struct ahead_row){.columns = db->columns,
                                  .cells = keep_cells(db),
                                  .lens = arena_alloc(db->arena, sizeof db->lens),
                                  .nulls = arena_alloc(db->arena, sizeof db->nulls)};
    if (ret_row->cells == NULL || ret_row->lens == NULL || ret_row->nulls == NULL)
        return ERR_OVERLOAD;
    memcpy(ret_row->lens, db->lens, sizeof db->lens);
    memcpy(ret_row->nulls, db->nulls, sizeof db->nulls);
    return ERR_NONE;
}

static struct db_value key_value(const struct ahead *ahead, const char *key)
{
    if (key == NULL || key[0] != ahead->kind)
        return DB_NOTHING;
    return ahead->kind == 'P' ? DB_TEXT(key) : DB_INT(strtoll(key + 1, NULL, 10));
}

/* With the first unit that asks for one. The rows outlive it: they are kept in the arena of the
 * leader, which ends last. Rows that do not fit are asked for again by whoever wants them. */
static enum err fetch_ahead(struct db *db, struct gathering *g, size_t index)
{
    struct db_value keys[MANY_MAX + 1] = {0};
    struct arena *arena = db->arena;
    for (size_t i = 0; i < MANY_MAX && aheads[index].values > 0; i++)
        keys[i] = i < g->member_count ? key_value(&aheads[index], g->keys[i]) : DB_NOTHING;
    db->arena = g->arena;
    g->fetched[index] = true;
    g->row_counts[index] = 0;
    enum err err = db_run_now(db, aheads[index].many, keys);
    while (!err && g->row_counts[index] < AHEAD_MAX && db_next(db))
        err = keep_row(db, &g->rows[index][g->row_counts[index]++]);
    db->arena = arena;
    return err;
}

static bool is_asked_for(const struct ahead *ahead, const struct ahead_row *row,
                         const struct db_value *texts)
{
    for (unsigned i = 0; i < ahead->values; i++)
        if (texts[i].len != row->lens[ahead->columns[i]] ||
            memcmp(texts[i].bytes, row->cells[ahead->columns[i]], texts[i].len) != 0)
            return false;
    return true;
}

static const struct ahead_row *find_row(const struct gathering *g, size_t index,
                                        const struct db_value *values)
{
    const struct ahead *ahead = &aheads[index];
    struct ident_text numbers[3];
    struct db_value texts[3];
    for (unsigned i = 0; i < ahead->values; i++) {
        bool text = values[i].kind == DB_KIND_BYTES;
        numbers[i] = ident_text(values[i].number);
        texts[i] = text ? values[i] : DB_TEXT(numbers[i].text);
    }
    for (size_t i = 0; i < g->row_counts[index]; i++)
        if (is_asked_for(ahead, &g->rows[index][i], texts))
            return &g->rows[index][i];
    return NULL;
}

/* True: the row is there to be read. It is what the database would say, for the unit itself has
 * changed nothing yet, and no other of the group is about the same. */
static bool serve(struct db *db, struct gathering *g, enum sql sql, const struct db_value *values)
{
    size_t i = 0;
    while (i < AHEADS && aheads[i].one != sql)
        i++;
    if (i == AHEADS || g->executed || g->member_count == 1 ||
        (!g->fetched[i] && fetch_ahead(db, g, i) != ERR_NONE))
        return false; /* an error shows again when the statement is run alone */
    const struct ahead_row *found = find_row(g, i, values);
    if (found == NULL)
        return false;
    db_rows_end(db);
    db->columns = found->columns;
    memcpy(db->cells, found->cells, found->columns * sizeof *found->cells);
    memcpy(db->lens, found->lens, sizeof db->lens);
    memcpy(db->nulls, found->nulls, sizeof db->nulls);
    db->ahead = true;
    return true;
}

/* Nothing that is held back changes what these read: nobody opens an account in a group. */
static bool is_apart(enum sql sql)
{
    return sql == SQL_ACCOUNT_BY_OWNER || sql == SQL_CLOCK;
}

/* A unit finds what it has appended itself: then it is run first. */
enum err db_run_values(struct db *db, enum sql sql, const struct db_value *values)
{
    struct gathering *g = db->gathering;
    enum err err = ERR_NONE;
    if (g != NULL && g->broken)
        return ERR_DB_CONFLICT;
    if (g != NULL && g->appended_count > g->first && !is_apart(sql))
        err = held_flush(db, false);
    if (g != NULL && !err && serve(db, g, sql, values))
        return ERR_NONE;
    if (g != NULL && !sql_reads(sql))
        g->executed = true;
    return err ? err : db_run_now(db, sql, values);
}

/* A group reads each for all of its units. */
enum err db_run_two(struct db *db, struct db_read first, struct db_read second)
{
    const struct gathering *g = db->gathering;
    const struct db_read both[] = {first, second};
    db->second = second;
    db->second_sent =
        db->to_begin && (g == NULL || (g->member_count == 1 && g->appended_count == 0));
    return db->second_sent ? batch_begin_with(db, both, 2)
                           : db_run_values(db, first.sql, first.values);
}

enum err db_second(struct db *db)
{
    return db->second_sent ? db_read_next(db, sql_text[db->second.sql])
                           : db_run_values(db, db->second.sql, db->second.values);
}

void held_reset(struct gathering *g)
{
    g->appended_count = g->first = 0;
    g->executed = g->broken = g->committed = false;
    g->cause = g->member_count;
    memset(g->fetched, 0, sizeof g->fetched);
}

void held_unit(struct gathering *g, size_t member)
{
    g->running = member;
    g->first = g->appended_count;
    g->executed = false;
}

void held_drop(struct gathering *g)
{
    g->appended_count = g->first;
}
