/* The table of faults and the list of those that are armed.
 * Must not carry a fault out: whoever serves the call or webhook takes it and misbehaves. */
#include "sandbox/fault.h"

#include "sandbox/hooks.h"
#include "sandbox/provider.h"
#include "sandbox/session.h"

#include "base/buf.h"
#include "base/clock.h"

#include <pthread.h>
#include <string.h>

enum { ARMED_MAX = 256, COUNT_MAX = 1000000 };

/* Which numbers of the body a fault takes. */
enum {
    ARG_MS = 1,
    ARG_STATUS = 2,
    ARG_RETRY_AFTER = 4,
    ARG_DELTA = 8,
    ARG_COPIES = 16,
    ARG_CURRENCY = 32,
    ARG_CODE = 64
};

#define ANY_CALL (EVENT_CREATE | EVENT_READ)
#define ANYWHERE (ANY_CALL | EVENT_HOOK)

static const struct fault_row {
    const char *name;
    unsigned events, takes;
    int64_t ms; /* the default */
    const char *about;
} rows[FAULT_COUNT] = {
    [FAULT_SLOW] = {"slow", ANYWHERE, ARG_MS, 2000, "the answer comes after ms"},
    [FAULT_TIMEOUT_AFTER_SUCCESS] = {"timeout_after_success", EVENT_CREATE, ARG_MS, 60000,
                                     "the work is done, then silence for ms, then the end"},
    [FAULT_CONNECTION_RESET] = {"connection_reset", ANYWHERE, 0, 0,
                                "the connection ends before anything is done"},
    [FAULT_CONNECTION_RESET_AFTER_SUCCESS] = {"connection_reset_after_success", EVENT_CREATE, 0, 0,
                                              "the work is done, then the connection ends"},
    [FAULT_ERROR_5XX] = {"error_5xx", ANYWHERE, ARG_STATUS, 0,
                         "answers status (500) and does nothing"},
    [FAULT_GARBAGE] = {"garbage", ANY_CALL, 0, 0,
                       "the work is done; the answer is cut JSON followed by HTML"},
    [FAULT_RATE_LIMITED] = {"rate_limited", ANYWHERE, ARG_RETRY_AFTER, 0,
                            "answers 429: again in retry_after (60) seconds"},
    [FAULT_UNAUTHORIZED] = {"unauthorized", ANY_CALL, 0, 0, "answers 401"},
    [FAULT_REFUSED] = {"refused", EVENT_CREATE, 0, 0,
                       "answers that this payment cannot be made: 400, errorCode 50012 or FAILED"},
    [FAULT_ERROR_CODE] = {"error_code", ANY_CALL, ARG_CODE, 0,
                          "nonstopay: answers errorCode code (50006); mangopay: the "
                          "payment or refund fails with ResultCode code"},
    [FAULT_PAYMENT_ERROR] = {"payment_error", EVENT_CREATE, 0, 0,
                             "payviox: answers 201 with a session and a payment_error"},
    [FAULT_REFUND_HELD] = {"refund_held", EVENT_CREATE, 0, 0,
                           "mangopay: a refund stays CREATED until the action refund_end"},
    [FAULT_READBACK_404] = {"readback_404", EVENT_READ, ARG_MS, 0,
                            "reading a payment says 404, for count calls or, given ms, for ms"},
    [FAULT_READBACK_PENDING] = {"readback_pending", EVENT_READ, 0, 0,
                                "reading a payment that was tried says pending"},
    [FAULT_WEBHOOK_BEFORE_ANSWER] = {"webhook_before_answer", EVENT_CREATE, 0, 0,
                                     "pays at once and answers the call after the webhook"},
    [FAULT_WEBHOOK_DUPLICATE] = {"webhook_duplicate", EVENT_WEBHOOK, ARG_COPIES, 0,
                                 "copies (20) of the webhook at the same time"},
    [FAULT_WEBHOOK_REORDERED] = {"webhook_reordered", EVENT_WEBHOOK, ARG_MS, 10000,
                                 "is delivered after the next webhook, or after ms without one"},
    [FAULT_WEBHOOK_LATE] = {"webhook_late", EVENT_WEBHOOK, ARG_MS, 5000, "is delivered ms later"},
    [FAULT_WEBHOOK_DROPPED] = {"webhook_dropped", EVENT_WEBHOOK, 0, 0, "is never delivered"},
    [FAULT_WRONG_AMOUNT] =
        {"wrong_amount", EVENT_WEBHOOK | EVENT_READ, ARG_DELTA, 0,
         "the amount differs by delta (-1); a read tells it with nonstopay and mangopay"},
    [FAULT_WRONG_CURRENCY] = {"wrong_currency", EVENT_WEBHOOK | EVENT_READ, ARG_CURRENCY, 0,
                              "the currency is another, or the one given"},
    [FAULT_BAD_SIGNATURE] = {"bad_signature", EVENT_WEBHOOK, 0, 0, "is signed with another token"},
    [FAULT_FOREIGN_ID] = {"foreign_id", EVENT_WEBHOOK, 0, 0,
                          "tells of a payment that is not the merchant's"},
    [FAULT_GONE] = {"gone", EVENT_HOOK, 0, 0, "answers 410, as an endpoint that is no more"},
};

/* The numbers of the body, each with its bounds. */
static const struct {
    const char *key;
    unsigned bit;
    size_t offset;
    int64_t min, max;
    const char *problem;
} numbers[] = {
    {"ms", ARG_MS, offsetof(struct fault_args, ms), 0, 600000,
     "ms must be a whole number from 0 to 600000"},
    {"status", ARG_STATUS, offsetof(struct fault_args, status), 500, 599,
     "status must be a whole number from 500 to 599"},
    {"code", ARG_CODE, offsetof(struct fault_args, code), 1, 999999,
     "code must be a whole number from 1 to 999999"},
    {"retry_after", ARG_RETRY_AFTER, offsetof(struct fault_args, retry_after), 0, 86400,
     "retry_after must be a whole number from 0 to 86400"},
    {"delta", ARG_DELTA, offsetof(struct fault_args, delta), -1000000000, 1000000000,
     "delta must be a whole number from -1000000000 to 1000000000"},
    {"copies", ARG_COPIES, offsetof(struct fault_args, copies), 2, 20,
     "copies must be a whole number from 2 to 20"},
};

struct armed {
    const struct provider *provider;
    enum fault fault;
    unsigned events;
    int64_t left;
    int64_t until_ms;                    /* monotonic; 0: no end */
    char order_id[SESSION_TEXT_MAX + 1]; /* only this payment's; "": any */
    struct fault_args args;
};

static struct {
    pthread_mutex_t mutex;
    struct armed list[ARMED_MAX]; /* oldest first */
    size_t count;
} arms = {.mutex = PTHREAD_MUTEX_INITIALIZER};

const char *fault_name(enum fault fault)
{
    return rows[fault].name;
}

const char *fault_about(enum fault fault)
{
    return rows[fault].about;
}

enum fault fault_find(const char *name)
{
    int fault = 0;
    while (fault < FAULT_COUNT && strcmp(rows[fault].name, name) != 0)
        fault++;
    return (enum fault)fault;
}

static const char *read_numbers(const struct json *body, struct armed *armed)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int64_t *field = (int64_t *)((char *)&armed->args + numbers[i].offset);
        const struct json *value = json_get(body, numbers[i].key);
        if (value == NULL)
            continue;
        if ((rows[armed->fault].takes & numbers[i].bit) == 0)
            return "This fault does not take one of the numbers given";
        if (!json_int(value, field) || *field < numbers[i].min || *field > numbers[i].max)
            return numbers[i].problem;
    }
    return NULL;
}

static const char *read_count(const struct json *body, struct armed *armed)
{
    const struct json *count = json_get(body, "count");
    bool timed = armed->fault == FAULT_READBACK_404 && armed->args.ms > 0;
    armed->left = timed ? COUNT_MAX : 1;
    armed->until_ms = timed ? clock_mono_ms() + armed->args.ms : 0;
    if (count != NULL &&
        (!json_int(count, &armed->left) || armed->left < 1 || armed->left > COUNT_MAX))
        return "count must be a whole number from 1 to 1000000";
    return NULL;
}

static const char *read_currency(const struct json *body, struct armed *armed)
{
    const struct json *currency = json_get(body, "currency");
    if (currency == NULL)
        return NULL;
    if ((rows[armed->fault].takes & ARG_CURRENCY) == 0)
        return "This fault does not take a currency";
    if (currency->type != JSON_STRING || currency->len != 3 ||
        strspn(currency->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
        return "currency must be three capital letters";
    memcpy(armed->args.currency, currency->text, sizeof armed->args.currency);
    return NULL;
}

/* "call" narrows a fault of any call to one kind of call; "order_id" to one payment. */
static const char *read_scope(const struct json *body, struct armed *armed)
{
    const struct json *call = json_get(body, "call"), *order = json_get(body, "order_id");
    if (call != NULL) {
        const char *word = call->type == JSON_STRING ? call->text : "";
        unsigned event = strcmp(word, "create") == 0 ? EVENT_CREATE
                         : strcmp(word, "read") == 0 ? EVENT_READ
                                                     : 0;
        armed->events &= event;
        if (armed->events == 0)
            return "call must be create or read, and the fault must apply to it";
    }
    if (order != NULL && (order->type != JSON_STRING || order->len == 0 ||
                          !text_copy(armed->order_id, sizeof armed->order_id, order->text)))
        return "order_id must be a text of 1 to 255 bytes";
    return NULL;
}

static const char *check_keys(const struct json *body)
{
    static const char *const keys[] = {"provider", "fault",    "count",       "ms",
                                       "status",   "delta",    "retry_after", "call",
                                       "copies",   "currency", "order_id",    "code"};
    for (const struct json *member = body->child; member != NULL; member = member->next) {
        size_t i = 0;
        while (i < sizeof keys / sizeof keys[0] && strcmp(member->key, keys[i]) != 0)
            i++;
        if (i == sizeof keys / sizeof keys[0])
            return "Unknown member: provider, fault, count, ms, status, retry_after, delta, "
                   "copies, currency, code, call and order_id are known";
    }
    return NULL;
}

static const char *read_body(const struct json *body, struct armed *armed)
{
    const char *problem = check_keys(body);
    if (problem == NULL)
        problem = read_numbers(body, armed);
    if (problem == NULL)
        problem = read_count(body, armed);
    if (problem == NULL)
        problem = read_currency(body, armed);
    return problem != NULL ? problem : read_scope(body, armed);
}

/* Some are about what not every provider has: those that have it say so in their rows. */
static bool happens_at(const struct provider *provider, enum fault fault)
{
    static const unsigned own =
        FAULT_BIT(FAULT_ERROR_CODE) | FAULT_BIT(FAULT_PAYMENT_ERROR) | FAULT_BIT(FAULT_REFUND_HELD);
    if (fault == FAULT_BAD_SIGNATURE)
        return !provider->thin;
    return (FAULT_BIT(fault) & own & ~provider->faults) == 0;
}

const char *fault_arm(const struct provider *provider, enum fault fault, const struct json *body)
{
    struct armed armed = {
        .provider = provider,
        .fault = fault,
        .events = rows[fault].events & (provider == &hooks_receiver ? EVENT_HOOK : ~EVENT_HOOK),
        .args = {.ms = rows[fault].ms,
                 .status = 500,
                 .code = 50006,
                 .retry_after = 60,
                 .delta = -1,
                 .copies = 20},
    };
    const char *problem = armed.events == 0 || !happens_at(provider, fault)
                              ? "This fault cannot happen there"
                              : read_body(body, &armed);
    if (problem != NULL)
        return problem;
    (void)pthread_mutex_lock(&arms.mutex);
    if (arms.count < ARMED_MAX)
        arms.list[arms.count++] = armed;
    else
        problem = "Too many faults are armed: reset them first";
    (void)pthread_mutex_unlock(&arms.mutex);
    return problem;
}

static void remove_at(size_t i)
{
    arms.count--;
    memmove(&arms.list[i], &arms.list[i + 1], (arms.count - i) * sizeof arms.list[0]);
}

static void remove_ended(void)
{
    int64_t now = clock_mono_ms();
    for (size_t i = arms.count; i-- > 0;)
        if (arms.list[i].until_ms != 0 && arms.list[i].until_ms <= now)
            remove_at(i);
}

static bool fits(const struct armed *armed, const struct provider *provider, enum fault fault,
                 enum fault_event event, const char *order_id)
{
    return armed->provider == provider && armed->fault == fault &&
           (armed->events & (unsigned)event) != 0 &&
           (armed->order_id[0] == '\0' || strcmp(armed->order_id, order_id) == 0);
}

/* Under the lock. NULL: none. */
static struct armed *find(const struct provider *provider, enum fault fault, enum fault_event event,
                          const char *order_id)
{
    remove_ended();
    for (size_t i = 0; i < arms.count; i++)
        if (fits(&arms.list[i], provider, fault, event, order_id))
            return &arms.list[i];
    return NULL;
}

bool fault_take(const struct provider *provider, enum fault fault, enum fault_event event,
                const char *order_id, struct fault_args *ret_args)
{
    (void)pthread_mutex_lock(&arms.mutex);
    struct armed *armed = find(provider, fault, event, order_id);
    if (armed != NULL) {
        *ret_args = armed->args;
        if (--armed->left == 0)
            remove_at((size_t)(armed - arms.list));
    }
    (void)pthread_mutex_unlock(&arms.mutex);
    return armed != NULL;
}

bool fault_is_armed(const struct provider *provider, enum fault fault, const char *order_id)
{
    (void)pthread_mutex_lock(&arms.mutex);
    bool found = find(provider, fault, EVENT_WEBHOOK, order_id) != NULL;
    (void)pthread_mutex_unlock(&arms.mutex);
    return found;
}

void fault_reset(void)
{
    (void)pthread_mutex_lock(&arms.mutex);
    arms.count = 0;
    (void)pthread_mutex_unlock(&arms.mutex);
}

static void write_armed(struct json_out *out, const struct armed *armed)
{
    json_out_object(out, NULL);
    json_out_text(out, "provider", armed->provider->name);
    json_out_text(out, "fault", rows[armed->fault].name);
    json_out_int(out, "left", armed->left);
    if (armed->until_ms != 0)
        json_out_int(out, "ends_in_ms", clock_left_ms(armed->until_ms));
    if (armed->order_id[0] != '\0')
        json_out_text(out, "order_id", armed->order_id);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if ((rows[armed->fault].takes & numbers[i].bit) != 0)
            json_out_int(out, numbers[i].key,
                         *(const int64_t *)((const char *)&armed->args + numbers[i].offset));
    json_out_close_object(out);
}

void fault_write(struct json_out *out)
{
    json_out_array(out, "armed");
    (void)pthread_mutex_lock(&arms.mutex);
    remove_ended();
    for (size_t i = 0; i < arms.count; i++)
        write_armed(out, &arms.list[i]);
    (void)pthread_mutex_unlock(&arms.mutex);
    json_out_close_array(out);
    json_out_object(out, "faults");
    for (size_t i = 0; i < FAULT_COUNT; i++)
        json_out_text(out, fault_name((enum fault)i), fault_about((enum fault)i));
    json_out_close_object(out);
}
