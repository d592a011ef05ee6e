/* Issues and checks tokens. Our own code over OpenSSL's signatures because the packaged JWT
 * libraries let a token choose its algorithm. */
#include "front/token.h"

#include "base/conf.h"
#include "base/http.h"
#include "base/ident.h"
#include "base/json.h"

#include <pthread.h>
#include <string.h>

enum { SIGNATURE_BYTES = 32, TOKENS_KNOWN = 1024 };

struct parts {
    const char *header, *claims, *signature;
    size_t header_len, claims_len, signature_len;
};

static bool split(const char *token, struct parts *ret_parts)
{
    const char *first = strchr(token, '.');
    const char *second = first == NULL ? NULL : strchr(first + 1, '.');
    if (second == NULL || strchr(second + 1, '.') != NULL)
        return false;
    *ret_parts = (struct parts){token,
                                first + 1,
                                second + 1,
                                (size_t)(first - token),
                                (size_t)(second - first - 1),
                                strlen(second + 1)};
    return true;
}

static bool hmac_is_right(const struct secret *key, const char *text, size_t len,
                          const unsigned char *claimed, size_t claimed_len)
{
    unsigned char right[SIGNATURE_BYTES];
    if (claimed_len != sizeof right)
        return false;
    crypt_hmac_sha256(key, text, len, right);
    return crypt_equal(claimed, right, sizeof right);
}

/* Each key has one algorithm, so a token that names another one has no key here. */
static bool signature_is_right(const struct token_rules *rules, const char *algorithm,
                               const char *token, const struct parts *parts)
{
    unsigned char claimed[PUBLIC_SIGNATURE_MAX];
    size_t len, signed_len = (size_t)(parts->signature - token) - 1;
    const struct public_key *key = rules->public_key;
    if (!base64url_decode(parts->signature, parts->signature_len, claimed, sizeof claimed, &len))
        return false;
    if (strcmp(algorithm, "HS256") == 0)
        return secret_is_set(rules->key) &&
               hmac_is_right(rules->key, token, signed_len, claimed, len);
    return key != NULL && algorithm[0] != '\0' &&
           strcmp(algorithm, public_key_algorithm(key)) == 0 &&
           public_key_verify(key, token, signed_len, claimed, len);
}

static enum err decode_object(struct arena *arena, const char *text, size_t len,
                              struct json **ret_root)
{
    size_t decoded_len;
    unsigned char *decoded = arena_alloc(arena, len + 1);
    if (decoded == NULL)
        return ERR_OVERLOAD;
    if (!base64url_decode(text, len, decoded, len, &decoded_len))
        return ERR_UNAUTHORIZED;
    enum err err = json_parse(arena, (const char *)decoded, decoded_len, ret_root);
    if (err)
        return err == ERR_OVERLOAD ? err : ERR_UNAUTHORIZED;
    return (*ret_root)->type == JSON_OBJECT ? ERR_NONE : ERR_UNAUTHORIZED;
}

/* Nothing that would ask us to fetch or understand something else. */
static bool header_is_plain(const struct json *header)
{
    static const char *const refused[] = {"crit", "jku", "jwk", "x5u", "x5c", "zip", "b64"};
    const struct json *type = json_get(header, "typ");
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (json_get(header, refused[i]) != NULL)
            return false;
    return type == NULL || (type->type == JSON_STRING && strcmp(type->text, "JWT") == 0);
}

/* What a token with a right signature says. */
struct reading {
    struct token_claims claims;
    int64_t expires_s, issued_s, not_before_s;
    char ip[CLIENT_IP_MAX]; /* "": none */
};

static bool read_times(const struct json *claims, struct reading *ret_reading)
{
    const struct json *nbf = json_get(claims, "nbf");
    ret_reading->not_before_s = INT64_MIN;
    return json_int(json_get(claims, "exp"), &ret_reading->expires_s) &&
           json_int(json_get(claims, "iat"), &ret_reading->issued_s) &&
           (nbf == NULL || json_int(nbf, &ret_reading->not_before_s));
}

/* One that is longer than any is nobody's. */
static void read_ip(const struct json *claims, char ret_ip[CLIENT_IP_MAX])
{
    const char *ip = json_get_text(claims, "ip");
    if (ip == NULL || !text_copy(ret_ip, CLIENT_IP_MAX, ip))
        ret_ip[0] = '\0';
}

/* A steamid: digits without leading zeros, as a string. */
static bool read_subject(const struct json *claims, int64_t *ret_user_id)
{
    const char *sub = json_get_text(claims, "sub");
    const struct json digits = {.type = JSON_NUMBER, .text = sub};
    return sub != NULL && sub[0] >= '1' && sub[0] <= '9' && json_int(&digits, ret_user_id);
}

/* True or false; a claim that is missing is false. */
static bool read_flag(const struct json *claims, const char *name, bool *ret_flag)
{
    const struct json *flag = json_get(claims, name);
    *ret_flag = flag != NULL && flag->type == JSON_BOOL && flag->boolean;
    return flag == NULL || flag->type == JSON_BOOL;
}

static enum err check_signature(struct arena *arena, const struct token_rules *rules,
                                const char *token, const struct parts *parts)
{
    struct json *header;
    enum err err = decode_object(arena, parts->header, parts->header_len, &header);
    if (err)
        return err;
    const char *algorithm = json_get_text(header, "alg");
    return algorithm != NULL && header_is_plain(header) &&
                   signature_is_right(rules, algorithm, token, parts)
               ? ERR_NONE
               : ERR_UNAUTHORIZED;
}

/* The signature, and all that the token says. */
static enum err read_token(struct arena *arena, const struct token_rules *rules, const char *token,
                           struct reading *ret_reading)
{
    struct parts parts;
    struct json *claims;
    struct token_claims *read = &ret_reading->claims;
    if (!split(token, &parts))
        return ERR_UNAUTHORIZED;
    enum err err = check_signature(arena, rules, token, &parts);
    if (!err)
        err = decode_object(arena, parts.claims, parts.claims_len, &claims);
    if (err)
        return err;
    const char *issuer = json_get_text(claims, "iss");
    read_ip(claims, ret_reading->ip);
    return issuer != NULL && strcmp(issuer, rules->issuer) == 0 &&
                   read_times(claims, ret_reading) && read_subject(claims, &read->user_id) &&
                   read_flag(claims, "API", &read->api) &&
                   read_flag(claims, "2fa", &read->two_factor)
               ? ERR_NONE
               : ERR_UNAUTHORIZED;
}

/* --- tokens that were read before, the last one of each place: they come again and again --- */

struct known_token {
    unsigned char hash[CRYPT_HASH_BYTES];
    struct reading reading;
};

static struct {
    pthread_mutex_t mutex;
    struct known_token tokens[TOKENS_KNOWN];
} known = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* Of a token and all that it was read by: one of other keys is another one. */
static void hash_token(const struct token_rules *rules, const char *token,
                       unsigned char ret_hash[CRYPT_HASH_BYTES])
{
    static const unsigned char none[CRYPT_HASH_BYTES];
    char text[CRYPT_HASH_BYTES + CONF_TEXT_MAX + TOKEN_MAX];
    size_t issuer_len = strlen(rules->issuer) + 1, len = strlen(token);
    bool keyed = rules->public_key != NULL;
    memcpy(text, keyed ? rules->public_key->fingerprint : none, CRYPT_HASH_BYTES);
    memcpy(text + CRYPT_HASH_BYTES, rules->issuer, issuer_len);
    memcpy(text + CRYPT_HASH_BYTES + issuer_len, token, len);
    len += CRYPT_HASH_BYTES + issuer_len;
    if (secret_is_set(rules->key))
        crypt_hmac_sha256(rules->key, text, len, ret_hash);
    else
        crypt_sha256(text, len, ret_hash);
}

static struct known_token *place_of(const unsigned char hash[CRYPT_HASH_BYTES])
{
    return &known.tokens[(hash[0] << 8 | hash[1]) % TOKENS_KNOWN];
}

static bool recall(const unsigned char hash[CRYPT_HASH_BYTES], struct reading *ret_reading)
{
    const struct known_token *place = place_of(hash);
    (void)pthread_mutex_lock(&known.mutex);
    bool found = memcmp(place->hash, hash, sizeof place->hash) == 0;
    if (found)
        *ret_reading = place->reading;
    (void)pthread_mutex_unlock(&known.mutex);
    return found;
}

static void remember(const unsigned char hash[CRYPT_HASH_BYTES], const struct reading *reading)
{
    struct known_token *place = place_of(hash);
    (void)pthread_mutex_lock(&known.mutex);
    memcpy(place->hash, hash, sizeof place->hash);
    place->reading = *reading;
    (void)pthread_mutex_unlock(&known.mutex);
}

static bool ip_holds(const struct token_rules *rules, const char *ip)
{
    return rules->client_ip == NULL || (ip[0] != '\0' && strcmp(ip, rules->client_ip) == 0);
}

/* What depends on when it comes, and from where. */
static bool holds(const struct token_rules *rules, const struct reading *reading)
{
    return reading->expires_s > rules->now_s - rules->skew_s &&
           reading->issued_s <= rules->now_s + rules->skew_s &&
           reading->not_before_s <= rules->now_s + rules->skew_s && ip_holds(rules, reading->ip);
}

enum err token_verify(struct arena *arena, const struct token_rules *rules, const char *token,
                      struct token_claims *ret_claims)
{
    unsigned char hash[CRYPT_HASH_BYTES];
    struct reading reading;
    if (strlen(token) > TOKEN_MAX)
        return ERR_UNAUTHORIZED;
    hash_token(rules, token, hash);
    if (!recall(hash, &reading)) {
        enum err err = read_token(arena, rules, token, &reading);
        if (err)
            return err;
        remember(hash, &reading);
    }
    if (!holds(rules, &reading))
        return ERR_UNAUTHORIZED;
    *ret_claims = reading.claims;
    return ERR_NONE;
}

static enum err write_claims(struct arena *arena, const struct token_rules *rules, int64_t user_id,
                             int64_t lifetime_s, struct buf *claims)
{
    char id[IDENT_MAX];
    struct json_out *out = json_out_new(arena, claims);
    if (out == NULL)
        return ERR_OVERLOAD;
    ident_new("", id);
    json_out_object(out, NULL);
    json_out_text(out, "iss", rules->issuer);
    json_out_text(out, "sub", ident_text(user_id).text);
    json_out_int(out, "iat", rules->now_s);
    json_out_int(out, "exp", rules->now_s + lifetime_s);
    json_out_text(out, "jti", id);
    json_out_text(out, "ip", rules->client_ip == NULL ? "" : rules->client_ip);
    json_out_bool(out, "API", true);
    json_out_close_object(out);
    return json_out_end(out);
}

static void add_encoded(struct buf *to, const void *bytes, size_t len)
{
    char *encoded = arena_alloc(to->arena, BASE64URL_SIZE(len));
    if (encoded == NULL) {
        to->failed = true;
        return;
    }
    base64url_encode(bytes, len, encoded);
    buf_puts(to, encoded);
}

const char *token_issue(struct arena *arena, const struct token_rules *rules, int64_t user_id,
                        int64_t lifetime_s)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    unsigned char signature[SIGNATURE_BYTES];
    struct buf claims, token;
    buf_init(&claims, arena, TOKEN_MAX / 2);
    buf_init(&token, arena, TOKEN_MAX);
    if (write_claims(arena, rules, user_id, lifetime_s, &claims) != ERR_NONE)
        return NULL;
    add_encoded(&token, header, sizeof header - 1);
    buf_puts(&token, ".");
    add_encoded(&token, buf_text(&claims), claims.len);
    crypt_hmac_sha256(rules->key, buf_text(&token), token.len, signature);
    buf_puts(&token, ".");
    add_encoded(&token, signature, sizeof signature);
    return buf_ok(&token) ? buf_text(&token) : NULL;
}
