/* The array of drivers and the wrapper that carries their bytes. */
#include "provider/provider.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypt.h"
#include "provider/bearer.h"
#include "provider/mangopay.h"
#include "provider/mannco.h"
#include "provider/nonstopay.h"
#include "provider/payviox.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct provider_driver *const drivers[] = {
    &payviox_driver,
    &nonstopay_driver,
    &mangopay_driver,
    &mannco_driver,
};

_Static_assert(sizeof drivers / sizeof drivers[0] <= PROVIDERS_MAX, "a place for each");

static const struct provider_driver *find_driver(const char *name)
{
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++)
        if (strcmp(drivers[i]->name, name) == 0)
            return drivers[i];
    return NULL;
}

bool provider_is_known(const char *name)
{
    return find_driver(name) != NULL;
}

const struct provider_driver *provider_find(const struct settings *settings, const char *name)
{
    const struct provider_driver *driver = find_driver(name);
    return driver != NULL && driver->configured(settings) ? driver : NULL;
}

const struct provider_driver *provider_find_open(const struct settings *settings, const char *name)
{
    const struct provider_driver *driver = provider_find(settings, name);
    return driver != NULL && driver->terms(settings)->enabled ? driver : NULL;
}

const struct provider_driver *provider_at(size_t index)
{
    return index < sizeof drivers / sizeof drivers[0] ? drivers[index] : NULL;
}

/* The index-th name of a list separated by spaces; false after the last. */
static bool read_name(const char *list, size_t index, char ret_name[PROVIDER_NAME_MAX])
{
    for (;; index--) {
        list += strspn(list, " ");
        size_t len = strcspn(list, " ");
        if (len == 0)
            return false;
        (void)snprintf(ret_name, PROVIDER_NAME_MAX, "%.*s", (int)len, list);
        if (index == 0)
            return true;
        list += len;
    }
}

const struct provider_driver *provider_partner(const struct settings *settings, size_t index)
{
    char name[PROVIDER_NAME_MAX];
    for (size_t i = 0; read_name(settings->mannco.partners, i, name); i++) {
        const struct provider_driver *driver = provider_find_open(settings, name);
        if (driver != NULL && !driver->from_balance && index-- == 0)
            return driver;
    }
    return NULL;
}

static bool is_among(const struct provider_driver *driver,
                     const struct provider_driver *const *list, size_t count)
{
    while (count > 0 && list[count - 1] != driver)
        count--;
    return count > 0;
}

enum err provider_route(const struct settings *settings, const struct provider_driver *asked,
                        const struct money *amount, const char *method, size_t max,
                        const struct provider_driver **ret_drivers, size_t *ret_count)
{
    const struct provider_driver *driver;
    bool has_currency = false;
    ret_drivers[0] = asked;
    *ret_count = 1;
    if (!asked->from_balance)
        return ERR_NONE;
    *ret_count = 0;
    for (size_t i = 0; (driver = provider_partner(settings, i)) != NULL && *ret_count < max; i++) {
        if (conf_limits_find(&driver->terms(settings)->deposits, money_currency(amount)) == NULL)
            continue;
        has_currency = true;
        if (provider_has_method(driver, method) && !is_among(driver, ret_drivers, *ret_count))
            ret_drivers[(*ret_count)++] = driver;
    }
    if (*ret_count > 0)
        return ERR_NONE;
    return has_currency ? ERR_METHOD_OF_PAYMENT : ERR_PROVIDER_UNAVAILABLE;
}

static const struct provider_method *find_method(const struct provider_driver *driver,
                                                 const char *name)
{
    const struct provider_method *method = driver->methods;
    while (method->name != NULL && strcmp(method->name, name) != 0)
        method++;
    return method;
}

const char *provider_method_id(const struct provider_driver *driver, const char *name)
{
    const struct provider_method *method = find_method(driver, name);
    return method->name == NULL ? name : method->id;
}

bool provider_has_method(const struct provider_driver *driver, const char *name)
{
    return name[0] == '\0' || find_method(driver, name)->name != NULL;
}

void provider_quote(char *to, size_t size, const char *from)
{
    size_t len = 0;
    for (; from[len] != '\0' && len + 1 < size; len++)
        to[len] = from[len] >= ' ' && from[len] <= '~' ? from[len] : '?';
    to[len] = '\0';
}

bool provider_lists(const char *list, const char *word)
{
    size_t len = strcspn(word, " "); /* with a space it is no word */
    for (; len > 0 && word[len] == '\0' && *list != '\0';
         list += strcspn(list, " "), list += strspn(list, " "))
        if (strncmp(list, word, len) == 0 && (list[len] == ' ' || list[len] == '\0'))
            return true;
    return false;
}

bool provider_may_call(const char *addresses, const struct http_request *request)
{
    return addresses[0] == '\0' || provider_lists(addresses, request->client_ip);
}

bool provider_is_id(const char *text, size_t max)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return len > 0 && len <= max && text[len] == '\0';
}

bool provider_is_line(const char *text, size_t max)
{
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    return utf8_length(text) <= max;
}

bool provider_is_refusal(int status)
{
    return status == 400 || status == 401 || status == 403 || status == 404 || status == 405 ||
           status == 413 || status == 415 || status == 422;
}

bool provider_is_payer_url(const char *text)
{
    size_t len = strlen(text);
    if (strncmp(text, "https://", 8) != 0 || len == 8 || len >= URL_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~' || strchr("\"<>\\`{}|^", text[i]) != NULL)
            return false;
    return true;
}

enum err provider_check(const struct provider_driver *driver, const struct settings *settings,
                        const struct provider_order *order)
{
    if (driver->check != NULL)
        return driver->check(settings, order);
    return order->card != NULL ? ERR_CARD : ERR_NONE;
}

/* The token becomes the last header. */
static enum err add_token(struct arena *arena, const char *token, size_t place,
                          struct httpc_request *request)
{
    struct buf header;
    buf_init(&header, arena, PROVIDER_TOKEN_MAX + 32);
    buf_printf(&header, "Authorization: Bearer %s", token);
    request->headers[place] = buf_text(&header);
    return buf_ok(&header) ? ERR_NONE : ERR_OVERLOAD;
}

/* A refused token is renewed once: whoever refuses it has done nothing else. */
static void call_with_token(const struct provider_driver *driver, const struct settings *settings,
                            struct httpc *client, struct arena *arena,
                            struct httpc_request *request, struct httpc_answer *ret_answer)
{
    char token[PROVIDER_TOKEN_MAX];
    size_t place = 0;
    while (request->headers[place] != NULL)
        place++;
    assert(place < HTTPC_HEADERS_MAX);
    for (int tries = 0; tries < 2; tries++) {
        if (!bearer_get(driver, settings, client, arena, request->deadline_ms,
                        tries == 0 ? NULL : token, token, ret_answer))
            break;
        if (add_token(arena, token, place, request) != ERR_NONE) {
            *ret_answer = (struct httpc_answer){.body = "", .kept = "", .problem = "no memory"};
            ret_answer->result = HTTPC_NOT_SENT;
            break;
        }
        httpc_call(client, arena, request, ret_answer);
        if (ret_answer->result != HTTPC_ANSWERED || ret_answer->status != 401)
            break;
    }
    crypt_wipe(token, sizeof token);
}

void provider_call(const struct provider_driver *driver, const struct settings *settings,
                   struct httpc *client, struct arena *arena, struct httpc_request *request,
                   struct httpc_answer *ret_answer)
{
    if (driver->token == NULL)
        httpc_call(client, arena, request, ret_answer);
    else
        call_with_token(driver, settings, client, arena, request, ret_answer);
}

void provider_recover(const struct provider_driver *driver, const struct settings *settings,
                      struct httpc *client, struct arena *arena, int64_t deadline_ms,
                      const struct provider_order *order, struct provider_result *ret_result)
{
    struct httpc_request request = {0};
    struct httpc_answer answer;
    *ret_result = (struct provider_result){.outcome = OUTCOME_UNKNOWN, .called = true};
    if (driver->recover == NULL || driver->recover(settings, arena, order, &request) != ERR_NONE)
        return;
    request.deadline_ms = deadline_ms;
    provider_call(driver, settings, client, arena, &request, &answer);
    provider_quote(ret_result->reason, REASON_MAX, answer.problem);
    if (answer.result != HTTPC_ANSWERED)
        return;
    ret_result->http_status = answer.status;
    driver->recovered(settings, arena, &answer, ret_result);
}

/* What is to be said of a call before its driver reads the answer. False: there is none to read. */
static bool begin_result(const struct httpc_answer *answer, struct provider_result *ret_result)
{
    bool answered = answer->result == HTTPC_ANSWERED, unsent = answer->result == HTTPC_NOT_SENT;
    ret_result->called = true;
    ret_result->outcome = unsent ? OUTCOME_NOT_SENT : OUTCOME_UNKNOWN;
    provider_quote(ret_result->reason, REASON_MAX, answer->problem);
    if (unsent && provider_is_refusal(answer->status)) /* of the token: it is our settings' fault */
        ret_result->trip_s = PROVIDER_TRIP_S;
    if (answered) {
        ret_result->http_status = answer->status;
        ret_result->retry_after_s = answer->retry_after_s;
    }
    return answered;
}

void provider_create(const struct provider_driver *driver, const struct settings *settings,
                     struct httpc *client, struct arena *arena, int64_t deadline_ms,
                     const struct provider_order *order, struct provider_result *ret_result)
{
    struct httpc_request request = {0};
    struct httpc_answer answer;
    struct provider_result kept;
    *ret_result = (struct provider_result){0};
    if (driver->create(settings, arena, order, &request) != ERR_NONE) {
        ret_result->outcome = OUTCOME_NOT_SENT;
        provider_quote(ret_result->reason, REASON_MAX, "the request does not fit in memory");
        return;
    }
    request.deadline_ms = deadline_ms;
    provider_call(driver, settings, client, arena, &request, &answer);
    if (begin_result(&answer, ret_result))
        driver->created(settings, arena, &answer, ret_result);
    if (ret_result->outcome != OUTCOME_UNKNOWN || driver->recover == NULL ||
        (deadline_ms != 0 && clock_left_ms(deadline_ms) == 0))
        return;
    provider_recover(driver, settings, client, arena, deadline_ms, order, &kept);
    if (kept.outcome != OUTCOME_UNKNOWN)
        *ret_result = kept;
}

void provider_give_back(const struct provider_driver *driver, const struct settings *settings,
                        struct httpc *client, struct arena *arena, int64_t deadline_ms,
                        const struct provider_order *order, const struct provider_refund *refund,
                        struct provider_result *ret_result)
{
    struct httpc_request request = {0};
    struct httpc_answer answer;
    struct provider_truth payment;
    struct provider_result kept;
    struct provider_order keyed = *order;
    *ret_result = (struct provider_result){.outcome = OUTCOME_NOT_SENT};
    provider_quote(ret_result->reason, REASON_MAX, "the payment could not be read");
    if (provider_read(driver, settings, client, arena, deadline_ms, order, &payment) !=
            READING_TRUTH ||
        driver->refund(settings, arena, order, refund, &payment, &request) != ERR_NONE)
        return;
    request.deadline_ms = deadline_ms;
    provider_call(driver, settings, client, arena, &request, &answer);
    if (begin_result(&answer, ret_result))
        driver->refunded(settings, arena, &answer, ret_result);
    if (ret_result->outcome != OUTCOME_UNKNOWN || driver->recover == NULL)
        return;
    keyed.reference = refund->id;
    provider_recover(driver, settings, client, arena, deadline_ms, &keyed, &kept);
    if (kept.outcome != OUTCOME_UNKNOWN)
        *ret_result = kept;
}

/* Nothing depends on it. */
static void ask_for_card(const struct provider_driver *driver, const struct settings *settings,
                         struct httpc *client, struct arena *arena, int64_t deadline_ms,
                         const struct provider_order *order, struct provider_truth *truth)
{
    struct httpc_request request = {0};
    struct httpc_answer answer;
    if (driver->card(settings, arena, order, &request) != ERR_NONE)
        return;
    request.deadline_ms = deadline_ms;
    provider_call(driver, settings, client, arena, &request, &answer);
    if (answer.result == HTTPC_ANSWERED)
        driver->card_read(arena, &answer, truth);
}

enum provider_reading provider_read(const struct provider_driver *driver,
                                    const struct settings *settings, struct httpc *client,
                                    struct arena *arena, int64_t deadline_ms,
                                    const struct provider_order *order,
                                    struct provider_truth *ret_truth)
{
    struct httpc_request request = {0};
    struct httpc_answer answer;
    *ret_truth = (struct provider_truth){0};
    if (driver->read(settings, arena, order, &request) != ERR_NONE)
        return READING_FAILED;
    request.deadline_ms = deadline_ms;
    provider_call(driver, settings, client, arena, &request, &answer);
    if (answer.result != HTTPC_ANSWERED)
        return READING_FAILED;
    enum provider_reading reading = driver->readback(settings, arena, order, &answer, ret_truth);
    if (reading == READING_TRUTH && ret_truth->has_card && driver->card != NULL)
        ask_for_card(driver, settings, client, arena, deadline_ms, order, ret_truth);
    return reading;
}

enum err provider_notice(const struct provider_driver *driver, const struct settings *settings,
                         struct arena *arena, const char *body, size_t len,
                         struct provider_truth *ret_truth)
{
    *ret_truth = (struct provider_truth){0};
    return driver->notice(settings, arena, body, len, ret_truth);
}

/* A page with its parsed rows is large: each has the memory to itself. */
static enum provider_reading search_page(const struct provider_driver *driver,
                                         const struct settings *settings, struct httpc *client,
                                         struct arena *page, int64_t deadline_ms,
                                         const struct provider_order *order,
                                         struct provider_cursor *cursor,
                                         char ret_reference[PROVIDER_REFERENCE_MAX])
{
    struct httpc_request request = {0};
    struct httpc_answer answer;
    arena_reset(page);
    if (driver->search(settings, page, order, cursor, &request) != ERR_NONE)
        return READING_FAILED;
    request.deadline_ms = deadline_ms;
    provider_call(driver, settings, client, page, &request, &answer);
    if (answer.result != HTTPC_ANSWERED)
        return READING_FAILED;
    return driver->searched(settings, page, order, &answer, cursor, ret_reference);
}

enum provider_reading provider_search(const struct provider_driver *driver,
                                      const struct settings *settings, struct httpc *client,
                                      int64_t deadline_ms, const struct provider_order *order,
                                      char ret_reference[PROVIDER_REFERENCE_MAX])
{
    struct provider_cursor cursor = {.end = driver->search == NULL};
    enum provider_reading reading = READING_NOT_FOUND;
    struct arena *page = cursor.end ? NULL : arena_new(ARENA_BYTES);
    if (!cursor.end && page == NULL)
        return READING_FAILED;
    while (!cursor.end && reading == READING_NOT_FOUND)
        reading =
            search_page(driver, settings, client, page, deadline_ms, order, &cursor, ret_reference);
    arena_free(page);
    return reading;
}
