/* The encodings inside a mail: transfer encodings to bytes, character sets to UTF-8. Whatever the
 * bytes are, something readable comes out. */
#ifndef SANDBOX_MAIL_CODE_H
#define SANDBOX_MAIL_CODE_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes inside a mail. */
struct slice {
    const char *text;
    size_t len;
};

/* A body by the name of its transfer encoding; one that is not known leaves it as it is. The bytes
 * live in the arena, or are the slice's own. */
struct slice mail_decode(struct arena *arena, struct slice body, const char *encoding);

/* Appends the bytes as UTF-8. What is not of the character set becomes U+FFFD, and so does NUL; a
 * character set that is not known is read as UTF-8. */
void mail_utf8(struct buf *to, struct slice bytes, const char *charset);

/* Appends a header's value as UTF-8, its encoded words (RFC 2047) decoded. */
void mail_words(struct buf *to, struct slice value);

#endif
