/* One event at a time for one receiver: take it under a lease, sign it, post it without a database
 * connection, note what became of it, and what the receiver said about itself. */
#include "flow/deliver.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/crash.h"
#include "base/webhook.h"
#include "flow/courier.h"
#include "store/receivers.h"

#include <string.h>

enum { SEND_MS = 15000, REST_S = 30, REST_MAX_S = 86400, HEADER_MAX = 512 };

enum { STATUS_GONE = 410, STATUS_TOO_MANY = 429, STATUS_BAD_GATEWAY = 502, STATUS_TIMEOUT = 504 };

struct parcel {
    struct context *context;
    const char *name;
    const struct settings_receiver *to;
    struct errand errand;
    /* what the receiver said about itself */
    bool gone;
    int64_t rest_s;
};

struct prepare_unit {
    const struct settings *settings;
    bool left;
};

static enum err prepare_unit(struct db *db, void *context)
{
    struct prepare_unit *unit = context;
    enum err err = ERR_NONE;
    unit->left = false;
    for (size_t i = 0; i < RECEIVERS_MAX && !err; i++) {
        const char *url = unit->settings->receivers[i].url;
        bool left = false;
        err = url[0] == '\0' ? receivers_remove(db, settings_receivers[i], &left)
                             : receivers_put(db, settings_receivers[i], url);
        unit->left |= left;
    }
    return err;
}

enum err deliver_prepare(struct context *context, struct arena *arena, bool *ret_left)
{
    struct prepare_unit unit = {.settings = context->settings};
    enum err err = db_transact(context->pool, arena, prepare_unit, &unit);
    *ret_left = unit.left;
    return err;
}

static enum err take_unit(struct db *db, void *context)
{
    struct parcel *parcel = context;
    struct receiver receiver;
    parcel->errand.delivery.id = 0;
    enum err err = receivers_get(db, parcel->name, &receiver);
    if (err || !receiver.known || receiver.rests)
        return err;
    err = courier_take(db, parcel->name, &parcel->errand);
    if (err || !receiver.disabled || parcel->errand.delivery.id == 0)
        return err;
    parcel->errand.state = DELIVERY_DEAD;
    parcel->errand.note = "the receiver is disabled";
    return courier_end(db, &parcel->errand);
}

static enum err end_unit(struct db *db, void *context)
{
    const struct parcel *parcel = context;
    enum err err = courier_end(db, &parcel->errand);
    if (!err && parcel->gone)
        err = receivers_disable(db, parcel->name, parcel->errand.note);
    else if (!err && parcel->rest_s > 0)
        err = receivers_rest(db, parcel->name, parcel->rest_s, parcel->errand.note);
    return err;
}

/* One signature for each secret, so that the receiver may change over at any time. */
static enum err put_signatures(struct arena *arena, const struct parcel *parcel, const char *id,
                               int64_t now_s, struct buf *header)
{
    const struct secret *const keys[] = {&parcel->to->secret, &parcel->to->previous_secret};
    const char *body = parcel->errand.delivery.body;
    buf_puts(header, "webhook-signature:");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char signature[WEBHOOK_SIGNATURE_MAX];
        if (!secret_is_set(keys[i]))
            continue;
        enum err err = webhook_sign(arena, keys[i], id, now_s, body, strlen(body), signature);
        if (err)
            return err;
        buf_printf(header, " %s", signature);
    }
    return ERR_NONE;
}

static enum err post(struct arena *arena, const struct parcel *parcel,
                     struct httpc_answer *ret_answer)
{
    const struct delivery *d = &parcel->errand.delivery;
    const char *dot = strchr(d->topic, '.');
    int64_t now_s = clock_wall_ms() / 1000;
    struct buf id, id_header, time_header, signatures;
    buf_init(&id, arena, HEADER_MAX);
    buf_init(&id_header, arena, HEADER_MAX);
    buf_init(&time_header, arena, HEADER_MAX);
    buf_init(&signatures, arena, HEADER_MAX);
    /* the event's own key, so that it can be no other event's; without a dot, as the standard has
     * it */
    buf_printf(&id, "%s-%s-%lld", d->payment_id, dot == NULL ? d->topic : dot + 1,
               (long long)d->sequence);
    buf_printf(&id_header, "webhook-id: %s", buf_text(&id));
    buf_printf(&time_header, "webhook-timestamp: %lld", (long long)now_s);
    enum err err = put_signatures(arena, parcel, buf_text(&id), now_s, &signatures);
    if (err || !buf_ok(&id_header) || !buf_ok(&time_header) || !buf_ok(&signatures))
        return ERR_OVERLOAD;
    const struct httpc_request request = {
        .method = "POST",
        .url = parcel->to->url,
        .headers = {"Content-Type: application/json", buf_text(&id_header), buf_text(&time_header),
                    buf_text(&signatures)},
        .body = d->body,
        .body_len = strlen(d->body),
        .timeout_ms = SEND_MS,
        .plain = strncmp(parcel->to->url, "http://", 7) == 0}; /* the settings allow it, or not */
    httpc_call(parcel->context->client, arena, &request, ret_answer);
    return ERR_NONE;
}

/* How long the receiver wants to be left alone; 0: it did not say so. */
static int64_t rest_of(const struct httpc_answer *answer)
{
    bool throttles = answer->status == STATUS_TOO_MANY || answer->status == STATUS_BAD_GATEWAY ||
                     answer->status == STATUS_TIMEOUT;
    if (answer->retry_after_s > REST_MAX_S)
        return REST_MAX_S;
    return answer->retry_after_s > 0 ? answer->retry_after_s : throttles ? REST_S : 0;
}

static void judge(struct arena *arena, const struct httpc_answer *answer, struct parcel *parcel)
{
    struct buf note;
    buf_init(&note, arena, DELIVERED_FOUND_MAX - 1);
    if (answer->result != HTTPC_ANSWERED) {
        courier_put_off(&parcel->errand, answer->problem, 0);
        return;
    }
    buf_printf(&note, "it answered %d", answer->status);
    if (answer->status / 100 == 2) {
        parcel->errand.state = DELIVERY_DONE;
    } else if (answer->status == STATUS_GONE) {
        parcel->gone = true;
        parcel->errand.state = DELIVERY_DEAD;
        parcel->errand.note = buf_text(&note);
    } else {
        parcel->rest_s = rest_of(answer);
        courier_put_off(&parcel->errand, buf_text(&note), parcel->rest_s * 1000);
    }
}

static void tell(const struct parcel *parcel, struct delivered *ret_done)
{
    ret_done->sent = parcel->errand.state == DELIVERY_DONE;
    ret_done->disabled = parcel->gone;
    (void)text_copy(ret_done->payment_id, IDENT_MAX, parcel->errand.delivery.payment_id);
    (void)text_copy(ret_done->found, sizeof ret_done->found,
                    ret_done->sent ? "sent" : parcel->errand.note);
}

enum err deliver_step(struct context *context, struct arena *arena, size_t receiver,
                      struct delivered *ret_done)
{
    struct parcel parcel = {.context = context,
                            .name = settings_receivers[receiver],
                            .to = &context->settings->receivers[receiver]};
    struct httpc_answer answer;
    *ret_done = (struct delivered){0};
    enum err err = db_transact(context->pool, arena, take_unit, &parcel);
    if (err || parcel.errand.delivery.id == 0)
        return err;
    if (parcel.errand.state == DELIVERY_WAITING) {
        CRASH_POINT("event_taken");
        err = post(arena, &parcel, &answer);
        if (err)
            return err; /* the lease ends */
        judge(arena, &answer, &parcel);
        CRASH_POINT("event_sent");
        err = db_transact(context->pool, arena, end_unit, &parcel);
    }
    tell(&parcel, ret_done);
    return err;
}
