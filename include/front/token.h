/* JSON Web Tokens as compact JWS. The algorithm belongs to the key: a token's own word on it only
 * says which of our keys it wants to be checked with. */
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
    const struct secret *key;            /* of HS256; may be unset */
    const struct public_key *public_key; /* of its own algorithm; NULL or empty: none */
    const char *issuer;
    const char *client_ip; /* must equal the claim ip; NULL: not compared */
    int64_t now_s, skew_s;
};

/* Checks signature and claims; the user is the claim sub. ERR_UNAUTHORIZED for any flaw.
 * ERR_OVERLOAD: it was not looked at, the arena is full. */
enum err token_verify(struct arena *arena, const struct token_rules *rules, const char *token,
                      struct token_claims *ret_claims) MUST_CHECK;

/* A token for /user/login (HS256, API: true) that lives for lifetime_s. The key must be set. NULL
 * when the arena is full. */
const char *token_issue(struct arena *arena, const struct token_rules *rules, int64_t user_id,
                        int64_t lifetime_s);

#endif
