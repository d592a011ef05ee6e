/* The pages at which payers pay: reads the form, tries the payment, sends the browser back to the
 * page with GET, so that a reload repeats nothing. Every change goes through provider_move. */
#include "sandbox/answer.h"
#include "sandbox/payviox_view.h"
#include "sandbox/settings.h"
#include "sandbox/text.h"

#include "base/clock.h"

#include <string.h>

struct page {
    const struct http_request *request;
    struct http_response *response;
    struct arena *arena;
    struct session session;
    const struct payviox_method *own; /* whose page it is; NULL: the hosted page */
    const struct payviox_method *method;
    struct payviox_view view;
};

/* Buttons that move a session as it is. */
static const struct {
    const char *action;
    enum session_move move;
    bool pays; /* a payment was tried: the attempt is part of the move */
} actions[] = {
    {"pending_review", MOVE_REVIEW, true}, {"declined", MOVE_DECLINE, true},
    {"approve", MOVE_APPROVE, false},      {"expired", MOVE_EXPIRE, false},
    {"refunded", MOVE_REFUND, false},
};

static const char *user_agent(const struct page *page)
{
    const char *agent = NULL;
    if (http_header_get(page->request, "HTTP_USER_AGENT", &agent) != ERR_NONE || agent == NULL)
        return "";
    return agent;
}

static struct session_attempt attempt_new(const struct page *page, const struct card *card)
{
    return payviox_attempt(&page->session, page->method, card, page->request->client_ip,
                           user_agent(page));
}

static const char *page_path(const struct page *page)
{
    struct buf path;
    buf_init(&path, page->arena, 256);
    if (page->own == NULL)
        buf_printf(&path, "/payviox/secure/%s", page->session.id);
    else
        buf_printf(&path, "/payviox/redirect/%s/%s", page->own->id, page->session.id);
    return buf_text(&path);
}

/* Where the payer goes afterwards, with what the merchant needs to find the payment again. */
static const char *back_url(const struct page *page)
{
    struct buf url;
    buf_init(&url, page->arena, 2048);
    buf_printf(&url, "%s?session_id=%s&order_id=", sandbox_settings()->payviox.return_url,
               page->session.id);
    buf_url(&url, page->session.order_id);
    return buf_text(&url);
}

static void show(struct page *page, int status)
{
    struct json *body = NULL;
    if (json_parse(page->arena, page->session.body, page->session.body_len, &body) != ERR_NONE) {
        answer_error(page->response, 500, "The session cannot be read");
        return;
    }
    page->response->status = status;
    page->view.session = &page->session;
    page->view.method = page->method;
    page->view.body = body;
    page->view.back_url = back_url(page);
    payviox_view_write(&page->response->body, &page->view);
    answer_html(page->response);
    /* a form that cancels leads on to the merchant, wherever that is */
    http_header_set(page->response, "Content-Security-Policy", ANSWER_POLICY "'self' https:");
}

static void show_message(struct page *page, int status, const char *title, const char *text)
{
    page->response->status = status;
    payviox_view_message(&page->response->body, title, text);
    answer_html(page->response);
}

/* A move that is impossible by now changes nothing: the page then shows what is. */
static void move_and_reload(struct page *page, enum session_move move,
                            const struct session_attempt *attempt)
{
    struct session moved;
    enum err err = provider_move(page->arena, &page->session, move, attempt, &moved);
    (void)err;
    answer_see_other(page->response, page_path(page));
}

static const char *field(const struct http_field *fields, const char *name)
{
    const char *value = http_form_get(fields, name);
    return value == NULL ? "" : value;
}

static void pay_by_card(struct page *page, const struct http_field *fields)
{
    struct card card;
    if (!card_check(field(fields, "card_number"), field(fields, "expiry"), field(fields, "cvc"),
                    clock_wall_ms(), &card, &page->view.card)) {
        show(page, 422);
        return;
    }
    struct session_attempt attempt = attempt_new(page, &card);
    move_and_reload(page, payviox_card_move(card.outcome), &attempt);
}

static void pay_by_field(struct page *page, bool valid, const char *problem)
{
    struct session_attempt attempt = attempt_new(page, NULL);
    if (valid) {
        move_and_reload(page, MOVE_PAY, &attempt);
        return;
    }
    page->view.problem = problem;
    show(page, 422);
}

static bool email_valid(const char *email)
{
    const char *at = strchr(email, '@');
    return at != NULL && at > email && strchr(at, '.') != NULL && strpbrk(email, " <>\"") == NULL;
}

static bool code_valid(const char *code)
{
    int digits = 0;
    for (; *code != '\0'; code++) {
        if (*code >= '0' && *code <= '9')
            digits++;
        else if (*code != ' ')
            return false;
    }
    return digits == 6;
}

static void pay(struct page *page, const struct http_field *fields)
{
    switch (page->method->form) {
    case FORM_CARD:
        pay_by_card(page, fields);
        return;
    case FORM_EMAIL:
        pay_by_field(page, email_valid(field(fields, "email")), "Enter an email address.");
        return;
    case FORM_CODE:
        pay_by_field(page, code_valid(field(fields, "code")), "A BLIK code has 6 digits.");
        return;
    case FORM_CONFIRM:
    case FORM_CRYPTO:
        pay_by_field(page, strcmp(field(fields, "action"), "pay") == 0, "");
        return;
    }
}

static void end_challenge(struct page *page, const char *answer)
{
    struct session moved;
    enum err err = provider_end_challenge(page->arena, &page->session, answer, &moved);
    (void)err; /* as above */
    answer_see_other(page->response, page_path(page));
}

/* The browser goes back to the merchant; whoever returns to the page may still pay. */
static void cancel(struct page *page)
{
    struct session cancelled;
    struct session_attempt attempt = page->session.attempt;
    attempt.reason = "You cancelled the payment. You can still pay here.";
    enum err err = provider_move(page->arena, &page->session, MOVE_CANCEL, &attempt, &cancelled);
    answer_see_other(page->response, err ? page_path(page) : back_url(page));
}

static void underpay(struct page *page)
{
    struct session_attempt attempt = attempt_new(page, NULL);
    attempt.received = page->session.amount / 2;
    move_and_reload(page, MOVE_UNDERPAY, &attempt);
}

/* True when the form was a button of the table. */
static bool press_button(struct page *page, const char *action)
{
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(actions[i].action, action) != 0)
            continue;
        struct session_attempt attempt = attempt_new(page, NULL);
        bool first_try = actions[i].pays && page->session.status != SESSION_IN_REVIEW;
        move_and_reload(page, actions[i].move, first_try ? &attempt : NULL);
        return true;
    }
    return false;
}

static void post(struct page *page)
{
    struct http_field *fields;
    const struct http_request *request = page->request;
    if (http_form_parse(page->arena, request->body, request->body_len, &fields) != ERR_NONE) {
        show_message(page, 400, "The form cannot be read", "Go back and try again.");
        return;
    }
    const char *action = field(fields, "action"), *challenge = field(fields, "challenge");
    if (strcmp(action, "cancel") == 0)
        cancel(page);
    else if (strcmp(action, "underpaid") == 0 && page->method->form == FORM_CRYPTO)
        underpay(page);
    else if (press_button(page, action))
        return;
    else if (*challenge != '\0')
        end_challenge(page, challenge);
    else if (page->session.status == SESSION_NEW || page->session.status == SESSION_FAILED ||
             page->session.status == SESSION_INCOMPLETE)
        pay(page, fields);
    else
        answer_see_other(page->response, page_path(page));
}

/* An address that starts with 127. and the other spelling of this machine are the same payer. */
static bool is_loopback(const char *ip)
{
    return strncmp(ip, "127.", 4) == 0 || strcmp(ip, "::1") == 0;
}

static bool ip_allowed(const struct page *page)
{
    const char *bound = page->session.ip, *ip = page->request->client_ip;
    return bound[0] == '\0' || strcmp(bound, ip) == 0 || (is_loopback(bound) && is_loopback(ip));
}

/* The merchant may allow one method only; once money has moved, its method is the page's. */
static bool choose_method(struct page *page, const struct payviox_method *method)
{
    const char *only = page->session.method;
    bool open = page->session.status == SESSION_NEW || page->session.status == SESSION_FAILED;
    page->own = page->method = method;
    if (method == NULL)
        page->method = only != NULL ? payviox_method_find(only) : &payviox_methods[0];
    if (!open)
        page->method = payviox_method_of(&page->session);
    return method == NULL || only == NULL || strcmp(only, method->id) == 0;
}

void payviox_page(const struct http_request *request, const char *session_id,
                  const struct payviox_method *method, struct http_response *response)
{
    struct page page = {.request = request, .response = response, .arena = request->arena};
    enum err err = session_by_id(&payviox, session_id, &page.session);
    if (err || !choose_method(&page, method))
        show_message(&page, 404, "Payment not found", "This payment link is not valid.");
    else if (!ip_allowed(&page))
        show_message(&page, 403, "IP mismatch", "Request IP does not match session IP");
    else if (strcmp(request->method, "POST") == 0)
        post(&page);
    else if (strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0)
        show(&page, 200);
    else
        answer_method(response, "GET, HEAD, POST");
}
