/* Mangopay's driver: what it sends for every kind of pay-in, what it refuses to send, and what it
 * reads in the answers to creates. */
#include "mangopay.h"

static void token_is_asked_for_with_client_and_key(void **state)
{
    struct httpc_request request = {0};
    assert_int_equal(mangopay_driver.token(&settings, *state, &request), ERR_NONE);
    assert_string_equal(request.url, "https://api.mangopay.test/v2.01/oauth/token");
    assert_string_equal(request.body, "grant_type=client_credentials");
    assert_true(has_header(&request, "Authorization: Basic c2hvcDphIGtleSBvZiB0aGUgZGFzaGJvYXJk"));
}

static void token_answers(void **state)
{
    static const struct {
        int status;
        const char *body;
        bool fine;
    } rows[] = {
        {200, "{\"access_token\":\"abc\",\"token_type\":\"bearer\",\"expires_in\":1199}", true},
        {200, "{\"access_token\":\"abc\",\"token_type\":\"Bearer\",\"expires_in\":1}", true},
        {200, "{\"access_token\":\"abc\",\"token_type\":\"mac\",\"expires_in\":1199}", false},
        {200, "{\"access_token\":\"\",\"token_type\":\"bearer\",\"expires_in\":1199}", false},
        {200, "{\"access_token\":\"a\\nb\",\"token_type\":\"bearer\",\"expires_in\":9}", false},
        {200, "{\"access_token\":\"a\xc3\xa9\",\"token_type\":\"bearer\",\"expires_in\":9}", false},
        {200, "{\"access_token\":\"abc\",\"token_type\":\"bearer\",\"expires_in\":0}", false},
        {200, "{\"access_token\":\"abc\",\"token_type\":\"bearer\"}", false},
        {401, "{\"access_token\":\"abc\",\"token_type\":\"bearer\",\"expires_in\":9}", false},
        {200, "<html>", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_token token = {.text = ""};
        struct httpc_answer answer = answer_of(rows[i].status, rows[i].body);
        ROW(mangopay_driver.token_read(*state, &answer, &token) == rows[i].fine, "%s",
            rows[i].body);
    }
    ROWS_END();
}

static void web_pay_in_says_what_it_must(void **state)
{
    struct httpc_request request = {0};
    details.tag = "order 66";
    details.fees = 104;
    assert_int_equal(mangopay_driver.create(&settings, *state, &order, &request), ERR_NONE);
    assert_string_equal(request.url, "https://api.mangopay.test/v2.01/shop/payins/card/web/");
    assert_true(has_header(&request, "Idempotency-Key: PAY-01HP2V0K8S3M5N7Q9R1T3V5X7Z"));
    const struct json *body = body_of(*state, &request);
    assert_string_equal(json_get_text(body, "Tag"), REFERENCE " unit test order 66");
    assert_string_equal(json_get_text(body, "AuthorId"), "user_m_1");
    assert_string_equal(json_get_text(body, "CreditedWalletId"), "wlt_eur");
    assert_string_equal(json_get_text(body, "CardType"), "CB_VISA_MASTERCARD");
    assert_string_equal(json_get_text(body, "Culture"), "EN");
    assert_string_equal(json_get(json_get(body, "DebitedFunds"), "Amount")->text, "1504");
    assert_string_equal(json_get(json_get(body, "Fees"), "Amount")->text, "104");
    assert_null(json_get(body, "Billing"));
}

/* Every method with the path and the member that only it has. */
static void every_kind_has_its_path(void **state)
{
    static const struct {
        const char *method, *path, *member, *value;
    } rows[] = {
        {"AMEX", "payins/card/web/", "CardType", "AMEX"},
        {"card_direct", "payins/card/direct/", "CardId", "card1"},
        {"card_preauthorized", "payins/preauthorized/direct/", "PreauthorizationId", "pre1"},
        {"deposit_preauthorized", "payins/deposit-preauthorized/direct/full-capture", "DepositId",
         "dep1"},
        {"bankwire", "payins/bankwire/direct/", "CreditedWalletId", "wlt_eur"},
        {"SOFORT", "payins/directdebit/web", "DirectDebitType", "SOFORT"},
        {"GIROPAY", "payins/directdebit/web", "DirectDebitType", "GIROPAY"},
        {"directdebit", "payins/directdebit/direct", "MandateId", "man1"},
        {"paypal", "payins/paypal/web", "ReturnURL", "https://pay.example.test/return/mangopay"},
        {"recurring_mit", "payins/recurring/card/direct", "RecurringPayinRegistrationId", "rec1"},
    };
    details.card_id = "card1";
    details.preauthorization_id = "pre1";
    details.deposit_id = "dep1";
    details.mandate_id = "man1";
    details.recurring_id = "rec1";
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct httpc_request request = {0};
        char url[256];
        arena_reset(*state);
        order.method = rows[i].method;
        (void)snprintf(url, sizeof url, "https://api.mangopay.test/v2.01/shop/%s", rows[i].path);
        ROW(mangopay_driver.create(&settings, *state, &order, &request) == ERR_NONE, "%s",
            rows[i].method);
        const char *value = json_get_text(body_of(*state, &request), rows[i].member);
        ROW(strcmp(request.url, url) == 0, "%s: %s", rows[i].method, request.url);
        ROW(value != NULL && strcmp(value, rows[i].value) == 0, "%s: %s", rows[i].method,
            rows[i].member);
    }
    ROWS_END();
}

static void currencies_of_the_table(void **state)
{
    static const struct {
        const char *method, *currency;
        enum err err;
    } rows[] = {
        {"", "EUR", ERR_NONE},
        {"", "GBP", ERR_NONE},
        {"", "JPY", ERR_CURRENCY},
        {"", "USD", ERR_CURRENCY}, /* no wallet */
        {"IDEAL", "EUR", ERR_NONE},
        {"IDEAL", "GBP", ERR_CURRENCY},
        {"P24", "PLN", ERR_CURRENCY},
        {"P24", "EUR", ERR_CURRENCY},
        {"MAESTRO", "GBP", ERR_CURRENCY},
        {"GIROPAY", "EUR", ERR_NONE},
        {"ideal", "EUR", ERR_METHOD_OF_PAYMENT},
        {"crypto", "EUR", ERR_METHOD_OF_PAYMENT},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        order.method = rows[i].method;
        set_amount(1504, rows[i].currency);
        enum err err = mangopay_driver.check(&settings, &order);
        ROW(err == rows[i].err, "%s in %s: %s", rows[i].method, rows[i].currency, err_message(err));
    }
    ROWS_END();
    set_amount(1504, "PLN");
    set_text(settings.mangopay.wallets, "PLN:w");
    order.method = "P24";
    assert_int_equal(mangopay_driver.check(&settings, &order), ERR_NONE);
}

static const struct provider_browser browser = {true,      false, true, "text/html", "fr",
                                                "Mozilla", 24,    1080, 1920,        -60};

static void what_a_caller_may_say(void **state)
{
    struct row {
        const char *what, *method;
        size_t offset; /* of the text that is set */
        const char *text;
        enum err err;
    };
#define AT(member) offsetof(struct provider_details, member)
    static const char letters[] = "123456789012345678901234567890123456789012345678901";
    const struct row rows[] = {
        {"a card", "card_direct", AT(card_id), "card_m-1", ERR_NONE},
        {"no card", "card_direct", AT(card_id), "", ERR_PARAMETERS},
        {"a path for a card", "card_direct", AT(card_id), "../1", ERR_PARAMETERS},
        {"no mandate", "directdebit", AT(mandate_id), "", ERR_PARAMETERS},
        {"no preauthorization", "card_preauthorized", AT(tag), "", ERR_PARAMETERS},
        {"no deposit", "deposit_preauthorized", AT(tag), "", ERR_PARAMETERS},
        {"no registration", "recurring_mit", AT(tag), "", ERR_PARAMETERS},
        {"a culture", "", AT(culture), "SV", ERR_NONE},
        {"no culture", "", AT(culture), "XX", ERR_PARAMETERS},
        {"half a culture", "", AT(culture), "S", ERR_PARAMETERS},
        {"a culture of PayPal", "paypal", AT(culture), "US", ERR_NONE},
        {"a secure mode", "", AT(secure_mode), "NO_CHOICE", ERR_NONE},
        {"no secure mode", "", AT(secure_mode), "force", ERR_PARAMETERS},
        {"two secure modes", "", AT(secure_mode), "DEFAULT FORCE", ERR_PARAMETERS},
        {"two cultures", "", AT(culture), "DE EN", ERR_PARAMETERS},
        {"a culture and a space", "", AT(culture), "EN ", ERR_PARAMETERS},
        {"ten letters", "", AT(statement_descriptor), "abc DEF 10", ERR_NONE},
        {"eleven letters", "", AT(statement_descriptor), "abc DEF 101", ERR_PARAMETERS},
        {"a dot", "", AT(statement_descriptor), "a.b", ERR_PARAMETERS},
        {"a tag of two lines", "", AT(tag), "a\nb", ERR_PARAMETERS},
        {"a long tag of a recurring one", "recurring_mit", AT(tag), letters, ERR_PARAMETERS},
        {"a long tag", "", AT(tag), letters, ERR_NONE},
        {"an author", "", AT(author_id), "user_m_2", ERR_NONE},
        {"no author", "", AT(author_id), "a b", ERR_PARAMETERS},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_details mine = details;
        *(const char **)(void *)((char *)&mine + rows[i].offset) = rows[i].text;
        mine.browser = browser;
        mine.recurring_id =
            strcmp(rows[i].method, "recurring_mit") == 0 && rows[i].text[0] != '\0' ? "rec1" : "";
        order.method = rows[i].method;
        order.details = &mine;
        enum err err = mangopay_driver.check(&settings, &order);
        ROW(err == rows[i].err, "%s: %s", rows[i].what, err_message(err));
    }
    ROWS_END();
#undef AT
}

/* A change needs no wallet, in any currency: it ends a registration, say. */
static void registrations_are_checked(void **state)
{
    static const struct {
        const char *old, *currency, *card;
        int64_t free_cycles;
        enum err err;
    } rows[] = {
        {"", "EUR", "card_1", -1, ERR_NONE},      {"", "EUR", "card_1", 0, ERR_NONE},
        {"", "EUR", "card_1", 1, ERR_PARAMETERS}, {"", "EUR", "", -1, ERR_PARAMETERS},
        {"", "USD", "card_1", -1, ERR_CURRENCY},  {"rec_1", "USD", "", -1, ERR_NONE},
        {"rec_1", "USD", "card_2", -1, ERR_NONE}, {"rec_1", "USD", "a b", -1, ERR_PARAMETERS},
        {"rec_1", "USD", "", 1, ERR_PARAMETERS},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_details mine = details;
        struct provider_recurring r = {.provider_reference = rows[i].old,
                                       .next_amount = -1,
                                       .next_fees = -1,
                                       .frequency = "",
                                       .free_cycles = rows[i].free_cycles,
                                       .payer = &payer,
                                       .details = &mine};
        mine.card_id = rows[i].card;
        assert_true(money_make(2500, rows[i].currency, &r.amount));
        enum err err = mangopay_driver.registrations->check(&settings, &r);
        ROW(err == rows[i].err, "row %zu: %s", i, err_message(err));
    }
    ROWS_END();
}

/* 255 characters are up to 1020 bytes. */
static void lengths_are_counted_in_characters(void **state)
{
    char name[3 * 256 + 1] = "";
    (void)state;
    for (int i = 0; i < 255; i++)
        memcpy(name + 3 * i, "\xe6\xbc\xa2", 4);
    payer.first_name = payer.last_name = name;
    payer.address1 = payer.city = payer.postcode = "1";
    payer.country = "FR";
    assert_int_equal(mangopay_driver.check(&settings, &order), ERR_NONE);
    memcpy(name + 3 * 255, "\xe6\xbc\xa2", 4);
    assert_int_equal(mangopay_driver.check(&settings, &order), ERR_BILLING);
}

static void a_payer_has_an_address_that_is_one(void **state)
{
    static const struct {
        const char *ip;
        enum err err;
    } rows[] = {{"", ERR_NONE},
                {"203.0.113.9", ERR_NONE},
                {"2001:db8::1", ERR_NONE},
                {"x", ERR_CUSTOMER},
                {"127.1", ERR_CUSTOMER},
                {"203.0.113.256", ERR_CUSTOMER},
                {"1.2.3.4 ", ERR_CUSTOMER}};
    (void)state;
    order.method = "card_direct";
    details.card_id = "card_m_1";
    details.browser = browser;
    for (size_t i = 0; i < COUNT(rows); i++) {
        payer.ip = rows[i].ip;
        enum err err = mangopay_driver.check(&settings, &order);
        ROW(err == rows[i].err, "%s: %s", rows[i].ip, err_message(err));
    }
    ROWS_END();
}

static void addresses_are_whole_or_absent(void **state)
{
    const struct provider_address whole = {"Jo",    "Doe", "1 Main St", "",
                                           "Paris", "",    "75001",     "FR"};
    struct provider_address rows[6] = {whole, whole, whole, whole, whole, whole};
    static const enum err errs[] = {ERR_NONE,     ERR_SHIPPING, ERR_SHIPPING,
                                    ERR_SHIPPING, ERR_SHIPPING, ERR_NONE};
    (void)state;
    rows[1].city = "";
    rows[2].country = "US";
    rows[3].country = "FX";
    rows[4].last_name = "";
    rows[5].country = "US";
    rows[5].state = "CA";
    for (size_t i = 0; i < COUNT(rows); i++) {
        details.shipping = rows[i];
        enum err err = mangopay_driver.check(&settings, &order);
        ROW(err == errs[i], "row %zu: %s", i, err_message(err));
    }
    ROWS_END();
    details.shipping = (struct provider_address)NO_ADDRESS;
    payer.address1 = "1 Main St";
    assert_int_equal(mangopay_driver.check(&settings, &order), ERR_BILLING);
    payer.city = "Paris";
    payer.postcode = "75001";
    payer.country = "FR";
    assert_int_equal(mangopay_driver.check(&settings, &order), ERR_NONE); /* named by the payer */
    payer.name = "Jo";
    assert_int_equal(mangopay_driver.check(&settings, &order), ERR_BILLING);
}

static void wallets_and_fees_are_ours_to_name(void **state)
{
    struct money fees;
    (void)state;
    details.fees = 1503;
    assert_int_equal(mangopay_driver.check(&settings, &order), ERR_NONE);
    details.fees = 1504;
    assert_int_equal(mangopay_driver.check(&settings, &order), ERR_PARAMETERS);
    settings.mangopay.callers_name_wallets = false;
    details.fees = 0;
    assert_int_equal(mangopay_driver.check(&settings, &order), ERR_PARAMETERS);
    details.fees = -1;
    details.credited_wallet_id = "wlt_x";
    assert_int_equal(mangopay_driver.check(&settings, &order), ERR_PARAMETERS);
    details.credited_wallet_id = "";
    settings.mangopay.fees_bps = 250;
    assert_int_equal(mangopay_driver.check(&settings, &order), ERR_NONE);
    assert_true(mangopay_fees(&settings, &order, &fees));
    assert_int_equal(money_minor_units(&fees), 37);
}

static void tags_tell_whose_it_is(void **state)
{
    static const struct {
        const char *tag;
        enum mangopay_tag is;
    } rows[] = {
        {REFERENCE " unit test", MANGOPAY_TAG_OURS},
        {REFERENCE "-2 unit test hello", MANGOPAY_TAG_OURS},
        {REFERENCE " unit testing", MANGOPAY_TAG_FOREIGN},
        {REFERENCE " live", MANGOPAY_TAG_FOREIGN},
        {REFERENCE, MANGOPAY_TAG_FOREIGN},
        {"hello " REFERENCE, MANGOPAY_TAG_NONE},
        {"", MANGOPAY_TAG_NONE},
        {NULL, MANGOPAY_TAG_NONE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char reference[64];
        ROW(mangopay_tag(&settings, rows[i].tag, reference, sizeof reference) == rows[i].is, "%s",
            rows[i].tag == NULL ? "none" : rows[i].tag);
    }
    ROWS_END();
}

#define PAYIN_HEAD(status) "{\"Id\":\"" PAYIN "\",\"Status\":\"" status "\""
#define ERROR(type, errors)                                                                        \
    "{\"Message\":\"m\",\"Type\":\"" type "\",\"Date\":1.0,\"errors\":" errors "}"

static void answers_to_a_create(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum outcome outcome;
        enum err refusal;
        bool settled, taken;
    } rows[] = {
        {200, PAYIN_HEAD("CREATED") ",\"RedirectURL\":\"https://pay.test/1\"}", OUTCOME_PENDING,
         ERR_NONE, false, false},
        {200, PAYIN_HEAD("CREATED") ",\"SecureModeRedirectURL\":\"https://3ds.test/1\"}",
         OUTCOME_PENDING, ERR_NONE, false, false},
        {200, PAYIN_HEAD("CREATED") ",\"RedirectURL\":\"http://pay.test/1\"}", OUTCOME_UNKNOWN,
         ERR_NONE, false, false},
        {200, PAYIN_HEAD("CREATED") ",\"PaymentType\":\"DIRECT_DEBIT\"}", OUTCOME_PENDING, ERR_NONE,
         true, false},
        {200, PAYIN_HEAD("CREATED") ",\"PaymentType\":\"BANK_WIRE\"}", OUTCOME_UNKNOWN, ERR_NONE,
         false, false},
        {200, PAYIN_HEAD("SUCCEEDED") "}", OUTCOME_PENDING, ERR_NONE, true, false},
        {200, PAYIN_HEAD("FAILED") ",\"ResultCode\":\"101105\"}", OUTCOME_DECLINED,
         ERR_DECLINED_CARD, false, false},
        {200, PAYIN_HEAD("FAILED") ",\"ResultCode\":\"001505\"}", OUTCOME_DECLINED, ERR_AMOUNT,
         false, false},
        {200, PAYIN_HEAD("FAILED") "}", OUTCOME_DECLINED, ERR_DECLINED, false, false},
        {200, PAYIN_HEAD("PAID") "}", OUTCOME_UNKNOWN, ERR_NONE, false, false},
        {200, "{\"Status\":\"SUCCEEDED\"}", OUTCOME_UNKNOWN, ERR_NONE, false, false},
        {200, "{\"Id\":\"a/b\",\"Status\":\"SUCCEEDED\"}", OUTCOME_UNKNOWN, ERR_NONE, false, false},
        {200, "", OUTCOME_UNKNOWN, ERR_NONE, false, false},
        {201, PAYIN_HEAD("SUCCEEDED") "}", OUTCOME_PENDING, ERR_NONE, true, false},
        {202, PAYIN_HEAD("SUCCEEDED") "}", OUTCOME_UNKNOWN, ERR_NONE, false, false},
        {400, ERROR("param_error", "{\"CardId\":\"?\"}"), OUTCOME_REFUSED, ERR_PARAMETERS, false,
         false},
        {400, ERROR("param_error", "{\"Billing.Address\":\"?\"}"), OUTCOME_REFUSED, ERR_BILLING,
         false, false},
        {400, ERROR("currency_incompatibility", "null"), OUTCOME_REFUSED, ERR_CURRENCY, false,
         false},
        {400, ERROR("param_error", "{\"SecureModeReturnUrl\":\"?\"}"), OUTCOME_REFUSED,
         ERR_PARAMETERS, false, false},
        {400, ERROR("param_error", "{\"EndDate\":\"?\"}"), OUTCOME_REFUSED, ERR_PARAMETERS, false,
         false},
        {400, ERROR("param_error", "{\"Fees\":\"?\"}"), OUTCOME_REFUSED, ERR_PARAMETERS, false,
         false},
        {400, ERROR("param_error", "{\"NextTransactionFees\":\"?\"}"), OUTCOME_REFUSED,
         ERR_PARAMETERS, false, false},
        {400, ERROR("param_error", "{\"New\":\"?\"}"), OUTCOME_REFUSED, ERR_NONE, false, false},
        {400, "<html>", OUTCOME_UNKNOWN, ERR_NONE, false, false},
        {401, ERROR("unauthorized", "null"), OUTCOME_NOT_SENT, ERR_NONE, false, false},
        {409, ERROR("idempotent_creation_conflict", "null"), OUTCOME_UNKNOWN, ERR_NONE, false,
         true},
        {429, ERROR("rate_limit", "null"), OUTCOME_NOT_SENT, ERR_NONE, false, false},
        {500, ERROR("internal", "null"), OUTCOME_UNKNOWN, ERR_NONE, false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_result r = {.outcome = OUTCOME_UNKNOWN};
        struct httpc_answer answer = answer_of(rows[i].status, rows[i].body);
        arena_reset(*state);
        mangopay_driver.created(&settings, *state, &answer, &r);
        ROW(r.outcome == rows[i].outcome && r.refusal == rows[i].refusal, "%d %s: %s, %s",
            rows[i].status, rows[i].body, outcome_name(r.outcome), err_message(r.refusal));
        ROW(r.settled == rows[i].settled && r.taken == rows[i].taken, "%s: flags", rows[i].body);
        ROW((r.reason[0] == '\0') == (r.outcome == OUTCOME_PENDING), "%s: %s", rows[i].body,
            r.reason);
    }
    ROWS_END();
}

static void wires_say_how_to_pay(void **state)
{
    static const char body[] = PAYIN_HEAD(
        "CREATED") ",\"PaymentType\":\"BANK_WIRE\",\"WireReference\":\"MG1\","
                   "\"BankAccount\":{\"Type\":\"IBAN\",\"IBAN\":\"FR76\",\"BIC\":\"CCF\","
                   "\"OwnerName\":\"M\",\"OwnerAddress\":{\"City\":\"L\",\"Region\":null}}}";
    struct provider_result r = {.outcome = OUTCOME_UNKNOWN};
    struct httpc_answer answer = answer_of(200, body);
    mangopay_driver.created(&settings, *state, &answer, &r);
    assert_int_equal(r.outcome, OUTCOME_PENDING);
    assert_string_equal(r.instructions,
                        "{\"wireReference\":\"MG1\",\"bankAccount\":{\"type\":\"IBAN\","
                        "\"ownerName\":\"M\",\"iban\":\"FR76\",\"bic\":\"CCF\","
                        "\"ownerAddress\":{\"city\":\"L\"}}}");
}

static void kept_answers(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum outcome outcome;
    } rows[] = {
        {200, "{\"StatusCode\":\"200\",\"Resource\":" PAYIN_HEAD("SUCCEEDED") "}}",
         OUTCOME_PENDING},
        {200, "{\"StatusCode\":\"200\",\"Resource\":" PAYIN_HEAD("FAILED") "}}", OUTCOME_DECLINED},
        {200, "{\"StatusCode\":\"400\",\"Resource\":" ERROR("param_error", "null") "}",
         OUTCOME_REFUSED},
        {200, "{\"StatusCode\":\"500\",\"Resource\":" ERROR("internal", "null") "}",
         OUTCOME_UNKNOWN},
        {200, "{\"StatusCode\":200,\"Resource\":" PAYIN_HEAD("SUCCEEDED") "}}", OUTCOME_UNKNOWN},
        {200, "{\"StatusCode\":\"200\"}", OUTCOME_UNKNOWN},
        {200,
         "{\"StatusCode\":\"200\",\"Resource\":{\"Id\":\"refund_1\",\"Nature\":\"REFUND\","
         "\"Status\":\"SUCCEEDED\"}}",
         OUTCOME_DONE},
        /* these used up the key */
        {200, "{\"StatusCode\":\"429\",\"Resource\":{}}", OUTCOME_REFUSED},
        {200, "{\"StatusCode\":\"401\",\"Resource\":{\"error\":\"x\"}}", OUTCOME_REFUSED},
        {404, ERROR("ressource_not_found", "null"), OUTCOME_UNKNOWN},
        {429, ERROR("rate_limit", "null"), OUTCOME_UNKNOWN},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_result r = {.outcome = OUTCOME_UNKNOWN};
        struct httpc_answer answer = answer_of(rows[i].status, rows[i].body);
        arena_reset(*state);
        mangopay_driver.recovered(&settings, *state, &answer, &r);
        ROW(r.outcome == rows[i].outcome, "%s: %s", rows[i].body, outcome_name(r.outcome));
    }
    ROWS_END();
}

static void rate_limits_say_how_long(void **state)
{
    static const struct {
        const char *kept;
        int64_t header_s, wait_s;
    } rows[] = {
        {"X-RateLimit-Remaining: 0\r\nX-RateLimit-Remaining: 5\r\nX-RateLimit-Remaining: 7\r\n"
         "X-RateLimit-Remaining: 9\r\nX-RateLimit-Reset: 1100\r\nX-RateLimit-Reset: 1900\r\n"
         "X-RateLimit-Reset: 3000\r\nX-RateLimit-Reset: 9000\r\n",
         0, 100},
        {"x-ratelimit-remaining: 0, 0, 7, 9\r\nx-ratelimit-reset: 1100, 1900, 3000, 9000\r\n", 0,
         900},
        {"X-RateLimit-Reset: 1005\r\n", 0, 5},
        {"X-RateLimit-Reset: 900\r\n", 0, 60},
        {"X-RateLimit-Reset: soon\r\n", 30, 30},
        {"", 0, 60},
        {"X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 99999999999\r\n", 0, 86400},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_result r = {.outcome = OUTCOME_UNKNOWN};
        struct httpc_answer answer = answer_of(429, "{}");
        answer.kept = rows[i].kept;
        answer.retry_after_s = rows[i].header_s;
        mangopay_driver.created(&settings, *state, &answer, &r);
        ROW(r.retry_after_s == rows[i].wait_s, "row %zu: %lld", i, (long long)r.retry_after_s);
    }
    ROWS_END();
}

static void no_word_of_theirs_breaks_ours(void **state)
{
    struct provider_result r = {.outcome = OUTCOME_UNKNOWN};
    struct httpc_answer answer = answer_of(
        200, PAYIN_HEAD("FAILED") ",\"ResultCode\":\"1\\u00e9\",\"ResultMessage\":\"a\\nb\"}");
    mangopay_driver.created(&settings, *state, &answer, &r);
    assert_string_equal(r.reason, "Mangopay says 1??: a?b");
}

static void no_memory_is_an_error(void **state)
{
    struct httpc_request request = {0};
    for (size_t bytes = 64; bytes < 2048; bytes += 64) {
        struct arena *tiny = arena_new(bytes);
        enum err err = mangopay_driver.create(&settings, tiny, &order, &request);
        assert_true(err == ERR_NONE || err == ERR_OVERLOAD);
        arena_free(tiny);
    }
    (void)state;
}

/* What is stored makes the same pay-in again, where no money moves before the payer acts. */
static void creates_that_can_be_repeated(void **state)
{
    static const struct {
        const char *method;
        bool repeatable;
    } rows[] = {
        {"", true},
        {"card_web", true},
        {"IDEAL", true},
        {"SOFORT", true},
        {"paypal", true},
        {"bankwire", true},
        {"card_direct", false},
        {"card_preauthorized", false},
        {"deposit_preauthorized", false},
        {"directdebit", false},
        {"recurring_cit", false},
        {"recurring_mit", false},
        {"no such thing", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct httpc_request first = {0}, second = {0};
        struct provider_order stored;
        settings.mangopay.callers_name_wallets = true; /* whose wallet is it then? */
        ROW(!mangopay_driver.repeatable(&settings, rows[i].method), "%s: named", rows[i].method);
        settings.mangopay.callers_name_wallets = false;
        ROW(mangopay_driver.repeatable(&settings, rows[i].method) == rows[i].repeatable, "%s",
            rows[i].method);
        if (!rows[i].repeatable)
            continue;
        order.method = rows[i].method;
        stored = order;
        stored.payer = NULL;
        stored.details = NULL;
        ROW(mangopay_driver.create(&settings, *state, &order, &first) == ERR_NONE &&
                mangopay_driver.create(&settings, *state, &stored, &second) == ERR_NONE &&
                strcmp(first.body, second.body) == 0 && strcmp(first.url, second.url) == 0 &&
                strcmp(first.headers[2], second.headers[2]) == 0,
            "%s: %s", rows[i].method, second.body);
    }
    ROWS_END();
}

/* Of every currency that Mangopay has, with ids of the length that it gives them. */
static void each_currency_has_a_wallet(void **state)
{
    static const char currencies[] = "AED AUD CAD CHF CZK DKK EUR GBP HKD JPY NOK PLN SEK USD ZAR";
    struct buf list;
    buf_init(&list, *state, CONF_LIST_MAX);
    for (const char *at = currencies; *at != '\0'; at += 3 + (at[3] == ' '))
        buf_printf(&list, " %.3s:wlt_m_01JHQRD0WZ1QWKNAMQF93E5%.3s", at, at);
    assert_true(buf_ok(&list) &&
                text_copy(settings.mangopay.wallets, CONF_LIST_MAX, buf_text(&list)));
    for (const char *at = currencies; *at != '\0'; at += 3 + (at[3] == ' ')) {
        char currency[4], wallet[PROVIDER_REFERENCE_MAX], right[PROVIDER_REFERENCE_MAX];
        (void)snprintf(currency, sizeof currency, "%.3s", at);
        (void)snprintf(right, sizeof right, "wlt_m_01JHQRD0WZ1QWKNAMQF93E5%s", currency);
        ROW(mangopay_wallet(&settings, currency, wallet) && strcmp(wallet, right) == 0, "%s: %s",
            currency, wallet);
    }
    ROWS_END();
}

#define TEST_HERE(function) cmocka_unit_test_setup_teardown(function, set_up, arena_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_HERE(token_is_asked_for_with_client_and_key),
        TEST_HERE(token_answers),
        TEST_HERE(web_pay_in_says_what_it_must),
        TEST_HERE(every_kind_has_its_path),
        TEST_HERE(currencies_of_the_table),
        TEST_HERE(what_a_caller_may_say),
        TEST_HERE(addresses_are_whole_or_absent),
        TEST_HERE(registrations_are_checked),
        TEST_HERE(lengths_are_counted_in_characters),
        TEST_HERE(a_payer_has_an_address_that_is_one),
        TEST_HERE(wallets_and_fees_are_ours_to_name),
        TEST_HERE(tags_tell_whose_it_is),
        TEST_HERE(answers_to_a_create),
        TEST_HERE(wires_say_how_to_pay),
        TEST_HERE(kept_answers),
        TEST_HERE(rate_limits_say_how_long),
        TEST_HERE(no_word_of_theirs_breaks_ours),
        TEST_HERE(no_memory_is_an_error),
        TEST_HERE(creates_that_can_be_repeated),
        TEST_HERE(each_currency_has_a_wallet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
