/* NonStopPay's API: who may call, which path does what, and how the armed faults change it. An
 * error is an errorCode with HTTP status 200, as far as anybody knows. */
#include "sandbox/nonstopay.h"

#include "sandbox/answer.h"
#include "sandbox/api.h"
#include "sandbox/settings.h"
#include "sandbox/text.h"

#include "base/crypt.h"
#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_ID = 1001 };

/* One call of the API while it is served. */
struct call {
    const struct http_request *request;
    struct http_response *response;
    struct arena *arena;
    struct api_call api;
    const struct json *root; /* the body; NULL: none that can be read */
    const char *id;          /* of the query; "" in others */
    struct session session;  /* what is read, or was created; provider is NULL when there is none */
};

/* A fault of what a read tells: of a payment that nobody has tried there is nothing to tell. */
static bool take_read(struct call *call, enum fault fault, struct fault_args *ret_args)
{
    return !session_is_untried(&call->session) && api_takes(&call->api, fault, ret_args);
}

/* Faults that come instead of the work. True when the answer is made. */
static bool fails_before(struct call *call)
{
    struct fault_args args;
    if (api_fails_before(&call->api))
        return true;
    if (api_takes(&call->api, FAULT_RATE_LIMITED, &args))
        answer_error(call->response, 429, "Too many requests");
    else if (api_takes(&call->api, FAULT_UNAUTHORIZED, &args))
        nonstopay_error(call->response, 50007, "invalid API-KEY");
    else if (api_takes(&call->api, FAULT_ERROR_CODE, &args))
        nonstopay_error(call->response, (int)args.code, "an error on demand");
    else if (api_takes(&call->api, FAULT_REFUSED, &args))
        nonstopay_error(call->response, 50012, "Your amount is BELOW the allowed minimum amount");
    else
        return false;
    return true;
}

static const char garbage[] = "{\"errorCode\":0,\"redirectUrl\":\"https://usdc<!DOCTYPE html>\n"
                              "<html><h1>502 Bad Gateway</h1></html>\n";

static bool authorized(struct call *call)
{
    const char *own = secret_reveal(&sandbox_settings()->nonstopay.api_key), *given = NULL;
    if (http_header_get(call->request, "HTTP_API_KEY", &given) != ERR_NONE)
        given = NULL;
    if (given == NULL || *given == '\0')
        nonstopay_error(call->response, 50001, "API-KEY required");
    else if (strlen(own) != strlen(given) || !crypt_equal(own, given, strlen(own)))
        nonstopay_error(call->response, 50007, "invalid API-KEY");
    else
        return true;
    return false;
}

/* Numbers that only grow, over restarts too: there are never more invoices than sessions. */
static void make_id(char ret_id[SESSION_ID_MAX])
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static int64_t next;
    struct session_totals totals;
    (void)pthread_mutex_lock(&mutex);
    session_totals(&totals);
    if (next == 0)
        next = FIRST_ID + totals.sessions;
    (void)snprintf(ret_id, SESSION_ID_MAX, "%lld", (long long)next++);
    (void)pthread_mutex_unlock(&mutex);
}

/* The page's token: the invoice's number, and what only this program can make of it. */
const char *nonstopay_url(struct arena *arena, const struct session *session)
{
    unsigned char hash[CRYPT_HASH_BYTES];
    char token[2 * 12 + 1];
    struct buf url;
    crypt_hmac_sha256(&sandbox_settings()->nonstopay.api_key, session->id, strlen(session->id),
                      hash);
    hex_encode(hash, 12, token);
    buf_init(&url, arena, 1024);
    buf_printf(&url, "%s/nonstopay/widget/sale/create/?token=%s-%s", sandbox_settings()->public_url,
               session->id, token);
    return buf_text(&url);
}

/* The merchant's own word for the payment, from its callbackJson. */
static const char *order_of(struct call *call)
{
    const struct json *callback = json_get(call->root, "callbackJson");
    struct json *parsed;
    if (callback != NULL && callback->type == JSON_STRING &&
        json_parse(call->arena, callback->text, callback->len, &parsed) == ERR_NONE)
        callback = parsed;
    const char *reference = json_get_text(callback, "reference");
    return reference != NULL && strlen(reference) <= 64 ? reference : "";
}

/* NonStopPay does not mind two invoices with one reference; the table of sessions does. */
static enum err store(struct call *call, const struct session *invoice)
{
    char name[128];
    struct session draft = *invoice;
    make_id(draft.id);
    draft.order_id = call->api.entry.order_id;
    if (draft.order_id[0] != '\0' && session_create(&draft, &call->session) == ERR_NONE)
        return ERR_NONE;
    (void)snprintf(name, sizeof name, "%.64s#%.32s", call->api.entry.order_id, draft.id);
    draft.order_id = name;
    return session_create(&draft, &call->session);
}

static void move(struct call *call, enum session_move move, const struct card *card, bool wait)
{
    struct session_attempt attempt =
        nonstopay_attempt(&call->session, card, call->request->client_ip, "Guichet-Sandbox");
    enum err err = (wait ? provider_move_and_wait : provider_move)(call->arena, &call->session,
                                                                   move, &attempt, &call->session);
    if (err)
        LOG(LOG_ERROR, "invoice not moved", LOG_TEXT("session", call->session.id));
}

/* A card that came along is charged at once, or waits for its bank's page. */
static void answer_charged(struct call *call)
{
    struct json_out *out = answer_json(call->arena, call->response, 200);
    if (out == NULL)
        return;
    json_out_int(out, "errorCode", 0);
    if (call->session.status == SESSION_CHALLENGED)
        json_out_text(out, "redirectUrl", nonstopay_url(call->arena, &call->session));
    json_out_text(out, "status", nonstopay_word(&call->session));
    json_out_text(out, "ID", call->session.id);
    answer_json_end(call->response, out);
}

static void answer_created(struct call *call)
{
    const char *url = nonstopay_url(call->arena, &call->session);
    struct json_out *out = answer_json(call->arena, call->response, 200);
    struct buf html;
    if (out == NULL)
        return;
    buf_init(&html, call->arena, 2048);
    buf_printf(&html, "<a href='%s'></a>", url);
    json_out_int(out, "errorCode", 0);
    json_out_text(out, "redirectUrl", url);
    json_out_text(out, "html", buf_text(&html));
    answer_json_end(call->response, out);
}

static void create(struct call *call)
{
    struct fault_args args;
    struct session draft;
    struct card card = {"visa", "4242", "12", "2030", CARD_PAYS};
    bool has_card = false;
    if (!authorized(call) ||
        !nonstopay_check(call->request, call->root, &draft, &card, &has_card, call->response))
        return;
    if (store(call, &draft) != ERR_NONE) {
        answer_error(call->response, 500, "Server Error");
        return;
    }
    (void)text_copy(call->api.entry.session_id, sizeof call->api.entry.session_id,
                    call->session.id);
    bool first = api_takes(&call->api, FAULT_WEBHOOK_BEFORE_ANSWER, &args);
    if (!first && !has_card)
        provider_announce(call->arena, &call->session);
    if (first || has_card)
        move(call, has_card ? nonstopay_card_move(card.outcome) : MOVE_PAY, &card, first);
    if (has_card)
        answer_charged(call);
    else
        answer_created(call);
    api_fails_after(&call->api, garbage);
}

/* The invoice that the query names, unless the call is refused. */
static bool find(struct call *call)
{
    struct fault_args args;
    if (!authorized(call))
        return false;
    if (call->id[0] == '\0') {
        nonstopay_error(call->response, 50002, "id required");
    } else if (call->session.provider == NULL || take_read(call, FAULT_READBACK_404, &args)) {
        nonstopay_error(call->response, 50003, "invoice not found");
        call->response->status = 404;
    } else {
        return true;
    }
    return false;
}

static struct nonstopay_view view_of(struct call *call)
{
    struct fault_args args;
    struct nonstopay_view view = {.session = &call->session};
    view.opened = take_read(call, FAULT_READBACK_PENDING, &args);
    if (take_read(call, FAULT_WRONG_AMOUNT, &args))
        view.change = args.delta;
    if (take_read(call, FAULT_WRONG_CURRENCY, &args)) {
        const char *other = strcmp(call->session.currency, "USD") == 0 ? "EUR" : "USD";
        const char *given = arena_strndup(call->arena, args.currency, strlen(args.currency));
        view.currency = given != NULL && *given != '\0' ? given : other;
    }
    return view;
}

static void read_status(struct call *call)
{
    if (!find(call))
        return;
    const struct nonstopay_view view = view_of(call);
    nonstopay_status_answer(call->arena, &view, call->response);
    api_fails_after(&call->api, garbage);
}

static void read_infos(struct call *call)
{
    if (!find(call))
        return;
    const struct nonstopay_view view = view_of(call);
    nonstopay_infos_answer(call->arena, &view, call->response);
    api_fails_after(&call->api, garbage);
}

static void read_history(struct call *call)
{
    if (!authorized(call))
        return;
    nonstopay_history_answer(call->request, call->response);
    api_fails_after(&call->api, garbage);
}

/* One call of the API is one row. */
static const struct {
    const char *method, *path;
    enum fault_event event;
    void (*serve)(struct call *call);
} routes[] = {
    {"POST", "/api/btn-create-invoice/get/", EVENT_CREATE, create},
    {"GET", "/api/invoice/status/", EVENT_READ, read_status},
    {"GET", "/api/client-invoice-info/get/", EVENT_READ, read_infos},
    {"GET", "/api/invoice/history/", EVENT_READ, read_history},
};

static struct call call_new(const struct http_request *request, const char *path,
                            enum fault_event event, struct http_response *response)
{
    struct call call = {.request = request,
                        .response = response,
                        .arena = request->arena,
                        .api = {.provider = &nonstopay, .response = response, .event = event},
                        .id = ""};
    struct http_field *query = NULL;
    if (event == EVENT_CREATE)
        call.root = nonstopay_body(request);
    else if (http_form_parse(request->arena, request->query, strlen(request->query), &query) ==
             ERR_NONE)
        call.id = http_form_get(query, "id") == NULL ? "" : http_form_get(query, "id");
    if (session_by_id(&nonstopay, call.id, &call.session) != ERR_NONE)
        call.session.provider = NULL;
    const char *order = call.session.provider != NULL ? call.session.order_id : order_of(&call);
    api_begin(&call.api, request, path, call.id, order);
    return call;
}

/* True when the path was one of the API's. */
static bool serve_api(const struct http_request *request, const char *path,
                      struct http_response *response)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(path, routes[i].path) != 0)
            continue;
        struct call call = call_new(request, path, routes[i].event, response);
        if (strcmp(request->method, routes[i].method) != 0)
            answer_method(response, routes[i].method);
        else if (!fails_before(&call))
            routes[i].serve(&call);
        api_end(&call.api);
        return true;
    }
    return false;
}

static void handle(const struct http_request *request, const char *path,
                   struct http_response *response)
{
    if (serve_api(request, path, response))
        return;
    if (strcmp(path, "/widget/sale/create/") == 0)
        nonstopay_page(request, response);
    else if (strncmp(path, "/service/pay/", 13) == 0)
        nonstopay_end_page(request, path + 13, response);
    else
        answer_error(response, 404, "Not found");
}

const struct provider nonstopay = {
    .name = "nonstopay",
    .faults = FAULT_BIT(FAULT_ERROR_CODE),
    .asked = true,
    .handle = handle,
    .notice_type = nonstopay_notice_type,
    .notice_write = nonstopay_notice_write,
    .pay = nonstopay_pay,
};
