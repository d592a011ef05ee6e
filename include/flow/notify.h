/* Telling people and programs what became of a payment, in the transaction that made it true:
 * alerts, and the outbox from which mails and events for the marketplace's own endpoints leave
 * later (flow/mail, flow/deliver). */
#ifndef FLOW_NOTIFY_H
#define FLOW_NOTIFY_H

#include "store/payments.h"

/* What the payer is told about a success. */
enum told {
    TOLD_NOTHING,
    TOLD_DEPOSIT,
    TOLD_PURCHASE,
    TOLD_UNDELIVERABLE, /* paid, but the items are gone: the money is on the balance */
};

/* The receiver of the outbox whose deliveries are mails to payers. */
#define MAIL_RECEIVER "mail"

/* An event of the outbox beside those named after a status. */
#define TOPIC_UNDELIVERABLE "payment.undeliverable"

/* Events that may happen to a payment more than once. */
#define TOPIC_REFUNDED "payment.refunded"
#define TOPIC_DISPUTED "payment.disputed"

/* A step inside a unit: the payment, which is told of as the struct says, has just got this status.
 */
enum err notify_status(struct db *db, const struct payment *payment, enum payment_status status,
                       enum told told) MUST_CHECK;

/* The same for what may happen to a payment more than once: refunds, and each turn of a dispute.
 * Every receiver is told, once per topic ("payment." and a word) and sequence: a repetition changes
 * nothing, not even the body. What is told is the payment's row as it stands in the unit now, so
 * all changes to it come first; of the struct only the id is read. */
enum err notify_event(struct db *db, const struct payment *payment, const char *topic,
                      int64_t sequence) MUST_CHECK;

#endif
