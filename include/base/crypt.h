/* Digests, keyed hashes, random bytes and text encodings, over OpenSSL.
 * Secrets have a type of their own, which neither the log nor printf can take. */
#ifndef BASE_CRYPT_H
#define BASE_CRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRYPT_HASH_BYTES 32
#define SECRET_MAX       512

struct secret {
    unsigned char bytes_[SECRET_MAX];
    size_t len_;
};

/* The text of a secret for a header or a hash input, NUL-terminated, lives as long as the secret.
 */
const char *secret_reveal(const struct secret *secret);
bool secret_is_set(const struct secret *secret);

/* False when it is longer than SECRET_MAX - 1 bytes. */
bool secret_set(struct secret *secret, const char *text, size_t len);

void crypt_sha256(const void *data, size_t len, unsigned char ret_hash[CRYPT_HASH_BYTES]);
void crypt_hmac_sha256(const struct secret *key, const void *data, size_t len,
                       unsigned char ret_hash[CRYPT_HASH_BYTES]);

/* Proves signatures: RSA of 2048 to 8192 bits (RS256), the curve P-256 (ES256) or Ed25519 (EdDSA),
 * as RFC 7518 and RFC 8037 have them. The algorithm belongs to the key: none other is ever tried
 * with it. May be used by many threads. */
struct public_key {
    struct evp_pkey_st *key_;
    const char *algorithm_;
    unsigned char fingerprint[CRYPT_HASH_BYTES]; /* of its PEM text */
};

#define PUBLIC_KEY_PEM_MAX   4096 /* bytes of PEM */
#define PUBLIC_SIGNATURE_MAX 1024 /* bytes of the longest signature */

/* From the PEM text of one public key ("BEGIN PUBLIC KEY" or "BEGIN RSA PUBLIC KEY"),
 * NUL-terminated. False for anything else; then *ret_key is untouched. Ends with public_key_free.
 */
bool public_key_load(const char *pem, struct public_key *ret_key);
void public_key_free(struct public_key *key);

/* "RS256", "ES256" or "EdDSA"; "" when no key was loaded. */
const char *public_key_algorithm(const struct public_key *key);

/* ES256: r and s of 32 bytes each, one after the other. */
bool public_key_verify(const struct public_key *key, const void *data, size_t len,
                       const unsigned char *signature, size_t signature_len);

/* Makes an SSL_CTX trust the certificates of a file, which is read once per process, however many
 * connections there are: a system's are more than a megabyte. False: it cannot be read. */
bool crypt_trust(void *ssl_context, const char *ca_file);

/* Takes the same time whatever differs. */
bool crypt_equal(const void *a, const void *b, size_t len);

/* Random bytes of the system; ends the program when there are none. */
void crypt_random(void *ret_bytes, size_t len);

/* Overwrites what the compiler must not optimise away. */
void crypt_wipe(void *bytes, size_t len);

/* free and realloc that leave nothing behind: for libraries that keep copies of what we hand them.
 */
void crypt_free(void *piece);
void *crypt_realloc(void *piece, size_t size);

/* Lower-case hexadecimal, NUL-terminated; ret_text has 2 * len + 1 bytes. */
void hex_encode(const void *bytes, size_t len, char *ret_text);

/* Exactly len bytes from 2 * len hexadecimal digits of either case; false otherwise. */
bool hex_decode(const char *text, unsigned char *ret_bytes, size_t len);

/* RFC 4648 section 4, with padding; ret_text has BASE64_SIZE(len) bytes. */
#define BASE64_SIZE(len) (((len) + 2) / 3 * 4 + 1)
void base64_encode(const void *bytes, size_t len, char *ret_text);

/* Strict: whole groups of four, no other alphabet, no stray bits. False if it does not decode or
 * fit. */
bool base64_decode(const char *text, size_t text_len, unsigned char *ret_bytes, size_t size,
                   size_t *ret_len);

/* RFC 4648 section 5 without padding; ret_text has BASE64URL_SIZE(len) bytes. */
#define BASE64URL_SIZE(len) (((len)*4 + 2) / 3 + 1)
void base64url_encode(const void *bytes, size_t len, char *ret_text);

/* Strict: no padding, no other alphabet, no stray bits. False if it does not decode or fit. */
bool base64url_decode(const char *text, size_t text_len, unsigned char *ret_bytes, size_t size,
                      size_t *ret_len);

#endif
