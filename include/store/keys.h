/* Idempotency keys: which requests were seen, and the first answers to them.
 * Every function is a step inside a unit of work (store/db.h). */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include "base/crypt.h"
#include "base/ident.h"
#include "store/db.h"

#define IDEMPOTENCY_KEY_MAX 256 /* bytes, with the NUL */

/* Scoped by user and path. */
struct idempotency_key {
    int64_t user_id;
    const char *path;
    char text[IDEMPOTENCY_KEY_MAX]; /* "": the client sent none */
    unsigned char request_hash[CRYPT_HASH_BYTES];
};

struct kept_answer {
    bool found, same_request;
    char payment_id[IDENT_MAX]; /* "": the request was refused before there was one */
    int status;                 /* 0: the outcome is still open */
    const char *body;           /* in the unit's arena */
    size_t body_len;
};

enum err keys_get(struct db *db, const struct idempotency_key *key,
                  struct kept_answer *ret_answer) MUST_CHECK;

/* Stores a key with its answer, or open (status 0, body NULL). ERR_DB_DUPLICATE: it is there. */
enum err keys_put(struct db *db, const struct idempotency_key *key, const char *payment_id,
                  int status, const char *body, size_t len) MUST_CHECK;

/* Keeps the answer for the key that opened this payment; a key that has one stays as it is. */
enum err keys_answer(struct db *db, const char *payment_id, int status, const char *body,
                     size_t len) MUST_CHECK;

/* The same for a key that was opened by something else than a payment (a refund): it is the
 * payment's from now on. */
enum err keys_answer_as(struct db *db, const char *opened_by, const char *payment_id, int status,
                        const char *body, size_t len) MUST_CHECK;

/* Forgets the open key of a payment: the same request may come again. */
enum err keys_release(struct db *db, const char *payment_id) MUST_CHECK;

/* Forgets some keys older than 30 days; *ret_count tells how many. */
enum err keys_expire(struct db *db, int64_t *ret_count) MUST_CHECK;

#endif
