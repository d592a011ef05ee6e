/* outbox list and retry: messages to others, and another try of those that did not arrive. */
#include "ctl/commands.h"
#include "ctl/messages.h"
#include "store/messages.h"

#include <stdio.h>

const struct column delivery_columns[] = {
    COLUMN(NUMBER, "id", "id"),           COLUMN_ASIDE(TIME, "createdAt", "written"),
    COLUMN(TEXT, "paymentId", "payment"), COLUMN(TEXT, "topic", "topic"),
    COLUMN(TEXT, "receiver", "receiver"), COLUMN(TEXT, "state", "state"),
    COLUMN(NUMBER, "tries", "tries"),     COLUMN(TIME, "dueAt", "due"),
    COLUMN(TEXT, "note", "note"),         {0}};

struct list_unit {
    struct inspect_messages filter;
    struct inspect_rows rows;
};

static enum err list_unit(struct db *db, void *context)
{
    struct list_unit *unit = context;
    return inspect_deliveries(db, &unit->filter, &unit->rows);
}

int outbox_list(struct ctl *ctl)
{
    struct list_unit unit = {.filter = {.state = ctl_option(ctl, "--state"),
                                        .party = ctl_option(ctl, "--receiver"),
                                        .payment_id = ctl_option(ctl, "--payment")}};
    if (!ctl_is_ascii(unit.filter.party))
        return ctl_refuse(ctl, CTL_MISUSED, "--receiver must be a name of plain letters");
    if (unit.filter.payment_id != NULL && !ident_valid("PAY_", unit.filter.payment_id))
        return ctl_refuse(ctl, CTL_MISUSED, "--payment must be the ID of a payment");
    if (!message_page(ctl, &unit.filter))
        return CTL_MISUSED;
    enum err err = db_query(ctl->pool, ctl->arena, list_unit, &unit);
    if (err)
        return ctl_report(ctl, err);
    struct section section = {
        .shape = SECTION_LIST, .key = "deliveries", .columns = delivery_columns, .rows = unit.rows};
    return show_page(ctl, &section, unit.filter.max - 1, 0);
}

static enum err retry_one(struct db *db, int64_t id, const char *operator_name,
                          enum retried *ret_retried)
{
    struct retried_delivery delivery;
    char what[128];
    enum err err = deliveries_retry(db, id, &delivery);
    *ret_retried = delivery.retried;
    if (err || delivery.retried != RETRIED)
        return err;
    (void)snprintf(what, sizeof what, "%s to %s again", delivery.topic, delivery.receiver);
    return message_note(db, delivery.payment_id, what, operator_name);
}

struct retry_unit {
    int64_t id;
    const char *operator_name;
    enum retried retried;
    struct inspect_rows rows;
};

static enum err retry_unit(struct db *db, void *context)
{
    struct retry_unit *unit = context;
    enum err err = retry_one(db, unit->id, unit->operator_name, &unit->retried);
    return err ? err : inspect_one(db, SQL_INSPECT_DELIVERY, unit->id, &unit->rows);
}

int outbox_again(struct ctl *ctl)
{
    struct retry_unit unit = {.operator_name = ctl_operator(ctl)};
    if (unit.operator_name == NULL || !message_id(ctl, &unit.id))
        return CTL_MISUSED;
    enum err err = db_transact(ctl->pool, ctl->arena, retry_unit, &unit);
    if (err)
        return ctl_report(ctl, err);
    if (unit.retried == RETRIED_NONE)
        return ctl_refuse(ctl, CTL_ABSENT, "there is no delivery %s", ctl->id);
    const struct section section = {
        .shape = SECTION_FIELDS, .columns = delivery_columns, .rows = unit.rows};
    return show(ctl, &section, 1, NULL);
}

/* One delivery per transaction: the jobs are delivering meanwhile, and nobody waits for long. */
struct next_unit {
    const char *receiver, *operator_name;
    int64_t id; /* the last one; 0 when there was no more */
    enum retried retried;
};

static enum err next_unit(struct db *db, void *context)
{
    struct next_unit *unit = context;
    enum err err = deliveries_dead_after(db, unit->receiver, unit->id, &unit->id);
    return err || unit->id == 0 ? err
                                : retry_one(db, unit->id, unit->operator_name, &unit->retried);
}

int outbox_again_all(struct ctl *ctl)
{
    static const struct column columns[] = {
        COLUMN(TEXT, "receiver", "receiver"), COLUMN(NUMBER, "retried", "due now"), {0}};
    struct next_unit unit = {.receiver = ctl_option(ctl, "--receiver"),
                             .operator_name = ctl_operator(ctl)};
    char count[24];
    long long retried = 0;
    if (unit.operator_name == NULL)
        return CTL_MISUSED;
    if (!ctl_is_ascii(unit.receiver))
        return ctl_refuse(ctl, CTL_MISUSED, "--receiver must be a name of plain letters");
    do {
        enum err err = db_transact(ctl->pool, ctl->arena, next_unit, &unit);
        if (err)
            return ctl_report(ctl, err);
        retried += unit.id != 0 && unit.retried == RETRIED;
    } while (unit.id != 0);
    (void)snprintf(count, sizeof count, "%lld", retried);
    const char *cells[] = {unit.receiver, count};
    const struct section section = {
        .shape = SECTION_FIELDS, .columns = columns, .rows = {1, 2, cells}};
    return show(ctl, &section, 1, NULL);
}
