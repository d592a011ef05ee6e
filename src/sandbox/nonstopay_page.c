/* The page at which payers pay an invoice, and the attempts that it makes. Every end leads the
 * browser to the address that the merchant gave for it. Every change goes through provider_move. */
#include "sandbox/nonstopay.h"

#include "sandbox/answer.h"
#include "sandbox/html.h"
#include "sandbox/settings.h"
#include "sandbox/text.h"

#include "base/clock.h"

#include <string.h>

struct page {
    const struct http_request *request;
    struct http_response *response;
    struct arena *arena;
    struct session session;
    const struct json *body; /* the merchant's invoice */
    struct card_problems card;
    const char *problem; /* of the UPI address */
};

/* Buttons that move an invoice as it is. */
static const struct {
    const char *action, *label;
    enum session_move move;
} tools[] = {
    {"awaiting_approval", "Pay, but await approval", MOVE_REVIEW},
    {"approve", "Approve it", MOVE_APPROVE},
    {"withheld", "Withhold it", MOVE_WITHHOLD},
    {"chargeback", "Charge it back", MOVE_CHARGE_BACK},
    {"failed", "Let it fail", MOVE_DECLINE},
};

struct session_attempt nonstopay_attempt(const struct session *session, const struct card *card,
                                         const char *ip, const char *agent)
{
    struct session_attempt attempt = {.method = session->method == NULL ? "CARD" : session->method};
    if (card != NULL) {
        attempt.reason = card_outcome_text(card->outcome);
        memcpy(attempt.brand, card->brand, sizeof attempt.brand);
        memcpy(attempt.last4, card->last4, sizeof attempt.last4);
        memcpy(attempt.exp_month, card->exp_month, sizeof attempt.exp_month);
        memcpy(attempt.exp_year, card->exp_year, sizeof attempt.exp_year);
    }
    text_clip(attempt.ip, sizeof attempt.ip, ip);
    text_clip(attempt.agent, sizeof attempt.agent, agent);
    return attempt;
}

enum session_move nonstopay_card_move(enum card_outcome outcome)
{
    return outcome == CARD_PAYS ? MOVE_PAY : outcome == CARD_CHALLENGE ? MOVE_CHALLENGE : MOVE_FAIL;
}

enum err nonstopay_pay(struct arena *arena, const struct session *session, const char *card,
                       const char *challenge, struct session *ret_session, const char **ret_text)
{
    struct card checked;
    struct card_problems problems;
    *ret_text = NULL;
    if (challenge != NULL)
        return provider_end_challenge(arena, session, challenge, ret_session);
    if (!card_check(card, "12/40", "123", clock_wall_ms(), &checked, &problems)) {
        *ret_text = problems.number != NULL ? problems.number : "This card cannot be used here.";
        return ERR_PARAMETERS;
    }
    struct session_attempt attempt =
        nonstopay_attempt(session, &checked, "127.0.0.1", "Guichet-Sandbox");
    enum session_move move = nonstopay_card_move(checked.outcome);
    *ret_text = attempt.reason;
    return provider_move(arena, session, move == MOVE_PAY ? MOVE_PAY_LATE : move, &attempt,
                         ret_session);
}

/* --- where the browser goes --- */

static const char *end_of(const struct session *session)
{
    switch (session->status) {
    case SESSION_SUCCEEDED:
        return "success";
    case SESSION_FAILED:
    case SESSION_DECLINED:
    case SESSION_EXPIRED:
    case SESSION_REFUNDED:
    case SESSION_CHARGED_BACK:
        return "failure";
    case SESSION_IN_REVIEW:
    case SESSION_WITHHELD:
    case SESSION_INCOMPLETE:
        return "pending";
    case SESSION_NEW:
    case SESSION_OPENED:
    case SESSION_CHALLENGED:
    case SESSION_STATUSES:
        break;
    }
    return NULL; /* not over: the page itself */
}

/* The merchant's address for it, or the provider's own page. */
static const char *end_url(struct page *page, const char *end)
{
    struct buf url;
    char key[16];
    buf_init(&url, page->arena, 64);
    buf_printf(&url, "%s_url", end);
    text_clip(key, sizeof key, buf_text(&url));
    const char *given = json_get_text(page->body, key);
    buf_init(&url, page->arena, 1024);
    if (given != NULL && *given != '\0')
        return given;
    buf_printf(&url, "/nonstopay/service/pay/%s/", end);
    return buf_text(&url);
}

static void go_on(struct page *page)
{
    const char *end = end_of(&page->session);
    answer_see_other(page->response,
                     end == NULL ? nonstopay_url(page->arena, &page->session) : end_url(page, end));
}

/* --- what the payer sees --- */

static void show_message(struct http_response *response, int status, const char *title,
                         const char *text)
{
    response->status = status;
    html_begin(&response->body, "NonStopPay", "NonStopPay");
    html_text(&response->body, "<main><section class=\"card\"><h1>", title, "</h1>");
    html_text(&response->body, "<p>", text, "</p></section></main>\n");
    html_end(&response->body);
    answer_html(response);
}

static void write_fields(struct buf *html, const struct page *page)
{
    const char *method = page->session.method;
    const char *payable = json_get_text(page->body, "payableCurrencies");
    const struct html_input upi = {"upi_id", "UPI address", "name@bank", "autofocus",
                                   page->problem};
    if (method == NULL) {
        html_card_inputs(html, "4242 4242 4242 4242", &page->card);
    } else if (strcmp(method, "UPI") == 0) {
        html_input(html, &upi);
    } else {
        html_text(html, "<p>Send the amount in ", payable == NULL ? "a crypto currency" : payable,
                  ".</p><input type=\"hidden\" name=\"action\" value=\"pay\">");
    }
}

static void write_payable(struct buf *html, const struct page *page)
{
    const char *reason = page->session.attempt.reason;
    if (page->session.status == SESSION_FAILED && reason != NULL)
        html_text(html, "<p class=\"note bad\" role=\"alert\">", reason, "</p>\n");
    buf_puts(html, "<div class=\"stack\"><form method=\"post\" autocomplete=\"on\" novalidate>");
    write_fields(html, page);
    buf_puts(html, "<button>Pay</button></form>\n<form method=\"post\"><button class=\"plain\" "
                   "name=\"action\" value=\"cancel\">Cancel</button></form></div>\n");
}

static void write_challenge(struct buf *html, const struct page *page)
{
    html_text(html, "<p>3-D Secure: your bank asks whether you want to pay with the card ending ",
              page->session.attempt.last4, ".</p>\n");
    buf_puts(html, "<form method=\"post\" class=\"stack\">"
                   "<button name=\"challenge\" value=\"approve\">Approve</button>"
                   "<button class=\"plain\" name=\"challenge\" value=\"deny\">Deny</button>"
                   "</form>\n");
}

static void write_tools(struct buf *html, const struct page *page)
{
    buf_puts(html, "<details class=\"card wide\"><summary>Sandbox tools</summary>\n");
    html_text(html, "<p class=\"soft small\">State: <code>", nonstopay_word(&page->session),
              "</code></p><div class=\"row\">\n");
    for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++)
        buf_printf(html,
                   "<form method=\"post\"><button class=\"plain\" name=\"action\" value=\"%s\">%s"
                   "</button></form>\n",
                   tools[i].action, tools[i].label);
    buf_puts(html, "</div><p class=\"small\"><a href=\"/\">About this sandbox, and its test cards"
                   "</a></p></details>\n");
}

static bool is_payable(const struct session *session)
{
    return session->status == SESSION_NEW || session->status == SESSION_OPENED ||
           session->status == SESSION_FAILED;
}

static void show(struct page *page, int status)
{
    struct buf *html = &page->response->body;
    const char *end = end_of(&page->session);
    page->response->status = status;
    html_begin(html, "NonStopPay: secure payment", "NonStopPay");
    html_text(html, "<main class=\"two\"><section class=\"card\"><p class=\"soft\">Invoice ",
              page->session.id, "</p><p class=\"sum\">");
    buf_money(html, page->session.amount, page->session.currency);
    html_text(html, "</p><p class=\"soft small\">For ", json_get_text(page->body, "email"), "</p>");
    buf_puts(html, "</section><section class=\"card\"><h1>Your payment</h1>\n");
    if (page->session.status == SESSION_CHALLENGED)
        write_challenge(html, page);
    else if (is_payable(&page->session))
        write_payable(html, page);
    else
        html_text(html, "<p class=\"note\" role=\"status\">State: ", nonstopay_word(&page->session),
                  "</p>\n");
    if (end != NULL)
        html_text(html, "<a class=\"button plain\" href=\"", end_url(page, end),
                  "\">Return to the shop</a>\n");
    buf_puts(html, "</section>\n");
    write_tools(html, page);
    buf_puts(html, "</main>\n");
    html_end(html);
    answer_html(page->response);
    /* every form may lead on to the merchant, wherever that is */
    http_header_set(page->response, "Content-Security-Policy", ANSWER_POLICY "'self' https:");
}

void nonstopay_end_page(const struct http_request *request, const char *end,
                        struct http_response *response)
{
    (void)request;
    if (strcmp(end, "success/") == 0)
        show_message(response, 200, "Payment successful", "Thank you. Your payment is done.");
    else if (strcmp(end, "cancel/") == 0)
        show_message(response, 200, "Payment cancelled", "Nothing was paid.");
    else if (strcmp(end, "pending/") == 0)
        show_message(response, 200, "Payment pending", "Your payment is being looked at.");
    else if (strcmp(end, "failure/") == 0)
        show_message(response, 200, "Payment failed", "Nothing was paid.");
    else
        answer_error(response, 404, "Not found");
}

/* --- what the payer does --- */

static struct session_attempt attempt_new(const struct page *page, const struct card *card)
{
    const char *agent = NULL;
    if (http_header_get(page->request, "HTTP_USER_AGENT", &agent) != ERR_NONE || agent == NULL)
        agent = "";
    return nonstopay_attempt(&page->session, card, page->request->client_ip, agent);
}

/* A move that is impossible by now changes nothing: the browser then sees what is. */
static void move_on(struct page *page, enum session_move move,
                    const struct session_attempt *attempt)
{
    struct session moved;
    if (provider_move(page->arena, &page->session, move, attempt, &moved) == ERR_NONE)
        page->session = moved;
    go_on(page);
}

static const char *field(const struct http_field *fields, const char *name)
{
    const char *value = http_form_get(fields, name);
    return value == NULL ? "" : value;
}

static void pay(struct page *page, const struct http_field *fields)
{
    const char *method = page->session.method, *upi = field(fields, "upi_id");
    struct card card;
    struct session_attempt attempt = attempt_new(page, NULL);
    if (method == NULL) {
        if (!card_check(field(fields, "card_number"), field(fields, "expiry"), field(fields, "cvc"),
                        clock_wall_ms(), &card, &page->card)) {
            show(page, 422);
            return;
        }
        attempt = attempt_new(page, &card);
        move_on(page, nonstopay_card_move(card.outcome), &attempt);
    } else if (strcmp(method, "UPI") == 0 && (strchr(upi, '@') == NULL || upi[0] == '@')) {
        page->problem = "Enter a UPI address.";
        show(page, 422);
    } else {
        move_on(page, MOVE_PAY, &attempt);
    }
}

/* True when the form was one of the buttons. */
static bool press_button(struct page *page, const char *action)
{
    struct session_attempt attempt = attempt_new(page, NULL);
    if (strcmp(action, "cancel") == 0) {
        struct session cancelled;
        attempt.reason = "You cancelled the payment. You can still pay here.";
        enum err err =
            provider_move(page->arena, &page->session, MOVE_CANCEL, &attempt, &cancelled);
        answer_see_other(page->response, err ? nonstopay_url(page->arena, &page->session)
                                             : end_url(page, "cancel"));
        return true;
    }
    for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
        if (strcmp(tools[i].action, action) != 0)
            continue;
        move_on(page, tools[i].move, is_payable(&page->session) ? &attempt : NULL);
        return true;
    }
    return false;
}

static void post(struct page *page)
{
    struct http_field *fields;
    const struct http_request *request = page->request;
    if (http_form_parse(page->arena, request->body, request->body_len, &fields) != ERR_NONE) {
        show_message(page->response, 400, "The form cannot be read", "Go back and try again.");
        return;
    }
    const char *challenge = field(fields, "challenge");
    if (press_button(page, field(fields, "action")))
        return;
    if (*challenge != '\0') {
        struct session moved;
        if (provider_end_challenge(page->arena, &page->session, challenge, &moved) == ERR_NONE)
            page->session = moved;
        go_on(page);
    } else if (is_payable(&page->session)) {
        pay(page, fields);
    } else {
        go_on(page);
    }
}

/* The payer has come: NonStopPay tells the merchant so. */
static void open_invoice(struct page *page)
{
    struct session opened;
    if (page->session.status == SESSION_NEW &&
        provider_move(page->arena, &page->session, MOVE_OPEN, NULL, &opened) == ERR_NONE)
        page->session = opened;
}

/* The token's number is the invoice's; the rest of it must be right too. */
static bool find(struct page *page)
{
    struct http_field *query;
    const struct http_request *request = page->request;
    if (http_form_parse(page->arena, request->query, strlen(request->query), &query) != ERR_NONE)
        return false;
    const char *token = field(query, "token");
    const char *id = arena_strndup(page->arena, token, strcspn(token, "-"));
    if (id == NULL || session_by_id(&nonstopay, id, &page->session) != ERR_NONE)
        return false;
    const char *right = strstr(nonstopay_url(page->arena, &page->session), "?token=");
    struct json *body;
    if (right == NULL || strcmp(right + strlen("?token="), token) != 0 ||
        json_parse(page->arena, page->session.body, page->session.body_len, &body) != ERR_NONE)
        return false;
    page->body = body;
    return true;
}

void nonstopay_page(const struct http_request *request, struct http_response *response)
{
    struct page page = {.request = request, .response = response, .arena = request->arena};
    bool get = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    if (!find(&page)) {
        show_message(response, 404, "Payment not found", "This payment link is not valid.");
    } else if (strcmp(request->method, "POST") == 0) {
        post(&page);
    } else if (get) {
        open_invoice(&page);
        show(&page, 200);
    } else {
        answer_method(response, "GET, HEAD, POST");
    }
}
