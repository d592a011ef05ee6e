/* Who is told of every event of the outbox, as the jobs program read it from its settings, and who
 * of them wants nothing, or nothing now: shared by all programs, and kept over their restarts.
 * Every function is a step inside a unit of work (store/db.h). */
#ifndef STORE_RECEIVERS_H
#define STORE_RECEIVERS_H

#include "store/db.h"

/* Adds a receiver, or moves it to another URL, where it is neither disabled nor at rest. */
enum err receivers_put(struct db *db, const char *name, const char *url) MUST_CHECK;

/* Forgets a receiver, if there is one of that name; what still waits for it is dead. *ret_left:
 * there is more of that than one unit should change, so it wants to be called again. */
enum err receivers_remove(struct db *db, const char *name, bool *ret_left) MUST_CHECK;

struct receiver {
    bool known;
    bool disabled; /* it said that it is gone */
    bool rests;    /* it said that this is too much */
};
enum err receivers_get(struct db *db, const char *name, struct receiver *ret_receiver) MUST_CHECK;

/* Until receivers_enable, or another URL. */
enum err receivers_disable(struct db *db, const char *name, const char *note) MUST_CHECK;

/* From now on it is sent what falls due. What it was not sent meanwhile is dead, and can be put on
 * its way again like any other delivery. No row affected (db_affected): neither disabled nor at
 * rest, or not there. */
enum err receivers_enable(struct db *db, const char *name) MUST_CHECK;

/* Nothing is sent for so long; a longer rest stays. */
enum err receivers_rest(struct db *db, const char *name, int64_t rest_s,
                        const char *note) MUST_CHECK;

#endif
