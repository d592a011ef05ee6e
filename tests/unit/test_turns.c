/* Which thread leads a group, and when another group may run beside it. Needs a database: see
 * database.h. */
#include "store/gathering.h"

#include <semaphore.h>

/* The COMMIT of a group of several, which may take as long as a test wants. */
static sem_t committing, may_commit;

static enum err commit_in_time(struct db *db)
{
    if (db->gathering->member_count > 1) {
        (void)sem_post(&committing);
        while (sem_wait(&may_commit) != 0)
            ;
    }
    return db_commit(db);
}

#define db_commit commit_in_time
#include "store/gather.c"
#undef db_commit

#include "database.h"

/* --- threads with a unit each --- */

struct task {
    bool hangs; /* until it may leave */
    bool urgent;
    enum err err;
    pthread_t thread;
};

static sem_t entered, may_leave;

static enum err task_unit(struct db *db, void *context)
{
    const struct task *task = context;
    (void)db;
    if (!task->hangs)
        return ERR_NONE;
    (void)sem_post(&entered);
    while (sem_wait(&may_leave) != 0)
        ;
    return ERR_NONE;
}

static void *task_in_thread(void *context)
{
    struct task *task = context;
    struct arena *own = arena_new(ARENA_BYTES);
    assert_non_null(own);
    task->err = task->urgent ? db_gather_urgent(pool, own, NULL, task_unit, task)
                             : db_gather(pool, own, NULL, task_unit, task);
    arena_free(own);
    mysql_thread_end();
    return NULL;
}

static void start(struct task *task)
{
    assert_int_equal(pthread_create(&task->thread, NULL, task_in_thread, task), 0);
}

static void end(struct task *task)
{
    assert_int_equal(pthread_join(task->thread, NULL), 0);
    assert_int_equal(task->err, ERR_NONE);
}

/* Until so many wait in the queue, each for too long already. */
static void await_late(size_t count)
{
    for (size_t late = 0; late < count; clock_sleep_ms(1)) {
        late = 0;
        (void)pthread_mutex_lock(&pool->writers.lock);
        for (const struct member *m = pool->writers.first; m != NULL; m = m->next)
            late += m->late;
        (void)pthread_mutex_unlock(&pool->writers.lock);
    }
}

/* As if so many groups of others were running. */
static void set_running(size_t count)
{
    (void)pthread_mutex_lock(&pool->writers.lock);
    pool->writers.running = count;
    struct member *next = call_next(&pool->writers);
    (void)pthread_mutex_unlock(&pool->writers.lock);
    if (next != NULL)
        (void)sem_post(&next->woken);
}

static size_t running(void)
{
    (void)pthread_mutex_lock(&pool->writers.lock);
    size_t count = pool->writers.running;
    (void)pthread_mutex_unlock(&pool->writers.lock);
    return count;
}

/* --- tests --- */

static void a_second_group_runs_when_enough_wait(void **state)
{
    struct gathering idle = {.runs = false};
    const struct {
        struct gather_queue queue;
        size_t waiting;
        bool may;
    } rows[] = {
        {{.idle = &idle}, 1, true},
        {{.idle = &idle, .running = 1}, 1, false},
        {{.idle = &idle, .running = 1}, ENOUGH - 1, false},
        {{.idle = &idle, .running = 1}, ENOUGH, true},
        {{.idle = &idle, .running = RUNNING_MAX}, MEMBERS_MAX, false},
        {{.idle = NULL}, 1, false}, /* all wait for the disk */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        ROW(may_run(&rows[i].queue, rows[i].waiting) == rows[i].may, "%zu", i);
    ROWS_END();
}

static void a_group_that_hangs_holds_up_nobody(void **state)
{
    struct task hanging = {.hangs = true}, task = {.hangs = false};
    (void)state;
    start(&hanging);
    while (sem_wait(&entered) != 0)
        ;
    start(&task);
    end(&task);
    (void)sem_post(&may_leave);
    end(&hanging);
}

static void who_is_late_runs_as_soon_as_there_is_room(void **state)
{
    struct task task = {.hangs = false};
    (void)state;
    set_running(RUNNING_MAX);
    start(&task);
    await_late(1);
    set_running(RUNNING_MAX - 1); /* the others hang */
    end(&task);
    set_running(0);
}

static void an_urgent_one_waits_for_no_other(void **state)
{
    struct task waiting = {.hangs = false}, urgent = {.urgent = true};
    (void)state;
    set_running(RUNNING_MAX);
    start(&waiting);
    await_late(1);
    start(&urgent);
    end(&urgent);
    set_running(0);
    end(&waiting);
}

static void the_next_group_runs_while_one_commits(void **state)
{
    struct task tasks[2] = {{.hangs = false}, {.hangs = false}};
    (void)state;
    set_running(RUNNING_MAX);
    start(&tasks[0]);
    start(&tasks[1]);
    await_late(2);
    set_running(0); /* one leads the other */
    while (sem_wait(&committing) != 0)
        ;
    assert_int_equal(running(), 0);
    (void)sem_post(&may_commit);
    end(&tasks[0]);
    end(&tasks[1]);
    assert_int_equal(running(), 0);
}

static int open_all(void **state)
{
    bool made = sem_init(&committing, 0, 0) == 0 && sem_init(&may_commit, 0, 0) == 0 &&
                sem_init(&entered, 0, 0) == 0 && sem_init(&may_leave, 0, 0) == 0;
    return made ? database_open(state) : -1;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_second_group_runs_when_enough_wait),      TEST(a_group_that_hangs_holds_up_nobody),
        TEST(who_is_late_runs_as_soon_as_there_is_room), TEST(an_urgent_one_waits_for_no_other),
        TEST(the_next_group_runs_while_one_commits),
    };
    int exit_code;
    if (!database_is_named("turns", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("turns", tests, open_all, database_close);
}
