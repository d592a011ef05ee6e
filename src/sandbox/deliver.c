/* The queue of webhooks and the threads that carry them. A receiver that is slow holds one thread,
 * not the queue. Retries: as the delivery's way has them, scaled by sandbox.retry_scale.
 * Must not know what a webhook says. */
#include "sandbox/deliver.h"

#include "sandbox/journal.h"
#include "sandbox/settings.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/httpc.h"
#include "base/log.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WORKERS = 8,
    ATTEMPTS = 4,
    TIMEOUT_MS = 30 * 1000,
    CONNECT_TIMEOUT_MS = 10 * 1000,
    ANSWER_ARENA = 1024 * 1024,
    STOP_WAIT_MS = 3000,
};

static int64_t usual_pause_ms(int attempt)
{
    static const int64_t pauses[ATTEMPTS] = {0, 30 * 1000, 5 * 60 * 1000, 30 * 60 * 1000};
    return attempt > ATTEMPTS ? -1 : pauses[attempt - 1] * sandbox_settings()->retry_scale / 100;
}

static const struct delivery_way usual_way = {.timeout_ms = TIMEOUT_MS, .pause_ms = usual_pause_ms};

static const struct delivery_way *way_of(const struct delivery *delivery)
{
    return delivery->way == NULL ? &usual_way : delivery->way;
}

struct job {
    struct job *prev, *next;
    struct job *after;        /* goes out when this one's attempt is over */
    struct delivery delivery; /* owns its texts */
    int attempt, copies;
    int64_t due_ms;
};

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct job ends;  /* before the first and after the last: the next due comes first */
    struct job *held; /* in the list too: goes out after the next webhook */
    pthread_t threads[WORKERS];
    int workers;
    bool stopping;
} queue = {.mutex = PTHREAD_MUTEX_INITIALIZER, .ends = {.prev = &queue.ends, .next = &queue.ends}};

static const char *keep(const char *text, size_t len)
{
    char *copy = malloc(len + 1);
    if (copy == NULL)
        abort();
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

static struct job *job_new(const struct delivery *from)
{
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL)
        abort();
    job->delivery = *from;
    job->delivery.type = keep(from->type, strlen(from->type));
    job->delivery.session_id = keep(from->session_id, strlen(from->session_id));
    job->delivery.order_id = keep(from->order_id, strlen(from->order_id));
    job->delivery.url = keep(from->url, strlen(from->url));
    if (from->body != NULL)
        job->delivery.body = keep(from->body, from->body_len);
    for (int i = 0; i < DELIVER_HEADERS_MAX && from->headers[i] != NULL; i++)
        job->delivery.headers[i] = keep(from->headers[i], strlen(from->headers[i]));
    return job;
}

static void job_free(struct job *job)
{
    free((char *)job->delivery.type);
    free((char *)job->delivery.session_id);
    free((char *)job->delivery.order_id);
    free((char *)job->delivery.url);
    free((char *)job->delivery.body);
    for (int i = 0; i < DELIVER_HEADERS_MAX; i++)
        free((char *)job->delivery.headers[i]);
    free(job);
}

/* The queue's mutex is held in these. Most jobs belong near the end: the search starts there. */
static void job_insert(struct job *job)
{
    struct job *before = queue.ends.prev;
    while (before != &queue.ends && before->due_ms > job->due_ms)
        before = before->prev;
    job->prev = before;
    job->next = before->next;
    before->next->prev = job;
    before->next = job;
    (void)pthread_cond_signal(&queue.changed);
}

static void job_remove(struct job *job)
{
    job->prev->next = job->next;
    job->next->prev = job->prev;
    if (queue.held == job)
        queue.held = NULL;
}

void deliver_queue(const struct delivery *delivery, const struct delivery_plan *plan)
{
    struct job *job = job_new(delivery);
    job->attempt = delivery->first_attempt > 1 ? delivery->first_attempt : 1;
    job->copies = plan->copies > 1 ? plan->copies : 1;
    job->due_ms =
        clock_mono_ms() + plan->wait_ms + plan->swap_ms + way_of(delivery)->pause_ms(job->attempt);
    (void)pthread_mutex_lock(&queue.mutex);
    if (queue.held != NULL) {
        job->after = queue.held;
        job_remove(job->after);
    }
    job_insert(job);
    if (plan->swap_ms > 0)
        queue.held = job;
    (void)pthread_mutex_unlock(&queue.mutex);
}

/* One copy of one webhook, in a thread of its own when there are several. */
struct copy {
    const struct delivery *delivery;
    int attempt, copy, status;
    pthread_t thread;
    bool has_thread;
};

static void copy_record(const struct copy *copy, const char *problem)
{
    const struct delivery *delivery = copy->delivery;
    struct journal_delivery entry = {
        .attempt = copy->attempt, .copy = copy->copy, .status = copy->status, .problem = problem};
    (void)text_copy(entry.provider, sizeof entry.provider, delivery->provider);
    (void)text_copy(entry.type, sizeof entry.type, delivery->type);
    (void)text_copy(entry.session_id, sizeof entry.session_id, delivery->session_id);
    (void)text_copy(entry.order_id, sizeof entry.order_id, delivery->order_id);
    journal_delivery_add(&entry);
}

static void copy_call(struct copy *copy, struct httpc *client, struct arena *arena)
{
    struct httpc_answer answer;
    const struct delivery *delivery = copy->delivery;
    bool has_body = delivery->body != NULL;
    struct httpc_request request = {
        .method = has_body ? "POST" : "GET",
        .url = delivery->url,
        .headers = {has_body ? "Content-Type: application/json" : "Accept: */*"},
        .body = delivery->body,
        .body_len = delivery->body_len,
        .plain = true, /* a test's own receiver */
    };
    for (int i = 0; i < DELIVER_HEADERS_MAX; i++)
        request.headers[i + 1] = delivery->headers[i];
    httpc_call(client, arena, &request, &answer);
    copy->status = answer.result == HTTPC_ANSWERED ? answer.status : 0;
    copy_record(copy, answer.problem);
    if (way_of(delivery)->tried != NULL)
        way_of(delivery)->tried(delivery, copy->status);
}

static void *copy_send(void *context)
{
    struct copy *copy = context;
    const struct httpc_options options = {
        .ca_file = sandbox_settings()->ca_file,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .timeout_ms = way_of(copy->delivery)->timeout_ms,
        .user_agent = "Guichet-Sandbox",
    };
    struct arena *arena = arena_new(ANSWER_ARENA);
    struct httpc *client = httpc_new(&options);
    if (arena != NULL && client != NULL)
        copy_call(copy, client, arena);
    else
        copy_record(copy, "the sandbox is out of memory");
    httpc_free(client);
    arena_free(arena);
    return NULL;
}

void deliver_now(const struct delivery *delivery, int copies, int attempt, int *ret_status)
{
    struct copy sent[DELIVER_COPIES_MAX];
    assert(copies >= 1 && copies <= DELIVER_COPIES_MAX);
    for (int i = 0; i < copies; i++)
        sent[i] = (struct copy){.delivery = delivery, .attempt = attempt, .copy = i + 1};
    for (int i = 1; i < copies; i++)
        sent[i].has_thread = pthread_create(&sent[i].thread, NULL, copy_send, &sent[i]) == 0;
    (void)copy_send(&sent[0]);
    for (int i = 1; i < copies; i++) {
        if (sent[i].has_thread)
            (void)pthread_join(sent[i].thread, NULL);
        else
            (void)copy_send(&sent[i]);
    }
    for (int i = 0; i < copies; i++)
        ret_status[i] = sent[i].status;
}

/* Attempts one job outside the mutex. True when it is over, delivered or given up. */
static bool job_attempt(struct job *job)
{
    int status[DELIVER_COPIES_MAX] = {0};
    deliver_now(&job->delivery, job->copies, job->attempt, status);
    for (int i = 0; i < job->copies; i++)
        if (status[i] == 200)
            return true;
    job->copies = 1;
    int64_t pause_ms = way_of(&job->delivery)->pause_ms(++job->attempt);
    if (pause_ms < 0) {
        LOG(LOG_WARN, "webhook given up", LOG_TEXT("provider", job->delivery.provider),
            LOG_TEXT("type", job->delivery.type), LOG_TEXT("session", job->delivery.session_id),
            LOG_NUMBER("status", status[0]));
        return true;
    }
    job->due_ms = clock_mono_ms() + pause_ms;
    return false;
}

/* Waits for a job that is due and takes it out; NULL when the program ends. */
static struct job *job_take(void)
{
    while (!queue.stopping) {
        struct job *job = queue.ends.next;
        int64_t left = job == &queue.ends ? 0 : clock_left_ms(job->due_ms);
        if (job == &queue.ends) {
            (void)pthread_cond_wait(&queue.changed, &queue.mutex);
        } else if (left == 0) {
            job_remove(job);
            return job;
        } else {
            int64_t due = job->due_ms;
            struct timespec until = {.tv_sec = due / 1000, .tv_nsec = due % 1000 * 1000000};
            (void)pthread_cond_timedwait(&queue.changed, &queue.mutex, &until);
        }
    }
    return NULL;
}

static void *work(void *context)
{
    struct job *job;
    (void)context;
    (void)pthread_mutex_lock(&queue.mutex);
    while ((job = job_take()) != NULL) {
        (void)pthread_mutex_unlock(&queue.mutex);
        bool over = job_attempt(job);
        (void)pthread_mutex_lock(&queue.mutex);
        if (job->after != NULL) {
            job->after->due_ms = clock_mono_ms();
            job_insert(job->after);
            job->after = NULL;
        }
        if (over)
            job_free(job);
        else
            job_insert(job);
    }
    (void)pthread_mutex_unlock(&queue.mutex);
    return NULL;
}

enum err deliver_start(void)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0 ||
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) != 0 ||
        pthread_cond_init(&queue.changed, &attributes) != 0)
        return ERR_INTERNAL;
    while (queue.workers < WORKERS &&
           pthread_create(&queue.threads[queue.workers], NULL, work, NULL) == 0)
        queue.workers++;
    return queue.workers == WORKERS ? ERR_NONE : ERR_INTERNAL;
}

void deliver_stop(void)
{
    int64_t end = clock_wall_ms() + STOP_WAIT_MS;
    const struct timespec until = {.tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000};
    (void)pthread_mutex_lock(&queue.mutex);
    queue.stopping = true;
    (void)pthread_cond_broadcast(&queue.changed);
    (void)pthread_mutex_unlock(&queue.mutex);
    for (int i = 0; i < queue.workers; i++)
        (void)pthread_timedjoin_np(queue.threads[i], NULL, &until);
}
