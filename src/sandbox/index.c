/* The front page: what the sandbox is, the test cards, the faults, and how to arm one. */
#include "sandbox/index.h"

#include "sandbox/answer.h"
#include "sandbox/fault.h"
#include "sandbox/html.h"
#include "sandbox/settings.h"

#include <string.h>

static void write_intro(struct buf *page)
{
    buf_puts(page,
             "<section class=\"card\"><h1>The providers, played locally</h1>\n"
             "<p>This program answers in place of the payment providers: their API, their payment "
             "pages and their webhooks. Nothing here moves real money, and card numbers are "
             "forgotten as soon as they are read.</p>\n"
             "<div class=\"stack\"><a class=\"button\" href=\"/control\">See the journal</a>"
             "<a class=\"button plain\" href=\"/mail/\">Read the mails</a>"
             "<a class=\"button plain\" href=\"/hooks/\">See the events</a></div></section>\n");
}

static void write_cards(struct buf *page)
{
    buf_puts(
        page,
        "<section class=\"card\"><h2>Test cards</h2>\n<table class=\"list\">\n"
        "<tr><td><code>4242 4242 4242 4242</code></td><td>pays</td></tr>\n"
        "<tr><td><code>4000 0000 0000 0002</code></td><td>is declined</td></tr>\n"
        "<tr><td><code>4000 0000 0000 9995</code></td><td>lacks funds</td></tr>\n"
        "<tr><td><code>4000 0027 6000 3184</code></td><td>asks for 3-D Secure</td></tr>\n"
        "<tr><td><code>4970 1071 1111 1119</code></td><td>Mangopay's own: pays</td></tr>\n"
        "<tr><td><code>4970 1051 8181 8183</code></td><td>Mangopay's own: asks for 3-D "
        "Secure</td></tr>\n"
        "<tr><td><code>5033 9510 0000 0004</code></td><td>Mangopay's own Maestro: pays</td></tr>\n"
        "<tr><td><code>3759 891111 11119</code></td><td>Mangopay's own AMEX: pays</td></tr>\n"
        "</table><p class=\"soft small\">Any expiry date ahead, any security code of three "
        "digits (AMEX: four). Every other card number is declined.</p></section>\n");
}

static void write_addresses(struct buf *page)
{
    const struct sandbox_settings *settings = sandbox_settings();
    buf_puts(page, "<section class=\"card wide\"><h2>Payviox</h2>\n<table class=\"list\">\n");
    html_text(page, "<tr><td>API</td><td><code>", settings->public_url,
              "/payviox</code></td></tr>");
    html_text(page, "<tr><td>Pages</td><td><code>", settings->public_url,
              "/payviox/secure/{session_id}</code></td></tr>");
    html_text(page, "<tr><td>Webhooks to</td><td><code>", settings->payviox.webhook_url,
              "</code></td></tr>");
    html_text(page, "<tr><td>Payers return to</td><td><code>", settings->payviox.return_url,
              "</code></td></tr>\n</table></section>\n");
    buf_puts(page, "<section class=\"card wide\"><h2>NonStopPay</h2>\n<table class=\"list\">\n");
    html_text(page, "<tr><td>API</td><td><code>", settings->public_url,
              "/nonstopay</code></td></tr>");
    html_text(page, "<tr><td>Callbacks to</td><td><code>", settings->nonstopay.callback_url,
              "</code></td></tr>\n</table></section>\n");
    buf_puts(page, "<section class=\"card wide\"><h2>Mangopay</h2>\n<table class=\"list\">\n");
    html_text(page, "<tr><td>Base URL</td><td><code>", settings->public_url,
              "/mangopay</code></td></tr>");
    html_text(page, "<tr><td>ClientId</td><td><code>", settings->mangopay.client_id,
              "</code></td></tr>\n</table></section>\n");
}

static void write_faults(struct buf *page)
{
    buf_puts(page,
             "<section class=\"card wide\"><h2>Faults on demand</h2>\n"
             "<p>The next calls or webhooks of a provider misbehave "
             "(<code>CA_CERT</code> is in <code>demo.env</code>):</p>\n<pre class=\"text\"><code>");
    html_text(page, "curl --cacert \"$CA_CERT\" ", sandbox_settings()->public_url, "/control ");
    buf_html(page, "-d '{\"provider\":\"payviox\",\"fault\":\"slow\",\"count\":2,\"ms\":3000}'");
    buf_puts(page, "</code></pre>\n<table class=\"list\">\n");
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        html_text(page, "<tr><td><code>", fault_name((enum fault)fault), "</code></td>");
        html_text(page, "<td>", fault_about((enum fault)fault), "</td></tr>\n");
    }
    buf_puts(page, "</table>\n<p>Payments without a browser, and webhooks made up by hand:</p>\n"
                   "<pre><code>");
    buf_html(page, "{\"provider\":\"payviox\",\"action\":\"pay\",\"session_id\":\"…\","
                   "\"card\":\"4242424242424242\"}\n"
                   "{\"provider\":\"payviox\",\"action\":\"webhook\",\"session_id\":\"…\","
                   "\"type\":\"succeeded\",\"copies\":20}\n"
                   "{\"action\":\"reset\"}");
    buf_puts(page, "</code></pre></section>\n");
}

void index_handle(const struct http_request *request, struct http_response *response)
{
    struct buf *page = &response->body;
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
        answer_method(response, "GET, HEAD");
        return;
    }
    html_begin(page, "Guichet: sandbox", "Guichet");
    buf_puts(page, "<main class=\"two\">\n");
    write_intro(page);
    write_cards(page);
    write_addresses(page);
    write_faults(page);
    buf_puts(page, "</main>\n");
    html_end(page);
    answer_html(response);
}
