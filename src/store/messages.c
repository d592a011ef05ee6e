/* Steps over inbox, outbox, deliveries, notifications and counters. */
#include "store/messages.h"

#include "base/buf.h"
#include "base/crypt.h"
#include "store/payments.h"

#include <assert.h>
#include <string.h>

static const char *const state_names[] = {
    [INBOX_DONE] = "done",
    [INBOX_UNMATCHED] = "unmatched",
    [INBOX_REVIEW] = "review",
};

static enum inbox_state state_parse(const char *name)
{
    size_t state = text_find(state_names, sizeof state_names / sizeof state_names[0], name);
    assert(state <= INBOX_REVIEW); /* the table's own constraints say so */
    return (enum inbox_state)state;
}

/* The columns are those of SQL_INBOX_LOCK and SQL_INBOX_BY_HASH. */
static void read_row(struct db *db, struct notice_row *ret_row)
{
    bool found = db_next(db);
    assert(found);
    *ret_row = (struct notice_row){.id = db_int(db, 0),
                                   .state = state_parse(db_text(db, 1)),
                                   .tries = db_int(db, 2),
                                   .body = db_text(db, 4),
                                   .body_len = db_len(db, 4),
                                   .copies = db_int(db, 5)};
    db_copy(db, 3, ret_row->provider, sizeof ret_row->provider);
}

enum err inbox_put(struct db *db, const char *provider, const char *body, size_t len,
                   struct notice_row *ret_row)
{
    unsigned char hash[CRYPT_HASH_BYTES];
    if (db_gathered(db)) { /* most are new: it is inserted as what it becomes, see inbox_set */
        *ret_row = (struct notice_row){
            .state = INBOX_UNMATCHED, .copies = 1, .body = body, .body_len = len};
        (void)text_copy(ret_row->provider, sizeof ret_row->provider, provider);
        return ERR_NONE;
    }
    crypt_sha256(body, len, hash);
    enum err err = db_run(db, SQL_INBOX_PUT, DB_TEXT(provider), DB_BYTES(hash, sizeof hash),
                          DB_BYTES(body, len));
    if (!err)
        err = db_run(db, SQL_INBOX_BY_HASH, DB_TEXT(provider), DB_BYTES(hash, sizeof hash));
    if (!err)
        read_row(db, ret_row);
    return err;
}

/* A reference may bear the number of an attempt; a notice is found again by its payment. */
static struct db_value payment_named(const char *reference, char room[IDENT_MAX])
{
    return DB_TEXT_OR_NULL(attempt_reference_parse(reference, room) ? room : reference);
}

static enum err insert_row(struct db *db, const struct notice_row *row, enum inbox_state state,
                           const char *note, const char *reference, int64_t retry_in_s)
{
    unsigned char hash[CRYPT_HASH_BYTES];
    char payment_id[IDENT_MAX];
    bool retry = retry_in_s >= 0;
    crypt_sha256(row->body, row->body_len, hash);
    return db_append(db, SQL_INBOX_INSERT, DB_TEXT(row->provider), DB_BYTES(hash, sizeof hash),
                     DB_BYTES(row->body, row->body_len), DB_TEXT(state_names[state]), DB_TEXT(note),
                     payment_named(reference, payment_id), DB_INT(retry),
                     DB_INT(retry ? retry_in_s : 0));
}

enum err inbox_set(struct db *db, const struct notice_row *row, enum inbox_state state,
                   const char *note, const char *reference, int64_t retry_in_s)
{
    char payment_id[IDENT_MAX];
    bool retry = retry_in_s >= 0;
    if (row->id == 0)
        return insert_row(db, row, state, note, reference, retry_in_s);
    return db_run(db, SQL_INBOX_SET, DB_TEXT(state_names[state]), DB_TEXT(note),
                  payment_named(reference, payment_id), DB_INT(retry),
                  DB_INT(retry ? retry_in_s : 0), DB_INT(row->id));
}

enum err inbox_take(struct db *db, int64_t lease_s, int64_t *ret_id)
{
    enum err err = db_run_plain(db, SQL_INBOX_TAKE);
    *ret_id = !err && db_next(db) ? db_int(db, 0) : 0;
    if (err || *ret_id == 0)
        return err;
    return db_run(db, SQL_INBOX_LEASE, DB_INT(lease_s), DB_INT(*ret_id));
}

/* The body outlives the unit: what is asked about it is asked afterwards. */
enum err inbox_get(struct db *db, int64_t id, struct notice_row *ret_row)
{
    enum err err = db_run(db, SQL_INBOX_GET, DB_INT(id));
    if (err)
        return err;
    read_row(db, ret_row);
    ret_row->body = db_keep(db, 4);
    return ret_row->body == NULL ? ERR_OVERLOAD : ERR_NONE;
}

enum err inbox_lock(struct db *db, int64_t id, struct notice_row *ret_row)
{
    enum err err = db_run(db, SQL_INBOX_LOCK, DB_INT(id));
    if (!err)
        read_row(db, ret_row);
    return err;
}

/* The payment that a notice names, if it is one of ours. */
static enum err named_payment(struct db *db, const char *reference, char ret_payment_id[IDENT_MAX])
{
    struct payment payment = {.id = ""};
    enum err err =
        ident_valid("PAY_", reference) ? payments_get(db, reference, &payment) : ERR_NONE;
    memcpy(ret_payment_id, payment.id, IDENT_MAX);
    return err;
}

enum err inbox_retry(struct db *db, int64_t id, enum retried *ret_retried,
                     char ret_payment_id[IDENT_MAX])
{
    enum err err = db_run(db, SQL_INBOX_RETRY_LOCK, DB_INT(id));
    bool found = !err && db_next(db);
    *ret_retried = RETRIED_NONE;
    ret_payment_id[0] = '\0';
    if (!found)
        return err;
    bool done = state_parse(db_text(db, 0)) == INBOX_DONE, due = db_int(db, 1) != 0;
    *ret_retried = done ? RETRIED_NOT : due ? RETRIED_ALREADY : RETRIED;
    err = named_payment(db, db_text(db, 2), ret_payment_id);
    return err || done || due ? err : db_run(db, SQL_INBOX_RETRY, DB_INT(id));
}

enum err outbox_put(struct db *db, const char *payment_id, const char *topic, int64_t sequence,
                    const char *body, const int64_t **ret_id)
{
    int64_t *id = db_number_new(db);
    *ret_id = id;
    return id == NULL ? ERR_OVERLOAD
                      : db_append_inner(db, id, SQL_OUTBOX_INSERT, DB_TEXT(payment_id),
                                        DB_TEXT(topic), DB_INT(sequence), DB_TEXT(body));
}

enum err deliveries_put(struct db *db, const int64_t *outbox_id, const char *receiver)
{
    return db_append(db, SQL_DELIVERY_INSERT, DB_LATER(outbox_id), DB_TEXT(receiver));
}

enum err deliveries_put_all(struct db *db, const int64_t *outbox_id)
{
    return db_append(db, SQL_DELIVERIES_INSERT, DB_LATER(outbox_id));
}

enum err deliveries_take(struct db *db, const char *receiver, int64_t lease_s,
                         struct delivery *ret_delivery)
{
    struct delivery *d = ret_delivery;
    *d = (struct delivery){0};
    enum err err = db_run(db, SQL_DELIVERY_TAKE, DB_TEXT(receiver));
    if (err || !db_next(db))
        return err;
    int64_t id = db_int(db, 0), outbox_id = db_int(db, 1);
    d->tries = db_int(db, 2);
    err = db_run(db, SQL_OUTBOX_GET, DB_INT(outbox_id));
    if (err || !db_next(db))
        return err;
    d->id = id;
    db_copy(db, 0, d->payment_id, sizeof d->payment_id);
    db_copy(db, 1, d->topic, sizeof d->topic);
    d->time_s = db_int(db, 2);
    d->sequence = db_int(db, 3);
    d->body = db_keep(db, 4);
    if (d->body == NULL)
        return ERR_OVERLOAD;
    return db_run(db, SQL_DELIVERY_LEASE, DB_INT(lease_s), DB_INT(id));
}

enum err deliveries_set(struct db *db, int64_t id, enum delivery_state state, const char *note,
                        int64_t retry_in_ms)
{
    static const char *const names[] = {
        [DELIVERY_WAITING] = "waiting", [DELIVERY_DONE] = "done", [DELIVERY_DEAD] = "dead"};
    bool waits = state == DELIVERY_WAITING;
    return db_run(db, SQL_DELIVERY_SET, DB_TEXT(names[state]), DB_TEXT(note), DB_INT(waits),
                  DB_INT(waits ? retry_in_ms : 0), DB_INT(id));
}

enum err deliveries_retry(struct db *db, int64_t id, struct retried_delivery *ret_delivery)
{
    struct retried_delivery *d = ret_delivery;
    *d = (struct retried_delivery){.retried = RETRIED_NONE};
    enum err err = db_run(db, SQL_DELIVERY_RETRY_LOCK, DB_INT(id));
    if (err || !db_next(db))
        return err;
    d->retried = db_int(db, 1) != 0 ? RETRIED_ALREADY : RETRIED;
    db_copy(db, 2, d->payment_id, sizeof d->payment_id);
    db_copy(db, 3, d->receiver, sizeof d->receiver);
    db_copy(db, 4, d->topic, sizeof d->topic);
    return d->retried == RETRIED ? db_run(db, SQL_DELIVERY_RETRY, DB_INT(id)) : ERR_NONE;
}

enum err deliveries_dead_after(struct db *db, const char *receiver, int64_t id, int64_t *ret_id)
{
    enum err err = db_run(db, SQL_DELIVERY_DEAD_NEXT, DB_TEXT(receiver), DB_INT(id));
    *ret_id = !err && db_next(db) ? db_int(db, 0) : 0;
    return err;
}

enum err notifications_put(struct db *db, int64_t user_id, const char *payment_id, const char *kind,
                           const char *text)
{
    return db_append(db, SQL_NOTIFICATION_INSERT, DB_INT(user_id), DB_TEXT(payment_id),
                     DB_TEXT(kind), DB_TEXT(text));
}

enum err notifications_get(struct db *db, int64_t user_id, int64_t max,
                           struct notification *ret_notifications, size_t *ret_count,
                           int64_t *ret_unread)
{
    enum err err = db_run(db, SQL_NOTIFICATIONS_COUNT, DB_INT(user_id));
    *ret_unread = !err && db_next(db) ? db_int(db, 0) : 0;
    *ret_count = 0;
    if (!err)
        err = db_run(db, SQL_NOTIFICATIONS_OF_USER, DB_INT(user_id), DB_INT(max));
    while (!err && *ret_count < (size_t)max && db_next(db)) {
        struct notification *n = &ret_notifications[(*ret_count)++];
        n->id = db_int(db, 0);
        n->time_s = db_int(db, 1);
        n->text = db_keep(db, 2);
        db_copy(db, 3, n->payment_id, sizeof n->payment_id);
        if (n->text == NULL)
            return ERR_OVERLOAD;
    }
    return err;
}

enum err notifications_read(struct db *db, int64_t user_id, bool *ret_left)
{
    enum err err = db_run(db, SQL_NOTIFICATIONS_READ, DB_INT(user_id));
    *ret_left = !err && db_affected(db) > 0;
    return err;
}

enum err counters_add(struct db *db, const char *name)
{
    return db_run(db, SQL_COUNT, DB_TEXT(name));
}
