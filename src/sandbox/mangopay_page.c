/* The pages that payers see: the hosted payment page, the bank's 3-D Secure page, the mandate. An
 * end leads the browser to the address that the merchant gave, with the object's id. */
#include "sandbox/mangopay.h"

#include "sandbox/answer.h"
#include "sandbox/html.h"
#include "sandbox/settings.h"
#include "sandbox/text.h"

#include <string.h>

struct page {
    const struct http_request *request;
    struct http_response *response;
    struct arena *arena;
    const char *id;
    struct session session;                 /* of a PayIn; provider is NULL for others */
    const struct mango_authorization *kind; /* of an authorization; NULL for others */
    struct json *object;                    /* whatever it is */
    struct card_problems card;
};

const char *mango_page_url(struct arena *arena, const char *what, const char *id)
{
    return mango_print(arena, "%s/mangopay/%s/%s?client-token=hpp_%s",
                       sandbox_settings()->public_url, what, id, mango_seal(arena, id));
}

static void show_message(struct http_response *response, int status, const char *title,
                         const char *text)
{
    response->status = status;
    html_begin(&response->body, "Mangopay", "Mangopay");
    html_text(&response->body, "<main><section class=\"card\"><h1>", title, "</h1>");
    html_text(&response->body, "<p>", text, "</p></section></main>\n");
    html_end(&response->body);
    answer_html(response);
}

/* --- where the browser goes --- */

static const char *return_url(const struct page *page)
{
    const char *url = mango_text(page->object, "ReturnURL");
    return *url != '\0' ? url : mango_text(page->object, "SecureModeReturnURL");
}

static bool is_open(const struct page *page)
{
    if (page->session.provider != NULL)
        return mango_payin_open(&page->session);
    return strcmp(mango_text(page->object, "Status"), "CREATED") == 0;
}

static void load(struct page *page)
{
    page->kind = NULL;
    page->object = NULL;
    if (session_by_id(&mangopay, page->id, &page->session) == ERR_NONE) {
        page->object = mango_payin_read(page->arena, &page->session);
        return;
    }
    page->session.provider = NULL;
    page->object = mango_get(page->arena, "mandate", page->id);
    if (page->object == NULL) {
        page->kind = strncmp(page->id, "preauth_", 8) == 0 ? &mango_preauth : &mango_deposit;
        page->object = mango_get(page->arena, page->kind->kind, page->id);
    }
}

static void go_on(struct page *page)
{
    load(page);
    const char *url = is_open(page) ? "" : return_url(page);
    if (*url != '\0')
        answer_see_other(page->response, url);
    else
        answer_see_other(page->response, mango_page_url(page->arena, "pay", page->id));
}

/* --- what the payer sees --- */

/* P24 and iDEAL are transfers that the payer only confirms. */
static bool wants_card(const struct page *page)
{
    return page->session.provider != NULL && strcmp(page->session.method, "card_web") == 0 &&
           !mango_is_word(" P24 IDEAL ", mango_text(page->object, "CardType"));
}

static bool is_challenge(const struct page *page)
{
    return page->kind != NULL ||
           (page->session.provider != NULL && page->session.status == SESSION_CHALLENGED);
}

static void write_form(struct buf *html, const struct page *page)
{
    if (is_challenge(page)) {
        buf_puts(html, "<p>3-D Secure: your bank asks whether you want to pay.</p>\n"
                       "<form method=\"post\" class=\"stack\">"
                       "<button name=\"challenge\" value=\"approve\">Approve</button>"
                       "<button class=\"plain\" name=\"challenge\" value=\"deny\">Deny</button>"
                       "</form>\n");
        return;
    }
    buf_puts(html, "<div class=\"stack\"><form method=\"post\" autocomplete=\"on\" novalidate>");
    if (wants_card(page))
        html_card_inputs(html, "4970 1071 1111 1119", &page->card);
    else
        buf_puts(html, "<input type=\"hidden\" name=\"action\" value=\"pay\">");
    buf_puts(html, page->session.provider != NULL
                       ? "<button>Pay</button></form>\n"
                       : "<button>Confirm the mandate</button></form>\n");
    buf_puts(html, "<form method=\"post\"><button class=\"plain\" name=\"action\" "
                   "value=\"cancel\">Cancel</button></form></div>\n");
}

static void write_sum(struct buf *html, const struct page *page)
{
    html_text(html, "<main class=\"two\"><section class=\"card\"><p class=\"soft\">",
              page->session.provider != NULL ? "Payment" : "Authorization", "</p>");
    if (page->session.provider != NULL || page->kind != NULL) {
        buf_puts(html, "<p class=\"sum\">");
        buf_money(html, mango_amount(page->object, "DebitedFunds"),
                  mango_currency(page->object, "DebitedFunds"));
        buf_puts(html, "</p>");
    }
    html_text(html, "<p class=\"soft small\"><code>", page->id, "</code></p></section>\n");
}

static void show(struct page *page, int status)
{
    struct buf *html = &page->response->body;
    const char *url = return_url(page);
    page->response->status = status;
    html_begin(html, "Mangopay: secure payment", "Mangopay");
    write_sum(html, page);
    buf_puts(html, "<section class=\"card\"><h1>Your payment</h1>\n");
    if (is_open(page))
        write_form(html, page);
    else
        html_text(html, "<p class=\"note\" role=\"status\">", mango_text(page->object, "Status"),
                  "</p>\n");
    if (!is_open(page) && *url != '\0')
        html_text(html, "<a class=\"button plain\" href=\"", url, "\">Return to the shop</a>\n");
    buf_puts(html, "</section></main>\n");
    html_end(html);
    answer_html(page->response);
    /* every form may lead on to the merchant, wherever that is */
    http_header_set(page->response, "Content-Security-Policy", ANSWER_POLICY "'self' https: http:");
}

/* --- what the payer does --- */

/* A payment that is over by now changes nothing: the browser then sees what is. */
static void end(struct page *page, const char *code)
{
    enum err err = ERR_NONE;
    if (page->session.provider != NULL)
        err = mango_payin_end(page->arena, &page->session, code, false, &page->session);
    else if (page->kind != NULL)
        mango_authorization_end(page->arena, page->kind, page->id, code);
    (void)err;
    go_on(page);
}

static const char *field(const struct http_field *fields, const char *name)
{
    const char *value = http_form_get(fields, name);
    return value == NULL ? "" : value;
}

static void pay_by_card(struct page *page, const struct http_field *fields)
{
    struct card card;
    const char *number = field(fields, "card_number");
    if (!card_check(number, field(fields, "expiry"), field(fields, "cvc"), mango_now_ms(), &card,
                    &page->card)) {
        show(page, 422);
        return;
    }
    mango_card_keep(page->arena, page->id, number,
                    mango_print(page->arena, "%s%s", card.exp_month, card.exp_year + 2), &card);
    bool asks = card.outcome == CARD_CHALLENGE ||
                strcmp(mango_text(page->object, "SecureMode"), "FORCE") == 0 ||
                mango_is_word(" AMEX MAESTRO BCMC ", mango_text(page->object, "CardType"));
    const char *code = mango_outcome_code(card.outcome);
    if (code != NULL || !asks) {
        end(page, code);
        return;
    }
    enum err err = mango_payin_challenge(page->arena, &page->session, &page->session);
    (void)err; /* over by now: the page shows it */
    go_on(page);
}

/* The author's first name says what the bank makes of it. */
static void confirm_mandate(struct page *page)
{
    struct arena *arena = page->arena;
    const struct json *user = mango_get(arena, "user", mango_text(page->object, "UserId"));
    if (strcmp(mango_text(user, "FirstName"), "Invalid") == 0) {
        mango_mandate_end(arena, page->id, "FAILED", "001802");
    } else {
        mango_mandate_end(arena, page->id, "SUBMITTED", "001836");
        mango_mandate_end(arena, page->id, "ACTIVE", "000000");
    }
    go_on(page);
}

/* What a payer's refusal is called. */
static const char *cancel_code(const struct page *page)
{
    bool is_paypal = page->session.provider != NULL && strcmp(page->session.method, "paypal") == 0;
    return is_paypal ? "201004" : "101002";
}

static void act(struct page *page, const struct http_field *fields)
{
    const char *action = field(fields, "action"), *challenge = field(fields, "challenge");
    bool is_mandate = page->session.provider == NULL && page->kind == NULL;
    if (!is_open(page)) {
        go_on(page);
    } else if (strcmp(action, "cancel") == 0 && is_mandate) {
        mango_mandate_end(page->arena, page->id, "FAILED", "001805");
        go_on(page);
    } else if (strcmp(action, "cancel") == 0) {
        end(page, cancel_code(page));
    } else if (is_challenge(page)) {
        if (*challenge == '\0')
            show(page, 422);
        else
            end(page, strcmp(challenge, "approve") == 0 ? NULL : "101301");
    } else if (is_mandate) {
        confirm_mandate(page);
    } else if (wants_card(page)) {
        pay_by_card(page, fields);
    } else {
        end(page, NULL);
    }
}

static void post(struct page *page)
{
    struct http_field *fields;
    const struct http_request *request = page->request;
    if (http_form_parse(page->arena, request->body, request->body_len, &fields) != ERR_NONE) {
        show_message(page->response, 400, "The form cannot be read", "Go back and try again.");
        return;
    }
    act(page, fields);
}

/* The address must be one that we made. */
static bool find(struct page *page, const char *path)
{
    struct http_field *query;
    const char *id = strrchr(path, '/');
    if (id == NULL || strlen(id) < 2 ||
        http_form_parse(page->arena, page->request->query, strlen(page->request->query), &query) !=
            ERR_NONE)
        return false;
    page->id = id + 1;
    const char *token = field(query, "client-token");
    if (strncmp(token, "hpp_", 4) != 0 || strcmp(token + 4, mango_seal(page->arena, page->id)) != 0)
        return false;
    load(page);
    return page->object != NULL;
}

void mango_page(const struct http_request *request, const char *path,
                struct http_response *response)
{
    struct page page = {.request = request, .response = response, .arena = request->arena};
    if (!find(&page, path))
        show_message(response, 404, "Payment not found", "This payment link is not valid.");
    else if (strcmp(request->method, "POST") == 0)
        post(&page);
    else if (strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0)
        show(&page, 200);
    else
        answer_method(response, "GET, HEAD, POST");
}
