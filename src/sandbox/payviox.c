/* Payviox' API: who may call, which path does what, and how the armed faults change it.
 * Amounts are cents. Reading a payment tells the gross amount: what the payer paid, with fees. */
#include "sandbox/payviox.h"

#include "sandbox/answer.h"
#include "sandbox/api.h"
#include "sandbox/settings.h"
#include "sandbox/text.h"

#include "base/crypt.h"
#include "base/log.h"

#include <string.h>
#include <strings.h>

enum { SESSION_ID_LEN = 32 };

/* One call of the API while it is served. */
struct call {
    const struct http_request *request;
    struct http_response *response;
    struct arena *arena;
    struct api_call api;
    const struct json *root; /* the body; NULL: none, or no JSON */
    const char *session_id;  /* of the path; "" in others */
    struct session session;  /* what is read, or was created */
    bool by_secret;          /* it came with the secret key */
};

static void answer_rate_limited(struct call *call, int64_t seconds)
{
    struct buf text;
    struct json_out *out = answer_json(call->arena, call->response, 429);
    if (out == NULL)
        return;
    json_out_text(out, "error", "rate_limit_exceeded");
    json_out_text(out, "message", "Too many session requests");
    json_out_text(out, "type", "ip");
    json_out_int(out, "retry_after", seconds);
    answer_json_end(call->response, out);
    buf_init(&text, call->arena, 32);
    buf_printf(&text, "%lld", (long long)seconds);
    http_header_set(call->response, "Retry-After", buf_text(&text));
}

/* Faults that come instead of the work. True when the answer is made. */
static bool fails_before(struct call *call)
{
    struct fault_args args;
    if (api_fails_before(&call->api))
        return true;
    if (api_takes(&call->api, FAULT_RATE_LIMITED, &args))
        answer_rate_limited(call, args.retry_after);
    else if (api_takes(&call->api, FAULT_UNAUTHORIZED, &args))
        answer_error(call->response, 401, "Unauthorized");
    else if (api_takes(&call->api, FAULT_REFUSED, &args))
        answer_error(call->response, 400, PAYVIOX_NO_METHOD);
    else
        return false;
    return true;
}

static const char garbage[] =
    "{\"session_id\":\"a1b2c3<!DOCTYPE html>\n<html><head><title>502 Bad "
    "Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n";

static bool key_matches(const struct secret *key, const char *given)
{
    const char *own = secret_reveal(key);
    return strlen(own) == strlen(given) && crypt_equal(own, given, strlen(own));
}

/* secret_only: the public key does not open it. */
static bool authorized(struct call *call, bool secret_only)
{
    const struct payviox_settings *settings = &sandbox_settings()->payviox;
    const char *header = NULL;
    if (http_header_get(call->request, "HTTP_AUTHORIZATION", &header) != ERR_NONE)
        header = NULL;
    if (header != NULL && strncasecmp(header, "Bearer ", 7) == 0) {
        call->by_secret = key_matches(&settings->secret_key, header + 7);
        if (call->by_secret || (!secret_only && key_matches(&settings->public_key, header + 7)))
            return true;
    }
    answer_error(call->response, 401, "Unauthorized");
    return false;
}

/* 32 characters of a-z and 0-9. */
static void make_session_id(char ret_id[SESSION_ID_MAX])
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    unsigned char random[SESSION_ID_LEN];
    crypt_random(random, sizeof random);
    for (int i = 0; i < SESSION_ID_LEN; i++)
        ret_id[i] = alphabet[random[i] % 36];
    ret_id[SESSION_ID_LEN] = '\0';
}

static void write_redirect_url(struct call *call, struct json_out *out)
{
    const struct session *session = &call->session;
    struct buf url;
    if (session->method == NULL || !payviox_method_find(session->method)->redirects)
        return;
    buf_init(&url, call->arena, 1024);
    buf_printf(&url, "%s/payviox/redirect/%s/%s", sandbox_settings()->public_url, session->method,
               session->id);
    json_out_text(out, "redirect_url", buf_text(&url));
}

static void answer_created(struct call *call)
{
    struct fault_args args;
    struct json_out *out = answer_json(call->arena, call->response, 201);
    if (out == NULL)
        return;
    json_out_text(out, "session_id", call->session.id);
    if (api_takes(&call->api, FAULT_PAYMENT_ERROR, &args)) {
        json_out_object(out, "payment_error");
        json_out_bool(out, "success", false);
        json_out_text(out, "message", "Payment creation failed");
        json_out_text(out, "error_type", "http_error");
        json_out_close_object(out);
    } else {
        write_redirect_url(call, out);
    }
    answer_json_end(call->response, out);
}

/* The payer is faster than our answer. */
static void pay_before_answer(struct call *call)
{
    struct card card = {"visa", "4242", "12", "2030", CARD_PAYS};
    struct session_attempt attempt = payviox_attempt(
        &call->session, payviox_method_of(&call->session), &card, "127.0.0.1", "Guichet-Sandbox");
    enum err err =
        provider_move_and_wait(call->arena, &call->session, MOVE_PAY, &attempt, &call->session);
    if (err)
        LOG(LOG_ERROR, "session not paid before the answer", LOG_TEXT("session", call->session.id));
}

static void create(struct call *call)
{
    struct fault_args args;
    struct session draft;
    if (!authorized(call, false) ||
        !payviox_check(call->request, call->root, call->by_secret, &draft, call->response))
        return;
    make_session_id(draft.id);
    if (session_create(&draft, &call->session) != ERR_NONE) {
        struct json_out *out = answer_json(call->arena, call->response, 400);
        if (out == NULL)
            return;
        json_out_array(out, "order_id");
        json_out_text(out, NULL, "The order id has already been taken.");
        json_out_close_array(out);
        answer_json_end(call->response, out);
        return;
    }
    (void)text_copy(call->api.entry.session_id, sizeof call->api.entry.session_id,
                    call->session.id);
    if (api_takes(&call->api, FAULT_WEBHOOK_BEFORE_ANSWER, &args))
        pay_before_answer(call);
    answer_created(call);
    api_fails_after(&call->api, garbage);
}

/* The documented words have none for a refund and none for a crypto payment that is short: the
 * payment itself stays succeeded, or is still processing. */
static const char *status_word(enum session_status status)
{
    switch (status) {
    case SESSION_NEW:
    case SESSION_OPENED: /* this and what else Payviox has not */
    case SESSION_WITHHELD:
    case SESSION_CHARGED_BACK:
    case SESSION_STATUSES:
        return NULL;
    case SESSION_CHALLENGED:
    case SESSION_INCOMPLETE:
        return "processing";
    case SESSION_FAILED:
        return "failed";
    case SESSION_IN_REVIEW:
        return "pending_review";
    case SESSION_SUCCEEDED:
    case SESSION_REFUNDED:
        return "succeeded";
    case SESSION_DECLINED:
        return "declined";
    case SESSION_EXPIRED:
        return "expired";
    }
    return NULL;
}

static void write_copy(struct json_out *out, const struct json *body, const char *key)
{
    const struct json *value = json_get(body, key);
    if (value == NULL)
        json_out_text(out, key, NULL);
    else
        json_out_value(out, key, value);
}

static void write_time(struct call *call, struct json_out *out, const char *key, int64_t time_ms)
{
    struct buf text;
    buf_init(&text, call->arena, 64);
    buf_time(&text, time_ms);
    json_out_text(out, key, buf_text(&text));
}

static void write_payment_details(struct json_out *out, const struct session_attempt *attempt,
                                  const struct payviox_method *method)
{
    json_out_object(out, "payment_details");
    json_out_text(out, "type", method->kind);
    if (attempt->last4[0] != '\0') {
        json_out_object(out, "card");
        json_out_text(out, "brand", attempt->brand);
        json_out_text(out, "last4", attempt->last4);
        json_out_text(out, "exp_month", attempt->exp_month);
        json_out_text(out, "exp_year", attempt->exp_year);
        json_out_text(out, "country", "FR");
        json_out_close_object(out);
    }
    json_out_close_object(out);
}

/* What a payment that was never tried, or not yet completed, leaves out. */
struct view {
    const char *status;
    bool tried, completed;
};

static struct view view_of(struct call *call)
{
    struct fault_args args;
    const struct session *session = &call->session;
    struct view view = {.status = status_word(session->status)};
    view.tried = session->attempt.method != NULL;
    view.completed = session->status == SESSION_IN_REVIEW || session->status == SESSION_SUCCEEDED ||
                     session->status == SESSION_DECLINED || session->status == SESSION_REFUNDED;
    if (view.tried && api_takes(&call->api, FAULT_READBACK_PENDING, &args))
        view = (struct view){"pending", true, false};
    return view;
}

static void write_amounts(struct json_out *out, const struct session *session,
                          const struct view *view)
{
    int64_t fees = view->completed ? session->attempt.fees : 0;
    json_out_int(out, "amount", session->amount + fees);
    if (view->completed) {
        json_out_int(out, "fees", fees);
        json_out_int(out, "net_amount", session->amount);
    } else {
        json_out_text(out, "fees", NULL);
        json_out_text(out, "net_amount", NULL);
    }
    json_out_text(out, "currency", session->currency);
}

static void write_payer(struct json_out *out, const struct session *session,
                        const struct json *body, const struct view *view)
{
    const struct session_attempt *attempt = &session->attempt;
    if (view->completed) {
        payviox_customer_write(out, "customer_details", body);
        write_payment_details(out, attempt, payviox_method_of(session));
    } else {
        json_out_text(out, "customer_details", NULL);
        json_out_text(out, "payment_details", NULL);
    }
    json_out_text(out, "ip", view->tried ? attempt->ip : NULL);
    json_out_text(out, "country", view->tried ? "FR" : NULL);
    json_out_text(out, "user_agent", view->tried ? attempt->agent : NULL);
}

static void answer_payment(struct call *call, const struct json *body)
{
    const struct session *session = &call->session;
    struct view view = view_of(call);
    struct json_out *out = answer_json(call->arena, call->response, 200);
    if (out == NULL)
        return;
    json_out_text(out, "session_id", session->id);
    json_out_text(out, "status", view.status);
    write_amounts(out, session, &view);
    json_out_text(out, "order_id", session->order_id);
    write_copy(out, body, "customer");
    write_copy(out, body, "description");
    write_copy(out, body, "items");
    write_copy(out, body, "metadata");
    json_out_text(out, "payment_method", view.tried ? session->attempt.method : NULL);
    json_out_text(out, "provider", view.tried ? payviox_method_of(session)->provider : NULL);
    write_time(call, out, "created_at", session->created_ms);
    write_payer(out, session, body, &view);
    answer_json_end(call->response, out);
}

static void read_payment(struct call *call)
{
    struct fault_args args;
    struct json *body;
    if (!authorized(call, true))
        return;
    if (call->session.provider == NULL || api_takes(&call->api, FAULT_READBACK_404, &args)) {
        answer_error(call->response, 404, "Payment not found");
        return;
    }
    if (json_parse(call->arena, call->session.body, call->session.body_len, &body) != ERR_NONE) {
        answer_error(call->response, 500, "Server Error");
        return;
    }
    answer_payment(call, body);
    api_fails_after(&call->api, garbage);
}

static void read_methods(struct call *call)
{
    if (!authorized(call, false))
        return;
    payviox_methods_answer(call->request, call->response);
    api_fails_after(&call->api, garbage);
}

static void read_balance(struct call *call)
{
    struct session_totals totals;
    if (!authorized(call, true))
        return;
    session_totals(&totals);
    struct json_out *out = answer_json(call->arena, call->response, 200);
    if (out == NULL)
        return;
    json_out_int(out, "balance", totals.paid);
    json_out_int(out, "payout_balance", 0);
    answer_json_end(call->response, out);
    api_fails_after(&call->api, garbage);
}

/* One call of the API is one row. */
static const struct {
    const char *method, *path;
    bool has_id; /* a session id follows the path */
    enum fault_event event;
    void (*serve)(struct call *call);
} routes[] = {
    {"POST", "/session", false, EVENT_CREATE, create},
    {"GET", "/payments/methods", false, EVENT_READ, read_methods},
    {"GET", "/payment/", true, EVENT_READ, read_payment},
    {"GET", "/balance", false, EVENT_READ, read_balance},
};

static struct call call_new(const struct http_request *request, const char *path,
                            const char *session_id, enum fault_event event,
                            struct http_response *response)
{
    struct json *root = NULL;
    struct call call = {.request = request,
                        .response = response,
                        .arena = request->arena,
                        .api = {.provider = &payviox, .response = response, .event = event},
                        .session_id = session_id};
    if (json_parse(request->arena, request->body, request->body_len, &root) == ERR_NONE)
        call.root = root;
    if (session_by_id(&payviox, session_id, &call.session) != ERR_NONE)
        call.session.provider = NULL;
    const char *order = call.session.provider != NULL ? call.session.order_id
                                                      : json_get_text(call.root, "order_id");
    api_begin(&call.api, request, path, session_id, order == NULL ? "" : order);
    return call;
}

/* True when the path was one of the API's. */
static bool serve_api(const struct http_request *request, const char *path,
                      struct http_response *response)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        size_t len = strlen(routes[i].path);
        if (strncmp(path, routes[i].path, len) != 0 || (!routes[i].has_id && path[len] != '\0'))
            continue;
        struct call call =
            call_new(request, path, routes[i].has_id ? path + len : "", routes[i].event, response);
        if (strcmp(request->method, routes[i].method) != 0)
            answer_method(response, routes[i].method);
        else if (!fails_before(&call))
            routes[i].serve(&call);
        api_end(&call.api);
        return true;
    }
    return false;
}

/* /redirect/{method}/{session_id} */
static void serve_redirect(const struct http_request *request, const char *rest,
                           struct http_response *response)
{
    const char *slash = strchr(rest, '/');
    const char *id =
        slash == NULL ? NULL : arena_strndup(request->arena, rest, (size_t)(slash - rest));
    const struct payviox_method *method = id == NULL ? NULL : payviox_method_find(id);
    if (method == NULL || !method->redirects)
        answer_error(response, 404, "Not found");
    else
        payviox_page(request, slash + 1, method, response);
}

static void handle(const struct http_request *request, const char *path,
                   struct http_response *response)
{
    if (serve_api(request, path, response))
        return;
    if (strncmp(path, "/secure/", 8) == 0)
        payviox_page(request, path + 8, NULL, response);
    else if (strncmp(path, "/redirect/", 10) == 0)
        serve_redirect(request, path + 10, response);
    else
        answer_error(response, 404, "Not found");
}

const struct provider payviox = {
    .name = "payviox",
    .faults = FAULT_BIT(FAULT_PAYMENT_ERROR),
    .handle = handle,
    .notice_type = payviox_notice_type,
    .notice_write = payviox_notice_write,
    .pay = payviox_pay,
};
