/* Money set aside on a card: preauthorizations of 7 days and deposits of 30, their 3-D Secure step,
 * their end. Capturing is a PayIn's business. */
#include "sandbox/mangopay.h"

#include <string.h>

enum { DAY_S = 24 * 3600, CHALLENGE_S = 15 * 60 };

#define MEMBERS                                                                                    \
    "\"ExpirationDate\":null,\"Status\":\"CREATED\",\"PaymentStatus\":\"WAITING\","                \
    "\"ResultCode\":null,\"ResultMessage\":null,\"SecureModeRedirectURL\":null,"                   \
    "\"SecureModeNeeded\":false,\"PaymentType\":\"CARD\",\"ExecutionType\":\"DIRECT\","            \
    "\"StatementDescriptor\":null,\"Culture\":\"EN\",\"BrowserInfo\":null,\"IpAddress\":null,"     \
    "\"Billing\":null,\"Shipping\":null,\"Requested3DSVersion\":null,"                             \
    "\"Applied3DSVersion\":\"V2_1\""

const struct mango_authorization mango_preauth = {
    .kind = "preauthorization",
    .prefix = "preauth_m_",
    .event = "PREAUTHORIZATION",
    .fields = mango_preauth_fields,
    .members =
        "{" MEMBERS ",\"AuthorizationDate\":null,\"PayInId\":null,\"SecureMode\":\"DEFAULT\","
        "\"SecurityInfo\":{\"AVSResult\":\"NO_CHECK\"},\"MultiCapture\":false,"
        "\"PreferredCardNetwork\":null,\"PaymentCategory\":\"ECommerce\"}",
    .return_key = "preAuthorizationId",
    .life_s = 7 * DAY_S,
};

const struct mango_authorization mango_deposit = {
    .kind = "deposit",
    .prefix = "deposit_m_",
    .event = "DEPOSIT_PREAUTHORIZATION",
    .fields = mango_deposit_fields,
    .members =
        "{" MEMBERS ",\"PayinsLinked\":{\"PayinCaptureId\":null,\"PayinComplementId\":null}}",
    .return_key = "depositId",
    .life_s = 30 * DAY_S,
};

static void tell(struct arena *arena, const struct mango_authorization *kind, const char *id,
                 const char *what)
{
    mango_tell(arena, mango_print(arena, "%s_%s", kind->event, what), id, "", NULL, false);
}

/* The decision of the bank. code: NULL is a yes. */
static void decide(struct arena *arena, const struct mango_authorization *kind, struct json *object,
                   const char *code)
{
    int64_t now = mango_now_s();
    mango_set_text(arena, object, "Status", code == NULL ? "SUCCEEDED" : "FAILED");
    mango_result_set(arena, object, code == NULL ? "000000" : code);
    if (code != NULL) {
        mango_set_text(arena, object, "PaymentStatus",
                       kind == &mango_preauth ? "CANCELED" : "FAILED");
        return;
    }
    if (kind == &mango_preauth)
        mango_set_int(arena, object, "AuthorizationDate", now);
    mango_set_int(arena, object, "ExpirationDate", now + kind->life_s);
    mango_due(kind->kind, mango_text(object, "Id"), now + kind->life_s);
}

static void tell_decision(struct arena *arena, const struct mango_authorization *kind,
                          const char *id, const char *code)
{
    tell(arena, kind, id, code == NULL ? "SUCCEEDED" : "FAILED");
    if (code == NULL)
        tell(arena, kind, id, "PAYMENT_WAITING");
}

static struct json *draft(struct mango_call *call, const struct mango_authorization *kind)
{
    struct arena *arena = call->arena;
    struct json *object = mango_parse(arena, kind->members);
    const char *id = mango_id(arena, kind->prefix);
    mango_set_text(arena, object, "Id", id);
    mango_set(arena, object, "Tag", NULL);
    mango_set_int(arena, object, "CreationDate", mango_now_s());
    for (const struct mango_field *field = kind->fields; field->name != NULL; field++)
        if (mango_given(call->body, field->name) != NULL)
            mango_set(arena, object, field->name, json_get(call->body, field->name));
    const char *back = mango_text(object, "SecureModeReturnURL");
    mango_set_text(arena, object, "SecureModeReturnURL",
                   mango_print(arena, "%s%s%s=%s", back, strchr(back, '?') == NULL ? "?" : "&",
                               kind->return_key, id));
    if (kind == &mango_preauth)
        mango_set(arena, object, "RemainingFunds", json_get(object, "DebitedFunds"));
    return object;
}

void mango_authorize(struct mango_call *call)
{
    const struct mango_authorization *kind = call->route->with;
    struct arena *arena = call->arena;
    const char *code;
    if (!mango_check(call, kind->fields) || mango_named(call, "AuthorId", "user") == NULL)
        return;
    struct json *object = draft(call, kind);
    const char *id = mango_text(object, "Id");
    if (!mango_card_use(call, object, mango_currency(object, "DebitedFunds")))
        return;
    const struct json *card = mango_get(arena, "card", mango_text(object, "CardId"));
    enum mango_charge charge = mango_card_charge(card, mango_text(object, "SecureMode"), &code);
    if (call->failure != NULL) {
        charge = CHARGE_FAILS;
        code = call->failure;
    }
    if (charge == CHARGE_ASKS) {
        mango_set_bool(arena, object, "SecureModeNeeded", true);
        mango_set_text(arena, object, "SecureModeRedirectURL", mango_page_url(arena, "3ds", id));
        mango_due(kind->kind, id, mango_now_s() + CHALLENGE_S);
    } else {
        decide(arena, kind, object, code);
    }
    mango_put(arena, kind->kind, id, object);
    tell(arena, kind, id, "CREATED");
    if (charge != CHARGE_ASKS)
        tell_decision(arena, kind, id, code);
    mango_answer(call, object);
}

void mango_authorization_end(struct arena *arena, const struct mango_authorization *kind,
                             const char *id, const char *code)
{
    mango_lock();
    struct json *object = mango_get(arena, kind->kind, id);
    bool open = object != NULL && strcmp(mango_text(object, "Status"), "CREATED") == 0;
    if (open) {
        decide(arena, kind, object, code);
        mango_put(arena, kind->kind, id, object);
    }
    mango_unlock();
    if (open)
        tell_decision(arena, kind, id, code);
}

void mango_authorization_expire(struct arena *arena, const struct mango_authorization *kind,
                                const char *id)
{
    mango_lock();
    struct json *object = mango_get(arena, kind->kind, id);
    bool waits = object != NULL && strcmp(mango_text(object, "PaymentStatus"), "WAITING") == 0;
    bool open = waits && strcmp(mango_text(object, "Status"), "CREATED") == 0;
    int64_t end = mango_int(object, "ExpirationDate");
    if (waits && !open && end <= mango_now_s()) {
        mango_set_text(arena, object, "PaymentStatus", "EXPIRED");
        mango_put(arena, kind->kind, id, object);
    }
    mango_unlock();
    if (open)
        mango_authorization_end(arena, kind, id, "101304");
    else if (waits && end <= mango_now_s())
        tell(arena, kind, id, "PAYMENT_EXPIRED");
}

void mango_authorization_change(struct mango_call *call)
{
    const struct mango_authorization *kind = call->route->with;
    struct arena *arena = call->arena;
    struct json *object = mango_get(arena, kind->kind, call->id);
    if (object == NULL) {
        mango_error_missing(call, kind->kind, call->id);
        return;
    }
    if (!mango_check(call, mango_authorization_update_fields))
        return;
    bool cancel = mango_given(call->body, "PaymentStatus") != NULL;
    if (cancel && (strcmp(mango_text(object, "PaymentStatus"), "WAITING") != 0 ||
                   strcmp(mango_text(object, "Status"), "SUCCEEDED") != 0)) {
        mango_error_param(call, "PaymentStatus",
                          "The PreAuthorization PaymentStatus value has to be WAITING");
        return;
    }
    if (cancel)
        mango_set_text(arena, object, "PaymentStatus", "CANCELED");
    if (mango_given(call->body, "Tag") != NULL)
        mango_set(arena, object, "Tag", json_get(call->body, "Tag"));
    mango_put(arena, kind->kind, call->id, object);
    if (cancel)
        tell(arena, kind, call->id, "PAYMENT_CANCELED");
    mango_answer(call, object);
}
