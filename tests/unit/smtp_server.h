/* An SMTP server in a thread of the test, which answers each command as a script says and remembers
 * what it was sent. With the certificate of tls_server.h it speaks TLS. */
#ifndef UNIT_SMTP_SERVER_H
#define UNIT_SMTP_SERVER_H

#include "tls_server.h"

#include <sys/un.h>

/* What is said when; NULL: the connection is cut instead. "": nothing, until the client goes. */
struct smtp_script {
    const char *greeting, *ehlo, *starttls, *auth, *mail, *rcpt, *data, *end, *quit;
};

#define SMTP_FINE                                                                                  \
    {                                                                                              \
        "220 here\r\n", "250 hello\r\n", "220 go on\r\n", "235 welcome\r\n", "250 sender\r\n",     \
            "250 recipient\r\n", "354 go on\r\n", "250 queued\r\n", "221 bye\r\n"                  \
    }

static struct {
    pthread_t thread;
    int socket, port;
    char path[64]; /* of a unix socket, "" for TCP */
    bool tls;      /* from the first byte */
    struct smtp_script script;
    /* what happened; to be read when the client is done */
    int connections;
    char commands[2000];  /* before TLS those in small letters */
    char message[300000]; /* as it came, dots and all */
} smtp;

struct smtp_peer {
    int socket;
    SSL *ssl; /* NULL: in the clear */
};

static bool smtp_read_line(const struct smtp_peer *peer, char *line, size_t size)
{
    size_t len = 0;
    while (len + 1 < size) {
        long got = peer->ssl != NULL ? SSL_read(peer->ssl, line + len, 1)
                                     : read(peer->socket, line + len, 1);
        if (got != 1)
            return false;
        if (line[len++] == '\n')
            break;
    }
    line[len] = '\0';
    return true;
}

/* False when the connection is to end here. */
static bool smtp_say(const struct smtp_peer *peer, const char *text)
{
    char rest[100];
    int len = text == NULL ? 0 : (int)strlen(text);
    if (text == NULL)
        return false;
    if (len == 0) {
        while (smtp_read_line(peer, rest, sizeof rest))
            ;
        return false;
    }
    return peer->ssl != NULL ? SSL_write(peer->ssl, text, len) == len
                             : send(peer->socket, text, (size_t)len, MSG_NOSIGNAL) == len;
}

static bool smtp_start_tls(struct smtp_peer *peer)
{
    peer->ssl = SSL_new(server.context);
    (void)SSL_set_fd(peer->ssl, peer->socket);
    return SSL_accept(peer->ssl) == 1;
}

static void smtp_remember(char *to, size_t size, const char *text)
{
    size_t len = strlen(to);
    (void)snprintf(to + len, size - len, "%s", text);
}

static bool smtp_take_message(const struct smtp_peer *peer)
{
    char line[1100];
    if (strncmp(smtp.script.data, "354", 3) != 0)
        return true;
    while (smtp_read_line(peer, line, sizeof line)) {
        if (strcmp(line, ".\r\n") == 0)
            return smtp_say(peer, smtp.script.end);
        smtp_remember(smtp.message, sizeof smtp.message, line);
    }
    return false;
}

static bool smtp_log_in(const struct smtp_peer *peer)
{
    char line[1100];
    if (!smtp_say(peer, "334 \r\n") || !smtp_read_line(peer, line, sizeof line))
        return false;
    smtp_remember(smtp.commands, sizeof smtp.commands, line);
    return smtp_say(peer, smtp.script.auth);
}

static bool smtp_answer(struct smtp_peer *peer, const char *line)
{
    const struct smtp_script *script = &smtp.script;
    if (strncmp(line, "EHLO", 4) == 0 || strncmp(line, "HELO", 4) == 0)
        return smtp_say(peer, script->ehlo);
    if (strncmp(line, "STARTTLS", 8) == 0)
        return smtp_say(peer, script->starttls) && smtp_start_tls(peer);
    if (strncmp(line, "AUTH", 4) == 0)
        return smtp_log_in(peer);
    if (strncmp(line, "MAIL", 4) == 0)
        return smtp_say(peer, script->mail);
    if (strncmp(line, "RCPT", 4) == 0)
        return smtp_say(peer, script->rcpt);
    if (strncmp(line, "DATA", 4) == 0)
        return smtp_say(peer, script->data) && smtp_take_message(peer);
    (void)smtp_say(peer, script->quit);
    return false;
}

static void smtp_serve(int client)
{
    struct smtp_peer peer = {.socket = client};
    char line[1100];
    bool open = (!smtp.tls || smtp_start_tls(&peer)) && smtp_say(&peer, smtp.script.greeting);
    while (open && smtp_read_line(&peer, line, sizeof line)) {
        smtp_remember(smtp.commands, sizeof smtp.commands, peer.ssl == NULL ? "" : "(TLS) ");
        smtp_remember(smtp.commands, sizeof smtp.commands, line);
        open = smtp_answer(&peer, line);
    }
    SSL_free(peer.ssl);
    (void)close(client);
}

static void *smtp_run(void *context)
{
    const struct timeval longest = {.tv_sec = 10};
    int client;
    (void)context;
    while ((client = accept(smtp.socket, NULL, NULL)) >= 0) {
        (void)setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
        smtp.connections++;
        smtp_serve(client);
    }
    return NULL;
}

static bool smtp_listen(bool on_unix_socket)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    socklen_t len = sizeof in;
    if (on_unix_socket) {
        (void)snprintf(smtp.path, sizeof smtp.path, "%s/smtp", server.folder);
        memcpy(un.sun_path, smtp.path, sizeof smtp.path);
        smtp.socket = socket(AF_UNIX, SOCK_STREAM, 0);
        return bind(smtp.socket, (struct sockaddr *)&un, sizeof un) == 0;
    }
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    smtp.socket = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(smtp.socket, (struct sockaddr *)&in, sizeof in) != 0 ||
        getsockname(smtp.socket, (struct sockaddr *)&in, &len) != 0)
        return false;
    smtp.port = ntohs(in.sin_port);
    return true;
}

/* Serves until smtp_stop, which also makes what it remembers safe to read. */
static void smtp_start(const struct smtp_script *script, bool tls, bool on_unix_socket)
{
    memset(&smtp, 0, sizeof smtp);
    smtp.script = *script;
    smtp.tls = tls;
    assert_true(smtp_listen(on_unix_socket) && listen(smtp.socket, 4) == 0);
    assert_int_equal(pthread_create(&smtp.thread, NULL, smtp_run, NULL), 0);
}

static void smtp_stop(void)
{
    (void)shutdown(smtp.socket, SHUT_RDWR);
    (void)pthread_join(smtp.thread, NULL);
    (void)close(smtp.socket);
    if (smtp.path[0] != '\0')
        (void)unlink(smtp.path);
}

#endif
