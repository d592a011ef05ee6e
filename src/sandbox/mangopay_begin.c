/* The kinds of PayIns: one is one row, with what it looks at before it is made and what it does at
 * once. Must not keep or move a PayIn: mangopay_payin.c does. */
#include "sandbox/mangopay.h"

#include "sandbox/settings.h"

#include "base/crypt.h"

#include <string.h>

#define MINUTES(n) ((n)*INT64_C(60000))
#define DAYS(n)    ((n)*INT64_C(86400000))

#define CARD_MONEY " EUR GBP USD CHF PLN NOK SEK DKK CAD AUD "

/* The document's own table: which kind takes which currencies. */
static const struct {
    const char *name, *currencies;
} capabilities[] = {
    {"CB_VISA_MASTERCARD", CARD_MONEY},
    {"MAESTRO", " EUR "},
    {"AMEX", CARD_MONEY},
    {"DINERS", " EUR "},
    {"P24", " PLN "},
    {"IDEAL", " EUR "},
    {"BCMC", " EUR "},
    {"SOFORT", " EUR "},
    {"GIROPAY", " EUR "},
    {"DIRECT_DEBIT_GOCARDLESS", " EUR GBP "},
};

/* Refuses a currency that the kind does not take. */
static bool takes_currency(struct mango_call *call, const char *name, const char *currency)
{
    for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++) {
        if (strcmp(capabilities[i].name, name) != 0 ||
            mango_is_word(capabilities[i].currencies, currency))
            continue;
        struct json *errors = mango_object(call->arena);
        mango_set_text(call->arena, errors, "error",
                       mango_print(call->arena,
                                   "The method payment %s with the ccy %s is not active for the "
                                   "partner %s",
                                   name, currency, sandbox_settings()->mangopay.client_id));
        mango_error(call, 400, "disabled_mean_of_payment_for_currency",
                    "Error this mean of payment for this asked currency has been disabled", errors);
        return false;
    }
    return true;
}

static void set_page(struct mango_call *call, struct json *payin)
{
    mango_set_text(call->arena, payin, "RedirectURL",
                   mango_page_url(call->arena, "pay", mango_text(payin, "Id")));
}

static bool prepare_card_web(struct mango_call *call, struct json *payin)
{
    set_page(call, payin);
    return takes_currency(call, mango_text(payin, "CardType"),
                          mango_currency(payin, "DebitedFunds"));
}

static bool prepare_debit_web(struct mango_call *call, struct json *payin)
{
    set_page(call, payin);
    mango_set(call->arena, payin, "TemplateURL", json_get(payin, "RedirectURL"));
    return takes_currency(call, mango_text(payin, "DirectDebitType"),
                          mango_currency(payin, "DebitedFunds"));
}

static bool prepare_paypal(struct mango_call *call, struct json *payin)
{
    set_page(call, payin);
    return true;
}

/* --- cards --- */

static bool prepare_card_direct(struct mango_call *call, struct json *payin)
{
    const char *currency = mango_currency(payin, "DebitedFunds");
    return mango_card_use(call, payin, currency) &&
           takes_currency(
               call,
               mango_text(mango_get(call->arena, "card", mango_text(payin, "CardId")), "CardType"),
               currency);
}

static enum mango_charge begin_card_direct(struct mango_call *call, const struct json *payin,
                                           const char **ret_code)
{
    const struct json *card = mango_get(call->arena, "card", mango_text(payin, "CardId"));
    return mango_card_charge(card, mango_text(payin, "SecureMode"), ret_code);
}

/* --- captures --- */

/* Must be decided well, and still wait. */
static bool is_capturable(struct mango_call *call, const struct json *authorization)
{
    if (strcmp(mango_text(authorization, "Status"), "SUCCEEDED") != 0)
        mango_error_param(call, "Status",
                          "The PreAuthorization Status value has to be up to SUCCEEDED");
    else if (strcmp(mango_text(authorization, "PaymentStatus"), "WAITING") != 0)
        mango_error_param(call, "PaymentStatus",
                          "The PreAuthorization PaymentStatus value has to be WAITING");
    else
        return true;
    return false;
}

static bool same_currency(struct mango_call *call, const struct json *authorization,
                          const struct json *payin)
{
    const char *own = mango_currency(authorization, "DebitedFunds");
    const char *given = mango_currency(payin, "DebitedFunds");
    if (strcmp(own, given) == 0)
        return true;
    struct json *errors = mango_object(call->arena);
    mango_set_text(call->arena, errors, "currency",
                   mango_print(call->arena,
                               "The PreAuthorization's currency %s and the DebitedFunds's currency "
                               "%s must be the same",
                               own, given));
    mango_error(call, 400, "currency_incompatibility",
                "Error: multi-currency usage is not authorized", errors);
    return false;
}

static bool prepare_capture(struct mango_call *call, struct json *payin)
{
    const struct json *preauth = mango_named(call, "PreauthorizationId", mango_preauth.kind);
    if (preauth == NULL || !is_capturable(call, preauth) || !same_currency(call, preauth, payin))
        return false;
    if (mango_given(payin, "AuthorId") == NULL)
        mango_set(call->arena, payin, "AuthorId", json_get(preauth, "AuthorId"));
    if (strcmp(mango_text(payin, "AuthorId"), mango_text(preauth, "AuthorId")) != 0)
        call->failure = "001023";
    else if (mango_amount(payin, "DebitedFunds") > mango_amount(preauth, "RemainingFunds"))
        call->failure = "001505";
    return true;
}

static enum mango_charge begin_capture(struct mango_call *call, const struct json *payin,
                                       const char **ret_code)
{
    struct arena *arena = call->arena;
    const char *id = mango_text(payin, "PreauthorizationId");
    struct json *preauth = mango_get(arena, mango_preauth.kind, id);
    int64_t left = mango_amount(preauth, "RemainingFunds") - mango_amount(payin, "DebitedFunds");
    bool over = left == 0 || !json_get(preauth, "MultiCapture")->boolean;
    *ret_code = NULL;
    mango_set_money(arena, preauth, "RemainingFunds", mango_currency(preauth, "DebitedFunds"),
                    left);
    mango_set(arena, preauth, "PayInId", json_get(payin, "Id"));
    if (over)
        mango_set_text(arena, preauth, "PaymentStatus", "VALIDATED");
    mango_put(arena, mango_preauth.kind, id, preauth);
    if (over)
        mango_tell(arena, "PREAUTHORIZATION_PAYMENT_VALIDATED", id, "", NULL, false);
    return CHARGE_PAYS;
}

static bool prepare_deposit(struct mango_call *call, struct json *payin)
{
    const struct json *deposit = mango_named(call, "DepositId", mango_deposit.kind);
    const char *author = mango_text(payin, "AuthorId");
    const char *credited = mango_text(payin, "CreditedUserId");
    if (deposit == NULL)
        return false;
    if (*credited != '\0' && strcmp(credited, author) != 0) {
        mango_error(call, 400, "invalid_action",
                    mango_print(call->arena,
                                "CreditedUserExternalId:%s must be Equal to authorId:%s.", credited,
                                author),
                    NULL);
        return false;
    }
    if (!is_capturable(call, deposit) || !same_currency(call, deposit, payin))
        return false;
    if (strcmp(author, mango_text(deposit, "AuthorId")) != 0)
        call->failure = "001023";
    else if (mango_amount(payin, "DebitedFunds") > mango_amount(deposit, "DebitedFunds"))
        call->failure = "001505";
    return true;
}

static enum mango_charge begin_deposit(struct mango_call *call, const struct json *payin,
                                       const char **ret_code)
{
    struct arena *arena = call->arena;
    const char *id = mango_text(payin, "DepositId");
    struct json *deposit = mango_get(arena, mango_deposit.kind, id), *linked = mango_object(arena);
    *ret_code = NULL;
    mango_set(arena, linked, "PayinCaptureId", json_get(payin, "Id"));
    mango_set(arena, linked, "PayinComplementId", NULL);
    mango_set(arena, deposit, "PayinsLinked", linked);
    mango_set_text(arena, deposit, "PaymentStatus", "VALIDATED");
    mango_put(arena, mango_deposit.kind, id, deposit);
    mango_tell(arena, "DEPOSIT_PREAUTHORIZATION_PAYMENT_VALIDATED", id, "", NULL, false);
    return CHARGE_PAYS;
}

/* --- wires --- */

static bool prepare_bankwire(struct mango_call *call, struct json *payin)
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz0123456789";
    unsigned char random[8];
    char reference[11] = "MG";
    crypt_random(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        reference[i + 2] = letters[random[i] % (sizeof letters - 1)];
    reference[10] = '\0';
    mango_set_text(call->arena, payin, "WireReference", reference);
    return true;
}

/* The platform pays itself: it is the author, and its wallet is named by its currency. */
static bool prepare_client_bankwire(struct mango_call *call, struct json *payin)
{
    const char *client = sandbox_settings()->mangopay.client_id;
    const char *currency = mango_currency(payin, "DeclaredDebitedFunds");
    const char *wallet = strchr(mango_text(payin, "CreditedWalletId"), '_');
    if (wallet == NULL || strcmp(wallet + 1, currency) != 0) {
        mango_error_param(call, "DeclaredDebitedFunds",
                          "The currency must be the one of the client wallet.");
        return false;
    }
    mango_set_text(call->arena, payin, "AuthorId", client);
    mango_set_text(call->arena, payin, "CreditedUserId", client);
    mango_set_money(call->arena, payin, "DeclaredFees", currency, 0);
    return prepare_bankwire(call, payin);
}

/* --- direct debits --- */

static bool prepare_debit_direct(struct mango_call *call, struct json *payin)
{
    enum { CHARGE_AFTER_S = 3 * 86400 };
    const struct json *mandate = mango_named(call, "MandateId", "mandate");
    if (mandate == NULL ||
        !takes_currency(call, "DIRECT_DEBIT_GOCARDLESS", mango_currency(payin, "DebitedFunds")))
        return false;
    if (strcmp(mango_text(mandate, "UserId"), mango_text(payin, "AuthorId")) != 0)
        call->failure = "001024";
    else if (!mango_is_word(" SUBMITTED ACTIVE ", mango_text(mandate, "Status")))
        call->failure = "001833";
    else
        mango_set_int(call->arena, payin, "ChargeDate", mango_now_s() + CHARGE_AFTER_S);
    return true;
}

/* --- the table --- */

#define PERSONS "\"Billing\":null,\"Shipping\":null,"
#define CARD_MEMBERS                                                                               \
    "{\"SecureMode\":\"DEFAULT\",\"CardId\":null,\"SecureModeReturnURL\":null,"                    \
    "\"SecureModeRedirectURL\":null,\"SecureModeNeeded\":false,\"Culture\":\"EN\","                \
    "\"SecurityInfo\":{\"AVSResult\":\"NO_CHECK\"},\"StatementDescriptor\":null,"                  \
    "\"BrowserInfo\":null,\"IpAddress\":null," PERSONS "\"Requested3DSVersion\":null,"             \
    "\"Applied3DSVersion\":\"V2_1\",\"RecurringPayinRegistrationId\":null,"                        \
    "\"PreferredCardNetwork\":null,\"PaymentCategory\":\"ECommerce\",\"CardInfo\":null}"
#define WIRE_MEMBERS                                                                               \
    "{\"DeclaredDebitedFunds\":null,\"DeclaredFees\":null,\"WireReference\":null,"                 \
    "\"BankAccount\":{\"OwnerAddress\":{\"AddressLine1\":\"2 Avenue Am\u00e9lie\","                \
    "\"AddressLine2\":null,\"City\":\"Luxembourg\",\"Region\":null,\"PostalCode\":\"L-1125\","     \
    "\"Country\":\"LU\"},\"Type\":\"IBAN\",\"OwnerName\":\"MANGOPAY SA\","                         \
    "\"IBAN\":\"FR7630056009271234567890182\",\"BIC\":\"CCFRFRPPXXX\"},\"TransactionDetails\":[]}"

const struct mango_payin mango_payins[] = {
    {
        .name = "card_web",
        .prefix = "wt_",
        .payment_type = "CARD",
        .execution_type = "WEB",
        .fields = mango_card_web_fields,
        .members = "{\"RedirectURL\":null,\"ReturnURL\":null,\"TemplateURL\":null,"
                   "\"CardType\":null,\"Culture\":null,\"SecureMode\":\"DEFAULT\"," PERSONS
                   "\"StatementDescriptor\":null,\"BankName\":null}",
        .life_ms = MINUTES(15),
        .expired = "101109",
        .prepare = prepare_card_web,
    },
    {
        .name = "card_direct",
        .prefix = "wt_",
        .payment_type = "CARD",
        .execution_type = "DIRECT",
        .fields = mango_card_direct_fields,
        .members = CARD_MEMBERS,
        .life_ms = MINUTES(15),
        .expired = "101304",
        .prepare = prepare_card_direct,
        .begin = begin_card_direct,
    },
    {
        .name = "recurring",
        .prefix = "payin_m_",
        .payment_type = "CARD",
        .execution_type = "DIRECT",
        .members = CARD_MEMBERS,
        .life_ms = MINUTES(15),
        .expired = "101304",
        .prepare = mango_recurring_prepare,
        .begin = mango_recurring_begin,
    },
    {
        .name = "preauthorized",
        .prefix = "payin_m_",
        .payment_type = "PREAUTHORIZED",
        .execution_type = "DIRECT",
        .fields = mango_capture_fields,
        .members = "{\"PreauthorizationId\":null}",
        .prepare = prepare_capture,
        .begin = begin_capture,
    },
    {
        .name = "deposit",
        .prefix = "payin_m_",
        .payment_type = "PREAUTHORIZED",
        .execution_type = "DIRECT",
        .fields = mango_deposit_capture_fields,
        .members = "{\"DepositId\":null}",
        .prepare = prepare_deposit,
        .begin = begin_deposit,
    },
    {
        .name = "bankwire",
        .prefix = "payin_m_",
        .payment_type = "BANK_WIRE",
        .execution_type = "DIRECT",
        .fields = mango_bankwire_fields,
        .members = WIRE_MEMBERS,
        .life_ms = DAYS(31),
        .expired = "101109",
        .final = true,
        .prepare = prepare_bankwire,
    },
    {
        .name = "client_bankwire",
        .prefix = "payin_m_",
        .payment_type = "BANK_WIRE",
        .execution_type = "DIRECT",
        .fields = mango_client_bankwire_fields,
        .members = WIRE_MEMBERS,
        .life_ms = DAYS(31),
        .expired = "101109",
        .final = true,
        .prepare = prepare_client_bankwire,
    },
    {
        .name = "external_instruction",
        .prefix = "payin_m_",
        .payment_type = "BANK_WIRE",
        .execution_type = "EXTERNAL_INSTRUCTION",
        .members = "{\"DebitedBankAccount\":{\"IBAN\":\"FR7630004000031234567890143\","
                   "\"BIC\":\"BNPAFRPP\",\"AccountNumber\":null,\"Country\":null,"
                   "\"OwnerName\":\"Alex Smith\",\"Type\":\"IBAN\"},\"BankingAliasId\":null,"
                   "\"WireReference\":null}",
        .final = true,
    },
    {
        .name = "directdebit_web",
        .prefix = "payin_m_",
        .payment_type = "DIRECT_DEBIT",
        .execution_type = "WEB",
        .fields = mango_debit_web_fields,
        .members = "{\"DirectDebitType\":null,\"RedirectURL\":null,\"ReturnURL\":null,"
                   "\"TemplateURL\":null,\"Culture\":null}",
        .life_ms = MINUTES(15),
        .expired = "101109",
        .prepare = prepare_debit_web,
    },
    {
        .name = "directdebit",
        .prefix = "payin_m_",
        .payment_type = "DIRECT_DEBIT",
        .execution_type = "DIRECT",
        .fields = mango_debit_direct_fields,
        .members = "{\"ChargeDate\":null,\"MandateId\":null,\"StatementDescriptor\":null}",
        .life_ms = DAYS(4), /* then it is settled */
        .prepare = prepare_debit_direct,
    },
    {
        .name = "paypal",
        .prefix = "payin_m_",
        .payment_type = "PAYPAL",
        .execution_type = "WEB",
        .fields = mango_paypal_fields,
        .members = "{\"RedirectURL\":null,\"ReturnURL\":null,\"Culture\":null,"
                   "\"ShippingAddress\":null,\"PaypalBuyerAccountEmail\":null,"
                   "\"StatementDescriptor\":null}",
        .life_ms = MINUTES(15),
        .expired = "201003",
        .prepare = prepare_paypal,
    },
    {.name = NULL},
};
