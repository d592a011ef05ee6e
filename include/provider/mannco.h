/* mannco: the on-site balance. It buys items in one database transaction and calls nobody; for
 * deposits it is the house brand, which front/paiement_api routes to its partners. */
#ifndef PROVIDER_MANNCO_H
#define PROVIDER_MANNCO_H

#include "provider/provider.h"

extern const struct provider_driver mannco_driver;

#endif
