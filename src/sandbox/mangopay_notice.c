/* Events, and the hooks that tell of them: a GET with a type and an id, answered with 200 within
 * two seconds or repeated for three days. What follows from a PayIn's move is done here too. */
#include "sandbox/mangopay.h"

#include "sandbox/settings.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    ANSWER_MS = 2000,
    SOON_TRIES = 6, /* in the first hour, every ten minutes */
    LATE_TRIES = 9, /* then for three days, every eight hours */
    FAILURES_MAX = 100,
    TYPES_MAX = 160,
};

static _Atomic int64_t every_ms = -1;

void mango_retry_every(int64_t ms)
{
    every_ms = ms;
}

static int64_t pause_ms(int attempt)
{
    const int64_t minute = 60 * 1000;
    if (attempt > 1 + SOON_TRIES + LATE_TRIES && every_ms < 0)
        return -1;
    if (attempt == 1)
        return 0;
    if (every_ms >= 0)
        return attempt > FAILURES_MAX + 1 ? -1 : every_ms;
    return (attempt <= 1 + SOON_TRIES ? 10 * minute : 8 * 60 * minute) *
           sandbox_settings()->retry_scale / 100;
}

/* --- a hook that fails too often is no longer valid --- */

static struct {
    pthread_mutex_t mutex;
    struct {
        char type[64];
        int failures; /* one after the other */
    } rows[TYPES_MAX];
} failing = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* Counts, and says how many failures there are now in a row. */
static int count(const char *type, bool failed)
{
    int failures = 0;
    (void)pthread_mutex_lock(&failing.mutex);
    for (size_t i = 0; i < TYPES_MAX; i++) {
        if (failing.rows[i].type[0] == '\0' &&
            !text_copy(failing.rows[i].type, sizeof failing.rows[i].type, type))
            break;
        if (strcmp(failing.rows[i].type, type) != 0)
            continue;
        failures = failing.rows[i].failures = failed ? failing.rows[i].failures + 1 : 0;
        break;
    }
    (void)pthread_mutex_unlock(&failing.mutex);
    return failures;
}

struct found {
    char id[MANGO_ID_MAX], url[256];
    bool active;
};

static bool find(const struct json *hook, void *context)
{
    struct found *found = context;
    found->active = strcmp(mango_text(hook, "Status"), "ENABLED") == 0 &&
                    strcmp(mango_text(hook, "Validity"), "INVALID") != 0;
    (void)text_copy(found->url, sizeof found->url, mango_text(hook, "Url"));
    (void)text_copy(found->id, sizeof found->id, mango_text(hook, "Id"));
    return false;
}

static struct found hook_of(const char *type)
{
    struct found found = {0};
    mango_each("hook", "EventType", type, find, &found);
    return found;
}

static void tried(const struct delivery *delivery, int status)
{
    if (count(delivery->type, status != 200) < FAILURES_MAX)
        return;
    struct arena *arena = arena_new(ARENA_BYTES);
    const struct found found = hook_of(delivery->type);
    mango_lock();
    struct json *hook = arena == NULL ? NULL : mango_get(arena, "hook", found.id);
    if (hook != NULL) {
        mango_set_text(arena, hook, "Validity", "INVALID");
        mango_put(arena, "hook", found.id, hook);
    }
    mango_unlock();
    (void)count(delivery->type, false);
    arena_free(arena);
}

static const struct delivery_way way = {
    .timeout_ms = ANSWER_MS,
    .pause_ms = pause_ms,
    .tried = tried,
};

enum err mango_notice_write(struct arena *arena, const struct notice *notice,
                            struct delivery *ret_delivery)
{
    const struct found found = hook_of(notice->type);
    struct buf url;
    if (!found.active)
        return ERR_NOT_FOUND;
    buf_init(&url, arena, 1024);
    buf_printf(&url, "%s%sEventType=", found.url, strchr(found.url, '?') == NULL ? "?" : "&");
    buf_url(&url, notice->type);
    buf_puts(&url, "&RessourceId=");
    buf_url(&url, notice->session_id);
    buf_printf(&url, "&Date=%lld", (long long)mango_now_s());
    if (!buf_ok(&url))
        return ERR_OVERLOAD;
    *ret_delivery = (struct delivery){
        .provider = mangopay.name,
        .type = notice->type,
        .session_id = notice->session_id,
        .order_id = notice->order_id,
        .url = buf_text(&url),
        .way = &way,
    };
    return ERR_NONE;
}

void mango_tell(struct arena *arena, const char *type, const char *id, const char *order_id,
                const struct session *session, bool wait)
{
    struct json *event = mango_object(arena);
    mango_set_text(arena, event, "ResourceId", id);
    mango_set_text(arena, event, "EventType", type);
    mango_set_int(arena, event, "Date", mango_now_s());
    mango_put(arena, "event", mango_id(arena, "event_m_"), event);
    if (!hook_of(type).active)
        return; /* faults wait for one that is told */
    struct notice notice = {
        .provider = &mangopay,
        .session = session,
        .session_id = id,
        .order_id = order_id,
        .type = type,
        .currency = "",
        .remaining = -1,
    };
    provider_tell(arena, &notice, wait);
}

/* --- what follows from a move --- */

/* What the documents' first names of payers make of their direct debits. */
const char *mango_debit_code(struct arena *arena, const struct session *session)
{
    const struct json *payin = mango_parse(arena, session->body);
    const struct json *author = mango_get(arena, "user", mango_text(payin, "AuthorId"));
    const char *name = mango_text(author, "FirstName");
    if (strcmp(name, "Penniless") == 0)
        return "001830";
    return strcmp(name, "Invalid") == 0 ? "001802" : NULL;
}

static bool is_fickle(struct arena *arena, const struct session *session, const struct json *payin)
{
    const struct json *author = mango_get(arena, "user", mango_text(payin, "AuthorId"));
    return strcmp(session->method, "directdebit") == 0 &&
           strcmp(mango_text(author, "FirstName"), "Fickle") == 0;
}

static void paid(struct arena *arena, const struct session *session, bool wait)
{
    const struct json *payin = mango_payin_read(arena, session);
    struct session moved;
    mango_wallet_add(arena, mango_text(payin, "CreditedWalletId"),
                     mango_amount(payin, "CreditedFunds"));
    mango_recurring_paid(arena, payin);
    mango_tell(arena, "PAYIN_NORMAL_SUCCEEDED", session->id, session->order_id, session, wait);
    if (is_fickle(arena, session, payin)) {
        enum err err = provider_move(arena, session, MOVE_CHARGE_BACK, NULL, &moved);
        (void)err; /* somebody was faster: then it is charged back already */
    }
}

void mango_announce(struct arena *arena, const struct session *session, bool wait)
{
    switch (session->status) {
    case SESSION_NEW:
        mango_tell(arena, "PAYIN_NORMAL_CREATED", session->id, session->order_id, session, wait);
        break;
    case SESSION_SUCCEEDED:
        paid(arena, session, wait);
        break;
    case SESSION_FAILED:
    case SESSION_DECLINED:
    case SESSION_EXPIRED:
        mango_tell(arena, "PAYIN_NORMAL_FAILED", session->id, session->order_id, session, wait);
        break;
    case SESSION_REFUNDED:
        mango_lock();
        mango_refund_rest(arena, session);
        mango_unlock();
        break;
    case SESSION_CHARGED_BACK:
        mango_dispute_open(arena, session, false);
        break;
    case SESSION_OPENED:
    case SESSION_CHALLENGED:
    case SESSION_INCOMPLETE:
    case SESSION_IN_REVIEW:
    case SESSION_WITHHELD:
    case SESSION_STATUSES:
        break;
    }
}
