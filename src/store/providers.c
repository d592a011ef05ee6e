/* Steps over provider_health and provider_calls. */
#include "store/providers.h"

/* The columns are HEALTH_COLUMNS. A breaker whose open_until is NULL is closed. */
static enum err read_record(struct db *db, struct provider_record *ret_record)
{
    db_copy(db, 0, ret_record->provider, sizeof ret_record->provider);
    ret_record->breaker = (struct breaker){.disabled = db_int(db, 1) != 0,
                                           .open = !db_null(db, 6),
                                           .open_left_ms = db_int(db, 6),
                                           .probe_left_ms = db_int(db, 7)};
    ret_record->switched_by = db_keep(db, 2);
    ret_record->switch_note = db_keep(db, 3);
    ret_record->switched_at = db_keep(db, 4);
    ret_record->opened_at = db_keep(db, 5);
    ret_record->reason = db_keep(db, 8);
    return ret_record->switched_by == NULL || ret_record->switch_note == NULL ||
                   ret_record->switched_at == NULL || ret_record->opened_at == NULL ||
                   ret_record->reason == NULL
               ? ERR_OVERLOAD
               : ERR_NONE;
}

enum err providers_list(struct db *db, size_t max, struct provider_record *ret_records,
                        size_t *ret_count)
{
    enum err err = db_run(db, SQL_PROVIDERS, DB_INT((int64_t)max));
    *ret_count = 0;
    while (!err && db_next(db))
        err = read_record(db, &ret_records[(*ret_count)++]);
    return err;
}

static enum err turn(struct db *db, const char *provider, bool disabled, const char *operator_name,
                     const char *note)
{
    return db_run(db, SQL_PROVIDER_SWITCH, DB_TEXT(provider), DB_INT(disabled),
                  DB_TEXT(operator_name), DB_TEXT(note));
}

enum err providers_disable(struct db *db, const char *provider, const char *operator_name,
                           const char *note)
{
    return turn(db, provider, true, operator_name, note);
}

enum err providers_enable(struct db *db, const char *provider, const char *operator_name,
                          const char *note)
{
    enum err err = turn(db, provider, false, operator_name, note);
    return err ? err : providers_close(db, provider);
}

enum err providers_lock(struct db *db, const char *provider, struct breaker *ret_breaker)
{
    struct provider_record record;
    enum err err = db_run(db, SQL_PROVIDER_LOCK, DB_TEXT(provider));
    bool found = !err && db_next(db);
    if (!err && !found) { /* the first time */
        err = db_run(db, SQL_PROVIDER_PUT, DB_TEXT(provider));
        if (!err)
            err = db_run(db, SQL_PROVIDER_LOCK, DB_TEXT(provider));
        found = !err && db_next(db);
    }
    if (!found)
        return err ? err : ERR_DB_CONFLICT;
    err = read_record(db, &record);
    *ret_breaker = record.breaker;
    return err;
}

enum err providers_open(struct db *db, const char *provider, int64_t seconds, const char *reason)
{
    return db_run(db, SQL_PROVIDER_OPEN, DB_INT(seconds), DB_TEXT(reason), DB_TEXT(provider));
}

enum err providers_close(struct db *db, const char *provider)
{
    enum err err = db_run(db, SQL_PROVIDER_CLOSE, DB_TEXT(provider));
    return err ? err : db_run(db, SQL_CALLS_FORGET, DB_TEXT(provider));
}

enum err providers_probe(struct db *db, const char *provider, int64_t probe_id, int64_t lease_ms,
                         bool *ret_taken)
{
    enum err err = db_run(db, SQL_PROVIDER_PROBE, DB_INT(probe_id), DB_INT(lease_ms),
                          DB_TEXT(provider), DB_INT(probe_id));
    *ret_taken = !err && db_affected(db) > 0;
    return err;
}

enum err providers_unprobe(struct db *db, const char *provider, int64_t probe_id)
{
    return db_run(db, SQL_PROVIDER_UNPROBE, DB_TEXT(provider), DB_INT(probe_id));
}

enum err calls_add(struct db *db, const char *provider, const struct breaker_counts *counts)
{
    return db_run(db, SQL_CALLS_ADD, DB_TEXT(provider), DB_INT(counts->calls),
                  DB_INT(counts->failures));
}

enum err calls_window(struct db *db, const char *provider, const struct settings_breaker *rules,
                      struct breaker_counts *ret_window)
{
    enum err err = db_run(db, SQL_CALLS_GET, DB_TEXT(provider));
    *ret_window = (struct breaker_counts){0};
    while (!err && db_next(db)) {
        const struct breaker_counts second = {.calls = db_int(db, 1), .failures = db_int(db, 2)};
        breaker_count(rules, db_int(db, 0), &second, ret_window);
    }
    return err;
}

enum err sweeps_get(struct db *db, const char *provider, int64_t *ret_swept_s)
{
    enum err err = db_run(db, SQL_SWEEP_GET, DB_TEXT(provider));
    *ret_swept_s = !err && db_next(db) ? db_int(db, 0) : 0;
    return err;
}

enum err sweeps_set(struct db *db, const char *provider, int64_t swept_s)
{
    enum err err = db_run(db, SQL_SILENCE_PUT, DB_TEXT(provider));
    return err ? err : db_run(db, SQL_SWEEP_SET, DB_INT(swept_s), DB_TEXT(provider));
}
