/* One thing of a cart, as it was when the payment for it was made. */
#ifndef DOMAIN_ITEM_H
#define DOMAIN_ITEM_H

#include "domain/money.h"

#include <stddef.h>
#include <stdint.h>

struct item {
    int64_t asset_id, seller_id;
    struct money price;
    struct money fee; /* what the house keeps of it when it is sold */
    const char *name; /* in the arena of the request */
};

struct cart {
    struct item *items; /* by ascending asset_id, which is the order in which they are locked */
    size_t count;       /* 0: the payment is for no items */
    size_t total;       /* how many there are, when only the first were read */
};

#endif
