/* The array of drivers and the wrapper that carries their bytes. */
#include "provider/provider.h"

#include "base/buf.h"
#include "provider/payviox.h"

#include <stdio.h>
#include <string.h>

static const struct provider_driver *const drivers[] = {
    &payviox_driver,
};

const struct provider_driver *provider_find(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++)
        if (strcmp(drivers[i]->name, name) == 0)
            return drivers[i]->configured(settings) ? drivers[i] : NULL;
    return NULL;
}

const struct provider_driver *provider_find_open(const struct settings *settings, const char *name)
{
    const struct provider_driver *driver = provider_find(settings, name);
    return driver != NULL && driver->enabled(settings) ? driver : NULL;
}

void provider_quote(char *to, size_t size, const char *from)
{
    size_t len = 0;
    for (; from[len] != '\0' && len + 1 < size; len++)
        to[len] = from[len] >= ' ' && from[len] <= '~' ? from[len] : '?';
    to[len] = '\0';
}

void provider_create(const struct provider_driver *driver, const struct settings *settings,
                     struct httpc *client, struct arena *arena, int64_t deadline_ms,
                     const struct provider_order *order, struct provider_result *ret_result)
{
    struct httpc_request request = {0};
    struct httpc_answer answer;
    *ret_result = (struct provider_result){0};
    if (driver->create(settings, arena, order, &request) != ERR_NONE) {
        ret_result->outcome = OUTCOME_NOT_SENT;
        provider_quote(ret_result->reason, REASON_MAX, "the request does not fit in memory");
        return;
    }
    request.deadline_ms = deadline_ms;
    httpc_call(client, arena, &request, &answer);
    provider_quote(ret_result->reason, REASON_MAX, answer.problem);
    switch (answer.result) {
    case HTTPC_NOT_SENT:
        ret_result->outcome = OUTCOME_NOT_SENT;
        return;
    case HTTPC_UNKNOWN:
        ret_result->outcome = OUTCOME_UNKNOWN;
        return;
    case HTTPC_ANSWERED:
        ret_result->http_status = answer.status;
        ret_result->retry_after_s = answer.retry_after_s;
        driver->created(settings, arena, &answer, ret_result);
        return;
    }
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
    httpc_call(client, arena, &request, &answer);
    if (answer.result != HTTPC_ANSWERED)
        return READING_FAILED;
    return driver->readback(arena, order, &answer, ret_truth);
}
