/* What the commands about inbox and outbox share. */
#include "ctl/messages.h"

#include "store/payments.h"

#include <stdio.h>

bool message_id(const struct ctl *ctl, int64_t *ret_id)
{
    if (ctl_number(ctl->id, ret_id))
        return true;
    (void)ctl_refuse(ctl, CTL_MISUSED, "%.80s is no number: take it from guichetctl %s list",
                     ctl->id, ctl->command->first);
    return false;
}

struct list_unit {
    message_inspect *inspect;
    const struct inspect_messages *filter;
    struct inspect_rows rows;
};

static enum err list_unit(struct db *db, void *context)
{
    struct list_unit *unit = context;
    return unit->inspect(db, unit->filter, &unit->rows);
}

int message_list(const struct ctl *ctl, message_inspect *inspect, struct inspect_messages *filter,
                 const char *key, const struct column *columns)
{
    struct list_unit unit = {.inspect = inspect, .filter = filter};
    int64_t limit;
    if (!ctl_number(ctl_option(ctl, "--cursor"), &filter->cursor))
        return ctl_refuse(ctl, CTL_MISUSED,
                          "--cursor must be a number, as the list before showed it");
    if (!ctl_limit(ctl, &limit))
        return CTL_MISUSED;
    filter->max = limit + 1; /* one more tells whether there is a next page */
    enum err err = db_query(ctl->pool, ctl->arena, list_unit, &unit);
    if (err)
        return ctl_report(ctl, err);
    struct section section = {
        .shape = SECTION_LIST, .key = key, .columns = columns, .rows = unit.rows};
    return show_page(ctl, &section, limit, 0);
}

enum err message_note(struct db *db, const char *payment_id, const char *what,
                      const char *operator_name)
{
    char detail[200];
    if (payment_id[0] == '\0')
        return ERR_NONE;
    (void)snprintf(detail, sizeof detail, "%s, by %s", what, operator_name);
    return events_insert(db, payment_id, "retry", detail, "operator");
}
