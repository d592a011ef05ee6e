/* Mangopay's OAuth2: a token for the client's key, good for 20 minutes; and the ids and seals that
 * nobody can guess. Tokens are forgotten at the end of the program, as clients must be ready for.
 */
#include "sandbox/mangopay.h"

#include "sandbox/answer.h"
#include "sandbox/settings.h"

#include "base/crypt.h"
#include "base/ident.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TOKENS = 1024, TOKEN_BYTES = 16, TOKEN_LIFE_S = 1200, CLIENT_TEXT_MAX = 1024 };

static struct {
    pthread_mutex_t mutex;
    struct {
        char text[2 * TOKEN_BYTES + 1];
        int64_t end_ms;
    } tokens[TOKENS];
    size_t next;
} given = {.mutex = PTHREAD_MUTEX_INITIALIZER};

const char *mango_id(struct arena *arena, const char *prefix)
{
    char id[IDENT_MAX], hex[33];
    unsigned char random[16];
    if (prefix[0] != '\0') {
        ident_new("", id);
        return mango_print(arena, "%s%s", prefix, id);
    }
    crypt_random(random, sizeof random);
    random[6] = (unsigned char)((random[6] & 0x0f) | 0x40);
    random[8] = (unsigned char)((random[8] & 0x3f) | 0x80);
    hex_encode(random, sizeof random, hex);
    return mango_print(arena, "%.8s-%.4s-%.4s-%.4s-%s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

const char *mango_seal(struct arena *arena, const char *text)
{
    unsigned char hash[CRYPT_HASH_BYTES];
    char hex[2 * 16 + 1];
    crypt_hmac_sha256(&sandbox_settings()->mangopay.api_key, text, strlen(text), hash);
    hex_encode(hash, 16, hex);
    return mango_print(arena, "%s", hex);
}

static const char *header(const struct http_request *request, const char *name)
{
    const char *value;
    bool has = http_header_get(request, name, &value) == ERR_NONE && value != NULL;
    return mango_print(request->arena, "%s", has ? value : "");
}

/* "Basic " and the base64 of id:key, the right ones. */
static bool is_client(const struct http_request *request)
{
    const struct mangopay_settings *settings = &sandbox_settings()->mangopay;
    const char *given_text = header(request, "HTTP_AUTHORIZATION");
    const char *right = mango_print(request->arena, "%s:%s", settings->client_id,
                                    secret_reveal(&settings->api_key));
    unsigned char bytes[CLIENT_TEXT_MAX];
    size_t len;
    if (strncasecmp(given_text, "Basic ", 6) != 0 ||
        !base64_decode(given_text + 6, strlen(given_text + 6), bytes, sizeof bytes, &len))
        return false;
    return len == strlen(right) && crypt_equal(bytes, right, len);
}

static const char *token_new(struct arena *arena)
{
    unsigned char random[TOKEN_BYTES];
    crypt_random(random, sizeof random);
    (void)pthread_mutex_lock(&given.mutex);
    size_t at = given.next++ % TOKENS;
    hex_encode(random, sizeof random, given.tokens[at].text);
    given.tokens[at].end_ms = mango_now_ms() + TOKEN_LIFE_S * 1000;
    const char *copy = mango_print(arena, "%s", given.tokens[at].text);
    (void)pthread_mutex_unlock(&given.mutex);
    return copy;
}

static void answer_oauth_error(struct http_response *response, int status, const char *word)
{
    answer_error(response, status, word);
    if (status == 401)
        http_header_set(response, "WWW-Authenticate", "Basic realm=\"Mangopay\"");
}

void mango_token_answer(const struct http_request *request, struct http_response *response)
{
    struct http_field *form;
    if (!is_client(request)) {
        answer_oauth_error(response, 401, "invalid_client");
        return;
    }
    const char *grant = NULL;
    if (http_form_parse(request->arena, request->body, request->body_len, &form) == ERR_NONE)
        grant = http_form_get(form, "grant_type");
    if (grant == NULL || strcmp(grant, "client_credentials") != 0) {
        answer_oauth_error(response, 400,
                           grant == NULL ? "invalid_request" : "unsupported_grant_type");
        return;
    }
    struct json_out *out = answer_json(request->arena, response, 200);
    if (out == NULL)
        return;
    json_out_text(out, "access_token", token_new(request->arena));
    json_out_text(out, "token_type", "bearer");
    json_out_int(out, "expires_in", TOKEN_LIFE_S);
    answer_json_end(response, out);
    http_header_set(response, "Cache-Control", "no-store");
}

bool mango_token_valid(const struct http_request *request)
{
    const char *text = header(request, "HTTP_AUTHORIZATION");
    bool valid = false;
    if (strncasecmp(text, "Bearer ", 7) != 0 || strlen(text + 7) != 2 * TOKEN_BYTES)
        return false;
    (void)pthread_mutex_lock(&given.mutex);
    for (size_t i = 0; i < TOKENS; i++)
        valid |= crypt_equal(given.tokens[i].text, text + 7, 2 * TOKEN_BYTES) &&
                 given.tokens[i].end_ms > mango_now_ms();
    (void)pthread_mutex_unlock(&given.mutex);
    return valid;
}

void mango_tokens_forget(void)
{
    (void)pthread_mutex_lock(&given.mutex);
    for (size_t i = 0; i < TOKENS; i++)
        given.tokens[i].end_ms = 0;
    (void)pthread_mutex_unlock(&given.mutex);
}
