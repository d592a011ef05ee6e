/* The table of errors: every code has an HTTP status and a message, and those that clients compare
 * are exactly the documented ones. */
#include "check.h"

#include "base/err.h"

#include <string.h>

static void every_code_has_status_and_message(void **state)
{
    (void)state;
    for (int i = ERR_NONE; i < ERR_COUNT; i++) {
        const char *message = err_message((enum err)i);
        int status = err_status((enum err)i);
        ROW(message != NULL && message[0] != '\0', "code %d has no message", i);
        ROW(i == ERR_NONE ? status == 200 : status >= 400 && status <= 599, "code %d has status %d",
            i, status);
        /* flow/answer writes them between quotes as they are */
        ROW(message == NULL || strpbrk(message, "\"\\\n\t") == NULL, "code %d: %s", i, message);
        ROW(!err_is_business((enum err)i) || status == 400, "code %d: business, but %d", i, status);
    }
    ROWS_END();
}

static void documented_answers(void **state)
{
    static const struct {
        enum err err;
        int status;
        const char *message;
        bool business; /* answered with 300 where the live Mannco API is imitated */
    } rows[] = {
        {ERR_PROVIDER_REQUIRED, 400, "Provider is required", true},
        {ERR_USER_INVALID, 403, "Invalid user", false},
        {ERR_PROVIDER_INVALID, 400, "Invalid provider", true},
        {ERR_PARAMETERS, 400, "Invalid request parameters", true},
        {ERR_TOS_REQUIRED, 400, "Tos acceptance is required", true},
        {ERR_TOS_INVALID, 400, "Invalid TOS acceptance", true},
        {ERR_TOS_FUTURE, 400, "Tos acceptance cannot be in the future", true},
        {ERR_NO_ITEMS, 400, "No items found", true},
        {ERR_BALANCE, 402, "Insufficient balance", false},
        {ERR_AMOUNT, 400, "Invalid amount", true},
        {ERR_CURRENCY, 400, "Invalid currency", true},
        {ERR_RETURN_URL, 400, "Invalid returnUrl", true},
        {ERR_METHOD_OF_PAYMENT, 400, "Invalid method", true},
        {ERR_TWO_FACTOR, 403, "Two-factor authentication required", false},
        {ERR_CART_RUNNING, 409, "A payment for these items is still being created", false},
        {ERR_TRANSACTION_ID_MISSING, 400, "transactionId parameter is required", false},
        {ERR_TRANSACTION_NOT_FOUND, 404, "Transaction not found or access denied", false},
        {ERR_SAVE, 503, "Failed to save transaction", false},
        {ERR_PROCESS, 502, "Failed to process payment", false},
        {ERR_PROVIDER_UNAVAILABLE, 503, "Provider unavailable", false},
        {ERR_UNAUTHORIZED, 401, "Unauthorized", false},
        {ERR_NOT_FOUND, 404, "Not found", false},
        {ERR_METHOD, 405, "Method not allowed", false},
        {ERR_BODY_TOO_LARGE, 413, "Request body too large", false},
        {ERR_MEDIA_TYPE, 415, "Unsupported media type", false},
        {ERR_DUPLICATE_HEADER, 400, "Duplicate header", false},
        {ERR_SIGNATURE, 401, "Invalid signature", false},
        {ERR_IDEMPOTENCY_RUNNING, 409, "A request with this Idempotency-Key is still running",
         false},
        {ERR_IDEMPOTENCY_REUSED, 422, "Idempotency-Key was used with another request", false},
        {ERR_OVERLOAD, 503, "Service unavailable", false},
        {ERR_DB_UNAVAILABLE, 503, "Service unavailable", false},
        {ERR_INTERNAL, 500, "Internal server error", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum err err = rows[i].err;
        ROW(err_status(err) == rows[i].status, "%s: %d", rows[i].message, err_status(err));
        ROW(strcmp(err_message(err), rows[i].message) == 0, "%s: it is %s", rows[i].message,
            err_message(err));
        ROW(err_is_business(err) == rows[i].business, "%s: business", rows[i].message);
    }
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_code_has_status_and_message),
        TEST(documented_answers),
    };
    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
