/* Reads back, posts and answers a create that was over at once. Calls a provider only outside of
 * units. */
#include "flow/settled.h"

#include "flow/settle.h"

void settled_read(struct context *context, struct arena *arena, int64_t deadline_ms,
                  const struct provider_driver *driver, const struct provider_order *order,
                  const struct provider_result *result, struct settled_create *ret_settled)
{
    struct provider_order asked = *order;
    *ret_settled = (struct settled_create){0};
    if (!result->settled)
        return;
    asked.provider_reference = result->provider_reference;
    asked.unproved = true;
    ret_settled->driver = driver;
    ret_settled->known = provider_read(driver, context->settings, context->client, arena,
                                       deadline_ms, &asked, &ret_settled->truth) == READING_TRUTH;
}

enum err settled_post(struct db *db, const struct settled_create *settled, const char *source,
                      struct payment *payment)
{
    enum settle_verdict verdict;
    char note[REASON_MAX];
    enum err err = ERR_NONE;
    if (settled->known)
        err = settle_apply(db, settled->driver, &settled->truth, source, &verdict, note);
    return err ? err : payments_lock(db, payment->id, payment);
}

void settled_answer(const struct settings *settings, struct arena *arena,
                    const struct payment *payment, struct answer *ret_answer)
{
    if (payment->status == PAYMENT_FAILED)
        answer_error(settings, arena, ERR_DECLINED, ret_answer);
    else if (payment_is_paid(payment->status))
        answer_paid(arena, payment, ret_answer);
    else
        answer_underway(arena, payment, ret_answer);
}
