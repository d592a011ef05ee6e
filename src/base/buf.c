/* Growing text in an arena: doubles its room, never passes its maximum, remembers a failure. */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { BUF_FIRST = 256 };

void buf_init(struct buf *buf, struct arena *arena, size_t max)
{
    *buf = (struct buf){.arena = arena, .max = max};
}

void buf_show(struct buf *buf, const char *text, size_t len)
{
    *buf = (struct buf){.data = (char *)text, .len = len, .size = len + 1, .max = len};
}

static bool buf_grow(struct buf *buf, size_t more)
{
    if (buf->failed || more > buf->max - buf->len) {
        buf->failed = true;
        return false;
    }
    size_t need = buf->len + more + 1;
    if (need <= buf->size)
        return true;
    size_t size = buf->size == 0 ? BUF_FIRST : buf->size;
    while (size < need)
        size *= 2;
    if (size > buf->max + 1)
        size = buf->max + 1;
    char *data = arena_alloc(buf->arena, size);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    if (buf->len > 0)
        memcpy(data, buf->data, buf->len);
    buf->data = data;
    buf->size = size;
    return true;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
    if (!buf_grow(buf, len))
        return;
    if (len > 0)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_puts(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(len >= 0);
    if (buf_grow(buf, (size_t)len)) {
        (void)vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

void buf_html(struct buf *buf, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            buf_puts(buf, "&amp;");
            break;
        case '<':
            buf_puts(buf, "&lt;");
            break;
        case '>':
            buf_puts(buf, "&gt;");
            break;
        case '"':
            buf_puts(buf, "&quot;");
            break;
        case '\'':
            buf_puts(buf, "&#39;");
            break;
        default:
            buf_add(buf, text, 1);
        }
    }
}

void buf_url(struct buf *buf, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    for (; *text != '\0'; text++) {
        if (strchr(plain, *text) != NULL)
            buf_add(buf, text, 1);
        else
            buf_printf(buf, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

bool buf_ok(const struct buf *buf)
{
    return !buf->failed;
}

const char *buf_text(const struct buf *buf)
{
    return buf->data == NULL ? "" : buf->data;
}

bool text_copy(char *to, size_t size, const char *from)
{
    size_t len = strlen(from);
    if (len >= size) {
        to[0] = '\0';
        return false;
    }
    memcpy(to, from, len + 1);
    return true;
}

size_t text_find(const char *const *texts, size_t count, const char *text)
{
    size_t i = 0;
    while (i < count && strcmp(texts[i], text) != 0)
        i++;
    return i;
}
