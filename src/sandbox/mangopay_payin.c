/* PayIns: made from their rows, kept as sessions, shown as their documents have them, ended once.
 * What each kind looks at and does first is in mangopay_begin.c. */
#include "sandbox/mangopay.h"

#include "base/clock.h"
#include "base/log.h"

#include <string.h>

#define NO_CURRENCY                                                                                \
    "X"                                                                                            \
    "XX" /* ISO 4217's own word for none */

static const char *const status_words[] = {"CREATED", "SUCCEEDED", "FAILED"};

const struct mango_payin *mango_payin_find(const char *name)
{
    for (const struct mango_payin *kind = mango_payins; kind->name != NULL; kind++)
        if (name != NULL && strcmp(kind->name, name) == 0)
            return kind;
    return NULL;
}

/* --- how it stands --- */

bool mango_payin_open(const struct session *session)
{
    return mango_payin_status(session) == status_words[0];
}

const char *mango_payin_status(const struct session *session)
{
    switch (session->status) {
    case SESSION_NEW:
    case SESSION_OPENED:
    case SESSION_CHALLENGED:
    case SESSION_INCOMPLETE:
    case SESSION_IN_REVIEW:
    case SESSION_WITHHELD:
        return status_words[0];
    case SESSION_SUCCEEDED:
    case SESSION_REFUNDED:
    case SESSION_CHARGED_BACK:
        return status_words[1];
    case SESSION_FAILED:
    case SESSION_DECLINED:
    case SESSION_EXPIRED:
    case SESSION_STATUSES:
        break;
    }
    return status_words[2];
}

/* The result code of a payment that is over. */
static const char *code_of(const struct session *session)
{
    const struct mango_payin *kind = mango_payin_find(session->method);
    if (mango_payin_status(session) == status_words[1])
        return "000000";
    if (session->attempt.reason != NULL)
        return session->attempt.reason;
    if (session->status == SESSION_EXPIRED)
        return kind != NULL && kind->expired != NULL ? kind->expired : "001999";
    return "101101";
}

/* What the bank says of a wire; the id and the reference are words of ours. */
static const char details[] =
    "[{\"BankTransactionDomainCode\":\"PMNT\",\"BankTransactionDomainFamilyCode\":\"RCDT\","
    "\"BankTransactionDomainSubFamilyCode\":null,"
    "\"References\":[{\"Type\":\"EndToEndId\",\"Value\":\"%s\"}],"
    "\"DebtorName\":\"Alex Smith\",\"DebtorAddressLine1\":null,\"DebtorAddressLine2\":null,"
    "\"DebtorAddressLine3\":null,\"DebtorAccount\":\"FR7630004000031234567890143\","
    "\"DebtorAgent\":\"BNPAFRPPXXX\",\"RemittanceInformationLine1\":\"%s\","
    "\"RemittanceInformationLine2\":null,\"RemittanceInformationLine3\":null,"
    "\"RemittanceInformationLine4\":null}]";

/* A wire has no amounts until money has come, and then those that came. */
static void set_received(struct arena *arena, struct json *payin, const struct session *session)
{
    bool paid = mango_payin_status(session) == status_words[1];
    int64_t fees = mango_amount(payin, "DeclaredFees");
    int64_t came = session->attempt.received > 0 ? session->attempt.received : session->amount;
    const char *currency = paid ? session->currency : NO_CURRENCY;
    mango_set_money(arena, payin, "DebitedFunds", currency, paid ? came : 0);
    mango_set_money(arena, payin, "Fees", currency, paid ? fees : 0);
    mango_set_money(arena, payin, "CreditedFunds", currency, paid ? came - fees : 0);
    if (paid)
        mango_set(arena, payin, "TransactionDetails",
                  mango_parse(arena, mango_print(arena, details, mango_text(payin, "Id"),
                                                 mango_text(payin, "WireReference"))));
}

struct json *mango_payin_read(struct arena *arena, const struct session *session)
{
    struct json *payin = mango_parse(arena, session->body);
    const char *status = mango_payin_status(session);
    bool over = status != status_words[0];
    mango_set_text(arena, payin, "Status", status);
    mango_result_set(arena, payin, over ? code_of(session) : NULL);
    mango_set(arena, payin, "ExecutionDate", NULL);
    if (status == status_words[1])
        mango_set_int(arena, payin, "ExecutionDate",
                      (session->changed_ms + mango_now_ms() - clock_wall_ms()) / 1000);
    if (json_get(payin, "DeclaredDebitedFunds") != NULL)
        set_received(arena, payin, session);
    if (session->status == SESSION_CHALLENGED && json_get(payin, "SecureModeRedirectURL") != NULL) {
        mango_set_bool(arena, payin, "SecureModeNeeded", true);
        mango_set_text(arena, payin, "SecureModeRedirectURL",
                       mango_page_url(arena, "3ds", session->id));
    }
    return payin;
}

/* --- its moves --- */

static struct session_attempt attempt_of(const struct session *session, const char *code)
{
    const struct mango_result *result = code == NULL ? NULL : mango_result_find(code);
    struct session_attempt attempt = session->attempt;
    attempt.method = session->method;
    attempt.reason = code == NULL ? NULL : result == NULL ? "009999" : result->code;
    return attempt;
}

enum err mango_payin_end(struct arena *arena, const struct session *session, const char *code,
                         bool wait, struct session *ret_session)
{
    struct session_attempt attempt = attempt_of(session, code);
    enum session_move move = code != NULL                            ? MOVE_DECLINE
                             : session->status == SESSION_CHALLENGED ? MOVE_APPROVE
                                                                     : MOVE_PAY;
    return (wait ? provider_move_and_wait : provider_move)(arena, session, move, &attempt,
                                                           ret_session);
}

enum err mango_payin_fail_late(struct arena *arena, const struct session *session, const char *code,
                               struct session *ret_session)
{
    const struct session_attempt attempt = attempt_of(session, code);
    const struct json *payin = mango_payin_read(arena, session);
    enum err err = provider_move(arena, session, MOVE_FAIL_LATE, &attempt, ret_session);
    if (!err)
        mango_wallet_add(arena, mango_text(payin, "CreditedWalletId"),
                         -mango_amount(payin, "CreditedFunds"));
    return err;
}

enum err mango_payin_challenge(struct arena *arena, const struct session *session,
                               struct session *ret_session)
{
    struct session_attempt attempt = attempt_of(session, NULL);
    return provider_move(arena, session, MOVE_CHALLENGE, &attempt, ret_session);
}

/* --- making one --- */

/* The page gives the PayIn's id back to the merchant. */
static void set_return(struct arena *arena, struct json *payin, const char *key, const char *id)
{
    const char *url = mango_text(payin, key);
    if (*url != '\0')
        mango_set_text(arena, payin, key,
                       mango_print(arena, "%s%stransactionId=%s", url,
                                   strchr(url, '?') == NULL ? "?" : "&", id));
}

/* The merchant's own page around the form for cards, whichever way it is named. */
static void set_template(struct arena *arena, struct json *payin, const struct json *body,
                         const char *id)
{
    static const char *const names[] = {"PAYLINE", "PAYLINEV2", "PaylineV2"};
    const struct json *options = mango_given(body, "TemplateURLOptions");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (json_get_text(options, names[i]) != NULL)
            mango_set_text(arena, payin, "TemplateURL", json_get_text(options, names[i]));
    set_return(arena, payin, "TemplateURL", id);
}

static void set_funds(struct arena *arena, struct json *payin, const struct json *body)
{
    const char *currency = mango_currency(body, "DebitedFunds");
    if (json_get(body, "DebitedFunds") == NULL)
        return;
    mango_set(arena, payin, "DebitedFunds", json_get(body, "DebitedFunds"));
    mango_set(arena, payin, "Fees", json_get(body, "Fees"));
    mango_set_money(arena, payin, "CreditedFunds", currency,
                    mango_amount(body, "DebitedFunds") - mango_amount(body, "Fees"));
}

static bool has_field(const struct mango_field *fields, const char *name)
{
    while (fields != NULL && fields->name != NULL && strcmp(fields->name, name) != 0)
        fields++;
    return fields != NULL && fields->name != NULL;
}

/* The kind's members from the start; over them goes what the body may say. */
static struct json *draft(struct arena *arena, const struct mango_payin *kind,
                          const struct mango_field *fields, const struct json *body)
{
    struct json *payin = mango_object(arena);
    const struct json *members = mango_parse(arena, kind->members);
    const char *id = strcmp(kind->prefix, "wt_") == 0
                         ? mango_print(arena, "wt_%s", mango_id(arena, ""))
                         : mango_id(arena, kind->prefix);
    mango_set_text(arena, payin, "Id", id);
    mango_set(arena, payin, "Tag", mango_given(body, "Tag"));
    mango_set_int(arena, payin, "CreationDate", mango_now_s());
    mango_set(arena, payin, "AuthorId", mango_given(body, "AuthorId"));
    mango_set(arena, payin, "CreditedUserId", mango_given(body, "CreditedUserId"));
    set_funds(arena, payin, body);
    mango_set_text(arena, payin, "Type", "PAYIN");
    mango_set_text(arena, payin, "Nature", "REGULAR");
    mango_set(arena, payin, "CreditedWalletId", mango_given(body, "CreditedWalletId"));
    mango_set(arena, payin, "DebitedWalletId", NULL);
    mango_set_text(arena, payin, "PaymentType", kind->payment_type);
    mango_set_text(arena, payin, "ExecutionType", kind->execution_type);
    for (const struct json *member = members->child; member != NULL; member = member->next) {
        bool taken = fields == NULL || has_field(fields, member->key);
        const struct json *given = taken ? mango_given(body, member->key) : NULL;
        mango_set(arena, payin, member->key, given != NULL ? given : member);
    }
    if (json_get(members, "TemplateURL") != NULL)
        set_template(arena, payin, body, id);
    set_return(arena, payin, "ReturnURL", id);
    set_return(arena, payin, "SecureModeReturnURL", id);
    return payin;
}

/* The wallet and who is credited. */
static bool check_wallet(struct mango_call *call, struct json *payin, const char *currency)
{
    struct arena *arena = call->arena;
    const struct json *wallet = mango_get(arena, "wallet", mango_text(payin, "CreditedWalletId"));
    if (wallet == NULL) {
        mango_error_param(call, "CreditedWalletId", "The wallet does not exist.");
        return false;
    }
    const char *own = mango_text(wallet, "Currency"), *owner = mango_text(wallet, "OwnerId");
    if (strcmp(own, currency) != 0) {
        struct json *errors = mango_object(arena);
        mango_set_text(arena, errors, "currency",
                       mango_print(arena,
                                   "The Wallet's currency %s and the DebitedFunds's currency %s "
                                   "must be the same",
                                   own, currency));
        mango_error(call, 400, "currency_incompatibility",
                    "Error: multi-currency usage is not authorized", errors);
        return false;
    }
    if (mango_given(payin, "CreditedUserId") == NULL)
        mango_set_text(arena, payin, "CreditedUserId", owner);
    if (strcmp(mango_text(payin, "CreditedUserId"), owner) != 0) {
        mango_error_param(call, "CreditedUserId", "The credited user is not the wallet's owner.");
        return false;
    }
    return true;
}

/* What every PayIn of a user is looked at for. */
static bool check_common(struct mango_call *call, struct json *payin, const char *funds,
                         const char *fees)
{
    const char *currency = mango_currency(payin, funds);
    const char *author = mango_text(payin, "AuthorId");
    if (mango_get(call->arena, "user", author) == NULL) {
        mango_error_param(call, "AuthorId", "The author does not exist.");
        return false;
    }
    if (strcmp(currency, mango_currency(payin, fees)) != 0) {
        struct json *errors = mango_object(call->arena);
        mango_set_text(call->arena, errors, "currency",
                       "The currency of the Fees and of the DebitedFunds must be the same");
        mango_error(call, 400, "currency_incompatibility",
                    "Error: multi-currency usage is not authorized", errors);
        return false;
    }
    return check_wallet(call, payin, currency);
}

/* The result code with which these amounts fail; NULL: none. */
static const char *amount_problem(int64_t amount, int64_t fees)
{
    enum { AMOUNT_MAX = 100000000 };
    if (amount == 0)
        return "001012";
    if (amount > AMOUNT_MAX)
        return "001011";
    return fees >= amount ? "001014" : NULL;
}

/* Mangopay does not mind two payments with one Tag; the table of sessions does. */
static enum err store(struct arena *arena, const struct mango_payin *kind, struct json *payin,
                      const char *funds, struct session *ret_session)
{
    const char *tag = mango_text(payin, "Tag"), *id = mango_text(payin, "Id");
    const char *body = mango_write(arena, payin);
    struct session draft_session = {
        .provider = &mangopay,
        .amount = mango_amount(payin, funds),
        .order_id = *tag == '\0' ? id : tag,
        .method = kind->name,
        .body = body,
        .body_len = strlen(body),
    };
    if (!text_copy(draft_session.id, sizeof draft_session.id, id) ||
        !text_copy(draft_session.currency, sizeof draft_session.currency,
                   mango_currency(payin, funds)))
        return ERR_INTERNAL;
    if (strlen(tag) <= SESSION_TEXT_MAX && session_create(&draft_session, ret_session) == ERR_NONE)
        return ERR_NONE;
    draft_session.order_id = mango_print(arena, "%.160s#%s", tag, id);
    return session_create(&draft_session, ret_session);
}

/* What becomes of it at once. */
static void begin(struct mango_call *call, const struct mango_payin *kind, const struct json *payin)
{
    const char *code = call->failure;
    enum mango_charge charge = CHARGE_FAILS;
    struct fault_args args;
    enum err err = ERR_NONE;
    if (api_takes(&call->api, FAULT_ERROR_CODE, &args))
        code = mango_print(call->arena, "%06lld", (long long)args.code);
    else if (api_takes(&call->api, FAULT_REFUSED, &args))
        code = "001999";
    if (code == NULL && kind->begin == NULL)
        return;
    if (code == NULL)
        charge = kind->begin(call, payin, &code);
    if (charge == CHARGE_ASKS && strcmp(kind->execution_type, "DIRECT") == 0 &&
        json_get(payin, "SecureModeRedirectURL") != NULL)
        err = mango_payin_challenge(call->arena, &call->session, &call->session);
    else if (charge != CHARGE_ASKS)
        err = mango_payin_end(call->arena, &call->session, charge == CHARGE_PAYS ? NULL : code,
                              false, &call->session);
    if (err)
        LOG(LOG_ERROR, "payin not begun", LOG_TEXT("session", call->session.id));
}

static bool keep(struct mango_call *call, const struct mango_payin *kind, struct json *payin,
                 const char *funds)
{
    const char *id = mango_text(payin, "Id");
    if (store(call->arena, kind, payin, funds, &call->session) != ERR_NONE) {
        mango_error(call, 500, "internal_error", "The payment could not be kept", NULL);
        return false;
    }
    (void)text_copy(call->api.entry.session_id, sizeof call->api.entry.session_id, id);
    (void)text_copy(call->api.entry.order_id, sizeof call->api.entry.order_id,
                    call->session.order_id);
    if (kind->life_ms > 0)
        mango_due("payin", id, mango_now_s() + kind->life_ms / 1000);
    provider_announce(call->arena, &call->session);
    return true;
}

void mango_payin_create(struct mango_call *call)
{
    const struct mango_payin *kind = mango_payin_find(call->route->with);
    const struct mango_field *fields = kind->fields;
    if (fields == NULL)
        fields = mango_recurring_payment_fields(call);
    if (fields == NULL || !mango_check(call, fields))
        return;
    struct json *payin = draft(call->arena, kind, fields, call->body);
    if (kind->prepare != NULL && !kind->prepare(call, payin))
        return;
    bool declared = json_get(payin, "DeclaredDebitedFunds") != NULL;
    const char *funds = declared ? "DeclaredDebitedFunds" : "DebitedFunds";
    const char *fees = declared ? "DeclaredFees" : "Fees";
    bool of_client = strcmp(kind->name, "client_bankwire") == 0;
    if (!of_client && !check_common(call, payin, funds, fees))
        return;
    const char *problem = amount_problem(mango_amount(payin, funds), mango_amount(payin, fees));
    if (call->failure == NULL && json_get(payin, "FreeCycle") == NULL)
        call->failure = problem;
    if (!keep(call, kind, payin, funds))
        return;
    begin(call, kind, payin);
    mango_answer(call, mango_payin_read(call->arena, &call->session));
}

const char *mango_payin_instruct(struct mango_call *call, const struct json *alias, int64_t amount,
                                 int64_t fees, const char *reference)
{
    const struct mango_payin *kind = mango_payin_find("external_instruction");
    struct arena *arena = call->arena;
    const struct json *wallet = mango_get(arena, "wallet", mango_text(alias, "WalletId"));
    const char *currency = mango_text(wallet, "Currency");
    struct json *body = mango_object(arena);
    mango_set_text(arena, body, "AuthorId", mango_text(alias, "CreditedUserId"));
    mango_set_text(arena, body, "CreditedUserId", mango_text(alias, "CreditedUserId"));
    mango_set_text(arena, body, "CreditedWalletId", mango_text(alias, "WalletId"));
    mango_set_money(arena, body, "DebitedFunds", currency, amount);
    mango_set_money(arena, body, "Fees", currency, fees);
    mango_set_text(arena, body, "BankingAliasId", mango_text(alias, "Id"));
    mango_set_text(arena, body, "WireReference", reference);
    struct json *payin = draft(arena, kind, NULL, body);
    bool active = json_get(alias, "Active")->boolean;
    if (wallet == NULL || !keep(call, kind, payin, "DebitedFunds"))
        return NULL;
    if (mango_payin_end(arena, &call->session, active ? NULL : "101025", false, &call->session) !=
        ERR_NONE)
        return NULL;
    return call->session.id;
}

/* --- reading one --- */

static bool find(struct mango_call *call)
{
    struct fault_args args;
    if (call->session.provider != NULL && !api_takes(&call->api, FAULT_READBACK_404, &args))
        return true;
    mango_error_missing(call, "PayIn", call->id);
    return false;
}

static void spoil(struct mango_call *call, struct json *payin)
{
    static const char *const amounts[] = {"DebitedFunds", "CreditedFunds"};
    struct arena *arena = call->arena;
    struct fault_args args;
    if (api_takes(&call->api, FAULT_READBACK_PENDING, &args)) {
        mango_set_text(arena, payin, "Status", "CREATED");
        mango_result_set(arena, payin, NULL);
        mango_set(arena, payin, "ExecutionDate", NULL);
    }
    if (api_takes(&call->api, FAULT_WRONG_AMOUNT, &args))
        for (size_t i = 0; i < 2; i++)
            mango_set_money(arena, payin, amounts[i], mango_currency(payin, amounts[i]),
                            mango_amount(payin, amounts[i]) + args.delta);
    if (api_takes(&call->api, FAULT_WRONG_CURRENCY, &args)) {
        const char *other = strcmp(call->session.currency, "USD") == 0 ? "EUR" : "USD";
        for (size_t i = 0; i < 2; i++)
            mango_set_money(arena, payin, amounts[i],
                            args.currency[0] != '\0' ? args.currency : other,
                            mango_amount(payin, amounts[i]));
    }
}

void mango_payin_view(struct mango_call *call)
{
    if (!find(call))
        return;
    struct json *payin = mango_payin_read(call->arena, &call->session);
    spoil(call, payin);
    mango_answer(call, payin);
}

void mango_payin_extended(struct mango_call *call)
{
    struct arena *arena = call->arena;
    if (!find(call))
        return;
    const struct json *payin = mango_payin_read(arena, &call->session);
    const struct json *card = mango_get(arena, "cardtoken", call->id);
    if (strcmp(call->session.method, "card_web") != 0 || card == NULL) {
        mango_error_missing(call, "PayIn", call->id);
        return;
    }
    struct json *view = mango_object(arena);
    mango_set_text(arena, view, "Id", call->id);
    mango_set_text(arena, view, "PaymentType", "CARD");
    mango_set_text(arena, view, "ExecutionType", "WEB");
    mango_set(arena, view, "ExpirationDate", json_get(card, "ExpirationDate"));
    mango_set(arena, view, "Alias", json_get(card, "Alias"));
    mango_set(arena, view, "CardType", json_get(payin, "CardType"));
    mango_set_text(arena, view, "Country", "FRA");
    mango_set(arena, view, "Fingerprint", json_get(card, "Fingerprint"));
    mango_answer(call, view);
}
