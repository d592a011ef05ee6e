/* Two rings of fixed size under one mutex, and their counters.
 * Must not hold a key, a card or a body. */
#include "sandbox/journal.h"

#include "base/clock.h"

#include <pthread.h>
#include <string.h>

static struct {
    pthread_mutex_t mutex;
    struct journal_call calls[JOURNAL_KEPT];
    struct journal_delivery deliveries[JOURNAL_KEPT];
    int64_t first_call, next_call; /* numbers; they go on counting over a reset */
    int64_t first_delivery, next_delivery;
    int64_t delivered;
} journal = {
    .mutex = PTHREAD_MUTEX_INITIALIZER,
    .first_call = 1,
    .next_call = 1,
    .first_delivery = 1,
    .next_delivery = 1,
};

static struct journal_call *call_at(int64_t number)
{
    return &journal.calls[number % JOURNAL_KEPT];
}

static struct journal_delivery *delivery_at(int64_t number)
{
    return &journal.deliveries[number % JOURNAL_KEPT];
}

void journal_call_begin(struct journal_call *call)
{
    (void)pthread_mutex_lock(&journal.mutex);
    call->number = journal.next_call++;
    call->time_ms = clock_wall_ms();
    *call_at(call->number) = *call;
    (void)pthread_mutex_unlock(&journal.mutex);
}

void journal_call_end(struct journal_call *call)
{
    if (call->ended)
        return;
    call->ended = true;
    call->took_ms = clock_wall_ms() - call->time_ms;
    (void)pthread_mutex_lock(&journal.mutex);
    if (call_at(call->number)->number == call->number) /* else: newer calls took its place */
        *call_at(call->number) = *call;
    (void)pthread_mutex_unlock(&journal.mutex);
}

void journal_delivery_add(const struct journal_delivery *delivery)
{
    (void)pthread_mutex_lock(&journal.mutex);
    struct journal_delivery *kept = delivery_at(journal.next_delivery);
    *kept = *delivery;
    kept->number = journal.next_delivery++;
    kept->time_ms = clock_wall_ms();
    journal.delivered += delivery->status == 200;
    (void)pthread_mutex_unlock(&journal.mutex);
}

void journal_reset(void)
{
    (void)pthread_mutex_lock(&journal.mutex);
    journal.first_call = journal.next_call;
    journal.first_delivery = journal.next_delivery;
    journal.delivered = 0;
    (void)pthread_mutex_unlock(&journal.mutex);
}

/* The number of the oldest one still kept. */
static int64_t oldest(int64_t first, int64_t next)
{
    return next - first > JOURNAL_KEPT ? next - JOURNAL_KEPT : first;
}

static bool wanted(const char *have, const char *want)
{
    return want == NULL || strcmp(have, want) == 0;
}

static void optional_text(struct json_out *out, const char *key, const char *text)
{
    json_out_text(out, key, text[0] == '\0' ? NULL : text);
}

static void write_call(struct json_out *out, const struct journal_call *call)
{
    json_out_object(out, NULL);
    json_out_int(out, "number", call->number);
    json_out_int(out, "time_ms", call->time_ms);
    json_out_int(out, "took_ms", call->took_ms);
    json_out_bool(out, "ended", call->ended);
    json_out_text(out, "provider", call->provider);
    json_out_text(out, "method", call->method);
    json_out_text(out, "path", call->path);
    json_out_int(out, "status", call->status);
    optional_text(out, "fault", call->fault);
    optional_text(out, "idempotency_key", call->idempotency_key);
    optional_text(out, "session_id", call->session_id);
    optional_text(out, "order_id", call->order_id);
    json_out_close_object(out);
}

static void write_delivery(struct json_out *out, const struct journal_delivery *delivery)
{
    json_out_object(out, NULL);
    json_out_int(out, "number", delivery->number);
    json_out_int(out, "time_ms", delivery->time_ms);
    json_out_text(out, "provider", delivery->provider);
    json_out_text(out, "type", delivery->type);
    json_out_text(out, "session_id", delivery->session_id);
    json_out_text(out, "order_id", delivery->order_id);
    json_out_int(out, "attempt", delivery->attempt);
    json_out_int(out, "copy", delivery->copy);
    json_out_int(out, "status", delivery->status);
    optional_text(out, "problem", delivery->problem);
    json_out_close_object(out);
}

void journal_write_totals(struct json_out *out)
{
    (void)pthread_mutex_lock(&journal.mutex);
    json_out_int(out, "calls", journal.next_call - journal.first_call);
    json_out_int(out, "webhooks", journal.next_delivery - journal.first_delivery);
    json_out_int(out, "webhooks_delivered", journal.delivered);
    (void)pthread_mutex_unlock(&journal.mutex);
}

void journal_write(struct json_out *out, const char *session_id, const char *order_id)
{
    (void)pthread_mutex_lock(&journal.mutex);
    json_out_array(out, "calls");
    for (int64_t i = oldest(journal.first_call, journal.next_call); i < journal.next_call; i++)
        if (wanted(call_at(i)->session_id, session_id) && wanted(call_at(i)->order_id, order_id))
            write_call(out, call_at(i));
    json_out_close_array(out);
    json_out_array(out, "webhooks");
    for (int64_t i = oldest(journal.first_delivery, journal.next_delivery);
         i < journal.next_delivery; i++)
        if (wanted(delivery_at(i)->session_id, session_id) &&
            wanted(delivery_at(i)->order_id, order_id))
            write_delivery(out, delivery_at(i));
    json_out_close_array(out);
    (void)pthread_mutex_unlock(&journal.mutex);
}
