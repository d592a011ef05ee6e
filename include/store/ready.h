/* Is the database fit for money? */
#ifndef STORE_READY_H
#define STORE_READY_H

#include "store/db.h"

/* The migration that this program was written for. */
#define SCHEMA_VERSION 18

/* *ret_problem: NULL when all is well, else fixed text. A step inside a unit (store/db.h). */
enum err ready_check(struct db *db, const char **ret_problem) MUST_CHECK;

#endif
