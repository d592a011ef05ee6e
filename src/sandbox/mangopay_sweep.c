/* What time alone does at Mangopay: pages, wires, authorizations and mandates end, direct debits
 * settle. Must not decide more than that something is due. */
#include "sandbox/mangopay.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { CHALLENGE_S = 15 * 60, MANDATE_S = 3600 };

struct due {
    char kind[24], id[MANGO_ID_MAX];
    int64_t due_s;
};

static struct {
    pthread_mutex_t mutex;
    struct due *list;
    size_t count, room;
    bool restored;
} dues = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void mango_due(const char *kind, const char *id, int64_t due_s)
{
    struct due due = {.due_s = due_s};
    if (!text_copy(due.kind, sizeof due.kind, kind) || !text_copy(due.id, sizeof due.id, id))
        abort();
    (void)pthread_mutex_lock(&dues.mutex);
    if (dues.count == dues.room) {
        dues.room = dues.room == 0 ? 256 : dues.room * 2;
        struct due *more = realloc(dues.list, dues.room * sizeof *more);
        if (more == NULL)
            abort();
        dues.list = more;
    }
    dues.list[dues.count++] = due;
    (void)pthread_mutex_unlock(&dues.mutex);
}

/* --- what was open when the program ended --- */

static bool restore_object(const struct json *object, void *context)
{
    const char *kind = context;
    int64_t end = mango_int(object, "ExpirationDate");
    bool open = strcmp(mango_text(object, "Status"), "CREATED") == 0;
    bool waits = strcmp(mango_text(object, "PaymentStatus"), "WAITING") == 0;
    if (strcmp(kind, "mandate") == 0)
        end = mango_int(object, "CreationDate") + MANDATE_S;
    else if (end == 0)
        end = mango_int(object, "CreationDate") + CHALLENGE_S;
    if (open || waits)
        mango_due(kind, mango_text(object, "Id"), end);
    return true;
}

static void restore(struct arena *arena)
{
    static const char *const kinds[] = {"mandate", "preauthorization", "deposit"};
    struct session session;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        mango_each(kinds[i], NULL, NULL, restore_object, (void *)kinds[i]);
    for (int64_t number = 1; session_by_number(number, &session); number++) {
        if (session.provider != &mangopay || !mango_payin_open(&session))
            continue;
        const struct mango_payin *kind = mango_payin_find(session.method);
        const struct json *payin = mango_parse(arena, session.body);
        if (kind != NULL)
            mango_due("payin", session.id, mango_int(payin, "CreationDate") + kind->life_ms / 1000);
        arena_reset(arena);
    }
}

/* --- being due --- */

static void end_payin(struct arena *arena, const char *id)
{
    struct session session, moved;
    if (session_by_id(&mangopay, id, &session) != ERR_NONE || !mango_payin_open(&session))
        return;
    enum err err =
        strcmp(session.method, "directdebit") == 0
            ? mango_payin_end(arena, &session, mango_debit_code(arena, &session), false, &moved)
            : provider_move(arena, &session, MOVE_EXPIRE, NULL, &moved);
    (void)err; /* whoever paid meanwhile was faster */
}

static void end_mandate(struct arena *arena, const char *id)
{
    const struct json *mandate = mango_get(arena, "mandate", id);
    if (strcmp(mango_text(mandate, "Status"), "CREATED") == 0)
        mango_mandate_end(arena, id, "FAILED", "001807");
}

static void end_due(struct arena *arena, const struct due *due)
{
    if (strcmp(due->kind, "payin") == 0)
        end_payin(arena, due->id);
    else if (strcmp(due->kind, "mandate") == 0)
        end_mandate(arena, due->id);
    else
        mango_authorization_expire(
            arena, strcmp(due->kind, mango_preauth.kind) == 0 ? &mango_preauth : &mango_deposit,
            due->id);
    arena_reset(arena);
}

/* Takes out one that is due. */
static bool take(int64_t now_s, struct due *ret_due)
{
    bool found = false;
    (void)pthread_mutex_lock(&dues.mutex);
    for (size_t i = 0; i < dues.count && !found; i++) {
        if (dues.list[i].due_s > now_s)
            continue;
        *ret_due = dues.list[i];
        dues.list[i] = dues.list[--dues.count];
        found = true;
    }
    (void)pthread_mutex_unlock(&dues.mutex);
    return found;
}

void mango_sweep(struct arena *arena)
{
    struct due due;
    if (!dues.restored)
        restore(arena);
    dues.restored = true; /* only this thread looks at it */
    while (take(mango_now_s(), &due))
        end_due(arena, &due);
}
