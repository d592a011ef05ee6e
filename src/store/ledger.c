/* Steps over ledger_accounts, ledger_postings, ledger_entries and balances.
 * Entries are only ever inserted; a balance moves in the same step as its entry. */
#include "store/ledger.h"

#include "base/buf.h"
#include "base/ident.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ACCOUNTS_KNOWN = 8192 };

static const char *const kind_names[] = {
    [LEDGER_USER] = "user",
    [LEDGER_PROVIDER] = "provider",
    [LEDGER_PROVIDER_FEES] = "provider_fees",
    [LEDGER_EQUITY] = "equity",
    [LEDGER_DISPUTES] = "disputes",
};

static void assert_sums_to_zero(const struct ledger_line *lines, size_t count)
{
    struct money sum = lines[0].amount;
    for (size_t i = 1; i < count; i++) {
        bool fits = money_add(&sum, &lines[i].amount, &sum);
        assert(fits);
    }
    assert(money_minor_units(&sum) == 0);
}

/* Accounts never change, so those seen are remembered, the last one of each place. */
static struct {
    pthread_mutex_t mutex;
    struct known_account {
        int64_t id; /* 0: none */
        enum ledger_kind kind;
        char owner[33], currency[4];
    } known[ACCOUNTS_KNOWN];
} accounts = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct known_account *place_of(const struct ledger_line *line)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (const char *c = line->owner; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    return &accounts.known[(hash + (uint32_t)line->kind) % ACCOUNTS_KNOWN];
}

static int64_t recall(const struct ledger_line *line)
{
    const struct known_account *place = place_of(line);
    (void)pthread_mutex_lock(&accounts.mutex);
    bool same = place->kind == line->kind && strcmp(place->owner, line->owner) == 0 &&
                strcmp(place->currency, money_currency(&line->amount)) == 0;
    int64_t id = same ? place->id : 0;
    (void)pthread_mutex_unlock(&accounts.mutex);
    return id;
}

static void remember(const struct ledger_line *line, int64_t id)
{
    struct known_account account = {.id = id, .kind = line->kind};
    if (!text_copy(account.owner, sizeof account.owner, line->owner) ||
        !text_copy(account.currency, sizeof account.currency, money_currency(&line->amount)))
        return;
    (void)pthread_mutex_lock(&accounts.mutex);
    *place_of(line) = account;
    (void)pthread_mutex_unlock(&accounts.mutex);
}

static enum err find_account(struct db *db, const struct ledger_line *line, int64_t *ret_account)
{
    enum err err = db_run(db, SQL_ACCOUNT_BY_OWNER, DB_TEXT(kind_names[line->kind]),
                          DB_TEXT(line->owner), DB_TEXT(money_currency(&line->amount)));
    *ret_account = !err && db_next(db) ? db_int(db, 0) : 0;
    return err;
}

/* In a group nobody opens accounts, so what is found is committed, and may be remembered. */
static enum err account_in_group(struct db *db, const struct ledger_line *line,
                                 int64_t *ret_account)
{
    *ret_account = recall(line);
    enum err err = *ret_account == 0 ? find_account(db, line, ret_account) : ERR_NONE;
    if (!err && *ret_account == 0)
        return ERR_DB_CONFLICT; /* alone, it is opened */
    if (!err)
        remember(line, *ret_account);
    return err;
}

/* The account of a line, opened when it is the first of its owner. */
static enum err account_of(struct db *db, const struct ledger_line *line, int64_t *ret_account)
{
    if (db_gathered(db))
        return account_in_group(db, line, ret_account);
    enum err err = find_account(db, line, ret_account);
    if (err || *ret_account != 0)
        return err;
    err = db_run(db, SQL_ACCOUNT_PUT, DB_TEXT(kind_names[line->kind]), DB_TEXT(line->owner),
                 DB_TEXT(money_currency(&line->amount)));
    if (!err)
        err = find_account(db, line, ret_account);
    return err;
}

struct line_of_account {
    const struct ledger_line *line;
    int64_t account;
};

/* The balance first: its lock orders the entries of an account. */
static enum err write_line(struct db *db, const int64_t *posting, int64_t number,
                           const struct line_of_account *of)
{
    const struct ledger_line *line = of->line;
    int64_t units = money_minor_units(&line->amount);
    int64_t *balance = line->kind == LEDGER_USER ? db_number_new(db) : NULL;
    enum err err = ERR_NONE;
    if (line->kind == LEDGER_USER)
        err = balance == NULL ? ERR_OVERLOAD
                              : db_append_balance(db, balance, line->covered, SQL_BALANCE_ADD,
                                                  DB_INT(of->account), DB_INT(units));
    if (!err)
        err = db_append(db, SQL_ENTRY_INSERT, DB_LATER(posting), DB_INT(number),
                        DB_INT(of->account), DB_INT(units), DB_TEXT(money_currency(&line->amount)),
                        balance == NULL ? DB_NOTHING : DB_LATER(balance));
    return err;
}

/* As groups lock balances too, see held.c. */
static int by_account(const void *a, const void *b)
{
    const struct line_of_account *one = a, *other = b;
    if (one->line->kind != other->line->kind)
        return (int)one->line->kind - (int)other->line->kind;
    return one->account < other->account ? -1 : one->account > other->account;
}

enum err ledger_post(struct db *db, const char *document_id, const char *effect, int64_t sequence,
                     const struct ledger_line *lines, size_t count, bool *ret_posted)
{
    struct line_of_account sorted[LEDGER_LINES_MAX];
    int64_t *posting = db_number_new(db);
    assert(count >= 2 && count <= LEDGER_LINES_MAX);
    assert_sums_to_zero(lines, count);
    *ret_posted = false;
    if (posting == NULL)
        return ERR_OVERLOAD;
    enum err err = db_append_inner(db, posting, SQL_POSTING_INSERT, DB_TEXT(document_id),
                                   DB_TEXT(effect), DB_INT(sequence));
    if (err == ERR_DB_DUPLICATE)
        return ERR_NONE;
    for (size_t i = 0; i < count && !err; i++) {
        sorted[i].line = &lines[i];
        err = account_of(db, &lines[i], &sorted[i].account);
    }
    if (!err)
        qsort(sorted, count, sizeof *sorted, by_account);
    for (size_t i = 0; i < count && !err; i++)
        err = write_line(db, posting, (int64_t)i + 1, &sorted[i]);
    *ret_posted = !err;
    return err;
}

enum err ledger_posted(struct db *db, const char *document_id, const char *effect, int64_t sequence,
                       bool *ret_posted)
{
    enum err err =
        db_run(db, SQL_POSTING_FIND, DB_TEXT(document_id), DB_TEXT(effect), DB_INT(sequence));
    *ret_posted = !err && db_next(db);
    return err;
}

enum err ledger_balance(struct db *db, int64_t user_id, const char *currency, int64_t *ret_balance)
{
    struct ident_text owner = ident_text(user_id);
    enum err err = db_run(db, SQL_BALANCE_OF_USER, DB_TEXT(owner.text), DB_TEXT(currency));
    *ret_balance = !err && db_next(db) ? db_int(db, 0) : 0;
    return err;
}

enum err ledger_history(struct db *db, int64_t user_id, int64_t max, int64_t offset,
                        struct ledger_movement *ret_movements, size_t *ret_count)
{
    struct ident_text owner = ident_text(user_id);
    enum err err = db_run(db, SQL_HISTORY_PAGE, DB_TEXT(owner.text), DB_INT(max), DB_INT(offset));
    *ret_count = 0;
    while (!err && *ret_count < (size_t)max && db_next(db)) {
        struct ledger_movement *m = &ret_movements[(*ret_count)++];
        bool fine = money_make(db_int(db, 1), db_text(db, 3), &m->amount);
        assert(fine); /* it was money when it was written */
        m->entry_id = db_int(db, 0);
        m->balance_after = db_int(db, 2);
        m->time_s = db_int(db, 4);
        m->effect = db_keep(db, 5);
        m->payment_id = db_keep(db, 6);
        m->own = db_int(db, 7) == user_id;
        m->payment_type = db_keep(db, 8);
        if (m->effect == NULL || m->payment_id == NULL || m->payment_type == NULL)
            return ERR_OVERLOAD;
    }
    return err;
}

enum err ledger_history_count(struct db *db, int64_t user_id, int64_t *ret_count)
{
    struct ident_text owner = ident_text(user_id);
    enum err err = db_run(db, SQL_HISTORY_COUNT, DB_TEXT(owner.text));
    *ret_count = !err && db_next(db) ? db_int(db, 0) : 0;
    return err;
}

enum err ledger_verify(struct db *db, FILE *report, int64_t *ret_breaks)
{
    int64_t breaks = 0;
    enum err err = db_run_plain(db, SQL_VERIFY_POSTINGS);
    for (; !err && db_next(db); breaks++)
        (void)fprintf(report, "posting %s %s: its entries sum to %s, not to 0\n", db_text(db, 0),
                      db_text(db, 1), db_text(db, 3));
    if (!err)
        err = db_run_plain(db, SQL_VERIFY_BALANCES);
    for (; !err && db_next(db); breaks++)
        (void)fprintf(report, "user %s: the %s balance is %s, its entries sum to %s\n",
                      db_text(db, 0), db_text(db, 1), db_text(db, 2), db_text(db, 3));
    if (!err)
        err = db_run_plain(db, SQL_VERIFY_PAYMENTS);
    for (; !err && db_next(db); breaks++)
        (void)fprintf(report, "payment %s is %s: of its %s, %s were credited and %s taken back\n",
                      db_text(db, 0), db_text(db, 1), db_text(db, 2), db_text(db, 3),
                      db_text(db, 4));
    if (!err)
        err = db_run_plain(db, SQL_VERIFY_REFUNDS);
    for (; !err && db_next(db); breaks++)
        (void)fprintf(report, "payment %s: %s are refunded, its refunds sum to %s\n",
                      db_text(db, 0), db_text(db, 1), db_text(db, 2));
    if (!err)
        err = db_run_plain(db, SQL_VERIFY_DISPUTES);
    for (; !err && db_next(db); breaks++)
        (void)fprintf(report, "disputes with %s: %s %s are held, open disputes sum to %s\n",
                      db_text(db, 0), db_text(db, 2), db_text(db, 1), db_text(db, 3));
    if (!err)
        err = db_run_plain(db, SQL_VERIFY_SURPLUS);
    for (; !err && db_next(db); breaks++)
        (void)fprintf(report, "payment %s: the %s of attempt %s has nothing that it could be of\n",
                      db_text(db, 0), db_text(db, 1), db_text(db, 2));
    if (!err)
        err = db_run_plain(db, SQL_VERIFY_HOLDS);
    for (; !err && db_next(db); breaks++)
        (void)fprintf(report, "item %s is held by payment %s, which is %s\n", db_text(db, 0),
                      db_text(db, 1), db_text(db, 2));
    if (!err)
        err = db_run_plain(db, SQL_VERIFY_TOTALS);
    if (!err && db_next(db))
        (void)fprintf(report, "%s postings, %s entries, %s balances, %s payments: %lld wrong\n",
                      db_text(db, 0), db_text(db, 1), db_text(db, 2), db_text(db, 3),
                      (long long)breaks);
    *ret_breaks = breaks;
    return err;
}
