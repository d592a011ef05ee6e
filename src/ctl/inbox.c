/* inbox list, show and retry: notices of providers, and another try of those not understood. */
#include "base/json.h"
#include "ctl/commands.h"
#include "ctl/messages.h"
#include "provider/provider.h"
#include "store/messages.h"

#include <stdio.h>

const struct column notice_columns[] = {COLUMN(NUMBER, "id", "id"),
                                        COLUMN(TIME, "receivedAt", "received"),
                                        COLUMN(TEXT, "provider", "provider"),
                                        COLUMN(TEXT, "state", "state"),
                                        COLUMN_ASIDE(NUMBER, "copies", "copies"),
                                        COLUMN(NUMBER, "tries", "tries"),
                                        COLUMN_ASIDE(TIME, "dueAt", "due"),
                                        COLUMN(TEXT, "reference", "names"),
                                        COLUMN(TEXT, "note", "note"),
                                        {0}};
static const struct column body_columns[] = {
    COLUMN(BLOCK, "body", "body, as the provider sent it (may hold a payer's personal data)"),
    COLUMN(BLOCK, "bodyHex", "body, which is no text (may hold a payer's personal data)"),
    {0}};

int inbox_list(struct ctl *ctl)
{
    struct inspect_messages filter = {.state = ctl_option(ctl, "--state"),
                                      .party = ctl_option(ctl, "--provider")};
    if (filter.party != NULL && !provider_is_known(filter.party))
        return ctl_refuse(ctl, CTL_MISUSED, "--provider: there is no such provider");
    return message_list(ctl, inspect_notices, &filter, "notices", notice_columns);
}

struct show_unit {
    int64_t id;
    struct inspect_rows rows;
    const char *body;
    size_t len;
};

static enum err show_unit(struct db *db, void *context)
{
    struct show_unit *unit = context;
    enum err err = inspect_one(db, SQL_INSPECT_NOTICE, unit->id, &unit->rows);
    return err ? err : inspect_notice_body(db, unit->id, &unit->body, &unit->len);
}

static int absent(const struct ctl *ctl)
{
    return ctl_refuse(ctl, CTL_ABSENT, "there is no notice %s", ctl->id);
}

/* A body that is no text, or holds a NUL, is shown by its digits. */
static const char *digits_of(const struct ctl *ctl, const char *body, size_t len)
{
    char *text = arena_alloc(ctl->arena, 2 * len + 1);
    if (text != NULL)
        hex_encode(body, len, text);
    return text;
}

int inbox_show(struct ctl *ctl)
{
    struct show_unit unit = {0};
    if (!message_id(ctl, &unit.id))
        return CTL_MISUSED;
    enum err err = db_snapshot(ctl->pool, ctl->arena, show_unit, &unit);
    if (err)
        return ctl_report(ctl, err);
    if (unit.rows.count == 0)
        return absent(ctl);
    const char *body[2] = {unit.body, NULL};
    if (!utf8_valid(unit.body, unit.len)) {
        body[0] = NULL;
        body[1] = digits_of(ctl, unit.body, unit.len);
        if (body[1] == NULL)
            return ctl_report(ctl, ERR_OVERLOAD);
    }
    const struct section sections[] = {
        {.shape = SECTION_FIELDS, .columns = notice_columns, .rows = unit.rows},
        {.shape = SECTION_FIELDS, .columns = body_columns, .rows = {1, 2, body}}};
    return show(ctl, sections, 2, NULL);
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
    char payment_id[IDENT_MAX], what[64];
    enum err err = inbox_retry(db, unit->id, &unit->retried, payment_id);
    (void)snprintf(what, sizeof what, "notice %lld again", (long long)unit->id);
    if (!err && unit->retried == RETRIED)
        err = message_note(db, payment_id, what, unit->operator_name);
    return err ? err : inspect_one(db, SQL_INSPECT_NOTICE, unit->id, &unit->rows);
}

int inbox_again(struct ctl *ctl)
{
    struct retry_unit unit = {.operator_name = ctl_operator(ctl)};
    if (unit.operator_name == NULL || !message_id(ctl, &unit.id))
        return CTL_MISUSED;
    enum err err = db_transact(ctl->pool, ctl->arena, retry_unit, &unit);
    if (err)
        return ctl_report(ctl, err);
    if (unit.retried == RETRIED_NONE)
        return absent(ctl);
    if (unit.retried == RETRIED_NOT)
        return ctl_refuse(ctl, CTL_WRONG, "notice %s is done: there is nothing to try", ctl->id);
    const struct section section = {
        .shape = SECTION_FIELDS, .columns = notice_columns, .rows = unit.rows};
    return show(ctl, &section, 1, NULL);
}
