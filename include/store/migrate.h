/* Forward-only migrations: numbered files, each applied once, each checked to be unchanged. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/db.h"

#include <stdio.h>

/* Applies what is missing of NNNN_*.sql in the folder, then grants.sql. Progress and problems are
 * lines on report. The pool must be the admin's. */
enum err migrate_run(struct db_pool *pool, struct arena *arena, const char *folder,
                     FILE *report) MUST_CHECK;

#endif
