/* Who pays and with what, as a creating request's body may say: the objects customer, billing and
 * card. Nothing of it is stored; of a card not even a hash without a key. */
#ifndef FRONT_PAYER_H
#define FRONT_PAYER_H

#include "flow/checkout.h"
#include "front/call.h"
#include "front/fields.h"

/* Fills the checkout's payer and card from the body and, for drivers that want to know the payer,
 * the e-mail address of the user. Then asks the drivers: one that would refuse is left out if it is
 * a partner of the house brand, else its refusal is returned. ERR_CUSTOMER, ERR_BILLING, ERR_CARD:
 * a member is not a text, or the driver does not take it. */
enum err payer_read(struct call *call, const struct fields *fields,
                    struct checkout *checkout) MUST_CHECK;

/* The reading alone, without what is known of the user and without the drivers' word. */
enum err payer_read_body(const struct fields *fields, struct checkout *checkout) MUST_CHECK;

#endif
