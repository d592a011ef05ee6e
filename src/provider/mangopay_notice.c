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
    (void)settings;
    return strstr(request->query, "RessourceId=") != NULL;
}

/* EventType=…&RessourceId=…&Date=… */
enum err mangopay_notice(const struct settings *settings, struct arena *arena, const char *body,
                         size_t len, struct provider_truth *ret_truth)
{
    struct http_field *form;
    (void)settings;
    *ret_truth = (struct provider_truth){0};
    enum err err = http_form_parse(arena, body, len, &form);
    if (err)
        return err;
    const char *type = http_form_get(form, "EventType"), *id = http_form_get(form, "RessourceId");
    if (type == NULL || id == NULL || id[0] == '\0' ||
        id[strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] !=
            '\0' ||
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

static enum err list_hooks(const struct settings *settings, struct arena *arena,
                           struct httpc_request *ret_request)
{
    return mangopay_call(settings, arena, "GET", "hooks?page=1&per_page=100", NULL, ret_request);
}

static const struct json *find_hook(const struct json *list, const char *type)
{
    const struct json *hook = list->child;
    while (hook != NULL && !mangopay_says(hook, "EventType", type))
        hook = hook->next;
    return hook;
}

/* POST of a new one, or PUT of the one that there is: one address per kind of event. */
static enum err build_mend(const struct settings *settings, struct arena *arena, const char *type,
                           const struct json *hook, struct httpc_request *ret_request)
{
    char path[PROVIDER_REFERENCE_MAX + 8] = "hooks", id[PROVIDER_REFERENCE_MAX];
    struct buf body;
    buf_init(&body, arena, HOOK_BODY_MAX);
    struct json_out *out = json_out_new(arena, &body);
    if (out == NULL)
        return ERR_OVERLOAD;
    json_out_object(out, NULL);
    json_out_text(out, "Url", settings->mangopay.hook_url);
    if (hook == NULL) {
        json_out_text(out, "EventType", type);
    } else {
        json_out_text(out, "Status", "ENABLED");
        json_out_text(out, "Validity", "VALID");
    }
    json_out_close_object(out);
    enum err err = json_out_end(out);
    if (err || (hook != NULL && !mangopay_id(hook, "Id", id, sizeof id)))
        return err ? err : ERR_PAYLOAD;
    if (hook != NULL)
        (void)snprintf(path, sizeof path, "hooks/%s", id);
    return mangopay_call(settings, arena, hook == NULL ? "POST" : "PUT", path, buf_text(&body),
                         ret_request);
}

static enum err mend_hook(const struct settings *settings, struct arena *arena,
                          const struct httpc_answer *list, size_t index,
                          enum provider_hook *ret_state, struct httpc_request *ret_request)
{
    struct json *root;
    if (list->status != 200 || json_parse(arena, list->body, list->body_len, &root) != ERR_NONE ||
        root->type != JSON_ARRAY)
        return ERR_PAYLOAD;
    const char *type = events[index].type;
    const struct json *hook = find_hook(root, type);
    bool fine = hook != NULL && mangopay_says(hook, "Url", settings->mangopay.hook_url) &&
                mangopay_says(hook, "Status", "ENABLED") &&
                mangopay_says(hook, "Validity", "VALID");
    *ret_state = PROVIDER_HOOK_FINE;
    if (fine || events[index].fact == FACT_NOTHING)
        return ERR_NONE;
    *ret_state = hook == NULL ? PROVIDER_HOOK_MISSING : PROVIDER_HOOK_WRONG;
    return build_mend(settings, arena, type, hook, ret_request);
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
static const char *write_notice(struct arena *arena, const struct json *row)
{
    const struct event *event = find_event(mangopay_text(row, "EventType", ""));
    const struct json *date = json_get(row, "Date");
    char id[PROVIDER_REFERENCE_MAX];
    int64_t date_s;
    struct buf text;
    if (event == NULL || event->fact == FACT_NOTHING || date == NULL || !json_int(date, &date_s) ||
        !mangopay_id(row, "ResourceId", id, sizeof id))
        return NULL;
    buf_init(&text, arena, 512);
    buf_printf(&text, "EventType=%s&RessourceId=%s&Date=%lld", event->type, id, (long long)date_s);
    return buf_ok(&text) ? buf_text(&text) : NULL;
}

static enum err read_events(struct arena *arena, const struct httpc_answer *answer,
                            const char *ret_notices[PROVIDER_EVENTS_MAX], size_t *ret_count,
                            int64_t *ret_last_s, bool *ret_more)
{
    struct json *root;
    size_t rows = 0;
    *ret_count = 0;
    if (answer->status != 200 ||
        json_parse(arena, answer->body, answer->body_len, &root) != ERR_NONE ||
        root->type != JSON_ARRAY)
        return ERR_PAYLOAD;
    for (const struct json *row = root->child; row != NULL && rows < PROVIDER_EVENTS_MAX;
         row = row->next, rows++) {
        const struct json *date = json_get(row, "Date");
        const char *notice = write_notice(arena, row);
        int64_t date_s;
        if (date != NULL && json_int(date, &date_s))
            *ret_last_s = date_s;
        if (notice != NULL)
            ret_notices[(*ret_count)++] = notice;
    }
    *ret_more = rows >= PAGE_ROWS;
    return ERR_NONE;
}

const struct provider_hooks mangopay_hooks = {
    .kinds = sizeof events / sizeof events[0],
    .list = list_hooks,
    .mend = mend_hook,
    .events = list_events,
    .events_read = read_events,
};
