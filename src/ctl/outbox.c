/* outbox list and retry: messages to others, and another try of those that did not arrive. */
#include "ctl/commands.h"
#include "ctl/messages.h"
#include "flow/notify.h"
#include "store/messages.h"
#include "store/receivers.h"

#include <stdio.h>
#include <string.h>

const struct column delivery_columns[] = {
    COLUMN(NUMBER, "id", "id"),           COLUMN_ASIDE(TIME, "createdAt", "written"),
    COLUMN(TEXT, "paymentId", "payment"), COLUMN(TEXT, "topic", "topic"),
    COLUMN(TEXT, "receiver", "receiver"), COLUMN(TEXT, "state", "state"),
    COLUMN(NUMBER, "tries", "tries"),     COLUMN(TIME, "dueAt", "due"),
    COLUMN(TEXT, "note", "note"),         {0}};

int outbox_list(struct ctl *ctl)
{
    struct inspect_messages filter = {.state = ctl_option(ctl, "--state"),
                                      .party = ctl_option(ctl, "--receiver"),
                                      .payment_id = ctl_option(ctl, "--payment")};
    if (!ctl_is_ascii(filter.party))
        return ctl_refuse(ctl, CTL_MISUSED, "--receiver must be a name of plain letters");
    if (filter.payment_id != NULL && !ident_valid("PAY_", filter.payment_id))
        return ctl_refuse(ctl, CTL_MISUSED, "--payment must be the ID of a payment");
    return message_list(ctl, inspect_deliveries, &filter, "deliveries", delivery_columns);
}

/* Does anybody take what goes to this receiver? ERR_CONFLICT: it is disabled; ERR_NOT_FOUND: there
 * is none of that name, at least no more. */
static enum err check_receiver(struct db *db, const char *name)
{
    struct receiver receiver;
    if (strcmp(name, MAIL_RECEIVER) == 0)
        return ERR_NONE;
    enum err err = receivers_get(db, name, &receiver);
    if (err)
        return err;
    return !receiver.known ? ERR_NOT_FOUND : receiver.disabled ? ERR_CONFLICT : ERR_NONE;
}

static int refuse_receiver(const struct ctl *ctl, enum err err, const char *name)
{
    if (err == ERR_NOT_FOUND)
        return ctl_refuse(ctl, CTL_ABSENT, "there is no receiver %s", name);
    if (err == ERR_CONFLICT)
        return ctl_refuse(ctl, CTL_WRONG, "%s is disabled: guichetctl receiver enable %s", name,
                          name);
    return ctl_report(ctl, err);
}

struct retry_unit {
    int64_t id;
    const char *operator_name;
    struct retried_delivery delivery;
    struct inspect_rows rows;
};

/* An error undoes it all. */
static enum err retry_one(struct db *db, struct retry_unit *unit)
{
    const struct retried_delivery *d = &unit->delivery;
    char what[128];
    enum err err = deliveries_retry(db, unit->id, &unit->delivery);
    if (!err && d->retried != RETRIED_NONE)
        err = check_receiver(db, d->receiver);
    if (err || d->retried != RETRIED)
        return err;
    (void)snprintf(what, sizeof what, "%s to %s again", d->topic, d->receiver);
    return message_note(db, d->payment_id, what, unit->operator_name);
}

static enum err retry_unit(struct db *db, void *context)
{
    struct retry_unit *unit = context;
    enum err err = retry_one(db, unit);
    return err ? err : inspect_one(db, SQL_INSPECT_DELIVERY, unit->id, &unit->rows);
}

int outbox_again(struct ctl *ctl)
{
    struct retry_unit unit = {.operator_name = ctl_operator(ctl)};
    if (unit.operator_name == NULL || !message_id(ctl, &unit.id))
        return CTL_MISUSED;
    enum err err = db_transact(ctl->pool, ctl->arena, retry_unit, &unit);
    if (err)
        return refuse_receiver(ctl, err, unit.delivery.receiver);
    if (unit.delivery.retried == RETRIED_NONE)
        return ctl_refuse(ctl, CTL_ABSENT, "there is no delivery %s", ctl->id);
    const struct section section = {
        .shape = SECTION_FIELDS, .columns = delivery_columns, .rows = unit.rows};
    return show(ctl, &section, 1, NULL);
}

/* One delivery per transaction: the jobs are delivering meanwhile, and nobody waits for long. */
struct next_unit {
    const char *receiver;
    struct retry_unit one; /* id: the last one; 0 when there was no more */
};

static enum err next_unit(struct db *db, void *context)
{
    struct next_unit *unit = context;
    enum err err = check_receiver(db, unit->receiver);
    if (!err)
        err = deliveries_dead_after(db, unit->receiver, unit->one.id, &unit->one.id);
    return err || unit->one.id == 0 ? err : retry_one(db, &unit->one);
}

int outbox_again_all(struct ctl *ctl)
{
    static const struct column columns[] = {
        COLUMN(TEXT, "receiver", "receiver"), COLUMN(NUMBER, "retried", "due now"), {0}};
    struct next_unit unit = {.receiver = ctl_option(ctl, "--receiver"),
                             .one = {.operator_name = ctl_operator(ctl)}};
    long long retried = 0;
    if (unit.one.operator_name == NULL)
        return CTL_MISUSED;
    if (!ctl_is_ascii(unit.receiver))
        return ctl_refuse(ctl, CTL_MISUSED, "--receiver must be a name of plain letters");
    do {
        enum err err = db_transact(ctl->pool, ctl->arena, next_unit, &unit);
        if (err)
            return refuse_receiver(ctl, err, unit.receiver);
        retried += unit.one.id != 0 && unit.one.delivery.retried == RETRIED;
    } while (unit.one.id != 0);
    struct ident_text count = ident_text(retried);
    const char *cells[] = {unit.receiver, count.text};
    const struct section section = {
        .shape = SECTION_FIELDS, .columns = columns, .rows = {1, 2, cells}};
    return show(ctl, &section, 1, NULL);
}
