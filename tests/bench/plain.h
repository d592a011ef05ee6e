/* What the bare C programs of the benchmark share: a connection with the statements of a create. */
#ifndef BENCH_PLAIN_H
#define BENCH_PLAIN_H

#include <mysql.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_BYTES = 256 };

/* BENCH_SOCKET, BENCH_USER, BENCH_PASSWORD and BENCH_DATABASE of the environment. */
static inline MYSQL *plain_connect(void)
{
    MYSQL *db = mysql_init(NULL);
    if (mysql_real_connect(db, NULL, getenv("BENCH_USER"), getenv("BENCH_PASSWORD"),
                           getenv("BENCH_DATABASE"), 0, getenv("BENCH_SOCKET"), 0) == NULL) {
        fprintf(stderr, "bench: %s\n", mysql_error(db));
        exit(1);
    }
    return db;
}

static inline MYSQL_STMT *plain_prepare(MYSQL *db, const char *text, MYSQL_BIND *binds)
{
    MYSQL_STMT *statement = mysql_stmt_init(db);
    if (mysql_stmt_prepare(statement, text, strlen(text)) != 0 ||
        mysql_stmt_bind_param(statement, binds)) {
        fprintf(stderr, "bench: %s\n", mysql_stmt_error(statement));
        exit(1);
    }
    return statement;
}

#define PLAIN_INT(variable)                                                                        \
    (MYSQL_BIND)                                                                                   \
    {                                                                                              \
        .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &(variable)                                  \
    }
#define PLAIN_TEXT(text, len)                                                                      \
    (MYSQL_BIND)                                                                                   \
    {                                                                                              \
        .buffer_type = MYSQL_TYPE_STRING, .buffer = (text), .length = &(len)                       \
    }

#endif
