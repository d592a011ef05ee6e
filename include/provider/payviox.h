/* Payviox: hosted checkout. Its documentation: docs.payviox.com (create-session, get-payment,
 * webhooks/integration). Amounts are cents; sessions live for 24 hours. */
#ifndef PROVIDER_PAYVIOX_H
#define PROVIDER_PAYVIOX_H

#include "provider/provider.h"

extern const struct provider_driver payviox_driver;

#endif
