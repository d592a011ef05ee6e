/* Session tokens of the marketplace, signed under a public key of each kind: the algorithm is the
 * key's, whatever the token says, and a key never stands in for another. */
#include "check.h"
#include "keys.h"

#include "base/buf.h"
#include "front/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW    1706745600
#define USER   76561198000000001
#define BASE   "\"iss\":\"API\",\"sub\":\"76561198000000001\",\"iat\":1706745600,\"exp\":1706745660"
#define CLAIMS "{" BASE "}"

enum { KIND_RSA, KIND_EC, KIND_ED, KINDS };

static const char *const algorithms[KINDS] = {"RS256", "ES256", "EdDSA"};
static EVP_PKEY *pairs[KINDS], *strangers[KINDS];
static struct public_key keys[KINDS];
static struct secret secret, no_secret;

static EVP_PKEY *new_pair(int kind)
{
    return kind == KIND_RSA  ? EVP_RSA_gen(2048)
           : kind == KIND_EC ? EVP_EC_gen("P-256")
                             : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static int make_keys(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        pairs[kind] = new_pair(kind);
        strangers[kind] = new_pair(kind);
        keys[kind] = key_load(pairs[kind]);
    }
    return !secret_set(&secret, "0123456789abcdef0123456789abcdef", 32);
}

static int free_keys(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        EVP_PKEY_free(pairs[kind]);
        EVP_PKEY_free(strangers[kind]);
        public_key_free(&keys[kind]);
    }
    return 0;
}

static struct token_rules rules_with(const struct secret *hmac, const struct public_key *key)
{
    return (struct token_rules){.key = hmac, .public_key = key, .issuer = "API", .now_s = NOW};
}

static void add_part(struct buf *to, const void *bytes, size_t len)
{
    char *text = malloc(BASE64URL_SIZE(len));
    assert_non_null(text);
    base64url_encode(bytes, len, text);
    buf_puts(to, text);
    free(text);
}

/* "header.claims", to be signed */
static void begin(struct arena *arena, const char *header, const char *claims,
                  struct buf *ret_token)
{
    buf_init(ret_token, arena, 20000);
    add_part(ret_token, header, strlen(header));
    buf_puts(ret_token, ".");
    add_part(ret_token, claims, strlen(claims));
}

static const char *finish(struct buf *token, const void *signature, size_t len)
{
    buf_puts(token, ".");
    add_part(token, signature, len);
    assert_true(buf_ok(token));
    return buf_text(token);
}

static const char *sign(struct arena *arena, EVP_PKEY *pair, const char *header, const char *claims)
{
    unsigned char signature[PUBLIC_SIGNATURE_MAX];
    struct buf token;
    begin(arena, header, claims, &token);
    size_t len = key_sign_jws(pair, buf_text(&token), token.len, signature, sizeof signature);
    return finish(&token, signature, len);
}

static const char *sign_hmac(struct arena *arena, const struct secret *with, const char *header,
                             const char *claims)
{
    unsigned char hash[CRYPT_HASH_BYTES];
    struct buf token;
    begin(arena, header, claims, &token);
    crypt_hmac_sha256(with, buf_text(&token), token.len, hash);
    return finish(&token, hash, sizeof hash);
}

static const char *header_of(struct arena *arena, const char *algorithm)
{
    struct buf header;
    buf_init(&header, arena, 200);
    buf_printf(&header, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", algorithm);
    return buf_text(&header);
}

static bool taken(struct arena *arena, const struct token_rules *rules, const char *token)
{
    struct token_claims claims = {.user_id = -7};
    enum err err = token_verify(arena, rules, token, &claims);
    ROW(err == ERR_NONE || err == ERR_UNAUTHORIZED, "%s", err_message(err));
    ROW(claims.user_id == (err == ERR_NONE ? USER : -7), "user %lld", (long long)claims.user_id);
    return err == ERR_NONE;
}

/* Every key against tokens that each kind of key has signed, under every algorithm's name. */
static void one_algorithm_per_key(void **state)
{
    static const char *const names[] = {"RS256", "ES256",  "EdDSA",   "HS256", "none",
                                        "None",  "",       "rs256",   "PS256", "RS512",
                                        "ES384", "ES256K", "Ed25519", "EDDSA"};
    for (int ours = 0; ours < KINDS; ours++)
        for (int signer = 0; signer < KINDS; signer++)
            for (size_t name = 0; name < COUNT(names); name++) {
                arena_reset(*state);
                const struct token_rules rules = rules_with(&secret, &keys[ours]);
                const char *header = header_of(*state, names[name]);
                bool right = ours == signer && (size_t)ours == name;
                ROW(taken(*state, &rules, sign(*state, pairs[signer], header, CLAIMS)) == right,
                    "key of %s, signed with %s, said to be %s", algorithms[ours],
                    algorithms[signer], names[name]);
                ROW(!taken(*state, &rules, sign(*state, strangers[signer], header, CLAIMS)),
                    "key of %s, another key of %s, said to be %s", algorithms[ours],
                    algorithms[signer], names[name]);
            }
    ROWS_END();
}

static void both_keys_side_by_side(void **state)
{
    for (int kind = 0; kind < KINDS; kind++) {
        const struct token_rules both = rules_with(&secret, &keys[kind]),
                                 only_public = rules_with(&no_secret, &keys[kind]),
                                 only_secret = rules_with(&secret, NULL);
        const char *ours = token_issue(*state, &both, USER, 60);
        const char *theirs = sign(*state, pairs[kind], header_of(*state, algorithms[kind]), CLAIMS);
        struct public_key none = {0};
        const struct token_rules empty = rules_with(&secret, &none);
        ROW(taken(*state, &both, theirs), "%s", algorithms[kind]);
        ROW(taken(*state, &only_public, theirs), "%s alone", algorithms[kind]);
        ROW(!taken(*state, &only_secret, theirs), "%s without a key", algorithms[kind]);
        ROW(!taken(*state, &empty, theirs), "%s with no key loaded", algorithms[kind]);
        ROW(!taken(*state, &only_public, ours), "HS256 without a secret");
        ROW(!taken(*state, &only_public, sign_hmac(*state, &secret, header_of(*state, ""), CLAIMS)),
            "no algorithm and no secret");
        ROW(!taken(*state, &empty, sign_hmac(*state, &secret, header_of(*state, ""), CLAIMS)),
            "no algorithm and no key");
    }
    ROWS_END();
}

/* The classic: the public key is public, so an HMAC under it is anybody's. */
static void public_key_is_no_secret(void **state)
{
    for (int kind = 0; kind < KINDS; kind++) {
        const struct token_rules both = rules_with(&secret, &keys[kind]),
                                 alone = rules_with(&no_secret, &keys[kind]);
        char pem[SECRET_MAX];
        struct secret known;
        key_pem(pairs[kind], pem, sizeof pem);
        for (int newline = 0; newline <= 1; newline++) {
            assert_true(secret_set(&known, pem, strlen(pem) - (size_t)newline));
            const char *const names[] = {"HS256", algorithms[kind]};
            for (size_t i = 0; i < COUNT(names); i++) {
                const char *token = sign_hmac(*state, &known, header_of(*state, names[i]), CLAIMS);
                ROW(!taken(*state, &both, token), "%s under the PEM of %s", names[i],
                    algorithms[kind]);
                ROW(!taken(*state, &alone, token), "%s under the PEM of %s, no secret", names[i],
                    algorithms[kind]);
            }
        }
    }
    ROWS_END();
}

/* A token that brings its own key, or points to one. */
static void keys_that_tokens_bring(void **state)
{
    static const struct {
        const char *more;
        bool taken; /* with our own key's signature */
    } rows[] = {
        {"", true},
        {",\"kid\":\"1\"", true},
        {",\"kid\":\"../../dev/null\"", true},
        {",\"kid\":\"' OR 1=1\"", true},
        {",\"jwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"
         "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
         false},
        {",\"jku\":\"https://evil.example/keys\"", false},
        {",\"x5u\":\"https://evil.example/cert\"", false},
        {",\"x5c\":[\"AAAA\"]", false},
        {",\"crit\":[\"exp\"]", false},
        {",\"b64\":false", false},
        {",\"alg\":\"none\"", false},
    };
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < COUNT(rows); i++) {
            arena_reset(*state);
            const struct token_rules rules = rules_with(&secret, &keys[kind]);
            struct buf header;
            buf_init(&header, *state, 500);
            buf_printf(&header, "{\"alg\":\"%s\"%s}", algorithms[kind], rows[i].more);
            ROW(taken(*state, &rules, sign(*state, pairs[kind], buf_text(&header), CLAIMS)) ==
                    rows[i].taken,
                "%s", buf_text(&header));
            ROW(!taken(*state, &rules, sign(*state, strangers[kind], buf_text(&header), CLAIMS)),
                "another's %s", buf_text(&header));
        }
    ROWS_END();
}

static void wrong_signatures(void **state)
{
    const struct token_rules rules = rules_with(&secret, &keys[KIND_EC]);
    const char *header = header_of(*state, "ES256");
    unsigned char der[200], zero[64] = {0};
    struct buf token;
    begin(*state, header, CLAIMS, &token);
    size_t len =
        key_sign(pairs[KIND_EC], EVP_sha256(), buf_text(&token), token.len, der, sizeof der);
    ROW(!taken(*state, &rules, finish(&token, der, len)), "DER");
    begin(*state, header, CLAIMS, &token);
    ROW(!taken(*state, &rules, finish(&token, zero, sizeof zero)), "zeros");
    begin(*state, header, CLAIMS, &token);
    ROW(!taken(*state, &rules, finish(&token, zero, 0)), "nothing");
    for (int kind = 0; kind < KINDS; kind++) {
        const struct token_rules by = rules_with(&secret, &keys[kind]);
        const char *good = sign(*state, pairs[kind], header_of(*state, algorithms[kind]), CLAIMS);
        size_t whole = strlen(good);
        char *cut = strdup(good);
        ROW(taken(*state, &by, good), "%s", algorithms[kind]);
        for (size_t less = 1; less <= 8; less++) {
            cut[whole - less] = '\0';
            ROW(!taken(*state, &by, cut), "%s: %zu letters less", algorithms[kind], less);
        }
        free(cut);
    }
    /* longer than any key's */
    static unsigned char huge[PUBLIC_SIGNATURE_MAX + 1];
    begin(*state, header_of(*state, "RS256"), CLAIMS, &token);
    const struct token_rules rsa = rules_with(&secret, &keys[KIND_RSA]);
    ROW(!taken(*state, &rsa, finish(&token, huge, sizeof huge)), "a signature too long");
    ROWS_END();
}

/* On P-384, ES256 says nothing. */
static void wrong_curve(void **state)
{
    EVP_PKEY *p384 = EVP_EC_gen("P-384"), *p521 = EVP_EC_gen("P-521");
    const struct token_rules rules = rules_with(&secret, &keys[KIND_EC]);
    const char *header = header_of(*state, "ES256");
    ROW(!taken(*state, &rules, sign(*state, p384, header, CLAIMS)), "P-384");
    ROW(!taken(*state, &rules, sign(*state, p521, header, CLAIMS)), "P-521");
    EVP_PKEY_free(p384);
    EVP_PKEY_free(p521);
    ROWS_END();
}

static void how_sure(void **state)
{
    static const struct {
        const char *more;
        bool taken, api, two_factor;
    } rows[] = {
        {"", true, false, false},
        {",\"API\":true", true, true, false},
        {",\"API\":false", true, false, false},
        {",\"2fa\":true", true, false, true},
        {",\"2fa\":false", true, false, false},
        {",\"API\":false,\"2fa\":true", true, false, true},
        {",\"API\":true,\"2fa\":true", true, true, true},
        {",\"api\":true,\"2FA\":true", true, false, false},
        {",\"2fa\":null", false, false, false},
        {",\"2fa\":1", false, false, false},
        {",\"2fa\":\"true\"", false, false, false},
        {",\"2fa\":[true]", false, false, false},
        {",\"API\":null", false, false, false},
        {",\"API\":\"true\"", false, false, false},
        {",\"2fa\":false,\"2fa\":true", false, false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int kind = 0; kind <= KINDS; kind++) {
            char text[300];
            const struct token_rules rules = rules_with(&secret, kind < KINDS ? &keys[kind] : NULL);
            struct token_claims claims = {-7, false, false};
            arena_reset(*state);
            (void)snprintf(text, sizeof text, "{" BASE "%s}", rows[i].more);
            const char *token =
                kind < KINDS ? sign(*state, pairs[kind], header_of(*state, algorithms[kind]), text)
                             : sign_hmac(*state, &secret, header_of(*state, "HS256"), text);
            bool right = token_verify(*state, &rules, token, &claims) == ERR_NONE;
            ROW(right == rows[i].taken, "%s", rows[i].more);
            ROW(claims.user_id == (right ? USER : -7) && claims.api == rows[i].api &&
                    claims.two_factor == rows[i].two_factor,
                "%s: API %d, 2fa %d", rows[i].more, claims.api, claims.two_factor);
        }
    ROWS_END();
    const struct token_rules rules = rules_with(&secret, NULL);
    struct token_claims claims;
    assert_int_equal(token_verify(*state, &rules, token_issue(*state, &rules, USER, 60), &claims),
                     ERR_NONE);
    assert_true(claims.api && !claims.two_factor);
}

/* A signature found right once is not checked again; everything else is. */
static void a_token_seen_before(void **state)
{
    for (int kind = 0; kind < KINDS; kind++) {
        const struct public_key stranger = key_load(strangers[kind]);
        struct token_rules rules = rules_with(&no_secret, &keys[kind]);
        const char *header = header_of(*state, algorithms[kind]);
        const char *token = sign(*state, pairs[kind], header, CLAIMS);
        char *other = strdup(token);
        assert_non_null(other);
        char *last = other + strlen(other) - 5; /* of the signature */
        *last = *last == 'A' ? 'B' : 'A';
        for (int i = 0; i < 2; i++) {
            ROW(taken(*state, &rules, token), "%s, time %d", algorithms[kind], i + 1);
            ROW(!taken(*state, &rules, other), "%s: another signature", algorithms[kind]);
        }
        rules.now_s = NOW + 3600;
        ROW(!taken(*state, &rules, token), "%s: when it is over", algorithms[kind]);
        rules.now_s = NOW;
        rules.issuer = "other";
        ROW(!taken(*state, &rules, token), "%s: another issuer", algorithms[kind]);
        rules = rules_with(&no_secret, &stranger);
        ROW(!taken(*state, &rules, token), "%s: under another key", algorithms[kind]);
        free(other);
        struct public_key end = stranger;
        public_key_free(&end);
    }
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ARENA(one_algorithm_per_key),
        TEST_ARENA(both_keys_side_by_side),
        TEST_ARENA(public_key_is_no_secret),
        TEST_ARENA(keys_that_tokens_bring),
        TEST_ARENA(wrong_signatures),
        TEST_ARENA(wrong_curve),
        TEST_ARENA(how_sure),
        TEST_ARENA(a_token_seen_before),
    };
    return cmocka_run_group_tests_name("token under a public key", tests, make_keys, free_keys);
}
