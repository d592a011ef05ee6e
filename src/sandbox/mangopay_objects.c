/* The objects that payments need, made and changed by their rows: users, wallets, bank accounts,
 * aliases, mandates, hooks. Must not move money. */
#include "sandbox/mangopay.h"

#include "sandbox/settings.h"

#include <string.h>

enum { MANDATE_SESSION_S = 3600 };

/* Every field of the list that the body gives. */
static void copy_fields(struct mango_call *call, const struct mango_field *fields,
                        struct json *object)
{
    for (; fields->name != NULL; fields++) {
        const struct json *given = mango_given(call->body, fields->name);
        if (given != NULL)
            mango_set(call->arena, object, fields->name, given);
    }
}

void mango_make(struct mango_call *call)
{
    const struct mango_maker *maker = call->route->with;
    if (!mango_check(call, maker->fields))
        return;
    struct json *object = mango_parse(call->arena, maker->members);
    const char *id = mango_id(call->arena, maker->prefix);
    mango_set_text(call->arena, object, "Id", id);
    mango_set(call->arena, object, "Tag", NULL);
    mango_set_int(call->arena, object, "CreationDate", mango_now_s());
    copy_fields(call, maker->fields, object);
    if (maker->make != NULL && !maker->make(call, object))
        return;
    mango_put(call->arena, call->route->kind, id, object);
    if (maker->event != NULL)
        mango_tell(call->arena, maker->event, id, "", NULL, false);
    mango_answer(call, object);
}

void mango_change(struct mango_call *call)
{
    const struct mango_field *fields = call->route->with;
    struct json *object = mango_get(call->arena, call->route->kind, call->id);
    if (object == NULL) {
        mango_error_missing(call, call->route->kind, call->id);
        return;
    }
    if (!mango_check(call, fields))
        return;
    copy_fields(call, fields, object);
    mango_put(call->arena, call->route->kind, call->id, object);
    mango_answer(call, object);
}

struct json *mango_named(struct mango_call *call, const char *member, const char *kind)
{
    const char *id = mango_text(call->body, member);
    struct json *object = mango_get(call->arena, kind, id);
    if (object == NULL)
        mango_error_param(
            call, member,
            mango_print(call->arena, "The ressource %s with the id=%s does not exist", kind, id));
    return object;
}

/* --- wallets --- */

bool mango_make_wallet(struct mango_call *call, struct json *object)
{
    const struct json *owners = json_get(call->body, "Owners");
    const char *owner = owners->child->text;
    if (owners->child->next != NULL) {
        mango_error_param(call, "Owners", "A wallet has exactly one owner.");
        return false;
    }
    if (mango_get(call->arena, "user", owner) == NULL) {
        mango_error_param(call, "Owners", "The owner of the wallet does not exist.");
        return false;
    }
    mango_set_text(call->arena, object, "OwnerId", owner);
    mango_set_money(call->arena, object, "Balance", mango_text(object, "Currency"), 0);
    return true;
}

void mango_wallet_add(struct arena *arena, const char *id, int64_t amount)
{
    mango_lock();
    struct json *wallet = mango_get(arena, "wallet", id);
    if (wallet != NULL) {
        mango_set_money(arena, wallet, "Balance", mango_text(wallet, "Currency"),
                        mango_amount(wallet, "Balance") + amount);
        mango_put(arena, "wallet", id, wallet);
    }
    mango_unlock();
}

/* --- bank accounts and aliases --- */

/* ISO 13616: letters are 10 to 35, the first four characters go to the end, the rest of the
 * division by 97 is 1. */
static bool iban_valid(const char *iban)
{
    size_t len = strlen(iban);
    int rest = 0;
    if (len < 15 || len > 34)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = iban[(i + 4) % len];
        if (c >= '0' && c <= '9')
            rest = (rest * 10 + (c - '0')) % 97;
        else if (c >= 'A' && c <= 'Z')
            rest = (rest * 100 + (c - 'A' + 10)) % 97;
        else
            return false;
    }
    return rest == 1;
}

bool mango_make_bank_account(struct mango_call *call, struct json *object)
{
    if (mango_get(call->arena, "user", call->id) == NULL) {
        mango_error_missing(call, "User", call->id);
        return false;
    }
    if (!iban_valid(mango_text(call->body, "IBAN"))) {
        mango_error_param(call, "IBAN", "The IBAN is not valid.");
        return false;
    }
    mango_set_text(call->arena, object, "UserId", call->id);
    return true;
}

bool mango_make_alias(struct mango_call *call, struct json *object)
{
    struct json *wallet = mango_get(call->arena, "wallet", call->id);
    if (wallet == NULL) {
        mango_error_missing(call, "Wallet", call->id);
        return false;
    }
    mango_set_text(call->arena, object, "WalletId", call->id);
    mango_set_text(call->arena, object, "CreditedUserId", mango_text(wallet, "OwnerId"));
    return true;
}

/* --- mandates --- */

bool mango_make_mandate(struct mango_call *call, struct json *object)
{
    struct arena *arena = call->arena;
    const char *id = mango_text(object, "Id"), *back = mango_text(object, "ReturnURL");
    const struct json *account = mango_named(call, "BankAccountId", "bankaccount");
    if (account == NULL)
        return false;
    if (!mango_is_word(" DE EN DA ES ET FI FR EL HU IT NL NO PL PT SK SV CS ",
                       mango_text(object, "Culture"))) {
        mango_error_param(call, "Culture", "The requested language is not supported");
        return false;
    }
    mango_set_text(arena, object, "UserId", mango_text(account, "UserId"));
    mango_set_text(arena, object, "RedirectURL", mango_page_url(arena, "mandate", id));
    mango_set_text(arena, object, "DocumentURL", mango_page_url(arena, "document", id));
    mango_set_text(
        arena, object, "ReturnURL",
        mango_print(arena, "%s%sMandateId=%s", back, strchr(back, '?') == NULL ? "?" : "&", id));
    mango_due("mandate", id, mango_now_s() + MANDATE_SESSION_S);
    return true;
}

void mango_mandate_end(struct arena *arena, const char *id, const char *status, const char *code)
{
    static const struct {
        const char *status, *event;
    } events[] = {
        {"SUBMITTED", "MANDATE_SUBMITTED"},
        {"ACTIVE", "MANDATE_ACTIVATED"},
        {"FAILED", "MANDATE_FAILED"},
        {"EXPIRED", "MANDATE_EXPIRED"},
    };
    mango_lock();
    struct json *mandate = mango_get(arena, "mandate", id);
    if (mandate != NULL) {
        mango_set_text(arena, mandate, "Status", status);
        mango_result_set(arena, mandate, code);
        mango_set_text(arena, mandate, "Scheme", "SEPA");
        mango_set_text(arena, mandate, "BankReference", mango_print(arena, "%.10s", id + 6));
        mango_put(arena, "mandate", id, mandate);
    }
    mango_unlock();
    for (size_t i = 0; mandate != NULL && i < sizeof events / sizeof events[0]; i++)
        if (strcmp(events[i].status, status) == 0)
            mango_tell(arena, events[i].event, id, "", NULL, false);
}

void mango_mandate_cancel(struct mango_call *call)
{
    struct json *mandate = mango_get(call->arena, "mandate", call->id);
    if (mandate == NULL) {
        mango_error_missing(call, "Mandate", call->id);
    } else if (!mango_is_word(" SUBMITTED ACTIVE ", mango_text(mandate, "Status"))) {
        mango_error(call, 400, "mandate_cannot_be_cancelled",
                    "Only a SUBMITTED or ACTIVE mandate can be cancelled", NULL);
    } else {
        mango_mandate_end(call->arena, call->id, "FAILED", "001806");
        mango_answer(call, mango_get(call->arena, "mandate", call->id));
    }
}

/* --- hooks --- */

static bool has_type(const struct json *hook, void *context)
{
    bool *found = context;
    (void)hook;
    *found = true;
    return false;
}

bool mango_make_hook(struct mango_call *call, struct json *object)
{
    bool found = false;
    mango_each("hook", "EventType", mango_text(object, "EventType"), has_type, &found);
    if (found)
        mango_error_param(call, "EventType",
                          "A hook has already been registered for this EventType");
    return !found;
}
