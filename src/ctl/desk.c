/* provider check, payin and wire: what an operator asks of a provider itself. These call it, so the
 * settings must name its secrets. */
#include "provider/provider.h"

#include "ctl/commands.h"
#include "ctl/show.h"
#include "flow/hooks.h"

#include <string.h>

enum { ANSWER_BYTES = ARENA_BYTES };

static const struct column hook_columns[] = {
    COLUMN(TEXT, "name", "provider"),      COLUMN(NUMBER, "kinds", "kinds of notices"),
    COLUMN(NUMBER, "wrong", "were wrong"), COLUMN(NUMBER, "mended", "are mended"),
    COLUMN(NUMBER, "missed", "missed"),    {0}};

static const char *number_text(struct arena *arena, int64_t number)
{
    struct ident_text text = ident_text(number);
    return arena_strndup(arena, text.text, strlen(text.text));
}

static int show_hooks(struct ctl *ctl, const char *name, const struct hooks_found *found,
                      int64_t missed)
{
    const char *cells[] = {name, number_text(ctl->arena, (int64_t)found->kinds),
                           number_text(ctl->arena, (int64_t)found->wrong),
                           number_text(ctl->arena, (int64_t)found->mended),
                           number_text(ctl->arena, missed)};
    struct section section = {.shape = SECTION_FIELDS,
                              .columns = hook_columns,
                              .rows = {.columns = 5, .count = 1, .cells = cells}};
    return show(ctl, &section, 1, NULL);
}

/* driver: NULL, or one that has nothing of the kind. */
static int refuse_provider(const struct ctl *ctl, const struct provider_driver *driver)
{
    if (!provider_is_known(ctl->id))
        return ctl_refuse(ctl, CTL_ABSENT, "there is no provider %.80s", ctl->id);
    return ctl_refuse(ctl, CTL_WRONG,
                      driver == NULL
                          ? "these settings lack the secrets of %.80s: add its section of"
                            " guichet.conf, or name settings that have it with -c"
                          : "%.80s has no such thing",
                      ctl->id);
}

int provider_check_hooks(struct ctl *ctl)
{
    const struct provider_driver *driver = provider_find(ctl->settings, ctl->id);
    struct hooks_found found, swept = {0};
    if (driver == NULL || driver->hooks == NULL)
        return refuse_provider(ctl, driver);
    struct context *context = context_new(ctl->settings, ctl->pool);
    struct arena *own = arena_new(ANSWER_BYTES); /* it is reset, which ours must not be */
    enum err err = context == NULL || own == NULL ? ERR_OVERLOAD : ERR_NONE;
    if (!err)
        err = hooks_check(context, own, driver, &found);
    if (!err)
        err = hooks_sweep(context, own, driver, &swept);
    arena_free(own);
    context_free(context);
    if (err == ERR_PROVIDER_UNAVAILABLE)
        return ctl_refuse(ctl, CTL_WRONG, "%s cannot be asked, or does not let us mend its hooks",
                          driver->name);
    return err ? ctl_report(ctl, err) : show_hooks(ctl, driver->name, &found, swept.missed);
}

/* --- one call, and the words of its answer --- */

/* Columns are made of the words: each is one. */
static int show_words(struct ctl *ctl, const struct provider_word *words, size_t count)
{
    struct column *columns = arena_alloc(ctl->arena, (count + 1) * sizeof *columns);
    const char **cells = arena_alloc(ctl->arena, (count + 1) * sizeof *cells);
    if (columns == NULL || cells == NULL)
        return ctl_report(ctl, ERR_OVERLOAD);
    for (size_t i = 0; i < count; i++) {
        columns[i] = (struct column)COLUMN(TEXT, words[i].name, words[i].name);
        cells[i] = words[i].text;
    }
    columns[count] = (struct column){0};
    struct section section = {.shape = SECTION_FIELDS,
                              .columns = columns,
                              .rows = {.columns = count, .count = 1, .cells = cells}};
    return show(ctl, &section, 1, NULL);
}

static int ask(struct ctl *ctl, const struct provider_driver *driver, struct httpc_request *request)
{
    struct provider_word words[PROVIDER_WORDS_MAX];
    struct httpc_answer answer;
    size_t count = 0;
    struct context *context = context_new(ctl->settings, ctl->pool);
    if (context == NULL)
        return ctl_report(ctl, ERR_OVERLOAD);
    provider_call(driver, ctl->settings, context->client, ctl->arena, request, &answer);
    context_free(context);
    if (answer.result != HTTPC_ANSWERED)
        return ctl_refuse(ctl, CTL_WRONG, "%s: %s", driver->name, answer.problem);
    if (answer.status == 404)
        return ctl_refuse(ctl, CTL_ABSENT, "%s does not know it", driver->name);
    if (!driver->desk->words(ctl->arena, &answer, words, &count))
        return ctl_refuse(ctl, CTL_WRONG, "%s answered %d", driver->name, answer.status);
    return show_words(ctl, words, count);
}

int provider_show_payin(struct ctl *ctl)
{
    const struct provider_driver *driver = provider_find(ctl->settings, ctl->id);
    struct httpc_request request = {0};
    if (driver == NULL || driver->desk == NULL)
        return refuse_provider(ctl, driver);
    enum err err =
        driver->desk->look(ctl->settings, ctl->arena, ctl_option(ctl, "--payin"), &request);
    return err ? ctl_report(ctl, err) : ask(ctl, driver, &request);
}

int provider_wire(struct ctl *ctl)
{
    const struct provider_driver *driver = provider_find(ctl->settings, ctl->id);
    struct httpc_request request = {0};
    struct money amount;
    int64_t units;
    if (driver == NULL || driver->desk == NULL)
        return refuse_provider(ctl, driver);
    if (!ctl_number(ctl_option(ctl, "--amount"), &units) ||
        !money_make(units, ctl_option(ctl, "--currency"), &amount))
        return ctl_refuse(ctl, CTL_MISUSED, "--amount and --currency are not an amount");
    enum err err = driver->desk->wire(ctl->settings, ctl->arena, ctl_option(ctl, "--wallet"),
                                      &amount, &request);
    return err ? ctl_report(ctl, err) : ask(ctl, driver, &request);
}
