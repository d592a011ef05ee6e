/* Mangopay as test_torture plays it: pay-ins by card on its page, whole refunds at once, disputes.
 * Its sessions are the bank's; a key is taken once, and what was answered to it can be asked for.
 */
#ifndef UNIT_TORTURE_MANGOPAY_H
#define UNIT_TORTURE_MANGOPAY_H

#include "database.h"
#include "torture_bank.h"

#define MANGO_USD(name) "\"" name "\":{\"Currency\":\"USD\",\"Amount\":%d}"

static void mango_write_payin(int i, char *to, size_t size)
{
    (void)snprintf(to, size,
                   "{\"Id\":\"%s\",\"Tag\":\"%s %s\",\"Type\":\"PAYIN\",\"Nature\":\"REGULAR\","
                   "\"Status\":\"%s\",\"PaymentType\":\"CARD\",\"ExecutionType\":\"WEB\","
                   "\"AuthorId\":\"author\",\"RedirectURL\":\"https://page.test/%s\"," MANGO_USD(
                       "DebitedFunds") "," MANGO_USD("CreditedFunds") "," MANGO_USD("Fees") "}",
                   bank.sessions[i].id, bank.sessions[i].order, settings.payment.environment,
                   bank.sessions[i].paid ? "SUCCEEDED" : "CREATED", bank.sessions[i].id,
                   bank.sessions[i].amount, bank.sessions[i].amount, 0);
}

/* A session's refund and dispute have its id, with a letter in front. */
static void mango_write_refund(int i, char *to, size_t size)
{
    (void)snprintf(to, size,
                   "{\"Id\":\"R%s\",\"Nature\":\"REFUND\",\"Status\":\"SUCCEEDED\","
                   "\"InitialTransactionId\":\"%s\","
                   "\"InitialTransactionType\":\"PAYIN\"," MANGO_USD("CreditedFunds") "}",
                   bank.sessions[i].id, bank.sessions[i].id, bank.sessions[i].back);
}

static void mango_write_dispute(int i, char *to, size_t size)
{
    const char *result = bank.sessions[i].dispute;
    (void)snprintf(to, size,
                   "{\"Id\":\"D%s\",\"DisputeType\":\"CONTESTABLE\",\"Status\":\"%s\","
                   "\"ResultCode\":\"%s\",\"InitialTransactionId\":\"%s\","
                   "\"InitialTransactionType\":\"PAYIN\"," MANGO_USD("DisputedFunds") "}",
                   bank.sessions[i].id, result[0] == '\0' ? "SUBMITTED" : "CLOSED", result,
                   bank.sessions[i].id, bank.sessions[i].amount);
}

/* By the key of a create or of a refund; *ret_refund: the latter. */
static int mango_find_key(const char *key, bool *ret_refund)
{
    char name[IDENT_MAX];
    (void)text_copy(name, sizeof name, key);
    for (char *at = name; *at != '\0'; at++)
        *at = *at == '-' ? '_' : *at;
    *ret_refund = strncmp(name, "REF_", 4) == 0;
    for (int i = 0; *ret_refund && i < bank.count; i++)
        if (strcmp(bank.sessions[i].refund, name) == 0)
            return i;
    return *ret_refund ? -1 : bank_find(name);
}

static void mango_post(const char *request, char *body, size_t size)
{
    char key[IDENT_MAX], text[IDENT_MAX], amount[20];
    bool is_refund;
    (void)bank_text(request, "Idempotency-Key: ", key, sizeof key);
    if (mango_find_key(key, &is_refund) >= 0 || bank.count == SESSIONS_MAX) {
        (void)snprintf(body, size, "409 Taken\r\n{}");
        return;
    }
    (void)bank_text(request, "\"Amount\":", amount, sizeof amount);
    int i = is_refund ? bank_find(bank_name(request, "/payins/", text, sizeof text))
                      : bank_add(bank_text(request, "\"Tag\":\"", text, sizeof text),
                                 (int)strtol(amount, NULL, 10));
    assert_true(i >= 0);
    int len = snprintf(body, size, "200 OK\r\n");
    if (is_refund) {
        bank.sessions[i].back += (int)strtol(amount, NULL, 10);
        (void)bank_text(request, "\"Tag\":\"", bank.sessions[i].refund, IDENT_MAX);
        mango_write_refund(i, body + len, size - (size_t)len);
    } else {
        mango_write_payin(i, body + len, size - (size_t)len);
    }
}

static void mango_respond(const char *key, char *body, size_t size)
{
    char resource[800];
    bool is_refund;
    int i = mango_find_key(key, &is_refund);
    if (i < 0) {
        (void)snprintf(body, size, "404 None\r\n{}");
        return;
    }
    (is_refund ? mango_write_refund : mango_write_payin)(i, resource, sizeof resource);
    (void)snprintf(body, size, "200 OK\r\n{\"StatusCode\":\"200\",\"Resource\":%s}", resource);
}

static void mango_get(const char *request, char *body, size_t size)
{
    static const struct {
        const char *path;
        size_t letters;
        void (*write)(int i, char *to, size_t size);
    } objects[] = {{"/payins/", 0, mango_write_payin},
                   {"/refunds/", 1, mango_write_refund},
                   {"/disputes/", 1, mango_write_dispute}};
    char id[IDENT_MAX];
    (void)snprintf(body, size, "404 None\r\n{}");
    if (strstr(request, "/responses/") != NULL)
        mango_respond(bank_name(request, "/responses/", id, sizeof id), body, size);
    for (size_t o = 0; o < COUNT(objects); o++) {
        if (strstr(request, objects[o].path) == NULL)
            continue;
        (void)bank_name(request, objects[o].path, id, sizeof id);
        int i = strlen(id) > objects[o].letters ? bank_find(id + objects[o].letters) : -1;
        if (i >= 0)
            objects[o].write(i, body + snprintf(body, size, "200 OK\r\n"), size - 8);
    }
}

static void mango_play(const char *request, char *body, size_t size)
{
    if (strstr(request, "/oauth/token ") != NULL)
        (void)snprintf(body, size,
                       "200 OK\r\n{\"access_token\":\"torture\",\"token_type\":\"bearer\","
                       "\"expires_in\":3600}");
    else if (strncmp(request, "POST", 4) == 0)
        mango_post(request, body, size);
    else
        mango_get(request, body, size);
}

#endif
