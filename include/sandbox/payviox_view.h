/* What a payer sees of a Payviox session. Nothing here changes one. */
#ifndef SANDBOX_PAYVIOX_VIEW_H
#define SANDBOX_PAYVIOX_VIEW_H

#include "sandbox/payviox.h"

struct payviox_view {
    const struct session *session;
    const struct payviox_method *method;
    const struct json *body; /* the merchant's request */
    struct card_problems card;
    const char *problem;  /* of the method's own field; NULL: none */
    const char *back_url; /* to the merchant */
};

/* The whole page for the session as it is. */
void payviox_view_write(struct buf *page, const struct payviox_view *view);

/* A page that only says something. */
void payviox_view_message(struct buf *page, const char *title, const char *text);

#endif
