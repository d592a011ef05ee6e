/* The handlers behind the routes: one file per resource in src/front. */
#ifndef FRONT_API_H
#define FRONT_API_H

#include "front/call.h"

/* payment_api.c: POST /payment/{provider} */
void payment_post(struct call *call);
void payment_post_nameless(struct call *call); /* POST /payment, without a provider */

/* paiement_api.c: POST /paiement/{provider} */
void paiement_post(struct call *call);

/* return_api.c: GET /return/{provider} */
void return_get(struct call *call);

/* providers_api.c: GET /providers */
void providers_get(struct call *call);

/* payments_api.c: GET /payments and GET /payments/{id} */
void payments_get_list(struct call *call);
void payments_get_one(struct call *call);

/* refunds_api.c: POST /payments/{id}/refunds */
void refunds_post(struct call *call);

/* recurring_api.c: POST /recurring, GET and POST /recurring/{id} */
void recurring_post(struct call *call);
void recurring_get_one(struct call *call);
void recurring_post_one(struct call *call);

/* account_api.c: GET /user/balance, /user/getBalanceHistory and /user/notifications, and
 * POST /user/notifications/read */
void balance_get(struct call *call);
void balance_get_history(struct call *call);
void notifications_get_unread(struct call *call);
void notifications_post_read(struct call *call);

/* transactions_api.c: GET /user/getTransactionHistory and /user/getTransactionDetails */
void transactions_get_list(struct call *call);
void transactions_get_one(struct call *call);

/* webhook_api.c: POST /webhook/{provider}, or GET where a provider's notices come so */
void webhook_take(struct call *call);

/* metrics_api.c: GET /metrics */
void metrics_get(struct call *call);

/* health_api.c: GET /health/live and GET /health/ready */
void health_get_live(struct call *call);
void health_get_ready(struct call *call);

#endif
