/* One mail at a time: take it under a lease, write it, hand it to the server without a database
 * connection, note what became of it. */
#include "flow/mail.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/crash.h"
#include "flow/courier.h"
#include "flow/mail_text.h"
#include "flow/notify.h"
#include "store/items.h"
#include "store/users.h"

#include <string.h>
#include <time.h>

enum { SEND_MS = 30000 };

struct letter {
    struct context *context;
    struct errand errand;
    struct payment payment;
    struct cart cart;
    struct user_address to;
};

static enum err take_unit(struct db *db, void *context)
{
    struct letter *letter = context;
    enum err err = courier_take(db, MAIL_RECEIVER, &letter->errand);
    if (err || letter->errand.delivery.id == 0)
        return err;
    err = payments_get(db, letter->errand.delivery.payment_id, &letter->payment);
    if (!err)
        err = items_of_payment(db, letter->payment.id, CART_MAX, &letter->cart);
    return err ? err : users_address(db, letter->payment.user_id, &letter->to);
}

static enum err set_unit(struct db *db, void *context)
{
    const struct letter *letter = context;
    return courier_end(db, &letter->errand);
}

static enum err compose(const struct letter *letter, struct arena *arena, const char **ret_message,
                        size_t *ret_len)
{
    const struct cart *cart = &letter->cart;
    const struct delivery *delivery = &letter->errand.delivery;
    time_t when = delivery->time_s;
    char completed_at[32];
    struct tm utc;
    bool delivered = strcmp(delivery->topic, TOPIC_UNDELIVERABLE) != 0;
    struct mail_line *lines = arena_alloc(arena, (cart->count + 1) * sizeof *lines);
    if (lines == NULL || gmtime_r(&when, &utc) == NULL ||
        strftime(completed_at, sizeof completed_at, "%Y-%m-%d %H:%M UTC", &utc) == 0)
        return ERR_OVERLOAD;
    for (size_t i = 0; i < cart->count; i++)
        lines[i] = (struct mail_line){cart->items[i].name, cart->items[i].price, delivered};
    const struct mail_facts facts = {.to_name = letter->to.name,
                                     .to_address = letter->to.email,
                                     .from_address = letter->context->settings->mail.from,
                                     .payment_id = letter->payment.id,
                                     .amount = letter->payment.amount,
                                     .type = letter->payment.type,
                                     .lines = lines,
                                     .lines_count = cart->count,
                                     .provider = letter->payment.provider,
                                     .completed_at = completed_at,
                                     .date_ms = delivery->time_s * 1000};
    return mail_compose(arena, &facts, ret_message, ret_len);
}

static void give_up(struct letter *letter, const char *note)
{
    letter->errand.state = DELIVERY_DEAD;
    letter->errand.note = note;
}

static void send(struct letter *letter, struct arena *arena, const char *message, size_t len)
{
    const struct settings_mail *settings = &letter->context->settings->mail;
    bool local = strncmp(settings->server, "unix:", 5) == 0;
    const struct httpc_mail mail = {.server = settings->server,
                                    .user = settings->user[0] == '\0' ? NULL : settings->user,
                                    .password = &settings->password,
                                    .starttls = settings->starttls && !local,
                                    .from = settings->from,
                                    .to = letter->to.email,
                                    .message = message,
                                    .message_len = len,
                                    .deadline_ms = clock_mono_ms() + SEND_MS};
    struct httpc_answer answer;
    httpc_mail(letter->context->client, arena, &mail, &answer);
    if (answer.result == HTTPC_ANSWERED)
        letter->errand.state = DELIVERY_DONE;
    else if (answer.status / 100 == 5)
        give_up(letter, answer.problem);
    else
        courier_put_off(&letter->errand, answer.problem, 0);
}

static void write_and_send(struct letter *letter, struct arena *arena)
{
    const char *message;
    size_t len;
    if (letter->context->settings->mail.server[0] == '\0') { /* today none is set up any more */
        give_up(letter, "no mail server is configured");
        return;
    }
    enum err err = compose(letter, arena, &message, &len);
    if (!err)
        send(letter, arena, message, len);
    else if (err == ERR_OVERLOAD) /* ours, and so perhaps only for now */
        courier_put_off(&letter->errand, "the mail does not fit in memory", 0);
    else
        give_up(letter, "the payer's name or address cannot stand in a mail");
}

enum err mail_step(struct context *context, struct arena *arena, struct mailed *ret_done)
{
    struct letter letter = {.context = context};
    *ret_done = (struct mailed){.found = ""};
    enum err err = db_transact(context->pool, arena, take_unit, &letter);
    if (err || letter.errand.delivery.id == 0)
        return err;
    (void)text_copy(ret_done->payment_id, IDENT_MAX, letter.errand.delivery.payment_id);
    CRASH_POINT("mail_taken");
    write_and_send(&letter, arena);
    CRASH_POINT("mail_sent");
    ret_done->sent = letter.errand.state == DELIVERY_DONE;
    ret_done->found = ret_done->sent ? "sent" : letter.errand.note;
    return db_query(context->pool, arena, set_unit, &letter);
}
