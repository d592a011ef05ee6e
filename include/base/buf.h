/* A growing piece of text in an arena, with a stated maximum.
 * Errors stick: write without looking, then ask buf_ok once at the end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

struct buf {
    struct arena *arena;
    char *data; /* always NUL-terminated once written to; NULL before */
    size_t len, size, max;
    bool failed;
};

/* max: bytes of text at most, without the NUL. */
void buf_init(struct buf *buf, struct arena *arena, size_t max);

/* Shows a text that lives elsewhere, at least as long, and takes no memory. Nothing can be added.
 */
void buf_show(struct buf *buf, const char *text, size_t len);

void buf_add(struct buf *buf, const void *data, size_t len);
void buf_puts(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text with the characters that HTML gives a meaning written as entities. */
void buf_html(struct buf *buf, const char *text);

/* Percent-encodes text for a query or a form. */
void buf_url(struct buf *buf, const char *text);

/* False when anything did not fit. */
bool buf_ok(const struct buf *buf);

/* The text, "" before the first write. */
const char *buf_text(const struct buf *buf);

/* Copies text into a fixed array; false when it does not fit (then the array holds ""). */
bool text_copy(char *to, size_t size, const char *from);

/* The place of a text among so many; count when it is none of them. */
size_t text_find(const char *const *texts, size_t count, const char *text);

#endif
