/* NonStopPay's answers and callbacks: whatever they are, the driver says something that flow can
 * rely on. Every input is read as each of them. */
#include "fuzz.h"

#include "base/buf.h"
#include "provider/nonstopay.h"

static struct settings settings;
static const struct provider_payer payer;
static struct provider_order order = {.reference = "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7Z",
                                      .method = "",
                                      .provider_reference = "1689",
                                      .payer = &payer};

static void set_up(void)
{
    HOLDS(secret_set(&settings.nonstopay.api_key, "0d8d8e89a6cdcd", 14));
    HOLDS(secret_set(&settings.api_key_hash_key, "a key of thirty-two bytes or more", 33));
    HOLDS(text_copy(settings.nonstopay.merchant_id, CONF_TEXT_MAX, "1"));
    HOLDS(text_copy(settings.nonstopay.signature, CONF_TEXT_MAX, "hmac-sha256-hex"));
}

static void created(struct arena *arena, const struct httpc_answer *answer)
{
    struct provider_result result = {.outcome = OUTCOME_UNKNOWN, .http_status = answer->status};
    nonstopay_driver.created(&settings, arena, answer, &result);
    HOLDS(fuzz_is_ascii(result.reason, sizeof result.reason));
    HOLDS(fuzz_is_ascii(result.provider_reference, sizeof result.provider_reference));
    HOLDS(result.outcome != OUTCOME_DONE && result.outcome != OUTCOME_NONE);
    HOLDS(result.outcome != OUTCOME_PENDING || result.settled || provider_is_payer_url(result.url));
    HOLDS(!result.settled || result.provider_reference[0] != '\0');
    HOLDS(result.outcome == OUTCOME_PENDING || result.url == NULL);
}

static void readback(struct arena *arena, const struct httpc_answer *answer)
{
    struct provider_truth truth = {0};
    if (nonstopay_driver.readback(&settings, arena, &order, answer, &truth) != READING_TRUTH)
        return;
    HOLDS(fuzz_is_ascii(truth.word, sizeof truth.word));
    HOLDS(strcmp(truth.reference, order.reference) == 0);
    HOLDS(strcmp(truth.provider_reference, order.provider_reference) == 0);
    HOLDS(truth.stranger != NULL || truth.has_amount);
    HOLDS(!truth.has_amount || money_minor_units(&truth.amount) >= 0);
}

static void searched(struct arena *arena, const struct httpc_answer *answer)
{
    struct provider_cursor cursor = {0};
    char found[PROVIDER_REFERENCE_MAX] = "";
    enum provider_reading reading =
        nonstopay_driver.searched(&settings, arena, &order, answer, &cursor, found);
    HOLDS((reading == READING_TRUTH) == (found[0] != '\0'));
    HOLDS(strspn(found, "0123456789") == strlen(found));
    HOLDS(reading != READING_NOT_FOUND || cursor.page + cursor.list > 0);
}

static void notice(struct arena *arena, const char *text, size_t len)
{
    struct provider_truth truth;
    const struct http_request request = {.client_ip = "", .body = text, .body_len = len};
    HOLDS(!nonstopay_driver.notice_proved(&settings, &request));
    if (provider_notice(&nonstopay_driver, &settings, arena, text, len, &truth) != ERR_NONE)
        return;
    HOLDS(!truth.has_amount);
    HOLDS(truth.provider_reference[0] != '\0' && fuzz_is_ascii(truth.word, sizeof truth.word));
    HOLDS((truth.stranger == NULL) == (truth.reference[0] != '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    const struct httpc_answer answer = {
        .result = HTTPC_ANSWERED, .status = 200, .body = text, .body_len = size, .problem = ""};
    if (!secret_is_set(&settings.nonstopay.api_key))
        set_up();
    created(fuzz_arena(), &answer);
    for (int unproved = 0; unproved <= 1; unproved++) {
        order.unproved = unproved == 1;
        readback(fuzz_arena(), &answer);
    }
    searched(fuzz_arena(), &answer);
    notice(fuzz_arena(), text, size);
    free(text);
    return 0;
}
