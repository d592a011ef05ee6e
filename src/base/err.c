/* The table behind enum err: one row per code, with the HTTP status and the words callers see.
 * The messages are part of the interface; clients compare them. */
#include "base/err.h"

#include <assert.h>
#include <stddef.h>

static const struct {
    int status;
    const char *message;
    int business;
} table[ERR_COUNT] = {
    [ERR_NONE] = {200, "OK", 0},
    [ERR_BAD_REQUEST] = {400, "Bad request", 0},
    [ERR_NOT_FOUND] = {404, "Not found", 0},
    [ERR_METHOD] = {405, "Method not allowed", 0},
    [ERR_BODY_TOO_LARGE] = {413, "Request body too large", 0},
    [ERR_MEDIA_TYPE] = {415, "Unsupported media type", 0},
    [ERR_DUPLICATE_HEADER] = {400, "Duplicate header", 0},
    [ERR_PAYLOAD] = {400, "Invalid request body", 0},
    [ERR_UNAUTHORIZED] = {401, "Unauthorized", 0},
    [ERR_API_KEY_MISSING] = {400, "Missing required parameter: apiKey", 0},
    [ERR_API_KEY_INVALID] = {403, "Invalid API key", 0},
    [ERR_USER_INVALID] = {403, "Invalid user", 0},
    [ERR_TWO_FACTOR] = {403, "Two-factor authentication required", 0},
    [ERR_FORBIDDEN] = {403, "Forbidden", 0},
    [ERR_SIGNATURE] = {401, "Invalid signature", 0},
    [ERR_PROVIDER_REQUIRED] = {400, "Provider is required", 1},
    [ERR_PROVIDER_INVALID] = {400, "Invalid provider", 1},
    [ERR_PARAMETERS] = {400, "Invalid request parameters", 1},
    [ERR_TOS_REQUIRED] = {400, "Tos acceptance is required", 1},
    [ERR_TOS_INVALID] = {400, "Invalid TOS acceptance", 1},
    [ERR_TOS_FUTURE] = {400, "Tos acceptance cannot be in the future", 1},
    [ERR_NO_ITEMS] = {400, "No items found", 1},
    [ERR_BALANCE] = {402, "Insufficient balance", 0},
    [ERR_CART_RUNNING] = {409, "A payment for these items is still being created", 0},
    [ERR_SAVE] = {503, "Failed to save transaction", 0},
    [ERR_PROCESS] = {502, "Failed to process payment", 0},
    [ERR_OUTCOME_UNKNOWN] = {504, "Payment outcome unknown", 0},
    [ERR_PROVIDER_UNAVAILABLE] = {503, "Provider unavailable", 0},
    [ERR_AMOUNT] = {400, "Invalid amount", 1},
    [ERR_CURRENCY] = {400, "Invalid currency", 1},
    [ERR_RETURN_URL] = {400, "Invalid returnUrl", 1},
    [ERR_METHOD_OF_PAYMENT] = {400, "Invalid method", 1},
    [ERR_CUSTOMER] = {400, "Invalid customer", 1},
    [ERR_BILLING] = {400, "Invalid billing", 1},
    [ERR_CARD] = {400, "Invalid card", 1},
    [ERR_SHIPPING] = {400, "Invalid shipping", 1},
    [ERR_BROWSER] = {400, "Invalid browser_info", 1},
    [ERR_RATE] = {429, "Rate limit exceeded", 0},
    [ERR_DECLINED] = {402, "Payment declined", 0},
    [ERR_DECLINED_FUNDS] = {402, "Payment declined: limit reached or not enough money", 0},
    [ERR_DECLINED_CARD] = {402, "Payment declined: the card cannot be used", 0},
    [ERR_DECLINED_3DS] = {402, "Payment declined: authentication failed", 0},
    [ERR_CANCELLED] = {402, "Payment cancelled", 0},
    [ERR_IDEMPOTENCY_KEY] = {400, "Invalid Idempotency-Key", 0},
    [ERR_IDEMPOTENCY_RUNNING] = {409, "A request with this Idempotency-Key is still running", 0},
    [ERR_IDEMPOTENCY_REUSED] = {422, "Idempotency-Key was used with another request", 0},
    [ERR_RECURRING] = {400, "Invalid request parameters", 0},
    [ERR_REFUND_PARAMETERS] = {400, "Invalid request parameters", 0},
    [ERR_REFUND_STATE] = {409, "Nothing of this payment can be refunded", 0},
    [ERR_REFUND_AMOUNT] = {400, "Invalid amount", 0},
    [ERR_REFUND_LEFT] = {409, "Refund exceeds what is left of the payment", 0},
    [ERR_REFUND_REFUSED] = {409, "The provider refuses this refund", 0},
    [ERR_CONFLICT] = {409, "Conflict", 0},
    [ERR_QUERY] = {400, "Invalid request parameters", 0},
    [ERR_QUERY_CURRENCY] = {400, "Invalid currency", 0},
    [ERR_TRANSACTION_ID_MISSING] = {400, "transactionId parameter is required", 0},
    [ERR_TRANSACTION_NOT_FOUND] = {404, "Transaction not found or access denied", 0},
    [ERR_DB_UNAVAILABLE] = {503, "Service unavailable", 0},
    [ERR_DB_CONFLICT] = {503, "Service unavailable", 0},
    [ERR_DB_LOST] = {503, "Service unavailable", 0},
    [ERR_DB_DUPLICATE] = {500, "Internal server error", 0},
    [ERR_DB] = {500, "Internal server error", 0},
    [ERR_OVERLOAD] = {503, "Service unavailable", 0},
    [ERR_CONFIG] = {500, "Internal server error", 0},
    [ERR_INTERNAL] = {500, "Internal server error", 0},
};

int err_status(enum err err)
{
    assert(err >= 0 && err < ERR_COUNT);
    return table[err].status;
}

const char *err_message(enum err err)
{
    assert(err >= 0 && err < ERR_COUNT);
    return table[err].message;
}

int err_is_business(enum err err)
{
    assert(err >= 0 && err < ERR_COUNT);
    return table[err].business;
}
