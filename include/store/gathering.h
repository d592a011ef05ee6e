/* What the units of a group share while they run: the changes that they hold back, and the rows
 * that were fetched for all of them. For gather.c, which runs them, and held.c. */
#ifndef STORE_GATHERING_H
#define STORE_GATHERING_H

#include "store/batch.h"

enum { MEMBERS_MAX = MANY_MAX, APPENDED_MAX = 1024, AHEAD_MAX = 2 * MANY_MAX, AHEADS = 6 };

/* A row that was fetched for all, for the statement that asks for it alone. */
struct ahead_row {
    unsigned columns;
    char **cells;
    unsigned long *lens;
    char *nulls;
};

struct gathering {
    struct gathering *next_idle;
    bool runs;                         /* and has not made way for another one */
    enum around around;                /* AROUND_NOTHING: its units only read */
    struct arena *arena;               /* the leader's, which ends last */
    struct member *taken[MEMBERS_MAX]; /* all that the group began with */
    size_t taken_count;
    struct member *members[MEMBERS_MAX]; /* those still in it */
    size_t member_count;
    const char *keys[MEMBERS_MAX]; /* theirs; NULL: none */
    struct appended appended[APPENDED_MAX];
    size_t appended_count;
    const struct appended *list[APPENDED_MAX]; /* the same in the order in which they are run */
    size_t running;                            /* index of the member whose unit runs */
    size_t first;                              /* of the running unit's own */
    bool executed;                             /* the running unit has changed something already */
    bool broken;    /* what was held back has failed: no unit may go on */
    bool committed; /* with the last of what was held back */
    size_t cause;   /* the member whose statement it was; member_count: who knows */
    bool fetched[AHEADS];
    struct ahead_row rows[AHEADS][AHEAD_MAX];
    size_t row_counts[AHEADS];
};

/* Forgets what an earlier group has left. */
void held_reset(struct gathering *gathering);

/* Before the unit of a member runs. */
void held_unit(struct gathering *gathering, size_t member);

/* Drops what the running unit has held back. */
void held_drop(struct gathering *gathering);

/* Runs all that is held back; last: no unit adds anything, and the COMMIT may be in it. */
enum err held_flush(struct db *db, bool last) MUST_CHECK;

#endif
