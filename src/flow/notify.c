/* Words for people, once per payment. Must not send anything: it runs inside a unit of work. */
#include "flow/notify.h"

#include "store/messages.h"

#include <stdio.h>

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
                           enum told told)
{
    char text[160];
    write_alert(payment, told, text, sizeof text);
    enum err err = notifications_put(db, payment->user_id, payment->id, topic, text);
    return err ? err : deliveries_put(db, payment->id, topic, MAIL_RECEIVER);
}

enum err notify_event(struct db *db, const struct payment *payment, const char *topic,
                      int64_t sequence)
{
    return outbox_put(db, payment->id, topic, sequence);
}

enum err notify_status(struct db *db, const struct payment *payment, enum payment_status status,
                       enum told told)
{
    char topic[33];
    if (status == PAYMENT_PROCESSING)
        return ERR_NONE;
    (void)snprintf(topic, sizeof topic, "payment.%s", payment_status_name(status));
    enum err err = notify_event(db, payment, topic, 1);
    if (!err && told == TOLD_UNDELIVERABLE)
        err = outbox_put(db, payment->id, TOPIC_UNDELIVERABLE, 1);
    if (err || told == TOLD_NOTHING)
        return err;
    return tell_payer(db, payment, told == TOLD_UNDELIVERABLE ? TOPIC_UNDELIVERABLE : topic, told);
}
