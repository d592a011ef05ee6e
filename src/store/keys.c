/* Steps over idempotency_keys. */
#include "store/keys.h"

enum err keys_get(struct db *db, const struct idempotency_key *key, struct kept_answer *ret_answer)
{
    enum err err =
        db_run(db, SQL_KEY_GET, DB_INT(key->user_id), DB_TEXT(key->path), DB_TEXT(key->text));
    *ret_answer = (struct kept_answer){0};
    if (err || !db_next(db))
        return err;
    ret_answer->found = true;
    ret_answer->same_request = db_len(db, 0) == CRYPT_HASH_BYTES &&
                               crypt_equal(db_text(db, 0), key->request_hash, CRYPT_HASH_BYTES);
    db_copy(db, 1, ret_answer->payment_id, sizeof ret_answer->payment_id);
    ret_answer->status = (int)db_int(db, 2);
    ret_answer->body = db_text(db, 3);
    ret_answer->body_len = db_len(db, 3);
    return ERR_NONE;
}

enum err keys_put(struct db *db, const struct idempotency_key *key, const char *payment_id,
                  int status, const char *body, size_t len)
{
    return db_append(db, SQL_KEY_PUT, DB_INT(key->user_id), DB_TEXT(key->path), DB_TEXT(key->text),
                     DB_BYTES(key->request_hash, CRYPT_HASH_BYTES), DB_TEXT_OR_NULL(payment_id),
                     status == 0 ? DB_NOTHING : DB_INT(status),
                     status == 0 ? DB_NOTHING : DB_BYTES(body, len));
}

enum err keys_answer(struct db *db, const char *payment_id, int status, const char *body,
                     size_t len)
{
    return db_append(db, SQL_KEY_ANSWER, DB_INT(status), DB_BYTES(body, len), DB_TEXT(payment_id));
}

enum err keys_answer_as(struct db *db, const char *opened_by, const char *payment_id, int status,
                        const char *body, size_t len)
{
    return db_append(db, SQL_KEY_ANSWER_AS, DB_INT(status), DB_BYTES(body, len),
                     DB_TEXT(payment_id), DB_TEXT(opened_by));
}

enum err keys_release(struct db *db, const char *payment_id)
{
    return db_append(db, SQL_KEY_RELEASE, DB_TEXT(payment_id));
}

enum err keys_expire(struct db *db, int64_t *ret_count)
{
    enum err err = db_run_plain(db, SQL_KEY_EXPIRE);
    *ret_count = err ? 0 : db_affected(db);
    return err;
}
