/* Registered cards: registration, tokenization of what the payer typed, and what a charge of a
 * card does. Must not keep a number: only the alias leaves this file. */
#include "sandbox/mangopay.h"

#include "sandbox/settings.h"

#include "base/crypt.h"

#include <stdlib.h>
#include <string.h>

bool mango_make_registration(struct mango_call *call, struct json *object)
{
    struct arena *arena = call->arena;
    const char *id = mango_text(object, "Id");
    if (mango_get(arena, "user", mango_text(object, "UserId")) == NULL) {
        mango_error_missing(call, "User", mango_text(object, "UserId"));
        return false;
    }
    mango_set_text(arena, object, "AccessKey", mango_seal(arena, "access key"));
    mango_set_text(arena, object, "PreregistrationData",
                   mango_print(arena, "%s.%s", id, mango_seal(arena, id)));
    mango_set_text(
        arena, object, "CardRegistrationURL",
        mango_print(arena, "%s/mangopay/webpayment/getToken", sandbox_settings()->public_url));
    return true;
}

const char *mango_outcome_code(enum card_outcome outcome)
{
    switch (outcome) {
    case CARD_PAYS:
    case CARD_CHALLENGE:
        return NULL;
    case CARD_DECLINED:
        return "101101";
    case CARD_NO_FUNDS:
        return "101102";
    case CARD_NO_TEST_CARD:
        return "101199";
    }
    return NULL;
}

/* First six and last four digits, as receipts have them. */
static const char *alias_of(struct arena *arena, const char *number)
{
    char digits[32];
    size_t len = 0;
    for (; *number != '\0' && len + 1 < sizeof digits; number++)
        if (*number >= '0' && *number <= '9')
            digits[len++] = *number;
    digits[len] = '\0';
    const char *alias = "";
    if (len >= 12)
        alias = mango_print(arena, "%.6s%.*s%s", digits, (int)len - 10, "XXXXXXXXXXXXXXXXXXXXX",
                            digits + len - 4);
    crypt_wipe(digits, sizeof digits);
    return alias;
}

static const char *product_of(const struct card *card)
{
    if (strcmp(card->brand, "amex") == 0)
        return "AMEX";
    if (strcmp(card->brand, "maestro") == 0)
        return "MAESTRO";
    return "CB_VISA_MASTERCARD";
}

/* --- tokenization: the payer's browser posts the card to Mangopay --- */

static const char *field(const struct http_field *fields, const char *name)
{
    const char *value = http_form_get(fields, name);
    return value == NULL ? "" : value;
}

static void answer_text(struct http_response *response, const char *text)
{
    response->status = 200;
    response->content_type = "text/plain; charset=utf-8";
    http_header_set(response, "Access-Control-Allow-Origin", "*");
    http_header_set(response, "Cache-Control", "no-store");
    buf_puts(&response->body, text);
}

/* The id of the registration that the data names; NULL when it is not ours. */
static const char *registration_of(struct arena *arena, const struct http_field *fields)
{
    const char *data = field(fields, "data"), *dot = strchr(data, '.');
    const char *key = field(fields, "accessKeyRef");
    if (dot == NULL || strcmp(key, mango_seal(arena, "access key")) != 0)
        return NULL;
    const char *id = mango_print(arena, "%.*s", (int)(dot - data), data);
    if (strcmp(dot + 1, mango_seal(arena, id)) != 0 ||
        mango_get(arena, "cardregistration", id) == NULL)
        return NULL;
    return id;
}

/* MMYY as a form has it. */
static bool is_expiry(const char *text)
{
    return strlen(text) == 4 && strspn(text, "0123456789") == 4;
}

void mango_card_keep(struct arena *arena, const char *id, const char *number, const char *expiry,
                     const struct card *card)
{
    struct json *token = mango_object(arena);
    const char *alias = alias_of(arena, number);
    mango_set_text(arena, token, "Alias", alias);
    mango_set_text(arena, token, "ExpirationDate", expiry);
    mango_set_text(arena, token, "CardType", product_of(card));
    mango_set_text(arena, token, "Brand", card->brand);
    mango_set_text(arena, token, "Fingerprint", mango_seal(arena, alias));
    mango_set_int(arena, token, "Outcome", card->outcome);
    mango_put(arena, "cardtoken", id, token);
}

static const char *keep_card(struct arena *arena, const struct http_field *fields,
                             const struct card *card)
{
    const char *id = mango_id(arena, "");
    mango_card_keep(arena, id, field(fields, "cardNumber"), field(fields, "cardExpirationDate"),
                    card);
    return id;
}

static const char *tokenize(struct arena *arena, const struct http_field *fields)
{
    struct card card;
    struct card_problems problems;
    const char *expiry = field(fields, "cardExpirationDate");
    if (registration_of(arena, fields) == NULL)
        return "errorCode=105206";
    if (!is_expiry(expiry))
        return "errorCode=105203";
    if (card_check(field(fields, "cardNumber"), mango_print(arena, "%.2s/%s", expiry, expiry + 2),
                   field(fields, "cardCvx"), mango_now_ms(), &card, &problems))
        return mango_print(arena, "data=%s", keep_card(arena, fields, &card));
    return problems.number != NULL   ? "errorCode=105202"
           : problems.expiry != NULL ? "errorCode=105203"
                                     : "errorCode=105204";
}

void mango_tokenize(const struct http_request *request, struct http_response *response)
{
    struct http_field *fields = NULL;
    const char *text = "errorCode=105299", *back = NULL;
    if (http_form_parse(request->arena, request->body, request->body_len, &fields) == ERR_NONE) {
        text = tokenize(request->arena, fields);
        back = http_form_get(fields, "returnURL");
    }
    if (back != NULL && strncmp(back, "https://", 8) == 0 && strpbrk(back, "\r\n") == NULL) {
        response->status = 302;
        http_header_set(response, "Location",
                        mango_print(request->arena, "%s%s%s", back,
                                    strchr(back, '?') == NULL ? "?" : "&", text));
        return;
    }
    answer_text(response, text);
}

/* --- the end of a registration --- */

/* The card that the token stands for, as an object of its own. */
static void make_card(struct mango_call *call, struct json *registration, const struct json *token)
{
    struct arena *arena = call->arena;
    const char *id = mango_id(arena, "card_m_"), *expiry = mango_text(token, "ExpirationDate");
    struct json *card = mango_parse(
        arena, "{\"CardProvider\":\"VISA\",\"Country\":\"FRA\",\"Product\":\"G\",\"BankCode\":\"\","
               "\"Active\":true,\"Validity\":\"UNKNOWN\",\"CardHolderName\":null}");
    mango_merge(arena, card, token);
    mango_set_text(arena, card, "Id", id);
    mango_set(arena, card, "Tag", NULL);
    mango_set_int(arena, card, "CreationDate", mango_now_s());
    mango_set_text(arena, card, "ExpirationDate", expiry);
    mango_set_text(arena, card, "Currency", mango_text(registration, "Currency"));
    mango_set_text(arena, card, "UserId", mango_text(registration, "UserId"));
    mango_set(arena, card, "CardHolderName", mango_given(call->body, "CardHolderName"));
    mango_put(arena, "card", id, card);
    mango_set_text(arena, registration, "CardId", id);
}

void mango_registration_finish(struct mango_call *call)
{
    struct arena *arena = call->arena;
    struct json *registration = mango_get(arena, "cardregistration", call->id);
    if (registration == NULL) {
        mango_error_missing(call, "CardRegistration", call->id);
        return;
    }
    if (!mango_check(call, mango_registration_update_fields))
        return;
    const char *data = mango_text(call->body, "RegistrationData"), *code = NULL;
    const struct json *token =
        strncmp(data, "data=", 5) == 0 ? mango_get(arena, "cardtoken", data + 5) : NULL;
    if (strcmp(mango_text(registration, "Status"), "CREATED") != 0)
        code = "101699";
    else if (strncmp(data, "errorCode=", 10) == 0 && mango_result_find(data + 10) != NULL)
        code = data + 10;
    else if (token == NULL)
        code = "001599";
    mango_set_text(arena, registration, "RegistrationData", data);
    mango_set_text(arena, registration, "Status", code == NULL ? "VALIDATED" : "ERROR");
    mango_result_set(arena, registration, code == NULL ? "000000" : code);
    if (code == NULL)
        make_card(call, registration, token);
    mango_put(arena, "cardregistration", call->id, registration);
    mango_answer(call, registration);
}

/* --- using a card --- */

enum mango_charge mango_card_charge(const struct json *card, const char *secure_mode,
                                    const char **ret_code)
{
    enum card_outcome outcome = (enum card_outcome)mango_int(card, "Outcome");
    const char *type = mango_text(card, "CardType");
    *ret_code = mango_outcome_code(outcome);
    if (*ret_code != NULL)
        return CHARGE_FAILS;
    if (outcome == CARD_CHALLENGE || strcmp(secure_mode, "FORCE") == 0 ||
        mango_is_word(" AMEX MAESTRO BCMC ", type))
        return CHARGE_ASKS;
    return CHARGE_PAYS;
}

static void set_card_info(struct arena *arena, struct json *object, const struct json *card)
{
    struct json *info = mango_parse(arena, "{\"IssuingBank\":\"LA BANQUE POSTALE\","
                                           "\"IssuerCountryCode\":\"FR\",\"Type\":\"CREDIT\","
                                           "\"SubType\":null}");
    char brand[16];
    const char *from = mango_text(card, "Brand");
    size_t len = 0;
    for (; from[len] != '\0' && len + 1 < sizeof brand; len++)
        brand[len] = (char)(from[len] >= 'a' && from[len] <= 'z' ? from[len] - 32 : from[len]);
    brand[len] = '\0';
    mango_set_text(arena, info, "BIN", mango_print(arena, "%.6s", mango_text(card, "Alias")));
    mango_set_text(arena, info, "Brand", brand);
    mango_set(arena, object, "CardInfo", info);
}

bool mango_card_use(struct mango_call *call, struct json *object, const char *currency)
{
    struct arena *arena = call->arena;
    const struct json *card = mango_get(arena, "card", mango_text(object, "CardId"));
    if (card == NULL) {
        mango_error_param(call, "CardId", "The card does not exist.");
        return false;
    }
    const char *own = mango_text(card, "Currency");
    if (strcmp(own, currency) != 0) {
        struct json *errors = mango_object(arena);
        mango_set_text(arena, errors, "currency",
                       mango_print(arena,
                                   "The card's currency %s and the debitedAmount's currency %s "
                                   "must be the same",
                                   own, currency));
        mango_error(call, 400, "currency_incompatibility",
                    "Error: multi-currency usage is not authorized", errors);
        return false;
    }
    if (strcmp(mango_text(card, "UserId"), mango_text(object, "AuthorId")) != 0)
        call->failure = "001023";
    else if (!json_get(card, "Active")->boolean)
        call->failure = "101410";
    set_card_info(arena, object, card);
    return true;
}
