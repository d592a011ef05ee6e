/* Steps over users and api_keys. */
#include "store/users.h"

bool users_may_act(const struct user *user)
{
    return user->id != 0 && !user->banned;
}

static void read_user(struct db *db, struct user *ret_user)
{
    *ret_user = (struct user){0};
    if (!db_next(db))
        return;
    ret_user->id = db_int(db, 0);
    ret_user->banned = db_int(db, 1) != 0;
    ret_user->operator= db_int(db, 2) != 0;
}

enum err users_get(struct db *db, int64_t user_id, struct user *ret_user)
{
    enum err err = db_run(db, SQL_USER_BY_ID, DB_INT(user_id));
    if (!err)
        read_user(db, ret_user);
    return err;
}

enum err users_require(struct db *db, int64_t user_id)
{
    return db_append_condition(db, SQL_USER_ACTIVE, DB_INT(user_id));
}

enum err users_get_by_key(struct db *db, const unsigned char key_hash[CRYPT_HASH_BYTES],
                          struct user *ret_user)
{
    enum err err = db_run(db, SQL_USER_BY_KEY, DB_BYTES(key_hash, CRYPT_HASH_BYTES));
    if (!err)
        read_user(db, ret_user);
    return err;
}

enum err users_address(struct db *db, int64_t user_id, struct user_address *ret_address)
{
    *ret_address = (struct user_address){"", ""};
    enum err err = db_run(db, SQL_USER_ADDRESS, DB_INT(user_id));
    if (err || !db_next(db))
        return err;
    *ret_address = (struct user_address){db_keep(db, 0), db_keep(db, 1)};
    return ret_address->name == NULL || ret_address->email == NULL ? ERR_OVERLOAD : ERR_NONE;
}

enum err users_put(struct db *db, int64_t user_id, const char *name, const char *email,
                   const char *role)
{
    return db_run(db, SQL_USER_PUT, DB_INT(user_id), DB_TEXT(name), DB_TEXT(email), DB_TEXT(role));
}

enum err users_ban(struct db *db, int64_t user_id, bool banned)
{
    return db_run(db, SQL_USER_BAN, DB_INT(banned), DB_INT(user_id));
}

enum err users_key_put(struct db *db, const unsigned char key_hash[CRYPT_HASH_BYTES],
                       int64_t user_id)
{
    return db_run(db, SQL_API_KEY_PUT, DB_BYTES(key_hash, CRYPT_HASH_BYTES), DB_INT(user_id));
}

enum err users_key_get(struct db *db, const unsigned char key_hash[CRYPT_HASH_BYTES],
                       struct api_key *ret_key)
{
    enum err err = db_run(db, SQL_API_KEY_GET, DB_BYTES(key_hash, CRYPT_HASH_BYTES));
    *ret_key = (struct api_key){0};
    if (!err && db_next(db))
        *ret_key = (struct api_key){db_int(db, 0), db_int(db, 1) != 0};
    return err;
}

enum err users_key_revoke(struct db *db, const unsigned char key_hash[CRYPT_HASH_BYTES])
{
    return db_run(db, SQL_API_KEY_REVOKE, DB_BYTES(key_hash, CRYPT_HASH_BYTES));
}
