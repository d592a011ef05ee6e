/* The platform's own user and wallets, there from the start, so that a demo needs no set-up. */
#include "sandbox/mangopay.h"

#include "sandbox/settings.h"

#include <stdlib.h>

static void seed_wallet(struct arena *arena, const char *owner, const char *currency,
                        const char *small)
{
    const char *id = mango_print(arena, "wlt_m_guichet_%s", small);
    if (mango_get(arena, "wallet", id) != NULL)
        return;
    struct json *wallet = mango_parse(
        arena, mango_print(arena,
                           "{\"Id\":\"%s\",\"Tag\":null,\"CreationDate\":%lld,\"Owners\":[\"%s\"],"
                           "\"OwnerId\":\"%s\",\"Description\":\"Guichet\",\"Currency\":\"%s\","
                           "\"FundsType\":\"DEFAULT\"}",
                           id, (long long)mango_now_s(), owner, owner, currency));
    mango_set_money(arena, wallet, "Balance", currency, 0);
    mango_put(arena, "wallet", id, wallet);
}

void mango_seed(void)
{
    static const char *const currencies[][2] = {
        {"EUR", "eur"}, {"USD", "usd"}, {"GBP", "gbp"}, {"PLN", "pln"}, {"CHF", "chf"}};
    const char *id = sandbox_settings()->mangopay.author_id;
    struct arena *arena = id[0] == '\0' ? NULL : arena_new(ARENA_BYTES);
    if (arena == NULL)
        return;
    if (mango_get(arena, "user", id) == NULL)
        mango_put(arena, "user", id,
                  mango_parse(
                      arena, mango_print(arena,
                                         "{\"Id\":\"%s\",\"Tag\":null,\"CreationDate\":%lld,"
                                         "\"PersonType\":\"NATURAL\",\"FirstName\":\"Successful\","
                                         "\"LastName\":\"Platform\",\"Email\":\"pay@example.test\","
                                         "\"KYCLevel\":\"LIGHT\",\"UserStatus\":\"ACTIVE\","
                                         "\"UserCategory\":\"PAYER\"}",
                                         id, (long long)mango_now_s())));
    for (size_t i = 0; i < sizeof currencies / sizeof currencies[0]; i++)
        seed_wallet(arena, id, currencies[i][0], currencies[i][1]);
    arena_free(arena);
}
