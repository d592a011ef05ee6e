/* Keys and signatures of Standard Webhooks. Must not send, and must not look at a body. */
#include "base/webhook.h"

#include "base/buf.h"

#include <string.h>

enum { KEY_BYTES_MIN = 24, KEY_BYTES_MAX = 64, SIGNED_MAX = 256 * 1024 };

static const char prefix[] = "whsec_";

bool webhook_key(struct secret *secret)
{
    const char *text = secret_reveal(secret);
    size_t len = 0, prefix_len = sizeof prefix - 1;
    unsigned char key[KEY_BYTES_MAX];
    bool fine =
        strncmp(text, prefix, prefix_len) == 0 &&
        base64_decode(text + prefix_len, strlen(text) - prefix_len, key, sizeof key, &len) &&
        len >= KEY_BYTES_MIN && secret_set(secret, (const char *)key, len);
    crypt_wipe(key, sizeof key);
    return fine;
}

enum err webhook_sign(struct arena *arena, const struct secret *key, const char *id, int64_t time_s,
                      const char *body, size_t len, char ret_signature[WEBHOOK_SIGNATURE_MAX])
{
    unsigned char hash[CRYPT_HASH_BYTES];
    struct buf text;
    buf_init(&text, arena, SIGNED_MAX);
    buf_printf(&text, "%s.%lld.", id, (long long)time_s);
    buf_add(&text, body, len);
    if (!buf_ok(&text))
        return ERR_OVERLOAD;
    crypt_hmac_sha256(key, buf_text(&text), text.len, hash);
    memcpy(ret_signature, "v1,", 3);
    base64_encode(hash, sizeof hash, ret_signature + 3);
    return ERR_NONE;
}
