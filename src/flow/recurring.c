/* One call each, without a connection. Only a create leaves something here: a name and an owner. */
#include "flow/recurring.h"

#include "base/buf.h"
#include "flow/replay.h"

#include <string.h>

struct insert_unit {
    const struct registration *registration;
    const struct idempotency_key *key;
    const struct answer *answer;
};

static enum err insert_unit(struct db *db, void *context)
{
    const struct insert_unit *unit = context;
    const struct answer *answer = unit->answer;
    enum err err = recurring_insert(db, unit->registration);
    if (err || unit->key->text[0] == '\0')
        return err;
    return keys_put(db, unit->key, "", answer->status, answer->body, answer->len);
}

/* Words of payments that have no messages of their own here. */
static enum err word_of(enum err err)
{
    return err == ERR_PARAMETERS || err == ERR_CURRENCY || err == ERR_METHOD_OF_PAYMENT ||
                   err == ERR_AMOUNT
               ? ERR_RECURRING
               : err;
}

/* business_error_status is for clients of the API that it imitates, which has no registrations. */
void recurring_refuse(const struct settings *settings, struct arena *arena, enum err err,
                      struct answer *ret_answer)
{
    answer_error(settings, arena, word_of(err), ret_answer);
    if (err_is_business(ret_answer->err))
        ret_answer->status = err_status(ret_answer->err);
}

/* What the provider said when it was not the registration. */
static void refuse(struct context *context, struct arena *arena,
                   const struct provider_result *result, struct answer *ret_answer)
{
    enum err err = ERR_PROVIDER_UNAVAILABLE; /* it moves no money: it may be asked for again */
    if (result->outcome == OUTCOME_REFUSED)
        err = result->refusal ? result->refusal : ERR_PROCESS;
    recurring_refuse(context->settings, arena, err, ret_answer);
    if (result->retry_after_s > 0 && err == ERR_PROVIDER_UNAVAILABLE)
        ret_answer->retry_after_s = result->retry_after_s;
    ret_answer->note = arena_strndup(arena, result->reason, strlen(result->reason));
}

static void show(struct context *context, struct arena *arena, const struct provider_driver *driver,
                 const struct registration *registration, const struct json *root,
                 struct answer *ret_answer)
{
    struct buf body;
    struct json_out *out = answer_open(arena, &body, ANSWER_MAX);
    *ret_answer = (struct answer){.status = 200};
    if (out != NULL) {
        json_out_text(out, "id", registration->id);
        json_out_text(out, "provider", registration->provider);
        driver->registrations->write(out, root);
    }
    if (out == NULL || answer_close(out) != ERR_NONE) {
        answer_error(context->settings, arena, ERR_OVERLOAD, ret_answer);
        return;
    }
    ret_answer->body = buf_text(&body);
    ret_answer->len = body.len;
}

/* False: it was not the registration, and that is answered. */
static bool call(struct context *context, struct arena *arena, const struct provider_driver *driver,
                 struct httpc_request *request, struct provider_result *ret_result,
                 const struct json **ret_root, struct answer *ret_answer)
{
    struct httpc_answer answer;
    *ret_result = (struct provider_result){.outcome = OUTCOME_UNKNOWN};
    provider_call(driver, context->settings, context->client, arena, request, &answer);
    provider_quote(ret_result->reason, REASON_MAX, answer.problem);
    if (answer.result == HTTPC_ANSWERED)
        driver->registrations->read(context->settings, arena, &answer, ret_result, ret_root);
    if (ret_result->outcome == OUTCOME_DONE)
        return true;
    refuse(context, arena, ret_result, ret_answer);
    return false;
}

void recurring_create(struct context *context, struct arena *arena,
                      const struct recurring_request *request, struct answer *ret_answer)
{
    const struct provider_driver *driver = request->driver;
    struct registration registration = {.user_id = request->user_id};
    struct httpc_request http = {0};
    struct provider_result result;
    const struct json *root = NULL;
    if (driver->registrations->create(context->settings, arena, &request->recurring, &http)) {
        answer_error(context->settings, arena, ERR_OVERLOAD, ret_answer);
        return;
    }
    http.deadline_ms = request->deadline_ms;
    if (!call(context, arena, driver, &http, &result, &root, ret_answer))
        return;
    ident_new("REC_", registration.id);
    (void)text_copy(registration.provider, sizeof registration.provider, driver->name);
    (void)text_copy(registration.reference, sizeof registration.reference,
                    result.provider_reference);
    show(context, arena, driver, &registration, root, ret_answer);
    struct insert_unit unit = {&registration, &request->key, ret_answer};
    struct registration stored = {.id = ""};
    enum err err = db_transact(context->pool, arena, insert_unit, &unit);
    /* a run may have been committed although nobody heard of it */
    if (err && recurring_find(context, arena, registration.id, 0, &stored) == ERR_NONE &&
        stored.id[0] != '\0')
        return;
    if (err == ERR_DB_DUPLICATE && replay_find(context, arena, &request->key, ret_answer))
        return;
    if (err)
        answer_error(context->settings, arena, ERR_SAVE, ret_answer);
}

void recurring_view(struct context *context, struct arena *arena,
                    const struct registration *registration, int64_t deadline_ms,
                    struct answer *ret_answer)
{
    const struct provider_driver *driver = provider_find(context->settings, registration->provider);
    struct httpc_request http = {0};
    struct provider_result result;
    const struct json *root = NULL;
    if (driver == NULL || driver->registrations == NULL ||
        driver->registrations->view(context->settings, arena, registration->reference, &http)) {
        answer_error(context->settings, arena, ERR_PROVIDER_UNAVAILABLE, ret_answer);
        return;
    }
    http.deadline_ms = deadline_ms;
    if (call(context, arena, driver, &http, &result, &root, ret_answer))
        show(context, arena, driver, registration, root, ret_answer);
}

void recurring_change(struct context *context, struct arena *arena,
                      const struct registration *registration,
                      const struct recurring_request *request, struct answer *ret_answer)
{
    const struct provider_driver *driver = request->driver;
    struct httpc_request http = {0};
    struct provider_result result;
    const struct json *root = NULL;
    if (driver->registrations->change(context->settings, arena, &request->recurring, &http)) {
        answer_error(context->settings, arena, ERR_OVERLOAD, ret_answer);
        return;
    }
    http.deadline_ms = request->deadline_ms;
    if (call(context, arena, driver, &http, &result, &root, ret_answer))
        show(context, arena, driver, registration, root, ret_answer);
}

struct find_unit {
    const char *id;
    struct registration *registration;
};

static enum err find_unit(struct db *db, void *context)
{
    struct find_unit *unit = context;
    return recurring_get(db, unit->id, unit->registration);
}

enum err recurring_find(struct context *context, struct arena *arena, const char *id,
                        int64_t user_id, struct registration *ret_registration)
{
    struct find_unit unit = {id, ret_registration};
    enum err err = db_query(context->pool, arena, find_unit, &unit);
    if (!err && user_id != 0 && ret_registration->user_id != user_id)
        ret_registration->id[0] = '\0'; /* somebody else's is no different from none */
    return err;
}
