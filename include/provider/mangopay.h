/* Mangopay (docs.mangopay.com): pay-ins into a wallet, by card, bank wire, direct debit or PayPal.
 * Amounts are whole minor units; every call bears a token that lives for a while.
 *
 * What ties a pay-in to a payment of ours is its Tag: the attempt's reference and the name of this
 * installation. Creates bear an Idempotency-Key made of the same reference, under which Mangopay
 * keeps its answer for a day. Notices ("hooks") are unsigned and say nothing but what to read.
 * CreditedFunds is DebitedFunds less Fees; the fees are the platform's own, so that a payment is
 * always credited with what was debited. */
#ifndef PROVIDER_MANGOPAY_H
#define PROVIDER_MANGOPAY_H

#include "base/json.h"
#include "provider/provider.h"

extern const struct provider_driver mangopay_driver;

/* The parts of the driver, for its own files. */

enum mangopay_kind {
    MANGOPAY_CARD_WEB,
    MANGOPAY_CARD_DIRECT,
    MANGOPAY_PREAUTHORIZED,
    MANGOPAY_DEPOSIT,
    MANGOPAY_BANKWIRE,
    MANGOPAY_DEBIT_WEB,
    MANGOPAY_DEBIT_DIRECT,
    MANGOPAY_PAYPAL,
    MANGOPAY_RECURRING_CIT,
    MANGOPAY_RECURRING_MIT,
};

/* What a kind of pay-in needs from the caller, and what it takes. */
enum {
    MANGOPAY_BROWSER = 1,
    MANGOPAY_BILLING = 2,
    MANGOPAY_SHIPPING = 4,
    MANGOPAY_SECURE_MODE = 8,
    MANGOPAY_DESCRIPTOR = 16,
};

struct mangopay_method {
    const char *name; /* as callers write it */
    const char *type; /* CardType or DirectDebitType; "": the path says it all */
    enum mangopay_kind kind;
    const char *path;       /* of the create */
    const char *currencies; /* separated by spaces */
    const char *cultures;   /* of the page, separated by spaces; "": there is none */
    int needs, takes;       /* of the list above */
    int64_t lifetime_s;     /* 0: as long as any payment */
};

/* NULL when there is no such method; "" is the hosted page for cards. */
const struct mangopay_method *mangopay_method(const char *name);

/* For provider_driver.methods. */
extern const struct provider_method mangopay_methods[];

/* The wallet that payments in this currency go to, by the settings. False: there is none. */
bool mangopay_wallet(const struct settings *settings, const char *currency,
                     char ret_wallet[PROVIDER_REFERENCE_MAX]);

/* What the platform keeps of the payment; false when nothing would be left. */
bool mangopay_fees(const struct settings *settings, const struct provider_order *order,
                   struct money *ret_fees);

/* First and last name for an address: its own, or the payer's name in two. False: not both are
 * known. */
struct mangopay_name {
    char first[1024], last[1024]; /* 255 characters of up to four bytes */
};
bool mangopay_name(const char *first, const char *last, const char *name,
                   struct mangopay_name *ret_name);

/* See provider_driver.check. */
enum err mangopay_check(const struct settings *settings, const struct provider_order *order);

/* The same but for where the money goes: of what moves none. */
enum err mangopay_check_words(const struct settings *settings, const struct provider_order *order);

/* Which payment is it, by the Tag of a pay-in? */
enum mangopay_tag { MANGOPAY_TAG_NONE, MANGOPAY_TAG_FOREIGN, MANGOPAY_TAG_OURS };
enum mangopay_tag mangopay_tag(const struct settings *settings, const char *tag,
                               char *ret_reference, size_t size);

/* The calls; see provider_driver. */
enum err mangopay_token(const struct settings *settings, struct arena *arena,
                        struct httpc_request *ret_request);
enum err mangopay_create(const struct settings *settings, struct arena *arena,
                         const struct provider_order *order, struct httpc_request *ret_request);
enum err mangopay_recover(const struct settings *settings, struct arena *arena,
                          const struct provider_order *order, struct httpc_request *ret_request);
enum err mangopay_read(const struct settings *settings, struct arena *arena,
                       const struct provider_order *order, struct httpc_request *ret_request);

/* {"FirstName":…,"Address":{…}} as a member of this name. */
void mangopay_put_address(struct json_out *out, const char *key, const struct mangopay_name *name,
                          const struct provider_address *address);

/* Any call of the client's: path and query after its id; body NULL: none. */
enum err mangopay_call(const struct settings *settings, struct arena *arena, const char *method,
                       const char *path, const char *body, struct httpc_request *ret_request);

/* Notices; see provider_driver and provider_hooks. */
extern const struct provider_hooks mangopay_hooks;
bool mangopay_notice_proved(const struct settings *settings, const struct http_request *request);
enum err mangopay_notice(const struct settings *settings, struct arena *arena, const char *body,
                         size_t len, struct provider_truth *ret_truth);

/* The answers; see provider_driver. */
void mangopay_created(const struct settings *settings, struct arena *arena,
                      const struct httpc_answer *answer, struct provider_result *ret_result);
void mangopay_recovered(const struct settings *settings, struct arena *arena,
                        const struct httpc_answer *answer, struct provider_result *ret_result);
enum provider_reading mangopay_readback(const struct settings *settings, struct arena *arena,
                                        const struct provider_order *order,
                                        const struct httpc_answer *answer,
                                        struct provider_truth *ret_truth);

bool mangopay_fits(const char *method, const char *way);
bool mangopay_refundable(const char *method);
bool mangopay_repeatable(const struct settings *settings, const char *method);
enum err mangopay_refund(const struct settings *settings, struct arena *arena,
                         const struct provider_order *order, const struct provider_refund *refund,
                         const struct provider_truth *payment, struct httpc_request *ret_request);

/* For operators; see provider_driver. */
extern const struct provider_desk mangopay_desk;

/* The card of a payment on the hosted page; see provider_driver. */
enum err mangopay_card(const struct settings *settings, struct arena *arena,
                       const struct provider_order *order, struct httpc_request *ret_request);
void mangopay_card_read(struct arena *arena, const struct httpc_answer *answer,
                        struct provider_truth *truth);

/* Recurring payments; see provider_driver. */
extern const struct provider_registrations mangopay_registrations;

/* "Billing" and "Shipping" of what the order says, as members of an object that is open. */
void mangopay_put_people(struct json_out *out, const struct provider_order *order);

/* Can it be the id of something at Mangopay? Ids are opaque; by the characters that they were seen
 * with. */
bool mangopay_is_id(const char *text);

/* What answers are made of. */
bool mangopay_id(const struct json *object, const char *key, char *ret_id, size_t size);
bool mangopay_money(const struct json *object, const char *key, struct money *ret_money);
const char *mangopay_text(const struct json *object, const char *key, const char *fallback);
bool mangopay_says(const struct json *object, const char *key, const char *right);

/* A functional failure's result code, for the caller and in words for people. */
struct mangopay_verdict {
    enum err err;
    const char *why;
};
struct mangopay_verdict mangopay_verdict(const char *result_code);

#endif
