/* The fault sweep: on every path that money takes, the Nth call of a kind fails, for N = 1, 2, …
 * until none does. After each run: a documented answer that is no lie, and, once the caller or the
 * provider has tried again and the jobs have run, books that are right to the cent.
 * TORTURE_SHORT=1: one N of every other kind. TORTURE_PATH, TORTURE_KIND, TORTURE_NTH: only those.
 */
#include "torture_shop.h"

#include "torture_paths.h"

#include <dirent.h>
#include <sys/wait.h>

int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* --- what fails --- */

enum means { BY_CALL, BY_BANK, BY_MAIL };

enum { ENOUGH = 2000 /* calls of a kind on one path */, DEATH_MS = 20000 };

static const struct kind {
    const char *name;
    enum means means;
    int place; /* a fail_place, or a bank_fault */
    enum fail fault;
    bool lasting;
    bool cold; /* on a connection that is not open yet */
    int span;  /* the short form tries one N up to this */
} kinds[] = {
    {"memory, one piece", BY_CALL, FAIL_MEMORY, FAIL_REFUSED, false, false, 100},
    {"memory, all from there", BY_CALL, FAIL_MEMORY, FAIL_REFUSED, true, false, 100},
    {"statement refused", BY_CALL, FAIL_STATEMENT, FAIL_REFUSED, false, false, 14},
    {"statement in conflict", BY_CALL, FAIL_STATEMENT, FAIL_CONFLICT, false, false, 14},
    {"statement not sent", BY_CALL, FAIL_STATEMENT, FAIL_BEFORE, false, false, 14},
    {"statement unanswered", BY_CALL, FAIL_STATEMENT, FAIL_AFTER, false, false, 14},
    {"new connection breaks", BY_CALL, FAIL_STATEMENT, FAIL_BEFORE, false, true, 14},
    {"database gone from there", BY_CALL, FAIL_STATEMENT, FAIL_BEFORE, true, false, 14},
    {"COMMIT refused", BY_CALL, FAIL_COMMIT, FAIL_REFUSED, false, false, 2},
    {"COMMIT in conflict", BY_CALL, FAIL_COMMIT, FAIL_CONFLICT, false, false, 2},
    {"COMMIT not sent", BY_CALL, FAIL_COMMIT, FAIL_BEFORE, false, false, 2},
    {"COMMIT done, unanswered", BY_CALL, FAIL_COMMIT, FAIL_AFTER, false, false, 2},
    {"COMMITs unanswered from there", BY_CALL, FAIL_COMMIT, FAIL_AFTER, true, false, 2},
    {"transfer not sent", BY_BANK, BANK_NOT_SENT, 0, false, false, 1},
    {"transfer lost", BY_BANK, BANK_LOST, 0, false, false, 1},
    {"transfer done, unanswered", BY_BANK, BANK_DONE, 0, false, false, 1},
    {"transfers unanswered from there", BY_BANK, BANK_SILENT, 0, false, false, 1},
    {"transfer done, answer cut", BY_BANK, BANK_CUT, 0, false, false, 1},
    {"transfer answered 500", BY_BANK, BANK_ERROR, 0, false, false, 1},
    {"mail cut", BY_MAIL, 0, 0, false, false, 6},
    {"clock an hour ahead", BY_CALL, FAIL_CLOCK, FAIL_AHEAD, true, false, 20},
    {"clock an hour back", BY_CALL, FAIL_CLOCK, FAIL_BACK, true, false, 20},
    {"write fails", BY_CALL, FAIL_WRITE, FAIL_REFUSED, false, false, 1},
    {"writes fail from there", BY_CALL, FAIL_WRITE, FAIL_REFUSED, true, false, 1},
    {"killed before a statement", BY_CALL, FAIL_STATEMENT, FAIL_DEATH, false, false, 14},
    {"killed before COMMIT", BY_CALL, FAIL_COMMIT, FAIL_DEATH, false, false, 2},
    {"killed before a write", BY_CALL, FAIL_WRITE, FAIL_DEATH, false, false, 1},
    {"killed within a transfer", BY_BANK, BANK_KILLS, FAIL_DEATH, false, false, 1},
};

static void arm(const struct kind *kind, int nth)
{
    /* who waits for a database that is gone does so until his time is over: little, here */
    desk_server.budget_ms = kind->lasting && kind->place == FAIL_STATEMENT ? 2700 : BUDGET_MS;
    if (kind->means == BY_CALL)
        fail_arm((enum fail_place)kind->place, kind->fault, nth, kind->lasting);
    else if (kind->means == BY_BANK)
        bank_arm((enum bank_fault)kind->place, nth);
}

static bool disarm(const struct kind *kind, int nth)
{
    bool happened = fail_disarm();
    if (kind->means == BY_BANK)
        happened = bank_disarm();
    if (kind->means == BY_MAIL)
        happened = smtp.connections > 0 && nth <= MAIL_WORDS;
    return happened;
}

/* --- one run --- */

static void mail_start(int cut_at)
{
    smtp_start(mail_script(cut_at), false, true);
}

static void mail_stop(void)
{
    smtp_stop();
    for (const char *at = smtp.message; (at = strstr(at, "Message-ID:")) != NULL; at++)
        verdict.mails++;
}

/* True when it was killed. A sanitizer's lock that another thread held at the fork is never given
 * back, so a child may hang: then this is where it dies. */
static bool await_death(pid_t child)
{
    int status;
    int64_t over_ms = clock_mono_ms() + DEATH_MS;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (clock_left_ms(over_ms) == 0) {
            (void)printf("torture: process %d hung, and is killed\n", (int)child);
            (void)kill(child, SIGKILL);
        }
        clock_sleep_ms(2);
    }
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    CHECK(killed || status == 0, "the process ended with status %d", status);
    return killed;
}

/* In a process of its own, which may die: true when it was killed. */
static bool act_and_die(const struct path *path, const struct kind *kind, int nth)
{
    (void)fflush(NULL);
    (void)pthread_mutex_lock(&server.lock); /* until the bank knows whom to kill */
    while (server.open > 0)
        (void)pthread_cond_wait(&server.closed, &server.lock);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) { /* with a pool of its own: connections do not survive a fork */
        pool = db_pool_new(&settings, false);
        admin_pool = db_pool_new(&settings, true);
        torture_context = context_new(&settings, pool);
        desk.state = torture_context;
        if (kind->means == BY_CALL)
            arm(kind, nth);
        path->act(&run.first);
        _exit(0);
    }
    bank.victim = child;
    (void)pthread_mutex_unlock(&server.lock);
    return await_death(child);
}

/* True when the fault came up. */
static bool run_once(const struct path *path, const struct kind *kind, int nth)
{
    bool dies = kind->fault == FAIL_DEATH, happened;
    verdict_begin(path->name, kind->name, nth);
    run_begin();
    mail_start(0);
    if (path->prepare != NULL)
        path->prepare();
    assert_int_equal(db_query(pool, arena, prepare_unit, NULL), ERR_NONE);
    if (kind->cold)
        db_close(&pool->connections[0]);
    if (kind->means == BY_MAIL) {
        mail_stop();
        mail_start(nth);
    }
    if (!dies || kind->means == BY_BANK)
        arm(kind, nth);
    happened = dies && act_and_die(path, kind, nth);
    if (!dies)
        path->act(&run.first);
    db_deadline(0);
    mail_stop();
    happened |= disarm(kind, nth);
    desk_server.budget_ms = BUDGET_MS;
    mail_start(0);
    if (!dies)
        judge_answer(path->role, &path->wanted,
                     kind->fault == FAIL_REFUSED && kind->place == FAIL_WRITE);
    CHECK(happened || dies || is_success(path->role), "without a fault: %d %s", run.first.status,
          run.first.body);
    recover(path->role, &path->wanted, path->act);
    mail_stop();
    judge_end(&path->wanted, !happened || path->role != ROLE_CREATE || run.paid);
    return happened;
}

/* --- the sweep --- */

static int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(folder) != NULL)
        count++;
    (void)closedir(folder);
    return count;
}

static bool is_wanted(const char *variable, const char *name)
{
    const char *wanted = getenv(variable);
    return wanted == NULL || strstr(name, wanted) != NULL;
}

static int number_of(const char *variable, int otherwise)
{
    const char *text = getenv(variable);
    return text == NULL ? otherwise : (int)strtol(text, NULL, 10);
}

struct tally {
    int faults, wrong;
};

static struct tally tallies[COUNT(paths)][COUNT(kinds)];

/* Nothing is left behind, and the ledger adds up. */
static void judge_rest(int descriptors)
{
    judge_ledger();
    CHECK(pool->idle == &pool->connections[0], "the connection was not given back");
    db_close(&pool->connections[0]);
    int now = count_descriptors();
    CHECK(descriptors == 0 || now <= descriptors, "%d descriptors, before %d", now, descriptors);
    if (__lsan_do_recoverable_leak_check != NULL)
        CHECK(__lsan_do_recoverable_leak_check() == 0, "memory leaks");
}

/* One row of the closing table. */
static void sweep(size_t p, size_t k)
{
    const struct path *path = &paths[p];
    const struct kind *kind = &kinds[k];
    bool once = number_of("TORTURE_SHORT", 0) != 0 || getenv("TORTURE_NTH") != NULL;
    int nth = once ? number_of("TORTURE_NTH", 1 + (int)(p * 7 + k * 3) % kind->span) : 1;
    int descriptors = 0, wrong = verdicts_wrong;
    while (run_once(path, kind, nth)) {
        tallies[p][k].faults++;
        if (descriptors == 0)
            descriptors = count_descriptors();
        if (once || ++nth > ENOUGH)
            break;
    }
    CHECK(nth <= ENOUGH, "it never ends");
    if (!once)
        judge_rest(descriptors);
    tallies[p][k].wrong = verdicts_wrong - wrong;
}

static void sweep_all(void **state)
{
    (void)state;
    for (size_t p = 0; p < COUNT(paths); p++) {
        int64_t started = clock_mono_ms();
        int faults = 0;
        if (!is_wanted("TORTURE_PATH", paths[p].name))
            continue;
        for (size_t k = 0; k < COUNT(kinds); k++) {
            bool skipped = number_of("TORTURE_SHORT", 0) != 0 && (p + k) % 2 != 0;
            if (!skipped && is_wanted("TORTURE_KIND", kinds[k].name))
                sweep(p, k);
            faults += tallies[p][k].faults;
        }
        if (number_of("TORTURE_SHORT", 0) == 0)
            judge_rest(0);
        (void)printf("torture: %-30s %5d faults, %5lld s\n", paths[p].name, faults,
                     (long long)(clock_mono_ms() - started) / 1000);
        (void)fflush(stdout);
    }
    judge_rest(0);
    assert_int_equal(verdicts_wrong, 0);
}

static void print_table(void)
{
    int faults = 0;
    (void)printf("\n%-30s %-30s %6s  verdict\n", "path", "kind", "faults");
    for (size_t p = 0; p < COUNT(paths); p++)
        for (size_t k = 0; k < COUNT(kinds); k++) {
            const struct tally *tally = &tallies[p][k];
            faults += tally->faults;
            if (tally->faults > 0 || tally->wrong > 0)
                (void)printf("%-30s %-30s %6d  %s\n", paths[p].name, kinds[k].name, tally->faults,
                             tally->wrong == 0 ? "consistent" : "WRONG");
        }
    (void)printf("torture: %d faults, %d wrong\n", faults, verdicts_wrong);
}

/* --- set up --- */

static bool listen_at_desk(void)
{
    (void)snprintf(desk_address.sun_path, sizeof desk_address.sun_path, "%s/desk", server.folder);
    desk_socket = socket(AF_UNIX, SOCK_STREAM, 0);
    return bind(desk_socket, (struct sockaddr *)&desk_address, sizeof desk_address) == 0 &&
           listen(desk_socket, 4) == 0 && FCGX_Init() == 0 &&
           FCGX_InitRequest(&desk_request, desk_socket, FCGI_FAIL_ACCEPT_ON_INTR) == 0;
}

static void place_providers(void)
{
    (void)text_copy(settings.provider.ca_file, CONF_TEXT_MAX, server.ca_file);
    (void)snprintf(second_url, sizeof second_url, "https://localhost:%d/second", server.port);
    (void)snprintf(settings.mangopay.api_url, CONF_TEXT_MAX, "https://localhost:%d/mangopay",
                   server.port);
    settings.mangopay.common.enabled = true;
    settings.mangopay.callers_name_wallets = false;
    (void)snprintf(settings.mail.server, CONF_TEXT_MAX, "unix:%s/smtp", server.folder);
    (void)text_copy(settings.mannco.partners, CONF_TEXT_MAX, "payviox second");
    second_set_up();
    second_terms = settings.payviox.common;
    bank_start();
}

static int set_up(void **state)
{
    if (server_start(state) != 0 || database_open(state) != 0 || !listen_at_desk())
        return 1;
    place_providers();
    settings.database.connections = 1;
    db_pool_free(pool);
    pool = db_pool_new(&settings, false);
    torture_context = context_new(&settings, pool);
    desk.server = &desk_server;
    desk.state = torture_context;
    desk.arena = arena_new(ARENA_BYTES);
    return torture_context == NULL || desk.arena == NULL;
}

static int tear_down(void **state)
{
    print_table();
    FCGX_Free(&desk_request, 1);
    (void)close(desk_socket);
    (void)unlink(desk_address.sun_path);
    context_free(torture_context);
    arena_free(desk.arena);
    db_pool_free(pool);
    db_pool_free(admin_pool);
    arena_free(arena);
    mysql_library_end();
    return server_stop(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(sweep_all)};
    int exit_code;
    if (!database_is_named("torture", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("torture", tests, set_up, tear_down);
}
