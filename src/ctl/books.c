/* migrate and ledger verify: the database as a whole. */
#include "ctl/commands.h"
#include "ctl/show.h"
#include "store/ledger.h"
#include "store/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct column line_columns[] = {COLUMN(TEXT, NULL, ""), {0}};
static const struct column wrong_columns[] = {COLUMN(NUMBER, "wrong", NULL), {0}};

/* What was reported while the command ran, as a document: {"report": [lines], …}. */
static int show_report(const struct ctl *ctl, const char *report, const struct section *more)
{
    struct section sections[2] = {
        {.shape = SECTION_LIST, .key = "report", .columns = line_columns}};
    if (!show_lines(ctl, report, &sections[0].rows))
        return ctl_report(ctl, ERR_OVERLOAD);
    if (sections[0].rows.count == 0 && !ctl->json) /* no news is good news */
        return CTL_FINE;
    if (more != NULL)
        sections[1] = *more;
    return show(ctl, sections, more == NULL ? 1 : 2, NULL);
}

static int migrate_to(struct ctl *ctl, FILE *report)
{
    char problem[MIGRATE_PROBLEM_MAX];
    return migrate_run(ctl->pool, ctl->arena, ctl->settings->database.migrations, report, problem)
               ? ctl_refuse(ctl, CTL_WRONG, "%s", problem)
               : CTL_FINE;
}

int migrate(struct ctl *ctl)
{
    char *text = NULL;
    size_t len = 0;
    if (!ctl->json) /* progress goes out as it is made: a large table may take its time */
        return migrate_to(ctl, stdout);
    FILE *report = open_memstream(&text, &len);
    if (report == NULL)
        return ctl_report(ctl, ERR_OVERLOAD);
    int status = migrate_to(ctl, report);
    (void)fclose(report);
    if (status == CTL_FINE)
        status = show_report(ctl, text, NULL);
    free(text);
    return status;
}

struct verify_unit {
    FILE *report;
    int64_t wrong;
};

static enum err verify_unit(struct db *db, void *context)
{
    struct verify_unit *unit = context;
    rewind(unit->report);
    return ledger_verify(db, unit->report, &unit->wrong);
}

static int show_verified(const struct ctl *ctl, const char *report, int64_t wrong)
{
    char number[24];
    const char *cells[] = {number};
    const struct section section = {
        .shape = SECTION_FIELDS, .columns = wrong_columns, .rows = {1, 1, cells}};
    (void)snprintf(number, sizeof number, "%lld", (long long)wrong);
    int status = show_report(ctl, report, &section);
    return status == CTL_FINE && wrong > 0 ? CTL_WRONG : status;
}

int ledger_check(struct ctl *ctl)
{
    char *text = NULL;
    size_t len = 0;
    struct verify_unit unit = {.report = open_memstream(&text, &len)};
    if (unit.report == NULL)
        return ctl_report(ctl, ERR_OVERLOAD);
    /* one transaction: what is compared must be of one moment */
    enum err err = db_snapshot(ctl->pool, ctl->arena, verify_unit, &unit);
    (void)fclose(unit.report);
    int status = err ? ctl_report(ctl, err) : show_verified(ctl, text, unit.wrong);
    free(text);
    return status;
}
