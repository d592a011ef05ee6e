/* Mangopay's notices: which there are, where they are registered, what they name, and the list of
 * events in which missed ones are found. */
#include "provider/mangopay.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_ROWS = 100, HOOK_BODY_MAX = 1024 };

/* What a notice is about, and what reading should tell at least. Those that tell nothing are not
 * registered for. */
static const struct event {
    const char *type;
    enum provider_object object;
    enum payment_fact fact;
} events[] = {
    {"PAYIN_NORMAL_CREATED", PROVIDER_PAYMENT, FACT_NOTHING},
    {"PAYIN_NORMAL_SUCCEEDED", PROVIDER_PAYMENT, FACT_SUCCEEDED},
    {"PAYIN_NORMAL_FAILED", PROVIDER_PAYMENT, FACT_FAILED},
    {"PAYIN_NORMAL_PROCESSING_STATUS_PENDING_SUCCEEDED", PROVIDER_PAYMENT, FACT_NOTHING},
    {"PAYIN_REFUND_CREATED", PROVIDER_REFUND, FACT_NOTHING},
    {"PAYIN_REFUND_SUCCEEDED", PROVIDER_REFUND, FACT_PARTLY_REFUNDED},
    {"PAYIN_REFUND_FAILED", PROVIDER_REFUND, FACT_NOTHING},
    {"PAYIN_REPUDIATION_CREATED", PROVIDER_REPUDIATION, FACT_NOTHING},
    {"PAYIN_REPUDIATION_SUCCEEDED", PROVIDER_REPUDIATION, FACT_DISPUTED},
    {"PAYIN_REPUDIATION_FAILED", PROVIDER_REPUDIATION, FACT_NOTHING},
    {"DISPUTE_CREATED", PROVIDER_DISPUTE, FACT_DISPUTED},
    {"DISPUTE_SUBMITTED", PROVIDER_DISPUTE, FACT_DISPUTED},
    {"DISPUTE_ACTION_REQUIRED", PROVIDER_DISPUTE, FACT_DISPUTED},
    {"DISPUTE_FURTHER_ACTION_REQUIRED", PROVIDER_DISPUTE, FACT_DISPUTED},
    {"DISPUTE_SENT_TO_BANK", PROVIDER_DISPUTE, FACT_DISPUTED},
    {"DISPUTE_CLOSED", PROVIDER_DISPUTE, FACT_DISPUTED},
};

static const struct event *find_event(const char *type)
{
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        if (strcmp(events[i].type, type) == 0)
            return &events[i];
    return NULL;
}

/* They bear no proof, but all that they can bring about is a question to Mangopay. */
bool mangopay_notice_proved(const struct settings *settings, const struct http_request *request)
{
    return provider_may_call(settings->mangopay.callback_addresses, request) &&
           strstr(request->query, "RessourceId=") != NULL;
}

/* EventType=…&RessourceId=…&Date=… */
enum err mangopay_notice(const struct settings *settings, struct arena *arena, const char *body,
                         size_t len, struct provider_truth *ret_truth)
{
    struct http_field *form;
    (void)settings;
    enum err err = http_form_parse(arena, body, len, &form);
    if (err)
        return err;
    const char *type = http_form_get(form, "EventType"), *id = http_form_get(form, "RessourceId");
    if (type == NULL || id == NULL || !mangopay_is_id(id) ||
        !text_copy(ret_truth->provider_reference, sizeof ret_truth->provider_reference, id))
        return ERR_PAYLOAD;
    const struct event *event = find_event(type);
    provider_quote(ret_truth->word, sizeof ret_truth->word, type);
    if (event == NULL) {
        ret_truth->stranger = "an event that nobody has asked for";
        return ERR_NONE;
    }
    ret_truth->object = event->object;
    ret_truth->fact = event->fact;
    return ERR_NONE;
}

/* --- hooks --- */

static enum err list_hooks(const struct settings *settings, struct arena *arena, int64_t page,
                           struct httpc_request *ret_request)
{
    char path[96];
    (void)snprintf(path, sizeof path, "hooks?page=%lld&per_page=%d&sort=CreationDate:ASC",
                   (long long)page + 1, PAGE_ROWS);
    return mangopay_call(settings, arena, "GET", path, NULL, ret_request);
}

/* The rows of a page that has been read; NULL: it is none. */
static const struct json *read_rows(struct arena *arena, const struct httpc_answer *answer)
{
    struct json *root;
    return answer->status == 200 &&
                   json_parse(arena, answer->body, answer->body_len, &root) == ERR_NONE &&
                   root->type == JSON_ARRAY
               ? root
               : NULL;
}

/* One address per kind of event. */
static enum err read_hook(const struct settings *settings, const struct json *row,
                          struct provider_hook *hooks)
{
    const struct event *event = find_event(mangopay_text(row, "EventType", ""));
    if (event == NULL)
        return ERR_NONE; /* of somebody else */
    struct provider_hook *hook = &hooks[event - events];
    bool fine = mangopay_says(row, "Url", settings->mangopay.hook_url) &&
                mangopay_says(row, "Status", "ENABLED") && mangopay_says(row, "Validity", "VALID");
    hook->state = fine ? PROVIDER_HOOK_FINE : PROVIDER_HOOK_WRONG;
    return mangopay_id(row, "Id", hook->id, sizeof hook->id) || fine ? ERR_NONE : ERR_PAYLOAD;
}

static enum err read_hooks(const struct settings *settings, struct arena *arena,
                           const struct httpc_answer *answer, struct provider_hook *hooks,
                           bool *ret_more)
{
    const struct json *rows = read_rows(arena, answer);
    enum err err = rows == NULL ? ERR_PAYLOAD : ERR_NONE;
    size_t count = 0;
    for (const struct json *row = err ? NULL : rows->child; row != NULL && !err;
         row = row->next, count++)
        err = read_hook(settings, row, hooks);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        if (events[i].fact == FACT_NOTHING)
            hooks[i].state = PROVIDER_HOOK_FINE;
    *ret_more = count >= PAGE_ROWS;
    return err;
}

/* POST of a new one, or PUT of the one that there is. */
static enum err mend_hook(const struct settings *settings, struct arena *arena, size_t index,
                          const struct provider_hook *hook, struct httpc_request *ret_request)
{
    bool missing = hook->state == PROVIDER_HOOK_MISSING;
    char path[PROVIDER_REFERENCE_MAX + 8] = "hooks";
    struct buf body;
    buf_init(&body, arena, HOOK_BODY_MAX);
    struct json_out *out = json_out_new(arena, &body);
    if (out == NULL)
        return ERR_OVERLOAD;
    json_out_object(out, NULL);
    json_out_text(out, "Url", settings->mangopay.hook_url);
    if (missing) {
        json_out_text(out, "EventType", events[index].type);
    } else {
        json_out_text(out, "Status", "ENABLED");
        json_out_text(out, "Validity", "VALID");
        (void)snprintf(path, sizeof path, "hooks/%s", hook->id);
    }
    json_out_close_object(out);
    enum err err = json_out_end(out);
    return err ? err
               : mangopay_call(settings, arena, missing ? "POST" : "PUT", path, buf_text(&body),
                               ret_request);
}

/* --- events --- */

static enum err list_events(const struct settings *settings, struct arena *arena, int64_t after_s,
                            int64_t page, struct httpc_request *ret_request)
{
    char path[128];
    (void)snprintf(path, sizeof path, "events?AfterDate=%lld&page=%lld&per_page=%d&sort=Date:ASC",
                   (long long)after_s, (long long)page + 1, PAGE_ROWS);
    return mangopay_call(settings, arena, "GET", path, NULL, ret_request);
}

/* As its notice would have come: copies of one notice are one. */
static const char *write_notice(struct arena *arena, const struct json *row, int64_t date_s)
{
    const struct event *event = find_event(mangopay_text(row, "EventType", ""));
    char id[PROVIDER_REFERENCE_MAX];
    struct buf text;
    if (event == NULL || event->fact == FACT_NOTHING ||
        !mangopay_id(row, "ResourceId", id, sizeof id))
        return NULL;
    buf_init(&text, arena, 512);
    buf_printf(&text, "EventType=%s&RessourceId=%s&Date=%lld", event->type, id, (long long)date_s);
    return buf_ok(&text) ? buf_text(&text) : NULL;
}

static enum err read_events(struct arena *arena, const struct httpc_answer *answer,
                            const char *ret_notices[PROVIDER_EVENTS_MAX], size_t *ret_count,
                            int64_t *ret_last_s)
{
    const struct json *rows = read_rows(arena, answer);
    int64_t date_s = 0;
    size_t count = 0;
    *ret_count = 0;
    if (rows == NULL)
        return ERR_PAYLOAD;
    for (const struct json *row = rows->child; row != NULL && count < PROVIDER_EVENTS_MAX;
         row = row->next, count++) {
        const struct json *date = json_get(row, "Date");
        if (date == NULL || !json_int(date, &date_s) || date_s <= 0)
            return ERR_PAYLOAD;
        const char *notice = write_notice(arena, row, date_s);
        if (notice != NULL)
            ret_notices[(*ret_count)++] = notice;
    }
    *ret_last_s = count >= PAGE_ROWS ? date_s : 0;
    return ERR_NONE;
}

const struct provider_hooks mangopay_hooks = {
    .kinds = sizeof events / sizeof events[0],
    .list = list_hooks,
    .list_read = read_hooks,
    .mend = mend_hook,
    .events = list_events,
    .events_read = read_events,
};
