/* Who gives and who gets. One line per account: an account that appears twice is one sum. */
#include "flow/posting.h"

#include <assert.h>
#include <string.h>

/* Nothing is written for nothing. owner must outlive the posting. */
static void add(struct posting *posting, enum ledger_kind kind, const char *owner,
                struct money amount)
{
    struct ledger_line *line = posting->lines, *end = posting->lines + posting->count;
    if (money_minor_units(&amount) == 0)
        return;
    while (line < end && (line->kind != kind || strcmp(line->owner, owner) != 0))
        line++;
    if (line == end) {
        assert(posting->count < LEDGER_LINES_MAX);
        posting->count++;
        *line = (struct ledger_line){kind, owner, amount, false};
        return;
    }
    bool fits = money_add(&line->amount, &amount, &line->amount);
    assert(fits); /* what a payment is for is far below */
}

static void add_user(struct posting *posting, int64_t user_id, struct money amount)
{
    assert(posting->count < LEDGER_LINES_MAX);
    struct ident_text *owner = &posting->owners[posting->count];
    *owner = ident_text(user_id);
    add(posting, LEDGER_USER, owner->text, amount);
}

static void add_source(struct posting *posting, const struct payment *payment, const char *provider,
                       const struct provider_truth *truth)
{
    struct money gross = payment->amount;
    if (truth == NULL) {
        add_user(posting, payment->user_id, money_negative(&payment->amount));
        posting->lines[0].covered = true;
        return;
    }
    if (money_minor_units(&truth->fees) > 0 && money_add(&gross, &truth->fees, &gross))
        add(posting, LEDGER_PROVIDER_FEES, provider, truth->fees);
    add(posting, LEDGER_PROVIDER, provider, money_negative(&gross));
}

static void add_sale(struct posting *posting, const struct item *item)
{
    struct money minus_fee = money_negative(&item->fee), proceeds;
    bool fits = money_add(&item->price, &minus_fee, &proceeds);
    assert(fits); /* a fee is never above its price */
    add_user(posting, item->seller_id, proceeds);
    add(posting, LEDGER_EQUITY, LEDGER_HOUSE, item->fee);
}

void posting_credit(struct posting *posting, const struct payment *payment, const char *provider,
                    const struct provider_truth *truth, const struct cart *cart)
{
    posting->count = 0;
    add_source(posting, payment, provider, truth);
    if (cart == NULL)
        add_user(posting, payment->user_id, payment->amount);
    for (size_t i = 0; cart != NULL && i < cart->count; i++)
        add_sale(posting, &cart->items[i]);
}

void posting_refund(struct posting *posting, const struct payment *payment, const char *provider,
                    struct money amount)
{
    posting->count = 0;
    add_user(posting, payment->user_id, money_negative(&amount));
    add(posting, LEDGER_PROVIDER, provider, amount);
}

void posting_balance_refund(struct posting *posting, const struct payment *payment,
                            struct money amount)
{
    posting->count = 0;
    add_user(posting, payment->user_id, amount);
    add(posting, LEDGER_EQUITY, LEDGER_HOUSE, money_negative(&amount));
}

void posting_dispute(struct posting *posting, const struct payment *payment, const char *provider,
                     struct money amount, enum dispute_state was, enum payment_effect effect)
{
    struct money taken = money_negative(&amount);
    posting->count = 0;
    if (was == DISPUTE_OPENED)
        add(posting, LEDGER_DISPUTES, provider, taken);
    else
        add_user(posting, payment->user_id, taken);
    if (effect == EFFECT_DISPUTE)
        add(posting, LEDGER_DISPUTES, provider, amount);
    else if (effect == EFFECT_DISPUTE_WON)
        add_user(posting, payment->user_id, amount);
    else
        add(posting, LEDGER_PROVIDER, provider, amount);
}
