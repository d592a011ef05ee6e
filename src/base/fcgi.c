/* The only file that knows libfcgi: threads, accepting, reading, answering, draining.
 * libfcgi's own TERM handling leaves idle threads alive, so main waits for the signal itself and
 * wakes each thread with USR1, which a thread lets through only while it waits for connections. */
#include "base/fcgi.h"

#include "base/clock.h"
#include "base/crypt.h"
#include "base/fail.h"
#include "base/program.h"

#include <assert.h>
#include <errno.h>
#include <fastcgi.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { HEADER_BYTES_MAX = 64 * 1024, DRAIN_POLL_MS = 20 };

static _Atomic bool draining;

struct worker {
    pthread_t thread;
    const struct fcgi_server *server;
    void *state;
    struct arena *arena;
    _Atomic bool ended;
};

/* Whoever comes wakes one thread, the one that began to wait last: so few are at work, with their
 * memory and their connections warm, however many there are. When all are busy, the next one that
 * becomes free finds him without having to be woken. */
static int waiting = -1;

static sigset_t usr1_open; /* what a thread blocks while it waits */

static void block_usr1(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGUSR1);
    (void)pthread_sigmask(SIG_BLOCK, &set, &usr1_open);
    (void)sigdelset(&usr1_open, SIGUSR1);
}

/* The next connection is told to one thread only, which asks for the one after it. */
static bool listen_for_one(int operation)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT};
    return epoll_ctl(waiting, operation, FCGI_LISTENSOCK_FILENO, &event) == 0;
}

enum err fcgi_prepare(void)
{
    program_block_end();
    block_usr1();
    if (FCGX_Init() != 0 || FCGX_IsCGI())
        return ERR_INTERNAL;
    int flags = fcntl(FCGI_LISTENSOCK_FILENO, F_GETFL);
    if (flags < 0 || fcntl(FCGI_LISTENSOCK_FILENO, F_SETFL, flags | O_NONBLOCK) < 0)
        return ERR_INTERNAL;
    waiting = epoll_create1(EPOLL_CLOEXEC);
    return listen_for_one(EPOLL_CTL_ADD) ? ERR_NONE : ERR_INTERNAL;
}

/* *fits becomes false when the arena is full. */
static const char *keep(struct arena *arena, const char *text, bool *fits)
{
    const char *copy = text == NULL ? "" : arena_strndup(arena, text, strlen(text));
    *fits &= copy != NULL;
    return copy == NULL ? "" : copy;
}

/* Copies what libfcgi will free. ERR_BAD_REQUEST for more headers than we hold. */
static enum err copy_params(struct arena *arena, char **envp, struct http_request *request)
{
    size_t count = 0, bytes = 0;
    for (; *envp != NULL; envp++) {
        size_t len = strlen(*envp);
        bytes += len;
        if (count == HTTP_PARAMS_MAX || bytes > HEADER_BYTES_MAX)
            return ERR_BAD_REQUEST;
        char *copy = arena_strndup(arena, *envp, len);
        if (copy == NULL)
            return ERR_OVERLOAD;
        char *equals = strchr(copy, '=');
        if (equals == NULL)
            return ERR_BAD_REQUEST;
        *equals = '\0';
        request->params[count++] = (struct http_param){copy, equals + 1};
    }
    return ERR_NONE;
}

/* Reads what libfcgi has at hand, byte by byte of its buffer, and wipes it there: a body may hold
 * card data. False when the body ends too early. */
static bool read_wiping(FCGX_Stream *in, char *body, size_t len)
{
    for (size_t got = 0; got < len;) {
        int first = FCGX_GetChar(in); /* fills the buffer when it is empty */
        if (first < 0)
            return false;
        body[got++] = (char)first;
        size_t more = (size_t)(in->stop - in->rdNext);
        if (more > len - got)
            more = len - got;
        memcpy(body + got, in->rdNext, more);
        in->rdNext += more;
        got += more;
        crypt_wipe(in->stopUnget, (size_t)(in->rdNext - in->stopUnget));
    }
    return true;
}

/* The whole body, or none: a length that is not kept is a bad request. */
static enum err copy_body(const FCGX_Request *fcgx, size_t max, struct http_request *request)
{
    const char *text = FCGX_GetParam("CONTENT_LENGTH", fcgx->envp);
    char *end = NULL;
    request->body = "";
    if (text == NULL || *text == '\0')
        return ERR_NONE;
    unsigned long long len = strtoull(text, &end, 10);
    if (strspn(text, "0123456789") != strlen(text))
        return ERR_BAD_REQUEST;
    if (len > max)
        return ERR_BODY_TOO_LARGE;
    char *body = arena_alloc(request->arena, (size_t)len + 1);
    if (body == NULL)
        return ERR_OVERLOAD;
    if (!read_wiping(fcgx->in, body, (size_t)len))
        return ERR_BAD_REQUEST;
    request->body = body;
    request->body_len = (size_t)len;
    return ERR_NONE;
}

static enum err read_request(const FCGX_Request *fcgx, const struct fcgi_server *server,
                             struct http_request *request)
{
    struct arena *arena = request->arena;
    bool fits = true;
    request->deadline_ms = clock_mono_ms() + server->budget_ms;
    request->method = keep(arena, FCGX_GetParam("REQUEST_METHOD", fcgx->envp), &fits);
    request->path = keep(arena, FCGX_GetParam("DOCUMENT_URI", fcgx->envp), &fits);
    request->query = keep(arena, FCGX_GetParam("QUERY_STRING", fcgx->envp), &fits);
    request->content_type = keep(arena, FCGX_GetParam("CONTENT_TYPE", fcgx->envp), &fits);
    request->client_ip = keep(arena, FCGX_GetParam("REMOTE_ADDR", fcgx->envp), &fits);
    request->id = keep(arena, FCGX_GetParam("HTTP_X_REQUEST_ID", fcgx->envp), &fits);
    enum err err = copy_params(arena, fcgx->envp, request);
    enum err body = copy_body(fcgx, server->body_max, request);
    if (!fits)
        return ERR_OVERLOAD;
    return err ? err : body;
}

static void send_response(const FCGX_Request *fcgx, const struct http_response *response)
{
    FCGX_Stream *out = fcgx->out;
    if (FAIL_AT(FAIL_WRITE) != FAIL_NONE)
        (void)shutdown(fcgx->ipcFd, SHUT_RDWR); /* the writes below find nobody */
    (void)FCGX_FPrintF(out, "Status: %d\r\nContent-Type: %s\r\n", response->status,
                       response->content_type);
    for (const struct http_param *header = response->headers; header->name != NULL; header++)
        (void)FCGX_FPrintF(out, "%s: %s\r\n", header->name, header->value);
    (void)FCGX_FPrintF(out, "Content-Length: %d\r\n\r\n", (int)response->body.len);
    (void)FCGX_PutStr(buf_text(&response->body), (int)response->body.len, out);
}

/* Until somebody is there; USR1 ends it. As epoll_pwait. */
static int await_connection(void)
{
    struct epoll_event event;
    return epoll_pwait(waiting, &event, 1, -1, &usr1_open);
}

static bool is_passing(int code)
{
    return code == EAGAIN || code == EWOULDBLOCK || code == EINTR || code == ECONNABORTED;
}

/* -1: the program ends, or nothing can be accepted. */
static int accept_one(void)
{
    int fd = -1, problem = EINTR;
    while (fd < 0 && is_passing(problem)) {
        int told = await_connection();
        problem = errno;
        if (draining)
            return -1;
        if (told != 1)
            continue;
        fd = accept4(FCGI_LISTENSOCK_FILENO, NULL, NULL, SOCK_CLOEXEC);
        problem = errno;
        if (!listen_for_one(EPOLL_CTL_MOD))
            abort(); /* nobody would ever be told again */
    }
    return fd;
}

/* Closes at once what was read whole, up to the record that ends it. Else libfcgi waits for the
 * other side to hang up, for what is closed with a byte unread may take the answer with it. */
static void close_at_once(FCGX_Request *fcgx, enum err err)
{
    if (!err && FCGX_GetChar(fcgx->in) < 0 && FCGX_GetError(fcgx->in) == 0)
        (void)FCGX_Detach(fcgx);
}

static void serve_one(struct worker *worker, FCGX_Request *fcgx)
{
    struct http_request request = {.arena = worker->arena};
    struct http_response response = {.status = 200,
                                     .content_type = "application/json; charset=utf-8"};
    *clock_meter() = (struct clock_meter){0};
    enum err err = read_request(fcgx, worker->server, &request);
    buf_init(&response.body, worker->arena, worker->server->arena_bytes);
    if (err)
        worker->server->refuse(worker->state, &request, err, &response);
    else
        worker->server->handle(worker->state, &request, &response);
    send_response(fcgx, &response);
    close_at_once(fcgx, err);
    FCGX_Finish_r(fcgx);
    if (response.after != NULL)
        response.after(worker->state, &request, response.after_context);
    arena_reset(worker->arena);
}

/* Whoever connects and then falls silent holds a thread, and the end of the program, no longer than
 * a request may. */
static void limit_silence(int fd, int64_t ms)
{
    const struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

static void *work(void *context)
{
    struct worker *worker = context;
    FCGX_Request fcgx;
    int fd;
    (void)FCGX_InitRequest(&fcgx, -1, 0); /* it never accepts by itself */
    while ((fd = accept_one()) >= 0) {
        limit_silence(fd, worker->server->budget_ms);
        fcgx.ipcFd = fd;
        fcgx.keepConnection = 1;       /* else it would be closed as that of the request before */
        if (FCGX_Accept_r(&fcgx) == 0) /* else whoever connected has gone again */
            serve_one(worker, &fcgx);
        FCGX_Free(&fcgx, 1);
    }
    worker->ended = true;
    return NULL;
}

static bool worker_start(struct worker *worker, const struct fcgi_server *server)
{
    worker->server = server;
    worker->arena = arena_new(server->arena_bytes);
    worker->state = worker->arena == NULL ? NULL : server->thread_start(server->context);
    return worker->state != NULL && pthread_create(&worker->thread, NULL, work, worker) == 0;
}

/* Wakes all until all have ended: a signal may arrive just before its thread accepts. */
static void workers_end(struct worker *workers, size_t count)
{
    draining = true;
    FCGX_ShutdownPending();
    for (size_t alive = count; alive > 0;) {
        alive = 0;
        for (size_t i = 0; i < count; i++)
            if (!workers[i].ended && pthread_kill(workers[i].thread, SIGUSR1) == 0)
                alive++;
        if (alive > 0)
            clock_sleep_ms(DRAIN_POLL_MS);
    }
    for (size_t i = 0; i < count; i++)
        (void)pthread_join(workers[i].thread, NULL);
}

/* A thread that ended without a signal could not accept (no descriptors, say): end, be respawned.
 */
static bool any_ended(const struct worker *workers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (workers[i].ended)
            return true;
    return false;
}

static enum err await_signal(const struct worker *workers, size_t count)
{
    const sigset_t set = program_end_signals();
    const struct timespec second = {.tv_sec = 1};
    while (sigtimedwait(&set, NULL, &second) < 0)
        if (any_ended(workers, count))
            return ERR_INTERNAL;
    return ERR_NONE;
}

bool fcgi_draining(void)
{
    return draining;
}

enum err fcgi_serve(const struct fcgi_server *server)
{
    struct worker *workers = calloc((size_t)server->threads, sizeof *workers);
    size_t started = 0;
    enum err err = ERR_NONE;
    if (workers == NULL)
        return ERR_INTERNAL;
    while (started < (size_t)server->threads && worker_start(&workers[started], server))
        started++;
    if (started == (size_t)server->threads)
        err = await_signal(workers, started);
    else
        err = ERR_INTERNAL;
    workers_end(workers, started);
    for (size_t i = 0; i < (size_t)server->threads; i++) {
        if (workers[i].state != NULL)
            server->thread_end(workers[i].state);
        arena_free(workers[i].arena);
    }
    free(workers);
    return err;
}
