/* Mails to payers leave the outbox. Safe when several processes do it at once. */
#ifndef FLOW_MAIL_H
#define FLOW_MAIL_H

#include "flow/context.h"
#include "store/payments.h"

/* What one step did, for the log. */
struct mailed {
    char payment_id[IDENT_MAX]; /* "": nothing was due */
    const char *found;          /* fixed text */
    bool sent;
};

/* Sends the mail that is due first. One that the server may have taken is sent again: the same
 * message under the same Message-ID, so that a second copy is seen to be one. */
enum err mail_step(struct context *context, struct arena *arena,
                   struct mailed *ret_done) MUST_CHECK;

#endif
