/* Users and API keys. Every function is a step inside a unit of work (store/db.h). */
#ifndef STORE_USERS_H
#define STORE_USERS_H

#include "base/crypt.h"
#include "store/db.h"

struct user {
    int64_t id; /* steamid; 0: there is none */
    bool banned, operator;
};

/* False: unknown or banned. */
bool users_may_act(const struct user *user);

/* ret_user->id is 0 when there is no such user. */
enum err users_get(struct db *db, int64_t user_id, struct user *ret_user) MUST_CHECK;

/* Has the unit fail by ERR_DB_CONFLICT unless the user is known and not banned: see
 * db_append_condition. */
enum err users_require(struct db *db, int64_t user_id) MUST_CHECK;

/* The owner of a key that is not revoked; id 0 when there is none. */
enum err users_get_by_key(struct db *db, const unsigned char key_hash[CRYPT_HASH_BYTES],
                          struct user *ret_user) MUST_CHECK;

/* Where a user's mail goes; both "" when there is no such user. In the unit's arena. */
struct user_address {
    const char *name, *email;
};
enum err users_address(struct db *db, int64_t user_id, struct user_address *ret_address) MUST_CHECK;

/* Steps of guichetctl, as the admin's account. All may be repeated. A key that exists stays as it
 * is: whose it is and whether it is revoked tells users_key_get. */
enum err users_put(struct db *db, int64_t user_id, const char *name, const char *email,
                   const char *role) MUST_CHECK;
enum err users_ban(struct db *db, int64_t user_id, bool banned) MUST_CHECK;
enum err users_key_put(struct db *db, const unsigned char key_hash[CRYPT_HASH_BYTES],
                       int64_t user_id) MUST_CHECK;
struct api_key {
    int64_t user_id; /* 0: there is no such key */
    bool revoked;
};
enum err users_key_get(struct db *db, const unsigned char key_hash[CRYPT_HASH_BYTES],
                       struct api_key *ret_key) MUST_CHECK;
enum err users_key_revoke(struct db *db, const unsigned char key_hash[CRYPT_HASH_BYTES]) MUST_CHECK;

#endif
