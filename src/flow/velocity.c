/* Counts declined cards by payer, address and card, each under a keyed hash: what is stored tells
 * neither. Owns what counts as a card that a caller brings, and as declined. */
#include "flow/velocity.h"

#include "domain/card.h"
#include "store/declines.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { NETWORK_BYTES = 8, SUBJECTS = 3 };

struct subject {
    unsigned char hash[CRYPT_HASH_BYTES];
    int64_t limit; /* 0: it is not counted */
};

struct velocity_unit {
    struct subject subjects[SUBJECTS];
    int64_t wait_s;
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

static struct subject subject_of(const struct settings *settings, const char *kind,
                                 const char *word, int64_t limit)
{
    struct subject subject = {.limit = is_given(word) ? limit : 0};
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
    memset(bytes.s6_addr + NETWORK_BYTES, 0, sizeof bytes - NETWORK_BYTES);
    (void)inet_ntop(AF_INET6, &bytes, ret_network, INET6_ADDRSTRLEN);
}

static void find_subjects(const struct settings *settings, const struct checkout *checkout,
                          struct subject ret_subjects[SUBJECTS])
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

static enum err ask_unit(struct db *db, void *context)
{
    struct velocity_unit *unit = context;
    enum err err = ERR_NONE;
    unit->wait_s = 0;
    for (size_t i = 0; i < SUBJECTS && !err; i++) {
        const struct subject *subject = &unit->subjects[i];
        int64_t wait_s = 0;
        if (subject->limit > 0)
            err = declines_wait(db, subject->hash, subject->limit, &wait_s);
        if (wait_s > unit->wait_s)
            unit->wait_s = wait_s;
    }
    return err;
}

enum err velocity_ask(struct context *context, struct arena *arena, const struct checkout *checkout,
                      int64_t *ret_wait_s)
{
    struct velocity_unit unit;
    if (!brings_card(checkout))
        return ERR_NONE;
    find_subjects(context->settings, checkout, unit.subjects);
    enum err err = db_query(context->pool, arena, ask_unit, &unit);
    if (err || unit.wait_s == 0)
        return err;
    *ret_wait_s = unit.wait_s;
    return ERR_RATE;
}

static enum err tell_unit(struct db *db, void *context)
{
    const struct velocity_unit *unit = context;
    enum err err = ERR_NONE;
    for (size_t i = 0; i < SUBJECTS && !err; i++)
        if (unit->subjects[i].limit > 0)
            err = declines_put(db, unit->subjects[i].hash);
    return err;
}

void velocity_tell(struct context *context, struct arena *arena, const struct checkout *checkout,
                   enum err answered)
{
    struct velocity_unit unit;
    if (!brings_card(checkout) || !is_declined(answered))
        return;
    find_subjects(context->settings, checkout, unit.subjects);
    enum err err = db_transact(context->pool, arena, tell_unit, &unit);
    (void)err;
}
