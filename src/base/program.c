/* Command line and signals of the mains. */
#include "base/program.h"

#include "base/log.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static void refuse_call(const struct program *program)
{
    (void)fputs(program->usage, stderr);
    exit(PROGRAM_MISUSED);
}

void program_start(struct program *program, int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"check-config", no_argument, NULL, 'k'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'v'},
                                            {0}};
    int option;
    log_program(program->name);
    program->config = getenv("GUICHET_CONF");
    if (program->config == NULL || program->config[0] == '\0')
        program->config = CONFIG_DEFAULT;
    (void)signal(SIGPIPE, SIG_IGN); /* a peer that went away is an error of that call, no more */
    while ((option = getopt_long(argc, argv, "+c:", options, NULL)) != -1) {
        if (option == 'c') {
            program->config = optarg;
        } else if (option == 'k') {
            program->check_config = true;
        } else if (option == 'h') {
            (void)fputs(program->usage, stdout);
            exit(EXIT_SUCCESS);
        } else if (option == 'v') {
            (void)printf("%s %s\n", program->name, VERSION);
            exit(EXIT_SUCCESS);
        } else {
            refuse_call(program);
        }
    }
    program->rest = optind;
    if (optind == argc || program->takes_words)
        return;
    (void)fprintf(stderr, "%s: %s: this is not understood\n", program->name, argv[optind]);
    refuse_call(program);
}

/* A limit of 0 does not hold for cores that the system pipes to a program; a limit of 1 byte does.
 * Where even that is above what we may set, the process is made one that nobody may dump. */
static bool forbid_core(void)
{
    const struct rlimit one_byte = {1, 1};
    return setrlimit(RLIMIT_CORE, &one_byte) == 0 || prctl(PR_SET_DUMPABLE, 0) == 0;
}

enum err program_guard_memory(bool unswappable)
{
    if (!forbid_core())
        return ERR_CONFIG;
    return unswappable && mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0 ? ERR_CONFIG
                                                                                : ERR_NONE;
}

sigset_t program_end_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGQUIT); /* what multiwatch 1.0.0 sends when told -s TERM */
    return set;
}

void program_block_end(void)
{
    const sigset_t set = program_end_signals();
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void program_await_end(void)
{
    const sigset_t set = program_end_signals();
    int signal_number;
    (void)sigwait(&set, &signal_number);
}
