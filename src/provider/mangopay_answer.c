/* What Mangopay answers to a create, or says that it has answered. */
#include "provider/mangopay.h"

#include "base/buf.h"
#include "domain/digits.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    RATE_WAIT_S = 60, /* without a word on when calls are taken again */
    WINDOWS = 4,      /* of the rate limit: 15, 30 and 60 minutes, and a day */
    WAIT_MAX_S = 86400,
};

/* The numbers of all lines of this name, which has its colon; four lines with one each, or one line
 * with four. */
static size_t read_numbers(const char *lines, const char *name, int64_t ret_numbers[WINDOWS])
{
    size_t count = 0, name_len = strlen(name);
    for (; *lines != '\0'; lines += strcspn(lines, "\n"), lines += *lines == '\n') {
        if (strncasecmp(lines, name, name_len) != 0)
            continue;
        const char *at = lines + name_len;
        for (at += strspn(at, " ,"); count < WINDOWS; at += strspn(at, " ,")) {
            size_t len = strspn(at, "0123456789");
            if (!digits_parse(at, len, &ret_numbers[count]))
                break;
            count++;
            at += len;
        }
    }
    return count;
}

/* Until the last of the windows that are used up starts anew. */
static int64_t rate_wait_s(const struct httpc_answer *answer)
{
    const char *lines = answer->kept == NULL ? "" : answer->kept;
    int64_t left[WINDOWS], reset[WINDOWS], wait = 0;
    size_t count = read_numbers(lines, "X-RateLimit-Remaining:", left);
    size_t resets = read_numbers(lines, "X-RateLimit-Reset:", reset);
    for (size_t i = 0; i < resets; i++)
        if ((i >= count || left[i] == 0) && reset[i] - answer->at_s > wait)
            wait = reset[i] - answer->at_s;
    if (wait == 0)
        wait = answer->retry_after_s > 0 ? answer->retry_after_s : RATE_WAIT_S;
    return wait < WAIT_MAX_S ? wait : WAIT_MAX_S;
}

/* The fields that an error may name first, and what callers know them by. */
static const struct {
    const char *begins;
    enum err err;
} fields[] = {
    {"Billing", ERR_BILLING},
    {"Shipping", ERR_SHIPPING},
    {"BrowserInfo", ERR_BROWSER},
    {"IpAddress", ERR_CUSTOMER},
    {"DebitedFunds", ERR_AMOUNT},
    {"DeclaredDebitedFunds", ERR_AMOUNT},
    {"Fees", ERR_PARAMETERS},
    {"DeclaredFees", ERR_PARAMETERS},
    {"CardId", ERR_PARAMETERS},
    {"MandateId", ERR_PARAMETERS},
    {"Preauthorization", ERR_PARAMETERS},
    {"DepositId", ERR_PARAMETERS},
    {"RecurringPayinRegistrationId", ERR_PARAMETERS},
    {"SecureMode", ERR_PARAMETERS}, /* …ReturnUrl: the payer must be there, recurring_cit first */
    {"FirstTransaction", ERR_PARAMETERS},
    {"NextTransaction", ERR_PARAMETERS},
    {"Frequency", ERR_PARAMETERS},
    {"FixedNextAmount", ERR_PARAMETERS},
    {"FractionedPayment", ERR_PARAMETERS},
    {"FreeCycles", ERR_PARAMETERS},
    {"Migration", ERR_PARAMETERS},
    {"EndDate", ERR_PARAMETERS},
    {"Tag", ERR_PARAMETERS},
    {"Culture", ERR_PARAMETERS},
    {"StatementDescriptor", ERR_PARAMETERS},
    {"AuthorId", ERR_PARAMETERS},
    {"CreditedWalletId", ERR_PARAMETERS},
    {"PaymentStatus", ERR_PARAMETERS},
    {"Status", ERR_PARAMETERS},
};

static enum err refusal_of(const char *type, const char *field)
{
    if (strcmp(type, "currency_incompatibility") == 0)
        return ERR_CURRENCY;
    if (strcmp(type, "disabled_mean_of_payment_for_currency") == 0)
        return ERR_METHOD_OF_PAYMENT;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strncmp(field, fields[i].begins, strlen(fields[i].begins)) == 0)
            return fields[i].err;
    return ERR_NONE;
}

/* {"Message","Type","Id","Date","errors":{field: text}|null}. Only names of theirs are repeated:
 * texts may hold what we sent. */
static bool read_error(int status, const struct json *root, struct provider_result *ret_result)
{
    const char *type = json_get_text(root, "Type");
    const struct json *errors = json_get(root, "errors");
    char quoted[2][64];
    if (type == NULL)
        return false;
    const char *field = errors != NULL && errors->type == JSON_OBJECT && errors->child != NULL
                            ? errors->child->key
                            : "";
    provider_quote(quoted[0], sizeof quoted[0], type);
    provider_quote(quoted[1], sizeof quoted[1], field);
    ret_result->outcome = OUTCOME_REFUSED;
    ret_result->refusal = refusal_of(type, field);
    (void)snprintf(ret_result->reason, REASON_MAX, "Mangopay answered %d %s%s%s", status, quoted[0],
                   field[0] == '\0' ? "" : ": ", quoted[1]);
    return true;
}

/* How a bank wire is made, for callers: names of ours, texts of theirs. */
static const struct {
    const char *theirs, *ours;
} account_fields[] =
    {
        {"Type", "type"},
        {"OwnerName", "ownerName"},
        {"IBAN", "iban"},
        {"BIC", "bic"},
        {"AccountNumber", "accountNumber"},
        {"SortCode", "sortCode"},
        {"ABA", "aba"},
        {"BankName", "bankName"},
        {"InstitutionNumber", "institutionNumber"},
        {"BranchCode", "branchCode"},
        {"Country", "country"},
},
  address_fields[] = {
      {"AddressLine1", "address1"}, {"AddressLine2", "address2"}, {"City", "city"},
      {"Region", "state"},          {"PostalCode", "postcode"},   {"Country", "country"},
};

#define COPY(out, object, table)                                                                   \
    for (size_t i_ = 0; i_ < sizeof(table) / sizeof((table)[0]); i_++)                             \
        if (json_get_text(object, (table)[i_].theirs) != NULL)                                     \
    json_out_text(out, (table)[i_].ours, json_get_text(object, (table)[i_].theirs))

static bool read_instructions(struct arena *arena, const struct json *root,
                              struct provider_result *ret_result)
{
    const struct json *account = json_get(root, "BankAccount");
    const char *reference = json_get_text(root, "WireReference");
    struct buf text;
    if (reference == NULL || account == NULL || account->type != JSON_OBJECT)
        return false;
    buf_init(&text, arena, INSTRUCTIONS_MAX - 1);
    struct json_out *out = json_out_new(arena, &text);
    if (out == NULL)
        return false;
    json_out_object(out, NULL);
    json_out_text(out, "wireReference", reference);
    json_out_object(out, "bankAccount");
    COPY(out, account, account_fields);
    json_out_object(out, "ownerAddress");
    COPY(out, json_get(account, "OwnerAddress"), address_fields);
    json_out_close_object(out);
    json_out_close_object(out);
    json_out_close_object(out);
    ret_result->instructions = json_out_end(out) == ERR_NONE ? buf_text(&text) : NULL;
    return ret_result->instructions != NULL;
}

static void read_failed(const struct json *root, struct provider_result *ret_result)
{
    const char *code = mangopay_text(root, "ResultCode", "");
    struct mangopay_verdict verdict = mangopay_verdict(code);
    char quoted[2][100];
    provider_quote(quoted[0], 16, code);
    provider_quote(quoted[1], sizeof quoted[1], mangopay_text(root, "ResultMessage", ""));
    ret_result->outcome = OUTCOME_DECLINED;
    ret_result->refusal = verdict.err;
    (void)snprintf(ret_result->reason, REASON_MAX, "Mangopay says %.15s: %.99s", quoted[0],
                   quoted[1][0] == '\0' ? verdict.why : quoted[1]);
}

/* The address of a page; NULL: there is none. */
static const char *page_of(const struct json *root)
{
    const char *page = json_get_text(root, "RedirectURL");
    return page != NULL && page[0] != '\0' ? page : json_get_text(root, "SecureModeRedirectURL");
}

/* A pay-in: a page for the payer, words on how to pay, or nothing left for him to do. */
static bool read_payin(struct arena *arena, const struct json *root,
                       struct provider_result *ret_result)
{
    const char *page = page_of(root);
    if (!mangopay_id(root, "Id", ret_result->provider_reference,
                     sizeof ret_result->provider_reference))
        return false;
    if (mangopay_says(root, "Status", "FAILED")) {
        read_failed(root, ret_result);
        return true;
    }
    bool made = mangopay_says(root, "Status", "CREATED");
    if (!made && !mangopay_says(root, "Status", "SUCCEEDED"))
        return false;
    if (made && page != NULL && page[0] != '\0') {
        if (!provider_is_payer_url(page))
            return false;
        ret_result->url = page;
    } else if (made && mangopay_says(root, "PaymentType", "BANK_WIRE")) {
        if (!read_instructions(arena, root, ret_result))
            return false;
    } else {
        ret_result->settled = true;
    }
    ret_result->outcome = OUTCOME_PENDING;
    return true;
}

/* A refund of a pay-in. */
static bool read_refund(const struct json *root, struct provider_result *ret_result)
{
    if (!mangopay_id(root, "Id", ret_result->provider_reference,
                     sizeof ret_result->provider_reference))
        return false;
    if (mangopay_says(root, "Status", "FAILED"))
        read_failed(root, ret_result);
    else if (mangopay_says(root, "Status", "SUCCEEDED"))
        ret_result->outcome = OUTCOME_DONE;
    else if (mangopay_says(root, "Status", "CREATED"))
        ret_result->outcome = OUTCOME_PENDING;
    return ret_result->outcome != OUTCOME_UNKNOWN;
}

static bool read_made(struct arena *arena, const struct json *root,
                      struct provider_result *ret_result)
{
    return mangopay_says(root, "Nature", "REFUND") ? read_refund(root, ret_result)
                                                   : read_payin(arena, root, ret_result);
}

/* What was answered with this status, now or to the call that made the pay-in. */
static void read_answer(struct arena *arena, int status, const struct json *root,
                        struct provider_result *ret_result)
{
    const char *id = ret_result->provider_reference;
    bool fine = status == 200 || status == 201;
    if (fine && read_made(arena, root, ret_result)) {
        if (ret_result->outcome == OUTCOME_PENDING || ret_result->outcome == OUTCOME_DONE)
            ret_result->reason[0] = '\0';
        return;
    }
    if (fine && id[0] != '\0') {
        (void)snprintf(ret_result->reason, REASON_MAX,
                       "Mangopay made %.100s, but not as documented", id);
        ret_result->provider_reference[0] = '\0';
        return;
    }
    if (provider_is_refusal(status))
        (void)read_error(status, root, ret_result);
}

void mangopay_created(const struct settings *settings, struct arena *arena,
                      const struct httpc_answer *answer, struct provider_result *ret_result)
{
    struct json *root;
    (void)settings;
    (void)snprintf(ret_result->reason, REASON_MAX, "Mangopay answered %d and nothing we understand",
                   answer->status);
    switch (answer->status) {
    case 409: /* whatever became of the first call is kept under the key */
        ret_result->taken = true;
        return;
    case 429:
        ret_result->outcome = OUTCOME_NOT_SENT;
        ret_result->retry_after_s = rate_wait_s(answer);
        (void)snprintf(ret_result->reason, REASON_MAX, "Mangopay takes no more calls for now");
        return;
    case 401: /* even with a new token */
        ret_result->outcome = OUTCOME_NOT_SENT;
        ret_result->trip_s = PROVIDER_TRIP_S;
        (void)snprintf(ret_result->reason, REASON_MAX, "Mangopay takes none of its tokens");
        return;
    default:
        break;
    }
    if (json_parse(arena, answer->body, answer->body_len, &root) == ERR_NONE)
        read_answer(arena, answer->status, root, ret_result);
}

/* {"StatusCode":"200",…,"Resource":{…}}: the first answer, an error too. */
void mangopay_recovered(const struct settings *settings, struct arena *arena,
                        const struct httpc_answer *answer, struct provider_result *ret_result)
{
    struct json *root;
    int64_t status;
    (void)settings;
    (void)snprintf(ret_result->reason, REASON_MAX, "Mangopay answered %d about our key",
                   answer->status);
    if (answer->status != 200 ||
        json_parse(arena, answer->body, answer->body_len, &root) != ERR_NONE)
        return;
    const char *code = mangopay_text(root, "StatusCode", "");
    const struct json *resource = json_get(root, "Resource");
    if (!digits_parse(code, strlen(code), &status) || status < 200 || status >= 600 ||
        resource == NULL)
        return;
    if (status == 401 || status == 429) { /* the key is used up, and nothing was made */
        ret_result->outcome = OUTCOME_REFUSED;
        return;
    }
    read_answer(arena, (int)status, resource, ret_result);
}
