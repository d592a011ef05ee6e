/* POST /control arms faults and moves sessions; GET /control shows everything that happened.
 * Strict: what it does not know is refused with the words that it knows. */
#include "sandbox/control.h"

#include "sandbox/answer.h"
#include "sandbox/fault.h"
#include "sandbox/hooks.h"
#include "sandbox/journal.h"
#include "sandbox/provider.h"

#include <string.h>

enum { SESSIONS_AT_ONCE = 10000, TYPE_MAX = 63, ID_MAX = 63 };

/* One POST while it is served. */
struct order {
    const struct http_request *request;
    struct http_response *response;
    struct arena *arena;
    const struct json *body;
    const struct provider *provider;
    struct session session; /* that the body names; provider is NULL when there is none */
};

struct action {
    const char *name;
    void (*run)(struct order *order, const struct action *action);
    enum session_move move; /* of those that only move a session */
    const char *members;    /* that its body may have, besides provider and action */
};

static void refuse(struct order *order, const char *message)
{
    struct json_out *out = answer_json(order->arena, order->response, 400);
    if (out == NULL)
        return;
    json_out_text(out, "error", message);
    json_out_array(out, "faults");
    for (int fault = 0; fault < FAULT_COUNT; fault++)
        json_out_text(out, NULL, fault_name((enum fault)fault));
    json_out_close_array(out);
    answer_json_end(order->response, out);
}

static void refuse_provider(struct order *order)
{
    struct buf message;
    buf_init(&message, order->arena, 1024);
    buf_puts(&message, "Unknown provider: ");
    for (size_t i = 0; provider_rows[i] != NULL; i++)
        buf_printf(&message, "%s%s", i == 0 ? "" : ", ", provider_rows[i]->name);
    buf_puts(&message, " are known, and hooks for faults");
    refuse(order, buf_text(&message));
}

/* What the payer would read, or NULL. */
static void answer_session(struct order *order, const struct session *session, const char *text)
{
    struct json_out *out = answer_json(order->arena, order->response, 200);
    if (out == NULL)
        return;
    json_out_text(out, "session_id", session->id);
    json_out_text(out, "order_id", session->order_id);
    json_out_text(out, "status", session_status_word(session->status));
    json_out_int(out, "charges", session->charges);
    json_out_text(out, "message", text);
    answer_json_end(order->response, out);
}

static void answer_moved(struct order *order, enum err err, const struct session *moved,
                         const char *text)
{
    if (err == ERR_NONE)
        answer_session(order, moved, text);
    else if (text != NULL)
        answer_error(order->response, 409, text);
    else
        answer_error(order->response, 409, "The session's state does not allow this");
}

static void run_move(struct order *order, const struct action *action)
{
    struct session moved;
    if (order->session.provider == NULL) {
        answer_error(order->response, 404, "Session not found");
        return;
    }
    enum err err = provider_move(order->arena, &order->session, action->move, NULL, &moved);
    answer_moved(order, err, &moved, NULL);
}

static void run_pay(struct order *order, const struct action *action)
{
    struct session moved;
    const char *text, *card = json_get_text(order->body, "card");
    const char *challenge = json_get_text(order->body, "challenge");
    (void)action;
    if (order->session.provider == NULL) {
        answer_error(order->response, 404, "Session not found");
        return;
    }
    if (challenge != NULL && strcmp(challenge, "approve") != 0 && strcmp(challenge, "deny") != 0) {
        refuse(order, "challenge must be approve or deny");
        return;
    }
    enum err err =
        order->provider->pay(order->arena, &order->session,
                             card == NULL ? "4242424242424242" : card, challenge, &moved, &text);
    answer_moved(order, err, &moved, text);
}

/* An optional whole number of the body. */
static bool read_number(const struct order *order, const char *key, int64_t *number)
{
    const struct json *value = json_get(order->body, key);
    return value == NULL || json_int(value, number);
}

static const char *text_or(const struct order *order, const char *key, const char *fallback)
{
    const char *text = json_get_text(order->body, key);
    return text == NULL ? fallback : text;
}

/* Starts as the truth about the session, or as something plausible, then takes what is given. */
static const char *make_notice(const struct order *order, struct notice *notice, int64_t *copies)
{
    const struct session *session = &order->session;
    bool known = session->provider != NULL;
    *notice = (struct notice){
        .provider = order->provider,
        .session = known ? session : NULL,
        .session_id = text_or(order, "session_id", known ? session->id : ""),
        .order_id = text_or(order, "order_id", known ? session->order_id : ""),
        .type = json_get_text(order->body, "type"),
        .currency = text_or(order, "currency", known ? session->currency : "USD"),
        .amount = known ? session->amount : 1000,
        .fees = known ? session->attempt.fees : 0,
        .remaining = -1,
        .raw_body = json_get_text(order->body, "body"),
        .token = json_get_text(order->body, "secret"),
        .signature = json_get_text(order->body, "signature"),
    };
    if (notice->type == NULL || *notice->type == '\0' || strlen(notice->type) > TYPE_MAX)
        return "type must be a text of 1 to 63 bytes";
    if (strlen(notice->session_id) > ID_MAX || strlen(notice->order_id) > SESSION_TEXT_MAX)
        return "session_id or order_id is too long";
    if (!read_number(order, "amount", &notice->amount) ||
        !read_number(order, "fees", &notice->fees) ||
        !read_number(order, "amount_remaining", &notice->remaining))
        return "amount, fees and amount_remaining must be whole numbers";
    if (!read_number(order, "copies", copies) || *copies < 1 || *copies > DELIVER_COPIES_MAX)
        return "copies must be a whole number from 1 to 20";
    if (notice->token != NULL && *notice->token == '\0')
        return "secret must not be empty";
    if (notice->signature != NULL && strpbrk(notice->signature, "\r\n") != NULL)
        return "signature must be one line";
    return NULL;
}

static void run_webhook(struct order *order, const struct action *action)
{
    struct notice notice;
    struct delivery delivery;
    int status[DELIVER_COPIES_MAX] = {0};
    int64_t copies = 1;
    const char *problem = make_notice(order, &notice, &copies);
    (void)action;
    if (problem != NULL) {
        refuse(order, problem);
        return;
    }
    if (order->provider->notice_write(order->arena, &notice, &delivery) != ERR_NONE) {
        refuse(order, "The webhook does not fit, or nobody wants it");
        return;
    }
    deliver_now(&delivery, (int)copies, 1, status);
    struct json_out *out = answer_json(order->arena, order->response, 200);
    if (out == NULL)
        return;
    json_out_array(out, "status");
    for (int i = 0; i < copies; i++)
        json_out_int(out, NULL, status[i]);
    json_out_close_array(out);
    answer_json_end(order->response, out);
}

static void run_reset(struct order *order, const struct action *action)
{
    (void)action;
    fault_reset();
    journal_reset();
    hooks_reset();
    struct json_out *out = answer_json(order->arena, order->response, 200);
    if (out == NULL)
        return;
    json_out_bool(out, "reset", true);
    answer_json_end(order->response, out);
}

#define NAMES_SESSION " session_id order_id "

static const struct action actions[] = {
    {"webhook", run_webhook, 0,
     NAMES_SESSION "type amount currency fees amount_remaining copies secret signature body "},
    {"pay", run_pay, 0, NAMES_SESSION "card challenge "},
    {"approve", run_move, MOVE_APPROVE, NAMES_SESSION},
    {"expire", run_move, MOVE_EXPIRE, NAMES_SESSION},
    {"refund", run_move, MOVE_REFUND, NAMES_SESSION},
    {"pending_review", run_move, MOVE_REVIEW, NAMES_SESSION},
    {"decline", run_move, MOVE_DECLINE, NAMES_SESSION},
    {"withhold", run_move, MOVE_WITHHOLD, NAMES_SESSION},
    {"chargeback", run_move, MOVE_CHARGE_BACK, NAMES_SESSION},
    {"reset", run_reset, 0, " "},
};

enum { ACTIONS = sizeof actions / sizeof actions[0] };

/* The action's members are words between spaces. */
static bool knows_member(const struct action *action, const char *key)
{
    size_t len = strlen(key);
    if (strcmp(key, "provider") == 0 || strcmp(key, "action") == 0)
        return true;
    for (const char *at = action->members; (at = strstr(at, key)) != NULL; at++)
        if (at[-1] == ' ' && at[len] == ' ' && len > 0)
            return true;
    return false;
}

static void find_session(struct order *order)
{
    const char *id = json_get_text(order->body, "session_id");
    const char *order_id = json_get_text(order->body, "order_id");
    enum err err = ERR_NOT_FOUND;
    if (id != NULL)
        err = session_by_id(order->provider, id, &order->session);
    else if (order_id != NULL)
        err = session_by_order(order->provider, order_id, &order->session);
    if (err)
        order->session.provider = NULL;
}

static void run_action(struct order *order, const char *name)
{
    const struct action *action = actions;
    while (action < actions + ACTIONS && strcmp(action->name, name) != 0)
        action++;
    if (action == actions + ACTIONS && order->provider != NULL &&
        order->provider->control != NULL &&
        order->provider->control(order->request, name, order->body, order->response))
        return;
    if (action == actions + ACTIONS) {
        refuse(order, "Unknown action: webhook, pay, approve, expire, refund, pending_review, "
                      "decline, withhold, chargeback and reset are known");
        return;
    }
    for (const struct json *member = order->body->child; member != NULL; member = member->next) {
        if (!knows_member(action, member->key)) {
            refuse(order, "This action does not take one of the members given");
            return;
        }
    }
    find_session(order);
    action->run(order, action);
}

static void arm_fault(struct order *order, const char *name)
{
    enum fault fault = fault_find(name);
    if (fault == FAULT_COUNT) {
        refuse(order, "Unknown fault");
        return;
    }
    const char *problem = fault_arm(order->provider, fault, order->body);
    if (problem != NULL) {
        refuse(order, problem);
        return;
    }
    struct json_out *out = answer_json(order->arena, order->response, 200);
    if (out == NULL)
        return;
    fault_write(out);
    answer_json_end(order->response, out);
}

static void post(const struct http_request *request, struct http_response *response)
{
    struct json *body = NULL;
    struct order order = {.request = request, .response = response, .arena = request->arena};
    if (json_parse(request->arena, request->body, request->body_len, &body) != ERR_NONE ||
        body->type != JSON_OBJECT) {
        refuse(&order, "The body must be a JSON object");
        return;
    }
    order.body = body;
    const char *action = json_get_text(body, "action"), *fault = json_get_text(body, "fault");
    const char *provider = json_get_text(body, "provider");
    bool is_reset = action != NULL && strcmp(action, "reset") == 0;
    order.provider = provider == NULL ? NULL : provider_find(provider);
    if (fault != NULL && provider != NULL && strcmp(provider, hooks_receiver.name) == 0)
        order.provider = &hooks_receiver;
    if (order.provider == NULL && (provider != NULL || !is_reset))
        refuse_provider(&order);
    else if (action != NULL && fault == NULL)
        run_action(&order, action);
    else if (fault != NULL && action == NULL)
        arm_fault(&order, fault);
    else
        refuse(&order, "Exactly one of fault and action must be given");
}

static void write_session(struct arena *arena, struct json_out *out, const struct session *session)
{
    struct json *body = NULL;
    json_out_object(out, NULL);
    json_out_int(out, "number", session->number);
    json_out_text(out, "provider", session->provider->name);
    json_out_text(out, "session_id", session->id);
    json_out_text(out, "order_id", session->order_id);
    json_out_int(out, "amount", session->amount);
    json_out_text(out, "currency", session->currency);
    json_out_text(out, "status", session_status_word(session->status));
    json_out_int(out, "charges", session->charges);
    json_out_int(out, "fees", session->attempt.fees);
    json_out_text(out, "method", session->attempt.method);
    json_out_text(out, "asked_method", session->method);
    json_out_int(out, "created_ms", session->created_ms);
    json_out_int(out, "changed_ms", session->changed_ms);
    if (json_parse(arena, session->body, session->body_len, &body) == ERR_NONE &&
        json_get(body, "metadata") != NULL)
        json_out_value(out, "metadata", json_get(body, "metadata"));
    else
        json_out_text(out, "metadata", NULL);
    json_out_close_object(out);
}

static void write_sessions(struct json_out *out, int64_t number, const char *id,
                           const char *order_id)
{
    struct session session;
    struct arena *scratch = arena_new(ARENA_BYTES);
    int64_t count = 0;
    json_out_array(out, "sessions");
    for (; scratch != NULL && count < SESSIONS_AT_ONCE && session_by_number(number, &session);
         number++) {
        if ((id != NULL && strcmp(session.id, id) != 0) ||
            (order_id != NULL && strcmp(session.order_id, order_id) != 0))
            continue;
        write_session(scratch, out, &session);
        arena_reset(scratch);
        count++;
    }
    json_out_close_array(out);
    if (session_by_number(number, &session))
        json_out_int(out, "next", number);
    else
        json_out_text(out, "next", NULL);
    arena_free(scratch);
}

static void get(const struct http_request *request, struct http_response *response)
{
    struct http_field *query;
    struct session_totals totals;
    struct arena *arena = request->arena;
    int64_t since = 1;
    if (http_form_parse(arena, request->query, strlen(request->query), &query) != ERR_NONE) {
        answer_error(response, 400, "The query cannot be read");
        return;
    }
    const char *id = http_form_get(query, "session"), *order_id = http_form_get(query, "order_id");
    const char *from = http_form_get(query, "since");
    const struct json number = {.type = JSON_NUMBER, .text = from};
    if (from != NULL && (!json_int(&number, &since) || since < 1)) {
        answer_error(response, 400, "since must be a session's number");
        return;
    }
    struct json_out *out = answer_json(arena, response, 200);
    if (out == NULL)
        return;
    session_totals(&totals);
    fault_write(out);
    json_out_object(out, "totals");
    json_out_int(out, "sessions", totals.sessions);
    json_out_int(out, "charges", totals.charges);
    json_out_int(out, "paid", totals.paid);
    journal_write_totals(out);
    json_out_close_object(out);
    write_sessions(out, since, id, order_id);
    journal_write(out, id, order_id);
    answer_json_end(response, out);
}

void control_handle(const struct http_request *request, struct http_response *response)
{
    if (strcmp(request->method, "POST") == 0)
        post(request, response);
    else if (strcmp(request->method, "GET") == 0)
        get(request, response);
    else
        answer_method(response, "GET, POST");
}
