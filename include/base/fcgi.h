/* FastCGI server (libfcgi): a fixed number of threads accept on descriptor 0, each copies its
 * request into an arena, runs one handler and sends one answer. TERM drains: requests being
 * worked on are answered, then fcgi_serve returns. */
#ifndef BASE_FCGI_H
#define BASE_FCGI_H

#include "base/err.h"
#include "base/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fcgi_server {
    int64_t threads;
    size_t arena_bytes;                   /* memory of one request at most */
    size_t body_max;                      /* bytes; a longer body is not read: refuse is called */
    int64_t budget_ms;                    /* for the whole request, from its acceptance */
    void *context;                        /* handed to thread_start */
    void *(*thread_start)(void *context); /* gives the thread's own state; NULL: cannot start */
    void (*thread_end)(void *state);
    void (*handle)(void *state, const struct http_request *request, struct http_response *response);
    /* answers a request that could not be read whole */
    void (*refuse)(void *state, const struct http_request *request, enum err why,
                   struct http_response *response);
};

/* Blocks TERM, INT, QUIT and USR1 and readies libfcgi. Call it first in main, before any thread
 * exists.
 */
enum err fcgi_prepare(void) MUST_CHECK;

/* Serves until TERM, INT or QUIT, then drains. ERR_INTERNAL when the threads cannot start. */
enum err fcgi_serve(const struct fcgi_server *server) MUST_CHECK;

/* Has the drain begun? For handlers that wait on purpose. */
bool fcgi_draining(void);

#endif
