/* /control: faults on demand, payments without a browser, and the journal. */
#ifndef SANDBOX_CONTROL_H
#define SANDBOX_CONTROL_H

#include "base/http.h"

void control_handle(const struct http_request *request, struct http_response *response);

#endif
