/* The provider of the benchmark: Payviox's create and read-back over TLS, answered after a delay,
 * for as little CPU as possible, by one thread. All contenders call it. It keeps nothing but a
 * count: a session's id is the order's with three letters in front.
 *
 *   provider PORT CERTIFICATE KEY SECRET
 *
 * POST /delay/MS sets the delay of creates, GET /count tells how many creates were taken, and over
 * how many connections. */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IN_MAX = 8192, OUT_MAX = 1024, ORDER_MAX = 64, EVENTS = 256 };

struct client {
    SSL *ssl;
    struct client *next; /* in the queue of those who wait for their answer */
    uint64_t due_ns;
    size_t in_len;
    int out_len;
    int fd;
    bool waits, gone, last;
    char in[IN_MAX + 1];
    char out[OUT_MAX];
};

static struct {
    struct client *first, *end; /* all wait equally long, so the queue is in order of time */
    const char *secret;
    uint64_t delay_ns;
    long creates, connections;
    int epoll;
} here;

static uint64_t now_ns(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "provider: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* One that waits is freed when its turn comes. */
static void client_end(struct client *client)
{
    if (client->fd >= 0) {
        SSL_free(client->ssl);
        close(client->fd);
        client->fd = -1;
    }
    if (client->waits)
        client->gone = true;
    else
        free(client);
}

/* Answers are small: one that does not fit into the socket's buffer is not worth a second try. */
static void client_answer(struct client *client)
{
    int sent = SSL_write(client->ssl, client->out, client->out_len);
    client->in_len = 0;
    if (sent != client->out_len || client->last)
        client_end(client);
}

static void write_answer(struct client *client, const char *status, const char *body)
{
    client->out_len = snprintf(client->out, OUT_MAX,
                               "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
                               "Content-Length: %zu\r\nConnection: %s\r\n\r\n%s",
                               status, strlen(body), client->last ? "close" : "keep-alive", body);
}

/* The text after `before`, up to one of `ends`. */
static bool copy_after(const char *text, const char *before, const char *ends, char *ret)
{
    const char *at = strstr(text, before);
    size_t len = at == NULL ? 0 : strcspn(at + strlen(before), ends);
    if (len == 0 || len >= ORDER_MAX)
        return false;
    memcpy(ret, at + strlen(before), len);
    ret[len] = '\0';
    return true;
}

static bool may_create(const char *request)
{
    const char *bearer = strcasestr(request, "\r\nauthorization: bearer ");
    size_t len = strlen(here.secret);
    return bearer != NULL && strncmp(bearer + 24, here.secret, len) == 0 &&
           bearer[24 + len] == '\r';
}

static void client_create(struct client *client, const char *body)
{
    char order[ORDER_MAX], text[4 * ORDER_MAX];
    if (!may_create(client->in))
        write_answer(client, "401 Unauthorized", "{\"error\":\"Unauthorized\"}");
    else if (!copy_after(body, "\"order_id\":\"", "\"", order))
        write_answer(client, "400 Bad Request", "{\"error\":\"No order_id\"}");
    else {
        here.creates++;
        snprintf(text, sizeof text,
                 "{\"session_id\":\"cs_%s\",\"redirect_url\":\"https://secure.bench.test/cs_%s\"}",
                 order, order);
        write_answer(client, "201 Created", text);
    }
    if (here.delay_ns == 0) {
        client_answer(client);
        return;
    }
    client->waits = true;
    client->due_ns = now_ns() + here.delay_ns;
    client->next = NULL;
    if (here.first == NULL)
        here.first = client;
    else
        here.end->next = client;
    here.end = client;
}

static void client_request(struct client *client, const char *body)
{
    char text[4 * ORDER_MAX], order[ORDER_MAX];
    client->last = strcasestr(client->in, "\r\nconnection: close\r\n") != NULL;
    if (strncmp(client->in, "POST /session ", 14) == 0) {
        client_create(client, body);
        return;
    }
    if (copy_after(client->in, "GET /payment/cs_", " ", order)) {
        snprintf(text, sizeof text,
                 "{\"session_id\":\"cs_%s\",\"order_id\":\"%s\",\"status\":null}", order, order);
        write_answer(client, "200 OK", text);
    } else if (copy_after(client->in, "POST /delay/", " ", order)) {
        here.delay_ns = strtoull(order, NULL, 10) * 1000000u;
        write_answer(client, "200 OK", "{}");
    } else {
        snprintf(text, sizeof text, "{\"creates\":%ld,\"connections\":%ld}", here.creates,
                 here.connections);
        write_answer(client, "200 OK", text);
    }
    client_answer(client);
}

/* Is the request complete? Then it is answered, or waits; nobody pipelines. */
static void client_read(struct client *client)
{
    ERR_clear_error();
    int got = SSL_read(client->ssl, client->in + client->in_len, (int)(IN_MAX - client->in_len));
    if (got <= 0) {
        int error = SSL_get_error(client->ssl, got);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
            client_end(client);
        return;
    }
    client->in_len += (size_t)got;
    client->in[client->in_len] = '\0';
    const char *end = strstr(client->in, "\r\n\r\n");
    const char *length = strcasestr(client->in, "\r\ncontent-length: ");
    size_t body_len = length == NULL || end == NULL ? 0 : strtoul(length + 18, NULL, 10);
    if (end != NULL && client->in_len >= (size_t)(end + 4 - client->in) + body_len)
        client_request(client, end + 4);
    else if (client->in_len == IN_MAX)
        client_end(client);
    else if (SSL_has_pending(client->ssl))
        client_read(client);
}

static void accept_all(int listener, SSL_CTX *tls)
{
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct client *client = calloc(1, sizeof *client);
        if (client == NULL || (client->ssl = SSL_new(tls)) == NULL)
            die("client");
        client->fd = fd;
        here.connections++;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        SSL_set_fd(client->ssl, fd);
        SSL_set_accept_state(client->ssl);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        if (epoll_ctl(here.epoll, EPOLL_CTL_ADD, fd, &event) != 0)
            die("epoll_ctl");
    }
}

/* Answers whose time has come. Returns the milliseconds until the next one's, -1 for none. */
static int answer_due(void)
{
    while (here.first != NULL) {
        struct client *client = here.first;
        uint64_t now = now_ns();
        if (client->due_ns > now)
            return (int)((client->due_ns - now) / 1000000u + 1);
        here.first = client->next;
        client->waits = false;
        if (client->gone)
            free(client);
        else
            client_answer(client);
    }
    return -1;
}

static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 4096) != 0)
        die("listen");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(here.epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        die("epoll_ctl");
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: provider PORT CERTIFICATE KEY SECRET\n");
        return 2;
    }
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (tls == NULL || SSL_CTX_use_certificate_chain_file(tls, argv[2]) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, argv[3], SSL_FILETYPE_PEM) != 1)
        die("certificate");
    signal(SIGPIPE, SIG_IGN);
    here.secret = argv[4];
    here.epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on(atoi(argv[1]));
    struct epoll_event events[EVENTS];
    for (;;) {
        int count = epoll_wait(here.epoll, events, EVENTS, answer_due());
        for (int i = 0; i < count; i++) {
            struct client *client = events[i].data.ptr;
            if (client == NULL)
                accept_all(listener, tls);
            else if (!client->waits)
                client_read(client);
            else
                client_end(client); /* speaks or leaves while it waits */
        }
    }
}
