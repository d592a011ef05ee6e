/* The only file that knows OpenSSL. Encodings are our own because OpenSSL's base64 is lenient. */
#include "base/crypt.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

const char *secret_reveal(const struct secret *secret)
{
    return (const char *)secret->bytes_;
}

bool secret_is_set(const struct secret *secret)
{
    return secret->len_ > 0;
}

bool secret_set(struct secret *secret, const char *text, size_t len)
{
    if (len >= SECRET_MAX)
        return false;
    memcpy(secret->bytes_, text, len);
    secret->bytes_[len] = '\0';
    secret->len_ = len;
    return true;
}

void crypt_sha256(const void *data, size_t len, unsigned char ret_hash[CRYPT_HASH_BYTES])
{
    if (EVP_Digest(data, len, ret_hash, NULL, EVP_sha256(), NULL) != 1)
        abort(); /* OpenSSL is out of memory: any answer would be a guess */
}

void crypt_hmac_sha256(const struct secret *key, const void *data, size_t len,
                       unsigned char ret_hash[CRYPT_HASH_BYTES])
{
    unsigned int hash_len = CRYPT_HASH_BYTES;
    assert(secret_is_set(key));
    if (HMAC(EVP_sha256(), key->bytes_, (int)key->len_, data, len, ret_hash, &hash_len) == NULL)
        abort();
}

bool crypt_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void crypt_random(void *ret_bytes, size_t len)
{
    if (RAND_bytes(ret_bytes, (int)len) != 1)
        abort(); /* predictable identifiers would be worse than none */
}

void crypt_wipe(void *bytes, size_t len)
{
    OPENSSL_cleanse(bytes, len);
}

void hex_encode(const void *bytes, size_t len, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = bytes;
    for (size_t i = 0; i < len; i++) {
        ret_text[2 * i] = digits[from[i] >> 4];
        ret_text[2 * i + 1] = digits[from[i] & 15];
    }
    ret_text[2 * len] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_decode(const char *text, unsigned char *ret_bytes, size_t len)
{
    if (strlen(text) != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret_bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_encode(const void *bytes, size_t len, char *ret_text)
{
    const unsigned char *from = bytes;
    unsigned bits = 0;
    int held = 0;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | from[i];
        held += 8;
        for (; held >= 6; held -= 6)
            *ret_text++ = base64url[bits >> (held - 6) & 63];
    }
    if (held > 0)
        *ret_text++ = base64url[bits << (6 - held) & 63];
    *ret_text = '\0';
}

bool base64url_decode(const char *text, size_t text_len, unsigned char *ret_bytes, size_t size,
                      size_t *ret_len)
{
    unsigned bits = 0;
    int held = 0;
    size_t len = 0;
    if (text_len % 4 == 1)
        return false;
    for (size_t i = 0; i < text_len; i++) {
        const char *digit = text[i] == '\0' ? NULL : strchr(base64url, text[i]);
        if (digit == NULL)
            return false;
        bits = bits << 6 | (unsigned)(digit - base64url);
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        if (len == size)
            return false;
        ret_bytes[len++] = (unsigned char)(bits >> held);
    }
    if ((bits & ((1u << held) - 1)) != 0)
        return false; /* two texts for the same bytes */
    *ret_len = len;
    return true;
}
