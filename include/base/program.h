/* What the mains share: the command line, and a life that TERM ends. */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include "base/err.h"

#include <signal.h>
#include <stdbool.h>

#define CONFIG_DEFAULT "/etc/guichet/guichet.conf"

/* Also that of nginx/www/openapi.json, and of the Debian package, which reads this line. */
#define VERSION "1.0.0"

/* What a program that was called wrongly ends with. */
#define PROGRAM_MISUSED 2

struct program {
    const char *name;  /* also on every log line */
    const char *usage; /* the whole text of --help */
    const char *config;
    bool takes_words; /* may anything follow the options? */
    bool check_config;
    int rest; /* index of the first argument that is no option */
};

/* Reads -c FILE (else GUICHET_CONF of the environment, else CONFIG_DEFAULT), --check-config, --help
 * and --version. The last two end the program, and so does whatever else there is, with the usage.
 */
void program_start(struct program *program, int argc, char **argv);

/* No core is ever written, for it would hold secrets. unswappable: nothing of this process's memory
 * goes to the swap either, from now on. ERR_CONFIG: the system does not allow it. */
enum err program_guard_memory(bool unswappable) MUST_CHECK;

/* TERM, INT and QUIT: what ends our programs. */
sigset_t program_end_signals(void);

/* Blocks them in this thread and all it starts. */
void program_block_end(void);

/* Waits until one of them arrives. */
void program_await_end(void);

#endif
