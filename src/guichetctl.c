/* guichetctl: the operator's tool. Commands are rows of one table; each runs one unit of work as
 * the database account that may change users and tables. */
#include "base/log.h"
#include "base/program.h"
#include "base/settings.h"
#include "store/ledger.h"
#include "store/migrate.h"
#include "store/users.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: guichetctl [-c FILE] COMMAND\n"
    "  migrate                          bring the database's tables and grants up to date\n"
    "  ledger verify                    prove that the ledger sums to zero and equals the "
    "balances\n"
    "  user add --id N --name TEXT --email TEXT [--role user|operator]\n"
    "  user ban --id N                  refuse this user from now on\n"
    "  user unban --id N\n"
    "  key add --user N --key-file FILE     let the API key in FILE log in as this user\n"
    "  key revoke --key-file FILE\n"
    "  -c, --config FILE   settings (default $GUICHET_CONF, or " CONFIG_DEFAULT ")\n"
    "  --check-config      read the settings, say what is wrong, and end\n"
    "  --version, --help\n"
    "Ends with 0 when all is well, 1 when not, 2 when it was called wrongly.\n";

enum { EXIT_USAGE = 2, KEY_MIN = 16 };

struct command_call {
    const struct settings *settings;
    struct db_pool *pool;
    struct arena *arena;
    char **words; /* what follows the command's name, ends with NULL */
    int64_t user_id;
    unsigned char key_hash[CRYPT_HASH_BYTES];
    bool ban;
    struct user user;   /* what was found */
    struct api_key key; /* what was found */
    int64_t breaks;
};

static int complain(const char *subject, const char *what)
{
    (void)fprintf(stderr, "guichetctl: %s %s\n", subject, what);
    return EXIT_USAGE;
}

static int refuse(const char *why)
{
    (void)fprintf(stderr, "guichetctl: %s\n", why);
    return EXIT_FAILURE;
}

/* The value after a --name, NULL when it is not there. */
static const char *option(const struct command_call *call, const char *name)
{
    for (char **word = call->words; *word != NULL; word++)
        if (strcmp(*word, name) == 0)
            return word[1];
    return NULL;
}

static bool read_user_id(struct command_call *call, const char *name)
{
    const char *text = option(call, name);
    char *end = NULL;
    errno = 0;
    call->user_id = text == NULL ? 0 : strtoll(text, &end, 10);
    return text != NULL && errno == 0 && *end == '\0' && call->user_id > 0;
}

static int report(enum err err)
{
    if (!err)
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "guichetctl: %s: %s\n", err_message(err), db_last_problem());
    return EXIT_FAILURE;
}

static int run_migrate(struct command_call *call)
{
    enum err err =
        migrate_run(call->pool, call->arena, call->settings->database.migrations, stdout);
    return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static enum err verify_unit(struct db *db, void *context)
{
    struct command_call *call = context;
    return ledger_verify(db, stdout, &call->breaks);
}

static int run_ledger_verify(struct command_call *call)
{
    /* one transaction: what is compared must be of one moment */
    int status = report(db_snapshot(call->pool, call->arena, verify_unit, call));
    return status == EXIT_SUCCESS && call->breaks > 0 ? EXIT_FAILURE : status;
}

static enum err user_add_unit(struct db *db, void *context)
{
    const struct command_call *call = context;
    const char *role = option(call, "--role");
    return users_put(db, call->user_id, option(call, "--name"), option(call, "--email"),
                     role == NULL ? "user" : role);
}

static int run_user_add(struct command_call *call)
{
    const char *role = option(call, "--role");
    if (!read_user_id(call, "--id") || option(call, "--name") == NULL ||
        option(call, "--email") == NULL)
        return complain("user add", "needs --id, --name and --email");
    if (role != NULL && strcmp(role, "user") != 0 && strcmp(role, "operator") != 0)
        return complain(role, "is no role: user or operator");
    return report(db_transact(call->pool, call->arena, user_add_unit, call));
}

static enum err user_ban_unit(struct db *db, void *context)
{
    struct command_call *call = context;
    enum err err = users_get(db, call->user_id, &call->user);
    if (err || call->user.id == 0)
        return err;
    return users_ban(db, call->user_id, call->ban);
}

static int set_ban(struct command_call *call, const char *command, bool ban)
{
    call->ban = ban;
    if (!read_user_id(call, "--id"))
        return complain(command, "needs --id");
    int status = report(db_transact(call->pool, call->arena, user_ban_unit, call));
    if (status == EXIT_SUCCESS && call->user.id == 0)
        return refuse("there is no such user");
    return status;
}

static int run_user_ban(struct command_call *call)
{
    return set_ban(call, "user ban", true);
}

static int run_user_unban(struct command_call *call)
{
    return set_ban(call, "user unban", false);
}

/* The key comes from a file: a command line is seen by everybody on the machine. */
static bool read_key(struct command_call *call)
{
    char text[SECRET_MAX];
    const char *path = option(call, "--key-file");
    FILE *file = path == NULL ? NULL : fopen(path, "re");
    if (file == NULL)
        return false;
    size_t len = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[len] = '\0';
    len = strcspn(text, "\r\n");
    if (len >= KEY_MIN)
        crypt_hmac_sha256(&call->settings->api_key_hash_key, text, len, call->key_hash);
    crypt_wipe(text, sizeof text);
    return len >= KEY_MIN;
}

static enum err key_add_unit(struct db *db, void *context)
{
    struct command_call *call = context;
    enum err err = users_get(db, call->user_id, &call->user);
    if (!err && call->user.id != 0)
        err = users_key_put(db, call->key_hash, call->user_id);
    return err ? err : users_key_get(db, call->key_hash, &call->key);
}

static enum err key_revoke_unit(struct db *db, void *context)
{
    struct command_call *call = context;
    enum err err = users_key_get(db, call->key_hash, &call->key);
    return err || call->key.user_id == 0 ? err : users_key_revoke(db, call->key_hash);
}

static int run_key_add(struct command_call *call)
{
    if (!read_user_id(call, "--user") || !read_key(call))
        return complain("key add", "needs --user, and --key-file with a key of 16 bytes or more");
    int status = report(db_transact(call->pool, call->arena, key_add_unit, call));
    if (status == EXIT_SUCCESS && call->user.id == 0)
        return refuse("there is no such user");
    if (status == EXIT_SUCCESS && (call->key.revoked || call->key.user_id != call->user_id))
        return refuse("this key has been revoked, or is another user's: make a new one");
    return status;
}

static int run_key_revoke(struct command_call *call)
{
    if (!read_key(call))
        return complain("key revoke", "needs --key-file, a file with the key");
    int status = report(db_transact(call->pool, call->arena, key_revoke_unit, call));
    if (status == EXIT_SUCCESS && call->key.user_id == 0)
        return refuse("there is no such key");
    return status;
}

static const struct {
    const char *first, *second; /* the command's words; second "": one word */
    const char *options;        /* each takes a value */
    int (*run)(struct command_call *call);
} commands[] = {
    {"migrate", "", "", run_migrate},
    {"ledger", "verify", "", run_ledger_verify},
    {"user", "add", " --id --name --email --role ", run_user_add},
    {"user", "ban", " --id ", run_user_ban},
    {"user", "unban", " --id ", run_user_unban},
    {"key", "add", " --user --key-file ", run_key_add},
    {"key", "revoke", " --key-file ", run_key_revoke},
};

/* Nothing but known options, each with its value. */
static bool words_fit(const char *options, char **words)
{
    for (; *words != NULL; words += 2) {
        char wanted[32];
        int len = snprintf(wanted, sizeof wanted, " %s ", *words);
        if (len >= (int)sizeof wanted || strstr(options, wanted) == NULL || words[1] == NULL)
            return false;
    }
    return true;
}

static int dispatch(struct command_call *call, char **words)
{
    for (size_t i = 0; words[0] != NULL && i < sizeof commands / sizeof commands[0]; i++) {
        bool two = commands[i].second[0] != '\0';
        if (strcmp(words[0], commands[i].first) != 0 ||
            (two && (words[1] == NULL || strcmp(words[1], commands[i].second) != 0)))
            continue;
        call->words = words + (two ? 2 : 1);
        if (words_fit(commands[i].options, call->words))
            return commands[i].run(call);
    }
    (void)fputs(usage, stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    static struct settings settings;
    struct program program = {.name = "guichetctl", .usage = usage};
    if (program_start(&program, argc, argv) != ERR_NONE)
        return EXIT_USAGE;
    if (settings_read(program.config, &settings, stderr) != ERR_NONE)
        return EXIT_FAILURE;
    if (program.check_config) {
        (void)printf("%s: fine\n", program.config);
        return EXIT_SUCCESS;
    }
    if (!secret_is_set(&settings.database.admin_password))
        return complain(program.config, "lacks database.admin_password_file");
    struct command_call call = {.settings = &settings,
                                .pool = db_pool_new(&settings, true),
                                .arena = arena_new(ARENA_BYTES)};
    int status = EXIT_FAILURE;
    if (call.pool != NULL && call.arena != NULL)
        status = dispatch(&call, argv + program.rest);
    db_pool_free(call.pool);
    arena_free(call.arena);
    return status;
}
