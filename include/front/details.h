/* What a creating request's body may say about how it is paid, beyond payer and card: ids, words,
 * fees, and the objects shipping and browser_info. Nothing of it is stored. */
#ifndef FRONT_DETAILS_H
#define FRONT_DETAILS_H

#include "front/fields.h"
#include "provider/provider.h"

/* ERR_PARAMETERS, ERR_SHIPPING or ERR_BROWSER: a member is not of its type. Whether it makes sense
 * is for the drivers to say. */
enum err details_read(const struct fields *fields, struct provider_details *ret_details) MUST_CHECK;

#endif
