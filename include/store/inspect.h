/* What an operator looks at (guichetctl): rows as texts, with the columns of their statement.
 * Nothing decides anything by them. Every function is a step inside a unit of work (store/db.h). */
#ifndef STORE_INSPECT_H
#define STORE_INSPECT_H

#include "base/crypt.h"
#include "store/db.h"

#define INSPECT_ROWS_MAX 1000 /* of one list about one payment */

struct inspect_rows {
    size_t count, columns;
    const char **cells; /* row by row, in the unit's arena; NULL where the database has NULL */
};

const char *inspect_cell(const struct inspect_rows *rows, size_t row, size_t column);

/* Lists are newest first. Texts that are NULL do not narrow, nor do numbers of 0. */
struct inspect_payments {
    const char *cursor; /* only those before this id */
    const char *provider, *status;
    int64_t user_id, since_ms;
    int64_t max;
};
enum err inspect_payments(struct db *db, const struct inspect_payments *filter,
                          struct inspect_rows *ret_rows) MUST_CHECK;

struct inspect_messages {
    int64_t cursor; /* only those before this id */
    const char *state;
    const char *party;      /* the provider of notices, the receiver of deliveries */
    const char *payment_id; /* of deliveries */
    int64_t max;
};
enum err inspect_notices(struct db *db, const struct inspect_messages *filter,
                         struct inspect_rows *ret_rows) MUST_CHECK;
enum err inspect_deliveries(struct db *db, const struct inspect_messages *filter,
                            struct inspect_rows *ret_rows) MUST_CHECK;

enum err inspect_reviews(struct db *db, const struct inspect_messages *filter,
                         struct inspect_rows *ret_rows) MUST_CHECK;

/* All receivers, or the one of that name. */
enum err inspect_receivers(struct db *db, const char *name,
                           struct inspect_rows *ret_rows) MUST_CHECK;

/* Everything of one kind about one payment; list is one of SQL_INSPECT_…_OF_PAYMENT. */
enum err inspect_of_payment(struct db *db, enum sql list, const char *payment_id,
                            struct inspect_rows *ret_rows) MUST_CHECK;

/* One row, or none; row is one of SQL_INSPECT_NOTICE, _DELIVERY, _REVIEW and _USER. */
enum err inspect_one(struct db *db, enum sql row, int64_t id,
                     struct inspect_rows *ret_rows) MUST_CHECK;
enum err inspect_key(struct db *db, const unsigned char key_hash[CRYPT_HASH_BYTES],
                     struct inspect_rows *ret_rows) MUST_CHECK;

/* The bytes of a notice as they came; NULL when there is no such notice. */
enum err inspect_notice_body(struct db *db, int64_t id, const char **ret_body,
                             size_t *ret_len) MUST_CHECK;

#endif
