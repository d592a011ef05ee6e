/* MANGOPAY, as its public documentation and its own client library have it; where they are silent,
 * the strictest reading. A PayIn is a session: what never changes about it is the session's body,
 * its Status follows the session's. Every other object is JSON in the store. Of a card nothing but
 * its alias, brand and expiry is kept. */
#ifndef SANDBOX_MANGOPAY_H
#define SANDBOX_MANGOPAY_H

#include "sandbox/api.h"
#include "sandbox/card.h"
#include "sandbox/mangopay_json.h"
#include "sandbox/provider.h"

#include "base/buf.h"

#define MANGO_ID_MAX 64

extern const struct provider mangopay;

/* Mangopay's own clock: real time, and what /control has added to it. */
int64_t mango_now_ms(void);
int64_t mango_now_s(void);
void mango_advance(int64_t ms);

/* Held while objects are read to be changed. One thread may take it again. */
void mango_lock(void);
void mango_unlock(void);

/* --- one call of the API while it is served --- */

struct mango_route;

struct mango_call {
    const struct http_request *request;
    struct http_response *response;
    struct arena *arena;
    const struct mango_route *route;
    const char *path;               /* after the client's id, without a slash at the end */
    const char *id, *second;        /* the variable parts of the path */
    const struct json *body;        /* NULL: none that can be read */
    const struct http_field *query; /* the first field; NULL: none */
    const char *failure;            /* the result code with which the payment is to fail at once */
    struct session session;         /* the PayIn of the call; provider is NULL when there is none */
    int64_t limited_s;              /* the rate is used up for so long; 0: it is not */
    struct api_call api;
};

/* One call of the API is one row. In path, * stands for a variable part. */
struct mango_route {
    const char *method, *path;
    enum fault_event event;
    void (*serve)(struct mango_call *call);
    const char *kind;   /* of the objects that it is about */
    const char *member; /* of lists: the member that must be the path's first variable part */
    const void *with;   /* what its function wants to know: see there */
};

extern const struct mango_route mango_routes[]; /* a method of NULL ends the list */

/* Answers with the object, status 200. */
void mango_answer(struct mango_call *call, const struct json *object);

/* --- errors (mangopay_error.c) --- */

/* errors: an object of field and message; NULL: null. */
void mango_error(struct mango_call *call, int status, const char *type, const char *message,
                 const struct json *errors);
void mango_error_param(struct mango_call *call, const char *field, const char *message);
void mango_error_missing(struct mango_call *call, const char *what, const char *id);

/* A result code with its message. */
struct mango_result {
    const char *code, *message;
};
const struct mango_result *mango_result_find(const char *code); /* NULL: none such */

/* Sets ResultCode and ResultMessage; code NULL: both are null. */
void mango_result_set(struct arena *arena, struct json *object, const char *code);

/* --- ids and tokens (mangopay_auth.c) --- */

/* prefix and a sortable unique id; "" makes a UUID. */
const char *mango_id(struct arena *arena, const char *prefix);

/* What only this program can make of a text, in hex. */
const char *mango_seal(struct arena *arena, const char *text);

void mango_token_answer(const struct http_request *request, struct http_response *response);
bool mango_token_valid(const struct http_request *request);
void mango_tokens_forget(void);

/* --- the store (mangopay_store.c) --- */

/* Takes up what was kept beside the sessions' journal. */
enum err mango_store_open(void) MUST_CHECK;

/* Keeps a copy under the object's kind and id, over the one that was there. */
void mango_put(struct arena *arena, const char *kind, const char *id, const struct json *object);

/* A copy to be changed at will; NULL: there is none. */
struct json *mango_get(struct arena *arena, const char *kind, const char *id);

/* The text of the next object of a kind after *cursor, which starts at 0. NULL: no more. */
const char *mango_next(const char *kind, int64_t *cursor);

/* Visits every object of the kind whose member is that text (member NULL: every one), in the order
 * of creation, until visit says false. The object lives only as long as the visit. */
void mango_each(const char *kind, const char *member, const char *value,
                bool (*visit)(const struct json *object, void *context), void *context);

/* GET of a list and of one object: rows of the table of routes. */
void mango_list(struct mango_call *call);
void mango_view(struct mango_call *call);

/* The user and the wallets that exist from the start (mangopay_seed.c). */
void mango_seed(void);

/* --- idempotency and rate limits (mangopay_response.c) --- */

/* Takes the key of a POST. False: refused, answered. */
bool mango_key_claim(struct mango_call *call);
void mango_key_answered(struct mango_call *call);
void mango_response_view(struct mango_call *call);
void mango_rate_headers(struct mango_call *call);

/* --- what a body may hold (mangopay_check.c, mangopay_fields.c) --- */

enum mango_type {
    FIELD_TEXT,
    FIELD_INT,
    FIELD_AMOUNT, /* a whole number from 0 */
    FIELD_OFFSET, /* a whole number, or a text of one */
    FIELD_BOOL,
    FIELD_GROUP,
    FIELD_URL,
    FIELD_CULTURE,    /* one of words, in letters of either case */
    FIELD_DESCRIPTOR, /* letters, digits and spaces */
    FIELD_IP,
    FIELD_REGION, /* required beside the Country US, CA or MX only */
    FIELD_TEXTS,  /* an array of texts with at least one */
};

struct mango_field {
    const char *name; /* NULL ends the list */
    enum mango_type type;
    bool required;
    int max;                          /* characters; 0: no limit */
    const char *words;                /* the texts allowed, between spaces; NULL: any */
    const struct mango_field *fields; /* of a group */
};

/* False when anything is wrong: the answer then names every field that is. */
bool mango_check(struct mango_call *call, const struct mango_field *fields);

/* True when the word is one of those between spaces. */
bool mango_is_word(const char *words, const char *word);

extern const struct mango_field mango_user_fields[], mango_user_update_fields[],
    mango_card_update_fields[], mango_wallet_fields[], mango_registration_fields[],
    mango_registration_update_fields[], mango_bank_account_fields[], mango_mandate_fields[],
    mango_alias_fields[], mango_hook_fields[], mango_hook_update_fields[], mango_preauth_fields[],
    mango_deposit_fields[], mango_authorization_update_fields[], mango_recurring_fields[],
    mango_recurring_update_fields[], mango_cit_fields[], mango_mit_fields[], mango_refund_fields[],
    mango_dispute_fields[], mango_settlement_fields[], mango_contest_fields[],
    mango_card_web_fields[], mango_card_direct_fields[], mango_capture_fields[],
    mango_deposit_capture_fields[], mango_bankwire_fields[], mango_client_bankwire_fields[],
    mango_debit_web_fields[], mango_debit_direct_fields[], mango_paypal_fields[];

/* --- simple objects (mangopay_objects.c) --- */

/* A kind of object that a POST makes: with of its row. */
struct mango_maker {
    const struct mango_field *fields;
    const char *prefix;  /* of its id */
    const char *members; /* what it has from the start, as JSON */
    const char *event;   /* that tells of it; NULL: none */
    bool (*make)(struct mango_call *call, struct json *object); /* false: refused, answered */
};

void mango_make(struct mango_call *call);

/* PUT: with is the list of fields; what is given replaces what was there. */
void mango_change(struct mango_call *call);

bool mango_make_wallet(struct mango_call *call, struct json *object);
bool mango_make_bank_account(struct mango_call *call, struct json *object);
bool mango_make_alias(struct mango_call *call, struct json *object);
bool mango_make_mandate(struct mango_call *call, struct json *object);
bool mango_make_hook(struct mango_call *call, struct json *object);
void mango_mandate_cancel(struct mango_call *call);

/* A mandate's session has ended, well or not. */
void mango_mandate_end(struct arena *arena, const char *id, const char *status, const char *code);

/* Adds to a wallet's balance; a client wallet has none here. */
void mango_wallet_add(struct arena *arena, const char *id, int64_t amount);

/* The object that the body's member names, of that kind. NULL: there is none, and that is the
 * answer. */
struct json *mango_named(struct mango_call *call, const char *member, const char *kind);

/* --- cards (mangopay_card.c) --- */

bool mango_make_registration(struct mango_call *call, struct json *object);
void mango_registration_finish(struct mango_call *call);
void mango_tokenize(const struct http_request *request, struct http_response *response);

/* What happens when the card is charged. */
enum mango_charge { CHARGE_PAYS, CHARGE_ASKS, CHARGE_FAILS };
enum mango_charge mango_card_charge(const struct json *card, const char *secure_mode,
                                    const char **ret_code);
const char *mango_outcome_code(enum card_outcome outcome);

/* Keeps what may be kept of a card that was typed, under that id; expiry is MMYY. */
void mango_card_keep(struct arena *arena, const char *id, const char *number, const char *expiry,
                     const struct card *card);

/* The card and what is said of it in a PayIn or an authorization; checks currency and owner.
 * False: refused, answered. */
bool mango_card_use(struct mango_call *call, struct json *object, const char *currency);

/* --- authorizations (mangopay_preauth.c) --- */

/* with of their rows: a preauthorization or a deposit. */
struct mango_authorization {
    const char *kind, *prefix, *event; /* event: the beginning of their names */
    const struct mango_field *fields;
    const char *members;
    const char *return_key; /* what SecureModeReturnURL gets */
    int64_t life_s;
};
extern const struct mango_authorization mango_preauth, mango_deposit;

void mango_authorize(struct mango_call *call);
void mango_authorization_change(struct mango_call *call);

/* Ends its 3-D Secure step. code: NULL approves. */
void mango_authorization_end(struct arena *arena, const struct mango_authorization *kind,
                             const char *id, const char *code);
void mango_authorization_expire(struct arena *arena, const struct mango_authorization *kind,
                                const char *id);

/* --- PayIns (mangopay_payin.c, mangopay_begin.c) --- */

struct mango_payin {
    const char *name; /* the method that sessions and /control show */
    const char *prefix, *payment_type, *execution_type;
    const struct mango_field *fields;
    const char *members; /* as JSON: what it has besides, and what a body may say about it */
    int64_t life_ms;     /* until it fails by itself; 0: never open */
    const char *expired; /* the result code of that */
    bool final;          /* cannot be refunded */
    bool (*prepare)(struct mango_call *call, struct json *payin); /* false: refused, answered */
    enum mango_charge (*begin)(struct mango_call *call, const struct json *payin,
                               const char **ret_code); /* NULL: the payer comes first */
};

extern const struct mango_payin mango_payins[]; /* a name of NULL ends the list */
const struct mango_payin *mango_payin_find(const char *name);

/* with of their rows is the name of the kind. */
void mango_payin_create(struct mango_call *call);
void mango_payin_view(struct mango_call *call);
void mango_payin_extended(struct mango_call *call);

/* The PayIn as it is now. */
struct json *mango_payin_read(struct arena *arena, const struct session *session);

/* CREATED, SUCCEEDED or FAILED. */
const char *mango_payin_status(const struct session *session);
bool mango_payin_open(const struct session *session);

/* Ends an open PayIn: code NULL pays it. */
enum err mango_payin_end(struct arena *arena, const struct session *session, const char *code,
                         bool wait, struct session *ret_session);
enum err mango_payin_challenge(struct arena *arena, const struct session *session,
                               struct session *ret_session);

/* Ends one that had succeeded: its money leaves the wallet. */
enum err mango_payin_fail_late(struct arena *arena, const struct session *session, const char *code,
                               struct session *ret_session) MUST_CHECK;

/* The same PayIn made by the provider itself: what an alias was sent. NULL: it could not be. */
const char *mango_payin_instruct(struct mango_call *call, const struct json *alias, int64_t amount,
                                 int64_t fees, const char *reference);

/* --- refunds and disputes (mangopay_refund.c, mangopay_dispute.c) --- */

void mango_refund_create(struct mango_call *call);
void mango_refund_rest(struct arena *arena, const struct session *session);

/* Ends one that is held (fault refund_held); code NULL: it succeeds. False: there is no such
 * refund. */
bool mango_refund_end(struct arena *arena, const char *id, const char *code);
void mango_dispute_open(struct arena *arena, const struct session *session, bool retrieval);
void mango_dispute_change(struct mango_call *call);
void mango_dispute_submit(struct mango_call *call);
void mango_dispute_close(struct mango_call *call);
bool mango_make_settlement(struct mango_call *call, struct json *object);
bool mango_dispute_decide(struct arena *arena, const char *payin, const char *result);

/* --- recurring payments (mangopay_recurring.c) --- */

bool mango_make_recurring(struct mango_call *call, struct json *object);
void mango_recurring_change(struct mango_call *call);
bool mango_recurring_prepare(struct mango_call *call, struct json *payin);
enum mango_charge mango_recurring_begin(struct mango_call *call, const struct json *payin,
                                        const char **ret_code);
void mango_recurring_paid(struct arena *arena, const struct json *payin);
const struct mango_field *mango_recurring_payment_fields(struct mango_call *call);

/* --- events and hooks (mangopay_notice.c) --- */

extern const char mango_event_types[]; /* between spaces */

/* Records an event and queues its hook. order_id: for faults and the journal, "" for none. */
void mango_tell(struct arena *arena, const char *type, const char *id, const char *order_id,
                const struct session *session, bool wait);
void mango_announce(struct arena *arena, const struct session *session, bool wait);
enum err mango_notice_write(struct arena *arena, const struct notice *notice,
                            struct delivery *ret_delivery);
void mango_retry_every(int64_t ms); /* under 0: as documented */

/* Whether a direct debit of this author is paid; the code when it is not. */
const char *mango_debit_code(struct arena *arena, const struct session *session);

/* --- pages (mangopay_page.c), what time does (mangopay_sweep.c), /control (mangopay_control.c) ---
 */

const char *mango_page_url(struct arena *arena, const char *what, const char *id);
void mango_page(const struct http_request *request, const char *path,
                struct http_response *response);
enum err mango_pay(struct arena *arena, const struct session *session, const char *card,
                   const char *challenge, struct session *ret_session, const char **ret_text);
void mango_due(const char *kind, const char *id, int64_t due_s);
void mango_sweep(struct arena *arena);
bool mango_control(const struct http_request *request, const char *action, const struct json *body,
                   struct http_response *response);

#endif
