/* The table of providers, and the one way in which a session changes: it is moved, then the
 * merchant is told, with whatever faults are armed for the webhook.
 * Must not know a provider's words. */
#include "sandbox/provider.h"

#include "sandbox/fault.h"
#include "sandbox/journal.h"
#include "sandbox/mangopay.h"
#include "sandbox/nonstopay.h"
#include "sandbox/payviox.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#include <string.h>

const struct provider *const provider_rows[] = {&payviox, &nonstopay, &mangopay, NULL};

const struct provider *provider_find(const char *name)
{
    for (size_t i = 0; provider_rows[i] != NULL; i++)
        if (strcmp(provider_rows[i]->name, name) == 0)
            return provider_rows[i];
    return NULL;
}

/* That a payment was made or looked at is no news that uses a fault up: it is dropped, too, while
 * others are. */
static bool take(const struct notice *notice, enum fault fault, struct fault_args *ret_args)
{
    if (notice->session != NULL && session_is_untried(notice->session))
        return fault == FAULT_WEBHOOK_DROPPED &&
               fault_is_armed(notice->provider, fault, notice->order_id);
    return fault_take(notice->provider, fault, EVENT_WEBHOOK, notice->order_id, ret_args);
}

/* Faults of what the webhook says. */
static void spoil_notice(struct arena *arena, struct notice *notice)
{
    struct fault_args args;
    if (take(notice, FAULT_FOREIGN_ID, &args))
        notice->session_id = "payin_m_01HQZ0F0RE1GN0000000000000";
    if (!notice->provider->asked && take(notice, FAULT_WRONG_AMOUNT, &args))
        notice->amount += args.delta;
    if (!notice->provider->asked && take(notice, FAULT_WRONG_CURRENCY, &args)) {
        const char *other = strcmp(notice->currency, "USD") == 0 ? "EUR" : "USD";
        const char *given = arena_strndup(arena, args.currency, strlen(args.currency));
        notice->currency = given != NULL && *given != '\0' ? given : other;
    }
    if (take(notice, FAULT_BAD_SIGNATURE, &args))
        notice->token = "not the token of this merchant";
}

/* Faults of how it travels. */
static struct delivery_plan spoil_plan(const struct notice *notice)
{
    struct fault_args args;
    struct delivery_plan plan = {.copies = 1};
    if (take(notice, FAULT_WEBHOOK_DUPLICATE, &args))
        plan.copies = (int)args.copies;
    if (take(notice, FAULT_WEBHOOK_LATE, &args))
        plan.wait_ms = args.ms;
    if (take(notice, FAULT_WEBHOOK_REORDERED, &args))
        plan.swap_ms = args.ms;
    return plan;
}

static void record_dropped(const struct notice *notice)
{
    struct journal_delivery entry = {.problem = "dropped by a fault"};
    (void)text_copy(entry.provider, sizeof entry.provider, notice->provider->name);
    (void)text_copy(entry.type, sizeof entry.type, notice->type);
    (void)text_copy(entry.session_id, sizeof entry.session_id, notice->session_id);
    (void)text_copy(entry.order_id, sizeof entry.order_id, notice->order_id);
    journal_delivery_add(&entry);
}

static void send_and_wait(struct delivery *delivery, int copies)
{
    int status[DELIVER_COPIES_MAX] = {0};
    deliver_now(delivery, copies, 1, status);
    for (int i = 0; i < copies; i++)
        if (status[i] == 200)
            return;
    delivery->first_attempt = 2;
    deliver_queue(delivery, &(struct delivery_plan){.copies = 1});
}

void provider_tell(struct arena *arena, struct notice *notice, bool wait)
{
    struct delivery delivery;
    struct fault_args args;
    if (take(notice, FAULT_WEBHOOK_DROPPED, &args)) {
        record_dropped(notice);
        return;
    }
    spoil_notice(arena, notice);
    enum err err = notice->provider->notice_write(arena, notice, &delivery);
    if (err == ERR_NOT_FOUND)
        return;
    if (err) {
        LOG(LOG_ERROR, "webhook not written", LOG_TEXT("session", notice->session_id));
        return;
    }
    struct delivery_plan plan = spoil_plan(notice);
    if (wait)
        send_and_wait(&delivery, plan.copies);
    else
        deliver_queue(&delivery, &plan);
}

static void announce(struct arena *arena, const struct session *session, bool wait)
{
    if (session->provider->announce != NULL) {
        session->provider->announce(arena, session, wait);
        return;
    }
    const char *type = session->provider->notice_type(session);
    if (type == NULL)
        return;
    struct notice notice = {
        .provider = session->provider,
        .session = session,
        .session_id = session->id,
        .order_id = session->order_id,
        .type = type,
        .currency = session->currency,
        .amount = session->amount,
        .fees = session->attempt.fees,
        .remaining = session->status == SESSION_INCOMPLETE
                         ? session->amount - session->attempt.received
                         : -1,
    };
    provider_tell(arena, &notice, wait);
}

void provider_announce(struct arena *arena, const struct session *session)
{
    announce(arena, session, false);
}

enum err provider_move(struct arena *arena, const struct session *session, enum session_move move,
                       const struct session_attempt *attempt, struct session *ret_session)
{
    enum err err = session_move(session->provider, session->id, move, attempt, ret_session);
    if (!err)
        announce(arena, ret_session, false);
    return err;
}

enum err provider_move_and_wait(struct arena *arena, const struct session *session,
                                enum session_move move, const struct session_attempt *attempt,
                                struct session *ret_session)
{
    enum err err = session_move(session->provider, session->id, move, attempt, ret_session);
    if (!err)
        announce(arena, ret_session, true);
    return err;
}

enum err provider_end_challenge(struct arena *arena, const struct session *session,
                                const char *answer, struct session *ret_session)
{
    struct session_attempt attempt = session->attempt;
    if (session->status != SESSION_CHALLENGED)
        return ERR_PARAMETERS;
    if (strcmp(answer, "approve") == 0)
        return provider_move(arena, session, MOVE_APPROVE, NULL, ret_session);
    attempt.reason = "Your bank did not confirm the payment.";
    return provider_move(arena, session, MOVE_FAIL, &attempt, ret_session);
}

void provider_expire_due(struct arena *arena)
{
    struct session session, expired;
    for (size_t i = 0; provider_rows[i] != NULL; i++)
        if (provider_rows[i]->sweep != NULL)
            provider_rows[i]->sweep(arena);
    while (session_next_due(clock_wall_ms(), &session)) {
        if (session.provider->sweep != NULL)
            continue;
        /* whoever paid meanwhile was faster: then there is nothing to expire */
        enum err err = provider_move(arena, &session, MOVE_EXPIRE, NULL, &expired);
        (void)err;
        arena_reset(arena);
    }
}
