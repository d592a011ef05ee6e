/* NonStopPay's fields: each with what it takes and what it refuses, before anything is sent. */
#include "nonstopay.h"

/* One field with one value; everything else is as it must be. */
struct field_row {
    const char *value;
    bool valid;
};

static void check_field(const char **field, const char *name, const struct field_row *rows,
                        size_t count, enum err refusal)
{
    const char *before = *field;
    for (size_t i = 0; i < count; i++) {
        *field = rows[i].value;
        enum err err = nonstopay_driver.check(&settings, &order);
        ROW(err == (rows[i].valid ? ERR_NONE : refusal), "%s \"%s\": %s", name, rows[i].value,
            err_message(err));
    }
    *field = before;
    ROWS_END();
}

#define CHECK(field, refusal, ...)                                                                 \
    do {                                                                                           \
        const struct field_row rows[] = {__VA_ARGS__};                                             \
        check_field(&(field), #field, rows, COUNT(rows), refusal);                                 \
    } while (0)

#define LONG10  "aaaaaaaaaa"
#define LONG100 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10 LONG10

static void fields_of_a_hosted_invoice(void **state)
{
    (void)state;
    assert_int_equal(nonstopay_driver.check(&settings, &order), ERR_NONE);
    CHECK(payer.email, ERR_CUSTOMER, {"a@b.test", true}, {"a.b+c@d-e.example", true}, {"", false},
          {"a", false}, {"a@", false}, {"@b.test", false}, {"a@b@c.test", false},
          {"a b@c.test", false}, {"a@b.test\r\nX: y", false}, {"<a@b.test>", false},
          {"\xc3\xa4@b.test", false}, {LONG100 LONG100 LONG100 "@b.test", false});
    CHECK(payer.name, ERR_CUSTOMER, {"", true}, {"John Smith", true}, {"Zo\xc3\xab", true},
          {LONG100, true}, {LONG100 "a", false}, {"a\nb", false}, {"a\x7f", false});
    CHECK(payer.phone, ERR_CUSTOMER, {"", true}, {"020 7946 0018", true}, {"+19896532145", true},
          {"+1 (989) 653-2145", true}, {"12345", true}, {"123456789012345", true}, {"1234", false},
          {"1234567890123456", false}, {"+", false}, {"1+2345", false}, {"12345x", false},
          {"tel:12345", false}, {"1 2 3 4 5                        ", false});
    CHECK(payer.date_of_birth, ERR_CUSTOMER, {"", true}, {"1990-12-31", true}, {"2000-02-29", true},
          {"1996-02-29", true}, {"1900-01-01", true}, {"2026-06-14", true}, {"2026-06-15", false},
          {"2027-01-01", false}, {"1900-02-29", false}, {"1997-02-29", false},
          {"1899-12-31", false}, {"1990-13-01", false}, {"1990-00-10", false},
          {"1990-04-31", false}, {"1990-04-00", false}, {"1990-4-3", false}, {"31.12.1990", false},
          {"1990/12/31", false}, {"1990-12-31 ", false}, {"199a-12-31", false},
          {"1990-1a-31", false}, {"1990-12-3a", false}, {"1990-12/31", false});
    CHECK(payer.personal_id, ERR_CUSTOMER, {"", true}, {"45861024531", true}, {"4586102453", false},
          {"458610245311", false}, {"4586102453a", false}, {" 5861024531", false});
    CHECK(payer.ip, ERR_CUSTOMER, {"", true}, {"127.0.0.1", true}, {"203.0.113.42", true},
          {"::1", false}, {"2001:db8::1", false}, {"127.0.0", false}, {"127.0.0.256", false},
          {"127.0.0.1 ", false}, {"127.1", false}, {"localhost", false});
    CHECK(payer.address1, ERR_BILLING, {"", true}, {"1000 Lombard St", true}, {LONG100, true},
          {LONG100 LONG100, false}, {"a\tb", false});
    CHECK(payer.address2, ERR_BILLING, {"Flat 2", true}, {LONG100 LONG100, false}, {"\x01", false});
    CHECK(payer.city, ERR_BILLING, {"San Francisco", true}, {"K\xc3\xb6ln", true}, {LONG100, false},
          {"a\rb", false});
    CHECK(payer.state, ERR_BILLING, {"New York", true}, {LONG100, false}, {"a\nb", false});
    CHECK(payer.postcode, ERR_BILLING, {"", true}, {"90210", true}, {"SW1A 1AA", true},
          {"1234-567", true}, {"1", false}, {"1234567890123", false}, {"902\n10", false},
          {"90.210", false});
    CHECK(payer.country, ERR_BILLING, {"", true}, {"DE", true}, {"US", true}, {"de", false},
          {"DEU", false}, {"XX", false}, {"D", false}, {"Germany", false});
}

static void fields_of_a_card(void **state)
{
    (void)state;
    know_all();
    assert_int_equal(nonstopay_driver.check(&settings, &order), ERR_NONE);
    CHECK(card.number, ERR_CARD, {"4242424242424242", true}, {"4000 0027 6000 3184", true},
          {"4242424242424241", false}, {"4242", false}, {"", false}, {"4242424242424242x", false});
    CHECK(card.expiry, ERR_CARD, {"06/2026", true}, {"12/2045", true}, {"05/2026", false},
          {"12/30", false}, {"2030-12", false}, {"13/2030", false}, {"", false});
    CHECK(card.cvc, ERR_CARD, {"000", true}, {"12", false}, {"1234", false}, {"", false},
          {"12a", false});
    CHECK(card.holder, ERR_CARD, {"John Smith", true}, {"", false}, {"John\nSmith", false},
          {LONG100 LONG100, false});
    /* mandatory with a card */
    CHECK(payer.phone, ERR_CUSTOMER, {"", false});
    CHECK(payer.date_of_birth, ERR_CUSTOMER, {"", false});
    CHECK(payer.ip, ERR_CUSTOMER, {"", false}, {"::1", false});
    CHECK(payer.email, ERR_CUSTOMER, {"", false});
    CHECK(payer.address1, ERR_BILLING, {"", false});
    CHECK(payer.city, ERR_BILLING, {"", false});
    CHECK(payer.postcode, ERR_BILLING, {"", false});
    CHECK(payer.country, ERR_BILLING, {"", false});
    /* optional even then */
    CHECK(payer.address2, ERR_BILLING, {"", true});
    CHECK(payer.state, ERR_BILLING, {"", true});
    CHECK(payer.name, ERR_CUSTOMER, {"", true});
    CHECK(payer.personal_id, ERR_CUSTOMER, {"", true});
}

static void currencies_and_methods(void **state)
{
    static const struct {
        const char *method, *currency;
        enum err err;
    } rows[] = {
        {"", "USD", ERR_NONE},
        {"", "EUR", ERR_NONE},
        {"", "GBP", ERR_NONE},
        {"", "INR", ERR_NONE},
        {"", "ZAR", ERR_NONE},
        {"", "JPY", ERR_CURRENCY},
        {"", "KWD", ERR_CURRENCY},
        {"", "SDE", ERR_CURRENCY},
        {"credit_card", "ZAR", ERR_NONE},
        {"upi", "USD", ERR_NONE},
        {"upi", "INR", ERR_CURRENCY},
        {"crypto", "USD", ERR_NONE},
        {"crypto", "EUR", ERR_CURRENCY},
        {"USDT_polygon", "USD", ERR_NONE},
        {"USDC_tron", "USD", ERR_NONE},
        {"USDT", "USD", ERR_METHOD_OF_PAYMENT},
        {"_polygon", "USD", ERR_METHOD_OF_PAYMENT},
        {"usdt_polygon", "USD", ERR_METHOD_OF_PAYMENT},
        {"USDT_polygon USDC_tron", "USD", ERR_METHOD_OF_PAYMENT},
        {"paypal", "USD", ERR_METHOD_OF_PAYMENT},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        order.method = rows[i].method;
        assert_true(money_make(0, rows[i].currency, &order.amount));
        enum err err = nonstopay_driver.check(&settings, &order);
        ROW(err == rows[i].err, "%s %s: %s", rows[i].method, rows[i].currency, err_message(err));
    }
    ROWS_END();
}

/* A card only where it is switched on, and only to pay by card. */
static void cards_only_where_they_may_go(void **state)
{
    (void)state;
    know_all();
    order.method = "credit_card";
    assert_int_equal(nonstopay_driver.check(&settings, &order), ERR_NONE);
    order.method = "upi";
    assert_int_equal(nonstopay_driver.check(&settings, &order), ERR_CARD);
    order.method = "USDT_polygon";
    assert_int_equal(nonstopay_driver.check(&settings, &order), ERR_CARD);
    order.method = "";
    settings.nonstopay.s2s = false;
    assert_int_equal(nonstopay_driver.check(&settings, &order), ERR_CARD);
    order.card = NULL;
    assert_int_equal(nonstopay_driver.check(&settings, &order), ERR_NONE);
    order.payer = NULL;
    assert_int_equal(nonstopay_driver.check(&settings, &order), ERR_CUSTOMER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_NONSTOPAY(fields_of_a_hosted_invoice),
        TEST_NONSTOPAY(fields_of_a_card),
        TEST_NONSTOPAY(currencies_and_methods),
        TEST_NONSTOPAY(cards_only_where_they_may_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
