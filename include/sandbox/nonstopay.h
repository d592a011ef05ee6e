/* NonStopPay, as its public documentation describes it; where that is silent, the strictest
 * reading. A session is an invoice: its id is a number, its amount is kept in hundredths. Of a card
 * nothing but brand and last four digits is kept. */
#ifndef SANDBOX_NONSTOPAY_H
#define SANDBOX_NONSTOPAY_H

#include "sandbox/card.h"
#include "sandbox/provider.h"

#include "base/buf.h"

extern const struct provider nonstopay;

/* The body of a call as one object, whether it came as JSON or as a form. NULL: neither. */
const struct json *nonstopay_body(const struct http_request *request);

/* An error of the API; message is fixed text without quotes. */
void nonstopay_error(struct http_response *response, int code, const char *message);

/* Checks an invoice and fills the draft's amount, currency, order_id, method and body. *ret_card:
 * the card that came with it, *ret_has_card: one did. False: the response holds the refusal. */
bool nonstopay_check(const struct http_request *request, const struct json *root,
                     struct session *ret_draft, struct card *ret_card, bool *ret_has_card,
                     struct http_response *response);

/* GET /api/…: an invoice's status and infos, and the history. change: what a fault adds to amounts;
 * currency: said instead of the invoice's, NULL: its own; opened: the state is said to be older. */
struct nonstopay_view {
    const struct session *session;
    int64_t change;
    const char *currency;
    bool opened;
};
void nonstopay_status_answer(struct arena *arena, const struct nonstopay_view *view,
                             struct http_response *response);
void nonstopay_infos_answer(struct arena *arena, const struct nonstopay_view *view,
                            struct http_response *response);
void nonstopay_history_answer(const struct http_request *request, struct http_response *response);

/* "invoice:paid" and the like. */
const char *nonstopay_word(const struct session *session);

/* Writes amount as a number of JSON: 1504 is 15.04. */
void nonstopay_number(struct arena *arena, struct json_out *out, const char *key, int64_t amount);

/* The hosted page's address, in the arena. */
const char *nonstopay_url(struct arena *arena, const struct session *session);

/* The pages: path is what follows /nonstopay. */
void nonstopay_page(const struct http_request *request, struct http_response *response);
void nonstopay_end_page(const struct http_request *request, const char *end,
                        struct http_response *response);

/* An attempt to pay. card: NULL when the method asks for none. */
struct session_attempt nonstopay_attempt(const struct session *session, const struct card *card,
                                         const char *ip, const char *agent);
enum session_move nonstopay_card_move(enum card_outcome outcome);

/* See struct provider. */
const char *nonstopay_notice_type(const struct session *session);
enum err nonstopay_notice_write(struct arena *arena, const struct notice *notice,
                                struct delivery *ret_delivery);
enum err nonstopay_pay(struct arena *arena, const struct session *session, const char *card,
                       const char *challenge, struct session *ret_session, const char **ret_text);

#endif
