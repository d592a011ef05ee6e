/* Mangopay's driver: what it reads about pay-ins, refunds and disputes, what notices name, where
 * they are registered, and what a refund asks for. */
#include "mangopay.h"

#define TAG_OF(reference) "\"Tag\":\"" reference " unit test\","
#define MONEY(units)      "{\"Currency\":\"EUR\",\"Amount\":" units "}"
#define FUNDS(debited, fees, credited)                                                             \
    "\"DebitedFunds\":" MONEY(debited) ",\"Fees\":" MONEY(fees) ",\"CreditedFunds\":" MONEY(       \
        credited) ","
#define PAYIN_OF(status, more)                                                                     \
    "{\"Id\":\"" PAYIN                                                                             \
    "\",\"AuthorId\":\"user_m_1\",\"Type\":\"PAYIN\",\"Nature\":\"REGULAR\"," more                 \
    "\"Status\":\"" status "\"}"
#define GOOD TAG_OF(REFERENCE) FUNDS("1504", "104", "1400")

static void truths_about_pay_ins(void **state)
{
    static const struct {
        const char *body;
        enum provider_reading reading;
        enum payment_fact fact;
        int64_t amount; /* below 0: none */
        bool stranger, doubt;
    } rows[] = {
        {PAYIN_OF("CREATED", GOOD), READING_TRUTH, FACT_NOTHING, 1504, false, false},
        {PAYIN_OF("SUCCEEDED", GOOD), READING_TRUTH, FACT_SUCCEEDED, 1504, false, false},
        {PAYIN_OF("FAILED", GOOD), READING_TRUTH, FACT_FAILED, 1504, false, false},
        {PAYIN_OF("CREATED", GOOD "\"PaymentType\":\"DIRECT_DEBIT\",\"ExecutionType\":\"DIRECT\","),
         READING_TRUTH, FACT_PROCESSING, 1504, false, false},
        {PAYIN_OF("CREATED", GOOD "\"PaymentType\":\"DIRECT_DEBIT\",\"ExecutionType\":\"WEB\","),
         READING_TRUTH, FACT_NOTHING, 1504, false, false},
        /* the sums must be right once there is money */
        {PAYIN_OF("SUCCEEDED", TAG_OF(REFERENCE) FUNDS("1504", "104", "1504")), READING_TRUTH,
         FACT_SUCCEEDED, 1504, false, true},
        {PAYIN_OF("SUCCEEDED", TAG_OF(REFERENCE) "\"DebitedFunds\":" MONEY("1504") ","),
         READING_TRUTH, FACT_SUCCEEDED, 1504, false, true},
        /* a wire declares before it is sent */
        {PAYIN_OF("CREATED",
                  TAG_OF(REFERENCE) "\"PaymentType\":\"BANK_WIRE\","
                                    "\"DebitedFunds\":{\"Currency\":\"XTS\",\"Amount\":0},"
                                    "\"DeclaredDebitedFunds\":" MONEY("1504") ","),
         READING_TRUTH, FACT_NOTHING, 1504, false, false},
        {PAYIN_OF("SUCCEEDED",
                  TAG_OF(REFERENCE)
                      FUNDS("1400", "0", "1400") "\"PaymentType\":\"BANK_WIRE\","
                                                 "\"DeclaredDebitedFunds\":" MONEY("1504") ","),
         READING_TRUTH, FACT_SUCCEEDED, 1400, false, false},
        /* whose is it? */
        {PAYIN_OF("SUCCEEDED", TAG_OF("PAY_01HP2V0K8S3M5N7Q9R1T3V5X70") FUNDS("1", "0", "1")),
         READING_TRUTH, FACT_SUCCEEDED, 1, true, false},
        {PAYIN_OF("SUCCEEDED", "\"Tag\":\"" REFERENCE " live\"," FUNDS("1", "0", "1")),
         READING_TRUTH, FACT_SUCCEEDED, 1, true, false},
        {PAYIN_OF("SUCCEEDED", "\"Tag\":null," FUNDS("1", "0", "1")), READING_TRUTH, FACT_SUCCEEDED,
         1, true, false},
        /* not as documented */
        {PAYIN_OF("PAID", GOOD), READING_FAILED, FACT_NOTHING, -1, false, false},
        {PAYIN_OF("SUCCEEDED", TAG_OF(REFERENCE)), READING_FAILED, FACT_NOTHING, -1, false, false},
        {PAYIN_OF("SUCCEEDED", TAG_OF(REFERENCE) FUNDS("1.5", "0", "1")), READING_FAILED,
         FACT_NOTHING, -1, false, false},
        {PAYIN_OF("SUCCEEDED", TAG_OF(REFERENCE) FUNDS("-1", "0", "-1")), READING_FAILED,
         FACT_NOTHING, -1, false, false},
        {"{\"Id\":\"another\"}", READING_FAILED, FACT_NOTHING, -1, false, false},
        {"[]", READING_FAILED, FACT_NOTHING, -1, false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_truth t = {0};
        struct httpc_answer answer = answer_of(200, rows[i].body);
        arena_reset(*state);
        enum provider_reading reading =
            mangopay_driver.readback(&settings, *state, &order, &answer, &t);
        ROW(reading == rows[i].reading, "%zu: reading %d", i, (int)reading);
        if (reading != READING_TRUTH)
            continue;
        ROW(t.fact == rows[i].fact, "%zu: %s", i, payment_fact_name(t.fact));
        ROW(t.has_amount && money_minor_units(&t.amount) == rows[i].amount, "%zu: amount", i);
        ROW((t.stranger != NULL) == rows[i].stranger && (t.doubt != NULL) == rows[i].doubt,
            "%zu: %s, %s", i, t.stranger == NULL ? "" : t.stranger, t.doubt == NULL ? "" : t.doubt);
        ROW(strcmp(t.reference, REFERENCE) == 0, "%zu: %s", i, t.reference);
        ROW(t.given_back == (t.fact == FACT_FAILED), "%zu: given back", i);
    }
    ROWS_END();
}

static void other_statuses_are_no_truth(void **state)
{
    static const struct {
        int status;
        enum provider_reading reading;
    } rows[] = {{404, READING_NOT_FOUND}, {400, READING_FAILED}, {401, READING_FAILED},
                {429, READING_FAILED},    {500, READING_FAILED}, {204, READING_FAILED}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_truth t = {0};
        struct httpc_answer answer = answer_of(rows[i].status, PAYIN_OF("SUCCEEDED", GOOD));
        ROW(mangopay_driver.readback(&settings, *state, &order, &answer, &t) == rows[i].reading,
            "%d", rows[i].status);
    }
    ROWS_END();
}

/* Without our reference at hand, the Tag alone tells. */
static void unknown_pay_ins_name_their_payment(void **state)
{
    struct provider_truth t = {0};
    struct httpc_answer answer = answer_of(200, PAYIN_OF("SUCCEEDED", GOOD));
    order.reference = "";
    assert_int_equal(mangopay_driver.readback(&settings, *state, &order, &answer, &t),
                     READING_TRUTH);
    assert_string_equal(t.reference, REFERENCE);
    assert_null(t.stranger);
    answer = answer_of(200, PAYIN_OF("SUCCEEDED", "\"Tag\":\"theirs\"," FUNDS("1", "0", "1")));
    assert_int_equal(mangopay_driver.readback(&settings, *state, &order, &answer, &t),
                     READING_TRUTH);
    assert_string_equal(t.reference, "");
    assert_non_null(t.stranger);
}

static void ways_of_paying_are_compared(void **state)
{
    static const struct {
        const char *method, *kind, *execution;
        bool fits;
    } rows[] = {
        {"", "CARD", "WEB", true},
        {"IDEAL", "CARD", "WEB", true},
        {"card_direct", "CARD", "DIRECT", true},
        {"card_preauthorized", "PREAUTHORIZED", "DIRECT", true},
        {"deposit_preauthorized", "PREAUTHORIZED", "DIRECT", true},
        {"deposit_preauthorized", "CARD", "DIRECT", true},
        {"bankwire", "BANK_WIRE", "DIRECT", true},
        {"SOFORT", "DIRECT_DEBIT", "WEB", true},
        {"directdebit", "DIRECT_DEBIT", "DIRECT", true},
        {"paypal", "PAYPAL", "WEB", true},
        {"recurring_cit", "CARD", "DIRECT", true},
        {"recurring_mit", "CARD", "DIRECT", true},
        {"", "CARD", "DIRECT", false},
        {"card_web", "PAYPAL", "WEB", false},
        {"card_direct", "CARD", "WEB", false},
        {"card_preauthorized", "CARD", "DIRECT", false},
        {"bankwire", "BANK_WIRE", "EXTERNAL_INSTRUCTION", false},
        {"directdebit", "DIRECT_DEBIT", "WEB", false},
        {"paypal", "", "", false},
        {"card_web", "CARD", "", false},
        {"a method of another time", "CARD", "WEB", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_truth t = {0};
        char body[1024];
        (void)snprintf(
            body, sizeof body,
            PAYIN_OF("SUCCEEDED", GOOD "\"PaymentType\":\"%s\",\"ExecutionType\":\"%s\","),
            rows[i].kind, rows[i].execution);
        struct httpc_answer answer = answer_of(200, body);
        arena_reset(*state);
        ROW(mangopay_driver.readback(&settings, *state, &order, &answer, &t) == READING_TRUTH, "%s",
            body);
        ROW(mangopay_driver.fits(rows[i].method, t.way) == rows[i].fits, "%s: %s", rows[i].method,
            t.way);
    }
    ROWS_END();
}

#define CHANGE(id, more)                                                                           \
    "{\"Id\":\"" id "\",\"InitialTransactionId\":\"" PAYIN                                         \
    "\",\"InitialTransactionType\":\"PAYIN\"," more "\"Tag\":null}"
#define REFUND(status)                                                                             \
    CHANGE("ref1", "\"Nature\":\"REFUND\",\"Status\":\"" status "\","                              \
                   "\"DebitedFunds\":" MONEY("911") ",\"Fees\":" MONEY(                            \
                       "-90") ",\"CreditedFunds\":" MONEY("1001") ",")
#define DISPUTE(kind, status, result)                                                              \
    CHANGE("dis1",                                                                                 \
           "\"DisputeType\":\"" kind "\",\"Status\":\"" status "\",\"ResultCode\":\"" result       \
           "\",\"RepudiationId\":\"rep1\",\"DisputedFunds\":" MONEY("500") ",")

static void truths_about_parts(void **state)
{
    static const struct {
        enum provider_object object;
        const char *id, *body;
        enum provider_reading reading;
        enum payment_fact fact;
        const char *name;
        int64_t units;
    } rows[] = {
        {PROVIDER_REFUND, "ref1", REFUND("SUCCEEDED"), READING_TRUTH, FACT_PARTLY_REFUNDED, "ref1",
         1001},
        {PROVIDER_REFUND, "ref1", REFUND("CREATED"), READING_TRUTH, FACT_NOTHING, "ref1", 1001},
        {PROVIDER_REFUND, "ref1", REFUND("FAILED"), READING_TRUTH, FACT_NOTHING, "ref1", 1001},
        {PROVIDER_REFUND, "ref1", REFUND("LOST"), READING_FAILED, FACT_NOTHING, "", 0},
        {PROVIDER_DISPUTE, "dis1", DISPUTE("CONTESTABLE", "PENDING_CLIENT_ACTION", ""),
         READING_TRUTH, FACT_DISPUTED, "rep1", 500},
        {PROVIDER_DISPUTE, "dis1", DISPUTE("CONTESTABLE", "SUBMITTED", ""), READING_TRUTH,
         FACT_DISPUTED, "rep1", 500},
        {PROVIDER_DISPUTE, "dis1", DISPUTE("CONTESTABLE", "CLOSED", "WON"), READING_TRUTH,
         FACT_DISPUTE_WON, "rep1", 500},
        {PROVIDER_DISPUTE, "dis1", DISPUTE("CONTESTABLE", "CLOSED", "VOID"), READING_TRUTH,
         FACT_DISPUTE_WON, "rep1", 500},
        {PROVIDER_DISPUTE, "dis1", DISPUTE("CONTESTABLE", "CLOSED", "LOST"), READING_TRUTH,
         FACT_DISPUTE_LOST, "rep1", 500},
        {PROVIDER_DISPUTE, "dis1", DISPUTE("CONTESTABLE", "CLOSED", ""), READING_FAILED,
         FACT_NOTHING, "", 0},
        {PROVIDER_DISPUTE, "dis1", DISPUTE("NOT_CONTESTABLE", "CLOSED", ""), READING_TRUTH,
         FACT_DISPUTE_LOST, "rep1", 500},
        {PROVIDER_DISPUTE, "dis1", DISPUTE("RETRIEVAL", "PENDING_CLIENT_ACTION", ""), READING_TRUTH,
         FACT_NOTHING, "rep1", 500},
        {PROVIDER_REPUDIATION, "rep1",
         CHANGE("rep1",
                "\"Nature\":\"REPUDIATION\",\"Status\":\"SUCCEEDED\",\"DebitedFunds\":" MONEY(
                    "500") ","),
         READING_TRUTH, FACT_DISPUTED, "rep1", 500},
        {PROVIDER_REFUND, "ref2", REFUND("SUCCEEDED"), READING_FAILED, FACT_NOTHING, "", 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_truth t = {0};
        struct httpc_answer answer = answer_of(200, rows[i].body);
        arena_reset(*state);
        order.object = rows[i].object;
        order.provider_reference = rows[i].id;
        enum provider_reading reading =
            mangopay_driver.readback(&settings, *state, &order, &answer, &t);
        ROW(reading == rows[i].reading, "%zu: reading %d", i, (int)reading);
        if (reading != READING_TRUTH)
            continue;
        ROW(t.fact == rows[i].fact, "%zu: %s", i, payment_fact_name(t.fact));
        ROW(t.warning == (strstr(rows[i].body, "RETRIEVAL") != NULL), "%zu: a warning", i);
        ROW(strcmp(t.change_reference, rows[i].name) == 0, "%zu: %s", i, t.change_reference);
        ROW(money_minor_units(&t.change) == rows[i].units, "%zu: change", i);
        ROW(strcmp(t.provider_reference, PAYIN) == 0, "%zu: %s", i, t.provider_reference);
    }
    ROWS_END();
}

static void notices_name_what_to_read(void **state)
{
    static const struct {
        const char *body;
        enum err err;
        enum provider_object object;
        enum payment_fact fact;
        bool stranger;
    } rows[] = {
        {"EventType=PAYIN_NORMAL_SUCCEEDED&RessourceId=p1&Date=1", ERR_NONE, PROVIDER_PAYMENT,
         FACT_SUCCEEDED, false},
        {"RessourceId=p1&EventType=PAYIN_NORMAL_FAILED", ERR_NONE, PROVIDER_PAYMENT, FACT_FAILED,
         false},
        {"EventType=PAYIN_REFUND_SUCCEEDED&RessourceId=p1&Date=1", ERR_NONE, PROVIDER_REFUND,
         FACT_PARTLY_REFUNDED, false},
        {"EventType=DISPUTE_CLOSED&RessourceId=p1&Date=1", ERR_NONE, PROVIDER_DISPUTE,
         FACT_DISPUTED, false},
        {"EventType=PAYIN_REPUDIATION_SUCCEEDED&RessourceId=p1&Date=1", ERR_NONE,
         PROVIDER_REPUDIATION, FACT_DISPUTED, false},
        {"EventType=KYC_SUCCEEDED&RessourceId=p1&Date=1", ERR_NONE, PROVIDER_PAYMENT, FACT_NOTHING,
         true},
        {"EventType=PAYIN_NORMAL_SUCCEEDED&RessourceId=../p1", ERR_PAYLOAD, 0, 0, false},
        {"EventType=PAYIN_NORMAL_SUCCEEDED&RessourceId=", ERR_PAYLOAD, 0, 0, false},
        {"RessourceId=p1", ERR_PAYLOAD, 0, 0, false},
        {"EventType=PAYIN_NORMAL_SUCCEEDED&RessourceId=%zz", ERR_PAYLOAD, 0, 0, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_truth t;
        enum err err = provider_notice(&mangopay_driver, &settings, *state, rows[i].body,
                                       strlen(rows[i].body), &t);
        ROW(err == rows[i].err, "%s: %s", rows[i].body, err_message(err));
        ROW(err || (t.object == rows[i].object && t.fact == rows[i].fact &&
                    (t.stranger != NULL) == rows[i].stranger),
            "%s", rows[i].body);
        ROW(err || t.reference[0] == '\0', "%s: they name nothing of ours", rows[i].body);
    }
    ROWS_END();
}

#define HOOK(url, status, validity)                                                                \
    "{\"Id\":\"h1\",\"EventType\":\"PAYIN_NORMAL_SUCCEEDED\",\"Url\":\"" url                       \
    "\",\"Status\":\"" status "\",\"Validity\":\"" validity "\"}"
#define OURS   "https://pay.example.test/webhook/mangopay"
#define MENDED "{\"Url\":\"" OURS "\",\"Status\":\"ENABLED\",\"Validity\":\"VALID\"}"

enum { CREATED = 0, SUCCEEDED = 1 }; /* their places in the driver's table */

static void hooks_are_mended(void **state)
{
    static const struct {
        const char *list, *method, *url, *body;
        enum provider_hook_state is;
    } rows[] = {
        {"[" HOOK(OURS, "ENABLED", "VALID") "]", NULL, NULL, NULL, PROVIDER_HOOK_FINE},
        {"[" HOOK(OURS, "DISABLED", "VALID") "]", "PUT", "/hooks/h1", MENDED, PROVIDER_HOOK_WRONG},
        {"[" HOOK(OURS, "ENABLED", "INVALID") "]", "PUT", "/hooks/h1", MENDED, PROVIDER_HOOK_WRONG},
        {"[" HOOK("https://elsewhere.test/", "ENABLED", "VALID") "]", "PUT", "/hooks/h1", MENDED,
         PROVIDER_HOOK_WRONG},
        {"[{\"Id\":\"h2\",\"EventType\":\"KYC_CREATED\"}]", "POST", "/hooks",
         "{\"Url\":\"" OURS "\",\"EventType\":\"PAYIN_NORMAL_SUCCEEDED\"}", PROVIDER_HOOK_MISSING},
    };
    const struct provider_hooks *hooks = mangopay_driver.hooks;
    assert_true(hooks->kinds <= PROVIDER_HOOKS_MAX);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_hook found[PROVIDER_HOOKS_MAX] = {{.id = ""}};
        struct httpc_request request = {0};
        struct httpc_answer list = answer_of(200, rows[i].list);
        bool more = true;
        arena_reset(*state);
        ROW(hooks->list_read(&settings, *state, &list, found, &more) == ERR_NONE, "%zu", i);
        ROW(!more && found[SUCCEEDED].state == rows[i].is, "%zu: %d", i, (int)found[1].state);
        ROW(found[CREATED].state == PROVIDER_HOOK_FINE, "%zu: nobody wants it", i);
        if (rows[i].method == NULL)
            continue;
        ROW(hooks->mend(&settings, *state, SUCCEEDED, &found[SUCCEEDED], &request) == ERR_NONE,
            "%zu", i);
        ROW(strcmp(request.method, rows[i].method) == 0 &&
                strstr(request.url, rows[i].url) != NULL && strcmp(request.body, rows[i].body) == 0,
            "%zu: %s %s %s", i, request.method, request.url, request.body);
    }
    ROWS_END();
}

/* What a page says stays said, and a full one has another after it. */
static void hooks_have_pages(void **state)
{
    const struct provider_hooks *hooks = mangopay_driver.hooks;
    struct provider_hook found[PROVIDER_HOOKS_MAX] = {{.id = ""}};
    struct httpc_request request = {0};
    struct buf text;
    bool more = false;
    buf_init(&text, *state, 64 * 1024);
    buf_puts(&text, "[" HOOK(OURS, "ENABLED", "VALID"));
    for (int i = 1; i < 100; i++)
        buf_printf(&text, ",{\"Id\":\"k%d\",\"EventType\":\"KYC_%d\"}", i, i);
    buf_puts(&text, "]");
    struct httpc_answer page = answer_of(200, buf_text(&text)), last = answer_of(200, "[]"),
                        none = answer_of(500, "[]"),
                        nameless = answer_of(200, "[{\"EventType\":\"PAYIN_NORMAL_SUCCEEDED\"}]");
    assert_int_equal(hooks->list_read(&settings, *state, &page, found, &more), ERR_NONE);
    assert_true(more);
    assert_int_equal(hooks->list_read(&settings, *state, &last, found, &more), ERR_NONE);
    assert_true(!more && found[SUCCEEDED].state == PROVIDER_HOOK_FINE);
    assert_int_equal(hooks->list_read(&settings, *state, &none, found, &more), ERR_PAYLOAD);
    assert_int_equal(hooks->list_read(&settings, *state, &nameless, found, &more), ERR_PAYLOAD);
    assert_int_equal(hooks->list(&settings, *state, 1, &request), ERR_NONE);
    assert_non_null(strstr(request.url, "/hooks?page=2&per_page=100"));
}

static void events_become_notices(void **state)
{
    struct httpc_answer answer = answer_of(
        200, "[{\"ResourceId\":\"p1\",\"EventType\":\"PAYIN_NORMAL_SUCCEEDED\",\"Date\":17},"
             "{\"ResourceId\":\"p1\",\"EventType\":\"PAYIN_NORMAL_CREATED\",\"Date\":16},"
             "{\"ResourceId\":\"k1\",\"EventType\":\"KYC_CREATED\",\"Date\":16},"
             "{\"ResourceId\":\"a b\",\"EventType\":\"DISPUTE_CLOSED\",\"Date\":18},"
             "{\"ResourceId\":\"d1\",\"EventType\":\"DISPUTE_CLOSED\",\"Date\":18}]");
    const char *notices[PROVIDER_EVENTS_MAX];
    struct httpc_request request = {0};
    size_t count;
    int64_t last_s;
    const struct provider_hooks *hooks = mangopay_driver.hooks;
    assert_int_equal(hooks->events_read(*state, &answer, notices, &count, &last_s), ERR_NONE);
    assert_true(count == 2 && last_s == 0);
    assert_string_equal(notices[0], "EventType=PAYIN_NORMAL_SUCCEEDED&RessourceId=p1&Date=17");
    assert_string_equal(notices[1], "EventType=DISPUTE_CLOSED&RessourceId=d1&Date=18");
    assert_int_equal(hooks->events(&settings, *state, 99, 1, &request), ERR_NONE);
    assert_non_null(strstr(request.url, "/events?AfterDate=99&page=2&per_page=100"));
    answer = answer_of(200, "{}");
    assert_int_equal(hooks->events_read(*state, &answer, notices, &count, &last_s), ERR_PAYLOAD);
    answer = answer_of(200, "[{\"ResourceId\":\"p1\",\"EventType\":\"DISPUTE_CLOSED\"}]");
    assert_int_equal(hooks->events_read(*state, &answer, notices, &count, &last_s), ERR_PAYLOAD);
}

/* Whoever reads no further than a full page knows where to go on. */
static void a_full_page_of_events_tells_its_end(void **state)
{
    const char *notices[PROVIDER_EVENTS_MAX];
    struct buf text;
    size_t count;
    int64_t last_s;
    buf_init(&text, *state, 64 * 1024);
    for (int i = 0; i < 100; i++)
        buf_printf(&text, "%s{\"ResourceId\":\"k%d\",\"EventType\":\"KYC_CREATED\",\"Date\":%d}",
                   i == 0 ? "[" : ",", i, 1000 + i);
    buf_puts(&text, "]");
    struct httpc_answer answer = answer_of(200, buf_text(&text));
    assert_int_equal(mangopay_driver.hooks->events_read(*state, &answer, notices, &count, &last_s),
                     ERR_NONE);
    assert_true(count == 0 && last_s == 1099);
}

/* The parts of a refund add up, whatever is rounded. */
static void refunds_leave_nothing_behind(void **state)
{
    static const int64_t parts[] = {1, 2, 333, 500, 668}; /* of 1504 */
    struct provider_truth payment = {.fact = FACT_SUCCEEDED, .author = "user_m_1"};
    struct provider_refund refund = {.id = "REF_01HP2V0K8S3M5N7Q9R1T3V5X7Z"};
    int64_t debited = 0, fees = 0, before = 0;
    assert_true(money_make(1504, "EUR", &payment.amount) && money_make(105, "EUR", &payment.kept));
    for (size_t i = 0; i < COUNT(parts); i++) {
        struct httpc_request request = {0};
        int64_t out, back;
        arena_reset(*state);
        assert_true(money_make(parts[i], "EUR", &refund.amount) &&
                    money_make(before, "EUR", &refund.before));
        assert_int_equal(
            mangopay_driver.refund(&settings, *state, &order, &refund, &payment, &request),
            ERR_NONE);
        const struct json *body = body_of(*state, &request);
        assert_true(json_int(json_get(json_get(body, "DebitedFunds"), "Amount"), &out) &&
                    json_int(json_get(json_get(body, "Fees"), "Amount"), &back));
        assert_int_equal(out - back, parts[i]);
        assert_true(has_header(&request, "Idempotency-Key: REF-01HP2V0K8S3M5N7Q9R1T3V5X7Z"));
        debited += out;
        fees -= back;
        before += parts[i];
    }
    assert_int_equal(debited, 1504 - 105);
    assert_int_equal(fees, 105);
    payment.fact = FACT_NOTHING;
    struct httpc_request request = {0};
    assert_int_equal(mangopay_driver.refund(&settings, *state, &order, &refund, &payment, &request),
                     ERR_PAYLOAD);
}

/* Figures that no payment of ours can have: a share of them would not even fit in a number. */
static void nothing_is_refunded_of_a_pay_in_that_cannot_be_ours(void **state)
{
    const struct provider_truth fine = {.fact = FACT_SUCCEEDED, .author = "user_m_1"};
    struct provider_refund refund = {.id = "REF_01HP2V0K8S3M5N7Q9R1T3V5X7Z"};
    struct provider_truth rows[] = {fine, fine, fine};
    rows[0].stranger = "of somebody else";
    rows[1].doubt = "not what it should be";
    assert_true(money_make(500, "EUR", &refund.amount) && money_make(0, "EUR", &refund.before));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct httpc_request request = {0};
        int64_t units = i < 2 ? 1504 : INT64_MAX;
        assert_true(money_make(units, "EUR", &rows[i].amount) &&
                    money_make(units / 2, "EUR", &rows[i].kept));
        ROW(mangopay_driver.refund(&settings, *state, &order, &refund, &rows[i], &request) ==
                ERR_PAYLOAD,
            "row %zu", i);
    }
    ROWS_END();
}

static void cards_show_no_whole_number(void **state)
{
    static const struct {
        const char *body, *alias, *country;
    } rows[] = {
        {"{\"Alias\":\"497010XXXXXX6588\",\"Country\":\"FRA\"}", "497010XXXXXX6588", "FRA"},
        {"{\"Alias\":\"497010XXXXXX6588\"}", "497010XXXXXX6588", ""},
        {"{\"Alias\":\"4970101234566588\",\"Country\":\"FRA\"}", "", ""},
        {"{\"Country\":\"FRA\"}", "", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct provider_truth t = {0};
        struct httpc_answer answer = answer_of(200, rows[i].body);
        mangopay_driver.card_read(*state, &answer, &t);
        ROW(strcmp(t.card_alias, rows[i].alias) == 0 &&
                strcmp(t.card_country, rows[i].country) == 0,
            "%s: %s %s", rows[i].body, t.card_alias, t.card_country);
    }
    ROWS_END();
}

static void result_codes_have_words(void **state)
{
    static const struct {
        const char *code;
        enum err err;
    } rows[] = {
        {"101101", ERR_DECLINED},      {"101102", ERR_DECLINED_FUNDS},
        {"101105", ERR_DECLINED_CARD}, {"101301", ERR_DECLINED_3DS},
        {"101399", ERR_DECLINED_3DS},  {"101002", ERR_CANCELLED},
        {"001031", ERR_CANCELLED},     {"001830", ERR_DECLINED_FUNDS},
        {"001011", ERR_AMOUNT},        {"009103", ERR_PROCESS},
        {"001014", ERR_AMOUNT},        {"001015", ERR_PROCESS},
        {"001999", ERR_PROCESS},       {"00101", ERR_AMOUNT},
        {"008500", ERR_DECLINED},      {"201001", ERR_DECLINED_FUNDS},
        {"999999", ERR_DECLINED},      {"", ERR_DECLINED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mangopay_verdict verdict = mangopay_verdict(rows[i].code);
        ROW(verdict.err == rows[i].err && verdict.why[0] != '\0', "%s: %s", rows[i].code,
            err_message(verdict.err));
    }
    ROWS_END();
}

static void registrations_have_a_status(void **state)
{
    static const struct {
        const char *theirs, *ours;
    } rows[] = {{"CREATED", "created"},
                {"AUTHENTICATION_NEEDED", "authentication_needed"},
                {"AUTHENTICATION NEEDED", "authentication_needed"},
                {"IN_PROGRESS", "in_progress"},
                {"ENDED", "ended"},
                {"PAUSED", "unknown"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[128];
        struct buf written;
        struct json *root;
        arena_reset(*state);
        (void)snprintf(text, sizeof text, "{\"Id\":\"r1\",\"Status\":\"%s\"}", rows[i].theirs);
        assert_int_equal(json_parse(*state, text, strlen(text), &root), ERR_NONE);
        buf_init(&written, *state, 4096);
        struct json_out *out = json_out_new(*state, &written);
        json_out_object(out, NULL);
        mangopay_driver.registrations->write(out, root);
        json_out_close_object(out);
        assert_int_equal(json_out_end(out), ERR_NONE);
        assert_int_equal(json_parse(*state, buf_text(&written), written.len, &root), ERR_NONE);
        const char *status = json_get_text(root, "status");
        ROW(status != NULL && strcmp(status, rows[i].ours) == 0, "%s: %s", rows[i].theirs,
            status == NULL ? "" : status);
    }
    ROWS_END();
}

#define TEST_HERE(function) cmocka_unit_test_setup_teardown(function, set_up, arena_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_HERE(truths_about_pay_ins),
        TEST_HERE(other_statuses_are_no_truth),
        TEST_HERE(unknown_pay_ins_name_their_payment),
        TEST_HERE(ways_of_paying_are_compared),
        TEST_HERE(truths_about_parts),
        TEST_HERE(notices_name_what_to_read),
        TEST_HERE(hooks_are_mended),
        TEST_HERE(hooks_have_pages),
        TEST_HERE(events_become_notices),
        TEST_HERE(a_full_page_of_events_tells_its_end),
        TEST_HERE(refunds_leave_nothing_behind),
        TEST_HERE(nothing_is_refunded_of_a_pay_in_that_cannot_be_ours),
        TEST_HERE(cards_show_no_whole_number),
        TEST_HERE(result_codes_have_words),
        TEST_HERE(registrations_have_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
