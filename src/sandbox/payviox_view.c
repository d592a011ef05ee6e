/* The HTML of Payviox' payment pages, by the state of the session. Works without scripts; every
 * text from outside is escaped. Must not change a session. */
#include "sandbox/payviox_view.h"

#include "sandbox/html.h"
#include "sandbox/settings.h"
#include "sandbox/text.h"

#include <string.h>

static void write_money(struct buf *page, const char *before, int64_t amount,
                        const struct session *session, const char *after)
{
    buf_puts(page, before);
    buf_money(page, amount, session->currency); /* letters and digits only */
    buf_puts(page, after);
}

static void write_item(struct buf *page, const struct json *item, const struct session *session)
{
    int64_t quantity = 0, price = 0;
    const char *name = json_get_text(item, "name");
    (void)json_int(json_get(item, "quantity"), &quantity);
    (void)json_int(json_get(item, "price"), &price);
    html_text(page, "<tr><td>", name == NULL ? "" : name, "");
    if (quantity > 1)
        buf_printf(page, " <span class=\"soft\">&times; %lld</span>", (long long)quantity);
    write_money(page, "</td><td>", price * quantity, session, "</td></tr>\n");
}

static void write_summary(struct buf *page, const struct payviox_view *view)
{
    const struct session *session = view->session;
    const struct json *items = json_get(view->body, "items");
    const char *description = json_get_text(view->body, "description");
    int64_t fees = payviox_fees(view->method, session->amount);
    html_text(page, "<section class=\"card\"><p class=\"soft\">Pay <b>",
              sandbox_settings()->payviox.merchant, "</b></p>");
    write_money(page, "<p class=\"sum\">", session->amount + fees, session, "</p>\n");
    if (description != NULL)
        html_text(page, "<p>", description, "</p>\n");
    buf_puts(page, "<table>\n");
    for (const struct json *item = items == NULL ? NULL : items->child; item != NULL;
         item = item->next)
        write_item(page, item, session);
    write_money(page, "<tr><td class=\"soft\">Fees</td><td>", fees, session, "</td></tr>\n");
    write_money(page, "<tr class=\"total\"><td>Total</td><td>", session->amount + fees, session,
                "</td></tr>\n</table>\n");
    html_text(page, "<p class=\"soft small\">Order <code>", session->order_id,
              "</code></p></section>\n");
}

static void write_pay_button(struct buf *page, const struct payviox_view *view, int64_t amount)
{
    write_money(page, "<button>Pay ", amount, view->session, "</button>\n");
}

static void write_fields(struct buf *page, const struct payviox_view *view)
{
    const struct html_input email = {"email", "Email address of the account", "you@example.com",
                                     "type=\"email\" autocomplete=\"email\" autofocus",
                                     view->problem};
    const struct html_input code = {
        "code", "BLIK code", "123 456",
        "inputmode=\"numeric\" autocomplete=\"one-time-code\" maxlength=\"7\" autofocus",
        view->problem};
    switch (view->method->form) {
    case FORM_CARD:
        html_card_inputs(page, "4242 4242 4242 4242", &view->card);
        return;
    case FORM_EMAIL:
        html_input(page, &email);
        return;
    case FORM_CODE:
        html_input(page, &code);
        return;
    case FORM_CONFIRM:
    case FORM_CRYPTO:
        buf_puts(page, "<input type=\"hidden\" name=\"action\" value=\"pay\">");
        return;
    }
}

/* Links to the pages of the other methods, unless the merchant allows one only. */
static void write_other_methods(struct buf *page, const struct payviox_view *view)
{
    const char *between = "";
    if (view->session->method != NULL)
        return;
    buf_puts(page, "<p class=\"soft small other\">Pay another way: ");
    for (const struct payviox_method *method = payviox_methods; method->id != NULL; method++) {
        if (method == view->method || !payviox_method_takes(method, view->session->currency))
            continue;
        buf_printf(page, "%s<a href=\"/payviox/", between);
        if (method->redirects)
            buf_printf(page, "redirect/%s/%s\">", method->id, view->session->id);
        else
            buf_printf(page, "secure/%s\">", view->session->id);
        html_text(page, "", method->name, "</a>");
        between = " &middot; ";
    }
    buf_puts(page, "</p>\n");
}

static void write_cancel(struct buf *page)
{
    buf_puts(page, "<form method=\"post\"><button class=\"plain\" name=\"action\" "
                   "value=\"cancel\">Cancel</button></form>\n");
}

static void write_back(struct buf *page, const struct payviox_view *view, const char *class)
{
    buf_printf(page, "<a class=\"%s\" href=\"", class);
    html_text(page, "", view->back_url, "\">Return to ");
    html_text(page, "", sandbox_settings()->payviox.merchant, "</a>\n");
}

static void write_payable(struct buf *page, const struct payviox_view *view)
{
    const struct session *session = view->session;
    int64_t amount = session->amount + payviox_fees(view->method, session->amount);
    html_text(page, "<section class=\"card\"><h1>", view->method->name, "</h1>\n");
    if (session->status == SESSION_FAILED && session->attempt.reason != NULL)
        html_text(page, "<p class=\"note bad\" role=\"alert\">", session->attempt.reason, "</p>\n");
    buf_puts(page, "<div class=\"stack\"><form method=\"post\" autocomplete=\"on\" novalidate>");
    write_fields(page, view);
    write_pay_button(page, view, amount);
    buf_puts(page, "</form>\n");
    if (view->method->form == FORM_CRYPTO)
        buf_puts(page, "<form method=\"post\"><button class=\"plain\" name=\"action\" "
                       "value=\"underpaid\">Send only half of it</button></form>\n");
    if (session->status == SESSION_FAILED)
        write_back(page, view, "button plain");
    else
        write_cancel(page);
    buf_puts(page, "</div>\n");
    write_other_methods(page, view);
    buf_puts(page, "</section>\n");
}

static void write_challenge(struct buf *page, const struct payviox_view *view)
{
    buf_puts(page, "<section class=\"card\"><h1>Confirm with your bank</h1>\n");
    html_text(page, "<p>3-D Secure: your bank asks whether you want to pay with the card ending ",
              view->session->attempt.last4, ".</p>\n");
    buf_puts(page, "<form method=\"post\" class=\"stack\">"
                   "<button name=\"challenge\" value=\"approve\">Approve</button>"
                   "<button class=\"plain\" name=\"challenge\" value=\"deny\">Deny</button>"
                   "</form></section>\n");
}

static void write_incomplete(struct buf *page, const struct payviox_view *view)
{
    const struct session *session = view->session;
    int64_t rest = session->amount - session->attempt.received;
    buf_puts(page, "<section class=\"card\"><h1>Part of the amount is missing</h1>\n");
    write_money(page, "<p class=\"note warn\">Received ", session->attempt.received, session, "");
    write_money(page, ", still to be sent: ", rest, session, ".</p>\n");
    buf_puts(page, "<form method=\"post\"><input type=\"hidden\" name=\"action\" value=\"pay\">");
    write_pay_button(page, view, rest);
    buf_puts(page, "</form></section>\n");
}

static void write_result(struct buf *page, const struct payviox_view *view, const char *tone,
                         const char *title, const char *text)
{
    const struct session_attempt *attempt = &view->session->attempt;
    html_text(page, "<section class=\"card\"><h1>", title, "</h1>\n");
    buf_printf(page, "<p class=\"note %s\" role=\"status\">", tone);
    html_text(page, "", text, "</p>\n");
    if (attempt->last4[0] != '\0') {
        html_text(page, "<p class=\"soft\">Card: ", attempt->brand, "");
        html_text(page, " ending in ", attempt->last4, "</p>\n");
    }
    write_back(page, view, "button");
    buf_puts(page, "</section>\n");
}

static void write_state(struct buf *page, const struct payviox_view *view)
{
    switch (view->session->status) {
    case SESSION_OPENED:
    case SESSION_WITHHELD:
    case SESSION_CHARGED_BACK:
    case SESSION_STATUSES:
        return; /* Payviox has none of these */
    case SESSION_NEW:
    case SESSION_FAILED:
        write_payable(page, view);
        return;
    case SESSION_CHALLENGED:
        write_challenge(page, view);
        return;
    case SESSION_INCOMPLETE:
        write_incomplete(page, view);
        return;
    case SESSION_IN_REVIEW:
        write_result(page, view, "warn", "Your payment is being reviewed",
                     "The payment was received and is checked by the fraud prevention.");
        return;
    case SESSION_SUCCEEDED:
        write_result(page, view, "good", "Payment successful", "Thank you. Your payment is done.");
        return;
    case SESSION_DECLINED:
        write_result(page, view, "bad", "Payment declined",
                     "The fraud prevention declined the payment. Nothing is kept.");
        return;
    case SESSION_REFUNDED:
        write_result(page, view, "calm", "Payment refunded", "The money is on its way back.");
        return;
    case SESSION_EXPIRED:
        write_result(page, view, "calm", "This payment has expired",
                     "Start again at the shop to pay.");
        return;
    }
}

static void write_tool(struct buf *page, const char *action, const char *label)
{
    buf_printf(page,
               "<form method=\"post\"><button class=\"plain\" name=\"action\" value=\"%s\">%s"
               "</button></form>\n",
               action, label);
}

static void write_test_cards(struct buf *page)
{
    buf_puts(page,
             "<table class=\"list\">\n"
             "<tr><td><code>4242 4242 4242 4242</code></td><td>pays</td></tr>\n"
             "<tr><td><code>4000 0000 0000 0002</code></td><td>is declined</td></tr>\n"
             "<tr><td><code>4000 0000 0000 9995</code></td><td>lacks funds</td></tr>\n"
             "<tr><td><code>4000 0027 6000 3184</code></td><td>asks for 3-D Secure</td></tr>\n"
             "</table><p class=\"soft small\">Any expiry date ahead, any security code of "
             "three digits.</p>\n");
}

/* Everything that a payer cannot do but that happens to payments. */
static void write_tools(struct buf *page, const struct session *session)
{
    bool payable = session->status == SESSION_NEW || session->status == SESSION_FAILED ||
                   session->status == SESSION_CHALLENGED || session->status == SESSION_INCOMPLETE;
    bool review = session->status == SESSION_IN_REVIEW;
    buf_puts(page, "<details class=\"card wide\"><summary>Sandbox tools</summary>\n");
    html_text(page, "<p class=\"soft small\">State: <code>", session_status_word(session->status),
              "</code></p>");
    if (payable)
        write_test_cards(page);
    buf_puts(page, "<div class=\"row\">\n");
    if (payable)
        write_tool(page, "pending_review", "Pay, but hold for review");
    if (review)
        write_tool(page, "approve", "Approve the review");
    if (payable || review)
        write_tool(page, "declined", "Decline as fraud");
    if (payable)
        write_tool(page, "expired", "Let it expire");
    if (session->status == SESSION_SUCCEEDED)
        write_tool(page, "refunded", "Refund it");
    buf_puts(page, "</div><p class=\"small\"><a href=\"/\">About this sandbox</a></p></details>\n");
}

void payviox_view_write(struct buf *page, const struct payviox_view *view)
{
    html_begin(page, "Payviox: secure payment", "Payviox");
    buf_puts(page, "<main class=\"two\">\n");
    write_summary(page, view);
    write_state(page, view);
    write_tools(page, view->session);
    buf_puts(page, "</main>\n");
    html_end(page);
}

void payviox_view_message(struct buf *page, const char *title, const char *text)
{
    html_begin(page, "Payviox", "Payviox");
    html_text(page, "<main><section class=\"card\"><h1>", title, "</h1>");
    html_text(page, "<p>", text, "</p></section></main>\n");
    html_end(page);
}
