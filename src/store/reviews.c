/* Steps over reviews. */
#include "store/reviews.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[REVIEW_KINDS] = {
    [REVIEW_MISMATCH] = "mismatch",   [REVIEW_STRANGER] = "stranger",
    [REVIEW_UNMATCHED] = "unmatched", [REVIEW_UNREADABLE] = "unreadable",
    [REVIEW_UNENDED] = "unended",     [REVIEW_SURPLUS] = "surplus",
};

const char *review_kind_name(enum review_kind kind)
{
    return kind_names[kind];
}

static enum review_kind kind_parse(const char *name)
{
    size_t kind = 0;
    while (kind + 1 < REVIEW_KINDS && strcmp(kind_names[kind], name) != 0)
        kind++;
    return (enum review_kind)kind;
}

enum err reviews_put(struct db *db, const struct review *review)
{
    char notice[32];
    bool paid = review->payment_id[0] != '\0';
    (void)snprintf(notice, sizeof notice, "notice:%lld", (long long)review->inbox_id);
    return db_run(db, SQL_REVIEW_INSERT, DB_TEXT(kind_names[review->kind]),
                  DB_TEXT(paid ? review->payment_id : notice), DB_TEXT_OR_NULL(review->payment_id),
                  review->inbox_id == 0 ? DB_NOTHING : DB_INT(review->inbox_id),
                  DB_TEXT(review->provider), DB_TEXT(payment_fact_name(review->fact)),
                  DB_TEXT(review->note));
}

/* The columns are REVIEW_COLUMNS of sql.c. */
static enum err read_review(struct db *db, struct review *ret_review)
{
    struct review *r = ret_review;
    *r = (struct review){
        .id = db_int(db, 0), .kind = kind_parse(db_text(db, 1)), .inbox_id = db_int(db, 3)};
    db_copy(db, 2, r->payment_id, sizeof r->payment_id);
    db_copy(db, 4, r->provider, sizeof r->provider);
    if (!payment_fact_parse(db_text(db, 5), &r->fact))
        r->fact = FACT_NOTHING;
    db_copy(db, 7, r->created_at, sizeof r->created_at);
    db_copy(db, 8, r->resolved_at, sizeof r->resolved_at);
    r->note = db_keep(db, 6);
    r->resolved_by = db_keep(db, 9);
    r->resolution = db_keep(db, 10);
    return r->note == NULL || r->resolved_by == NULL || r->resolution == NULL ? ERR_OVERLOAD
                                                                              : ERR_NONE;
}

enum err reviews_lock(struct db *db, int64_t id, struct review *ret_review)
{
    enum err err = db_run(db, SQL_REVIEW_LOCK, DB_INT(id));
    *ret_review = (struct review){0};
    return err || !db_next(db) ? err : read_review(db, ret_review);
}

enum err reviews_resolve(struct db *db, const struct review *review, const char *by,
                         const char *resolution)
{
    enum err err =
        db_run(db, SQL_REVIEW_RESOLVE, DB_TEXT(by), DB_TEXT(resolution), DB_INT(review->id));
    return err ? err
               : db_run(db, SQL_INBOX_RESOLVE, DB_INT(review->inbox_id),
                        DB_TEXT(review->payment_id), DB_TEXT(review->note));
}
