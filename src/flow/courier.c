/* Lease, schedule and jitter of deliveries. Must not send anything: it runs inside units of work.
 */
#include "flow/courier.h"

#include "base/crypt.h"

enum { LEASE_S = 120, JITTER_PERCENT = 10 };

/* Seconds to the next try, by how many there were. */
static const int64_t retry_s[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};

enum { RETRIES = sizeof retry_s / sizeof retry_s[0] };

enum err courier_take(struct db *db, const char *receiver, struct errand *ret_errand)
{
    *ret_errand = (struct errand){.note = ""};
    return deliveries_take(db, receiver, LEASE_S, &ret_errand->delivery);
}

enum err courier_end(struct db *db, const struct errand *errand)
{
    return deliveries_set(db, errand->delivery.id, errand->state, errand->note, errand->again_ms);
}

/* Longer by up to a tenth: what failed together must not come back together. */
static int64_t with_jitter(int64_t ms)
{
    uint32_t random;
    crypt_random(&random, sizeof random);
    return ms + random % (ms / 100 * JITTER_PERCENT + 1);
}

void courier_put_off(struct errand *errand, const char *note, int64_t at_least_ms)
{
    int64_t tries = errand->delivery.tries;
    errand->note = note;
    if (tries >= RETRIES) {
        errand->state = DELIVERY_DEAD;
        return;
    }
    int64_t planned_ms = retry_s[tries] * 1000;
    errand->state = DELIVERY_WAITING;
    errand->again_ms = with_jitter(planned_ms > at_least_ms ? planned_ms : at_least_ms);
}
