/* Tokens: asked for once by many threads, used while they live, renewed when refused, and no call
 * is made without one. */
#include "mangopay.h"

#include "base/clock.h"
#include "provider/bearer.h"
#include "tls_server.h"

#include <pthread.h>

enum { THREADS = 8 };

static struct httpc *client;
static int64_t life_s;
static int tokens;           /* given out so far; under the server's lock */
static bool refuses, always; /* the first token; every one */
static bool keyless;         /* no token at all */

static bool play(const char *request, char *answer, size_t size)
{
    const char *head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    char body[256], right[64];
    if (strncmp(request, "POST /v2.01/oauth/token", 23) == 0 && keyless) {
        head = "HTTP/1.1 401 No\r\n";
        (void)snprintf(body, sizeof body, "{\"error\":\"invalid_client\"}");
    } else if (strncmp(request, "POST /v2.01/oauth/token", 23) == 0) {
        tokens++;
        refuses = refuses && tokens < 2;
        (void)snprintf(body, sizeof body,
                       "{\"access_token\":\"t%d\",\"token_type\":\"bearer\",\"expires_in\":%lld}",
                       tokens, (long long)life_s);
    } else {
        (void)snprintf(right, sizeof right, "Authorization: Bearer t%d\r\n", tokens);
        if (refuses || always || strstr(request, right) == NULL)
            head = "HTTP/1.1 401 No\r\n";
        (void)snprintf(body, sizeof body, "{\"Id\":\"" PAYIN "\"}");
    }
    (void)snprintf(answer, size, "%sContent-Length: %zu\r\n\r\n%s", head, strlen(body), body);
    return true;
}

static struct httpc *new_client(void)
{
    return httpc_new(&(struct httpc_options){.ca_file = server.ca_file,
                                             .connect_timeout_ms = 5000,
                                             .timeout_ms = 5000,
                                             .user_agent = "guichet-test"});
}

static int start(void **state)
{
    if (server_start(state) != 0)
        return 1;
    server.play = play;
    client = new_client();
    return client == NULL;
}

static int stop(void **state)
{
    httpc_free(client);
    return server_stop(state);
}

/* Each test begins without a token: the old one is refused by name. */
static int prepare(void **state)
{
    char old[PROVIDER_TOKEN_MAX];
    struct httpc_answer answer;
    if (set_up(state) != 0)
        return 1;
    (void)snprintf(settings.mangopay.api_url, CONF_TEXT_MAX, "https://localhost:%d", server.port);
    server_script(ACT_PLAY, "", 0);
    keyless = refuses = always = false;
    life_s = 3600;
    if (tokens > 0) {
        (void)snprintf(old, sizeof old, "t%d", tokens);
        keyless = true;
        (void)bearer_get(&mangopay_driver, &settings, client, *state, 0, old, old, &answer);
        keyless = false;
    }
    tokens = 0;
    server_script(ACT_PLAY, "", 0);
    return 0;
}

static int read_once(struct arena *arena, struct httpc *with)
{
    struct httpc_request request = {0};
    struct httpc_answer answer;
    assert_int_equal(mangopay_driver.read(&settings, arena, &order, &request), ERR_NONE);
    provider_call(&mangopay_driver, &settings, with, arena, &request, &answer);
    return answer.result == HTTPC_ANSWERED ? answer.status : -(int)answer.status;
}

static void *read_in_thread(void *status)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct httpc *own = new_client();
    *(int *)status = read_once(arena, own);
    httpc_free(own);
    arena_free(arena);
    return NULL;
}

static void one_token_serves_many_threads(void **state)
{
    pthread_t threads[THREADS];
    int status[THREADS];
    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_in_thread, &status[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
        assert_int_equal(status[i], 200);
    }
    assert_int_equal(tokens, 1);
}

static void a_refused_token_is_renewed_once(void **state)
{
    refuses = true; /* the first token, not the second */
    assert_int_equal(read_once(*state, client), 200);
    assert_int_equal(tokens, 2);
}

static void a_token_that_is_always_refused_is_an_answer(void **state)
{
    always = true;
    assert_int_equal(read_once(*state, client), 401);
    assert_int_equal(tokens, 2);
}

static void an_old_token_is_replaced(void **state)
{
    life_s = 1;
    assert_int_equal(read_once(*state, client), 200);
    clock_sleep_ms(600); /* half of its life */
    assert_int_equal(read_once(*state, client), 200);
    assert_int_equal(tokens, 2);
}

static void a_promise_of_any_length_is_a_life(void **state)
{
    life_s = INT64_MAX;
    for (int i = 0; i < 2; i++)
        assert_int_equal(read_once(*state, client), 200);
    assert_int_equal(tokens, 1);
}

static void without_a_token_nothing_is_sent(void **state)
{
    struct provider_result result;
    keyless = true;
    provider_create(&mangopay_driver, &settings, client, *state, 0, &order, &result);
    assert_int_equal(result.outcome, OUTCOME_NOT_SENT);
    assert_true(result.trip_s > 0); /* our key is wrong: every payment would meet it */
    assert_int_equal(server_requests(), 1);
}

#define TEST_HERE(function) cmocka_unit_test_setup_teardown(function, prepare, arena_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_HERE(one_token_serves_many_threads),
        TEST_HERE(a_refused_token_is_renewed_once),
        TEST_HERE(an_old_token_is_replaced),
        TEST_HERE(a_promise_of_any_length_is_a_life),
        TEST_HERE(without_a_token_nothing_is_sent),
        TEST_HERE(a_token_that_is_always_refused_is_an_answer),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
