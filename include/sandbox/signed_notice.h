/* Webhooks that are posts of JSON under a signature: how Payviox's and NonStopPay's leave. */
#ifndef SANDBOX_SIGNED_NOTICE_H
#define SANDBOX_SIGNED_NOTICE_H

#include "base/buf.h"
#include "base/crypt.h"
#include "sandbox/deliver.h"
#include "sandbox/provider.h"

/* Completes a delivery that has its provider and url by what the notice and its body say, and by
 * one header, "name: signature": the one that the notice forces, none when that is "", else
 * lower-case hex of the body's HMAC-SHA256 under the notice's own token or the key. */
enum err signed_notice_deliver(struct arena *arena, const struct notice *notice,
                               const struct buf *body, const char *header, const struct secret *key,
                               struct delivery *delivery) MUST_CHECK;

#endif
