/* Every call of Mangopay's API: one is one row. Rows only; mangopay.c serves them. */
#include "sandbox/mangopay.h"

static const struct mango_maker user = {
    .fields = mango_user_fields,
    .prefix = "user_m_",
    .members = "{\"PersonType\":\"NATURAL\",\"KYCLevel\":\"LIGHT\",\"UserStatus\":\"ACTIVE\","
               "\"UserCategory\":\"PAYER\",\"TermsAndConditionsAccepted\":false,"
               "\"TermsAndConditionsAcceptedDate\":null,\"Address\":null,\"Birthday\":null,"
               "\"Nationality\":null,\"CountryOfResidence\":null,\"Occupation\":null,"
               "\"IncomeRange\":null,\"ProofOfIdentity\":null,\"ProofOfAddress\":null,"
               "\"Capacity\":\"NORMAL\"}",
};

static const struct mango_maker wallet = {
    .fields = mango_wallet_fields,
    .prefix = "wlt_m_",
    .members = "{\"FundsType\":\"DEFAULT\"}",
    .make = mango_make_wallet,
};

static const struct mango_maker bank_account = {
    .fields = mango_bank_account_fields,
    .prefix = "bankacc_m_",
    .members = "{\"Type\":\"IBAN\",\"OwnerAddress\":null,\"BIC\":null,\"Active\":true}",
    .make = mango_make_bank_account,
};

static const struct mango_maker alias = {
    .fields = mango_alias_fields,
    .prefix = "wltbank_m_",
    .members = "{\"Type\":\"IBAN\",\"IBAN\":\"LU700670009430009018\",\"BIC\":\"BCIRLULLXXX\","
               "\"Country\":\"LU\",\"VirtualAccountPurpose\":\"Collection\",\"Active\":true}",
    .make = mango_make_alias,
};

static const struct mango_maker mandate = {
    .fields = mango_mandate_fields,
    .prefix = "mdt_m_",
    .members = "{\"Scheme\":null,\"BankReference\":null,\"Status\":\"CREATED\","
               "\"ExecutionType\":\"WEB\",\"MandateType\":\"DIRECT_DEBIT\",\"ResultCode\":null,"
               "\"ResultMessage\":null}",
    .event = "MANDATE_CREATED",
    .make = mango_make_mandate,
};

static const struct mango_maker registration = {
    .fields = mango_registration_fields,
    .prefix = "cardreg_m_",
    .members = "{\"CardType\":\"CB_VISA_MASTERCARD\",\"RegistrationData\":null,\"CardId\":null,"
               "\"ResultCode\":null,\"ResultMessage\":null,\"Status\":\"CREATED\"}",
    .make = mango_make_registration,
};

static const struct mango_maker hook = {
    .fields = mango_hook_fields,
    .prefix = "hook_m_",
    .members = "{\"Status\":\"ENABLED\",\"Validity\":\"VALID\"}",
    .make = mango_make_hook,
};

static const struct mango_maker recurring = {
    .fields = mango_recurring_fields,
    .prefix = "recpayinreg_m_",
    .members = "{\"Status\":\"CREATED\",\"ResultCode\":null,\"ResultMessage\":null,"
               "\"TotalAmount\":null,\"CycleNumber\":null,\"Billing\":null,\"Shipping\":null,"
               "\"EndDate\":null,\"Frequency\":null,\"FixedNextAmount\":false,"
               "\"FractionedPayment\":false,\"FreeCycles\":0,\"NextTransactionDebitedFunds\":null,"
               "\"NextTransactionFees\":null,\"Migration\":false,\"PaymentType\":\"CARD_DIRECT\"}",
    .event = "RECURRING_REGISTRATION_CREATED",
    .make = mango_make_recurring,
};

static const struct mango_maker settlement = {
    .fields = mango_settlement_fields,
    .prefix = "settlt_m_",
    .members = "{\"Status\":\"SUCCEEDED\",\"Type\":\"TRANSFER\",\"Nature\":\"SETTLEMENT\","
               "\"CreditedUserId\":null}",
    .event = "TRANSFER_SETTLEMENT_SUCCEEDED",
    .make = mango_make_settlement,
};

#define MAKE(path, kind, maker)                                                                    \
    {                                                                                              \
        "POST", path, EVENT_READ, mango_make, kind, NULL, maker                                    \
    }
#define VIEW(path, kind)                                                                           \
    {                                                                                              \
        "GET", path, EVENT_READ, mango_view, kind, NULL, NULL                                      \
    }
#define LIST(path, kind, member)                                                                   \
    {                                                                                              \
        "GET", path, EVENT_READ, mango_list, kind, member, NULL                                    \
    }
#define CHANGE(path, kind, with)                                                                   \
    {                                                                                              \
        "PUT", path, EVENT_READ, mango_change, kind, NULL, with                                    \
    }
#define PAYIN(path, name)                                                                          \
    {                                                                                              \
        "POST", path, EVENT_CREATE, mango_payin_create, "payin", NULL, name                        \
    }
#define PUT(path, serve, with)                                                                     \
    {                                                                                              \
        "PUT", path, EVENT_READ, serve, NULL, NULL, with                                           \
    }
#define AUTHORIZE(path, with)                                                                      \
    {                                                                                              \
        "POST", path, EVENT_CREATE, mango_authorize, NULL, NULL, with                              \
    }

const struct mango_route mango_routes[] = {
    PAYIN("/payins/card/web", "card_web"),
    PAYIN("/payins/card/direct", "card_direct"),
    PAYIN("/payins/preauthorized/direct", "preauthorized"),
    PAYIN("/payins/deposit-preauthorized/direct/full-capture", "deposit"),
    PAYIN("/payins/bankwire/direct", "bankwire"),
    PAYIN("/clients/payins/bankwire/direct", "client_bankwire"),
    PAYIN("/payins/directdebit/web", "directdebit_web"),
    PAYIN("/payins/directdebit/direct", "directdebit"),
    PAYIN("/payins/paypal/web", "paypal"),
    PAYIN("/payins/recurring/card/direct", "recurring"),
    {"GET", "/payins/card/web/*/extended", EVENT_READ, mango_payin_extended, "payin", NULL, NULL},
    {"POST", "/payins/*/refunds", EVENT_CREATE, mango_refund_create, "payin", NULL, NULL},
    LIST("/payins/*/refunds", "refund", "InitialTransactionId"),
    LIST("/payins/*/disputes", "dispute", "InitialTransactionId"),
    {"GET", "/payins/*", EVENT_READ, mango_payin_view, "payin", NULL, NULL},

    MAKE("/recurringpayinregistrations", "recurring", &recurring),
    VIEW("/recurringpayinregistrations/*", "recurring"),
    PUT("/recurringpayinregistrations/*", mango_recurring_change, NULL),

    AUTHORIZE("/preauthorizations/card/direct", &mango_preauth),
    VIEW("/preauthorizations/*", "preauthorization"),
    PUT("/preauthorizations/*", mango_authorization_change, &mango_preauth),
    LIST("/preauthorizations/*/transactions", "payin", "PreauthorizationId"),
    AUTHORIZE("/deposit-preauthorizations/card/direct", &mango_deposit),
    VIEW("/deposit-preauthorizations/*", "deposit"),
    PUT("/deposit-preauthorizations/*", mango_authorization_change, &mango_deposit),
    LIST("/deposit-preauthorizations/*/transactions", "payin", "DepositId"),

    VIEW("/refunds/*", "refund"),
    LIST("/disputes", "dispute", NULL),
    VIEW("/disputes/*", "dispute"),
    PUT("/disputes/*", mango_dispute_change, NULL),
    PUT("/disputes/*/submit", mango_dispute_submit, NULL),
    PUT("/disputes/*/close", mango_dispute_close, NULL),
    VIEW("/repudiations/*", "repudiation"),
    MAKE("/repudiations/*/settlementtransfer", "settlement", &settlement),
    VIEW("/settlements/*", "settlement"),

    MAKE("/hooks", "hook", &hook),
    LIST("/hooks", "hook", NULL),
    VIEW("/hooks/*", "hook"),
    CHANGE("/hooks/*", "hook", mango_hook_update_fields),
    LIST("/events", "event", NULL),
    {"GET", "/responses/*", EVENT_READ, mango_response_view, NULL, NULL, NULL},

    MAKE("/users/natural", "user", &user),
    LIST("/users", "user", NULL),
    VIEW("/users/natural/*", "user"),
    CHANGE("/users/natural/*", "user", mango_user_update_fields),
    LIST("/users/*/wallets", "wallet", "OwnerId"),
    LIST("/users/*/cards", "card", "UserId"),
    LIST("/users/*/bankaccounts", "bankaccount", "UserId"),
    LIST("/users/*/mandates", "mandate", "UserId"),
    LIST("/users/*/preauthorizations", "preauthorization", "AuthorId"),
    LIST("/users/*/deposit-preauthorizations", "deposit", "AuthorId"),
    LIST("/users/*/transactions", "payin", "AuthorId"),
    MAKE("/users/*/bankaccounts/iban", "bankaccount", &bank_account),
    VIEW("/users/*", "user"),

    MAKE("/wallets", "wallet", &wallet),
    VIEW("/wallets/*", "wallet"),
    LIST("/wallets/*/transactions", "payin", "CreditedWalletId"),
    MAKE("/wallets/*/bankingaliases/iban", "bankingalias", &alias),
    LIST("/wallets/*/bankingaliases", "bankingalias", "WalletId"),
    VIEW("/bankingaliases/*", "bankingalias"),
    CHANGE("/bankingaliases/*", "bankingalias", mango_card_update_fields),

    MAKE("/cardregistrations", "cardregistration", &registration),
    VIEW("/cardregistrations/*", "cardregistration"),
    PUT("/cardregistrations/*", mango_registration_finish, NULL),
    LIST("/cards/fingerprints/*", "card", "Fingerprint"),
    VIEW("/cards/*", "card"),
    CHANGE("/cards/*", "card", mango_card_update_fields),
    LIST("/cards/*/transactions", "payin", "CardId"),
    LIST("/cards/*/preauthorizations", "preauthorization", "CardId"),
    LIST("/cards/*/deposit-preauthorizations", "deposit", "CardId"),

    MAKE("/mandates/directdebit/web", "mandate", &mandate),
    LIST("/mandates", "mandate", NULL),
    VIEW("/mandates/*", "mandate"),
    PUT("/mandates/*/cancel", mango_mandate_cancel, NULL),
    LIST("/mandates/*/transactions", "payin", "MandateId"),
    {NULL, NULL, EVENT_READ, NULL, NULL, NULL, NULL},
};
