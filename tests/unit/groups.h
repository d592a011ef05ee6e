/* For tests of units that run as a group: whoever comes gathers behind leaders that wait. The test
 * includes store/gather.c. */
#ifndef TESTS_GROUPS_H
#define TESTS_GROUPS_H

#include "database.h"

static sem_t entered, may_leave;

static enum err holding_unit(struct db *db, void *context)
{
    (void)db;
    (void)context;
    (void)sem_post(&entered);
    while (sem_wait(&may_leave) != 0)
        ;
    return ERR_NONE;
}

static void *hold_in_thread(void *context)
{
    struct arena *own = arena_new(ARENA_BYTES);
    (void)context;
    assert_non_null(own);
    assert_int_equal(db_gather(pool, own, NULL, holding_unit, NULL), ERR_NONE);
    arena_free(own);
    mysql_thread_end();
    return NULL;
}

static pthread_t holders[RUNNING_MAX];

/* One after the other, so that none is in the group of another. */
static void hold(void)
{
    assert_int_equal(sem_init(&entered, 0, 0), 0);
    assert_int_equal(sem_init(&may_leave, 0, 0), 0);
    for (int i = 0; i < RUNNING_MAX; i++) {
        assert_int_equal(pthread_create(&holders[i], NULL, hold_in_thread, NULL), 0);
        while (sem_wait(&entered) != 0)
            ;
    }
}

static size_t waiting(void)
{
    (void)pthread_mutex_lock(&pool->writers.lock);
    size_t count = pool->writers.waiting;
    (void)pthread_mutex_unlock(&pool->writers.lock);
    return count;
}

static bool first_is_late(void)
{
    (void)pthread_mutex_lock(&pool->writers.lock);
    bool late = pool->writers.first == NULL || pool->writers.first->late;
    (void)pthread_mutex_unlock(&pool->writers.lock);
    return late;
}

/* Whoever came first and is late leads as soon as one leader has gone. The last one stays until all
 * are gathered: on a slow machine the second would lead beside the first. */
static void let_go(void)
{
    while (!first_is_late())
        clock_sleep_ms(1);
    (void)sem_post(&may_leave);
    while (waiting() > 0)
        clock_sleep_ms(1);
    for (int i = 1; i < RUNNING_MAX; i++)
        (void)sem_post(&may_leave);
    for (int i = 0; i < RUNNING_MAX; i++)
        assert_int_equal(pthread_join(holders[i], NULL), 0);
}

static void start_waiting(pthread_t *thread, void *(*work)(void *), void *context, size_t already)
{
    assert_int_equal(pthread_create(thread, NULL, work, context), 0);
    while (waiting() <= already)
        clock_sleep_ms(1);
}

#endif
