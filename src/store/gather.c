/* Units of several threads as one transaction. There is no thread of its own for it: a thread that
 * finds nobody at work leads, and runs its unit at once, alone; those that come meanwhile wait, and
 * the first of them leads the others next. So a group is as large as the load is high.
 * Within a group a unit reads as it would alone, with two differences that it cannot see: rows that
 * all of them lock first were fetched for all at once, and what it appends is run at the end, one
 * statement for all. Nothing here is clever about errors: the whole group is undone, and whoever
 * is not the cause runs again. */
#include "store/connection.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/ident.h"

#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEADERS = 2,
    MEMBERS_MAX = MANY_MAX,
    APPENDED_MAX = 1024,
    AHEAD_MAX = 2 * MANY_MAX,
    PROBLEM_MAX = 256
};

enum turn {
    TURN_WAITS, /* in the queue */
    TURN_RUNS,  /* in a group */
    TURN_LEADS, /* others, and itself */
    TURN_ALONE, /* must be run by its own thread, by the common rules */
    TURN_OVER,  /* err is its answer */
};

struct member {
    enum err (*unit)(struct db *, void *);
    void *context;
    struct arena *arena;
    const char *key; /* NULL: about nothing that others are about */
    _Atomic enum turn turn;
    struct gathering *to_lead;
    enum turn next_turn; /* what the group made of it; the leader's own until the group is over */
    enum err err;
    bool unheard; /* a COMMIT was sent, and its answer did not come */
    char problem[PROBLEM_MAX];
    sem_t woken; /* of its own: nobody has to take a lock to wake up */
    struct member *next;
};

struct appended {
    enum sql sql;
    struct db_value *values; /* in the arena of their unit, as all that they point to */
    struct db_expected expected;
};

/* A row that was fetched for all, for the statement that asks for it alone. */
struct ahead_row {
    unsigned columns;
    char **cells;
    unsigned long *lens;
    char *nulls;
};

/* Which statements are fetched for all, and which of their columns tells what they were asked for.
 */
static const struct ahead {
    enum sql one, many;
    unsigned values, columns[2];
} aheads[] = {
    {SQL_USER_BY_ID, SQL_USERS_BY_ID, 1, {0}},
    {SQL_PAYMENT_LOCK, SQL_PAYMENTS_LOCK, 1, {0}},
    {SQL_ATTEMPT_OF_PROVIDER, SQL_ATTEMPTS_OF_PAYMENTS, 2, {7, 1}},
};
enum { AHEADS = sizeof aheads / sizeof aheads[0] };

struct gathering {
    struct gathering *next_idle;
    enum around around;                /* AROUND_NOTHING: its units only read */
    struct member *taken[MEMBERS_MAX]; /* all that the group began with */
    size_t taken_count;
    struct member *members[MEMBERS_MAX]; /* those still in it */
    size_t member_count;
    struct appended appended[APPENDED_MAX];
    size_t appended_count;
    const struct appended *list[APPENDED_MAX]; /* of one statement, while they are run */
    size_t first;                              /* of the running unit's own */
    bool executed;                             /* the running unit has changed something already */
    bool broken; /* what was held back has failed: no unit may go on */
    bool fetched[AHEADS];
    struct ahead_row rows[AHEADS][AHEAD_MAX];
    size_t row_counts[AHEADS];
};

int64_t *db_number_new(struct db *db)
{
    return arena_alloc(db->arena, sizeof(int64_t));
}

bool db_gathered(const struct db *db)
{
    return db->gathering != NULL;
}

/* --- what is held back --- */

static enum err check_one(struct db *db, const struct appended *appended)
{
    if (appended->expected.ret_number == NULL)
        return ERR_NONE;
    int64_t number = db_next(db) ? db_int(db, 0) : 0;
    *appended->expected.ret_number = number;
    return appended->expected.has_least && number < appended->expected.at_least ? ERR_BALANCE
                                                                                : ERR_NONE;
}

/* Statements that name up to MANY_MAX rows at once, instead of being run with many values. */
static bool names_many(enum sql sql)
{
    return sql == SQL_DELIVERIES_INSERT;
}

static enum err run_naming(struct db *db, const struct appended *const *list, unsigned count)
{
    struct db_value names[MANY_MAX + 1] = {0};
    for (unsigned i = 0; i < MANY_MAX; i++)
        names[i] = i < count ? list[i]->values[0] : DB_NOTHING;
    return db_run_now(db, list[0]->sql, names);
}

static enum err run_values_of(struct db *db, const struct appended *const *list, unsigned count)
{
    const struct db_value *values[MANY_MAX];
    for (unsigned i = 0; i < count; i++)
        values[i] = list[i]->values;
    return count == 1 ? db_run_now(db, list[0]->sql, values[0])
                      : db_run_many(db, list[0]->sql, values, count);
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
    enum err err =
        names_many(list[0]->sql) ? run_naming(db, list, count) : run_values_of(db, list, count);
    if (!err && !is_whole(db, &list[0]->expected, count))
        return ERR_DB_CONFLICT;
    for (unsigned i = 0; i < count && !err; i++)
        err = check_one(db, list[i]);
    return err;
}

static int by_account(const void *a, const void *b)
{
    const struct appended *one = *(const struct appended *const *)a;
    const struct appended *other = *(const struct appended *const *)b;
    int64_t account = one->values[0].number, other_account = other->values[0].number;
    if (account != other_account)
        return account < other_account ? -1 : 1;
    return one < other ? -1 : 1;
}

/* Balances are locked as they are changed: in one order by all, so that two groups do not wait for
 * each other. Those of one account stay in the order of their units, which is their entries'. */
static enum err run_appended(struct db *db, struct gathering *g, enum sql sql)
{
    size_t count = 0;
    enum err err = ERR_NONE;
    for (size_t i = 0; i < g->appended_count; i++)
        if (g->appended[i].sql == sql)
            g->list[count++] = &g->appended[i];
    if (sql == SQL_BALANCE_ADD)
        qsort(g->list, count, sizeof *g->list, by_account);
    for (size_t i = 0; i < count && !err; i += MANY_MAX)
        err = run_list(db, g->list + i, (unsigned)(count - i < MANY_MAX ? count - i : MANY_MAX));
    return err;
}

/* Parents come before children in enum sql, whichever unit was first to append which. */
static enum err flush(struct db *db)
{
    struct gathering *g = db->gathering;
    bool present[SQL_STATEMENTS] = {false};
    enum err err = ERR_NONE;
    for (size_t i = 0; i < g->appended_count; i++)
        present[g->appended[i].sql] = true;
    for (size_t sql = 0; sql < SQL_STATEMENTS && !err; sql++)
        if (present[sql])
            err = run_appended(db, g, (enum sql)sql);
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
    size_t count = 0;
    while (values[count].kind != DB_KIND_END)
        count++;
    enum err err = g->appended_count == APPENDED_MAX ? flush(db) : ERR_NONE;
    struct db_value *copy = arena_alloc(db->arena, (count + 1) * sizeof *copy);
    if (copy == NULL)
        return ERR_OVERLOAD;
    memcpy(copy, values, (count + 1) * sizeof *copy);
    for (size_t i = 0; i < count && !err; i++)
        err = copy_value(db->arena, &copy[i]);
    if (!err)
        g->appended[g->appended_count++] = (struct appended){sql, copy, *expected};
    return err;
}

enum err db_append_values(struct db *db, enum sql sql, const struct db_value *values,
                          const struct db_expected *expected)
{
    static const struct db_expected nothing = {.one_row = false};
    const struct appended now = {.sql = sql,
                                 .values = (void *)values,
                                 .expected = *(expected == NULL ? &nothing : expected)};
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

/* With the first unit that asks for one. The rows outlive it: they are kept in the arena of the
 * leader, which ends last. Rows that do not fit are asked for again by whoever wants them. */
static enum err fetch_ahead(struct db *db, struct gathering *g, size_t index)
{
    struct db_value keys[MANY_MAX + 1] = {0};
    struct arena *arena = db->arena;
    for (size_t i = 0; i < MANY_MAX; i++)
        keys[i] = DB_TEXT(i < g->member_count ? g->members[i]->key : NULL);
    db->arena = g->taken[0]->arena;
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
    struct ident_text numbers[2];
    struct db_value texts[2];
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
    if (i == AHEADS || g->executed || (!g->fetched[i] && fetch_ahead(db, g, i) != ERR_NONE))
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

/* A unit finds what it has appended itself: then it is run first. */
enum err db_run_values(struct db *db, enum sql sql, const struct db_value *values)
{
    struct gathering *g = db->gathering;
    enum err err = ERR_NONE;
    if (g != NULL && g->broken)
        return ERR_DB_CONFLICT;
    if (g != NULL && g->appended_count > g->first)
        err = flush(db);
    if (g != NULL && !err && serve(db, g, sql, values))
        return ERR_NONE;
    if (g != NULL && strncmp(sql_text[sql], "SELECT", 6) != 0)
        g->executed = true;
    return err ? err : db_run_now(db, sql, values);
}

/* --- a group --- */

static void tell(struct member *member, enum turn turn, enum err err, bool unheard)
{
    member->next_turn = turn;
    member->err = err;
    member->unheard = unheard;
    (void)text_copy(member->problem, sizeof member->problem, db_last_problem());
}

/* Everybody that is left runs alone. */
static void scatter(struct gathering *g, enum err err, bool unheard)
{
    for (size_t i = 0; i < g->member_count; i++)
        tell(g->members[i], TURN_ALONE, err, unheard);
    g->member_count = 0;
}

/* True: the transaction may go on; the unit has its answer, or will have it with the COMMIT. */
static bool run_member(struct db *db, struct member *member)
{
    struct gathering *g = db->gathering;
    g->first = g->appended_count;
    g->executed = false;
    db->arena = member->arena;
    member->err = member->unit(db, member->context);
    db_rows_end(db);
    if (member->err == ERR_NONE || g->broken)
        return !g->broken;
    if (pool_retries(member->err) || g->executed)
        return false;
    (void)text_copy(member->problem, sizeof member->problem, db_last_problem());
    g->appended_count = g->first; /* nothing of it remains */
    return true;
}

/* Runs all units up to the COMMIT. *ret_cause is the one that failed, member_count: none alone. */
static enum err run_members(struct db *db, size_t *ret_cause)
{
    struct gathering *g = db->gathering;
    g->appended_count = g->first = 0;
    g->broken = g->executed = false;
    memset(g->fetched, 0, sizeof g->fetched);
    *ret_cause = g->member_count;
    enum err err = g->around == AROUND_NOTHING ? ERR_NONE : db_begin(db, g->around);
    for (size_t i = 0; i < g->member_count && !err; i++) {
        if (run_member(db, g->members[i]))
            continue;
        *ret_cause = g->broken ? g->member_count : i;
        err = g->members[i]->err == ERR_DB_LOST ? ERR_DB_LOST : ERR_DB_CONFLICT;
    }
    return err ? err : flush(db);
}

/* Takes the one that failed out. A deadlock, or a statement held back that failed, is everybody's.
 */
static void take_out(struct gathering *g, size_t cause)
{
    tell(g->members[cause], TURN_ALONE, g->members[cause]->err, false);
    g->members[cause] = g->members[--g->member_count];
}

static void commit_group(struct db *db)
{
    struct gathering *g = db->gathering;
    enum err err = g->around == AROUND_NOTHING ? ERR_NONE : db_commit(db);
    if (err) {
        db_close(db);
        scatter(g, err, err == ERR_DB_LOST);
    }
    for (size_t i = 0; i < g->member_count; i++)
        g->members[i]->next_turn = TURN_OVER;
}

static void run_group(struct db *db)
{
    struct gathering *g = db->gathering;
    size_t cause;
    enum err err = db->mysql == NULL ? db_connect(db) : ERR_NONE;
    if (err)
        scatter(g, err, false);
    while (g->member_count > 0 && g->members[0]->next_turn != TURN_OVER) {
        db->arena = g->members[0]->arena;
        err = run_members(db, &cause);
        if (!err) {
            commit_group(db);
            continue;
        }
        if (err == ERR_DB_LOST || (g->around != AROUND_NOTHING && db_roll_back(db) != ERR_NONE))
            db_close(db);
        if (db->mysql == NULL || cause == g->member_count)
            scatter(g, err, false);
        else
            take_out(g, cause);
    }
}

static void run_single(struct db *db, enum around around, struct member *member)
{
    bool unheard = false;
    enum err err = pool_run_once(db, around, member->unit, member->context, &unheard);
    if (err == ERR_DB_LOST)
        db_close(db);
    tell(member, pool_retries(err) ? TURN_ALONE : TURN_OVER, err, unheard);
}

static void run_gathering(struct db_pool *pool, struct gathering *g)
{
    struct db *db = pool_borrow(pool, g->members[0]->arena);
    if (db == NULL) {
        for (size_t i = 0; i < g->member_count; i++)
            tell(g->members[i], TURN_OVER, ERR_DB_UNAVAILABLE, false);
        return;
    }
    if (g->member_count == 1) {
        run_single(db, g->around, g->members[0]);
    } else {
        db->gathering = g;
        run_group(db);
        db->gathering = NULL;
    }
    pool_give_back(db);
}

/* --- who leads --- */

bool gather_queue_init(struct gather_queue *queue, enum around around)
{
    (void)pthread_mutex_init(&queue->lock, NULL);
    for (size_t i = 0; i < LEADERS; i++) {
        struct gathering *g = calloc(1, sizeof *g);
        if (g == NULL) {
            gather_queue_free(queue);
            return false;
        }
        g->around = around;
        g->next_idle = queue->idle;
        queue->idle = g;
    }
    return true;
}

void gather_queue_free(struct gather_queue *queue)
{
    while (queue->idle != NULL) {
        struct gathering *g = queue->idle;
        queue->idle = g->next_idle;
        free(g);
    }
    (void)pthread_mutex_destroy(&queue->lock);
}

/* Readers may ask for the same. */
static bool is_about_the_same(const struct gathering *g, const struct member *member)
{
    bool writes = g->around != AROUND_NOTHING;
    for (size_t i = 0; i < g->taken_count && member->key != NULL && writes; i++)
        if (g->taken[i]->key != NULL && strcmp(g->taken[i]->key, member->key) == 0)
            return true;
    return false;
}

/* --- under the queue's lock --- */

static void enter(struct gather_queue *queue, struct member *member)
{
    struct member **end = &queue->first;
    while (*end != NULL)
        end = &(*end)->next;
    *end = member;
    member->next = NULL;
}

static void leave(struct gather_queue *queue, struct member *member)
{
    struct member **place = &queue->first;
    while (*place != member)
        place = &(*place)->next;
    *place = member->next;
}

/* The leader comes first; the others as they came, but for those about the same. */
static void take_members(struct gather_queue *queue, struct member *leader, struct gathering *g)
{
    struct member **place = &queue->first;
    g->taken[0] = leader;
    g->taken_count = 1;
    while (*place != NULL && g->taken_count < MEMBERS_MAX) {
        struct member *member = *place;
        if (is_about_the_same(g, member)) {
            place = &member->next;
            continue;
        }
        *place = member->next;
        member->turn = TURN_RUNS;
        g->taken[g->taken_count++] = member;
    }
    memcpy(g->members, g->taken, sizeof g->members);
    g->member_count = g->taken_count;
}

/* Whoever has waited longest leads next; *ret_leader is to be woken. NULL: nobody waits. */
static void pass_on(struct gather_queue *queue, struct gathering *g, struct member **ret_leader)
{
    struct member *next = queue->first;
    *ret_leader = next;
    if (next == NULL) {
        g->next_idle = queue->idle;
        queue->idle = g;
        return;
    }
    leave(queue, next);
    next->to_lead = g;
    next->turn = TURN_LEADS;
}

/* --- no lock is held from here on --- */

/* Passes the gathering on, and tells its members what came of it: none of them may be touched
 * once it is woken. */
static void disband(struct gather_queue *queue, struct gathering *g, const struct member *leader)
{
    struct member *taken[MEMBERS_MAX], *next;
    size_t count = g->taken_count;
    memcpy(taken, g->taken, sizeof taken);
    (void)pthread_mutex_lock(&queue->lock);
    pass_on(queue, g, &next);
    (void)pthread_mutex_unlock(&queue->lock);
    if (next != NULL)
        (void)sem_post(&next->woken);
    for (size_t i = 0; i < count; i++) {
        taken[i]->turn = taken[i]->next_turn;
        if (taken[i] != leader)
            (void)sem_post(&taken[i]->woken);
    }
}

/* Leaves the queue, unless somebody has just taken it out. */
static bool give_up(struct gather_queue *queue, struct member *me)
{
    (void)pthread_mutex_lock(&queue->lock);
    bool waits = me->turn == TURN_WAITS;
    if (waits)
        leave(queue, me);
    (void)pthread_mutex_unlock(&queue->lock);
    return waits;
}

static void await_turn(struct db_pool *pool, struct gather_queue *queue, struct member *me)
{
    struct timespec until = pool_moment_in(pool->settings->database.pool_wait_ms);
    int result;
    while ((result = sem_clockwait(&me->woken, CLOCK_MONOTONIC, &until)) != 0 && errno == EINTR)
        ;
    if (result == 0)
        return;
    if (give_up(queue, me)) {
        db_note_problem("pool", 0, "the database was busy for too long");
        tell(me, TURN_OVER, ERR_DB_UNAVAILABLE, false);
        me->turn = TURN_OVER;
        return;
    }
    while (sem_wait(&me->woken) != 0) /* a group ends within the time-outs of its connection */
        ;
}

/* Leads at once if it may, else waits for its turn. */
static void take_turn(struct db_pool *pool, struct gather_queue *queue, struct member *me)
{
    (void)pthread_mutex_lock(&queue->lock);
    if (queue->idle == NULL) {
        enter(queue, me);
        (void)pthread_mutex_unlock(&queue->lock);
        await_turn(pool, queue, me);
        return;
    }
    me->to_lead = queue->idle;
    queue->idle = me->to_lead->next_idle;
    me->turn = TURN_LEADS;
    (void)pthread_mutex_unlock(&queue->lock);
}

static void lead(struct db_pool *pool, struct gather_queue *queue, struct member *me)
{
    struct gathering *g = me->to_lead;
    (void)pthread_mutex_lock(&queue->lock);
    take_members(queue, me, g);
    (void)pthread_mutex_unlock(&queue->lock);
    run_gathering(pool, g);
    disband(queue, g, me);
}

/* me: what is to be run. */
static enum err run(struct db_pool *pool, struct gather_queue *queue, enum around around,
                    struct member *me)
{
    int64_t started = clock_mono_us();
    (void)sem_init(&me->woken, 0, 0);
    take_turn(pool, queue, me);
    if (me->turn == TURN_LEADS)
        lead(pool, queue, me);
    (void)sem_destroy(&me->woken);
    db_retell_problem(me->problem);
    if (me->turn == TURN_ALONE)
        me->err = pool_run(pool, me->arena, around, me->unit, me->context, me->unheard);
    clock_meter()->db_us += clock_mono_us() - started;
    return me->err;
}

enum err db_gather(struct db_pool *pool, struct arena *arena, const char *key,
                   enum err (*unit)(struct db *db, void *context), void *context)
{
    struct member me = {.unit = unit, .context = context, .arena = arena, .key = key};
    return run(pool, &pool->writers, AROUND_TRANSACTION, &me);
}

enum err db_gather_read(struct db_pool *pool, struct arena *arena, const char *key,
                        enum err (*unit)(struct db *db, void *context), void *context)
{
    struct member me = {.unit = unit, .context = context, .arena = arena, .key = key};
    return run(pool, &pool->readers, AROUND_NOTHING, &me);
}
