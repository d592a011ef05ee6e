/* Key pairs of the test's own, the PEM of their public halves, and signatures as JWS has them. */
#ifndef UNIT_KEYS_H
#define UNIT_KEYS_H

#include "check.h"

#include "base/crypt.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

/* What PEM_write_bio_PUBKEY makes of a key. */
static inline void key_pem(EVP_PKEY *key, char *ret_pem, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
    int len = BIO_read(bio, ret_pem, (int)size - 1);
    assert_in_range(len, 1, size - 2);
    ret_pem[len] = '\0';
    BIO_free(bio);
}

static inline struct public_key key_load(EVP_PKEY *key)
{
    char pem[PUBLIC_KEY_PEM_MAX];
    struct public_key loaded = {0};
    key_pem(key, pem, sizeof pem);
    assert_true(public_key_load(pem, &loaded));
    return loaded;
}

/* As OpenSSL writes it: for ECDSA in DER. */
static inline size_t key_sign(EVP_PKEY *key, const EVP_MD *hash, const void *data, size_t len,
                              unsigned char *ret_signature, size_t size)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t signature_len = size;
    assert_int_equal(EVP_DigestSignInit(context, NULL, hash, NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, ret_signature, &signature_len, data, len), 1);
    EVP_MD_CTX_free(context);
    return signature_len;
}

/* r and s as numbers of so many bytes each. */
static inline size_t key_raw_from_der(const unsigned char *der, size_t der_len, int bytes,
                                      unsigned char *ret_raw)
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
    assert_non_null(pair);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), ret_raw, bytes), bytes);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), ret_raw + bytes, bytes), bytes);
    ECDSA_SIG_free(pair);
    return (size_t)bytes * 2;
}

/* As JWS wants it, with the algorithm that fits the key. */
static inline size_t key_sign_jws(EVP_PKEY *key, const void *data, size_t len,
                                  unsigned char *ret_signature, size_t size)
{
    unsigned char der[200];
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
        return key_sign(key, EVP_sha256(), data, len, ret_signature, size);
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
        return key_sign(key, NULL, data, len, ret_signature, size);
    size_t der_len = key_sign(key, EVP_sha256(), data, len, der, sizeof der);
    return key_raw_from_der(der, der_len, (EVP_PKEY_get_bits(key) + 7) / 8, ret_signature);
}

#endif
