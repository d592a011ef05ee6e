/* The command line of guichetctl: which command, with what, and the words for what is wrong with
 * it. Must not know any command by name. */
#include "ctl/ctl.h"

#include "base/json.h"
#include "base/program.h"
#include "ctl/show.h"
#include "domain/digits.h"
#include "flow/review.h"

#include <assert.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { USAGE_BYTES = 16 * 1024, MESSAGE_BYTES = 2048, DOES_COLUMN = 34 };

/* One word of what a command takes: what it is about, or an option with its value. */
struct taken {
    const char *name, *value;
    size_t name_len, value_len;
    bool required, option;
};

static bool next_taken(const char **at, struct taken *ret_taken)
{
    const char *text = *at + strspn(*at, " ");
    struct taken taken = {.required = *text != '['};
    if (*text == '\0')
        return false;
    taken.name = text + !taken.required;
    taken.name_len = strcspn(taken.name, " ]");
    taken.option = *taken.name == '-';
    text = taken.name + taken.name_len;
    if (taken.option) {
        taken.value = text + 1;
        taken.value_len = strcspn(taken.value, " ]");
        text = taken.value + taken.value_len;
    }
    *at = text + (*text == ']');
    *ret_taken = taken;
    return true;
}

static bool find_taken(const char *takes, const char *name, struct taken *ret_taken)
{
    while (next_taken(&takes, ret_taken))
        if (strlen(name) == ret_taken->name_len &&
            strncmp(name, ret_taken->name, ret_taken->name_len) == 0)
            return true;
    return false;
}

/* What the command is about, if it takes such a word. */
static bool takes_subject(const char *takes)
{
    struct taken taken;
    while (next_taken(&takes, &taken))
        if (!taken.option)
            return true;
    return false;
}

/* Is the word one of the value's, "done|dead", or is the value for anything? */
static bool value_fits(const struct taken *taken, const char *word)
{
    const char *choice = taken->value, *end = choice + taken->value_len;
    assert(choice != NULL);
    if (memchr(choice, '|', taken->value_len) == NULL)
        return true;
    for (; choice < end; choice += strcspn(choice, "| ]") + 1)
        if (strcspn(choice, "| ]") == strlen(word) && strncmp(choice, word, strlen(word)) == 0)
            return true;
    return false;
}

static void add_call(struct buf *buf, const struct ctl_command *command)
{
    buf_puts(buf, command->first);
    buf_printf(buf, "%s%s", command->second[0] == '\0' ? "" : " ", command->second);
    buf_printf(buf, "%s%s", command->takes[0] == '\0' ? "" : " ", command->takes);
}

const char *ctl_usage(struct arena *arena)
{
    struct buf buf;
    buf_init(&buf, arena, USAGE_BYTES);
    buf_puts(&buf, "usage: guichetctl [-c FILE] COMMAND [--json]\n");
    for (size_t i = 0; i < ctl_commands_count; i++) {
        size_t start = buf.len;
        buf_puts(&buf, "  ");
        add_call(&buf, &ctl_commands[i]);
        if (buf.len - start >= DOES_COLUMN) {
            buf_puts(&buf, "\n");
            start = buf.len;
        }
        buf_printf(&buf, "%*s%s\n", (int)(DOES_COLUMN - (buf.len - start)), "",
                   ctl_commands[i].does);
    }
    buf_puts(
        &buf,
        "  --json              print one JSON document\n"
        "  --by NAME           who you are, for the timeline (default: whom sudo or the login\n"
        "                      names)\n"
        "  -c, --config FILE   settings (default $GUICHET_CONF, or " CONFIG_DEFAULT ")\n"
        "  --check-config      read the settings, say what is wrong, and end\n"
        "  --version, --help\n"
        "Ends with 0 when all is well, 1 when not, 2 when it was called wrongly, 3 when what it\n"
        "was asked about is not there.\n");
    return buf_text(&buf);
}

static void refuse(const struct ctl *ctl, const char *message)
{
    struct buf safe, text;
    buf_init(&safe, ctl->arena, USAGE_BYTES);
    show_safe(&safe, message, strlen(message));
    if (!ctl->json) {
        (void)fprintf(stderr, "guichetctl: %s\n", buf_text(&safe));
        return;
    }
    buf_init(&text, ctl->arena, USAGE_BYTES);
    struct json_out *out = json_out_new(ctl->arena, &text);
    if (out == NULL)
        return;
    json_out_object(out, NULL);
    json_out_text(out, "error", buf_text(&safe));
    json_out_close_object(out);
    if (json_out_end(out) == ERR_NONE)
        (void)fprintf(stderr, "%s\n", buf_text(&text));
}

int ctl_refuse(const struct ctl *ctl, enum ctl_exit status, const char *format, ...)
{
    char message[MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    refuse(ctl, message);
    return (int)status;
}

int ctl_report(const struct ctl *ctl, enum err err)
{
    if (!err)
        return CTL_FINE;
    if (err == ERR_OVERLOAD)
        return ctl_refuse(ctl, CTL_WRONG, "that is too much for one answer");
    if (err == ERR_DB_LOST)
        return ctl_refuse(ctl, CTL_WRONG,
                          "it is not known whether this was done: look, or say it again: %s",
                          db_last_problem());
    return ctl_refuse(ctl, CTL_WRONG, "%s: %s", err_message(err), db_last_problem());
}

const char *ctl_option(const struct ctl *ctl, const char *name)
{
    for (size_t i = 0; i < ctl->options_count; i++)
        if (strcmp(ctl->options[i].name, name) == 0)
            return ctl->options[i].value;
    return NULL;
}

bool ctl_number(const char *text, int64_t *ret_number)
{
    *ret_number = 0;
    return text == NULL || (digits_parse(text, strlen(text), ret_number) && *ret_number > 0);
}

bool ctl_limit(const struct ctl *ctl, int64_t *ret_limit)
{
    const char *text = ctl_option(ctl, "--limit");
    if (!ctl_number(text, ret_limit) || *ret_limit > CTL_LIMIT_MAX) {
        (void)ctl_refuse(ctl, CTL_MISUSED, "--limit must be a number from 1 to %d", CTL_LIMIT_MAX);
        return false;
    }
    if (text == NULL)
        *ret_limit = CTL_LIMIT;
    return true;
}

bool ctl_is_ascii(const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

/* Whom sudo names, else the login, else whose process this is. */
static const char *default_operator(void)
{
    const char *name = getenv("SUDO_USER");
    if (name == NULL || name[0] == '\0')
        name = getlogin();
    const struct passwd *account = name == NULL ? getpwuid(getuid()) : NULL;
    return account == NULL ? name : account->pw_name;
}

/* A text that can stand in a timeline: some printable bytes, fewer than size. */
static bool is_fit(const struct ctl *ctl, const char *text, size_t size)
{
    struct buf safe;
    if (text == NULL || text[0] == '\0' || strlen(text) >= size)
        return false;
    buf_init(&safe, ctl->arena, USAGE_BYTES);
    show_safe(&safe, text, strlen(text));
    return strcmp(buf_text(&safe), text) == 0;
}

const char *ctl_operator(const struct ctl *ctl)
{
    const char *given = ctl_option(ctl, "--by"), *name = given == NULL ? default_operator() : given;
    if (is_fit(ctl, name, OPERATOR_NAME_MAX))
        return name;
    (void)ctl_refuse(ctl, CTL_MISUSED, "say who you are: --by NAME, of 1 to %d printable bytes",
                     OPERATOR_NAME_MAX - 1);
    return NULL;
}

const char *ctl_why(const struct ctl *ctl)
{
    const char *why = ctl_option(ctl, "--why");
    if (is_fit(ctl, why, OPERATOR_WHY_MAX + 1))
        return why;
    (void)ctl_refuse(ctl, CTL_MISUSED, "say why: --why TEXT, of 1 to %d printable bytes",
                     OPERATOR_WHY_MAX);
    return NULL;
}

/* Reads the word, and the value after it, as something that the command takes. NULL: fine. */
static const char *take_word(struct ctl *ctl, char ***words)
{
    struct taken taken;
    const char *word = *(*words)++;
    if (strcmp(word, "--json") == 0) {
        ctl->json = true;
        return NULL;
    }
    if (word[0] != '-' && ctl->id == NULL && takes_subject(ctl->command->takes)) {
        ctl->id = word;
        return NULL;
    }
    if (word[0] != '-' || !find_taken(ctl->command->takes, word, &taken))
        return "this is not understood";
    if (**words == NULL || strncmp(**words, "--", 2) == 0)
        return "its value is missing";
    if (ctl_option(ctl, word) != NULL)
        return "given twice";
    if (!value_fits(&taken, **words))
        return "its value is none of those possible";
    assert(ctl->options_count < CTL_OPTIONS_MAX);
    ctl->options[ctl->options_count].name = word;
    ctl->options[ctl->options_count++].value = *(*words)++;
    return NULL;
}

/* "": all is there. */
static void name_missing(const struct ctl *ctl, char *missing, size_t size)
{
    struct taken taken;
    const char *takes = ctl->command->takes;
    missing[0] = '\0';
    while (missing[0] == '\0' && next_taken(&takes, &taken)) {
        char name[32];
        (void)snprintf(name, sizeof name, "%.*s", (int)taken.name_len, taken.name);
        if (taken.required && (taken.option ? ctl_option(ctl, name) : ctl->id) == NULL)
            (void)text_copy(missing, size, name);
    }
}

/* Do these words fit the command? If not, the problem says why. */
static bool command_fits(struct ctl *ctl, char **words, char *problem, size_t size)
{
    char missing[32];
    ctl->options_count = 0;
    ctl->id = NULL;
    ctl->json = false;
    while (*words != NULL) {
        const char *word = *words, *why = take_word(ctl, &words);
        if (why != NULL) {
            (void)snprintf(problem, size, "%.200s: %s", word, why);
            return false;
        }
    }
    name_missing(ctl, missing, sizeof missing);
    if (missing[0] != '\0')
        (void)snprintf(problem, size, "%s is missing", missing);
    return missing[0] == '\0';
}

static bool words_match(const struct ctl_command *command, char **words)
{
    return words[0] != NULL && strcmp(words[0], command->first) == 0 &&
           (command->second[0] == '\0' ||
            (words[1] != NULL && strcmp(words[1], command->second) == 0));
}

static bool has_word(char **words, const char *word)
{
    for (; *words != NULL; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

static bool first_word_matches(const struct ctl_command *command, char **words)
{
    return words[0] != NULL && strcmp(words[0], command->first) == 0;
}

/* The forms of commands that match. */
static void add_forms(struct buf *buf, char **words,
                      bool (*match)(const struct ctl_command *command, char **words))
{
    for (size_t i = 0; i < ctl_commands_count; i++) {
        if (!match(&ctl_commands[i], words))
            continue;
        buf_puts(buf,
                 buf->len == 0 ? "usage: guichetctl [-c FILE] " : "       guichetctl [-c FILE] ");
        add_call(buf, &ctl_commands[i]);
        buf_puts(buf, " [--json]\n");
    }
}

/* How to call what was meant, as near as we can tell. */
static void show_forms(const struct ctl *ctl, char **words)
{
    struct buf buf;
    buf_init(&buf, ctl->arena, USAGE_BYTES);
    add_forms(&buf, words, words_match);
    if (buf.len == 0)
        add_forms(&buf, words, first_word_matches);
    (void)fputs(buf.len == 0 ? ctl_usage(ctl->arena) : buf_text(&buf), stderr);
}

int ctl_run(struct ctl *ctl, char **words)
{
    char problem[MESSAGE_BYTES] = "there is no such command";
    for (size_t i = 0; i < ctl_commands_count; i++) {
        ctl->command = &ctl_commands[i];
        if (words_match(ctl->command, words) &&
            command_fits(ctl, words + (ctl->command->second[0] == '\0' ? 1 : 2), problem,
                         sizeof problem))
            return ctl->command->run(ctl);
    }
    ctl->json = has_word(words, "--json");
    if (words[0] != NULL)
        refuse(ctl, problem);
    if (!ctl->json)
        show_forms(ctl, words);
    return CTL_MISUSED;
}
