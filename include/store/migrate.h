/* Forward-only migrations: numbered files, each applied once, each checked to be unchanged. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/db.h"

#include <stdio.h>

#define MIGRATE_PROBLEM_MAX 2048

/* Applies what is missing of NNNN_*.sql in the folder, then grants.sql. What was applied is a line
 * each on report; ret_problem says why no more was. The pool must be the admin's. */
enum err migrate_run(struct db_pool *pool, struct arena *arena, const char *folder, FILE *report,
                     char ret_problem[MIGRATE_PROBLEM_MAX]) MUST_CHECK;

#endif
