/* The pages under /mail/: the newest mails whole, and one mail with its HTML and its source.
 * What a mail says is text to us: its HTML is shown in a frame that can run and load nothing. */
#include "sandbox/mail.h"

#include "sandbox/answer.h"
#include "sandbox/html.h"
#include "sandbox/mail_box.h"
#include "sandbox/settings.h"
#include "sandbox/text.h"

#include <string.h>

enum { SHOWN = 50, SCRATCH_BYTES = 2 * 1024 * 1024 };

static void write_field(struct buf *page, const char *label, const char *value)
{
    html_text(page, "<dt>", label, "</dt>");
    html_text(page, "<dd>", value, "</dd>\n");
}

static void write_mail(struct buf *page, const struct mail *mail, bool cut)
{
    buf_puts(page, "<dl>\n");
    write_field(page, "From", mail->from);
    write_field(page, "To", mail->to);
    write_field(page, "Subject", mail->subject);
    write_field(page, "Date", mail->date);
    write_field(page, "Message-ID", mail->message_id);
    buf_puts(page, "</dl>\n");
    if (mail->text != NULL)
        html_text(page, "<pre class=\"text\">", mail->text, "</pre>\n");
    else
        buf_puts(page, "<p class=\"soft\">This mail has no plain text.</p>\n");
    if (cut)
        buf_puts(page, "<p class=\"note warn\">It is too long: only its beginning is shown.</p>\n");
}

static const char *title(const struct mail *mail)
{
    return mail->subject[0] == '\0' ? "(no subject)" : mail->subject;
}

/* A mail that vanishes meanwhile is passed over. */
static void write_entry(struct buf *page, struct arena *scratch, const char *name)
{
    struct mail mail;
    struct slice raw;
    bool cut;
    if (mail_box_load(scratch, sandbox_settings()->mail_folder, name, &raw, &cut) != ERR_NONE)
        return;
    mail_read(scratch, raw, &mail);
    buf_puts(page, "<article class=\"card\">\n<h2><a href=\"/mail/");
    buf_url(page, name);
    html_text(page, "\">", title(&mail), "</a></h2>\n");
    write_mail(page, &mail, cut);
    buf_puts(page, "</article>\n");
}

static void write_summary(struct buf *page, size_t shown, size_t total)
{
    buf_puts(page, "<section class=\"card\"><h1>Mails</h1>\n");
    if (total == 0)
        buf_puts(page,
                 "<p>None so far. What is sent in the demo arrives here and nowhere else.</p>");
    else if (shown == total)
        buf_printf(page, "<p>%zu so far, the newest first.</p>", total);
    else
        buf_printf(page, "<p>The newest %zu of %zu.</p>", shown, total);
    buf_puts(page, "</section>\n");
}

static void show_list(struct http_response *response)
{
    struct mail_entry list[SHOWN];
    struct buf *page = &response->body;
    struct arena *scratch = arena_new(SCRATCH_BYTES);
    size_t total, count = mail_box_list(sandbox_settings()->mail_folder, list, SHOWN, &total);
    html_begin(page, "Guichet: mails", "Mails");
    buf_puts(page, "<main>\n");
    write_summary(page, count, total);
    for (size_t i = 0; i < count && scratch != NULL; i++) {
        write_entry(page, scratch, list[i].name);
        arena_reset(scratch);
    }
    buf_puts(page, "</main>\n");
    html_end(page);
    arena_free(scratch);
    answer_html(response);
}

static void write_source(struct buf *page, struct arena *arena, struct slice raw)
{
    struct buf source;
    buf_init(&source, arena, 4 * MAIL_MAX);
    mail_utf8(&source, raw, "UTF-8");
    html_text(page, "<details class=\"card\"><summary>Source</summary><pre class=\"text\">",
              buf_text(&source), "</pre></details>\n");
}

static void show_mail(const struct http_request *request, const char *name,
                      struct http_response *response)
{
    struct mail mail;
    struct slice raw;
    bool cut;
    struct buf *page = &response->body;
    if (mail_box_load(request->arena, sandbox_settings()->mail_folder, name, &raw, &cut) !=
        ERR_NONE) {
        answer_error(response, 404, "Not found");
        return;
    }
    mail_read(request->arena, raw, &mail);
    html_begin(page, title(&mail), "Mails");
    html_text(page, "<main>\n<section class=\"card\"><h1>", title(&mail), "</h1>\n");
    write_mail(page, &mail, cut);
    buf_puts(page, "</section>\n");
    if (mail.html != NULL)
        html_text(page,
                  "<section class=\"card\"><h2>As HTML</h2>\n"
                  "<iframe class=\"mail\" sandbox title=\"The mail as HTML\" srcdoc=\"",
                  mail.html, "\"></iframe></section>\n");
    write_source(page, request->arena, raw);
    buf_puts(page, "<p><a href=\"/mail/\">All mails</a></p></main>\n");
    html_end(page);
    answer_html(response);
}

void mail_handle(const struct http_request *request, const char *path,
                 struct http_response *response)
{
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0)
        answer_method(response, "GET, HEAD");
    else if (path[0] == '\0')
        answer_see_other(response, "/mail/");
    else if (strcmp(path, "/") == 0)
        show_list(response);
    else
        show_mail(request, path + 1, response);
}
