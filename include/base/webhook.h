/* Standard Webhooks: secrets "whsec_…", and signatures "v1,…" over id, time and body. */
#ifndef BASE_WEBHOOK_H
#define BASE_WEBHOOK_H

#include "base/arena.h"
#include "base/crypt.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEBHOOK_SIGNATURE_MAX (sizeof "v1," - 1 + BASE64_SIZE(CRYPT_HASH_BYTES))

/* Makes a key of the text "whsec_" and base64, in place. False, and unchanged, when it is not that
 * or not 24 to 64 bytes long. */
bool webhook_key(struct secret *secret);

/* The signature as the header has it, for one key. ERR_OVERLOAD when the arena is full. */
enum err webhook_sign(struct arena *arena, const struct secret *key, const char *id, int64_t time_s,
                      const char *body, size_t len,
                      char ret_signature[WEBHOOK_SIGNATURE_MAX]) MUST_CHECK;

#endif
