/* The only file that knows curl. One transfer at a time; no redirects, no proxies, no repeats.
 * Must not log and must not judge an answer: that is the provider driver's business. */
#include "base/httpc.h"

#include "base/buf.h"
#include "base/clock.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct httpc {
    CURL *curl;
    struct httpc_options options;
};

static _Thread_local int forbidden;

void httpc_forbid(void)
{
    forbidden++;
}

void httpc_permit(void)
{
    assert(forbidden > 0);
    forbidden--;
}

struct httpc *httpc_new(const struct httpc_options *options)
{
    struct httpc *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    client->options = *options;
    client->curl = curl_easy_init();
    if (client->curl == NULL) {
        free(client);
        return NULL;
    }
    return client;
}

void httpc_free(struct httpc *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    free(client);
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct buf *body = context;
    buf_add(body, data, size * count);
    return buf_ok(body) ? size * count : 0;
}

/* curl takes an answer that breaks off inside its header for a whole one without a body. */
static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    bool *ended = context;
    size_t len = size * count;
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
        *ended = false; /* another answer begins, after a 1xx one */
    else if (len <= 2)
        *ended = true; /* the empty line */
    return len;
}

static long transfer_ms(const struct httpc *client, const struct httpc_request *request)
{
    int64_t ms = client->options.timeout_ms;
    if (request->deadline_ms != 0 && clock_left_ms(request->deadline_ms) < ms)
        ms = clock_left_ms(request->deadline_ms);
    return (long)(ms > 0 ? ms : 1); /* 0 would mean: no limit */
}

static void set_limits(const struct httpc *client, const struct httpc_request *request)
{
    CURL *curl = client->curl;
    long total = transfer_ms(client, request), connect = (long)client->options.connect_timeout_ms;
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_CAINFO, client->options.ca_file);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, connect < total ? connect : total);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, total);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)HTTPC_ANSWER_MAX);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, client->options.user_agent);
}

static struct curl_slist *header_list(const struct httpc_request *request)
{
    /* without this, curl waits up to a second for "100 Continue" on longer bodies */
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    for (int i = 0; i < HTTPC_HEADERS_MAX && request->headers[i] != NULL; i++) {
        struct curl_slist *longer = curl_slist_append(list, request->headers[i]);
        if (longer == NULL)
            abort(); /* a request without, say, its Authorization must not leave */
        list = longer;
    }
    return list;
}

static void set_request(const struct httpc *client, const struct httpc_request *request,
                        struct curl_slist *headers, struct buf *body, bool *header_ended)
{
    CURL *curl = client->curl;
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, header_ended);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    if (strcmp(request->method, "GET") == 0)
        return;
    assert(strcmp(request->method, "POST") == 0);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body == NULL ? "" : request->body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->body_len);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
}

static const char *problem_text(CURLcode code)
{
    switch ((int)code) {
    case CURLE_OK:
        return "";
    case CURLE_COULDNT_RESOLVE_HOST:
        return "the name does not resolve";
    case CURLE_COULDNT_CONNECT:
        return "no connection";
    case CURLE_OPERATION_TIMEDOUT:
        return "no answer in time";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
        return "no trusted TLS connection";
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return "the connection broke";
    case CURLE_PARTIAL_FILE:
        return "the answer was cut short";
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_WRITE_ERROR:
        return "the answer is too large";
    default:
        return "the transfer failed";
    }
}

static void read_result(CURL *curl, CURLcode code, const struct buf *body,
                        struct httpc_answer *ret_answer)
{
    long status = 0, sent = 0;
    curl_off_t retry_after = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &sent);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
    ret_answer->problem = problem_text(code);
    ret_answer->body = buf_text(body);
    if (code == CURLE_OK) {
        ret_answer->result = HTTPC_ANSWERED;
        ret_answer->status = (int)status;
        ret_answer->body_len = body->len;
        ret_answer->retry_after_s = retry_after;
    } else {
        ret_answer->result = sent > 0 ? HTTPC_UNKNOWN : HTTPC_NOT_SENT;
    }
}

void httpc_call(struct httpc *client, struct arena *arena, const struct httpc_request *request,
                struct httpc_answer *ret_answer)
{
    struct buf body;
    bool header_ended = false;
    int64_t started = clock_mono_us();
    assert(forbidden == 0);
    *ret_answer = (struct httpc_answer){0};
    buf_init(&body, arena, HTTPC_ANSWER_MAX);
    curl_easy_reset(client->curl);
    struct curl_slist *headers = header_list(request);
    set_limits(client, request);
    set_request(client, request, headers, &body, &header_ended);
    CURLcode code = curl_easy_perform(client->curl);
    if (code == CURLE_OK && !header_ended)
        code = CURLE_PARTIAL_FILE;
    read_result(client->curl, code, &body, ret_answer);
    curl_slist_free_all(headers);
    clock_meter()->provider_us += clock_mono_us() - started;
}
