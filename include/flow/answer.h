/* Answers to callers as bytes: the envelope, always. Also what is kept for repeated requests. */
#ifndef FLOW_ANSWER_H
#define FLOW_ANSWER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/ident.h"
#include "base/json.h"
#include "base/settings.h"
#include "store/payments.h"

#define ANSWER_MAX (8 * 1024) /* bytes of an answer that is kept for repeated requests */

struct answer {
    enum err err; /* ERR_NONE for a success */
    int status;
    const char *body; /* in the arena, or fixed text */
    size_t len;
    int64_t retry_after_s;      /* 0: no Retry-After */
    char payment_id[IDENT_MAX]; /* "": no Location */
    bool replayed;              /* a kept answer, given again */
    const char *note;           /* for the log: why, in words for an operator; NULL: nothing */
};

/* {"err":true,"success":false,"content":message}. Never fails: without memory it says so. */
void answer_error(const struct settings *settings, struct arena *arena, enum err err,
                  struct answer *ret_answer);

/* {"err":false,"success":true,"content":{"url":url}}: where the payer goes. */
void answer_url(struct arena *arena, const char *payment_id, const char *url,
                struct answer *ret_answer);

/* The answer of POST /paiement: the payment, and where the payer goes (url NULL: nowhere). */
void answer_deposit(struct arena *arena, const struct payment *payment, const char *url,
                    struct answer *ret_answer);

/* How a payer pays who has no address to go to: {"bankwire":{…}}, or the deposit with that member
 * and no address. */
void answer_instructions(struct arena *arena, const struct payment *payment,
                         const char *instructions, struct answer *ret_answer);

/* The member "bankwire" of an object that is open; null when there are no instructions (NULL). */
void answer_bankwire(struct json_out *out, struct arena *arena, const char *instructions);

/* {"message":"Payment processed successfully"}: nothing is left for the payer to do. */
void answer_processed(struct arena *arena, const char *payment_id, struct answer *ret_answer);

/* The same in the shape of the endpoint that the payment was made with. */
void answer_paid(struct arena *arena, const struct payment *payment, struct answer *ret_answer);

/* The payer has done all, the provider has not: {"message":"Payment is being processed"}, or the
 * deposit without an address. */
void answer_underway(struct arena *arena, const struct payment *payment, struct answer *ret_answer);

/* The members of a payment in an object that is open: callers and receivers of events read the
 * same. */
void answer_payment(struct json_out *out, const struct payment *payment);

/* The envelope of a success around an object that the caller writes between the two calls.
 * NULL when the arena is full. */
struct json_out *answer_open(struct arena *arena, struct buf *body, size_t max);
enum err answer_close(struct json_out *out) MUST_CHECK;

#endif
