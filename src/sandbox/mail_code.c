/* The encodings inside a mail: quoted-printable, base64, character sets, encoded words.
 * Must not know headers and parts. */
#include "sandbox/mail_code.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>

enum { CHARSET_MAX = 40 };

static int hex_value(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = digit == '\0' ? NULL : strchr(digits, digit);
    return at == NULL ? -1 : (int)((at - digits) % 16);
}

/* How many bytes a soft line end takes at its equals sign; 0: it is none. */
static size_t soft_break(struct slice rest)
{
    size_t at = 1;
    while (at < rest.len && (rest.text[at] == ' ' || rest.text[at] == '\t'))
        at++;
    if (at < rest.len && rest.text[at] == '\r')
        at++;
    return at == rest.len || rest.text[at] == '\n' ? at + (at < rest.len) : 0;
}

/* word: of a header, where an underscore is a space. What is no escape stays as it is. */
static size_t decode_quoted(struct slice from, bool word, char *to)
{
    size_t len = 0;
    for (size_t i = 0; i < from.len;) {
        const struct slice rest = {from.text + i, from.len - i};
        int high = rest.len > 2 ? hex_value(rest.text[1]) : -1;
        int low = high >= 0 ? hex_value(rest.text[2]) : -1;
        size_t skipped = rest.text[0] == '=' && !word ? soft_break(rest) : 0;
        if (skipped > 0) {
            i += skipped;
        } else if (rest.text[0] == '=' && low >= 0) {
            to[len++] = (char)(high * 16 + low);
            i += 3;
        } else {
            to[len++] = word && rest.text[0] == '_' ? ' ' : rest.text[0];
            i++;
        }
    }
    return len;
}

/* What is not of the alphabet is passed over. */
static size_t decode_base64(struct slice from, char *to)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0, held = 0;
    size_t len = 0;
    for (size_t i = 0; i < from.len && from.text[i] != '='; i++) {
        const char *at = from.text[i] == '\0' ? NULL : strchr(alphabet, from.text[i]);
        if (at == NULL)
            continue;
        bits = (bits << 6 | (unsigned)(at - alphabet)) & 0xffff;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        to[len++] = (char)(bits >> held & 0xff);
    }
    return len;
}

struct slice mail_decode(struct arena *arena, struct slice body, const char *encoding)
{
    bool quoted = strcasecmp(encoding, "quoted-printable") == 0;
    if (!quoted && strcasecmp(encoding, "base64") != 0)
        return body;
    char *to = arena_alloc(arena, body.len + 1); /* neither of the two grows */
    if (to == NULL)
        return (struct slice){"", 0};
    size_t len = quoted ? decode_quoted(body, false, to) : decode_base64(body, to);
    return (struct slice){to, len};
}

static iconv_t open_charset(const char *charset)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    iconv_t converter = (iconv_t)-1;
    if (charset[0] != '\0' && charset[strspn(charset, plain)] == '\0')
        converter = iconv_open("UTF-8", charset);
    return converter != (iconv_t)-1 ? converter : iconv_open("UTF-8", "UTF-8");
}

static void put_text(struct buf *to, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        buf_add(to, text[i] == '\0' ? "\xef\xbf\xbd" : text + i, text[i] == '\0' ? 3 : 1);
}

void mail_utf8(struct buf *to, struct slice bytes, const char *charset)
{
    iconv_t converter = open_charset(charset);
    char *in = (char *)bytes.text; /* iconv does not write there */
    size_t left = bytes.len;
    while (converter != (iconv_t)-1 && left > 0 && buf_ok(to)) {
        char chunk[256], *out = chunk;
        size_t room = sizeof chunk;
        bool done = iconv(converter, &in, &left, &out, &room) != (size_t)-1 || errno == E2BIG;
        put_text(to, chunk, (size_t)(out - chunk));
        if (done)
            continue;
        buf_puts(to, "\xef\xbf\xbd");
        in++;
        left--;
    }
    if (converter != (iconv_t)-1)
        (void)iconv_close(converter);
}

/* =?charset?B?text?= at the start of rest. False when there is none. */
struct word {
    char charset[CHARSET_MAX];
    bool quoted;
    struct slice text;
    size_t len; /* of the whole word */
};

static bool find_word(struct slice rest, struct word *ret_word)
{
    const char *end = rest.text + rest.len;
    if (rest.len < 8 || memcmp(rest.text, "=?", 2) != 0)
        return false;
    const char *charset = rest.text + 2, *kind = memchr(charset, '?', (size_t)(end - charset));
    if (kind == NULL || end - kind < 5 || kind[2] != '?' || kind - charset >= CHARSET_MAX ||
        strchr("BbQq", kind[1]) == NULL)
        return false;
    const char *text = kind + 3, *close = memchr(text, '?', (size_t)(end - text));
    if (close == NULL || end - close < 2 || close[1] != '=')
        return false;
    *ret_word = (struct word){.quoted = kind[1] == 'Q' || kind[1] == 'q',
                              .text = {text, (size_t)(close - text)},
                              .len = (size_t)(close + 2 - rest.text)};
    memcpy(ret_word->charset, charset, (size_t)(kind - charset));
    ret_word->charset[strcspn(ret_word->charset, "*")] = '\0'; /* a language may follow */
    return true;
}

static void put_word(struct buf *to, const struct word *word)
{
    char *bytes = arena_alloc(to->arena, word->text.len + 1);
    if (bytes == NULL)
        return;
    size_t len =
        word->quoted ? decode_quoted(word->text, true, bytes) : decode_base64(word->text, bytes);
    mail_utf8(to, (struct slice){bytes, len}, word->charset);
}

void mail_words(struct buf *to, struct slice value)
{
    struct word word;
    size_t plain = 0; /* the text since here waits: blanks between two words do not count */
    bool after_word = false;
    for (size_t i = 0; i < value.len;) {
        const struct slice rest = {value.text + i, value.len - i};
        if (!find_word(rest, &word)) {
            i++;
            continue;
        }
        const struct slice between = {value.text + plain, i - plain};
        size_t blanks = 0;
        while (blanks < between.len && strchr(" \t", between.text[blanks]) != NULL)
            blanks++;
        if (!after_word || blanks < between.len)
            mail_utf8(to, between, "UTF-8");
        put_word(to, &word);
        i += word.len;
        plain = i;
        after_word = true;
    }
    mail_utf8(to, (struct slice){value.text + plain, value.len - plain}, "UTF-8");
}
