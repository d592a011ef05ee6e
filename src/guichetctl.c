/* guichetctl: the operator's tool. Reads the settings and hands over to ctl. */
#include "base/program.h"
#include "ctl/ctl.h"

#include <stdio.h>
#include <stdlib.h>

/* A long list is a lot of text, which is written once as it is and once made safe to look at. */
enum { CTL_ARENA_BYTES = 64 * ARENA_BYTES };

static int run(const struct program *program, struct settings *settings, struct ctl *ctl,
               char **words)
{
    if (settings_read(program->config, settings, stderr) != ERR_NONE)
        return CTL_WRONG;
    if (program->check_config) {
        (void)printf("%s: fine\n", program->config);
        return CTL_FINE;
    }
    if (!secret_is_set(&settings->database.admin_password))
        return ctl_refuse(ctl, CTL_MISUSED,
                          "%s lacks database.admin_password_file: name other settings with -c,"
                          " guichetctl.conf as a rule",
                          program->config);
    ctl->settings = settings;
    ctl->pool = db_pool_new(settings, true);
    int status = ctl->pool == NULL ? ctl_report(ctl, ERR_OVERLOAD) : ctl_run(ctl, words);
    db_pool_free(ctl->pool);
    return status;
}

int main(int argc, char **argv)
{
    static struct settings settings;
    struct ctl ctl = {.arena = arena_new(CTL_ARENA_BYTES)};
    if (ctl.arena == NULL)
        return CTL_WRONG;
    struct program program = {
        .name = "guichetctl", .usage = ctl_usage(ctl.arena), .takes_words = true};
    program_start(&program, argc, argv);
    int status = run(&program, &settings, &ctl, argv + program.rest);
    arena_free(ctl.arena);
    return status;
}
