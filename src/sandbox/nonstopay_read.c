/* What NonStopPay says when asked: an invoice's status, its infos, the history page by page.
 * Numbers come as texts here and as numbers there, as in its own examples. Changes nothing. */
#include "sandbox/nonstopay.h"

#include "sandbox/answer.h"
#include "sandbox/settings.h"
#include "sandbox/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PAGE_ROWS = 50 };

const char *nonstopay_word(const struct session *session)
{
    switch (session->status) {
    case SESSION_NEW:
        return "invoice:created";
    case SESSION_OPENED:
    case SESSION_CHALLENGED:
    case SESSION_INCOMPLETE:
        return "invoice:opened";
    case SESSION_IN_REVIEW:
        return "invoice:awaiting_approval";
    case SESSION_SUCCEEDED:
        return "invoice:paid";
    case SESSION_WITHHELD:
        return "invoice:withheld";
    case SESSION_REFUNDED: /* there is no such thing here; money that goes back is this */
    case SESSION_CHARGED_BACK:
        return "invoice:chargeback";
    case SESSION_FAILED:
    case SESSION_DECLINED:
    case SESSION_EXPIRED:
        return "invoice:failed";
    case SESSION_STATUSES:
        break;
    }
    return "";
}

/* "15.04", "4": trailing zeros go. */
static const char *amount_text(struct arena *arena, int64_t amount)
{
    struct buf text;
    buf_init(&text, arena, 32);
    if (amount < 0)
        buf_puts(&text, "-");
    buf_decimal(&text, amount < 0 ? -amount : amount, 2, 0);
    if (buf_text(&text)[text.len - 1] == '.')
        text.data[--text.len] = '\0';
    return buf_text(&text);
}

void nonstopay_number(struct arena *arena, struct json_out *out, const char *key, int64_t amount)
{
    const char *text = amount_text(arena, amount);
    const struct json number = {.type = JSON_NUMBER, .text = text, .len = strlen(text)};
    json_out_value(out, key, &number);
}

static const char *currency_of(const struct nonstopay_view *view)
{
    return view->currency != NULL ? view->currency : view->session->currency;
}

static const char *word_of(const struct nonstopay_view *view)
{
    return view->opened ? "invoice:opened" : nonstopay_word(view->session);
}

void nonstopay_status_answer(struct arena *arena, const struct nonstopay_view *view,
                             struct http_response *response)
{
    struct json_out *out = answer_json(arena, response, 200);
    if (out == NULL)
        return;
    json_out_int(out, "errorCode", 0);
    json_out_object(out, "invoice");
    json_out_text(out, "id", view->session->id);
    json_out_text(out, "devise", currency_of(view));
    json_out_text(out, "amount", amount_text(arena, view->session->amount + view->change));
    json_out_text(out, "status", word_of(view));
    json_out_close_object(out);
    answer_json_end(response, out);
}

/* 2023-04-12 19:09:48 */
static const char *time_text(struct arena *arena, int64_t time_ms)
{
    char *text = arena_alloc(arena, 32);
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    if (text == NULL)
        return "";
    (void)gmtime_r(&seconds, &parts);
    (void)strftime(text, 32, "%Y-%m-%d %H:%M:%S", &parts);
    return text;
}

static const struct json *body_of(struct arena *arena, const struct session *session)
{
    struct json *body = NULL;
    return json_parse(arena, session->body, session->body_len, &body) == ERR_NONE ? body : NULL;
}

static void write_copy(struct json_out *out, const struct json *body, const char *key)
{
    const struct json *value = json_get(body, key);
    if (value == NULL)
        json_out_text(out, key, NULL);
    else
        json_out_value(out, key, value);
}

/* The amounts in other units are there to be mistaken for the right one. */
void nonstopay_infos_answer(struct arena *arena, const struct nonstopay_view *view,
                            struct http_response *response)
{
    const struct session *session = view->session;
    struct json_out *out = answer_json(arena, response, 200);
    if (out == NULL)
        return;
    json_out_int(out, "errorCode", 0);
    json_out_text(out, "merchant_id", sandbox_settings()->nonstopay.merchant_id);
    json_out_text(out, "invoice_id", session->id);
    json_out_object(out, "data");
    json_out_text(out, "status", word_of(view));
    json_out_int(out, "id", session->number);
    json_out_text(out, "devise", currency_of(view));
    nonstopay_number(arena, out, "amount", session->amount + view->change);
    json_out_text(out, "description", "An invoice of the sandbox");
    write_copy(out, body_of(arena, session), "callbackJson");
    nonstopay_number(arena, out, "fiat_amount", session->amount * 82);
    json_out_text(out, "fiat_currency", "INR");
    nonstopay_number(arena, out, "totalAmount", session->amount * 9 / 10);
    json_out_text(out, "totalCurrency", "USDC");
    json_out_text(out, "datetime", time_text(arena, session->created_ms));
    json_out_close_object(out);
    answer_json_end(response, out);
}

/* --- the history --- */

struct filter {
    const char *status, *from, *to; /* days as YYYY-MM-DD; "": no bound */
    bool descending;
    int64_t page; /* from 1 */
};

static bool has_status(const struct session *session, const char *status)
{
    const char *word = nonstopay_word(session) + strlen("invoice:");
    bool paid = strcmp(word, "paid") == 0, waiting = strcmp(word, "awaiting_approval") == 0;
    if (strcmp(status, "PAID") == 0)
        return paid;
    if (strcmp(status, "WAITING") == 0)
        return waiting;
    if (strcmp(status, "UNPAID") == 0)
        return !paid && !waiting;
    return strcmp(status, "ALL") == 0; /* none is 14 days old here: EXPIRED has none */
}

static bool is_listed(struct arena *arena, const struct session *session,
                      const struct filter *filter)
{
    const char *day = time_text(arena, session->created_ms);
    return session->provider == &nonstopay && has_status(session, filter->status) &&
           (filter->from[0] == '\0' || strncmp(day, filter->from, 10) >= 0) &&
           (filter->to[0] == '\0' || strncmp(day, filter->to, 10) <= 0);
}

static void write_row(struct arena *arena, struct json_out *out, const struct session *session)
{
    const struct json *body = body_of(arena, session);
    char status[32];
    text_clip(status, sizeof status, nonstopay_word(session) + strlen("invoice:"));
    for (char *at = status; *at != '\0'; at++)
        *at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
    json_out_object(out, NULL);
    json_out_text(out, "id", session->id);
    write_copy(out, body, "email");
    json_out_text(out, "status", status);
    json_out_text(out, "amount", amount_text(arena, session->amount));
    json_out_text(out, "symbol", session->currency);
    json_out_text(out, "create_date", time_text(arena, session->created_ms));
    json_out_text(out, "status_date", time_text(arena, session->changed_ms));
    json_out_text(out, "tx_hash", NULL);
    json_out_text(out, "exchange_currency_symbol", "USDC");
    json_out_text(out, "paid_amount", amount_text(arena, session->amount));
    json_out_text(out, "merchant_amount", amount_text(arena, session->amount * 9 / 10));
    json_out_text(out, "fee_amount", amount_text(arena, session->amount / 10));
    json_out_text(out, "ip", session->attempt.ip);
    json_out_text(out, "country", "France");
    write_copy(out, body, "success_url");
    write_copy(out, body, "pending_url");
    write_copy(out, body, "cancel_url");
    json_out_close_object(out);
}

/* Writes the rows of the page and counts those of all pages. */
static int64_t write_rows(struct json_out *out, const struct filter *filter)
{
    struct arena *scratch = arena_new(ARENA_BYTES);
    struct session_totals totals;
    struct session session;
    int64_t found = 0;
    session_totals(&totals);
    for (int64_t i = 1; scratch != NULL && i <= totals.sessions; i++) {
        int64_t number = filter->descending ? totals.sessions + 1 - i : i;
        arena_reset(scratch);
        if (!session_by_number(number, &session) || !is_listed(scratch, &session, filter))
            continue;
        if (found / PAGE_ROWS == filter->page - 1)
            write_row(scratch, out, &session);
        found++;
    }
    arena_free(scratch);
    return found;
}

static const char *field(const struct http_field *query, const char *name, const char *fallback)
{
    const char *value = http_form_get(query, name);
    return value == NULL || *value == '\0' ? fallback : value;
}

void nonstopay_history_answer(const struct http_request *request, struct http_response *response)
{
    struct http_field *query = NULL;
    char total[24];
    if (http_form_parse(request->arena, request->query, strlen(request->query), &query) != ERR_NONE)
        query = NULL;
    const char *order = field(query, "order", "DESC");
    const struct json page = {.type = JSON_NUMBER, .text = field(query, "page", "1")};
    struct filter filter = {.status = field(query, "status", "ALL"),
                            .from = field(query, "from", ""),
                            .to = field(query, "to", ""),
                            .descending = strcmp(order, "DESC") == 0};
    if (!filter.descending && strcmp(order, "ASC") != 0) {
        nonstopay_error(response, 50012, "Invalid order. order must be ASC or DESC");
        return;
    }
    if (!json_int(&page, &filter.page) || filter.page < 1)
        filter.page = 1;
    struct json_out *out = answer_json(request->arena, response, 200);
    if (out == NULL)
        return;
    json_out_int(out, "errorCode", 0);
    json_out_text(out, "status", filter.status);
    json_out_text(out, "from", filter.from);
    json_out_text(out, "to", filter.to);
    json_out_int(out, "page", filter.page);
    json_out_text(out, "order", order);
    json_out_array(out, "list");
    int64_t found = write_rows(out, &filter);
    json_out_close_array(out);
    (void)snprintf(total, sizeof total, "%lld", (long long)found);
    json_out_text(out, "total", total);
    answer_json_end(response, out);
}
