/* The front page of the sandbox. */
#ifndef SANDBOX_INDEX_H
#define SANDBOX_INDEX_H

#include "base/http.h"

void index_handle(const struct http_request *request, struct http_response *response);

#endif
