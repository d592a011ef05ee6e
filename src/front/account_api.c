/* GET /user/balance, /user/getBalanceHistory and /user/notifications: the caller's own account, in
 * the shapes of docs.mannco.store (user account). Times are Unix seconds as text there. */
#include "front/api.h"

#include "domain/currency.h"
#include "front/fields.h"
#include "store/ledger.h"
#include "store/messages.h"

#include <string.h>

struct balance_unit {
    int64_t user_id, balance;
    const char *currency;
};

static enum err balance_unit(struct db *db, void *context)
{
    struct balance_unit *unit = context;
    return ledger_balance(db, unit->user_id, unit->currency, &unit->balance);
}

/* ?currency=EUR; a balance is of one currency, and without the parameter of the first one. */
static enum err read_currency(const struct call *call, const char **ret_currency)
{
    struct fields query;
    enum err err = fields_query(call->request, &query);
    struct field field = {.kind = FIELD_ABSENT};
    if (!err)
        field = fields_get(&query, "currency");
    *ret_currency = field.kind == FIELD_TEXT ? field.text : "USD";
    if (!err && currency_exponent(*ret_currency) < 0)
        err = ERR_QUERY_CURRENCY;
    return err;
}

void balance_get(struct call *call)
{
    struct balance_unit unit = {.user_id = call->user.id};
    enum err err = read_currency(call, &unit.currency);
    if (!err)
        err = db_query(call->context->pool, call->request->arena, balance_unit, &unit);
    struct json_out *out = reply_open(call, err);
    if (out == NULL)
        return;
    json_out_int(out, "balance", unit.balance);
    reply_close(call, out);
}

struct history_unit {
    int64_t user_id;
    struct field_page page;
    struct ledger_movement *movements;
    size_t count;
    int64_t total;
};

static enum err history_unit(struct db *db, void *context)
{
    struct history_unit *unit = context;
    enum err err =
        ledger_history(db, unit->user_id, unit->page.limit, unit->page.page * unit->page.limit,
                       unit->movements, &unit->count);
    return err || unit->page.page > 0 ? err : ledger_history_count(db, unit->user_id, &unit->total);
}

/* The words of Mannco's history. Money that came back is a refund, whichever way it goes. */
static const char *movement_type(const struct ledger_movement *movement)
{
    bool gained = money_minor_units(&movement->amount) > 0;
    if (strcmp(movement->effect, "opening") == 0)
        return "bonus";
    if (strcmp(movement->effect, "surplus") == 0)
        return "deposit";
    if (strcmp(movement->effect, "refund") == 0 || strcmp(movement->effect, "surplus_refund") == 0)
        return "refund";
    if (strncmp(movement->effect, "dispute", strlen("dispute")) == 0)
        return "dispute";
    if (strcmp(movement->payment_type, "balance") == 0)
        return "deposit";
    if (!movement->own)
        return "sale";
    return gained ? "refund" : "purchase";
}

static void write_movement(struct json_out *out, int64_t user_id,
                           const struct ledger_movement *movement)
{
    /* a buyer's payment is the buyer's business */
    bool told = movement->own && movement->payment_id[0] != '\0';
    json_out_object(out, NULL);
    json_out_int(out, "id", movement->entry_id);
    json_out_text(out, "user", ident_text(user_id).text);
    json_out_text(out, "type", movement_type(movement));
    json_out_int(out, "value", money_minor_units(&movement->amount));
    json_out_int(out, "balance", movement->balance_after);
    json_out_text(out, "currency", money_currency(&movement->amount));
    json_out_text(out, "state", "completed"); /* what is in the ledger has happened */
    json_out_text(out, "time", ident_text(movement->time_s).text);
    json_out_text(out, "paymentId", told ? movement->payment_id : NULL);
    json_out_close_object(out);
}

static enum err read_page(const struct call *call, struct field_page *ret_page)
{
    struct fields query;
    enum err err = fields_query(call->request, &query);
    return err ? err : fields_page(&query, ret_page);
}

static enum err load_history(struct call *call, struct history_unit *unit)
{
    struct arena *arena = call->request->arena;
    enum err err = read_page(call, &unit->page);
    if (err)
        return err;
    unit->movements = arena_alloc(arena, (size_t)unit->page.limit * sizeof *unit->movements);
    if (unit->movements == NULL)
        return ERR_OVERLOAD;
    return db_snapshot(call->context->pool, arena, history_unit, unit);
}

void balance_get_history(struct call *call)
{
    struct history_unit unit = {.user_id = call->user.id};
    enum err err = load_history(call, &unit);
    struct json_out *out = reply_open(call, err);
    if (out == NULL)
        return;
    json_out_array(out, "values");
    for (size_t i = 0; i < unit.count; i++)
        write_movement(out, unit.user_id, &unit.movements[i]);
    json_out_close_array(out);
    if (unit.page.page == 0)
        json_out_int(out, "count", unit.total);
    reply_close(call, out);
}

enum { ALERTS_MAX = 50 };

struct alerts_unit {
    int64_t user_id;
    struct notification alerts[ALERTS_MAX];
    size_t count;
    int64_t unread;
};

static enum err alerts_unit(struct db *db, void *context)
{
    struct alerts_unit *unit = context;
    return notifications_get(db, unit->user_id, ALERTS_MAX, unit->alerts, &unit->count,
                             &unit->unread);
}

/* Messages, offers and trades are the marketplace's own: there are none here. */
static void write_counts(struct json_out *out, int64_t unread)
{
    json_out_int(out, "alertCount", unread);
    json_out_int(out, "messagesCount", 0);
    json_out_int(out, "offersCount", 0);
    json_out_int(out, "tradesCount", 0);
}

void notifications_get_unread(struct call *call)
{
    struct alerts_unit unit = {.user_id = call->user.id};
    enum err err = db_snapshot(call->context->pool, call->request->arena, alerts_unit, &unit);
    struct json_out *out = reply_open(call, err);
    if (out == NULL)
        return;
    write_counts(out, unit.unread);
    json_out_array(out, "alerts");
    for (size_t i = 0; i < unit.count; i++) {
        json_out_object(out, NULL);
        json_out_int(out, "id", unit.alerts[i].id);
        json_out_text(out, "time", ident_text(unit.alerts[i].time_s).text);
        json_out_text(out, "text", unit.alerts[i].text);
        json_out_text(out, "paymentId", unit.alerts[i].payment_id);
        json_out_close_object(out);
    }
    json_out_close_array(out);
    reply_close(call, out);
}

struct read_unit {
    int64_t user_id;
    bool left;
};

static enum err read_unit(struct db *db, void *context)
{
    struct read_unit *unit = context;
    return notifications_read(db, unit->user_id, &unit->left);
}

/* However many there are: what one request has no time for, the next one finds less of. */
void notifications_post_read(struct call *call)
{
    struct read_unit unit = {.user_id = call->user.id};
    enum err err;
    do
        err = db_query(call->context->pool, call->request->arena, read_unit, &unit);
    while (!err && unit.left);
    struct json_out *out = reply_open(call, err);
    if (out == NULL)
        return;
    write_counts(out, 0);
    reply_close(call, out);
}
