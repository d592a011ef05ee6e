/* What the endpoints that create payments share: second factor, Idempotency-Key, the run itself. */
#ifndef FRONT_CREATE_H
#define FRONT_CREATE_H

#include "flow/checkout.h"
#include "front/call.h"
#include "front/fields.h"

/* Reads the body into the checkout: wish, amount, method and what else the endpoint knows. */
typedef enum err create_reader(struct call *call, const struct fields *fields,
                               struct checkout *checkout);

/* The provider of the path, open for new payments, with the payer's second factor checked if it
 * wants one. */
enum err create_provider(const struct call *call,
                         const struct provider_driver **ret_driver) MUST_CHECK;

/* ERR_TWO_FACTOR: the provider wants a second factor, and the token does not tell of one. */
enum err create_second_factor(const struct call *call,
                              const struct provider_driver *driver) MUST_CHECK;

/* Idempotency-Key: a quoted string (RFC 8941) or the bare text; both spell the same key. Without
 * one ret_key->text stays "". */
enum err create_key(const struct call *call, struct idempotency_key *ret_key) MUST_CHECK;

/* Replies with an error, unless the user may not even hear that: then with why. */
void create_refuse(struct call *call, enum err err);

/* Everything from the key to the reply. checkout->drivers may still be filled by the reader. */
void create_run(struct call *call, struct checkout *checkout, create_reader *read);

/* The caller's word for a way to pay; ret_method is "" when there is none. */
enum err create_method(const struct fields *fields, const char *name, enum err refusal,
                       char ret_method[METHOD_MAX]) MUST_CHECK;

#endif
