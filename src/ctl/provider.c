/* provider list, enable and disable: the switch of each provider, and its breaker. Which providers
 * are configured stands in the handlers' settings, which an operator's need not have. */
#include "provider/provider.h"

#include "ctl/commands.h"
#include "ctl/show.h"
#include "store/providers.h"

#include <string.h>

static const struct column provider_columns[] = {COLUMN(TEXT, "name", "provider"),
                                                 COLUMN(BOOL, "disabled", "disabled"),
                                                 COLUMN(TEXT, "breaker", "breaker"),
                                                 COLUMN(NUMBER, "retryAfter", "asks in s"),
                                                 COLUMN(TIME, "openedAt", "opened"),
                                                 COLUMN_ASIDE(TEXT, "reason", "because"),
                                                 COLUMN(TIME, "switchedAt", "switched"),
                                                 COLUMN(TEXT, "switchedBy", "by"),
                                                 COLUMN(TEXT, "why", "why"),
                                                 {0}};
enum { COLUMNS = sizeof provider_columns / sizeof provider_columns[0] - 1 };

struct records_unit {
    const char *name; /* whom to switch; NULL: nobody */
    bool enable;
    const char *by, *why;
    struct provider_record records[PROVIDERS_MAX];
    size_t count;
};

static enum err records_unit(struct db *db, void *context)
{
    struct records_unit *unit = context;
    enum err err = ERR_NONE;
    if (unit->name != NULL)
        err = unit->enable ? providers_enable(db, unit->name, unit->by, unit->why)
                           : providers_disable(db, unit->name, unit->by, unit->why);
    return err ? err : providers_list(db, PROVIDERS_MAX, unit->records, &unit->count);
}

/* The breaker alone, whatever the switch says. */
static const char *breaker_word(struct breaker breaker)
{
    static const char *const words[] = {
        [BREAKER_CLOSED] = "closed",       [BREAKER_DISABLED] = "closed",  [BREAKER_OPEN] = "open",
        [BREAKER_HALF_OPEN] = "half-open", [BREAKER_PROBED] = "half-open",
    };
    breaker.disabled = false;
    return words[breaker_state(&breaker)];
}

static const char *or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

static void fill_row(struct arena *arena, const struct provider_record *record, const char **cells)
{
    struct breaker breaker = record->breaker;
    breaker.disabled = false;
    struct ident_text wait = ident_text(breaker_wait_s(&breaker));
    cells[1] = record->breaker.disabled ? "1" : "0";
    cells[2] = breaker_word(record->breaker);
    cells[3] = breaker.open ? arena_strndup(arena, wait.text, strlen(wait.text)) : NULL;
    cells[4] = or_null(record->opened_at);
    cells[5] = or_null(record->reason);
    cells[6] = or_null(record->switched_at);
    cells[7] = or_null(record->switched_by);
    cells[8] = or_null(record->switch_note);
}

/* A row for every provider that there is, or for the one of that name. */
static bool make_rows(const struct ctl *ctl, const struct records_unit *unit, const char *name,
                      struct inspect_rows *ret_rows)
{
    static const struct provider_record nothing = {
        .switched_by = "", .switch_note = "", .switched_at = "", .opened_at = "", .reason = ""};
    const struct provider_driver *driver;
    const char **cells = arena_alloc(ctl->arena, (size_t)PROVIDERS_MAX * COLUMNS * sizeof *cells);
    struct inspect_rows rows = {.columns = COLUMNS, .cells = cells};
    for (size_t i = 0; cells != NULL && (driver = provider_at(i)) != NULL; i++) {
        const struct provider_record *record = &nothing;
        if (name != NULL && strcmp(name, driver->name) != 0)
            continue;
        for (size_t k = 0; k < unit->count; k++)
            if (strcmp(unit->records[k].provider, driver->name) == 0)
                record = &unit->records[k];
        cells[rows.count * COLUMNS] = driver->name;
        fill_row(ctl->arena, record, &cells[rows.count++ * COLUMNS]);
    }
    *ret_rows = rows;
    return cells != NULL;
}

int provider_list(struct ctl *ctl)
{
    struct records_unit unit = {0};
    struct section section = {
        .shape = SECTION_LIST, .key = "providers", .columns = provider_columns};
    enum err err = db_query(ctl->pool, ctl->arena, records_unit, &unit);
    if (err || !make_rows(ctl, &unit, NULL, &section.rows))
        return ctl_report(ctl, err ? err : ERR_OVERLOAD);
    return show(ctl, &section, 1, NULL);
}

static int flip(struct ctl *ctl, bool enable)
{
    bool silent = enable && ctl_option(ctl, "--why") == NULL;
    struct records_unit unit = {.name = ctl->id, .enable = enable, .why = ""};
    struct section section = {.shape = SECTION_FIELDS, .columns = provider_columns};
    if (!provider_is_known(ctl->id))
        return ctl_refuse(ctl, CTL_ABSENT, "there is no provider %.80s", ctl->id);
    unit.by = ctl_operator(ctl);
    if (unit.by == NULL || (!silent && (unit.why = ctl_why(ctl)) == NULL))
        return CTL_MISUSED;
    enum err err = db_transact(ctl->pool, ctl->arena, records_unit, &unit);
    if (err || !make_rows(ctl, &unit, ctl->id, &section.rows))
        return ctl_report(ctl, err ? err : ERR_OVERLOAD);
    return show(ctl, &section, 1, NULL);
}

int provider_enable(struct ctl *ctl)
{
    return flip(ctl, true);
}

int provider_disable(struct ctl *ctl)
{
    return flip(ctl, false);
}
