/* payment list, show and timeline: what is known about payments. Must not change anything. */
#include "ctl/commands.h"
#include "ctl/messages.h"
#include "ctl/show.h"
#include "domain/payment.h"
#include "domain/tos.h"
#include "flow/review.h"
#include "provider/provider.h"

#include <assert.h>
#include <string.h>

/* of SQL_INSPECT_PAYMENTS… */
static const struct column list_columns[] = {COLUMN(TEXT, "id", "id"),
                                             COLUMN(TIME, "createdAt", "created"),
                                             COLUMN(TEXT, "user", "user"),
                                             COLUMN_AMOUNT("amount", "amount", 4),
                                             COLUMN(TEXT, "currency", NULL),
                                             COLUMN(TEXT, "status", "status"),
                                             COLUMN(TEXT, "provider", "provider"),
                                             COLUMN(TEXT, "type", "type"),
                                             COLUMN(TEXT, "method", NULL),
                                             COLUMN(TIME, "expiresAt", NULL),
                                             COLUMN_AMOUNT("refunded", NULL, 4),
                                             COLUMN(TEXT, "dispute", NULL),
                                             {0}};

/* The rest are of the statements that sections[] below names. */
static const struct column payment_columns[] = {
    COLUMN(TEXT, "id", "payment"),
    COLUMN(TIME, "createdAt", "created"),
    COLUMN(TEXT, "user", "user"),
    COLUMN_AMOUNT("amount", "amount", 4),
    COLUMN(TEXT, "currency", NULL),
    COLUMN(TEXT, "status", "status"),
    COLUMN(TEXT, "provider", "provider"),
    COLUMN(TEXT, "type", "type"),
    COLUMN(TEXT, "method", "method"),
    COLUMN(TIME, "expiresAt", "expires"),
    COLUMN_AMOUNT("refunded", "refunded", 4),
    COLUMN(TEXT, "dispute", "dispute"),
    COLUMN(TEXT, "storedStatus", "status in the table"),
    COLUMN(TEXT, "endpoint", "endpoint"),
    COLUMN(TEXT, "clientIp", "client's address"),
    COLUMN(TEXT, "requestId", "request"),
    COLUMN(TEXT, "returnUrl", "return URL"),
    COLUMN(TIME, "tosAcceptedAt", "terms accepted"),
    COLUMN(TIME, "checkoutCreatedAt", "checkout created"),
    {0}};
static const struct column attempt_columns[] = {
    COLUMN(NUMBER, "number", "no"),         COLUMN(TEXT, "provider", "provider"),
    COLUMN(TEXT, "reference", "reference"), COLUMN(TIME, "createdAt", "sent"),
    COLUMN(TIME, "deadlineAt", "over by"),  {0}};
static const struct column answer_columns[] = {COLUMN(NUMBER, "attempt", "no"),
                                               COLUMN(TIME, "at", "at"),
                                               COLUMN(TEXT, "outcome", "outcome"),
                                               COLUMN(NUMBER, "httpStatus", "http"),
                                               COLUMN(TEXT, "providerReference", "session"),
                                               COLUMN(TEXT, "reason", "reason"),
                                               COLUMN(TEXT, "url", NULL),
                                               {0}};
static const struct column item_columns[] = {COLUMN(TEXT, "assetId", "asset"),
                                             COLUMN(TEXT, "seller", "seller"),
                                             COLUMN_AMOUNT("price", "price", 4),
                                             COLUMN_AMOUNT("fee", "fee", 4),
                                             COLUMN(TEXT, "currency", NULL),
                                             COLUMN(TEXT, "owner", "owner now"),
                                             COLUMN(BOOL, "held", "held"),
                                             COLUMN(TEXT, "name", "name"),
                                             {0}};
static const struct column entry_columns[] = {COLUMN(TIME, "at", "posted"),
                                              COLUMN(TEXT, "effect", "effect"),
                                              COLUMN(NUMBER, "sequence", "no"),
                                              COLUMN(TEXT, "account", "account"),
                                              COLUMN(TEXT, "owner", "owner"),
                                              COLUMN_AMOUNT("amount", "amount", 6),
                                              COLUMN(TEXT, "currency", NULL),
                                              COLUMN_AMOUNT("balance", "balance after", 6),
                                              {0}};
static const struct column refund_columns[] = {COLUMN(TEXT, "id", "id"),
                                               COLUMN(TIME, "createdAt", "at"),
                                               COLUMN_AMOUNT("amount", "amount", 3),
                                               COLUMN(TEXT, "currency", NULL),
                                               COLUMN(TEXT, "via", "via"),
                                               COLUMN(TEXT, "operator", NULL),
                                               COLUMN(TEXT, "reference", "provider's"),
                                               COLUMN(TEXT, "reason", "reason"),
                                               {0}};
static const struct column order_columns[] = {COLUMN(TEXT, "id", "id"),
                                              COLUMN(TIME, "createdAt", "at"),
                                              COLUMN_AMOUNT("amount", "amount", 3),
                                              COLUMN(TEXT, "currency", NULL),
                                              COLUMN(TEXT, "state", "state"),
                                              COLUMN(TEXT, "operator", NULL),
                                              COLUMN(TEXT, "reference", "provider's"),
                                              COLUMN(NUMBER, "tries", "tries"),
                                              COLUMN(TIME, "dueAt", "due"),
                                              COLUMN(TEXT, "note", "note"),
                                              COLUMN(TEXT, "reason", NULL),
                                              {0}};
static const struct column dispute_columns[] = {COLUMN(TIME, "createdAt", "at"),
                                                COLUMN(TEXT, "state", "state"),
                                                COLUMN_AMOUNT("amount", "amount", 3),
                                                COLUMN(TEXT, "currency", NULL),
                                                COLUMN(TEXT, "provider", "provider"),
                                                COLUMN(TEXT, "reference", "provider's"),
                                                {0}};
static const struct column key_columns[] = {
    COLUMN(TIME, "createdAt", "claimed"), COLUMN(TEXT, "path", "path"),
    COLUMN(TEXT, "state", "state"),       COLUMN(NUMBER, "httpStatus", "http"),
    COLUMN(TEXT, "key", "key"),           {0}};
static const struct column event_columns[] = {COLUMN(TIME, "at", "at"),
                                              COLUMN(TEXT, "source", "source"),
                                              COLUMN(TEXT, "kind", "kind"),
                                              COLUMN(TEXT, "detail", "detail"),
                                              {0}};
static const struct column outbox_columns[] = {COLUMN(NUMBER, "id", "id"),
                                               COLUMN(TIME, "createdAt", "written"),
                                               COLUMN(TEXT, "topic", "topic"),
                                               {0}};
static const struct column check_columns[] = {
    COLUMN(TIME, "dueAt", "due"), COLUMN(NUMBER, "tries", "tries"), {0}};

struct list_unit {
    struct inspect_payments filter;
    struct inspect_rows rows;
};

static enum err list_unit(struct db *db, void *context)
{
    struct list_unit *unit = context;
    return inspect_payments(db, &unit->filter, &unit->rows);
}

/* NULL: the filters are fine. */
static const char *read_filter(const struct ctl *ctl, struct inspect_payments *filter)
{
    enum payment_status status;
    const char *since = ctl_option(ctl, "--since");
    filter->cursor = ctl_option(ctl, "--cursor");
    filter->provider = ctl_option(ctl, "--provider");
    filter->status = ctl_option(ctl, "--status");
    if (!ctl_number(ctl_option(ctl, "--user"), &filter->user_id))
        return "--user must be a user's number";
    if (filter->cursor != NULL && !ident_valid("PAY_", filter->cursor))
        return "--cursor must be the ID of a payment, as the list before showed it";
    if (filter->provider != NULL && !provider_is_known(filter->provider))
        return "--provider: there is no such provider";
    if (filter->status != NULL && !payment_status_parse(filter->status, &status))
        return "--status must be pending, processing, completed, or another word of the API";
    if (since != NULL &&
        (!timestamp_parse(since, &filter->since_ms) || filter->since_ms > MOMENT_MAX_MS))
        return "--since must be like 2026-11-28T20:00:00Z, or Unix seconds";
    return NULL;
}

int payment_list(struct ctl *ctl)
{
    struct list_unit unit = {0};
    const char *problem = read_filter(ctl, &unit.filter);
    if (problem != NULL)
        return ctl_refuse(ctl, CTL_MISUSED, "%s", problem);
    if (!ctl_limit(ctl, &unit.filter.max))
        return CTL_MISUSED;
    unit.filter.max++; /* one more tells whether there is a next page */
    enum err err = db_query(ctl->pool, ctl->arena, list_unit, &unit);
    if (err)
        return ctl_report(ctl, err);
    struct section section = {
        .shape = SECTION_LIST, .key = "payments", .columns = list_columns, .rows = unit.rows};
    return show_page(ctl, &section, unit.filter.max - 1, 0);
}

/* What is asked about one payment: lists, each with its statement. */
struct part {
    enum sql list;
    struct section section;
};
#define LIST(name, key, title, columns)                                                            \
    {                                                                                              \
        SQL_INSPECT_##name##_OF_PAYMENT,                                                           \
        {                                                                                          \
            SECTION_LIST, key, title, columns,                                                     \
            {                                                                                      \
                0                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

static const struct part show_parts[] = {
    {SQL_INSPECT_PAYMENT_OF_PAYMENT, {SECTION_FIELDS, NULL, NULL, payment_columns, {0}}},
    {SQL_INSPECT_CHECK_OF_PAYMENT,
     {SECTION_OBJECT, "check", "the provider is asked again", check_columns, {0}}},
    LIST(ATTEMPTS, "attempts", "calls to providers", attempt_columns),
    LIST(ANSWERS, "answers", "their answers", answer_columns),
    LIST(ITEMS, "items", "items", item_columns),
    LIST(ENTRIES, "entries", "money", entry_columns),
    LIST(REFUNDS, "refunds", "refunds", refund_columns),
    LIST(ORDERS, "refundOrders", "refunds that the provider has not made", order_columns),
    LIST(DISPUTES, "disputes", "disputes", dispute_columns),
    LIST(REVIEWS, "reviews", "for a person to decide", review_columns),
    LIST(KEYS, "idempotencyKeys", "Idempotency-Key", key_columns),
    LIST(NOTICES, "notices", "notices of providers (inbox)", notice_columns),
    LIST(OUTBOX, "events", "what others must be told (outbox)", outbox_columns),
    LIST(DELIVERIES, "deliveries", "on its way to", delivery_columns),
};
static const struct part timeline_parts[] = {
    {SQL_INSPECT_PAYMENT_OF_PAYMENT, {SECTION_FIELDS, NULL, NULL, payment_columns, {0}}},
    LIST(EVENTS, "timeline", NULL, event_columns),
};

enum { PARTS_MAX = sizeof show_parts / sizeof show_parts[0] };

struct show_unit {
    const char *payment_id;
    const struct part *parts;
    size_t count;
    struct section sections[PARTS_MAX];
};

static enum err show_unit(struct db *db, void *context)
{
    struct show_unit *unit = context;
    enum err err = ERR_NONE;
    for (size_t i = 0; i < unit->count && !err; i++) {
        unit->sections[i] = unit->parts[i].section;
        err =
            inspect_of_payment(db, unit->parts[i].list, unit->payment_id, &unit->sections[i].rows);
    }
    return err;
}

static int bad_id(const struct ctl *ctl)
{
    return ctl_refuse(ctl, CTL_MISUSED,
                      "%.80s is no payment's ID: it must be PAY_ and 26 capital letters and "
                      "digits; find it with guichetctl payment list",
                      ctl->id);
}

static int absent(const struct ctl *ctl)
{
    return ctl_refuse(ctl, CTL_ABSENT, "there is no payment %s", ctl->id);
}

static int read_parts(struct ctl *ctl, struct show_unit *unit)
{
    unit->payment_id = ctl->id;
    if (!ident_valid("PAY_", ctl->id))
        return bad_id(ctl);
    enum err err = db_snapshot(ctl->pool, ctl->arena, show_unit, unit);
    if (err)
        return ctl_report(ctl, err);
    return unit->sections[0].rows.count > 0 ? CTL_FINE : absent(ctl);
}

int payment_show(struct ctl *ctl)
{
    struct show_unit unit = {.parts = show_parts, .count = PARTS_MAX};
    int status = read_parts(ctl, &unit);
    return status == CTL_FINE ? show(ctl, unit.sections, unit.count, NULL) : status;
}

/* The timeline alone, as GET /payments/{id} has it. */
int payment_timeline(struct ctl *ctl)
{
    struct show_unit unit = {.parts = timeline_parts, .count = 2};
    int status = read_parts(ctl, &unit);
    return status == CTL_FINE ? show(ctl, &unit.sections[1], 1, NULL) : status;
}

/* False: it cannot be, and that has been said. */
static bool read_word(const struct ctl *ctl, struct operator_word *word)
{
    bool known = payment_fact_parse(ctl_option(ctl, "--as"), &word->fact);
    assert(known); /* the table of commands has it so */
    word->payment_id = ctl->id;
    word->reference = ctl_option(ctl, "--reference");
    if (word->reference == NULL)
        word->reference = "";
    if (!ctl_number(ctl_option(ctl, "--amount"), &word->amount)) {
        (void)ctl_refuse(ctl, CTL_MISUSED, "--amount must be a number of minor units (cents)");
        return false;
    }
    if (strlen(word->reference) >= PROVIDER_REFERENCE_MAX || !ctl_is_ascii(word->reference)) {
        (void)ctl_refuse(ctl, CTL_MISUSED, "--reference must be up to %d plain letters",
                         PROVIDER_REFERENCE_MAX - 1);
        return false;
    }
    word->by = ctl_operator(ctl);
    word->why = word->by == NULL ? NULL : ctl_why(ctl);
    return word->why != NULL;
}

int payment_settle(struct ctl *ctl)
{
    struct context context = {.settings = ctl->settings, .pool = ctl->pool};
    struct operator_word word;
    struct show_unit unit = {.parts = timeline_parts, .count = 2};
    const char *problem = NULL;
    if (!ident_valid("PAY_", ctl->id))
        return bad_id(ctl);
    if (!read_word(ctl, &word))
        return CTL_MISUSED;
    enum err err = operator_settle(&context, ctl->arena, &word, &problem);
    if (err == ERR_NOT_FOUND)
        return absent(ctl);
    if (err == ERR_CONFLICT)
        return ctl_refuse(ctl, CTL_WRONG, "not booked: %s", problem);
    if (err)
        return ctl_report(ctl, err);
    int status = read_parts(ctl, &unit);
    return status == CTL_FINE ? show(ctl, unit.sections, 1, NULL) : status;
}
