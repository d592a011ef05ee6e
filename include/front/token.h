/* JSON Web Tokens as compact JWS, HS256 only: the algorithm belongs to the key, so a token's own
 * word on it is compared, never followed. */
#ifndef FRONT_TOKEN_H
#define FRONT_TOKEN_H

#include "base/arena.h"
#include "base/crypt.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define TOKEN_MAX 4096 /* bytes of a token */

/* Whom a token speaks of, and how sure its maker was. */
struct token_claims {
    int64_t user_id;
    bool api;        /* made by POST /user/login, from an API key */
    bool two_factor; /* a session whose owner has shown a second factor */
};

/* What must hold for a token to be taken. Times are Unix seconds. */
struct token_rules {
    const struct secret *key;
    const char *issuer;
    const char *client_ip; /* must equal the claim ip; NULL: not compared */
    int64_t now_s, skew_s;
};

/* Checks signature and claims; *ret_user_id is the claim sub. ERR_UNAUTHORIZED for any flaw. */
enum err token_verify(struct arena *arena, const struct token_rules *rules, const char *token,
                      int64_t *ret_user_id) MUST_CHECK;

/* A token for /user/login (API: true) that lives for lifetime_s. NULL when the arena is full. */
const char *token_issue(struct arena *arena, const struct token_rules *rules, int64_t user_id,
                        int64_t lifetime_s);

#endif
