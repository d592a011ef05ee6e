/* The places where a call may fail, at which tests make it fail: the Nth that is passed, or all
 * from there on. In release builds there are none: FAIL_AT is a constant unless FAIL_POINTS is
 * defined. What a provider does wrong is played by the tests themselves, on the wire. */
#ifndef BASE_FAIL_H
#define BASE_FAIL_H

#include <stdbool.h>

enum fail_place {
    FAIL_MEMORY,    /* a piece of an arena */
    FAIL_STATEMENT, /* any command to the database but COMMIT */
    FAIL_COMMIT,
    FAIL_CLOCK, /* a reading of it */
    FAIL_WRITE, /* a line of log, or an answer to nginx */
};

/* What becomes of the call. Each place knows those that can happen there. */
enum fail {
    FAIL_NONE,
    FAIL_REFUSED,  /* a definite no: nothing is done */
    FAIL_CONFLICT, /* the same, but the whole unit may be tried again */
    FAIL_BEFORE,   /* the line breaks before it leaves */
    FAIL_AFTER,    /* it is carried out, and its answer does not come */
    FAIL_AHEAD,    /* the clock is an hour ahead */
    FAIL_BACK,     /* ... or late, the wall's only */
    FAIL_DEATH,    /* the process is killed instead */
};

#ifdef FAIL_POINTS
/* Counts for the calling thread. nth is 1 for the next one; lasting: those after it fail too. */
void fail_arm(enum fail_place place, enum fail fault, int nth, bool lasting);

/* True when it has come to a fault since fail_arm. */
bool fail_disarm(void);

enum fail fail_at(enum fail_place place);
#define FAIL_AT(place) fail_at(place)
#else
#define FAIL_AT(place) FAIL_NONE
#endif

#endif
