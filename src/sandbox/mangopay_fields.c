/* What every body of Mangopay's API may hold: one field is one row, as its document has it. Rows
 * only; mangopay_check reads them. */
#include "sandbox/mangopay.h"

#define COUNTRIES                                                                                  \
    " AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO "     \
    "BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ "      \
    "DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP "      \
    "GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG "      \
    "KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML "      \
    "MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE "      \
    "PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL "      \
    "SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM "      \
    "US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW "
#define CULTURES        " DE EN DA ES ET FI FR EL HU IT NL NO PL PT SK SV CS "
#define CULTURES_DIRECT " DE EN ES FR IT NL PL PT "
#define CULTURES_PAYPAL                                                                            \
    " AT FR BR CA CH CN DE ES GB IT NL PL PT RU US DK IL ID JP NO SE TH TR JK TW EN "
#define CARD_CURRENCIES " AED AUD CAD CHF DKK EUR GBP HKD JPY NOK PLN SEK USD ZAR "
#define CURRENCIES      " AED AUD CAD CHF CZK DKK EUR GBP HKD JPY NOK PLN SEK USD ZAR "
#define CARD_TYPES      " CB_VISA_MASTERCARD DINERS AMEX MAESTRO P24 IDEAL BCMC "
#define SECURE_MODES    " DEFAULT FORCE NO_CHOICE "
#define FREQUENCIES                                                                                \
    " Daily Weekly TwiceAMonth Monthly Bimonthly Quarterly Semiannual Annual Biannual "
#define CLIENT_WALLETS                                                                             \
    " FEES_AED CREDIT_AED FEES_AUD CREDIT_AUD FEES_CAD CREDIT_CAD FEES_CHF CREDIT_CHF FEES_CZK "   \
    "CREDIT_CZK FEES_DKK CREDIT_DKK FEES_EUR CREDIT_EUR FEES_GBP CREDIT_GBP FEES_HKD CREDIT_HKD "  \
    "FEES_JPY CREDIT_JPY FEES_NOK CREDIT_NOK FEES_PLN CREDIT_PLN FEES_SEK CREDIT_SEK FEES_USD "    \
    "CREDIT_USD FEES_ZAR CREDIT_ZAR "

#define REQUIRED true
#define OPTIONAL false
#define FIELD(name, type, required, max)                                                           \
    {                                                                                              \
        name, type, required, max, NULL, NULL                                                      \
    }
#define WORDS(name, required, words)                                                               \
    {                                                                                              \
        name, FIELD_TEXT, required, 0, words, NULL                                                 \
    }
#define CULTURE(required, words)                                                                   \
    {                                                                                              \
        "Culture", FIELD_CULTURE, required, 0, words, NULL                                         \
    }
#define GROUP(name, required, fields)                                                              \
    {                                                                                              \
        name, FIELD_GROUP, required, 0, NULL, fields                                               \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL, FIELD_TEXT, OPTIONAL, 0, NULL, NULL                                                  \
    }

static const struct mango_field card_money[] = {
    WORDS("Currency", REQUIRED, CARD_CURRENCIES),
    FIELD("Amount", FIELD_AMOUNT, REQUIRED, 0),
    END,
};

static const struct mango_field money[] = {
    WORDS("Currency", REQUIRED, CURRENCIES),
    FIELD("Amount", FIELD_AMOUNT, REQUIRED, 0),
    END,
};

/* Fees that go back are negative. */
static const struct mango_field refund_fees[] = {
    WORDS("Currency", REQUIRED, CURRENCIES),
    FIELD("Amount", FIELD_INT, REQUIRED, 0),
    END,
};

static const struct mango_field address[] = {
    FIELD("AddressLine1", FIELD_TEXT, REQUIRED, 255),
    FIELD("AddressLine2", FIELD_TEXT, OPTIONAL, 255),
    FIELD("City", FIELD_TEXT, REQUIRED, 255),
    FIELD("Region", FIELD_REGION, OPTIONAL, 255),
    FIELD("PostalCode", FIELD_TEXT, REQUIRED, 50),
    WORDS("Country", REQUIRED, COUNTRIES),
    END,
};

/* Of users and accounts, who may leave all of it out. */
static const struct mango_field loose_address[] = {
    FIELD("AddressLine1", FIELD_TEXT, OPTIONAL, 255),
    FIELD("AddressLine2", FIELD_TEXT, OPTIONAL, 255),
    FIELD("City", FIELD_TEXT, OPTIONAL, 255),
    FIELD("Region", FIELD_TEXT, OPTIONAL, 255),
    FIELD("PostalCode", FIELD_TEXT, OPTIONAL, 50),
    WORDS("Country", OPTIONAL, COUNTRIES),
    END,
};

static const struct mango_field billing[] = {
    FIELD("FirstName", FIELD_TEXT, REQUIRED, 255),
    FIELD("LastName", FIELD_TEXT, REQUIRED, 255),
    GROUP("Address", REQUIRED, address),
    END,
};

static const struct mango_field shipping[] = {
    FIELD("FirstName", FIELD_TEXT, REQUIRED, 100),
    FIELD("LastName", FIELD_TEXT, REQUIRED, 100),
    GROUP("Address", REQUIRED, address),
    END,
};

static const struct mango_field paypal_shipping[] = {
    FIELD("RecipientName", FIELD_TEXT, REQUIRED, 255),
    GROUP("Address", REQUIRED, address),
    END,
};

static const struct mango_field browser[] = {
    FIELD("AcceptHeader", FIELD_TEXT, REQUIRED, 255),
    FIELD("JavaEnabled", FIELD_BOOL, REQUIRED, 0),
    FIELD("Language", FIELD_TEXT, REQUIRED, 255),
    FIELD("ColorDepth", FIELD_INT, REQUIRED, 0),
    FIELD("ScreenHeight", FIELD_INT, REQUIRED, 0),
    FIELD("ScreenWidth", FIELD_INT, REQUIRED, 0),
    FIELD("TimeZoneOffset", FIELD_OFFSET, REQUIRED, 0),
    FIELD("UserAgent", FIELD_TEXT, REQUIRED, 255),
    FIELD("JavascriptEnabled", FIELD_BOOL, REQUIRED, 0),
    END,
};

static const struct mango_field template_urls[] = {
    FIELD("PAYLINE", FIELD_URL, OPTIONAL, 255),
    FIELD("PAYLINEV2", FIELD_URL, OPTIONAL, 255),
    FIELD("PaylineV2", FIELD_URL, OPTIONAL, 255),
    END,
};

/* What nearly every PayIn has. */
#define PARTIES(author)                                                                            \
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255), FIELD("AuthorId", FIELD_TEXT, author, 255),           \
        FIELD("CreditedUserId", FIELD_TEXT, OPTIONAL, 255),                                        \
        FIELD("CreditedWalletId", FIELD_TEXT, REQUIRED, 255)
#define FUNDS(fields) GROUP("DebitedFunds", REQUIRED, fields), GROUP("Fees", REQUIRED, fields)
#define PEOPLE        GROUP("Billing", OPTIONAL, billing), GROUP("Shipping", OPTIONAL, shipping)
#define DESCRIPTOR    FIELD("StatementDescriptor", FIELD_DESCRIPTOR, OPTIONAL, 10)

const struct mango_field mango_card_web_fields[] = {
    PARTIES(REQUIRED),
    FUNDS(card_money),
    FIELD("ReturnURL", FIELD_URL, REQUIRED, 220),
    WORDS("CardType", REQUIRED, CARD_TYPES),
    WORDS("SecureMode", OPTIONAL, SECURE_MODES),
    CULTURE(REQUIRED, CULTURES),
    GROUP("TemplateURLOptions", OPTIONAL, template_urls),
    DESCRIPTOR,
    PEOPLE,
    END,
};

const struct mango_field mango_card_direct_fields[] = {
    PARTIES(REQUIRED),
    FUNDS(card_money),
    FIELD("SecureModeReturnURL", FIELD_URL, REQUIRED, 255),
    FIELD("CardId", FIELD_TEXT, REQUIRED, 255),
    WORDS("SecureMode", OPTIONAL, SECURE_MODES),
    DESCRIPTOR,
    CULTURE(OPTIONAL, CULTURES_DIRECT),
    FIELD("IpAddress", FIELD_IP, REQUIRED, 255),
    GROUP("BrowserInfo", REQUIRED, browser),
    PEOPLE,
    END,
};

const struct mango_field mango_capture_fields[] = {
    PARTIES(OPTIONAL),
    FUNDS(card_money),
    FIELD("PreauthorizationId", FIELD_TEXT, REQUIRED, 255),
    END,
};

const struct mango_field mango_deposit_capture_fields[] = {
    PARTIES(REQUIRED),
    FUNDS(card_money),
    FIELD("DepositId", FIELD_TEXT, REQUIRED, 255),
    END,
};

const struct mango_field mango_bankwire_fields[] = {
    PARTIES(REQUIRED),
    GROUP("DeclaredDebitedFunds", REQUIRED, money),
    GROUP("DeclaredFees", REQUIRED, money),
    END,
};

const struct mango_field mango_client_bankwire_fields[] = {
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255),
    WORDS("CreditedWalletId", REQUIRED, CLIENT_WALLETS),
    GROUP("DeclaredDebitedFunds", REQUIRED, money),
    END,
};

const struct mango_field mango_debit_web_fields[] = {
    PARTIES(REQUIRED),
    FUNDS(money),
    FIELD("ReturnURL", FIELD_URL, REQUIRED, 220),
    WORDS("DirectDebitType", REQUIRED, " SOFORT GIROPAY "),
    WORDS("SecureMode", OPTIONAL, SECURE_MODES),
    CULTURE(REQUIRED, CULTURES),
    END,
};

const struct mango_field mango_debit_direct_fields[] = {
    PARTIES(REQUIRED), FUNDS(money), FIELD("MandateId", FIELD_TEXT, REQUIRED, 255), DESCRIPTOR, END,
};

const struct mango_field mango_paypal_fields[] = {
    PARTIES(REQUIRED),
    FUNDS(money),
    FIELD("ReturnURL", FIELD_URL, REQUIRED, 220),
    CULTURE(OPTIONAL, CULTURES_PAYPAL),
    DESCRIPTOR,
    GROUP("ShippingAddress", OPTIONAL, paypal_shipping),
    END,
};

/* The first payment, with the payer there. */
const struct mango_field mango_cit_fields[] = {
    FIELD("RecurringPayinRegistrationId", FIELD_TEXT, REQUIRED, 100),
    GROUP("BrowserInfo", REQUIRED, browser),
    FIELD("IpAddress", FIELD_IP, REQUIRED, 100),
    FIELD("SecureModeReturnURL", FIELD_URL, REQUIRED, 100),
    FIELD("StatementDescriptor", FIELD_DESCRIPTOR, OPTIONAL, 100),
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 100),
    GROUP("DebitedFunds", OPTIONAL, card_money),
    GROUP("Fees", OPTIONAL, card_money),
    END,
};

const struct mango_field mango_mit_fields[] = {
    FIELD("RecurringPayinRegistrationId", FIELD_TEXT, REQUIRED, 100),
    FIELD("StatementDescriptor", FIELD_DESCRIPTOR, OPTIONAL, 100),
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 100),
    GROUP("DebitedFunds", OPTIONAL, card_money),
    GROUP("Fees", OPTIONAL, card_money),
    END,
};

const struct mango_field mango_recurring_fields[] = {
    FIELD("AuthorId", FIELD_TEXT, REQUIRED, 100),
    FIELD("CardId", FIELD_TEXT, REQUIRED, 100),
    FIELD("CreditedUserId", FIELD_TEXT, OPTIONAL, 100),
    FIELD("CreditedWalletId", FIELD_TEXT, REQUIRED, 100),
    GROUP("FirstTransactionDebitedFunds", REQUIRED, card_money),
    GROUP("FirstTransactionFees", REQUIRED, card_money),
    PEOPLE,
    FIELD("EndDate", FIELD_AMOUNT, OPTIONAL, 0),
    WORDS("Frequency", OPTIONAL, FREQUENCIES),
    FIELD("FixedNextAmount", FIELD_BOOL, OPTIONAL, 0),
    FIELD("FractionedPayment", FIELD_BOOL, OPTIONAL, 0),
    FIELD("FreeCycles", FIELD_AMOUNT, OPTIONAL, 0),
    FIELD("Migration", FIELD_BOOL, OPTIONAL, 0),
    GROUP("NextTransactionDebitedFunds", OPTIONAL, card_money),
    GROUP("NextTransactionFees", OPTIONAL, card_money),
    END,
};

const struct mango_field mango_recurring_update_fields[] = {
    FIELD("CardId", FIELD_TEXT, OPTIONAL, 255),
    PEOPLE,
    WORDS("Status", OPTIONAL, " CREATED AUTHENTICATION_NEEDED IN_PROGRESS ENDED "),
    END,
};

const struct mango_field mango_refund_fields[] = {
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255),
    FIELD("AuthorId", FIELD_TEXT, REQUIRED, 255),
    GROUP("DebitedFunds", OPTIONAL, money),
    GROUP("Fees", OPTIONAL, refund_fees),
    FIELD("Reference", FIELD_TEXT, OPTIONAL, 255),
    DESCRIPTOR,
    END,
};

const struct mango_field mango_settlement_fields[] = {
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255),
    FIELD("AuthorId", FIELD_TEXT, REQUIRED, 255),
    FUNDS(money),
    END,
};

const struct mango_field mango_dispute_fields[] = {
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255),
    END,
};

const struct mango_field mango_contest_fields[] = {
    GROUP("ContestedFunds", OPTIONAL, money),
    END,
};

/* --- what payments need --- */

const struct mango_field mango_user_fields[] = {
    FIELD("FirstName", FIELD_TEXT, REQUIRED, 100),
    FIELD("LastName", FIELD_TEXT, REQUIRED, 100),
    FIELD("Email", FIELD_TEXT, REQUIRED, 255),
    GROUP("Address", OPTIONAL, loose_address),
    WORDS("Nationality", OPTIONAL, COUNTRIES),
    WORDS("CountryOfResidence", OPTIONAL, COUNTRIES),
    WORDS("UserCategory", OPTIONAL, " PAYER OWNER PLATFORM "),
    FIELD("Birthday", FIELD_INT, OPTIONAL, 0),
    FIELD("Occupation", FIELD_TEXT, OPTIONAL, 255),
    FIELD("IncomeRange", FIELD_INT, OPTIONAL, 0),
    FIELD("TermsAndConditionsAccepted", FIELD_BOOL, OPTIONAL, 0),
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255),
    END,
};

const struct mango_field mango_user_update_fields[] = {
    FIELD("FirstName", FIELD_TEXT, OPTIONAL, 100), FIELD("LastName", FIELD_TEXT, OPTIONAL, 100),
    FIELD("Email", FIELD_TEXT, OPTIONAL, 255),     GROUP("Address", OPTIONAL, loose_address),
    WORDS("Nationality", OPTIONAL, COUNTRIES),     WORDS("CountryOfResidence", OPTIONAL, COUNTRIES),
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255),       END,
};

const struct mango_field mango_wallet_fields[] = {
    FIELD("Owners", FIELD_TEXTS, REQUIRED, 0),
    FIELD("Description", FIELD_TEXT, REQUIRED, 255),
    WORDS("Currency", REQUIRED, CURRENCIES),
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255),
    END,
};

const struct mango_field mango_registration_fields[] = {
    FIELD("UserId", FIELD_TEXT, REQUIRED, 255),
    WORDS("Currency", REQUIRED, CARD_CURRENCIES),
    WORDS("CardType", OPTIONAL, " CB_VISA_MASTERCARD DINERS AMEX MAESTRO BCMC "),
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255),
    END,
};

const struct mango_field mango_registration_update_fields[] = {
    FIELD("RegistrationData", FIELD_TEXT, REQUIRED, 255),
    FIELD("CardHolderName", FIELD_TEXT, OPTIONAL, 45),
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255),
    END,
};

const struct mango_field mango_card_update_fields[] = {
    FIELD("Active", FIELD_BOOL, OPTIONAL, 0),
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255),
    END,
};

const struct mango_field mango_bank_account_fields[] = {
    FIELD("OwnerName", FIELD_TEXT, REQUIRED, 255), GROUP("OwnerAddress", OPTIONAL, loose_address),
    FIELD("IBAN", FIELD_TEXT, REQUIRED, 34),       FIELD("BIC", FIELD_TEXT, OPTIONAL, 11),
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255),       END,
};

const struct mango_field mango_mandate_fields[] = {
    FIELD("BankAccountId", FIELD_TEXT, REQUIRED, 255),
    FIELD("Culture", FIELD_TEXT, REQUIRED, 2),
    FIELD("ReturnURL", FIELD_URL, REQUIRED, 255),
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255),
    END,
};

const struct mango_field mango_alias_fields[] = {
    FIELD("OwnerName", FIELD_TEXT, REQUIRED, 255),
    FIELD("CreditedUserId", FIELD_TEXT, OPTIONAL, 255),
    WORDS("Country", OPTIONAL, " LU FR DE ES GB "),
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255),
    END,
};

#define EVENT_TYPES                                                                                \
    " CARD_VALIDATION_CREATED CARD_VALIDATION_FAILED CARD_VALIDATION_SUCCEEDED "                   \
    "COUNTRY_AUTHORIZATION_UPDATED DEPOSIT_PREAUTHORIZATION_CREATED "                              \
    "DEPOSIT_PREAUTHORIZATION_FAILED DEPOSIT_PREAUTHORIZATION_PAYMENT_CANCELED "                   \
    "DEPOSIT_PREAUTHORIZATION_PAYMENT_CANCEL_REQUESTED "                                           \
    "DEPOSIT_PREAUTHORIZATION_PAYMENT_EXPIRED DEPOSIT_PREAUTHORIZATION_PAYMENT_FAILED "            \
    "DEPOSIT_PREAUTHORIZATION_PAYMENT_VALIDATED DEPOSIT_PREAUTHORIZATION_PAYMENT_WAITING "         \
    "DISPUTE_ACTION_REQUIRED DISPUTE_CLOSED DISPUTE_CREATED DISPUTE_DOCUMENT_CREATED "             \
    "DISPUTE_DOCUMENT_FAILED DISPUTE_DOCUMENT_SUCCEEDED DISPUTE_DOCUMENT_VALIDATION_ASKED "        \
    "DISPUTE_FURTHER_ACTION_REQUIRED DISPUTE_SENT_TO_BANK DISPUTE_SUBMITTED "                      \
    "IDENTITY_VERIFICATION_FAILED IDENTITY_VERIFICATION_INCONCLUSIVE "                             \
    "IDENTITY_VERIFICATION_OUTDATED IDENTITY_VERIFICATION_VALIDATED "                              \
    "INSTANT_CONVERSION_CREATED INSTANT_CONVERSION_FAILED INSTANT_CONVERSION_SUCCEEDED "           \
    "INSTANT_PAYOUT_FAILED INSTANT_PAYOUT_FALLBACKED INSTANT_PAYOUT_SUCCEEDED "                    \
    "INTENT_AUTHORIZED INTENT_CAPTURED INTENT_DISPUTE_CREATED INTENT_DISPUTE_DEFENDED "            \
    "INTENT_DISPUTE_LOST INTENT_DISPUTE_WON INTENT_PAID INTENT_REFUNDED "                          \
    "INTENT_REFUND_REVERSED INTENT_SETTLED_NOT_PAID KYC_CREATED KYC_FAILED KYC_OUTDATED "          \
    "KYC_SUCCEEDED KYC_VALIDATION_ASKED LEGAL_COMPANY_NUMBER_VALIDATION_FAILED "                   \
    "LEGAL_COMPANY_NUMBER_VALIDATION_SUCCEEDED MANDATE_ACTIVATED MANDATE_CREATED "                 \
    "MANDATE_EXPIRED MANDATE_FAILED MANDATE_SUBMITTED PAYIN_NORMAL_CREATED "                       \
    "PAYIN_NORMAL_FAILED PAYIN_NORMAL_PROCESSING_STATUS_PENDING_SUCCEEDED "                        \
    "PAYIN_NORMAL_SUCCEEDED PAYIN_REFUND_CREATED PAYIN_REFUND_FAILED PAYIN_REFUND_SUCCEEDED "      \
    "PAYIN_REPUDIATION_CREATED PAYIN_REPUDIATION_FAILED PAYIN_REPUDIATION_SUCCEEDED "              \
    "PAYOUT_NORMAL_CREATED PAYOUT_NORMAL_FAILED PAYOUT_NORMAL_SUCCEEDED "                          \
    "PAYOUT_REFUND_CREATED PAYOUT_REFUND_FAILED PAYOUT_REFUND_SUCCEEDED "                          \
    "PREAUTHORIZATION_CREATED PREAUTHORIZATION_FAILED PREAUTHORIZATION_PAYMENT_CANCELED "          \
    "PREAUTHORIZATION_PAYMENT_EXPIRED PREAUTHORIZATION_PAYMENT_VALIDATED "                         \
    "PREAUTHORIZATION_PAYMENT_WAITING PREAUTHORIZATION_SUCCEEDED QUOTED_CONVERSION_CREATED "       \
    "QUOTED_CONVERSION_FAILED QUOTED_CONVERSION_SUCCEEDED RECIPIENT_ACTIVE "                       \
    "RECIPIENT_CANCELED RECIPIENT_DEACTIVATED RECURRING_REGISTRATION_AUTH_NEEDED "                 \
    "RECURRING_REGISTRATION_CREATED RECURRING_REGISTRATION_ENDED "                                 \
    "RECURRING_REGISTRATION_IN_PROGRESS REPORT_FAILED REPORT_GENERATED "                           \
    "SCA_ENROLLMENT_EXPIRED SCA_ENROLLMENT_FAILED SCA_ENROLLMENT_SUCCEEDED SPLIT_AVAILABLE "       \
    "SPLIT_CREATED SPLIT_PENDING_FUNDS_RECEPTION SPLIT_REJECTED SPLIT_REVERSED "                   \
    "TRANSFER_NORMAL_CREATED TRANSFER_NORMAL_FAILED TRANSFER_NORMAL_SUCCEEDED "                    \
    "TRANSFER_REFUND_CREATED TRANSFER_REFUND_FAILED TRANSFER_REFUND_SUCCEEDED "                    \
    "TRANSFER_SETTLEMENT_CREATED TRANSFER_SETTLEMENT_FAILED TRANSFER_SETTLEMENT_SUCCEEDED "        \
    "UBO_DECLARATION_CREATED UBO_DECLARATION_INCOMPLETE UBO_DECLARATION_REFUSED "                  \
    "UBO_DECLARATION_VALIDATED UBO_DECLARATION_VALIDATION_ASKED USER_ACCOUNT_ACTIVATED "           \
    "USER_ACCOUNT_CLOSED USER_ACCOUNT_VALIDATION_ASKED USER_CATEGORY_UPDATED_TO_OWNER "            \
    "USER_CATEGORY_UPDATED_TO_PAYER USER_CATEGORY_UPDATED_TO_PLATFORM USER_INFLOWS_BLOCKED "       \
    "USER_INFLOWS_UNBLOCKED USER_KYC_LIGHT USER_KYC_REGULAR USER_OUTFLOWS_BLOCKED "                \
    "USER_OUTFLOWS_UNBLOCKED VIRTUAL_ACCOUNT_ACTIVE VIRTUAL_ACCOUNT_BLOCKED "                      \
    "VIRTUAL_ACCOUNT_CLOSED VIRTUAL_ACCOUNT_FAILED "

const char mango_event_types[] = EVENT_TYPES;

const struct mango_field mango_hook_fields[] = {
    FIELD("Url", FIELD_URL, REQUIRED, 255),
    WORDS("EventType", REQUIRED, EVENT_TYPES),
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255),
    END,
};

const struct mango_field mango_hook_update_fields[] = {
    FIELD("Url", FIELD_URL, OPTIONAL, 255),
    WORDS("Status", OPTIONAL, " ENABLED DISABLED "),
    WORDS("Validity", OPTIONAL, " VALID INVALID UNKNOWN "),
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255),
    END,
};

#define AUTHORIZATION                                                                              \
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255), FIELD("AuthorId", FIELD_TEXT, REQUIRED, 255),         \
        GROUP("DebitedFunds", REQUIRED, card_money), FIELD("CardId", FIELD_TEXT, REQUIRED, 255),   \
        FIELD("SecureModeReturnURL", FIELD_URL, REQUIRED, 255), DESCRIPTOR,                        \
        CULTURE(OPTIONAL, CULTURES_DIRECT), FIELD("IpAddress", FIELD_IP, REQUIRED, 255),           \
        GROUP("BrowserInfo", REQUIRED, browser), PEOPLE

const struct mango_field mango_preauth_fields[] = {
    AUTHORIZATION,
    WORDS("SecureMode", OPTIONAL, SECURE_MODES),
    FIELD("MultiCapture", FIELD_BOOL, OPTIONAL, 0),
    END,
};

const struct mango_field mango_deposit_fields[] = {AUTHORIZATION, END};

const struct mango_field mango_authorization_update_fields[] = {
    WORDS("PaymentStatus", OPTIONAL, " CANCELED CANCEL_REQUESTED NO_SHOW_REQUESTED "),
    FIELD("Tag", FIELD_TEXT, OPTIONAL, 255),
    END,
};
