/* receiver list and enable: who is told of events. Who they are stands in the jobs' settings. */
#include "store/receivers.h"

#include "ctl/commands.h"
#include "ctl/show.h"

static const struct column receiver_columns[] = {COLUMN(TEXT, "name", "name"),
                                                 COLUMN(TEXT, "state", "state"),
                                                 COLUMN(NUMBER, "waiting", "waiting"),
                                                 COLUMN_ASIDE(TIME, "disabledAt", "disabled"),
                                                 COLUMN_ASIDE(TIME, "restsUntil", "rests until"),
                                                 COLUMN(TEXT, "url", "url"),
                                                 COLUMN(TEXT, "note", "note"),
                                                 {0}};

struct receiver_unit {
    const char *name; /* NULL: all */
    bool enable;
    struct inspect_rows rows;
};

static enum err receiver_unit(struct db *db, void *context)
{
    struct receiver_unit *unit = context;
    enum err err = unit->enable ? receivers_enable(db, unit->name) : ERR_NONE;
    return err ? err : inspect_receivers(db, unit->name, &unit->rows);
}

int receiver_list(struct ctl *ctl)
{
    struct receiver_unit unit = {0};
    enum err err = db_query(ctl->pool, ctl->arena, receiver_unit, &unit);
    if (err)
        return ctl_report(ctl, err);
    const struct section section = {
        .shape = SECTION_LIST, .key = "receivers", .columns = receiver_columns, .rows = unit.rows};
    return show(ctl, &section, 1, NULL);
}

int receiver_enable(struct ctl *ctl)
{
    struct receiver_unit unit = {.name = ctl->id, .enable = true};
    if (!ctl_is_ascii(ctl->id))
        return ctl_refuse(ctl, CTL_MISUSED, "NAME must be one of guichetctl receiver list");
    enum err err = db_transact(ctl->pool, ctl->arena, receiver_unit, &unit);
    if (err)
        return ctl_report(ctl, err);
    if (unit.rows.count == 0)
        return ctl_refuse(ctl, CTL_ABSENT, "there is no receiver %.80s", ctl->id);
    const struct section section = {
        .shape = SECTION_FIELDS, .columns = receiver_columns, .rows = unit.rows};
    return show(ctl, &section, 1, NULL);
}
