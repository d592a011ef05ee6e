/* guichetctl's skeleton: the command line by one table, errors and exit codes, the operator's
 * name. Commands are functions of one file per subject (ctl/commands.h). */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include "base/arena.h"
#include "base/err.h"
#include "base/settings.h"
#include "store/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the program ends with. */
enum ctl_exit {
    CTL_FINE,
    CTL_WRONG,   /* something is wrong, or cannot be done */
    CTL_MISUSED, /* called wrongly: PROGRAM_MISUSED */
    CTL_ABSENT,  /* what it is about is not there: a payment, a notice, a user, … */
};

#define CTL_OPTIONS_MAX 8

struct ctl_command;

/* One call. */
struct ctl {
    const struct settings *settings;
    struct db_pool *pool; /* as the account that may change users and tables */
    struct arena *arena;
    const struct ctl_command *command;
    const char *id; /* what the command is about, its word in capitals; NULL: nothing */
    struct {
        const char *name, *value;
    } options[CTL_OPTIONS_MAX];
    size_t options_count;
    bool json;
};

/* A command is a row of ctl_commands. */
struct ctl_command {
    const char *first, *second; /* its words; second "": it has one */
    /* What follows, also as shown to people: "ID --option VALUE [--option VALUE]". Those without
     * brackets must be there; a VALUE with | between words is one of these. */
    const char *takes;
    const char *does;
    int (*run)(struct ctl *ctl); /* returns an enum ctl_exit, after having said why */
};
extern const struct ctl_command ctl_commands[];
extern const size_t ctl_commands_count;

/* The text of --help; lives in the arena. */
const char *ctl_usage(struct arena *arena);

/* Finds the command and runs it. words: all that follows the program's own options. */
int ctl_run(struct ctl *ctl, char **words);

/* The value of an option, NULL when it was not given. */
const char *ctl_option(const struct ctl *ctl, const char *name);

/* A whole number from 1. False when the text is none; a missing text is 0, and fine. */
bool ctl_number(const char *text, int64_t *ret_number);

/* --limit: how many rows a list shows. False: it is none, and that has been said. */
#define CTL_LIMIT     20
#define CTL_LIMIT_MAX 500
bool ctl_limit(const struct ctl *ctl, int64_t *ret_limit);

/* Only printable ASCII, as many columns are; true for NULL. */
bool ctl_is_ascii(const char *text);

/* Says on standard error why not, and gives the status back. */
int ctl_refuse(const struct ctl *ctl, enum ctl_exit status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says what the database said; CTL_FINE for ERR_NONE. */
int ctl_report(const struct ctl *ctl, enum err err);

/* Who is doing this: --by, else whom sudo names, else the login. NULL: no name that could stand in
 * a timeline; said so already. */
const char *ctl_operator(const struct ctl *ctl);

/* --why, the operator's reason; the same of NULL. */
const char *ctl_why(const struct ctl *ctl);

#endif
