/* How notices, deliveries and reviews are shown, in lists of their own and with their payment; the
 * one way in which an operator's doing gets into a timeline. */
#ifndef CTL_MESSAGES_H
#define CTL_MESSAGES_H

#include "ctl/show.h"

extern const struct column notice_columns[];   /* inbox.c */
extern const struct column delivery_columns[]; /* outbox.c */
extern const struct column review_columns[];   /* review.c */

/* The number of a message that a command is about; false: it is none, and that has been said. */
bool message_id(const struct ctl *ctl, int64_t *ret_id);

/* A list of messages, by pages: those that the filter leaves, from --cursor on, up to --limit. key:
 * of the list in JSON. Returns an enum ctl_exit. */
typedef enum err message_inspect(struct db *db, const struct inspect_messages *filter,
                                 struct inspect_rows *ret_rows);
int message_list(const struct ctl *ctl, message_inspect *inspect, struct inspect_messages *filter,
                 const char *key, const struct column *columns);

/* "what, by operator" into the timeline of a payment; "" is none. A step inside a unit of work. */
enum err message_note(struct db *db, const char *payment_id, const char *what,
                      const char *operator_name) MUST_CHECK;

#endif
