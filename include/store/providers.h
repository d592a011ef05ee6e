/* The switch and the breaker of each provider, shared by all processes; the calls that the breaker
 * goes by. Times are the database's. Every function is a step inside a unit of work (store/db.h).
 */
#ifndef STORE_PROVIDERS_H
#define STORE_PROVIDERS_H

#include "domain/breaker.h"
#include "store/db.h"

/* The texts are in the unit's arena; "" where there is nothing to tell. */
struct provider_record {
    char provider[PROVIDER_NAME_MAX];
    struct breaker breaker;
    const char *switched_by, *switch_note, *switched_at; /* by the operator, last */
    const char *opened_at, *reason;                      /* of the breaker */
};

/* Those about which there is something to tell: a provider without a record is switched on, and its
 * breaker is closed. */
enum err providers_list(struct db *db, size_t max, struct provider_record *ret_records,
                        size_t *ret_count) MUST_CHECK;

/* Steps of guichetctl, as the admin's account. Disabled: no new payments, by any process from
 * about a second later on; those that are open go on. Enabling closes the breaker too. */
enum err providers_disable(struct db *db, const char *provider, const char *operator_name,
                           const char *note) MUST_CHECK;
enum err providers_enable(struct db *db, const char *provider, const char *operator_name,
                          const char *note) MUST_CHECK;

/* The breaker as it is now; locked until the unit ends. */
enum err providers_lock(struct db *db, const char *provider,
                        struct breaker *ret_breaker) MUST_CHECK;

/* Opens, or opens again, for so many seconds. */
enum err providers_open(struct db *db, const char *provider, int64_t seconds,
                        const char *reason) MUST_CHECK;

/* Closes, and forgets the calls: the window starts empty. */
enum err providers_close(struct db *db, const char *provider) MUST_CHECK;

/* The lease of the one call that may try after the cool-down, by a number of the caller's that is
 * not 0. One statement, so a unit of its own. False: it is somebody else's. */
enum err providers_probe(struct db *db, const char *provider, int64_t probe_id, int64_t lease_ms,
                         bool *ret_taken) MUST_CHECK;

/* Gives that lease back unused. */
enum err providers_unprobe(struct db *db, const char *provider, int64_t probe_id) MUST_CHECK;

/* Up to which second the provider's list of events was read; 0: never. */
enum err sweeps_get(struct db *db, const char *provider, int64_t *ret_swept_s) MUST_CHECK;
enum err sweeps_set(struct db *db, const char *provider, int64_t swept_s) MUST_CHECK;

/* Adds to the present second. A unit that runs twice counts twice: it is a statistic. */
enum err calls_add(struct db *db, const char *provider,
                   const struct breaker_counts *counts) MUST_CHECK;
enum err calls_window(struct db *db, const char *provider, const struct settings_breaker *rules,
                      struct breaker_counts *ret_window) MUST_CHECK;

#endif
