/* Units of several threads as one transaction. There is no thread of its own for it: a thread that
 * finds nobody at work leads, and runs its unit at once; those that come meanwhile wait, and
 * the first of them leads the others as soon as the group before has got to its COMMIT. So a group
 * is as large as the load is high. A second group runs beside the first when enough are waiting for
 * it, or for too long. Notices have groups of their own: when a provider is slow, its answers come
 * in waves of hundreds, and a notice would queue behind them.
 * Nothing here is clever about errors: the whole group is undone, and whoever is not the cause runs
 * again. */
#include "store/gathering.h"

#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Measured: with fewer to wait for, two groups at a time make many small ones, which cost more than
 * they gain. */
enum { RUNNING_MAX = 2, ENOUGH = 16, TOO_LONG_MS = 20 };

enum { GATHERINGS = 4, PROBLEM_MAX = 256 }; /* those that wait for the disk included */

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
    bool late;           /* it has waited for too long */
    enum turn next_turn; /* what the group made of it; the leader's own until the group is over */
    enum err err;
    bool unheard; /* a COMMIT was sent, and its answer did not come */
    char problem[PROBLEM_MAX];
    sem_t woken; /* of its own: nobody has to take a lock to wake up */
    struct member *next;
};

/* --- under the queue's lock --- */

static void enter(struct gather_queue *queue, struct member *member)
{
    member->next = NULL;
    *queue->end = member;
    queue->end = &member->next;
    queue->waiting++;
}

static void take_from(struct gather_queue *queue, struct member **place)
{
    struct member *member = *place;
    *place = member->next;
    queue->waiting--;
    if (queue->end == &member->next)
        queue->end = place;
}

static void leave(struct gather_queue *queue, struct member *member)
{
    struct member **place = &queue->first;
    while (*place != member)
        place = &(*place)->next;
    take_from(queue, place);
}

/* `waiting`: with whoever would lead. */
static bool may_run(const struct gather_queue *queue, size_t waiting)
{
    return queue->idle != NULL &&
           (queue->running == 0 || (queue->running < RUNNING_MAX && waiting >= ENOUGH));
}

static void make_leader(struct gather_queue *queue, struct member *member)
{
    member->to_lead = queue->idle;
    queue->idle = member->to_lead->next_idle;
    member->to_lead->runs = true;
    queue->running++;
    member->turn = TURN_LEADS;
}

/* Whoever has waited longest leads next, and is to be woken. NULL: nobody waits, or may run. */
static struct member *call_next(struct gather_queue *queue)
{
    struct member *next = queue->first;
    if (next == NULL || !may_run(queue, next->late ? ENOUGH : queue->waiting))
        return NULL;
    leave(queue, next);
    make_leader(queue, next);
    return next;
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
        take_from(queue, place);
        member->turn = TURN_RUNS;
        g->taken[g->taken_count++] = member;
    }
    memcpy(g->members, g->taken, sizeof g->members);
    g->member_count = g->taken_count;
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
static bool run_member(struct db *db, size_t index)
{
    struct gathering *g = db->gathering;
    struct member *member = g->members[index];
    held_unit(g, index);
    db->arena = member->arena;
    member->err = member->unit(db, member->context);
    db_rows_end(db);
    if (member->err == ERR_NONE || g->broken)
        return !g->broken;
    if (pool_retries(member->err) || g->executed)
        return false;
    (void)text_copy(member->problem, sizeof member->problem, db_last_problem());
    held_drop(g); /* nothing of it remains */
    return true;
}

/* Runs all units up to the COMMIT. The gathering knows the cause of an error. */
static enum err run_members(struct db *db)
{
    struct gathering *g = db->gathering;
    held_reset(g);
    g->arena = g->taken[0]->arena;
    for (size_t i = 0; i < g->member_count; i++)
        g->keys[i] = g->members[i]->key;
    enum err err = g->around == AROUND_NOTHING ? ERR_NONE : db_begin(db, g->around);
    for (size_t i = 0; i < g->member_count && !err; i++) {
        if (run_member(db, i))
            continue;
        if (!g->broken)
            g->cause = i;
        err = g->members[i]->err == ERR_DB_LOST ? ERR_DB_LOST : ERR_DB_CONFLICT;
    }
    return err ? err : held_flush(db, true);
}

/* Takes the one that failed out. A statement for all that failed is everybody's. */
static void take_out(struct gathering *g)
{
    struct member *member = g->members[g->cause];
    tell(member, TURN_ALONE, member->err, false);
    g->members[g->cause] = g->members[--g->member_count];
}

/* Another one may run from now on. over: this one, too, which may not be touched any more. */
static void make_way(struct gather_queue *queue, struct gathering *g, bool over)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->running -= g->runs ? 1 : 0;
    g->runs = false;
    if (over) {
        g->next_idle = queue->idle;
        queue->idle = g;
    }
    struct member *next = call_next(queue);
    (void)pthread_mutex_unlock(&queue->lock);
    if (next != NULL)
        (void)sem_post(&next->woken);
}

static void commit_group(struct db *db, struct gather_queue *queue)
{
    struct gathering *g = db->gathering;
    enum err err = ERR_NONE;
    if (g->around != AROUND_NOTHING && !g->committed) {
        make_way(queue, g, false); /* it waits for nothing but the disk */
        err = db_commit(db);
    }
    if (err) {
        db_close(db);
        scatter(g, err, db->unheard);
    }
    for (size_t i = 0; i < g->member_count; i++)
        g->members[i]->next_turn = TURN_OVER;
}

static void run_group(struct db *db, struct gather_queue *queue)
{
    struct gathering *g = db->gathering;
    enum err err = db->mysql == NULL ? db_connect(db) : ERR_NONE;
    if (err)
        scatter(g, err, false);
    while (g->member_count > 0 && g->members[0]->next_turn != TURN_OVER) {
        db->arena = g->members[0]->arena;
        err = run_members(db);
        if (!err) {
            commit_group(db, queue);
            continue;
        }
        if (err == ERR_DB_LOST || (g->around != AROUND_NOTHING && db_roll_back(db) != ERR_NONE))
            db_close(db);
        if (db->mysql == NULL || g->cause == g->member_count)
            scatter(g, err, db->unheard);
        else
            take_out(g);
    }
}

static void run_gathering(struct db_pool *pool, struct gather_queue *queue, struct gathering *g)
{
    struct db *db = pool_borrow(pool, g->members[0]->arena);
    if (db == NULL) {
        for (size_t i = 0; i < g->member_count; i++)
            tell(g->members[i], TURN_OVER, ERR_DB_UNAVAILABLE, false);
        return;
    }
    db->gathering = g;
    run_group(db, queue);
    db->gathering = NULL;
    pool_give_back(db);
}

/* --- who leads --- */

bool gather_queue_init(struct gather_queue *queue, enum around around)
{
    (void)pthread_mutex_init(&queue->lock, NULL);
    queue->end = &queue->first;
    for (size_t i = 0; i < GATHERINGS; i++) {
        struct gathering *g = calloc(1, sizeof *g);
        if (g == NULL)
            return false;
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

/* --- no lock is held from here on --- */

/* Passes the gathering on, and tells its members what came of it: none of them may be touched
 * once it is woken. */
static void disband(struct gather_queue *queue, struct gathering *g, const struct member *leader)
{
    struct member *taken[MEMBERS_MAX];
    size_t count = g->taken_count;
    memcpy(taken, g->taken, sizeof taken);
    make_way(queue, g, true);
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

/* It leads though there are not enough with it, now or as soon as another group may run. */
static bool lead_anyway(struct gather_queue *queue, struct member *me)
{
    (void)pthread_mutex_lock(&queue->lock);
    me->late = true;
    bool leads = me->turn == TURN_WAITS && may_run(queue, ENOUGH);
    if (leads) {
        leave(queue, me);
        make_leader(queue, me);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return leads;
}

static bool is_woken_within(struct member *me, int64_t ms)
{
    struct timespec until = pool_moment_in(ms);
    int result;
    while ((result = sem_clockwait(&me->woken, CLOCK_MONOTONIC, &until)) != 0 && errno == EINTR)
        ;
    return result == 0;
}

static void await_turn(struct db_pool *pool, struct gather_queue *queue, struct member *me)
{
    if (is_woken_within(me, TOO_LONG_MS) || lead_anyway(queue, me) ||
        is_woken_within(me, pool->settings->database.pool_wait_ms))
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
    if (!may_run(queue, queue->waiting + 1)) {
        enter(queue, me);
        (void)pthread_mutex_unlock(&queue->lock);
        await_turn(pool, queue, me);
        return;
    }
    make_leader(queue, me);
    (void)pthread_mutex_unlock(&queue->lock);
}

static void lead(struct db_pool *pool, struct gather_queue *queue, struct member *me)
{
    struct gathering *g = me->to_lead;
    (void)pthread_mutex_lock(&queue->lock);
    take_members(queue, me, g);
    (void)pthread_mutex_unlock(&queue->lock);
    run_gathering(pool, queue, g);
    disband(queue, g, me);
}

static enum err gather(struct db_pool *pool, struct gather_queue *queue, enum around around,
                       struct arena *arena, const char *key,
                       enum err (*unit)(struct db *db, void *context), void *context)
{
    struct member me = {.unit = unit, .context = context, .arena = arena, .key = key};
    int64_t started = clock_mono_us();
    (void)sem_init(&me.woken, 0, 0);
    take_turn(pool, queue, &me);
    if (me.turn == TURN_LEADS)
        lead(pool, queue, &me);
    (void)sem_destroy(&me.woken);
    if (me.problem[0] != '\0')
        db_retell_problem(me.problem);
    if (me.turn == TURN_ALONE)
        me.err = pool_run(pool, arena, around, unit, context, me.unheard);
    clock_meter()->db_us += clock_mono_us() - started;
    return me.err;
}

struct db_key db_key(char kind, int64_t number)
{
    struct db_key key;
    (void)snprintf(key.text, sizeof key.text, "%c%lld", kind, (long long)number);
    return key;
}

enum err db_gather(struct db_pool *pool, struct arena *arena, const char *key,
                   enum err (*unit)(struct db *db, void *context), void *context)
{
    return gather(pool, &pool->writers, AROUND_TRANSACTION, arena, key, unit, context);
}

enum err db_gather_urgent(struct db_pool *pool, struct arena *arena, const char *key,
                          enum err (*unit)(struct db *db, void *context), void *context)
{
    return gather(pool, &pool->urgent, AROUND_TRANSACTION, arena, key, unit, context);
}

enum err db_gather_read(struct db_pool *pool, struct arena *arena, const char *key,
                        enum err (*unit)(struct db *db, void *context), void *context)
{
    return gather(pool, &pool->readers, AROUND_NOTHING, arena, key, unit, context);
}
