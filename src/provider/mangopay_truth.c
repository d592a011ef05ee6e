/* What Mangopay says when it is asked about a pay-in, a refund or a dispute. */
#include "provider/mangopay.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

static const char another_environment[] = "a pay-in of another installation with this account";
static const char not_ours[] = "a pay-in that Guichet has not made";
static const char another_payment[] = "the pay-in of another payment";

static void write_word(const struct json *root, struct provider_truth *ret_truth)
{
    char status[24], code[8];
    provider_quote(status, sizeof status, mangopay_text(root, "Status", ""));
    provider_quote(code, sizeof code, mangopay_text(root, "ResultCode", ""));
    (void)snprintf(ret_truth->word, sizeof ret_truth->word, "%s%s%s", status,
                   code[0] == '\0' || strcmp(code, "000000") == 0 ? "" : " ",
                   strcmp(code, "000000") == 0 ? "" : code);
}

static void write_way(const struct json *root, struct provider_truth *ret_truth)
{
    char kind[24], execution[20];
    provider_quote(kind, sizeof kind, mangopay_text(root, "PaymentType", ""));
    provider_quote(execution, sizeof execution, mangopay_text(root, "ExecutionType", ""));
    (void)snprintf(ret_truth->way, sizeof ret_truth->way, "%s %s", kind, execution);
}

/* A direct debit is on its way as soon as it is made: there is nothing to wait for from the payer.
 */
static enum payment_fact fact_while_created(const struct json *root)
{
    bool debit = mangopay_says(root, "PaymentType", "DIRECT_DEBIT");
    return debit && mangopay_says(root, "ExecutionType", "DIRECT") ? FACT_PROCESSING : FACT_NOTHING;
}

static bool read_fact(const struct json *root, struct provider_truth *ret_truth)
{
    if (mangopay_says(root, "Status", "CREATED")) {
        ret_truth->fact = fact_while_created(root);
    } else if (mangopay_says(root, "Status", "SUCCEEDED")) {
        ret_truth->fact = FACT_SUCCEEDED;
    } else if (mangopay_says(root, "Status", "FAILED")) {
        ret_truth->fact = FACT_FAILED;
        ret_truth->given_back = true; /* a late one; what was never paid is not credited anyway */
        ret_truth->why = mangopay_verdict(mangopay_text(root, "ResultCode", "")).why;
    } else {
        return false;
    }
    return true;
}

/* What was debited. A bank wire that nobody has sent yet is nothing in no currency, and says what
 * was declared. */
static bool read_funds(const struct json *root, struct provider_truth *ret_truth)
{
    struct money credited, fees, sum;
    bool waits =
        mangopay_says(root, "PaymentType", "BANK_WIRE") && ret_truth->fact != FACT_SUCCEEDED;
    if (waits && mangopay_money(root, "DeclaredDebitedFunds", &ret_truth->amount))
        return true;
    if (!mangopay_money(root, "DebitedFunds", &ret_truth->amount))
        return false;
    if (ret_truth->fact != FACT_SUCCEEDED)
        return true;
    if (mangopay_money(root, "Fees", &fees))
        ret_truth->kept = fees;
    if (!mangopay_money(root, "CreditedFunds", &credited) || !mangopay_money(root, "Fees", &fees) ||
        !money_add(&credited, &fees, &sum) || !money_equal(&sum, &ret_truth->amount))
        ret_truth->doubt = "credited funds that are not the debited ones less the fees";
    return true;
}

static void read_owner(const struct settings *settings, const struct provider_order *order,
                       const struct json *root, struct provider_truth *ret_truth)
{
    switch (mangopay_tag(settings, json_get_text(root, "Tag"), ret_truth->reference,
                         sizeof ret_truth->reference)) {
    case MANGOPAY_TAG_NONE:
        ret_truth->stranger = not_ours;
        break;
    case MANGOPAY_TAG_FOREIGN:
        ret_truth->stranger = another_environment;
        break;
    case MANGOPAY_TAG_OURS:
        if (order->reference[0] != '\0' && strcmp(order->reference, ret_truth->reference) != 0)
            ret_truth->stranger = another_payment;
        break;
    }
    if (ret_truth->stranger != NULL && order->reference[0] != '\0')
        (void)text_copy(ret_truth->reference, sizeof ret_truth->reference, order->reference);
}

static enum provider_reading read_payin_truth(const struct settings *settings,
                                              const struct provider_order *order,
                                              const struct json *root,
                                              struct provider_truth *ret_truth)
{
    bool payin = mangopay_says(root, "Type", "PAYIN") && mangopay_says(root, "Nature", "REGULAR");
    if (!payin || !read_fact(root, ret_truth) || !read_funds(root, ret_truth))
        return READING_FAILED;
    write_way(root, ret_truth);
    ret_truth->has_amount = money_make(0, money_currency(&ret_truth->amount), &ret_truth->fees);
    ret_truth->has_card = ret_truth->fact == FACT_SUCCEEDED &&
                          mangopay_says(root, "PaymentType", "CARD") &&
                          mangopay_says(root, "ExecutionType", "WEB");
    (void)mangopay_id(root, "AuthorId", ret_truth->author, sizeof ret_truth->author);
    read_owner(settings, order, root, ret_truth);
    return READING_TRUTH;
}

/* The payer gets the credited funds: what left the wallet, and the fees that are given back. One
 * that we asked for bears our name. */
static enum provider_reading read_refund(const struct json *root, struct provider_truth *ret_truth)
{
    if (!mangopay_says(root, "Nature", "REFUND") ||
        !mangopay_money(root, "CreditedFunds", &ret_truth->change))
        return READING_FAILED;
    ret_truth->has_change = true;
    if (ident_valid("REF_", mangopay_text(root, "Tag", "")))
        (void)text_copy(ret_truth->refund_id, IDENT_MAX, mangopay_text(root, "Tag", ""));
    if (mangopay_says(root, "Status", "FAILED"))
        ret_truth->why = "the refund failed";
    if (mangopay_says(root, "Status", "SUCCEEDED"))
        ret_truth->fact = FACT_PARTLY_REFUNDED;
    else if (!mangopay_says(root, "Status", "CREATED") && !mangopay_says(root, "Status", "FAILED"))
        return READING_FAILED;
    return READING_TRUTH;
}

/* A warning moves no money. What is closed says how it ended; what could never be contested is lost
 * from its beginning. */
static bool read_dispute_fact(const struct json *root, struct provider_truth *ret_truth)
{
    bool closed = mangopay_says(root, "Status", "CLOSED");
    bool hopeless = mangopay_says(root, "DisputeType", "NOT_CONTESTABLE");
    ret_truth->fact = FACT_DISPUTED;
    ret_truth->warning = mangopay_says(root, "DisputeType", "RETRIEVAL");
    if (ret_truth->warning) {
        ret_truth->fact = FACT_NOTHING;
        ret_truth->why = "the payer's bank asks about it, and takes nothing back";
    } else if (closed && (mangopay_says(root, "ResultCode", "WON") ||
                          mangopay_says(root, "ResultCode", "VOID"))) {
        ret_truth->fact = FACT_DISPUTE_WON;
    } else if (closed && (hopeless || mangopay_says(root, "ResultCode", "LOST"))) {
        ret_truth->fact = FACT_DISPUTE_LOST;
    } else if (closed) {
        return false;
    }
    return mangopay_text(root, "Status", "")[0] != '\0';
}

/* The repudiation is the movement of money behind a dispute, and is told of by notices of its own:
 * it names both. */
static enum provider_reading read_dispute(const struct json *root, struct provider_truth *ret_truth)
{
    char id[sizeof ret_truth->change_reference];
    if (!read_dispute_fact(root, ret_truth) ||
        !mangopay_money(root, "DisputedFunds", &ret_truth->change))
        return READING_FAILED;
    ret_truth->has_change = true;
    if (mangopay_id(root, "RepudiationId", id, sizeof id))
        (void)text_copy(ret_truth->change_reference, sizeof ret_truth->change_reference, id);
    return READING_TRUTH;
}

static enum provider_reading read_repudiation(const struct json *root,
                                              struct provider_truth *ret_truth)
{
    if (!mangopay_says(root, "Nature", "REPUDIATION") ||
        !mangopay_money(root, "DebitedFunds", &ret_truth->change))
        return READING_FAILED;
    ret_truth->has_change = true;
    if (mangopay_says(root, "Status", "SUCCEEDED"))
        ret_truth->fact = FACT_DISPUTED;
    return READING_TRUTH;
}

/* What is about a pay-in names it, and nothing of ours. */
static enum provider_reading read_change(const struct provider_order *order,
                                         const struct json *root, struct provider_truth *ret_truth)
{
    if (!mangopay_id(root, "InitialTransactionId", ret_truth->provider_reference,
                     sizeof ret_truth->provider_reference) ||
        !text_copy(ret_truth->change_reference, sizeof ret_truth->change_reference,
                   order->provider_reference))
        return READING_FAILED;
    if (!mangopay_says(root, "InitialTransactionType", "PAYIN"))
        ret_truth->stranger = "not about a pay-in";
    if (order->object == PROVIDER_REFUND)
        return read_refund(root, ret_truth);
    return order->object == PROVIDER_DISPUTE ? read_dispute(root, ret_truth)
                                             : read_repudiation(root, ret_truth);
}

enum provider_reading mangopay_readback(const struct settings *settings, struct arena *arena,
                                        const struct provider_order *order,
                                        const struct httpc_answer *answer,
                                        struct provider_truth *ret_truth)
{
    struct json *root;
    char id[PROVIDER_REFERENCE_MAX];
    if (answer->status == 404)
        return READING_NOT_FOUND;
    if (answer->status != 200 ||
        json_parse(arena, answer->body, answer->body_len, &root) != ERR_NONE ||
        !mangopay_id(root, "Id", id, sizeof id) || strcmp(id, order->provider_reference) != 0)
        return READING_FAILED;
    ret_truth->object = order->object;
    write_word(root, ret_truth);
    if (order->object != PROVIDER_PAYMENT)
        return read_change(order, root, ret_truth);
    (void)text_copy(ret_truth->provider_reference, sizeof ret_truth->provider_reference, id);
    return read_payin_truth(settings, order, root, ret_truth);
}

/* Alias and country alone: the rest of the card is nobody's business. An alias that could be a
 * whole number is not taken. */
void mangopay_card_read(struct arena *arena, const struct httpc_answer *answer,
                        struct provider_truth *truth)
{
    struct json *root;
    char alias[sizeof truth->card_alias], country[sizeof truth->card_country];
    if (answer->status != 200 ||
        json_parse(arena, answer->body, answer->body_len, &root) != ERR_NONE ||
        !mangopay_id(root, "Alias", alias, sizeof alias) || strchr(alias, 'X') == NULL)
        return;
    (void)text_copy(truth->card_alias, sizeof truth->card_alias, alias);
    if (mangopay_id(root, "Country", country, sizeof country))
        (void)text_copy(truth->card_country, sizeof truth->card_country, country);
}
