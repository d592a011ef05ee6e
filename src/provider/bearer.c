/* Tokens of providers, one per provider and process. Whoever finds none that lives asks for
 * another; the others wait for him, and share his failure. */
#include "provider/bearer.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypt.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    EARLY_MS = 30000,   /* renewed so long before its end, but not before half of its life */
    LIFE_MAX_S = 86400, /* whatever is promised */
    WAIT_MAX_MS = 60000 /* for whoever asks */
};

struct bearer {
    const struct provider_driver *driver;
    struct provider_token token;
    int64_t until_ms; /* monotonic; in the past: there is none that lives */
    int64_t asked;    /* how many times somebody has asked */
    bool asking;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t answered;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct bearer bearers[PROVIDERS_MAX];

static void prepare(void)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0 ||
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) != 0 ||
        pthread_cond_init(&answered, &attributes) != 0)
        abort(); /* the first call of the program has no memory */
    (void)pthread_condattr_destroy(&attributes);
}

/* With the lock. */
static struct bearer *find(const struct provider_driver *driver)
{
    struct bearer *bearer = bearers;
    while (bearer->driver != NULL && bearer->driver != driver)
        bearer++;
    bearer->driver = driver;
    return bearer;
}

static bool lives(const struct bearer *bearer)
{
    return clock_left_ms(bearer->until_ms) > 0;
}

/* With the lock, which is open while he waits. */
static void wait_for_answer(const struct bearer *bearer, int64_t deadline_ms)
{
    int64_t asked = bearer->asked, until_ms = clock_mono_ms() + WAIT_MAX_MS;
    if (deadline_ms != 0 && deadline_ms < until_ms)
        until_ms = deadline_ms;
    const struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                                   .tv_nsec = (long)(until_ms % 1000) * 1000000};
    while (bearer->asking && bearer->asked == asked && clock_left_ms(until_ms) > 0)
        (void)pthread_cond_timedwait(&answered, &lock, &until);
}

/* Without the lock. */
static bool ask(const struct provider_driver *driver, const struct settings *settings,
                struct httpc *client, struct arena *arena, int64_t deadline_ms,
                struct provider_token *ret_token, struct httpc_answer *ret_answer)
{
    struct httpc_request request = {0};
    if (driver->token(settings, arena, &request) != ERR_NONE) {
        ret_answer->problem = "no memory for the call for a token";
        return false;
    }
    request.deadline_ms = deadline_ms;
    httpc_call(client, arena, &request, ret_answer);
    if (ret_answer->result == HTTPC_ANSWERED && driver->token_read(arena, ret_answer, ret_token))
        return true;
    if (ret_answer->result == HTTPC_ANSWERED)
        ret_answer->problem = "no token was given";
    ret_answer->result = HTTPC_NOT_SENT; /* what the token was for */
    return false;
}

static void keep(struct bearer *bearer, const struct provider_token *token, int64_t asked_ms)
{
    int64_t life_ms = (token->life_s < LIFE_MAX_S ? token->life_s : LIFE_MAX_S) * 1000;
    bearer->token = *token;
    bearer->until_ms = asked_ms + life_ms - (life_ms / 2 < EARLY_MS ? life_ms / 2 : EARLY_MS);
}

bool bearer_get(const struct provider_driver *driver, const struct settings *settings,
                struct httpc *client, struct arena *arena, int64_t deadline_ms, const char *stale,
                char ret_token[PROVIDER_TOKEN_MAX], struct httpc_answer *ret_answer)
{
    struct provider_token fresh;
    *ret_answer = (struct httpc_answer){
        .result = HTTPC_NOT_SENT, .body = "", .kept = "", .problem = "no token was given"};
    (void)pthread_once(&once, prepare);
    (void)pthread_mutex_lock(&lock);
    struct bearer *bearer = find(driver);
    if (stale != NULL && strcmp(bearer->token.text, stale) == 0)
        bearer->until_ms = 0;
    bool mine = !lives(bearer) && !bearer->asking;
    if (mine) {
        int64_t asked_ms = clock_mono_ms();
        bearer->asking = true;
        (void)pthread_mutex_unlock(&lock);
        bool given = ask(driver, settings, client, arena, deadline_ms, &fresh, ret_answer);
        (void)pthread_mutex_lock(&lock);
        if (given)
            keep(bearer, &fresh, asked_ms);
        bearer->asking = false;
        bearer->asked++;
        (void)pthread_cond_broadcast(&answered);
    } else if (!lives(bearer)) {
        wait_for_answer(bearer, deadline_ms);
    }
    bool found = lives(bearer) && text_copy(ret_token, PROVIDER_TOKEN_MAX, bearer->token.text);
    (void)pthread_mutex_unlock(&lock);
    crypt_wipe(&fresh, sizeof fresh);
    return found;
}
