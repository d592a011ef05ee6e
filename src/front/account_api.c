/* GET /user/balance. Source: docs.mannco.store, user account. */
#include "front/api.h"

#include "store/ledger.h"

struct balance_unit {
    int64_t user_id, balance;
};

static enum err balance_unit(struct db *db, void *context)
{
    struct balance_unit *unit = context;
    return ledger_balance(db, unit->user_id, "USD", &unit->balance);
}

void balance_get(struct call *call)
{
    struct balance_unit unit = {.user_id = call->user.id};
    enum err err = db_query(call->context->pool, call->request->arena, balance_unit, &unit);
    struct json_out *out = err ? NULL : reply_open(call);
    if (err)
        reply_error(call, err);
    if (out == NULL)
        return;
    json_out_int(out, "balance", unit.balance);
    reply_close(call, out);
}
