/* The HTTPS client: how far a request came decides between "not sent" and "unknown"; nothing is
 * sent twice, followed elsewhere or sent without TLS; no call while a connection is held. */
#include "check.h"

#include "base/clock.h"
#include "base/httpc.h"
#include "tls_server.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/wait.h>

#define TEXT(literal) literal, sizeof(literal) - 1

static char url[64];

static struct httpc *new_client(const char *ca_file, int64_t timeout_ms)
{
    struct httpc_options options = {.ca_file = ca_file,
                                    .connect_timeout_ms = 5000,
                                    .timeout_ms = timeout_ms,
                                    .user_agent = "guichet-test"};
    struct httpc *client = httpc_new(&options);
    assert_non_null(client);
    (void)snprintf(url, sizeof url, "https://localhost:%d/session", server.port);
    return client;
}

static void call_with(const char *body, struct httpc *client, struct arena *arena,
                      const char *method, const char *to, int64_t deadline_ms,
                      struct httpc_answer *ret_answer)
{
    const struct httpc_request request = {
        .method = method,
        .url = to,
        .headers = {"Authorization: Bearer sk", "Content-Type: application/json"},
        .body = body,
        .body_len = body == NULL ? 0 : strlen(body),
        .deadline_ms = deadline_ms};
    arena_reset(arena);
    httpc_call(client, arena, &request, ret_answer);
}

static void call(struct httpc *client, struct arena *arena, const char *method, const char *to,
                 int64_t deadline_ms, struct httpc_answer *ret_answer)
{
    call_with(method[0] == 'P' ? "{\"amount\":1}" : NULL, client, arena, method, to, deadline_ms,
              ret_answer);
}

#define OK_HEAD "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"

static const struct {
    const char *what;
    enum act act;
    const char *answer;
    size_t len;
    enum httpc_result result;
    int status;
    const char *body;
} rows[] = {
    {"closed before TLS", ACT_CLOSE, TEXT(""), HTTPC_NOT_SENT, 0, ""},
    {"no handshake in time", ACT_HANG, TEXT(""), HTTPC_NOT_SENT, 0, ""},
    {"closed after the handshake", ACT_TLS_CLOSE, TEXT(""), HTTPC_UNKNOWN, 0, ""},
    {"closed after the request", ACT_READ_CLOSE, TEXT(""), HTTPC_UNKNOWN, 0, ""},
    {"cut after the request", ACT_READ_RESET, TEXT(""), HTTPC_UNKNOWN, 0, ""},
    {"no answer in time", ACT_READ_HANG, TEXT(""), HTTPC_UNKNOWN, 0, ""},
    {"half a status line", ACT_ANSWER, TEXT("HTTP/1.1 20"), HTTPC_UNKNOWN, 0, ""},
    {"half a header", ACT_ANSWER, TEXT("HTTP/1.1 201 Created\r\nContent-Le"), HTTPC_UNKNOWN, 0, ""},
    {"half a body", ACT_ANSWER, TEXT(OK_HEAD "Content-Length: 30\r\n\r\n{\"session_id\":"),
     HTTPC_UNKNOWN, 0, NULL},
    {"half a chunk", ACT_ANSWER, TEXT(OK_HEAD "Transfer-Encoding: chunked\r\n\r\na\r\n{\"ses"),
     HTTPC_UNKNOWN, 0, NULL},
    {"no last chunk", ACT_ANSWER, TEXT(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
     HTTPC_UNKNOWN, 0, NULL},
    {"not HTTP", ACT_ANSWER, TEXT("SSH-2.0-OpenSSH_9.2\r\n"), HTTPC_UNKNOWN, 0, NULL},
    {"too large, and says so", ACT_ANSWER, TEXT(OK_HEAD "Content-Length: 262145\r\n\r\n{}"),
     HTTPC_UNKNOWN, 0, NULL},
    {"a whole answer", ACT_ANSWER, TEXT(OK_HEAD "Content-Length: 2\r\n\r\n{}"), HTTPC_ANSWERED, 201,
     "{}"},
    {"in chunks", ACT_ANSWER,
     TEXT(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"),
     HTTPC_ANSWERED, 201, "{}"},
    {"continued first", ACT_ANSWER,
     TEXT("HTTP/1.1 100 Continue\r\n\r\n" OK_HEAD "Content-Length: 2\r\n\r\n{}"), HTTPC_ANSWERED,
     201, "{}"},
    {"without content", ACT_ANSWER, TEXT("HTTP/1.1 204 No Content\r\n\r\n"), HTTPC_ANSWERED, 204,
     ""},
    {"an error", ACT_ANSWER, TEXT("HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops"),
     HTTPC_ANSWERED, 500, "oops"},
    {"a redirect", ACT_ANSWER,
     TEXT("HTTP/1.1 307 Go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"), HTTPC_ANSWERED,
     307, ""},
};

static void how_far_a_request_came(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool waits = rows[i].act == ACT_HANG || rows[i].act == ACT_READ_HANG;
        struct httpc *client = new_client(server.ca_file, waits ? 1500 : 5000);
        struct httpc_answer a;
        server_script(rows[i].act, rows[i].answer, rows[i].len);
        call(client, *state, "POST", url, 0, &a);
        ROW(a.result == rows[i].result, "%s: result %d, %s", rows[i].what, (int)a.result,
            a.problem);
        ROW(a.status == rows[i].status, "%s: status %d", rows[i].what, a.status);
        ROW((a.problem[0] == '\0') == (a.result == HTTPC_ANSWERED), "%s: problem \"%s\"",
            rows[i].what, a.problem);
        ROW(a.body != NULL && (rows[i].body == NULL || strcmp(a.body, rows[i].body) == 0),
            "%s: body %s", rows[i].what, a.body);
        ROW(server_requests() <= 1, "%s: %d requests", rows[i].what, server_requests());
        httpc_free(client);
    }
    ROWS_END();
}

static void nothing_leaves(void **state)
{
    static const char *const targets[] = {
        "https://127.0.0.1:1/",          /* nobody listens */
        "https://no-such-host.invalid/", /* never resolves */
        "http://localhost:%d/session",   /* no TLS */
        "https://127.0.0.1:%d/session",  /* another name than the certificate's */
        "ftp://localhost/",
        "file:///etc/passwd",
        "localhost",
        "",
    };
    struct httpc *client = new_client(server.ca_file, 5000);
    server_script(ACT_ANSWER, TEXT(OK_HEAD "Content-Length: 2\r\n\r\n{}"));
    for (size_t i = 0; i < COUNT(targets); i++) {
        char target[100];
        struct httpc_answer a;
        const char *hole = strstr(targets[i], "%d");
        (void)snprintf(target, sizeof target, "%s", targets[i]);
        if (hole != NULL)
            (void)snprintf(target + (hole - targets[i]), 50, "%d%s", server.port, hole + 2);
        call(client, *state, "POST", target, 0, &a);
        ROW(a.result == HTTPC_NOT_SENT, "%s: result %d", target, (int)a.result);
        ROW(a.problem[0] != '\0' && a.body[0] == '\0' && a.status == 0, "%s: %s", target,
            a.problem);
    }
    httpc_free(client);
    ROW(server_requests() == 0, "%d requests arrived", server_requests());
    ROWS_END();
}

static void untrusted_certificate(void **state)
{
    struct httpc *client = new_client("/etc/ssl/certs/ca-certificates.crt", 5000);
    struct httpc_answer a;
    server_script(ACT_ANSWER, TEXT(OK_HEAD "Content-Length: 2\r\n\r\n{}"));
    call(client, *state, "POST", url, 0, &a);
    assert_int_equal(a.result, HTTPC_NOT_SENT);
    assert_int_equal(server_requests(), 0);
    httpc_free(client);
    client = new_client("/nonexistent/ca.pem", 5000);
    call(client, *state, "POST", url, 0, &a);
    assert_int_equal(a.result, HTTPC_NOT_SENT);
    assert_int_equal(server_requests(), 0);
    httpc_free(client);
}

static void request_is_exact(void **state)
{
    struct httpc *client = new_client(server.ca_file, 5000);
    struct httpc_answer a;
    char wanted[500];
    server_script(ACT_ANSWER,
                  TEXT("HTTP/1.1 429 Slow\r\nRetry-After: 60\r\nContent-Length: 3\r\n\r\na\0b"));
    call(client, *state, "POST", url, 0, &a);
    (void)snprintf(wanted, sizeof wanted,
                   "POST /session HTTP/1.1\r\nHost: localhost:%d\r\nUser-Agent: guichet-test\r\n"
                   "Accept: */*\r\nAuthorization: Bearer sk\r\nContent-Type: application/json\r\n"
                   "Content-Length: 12\r\n\r\n{\"amount\":1}",
                   server.port);
    assert_string_equal(server.request, wanted);
    assert_int_equal(a.status, 429);
    assert_int_equal(a.retry_after_s, 60);
    assert_int_equal(a.body_len, 3);
    assert_memory_equal(a.body, "a\0b", 4);
    server_script(ACT_ANSWER, TEXT(OK_HEAD "Content-Length: 2\r\n\r\n{}"));
    call(client, *state, "GET", url, 0, &a);
    assert_int_equal(strncmp(server.request, "GET /session HTTP/1.1\r\n", 23), 0);
    assert_null(strstr(server.request, "Content-Length"));
    assert_int_equal(a.retry_after_s, 0); /* nothing is left over from the call before */
    httpc_free(client);
}

/* curl 7.88 sends a POST again by itself when a reused connection dies under it: then the third
 * request, on a connection of its own, would be answered. */
static void post_is_sent_once(void **state)
{
    static const char answer[] = OK_HEAD "Content-Length: 2\r\n\r\n{}";
    static const char *const bodies[] = {"{\"amount\":1}", NULL};
    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct httpc *client = new_client(server.ca_file, 5000);
        struct httpc_answer a;
        server_scripts(&(struct script){ACT_KEEP, TEXT(answer)},
                       &(struct script){ACT_ANSWER, TEXT(answer)});
        call(client, *state, "GET", url, 0, &a);
        assert_int_equal(a.result, HTTPC_ANSWERED);
        call_with(bodies[i], client, *state, "POST", url, 0, &a);
        assert_int_equal(a.result, HTTPC_UNKNOWN);
        assert_string_equal(a.problem, "the connection broke");
        assert_int_equal(server_requests(), 2);
        call_with(bodies[i], client, *state, "POST", url, 0, &a);
        assert_int_equal(a.result, HTTPC_ANSWERED);
        httpc_free(client);
        assert_int_equal(server_requests(), 3);
    }
}

/* Its server has said farewell meanwhile: curl would take it for alive. */
static void a_connection_that_is_over_is_not_used(void **state)
{
    struct httpc *client = new_client(server.ca_file, 5000);
    struct httpc_answer a;
    server_script(ACT_LEAVE, TEXT(OK_HEAD "Content-Length: 2\r\n\r\n{}"));
    for (int i = 0; i < 3; i++) {
        call(client, *state, "POST", url, 0, &a);
        assert_int_equal(a.result, HTTPC_ANSWERED);
        server_await_silence();
    }
    httpc_free(client);
    assert_int_equal(server_requests(), 3);
}

/* Another connection takes up the TLS session of the first; another client makes its own. */
static void sessions_are_taken_up(void **state)
{
    struct httpc *clients[] = {new_client(server.ca_file, 5000), new_client(server.ca_file, 5000)};
    struct httpc_answer a;
    int before = server.resumed;
    server_script(ACT_ANSWER, TEXT(OK_HEAD "Content-Length: 2\r\n\r\n{}"));
    for (int i = 0; i < 3; i++) {
        call(clients[i / 2], *state, i == 0 ? "GET" : "POST", url, 0, &a);
        assert_int_equal(a.result, HTTPC_ANSWERED);
        assert_int_equal(server.resumed, before + (i > 0));
    }
    httpc_free(clients[0]);
    httpc_free(clients[1]);
    assert_int_equal(server_requests(), 3);
}

/* In the place of the resolver that curl would call: it knows one more host. */
static _Atomic int lookups;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret_found)
{
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
    bool ours = node != NULL && strcmp(node, "provider.test") == 0;
    lookups += ours;
    return next(ours ? "127.0.0.1" : node, service, hints, ret_found);
}

/* Another thread's client knows the address that the first has looked up. */
static void addresses_are_shared(void **state)
{
    struct httpc *clients[] = {new_client(server.ca_file, 5000), new_client(server.ca_file, 5000)};
    char target[64];
    (void)snprintf(target, sizeof target, "https://provider.test:%d/", server.port);
    for (size_t i = 0; i < COUNT(clients); i++) {
        struct httpc_answer a;
        server_script(ACT_HANG, TEXT(""));
        call(clients[i], *state, "GET", target, clock_mono_ms() + 1000, &a);
        assert_int_equal(a.result, HTTPC_NOT_SENT);
        httpc_free(clients[i]);
    }
    assert_int_equal(lookups, 1);
}

static void largest_answer(void **state)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (size_t more = 0; more <= 1; more++) {
        struct httpc *client = new_client(server.ca_file, 5000);
        struct httpc_answer a;
        size_t len = HTTPC_ANSWER_MAX + more;
        char *text = malloc(len + 200);
        assert_non_null(text);
        int start = snprintf(text, 200, "%s%zx\r\n", head, len);
        memset(text + start, 'x', len);
        memcpy(text + start + len, "\r\n0\r\n\r\n", 7);
        server_script(ACT_ANSWER, text, (size_t)start + len + 7);
        call(client, *state, "GET", url, 0, &a);
        ROW(a.result == (more ? HTTPC_UNKNOWN : HTTPC_ANSWERED), "%zu bytes: %s", len, a.problem);
        ROW(more || a.body_len == len, "%zu bytes came as %zu", len, a.body_len);
        httpc_free(client);
        free(text);
    }
    ROWS_END();
}

static void deadline_ends_the_call(void **state)
{
    struct httpc *client = new_client(server.ca_file, 60000);
    struct httpc_answer a;
    server_script(ACT_READ_HANG, TEXT(""));
    int64_t start = clock_mono_ms();
    call(client, *state, "POST", url, start + 1500, &a); /* a slow machine needs some to send it */
    assert_int_equal(a.result, HTTPC_UNKNOWN);
    assert_true(clock_mono_ms() - start < 3000);
    server_script(ACT_ANSWER, TEXT(OK_HEAD "Content-Length: 2\r\n\r\n{}"));
    start = clock_mono_ms();
    call(client, *state, "POST", url, start - 1000, &a); /* already over */
    assert_int_equal(a.result, HTTPC_NOT_SENT);
    assert_int_equal(server_requests(), 0);
    assert_true(clock_mono_ms() - start < 1000);
    httpc_free(client);
}

/* A call may have more time, or less, than the client's others. */
static void a_call_has_its_own_time(void **state)
{
    static const struct {
        int64_t client_ms, own_ms;
    } times[] = {{60000, 1500}, {1500, 60000}};
    for (size_t i = 0; i < COUNT(times); i++) {
        struct httpc *client = new_client(server.ca_file, times[i].client_ms);
        server_script(ACT_READ_HANG, TEXT(""));
        int64_t start = clock_mono_ms();
        const struct httpc_request request = {.method = "POST",
                                              .url = url,
                                              .timeout_ms = times[i].own_ms,
                                              .deadline_ms = start + 4000};
        struct httpc_answer a;
        httpc_call(client, *state, &request, &a);
        int64_t took = clock_mono_ms() - start;
        ROW(a.result == HTTPC_UNKNOWN, "row %zu: result %d", i, (int)a.result);
        ROW((took < 3900) == (times[i].own_ms == 1500), "row %zu: %d ms", i, (int)took);
        httpc_free(client);
    }
    ROWS_END();
}

/* Runs in a child that is expected to die of an assertion; gives the signal. */
static int died_of(void (*run)(void))
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL); /* cmocka catches it */
        run();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void call_while_forbidden(void)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct httpc_answer a;
    httpc_forbid();
    httpc_forbid();
    httpc_permit();
    call(new_client(server.ca_file, 1000), arena, "GET", "https://127.0.0.1:1/", 0, &a);
}

static void call_after_permission(void)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    struct httpc_answer a;
    httpc_forbid();
    httpc_permit();
    call(new_client(server.ca_file, 1000), arena, "GET", "https://127.0.0.1:1/", 0, &a);
}

static void forbidden_calls_assert(void **state)
{
    (void)state;
    assert_int_equal(died_of(call_while_forbidden), SIGABRT);
    assert_int_equal(died_of(call_after_permission), 0);
    assert_int_equal(died_of(httpc_permit), SIGABRT); /* more permits than bans */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ARENA(how_far_a_request_came),  TEST_ARENA(nothing_leaves),
        TEST_ARENA(untrusted_certificate),   TEST_ARENA(request_is_exact),
        TEST_ARENA(post_is_sent_once),       TEST_ARENA(a_connection_that_is_over_is_not_used),
        TEST_ARENA(largest_answer),          TEST_ARENA(deadline_ends_the_call),
        TEST_ARENA(a_call_has_its_own_time), TEST_ARENA(sessions_are_taken_up),
        TEST_ARENA(addresses_are_shared),    TEST(forbidden_calls_assert),
    };
    return cmocka_run_group_tests_name("httpc", tests, server_start, server_stop);
}
