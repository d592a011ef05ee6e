/* A mail taken apart: the headers and texts that a reader looks at. */
#ifndef SANDBOX_MAIL_PARTS_H
#define SANDBOX_MAIL_PARTS_H

#include "sandbox/mail_code.h"

#define MAIL_MAX (64 * 1024) /* bytes of a mail that are read */

/* UTF-8 that lives in the arena. A header that is missing is "". */
struct mail {
    const char *from, *to, *subject, *date, *message_id;
    const char *text; /* the first text/plain; NULL: none */
    const char *html; /* the first text/html; NULL: none */
};

/* Takes any bytes. What the arena does not hold is missing. */
void mail_read(struct arena *arena, struct slice raw, struct mail *ret_mail);

#endif
