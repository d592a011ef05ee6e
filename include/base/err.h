/* The one enumeration of everything that can be refused or go wrong, and its table of words:
 * HTTP status and message for the caller. ERR_NONE (0) means fine. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err {
    ERR_NONE = 0,
    /* requests, refused at the edge */
    ERR_BAD_REQUEST,
    ERR_NOT_FOUND,
    ERR_METHOD,
    ERR_BODY_TOO_LARGE,
    ERR_MEDIA_TYPE,
    ERR_DUPLICATE_HEADER,
    ERR_PAYLOAD, /* not JSON or form as we take it; the route gives it its own message */
    /* callers */
    ERR_UNAUTHORIZED,
    ERR_API_KEY_MISSING,
    ERR_API_KEY_INVALID,
    ERR_USER_INVALID,
    ERR_TWO_FACTOR,
    ERR_FORBIDDEN,
    ERR_SIGNATURE,
    /* creating a payment, in the order of the checks */
    ERR_PROVIDER_REQUIRED,
    ERR_PROVIDER_INVALID,
    ERR_PARAMETERS,
    ERR_TOS_REQUIRED,
    ERR_TOS_INVALID,
    ERR_TOS_FUTURE,
    ERR_NO_ITEMS,
    ERR_BALANCE,
    ERR_CART_RUNNING,
    ERR_SAVE,
    ERR_PROCESS,
    ERR_OUTCOME_UNKNOWN,
    ERR_PROVIDER_UNAVAILABLE,
    ERR_AMOUNT,
    ERR_CURRENCY,
    ERR_RETURN_URL,
    ERR_METHOD_OF_PAYMENT,
    ERR_CUSTOMER,
    ERR_BILLING,
    ERR_CARD,
    ERR_SHIPPING,
    ERR_BROWSER,
    ERR_RATE,     /* too many declined cards: see flow/velocity */
    ERR_DECLINED, /* by the provider or the payer's bank: the caller may try something else */
    ERR_DECLINED_FUNDS,
    ERR_DECLINED_CARD,
    ERR_DECLINED_3DS,
    ERR_CANCELLED,
    ERR_IDEMPOTENCY_KEY,
    ERR_IDEMPOTENCY_RUNNING,
    ERR_IDEMPOTENCY_REUSED,
    /* giving back */
    ERR_REFUND_PARAMETERS,
    ERR_RECURRING, /* of a registration */
    ERR_REFUND_STATE,
    ERR_REFUND_AMOUNT,
    ERR_REFUND_LEFT,
    ERR_REFUND_REFUSED, /* by the provider */
    ERR_CONFLICT,       /* an operator's word does not fit the state of things */
    /* looking things up: never the 300 of the creating endpoints */
    ERR_QUERY,
    ERR_QUERY_CURRENCY,
    ERR_TRANSACTION_ID_MISSING,
    ERR_TRANSACTION_NOT_FOUND,
    /* the database */
    ERR_DB_UNAVAILABLE, /* no connection, or none free in time: nothing happened */
    ERR_DB_CONFLICT, /* the unit must run again as a whole; only the transaction helper sees it */
    ERR_DB_LOST,     /* the connection broke: the unit must run again as a whole; see db_transact */
    ERR_DB_DUPLICATE, /* a unique key said that this was done before */
    ERR_DB,           /* a statement of ours is wrong */
    /* everything else */
    ERR_OVERLOAD, /* a stated maximum was reached: memory of a request, depth, size */
    ERR_CONFIG,
    ERR_INTERNAL,
    ERR_COUNT
};

/* The status of an HTTP answer that reports this error. */
int err_status(enum err err);

/* The message that callers see; fixed text, never NULL. */
const char *err_message(enum err err);

/* True for the refusals of a bad create request (the live Mannco API answers them with 300). */
int err_is_business(enum err err);

/* Marks functions whose result must be looked at. */
#define MUST_CHECK __attribute__((warn_unused_result))

#endif
