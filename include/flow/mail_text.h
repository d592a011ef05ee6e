/* The message that tells a payer that a payment is complete, as the bytes that SMTP carries. */
#ifndef FLOW_MAIL_TEXT_H
#define FLOW_MAIL_TEXT_H

#include "base/arena.h"
#include "base/err.h"
#include "domain/money.h"
#include "domain/payment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAIL_BYTES_MAX     (256 * 1024)
#define MAIL_ITEM_NAME_MAX 100 /* characters of an item's name; what is longer is cut */

struct mail_line {
    const char *name; /* UTF-8 */
    struct money price;
    bool delivered; /* false: the price went to the payer's balance instead */
};

struct mail_facts {
    const char *to_name; /* UTF-8; "" when nobody knows it */
    const char *to_address, *from_address;
    const char *payment_id;
    struct money amount;
    enum payment_type type;
    const struct mail_line *lines; /* what was bought */
    size_t lines_count;
    const char *provider;
    const char *completed_at; /* as the reader shall see it */
    int64_t date_ms;          /* since 1970: when the message is written */
};

/* RFC 5322, with CRLF, in text and HTML. The same facts give the same bytes, so a message that is
 * sent twice is seen to be the same. The message lives in the arena. ERR_PARAMETERS when the
 * recipient's name holds a control character or an address or payment id is none: nothing of a
 * caller may begin a header. ERR_OVERLOAD when it does not fit. */
enum err mail_compose(struct arena *arena, const struct mail_facts *facts, const char **ret_message,
                      size_t *ret_len) MUST_CHECK;

#endif
