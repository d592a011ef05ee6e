/* Payviox, as its public documentation describes it. */
#ifndef SANDBOX_PAYVIOX_H
#define SANDBOX_PAYVIOX_H

#include "sandbox/card.h"
#include "sandbox/provider.h"

#include "base/buf.h"

extern const struct provider payviox;

/* What a payment page asks of the payer. */
enum payviox_form { FORM_CARD, FORM_EMAIL, FORM_CODE, FORM_CONFIRM, FORM_CRYPTO };

/* One payment method is one row. Fees are paid by the payer, on top of the amount. */
struct payviox_method {
    const char *id, *name, *provider;
    const char *kind; /* the webhook's payment_method */
    enum payviox_form form;
    bool redirects;                      /* has a page of its own instead of the hosted one */
    int64_t fee_cents, fee_basis_points; /* a basis point is a hundredth of a percent */
    int64_t company_basis_points;        /* the same for is_company=true */
    const char *countries, *currencies;  /* comma-separated; NULL: everywhere, all */
    const char *image;
};

extern const struct payviox_method payviox_methods[]; /* an id of NULL ends the list */

/* NULL when there is none of that id. */
const struct payviox_method *payviox_method_find(const char *id);

/* The method of the session's attempt, else the only one allowed, else the first of the table. */
const struct payviox_method *payviox_method_of(const struct session *session);

/* Whether payers may use the method with that currency. */
bool payviox_method_takes(const struct payviox_method *method, const char *currency);

/* Rounded half up; never overflows for amounts that payviox_check passes. */
int64_t payviox_fees(const struct payviox_method *method, int64_t amount);

/* GET /payments/methods */
void payviox_methods_answer(const struct http_request *request, struct http_response *response);

/* Checks a session request and fills the draft's amount, currency, order_id, method, ip and body.
 * root: the parsed body, NULL when it is no JSON. by_secret: it came with the secret key.
 * False when the response holds the refusal. */
bool payviox_check(const struct http_request *request, const struct json *root, bool by_secret,
                   struct session *ret_draft, struct http_response *response);

#define PAYVIOX_NO_METHOD "Payment method not found"

#define PAYVIOX_AMOUNT_MIN 100
#define PAYVIOX_PRICE_MAX  INT64_C(1000000000000) /* of one item, and of a whole session */

/* The hosted page and the redirect pages. method: NULL for the hosted one. */
void payviox_page(const struct http_request *request, const char *session_id,
                  const struct payviox_method *method, struct http_response *response);

/* An attempt to pay. card: NULL when the method asks for none. */
struct session_attempt payviox_attempt(const struct session *session,
                                       const struct payviox_method *method, const struct card *card,
                                       const char *ip, const char *agent);

/* What the card makes of the session. */
enum session_move payviox_card_move(enum card_outcome outcome);

/* See struct provider. */
enum err payviox_pay(struct arena *arena, const struct session *session, const char *card,
                     const char *challenge, struct session *ret_session, const char **ret_text);
const char *payviox_notice_type(const struct session *session);
enum err payviox_notice_write(struct arena *arena, const struct notice *notice,
                              struct delivery *ret_delivery);

/* The payer's name and address, the same in webhook and read-back. */
void payviox_customer_write(struct json_out *out, const char *key, const struct json *body);

#endif
