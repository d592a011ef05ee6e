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

enum err reviews_lock(struct db *db, int64_t id, struct review *ret_review)
{
    struct review *r = ret_review;
    enum err err = db_run(db, SQL_REVIEW_LOCK, DB_INT(id));
    *r = (struct review){0};
    if (err || !db_next(db))
        return err;
    *r = (struct review){.id = db_int(db, 0), .inbox_id = db_int(db, 2)};
    db_copy(db, 1, r->payment_id, sizeof r->payment_id);
    if (!payment_fact_parse(db_text(db, 3), &r->fact))
        r->fact = FACT_NOTHING;
    r->note = db_keep(db, 4);
    r->resolved = db_int(db, 5) != 0;
    return r->note == NULL ? ERR_OVERLOAD : ERR_NONE;
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
