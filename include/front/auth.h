/* Who calls: the Bearer token, and the user behind it. */
#ifndef FRONT_AUTH_H
#define FRONT_AUTH_H

#include "front/call.h"

/* Fills call->claims. ERR_UNAUTHORIZED: no or a bad token. */
enum err auth_token(struct call *call) MUST_CHECK;

/* Fills call->user, if that has not been done. ERR_USER_INVALID: unknown or banned. */
enum err auth_user(struct call *call) MUST_CHECK;

/* POST /user/login {apiKey} → {jwt}. Not there without a secret to sign with. Source:
 * docs.mannco.store, authentication. */
void login_post(struct call *call);

#endif
