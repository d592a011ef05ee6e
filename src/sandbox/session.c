/* Owns every session, under one mutex, in memory, in the order of creation. Sessions are never
 * removed: the journal of the sandbox is the oracle of the tests.
 * Must not send anything: whoever makes a move announces it. */
#include "sandbox/session.h"

#include "sandbox/session_file.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1 << 16 };

/* A session's place in the two tables. The session comes first. */
struct entry {
    struct session session;
    struct entry *next_by_id, *next_by_order;
};

static struct {
    pthread_mutex_t mutex;
    struct entry *by_id[BUCKETS], *by_order[BUCKETS];
    struct entry **all; /* all[number - 1] */
    size_t count, room;
    size_t due; /* sessions before this one were given out as due */
    int64_t charges, paid;
} table = {.mutex = PTHREAD_MUTEX_INITIALIZER};

#define ON(status) (1u << (status))
#define PAYABLE    (ON(SESSION_NEW) | ON(SESSION_OPENED) | ON(SESSION_CHALLENGED) | ON(SESSION_FAILED))
#define PAID       (ON(SESSION_SUCCEEDED) | ON(SESSION_IN_REVIEW) | ON(SESSION_WITHHELD))

/* The only place that says what may follow what. */
static const struct {
    unsigned from;
    enum session_status to;
} moves[] = {
    [MOVE_CHALLENGE] = {PAYABLE, SESSION_CHALLENGED},
    [MOVE_FAIL] = {PAYABLE, SESSION_FAILED},
    [MOVE_CANCEL] = {PAYABLE, SESSION_FAILED},
    [MOVE_UNDERPAY] = {PAYABLE, SESSION_INCOMPLETE},
    [MOVE_REVIEW] = {PAYABLE | ON(SESSION_INCOMPLETE), SESSION_IN_REVIEW},
    [MOVE_PAY] = {PAYABLE | ON(SESSION_INCOMPLETE), SESSION_SUCCEEDED},
    [MOVE_PAY_LATE] = {PAYABLE | ON(SESSION_INCOMPLETE) | ON(SESSION_EXPIRED), SESSION_SUCCEEDED},
    [MOVE_APPROVE] = {ON(SESSION_CHALLENGED) | ON(SESSION_IN_REVIEW) | ON(SESSION_WITHHELD),
                      SESSION_SUCCEEDED},
    [MOVE_DECLINE] = {PAYABLE | ON(SESSION_INCOMPLETE) | ON(SESSION_IN_REVIEW), SESSION_DECLINED},
    [MOVE_REFUND] = {ON(SESSION_SUCCEEDED), SESSION_REFUNDED},
    [MOVE_EXPIRE] = {PAYABLE | ON(SESSION_INCOMPLETE), SESSION_EXPIRED},
    [MOVE_OPEN] = {ON(SESSION_NEW), SESSION_OPENED},
    [MOVE_WITHHOLD] = {PAYABLE | PAID, SESSION_WITHHELD},
    [MOVE_CHARGE_BACK] = {PAID, SESSION_CHARGED_BACK},
    [MOVE_FAIL_LATE] = {ON(SESSION_SUCCEEDED), SESSION_DECLINED},
};

const char *session_status_word(enum session_status status)
{
    static const char *const words[] = {
        [SESSION_NEW] = "new",
        [SESSION_CHALLENGED] = "challenged",
        [SESSION_FAILED] = "failed",
        [SESSION_INCOMPLETE] = "incomplete",
        [SESSION_IN_REVIEW] = "pending_review",
        [SESSION_SUCCEEDED] = "succeeded",
        [SESSION_DECLINED] = "declined",
        [SESSION_REFUNDED] = "refunded",
        [SESSION_EXPIRED] = "expired",
        [SESSION_OPENED] = "opened",
        [SESSION_WITHHELD] = "withheld",
        [SESSION_CHARGED_BACK] = "charged_back",
    };
    return words[status];
}

/* FNV-1a. */
static size_t bucket_of(const char *text)
{
    uint32_t hash = 2166136261u;
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash % BUCKETS;
}

static struct entry *find_id(const struct provider *provider, const char *id)
{
    struct entry *entry = table.by_id[bucket_of(id)];
    while (entry != NULL &&
           (entry->session.provider != provider || strcmp(entry->session.id, id) != 0))
        entry = entry->next_by_id;
    return entry;
}

static struct entry *find_order(const struct provider *provider, const char *order_id)
{
    struct entry *entry = table.by_order[bucket_of(order_id)];
    while (entry != NULL &&
           (entry->session.provider != provider || strcmp(entry->session.order_id, order_id) != 0))
        entry = entry->next_by_order;
    return entry;
}

/* The sandbox ends rather than forget a payment. */
static void *must(void *piece)
{
    if (piece == NULL)
        abort();
    return piece;
}

static struct entry *entry_new(const struct session *draft)
{
    struct entry *entry = must(calloc(1, sizeof *entry));
    char *body = must(malloc(draft->body_len + 1));
    memcpy(body, draft->body, draft->body_len);
    body[draft->body_len] = '\0';
    entry->session = *draft;
    entry->session.order_id = must(strdup(draft->order_id));
    entry->session.body = body;
    return entry;
}

static void entry_link(struct entry *entry)
{
    struct entry **by_id = &table.by_id[bucket_of(entry->session.id)];
    struct entry **by_order = &table.by_order[bucket_of(entry->session.order_id)];
    if (table.count == table.room) {
        table.room = table.room == 0 ? 1024 : table.room * 2;
        table.all = must(realloc(table.all, table.room * sizeof(struct entry *)));
    }
    table.all[table.count++] = entry;
    entry->session.number = (int64_t)table.count;
    entry->next_by_id = *by_id;
    entry->next_by_order = *by_order;
    *by_id = *by_order = entry;
}

enum err session_create(const struct session *draft, struct session *ret_session)
{
    enum err err = ERR_PARAMETERS;
    (void)pthread_mutex_lock(&table.mutex);
    if (find_order(draft->provider, draft->order_id) == NULL) {
        struct entry *entry = entry_new(draft);
        entry->session.created_ms = entry->session.changed_ms = clock_wall_ms();
        entry->session.status = SESSION_NEW;
        entry_link(entry);
        session_file_append(&entry->session);
        *ret_session = entry->session;
        err = ERR_NONE;
    }
    (void)pthread_mutex_unlock(&table.mutex);
    return err;
}

/* One state from the file: a new session, or what became of one. */
static void restore(const struct session *state)
{
    struct entry *entry = find_id(state->provider, state->id);
    if (entry == NULL) {
        entry_link(entry_new(state));
        return;
    }
    entry->session.status = state->status;
    entry->session.changed_ms = state->changed_ms;
    entry->session.charges = state->charges;
    entry->session.attempt = state->attempt;
}

enum err session_open(const char *path)
{
    (void)pthread_mutex_lock(&table.mutex);
    enum err err = session_file_open(path, restore);
    for (size_t i = 0; i < table.count; i++) {
        const struct session *session = &table.all[i]->session;
        table.charges += session->charges;
        table.paid += session->status == SESSION_SUCCEEDED ? session->amount : 0;
    }
    (void)pthread_mutex_unlock(&table.mutex);
    return err;
}

static enum err give(const struct entry *entry, struct session *ret_session)
{
    if (entry == NULL)
        return ERR_NOT_FOUND;
    *ret_session = entry->session;
    return ERR_NONE;
}

enum err session_by_id(const struct provider *provider, const char *id, struct session *ret_session)
{
    (void)pthread_mutex_lock(&table.mutex);
    enum err err = give(find_id(provider, id), ret_session);
    (void)pthread_mutex_unlock(&table.mutex);
    return err;
}

enum err session_by_order(const struct provider *provider, const char *order_id,
                          struct session *ret_session)
{
    (void)pthread_mutex_lock(&table.mutex);
    enum err err = give(find_order(provider, order_id), ret_session);
    (void)pthread_mutex_unlock(&table.mutex);
    return err;
}

bool session_by_number(int64_t number, struct session *ret_session)
{
    (void)pthread_mutex_lock(&table.mutex);
    bool found = number >= 1 && (uint64_t)number <= table.count;
    if (found)
        *ret_session = table.all[number - 1]->session;
    (void)pthread_mutex_unlock(&table.mutex);
    return found;
}

/* Money is taken when a session succeeds and given back when it is refunded, or fails after all. 1:
 * it was taken. */
static int count_money(const struct session *session, enum session_status before)
{
    if (session->status == SESSION_REFUNDED ||
        (before == SESSION_SUCCEEDED && session->status == SESSION_DECLINED))
        table.paid -= session->amount;
    if (session->status != SESSION_SUCCEEDED)
        return 0;
    table.charges++;
    table.paid += session->amount;
    return 1;
}

static enum err entry_move(struct entry *entry, enum session_move move,
                           const struct session_attempt *attempt)
{
    if (entry == NULL)
        return ERR_NOT_FOUND;
    if ((moves[move].from & ON(entry->session.status)) == 0)
        return ERR_PARAMETERS;
    const enum session_status before = entry->session.status;
    entry->session.status = moves[move].to;
    entry->session.changed_ms = clock_wall_ms();
    if (attempt != NULL)
        entry->session.attempt = *attempt;
    entry->session.charges += count_money(&entry->session, before);
    session_file_append(&entry->session);
    return ERR_NONE;
}

enum err session_move(const struct provider *provider, const char *id, enum session_move move,
                      const struct session_attempt *attempt, struct session *ret_session)
{
    (void)pthread_mutex_lock(&table.mutex);
    struct entry *entry = find_id(provider, id);
    enum err err = entry_move(entry, move, attempt);
    if (!err)
        *ret_session = entry->session;
    (void)pthread_mutex_unlock(&table.mutex);
    return err;
}

bool session_next_due(int64_t now_ms, struct session *ret_session)
{
    bool found = false;
    (void)pthread_mutex_lock(&table.mutex);
    /* all sessions live equally long, so the oldest is always the next */
    while (!found && table.due < table.count &&
           table.all[table.due]->session.created_ms + SESSION_LIFE_MS <= now_ms) {
        *ret_session = table.all[table.due++]->session;
        found = (moves[MOVE_EXPIRE].from & ON(ret_session->status)) != 0;
    }
    (void)pthread_mutex_unlock(&table.mutex);
    return found;
}

void session_totals(struct session_totals *ret_totals)
{
    (void)pthread_mutex_lock(&table.mutex);
    *ret_totals = (struct session_totals){(int64_t)table.count, table.charges, table.paid};
    (void)pthread_mutex_unlock(&table.mutex);
}
