/* Notices from providers (inbox), events for others (outbox), counters.
 * Every function is a step inside a unit of work (store/db.h). */
#ifndef STORE_MESSAGES_H
#define STORE_MESSAGES_H

#include "store/db.h"

#define INBOX_BODY_MAX  (64 * 1024)
#define INBOX_TRIES_MAX 10 /* internal tries of a notice that names no payment of ours */

enum inbox_state { INBOX_DONE, INBOX_UNMATCHED, INBOX_REVIEW };

struct notice_row {
    int64_t id; /* 0: there is none */
    enum inbox_state state;
    int64_t tries;
    char provider[17];
    const char *body; /* in the unit's arena */
    size_t body_len;
};

/* Stores a notice, or counts one more copy of it; the row is locked until the unit ends. */
enum err inbox_put(struct db *db, const char *provider, const char *body, size_t len,
                   struct notice_row *ret_row) MUST_CHECK;

/* retry_in_s < 0: no further try by us. */
enum err inbox_set(struct db *db, int64_t id, enum inbox_state state, const char *note,
                   const char *reference, int64_t retry_in_s) MUST_CHECK;

/* The unmatched notice due first, moved forward by lease_s; 0 when none is due. */
enum err inbox_take(struct db *db, int64_t lease_s, int64_t *ret_id) MUST_CHECK;

/* The row as it is now; locked until the unit ends. It must exist. */
enum err inbox_lock(struct db *db, int64_t id, struct notice_row *ret_row) MUST_CHECK;

/* Once per payment and topic. */
enum err outbox_put(struct db *db, const char *payment_id, const char *topic) MUST_CHECK;

enum err counters_add(struct db *db, const char *name) MUST_CHECK;

#endif
