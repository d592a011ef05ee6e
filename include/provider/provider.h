/* Payment providers: one driver per provider, and one wrapper that runs it.
 * A driver turns structs into bytes and bytes into structs; it does no I/O, keeps no state and
 * never sees the database. To add a provider: write its driver and add it to the array in
 * provider.c (the README's "Adding a provider" walks through it). */
#ifndef PROVIDER_PROVIDER_H
#define PROVIDER_PROVIDER_H

#include "base/http.h"
#include "base/httpc.h"
#include "base/ident.h"
#include "base/json.h"
#include "base/settings.h"
#include "domain/item.h"
#include "domain/money.h"
#include "domain/payment.h"

#define PROVIDERS_MAX      16   /* in the array; what is kept for each has so many places */
#define PROVIDER_TOKEN_MAX 2048 /* bytes with the NUL */

/* For so long a provider is left alone that refuses our credentials: every call will meet that
 * until a person acts. */
#define PROVIDER_TRIP_S 600

/* Who pays, as far as it is known; no text is NULL, "" is not known. Nothing of it is stored. */
struct provider_payer {
    const char *email, *name, *phone, *date_of_birth, *personal_id, *ip;
    const char *address1, *address2, *city, *state, *postcode, *country;
    const char *first_name, *last_name; /* of the billing address */
};

/* Where goods go to. No text is NULL, "" is not said. */
struct provider_address {
    const char *first_name, *last_name;
    const char *address1, *address2, *city, *state, *postcode, *country;
};

/* The payer's browser, as 3-D Secure wants to know it. No text is NULL. */
struct provider_browser {
    bool given, java, javascript;
    const char *accept_header, *language, *user_agent;
    int64_t color_depth, screen_height, screen_width, time_zone_offset;
};

/* What else a caller may say about a payment; a provider takes what it knows. No text is NULL, ""
 * is not said. Nothing of it is stored. */
struct provider_details {
    const char *card_id, *mandate_id, *preauthorization_id, *deposit_id, *recurring_id;
    const char *culture, *secure_mode, *statement_descriptor, *tag;
    const char *author_id, *credited_wallet_id;
    int64_t fees; /* minor units of the amount's currency; below 0: not said */
    struct provider_address shipping;
    struct provider_browser browser;
};

/* A card that the caller took from the payer. In memory until its request is over, never stored,
 * never logged. No text is NULL. */
struct provider_card {
    const char *number, *expiry, *cvc, *holder;
};

/* What a notice may be about. */
enum provider_object {
    PROVIDER_PAYMENT,
    PROVIDER_REFUND,
    PROVIDER_DISPUTE,
    PROVIDER_REPUDIATION, /* the movement of money that a dispute brings */
};

/* What a driver may know of a payment. */
struct provider_order {
    const char *reference; /* ours: the provider shows it again in notices and read-backs */
    const char *payment_id;
    int64_t user_id;
    struct money amount;
    const char *method; /* as the caller named it; "": the provider's hosted default */
    struct cart cart;   /* what is bought; empty for a deposit */
    const char *payer_ip;
    const char *provider_reference; /* the provider's own; "" before it gave one */
    int64_t created_s, now_s;       /* Unix seconds: when the payment was made, and today */
    /* only while it is created: */
    const struct provider_payer *payer;     /* NULL: nobody asked */
    const struct provider_card *card;       /* NULL: the provider asks the payer for it */
    const struct provider_details *details; /* NULL: nobody asked */
    /* only for a read: a notice named the provider's reference, and the answer has to show that it
     * is this payment's */
    bool unproved;
    /* only for a read: what provider_reference names */
    enum provider_object object;
};

/* What became of a create call. Its url and instructions are in the arena of the call. */
struct provider_result {
    enum outcome outcome;
    bool called;     /* it was tried; false: it did not get as far as the network */
    int http_status; /* 0: there was no answer */
    int64_t retry_after_s;
    int64_t trip_s; /* above 0: no payment can be made there for now (our settings are wrong, say):
                     * leave the provider alone for so many seconds */
    char provider_reference[PROVIDER_REFERENCE_MAX];
    const char *url;          /* of a PENDING one: where the payer pays; NULL: nowhere */
    char reason[REASON_MAX];  /* why not, for an operator: no secret, nothing of the payer */
    enum err refusal;         /* of a REFUSED or DECLINED one: what to tell the caller; ERR_NONE: a
                               * failure */
    bool settled;             /* of a PENDING one: it is over already, asking tells how */
    bool taken;               /* of an UNKNOWN one: our key was used before, see recover */
    const char *instructions; /* of a PENDING one without an address: how the payer pays, as an
                               * object of JSON, shorter than INSTRUCTIONS_MAX; NULL: there is
                               * nothing to do */
};

/* Money to be given back through a provider's API. */
struct provider_refund {
    const char *id;      /* ours, which is also the key of the call */
    struct money amount; /* that the payer gets */
    struct money before; /* what was given back of the payment before */
};

/* A provider's token for calls; see provider_driver.token. */
struct provider_token {
    char text[PROVIDER_TOKEN_MAX];
    int64_t life_s;
};

/* What a provider says about a payment, by notice or when asked. Its pointers lead to fixed texts.
 * A driver that is given one to fill finds it empty: all that it does not say is 0, "" and NULL. */
struct provider_truth {
    enum payment_fact fact;
    char reference[64]; /* ours, as the provider shows it; "": it shows none. Without it only a thin
                         * notice finds its payment */
    char provider_reference[PROVIDER_REFERENCE_MAX];
    char word[32];   /* the provider's own word for it */
    bool given_back; /* with FACT_FAILED: had the payer paid, the provider has returned it */
    bool has_amount;
    struct money amount; /* what the order was for, without fees on top */
    struct money fees;   /* on top of the amount, paid by the payer; 0 when there are none */
    /* with a refund or a dispute: which one, and how much of the payment it is about. Notices and
     * readings name the same one alike, or it counts twice */
    char change_reference[PROVIDER_REFERENCE_MAX]; /* the provider's own; "": it names none, and a
                                                    * refund's amount is the sum of all so far */
    char refund_id[IDENT_MAX]; /* of a refund that we asked for: our name for it; "": not said */
    bool has_change;           /* false: all of the payment; a refund of a part says of how much */
    struct money change;
    const char *stranger; /* why this is not about us: another merchant's, another environment's */
    const char *doubt;    /* why it cannot be right, so that a person must look; NULL: it can */
    const char *why;      /* of a failure, for people; NULL: nothing to add to word */
    bool warning;         /* no money is at stake, although the notice told of a dispute */
    char way[48];         /* how it is paid, in words of the provider's, see fits; "": not said */
    enum provider_object object; /* of a notice's: what provider_reference names */
    /* of a payment's: whose money the provider says it is, as a refund has to name him; "":
     * nobody's */
    char author[PROVIDER_REFERENCE_MAX];
    struct money kept; /* what the platform's own account there got of the amount */
    bool has_card;     /* asking for the card may tell: */
    char card_alias[33], card_country[4]; /* "": not known. The alias has no whole number */
};

/* Where a search through a provider's lists stands. Starts as {0}; the driver moves it on. */
struct provider_cursor {
    int64_t list, page;
    bool end;
};

enum provider_reading {
    READING_TRUTH,
    READING_NOT_FOUND, /* the provider does not know it (yet) */
    READING_FAILED,    /* no usable answer: ask again later */
};

/* A way to pay, by the name that callers use and by the provider's own. */
struct provider_method {
    const char *name; /* NULL ends the list */
    const char *id;
};

/* A registration of recurring payments, as a caller asks for it or wants it changed. No text is
 * NULL,
 * "" and numbers below 0 are not said. */
struct provider_recurring {
    const char *provider_reference; /* of a change */
    struct money amount;            /* of the first payment */
    int64_t next_amount, next_fees, end_date_s, free_cycles;
    const char *frequency;
    int fixed_next_amount, fractioned_payment, migration; /* switches */
    bool ends;                                            /* of a change: no more payments */
    const struct provider_payer *payer;
    const struct provider_details *details; /* its card, shipping, author, wallet and fees */
};

/* Of a provider that takes recurring payments. A registration moves no money: one whose answer got
 * lost is simply made anew. */
struct provider_registrations {
    enum err (*check)(const struct settings *settings, const struct provider_recurring *recurring);
    enum err (*create)(const struct settings *settings, struct arena *arena,
                       const struct provider_recurring *recurring,
                       struct httpc_request *ret_request);
    enum err (*change)(const struct settings *settings, struct arena *arena,
                       const struct provider_recurring *recurring,
                       struct httpc_request *ret_request);
    enum err (*view)(const struct settings *settings, struct arena *arena,
                     const char *provider_reference, struct httpc_request *ret_request);

    /* Reads the answer to any of the three: DONE, and *ret_root is the registration, or REFUSED,
     * NOT_SENT or UNKNOWN. */
    void (*read)(const struct settings *settings, struct arena *arena,
                 const struct httpc_answer *answer, struct provider_result *ret_result,
                 const struct json **ret_root);

    /* Writes it for callers, as members of an object that is open. */
    void (*write)(struct json_out *out, const struct json *root);
};

/* One thing that an operator is shown of a provider's object. */
struct provider_word {
    const char *name, *text;
};
#define PROVIDER_WORDS_MAX 32

struct provider_desk {
    /* Money of the platform's own is to be wired to one of its wallets there: whom to? */
    enum err (*wire)(const struct settings *settings, struct arena *arena, const char *wallet,
                     const struct money *amount, struct httpc_request *ret_request);
    /* Any payment there, whoever has made it. */
    enum err (*look)(const struct settings *settings, struct arena *arena, const char *id,
                     struct httpc_request *ret_request);
    /* The answer to either. False: it is none. */
    bool (*words)(struct arena *arena, const struct httpc_answer *answer,
                  struct provider_word ret_words[PROVIDER_WORDS_MAX], size_t *ret_count);
};

/* How a kind of notice is registered with the provider. */
enum provider_hook_state { PROVIDER_HOOK_MISSING, PROVIDER_HOOK_WRONG, PROVIDER_HOOK_FINE };
struct provider_hook {
    enum provider_hook_state state;
    char id[PROVIDER_REFERENCE_MAX]; /* the provider's own, of a wrong one */
};
#define PROVIDER_HOOKS_MAX 32

#define PROVIDER_EVENTS_MAX 100 /* on one page of a list */

/* Of a provider that sends notices only where it is told to, and lists what it has told of. */
struct provider_hooks {
    size_t kinds; /* of notices, up to PROVIDER_HOOKS_MAX */

    /* The question what is registered, page by page from 0, and its answer: each kind that it tells
     * of gets its place. A kind that is not wanted is fine. ERR_PAYLOAD: it cannot be read. */
    enum err (*list)(const struct settings *settings, struct arena *arena, int64_t page,
                     struct httpc_request *ret_request);
    enum err (*list_read)(const struct settings *settings, struct arena *arena,
                          const struct httpc_answer *answer, struct provider_hook *hooks,
                          bool *ret_more);

    /* The call that mends the index-th kind, which is not fine. */
    enum err (*mend)(const struct settings *settings, struct arena *arena, size_t index,
                     const struct provider_hook *hook, struct httpc_request *ret_request);

    /* The question what happened after that second, the oldest first, page by page from 0, and its
     * answer as the notices that would have told of it. *ret_last_s: the second of the last one,
     * when there may be another page; 0: there is none. */
    enum err (*events)(const struct settings *settings, struct arena *arena, int64_t after_s,
                       int64_t page, struct httpc_request *ret_request);
    enum err (*events_read)(struct arena *arena, const struct httpc_answer *answer,
                            const char *ret_notices[PROVIDER_EVENTS_MAX], size_t *ret_count,
                            int64_t *ret_last_s);
};

/* What each must have: name, configured, terms, allows, methods, and unless it is paid from_balance
 * create, created, read and readback. All else may be left out (NULL, false), but functions that
 * stand together come together. tests/unit/test_provider.c holds every driver to that, and to never
 * believing an answer without sense. */
struct provider_driver {
    /* In paths, settings and tables: up to 16 letters and digits, small, and for ever. */
    const char *name;

    /* Are its secrets set? Then its callbacks are taken and its payments are asked about. */
    bool (*configured)(const struct settings *settings);

    /* Its settings that every provider has: switched on, second factor, deposits. */
    const struct settings_provider *(*terms)(const struct settings *settings);

    /* Is this amount (minor units, from 1 to PAYMENT_VALUE_MAX) within the provider's limits? */
    bool (*allows)(const struct settings *settings, int64_t value);

    /* The methods that it is known to have, if only the end of the list; others may exist. */
    const struct provider_method *methods;

    /* Has the caller said all that it needs, and nothing that it would refuse? Asked before
     * anything is stored or sent: ERR_CURRENCY, ERR_METHOD_OF_PAYMENT, ERR_CUSTOMER, ERR_BILLING or
     * ERR_CARD. The amount may still be unknown. NULL: it wants to know nothing of the payer. */
    enum err (*check)(const struct settings *settings, const struct provider_order *order);

    /* The payer's own balance pays, for items only and at once. */
    bool from_balance;

    /* Builds the call that creates the payment at the provider. ERR_OVERLOAD: it does not fit. */
    enum err (*create)(const struct settings *settings, struct arena *arena,
                       const struct provider_order *order, struct httpc_request *ret_request);

    /* Reads its whole HTTP answer. The result is UNKNOWN with the answer's status and Retry-After,
     * and stays so unless the answer says something else: a text that is too long or no word of
     * the provider's is never a guess. */
    void (*created)(const struct settings *settings, struct arena *arena,
                    const struct httpc_answer *answer, struct provider_result *ret_result);

    /* Builds the call that asks for the payment's state by order->provider_reference, and reads the
     * answer: the fact and the provider's word for it, both references, and the amount if the fact
     * is that it was paid. What is not about this order is READING_FAILED. With order->object it is
     * asked about a refund or a dispute: of what its notices name, and of a refund that was PENDING
     * (FACT_PARTLY_REFUNDED: made; why: it will not be). */
    enum err (*read)(const struct settings *settings, struct arena *arena,
                     const struct provider_order *order, struct httpc_request *ret_request);
    enum provider_reading (*readback)(const struct settings *settings, struct arena *arena,
                                      const struct provider_order *order,
                                      const struct httpc_answer *answer,
                                      struct provider_truth *ret_truth);

    /* Is the way that a payment is paid, by a truth about it, the method that was asked for? NULL:
     * the provider does not say. */
    bool (*fits)(const char *method, const char *way);

    /* For a provider whose create answer gives no reference of its own: looks through its lists,
     * page by page, for what carries ours. NULL: it always gives one. READING_TRUTH: found, and
     * ret_reference is the provider's. READING_NOT_FOUND: not on this page; the cursor has moved on
     * or has ended. */
    enum err (*search)(const struct settings *settings, struct arena *arena,
                       const struct provider_order *order, const struct provider_cursor *cursor,
                       struct httpc_request *ret_request);
    enum provider_reading (*searched)(const struct settings *settings, struct arena *arena,
                                      const struct provider_order *order,
                                      const struct httpc_answer *answer,
                                      struct provider_cursor *cursor,
                                      char ret_reference[PROVIDER_REFERENCE_MAX]);

    /* A provider that keeps its answer to a create under our key: builds the question for it, and
     * reads the answer like created does. UNKNOWN: it has none (yet). NULL: it keeps none. */
    enum err (*recover)(const struct settings *settings, struct arena *arena,
                        const struct provider_order *order, struct httpc_request *ret_request);
    void (*recovered)(const struct settings *settings, struct arena *arena,
                      const struct httpc_answer *answer, struct provider_result *ret_result);

    /* Can what was paid in this way be given back through the API? NULL: never, only by a person in
     * the provider's dashboard. */
    bool (*refundable)(const char *method);

    /* Builds the call that gives back, from the truth that was just read about the payment, and
     * reads its answer: DONE with the refund's own reference, PENDING, DECLINED, REFUSED, NOT_SENT
     * or UNKNOWN. The refund's id is its key, under which the call is sent again for most of a day
     * when its answer was lost: the provider must not give back twice. recover, with the id as the
     * order's reference, asks for the lost answer before. */
    enum err (*refund)(const struct settings *settings, struct arena *arena,
                       const struct provider_order *order, const struct provider_refund *refund,
                       const struct provider_truth *payment, struct httpc_request *ret_request);
    void (*refunded)(const struct settings *settings, struct arena *arena,
                     const struct httpc_answer *answer, struct provider_result *ret_result);

    /* A provider whose calls want a token that it gives out for a while: builds the call for one
     * and reads the answer. provider.c keeps it, adds it to the calls and renews it. NULL: there is
     * none. False: there is no token in the answer. */
    enum err (*token)(const struct settings *settings, struct arena *arena,
                      struct httpc_request *ret_request);
    bool (*token_read)(struct arena *arena, const struct httpc_answer *answer,
                       struct provider_token *ret_token);

    /* Seconds that a payer has who pays in this way, when that is not what the settings say for
     * all. NULL or 0: it is. */
    int64_t (*lifetime_s)(const char *method);

    /* Does the notice come from the provider? Over the raw bytes, in constant time. A time that is
     * signed along is held against base/clock; what a signature covers is put together in the
     * request's arena. A thin one may go unproved. */
    bool (*notice_proved)(const struct settings *settings, const struct http_request *request);

    /* Reads a proved notice. ERR_PAYLOAD: it is not as documented, a person must look. */
    enum err (*notice)(const struct settings *settings, struct arena *arena, const char *body,
                       size_t len, struct provider_truth *ret_truth);

    /* Its notices only say which payment to ask about: what they claim is never posted. */
    bool thin;

    /* They come as GET, and their body is the query. */
    bool notice_in_query;

    /* NULL: they come by themselves. */
    const struct provider_hooks *hooks;

    /* What an operator may ask of it; NULL: nothing. */
    const struct provider_desk *desk;

    /* The card that a payment was made with, where the truth about it says that there is more to
     * know. What cannot be read is left out. NULL: never. */
    enum err (*card)(const struct settings *settings, struct arena *arena,
                     const struct provider_order *order, struct httpc_request *ret_request);
    void (*card_read)(struct arena *arena, const struct httpc_answer *answer,
                      struct provider_truth *truth);

    /* NULL: it takes no recurring payments. */
    const struct provider_registrations *registrations;

    /* Which payment does a payer's browser come back from? By our reference or the provider's,
     * from the query of the address that the provider sends it to; NULL: it does not say. */
    const char *(*returned)(const struct http_field *query);

    /* May a create whose outcome is unknown be sent again with the same reference? Only when
     * the provider refuses a second one, or answers it as it did the first (an idempotency key), so
     * that asking again cannot charge twice. Asked of those that are repeatable. */
    bool reference_is_unique;

    /* Does a create by this method move no money before the payer acts on its answer, and is all
     * that it needs stored? Then one whose answer was lost is sent again, or replaced by another,
     * with a reference of its own; its order has no payer, card or details. NULL: never. */
    bool (*repeatable)(const struct settings *settings, const char *method);
};

/* For everything about payments that exist. NULL when there is no such provider or it lacks its
 * secrets; one that is merely switched off is found: what was begun with it goes on. */
const struct provider_driver *provider_find(const struct settings *settings, const char *name);

/* For new payments. NULL also when the provider is switched off. */
const struct provider_driver *provider_find_open(const struct settings *settings, const char *name);

/* Is there a provider of this name, whatever its settings? */
bool provider_is_known(const char *name);

/* The drivers one by one, whether configured or not: NULL after the last. */
const struct provider_driver *provider_at(size_t index);

/* May this payment be made with the provider, as far as the caller's words about the payer go? */
enum err provider_check(const struct provider_driver *driver, const struct settings *settings,
                        const struct provider_order *order) MUST_CHECK;

/* The provider's own word for a method; a name that the list does not know is its own. */
const char *provider_method_id(const struct provider_driver *driver, const char *name);

/* Is the method known to exist there? "" is: every provider has a hosted default. */
bool provider_has_method(const struct provider_driver *driver, const char *name);

/* The house brand's partners in their order, those open for new payments: NULL after the last. */
const struct provider_driver *provider_partner(const struct settings *settings, size_t index);

/* Who carries out a deposit that was asked of this provider: itself, or for the house brand its
 * partners that have the currency and the method, in their order. ERR_PROVIDER_UNAVAILABLE: none
 * has the currency; ERR_METHOD_OF_PAYMENT: none of those has the method. */
enum err provider_route(const struct settings *settings, const struct provider_driver *asked,
                        const struct money *amount, const char *method, size_t max,
                        const struct provider_driver **ret_drivers, size_t *ret_count) MUST_CHECK;

/* Runs the create call and judges what the driver cannot: no answer at all. */
void provider_create(const struct provider_driver *driver, const struct settings *settings,
                     struct httpc *client, struct arena *arena, int64_t deadline_ms,
                     const struct provider_order *order, struct provider_result *ret_result);

/* Asks what became of a create whose answer was lost. UNKNOWN also when the driver cannot ask. */
void provider_recover(const struct provider_driver *driver, const struct settings *settings,
                      struct httpc *client, struct arena *arena, int64_t deadline_ms,
                      const struct provider_order *order, struct provider_result *ret_result);

/* Gives money back. Sent again under the same id, it happens once. */
void provider_give_back(const struct provider_driver *driver, const struct settings *settings,
                        struct httpc *client, struct arena *arena, int64_t deadline_ms,
                        const struct provider_order *order, const struct provider_refund *refund,
                        struct provider_result *ret_result);

/* Carries one call, with a token where the driver has one. A token that cannot be had is NOT_SENT.
 */
void provider_call(const struct provider_driver *driver, const struct settings *settings,
                   struct httpc *client, struct arena *arena, struct httpc_request *request,
                   struct httpc_answer *ret_answer);

/* Asks for the truth about a payment. */
enum provider_reading provider_read(const struct provider_driver *driver,
                                    const struct settings *settings, struct httpc *client,
                                    struct arena *arena, int64_t deadline_ms,
                                    const struct provider_order *order,
                                    struct provider_truth *ret_truth);

/* Reads a notice that has been proved, see provider_driver.notice. */
enum err provider_notice(const struct provider_driver *driver, const struct settings *settings,
                         struct arena *arena, const char *body, size_t len,
                         struct provider_truth *ret_truth) MUST_CHECK;

/* Finds the provider's own reference of a payment in its lists. READING_NOT_FOUND: it is not there,
 * or the driver has no search. */
enum provider_reading provider_search(const struct provider_driver *driver,
                                      const struct settings *settings, struct httpc *client,
                                      int64_t deadline_ms, const struct provider_order *order,
                                      char ret_reference[PROVIDER_REFERENCE_MAX]);

/* Statuses that say: this request was looked at and nothing was made of it. */
bool provider_is_refusal(int status);

/* An address we may send a payer to: https, and nothing that could end a header or an attribute. */
bool provider_is_payer_url(const char *text);

/* Is the word among those that the list separates by spaces? */
bool provider_lists(const char *list, const char *word);

/* Does a notice come from one of the addresses, separated by spaces? "": anybody may send it. */
bool provider_may_call(const char *addresses, const struct http_request *request);

/* Can it be an id of a provider's, up to max letters, digits, _ and -? What else goes into the path
 * of a call could change which one it is. */
bool provider_is_id(const char *text, size_t max);

/* Up to max characters of one line. */
bool provider_is_line(const char *text, size_t max);

/* Copies as much of a foreign text as fits, as printable ASCII: for reasons and words. */
void provider_quote(char *to, size_t size, const char *from);

#endif
