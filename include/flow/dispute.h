/* Payers who ask their bank for their money back. */
#ifndef FLOW_DISPUTE_H
#define FLOW_DISPUTE_H

#include "flow/settle.h"

/* A step inside a unit: a dispute of a payment that the unit has locked was opened (its money is
 * held), won (given back to the payer's balance) or lost (gone). Which one says news->truth. Copies
 * and any order are harmless. *ret_mismatch: why it cannot be booked, as a fixed text. */
enum err dispute_reported(struct db *db, const struct payment *payment,
                          const struct settlement *news, const char **ret_mismatch) MUST_CHECK;

#endif
