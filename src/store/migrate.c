/* Applies migrations under a lock of the database, so that two admins cannot do it at once.
 * DDL commits by itself: every statement of a file must be repeatable. */
#include "store/migrate.h"

#include "base/crypt.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 256 * 1024, PATH_BYTES = 1024, VERSION_DIGITS = 4 };

struct migration_file {
    char path[PATH_BYTES];
    const char *name; /* inside path */
    char *text;
    size_t len;
    char checksum[2 * CRYPT_HASH_BYTES + 1];
};

struct migrate_unit {
    const char *folder;
    FILE *report;
    char *problem; /* of MIGRATE_PROBLEM_MAX bytes */
    struct arena *arena;
};

static void note(const struct migrate_unit *unit, const char *about, const char *what)
{
    (void)snprintf(unit->problem, MIGRATE_PROBLEM_MAX, "%s: %s", about, what);
}

static int is_migration(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return strspn(entry->d_name, "0123456789") == VERSION_DIGITS && entry->d_name[4] == '_' &&
           len > 9 && strcmp(entry->d_name + len - 4, ".sql") == 0;
}

static enum err read_file(const struct migrate_unit *unit, const char *name,
                          struct migration_file *ret_file)
{
    unsigned char hash[CRYPT_HASH_BYTES];
    int len = snprintf(ret_file->path, PATH_BYTES, "%s/%s", unit->folder, name);
    FILE *file = len < PATH_BYTES ? fopen(ret_file->path, "re") : NULL;
    ret_file->text = arena_alloc(unit->arena, FILE_MAX_BYTES);
    if (file == NULL || ret_file->text == NULL) {
        note(unit, ret_file->path, strerror(errno));
        if (file != NULL)
            (void)fclose(file);
        return ERR_CONFIG;
    }
    ret_file->name = ret_file->path + strlen(unit->folder) + 1;
    ret_file->len = fread(ret_file->text, 1, FILE_MAX_BYTES, file);
    (void)fclose(file);
    crypt_sha256(ret_file->text, ret_file->len, hash);
    hex_encode(hash, sizeof hash, ret_file->checksum);
    if (ret_file->len < FILE_MAX_BYTES)
        return ERR_NONE;
    note(unit, ret_file->path, "too large");
    return ERR_CONFIG;
}

static enum err run_file(struct db *db, const struct migrate_unit *unit,
                         const struct migration_file *file)
{
    enum err err = db_script(db, file->text, file->len);
    if (err)
        note(unit, file->path, db_last_problem());
    return err;
}

static enum err apply(struct db *db, const struct migrate_unit *unit,
                      const struct migration_file *file)
{
    int64_t version = strtoll(file->name, NULL, 10);
    enum err err = ERR_NONE;
    if (version == 0) /* makes the table that the others are noted in */
        return run_file(db, unit, file);
    err = db_run(db, SQL_MIGRATION_GET, DB_INT(version));
    if (err)
        return err;
    if (db_next(db)) {
        if (strcmp(db_text(db, 0), file->checksum) == 0)
            return ERR_NONE;
        note(unit, file->path, "changed since it was applied; add a new file instead");
        return ERR_CONFIG;
    }
    err = run_file(db, unit, file);
    if (!err)
        err = db_run(db, SQL_MIGRATION_INSERT, DB_INT(version), DB_TEXT(file->name),
                     DB_TEXT(file->checksum));
    if (!err)
        (void)fprintf(unit->report, "applied %s\n", file->name);
    return err;
}

static enum err apply_named(struct db *db, const struct migrate_unit *unit, const char *name,
                            enum err (*run)(struct db *, const struct migrate_unit *,
                                            const struct migration_file *))
{
    struct migration_file file;
    arena_reset(unit->arena);
    enum err err = read_file(unit, name, &file);
    return err ? err : run(db, unit, &file);
}

static enum err migrate_unit(struct db *db, void *context)
{
    const struct migrate_unit *unit = context;
    struct dirent **entries;
    enum err err = db_run_plain(db, SQL_MIGRATION_LOCK);
    if (err)
        return err;
    if (!db_next(db) || db_int(db, 0) != 1) {
        note(unit, "migrate",
             "another one is at work on this database; try again when it has ended");
        return ERR_CONFLICT;
    }
    int count = scandir(unit->folder, &entries, is_migration, alphasort);
    if (count < 0) {
        note(unit, unit->folder, strerror(errno));
        return ERR_CONFIG;
    }
    for (int i = 0; i < count; i++) {
        if (!err)
            err = apply_named(db, unit, entries[i]->d_name, apply);
        free(entries[i]);
    }
    free(entries);
    return err ? err : apply_named(db, unit, "grants.sql", run_file);
}

enum err migrate_run(struct db_pool *pool, struct arena *arena, const char *folder, FILE *report,
                     char ret_problem[MIGRATE_PROBLEM_MAX])
{
    struct migrate_unit unit = {folder, report, ret_problem, arena};
    ret_problem[0] = '\0';
    enum err err = db_query(pool, arena, migrate_unit, &unit);
    if (err && ret_problem[0] == '\0')
        (void)snprintf(ret_problem, MIGRATE_PROBLEM_MAX, "%s", db_last_problem());
    return err;
}
