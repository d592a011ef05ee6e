/* The database alone: the two durable steps of a create, by so many connections, for so long.
 * With one row a step they are those of bare.c; with more, the rows of as many creates share a
 * statement and a commit, and the answers are rows of a table of their own.
 *
 *   limit CONNECTIONS ROWS SECONDS
 *
 * Prints {"count":creates,"p50":ms,"p99":ms}. */
#include "plain.h"

#include <pthread.h>
#include <stdint.h>
#include <time.h>

enum { ROWS_MAX = 64, SAMPLES_MAX = 1 << 20 };

struct worker {
    pthread_t thread;
    long long user, amount, id;
    char url[URL_BYTES];
    unsigned long url_len;
    long count; /* creates */
    long steps; /* pairs of commits */
    float *samples;
};

static struct {
    int rows;
    uint64_t end_ns;
} here;

static uint64_t now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

/* "head row, row, …" */
static const char *repeat(char *text, size_t size, const char *head, const char *row)
{
    size_t len = (size_t)snprintf(text, size, "%s", head);
    for (int i = 0; i < here.rows; i++)
        len += (size_t)snprintf(text + len, size - len, "%s%s", i == 0 ? " " : ", ", row);
    return text;
}

static MYSQL_STMT *prepare_insert(MYSQL *db, struct worker *worker)
{
    char text[4096];
    MYSQL_BIND binds[2 * ROWS_MAX];
    for (int i = 0; i < here.rows; i++) {
        binds[2 * i] = PLAIN_INT(worker->user);
        binds[2 * i + 1] = PLAIN_INT(worker->amount);
    }
    repeat(text, sizeof text, "INSERT INTO payments (user_id, type, amount) VALUES",
           "(?, 'balance', ?)");
    return plain_prepare(db, text, binds);
}

static MYSQL_STMT *prepare_answer(MYSQL *db, struct worker *worker, long long *ids)
{
    char text[4096];
    MYSQL_BIND binds[3 * ROWS_MAX];
    for (int i = 0; i < here.rows; i++) {
        binds[3 * i] = PLAIN_TEXT(worker->url, worker->url_len);
        binds[3 * i + 1] = PLAIN_TEXT(worker->url, worker->url_len);
        binds[3 * i + 2] = PLAIN_INT(ids[i]);
    }
    if (here.rows == 1)
        return plain_prepare(db,
                             "UPDATE payments SET status = 'pending', provider_reference = ?, "
                             "url = ? WHERE payment_id = ?",
                             binds);
    repeat(text, sizeof text, "INSERT INTO answers (provider_reference, url, payment_id) VALUES",
           "(?, ?, ?)");
    return plain_prepare(db, text, binds);
}

static void *work(void *context)
{
    struct worker *worker = context;
    long long ids[ROWS_MAX] = {0};
    MYSQL *db = plain_connect();
    MYSQL_STMT *insert = prepare_insert(db, worker), *answer = prepare_answer(db, worker, ids);
    for (uint64_t start = now_ns(), stop; start < here.end_ns; start = stop) {
        if (mysql_stmt_execute(insert) != 0)
            break;
        /* the first of consecutive ids: innodb_autoinc_lock_mode 1 */
        long long first = (long long)mysql_stmt_insert_id(insert);
        for (int i = 0; i < here.rows; i++)
            ids[i] = first + i;
        if (mysql_stmt_execute(answer) != 0)
            break;
        stop = now_ns();
        worker->count += here.rows;
        worker->samples[worker->steps++ % SAMPLES_MAX] = (float)(stop - start) / 1e6f;
    }
    mysql_stmt_close(insert);
    mysql_stmt_close(answer);
    mysql_close(db);
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    const float *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void report(struct worker *workers, int count)
{
    long creates = 0, steps = 0;
    for (int i = 0; i < count; i++) {
        creates += workers[i].count;
        steps += workers[i].steps < SAMPLES_MAX ? workers[i].steps : SAMPLES_MAX;
    }
    float *all = calloc((size_t)steps + 1, sizeof *all);
    for (int i = 0, at = 0; i < count; i++)
        for (long j = 0; j < workers[i].steps && j < SAMPLES_MAX; j++)
            all[at++] = workers[i].samples[j];
    qsort(all, (size_t)steps, sizeof *all, by_size);
    printf("{\"count\":%ld,\"p50\":%.3f,\"p99\":%.3f}\n", creates, (double)all[steps / 2],
           (double)all[steps * 99 / 100]);
}

int main(int argc, char **argv)
{
    int connections = argc == 4 ? atoi(argv[1]) : 0;
    here.rows = argc == 4 ? atoi(argv[2]) : 0;
    if (connections < 1 || here.rows < 1 || here.rows > ROWS_MAX) {
        fprintf(stderr, "usage: limit CONNECTIONS ROWS SECONDS\n");
        return 2;
    }
    mysql_library_init(0, NULL, NULL);
    here.end_ns = now_ns() + (uint64_t)(atof(argv[3]) * 1e9);
    struct worker *workers = calloc((size_t)connections, sizeof *workers);
    for (int i = 0; i < connections; i++) {
        workers[i].user = 76561198000100000 + i;
        workers[i].amount = 2500;
        workers[i].url_len = (unsigned long)snprintf(workers[i].url, URL_BYTES,
                                                     "https://secure.bench.test/cs_PAY_%d", i);
        workers[i].samples = calloc(SAMPLES_MAX, sizeof(float));
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    for (int i = 0; i < connections; i++)
        pthread_join(workers[i].thread, NULL);
    report(workers, connections);
    return 0;
}
