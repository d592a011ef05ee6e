/* For operators: wires to the platform's own wallets, and any pay-in as Mangopay has it, also one
 * that a bank has made (external instruction). */
#include "provider/mangopay.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

enum { BODY_MAX = 1024 };

static enum err wire(const struct settings *settings, struct arena *arena, const char *wallet,
                     const struct money *amount, struct httpc_request *ret_request)
{
    struct buf body;
    buf_init(&body, arena, BODY_MAX);
    struct json_out *out = json_out_new(arena, &body);
    if (out == NULL)
        return ERR_OVERLOAD;
    json_out_object(out, NULL);
    json_out_text(out, "CreditedWalletId", wallet);
    json_out_object(out, "DeclaredDebitedFunds");
    json_out_text(out, "Currency", money_currency(amount));
    json_out_int(out, "Amount", money_minor_units(amount));
    json_out_close_object(out);
    json_out_close_object(out);
    enum err err = json_out_end(out);
    return err ? err
               : mangopay_call(settings, arena, "POST", "clients/payins/bankwire/direct/",
                               buf_text(&body), ret_request);
}

static enum err look(const struct settings *settings, struct arena *arena, const char *id,
                     struct httpc_request *ret_request)
{
    const struct provider_order order = {.provider_reference = id, .object = PROVIDER_PAYMENT};
    return mangopay_read(settings, arena, &order, ret_request);
}

/* --- what is shown: texts of theirs by names of ours --- */

struct shown {
    struct arena *arena;
    struct provider_word *words;
    size_t count;
};

static void add(struct shown *shown, const char *name, const char *text)
{
    if (text == NULL || shown->count == PROVIDER_WORDS_MAX)
        return;
    shown->words[shown->count++] = (struct provider_word){name, text};
}

static void add_money(struct shown *shown, const char *name, const struct json *root,
                      const char *key)
{
    char text[MONEY_TEXT_MAX], whole[MONEY_TEXT_MAX + CURRENCY_SIZE];
    struct money money;
    if (!mangopay_money(root, key, &money))
        return;
    money_format(&money, text);
    (void)snprintf(whole, sizeof whole, "%s %s", text, money_currency(&money));
    add(shown, name, arena_strndup(shown->arena, whole, strlen(whole)));
}

static const struct {
    const char *name, *object, *key; /* object NULL: of the pay-in itself */
} texts[] = {
    {"id", NULL, "Id"},
    {"status", NULL, "Status"},
    {"result", NULL, "ResultCode"},
    {"message", NULL, "ResultMessage"},
    {"kind", NULL, "PaymentType"},
    {"execution", NULL, "ExecutionType"},
    {"author", NULL, "AuthorId"},
    {"wallet", NULL, "CreditedWalletId"},
    {"tag", NULL, "Tag"},
    {"wireReference", NULL, "WireReference"},
    {"bankingAlias", NULL, "BankingAliasId"},
    {"ownerName", "BankAccount", "OwnerName"},
    {"iban", "BankAccount", "IBAN"},
    {"bic", "BankAccount", "BIC"},
    {"accountNumber", "BankAccount", "AccountNumber"},
    {"debtorName", "DebitedBankAccount", "OwnerName"},
    {"debtorIban", "DebitedBankAccount", "IBAN"},
};

static bool words(struct arena *arena, const struct httpc_answer *answer,
                  struct provider_word ret_words[PROVIDER_WORDS_MAX], size_t *ret_count)
{
    struct json *root;
    struct shown shown = {.arena = arena, .words = ret_words};
    if (answer->status != 200 ||
        json_parse(arena, answer->body, answer->body_len, &root) != ERR_NONE ||
        json_get_text(root, "Id") == NULL)
        return false;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct json *object =
            texts[i].object == NULL ? root : json_get(root, texts[i].object);
        add(&shown, texts[i].name, json_get_text(object, texts[i].key));
    }
    add_money(&shown, "declared", root, "DeclaredDebitedFunds");
    add_money(&shown, "debited", root, "DebitedFunds");
    add_money(&shown, "fees", root, "Fees");
    add_money(&shown, "credited", root, "CreditedFunds");
    *ret_count = shown.count;
    return true;
}

const struct provider_desk mangopay_desk = {.wire = wire, .look = look, .words = words};
