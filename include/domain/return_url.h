/* Where a payer's browser may be sent back to. Only hosts that the configuration names: anything
 * else would make Guichet an open redirect. */
#ifndef DOMAIN_RETURN_URL_H
#define DOMAIN_RETURN_URL_H

#include <stdbool.h>
#include <stddef.h>

#define RETURN_URL_BYTES 2000 /* the longest that is taken */

/* hosts: "shop.example pay.shop.example:8443 ...", separated by spaces; a host without a port
 * allows the scheme's own port only, "host:*" any. The URL must be absolute and "https://" in small
 * letters, or "http://" when localhost_http is set and its listed host is localhost or 127.0.0.1.
 * Hosts are compared letter by letter in either case; no user-info, no %, no dot at the end; IPv6
 * literals and punycode only as they are listed. Everything must be made of the characters of RFC
 * 3986. */
bool return_url_allowed(const char *url, const char *hosts, bool localhost_http);

/* Adds paymentId and status to the query of an allowed URL; a fragment stays at its end. The two
 * are words of ours that need no escaping. False, with ret_url "", when it does not fit. They
 * tell a browser what to show and prove nothing. */
bool return_url_with(const char *url, const char *payment_id, const char *status, char *ret_url,
                     size_t size);

#endif
