/* Token in, user out; API key in, token out. Keys and tokens never leave in a log or a message. */
#include "front/auth.h"

#include "base/clock.h"
#include "front/fields.h"
#include "front/token.h"

#include <string.h>
#include <strings.h>

static struct token_rules rules_of(const struct call *call)
{
    const struct settings *settings = call->context->settings;
    return (struct token_rules){
        .key = &settings->token.secret,
        .public_key = &settings->token.public_key,
        .issuer = settings->token.issuer,
        .client_ip = settings->token.check_ip ? call->request->client_ip : NULL,
        .now_s = clock_wall_ms() / 1000,
        .skew_s = settings->token.clock_skew_s,
    };
}

struct user_unit {
    int64_t user_id;
    unsigned char key_hash[CRYPT_HASH_BYTES];
    struct user user;
};

static enum err by_id_unit(struct db *db, void *context)
{
    struct user_unit *unit = context;
    return users_get(db, unit->user_id, &unit->user);
}

static enum err by_key_unit(struct db *db, void *context)
{
    struct user_unit *unit = context;
    return users_get_by_key(db, unit->key_hash, &unit->user);
}

enum err auth_token(struct call *call)
{
    static const char scheme[] = "Bearer ";
    const struct token_rules rules = rules_of(call);
    const char *header;
    enum err err = http_header_get(call->request, "HTTP_AUTHORIZATION", &header);
    if (err)
        return err;
    if (header == NULL || strncasecmp(header, scheme, sizeof scheme - 1) != 0)
        return ERR_UNAUTHORIZED;
    return token_verify(call->request->arena, &rules, header + sizeof scheme - 1, &call->claims);
}

enum err auth_user(struct call *call)
{
    struct user_unit unit = {.user_id = call->claims.user_id};
    if (call->user.id != 0)
        return ERR_NONE;
    enum err err = db_gather_read(call->context->pool, call->request->arena,
                                  db_key('u', unit.user_id).text, by_id_unit, &unit);
    if (err)
        return err;
    if (!users_may_act(&unit.user))
        return ERR_USER_INVALID;
    call->user = unit.user;
    return ERR_NONE;
}

static enum err find_key_owner(struct call *call, const char *key, struct user *ret_user)
{
    struct user_unit unit = {0};
    crypt_hmac_sha256(&call->context->settings->api_key_hash_key, key, strlen(key), unit.key_hash);
    enum err err = db_query(call->context->pool, call->request->arena, by_key_unit, &unit);
    if (err)
        return err;
    if (unit.user.id == 0)
        return ERR_API_KEY_INVALID;
    *ret_user = unit.user;
    return unit.user.banned ? ERR_USER_INVALID : ERR_NONE;
}

static void reply_token(struct call *call, int64_t user_id)
{
    struct token_rules rules = rules_of(call);
    rules.client_ip = call->request->client_ip; /* written even where it is not compared */
    const char *token = token_issue(call->request->arena, &rules, user_id,
                                    call->context->settings->token.lifetime_s);
    struct json_out *out = reply_open(call, token == NULL ? ERR_OVERLOAD : ERR_NONE);
    if (out == NULL)
        return;
    json_out_text(out, "jwt", token);
    reply_close(call, out);
}

void login_post(struct call *call)
{
    struct fields fields;
    struct field key;
    struct user user = {0};
    bool can_sign = secret_is_set(&call->context->settings->token.secret);
    enum err err = can_sign ? fields_read(call->request, &fields) : ERR_NOT_FOUND;
    if (!err) {
        key = fields_get(&fields, "apiKey");
        err = key.kind == FIELD_TEXT && key.text[0] != '\0' ? ERR_NONE : ERR_API_KEY_MISSING;
    }
    if (!err)
        err = find_key_owner(call, key.text, &user);
    call->user.id = user.id; /* for the log, also when banned */
    if (err)
        reply_error(call, err == ERR_PAYLOAD ? ERR_API_KEY_MISSING : err);
    else
        reply_token(call, user.id);
}
