/* Tokens: what is issued is taken, and nothing else is: not another algorithm, not another key, not
 * one bit changed, not a claim that is missing, mistyped or out of time. */
#include "check.h"

#include "base/buf.h"
#include "base/json.h"
#include "front/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW     1706745600
#define USER    76561198000000001
#define HEADER  "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define ISS_SUB "\"iss\":\"API\",\"sub\":\"76561198000000001\""
#define IP      "\"ip\":\"203.0.113.42\""
#define CLAIMS  "{" ISS_SUB ",\"iat\":1706745600,\"exp\":1706745660," IP "}"

static struct secret key;
static const struct token_rules rules = {
    .key = &key, .issuer = "API", .client_ip = "203.0.113.42", .now_s = NOW, .skew_s = 0};

static int set_key(void **state)
{
    static const char text[] = "0123456789abcdef0123456789abcdef";
    (void)state;
    return !secret_set(&key, text, strlen(text));
}

static void add_part(struct buf *to, const void *bytes, size_t len)
{
    char *text = malloc(BASE64URL_SIZE(len));
    assert_non_null(text);
    base64url_encode(bytes, len, text);
    buf_puts(to, text);
    free(text);
}

/* A token signed as it should be, whatever its header and claims say. */
static const char *sign(struct arena *arena, const struct secret *with, const char *header,
                        const char *claims)
{
    unsigned char hash[CRYPT_HASH_BYTES];
    struct buf token;
    buf_init(&token, arena, 200000);
    add_part(&token, header, strlen(header));
    buf_puts(&token, ".");
    add_part(&token, claims, strlen(claims));
    crypt_hmac_sha256(with, buf_text(&token), token.len, hash);
    buf_puts(&token, ".");
    add_part(&token, hash, sizeof hash);
    assert_true(buf_ok(&token));
    return buf_text(&token);
}

static bool taken(struct arena *arena, const struct token_rules *by, const char *token)
{
    struct token_claims claims = {.user_id = -7};
    enum err err = token_verify(arena, by, token, &claims);
    ROW(err == ERR_NONE || err == ERR_UNAUTHORIZED, "%.100s: %s", token, err_message(err));
    ROW(claims.user_id == (err == ERR_NONE ? USER : -7), "%.100s: user %lld", token,
        (long long)claims.user_id);
    return err == ERR_NONE;
}

/* The token that jwt.io shows: our signatures are everybody's. */
static void published_signature(void **state)
{
    static const char claims[] =
        "{\"sub\":\"1234567890\",\"name\":\"John Doe\",\"iat\":1516239022}";
    struct secret word;
    assert_true(secret_set(&word, "your-256-bit-secret", 19));
    assert_string_equal(sign(*state, &word, HEADER, claims),
                        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
                        "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ"
                        ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c");
}

static void issued_tokens_are_taken(void **state)
{
    struct token_rules later = rules, elsewhere = rules;
    const char *token = token_issue(*state, &rules, USER, 60);
    assert_non_null(token);
    assert_int_equal(strncmp(token, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.", 37), 0);
    assert_true(taken(*state, &rules, token));
    later.now_s = NOW + 59;
    assert_true(taken(*state, &later, token));
    later.now_s = NOW + 60;
    assert_false(taken(*state, &later, token));
    elsewhere.client_ip = "203.0.113.43";
    assert_false(taken(*state, &elsewhere, token));
    elsewhere.client_ip = NULL;
    assert_true(taken(*state, &elsewhere, token));
    token = token_issue(*state, &elsewhere, USER, 60); /* made without an address */
    assert_true(taken(*state, &elsewhere, token));
    assert_false(taken(*state, &rules, token));
    assert_string_not_equal(token, token_issue(*state, &elsewhere, USER, 60)); /* jti */
    ROWS_END();
}

static void issued_claims_are_the_documented_ones(void **state)
{
    static const char *const texts[][2] = {
        {"iss", "API"}, {"sub", "76561198000000001"}, {"ip", "203.0.113.42"}};
    struct json *claims;
    int64_t number;
    size_t len;
    const char *token = token_issue(*state, &rules, USER, 2678400);
    const char *middle = strchr(token, '.') + 1;
    char decoded[1000];
    assert_true(base64url_decode(middle, strcspn(middle, "."), (unsigned char *)decoded,
                                 sizeof decoded, &len));
    assert_int_equal(json_parse(*state, decoded, len, &claims), ERR_NONE);
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_string_equal(json_get_text(claims, texts[i][0]), texts[i][1]);
    assert_true(json_int(json_get(claims, "iat"), &number) && number == NOW);
    assert_true(json_int(json_get(claims, "exp"), &number) && number == NOW + 2678400);
    assert_true(json_get(claims, "API")->boolean);
    assert_true(strlen(json_get_text(claims, "jti")) > 0);
}

static void headers(void **state)
{
    static const struct {
        const char *header;
        bool taken;
    } rows[] = {
        {HEADER, true},
        {"{\"alg\":\"HS256\"}", true},
        {" { \"typ\" : \"JWT\" , \"alg\" : \"HS256\" , \"kid\" : \"1\" } ", true},
        {"{\"alg\":\"none\"}", false},
        {"{\"alg\":\"None\",\"typ\":\"JWT\"}", false},
        {"{\"alg\":\"NONE\"}", false},
        {"{\"alg\":\"\"}", false},
        {"{\"alg\":null}", false},
        {"{\"alg\":[\"HS256\"]}", false},
        {"{\"alg\":true}", false},
        {"{\"typ\":\"JWT\"}", false},
        {"{}", false},
        {"{\"alg\":\"hs256\"}", false},
        {"{\"alg\":\"HS256 \"}", false},
        {"{\"alg\":\"HS256\\u0000\"}", false},
        {"{\"alg\":\"HS384\"}", false},
        {"{\"alg\":\"HS512\"}", false},
        {"{\"alg\":\"RS256\"}", false},
        {"{\"alg\":\"ES256\"}", false},
        {"{\"alg\":\"EdDSA\"}", false},
        {"{\"alg\":\"PS256\"}", false},
        {"{\"Alg\":\"HS256\"}", false},
        {"{\"alg\":\"HS256\",\"alg\":\"none\"}", false},
        {"{\"alg\":\"none\",\"alg\":\"HS256\"}", false},
        {"{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", false},
        {"{\"alg\":\"HS256\",\"crit\":[]}", false},
        {"{\"alg\":\"HS256\",\"jku\":\"https://evil.test/keys\"}", false},
        {"{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}}", false},
        {"{\"alg\":\"HS256\",\"x5u\":\"https://evil.test/cert\"}", false},
        {"{\"alg\":\"HS256\",\"x5c\":[\"AAAA\"]}", false},
        {"{\"alg\":\"HS256\",\"zip\":\"DEF\"}", false},
        {"{\"alg\":\"HS256\",\"b64\":false}", false},
        {"{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", false},
        {"{\"alg\":\"HS256\",\"typ\":\"JWE\"}", false},
        {"{\"alg\":\"HS256\",\"typ\":1}", false},
        {"[\"HS256\"]", false},
        {"\"HS256\"", false},
        {"null", false},
        {"", false},
        {"{\"alg\":\"HS256\"", false},
        {"{\"alg\":\"HS256\"}x", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        arena_reset(*state);
        const char *token = sign(*state, &key, rows[i].header, CLAIMS);
        ROW(taken(*state, &rules, token) == rows[i].taken, "%s", rows[i].header);
    }
    ROWS_END();
}

/* Claims after iss and sub; with iat 1706745600 and exp 1706745660 where a row is not about them.
 */
#define WITH(claims)  "{" ISS_SUB "," IP "," claims "}"
#define TIMES         "\"iat\":1706745600,\"exp\":1706745660"
#define SUBJECT(sub)  "{\"iss\":\"API\",\"sub\":" sub "," IP "," TIMES "}"
#define ADDRESS(what) "{" ISS_SUB "," TIMES what "}"

static void claims_must_hold(void **state)
{
    static const struct {
        const char *claims;
        bool taken;
    } rows[] = {
        {CLAIMS, true},
        {WITH(TIMES ",\"nbf\":1706745600,\"API\":true,\"jti\":\"x\",\"more\":{\"a\":[1]}"), true},
        /* exp */
        {WITH("\"iat\":1706745600"), false},
        {WITH("\"iat\":1706745600,\"exp\":null"), false},
        {WITH("\"iat\":1706745600,\"exp\":1706745601"), true},
        {WITH("\"iat\":1706745600,\"exp\":1706745600"), false},
        {WITH("\"iat\":1706745600,\"exp\":1706745599"), false},
        {WITH("\"iat\":1706745600,\"exp\":0"), false},
        {WITH("\"iat\":1706745600,\"exp\":-1"), false},
        {WITH("\"iat\":1706745600,\"exp\":\"1706745660\""), false},
        {WITH("\"iat\":1706745600,\"exp\":1706745660.5"), false},
        {WITH("\"iat\":1706745600,\"exp\":1706745660.0"), false},
        {WITH("\"iat\":1706745600,\"exp\":1e10"), false},
        {WITH("\"iat\":1706745600,\"exp\":9223372036854775807"), true},
        {WITH("\"iat\":1706745600,\"exp\":9223372036854775808"), false},
        {WITH("\"iat\":1706745600,\"exp\":18446744073709551615"), false},
        {WITH("\"iat\":1706745600,\"exp\":[1706745660]"), false},
        {WITH("\"iat\":1706745600,\"exp\":true"), false},
        {WITH("\"iat\":1706745600,\"exp\":1706745660,\"exp\":1706745660"), false},
        /* iat */
        {WITH("\"exp\":1706745660"), false},
        {WITH("\"iat\":1706745601,\"exp\":1706745660"), false},
        {WITH("\"iat\":0,\"exp\":1706745660"), true},
        {WITH("\"iat\":\"1706745600\",\"exp\":1706745660"), false},
        {WITH("\"iat\":1.7e9,\"exp\":1706745660"), false},
        /* nbf */
        {WITH(TIMES ",\"nbf\":1706745601"), false},
        {WITH(TIMES ",\"nbf\":1706745599"), true},
        {WITH(TIMES ",\"nbf\":\"0\""), false},
        {WITH(TIMES ",\"nbf\":null"), false},
        {WITH(TIMES ",\"nbf\":0.5"), false},
        /* iss */
        {"{\"sub\":\"76561198000000001\"," IP "," TIMES "}", false},
        {"{\"iss\":\"api\",\"sub\":\"76561198000000001\"," IP "," TIMES "}", false},
        {"{\"iss\":\"API \",\"sub\":\"76561198000000001\"," IP "," TIMES "}", false},
        {"{\"iss\":\"\",\"sub\":\"76561198000000001\"," IP "," TIMES "}", false},
        {"{\"iss\":[\"API\"],\"sub\":\"76561198000000001\"," IP "," TIMES "}", false},
        /* sub */
        {"{\"iss\":\"API\"," IP "," TIMES "}", false},
        {SUBJECT("\"76561198000000001\""), true},
        {SUBJECT("76561198000000001"), false},
        {SUBJECT("\"\""), false},
        {SUBJECT("null"), false},
        {SUBJECT("\"0\""), false},
        {SUBJECT("\"-76561198000000001\""), false},
        {SUBJECT("\"+76561198000000001\""), false},
        {SUBJECT("\"076561198000000001\""), false},
        {SUBJECT("\" 76561198000000001\""), false},
        {SUBJECT("\"76561198000000001 \""), false},
        {SUBJECT("\"76561198000000001\\n\""), false},
        {SUBJECT("\"7.6e16\""), false},
        {SUBJECT("\"9223372036854775808\""), false},
        {SUBJECT("\"94916641813709551617\""), false},
        {SUBJECT("\"alice\""), false},
        {SUBJECT("[\"76561198000000001\"]"), false},
        /* ip */
        {ADDRESS(",\"ip\":\"203.0.113.42\""), true},
        {ADDRESS(",\"ip\":\"203.0.113.4\""), false},
        {ADDRESS(",\"ip\":\"203.0.113.421\""), false},
        {ADDRESS(",\"ip\":\"\""), false},
        {ADDRESS(",\"ip\":null"), false},
        {ADDRESS(",\"ip\":[\"203.0.113.42\"]"), false},
        {ADDRESS(""), false},
        /* not an object at all */
        {"[]", false},
        {"\""
         "76561198000000001"
         "\"",
         false},
        {"", false},
        {"{", false},
        {CLAIMS " ", true},
        {CLAIMS "{}", false},
        {"\xef\xbb\xbf" CLAIMS, false},
        {"{" ISS_SUB "," IP "," TIMES ",\"name\":\"\xff\"}", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        arena_reset(*state);
        ROW(taken(*state, &rules, sign(*state, &key, HEADER, rows[i].claims)) == rows[i].taken,
            "%s", rows[i].claims);
    }
    ROWS_END();
}

static void address_may_go_uncompared(void **state)
{
    struct token_rules anywhere = rules;
    anywhere.client_ip = NULL;
    assert_true(taken(*state, &anywhere, sign(*state, &key, HEADER, ADDRESS(""))));
    assert_true(taken(*state, &anywhere, sign(*state, &key, HEADER, ADDRESS(",\"ip\":\"x\""))));
    ROWS_END();
}

/* With 30 seconds of skew every border moves by 30, and not by 31. */
static void skew_moves_the_borders(void **state)
{
    static const struct {
        const char *claims;
        bool taken;
    } rows[] = {
        {WITH("\"iat\":1706745500,\"exp\":1706745571"), true},
        {WITH("\"iat\":1706745500,\"exp\":1706745570"), false},
        {WITH("\"iat\":1706745630,\"exp\":1706745700"), true},
        {WITH("\"iat\":1706745631,\"exp\":1706745700"), false},
        {WITH(TIMES ",\"nbf\":1706745630"), true},
        {WITH(TIMES ",\"nbf\":1706745631"), false},
    };
    struct token_rules skewed = rules;
    skewed.skew_s = 30;
    for (size_t i = 0; i < COUNT(rows); i++)
        ROW(taken(*state, &skewed, sign(*state, &key, HEADER, rows[i].claims)) == rows[i].taken,
            "%s", rows[i].claims);
    ROWS_END();
}

/* A good token taken apart and put together wrongly: $h, $c and $s are its parts. */
static void shapes(void **state)
{
    static const char *const rows[] = {
        "",
        ".",
        "..",
        "...",
        "$h",
        "$h.$c",
        "$h.$c.",
        "$h..$s",
        ".$c.$s",
        "$h.$c.$s.",
        ".$h.$c.$s",
        "$h.$c.$s.$s",
        "$h.$c.$s=",
        "$h=.$c.$s",
        "$h.$c=.$s",
        "$h.$c.$s==",
        " $h.$c.$s",
        "$h.$c.$s ",
        "$h .$c.$s",
        "$h. $c.$s",
        "$h.$c.\t$s",
        "$h.$c.$s\n",
        "$h\n.$c.$s",
        "$h,$c,$s",
        "$h.$c.$sA",
        "$h.$c.$sAA",
        "$h.$c.A$s",
        "$hA.$c.$s",
        "$h.$cA.$s",
        "$h.$c.$s%00",
        "$h.$c.$s\xff",
        "$c.$h.$s",
        "$h.$s.$c",
        "$s.$h.$c",
        "$h.$h.$s",
        "$h.$c.$h",
        "$h.$c.$c",
        "Bearer $h.$c.$s",
        "\"$h.$c.$s\"",
        "$h.$c.$s,$h.$c.$s",
    };
    const char *good = sign(*state, &key, HEADER, CLAIMS);
    const char *c = strchr(good, '.') + 1, *s = strchr(c, '.') + 1;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf token;
        buf_init(&token, *state, 10000);
        for (const char *p = rows[i]; *p != '\0'; p++) {
            char part = *p == '$' ? *++p : '\0';
            if (part == 'h')
                buf_add(&token, good, (size_t)(c - good) - 1);
            else if (part == 'c')
                buf_add(&token, c, (size_t)(s - c) - 1);
            else if (part == 's')
                buf_puts(&token, s);
            else
                buf_add(&token, p, 1);
        }
        ROW(!taken(*state, &rules, buf_text(&token)), "took %s", rows[i]);
    }
    assert_true(taken(*state, &rules, good));
    ROWS_END();
}

/* Parts that do not decode, under a signature that is right. */
static void signed_but_undecodable(void **state)
{
    static const char *const rows[] = {"!.$", "e30=.$", "e3.$", "e.$",
                                       "$.!", "$.e30=", "$.e3", "$.e"};
    static const char header[] = "eyJhbGciOiJIUzI1NiJ9";
    const char *good = sign(*state, &key, "{\"alg\":\"HS256\"}", CLAIMS);
    const char *claims = strchr(good, '.') + 1;
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned char hash[CRYPT_HASH_BYTES];
        struct buf token;
        buf_init(&token, *state, 10000);
        for (const char *p = rows[i]; *p != '\0'; p++) {
            if (*p == '$' && p == rows[i])
                buf_puts(&token, header);
            else if (*p == '$')
                buf_add(&token, claims, strcspn(claims, "."));
            else
                buf_add(&token, p, 1);
        }
        crypt_hmac_sha256(&key, buf_text(&token), token.len, hash);
        buf_puts(&token, ".");
        add_part(&token, hash, sizeof hash);
        ROW(!taken(*state, &rules, buf_text(&token)), "took %s", rows[i]);
    }
    assert_true(taken(*state, &rules, good));
    ROWS_END();
}

static void other_signatures(void **state)
{
    const char *good = sign(*state, &key, HEADER, CLAIMS);
    struct secret other;
    char token[2000];
    assert_true(secret_set(&other, "0123456789abcdef0123456789abcdeF", 32));
    ROW(!taken(*state, &rules, sign(*state, &other, HEADER, CLAIMS)), "another key");
    for (size_t cut = 1; cut <= 43; cut++) {
        (void)snprintf(token, sizeof token, "%.*s", (int)(strlen(good) - cut), good);
        ROW(!taken(*state, &rules, token), "signature cut by %zu letters", cut);
    }
    (void)snprintf(token, sizeof token, "%.*s%043d", (int)(strlen(good) - 43), good, 0);
    memset(token + strlen(token) - 43, 'A', 43);
    ROW(!taken(*state, &rules, token), "a signature of zeros");
    (void)snprintf(token, sizeof token, "%s", good);
    for (char *p = token; *p != '\0'; p++)
        *p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
    ROW(strcmp(token, good) == 0 || !taken(*state, &rules, token), "base64's own alphabet");
    ROWS_END();
}

static void no_bit_may_change(void **state)
{
    char *token = strdup(token_issue(*state, &rules, USER, 60));
    assert_non_null(token);
    size_t len = strlen(token);
    for (size_t i = 0; i < len * 8; i++) {
        arena_reset(*state);
        token[i / 8] = (char)(token[i / 8] ^ 1 << i % 8);
        ROW(!taken(*state, &rules, token), "bit %zu of byte %zu", i % 8, i / 8);
        token[i / 8] = (char)(token[i / 8] ^ 1 << i % 8);
    }
    assert_true(taken(*state, &rules, token));
    free(token);
    ROWS_END();
}

/* A claim of x makes the token as long as wanted, to three bytes. */
static const char *sign_long(struct arena *arena, size_t fill)
{
    struct buf claims;
    char *x = calloc(1, fill + 1);
    assert_non_null(x);
    memset(x, 'x', fill);
    buf_init(&claims, arena, 100000);
    buf_printf(&claims, "{" ISS_SUB "," IP "," TIMES ",\"x\":\"%s\"}", x);
    free(x);
    return sign(arena, &key, HEADER, buf_text(&claims));
}

static void long_tokens(void **state)
{
    bool at_most = false, beyond = false;
    for (size_t fill = 2860; fill < 2960; fill++) {
        arena_reset(*state);
        const char *token = sign_long(*state, fill);
        bool fits = strlen(token) <= TOKEN_MAX;
        ROW(taken(*state, &rules, token) == fits, "%zu bytes", strlen(token));
        at_most |= fits;
        beyond |= !fits;
    }
    assert_true(at_most && beyond);
    arena_reset(*state);
    assert_false(taken(*state, &rules, sign_long(*state, 48000))); /* 64 KiB */
    char *dots = calloc(1, 65537);
    memset(dots, '.', 65536);
    assert_false(taken(*state, &rules, dots));
    memset(dots, 'A', 65536);
    assert_false(taken(*state, &rules, dots));
    free(dots);
    ROWS_END();
}

static void no_memory_is_no_token(void **state)
{
    const char *token = token_issue(*state, &rules, USER, 60);
    for (size_t bytes = 0; bytes < 400; bytes += 16) {
        struct arena *tiny = arena_new(bytes);
        ROW(token_issue(tiny, &rules, USER, 60) == NULL, "issued within %zu bytes", bytes);
        arena_reset(tiny);
        struct token_claims claims;
        enum err err = token_verify(tiny, &rules, token, &claims);
        ROW(err == ERR_OVERLOAD, "%zu bytes: %s", bytes, err_message(err));
        arena_free(tiny);
    }
    ROWS_END();
}

/* What a token says is remembered; whether that holds is asked each time, and by whose rules. */
static void a_token_that_comes_again(void **state)
{
    struct arena *arena = *state, *full = arena_new(64);
    struct secret other_key;
    struct token_claims claims = {.user_id = -7};
    const char *token = sign(arena, &key, HEADER, CLAIMS);
    assert_true(secret_set(&other_key, "fedcba9876543210fedcba9876543210", 32));
    const struct {
        const char *what;
        struct token_rules rules;
        bool taken;
    } rows[] = {
        {"first", rules, true},
        {"again", rules, true},
        {"later", {&key, NULL, "API", "203.0.113.42", NOW + 60, 0}, false},
        {"before it was issued", {&key, NULL, "API", "203.0.113.42", NOW - 1, 0}, false},
        {"from elsewhere", {&key, NULL, "API", "203.0.113.43", NOW, 0}, false},
        {"from nowhere", {&key, NULL, "API", "", NOW, 0}, false},
        {"another issuer", {&key, NULL, "APJ", "203.0.113.42", NOW, 0}, false},
        {"another key", {&other_key, NULL, "API", "203.0.113.42", NOW, 0}, false},
        {"as before", rules, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        ROW(taken(arena, &rows[i].rules, token) == rows[i].taken, "%s", rows[i].what);
    while (arena_alloc(full, 1) != NULL)
        ;
    assert_int_equal(token_verify(full, &rules, token, &claims), ERR_NONE); /* not read again */
    assert_int_equal(claims.user_id, USER);
    arena_free(full);
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ARENA(published_signature),
        TEST_ARENA(issued_tokens_are_taken),
        TEST_ARENA(issued_claims_are_the_documented_ones),
        TEST_ARENA(headers),
        TEST_ARENA(claims_must_hold),
        TEST_ARENA(address_may_go_uncompared),
        TEST_ARENA(skew_moves_the_borders),
        TEST_ARENA(shapes),
        TEST_ARENA(signed_but_undecodable),
        TEST_ARENA(other_signatures),
        TEST_ARENA(no_bit_may_change),
        TEST_ARENA(long_tokens),
        TEST_ARENA(no_memory_is_no_token),
        TEST_ARENA(a_token_that_comes_again),
    };
    return cmocka_run_group_tests_name("token", tests, set_key, NULL);
}
