/* Registrations of recurring payments at Mangopay: what a caller may say, the calls, and what is
 * shown of them. */
#include "provider/mangopay.h"

#include "base/buf.h"

#include <string.h>

enum { BODY_MAX = 16 * 1024 };

static const char frequencies[] =
    "Daily Weekly TwiceAMonth Monthly Bimonthly Quarterly Semiannual Annual Biannual";

/* A registration has all that a page for cards takes, and a card. */
static struct provider_order order_of(const struct provider_recurring *r)
{
    return (struct provider_order){.reference = "",
                                   .method = "card_web",
                                   .amount = r->amount,
                                   .payer = r->payer,
                                   .details = r->details};
}

/* A change moves no money, in whichever currency. What is free has no amount at Mangopay, and our
 * payments have one: the first payment of a plan that begins with free cycles would be refused. */
static enum err check(const struct settings *settings, const struct provider_recurring *r)
{
    const struct provider_order order = order_of(r);
    bool changes = r->provider_reference[0] != '\0';
    enum err err =
        changes ? mangopay_check_words(settings, &order) : mangopay_check(settings, &order);
    if (err)
        return err;
    if ((!changes && !mangopay_is_id(r->details->card_id)) || r->free_cycles > 0 ||
        (r->details->card_id[0] != '\0' && !mangopay_is_id(r->details->card_id)) ||
        (r->frequency[0] != '\0' && !provider_lists(frequencies, r->frequency)) ||
        (r->next_amount < 0) != (r->next_fees < 0))
        return ERR_PARAMETERS;
    return ERR_NONE;
}

static void put_funds(struct json_out *out, const char *key, const char *currency, int64_t units)
{
    json_out_object(out, key);
    json_out_text(out, "Currency", currency);
    json_out_int(out, "Amount", units);
    json_out_close_object(out);
}

static void put_switch(struct json_out *out, const char *key, int value)
{
    if (value >= 0)
        json_out_bool(out, key, value != 0);
}

static void put_plan(struct json_out *out, const struct provider_recurring *r)
{
    const char *currency = money_currency(&r->amount);
    if (r->end_date_s >= 0)
        json_out_int(out, "EndDate", r->end_date_s);
    if (r->frequency[0] != '\0')
        json_out_text(out, "Frequency", r->frequency);
    if (r->free_cycles >= 0)
        json_out_int(out, "FreeCycles", r->free_cycles);
    put_switch(out, "FixedNextAmount", r->fixed_next_amount);
    put_switch(out, "FractionedPayment", r->fractioned_payment);
    put_switch(out, "Migration", r->migration);
    if (r->next_amount >= 0) {
        put_funds(out, "NextTransactionDebitedFunds", currency, r->next_amount);
        put_funds(out, "NextTransactionFees", currency, r->next_fees);
    }
}

static enum err finish(const struct settings *settings, struct arena *arena, const char *method,
                       const char *path, struct json_out *out, const struct buf *body,
                       struct httpc_request *ret_request)
{
    enum err err = json_out_end(out);
    return err ? err : mangopay_call(settings, arena, method, path, buf_text(body), ret_request);
}

static enum err create(const struct settings *settings, struct arena *arena,
                       const struct provider_recurring *r, struct httpc_request *ret_request)
{
    const struct provider_order order = order_of(r);
    const char *currency = money_currency(&r->amount);
    const char *author = r->details->author_id, *wallet = r->details->credited_wallet_id;
    char own[PROVIDER_REFERENCE_MAX] = "";
    struct money fees = r->amount;
    struct buf body;
    (void)mangopay_wallet(settings, currency, own);
    (void)mangopay_fees(settings, &order, &fees);
    buf_init(&body, arena, BODY_MAX);
    struct json_out *out = json_out_new(arena, &body);
    if (out == NULL)
        return ERR_OVERLOAD;
    json_out_object(out, NULL);
    json_out_text(out, "AuthorId", author[0] != '\0' ? author : settings->mangopay.author_id);
    json_out_text(out, "CreditedWalletId", wallet[0] != '\0' ? wallet : own);
    json_out_text(out, "CardId", r->details->card_id);
    put_funds(out, "FirstTransactionDebitedFunds", currency, money_minor_units(&r->amount));
    put_funds(out, "FirstTransactionFees", currency, money_minor_units(&fees));
    put_plan(out, r);
    mangopay_put_people(out, &order);
    json_out_close_object(out);
    return finish(settings, arena, "POST", "recurringpayinregistrations", out, &body, ret_request);
}

static void put_path(struct buf *path, struct arena *arena, const char *id)
{
    buf_init(path, arena, URL_MAX);
    buf_puts(path, "recurringpayinregistrations/");
    buf_url(path, id);
}

static enum err change(const struct settings *settings, struct arena *arena,
                       const struct provider_recurring *r, struct httpc_request *ret_request)
{
    const struct provider_order order = order_of(r);
    struct buf body, path;
    put_path(&path, arena, r->provider_reference);
    buf_init(&body, arena, BODY_MAX);
    struct json_out *out = json_out_new(arena, &body);
    if (out == NULL)
        return ERR_OVERLOAD;
    json_out_object(out, NULL);
    if (r->details->card_id[0] != '\0')
        json_out_text(out, "CardId", r->details->card_id);
    mangopay_put_people(out, &order);
    if (r->ends)
        json_out_text(out, "Status", "ENDED");
    json_out_close_object(out);
    return finish(settings, arena, "PUT", buf_text(&path), out, &body, ret_request);
}

static enum err view(const struct settings *settings, struct arena *arena,
                     const char *provider_reference, struct httpc_request *ret_request)
{
    struct buf path;
    put_path(&path, arena, provider_reference);
    return mangopay_call(settings, arena, "GET", buf_text(&path), NULL, ret_request);
}

static void read(const struct settings *settings, struct arena *arena,
                 const struct httpc_answer *answer, struct provider_result *ret_result,
                 const struct json **ret_root)
{
    struct json *root;
    if (answer->status == 200 &&
        json_parse(arena, answer->body, answer->body_len, &root) == ERR_NONE &&
        mangopay_id(root, "Id", ret_result->provider_reference,
                    sizeof ret_result->provider_reference) &&
        json_get_text(root, "Status") != NULL) {
        ret_result->outcome = OUTCOME_DONE;
        *ret_root = root;
        return;
    }
    mangopay_created(settings, arena, answer, ret_result);
    if (ret_result->outcome == OUTCOME_PENDING || ret_result->outcome == OUTCOME_DECLINED)
        ret_result->outcome = OUTCOME_UNKNOWN; /* not what was asked for */
}

/* --- what is shown --- */

/* The documents have one of the words with a space, the API with an underscore. */
static void show_status(struct json_out *out, const struct json *root)
{
    static const struct {
        const char *theirs, *ours;
    } words[] = {{"CREATED", "created"},
                 {"AUTHENTICATION_NEEDED", "authentication_needed"},
                 {"AUTHENTICATION NEEDED", "authentication_needed"},
                 {"IN_PROGRESS", "in_progress"},
                 {"ENDED", "ended"}};
    const char *status = "unknown";
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (mangopay_says(root, "Status", words[i].theirs))
            status = words[i].ours;
    json_out_text(out, "status", status);
}

/* A number, or null. */
static void show_number(struct json_out *out, const char *key, const struct json *value)
{
    int64_t number;
    if (value != NULL && json_int(value, &number))
        json_out_int(out, key, number);
    else
        json_out_text(out, key, NULL);
}

static void show_units(struct json_out *out, const char *key, const struct json *object,
                       const char *theirs)
{
    show_number(out, key, json_get(json_get(object, theirs), "Amount"));
}

static void show_switch(struct json_out *out, const char *key, const struct json *object,
                        const char *theirs)
{
    const struct json *value = json_get(object, theirs);
    json_out_bool(out, key, value != NULL && value->type == JSON_BOOL && value->boolean);
}

static void write(struct json_out *out, const struct json *root)
{
    const struct json *state = json_get(root, "CurrentState");
    const struct json *first = json_get(root, "FirstTransactionDebitedFunds");
    show_status(out, root);
    json_out_text(out, "resultCode", json_get_text(root, "ResultCode"));
    json_out_text(out, "resultMessage", json_get_text(root, "ResultMessage"));
    json_out_text(out, "recurringType", json_get_text(root, "RecurringType"));
    json_out_text(out, "currency", json_get_text(first, "Currency"));
    show_units(out, "amount", root, "FirstTransactionDebitedFunds");
    show_units(out, "fees", root, "FirstTransactionFees");
    show_units(out, "nextAmount", root, "NextTransactionDebitedFunds");
    show_units(out, "nextFees", root, "NextTransactionFees");
    json_out_text(out, "frequency", json_get_text(root, "Frequency"));
    show_number(out, "endDate", json_get(root, "EndDate"));
    show_number(out, "freeCycles", json_get(root, "FreeCycles"));
    show_switch(out, "fixedNextAmount", root, "FixedNextAmount");
    show_switch(out, "fractionedPayment", root, "FractionedPayment");
    show_switch(out, "migration", root, "Migration");
    json_out_text(out, "cardId", json_get_text(root, "CardId"));
    show_number(out, "payments", json_get(state, "PayinsLinked"));
    show_units(out, "cumulatedAmount", state, "CumulatedDebitedAmount");
    show_units(out, "cumulatedFees", state, "CumulatedFeesAmount");
}

const struct provider_registrations mangopay_registrations = {
    .check = check,
    .create = create,
    .change = change,
    .view = view,
    .read = read,
    .write = write,
};
