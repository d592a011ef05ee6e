/* The lines of a ledger posting, put together before they are written. */
#ifndef FLOW_POSTING_H
#define FLOW_POSTING_H

#include "base/ident.h"
#include "domain/item.h"
#include "provider/provider.h"
#include "store/ledger.h"
#include "store/payments.h"

struct posting {
    struct ledger_line lines[LEDGER_LINES_MAX];
    struct ident_text owners[LEDGER_LINES_MAX];
    size_t count;
};

/* A successful payment. truth: what the provider holds for us; NULL: the payer's own balance pays.
 * cart: the items handed over, to be paid to their sellers less the fee; NULL: the money is the
 * payer's. */
void posting_credit(struct posting *posting, const struct payment *payment, const char *provider,
                    const struct provider_truth *truth, const struct cart *cart);

/* The provider gives the payer's money back: we claim the amount from the payer. What the payer
 * paid for the provider's service is not returned. */
void posting_refund(struct posting *posting, const struct payment *payment, const char *provider,
                    struct money amount);

/* The house gives back to the payer's balance what was paid from it. */
void posting_balance_refund(struct posting *posting, const struct payment *payment,
                            struct money amount);

/* A dispute begins or ends. was: where it stood before, which tells whether the amount is held. */
void posting_dispute(struct posting *posting, const struct payment *payment, const char *provider,
                     struct money amount, enum dispute_state was, enum payment_effect effect);

#endif
