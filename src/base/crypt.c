/* The only file that knows OpenSSL. Encodings are our own because OpenSSL's base64 is lenient. */
#include "base/crypt.h"

#include <assert.h>
#include <malloc.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
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

enum { KEYS_KEPT = 4 };

/* Each thread has its own, made once: to look an algorithm up takes locks that all threads share.
 * A context keeps its key, which takes half of the time of a short hash to set. */
struct hashers {
    EVP_MD_CTX *sha256;
    struct keyed_hasher {
        EVP_MAC_CTX *context;
        unsigned char *key;
        size_t len;
    } hmacs[KEYS_KEPT];
    size_t next_hmac; /* makes room for a new key */
};

static pthread_key_t hashers_key;
static EVP_MD *sha256;
static EVP_MAC *hmac;

static void hashers_free(void *context)
{
    struct hashers *hashers = context;
    EVP_MD_CTX_free(hashers->sha256);
    for (size_t i = 0; i < KEYS_KEPT; i++) {
        EVP_MAC_CTX_free(hashers->hmacs[i].context);
        OPENSSL_clear_free(hashers->hmacs[i].key, hashers->hmacs[i].len);
    }
    free(hashers);
}

static void find_algorithms(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (sha256 == NULL || hmac == NULL || pthread_key_create(&hashers_key, hashers_free) != 0)
        abort(); /* nothing can be signed or checked without them */
}

static struct hashers *hashers_new(void)
{
    struct hashers *hashers = calloc(1, sizeof *hashers);
    if (hashers == NULL || (hashers->sha256 = EVP_MD_CTX_new()) == NULL ||
        pthread_setspecific(hashers_key, hashers) != 0)
        abort(); /* OpenSSL is out of memory: any answer would be a guess */
    return hashers;
}

static struct hashers *my_hashers(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, find_algorithms);
    struct hashers *mine = pthread_getspecific(hashers_key);
    return mine == NULL ? hashers_new() : mine;
}

void crypt_sha256(const void *data, size_t len, unsigned char ret_hash[CRYPT_HASH_BYTES])
{
    EVP_MD_CTX *context = my_hashers()->sha256;
    if (EVP_DigestInit_ex2(context, sha256, NULL) != 1 ||
        EVP_DigestUpdate(context, data, len) != 1 ||
        EVP_DigestFinal_ex(context, ret_hash, NULL) != 1)
        abort();
}

static void set_key(struct keyed_hasher *keyed, const struct secret *key)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_END};
    OPENSSL_clear_free(keyed->key, keyed->len);
    keyed->key = OPENSSL_memdup(key->bytes_, key->len_);
    keyed->len = key->len_;
    if (keyed->context == NULL)
        keyed->context = EVP_MAC_CTX_new(hmac);
    if (keyed->key == NULL || keyed->context == NULL ||
        EVP_MAC_init(keyed->context, key->bytes_, key->len_, params) != 1)
        abort();
}

/* Ready for a new hash. */
static EVP_MAC_CTX *keyed_with(const struct secret *key)
{
    struct hashers *mine = my_hashers();
    for (size_t i = 0; i < KEYS_KEPT; i++) {
        struct keyed_hasher *keyed = &mine->hmacs[i];
        if (keyed->len != key->len_ || memcmp(keyed->key, key->bytes_, key->len_) != 0)
            continue;
        if (EVP_MAC_init(keyed->context, NULL, 0, NULL) != 1)
            abort();
        return keyed->context;
    }
    struct keyed_hasher *keyed = &mine->hmacs[mine->next_hmac++ % KEYS_KEPT];
    set_key(keyed, key);
    return keyed->context;
}

void crypt_hmac_sha256(const struct secret *key, const void *data, size_t len,
                       unsigned char ret_hash[CRYPT_HASH_BYTES])
{
    assert(secret_is_set(key));
    EVP_MAC_CTX *context = keyed_with(key);
    size_t hash_len = 0;
    if (EVP_MAC_update(context, data, len) != 1 ||
        EVP_MAC_final(context, ret_hash, &hash_len, CRYPT_HASH_BYTES) != 1 ||
        hash_len != CRYPT_HASH_BYTES)
        abort();
}

/* --- public keys --- */

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = PUBLIC_SIGNATURE_MAX * 8, P256_BYTES = 32 };

static const char rs256[] = "RS256", es256[] = "ES256", eddsa[] = "EdDSA";

/* The one algorithm of a key; NULL for keys that we do not take. */
static const char *algorithm_of(EVP_PKEY *key)
{
    char curve[32] = "";
    int bits = EVP_PKEY_get_bits(key);
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX ? rs256 : NULL;
    case EVP_PKEY_EC:
        (void)EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof curve,
                                             NULL);
        return strcmp(curve, SN_X9_62_prime256v1) == 0 ? es256 : NULL;
    case EVP_PKEY_ED25519:
        return eddsa;
    default:
        return NULL;
    }
}

/* Its numbers make sense: the point lies on the curve, the modulus is odd, and so on. */
static bool key_is_sound(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool sound = context != NULL && EVP_PKEY_public_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    return sound;
}

bool public_key_load(const char *pem, struct public_key *ret_key)
{
    static const char begin[] = "-----BEGIN ";
    char no_password[] = ""; /* else OpenSSL would ask whoever sits at the terminal */
    const char *first = strstr(pem, begin);
    if (first == NULL || strstr(first + 1, begin) != NULL)
        return false; /* of two keys, one would be ignored without a word */
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, NULL, no_password);
    const char *algorithm = key != NULL && key_is_sound(key) ? algorithm_of(key) : NULL;
    BIO_free(bio);
    ERR_clear_error(); /* what is left here would confuse the next one who asks: curl */
    if (algorithm == NULL) {
        EVP_PKEY_free(key);
        return false;
    }
    *ret_key = (struct public_key){.key_ = key, .algorithm_ = algorithm};
    crypt_sha256(pem, strlen(pem), ret_key->fingerprint);
    return true;
}

void public_key_free(struct public_key *key)
{
    EVP_PKEY_free(key->key_);
    *key = (struct public_key){0};
}

const char *public_key_algorithm(const struct public_key *key)
{
    return key->key_ == NULL ? "" : key->algorithm_;
}

/* OpenSSL wants r and s in DER; the caller frees *ret_der. 0: no memory. */
static size_t encode_rs(const unsigned char *rs, unsigned char **ret_der)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(rs, P256_BYTES, NULL), *s = BN_bin2bn(rs + P256_BYTES, P256_BYTES, NULL);
    int len = 0;
    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* they are the pair's now */
        len = i2d_ECDSA_SIG(pair, ret_der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return len > 0 ? (size_t)len : 0;
}

static bool verify(EVP_PKEY *key, const EVP_MD *hash, const void *data, size_t len,
                   const unsigned char *signature, size_t signature_len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool right = context != NULL && EVP_DigestVerifyInit(context, NULL, hash, NULL, key) == 1 &&
                 EVP_DigestVerify(context, signature, signature_len, data, len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return right;
}

static bool verify_rs(EVP_PKEY *key, const void *data, size_t len, const unsigned char *signature,
                      size_t signature_len)
{
    unsigned char *der = NULL;
    if (signature_len != 2 * P256_BYTES)
        return false;
    size_t der_len = encode_rs(signature, &der);
    bool right = der_len > 0 && verify(key, EVP_sha256(), data, len, der, der_len);
    OPENSSL_free(der);
    return right;
}

bool public_key_verify(const struct public_key *key, const void *data, size_t len,
                       const unsigned char *signature, size_t signature_len)
{
    assert(key->key_ != NULL);
    if (key->algorithm_ == es256)
        return verify_rs(key->key_, data, len, signature, signature_len);
    return verify(key->key_, key->algorithm_ == rs256 ? EVP_sha256() : NULL, data, len, signature,
                  signature_len);
}

/* --- whom to trust --- */

struct trust {
    const char *ca_file;
    X509_STORE *store;
    struct trust *next;
};

static struct {
    pthread_mutex_t mutex;
    struct trust *first;
} trusts = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* At once: else the first connections do it while others already look at them. */
static void cache_extensions(X509_STORE *store)
{
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509 *certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        if (certificate != NULL)
            (void)X509_check_purpose(certificate, -1, 0);
    }
}

static struct trust *trust_read(const char *ca_file)
{
    struct trust *trust = calloc(1, sizeof *trust);
    X509_STORE *store = trust == NULL ? NULL : X509_STORE_new();
    char *name = trust == NULL ? NULL : strdup(ca_file);
    if (store == NULL || name == NULL || X509_STORE_load_file(store, ca_file) != 1) {
        X509_STORE_free(store);
        free(name);
        free(trust);
        ERR_clear_error();
        return NULL;
    }
    cache_extensions(store);
    *trust = (struct trust){name, store, trusts.first};
    trusts.first = trust;
    return trust;
}

bool crypt_trust(void *ssl_context, const char *ca_file)
{
    (void)pthread_mutex_lock(&trusts.mutex);
    struct trust *trust = trusts.first;
    while (trust != NULL && strcmp(trust->ca_file, ca_file) != 0)
        trust = trust->next;
    if (trust == NULL)
        trust = trust_read(ca_file);
    (void)pthread_mutex_unlock(&trusts.mutex);
    if (trust != NULL)
        SSL_CTX_set1_cert_store(ssl_context, trust->store);
    return trust != NULL;
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
    explicit_bzero(bytes, len); /* a memset that stays, and several times as fast as OpenSSL's */
}

void crypt_free(void *piece)
{
    if (piece != NULL)
        crypt_wipe(piece, malloc_usable_size(piece));
    free(piece);
}

void *crypt_realloc(void *piece, size_t size)
{
    void *moved = malloc(size);
    size_t old = piece == NULL ? 0 : malloc_usable_size(piece);
    if (moved == NULL || piece == NULL)
        return moved;
    memcpy(moved, piece, old < size ? old : size);
    crypt_free(piece);
    return moved;
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

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static const char base64[] = LETTERS_AND_DIGITS "+/", base64url[] = LETTERS_AND_DIGITS "-_";

/* Returns the end of what it wrote, which it does not mark. */
static char *encode_64(const char *alphabet, const void *bytes, size_t len, char *to)
{
    const unsigned char *from = bytes;
    unsigned bits = 0;
    int held = 0;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | from[i];
        held += 8;
        for (; held >= 6; held -= 6)
            *to++ = alphabet[bits >> (held - 6) & 63];
    }
    if (held > 0)
        *to++ = alphabet[bits << (6 - held) & 63];
    return to;
}

static bool decode_64(const char *alphabet, const char *text, size_t text_len,
                      unsigned char *ret_bytes, size_t size, size_t *ret_len)
{
    unsigned bits = 0;
    int held = 0;
    size_t len = 0;
    if (text_len % 4 == 1)
        return false;
    for (size_t i = 0; i < text_len; i++) {
        const char *digit = text[i] == '\0' ? NULL : strchr(alphabet, text[i]);
        if (digit == NULL)
            return false;
        bits = bits << 6 | (unsigned)(digit - alphabet);
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

void base64_encode(const void *bytes, size_t len, char *ret_text)
{
    char *end = encode_64(base64, bytes, len, ret_text);
    while ((end - ret_text) % 4 != 0)
        *end++ = '=';
    *end = '\0';
}

bool base64_decode(const char *text, size_t text_len, unsigned char *ret_bytes, size_t size,
                   size_t *ret_len)
{
    if (text_len % 4 != 0)
        return false;
    for (int i = 0; i < 2 && text_len > 0 && text[text_len - 1] == '='; i++)
        text_len--;
    return decode_64(base64, text, text_len, ret_bytes, size, ret_len);
}

void base64url_encode(const void *bytes, size_t len, char *ret_text)
{
    *encode_64(base64url, bytes, len, ret_text) = '\0';
}

bool base64url_decode(const char *text, size_t text_len, unsigned char *ret_bytes, size_t size,
                      size_t *ret_len)
{
    return decode_64(base64url, text, text_len, ret_bytes, size, ret_len);
}
