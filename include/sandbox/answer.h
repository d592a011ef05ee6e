/* The few forms of answer that every part of the sandbox gives. */
#ifndef SANDBOX_ANSWER_H
#define SANDBOX_ANSWER_H

#include "base/arena.h"
#include "base/http.h"
#include "base/json.h"

/* {"error": message} */
void answer_error(struct http_response *response, int status, const char *message);

/* 405 with the methods that are allowed. */
void answer_method(struct http_response *response, const char *allowed);

/* 303: the browser asks for the path with GET. */
void answer_see_other(struct http_response *response, const char *path);

/* No answer: nginx closes the connection (see the location /internal/reset of its configuration).
 */
void answer_reset(struct http_response *response);

/* What pages may do; the sources to which forms may lead follow it. */
#define ANSWER_POLICY                                                                              \
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; "     \
    "form-action "

/* An HTML page that is in the body already; status 200 unless changed afterwards. */
void answer_html(struct http_response *response);

/* Opens a JSON answer: its top-level object is open. NULL when the arena is full; the answer is
 * then an error already. */
struct json_out *answer_json(struct arena *arena, struct http_response *response, int status);

/* Closes it; what did not fit becomes a 500. */
void answer_json_end(struct http_response *response, struct json_out *out);

#endif
