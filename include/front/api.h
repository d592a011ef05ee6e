/* The handlers behind the routes: one file per resource in src/front. */
#ifndef FRONT_API_H
#define FRONT_API_H

#include "front/call.h"

/* payment_api.c: POST /payment/{provider} */
void payment_post(struct call *call);
void payment_post_nameless(struct call *call); /* POST /payment, without a provider */

/* payments_api.c: GET /payments and GET /payments/{id} */
void payments_get_list(struct call *call);
void payments_get_one(struct call *call);

/* account_api.c: GET /user/balance */
void balance_get(struct call *call);

/* webhook_api.c: POST /webhook/{provider} */
void webhook_post(struct call *call);

/* health_api.c: GET /health/live and GET /health/ready */
void health_get_live(struct call *call);
void health_get_ready(struct call *call);

#endif
