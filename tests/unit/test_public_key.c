/* Public keys: which are taken and with which algorithm, the vectors of the RFCs, and signatures
 * that are almost right. */
#include "check.h"
#include "keys.h"

#include "base/crypt.h"

#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define BEGIN "-----BEGIN PUBLIC KEY-----\n"
#define END   "-----END PUBLIC KEY-----\n"

static const char rsa_pem[] =
    BEGIN "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n"
          "NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n"
          "P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n"
          "9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n"
          "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n"
          "FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n"
          "oQIDAQAB\n" END;
static const char ec_pem[] =
    BEGIN "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
          "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n" END;
static const char ed_pem[] =
    BEGIN "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n" END;

#define JOE                                                                                        \
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnV" \
    "lfQ"

/* RFC 7515, appendices A.2 and A.3; RFC 8037, appendix A.4 */
static const struct {
    const char *algorithm, *pem, *text, *signature;
} vectors[] = {
    {"RS256", rsa_pem, "eyJhbGciOiJSUzI1NiJ9" JOE,
     "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
     "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb"
     "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO"
     "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
    {"ES256", ec_pem, "eyJhbGciOiJFUzI1NiJ9" JOE,
     "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
    {"EdDSA", ed_pem, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
     "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"},
};

static bool verifies(const struct public_key *key, const char *text, const unsigned char *signature,
                     size_t len)
{
    bool right = public_key_verify(key, text, strlen(text), signature, len);
    /* an error that stays in OpenSSL's queue would be curl's next error */
    assert_int_equal(ERR_peek_error(), 0);
    return right;
}

static void published_signatures(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        unsigned char signature[PUBLIC_SIGNATURE_MAX + 1] = {0};
        struct public_key key = {0};
        size_t len;
        assert_string_equal(public_key_algorithm(&key), "");
        assert_true(public_key_load(vectors[i].pem, &key));
        ROW(strcmp(public_key_algorithm(&key), vectors[i].algorithm) == 0, "%s is %s",
            vectors[i].algorithm, public_key_algorithm(&key));
        assert_true(base64url_decode(vectors[i].signature, strlen(vectors[i].signature), signature,
                                     sizeof signature, &len));
        ROW(verifies(&key, vectors[i].text, signature, len), "%s", vectors[i].algorithm);
        ROW(!verifies(&key, vectors[i].text + 1, signature, len), "%s of another text",
            vectors[i].algorithm);
        ROW(!verifies(&key, "", signature, len), "%s of nothing", vectors[i].algorithm);
        for (size_t other = 0; other <= sizeof signature; other++)
            ROW(other == len || !verifies(&key, vectors[i].text, signature, other), "%s: %zu bytes",
                vectors[i].algorithm, other);
        for (size_t bit = 0; bit < 8 * len; bit++) {
            signature[bit / 8] = (unsigned char)(signature[bit / 8] ^ 1 << bit % 8);
            ROW(!verifies(&key, vectors[i].text, signature, len), "%s: bit %zu",
                vectors[i].algorithm, bit);
            signature[bit / 8] = (unsigned char)(signature[bit / 8] ^ 1 << bit % 8);
        }
        ROW(verifies(&key, vectors[i].text, signature, len), "%s again", vectors[i].algorithm);
        public_key_free(&key);
        ROW(public_key_algorithm(&key)[0] == '\0', "%s is still there", vectors[i].algorithm);
    }
    ROWS_END();
}

static bool loads(const char *pem)
{
    struct public_key key = {.algorithm_ = "untouched"};
    bool loaded = public_key_load(pem, &key);
    if (loaded)
        public_key_free(&key);
    else
        ROW(key.key_ == NULL && strcmp(key.algorithm_, "untouched") == 0, "written: %s", pem);
    ROW(ERR_peek_error() == 0, "left an error behind: %s", pem);
    return loaded;
}

/* Keys of sizes, curves and kinds. */
static void which_keys(void **state)
{
    struct {
        const char *what;
        EVP_PKEY *key;
        bool taken;
    } rows[] = {
        {"RSA 1024", EVP_RSA_gen(1024), false},
        {"RSA 2047", EVP_RSA_gen(2047), false},
        {"RSA 2048", EVP_RSA_gen(2048), true},
        {"P-256", EVP_EC_gen("P-256"), true},
        {"P-224", EVP_EC_gen("P-224"), false},
        {"P-384", EVP_EC_gen("P-384"), false},
        {"P-521", EVP_EC_gen("P-521"), false},
        {"secp256k1", EVP_EC_gen("secp256k1"), false},
        {"brainpool", EVP_EC_gen("brainpoolP256r1"), false},
        {"Ed25519", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), true},
        {"Ed448", EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), false},
        {"X25519", EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char pem[PUBLIC_KEY_PEM_MAX];
        assert_non_null(rows[i].key);
        key_pem(rows[i].key, pem, sizeof pem);
        ROW(loads(pem) == rows[i].taken, "%s", rows[i].what);
        EVP_PKEY_free(rows[i].key);
    }
    ROWS_END();
}

/* PEM that is none, or of something else. */
static void which_texts(void **state)
{
    static const char *const rows[] = {
        "",
        "\n",
        "key",
        BEGIN,
        BEGIN END,
        BEGIN "AAAA\n" END,
        BEGIN "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n",
        BEGIN "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUQ==\n" END,
        "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n",
        /* two keys: the second would be ignored */
        BEGIN "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n" END BEGIN
              "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n" END,
        /* encrypted: nobody is asked for a password */
        BEGIN "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00000000000000000000000000000000\n\n"
              "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n" END,
        /* the last byte of the vector's y is another: no point of the curve */
        BEGIN "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
              "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrg==\n" END,
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        ROW(!loads(rows[i]), "took %s", rows[i]);
    ROW(loads(rsa_pem) && loads(ec_pem) && loads(ed_pem), "the vectors");
    ROWS_END();
}

/* A private key, a certificate: whoever names one here has made a mistake. */
static void other_pem(void **state)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *cert = X509_new();
    char pem[8000];
    BIO *bio = BIO_new(BIO_s_mem());
    (void)state;
    assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    pem[BIO_read(bio, pem, sizeof pem - 1)] = '\0';
    ROW(!loads(pem), "a private key");
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    pem[BIO_read(bio, pem, sizeof pem - 1)] = '\0';
    ROW(!loads(pem), "a private key of PKCS #8");
    OSSL_ENCODER_CTX *pkcs1 =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_PUBLIC_KEY, "PEM", "type-specific", NULL);
    assert_int_equal(OSSL_ENCODER_to_bio(pkcs1, bio), 1);
    pem[BIO_read(bio, pem, sizeof pem - 1)] = '\0';
    ROW(loads(pem), "BEGIN RSA PUBLIC KEY"); /* the older form of the same */
    OSSL_ENCODER_CTX_free(pkcs1);
    (void)X509_set_version(cert, 2);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    (void)X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
    pem[BIO_read(bio, pem, sizeof pem - 1)] = '\0';
    ROW(!loads(pem), "a certificate");
    BIO_free(bio);
    X509_free(cert);
    EVP_PKEY_free(key);
    ROWS_END();
}

/* With the exponent 1 everybody can sign. */
static void weak_exponent(void **state)
{
    EVP_PKEY *key = EVP_RSA_gen(2048), *weak = NULL;
    BIGNUM *n = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    unsigned char modulus[256];
    char pem[PUBLIC_KEY_PEM_MAX];
    (void)state;
    assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    assert_int_equal(BN_bn2nativepad(n, modulus, sizeof modulus), sizeof modulus);
    unsigned char exponent[1] = {1};
    OSSL_PARAM params[] = {OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, modulus, sizeof modulus),
                           OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, exponent, 1), OSSL_PARAM_END};
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &weak, EVP_PKEY_PUBLIC_KEY, params), 1);
    key_pem(weak, pem, sizeof pem);
    assert_false(loads(pem));
    BN_free(n);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    EVP_PKEY_free(weak);
    ROWS_END();
}

static void ecdsa_almost(void **state)
{
    /* the order of the curve P-256 */
    static const unsigned char order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
                                            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                            0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                            0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    unsigned char der[100], raw[64], other[100];
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    struct public_key key = key_load(pair);
    size_t der_len = key_sign(pair, EVP_sha256(), "text", 4, der, sizeof der);
    (void)state;
    assert_int_equal(key_raw_from_der(der, der_len, 32, raw), 64);
    ROW(verifies(&key, "text", raw, 64), "the right one");
    ROW(!verifies(&key, "text", der, der_len), "DER");
    memcpy(other, der, der_len);
    ROW(!verifies(&key, "text", other, 64), "DER cut to 64 bytes");
    memset(other, 0, sizeof other);
    ROW(!verifies(&key, "text", other, 64), "r and s are 0");
    memcpy(other + 32, raw + 32, 32);
    ROW(!verifies(&key, "text", other, 64), "r is 0");
    memcpy(other, raw, 32);
    memset(other + 32, 0, 32);
    ROW(!verifies(&key, "text", other, 64), "s is 0");
    memcpy(other + 32, order, 32);
    ROW(!verifies(&key, "text", other, 64), "s is the order");
    memcpy(other, order, 32);
    memcpy(other + 32, raw + 32, 32);
    ROW(!verifies(&key, "text", other, 64), "r is the order");
    memset(other, 0xff, 64);
    ROW(!verifies(&key, "text", other, 64), "all ones");
    memcpy(other, raw + 32, 32);
    memcpy(other + 32, raw, 32);
    ROW(!verifies(&key, "text", other, 64), "s before r");
    ROW(!verifies(&key, "text", raw, 63) && !verifies(&key, "text", raw, 0), "short");
    size_t len = key_sign(pair, EVP_sha384(), "text", 4, der, sizeof der);
    assert_int_equal(key_raw_from_der(der, len, 32, raw), 64);
    ROW(!verifies(&key, "text", raw, 64), "SHA-384");
    public_key_free(&key);
    EVP_PKEY_free(pair);
    ROWS_END();
}

static void rsa_almost(void **state)
{
    unsigned char signature[300] = {0};
    EVP_PKEY *pair = EVP_RSA_gen(2048);
    struct public_key key = key_load(pair);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *padding;
    size_t len = sizeof signature;
    (void)state;
    assert_int_equal(key_sign(pair, EVP_sha256(), "text", 4, signature, sizeof signature), 256);
    ROW(verifies(&key, "text", signature, 256), "the right one");
    ROW(!verifies(&key, "text", signature, 257), "one byte more");
    ROW(!verifies(&key, "text", signature, 255), "one byte less");
    ROW(!verifies(&key, "text", signature + 1, 256), "another byte before it");
    assert_int_equal(key_sign(pair, EVP_sha512(), "text", 4, signature, sizeof signature), 256);
    ROW(!verifies(&key, "text", signature, 256), "SHA-512");
    assert_int_equal(key_sign(pair, EVP_sha1(), "text", 4, signature, sizeof signature), 256);
    ROW(!verifies(&key, "text", signature, 256), "SHA-1");
    assert_int_equal(EVP_DigestSignInit(context, &padding, EVP_sha256(), NULL, pair), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &len, (const unsigned char *)"text", 4), 1);
    ROW(!verifies(&key, "text", signature, len), "PSS");
    memset(signature, 0, sizeof signature);
    ROW(!verifies(&key, "text", signature, 256), "0");
    signature[255] = 1;
    ROW(!verifies(&key, "text", signature, 256), "1");
    memset(signature, 0xff, sizeof signature);
    ROW(!verifies(&key, "text", signature, 256), "larger than the modulus");
    EVP_MD_CTX_free(context);
    public_key_free(&key);
    EVP_PKEY_free(pair);
    ROWS_END();
}

/* s and s + L are the same number to who does not look. */
static void ed25519_almost(void **state)
{
    static const unsigned char group_order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a,       0x63,
                                                  0x12, 0x58, 0xd6, 0x9c, 0xf7,       0xa2,
                                                  0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    unsigned char signature[65] = {0};
    EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    struct public_key key = key_load(pair);
    unsigned carry = 0;
    (void)state;
    assert_int_equal(key_sign(pair, NULL, "text", 4, signature, sizeof signature), 64);
    ROW(verifies(&key, "text", signature, 64), "the right one");
    ROW(!verifies(&key, "text", signature, 65) && !verifies(&key, "text", signature, 63), "length");
    for (int i = 0; i < 32; i++) {
        carry += signature[32 + i] + (unsigned)group_order[i];
        signature[32 + i] = (unsigned char)carry;
        carry >>= 8;
    }
    ROW(!verifies(&key, "text", signature, 64), "s + L");
    memset(signature, 0, sizeof signature);
    ROW(!verifies(&key, "text", signature, 64), "0");
    signature[0] = 1; /* the neutral point, and s = 0 */
    ROW(!verifies(&key, "text", signature, 64), "the neutral point");
    public_key_free(&key);
    EVP_PKEY_free(pair);
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(published_signatures), TEST(which_keys),   TEST(which_texts), TEST(other_pem),
        TEST(weak_exponent),        TEST(ecdsa_almost), TEST(rsa_almost),  TEST(ed25519_almost),
    };
    return cmocka_run_group_tests_name("public key", tests, NULL, NULL);
}
