/* guichet-jobs: what happens without a request. Threads take work from the database under leases,
 * so any number of these programs may run, and any of them may die at any line. */
#include "base/clock.h"
#include "base/log.h"
#include "base/program.h"
#include "base/settings.h"
#include "flow/context.h"
#include "flow/deliver.h"
#include "flow/hooks.h"
#include "flow/mail.h"
#include "flow/notice.h"
#include "flow/reconcile.h"
#include "flow/refund_order.h"
#include "store/declines.h"
#include "store/keys.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Work with providers, mails, and each receiver of events have threads of their own: who is slow
 * delays nobody else. */
enum { QUEUES_MAX = 2 + RECEIVERS_MAX, THREADS_MAX = 64 };

enum { SLEEP_SLICE_MS = 100, FORGET_EVERY_MS = 60000, SILENCE_EVERY_MS = 5000 };

static const char usage[] =
    "usage: guichet-jobs [-c FILE] [--check-config]\n"
    "Asks providers about open payments, expires what was not paid, settles\n"
    "notices that came too early, and sends mails and events. Any number may run.\n"
    "  -c, --config FILE   settings (default $GUICHET_CONF, or " CONFIG_DEFAULT ")\n"
    "  --check-config      read the settings, say what is wrong, and end\n"
    "  --version, --help\n";

static _Atomic bool ending;

struct job {
    pthread_t thread;
    struct context *context;
    struct arena *arena;
    int64_t idle_wait_ms;
    bool (*step)(
        struct job *job); /* true when there was something to do: the next follows at once */
    size_t receiver;      /* of events; an index into the settings' */
    bool keeps_house;     /* the first thread of a program does what one should */
    bool prepared;        /* the database knows the receivers */
    int64_t forget_due_ms, silence_due_ms, hooks_due_ms;
};

static void log_failure(const char *what, const char *payment_id, enum err err)
{
    LOG(LOG_ERROR, what, LOG_TEXT("payment", payment_id), LOG_TEXT("error", err_message(err)),
        LOG_TEXT("note", db_last_problem()));
}

static bool step_check(struct job *job)
{
    struct reconciled done;
    enum err err = reconcile_step(job->context, job->arena, &done);
    if (err)
        log_failure("check", done.payment_id, err);
    else if (done.payment_id[0] != '\0')
        LOG(done.mute ? LOG_WARN : LOG_INFO, "check", LOG_TEXT("payment", done.payment_id),
            LOG_TEXT("found", done.found));
    return !err && done.payment_id[0] != '\0';
}

static bool step_notice(struct job *job)
{
    bool found;
    enum err err = notice_retry(job->context, job->arena, &found);
    if (err)
        log_failure("notice", "", err);
    else if (found)
        LOG(LOG_INFO, "notice", LOG_TEXT("note", "tried a waiting notice again"));
    return !err && found;
}

static bool step_refund(struct job *job)
{
    char payment_id[IDENT_MAX];
    enum err err = refund_order_step(job->context, job->arena, payment_id);
    if (err)
        log_failure("refund", payment_id, err);
    else if (payment_id[0] != '\0')
        LOG(LOG_INFO, "refund", LOG_TEXT("payment", payment_id));
    return !err && payment_id[0] != '\0';
}

static bool step_mail(struct job *job)
{
    struct mailed done;
    enum err err = mail_step(job->context, job->arena, &done);
    if (err)
        log_failure("mail", done.payment_id, err);
    else if (done.payment_id[0] != '\0')
        LOG(done.sent ? LOG_INFO : LOG_WARN, "mail", LOG_TEXT("payment", done.payment_id),
            LOG_TEXT("found", done.found));
    return !err && done.payment_id[0] != '\0';
}

static bool step_event(struct job *job)
{
    const char *receiver = settings_receivers[job->receiver];
    struct delivered done;
    enum err err = deliver_step(job->context, job->arena, job->receiver, &done);
    if (err)
        log_failure("deliver", done.payment_id, err);
    else if (done.payment_id[0] != '\0')
        LOG(done.sent ? LOG_INFO : LOG_WARN, "deliver", LOG_TEXT("payment", done.payment_id),
            LOG_TEXT("receiver", receiver), LOG_TEXT("found", done.found));
    if (done.disabled)
        LOG(LOG_ERROR, "receiver", LOG_TEXT("receiver", receiver), LOG_TEXT("found", done.found),
            LOG_TEXT("note", "it is disabled: it gets no events until somebody enables it"));
    return !err && done.payment_id[0] != '\0';
}

static enum err forget_unit(struct db *db, void *context)
{
    int64_t *count = context, declines = 0;
    enum err err = keys_expire(db, count);
    if (!err)
        err = declines_expire(db, &declines);
    *count += declines;
    return err;
}

static void forget_what_is_old(struct job *job)
{
    int64_t count;
    if (clock_left_ms(job->forget_due_ms) > 0)
        return;
    job->forget_due_ms = clock_mono_ms() + FORGET_EVERY_MS;
    enum err err = db_query(job->context->pool, job->arena, forget_unit, &count);
    if (err)
        log_failure("forget", "", err);
    else if (count > 0)
        job->forget_due_ms = job->silence_due_ms = clock_mono_ms(); /* there may be more */
}

static void name_receivers(struct job *job)
{
    if (job->prepared)
        return;
    bool left;
    enum err err = deliver_prepare(job->context, job->arena, &left);
    job->prepared = !err && !left;
    if (err)
        log_failure("receivers", "", err);
}

static void watch_silence(struct job *job)
{
    int64_t count;
    if (clock_left_ms(job->silence_due_ms) > 0)
        return;
    job->silence_due_ms = clock_mono_ms() + SILENCE_EVERY_MS;
    enum err err = reconcile_silence(job->context, job->arena, &count);
    if (err)
        log_failure("silence", "", err);
    else if (count > 0)
        LOG(LOG_WARN, "silence", LOG_NUMBER("hurried", count));
}

static void watch_hooks_of(struct job *job, const struct provider_driver *driver)
{
    struct hooks_found found = {0}, swept = {0};
    bool wanted;
    enum err err = hooks_wanted(job->context, job->arena, driver, &wanted);
    if (err)
        log_failure("hooks", "", err);
    if (err || !wanted)
        return;
    err = hooks_check(job->context, job->arena, driver, &found);
    if (err || found.wrong > 0)
        LOG(err ? LOG_ERROR : LOG_WARN, "hooks", LOG_TEXT("provider", driver->name),
            LOG_NUMBER("wrong", (int64_t)found.wrong), LOG_NUMBER("mended", (int64_t)found.mended),
            LOG_TEXT("error", err ? err_message(err) : ""));
    err = hooks_sweep(job->context, job->arena, driver, &swept);
    if (err || swept.missed > 0)
        LOG(err ? LOG_ERROR : LOG_WARN, "sweep", LOG_TEXT("provider", driver->name),
            LOG_NUMBER("missed", swept.missed), LOG_TEXT("error", err ? err_message(err) : ""));
}

/* As often as a provider may be silent. */
static void watch_hooks(struct job *job)
{
    const struct settings *settings = job->context->settings;
    const struct provider_driver *driver;
    if (clock_left_ms(job->hooks_due_ms) > 0)
        return;
    job->hooks_due_ms = clock_mono_ms() + settings->jobs.silence_s * 1000;
    for (size_t i = 0; (driver = provider_at(i)) != NULL; i++)
        watch_hooks_of(job, driver);
}

static bool step_providers(struct job *job)
{
    if (job->keeps_house) {
        name_receivers(job);
        forget_what_is_old(job);
        watch_silence(job);
        watch_hooks(job);
    }
    bool busy = step_notice(job);
    busy |= step_check(job);
    busy |= step_refund(job);
    return busy;
}

static void rest(int64_t ms)
{
    for (; ms > 0 && !ending; ms -= SLEEP_SLICE_MS)
        clock_sleep_ms(ms < SLEEP_SLICE_MS ? ms : SLEEP_SLICE_MS);
}

static void *work(void *context)
{
    struct job *job = context;
    while (!ending) {
        db_forget_problem();
        bool busy = job->step(job);
        arena_reset(job->arena);
        if (!busy)
            rest(job->idle_wait_ms);
    }
    return NULL;
}

/* Fills in who does what, and returns how many there are. */
static size_t make_jobs(const struct settings *settings, struct job *jobs)
{
    size_t each = (size_t)settings->jobs.threads, count = 0;
    for (size_t i = 0; i < each; i++)
        jobs[count++] = (struct job){.step = step_providers, .keeps_house = i == 0};
    for (size_t i = 0; i < each; i++)
        jobs[count++] = (struct job){.step = step_mail};
    for (size_t receiver = 0; receiver < RECEIVERS_MAX; receiver++)
        for (size_t i = 0; i < each && settings->receivers[receiver].url[0] != '\0'; i++)
            jobs[count++] = (struct job){.step = step_event, .receiver = receiver};
    return count;
}

static bool job_start(struct job *job, const struct settings *settings, struct db_pool *pool)
{
    job->context = context_new(settings, pool);
    job->arena = arena_new(ARENA_BYTES);
    job->idle_wait_ms = settings->jobs.idle_wait_ms;
    job->forget_due_ms = job->silence_due_ms = job->hooks_due_ms = clock_mono_ms();
    return job->context != NULL && job->arena != NULL &&
           pthread_create(&job->thread, NULL, work, job) == 0;
}

static int run(const struct settings *settings, struct db_pool *pool)
{
    static struct job jobs[QUEUES_MAX * THREADS_MAX];
    size_t wanted = make_jobs(settings, jobs), started = 0;
    program_block_end();
    while (started < wanted && job_start(&jobs[started], settings, pool))
        started++;
    LOG(started == wanted ? LOG_INFO : LOG_ERROR, "start", LOG_NUMBER("threads", (int64_t)started));
    if (started == wanted)
        program_await_end();
    ending = true;
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(jobs[i].thread, NULL);
    for (size_t i = 0; i < wanted; i++) {
        context_free(jobs[i].context);
        arena_free(jobs[i].arena);
    }
    LOG(LOG_INFO, "end", LOG_TEXT("note", "drained"));
    return started == wanted ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static struct settings settings;
    struct program program = {.name = "guichet-jobs", .usage = usage};
    program_start(&program, argc, argv);
    if (settings_read(program.config, &settings, stderr) != ERR_NONE)
        return EXIT_FAILURE;
    if (program.check_config) {
        (void)printf("%s: fine\n", program.config);
        return EXIT_SUCCESS;
    }
    if (program_guard_memory(false) != ERR_NONE)
        return EXIT_FAILURE;
    struct db_pool *pool = db_pool_new(&settings, false);
    if (pool == NULL)
        return EXIT_FAILURE;
    int status = run(&settings, pool);
    db_pool_free(pool);
    return status;
}
