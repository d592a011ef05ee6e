/* Cards that were declined in the last 24 hours. */
#ifndef STORE_DECLINES_H
#define STORE_DECLINES_H

#include "base/crypt.h"
#include "store/db.h"

enum { DECLINE_LIFE_S = 86400 };

/* Counts one for whom the hash stands for, until life_s are over: DECLINE_LIFE_S, or less for a try
 * that is still under way. */
enum err declines_put(struct db *db, const unsigned char subject[CRYPT_HASH_BYTES], int64_t life_s,
                      int64_t *ret_id) MUST_CHECK;
enum err declines_take_back(struct db *db, int64_t id) MUST_CHECK;

/* Have there been `limit` or more (1 at least), without the try own_id? Then *ret_wait_s are the
 * seconds until there are fewer, from 1 on; else it is 0. */
enum err declines_wait(struct db *db, const unsigned char subject[CRYPT_HASH_BYTES], int64_t limit,
                       int64_t own_id, int64_t *ret_wait_s) MUST_CHECK;

/* Forgets some that are older; *ret_count tells how many. */
enum err declines_expire(struct db *db, int64_t *ret_count) MUST_CHECK;

#endif
