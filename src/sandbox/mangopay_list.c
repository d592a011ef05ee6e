/* Reading objects over the API: one of them, or a page of a list with its filters and headers. */
#include "sandbox/mangopay.h"

#include "sandbox/settings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PAGE_MAX = 100 };

/* One page of a list while it is collected. */
struct page {
    struct mango_call *call;
    int64_t number, size, total;
    int64_t after_s, before_s; /* of the date; 0: no bound */
    const char *type;          /* of events; NULL: any */
    bool newest_first;
    const char **texts; /* all that fit the filter, oldest first */
    size_t room;
};

static bool in_range(const struct page *page, const struct json *object)
{
    const struct json *created = json_get(object, "CreationDate");
    int64_t date = mango_int(object, created == NULL ? "Date" : "CreationDate");
    if (page->type != NULL && strcmp(mango_text(object, "EventType"), page->type) != 0)
        return false;
    return (page->after_s == 0 || date > page->after_s) &&
           (page->before_s == 0 || date < page->before_s);
}

/* The next text of the list's kind; those of PayIns are made for it. */
static const char *next_text(struct page *page, int64_t *cursor, struct arena *scratch)
{
    struct session session;
    if (strcmp(page->call->route->kind, "payin") != 0)
        return mango_next(page->call->route->kind, cursor);
    while (session_by_number(++*cursor, &session))
        if (session.provider == &mangopay)
            return mango_write(scratch, mango_payin_read(scratch, &session));
    return NULL;
}

static void add(struct page *page, const char *text)
{
    if ((size_t)page->total == page->room) {
        page->room = page->room == 0 ? 256 : page->room * 2;
        const char **more = realloc(page->texts, page->room * sizeof(const char *));
        if (more == NULL)
            abort();
        page->texts = more;
    }
    page->texts[page->total++] = text;
}

/* Everything that fits, oldest first. Texts of the store stay where they are. */
static void collect(struct page *page)
{
    const struct mango_route *route = page->call->route;
    struct arena *scratch = arena_new(ARENA_BYTES);
    bool made = strcmp(route->kind, "payin") == 0;
    const char *text;
    if (scratch == NULL)
        abort();
    for (int64_t cursor = 0; (text = next_text(page, &cursor, scratch)) != NULL;
         arena_reset(scratch)) {
        const struct json *object = mango_parse(scratch, text);
        if (in_range(page, object) &&
            (route->member == NULL ||
             strcmp(mango_text(object, route->member), page->call->id) == 0))
            add(page, made ? mango_print(page->call->arena, "%s", text) : text);
    }
    arena_free(scratch);
}

/* False when the query's number is none. */
static bool query_number(const struct mango_call *call, const char *name, int64_t min, int64_t max,
                         int64_t *ret_number)
{
    const char *text = http_form_get(call->query, name);
    if (text == NULL)
        return true;
    const struct json number = {.type = JSON_NUMBER, .text = text, .len = strlen(text)};
    return json_int(&number, ret_number) && *ret_number >= min && *ret_number <= max;
}

static bool read_query(struct page *page)
{
    struct mango_call *call = page->call;
    const char *sort = http_form_get(call->query, "sort");
    if (!query_number(call, "page", 1, INT32_MAX, &page->number))
        mango_error_param(call, "page", "The page must be a whole number from 1.");
    else if (!query_number(call, "per_page", 1, PAGE_MAX, &page->size))
        mango_error_param(call, "per_page", "The per_page must be a whole number from 1 to 100.");
    else if (!query_number(call, "AfterDate", 0, INT64_MAX, &page->after_s) ||
             !query_number(call, "BeforeDate", 0, INT64_MAX, &page->before_s))
        mango_error_param(call, "Date", "BeforeDate and AfterDate must be timestamps.");
    else if (sort != NULL && strcasecmp(sort, "CreationDate:DESC") != 0 &&
             strcasecmp(sort, "CreationDate:ASC") != 0 && strcasecmp(sort, "Date:DESC") != 0 &&
             strcasecmp(sort, "Date:ASC") != 0)
        mango_error_param(call, "sort", "The sort must be CreationDate:ASC or CreationDate:DESC.");
    else if (page->type != NULL && !mango_is_word(mango_event_types, page->type))
        mango_error_param(call, "EventType", "The requested event type does not exist.");
    else {
        size_t len = sort == NULL ? 0 : strlen(sort);
        page->newest_first = len > 4 && strcasecmp(sort + len - 4, "DESC") == 0;
        return true;
    }
    return false;
}

static void write_headers(const struct page *page)
{
    struct mango_call *call = page->call;
    int64_t pages = (page->total + page->size - 1) / page->size;
    http_header_set(call->response, "X-Number-Of-Pages",
                    mango_print(call->arena, "%lld", (long long)pages));
    http_header_set(call->response, "X-Number-Of-Items",
                    mango_print(call->arena, "%lld", (long long)page->total));
    http_header_set(
        call->response, "Link",
        mango_print(call->arena, "<%s/mangopay/v2.01/%s%s?page=%lld&per_page=%lld>; rel=\"last\"",
                    sandbox_settings()->public_url, sandbox_settings()->mangopay.client_id,
                    call->path, (long long)(pages > 0 ? pages : 1), (long long)page->size));
}

static void write_page(const struct page *page)
{
    struct buf *body = &page->call->response->body;
    int64_t first =
        page->number > INT32_MAX / PAGE_MAX ? INT32_MAX : (page->number - 1) * page->size;
    buf_init(body, page->call->arena, body->max);
    buf_puts(body, "[");
    for (int64_t i = first; i < first + page->size && i < page->total; i++) {
        buf_puts(body, i == first ? "" : ",");
        buf_puts(body, page->texts[page->newest_first ? page->total - 1 - i : i]);
    }
    buf_puts(body, "]");
}

void mango_list(struct mango_call *call)
{
    struct page page = {.call = call, .number = 1, .size = 10};
    if (strcmp(call->route->kind, "event") == 0)
        page.type = http_form_get(call->query, "EventType");
    if (!read_query(&page))
        return;
    collect(&page);
    call->response->status = 200;
    write_headers(&page);
    write_page(&page);
    free(page.texts);
}

void mango_view(struct mango_call *call)
{
    struct json *object = mango_get(call->arena, call->route->kind, call->id);
    if (object == NULL)
        mango_error_missing(call, call->route->kind, call->id);
    else
        mango_answer(call, object);
}
