/* Requests seen before. Keys of open payments are claimed and answered by checkout, in its own
 * transactions; this file reads them, and keeps answers that no payment's transaction wrote. */
#include "flow/replay.h"

#include "base/buf.h"

struct replay_unit {
    const struct idempotency_key *key;
    struct kept_answer kept;
};

static enum err replay_unit(struct db *db, void *context)
{
    struct replay_unit *unit = context;
    return keys_get(db, unit->key, &unit->kept);
}

bool replay_find(struct context *context, struct arena *arena, const struct idempotency_key *key,
                 struct answer *ret_answer)
{
    struct replay_unit unit = {.key = key};
    if (key->text[0] == '\0')
        return false;
    enum err err = db_query(context->pool, arena, replay_unit, &unit);
    if (err) {
        answer_error(context->settings, arena, ERR_SAVE, ret_answer);
        return true;
    }
    if (!unit.kept.found)
        return false;
    if (!unit.kept.same_request) {
        answer_error(context->settings, arena, ERR_IDEMPOTENCY_REUSED, ret_answer);
        return true;
    }
    if (unit.kept.status == 0)
        answer_error(context->settings, arena, ERR_IDEMPOTENCY_RUNNING, ret_answer);
    else
        *ret_answer = (struct answer){.status = unit.kept.status,
                                      .body = unit.kept.body,
                                      .len = unit.kept.body_len,
                                      .replayed = true};
    if (ident_valid("PAY_", unit.kept.payment_id)) /* not a refund that opened the key */
        (void)text_copy(ret_answer->payment_id, IDENT_MAX, unit.kept.payment_id);
    return true;
}

struct keep_unit {
    const struct idempotency_key *key;
    const struct answer *answer;
};

static enum err keep_unit(struct db *db, void *context)
{
    const struct keep_unit *unit = context;
    enum err err = keys_put(db, unit->key, unit->answer->payment_id, unit->answer->status,
                            unit->answer->body, unit->answer->len);
    return err == ERR_DB_DUPLICATE ? ERR_NONE : err;
}

void replay_keep(struct context *context, struct arena *arena, const struct idempotency_key *key,
                 const struct answer *answer)
{
    struct keep_unit unit = {key, answer};
    /* 401, 403: about the token; 415: the request has not been read; 500: ours, nothing is done */
    if (key->text[0] == '\0' || answer->status == 401 || answer->status == 403 ||
        answer->status == 415 || answer->status == 429 || answer->status == 500 ||
        answer->status == 503)
        return;
    /* a refusal that could not be kept is found out again the same way */
    enum err err = db_query(context->pool, arena, keep_unit, &unit);
    (void)err;
}
