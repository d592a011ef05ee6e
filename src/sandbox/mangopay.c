/* Mangopay's API: who may call, which path does what, the idempotency key, and how the armed faults
 * change it. */
#include "sandbox/mangopay.h"

#include "sandbox/answer.h"
#include "sandbox/settings.h"
#include "sandbox/text.h"

#include "base/clock.h"
#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static _Atomic int64_t ahead_ms;
static pthread_mutex_t objects = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

int64_t mango_now_ms(void)
{
    return clock_wall_ms() + ahead_ms;
}

int64_t mango_now_s(void)
{
    return mango_now_ms() / 1000;
}

void mango_advance(int64_t ms)
{
    ahead_ms += ms;
}

void mango_lock(void)
{
    (void)pthread_mutex_lock(&objects);
}

void mango_unlock(void)
{
    (void)pthread_mutex_unlock(&objects);
}

/* --- faults --- */

static void refuse_unauthorized(struct mango_call *call)
{
    mango_error(call, 401, "unauthorized", "The access token is missing, wrong or expired", NULL);
    http_header_set(call->response, "WWW-Authenticate",
                    "Bearer realm=\"Mangopay\", error=\"invalid_token\"");
}

/* Faults that come instead of the work. True when the answer is made. */
static bool fails_before(struct mango_call *call)
{
    struct fault_args args;
    if (api_fails_before(&call->api))
        return true;
    if (api_takes(&call->api, FAULT_RATE_LIMITED, &args)) {
        mango_error(call, 429, "rate_limit",
                    "Rate limit exceeded. Please contact support for more assistance", NULL);
        call->limited_s = args.retry_after;
    } else if (api_takes(&call->api, FAULT_UNAUTHORIZED, &args)) {
        refuse_unauthorized(call);
    } else {
        return false;
    }
    return true;
}

static const char garbage[] =
    "{\"Id\":\"wt_<!DOCTYPE html>\n<html><h1>502 Bad Gateway</h1></html>\n";

/* Pays and tells before the call is answered; what the answer says was true before. */
static void tell_first(struct mango_call *call)
{
    struct fault_args args;
    if (call->session.provider == NULL || !mango_payin_open(&call->session) ||
        strcmp(call->route->kind == NULL ? "" : call->route->kind, "payin") != 0 ||
        !api_takes(&call->api, FAULT_WEBHOOK_BEFORE_ANSWER, &args))
        return;
    enum err err = mango_payin_end(call->arena, &call->session, NULL, true, &call->session);
    if (err)
        LOG(LOG_ERROR, "payin not paid", LOG_TEXT("session", call->session.id));
}

/* --- a call --- */

/* Whether the path is the row's; its variable parts go to parts. */
static bool matches(struct arena *arena, const char *row, const char *path, const char *parts[2])
{
    size_t count = 0;
    while (*row != '\0' && *path != '\0') {
        if (*row == '*') {
            size_t len = strcspn(path, "/");
            if (len == 0 || count == 2)
                return false;
            parts[count++] = mango_print(arena, "%.*s", (int)len, path);
            row++;
            path += len;
        } else if (*row++ != *path++) {
            return false;
        }
    }
    return *row == '\0' && *path == '\0';
}

/* The row of the method and path; *ret_other: a row of another method has the path. */
static const struct mango_route *route_of(struct mango_call *call, const char **ret_other)
{
    const char *parts[2];
    for (const struct mango_route *row = mango_routes; row->method != NULL; row++) {
        parts[0] = parts[1] = "";
        if (!matches(call->arena, row->path, call->path, parts))
            continue;
        *ret_other = row->method;
        if (strcmp(row->method, call->request->method) != 0)
            continue;
        call->id = parts[0];
        call->second = parts[1];
        return row;
    }
    return NULL;
}

static void read_body(struct mango_call *call)
{
    struct json *root;
    const struct http_request *request = call->request;
    if (request->body_len > 0 &&
        json_parse(call->arena, request->body, request->body_len, &root) == ERR_NONE)
        call->body = root;
}

static void read_query(struct mango_call *call)
{
    struct http_field *query;
    const struct http_request *request = call->request;
    if (http_form_parse(call->arena, request->query, strlen(request->query), &query) == ERR_NONE)
        call->query = query;
}

static void begin_entry(struct mango_call *call)
{
    const char *order = mango_text(call->body, "Tag");
    bool named =
        call->id[0] != '\0' && session_by_id(&mangopay, call->id, &call->session) == ERR_NONE;
    if (named)
        order = call->session.order_id;
    else
        call->session.provider = NULL;
    call->api.provider = &mangopay;
    call->api.response = call->response;
    call->api.event = call->route == NULL ? EVENT_READ : call->route->event;
    api_begin(&call->api, call->request, call->path, named ? call->id : "", order);
}

static bool is_json_or_empty(const struct http_request *request)
{
    return request->body_len == 0 || strncmp(request->content_type, "application/json", 16) == 0;
}

static void serve(struct mango_call *call, const char *client, const char *other)
{
    const char *own = sandbox_settings()->mangopay.client_id;
    if (!mango_token_valid(call->request)) {
        refuse_unauthorized(call);
    } else if (strcmp(client, own) != 0) {
        mango_error(call, 403, "forbidden_ressource",
                    "You can not access to this ressource. Please contact support", NULL);
    } else if (call->route == NULL && other != NULL) {
        mango_error(call, 405, "method_not_allowed",
                    "The method is not allowed for the requested resource", NULL);
        http_header_set(call->response, "Allow", other);
    } else if (call->route == NULL) {
        mango_error(call, 404, "ressource_not_found", "The ressource does not exist", NULL);
    } else if (!is_json_or_empty(call->request)) {
        mango_error(call, 415, "unsupported_media_type", "The body must be application/json", NULL);
    } else if (mango_key_claim(call)) {
        mango_lock();
        call->route->serve(call);
        mango_unlock();
        mango_key_answered(call);
        tell_first(call);
        api_fails_after(&call->api, garbage);
    }
}

static void handle_api(const struct http_request *request, const char *path,
                       struct http_response *response)
{
    const char *rest = strchr(path, '/'), *other = NULL;
    size_t client_len = rest == NULL ? strlen(path) : (size_t)(rest - path);
    size_t len = rest == NULL ? 0 : strlen(rest);
    struct mango_call call = {
        .request = request, .response = response, .arena = request->arena, .id = "", .second = ""};
    while (len > 1 && rest[len - 1] == '/')
        len--;
    call.path = mango_print(call.arena, "%.*s", (int)len, rest == NULL ? "" : rest);
    call.route = route_of(&call, &other);
    read_body(&call);
    read_query(&call);
    begin_entry(&call);
    if (!fails_before(&call))
        serve(&call, mango_print(call.arena, "%.*s", (int)client_len, path), other);
    if (!call.api.entry.ended)
        mango_rate_headers(&call);
    api_end(&call.api);
}

static void handle_token(const struct http_request *request, const char *path,
                         struct http_response *response)
{
    struct mango_call call = {.request = request,
                              .response = response,
                              .arena = request->arena,
                              .path = path,
                              .id = "",
                              .second = ""};
    begin_entry(&call);
    if (strcmp(request->method, "POST") != 0)
        answer_method(response, "POST");
    else if (!fails_before(&call))
        mango_token_answer(request, response);
    if (!call.api.entry.ended && response->status == 200)
        api_fails_after(&call.api, garbage);
    api_end(&call.api);
}

static void handle(const struct http_request *request, const char *path,
                   struct http_response *response)
{
    if (strcmp(path, "/v2.01/oauth/token") == 0 || strcmp(path, "/v2.01/oauth/token/") == 0)
        handle_token(request, "/oauth/token", response);
    else if (strncmp(path, "/v2.01/", 7) == 0)
        handle_api(request, path + 7, response);
    else if (strcmp(path, "/webpayment/getToken") == 0)
        mango_tokenize(request, response);
    else if (strncmp(path, "/pay/", 5) == 0 || strncmp(path, "/3ds/", 5) == 0 ||
             strncmp(path, "/mandate/", 9) == 0 || strncmp(path, "/document/", 10) == 0)
        mango_page(request, path, response);
    else
        answer_error(response, 404, "Not found");
}

const struct provider mangopay = {
    .name = "mangopay",
    .faults = FAULT_BIT(FAULT_ERROR_CODE) | FAULT_BIT(FAULT_REFUND_HELD),
    .thin = true,
    .asked = true,
    .handle = handle,
    .announce = mango_announce,
    .control = mango_control,
    .sweep = mango_sweep,
    .notice_write = mango_notice_write,
    .pay = mango_pay,
};
