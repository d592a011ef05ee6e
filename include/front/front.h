/* The way of one request: route, authentication, handler, log line. */
#ifndef FRONT_FRONT_H
#define FRONT_FRONT_H

#include "base/http.h"
#include "flow/context.h"

#define REQUEST_BODY_MAX (64 * 1024)

/* state is a struct context. Both fill the whole response and write one log line. */
void front_handle(void *state, const struct http_request *request, struct http_response *response);
void front_refuse(void *state, const struct http_request *request, enum err why,
                  struct http_response *response);

#endif
