/* A webhook from its body to what deliver carries. */
#include "sandbox/signed_notice.h"

#include <string.h>

enum { HEADER_MAX = 1024 };

static const char *sign(struct arena *arena, const struct notice *notice, const struct buf *body,
                        const char *name, const struct secret *usual)
{
    unsigned char hash[CRYPT_HASH_BYTES];
    char hex[2 * CRYPT_HASH_BYTES + 1];
    struct secret key = *usual;
    struct buf header;
    if (notice->token != NULL && !secret_set(&key, notice->token, strlen(notice->token)))
        return NULL;
    crypt_hmac_sha256(&key, buf_text(body), body->len, hash);
    crypt_wipe(&key, sizeof key);
    hex_encode(hash, sizeof hash, hex);
    buf_init(&header, arena, HEADER_MAX);
    buf_printf(&header, "%s: %s", name, notice->signature != NULL ? notice->signature : hex);
    return buf_ok(&header) ? buf_text(&header) : NULL;
}

enum err signed_notice_deliver(struct arena *arena, const struct notice *notice,
                               const struct buf *body, const char *header, const struct secret *key,
                               struct delivery *delivery)
{
    delivery->type = notice->type;
    delivery->session_id = notice->session_id;
    delivery->order_id = notice->order_id;
    delivery->body = buf_text(body);
    delivery->body_len = body->len;
    if (notice->signature == NULL || notice->signature[0] != '\0') {
        delivery->headers[0] = sign(arena, notice, body, header, key);
        if (delivery->headers[0] == NULL)
            return ERR_OVERLOAD;
    }
    return ERR_NONE;
}
