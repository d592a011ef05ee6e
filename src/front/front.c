/* The table of routes, and the walk from request to reply. Adding a route is adding a row. */
#include "front/front.h"

#include "base/clock.h"
#include "base/ident.h"
#include "base/log.h"
#include "front/api.h"
#include "front/auth.h"

#include <string.h>

/* AUTH_TOKEN: the handler looks at the user itself, before it says anything but an error of his
 * token. */
enum route_auth { AUTH_NONE, AUTH_TOKEN, AUTH_BEARER, AUTH_OPERATOR };

struct route {
    const char *method; /* "*": its handler knows */
    const char *path;   /* a * stands for one variable part */
    enum route_auth auth;
    void (*handle)(struct call *call);
};

static const struct route routes[] = {
    {"POST", "/user/login", AUTH_NONE, login_post},
    {"GET", "/user/balance", AUTH_BEARER, balance_get},
    {"GET", "/user/getBalanceHistory", AUTH_BEARER, balance_get_history},
    {"GET", "/user/getTransactionHistory", AUTH_BEARER, transactions_get_list},
    {"GET", "/user/getTransactionDetails", AUTH_BEARER, transactions_get_one},
    {"GET", "/user/notifications", AUTH_BEARER, notifications_get_unread},
    {"POST", "/user/notifications/read", AUTH_BEARER, notifications_post_read},
    {"POST", "/payment", AUTH_NONE, payment_post_nameless},
    {"POST", "/payment/", AUTH_NONE, payment_post_nameless},
    {"POST", "/payment/*", AUTH_TOKEN, payment_post},
    {"POST", "/paiement", AUTH_NONE, payment_post_nameless},
    {"POST", "/paiement/", AUTH_NONE, payment_post_nameless},
    {"POST", "/paiement/*", AUTH_TOKEN, paiement_post},
    {"GET", "/return/*", AUTH_NONE, return_get},
    {"GET", "/providers", AUTH_NONE, providers_get},
    {"POST", "/recurring", AUTH_BEARER, recurring_post},
    {"GET", "/recurring/*", AUTH_BEARER, recurring_get_one},
    {"POST", "/recurring/*", AUTH_BEARER, recurring_post_one},
    {"GET", "/payments", AUTH_BEARER, payments_get_list},
    {"GET", "/payments/*", AUTH_BEARER, payments_get_one},
    {"POST", "/payments/*/refunds", AUTH_OPERATOR, refunds_post},
    {"*", "/webhook/*", AUTH_NONE, webhook_take},
    {"GET", "/metrics", AUTH_NONE, metrics_get},
    {"GET", "/health/live", AUTH_NONE, health_get_live},
    {"GET", "/health/ready", AUTH_NONE, health_get_ready},
};

/* Is the path the route's? *ret_param points to its variable part, which may be followed by more.
 */
static bool match_path(const struct route *route, const char *path, const char **ret_param,
                       size_t *ret_len)
{
    const char *star = strchr(route->path, '*');
    size_t fixed = star == NULL ? strlen(route->path) : (size_t)(star - route->path);
    if (strncmp(route->path, path, fixed) != 0)
        return false;
    *ret_param = path + fixed;
    *ret_len = star == NULL ? 0 : strcspn(*ret_param, "/");
    return star == NULL ? path[fixed] == '\0'
                        : *ret_len > 0 && strcmp(*ret_param + *ret_len, star + 1) == 0;
}

/* nginx strips the body of an answer to HEAD, so it may be made like one to GET. */
static bool match_method(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0 || strcmp(route->method, "*") == 0 ||
           (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* ERR_METHOD: the path exists; *ret_route, for the log, is one of its rows. */
static enum err find_route(const struct http_request *request, const struct route **ret_route,
                           const char **ret_param)
{
    enum err err = ERR_NOT_FOUND;
    const char *param;
    size_t len;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!match_path(&routes[i], request->path, &param, &len))
            continue;
        *ret_route = &routes[i];
        err = ERR_METHOD;
        if (!match_method(&routes[i], request->method))
            continue;
        *ret_param = arena_strndup(request->arena, param, len);
        return *ret_param == NULL ? ERR_OVERLOAD : ERR_NONE;
    }
    return err;
}

static void log_call(const struct call *call, const struct route *route, int64_t started_us)
{
    const struct clock_meter *meter = clock_meter();
    int status = call->response->status;
    int64_t user_id = call->user.id != 0 ? call->user.id : call->claims.user_id;
    const char *cause = call->note != NULL ? call->note : "";
    if (call->note == NULL && status >= 500)
        cause = db_last_problem();
    LOG(status >= 500 ? LOG_ERROR : LOG_INFO, "request", LOG_TEXT("request", call->request->id),
        LOG_TEXT("user", user_id == 0 ? "" : ident_text(user_id).text),
        LOG_TEXT("payment", call->payment_id), LOG_TEXT("method", call->request->method),
        LOG_TEXT("route", route == NULL ? "" : route->path), LOG_NUMBER("status", status),
        LOG_TEXT("error", call->err == ERR_NONE ? "" : err_message(call->err)),
        LOG_TEXT("note", cause), LOG_NUMBER("total_ms", (clock_mono_us() - started_us) / 1000),
        LOG_NUMBER("database_ms", meter->db_us / 1000),
        LOG_NUMBER("provider_ms", meter->provider_us / 1000));
}

/* All methods of the path's rows. */
static void name_methods(struct call *call)
{
    struct buf allow;
    const char *param;
    size_t len;
    buf_init(&allow, call->request->arena, 64);
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (match_path(&routes[i], call->request->path, &param, &len))
            buf_printf(&allow, "%s%s", allow.len == 0 ? "" : ", ", routes[i].method);
    http_header_set(call->response, "Allow", buf_text(&allow));
}

static void walk(struct call *call, const struct route **ret_route)
{
    enum err err = find_route(call->request, ret_route, &call->param);
    if (err == ERR_METHOD)
        name_methods(call);
    if (!err && (*ret_route)->auth != AUTH_NONE)
        err = auth_token(call);
    if (!err && (*ret_route)->auth > AUTH_TOKEN)
        err = auth_user(call);
    if (!err && (*ret_route)->auth == AUTH_OPERATOR && !call->user.operator)
        err = ERR_FORBIDDEN;
    if (err)
        reply_error(call, err);
    else
        (*ret_route)->handle(call);
}

void front_handle(void *state, const struct http_request *request, struct http_response *response)
{
    struct call call = {.context = state, .request = request, .response = response, .param = ""};
    const struct route *route = NULL;
    int64_t started_us = clock_mono_us();
    db_forget_problem();
    db_deadline(request->deadline_ms);
    walk(&call, &route);
    log_call(&call, route, started_us);
}

void front_refuse(void *state, const struct http_request *request, enum err why,
                  struct http_response *response)
{
    struct call call = {.context = state, .request = request, .response = response, .param = ""};
    int64_t started_us = clock_mono_us();
    db_forget_problem();
    reply_error(&call, why);
    log_call(&call, NULL, started_us);
}
