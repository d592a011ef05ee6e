/* Telling people and programs what became of a payment: alerts and the outbox are written in the
 * transaction that made it true; mails leave later, from the outbox. */
#ifndef FLOW_NOTIFY_H
#define FLOW_NOTIFY_H

#include "flow/context.h"
#include "store/payments.h"

/* What the payer is told about a success. */
enum told {
    TOLD_NOTHING,
    TOLD_DEPOSIT,
    TOLD_PURCHASE,
    TOLD_UNDELIVERABLE, /* paid, but the items are gone: the money is on the balance */
};

/* A step inside a unit: the payment has just got this status. */
enum err notify_status(struct db *db, const struct payment *payment, enum payment_status status,
                       enum told told) MUST_CHECK;

/* What one step of the mail work did, for the log. */
struct notified {
    char payment_id[IDENT_MAX]; /* "": nothing was due */
    const char *found;          /* fixed text */
};

/* Sends the mail that is due first, if a mail server is configured. A mail that was perhaps taken
 * is sent again under the same Message-ID. */
enum err notify_mail_step(struct context *context, struct arena *arena,
                          struct notified *ret_done) MUST_CHECK;

#endif
