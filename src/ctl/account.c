/* user and key commands: who may log in. With nothing to say they say nothing, but as JSON. */
#include "base/address.h"
#include "base/json.h"
#include "ctl/commands.h"
#include "ctl/show.h"
#include "store/users.h"

#include <stdio.h>
#include <string.h>

enum { KEY_MIN = 16, NAME_MAX_CHARS = 64 };

static const struct column user_columns[] = {COLUMN(TEXT, "id", "user"),
                                             COLUMN(TEXT, "name", "name"),
                                             COLUMN(TEXT, "email", "e-mail"),
                                             COLUMN(TEXT, "role", "role"),
                                             COLUMN(TIME, "bannedAt", "banned"),
                                             COLUMN(TIME, "createdAt", "created"),
                                             {0}};
static const struct column key_columns[] = {COLUMN(TEXT, "user", "user"),
                                            COLUMN(TIME, "createdAt", "created"),
                                            COLUMN(TIME, "revokedAt", "revoked"),
                                            {0}};

struct account_unit {
    const struct ctl *ctl;
    int64_t user_id;
    unsigned char key_hash[CRYPT_HASH_BYTES];
    bool ban;
    struct user user;   /* what was found */
    struct api_key key; /* what was found */
    struct inspect_rows rows;
};

static int show_row(const struct account_unit *unit, const struct column *columns)
{
    const struct section section = {
        .shape = SECTION_FIELDS, .columns = columns, .rows = unit->rows};
    return unit->ctl->json ? show(unit->ctl, &section, 1, NULL) : CTL_FINE;
}

static bool read_user(struct account_unit *unit, const char *option)
{
    return ctl_number(ctl_option(unit->ctl, option), &unit->user_id);
}

static int no_number(const struct ctl *ctl, const char *option)
{
    return ctl_refuse(ctl, CTL_MISUSED, "%s must be a user's number", option);
}

static int no_user(const struct account_unit *unit)
{
    return ctl_refuse(unit->ctl, CTL_ABSENT, "there is no user %lld", (long long)unit->user_id);
}

static enum err add_unit(struct db *db, void *context)
{
    struct account_unit *unit = context;
    const char *role = ctl_option(unit->ctl, "--role");
    enum err err = users_put(db, unit->user_id, ctl_option(unit->ctl, "--name"),
                             ctl_option(unit->ctl, "--email"), role == NULL ? "user" : role);
    return err ? err : inspect_one(db, SQL_INSPECT_USER, unit->user_id, &unit->rows);
}

int user_add(struct ctl *ctl)
{
    struct account_unit unit = {.ctl = ctl};
    const char *name = ctl_option(ctl, "--name");
    if (!read_user(&unit, "--id"))
        return no_number(ctl, "--id");
    if (!utf8_valid(name, strlen(name)) || utf8_length(name) > NAME_MAX_CHARS)
        return ctl_refuse(ctl, CTL_MISUSED, "--name must be UTF-8 of up to %d characters",
                          NAME_MAX_CHARS);
    if (!address_valid(ctl_option(ctl, "--email")))
        return ctl_refuse(ctl, CTL_MISUSED,
                          "--email must be an address that mail can be sent to:"
                          " local@domain, of ASCII");
    enum err err = db_transact(ctl->pool, ctl->arena, add_unit, &unit);
    return err ? ctl_report(ctl, err) : show_row(&unit, user_columns);
}

static enum err ban_unit(struct db *db, void *context)
{
    struct account_unit *unit = context;
    enum err err = users_get(db, unit->user_id, &unit->user);
    if (!err && unit->user.id != 0)
        err = users_ban(db, unit->user_id, unit->ban);
    return err ? err : inspect_one(db, SQL_INSPECT_USER, unit->user_id, &unit->rows);
}

static int set_ban(struct ctl *ctl, bool ban)
{
    struct account_unit unit = {.ctl = ctl, .ban = ban};
    if (!read_user(&unit, "--id"))
        return no_number(ctl, "--id");
    enum err err = db_transact(ctl->pool, ctl->arena, ban_unit, &unit);
    if (err)
        return ctl_report(ctl, err);
    return unit.user.id == 0 ? no_user(&unit) : show_row(&unit, user_columns);
}

int user_ban(struct ctl *ctl)
{
    return set_ban(ctl, true);
}

int user_unban(struct ctl *ctl)
{
    return set_ban(ctl, false);
}

/* The key comes from a file: a command line is seen by everybody on the machine. */
static bool read_key(struct account_unit *unit)
{
    char text[SECRET_MAX];
    FILE *file = fopen(ctl_option(unit->ctl, "--key-file"), "re");
    if (file == NULL)
        return false;
    size_t len = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[len] = '\0';
    len = strcspn(text, "\r\n");
    if (len >= KEY_MIN)
        crypt_hmac_sha256(&unit->ctl->settings->api_key_hash_key, text, len, unit->key_hash);
    crypt_wipe(text, sizeof text);
    return len >= KEY_MIN;
}

static int no_key(const struct ctl *ctl)
{
    return ctl_refuse(ctl, CTL_MISUSED, "--key-file must be a file with a key of %d bytes or more",
                      KEY_MIN);
}

static enum err key_add_unit(struct db *db, void *context)
{
    struct account_unit *unit = context;
    enum err err = users_get(db, unit->user_id, &unit->user);
    if (!err && unit->user.id != 0)
        err = users_key_put(db, unit->key_hash, unit->user_id);
    if (!err)
        err = users_key_get(db, unit->key_hash, &unit->key);
    return err ? err : inspect_key(db, unit->key_hash, &unit->rows);
}

int key_add(struct ctl *ctl)
{
    struct account_unit unit = {.ctl = ctl};
    if (!read_user(&unit, "--user"))
        return no_number(ctl, "--user");
    if (!read_key(&unit))
        return no_key(ctl);
    enum err err = db_transact(ctl->pool, ctl->arena, key_add_unit, &unit);
    if (err)
        return ctl_report(ctl, err);
    if (unit.user.id == 0)
        return no_user(&unit);
    if (unit.key.revoked || unit.key.user_id != unit.user_id)
        return ctl_refuse(ctl, CTL_WRONG,
                          "this key has been revoked, or is another user's: make a new one");
    return show_row(&unit, key_columns);
}

static enum err key_revoke_unit(struct db *db, void *context)
{
    struct account_unit *unit = context;
    enum err err = users_key_get(db, unit->key_hash, &unit->key);
    if (!err && unit->key.user_id != 0)
        err = users_key_revoke(db, unit->key_hash);
    return err ? err : inspect_key(db, unit->key_hash, &unit->rows);
}

int key_revoke(struct ctl *ctl)
{
    struct account_unit unit = {.ctl = ctl};
    if (!read_key(&unit))
        return no_key(ctl);
    enum err err = db_transact(ctl->pool, ctl->arena, key_revoke_unit, &unit);
    if (err)
        return ctl_report(ctl, err);
    if (unit.key.user_id == 0)
        return ctl_refuse(ctl, CTL_ABSENT, "there is no such key");
    return show_row(&unit, key_columns);
}
