/* A request and its answer as plain structs, whatever carries them. */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define HTTP_PARAMS_MAX  256
#define HTTP_HEADERS_MAX 24
#define CLIENT_IP_MAX    46 /* bytes of an IP address as text, with its NUL */

struct http_param {
    const char *name; /* as FastCGI has it: CONTENT_TYPE, HTTP_AUTHORIZATION, … */
    const char *value;
};

/* Everything lives in the arena until the answer is sent. No text is NULL. */
struct http_request {
    struct arena *arena;
    const char *method;
    const char *path; /* decoded and normalised by nginx (DOCUMENT_URI) */
    const char *query;
    const char *content_type;
    const char *client_ip;
    const char *id; /* the request id that nginx gave */
    const char *body;
    size_t body_len;
    int64_t deadline_ms; /* monotonic */
    struct http_param params[HTTP_PARAMS_MAX + 1];
};

struct http_response {
    int status;
    const char *content_type; /* starts as application/json; charset=utf-8 */
    struct buf body;
    struct http_param headers[HTTP_HEADERS_MAX + 1]; /* set with http_header_set */
    /* Work that is left when the answer has been sent, done by the same thread with its state; what
     * it needs lives in the request's arena. NULL: none. */
    void (*after)(void *state, const struct http_request *request, void *context);
    void *after_context;
    char location[64], retry_after[24]; /* room for their values, when the arena has none */
};

/* A client's header by its FastCGI name (HTTP_IDEMPOTENCY_KEY). *ret_value is NULL when it was
 * not sent. ERR_DUPLICATE_HEADER when it came twice. */
enum err http_header_get(const struct http_request *request, const char *name,
                         const char **ret_value) MUST_CHECK;

/* The value must live as long as the response, and hold no line end. */
void http_header_set(struct http_response *response, const char *name, const char *value);

/* The same, but as one more line where the name stands already. */
void http_header_add(struct http_response *response, const char *name, const char *value);

/* One field of an application/x-www-form-urlencoded text (a body or a query). */
struct http_field {
    const char *name, *value;
    struct http_field *next;
};

/* ERR_PAYLOAD for bad escapes, NUL, invalid UTF-8, repeated names, over 256 fields. */
enum err http_form_parse(struct arena *arena, const char *text, size_t len,
                         struct http_field **ret_fields) MUST_CHECK;

/* NULL when there is no such field. */
const char *http_form_get(const struct http_field *fields, const char *name);

#endif
