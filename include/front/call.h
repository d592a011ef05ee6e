/* One request on its way through the front: what every handler gets, and how it replies. */
#ifndef FRONT_CALL_H
#define FRONT_CALL_H

#include "base/http.h"
#include "domain/item.h"
#include "flow/answer.h"
#include "flow/context.h"
#include "front/token.h"
#include "store/users.h"

struct call {
    struct context *context;
    const struct http_request *request;
    struct http_response *response;
    const char *param; /* the variable part of the path, "" if there is none */
    struct user user;  /* behind a Bearer token; id 0 until he has been read */
    struct token_claims claims;
    char payment_id[64]; /* for the log */
    enum err err;        /* what was answered, for the log */
    const char *note;    /* for the log; NULL: nothing to add */
};

/* Replies with the message and status of an error. */
void reply_error(struct call *call, enum err err);

/* Replies with a ready answer, with Location, Retry-After and Idempotent-Replayed as it says. */
void reply_answer(struct call *call, const struct answer *answer);

/* "items":[{"assetId":…,"name":…,"price":…},…] */
void reply_items(struct json_out *out, const struct cart *cart);

/* A success, unless there is an err: write the members of content between the two. NULL: an error
 * was replied. */
struct json_out *reply_open(struct call *call, enum err err);
void reply_close(struct call *call, struct json_out *out);

#endif
