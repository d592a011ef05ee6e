/* /mail/: the mails that were sent in the demo, for people and tests to read. */
#ifndef SANDBOX_MAIL_H
#define SANDBOX_MAIL_H

#include "base/http.h"

/* path: what follows /mail, with its slash, or "". */
void mail_handle(const struct http_request *request, const char *path,
                 struct http_response *response);

#endif
