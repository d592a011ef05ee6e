/* Money that came in twice: a payment was paid with one attempt, and then with another. */
#ifndef FLOW_SURPLUS_H
#define FLOW_SURPLUS_H

#include "flow/settle.h"

/* A step inside a unit: what a provider says about an attempt of a locked payment that another
 * attempt has paid. Its success is credited to the payer's balance, once per attempt, and a person
 * is told; its refund takes that back; its failure is nothing. *ret_mismatch: why a person must
 * decide, as a fixed text; NULL: it is in the books. */
enum err surplus_reported(struct db *db, const struct payment *payment,
                          const struct attempt *attempt, const struct settlement *news,
                          const char **ret_mismatch) MUST_CHECK;

#endif
