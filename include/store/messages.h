/* Notices from providers (inbox), events for others (outbox) on their way (deliveries), alerts
 * for users (notifications), counters.
 * Every function is a step inside a unit of work (store/db.h). */
#ifndef STORE_MESSAGES_H
#define STORE_MESSAGES_H

#include "base/ident.h"
#include "store/db.h"

#define INBOX_TRIES_MAX 10 /* internal tries of a notice that names no payment of ours */

enum inbox_state { INBOX_DONE, INBOX_UNMATCHED, INBOX_REVIEW };

struct notice_row {
    int64_t id; /* 0: it is not stored before inbox_set */
    enum inbox_state state;
    int64_t tries, copies;
    char provider[17];
    const char *body; /* in the unit's arena */
    size_t body_len;
};

/* Stores a notice, or counts one more copy of it; the row is locked until the unit ends. In a
 * gathered unit it passes for new: a copy makes the unit run again, alone. */
enum err inbox_put(struct db *db, const char *provider, const char *body, size_t len,
                   struct notice_row *ret_row) MUST_CHECK;

/* reference: what it names, a payment or one of its attempts; "": nothing that is known. retry_in_s
 * below 0: no further try by us. */
enum err inbox_set(struct db *db, const struct notice_row *row, enum inbox_state state,
                   const char *note, const char *reference, int64_t retry_in_s) MUST_CHECK;

/* The unmatched notice due first, moved forward by lease_s; 0 when none is due. */
enum err inbox_take(struct db *db, int64_t lease_s, int64_t *ret_id) MUST_CHECK;

/* The row as it is now. It must exist. */
enum err inbox_get(struct db *db, int64_t id, struct notice_row *ret_row) MUST_CHECK;

/* The same, locked until the unit ends. */
enum err inbox_lock(struct db *db, int64_t id, struct notice_row *ret_row) MUST_CHECK;

/* What became of an operator's wish to try something again. */
enum retried {
    RETRIED,
    RETRIED_ALREADY, /* it is due anyway */
    RETRIED_NOT,     /* it is done, and stays so */
    RETRIED_NONE,    /* there is no such row */
};

/* A notice that is not done is due now, one in review too. *ret_payment_id: the payment that it
 * names, if it is one of ours, else "". */
enum err inbox_retry(struct db *db, int64_t id, enum retried *ret_retried,
                     char ret_payment_id[IDENT_MAX]) MUST_CHECK;

/* Once per payment, topic and sequence: the first body stays. NULL: an event for people only.
 * *ret_id is for the next two; what it points to is 0 for one that was there already. */
enum err outbox_put(struct db *db, const char *payment_id, const char *topic, int64_t sequence,
                    const char *body, const int64_t **ret_id) MUST_CHECK;

/* Puts an event on its way to a receiver; once per event and receiver. */
enum err deliveries_put(struct db *db, const int64_t *outbox_id, const char *receiver) MUST_CHECK;

/* Puts an event on its way to every one of the receivers (store/receivers.h), likewise. */
enum err deliveries_put_all(struct db *db, const int64_t *outbox_id) MUST_CHECK;

enum delivery_state { DELIVERY_WAITING, DELIVERY_DONE, DELIVERY_DEAD };

struct delivery {
    int64_t id; /* 0: there is none */
    int64_t tries;
    char payment_id[IDENT_MAX], topic[33];
    int64_t sequence;
    int64_t time_s;   /* of the event, Unix seconds */
    const char *body; /* of the event, in the unit's arena; "": it has none */
};

/* The delivery due first for a receiver, moved forward by lease_s. */
enum err deliveries_take(struct db *db, const char *receiver, int64_t lease_s,
                         struct delivery *ret_delivery) MUST_CHECK;

/* retry_in_ms counts only while it waits. What is over stays so, whoever comes late. */
enum err deliveries_set(struct db *db, int64_t id, enum delivery_state state, const char *note,
                        int64_t retry_in_ms) MUST_CHECK;

/* A delivery is due now, whatever became of it; one that was over starts its tries anew. */
struct retried_delivery {
    enum retried retried;
    char payment_id[IDENT_MAX], receiver[65], topic[33];
};
enum err deliveries_retry(struct db *db, int64_t id,
                          struct retried_delivery *ret_delivery) MUST_CHECK;

/* The next after this id that was given up for the receiver; 0 when there is none. */
enum err deliveries_dead_after(struct db *db, const char *receiver, int64_t id,
                               int64_t *ret_id) MUST_CHECK;

/* Tells a user something about a payment; once per payment, user and kind. */
enum err notifications_put(struct db *db, int64_t user_id, const char *payment_id, const char *kind,
                           const char *text) MUST_CHECK;

struct notification {
    int64_t id, time_s; /* Unix seconds */
    const char *text;   /* in the unit's arena */
    char payment_id[IDENT_MAX];
};

/* The newest that the user has not read, up to max; *ret_unread counts them, up to 1000. */
enum err notifications_get(struct db *db, int64_t user_id, int64_t max,
                           struct notification *ret_notifications, size_t *ret_count,
                           int64_t *ret_unread) MUST_CHECK;
/* Marks a thousand of them as read; *ret_left: there may be more. */
enum err notifications_read(struct db *db, int64_t user_id, bool *ret_left) MUST_CHECK;

enum err counters_add(struct db *db, const char *name) MUST_CHECK;

#endif
