/* review list, show and resolve: what only a person can decide. */
#include "flow/review.h"

#include "ctl/commands.h"
#include "ctl/messages.h"

#include <string.h>

const struct column review_columns[] = {COLUMN(NUMBER, "id", "id"),
                                        COLUMN(TIME, "createdAt", "since"),
                                        COLUMN(TEXT, "state", "state"),
                                        COLUMN(TEXT, "kind", "kind"),
                                        COLUMN(TEXT, "paymentId", "payment"),
                                        COLUMN_ASIDE(TEXT, "provider", "provider"),
                                        COLUMN(TEXT, "says", "says"),
                                        COLUMN_ASIDE(NUMBER, "notice", "notice (inbox)"),
                                        COLUMN_ASIDE(TIME, "resolvedAt", "resolved"),
                                        COLUMN_ASIDE(TEXT, "resolvedBy", "by"),
                                        COLUMN_ASIDE(TEXT, "resolution", "resolution"),
                                        COLUMN(TEXT, "note", "note"),
                                        {0}};

int review_list(struct ctl *ctl)
{
    const char *state = ctl_option(ctl, "--state");
    bool all = state != NULL && strcmp(state, "all") == 0;
    struct inspect_messages filter = {.state = all ? NULL : state == NULL ? "open" : state};
    return message_list(ctl, inspect_reviews, &filter, "reviews", review_columns);
}

struct show_unit {
    int64_t id;
    struct inspect_rows rows;
};

static enum err show_unit(struct db *db, void *context)
{
    struct show_unit *unit = context;
    return inspect_one(db, SQL_INSPECT_REVIEW, unit->id, &unit->rows);
}

static int absent(const struct ctl *ctl)
{
    return ctl_refuse(ctl, CTL_ABSENT, "there is no review %s", ctl->id);
}

int review_show(struct ctl *ctl)
{
    struct show_unit unit = {0};
    if (!message_id(ctl, &unit.id))
        return CTL_MISUSED;
    enum err err = db_query(ctl->pool, ctl->arena, show_unit, &unit);
    if (err)
        return ctl_report(ctl, err);
    if (unit.rows.count == 0)
        return absent(ctl);
    const struct section section = {
        .shape = SECTION_FIELDS, .columns = review_columns, .rows = unit.rows};
    return show(ctl, &section, 1, NULL);
}

int review_decide(struct ctl *ctl)
{
    struct context context = {.settings = ctl->settings, .pool = ctl->pool};
    const char *by, *why, *problem = NULL;
    bool accept = strcmp(ctl_option(ctl, "--as"), "accepted") == 0;
    int64_t id;
    if (!message_id(ctl, &id) || (by = ctl_operator(ctl)) == NULL || (why = ctl_why(ctl)) == NULL)
        return CTL_MISUSED;
    enum err err = review_resolve(&context, ctl->arena, id, accept, by, why, &problem);
    if (err == ERR_NOT_FOUND)
        return absent(ctl);
    if (err == ERR_CONFLICT)
        return ctl_refuse(ctl, CTL_WRONG, "not resolved: %s", problem);
    return err ? ctl_report(ctl, err) : review_show(ctl);
}
