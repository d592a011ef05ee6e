/* Steps over payments, attempts, attempt_answers, events and payment_checks. */
#include "store/payments.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The columns are PAYMENT_COLUMNS of sql.c. */
static void read_payment(struct db *db, struct payment *ret_payment)
{
    struct payment *p = ret_payment;
    db_copy(db, 0, p->id, sizeof p->id);
    p->user_id = db_int(db, 1);
    db_copy(db, 2, p->provider, sizeof p->provider);
    bool fine = payment_type_parse(db_text(db, 3), &p->type) &&
                payment_surface_parse(db_text(db, 12), &p->surface) &&
                money_make(db_int(db, 4), db_text(db, 5), &p->amount) &&
                money_make(db_int(db, 15), db_text(db, 5), &p->refunded) &&
                payment_status_parse(db_text(db, 7), &p->status) &&
                dispute_state_parse(db_text(db, 16), &p->dispute);
    assert(fine); /* the table's own constraints say so */
    db_copy(db, 6, p->method, sizeof p->method);
    db_copy(db, 8, p->client_ip, sizeof p->client_ip);
    p->expires_in_ms = db_int(db, 9);
    db_copy(db, 10, p->created_at, sizeof p->created_at);
    db_copy(db, 11, p->expires_at, sizeof p->expires_at);
    p->created_s = db_int(db, 13);
    p->expires_s = db_int(db, 14);
    p->paid_by = db_int(db, 17);
}

/* A number, NULL when it is below 0. */
static struct db_value or_null(int64_t number)
{
    return number < 0 ? DB_NOTHING : DB_INT(number);
}

enum err payments_clock(struct db *db, int64_t *ret_ms)
{
    enum err err = db_run_plain(db, SQL_CLOCK);
    *ret_ms = !err && db_next(db) ? db_int(db, 0) : 0;
    return err;
}

enum err payments_insert(struct db *db, const struct payment_intent *intent)
{
    const struct payment *p = &intent->payment;
    struct db_value created = intent->created_ms == 0 ? DB_NOTHING : DB_INT(intent->created_ms);
    return db_append(db, SQL_PAYMENT_INSERT, DB_TEXT(p->id), DB_INT(p->user_id),
                     DB_TEXT(p->provider), DB_TEXT(payment_type_name(p->type)),
                     DB_INT(money_minor_units(&p->amount)), DB_TEXT(money_currency(&p->amount)),
                     DB_TEXT_OR_NULL(p->method), or_null(intent->tos_ms),
                     or_null(intent->checkout_ms), DB_TEXT(p->client_ip),
                     DB_TEXT(intent->request_id), DB_TEXT(payment_surface_name(p->surface)),
                     DB_TEXT(intent->return_url), created, created, DB_INT(intent->lifetime_s));
}

static void read_one(struct db *db, struct payment *ret_payment)
{
    ret_payment->id[0] = '\0';
    if (db_next(db))
        read_payment(db, ret_payment);
}

static enum err get_one(struct db *db, enum sql sql, const char *payment_id,
                        struct payment *ret_payment)
{
    enum err err = db_run(db, sql, DB_TEXT(payment_id));
    if (!err)
        read_one(db, ret_payment);
    return err;
}

enum err payments_lock(struct db *db, const char *payment_id, struct payment *ret_payment)
{
    return get_one(db, SQL_PAYMENT_LOCK, payment_id, ret_payment);
}

enum err payments_get(struct db *db, const char *payment_id, struct payment *ret_payment)
{
    return get_one(db, SQL_PAYMENT_GET, payment_id, ret_payment);
}

enum err payments_status_set(struct db *db, const char *payment_id, enum payment_status from,
                             enum payment_status to, int64_t paid_by)
{
    return db_change(db, SQL_PAYMENT_STATUS, DB_TEXT(payment_status_name(to)),
                     paid_by == 0 ? DB_NOTHING : DB_INT(paid_by), DB_TEXT(payment_id),
                     DB_TEXT(payment_status_name(from)));
}

enum err payments_refunded_add(struct db *db, const char *payment_id, const struct money *amount)
{
    return db_run(db, SQL_PAYMENT_REFUNDED, DB_INT(money_minor_units(amount)), DB_TEXT(payment_id));
}

enum err payments_paid_by_set(struct db *db, const char *payment_id, int64_t number)
{
    return db_append(db, SQL_PAYMENT_PAID_BY, DB_INT(number), DB_TEXT(payment_id));
}

enum err payments_dispute_update(struct db *db, const char *payment_id)
{
    return db_run(db, SQL_PAYMENT_DISPUTE, DB_TEXT(payment_id));
}

enum err payments_find(struct db *db, const char *provider, const char *reference,
                       char ret_payment_id[IDENT_MAX])
{
    enum err err =
        db_run(db, SQL_PAYMENT_OF_REFERENCE, DB_TEXT(provider), DB_TEXT(reference),
               DB_TEXT(provider), DB_TEXT(reference), DB_TEXT(provider), DB_TEXT(reference));
    ret_payment_id[0] = '\0';
    if (!err && db_next(db))
        db_copy(db, 0, ret_payment_id, IDENT_MAX);
    return err;
}

enum err payments_return_url(struct db *db, const char *payment_id, char ret_url[URL_MAX])
{
    enum err err = db_run(db, SQL_PAYMENT_RETURN_URL, DB_TEXT(payment_id));
    ret_url[0] = '\0';
    if (!err && db_next(db))
        db_copy(db, 0, ret_url, URL_MAX);
    return err;
}

enum payment_status payment_status_now(const struct payment *payment)
{
    if (payment->status == PAYMENT_PENDING && payment->expires_in_ms <= 0)
        return PAYMENT_EXPIRED;
    return payment_status_shown(payment->status, payment->dispute);
}

static void read_payments(struct db *db, size_t max, struct payment *ret_payments,
                          size_t *ret_count)
{
    while (*ret_count < max && db_next(db))
        read_payment(db, &ret_payments[(*ret_count)++]);
}

/* Sorts after every id. */
static const char newest[] = "~";

/* Whoever has made a million must not keep a connection busy with each of his questions. */
static enum err find_window(struct db *db, int64_t user_id, const char *before,
                            char ret_last[IDENT_MAX])
{
    enum err err = db_run(db, SQL_PAYMENTS_WINDOW, DB_INT(user_id), DB_TEXT(before),
                          DB_INT(PAYMENTS_LOOKED_AT - 1));
    ret_last[0] = '\0';
    if (!err && db_next(db))
        db_copy(db, 0, ret_last, IDENT_MAX);
    return err;
}

static bool narrows(const struct payment_filter *filter)
{
    return filter->provider != NULL || filter->status != NULL || filter->from_ms >= 0 ||
           filter->to_ms >= 0;
}

enum err payments_list(struct db *db, const struct payment_filter *filter,
                       struct payment *ret_payments, size_t *ret_count, char ret_last[IDENT_MAX])
{
    const char *before = filter->cursor[0] == '\0' ? newest : filter->cursor;
    ret_last[0] = '\0';
    enum err err = narrows(filter) ? find_window(db, filter->user_id, before, ret_last) : ERR_NONE;
    if (!err)
        err = db_run(db, SQL_PAYMENTS_OF_USER, DB_INT(filter->user_id), DB_TEXT(before),
                     DB_TEXT(ret_last), DB_TEXT(filter->provider), or_null(filter->from_ms),
                     or_null(filter->to_ms), DB_TEXT(filter->status), DB_INT((int64_t)filter->max));
    *ret_count = 0;
    if (!err)
        read_payments(db, filter->max, ret_payments, ret_count);
    return err;
}

static enum err search_window(struct db *db, int64_t user_id, const char *text, int64_t max,
                              int64_t offset)
{
    char last[IDENT_MAX];
    enum err err = find_window(db, user_id, newest, last);
    return err ? err
               : db_run(db, SQL_TRANSACTIONS_SEARCH, DB_INT(user_id), DB_TEXT(last), DB_TEXT(text),
                        DB_TEXT(text), DB_TEXT(text), DB_INT(max), DB_INT(offset));
}

enum err payments_search(struct db *db, int64_t user_id, const char *text, int64_t max,
                         int64_t offset, struct payment *ret_payments, size_t *ret_count)
{
    enum err err = text == NULL ? db_run(db, SQL_TRANSACTIONS_PAGE, DB_INT(user_id), DB_INT(max),
                                         DB_INT(offset))
                                : search_window(db, user_id, text, max, offset);
    *ret_count = 0;
    if (!err)
        read_payments(db, (size_t)max, ret_payments, ret_count);
    return err;
}

void attempt_reference(const char *payment_id, int64_t number, char ret_reference[IDENT_MAX])
{
    int len = snprintf(ret_reference, IDENT_MAX, "%s-%lld", payment_id, (long long)number);
    assert(len > 0 && len < IDENT_MAX);
}

bool attempt_reference_parse(const char *reference, char ret_payment_id[IDENT_MAX])
{
    size_t len = strcspn(reference, "-");
    if (len >= IDENT_MAX)
        return false;
    memcpy(ret_payment_id, reference, len);
    ret_payment_id[len] = '\0';
    return ident_valid("PAY_", ret_payment_id);
}

enum err attempts_insert(struct db *db, const struct payment *payment, int64_t number,
                         const char *provider, const char *reference, int64_t deadline_ms,
                         int64_t *ret_id)
{
    return db_append_number(db, ret_id, SQL_ATTEMPT_INSERT, DB_TEXT(payment->id), DB_INT(number),
                            DB_TEXT(provider), DB_TEXT(reference), DB_INT(deadline_ms));
}

/* The columns are ATTEMPTS_BY of sql_columns.h. Id 0 when there is no row left. */
static enum err read_attempt(struct db *db, struct attempt *ret_attempt)
{
    struct attempt *a = ret_attempt;
    *a = (struct attempt){0};
    if (!db_next(db))
        return ERR_NONE;
    a->id = db_int(db, 0);
    db_copy(db, 1, a->reference, sizeof a->reference);
    a->over = db_int(db, 2) != 0;
    a->outcome = outcome_parse(db_text(db, 3));
    db_copy(db, 4, a->provider_reference, sizeof a->provider_reference);
    db_copy(db, 6, a->reason, sizeof a->reason);
    db_copy(db, 7, a->provider, sizeof a->provider);
    a->number = db_int(db, 8);
    a->left = db_int(db, 9) != 0;
    a->rivalled = db_int(db, 10) != 0;
    enum err err = db_keep_or_null(db, 5, &a->url);
    return err ? err : db_keep_or_null(db, 11, &a->instructions);
}

enum err attempts_last(struct db *db, const char *payment_id, struct attempt *ret_attempt)
{
    size_t count;
    return attempts_list(db, payment_id, 1, ret_attempt, &count); /* none: one with id 0 */
}

enum err attempts_paid(struct db *db, const struct payment *payment, struct attempt *ret_attempt)
{
    struct attempt attempts[ATTEMPTS_SHOWN];
    size_t count, i = 0;
    enum err err = attempts_list(db, payment->id, ATTEMPTS_SHOWN, attempts, &count);
    *ret_attempt = (struct attempt){0};
    if (err || count == 0)
        return err;
    while (i + 1 < count && payment->paid_by != 0 && attempts[i].number != payment->paid_by)
        i++;
    *ret_attempt = attempts[i];
    return ERR_NONE;
}

enum err attempts_list(struct db *db, const char *payment_id, size_t max,
                       struct attempt *ret_attempts, size_t *ret_count)
{
    enum err err = db_run(db, SQL_ATTEMPTS_OF_PAYMENT, DB_TEXT(payment_id), DB_INT((int64_t)max));
    *ret_count = 0;
    while (!err && *ret_count < max) {
        err = read_attempt(db, &ret_attempts[*ret_count]);
        if (ret_attempts[*ret_count].id == 0)
            break;
        ++*ret_count;
    }
    return err;
}

/* Most are alone with their payment: what else there is to know of one is asked for if not. */
static enum err read_whole(struct db *db, const char *provider, const char *reference,
                           struct attempt *ret_attempt)
{
    enum err err = read_attempt(db, ret_attempt);
    if (err || ret_attempt->id == 0 || (ret_attempt->over && !ret_attempt->left))
        return err;
    err = db_run(db, SQL_ATTEMPT_WHOLE, DB_TEXT(provider), DB_TEXT(reference));
    return err ? err : read_attempt(db, ret_attempt);
}

enum err attempts_get(struct db *db, const char *provider, const char *reference,
                      struct attempt *ret_attempt)
{
    enum err err = db_run(db, SQL_ATTEMPT_OF_PROVIDER, DB_TEXT(provider), DB_TEXT(reference));
    return err ? err : read_whole(db, provider, reference, ret_attempt);
}

enum err payments_lock_attempt(struct db *db, const char *payment_id, const char *provider,
                               const char *reference, struct payment *ret_payment,
                               struct attempt *ret_attempt)
{
    const struct db_read payment = {SQL_PAYMENT_LOCK, DB_VALUES(DB_TEXT(payment_id))};
    const struct db_read attempt = {SQL_ATTEMPT_OF_PROVIDER,
                                    DB_VALUES(DB_TEXT(provider), DB_TEXT(reference))};
    enum err err = db_run_two(db, payment, attempt);
    if (err)
        return err;
    read_one(db, ret_payment);
    if (ret_payment->id[0] == '\0')
        return ERR_NONE;
    err = db_second(db);
    return err ? err : read_whole(db, provider, reference, ret_attempt);
}

enum err attempts_learn(struct db *db, int64_t attempt_id, const char *provider,
                        const char *provider_reference)
{
    return db_run(db, SQL_REFERENCE_LEARN, DB_INT(attempt_id), DB_TEXT(provider),
                  DB_TEXT(provider_reference));
}

enum err attempts_named(struct db *db, const char *provider, const char *provider_reference,
                        char ret_reference[IDENT_MAX])
{
    enum err err = db_run(db, SQL_ATTEMPT_NAMED, DB_TEXT(provider), DB_TEXT(provider_reference),
                          DB_TEXT(provider), DB_TEXT(provider_reference));
    ret_reference[0] = '\0';
    if (!err && db_next(db))
        db_copy(db, 0, ret_reference, IDENT_MAX);
    return err;
}

enum err answers_insert(struct db *db, int64_t attempt_id, const struct attempt_answer *a)
{
    assert(a->outcome != OUTCOME_NONE);
    return db_append(db, SQL_ANSWER_INSERT, DB_INT(attempt_id), DB_TEXT(outcome_name(a->outcome)),
                     a->outcome == OUTCOME_UNKNOWN ? DB_NOTHING : DB_INT(1),
                     a->http_status == 0 ? DB_NOTHING : DB_INT(a->http_status),
                     DB_TEXT_OR_NULL(a->provider_reference), DB_TEXT(a->url), DB_TEXT(a->reason),
                     DB_TEXT(a->instructions), DB_TEXT(a->source));
}

enum err cards_insert(struct db *db, const char *payment_id, const char *alias, const char *country)
{
    return db_append(db, SQL_CARD_INSERT, DB_TEXT(payment_id), DB_TEXT(alias), DB_TEXT(country));
}

enum err cards_get(struct db *db, const char *payment_id, struct payment_card *ret_card)
{
    enum err err = db_run(db, SQL_CARD_GET, DB_TEXT(payment_id));
    *ret_card = (struct payment_card){.alias = ""};
    if (!err && db_next(db)) {
        db_copy(db, 0, ret_card->alias, sizeof ret_card->alias);
        db_copy(db, 1, ret_card->country, sizeof ret_card->country);
    }
    return err;
}

enum err events_insert(struct db *db, const char *payment_id, const char *kind, const char *detail,
                       const char *source)
{
    return db_append(db, SQL_EVENT_INSERT, DB_TEXT(payment_id), DB_TEXT(kind), DB_TEXT(detail),
                     DB_TEXT(source));
}

enum err events_find(struct db *db, const char *payment_id, const char *kind, const char *detail,
                     bool *ret_found)
{
    enum err err = db_run(db, SQL_EVENT_FIND, DB_TEXT(payment_id), DB_TEXT(kind), DB_TEXT(detail));
    *ret_found = !err && db_next(db);
    return err;
}

enum err events_insert_once(struct db *db, const char *payment_id, const char *kind,
                            const char *detail, const char *source)
{
    bool found;
    enum err err = events_find(db, payment_id, kind, detail, &found);
    return err || found ? err : events_insert(db, payment_id, kind, detail, source);
}

enum err events_of_payment(struct db *db, const char *payment_id, size_t max,
                           struct event *ret_events, size_t *ret_count)
{
    enum err err = db_run(db, SQL_EVENTS_OF_PAYMENT, DB_TEXT(payment_id), DB_INT((int64_t)max));
    *ret_count = 0;
    while (!err && *ret_count < max && db_next(db)) {
        struct event *event = &ret_events[(*ret_count)++];
        db_copy(db, 0, event->at, sizeof event->at);
        db_copy(db, 1, event->kind, sizeof event->kind);
        db_copy(db, 2, event->detail, sizeof event->detail);
        db_copy(db, 3, event->source, sizeof event->source);
    }
    return err;
}

enum err checks_insert(struct db *db, const char *payment_id, int64_t due_in_s)
{
    return db_append(db, SQL_CHECK_INSERT, DB_TEXT(payment_id), DB_INT(due_in_s));
}

enum err checks_take(struct db *db, char ret_payment_id[IDENT_MAX], int64_t *ret_tries)
{
    enum err err = db_run_plain(db, SQL_CHECK_TAKE);
    ret_payment_id[0] = '\0';
    if (!err && db_next(db)) {
        db_copy(db, 0, ret_payment_id, IDENT_MAX);
        *ret_tries = db_int(db, 1);
    }
    return err;
}

enum err checks_lease(struct db *db, const char *payment_id, int64_t lease_s)
{
    return db_run(db, SQL_CHECK_LEASE, DB_INT(lease_s), DB_TEXT(payment_id));
}

enum err checks_next(struct db *db, const char *payment_id, int64_t tries, int64_t due_in_ms)
{
    return db_run(db, SQL_CHECK_NEXT, DB_INT(tries), DB_INT(due_in_ms), DB_TEXT(payment_id));
}

enum err checks_ask(struct db *db, const char *payment_id, int64_t every_s, int64_t max,
                    bool *ret_granted)
{
    enum err err = db_run(db, SQL_CHECK_ASK, DB_TEXT(payment_id), DB_INT(max), DB_INT(every_s));
    *ret_granted = !err && db_affected(db) == 1;
    return err;
}

enum err checks_delete(struct db *db, const char *payment_id)
{
    return db_append(db, SQL_CHECK_DELETE, DB_TEXT(payment_id));
}

enum err checks_hurry(struct db *db, const char *provider, const struct hurry *hurry,
                      int64_t *ret_hurried)
{
    *ret_hurried = 0;
    enum err err = db_run(db, SQL_SILENCE_PUT, DB_TEXT(provider));
    if (!err)
        err = db_run(db, SQL_SILENCE_TURN, DB_TEXT(provider), DB_INT(hurry->every_s),
                     DB_TEXT(provider), DB_INT(hurry->silence_s));
    if (err || db_affected(db) == 0)
        return err;
    err = db_run(db, SQL_CHECKS_HURRY, DB_INT(hurry->tries_below), DB_INT(hurry->extra_max),
                 DB_INT(hurry->silence_s), DB_TEXT(provider), DB_INT(hurry->payments));
    *ret_hurried = err ? 0 : db_affected(db);
    return err;
}
