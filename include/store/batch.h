/* Several statements in one round trip: a compound statement, which the server parses once for each
 * list of statements. For db.c and held.c. */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store/connection.h"

/* A statement that is run later, or with others. */
struct appended {
    enum sql sql;
    const struct db_value *values; /* in the arena of their unit, as all that they point to */
    struct db_expected expected;
    size_t member; /* of a gathering: whose */
};

/* Runs up to BATCH_MAX of them, begins the transaction with the first if it has yet to begin, and
 * ends it with a COMMIT after the last if commits is true. Sets the numbers that they return, but
 * for inner ones with a COMMIT. What is not as it is expected to be is a conflict. */
enum err batch_run(struct db *db, const struct appended *const *list, size_t count,
                   bool commits) MUST_CHECK;

/* Begins the transaction with one or two statements that read. The rows of the first are read with
 * db_next, those of the second after db_read_next. */
enum err batch_begin_with(struct db *db, const struct db_read *reads, size_t count) MUST_CHECK;

#endif
