/* A ring of the newest events under one mutex, and who may add to it: who signs rightly, and
 * whoever else, as a wrong one. */
#include "sandbox/hooks.h"

#include "sandbox/answer.h"
#include "sandbox/fault.h"
#include "sandbox/html.h"
#include "sandbox/pause.h"
#include "sandbox/settings.h"
#include "sandbox/text.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/webhook.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 500, SHOWN = 50, BODY_KEPT = 2048, TOLERANCE_S = 300 };

const struct provider hooks_receiver = {.name = "hooks"};

struct hook_event {
    int64_t number, time_ms;
    char id[80], type[40], payment[48], status_word[24];
    bool genuine;  /* its signature is right, its time is now */
    bool repeated; /* the id came before, in an event that is kept */
    int answered;
    char body[BODY_KEPT]; /* its beginning */
};

static struct {
    pthread_mutex_t mutex;
    struct hook_event events[KEPT];
    int64_t first, next; /* numbers; they go on counting over a reset */
} ring = {.mutex = PTHREAD_MUTEX_INITIALIZER, .first = 1, .next = 1};

static struct hook_event *event_at(int64_t number)
{
    return &ring.events[number % KEPT];
}

static int64_t oldest(void)
{
    return ring.next - ring.first > KEPT ? ring.next - KEPT : ring.first;
}

static void add(struct hook_event *event)
{
    event->time_ms = clock_wall_ms();
    (void)pthread_mutex_lock(&ring.mutex);
    for (int64_t i = oldest(); i < ring.next; i++)
        event->repeated |= event->id[0] != '\0' && strcmp(event_at(i)->id, event->id) == 0;
    event->number = ring.next++;
    *event_at(event->number) = *event;
    (void)pthread_mutex_unlock(&ring.mutex);
}

void hooks_reset(void)
{
    (void)pthread_mutex_lock(&ring.mutex);
    ring.first = ring.next;
    (void)pthread_mutex_unlock(&ring.mutex);
}

/* --- taking an event --- */

static const char *header(const struct http_request *request, const char *name)
{
    const char *value;
    return http_header_get(request, name, &value) == ERR_NONE && value != NULL ? value : "";
}

/* One of the signatures, which stand between spaces, is the one that our secret makes. */
static bool is_genuine(const struct http_request *request)
{
    const struct secret *key = &sandbox_settings()->hooks_secret;
    const char *given = header(request, "HTTP_WEBHOOK_SIGNATURE");
    int64_t time_s = strtoll(header(request, "HTTP_WEBHOOK_TIMESTAMP"), NULL, 10);
    int64_t age_s = clock_wall_ms() / 1000 - time_s;
    char right[WEBHOOK_SIGNATURE_MAX];
    bool found = false;
    if (!secret_is_set(key) || age_s > TOLERANCE_S || age_s < -TOLERANCE_S ||
        webhook_sign(request->arena, key, header(request, "HTTP_WEBHOOK_ID"), time_s, request->body,
                     request->body_len, right) != ERR_NONE)
        return false;
    for (size_t len; *given != '\0'; given += len + strspn(given + len, " ")) {
        len = strcspn(given, " ");
        found |= len == strlen(right) && crypt_equal(given, right, len);
    }
    return found;
}

static void read_event(const struct http_request *request, struct hook_event *event)
{
    struct json *root;
    text_clip(event->id, sizeof event->id, header(request, "HTTP_WEBHOOK_ID"));
    text_clip(event->body, sizeof event->body, request->body);
    event->genuine = is_genuine(request);
    if (json_parse(request->arena, request->body, request->body_len, &root) != ERR_NONE)
        return;
    const char *type = json_get_text(root, "type");
    const char *payment = json_get_text(json_get(root, "data"), "id");
    const char *status = json_get_text(json_get(root, "data"), "status");
    text_clip(event->type, sizeof event->type, type == NULL ? "" : type);
    text_clip(event->payment, sizeof event->payment, payment == NULL ? "" : payment);
    text_clip(event->status_word, sizeof event->status_word, status == NULL ? "" : status);
}

static bool take_fault(enum fault fault, const struct hook_event *event, struct fault_args *args)
{
    return fault_take(&hooks_receiver, fault, EVENT_HOOK, event->payment, args);
}

static void answer_busy(const struct http_request *request, struct http_response *response,
                        int64_t seconds)
{
    struct buf text;
    answer_error(response, 429, "Too many events");
    buf_init(&text, request->arena, 32);
    buf_printf(&text, "%lld", (long long)seconds);
    http_header_set(response, "Retry-After", buf_text(&text));
}

static void take(const struct http_request *request, struct http_response *response)
{
    struct hook_event event = {0};
    struct fault_args args;
    read_event(request, &event);
    if (take_fault(FAULT_SLOW, &event, &args))
        pause_ms(args.ms);
    bool reset = take_fault(FAULT_CONNECTION_RESET, &event, &args);
    if (reset)
        answer_reset(response);
    else if (take_fault(FAULT_ERROR_5XX, &event, &args))
        answer_error(response, (int)args.status, "Server Error");
    else if (take_fault(FAULT_RATE_LIMITED, &event, &args))
        answer_busy(request, response, args.retry_after);
    else if (take_fault(FAULT_GONE, &event, &args))
        answer_error(response, 410, "This endpoint takes no more events");
    else if (!event.genuine)
        answer_error(response, 401, "The signature is not right");
    else
        response->status = 204;
    event.answered = reset ? 0 : response->status;
    add(&event);
}

/* --- showing events --- */

static void write_json(struct json_out *out, const struct hook_event *event)
{
    json_out_object(out, NULL);
    json_out_int(out, "number", event->number);
    json_out_int(out, "time_ms", event->time_ms);
    json_out_text(out, "id", event->id);
    json_out_text(out, "type", event->type);
    json_out_text(out, "payment_id", event->payment);
    json_out_bool(out, "genuine", event->genuine);
    json_out_bool(out, "repeated", event->repeated);
    json_out_int(out, "status", event->answered);
    json_out_text(out, "body", event->body);
    json_out_close_object(out);
}

static void show_json(const struct http_request *request, struct http_response *response)
{
    struct json_out *out = answer_json(request->arena, response, 200);
    if (out == NULL)
        return;
    json_out_array(out, "events");
    (void)pthread_mutex_lock(&ring.mutex);
    for (int64_t i = oldest(); i < ring.next; i++)
        write_json(out, event_at(i));
    (void)pthread_mutex_unlock(&ring.mutex);
    json_out_close_array(out);
    answer_json_end(response, out);
}

static void write_field(struct buf *page, const char *label, const char *value)
{
    html_text(page, "<dt>", label, "</dt>");
    html_text(page, "<dd>", value, "</dd>\n");
}

static void write_entry(struct buf *page, const struct hook_event *event)
{
    html_text(page, "<article class=\"card\">\n<h2>", event->type[0] == '\0' ? "?" : event->type,
              "</h2>\n<dl>\n");
    write_field(page, "Payment", event->payment);
    write_field(page, "Status", event->status_word);
    buf_puts(page, "<dt>Received</dt><dd>");
    buf_time(page, event->time_ms);
    buf_puts(page, "</dd>\n");
    write_field(page, "webhook-id", event->id);
    write_field(page, "Signature", event->genuine ? "right" : "wrong");
    buf_printf(page, "<dt>Answered</dt><dd>%d%s</dd>\n</dl>\n", event->answered,
               event->repeated ? " (it came before)" : "");
    html_text(page, "<details><summary>Body</summary><pre class=\"text\">", event->body,
              "</pre></details>\n</article>\n");
}

static void show_page(struct http_response *response)
{
    struct buf *page = &response->body;
    html_begin(page, "Guichet: events", "Events");
    buf_puts(page, "<main>\n<section class=\"card\"><h1>Events</h1>\n"
                   "<p>What Guichet told the marketplace's own endpoint, the newest first.</p>\n"
                   "<a class=\"button plain\" href=\"/hooks/events\">As JSON</a></section>\n");
    (void)pthread_mutex_lock(&ring.mutex);
    int64_t last = oldest() > ring.next - SHOWN ? oldest() : ring.next - SHOWN;
    if (last == ring.next)
        buf_puts(page, "<p class=\"soft\">None so far.</p>\n");
    for (int64_t i = ring.next - 1; i >= last; i--)
        write_entry(page, event_at(i));
    (void)pthread_mutex_unlock(&ring.mutex);
    buf_puts(page, "</main>\n");
    html_end(page);
    answer_html(response);
}

void hooks_handle(const struct http_request *request, const char *path,
                  struct http_response *response)
{
    bool reads = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    bool is_list = strcmp(path, "/events") == 0, is_root = strcmp(path, "/") == 0;
    if (path[0] == '\0')
        answer_see_other(response, "/hooks/");
    else if (!is_root && !is_list)
        answer_error(response, 404, "Not found");
    else if (is_root && strcmp(request->method, "POST") == 0)
        take(request, response);
    else if (!reads)
        answer_method(response, is_root ? "GET, HEAD, POST" : "GET, HEAD");
    else if (is_list)
        show_json(request, response);
    else
        show_page(response);
}
