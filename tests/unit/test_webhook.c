/* Standard Webhooks: the published vector, and what is taken for a secret. */
#include "check.h"

#include "base/webhook.h"

#include <string.h>

static bool make_key(const char *text, struct secret *ret_key)
{
    assert_true(secret_set(ret_key, text, strlen(text)));
    return webhook_key(ret_key);
}

/* The one of the specification's own libraries. */
static void published_vector(void **state)
{
    static const char body[] = "{\"test\": 2432232314}";
    struct secret key;
    char signature[WEBHOOK_SIGNATURE_MAX];
    assert_true(make_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &key));
    assert_int_equal(webhook_sign(*state, &key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body,
                                  strlen(body), signature),
                     ERR_NONE);
    assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void everything_is_signed(void **state)
{
    static const struct {
        const char *secret, *id;
        int64_t time_s;
        const char *body;
    } rows[] = {
        {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", "one", 1614265330, "{}"},
        {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYY", "one", 1614265330, "{}"},
        {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", "two", 1614265330, "{}"},
        {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", "one", 1614265331, "{}"},
        {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", "one", 1614265330, "{ }"},
        {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", "one", 1614265330, ""},
    };
    char signatures[COUNT(rows)][WEBHOOK_SIGNATURE_MAX];
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct secret key;
        assert_true(make_key(rows[i].secret, &key));
        assert_int_equal(webhook_sign(*state, &key, rows[i].id, rows[i].time_s, rows[i].body,
                                      strlen(rows[i].body), signatures[i]),
                         ERR_NONE);
        for (size_t k = 0; k < i; k++)
            ROW(strcmp(signatures[i], signatures[k]) != 0, "rows %zu and %zu agree", i, k);
    }
    ROWS_END();
}

static void what_does_not_fit(void **state)
{
    static char body[300 * 1024];
    struct secret key;
    char signature[WEBHOOK_SIGNATURE_MAX];
    assert_true(make_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &key));
    memset(body, ' ', sizeof body);
    assert_int_equal(webhook_sign(*state, &key, "one", 1, body, sizeof body, signature),
                     ERR_OVERLOAD);
}

static void secrets_of_the_standard(void **state)
{
    static const struct {
        const char *text;
        bool fine;
    } rows[] = {
        {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", true},  /* 24 bytes */
        {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY=", false}, /* 23 */
        {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0"
         "+Pw==",
         true}, /* 64 */
        {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0"
         "+P0A=",
         false}, /* 65 */
        {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", false},
        {"whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", false},
        {"WHSEC_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", false},
        {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY_", false},
        {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX ", false},
        {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGA", false},
        {"whsec_", false},
        {"whsec", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct secret key;
        ROW(make_key(rows[i].text, &key) == rows[i].fine, "%s", rows[i].text);
        ROW(rows[i].fine || strcmp(secret_reveal(&key), rows[i].text) == 0, "%s was changed",
            rows[i].text);
    }
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ARENA(published_vector),
        TEST_ARENA(everything_is_signed),
        TEST_ARENA(what_does_not_fit),
        TEST(secrets_of_the_standard),
    };
    return cmocka_run_group_tests_name("webhook", tests, NULL, NULL);
}
