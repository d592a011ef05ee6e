/* HTTPS and SMTP client (libcurl): one transfer at a time, one handle per thread, never a
 * redirect, never a proxy. It only carries bytes and says how far they came. */
#ifndef BASE_HTTPC_H
#define BASE_HTTPC_H

#include "base/arena.h"
#include "base/crypt.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTPC_HEADERS_MAX 8
#define HTTPC_ANSWER_MAX  (256 * 1024)
#define HTTPC_KEPT_MAX    2048

struct httpc;

struct httpc_options {
    const char *ca_file;        /* the certificates trusted; must outlive all clients */
    int64_t connect_timeout_ms; /* for name lookup, connect and TLS together */
    int64_t timeout_ms;         /* for the whole transfer */
    const char *user_agent;
};

struct httpc_request {
    const char *method; /* "GET", "POST" or "PUT" */
    const char *url;
    const char *headers[HTTPC_HEADERS_MAX]; /* "Name: value"; NULL ends the list */
    const char *body;                       /* POST and PUT only; NULL when there is none */
    size_t body_len;
    int64_t deadline_ms; /* monotonic; 0: only the options' time-out */
    int64_t timeout_ms;  /* instead of the options'; 0: theirs */
    bool plain;          /* http:// is taken too */
    const char *keep;    /* lines of the answer's header that begin so, in either case, are kept;
                          * NULL: none */
};

enum httpc_result {
    HTTPC_ANSWERED, /* a whole HTTP answer was read, whatever its status */
    HTTPC_NOT_SENT, /* no byte of the request left: safe to repeat */
    HTTPC_UNKNOWN,  /* sent in part or whole, no whole answer: it may have happened */
};

struct httpc_answer {
    enum httpc_result result;
    int status;       /* when answered; of a mail also when refused */
    const char *body; /* in the arena, NUL-terminated, never NULL */
    size_t body_len;
    int64_t retry_after_s; /* from the Retry-After header in seconds; 0: none */
    int64_t at_s;          /* Unix seconds when it was read */
    const char *kept;      /* the lines that were to be kept, each with its line end; never NULL */
    const char *problem;   /* fixed text: why there is no answer; "" when there is one */
};

/* NULL when curl has no memory. Not for use by two threads at a time. */
struct httpc *httpc_new(const struct httpc_options *options);
void httpc_free(struct httpc *client);

/* Connections are used again, by the same thread, within a second. No request with a body is
 * ever sent twice: one whose connection dies before the answer is UNKNOWN. */
void httpc_call(struct httpc *client, struct arena *arena, const struct httpc_request *request,
                struct httpc_answer *ret_answer);

struct httpc_mail {
    const char *server; /* "smtp://host:port", "smtps://host:port" or "unix:/path/of/socket" */
    const char *user;   /* NULL: no login */
    const struct secret *password; /* with a user */
    bool starttls; /* an smtp:// server hears nothing of the mail before TLS; off: never any TLS,
                      for a server on this machine */
    const char *from, *to; /* addresses alone, without names */
    const char *message;   /* RFC 5322, lines end in CRLF */
    size_t message_len;
    int64_t deadline_ms; /* monotonic */
};

/* Hands one message to a server, over a connection of its own. ANSWERED: the server took it over.
 * NOT_SENT: it did not; status is the SMTP code by which it refused this message (5xx: for good,
 * 4xx: for now) or 0 when it never came to that (no server, no TLS, a wrong password). UNKNOWN: the
 * message went out whole, but the connection broke before the verdict. */
void httpc_mail(struct httpc *client, struct arena *arena, const struct httpc_mail *mail,
                struct httpc_answer *ret_answer);

/* Counts reasons why this thread must not call out (a database connection held);
 * httpc_call and httpc_mail assert that there is none. */
void httpc_forbid(void);
void httpc_permit(void);

#endif
