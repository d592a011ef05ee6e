/* Counts declined cards by payer, address and card, each under a keyed hash: what is stored tells
 * neither. Owns what counts as a card that a caller brings, and as declined. */
#include "flow/velocity.h"

#include "domain/card.h"
#include "store/declines.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum {
    NETWORK_BYTES = 8,
    TRY_S = 60, /* of a try whose process has died: longer than any request lives */
};

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static bool brings_card(const struct checkout *checkout)
{
    return checkout->has_card || is_given(checkout->details.card_id) ||
           is_given(checkout->details.recurring_id);
}

static bool is_declined(enum err err)
{
    return err == ERR_DECLINED || err == ERR_DECLINED_FUNDS || err == ERR_DECLINED_CARD ||
           err == ERR_DECLINED_3DS;
}

static struct velocity_subject subject_of(const struct settings *settings, const char *kind,
                                          const char *word, int64_t limit)
{
    struct velocity_subject subject = {.limit = is_given(word) ? limit : 0};
    char text[CONF_TEXT_MAX];
    int len = snprintf(text, sizeof text, "%s %s", kind, is_given(word) ? word : "");
    size_t kept = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    crypt_hmac_sha256(&settings->api_key_hash_key, text, kept, subject.hash);
    crypt_wipe(text, sizeof text);
    return subject;
}

/* Whoever has one address of IPv6 has the whole network of its first half, and counts as one. */
static void network_of(const char *address, char ret_network[INET6_ADDRSTRLEN])
{
    struct in6_addr bytes;
    ret_network[0] = '\0';
    if (inet_pton(AF_INET6, address, &bytes) != 1) {
        (void)text_copy(ret_network, INET6_ADDRSTRLEN, address);
        return;
    }
    if (!IN6_IS_ADDR_V4MAPPED(&bytes)) /* or all of IPv4 would be one */
        memset(bytes.s6_addr + NETWORK_BYTES, 0, sizeof bytes - NETWORK_BYTES);
    (void)inet_ntop(AF_INET6, &bytes, ret_network, INET6_ADDRSTRLEN);
}

static void find_subjects(const struct settings *settings, const struct checkout *checkout,
                          struct velocity_subject ret_subjects[VELOCITY_SUBJECTS])
{
    const struct payment *payment = &checkout->intent.payment;
    char network[INET6_ADDRSTRLEN], number[CARD_DIGITS_MAX + 1] = "";
    const char *card = checkout->details.card_id;
    if (checkout->has_card && card_number_read(checkout->card.number, number))
        card = number;
    network_of(payment->client_ip, network);
    ret_subjects[0] = subject_of(settings, "payer", ident_text(payment->user_id).text,
                                 settings->velocity.payer_declines);
    ret_subjects[1] = subject_of(settings, "address", network, settings->velocity.address_declines);
    ret_subjects[2] = subject_of(settings, "card", card, settings->velocity.card_declines);
    crypt_wipe(number, sizeof number);
}

static enum err put_unit(struct db *db, void *context)
{
    struct velocity_try *attempt = context;
    enum err err = ERR_NONE;
    for (size_t i = 0; i < VELOCITY_SUBJECTS && !err; i++) {
        struct velocity_subject *subject = &attempt->subjects[i];
        if (subject->limit > 0)
            err = declines_put(db, subject->hash, TRY_S, &subject->try_id);
    }
    return err;
}

static enum err ask_unit(struct db *db, void *context)
{
    struct velocity_try *attempt = context;
    enum err err = ERR_NONE;
    attempt->wait_s = 0;
    for (size_t i = 0; i < VELOCITY_SUBJECTS && !err; i++) {
        const struct velocity_subject *subject = &attempt->subjects[i];
        int64_t wait_s = 0;
        if (subject->limit > 0)
            err = declines_wait(db, subject->hash, subject->limit, subject->try_id, &wait_s);
        if (wait_s > attempt->wait_s)
            attempt->wait_s = wait_s;
    }
    return err;
}

/* Those who try at one moment have all been put before the last of them asks, so that no more of
 * them pass than may be declined. */
enum err velocity_ask(struct context *context, struct arena *arena, const struct checkout *checkout,
                      struct velocity_try *ret_try)
{
    *ret_try = (struct velocity_try){0};
    if (!brings_card(checkout))
        return ERR_NONE;
    find_subjects(context->settings, checkout, ret_try->subjects);
    enum err err = db_transact(context->pool, arena, put_unit, ret_try);
    if (!err)
        err = db_query(context->pool, arena, ask_unit, ret_try);
    if (!err && ret_try->wait_s > 0)
        err = ERR_RATE;
    if (err)
        velocity_tell(context, arena, ret_try, err);
    return err;
}

struct tell_unit {
    const struct velocity_try *attempt;
    bool declined;
};

static enum err tell_unit(struct db *db, void *context)
{
    const struct tell_unit *unit = context;
    enum err err = ERR_NONE;
    for (size_t i = 0; i < VELOCITY_SUBJECTS && !err; i++) {
        const struct velocity_subject *subject = &unit->attempt->subjects[i];
        int64_t id;
        if (subject->try_id == 0)
            continue;
        err = declines_take_back(db, subject->try_id);
        if (!err && unit->declined)
            err = declines_put(db, subject->hash, DECLINE_LIFE_S, &id);
    }
    return err;
}

void velocity_tell(struct context *context, struct arena *arena, const struct velocity_try *attempt,
                   enum err answered)
{
    struct tell_unit unit = {attempt, is_declined(answered)};
    bool counted = false;
    for (size_t i = 0; i < VELOCITY_SUBJECTS; i++)
        counted |= attempt->subjects[i].try_id != 0;
    enum err err = counted ? db_transact(context->pool, arena, tell_unit, &unit) : ERR_NONE;
    (void)err;
}
