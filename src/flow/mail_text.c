/* Words and encodings of the confirmation: every sentence is written once and goes into the plain
 * text and into the HTML. Pure: sends nothing, reads no clock and no database. */
#include "flow/mail_text.h"

#include "base/address.h"
#include "base/buf.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LINE_MAX_BYTES = 76, WORD_BYTES = 59, SENTENCE_MAX = 1000, PLAIN_NAME_MAX = 60 };

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* Both bodies, before their encoding. */
struct page {
    struct arena *arena;
    struct buf text, html;
};

/* --- encodings --- */

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == '\x7f';
}

/* Not the first byte of a character in UTF-8. */
static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* A byte of a line in quoted-printable; a blank at the end of a line would get lost on the way. */
static void put_quoted(struct buf *out, char c, bool line_ends, size_t *column)
{
    bool plain = (c > ' ' && c <= '~' && c != '=') || (c == ' ' && !line_ends);
    if (*column + (plain ? 1 : 3) >= LINE_MAX_BYTES) {
        buf_puts(out, "=\r\n");
        *column = 0;
    }
    if (plain)
        buf_add(out, &c, 1);
    else
        buf_printf(out, "=%02X", (unsigned char)c);
    *column += plain ? 1 : 3;
}

static void put_quoted_text(struct buf *out, const char *text)
{
    size_t column = 0;
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            buf_puts(out, "\r\n");
            column = 0;
        } else {
            put_quoted(out, *text, text[1] == '\n' || text[1] == '\0', &column);
        }
    }
}

/* Words of RFC 2047, each of whole characters. */
static void put_encoded_words(struct buf *out, const char *text)
{
    while (*text != '\0') {
        char word[WORD_BYTES + 1];
        size_t len = 0, taken = 0;
        for (size_t next; text[taken] != '\0'; taken = next) {
            next = taken + 1;
            while (is_continuation(text[next]) && next - taken < 4)
                next++;
            if (len + 3 * (next - taken) > WORD_BYTES)
                break;
            for (size_t i = taken; i < next; i++, len += 3)
                (void)snprintf(word + len, sizeof word - len, "=%02X", (unsigned char)text[i]);
        }
        buf_printf(out, "=?UTF-8?Q?%s?=\r\n ", word);
        text += taken;
    }
}

/* --- header --- */

static void put_recipient(struct buf *out, const struct mail_facts *facts)
{
    size_t len = strlen(facts->to_name);
    buf_puts(out, "To: ");
    if (len > 0 && len <= PLAIN_NAME_MAX && strspn(facts->to_name, LETTERS_AND_DIGITS " ") == len)
        buf_printf(out, "%s\r\n ", facts->to_name);
    else
        put_encoded_words(out, facts->to_name);
    buf_printf(out, "<%s>\r\n", facts->to_address);
}

/* strftime would write the day in the locale's language. */
static void put_date(struct buf *out, int64_t date_ms)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(date_ms / 1000);
    struct tm t;
    (void)gmtime_r(&seconds, &t);
    buf_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[t.tm_wday], t.tm_mday,
               months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

static size_t count_delivered(const struct mail_facts *facts)
{
    size_t count = 0;
    for (size_t i = 0; i < facts->lines_count; i++)
        count += facts->lines[i].delivered;
    return count;
}

static void put_subject(struct buf *out, const struct mail_facts *facts)
{
    char amount[MONEY_TEXT_MAX];
    const char *currency = money_currency(&facts->amount);
    money_format(&facts->amount, amount);
    if (facts->type == PAYMENT_BALANCE)
        buf_printf(out, "Subject: %s %s added to your balance\r\n", amount, currency);
    else if (count_delivered(facts) > 0)
        buf_printf(out, "Subject: Your purchase for %s %s\r\n", amount, currency);
    else
        buf_printf(out, "Subject: Your payment of %s %s is on your balance\r\n", amount, currency);
}

static void put_header(struct buf *out, const struct mail_facts *facts)
{
    buf_printf(out, "From: <%s>\r\n", facts->from_address);
    put_recipient(out, facts);
    put_subject(out, facts);
    put_date(out, facts->date_ms);
    buf_printf(out, "Message-ID: <%s.completed@%s>\r\n", facts->payment_id,
               address_domain(facts->from_address));
    buf_puts(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
}

/* --- body --- */

/* One line of text: no control characters, and not longer than it may be. */
static const char *clean_name(struct page *page, const char *name)
{
    struct buf clean;
    size_t characters = 0;
    buf_init(&clean, page->arena, SENTENCE_MAX);
    for (; *name != '\0'; name++) {
        characters += !is_continuation(*name);
        if (characters > MAIL_ITEM_NAME_MAX) {
            buf_puts(&clean, "…");
            break;
        }
        buf_add(&clean, is_control(*name) ? " " : name, 1);
    }
    page->text.failed |= !buf_ok(&clean);
    return buf_text(&clean);
}

static void put_sentences(struct page *page, const struct buf *sentences)
{
    page->text.failed |= !buf_ok(sentences);
    buf_printf(&page->text, "%s\n\n", buf_text(sentences));
    buf_puts(&page->html, "<p>");
    buf_html(&page->html, buf_text(sentences));
    buf_puts(&page->html, "</p>\n");
}

static void put_greeting(struct page *page, const struct mail_facts *facts)
{
    struct buf line;
    buf_init(&line, page->arena, SENTENCE_MAX);
    buf_printf(&line, facts->to_name[0] == '\0' ? "Hello%s," : "Hello %s,", facts->to_name);
    put_sentences(page, &line);
}

static void put_news(struct page *page, const struct mail_facts *facts, const char *end)
{
    char amount[MONEY_TEXT_MAX];
    struct buf line;
    money_format(&facts->amount, amount);
    buf_init(&line, page->arena, SENTENCE_MAX);
    buf_printf(&line, "we have received your payment of %s %s through %s.%s", amount,
               money_currency(&facts->amount), facts->provider, end);
    put_sentences(page, &line);
}

static void put_item(struct page *page, const struct mail_line *line)
{
    const char *name = clean_name(page, line->name);
    const char *currency = money_currency(&line->price);
    char price[MONEY_TEXT_MAX];
    money_format(&line->price, price);
    buf_printf(&page->text, "- %s: %s %s\n", name, price, currency);
    buf_puts(&page->html, "<li>");
    buf_html(&page->html, name);
    buf_printf(&page->html, ": %s %s</li>\n", price, currency);
}

/* The items that were delivered, or those that were not, under a sentence of their own. */
static void put_items(struct page *page, const struct mail_facts *facts, bool delivered,
                      const char *title)
{
    size_t count = count_delivered(facts);
    if ((delivered ? count : facts->lines_count - count) == 0)
        return;
    buf_printf(&page->text, "%s\n\n", title);
    buf_printf(&page->html, "<p>%s</p>\n<ul>\n", title);
    for (size_t i = 0; i < facts->lines_count; i++)
        if (facts->lines[i].delivered == delivered)
            put_item(page, &facts->lines[i]);
    buf_puts(&page->text, "\n");
    buf_puts(&page->html, "</ul>\n");
}

static void put_page(struct page *page, const struct mail_facts *facts)
{
    bool balance = facts->type == PAYMENT_BALANCE;
    struct buf line;
    buf_puts(&page->html, "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
                          "<title>Payment</title></head>\n"
                          "<body style=\"font-family: sans-serif; line-height: 1.5\">\n");
    put_greeting(page, facts);
    put_news(page, facts, balance ? " It is on your balance." : "");
    put_items(page, facts, true, "These items are yours now:");
    put_items(page, facts, false,
              "These items were no longer available. Their price is on your balance instead:");
    buf_init(&line, page->arena, SENTENCE_MAX);
    buf_printf(&line, "Payment %s, completed %s.", facts->payment_id, facts->completed_at);
    put_sentences(page, &line);
    buf_init(&line, page->arena, SENTENCE_MAX);
    buf_puts(&line, "This message was written by a machine. Nobody reads answers to it.");
    put_sentences(page, &line);
    buf_puts(&page->html, "</body>\n</html>\n");
}

static void put_part(struct buf *out, const char *boundary, const char *type,
                     const struct buf *body)
{
    out->failed |= !buf_ok(body);
    buf_printf(out,
               "--%s\r\nContent-Type: %s; charset=utf-8\r\n"
               "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
               boundary, type);
    put_quoted_text(out, buf_text(body));
}

static bool facts_are_fit(const struct mail_facts *facts)
{
    for (const char *c = facts->to_name; *c != '\0'; c++)
        if (is_control(*c))
            return false;
    return address_valid(facts->to_address) && address_valid(facts->from_address) &&
           facts->payment_id[0] != '\0' &&
           facts->payment_id[strspn(facts->payment_id, LETTERS_AND_DIGITS "_")] == '\0';
}

enum err mail_compose(struct arena *arena, const struct mail_facts *facts, const char **ret_message,
                      size_t *ret_len)
{
    /* "=_" cannot occur in quoted-printable, so it cannot occur in a part */
    static const char boundary[] = "=_guichet_part";
    struct page page = {.arena = arena};
    struct buf out;
    if (!facts_are_fit(facts))
        return ERR_PARAMETERS;
    buf_init(&page.text, arena, MAIL_BYTES_MAX);
    buf_init(&page.html, arena, MAIL_BYTES_MAX);
    buf_init(&out, arena, MAIL_BYTES_MAX);
    put_page(&page, facts);
    put_header(&out, facts);
    buf_printf(&out, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n", boundary);
    put_part(&out, boundary, "text/plain", &page.text);
    put_part(&out, boundary, "text/html", &page.html);
    buf_printf(&out, "--%s--\r\n", boundary);
    if (!buf_ok(&out))
        return ERR_OVERLOAD;
    *ret_message = buf_text(&out);
    *ret_len = out.len;
    return ERR_NONE;
}
