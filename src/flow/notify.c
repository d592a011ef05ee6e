/* Words for people and for programs, once per payment. Must not send anything: it runs inside a
 * unit of work. */
#include "flow/notify.h"

#include "base/clock.h"
#include "flow/answer.h"
#include "store/messages.h"

#include <stdio.h>

enum { EVENT_BODY_MAX = 16 * 1024 };

static enum err write_event(struct arena *arena, const struct payment *payment, const char *topic,
                            struct buf *body)
{
    char moment[CLOCK_TEXT_MAX];
    buf_init(body, arena, EVENT_BODY_MAX);
    struct json_out *out = clock_text(clock_wall_ms(), moment) ? json_out_new(arena, body) : NULL;
    if (out == NULL)
        return ERR_OVERLOAD;
    json_out_object(out, NULL);
    json_out_text(out, "type", topic);
    json_out_text(out, "timestamp", moment);
    json_out_object(out, "data");
    answer_payment(out, payment);
    json_out_text(out, "user", ident_text(payment->user_id).text);
    json_out_close_object(out);
    json_out_close_object(out);
    return json_out_end(out);
}

static enum err put_event(struct db *db, const struct payment *payment, const char *topic,
                          int64_t sequence, const int64_t **ret_id)
{
    struct buf body;
    enum err err = write_event(db_arena(db), payment, topic, &body);
    if (!err)
        err = outbox_put(db, payment->id, topic, sequence, buf_text(&body), ret_id);
    return err ? err : deliveries_put_all(db, *ret_id);
}

enum err notify_event(struct db *db, const struct payment *payment, const char *topic,
                      int64_t sequence)
{
    const int64_t *id;
    struct payment now;
    enum err err = payments_get(db, payment->id, &now);
    return err ? err : put_event(db, &now, topic, sequence, &id);
}

static void write_alert(const struct payment *payment, enum told told, char *text, size_t size)
{
    static const char *const endings[] = {
        [TOLD_NOTHING] = "",
        [TOLD_DEPOSIT] = "were added to your balance.",
        [TOLD_PURCHASE] = "were paid for your items; they are in your inventory.",
        [TOLD_UNDELIVERABLE] =
            "arrived too late for your items: the money was added to your balance instead.",
    };
    char amount[MONEY_TEXT_MAX];
    money_format(&payment->amount, amount);
    (void)snprintf(text, size, "%s %s %s", amount, money_currency(&payment->amount), endings[told]);
}

static enum err tell_payer(struct db *db, const struct payment *payment, const char *topic,
                           enum told told, const int64_t *outbox_id)
{
    char text[160];
    write_alert(payment, told, text, sizeof text);
    enum err err = notifications_put(db, payment->user_id, payment->id, topic, text);
    return err ? err : deliveries_put(db, outbox_id, MAIL_RECEIVER);
}

enum err notify_status(struct db *db, const struct payment *payment, enum payment_status status,
                       enum told told)
{
    char topic[33];
    const int64_t *id;
    if (status == PAYMENT_PROCESSING)
        return ERR_NONE;
    (void)snprintf(topic, sizeof topic, "payment.%s", payment_status_name(status));
    enum err err = put_event(db, payment, topic, 1, &id);
    if (!err && told == TOLD_UNDELIVERABLE)
        err = outbox_put(db, payment->id, TOPIC_UNDELIVERABLE, 1, NULL, &id);
    if (err || told == TOLD_NOTHING)
        return err;
    return tell_payer(db, payment, told == TOLD_UNDELIVERABLE ? TOPIC_UNDELIVERABLE : topic, told,
                      id);
}
