/* Recurring registrations and their payments: the first with the payer there (CIT), the later ones
 * without (MIT). Must not charge: a payment is a PayIn like the others. */
#include "sandbox/mangopay.h"

#include <string.h>

/* What a first payment's amounts and address make of a registration's payments, as documented. */
static const char *magic_code(int64_t amount, const struct json *registration)
{
    enum { MAGIC_AMOUNT = 33501 };
    static const struct {
        const char *line, *code;
    } rows[] = {
        {"01100", "101101"}, {"01116", "101199"}, {"01125", "101106"},
        {"01131", "101305"}, {"03022", "101301"},
    };
    const char *line =
        mango_text(json_get(json_get(registration, "Billing"), "Address"), "AddressLine2");
    for (size_t i = 0; amount == MAGIC_AMOUNT && i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].line, line) == 0)
            return rows[i].code;
    return NULL;
}

static void tell(struct arena *arena, const struct json *registration, const char *what)
{
    mango_tell(arena, mango_print(arena, "RECURRING_REGISTRATION_%s", what),
               mango_text(registration, "Id"), "", NULL, false);
}

static bool is_true(const struct json *object, const char *key)
{
    const struct json *value = json_get(object, key);
    return value != NULL && value->type == JSON_BOOL && value->boolean;
}

/* CLASSIC_SUBSCRIPTION and FRACTIONED_PAYMENT have an end and a pace. */
static const char *type_of(const struct json *object)
{
    bool ends = mango_given(object, "EndDate") != NULL && mango_given(object, "Frequency") != NULL;
    if (ends && is_true(object, "FractionedPayment"))
        return "FRACTIONED_PAYMENT";
    return ends && is_true(object, "FixedNextAmount") ? "CLASSIC_SUBSCRIPTION" : "CUSTOM";
}

bool mango_make_recurring(struct mango_call *call, struct json *object)
{
    struct arena *arena = call->arena;
    const char *currency = mango_currency(object, "FirstTransactionDebitedFunds");
    struct json *state = mango_object(arena);
    if (mango_named(call, "AuthorId", "user") == NULL ||
        mango_named(call, "CreditedWalletId", "wallet") == NULL ||
        !mango_card_use(call, object, currency))
        return false;
    if (mango_given(object, "EndDate") != NULL && mango_int(object, "EndDate") <= mango_now_s()) {
        mango_error_param(call, "EndDate", "The EndDate must be in the future.");
        return false;
    }
    mango_set_int(arena, state, "PayinsLinked", 0);
    mango_set_money(arena, state, "CumulatedDebitedAmount", currency, 0);
    mango_set_money(arena, state, "CumulatedFeesAmount", currency, 0);
    mango_set(arena, state, "LastPayinId", NULL);
    mango_set(arena, object, "CurrentState", state);
    mango_set_text(arena, object, "RecurringType", type_of(object));
    if (mango_given(object, "CreditedUserId") == NULL)
        mango_set(arena, object, "CreditedUserId", json_get(object, "AuthorId"));
    if (call->failure != NULL) {
        mango_set_text(arena, object, "Status", "ENDED");
        mango_result_set(arena, object, call->failure);
        call->failure = NULL;
    }
    return true;
}

void mango_recurring_change(struct mango_call *call)
{
    struct arena *arena = call->arena;
    struct json *object = mango_get(arena, "recurring", call->id);
    if (object == NULL) {
        mango_error_missing(call, "RecurringPayinRegistration", call->id);
        return;
    }
    if (!mango_check(call, mango_recurring_update_fields))
        return;
    const char *status = mango_text(call->body, "Status");
    bool ends = strcmp(status, "ENDED") == 0, asks = false;
    if (*status != '\0' && !ends && strcmp(status, mango_text(object, "Status")) != 0) {
        mango_error_param(call, "Status", "The Status can only be set to ENDED.");
        return;
    }
    if (strcmp(mango_text(object, "Status"), "ENDED") == 0) {
        mango_error_param(call, "Status", "The registration has ENDED.");
        return;
    }
    if (mango_given(call->body, "CardId") != NULL) {
        asks = strcmp(mango_text(call->body, "CardId"), mango_text(object, "CardId")) != 0;
        mango_set(arena, object, "CardId", json_get(call->body, "CardId"));
        if (!mango_card_use(call, object, mango_currency(object, "FirstTransactionDebitedFunds")))
            return;
    }
    if (mango_given(call->body, "Billing") != NULL)
        mango_set(arena, object, "Billing", json_get(call->body, "Billing"));
    if (mango_given(call->body, "Shipping") != NULL)
        mango_set(arena, object, "Shipping", json_get(call->body, "Shipping"));
    if (ends || asks)
        mango_set_text(arena, object, "Status", ends ? "ENDED" : "AUTHENTICATION_NEEDED");
    mango_put(arena, "recurring", call->id, object);
    if (ends || asks)
        tell(arena, object, ends ? "ENDED" : "AUTH_NEEDED");
    mango_answer(call, object);
}

/* --- payments --- */

static struct json *registration_of(struct mango_call *call)
{
    return mango_get(call->arena, "recurring",
                     mango_text(call->body, "RecurringPayinRegistrationId"));
}

static bool needs_payer(const struct json *registration)
{
    return mango_is_word(" CREATED AUTHENTICATION_NEEDED ", mango_text(registration, "Status"));
}

const struct mango_field *mango_recurring_payment_fields(struct mango_call *call)
{
    if (mango_given(call->body, "RecurringPayinRegistrationId") == NULL)
        return mango_mit_fields;
    const struct json *registration =
        mango_named(call, "RecurringPayinRegistrationId", "recurring");
    if (registration == NULL)
        return NULL;
    const char *status = mango_text(registration, "Status");
    if (strcmp(status, "ENDED") == 0) {
        mango_error_param(call, "RecurringPayinRegistrationId", "The registration has ENDED.");
        return NULL;
    }
    if (needs_payer(registration) && mango_given(call->body, "SecureModeReturnURL") == NULL) {
        mango_error_param(call, "SecureModeReturnUrl",
                          mango_print(call->arena,
                                      "RecurringRegistration is in %s state. A valid value must be "
                                      "provided.",
                                      status));
        return NULL;
    }
    return needs_payer(registration) ? mango_cit_fields : mango_mit_fields;
}

/* The amounts of this payment: given, or the registration's own. False: refused. */
static bool set_funds(struct mango_call *call, struct json *payin, const struct json *registration)
{
    struct arena *arena = call->arena;
    const struct json *state = json_get(registration, "CurrentState");
    bool first = mango_int(state, "PayinsLinked") == 0,
         fixed = is_true(registration, "FixedNextAmount");
    const struct json *funds = mango_given(call->body, "DebitedFunds");
    const struct json *fees = mango_given(call->body, "Fees");
    const struct json *next = mango_given(registration, "NextTransactionDebitedFunds");
    if (mango_int(state, "PayinsLinked") < mango_int(registration, "FreeCycles")) {
        if (funds != NULL) {
            mango_error_param(call, "DebitedFunds", "must not be specified for a free cycle.");
            return false;
        }
        const char *currency = mango_currency(registration, "FirstTransactionDebitedFunds");
        mango_set_money(arena, payin, "DebitedFunds", currency, 0);
        mango_set_money(arena, payin, "Fees", currency, 0);
        mango_set_money(arena, payin, "CreditedFunds", currency, 0);
        mango_set_bool(arena, payin, "FreeCycle", true);
        return true;
    }
    if (funds == NULL && (first || fixed || next != NULL)) {
        bool is_next = !first && next != NULL;
        funds = json_get(registration,
                         is_next ? "NextTransactionDebitedFunds" : "FirstTransactionDebitedFunds");
        fees = mango_given(registration, is_next ? "NextTransactionFees" : "FirstTransactionFees");
    }
    if (funds == NULL || fees == NULL) {
        const char *field = funds == NULL ? "DebitedFunds" : "Fees";
        mango_error_param(call, field, mango_print(arena, "The %s field is required.", field));
        return false;
    }
    mango_set(arena, payin, "DebitedFunds", funds);
    mango_set(arena, payin, "Fees", fees);
    mango_set_money(arena, payin, "CreditedFunds", mango_currency(payin, "DebitedFunds"),
                    mango_amount(payin, "DebitedFunds") - mango_amount(payin, "Fees"));
    return true;
}

bool mango_recurring_prepare(struct mango_call *call, struct json *payin)
{
    static const char *const taken[] = {"AuthorId", "CreditedUserId", "CreditedWalletId",
                                        "CardId",   "Billing",        "Shipping"};
    struct arena *arena = call->arena;
    const struct json *registration = registration_of(call);
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        mango_set(arena, payin, taken[i], json_get(registration, taken[i]));
    mango_set(arena, payin, "SecureMode", NULL);
    if (!set_funds(call, payin, registration))
        return false;
    return mango_card_use(call, payin, mango_currency(payin, "DebitedFunds"));
}

enum mango_charge mango_recurring_begin(struct mango_call *call, const struct json *payin,
                                        const char **ret_code)
{
    const struct json *registration = registration_of(call);
    const struct json *card = mango_get(call->arena, "card", mango_text(payin, "CardId"));
    enum mango_charge charge = mango_card_charge(card, "", ret_code);
    const char *magic = magic_code(mango_amount(payin, "DebitedFunds"), registration);
    if (magic != NULL) {
        *ret_code = magic;
        return CHARGE_FAILS;
    }
    if (charge == CHARGE_FAILS)
        return charge;
    return needs_payer(registration) ? CHARGE_ASKS : CHARGE_PAYS;
}

void mango_recurring_paid(struct arena *arena, const struct json *payin)
{
    const char *id = mango_text(payin, "RecurringPayinRegistrationId");
    mango_lock();
    struct json *object = *id == '\0' ? NULL : mango_get(arena, "recurring", id);
    bool starts = object != NULL && needs_payer(object);
    if (object != NULL) {
        const struct json *old = json_get(object, "CurrentState");
        struct json *state = mango_object(arena);
        const char *currency = mango_currency(payin, "DebitedFunds");
        mango_set_int(arena, state, "PayinsLinked", mango_int(old, "PayinsLinked") + 1);
        mango_set_money(arena, state, "CumulatedDebitedAmount", currency,
                        mango_amount(old, "CumulatedDebitedAmount") +
                            mango_amount(payin, "DebitedFunds"));
        mango_set_money(arena, state, "CumulatedFeesAmount", currency,
                        mango_amount(old, "CumulatedFeesAmount") + mango_amount(payin, "Fees"));
        mango_set(arena, state, "LastPayinId", json_get(payin, "Id"));
        mango_set(arena, object, "CurrentState", state);
        if (starts)
            mango_set_text(arena, object, "Status", "IN_PROGRESS");
        mango_put(arena, "recurring", id, object);
    }
    mango_unlock();
    if (starts)
        tell(arena, object, "IN_PROGRESS");
}
