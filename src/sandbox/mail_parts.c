/* Takes a mail apart (RFC 5322, RFC 2045): header fields, the parts of a multipart, the texts.
 * Must not fail: what is not a mail is a mail without headers. */
#include "sandbox/mail_parts.h"

#include <string.h>
#include <strings.h>

enum { DEPTH_MAX = 8, PARAMETER_MAX = 128 };

/* One part, or the whole mail. */
struct part {
    struct slice head, body;
};

/* The length of the first line with its end. */
static size_t line_len(struct slice rest)
{
    const char *end = memchr(rest.text, '\n', rest.len);
    return end == NULL ? rest.len : (size_t)(end - rest.text) + 1;
}

static struct slice after(struct slice slice, size_t len)
{
    return (struct slice){slice.text + len, slice.len - len};
}

/* The head ends at the first empty line. */
static struct part split(struct slice raw)
{
    struct slice rest = raw;
    while (rest.len > 0) {
        size_t len = line_len(rest), head = (size_t)(rest.text - raw.text);
        bool empty = rest.text[0] == '\n' || (len == 2 && rest.text[0] == '\r');
        rest = after(rest, len);
        if (empty)
            return (struct part){{raw.text, head}, rest};
    }
    return (struct part){raw, rest};
}

/* A field with its continuation lines, from its colon on. */
static size_t field_len(struct slice rest)
{
    size_t len = line_len(rest);
    while (len < rest.len && (rest.text[len] == ' ' || rest.text[len] == '\t'))
        len += line_len(after(rest, len));
    return len;
}

/* The field's value on one line, NULL when there is no such field. */
static const char *field(struct arena *arena, struct slice head, const char *name)
{
    size_t name_len = strlen(name);
    for (; head.len > 0; head = after(head, field_len(head))) {
        size_t len = field_len(head), out = 0;
        if (len <= name_len || head.text[name_len] != ':' ||
            strncasecmp(head.text, name, name_len) != 0)
            continue;
        char *value = arena_strndup(arena, head.text + name_len + 1, len - name_len - 1);
        if (value == NULL)
            return NULL;
        for (size_t i = strspn(value, " \t"); value[i] != '\0'; i++)
            if (value[i] != '\r' && value[i] != '\n')
                value[out++] = value[i];
        value[out] = '\0';
        return value;
    }
    return NULL;
}

static const char *header_text(struct arena *arena, struct slice head, const char *name)
{
    struct buf text;
    const char *value = field(arena, head, name);
    buf_init(&text, arena, MAIL_MAX);
    if (value != NULL)
        mail_words(&text, (struct slice){value, strlen(value)});
    return buf_text(&text);
}

/* What follows name= in `text/plain; charset=utf-8`, quoted or not; "" when it is not there. */
static void parameter(const char *value, const char *name, char ret_text[PARAMETER_MAX])
{
    size_t len = 0;
    ret_text[0] = '\0';
    for (const char *at = strchr(value, ';'); at != NULL; at = strchr(at, ';')) {
        at += 1 + strspn(at + 1, " \t");
        if (strncasecmp(at, name, strlen(name)) != 0 || at[strlen(name)] != '=')
            continue;
        at += strlen(name) + 1;
        const char *ends = *at == '"' ? "\"" : "; \t";
        at += *at == '"';
        for (; *at != '\0' && strchr(ends, *at) == NULL && len + 1 < PARAMETER_MAX; at++)
            ret_text[len++] = *at;
        ret_text[len] = '\0';
        return;
    }
}

/* True when the value's first word is this one, or begins with it when it ends in a slash. */
static bool is_type(const char *value, const char *type)
{
    size_t len = strlen(type);
    if (strncasecmp(value, type, len) != 0)
        return false;
    return type[len - 1] == '/' || value[len] == '\0' || strchr("; \t", value[len]) != NULL;
}

static const char *body_text(struct arena *arena, const struct part *part, const char *type)
{
    struct buf text;
    char charset[PARAMETER_MAX];
    const char *encoding = field(arena, part->head, "Content-Transfer-Encoding");
    char word[PARAMETER_MAX] = "";
    if (encoding != NULL)
        (void)text_copy(word, sizeof word, encoding);
    word[strcspn(word, " \t;")] = '\0';
    parameter(type, "charset", charset);
    buf_init(&text, arena, 4 * MAIL_MAX);
    mail_utf8(&text, mail_decode(arena, part->body, word), charset);
    return buf_text(&text);
}

static void read_part(struct arena *arena, struct slice raw, int depth, struct mail *mail);

enum mark { MARK_NONE, MARK_NEXT, MARK_LAST };

/* Whether a line divides the parts: --boundary, or --boundary-- after the last one. */
static enum mark mark_of(struct slice line, const char *boundary)
{
    size_t len = strlen(boundary) + 2;
    if (line.len < len || memcmp(line.text, "--", 2) != 0 ||
        memcmp(line.text + 2, boundary, len - 2) != 0)
        return MARK_NONE;
    bool last = line.len >= len + 2 && memcmp(line.text + len, "--", 2) == 0;
    for (size_t i = last ? len + 2 : len; i < line.len; i++)
        if (line.text[i] == '\0' || strchr(" \t\r\n", line.text[i]) == NULL)
            return MARK_NONE;
    return last ? MARK_LAST : MARK_NEXT;
}

/* The end of the line before a mark belongs to the mark. */
static struct slice between(const char *start, const char *end)
{
    if (end > start && end[-1] == '\n')
        end--;
    if (end > start && end[-1] == '\r')
        end--;
    return (struct slice){start, (size_t)(end - start)};
}

/* Calls read_part with what lies between the marks; the last one may be missing. */
static void read_parts(struct arena *arena, struct slice body, const char *boundary, int depth,
                       struct mail *mail)
{
    const char *start = NULL;
    enum mark mark = MARK_NONE;
    while (body.len > 0 && mark != MARK_LAST) {
        size_t len = line_len(body);
        mark = mark_of((struct slice){body.text, len}, boundary);
        if (mark != MARK_NONE && start != NULL)
            read_part(arena, between(start, body.text), depth, mail);
        body = after(body, len);
        if (mark != MARK_NONE)
            start = body.text;
    }
    if (start != NULL && mark != MARK_LAST)
        read_part(arena, between(start, body.text), depth, mail);
}

static void read_part(struct arena *arena, struct slice raw, int depth, struct mail *mail)
{
    char boundary[PARAMETER_MAX];
    const struct part part = split(raw);
    const char *type = field(arena, part.head, "Content-Type");
    const char *disposition = field(arena, part.head, "Content-Disposition");
    if (type == NULL)
        type = "text/plain";
    if (disposition != NULL && is_type(disposition, "attachment"))
        return;
    parameter(type, "boundary", boundary);
    if (is_type(type, "multipart/") && boundary[0] != '\0' && depth < DEPTH_MAX)
        read_parts(arena, part.body, boundary, depth + 1, mail);
    else if (is_type(type, "text/plain") && mail->text == NULL)
        mail->text = body_text(arena, &part, type);
    else if (is_type(type, "text/html") && mail->html == NULL)
        mail->html = body_text(arena, &part, type);
}

void mail_read(struct arena *arena, struct slice raw, struct mail *ret_mail)
{
    const struct slice head = split(raw).head;
    *ret_mail = (struct mail){
        .from = header_text(arena, head, "From"),
        .to = header_text(arena, head, "To"),
        .subject = header_text(arena, head, "Subject"),
        .date = header_text(arena, head, "Date"),
        .message_id = header_text(arena, head, "Message-ID"),
    };
    read_part(arena, raw, 0, ret_mail);
}
