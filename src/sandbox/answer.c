/* The forms of answer that every part of the sandbox gives. */
#include "sandbox/answer.h"

#include <stdio.h>

static void body_clear(struct http_response *response)
{
    buf_init(&response->body, response->body.arena, response->body.max);
}

void answer_error(struct http_response *response, int status, const char *message)
{
    /* message is fixed text of ours without quotes, so it needs no escaping */
    body_clear(response);
    response->status = status;
    buf_printf(&response->body, "{\"error\":\"%s\"}", message);
}

void answer_method(struct http_response *response, const char *allowed)
{
    answer_error(response, 405, "Method not allowed");
    http_header_set(response, "Allow", allowed);
}

void answer_see_other(struct http_response *response, const char *path)
{
    body_clear(response);
    response->status = 303;
    response->content_type = "text/html; charset=utf-8";
    http_header_set(response, "Location", path);
    http_header_set(response, "Cache-Control", "no-store");
}

void answer_reset(struct http_response *response)
{
    body_clear(response);
    response->status = 200;
    http_header_set(response, "X-Accel-Redirect", "/internal/reset");
}

void answer_html(struct http_response *response)
{
    response->content_type = "text/html; charset=utf-8";
    http_header_set(response, "Cache-Control", "no-store");
    http_header_set(response, "X-Content-Type-Options", "nosniff");
    http_header_set(response, "Referrer-Policy", "no-referrer");
    http_header_set(response, "Content-Security-Policy", ANSWER_POLICY "'self'");
    if (buf_ok(&response->body))
        return;
    response->content_type = "application/json; charset=utf-8";
    answer_error(response, 500, "The page does not fit");
}

struct json_out *answer_json(struct arena *arena, struct http_response *response, int status)
{
    body_clear(response);
    response->status = status;
    struct json_out *out = json_out_new(arena, &response->body);
    if (out == NULL)
        answer_error(response, 500, "Out of memory");
    else
        json_out_object(out, NULL);
    return out;
}

void answer_json_end(struct http_response *response, struct json_out *out)
{
    json_out_close_object(out);
    if (json_out_end(out) != ERR_NONE)
        answer_error(response, 500, "The answer does not fit");
}
