/* The frame of the sandbox' pages and the one style sheet, written into each page.
 * Must not know what a page is about. */
#include "sandbox/html.h"

static const char style[] =
    ":root{--ink:#1c2333;--soft:#5b6478;--line:#dfe3eb;--back:#f4f6fa;--card:#fff;--brand:#3a4fd8;"
    "--good:#12784a;--bad:#b3261e;--warn:#8a5a00}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--back);color:var(--ink);"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}"
    "header{display:flex;align-items:center;gap:.75rem;max-width:60rem;margin:0 auto;"
    "padding:1.5rem 1.25rem}"
    "header b{font-size:1.25rem;letter-spacing:-.01em}"
    ".tag{background:#fff3d6;color:var(--warn);border-radius:1rem;padding:.1rem .7rem;"
    "font-size:.8rem;font-weight:600}"
    "main{max-width:60rem;margin:0 auto;padding:0 1.25rem 3rem;display:grid;gap:1.25rem;"
    "grid-template-columns:minmax(0,1fr)}"
    "@media(min-width:48rem){main.two{grid-template-columns:minmax(0,5fr) minmax(0,6fr);"
    "align-items:start}main.two>.wide{grid-column:1/-1}}"
    ".card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1.5rem;"
    "box-shadow:0 1px 3px rgba(20,30,60,.06)}"
    "h1{font-size:1.35rem;line-height:1.3;margin:0 0 .75rem}h2{font-size:1.05rem;margin:0 0 .75rem}"
    "p{margin:.5rem "
    "0}p+.button{margin-top:1rem}.card>:last-child{margin-bottom:0}.other{margin:1rem 0 "
    "0}.soft{color:var(--soft)}.small{font-size:.875rem}"
    ".sum{font-size:2.1rem;font-weight:700;letter-spacing:-.02em;margin:.25rem 0 1rem}"
    "table{width:100%;border-collapse:collapse}"
    "td,th{padding:.5rem 0;text-align:left;vertical-align:top;border-top:1px solid var(--line);"
    "overflow-wrap:anywhere}th{font-weight:600}td+td,th+td{text-align:right;white-space:nowrap;"
    "padding-left:1rem}table.list td+td{text-align:left;white-space:normal;width:100%}table.list "
    "td:first-child{white-space:nowrap}"
    "@media(max-width:40rem){table.list td{display:block}table.list td+td{border:0;"
    "padding:0 0 .5rem}table.list td:first-child{white-space:normal}}"
    "tr.total td{font-weight:700}"
    "label{display:block;font-weight:600;font-size:.9rem;margin:0 0 .3rem}"
    "input{width:100%;font:inherit;color:inherit;padding:.65rem .8rem;border:1px solid #b9c0ce;"
    "border-radius:9px;background:#fff}"
    "input:focus,button:focus-visible,a:focus-visible,summary:focus-visible"
    "{outline:3px solid var(--brand);outline-offset:2px;border-color:var(--brand)}"
    "input[aria-invalid=true]{border-color:var(--bad)}"
    ".field{margin:0 0 1rem}.pair{display:grid;grid-template-columns:1fr 1fr;gap:1rem}"
    ".problem{color:var(--bad);font-size:.875rem;margin:.3rem 0 0}"
    "button,.button{display:block;width:100%;font:inherit;font-weight:600;text-align:center;"
    "text-decoration:none;padding:.75rem 1rem;border-radius:9px;border:1px solid var(--brand);"
    "background:var(--brand);color:#fff;cursor:pointer}"
    "button:hover,.button:hover{filter:brightness(1.08)}"
    ".plain{background:transparent;color:var(--ink);border-color:#b9c0ce}"
    ".stack{display:grid;gap:.6rem}.row{display:flex;flex-wrap:wrap;gap:.5rem}"
    ".row form{display:contents}.row button{width:auto;font-size:.875rem;padding:.4rem .8rem}"
    ".note{border-radius:9px;padding:.7rem .9rem;margin:0 0 1rem;font-size:.95rem}"
    ".note.bad{background:#fdecea;color:var(--bad)}.note.good{background:#e5f5ec;color:var(--good)}"
    ".note.warn{background:#fff3d6;color:var(--warn)}.note.calm{background:#eef0f6}"
    "details summary{cursor:pointer;font-weight:600}details[open] summary{margin-bottom:1rem}"
    "code{font:0.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:#eef0f6;"
    "border-radius:5px;padding:.1rem .35rem;overflow-wrap:anywhere}"
    "pre{background:#eef0f6;border-radius:9px;padding:.9rem;overflow-x:auto;margin:.75rem 0}"
    "pre code{background:none;padding:0}a{color:var(--brand)}"
    "pre.text{white-space:pre-wrap;overflow-wrap:anywhere}"
    "dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25rem 1rem;margin:.5rem "
    "0}"
    "dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}"
    "iframe.mail{width:100%;height:32rem;border:1px solid var(--line);border-radius:9px;"
    "background:#fff}";

void html_text(struct buf *page, const char *before, const char *text, const char *after)
{
    buf_puts(page, before);
    buf_html(page, text);
    buf_puts(page, after);
}

void html_begin(struct buf *page, const char *title, const char *brand)
{
    buf_puts(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<meta name=\"robots\" content=\"noindex\">\n");
    html_text(page, "<title>", title, "</title>\n<style>");
    buf_puts(page, style);
    html_text(page, "</style>\n</head>\n<body>\n<header><b>", brand,
              "</b><span class=\"tag\">Sandbox: no real money</span></header>\n");
}

void html_end(struct buf *page)
{
    buf_puts(page, "</body>\n</html>\n");
}

void html_input(struct buf *page, const struct html_input *input)
{
    const char *name = input->name;
    buf_printf(page, "<div class=\"field\"><label for=\"%s\">%s</label>", name, input->label);
    buf_printf(page, "<input id=\"%s\" name=\"%s\" placeholder=\"%s\" %s", name, name,
               input->placeholder, input->attributes);
    if (input->problem != NULL) {
        buf_printf(page, " aria-invalid=\"true\" aria-describedby=\"%s-problem\">", name);
        buf_printf(page, "<p class=\"problem\" id=\"%s-problem\">", name);
        html_text(page, "", input->problem, "</p>");
    } else {
        buf_puts(page, ">");
    }
    buf_puts(page, "</div>\n");
}

void html_card_inputs(struct buf *page, const char *example, const struct card_problems *problems)
{
    const struct html_input number = {
        "card_number", "Card number", example,
        "inputmode=\"numeric\" autocomplete=\"cc-number\" maxlength=\"30\" autofocus",
        problems->number};
    const struct html_input expiry = {
        "expiry", "Expiry date", "MM/YY",
        "inputmode=\"numeric\" autocomplete=\"cc-exp\" maxlength=\"9\"", problems->expiry};
    const struct html_input cvc = {"cvc", "Security code", "123",
                                   "inputmode=\"numeric\" autocomplete=\"cc-csc\" maxlength=\"4\"",
                                   problems->cvc};
    html_input(page, &number);
    buf_puts(page, "<div class=\"pair\">");
    html_input(page, &expiry);
    html_input(page, &cvc);
    buf_puts(page, "</div>\n");
}
