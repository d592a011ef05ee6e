/* NonStopPay: invoices paid on a hosted page, by card, UPI or crypto, or by a card that we hand
 * over (server to server). Its documentation: docs.nonstopay.net. Amounts are decimal texts.
 *
 * A create answer names no invoice: its id is learnt from a callback or from the history. What ties
 * an invoice to a payment of ours is its callbackJson: the payment's reference and a word that only
 * we can make. Whatever a callback says, the invoice is read before anything is believed. */
#ifndef PROVIDER_NONSTOPAY_H
#define PROVIDER_NONSTOPAY_H

#include "base/json.h"
#include "provider/provider.h"

extern const struct provider_driver nonstopay_driver;

/* The parts of the driver, for its own files. */

enum nonstopay_way { NONSTOPAY_HOSTED, NONSTOPAY_CARD, NONSTOPAY_UPI, NONSTOPAY_CRYPTO };

/* How a caller's method is paid; *ret_currency is the crypto currency asked for, or "". False:
 * there is no such method. */
bool nonstopay_way(const struct settings *settings, const char *method, enum nonstopay_way *ret_way,
                   const char **ret_currency);

/* Every field of an invoice, before anything is sent. See provider_driver.check. */
enum err nonstopay_check(const struct settings *settings, const struct provider_order *order);

/* The word that makes a callbackJson ours: NUL-terminated hexadecimal. */
#define NONSTOPAY_NONCE_SIZE 33
void nonstopay_nonce(const struct settings *settings, const char *reference,
                     char ret_nonce[NONSTOPAY_NONCE_SIZE]);

/* The calls; see provider_driver. */
enum err nonstopay_create(const struct settings *settings, struct arena *arena,
                          const struct provider_order *order, struct httpc_request *ret_request);
enum err nonstopay_read(const struct settings *settings, struct arena *arena,
                        const struct provider_order *order, struct httpc_request *ret_request);
enum err nonstopay_search(const struct settings *settings, struct arena *arena,
                          const struct provider_order *order, const struct provider_cursor *cursor,
                          struct httpc_request *ret_request);

#endif
