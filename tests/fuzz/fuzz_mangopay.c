/* Mangopay's answers and notices: whatever they are, the driver says something that flow can rely
 * on. Every input is read as each of them. */
#include "fuzz.h"

#include "base/buf.h"
#include "provider/mangopay.h"

#define REFERENCE "PAY_01HP2V0K8S3M5N7Q9R1T3V5X7Z"
#define PAYIN     "payin_m_01JFAJSSR3VW3SHX2X74C8GW82"

static struct settings settings;
static const struct provider_payer payer;
static struct provider_order order = {
    .reference = REFERENCE, .method = "", .provider_reference = PAYIN, .payer = &payer};

static void set_up(void)
{
    struct settings_mangopay *s = &settings.mangopay;
    HOLDS(secret_set(&s->api_key, "a key of the dashboard", 22));
    HOLDS(text_copy(s->client_id, CONF_TEXT_MAX, "shop"));
    HOLDS(text_copy(s->api_url, CONF_TEXT_MAX, "https://api.mangopay.test"));
    HOLDS(text_copy(s->hook_url, CONF_TEXT_MAX, "https://pay.example.test/webhook/mangopay"));
    HOLDS(text_copy(settings.payment.environment, CONF_TEXT_MAX, "unit test"));
}

/* A payer who is to act has one thing to do: open a page, make a wire, or nothing any more. */
static void hold_result(const struct provider_result *result)
{
    bool pending = result->outcome == OUTCOME_PENDING, done = result->outcome == OUTCOME_DONE;
    int ways = (result->url != NULL) + (result->instructions != NULL) + result->settled;
    HOLDS(result->outcome != OUTCOME_NONE);
    HOLDS(fuzz_is_ascii(result->reason, sizeof result->reason));
    HOLDS(fuzz_is_ascii(result->provider_reference, sizeof result->provider_reference));
    HOLDS(!(pending || done) || result->provider_reference[0] != '\0');
    HOLDS(result->url == NULL || provider_is_payer_url(result->url));
    HOLDS(ways <= pending); /* none: a refund that is not made yet */
    HOLDS(result->retry_after_s >= 0);
}

static void results(const struct httpc_answer *answer)
{
    struct provider_result result = {.outcome = OUTCOME_UNKNOWN, .http_status = answer->status};
    mangopay_driver.created(&settings, fuzz_arena(), answer, &result);
    hold_result(&result);
    result = (struct provider_result){.outcome = OUTCOME_UNKNOWN, .http_status = answer->status};
    mangopay_driver.recovered(&settings, fuzz_arena(), answer, &result);
    hold_result(&result);
}

static void registered(const struct httpc_answer *answer)
{
    const struct provider_registrations *registrations = mangopay_driver.registrations;
    struct provider_result result = {.outcome = OUTCOME_UNKNOWN, .http_status = answer->status};
    struct arena *arena = fuzz_arena();
    const struct json *root = NULL;
    struct buf text;
    registrations->read(&settings, arena, answer, &result, &root);
    HOLDS(result.outcome != OUTCOME_PENDING && result.outcome != OUTCOME_DECLINED);
    HOLDS(result.outcome != OUTCOME_DONE || result.provider_reference[0] != '\0');
    if (root == NULL)
        return;
    buf_init(&text, arena, 64 * 1024);
    struct json_out *out = json_out_new(arena, &text);
    HOLDS(out != NULL);
    json_out_object(out, NULL);
    registrations->write(out, root);
    json_out_close_object(out);
    HOLDS(json_out_end(out) == ERR_NONE);
}

static void readback(const struct httpc_answer *answer, enum provider_object object)
{
    struct provider_truth truth = {0};
    order.object = object;
    if (mangopay_driver.readback(&settings, fuzz_arena(), &order, answer, &truth) != READING_TRUTH)
        return;
    HOLDS(fuzz_is_ascii(truth.word, sizeof truth.word));
    HOLDS(truth.object == object && truth.provider_reference[0] != '\0');
    if (object == PROVIDER_PAYMENT) {
        HOLDS(strcmp(truth.reference, order.reference) == 0 || order.reference[0] == '\0');
        HOLDS(strcmp(truth.provider_reference, PAYIN) == 0);
        HOLDS(truth.way[0] != '\0' && fuzz_is_ascii(truth.way, sizeof truth.way));
        HOLDS(truth.has_amount && money_minor_units(&truth.amount) >= 0);
        HOLDS(truth.fact < FACT_PARTLY_REFUNDED);
    } else {
        HOLDS(truth.has_change && money_minor_units(&truth.change) >= 0);
        HOLDS(fuzz_is_ascii(truth.change_reference, sizeof truth.change_reference));
        HOLDS(truth.change_reference[0] != '\0');
        HOLDS(truth.fact == FACT_NOTHING || truth.fact >= FACT_PARTLY_REFUNDED);
    }
}

static void card(const struct httpc_answer *answer)
{
    struct provider_truth truth = {0};
    mangopay_driver.card_read(fuzz_arena(), answer, &truth);
    HOLDS(truth.card_alias[0] == '\0' || strchr(truth.card_alias, 'X') != NULL);
}

static void token(const struct httpc_answer *answer)
{
    struct provider_token token;
    if (!mangopay_driver.token_read(fuzz_arena(), answer, &token))
        return;
    HOLDS(token.life_s > 0 && token.text[0] != '\0');
    HOLDS(fuzz_is_ascii(token.text, sizeof token.text)); /* it becomes a header */
}

static void hooks(const struct httpc_answer *answer)
{
    struct provider_hook found[PROVIDER_HOOKS_MAX] = {{.id = ""}};
    const struct provider_hooks *driver = mangopay_driver.hooks;
    bool more;
    if (driver->list_read(&settings, fuzz_arena(), answer, found, &more) != ERR_NONE)
        return;
    for (size_t i = 0; i < driver->kinds; i++) {
        struct httpc_request request = {0};
        HOLDS(found[i].state != PROVIDER_HOOK_WRONG || mangopay_is_id(found[i].id));
        if (found[i].state != PROVIDER_HOOK_FINE)
            HOLDS(driver->mend(&settings, fuzz_arena(), i, &found[i], &request) == ERR_NONE);
    }
}

static void notice(struct arena *arena, const char *text, size_t len, bool wanted)
{
    struct provider_truth truth;
    enum err err = provider_notice(&mangopay_driver, &settings, arena, text, len, &truth);
    HOLDS(!wanted || (!err && truth.stranger == NULL));
    if (err)
        return;
    HOLDS(!truth.has_amount && truth.reference[0] == '\0');
    HOLDS(truth.provider_reference[0] != '\0' && mangopay_is_id(truth.provider_reference));
    HOLDS(fuzz_is_ascii(truth.word, sizeof truth.word));
}

static void events(const struct httpc_answer *answer)
{
    const char *notices[PROVIDER_EVENTS_MAX];
    struct arena *arena = fuzz_arena();
    size_t count = 0;
    int64_t last_s;
    if (mangopay_driver.hooks->events_read(arena, answer, notices, &count, &last_s) != ERR_NONE)
        return;
    HOLDS(count <= PROVIDER_EVENTS_MAX && last_s >= 0);
    for (size_t i = 0; i < count; i++)
        notice(arena, notices[i], strlen(notices[i]), true);
}

static void desk(const struct httpc_answer *answer)
{
    struct provider_word words[PROVIDER_WORDS_MAX];
    size_t count = 0;
    if (mangopay_driver.desk->words(fuzz_arena(), answer, words, &count))
        HOLDS(count > 0 && count <= PROVIDER_WORDS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 400, 429};
    char *text = fuzz_text(data, size);
    struct httpc_answer answer = {.result = HTTPC_ANSWERED,
                                  .body = text,
                                  .body_len = size,
                                  .kept = text, /* headers come from there too */
                                  .problem = ""};
    if (!secret_is_set(&settings.mangopay.api_key))
        set_up();
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        answer.status = statuses[i];
        results(&answer);
        registered(&answer);
    }
    answer.status = 200;
    for (int known = 0; known <= 1; known++) {
        order.reference = known ? REFERENCE : "";
        readback(&answer, PROVIDER_PAYMENT);
        readback(&answer, PROVIDER_REFUND);
        readback(&answer, PROVIDER_DISPUTE);
        readback(&answer, PROVIDER_REPUDIATION);
    }
    card(&answer);
    token(&answer);
    hooks(&answer);
    events(&answer);
    desk(&answer);
    notice(fuzz_arena(), text, size, false);
    free(text);
    return 0;
}
