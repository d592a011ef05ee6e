/* A TLS server in threads of the test, which does with each connection what a script says and
 * remembers what it was sent. A second script is for the second connection and those after it. Its
 * certificate, for localhost, is made at the start. */
#ifndef UNIT_TLS_SERVER_H
#define UNIT_TLS_SERVER_H

#include "base/clock.h"

#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum act {
    ACT_CLOSE,      /* before TLS */
    ACT_HANG,       /* before TLS, until the client gives up */
    ACT_TLS_CLOSE,  /* after the handshake */
    ACT_READ_CLOSE, /* after the request */
    ACT_READ_HANG,
    ACT_READ_RESET, /* after the request, without a farewell */
    ACT_ANSWER,     /* the script's bytes, then close */
    ACT_LEAVE,      /* the script's bytes, then close, but not at once */
    ACT_PLAY,       /* what server.play says, then close */
    ACT_KEEP, /* the script's bytes; a second request on that connection gets ACT_READ_CLOSE */
};

struct script {
    enum act act;
    const char *answer;
    size_t len;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t closed;
    pthread_t thread;
    int socket, port;
    SSL_CTX *context;
    char folder[32], ca_file[64];
    struct script scripts[2];
    int turn; /* of the next connection */
    /* Writes the answer to a request; false: none, the connection is cut. Runs under the lock. */
    bool (*play)(const char *request, char *answer, size_t size);
    /* what happened */
    int open, requests, resumed; /* resumed: with a TLS session known before */
    char request[8192];          /* the last one */
    char lines[512];             /* "POST /session" and a line end, of each */
} server = {.lock = PTHREAD_MUTEX_INITIALIZER, .closed = PTHREAD_COND_INITIALIZER};

static inline void server_scripts(const struct script *first, const struct script *then)
{
    (void)pthread_mutex_lock(&server.lock);
    server.scripts[0] = *first;
    server.scripts[1] = *then;
    server.turn = 0;
    server.requests = 0;
    server.request[0] = server.lines[0] = '\0';
    (void)pthread_mutex_unlock(&server.lock);
}

static inline void server_script(enum act act, const char *answer, size_t len)
{
    const struct script script = {act, answer, len};
    server_scripts(&script, &script);
}

/* What was asked for since the script was set, a line each. */
static inline void server_copy_lines(char *to, size_t size)
{
    (void)pthread_mutex_lock(&server.lock);
    (void)snprintf(to, size, "%s", server.lines);
    (void)pthread_mutex_unlock(&server.lock);
}

static inline int server_requests(void)
{
    (void)pthread_mutex_lock(&server.lock);
    int requests = server.requests;
    (void)pthread_mutex_unlock(&server.lock);
    return requests;
}

static void server_make_certificate(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    (void)X509_set_version(cert, 2);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost",
                                     -1, -1, 0);
    (void)X509_set_issuer_name(cert, name);
    (void)X509_set_pubkey(cert, key);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
    (void)X509_add_ext(cert, names, -1);
    X509_EXTENSION_free(names);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    FILE *file = fopen(server.ca_file, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, cert), 1);
    (void)fclose(file);
    server.context = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(server.context, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(server.context, key), 1);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* Reads one request with its body. False when the client has gone. */
static bool server_read(SSL *ssl)
{
    char text[sizeof server.request];
    size_t len = 0, whole = 0;
    while (whole == 0 || len < whole) {
        int got = SSL_read(ssl, text + len, (int)(sizeof text - 1 - len));
        if (got <= 0)
            return false;
        len += (size_t)got;
        text[len] = '\0';
        const char *end = strstr(text, "\r\n\r\n"), *length = strstr(text, "Content-Length: ");
        if (end != NULL)
            whole = (size_t)(end + 4 - text) +
                    (length == NULL ? 0 : (size_t)strtol(length + 16, NULL, 10));
    }
    (void)pthread_mutex_lock(&server.lock);
    server.requests++;
    memcpy(server.request, text, len + 1);
    size_t known = strlen(server.lines);
    (void)snprintf(server.lines + known, sizeof server.lines - known, "%.*s\n",
                   (int)(strstr(text, " HTTP/") - text), text);
    (void)pthread_mutex_unlock(&server.lock);
    return true;
}

static void server_await_close(int client)
{
    char ignored[1024];
    while (read(client, ignored, sizeof ignored) > 0)
        ;
}

/* A server that will close says so in its answer, after the first line. */
static void server_write_last(SSL *ssl, const char *answer, size_t len)
{
    static const char close_it[] = "Connection: close\r\n";
    const char *end = len > 0 ? memchr(answer, '\n', len) : NULL;
    size_t first = end == NULL ? len : (size_t)(end + 1 - answer);
    if (first > 0)
        (void)SSL_write(ssl, answer, (int)first);
    if (end != NULL)
        (void)SSL_write(ssl, close_it, (int)sizeof close_it - 1);
    if (len > first)
        (void)SSL_write(ssl, answer + first, (int)(len - first));
}

static void server_play(SSL *ssl)
{
    char answer[2000];
    (void)pthread_mutex_lock(&server.lock);
    bool answered = server.play(server.request, answer, sizeof answer);
    (void)pthread_mutex_unlock(&server.lock);
    if (answered)
        server_write_last(ssl, answer, strlen(answer));
}

static void server_talk(SSL *ssl, int client, const struct script *script)
{
    enum act act = script->act;
    if (act == ACT_TLS_CLOSE || !server_read(ssl))
        return;
    if (act == ACT_ANSWER)
        server_write_last(ssl, script->answer, script->len);
    if (act == ACT_KEEP || act == ACT_LEAVE)
        (void)SSL_write(ssl, script->answer, (int)script->len);
    if (act == ACT_LEAVE)
        clock_sleep_ms(50);
    if (act == ACT_PLAY)
        server_play(ssl);
    if (act == ACT_KEEP)
        (void)server_read(ssl);
    if (act == ACT_READ_HANG)
        server_await_close(client);
    if (act != ACT_READ_RESET)
        (void)SSL_shutdown(ssl);
}

static void server_serve(int client)
{
    (void)pthread_mutex_lock(&server.lock);
    const struct script script = server.scripts[server.turn];
    server.turn = 1;
    (void)pthread_mutex_unlock(&server.lock);
    if (script.act == ACT_HANG)
        server_await_close(client);
    if (script.act == ACT_CLOSE || script.act == ACT_HANG)
        return;
    SSL *ssl = SSL_new(server.context);
    (void)SSL_set_fd(ssl, client);
    if (SSL_accept(ssl) == 1) {
        (void)pthread_mutex_lock(&server.lock);
        server.resumed += SSL_session_reused(ssl);
        (void)pthread_mutex_unlock(&server.lock);
        server_talk(ssl, client, &script);
    }
    SSL_free(ssl);
}

static void server_count_open(int more)
{
    (void)pthread_mutex_lock(&server.lock);
    server.open += more;
    (void)pthread_cond_broadcast(&server.closed);
    (void)pthread_mutex_unlock(&server.lock);
}

static void *server_connection(void *context)
{
    int client = (int)(intptr_t)context;
    server_serve(client);
    (void)close(client);
    server_count_open(-1);
    return NULL;
}

static void *server_run(void *context)
{
    const struct timeval longest = {.tv_sec = 10};
    pthread_t thread;
    int client;
    (void)context;
    while ((client = accept(server.socket, NULL, NULL)) >= 0) {
        (void)setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
        server_count_open(1);
        if (pthread_create(&thread, NULL, server_connection, (void *)(intptr_t)client) != 0)
            abort();
        (void)pthread_detach(thread);
    }
    return NULL;
}

static int server_start(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)snprintf(server.folder, sizeof server.folder, "/tmp/guichet-tls-XXXXXX");
    if (mkdtemp(server.folder) == NULL)
        return 1;
    (void)snprintf(server.ca_file, sizeof server.ca_file, "%s/ca.pem", server.folder);
    server_make_certificate();
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.socket = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server.socket, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(server.socket, 16) != 0 ||
        getsockname(server.socket, (struct sockaddr *)&address, &len) != 0)
        return 1;
    server.port = ntohs(address.sin_port);
    return pthread_create(&server.thread, NULL, server_run, NULL);
}

/* Until every connection has been closed from this end. */
static void server_await_silence(void)
{
    (void)pthread_mutex_lock(&server.lock);
    while (server.open > 0)
        (void)pthread_cond_wait(&server.closed, &server.lock);
    (void)pthread_mutex_unlock(&server.lock);
}

static int server_stop(void **state)
{
    (void)state;
    (void)shutdown(server.socket, SHUT_RDWR);
    (void)pthread_join(server.thread, NULL);
    server_await_silence();
    (void)close(server.socket);
    SSL_CTX_free(server.context);
    (void)unlink(server.ca_file);
    return rmdir(server.folder);
}

#endif
