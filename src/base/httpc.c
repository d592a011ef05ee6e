/* The only file that knows curl. One transfer at a time; no redirects, no proxies, no repeats.
 * Must not log and must not judge an answer: that is the business of drivers and of flow. */
#include "base/httpc.h"

#include "base/address.h"
#include "base/buf.h"
#include "base/clock.h"

#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* A connection that was idle for longer is not used again: servers close theirs after some time,
 * and a request that crosses the close has an unknown outcome. */
#define IDLE_MAX_S 1L

/* There is a pair for each thread, and what we say and hear is short. curl takes no smaller one to
 * send. */
#define SEND_BYTES    16384L
#define RECEIVE_BYTES 4096L

struct httpc {
    CURL *curl;
    struct httpc_options options;
};

static _Thread_local int forbidden;

/* A server nearby would answer even within the millisecond that curl needs as its least limit. */
static const char no_time[] = "no time left";

void httpc_forbid(void)
{
    forbidden++;
}

void httpc_permit(void)
{
    assert(forbidden > 0);
    forbidden--;
}

/* The addresses that one thread has looked up are known to all, for a minute. Their TLS sessions
 * are not: this libcurl would have several connections use one SSL_SESSION at once, which OpenSSL
 * writes to (curl's pull request 14751). NULL, for lack of memory: everybody asks for himself. */
static struct {
    CURLSH *share;
    pthread_mutex_t locks[CURL_LOCK_DATA_LAST];
} addresses;

static void lock_addresses(CURL *curl, curl_lock_data data, curl_lock_access access, void *context)
{
    (void)curl;
    (void)access;
    (void)context;
    (void)pthread_mutex_lock(&addresses.locks[data]);
}

static void unlock_addresses(CURL *curl, curl_lock_data data, void *context)
{
    (void)curl;
    (void)context;
    (void)pthread_mutex_unlock(&addresses.locks[data]);
}

/* curl keeps copies of what it sends, which may be card data: they go wiped. */
static void prepare(void)
{
    CURLcode code = curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, crypt_free, crypt_realloc,
                                         strdup, calloc);
    assert(code == CURLE_OK);
    addresses.share = curl_share_init();
    if (addresses.share == NULL)
        return;
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        (void)pthread_mutex_init(&addresses.locks[i], NULL);
    (void)curl_share_setopt(addresses.share, CURLSHOPT_LOCKFUNC, lock_addresses);
    (void)curl_share_setopt(addresses.share, CURLSHOPT_UNLOCKFUNC, unlock_addresses);
    (void)curl_share_setopt(addresses.share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
}

struct httpc *httpc_new(const struct httpc_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct httpc *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    (void)pthread_once(&once, prepare);
    client->options = *options;
    client->curl = curl_easy_init();
    if (client->curl == NULL) {
        free(client);
        return NULL;
    }
    curl_easy_setopt(client->curl, CURLOPT_SHARE, addresses.share); /* no reset ends it */
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

struct header {
    const char *keep;
    bool ended;
    struct buf kept;
};

/* curl takes an answer that breaks off inside its header for a whole one without a body. */
static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    struct header *header = context;
    size_t len = size * count, keep = header->keep == NULL ? 0 : strlen(header->keep);
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
        header->ended = false; /* another answer begins, after a 1xx one */
    else if (len <= 2)
        header->ended = true; /* the empty line */
    else if (keep > 0 && len >= keep && strncasecmp(line, header->keep, keep) == 0)
        buf_add(&header->kept, line, len);
    return len;
}

static int64_t transfer_ms(const struct httpc *client, const struct httpc_request *request)
{
    int64_t ms = request->timeout_ms > 0 ? request->timeout_ms : client->options.timeout_ms;
    if (request->deadline_ms != 0 && clock_left_ms(request->deadline_ms) < ms)
        ms = clock_left_ms(request->deadline_ms);
    return ms;
}

static CURLcode trust(CURL *curl, void *ssl_context, void *ca_file)
{
    (void)curl;
    return crypt_trust(ssl_context, ca_file) ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
}

static void set_limits(const struct httpc *client, const char *protocols, int64_t total_ms,
                       int64_t connect_ms)
{
    CURL *curl = client->curl;
    long total = (long)(total_ms > 0 ? total_ms : 1); /* 0 would mean: no limit */
    long connect = (long)connect_ms;
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_CAINFO, NULL); /* curl would read it for each connection */
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, trust);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, client->options.ca_file);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BYTES);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, RECEIVE_BYTES);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, connect < total ? connect : total);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, total);
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

/* curl 7.88 sends a POST again by itself when a reused connection dies before its first answer.
 * Before it sends anything, it asks here. */
static int refuse_to_repeat(void *curl, char *to_ip, char *from_ip, int to_port, int from_port)
{
    long sent = 0;
    (void)to_ip, (void)from_ip, (void)to_port, (void)from_port;
    curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &sent);
    return sent == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static void set_body(CURL *curl, const struct httpc_request *request)
{
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->body_len);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body_len == 0 ? "" : request->body);
    curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, refuse_to_repeat);
    curl_easy_setopt(curl, CURLOPT_PREREQDATA, curl);
}

static void set_request(const struct httpc *client, const struct httpc_request *request,
                        struct curl_slist *headers, struct buf *body, struct header *header)
{
    CURL *curl = client->curl;
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, IDLE_MAX_S);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)HTTPC_ANSWER_MAX);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, client->options.user_agent);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, header);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    if (strcmp(request->method, "GET") == 0)
        return;
    assert(strcmp(request->method, "POST") == 0 || strcmp(request->method, "PUT") == 0);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    set_body(curl, request);
}

/* A connection that has something to say before it is asked says that it is over. curl would take
 * it for alive, and whatever is sent then may or may not have arrived; on one without a way out
 * nothing is sent, and curl makes another. */
static void hang_up_if_over(CURL *curl)
{
    curl_socket_t last = CURL_SOCKET_BAD;
    char byte;
    curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &last);
    if (last != CURL_SOCKET_BAD && recv(last, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
        (void)shutdown(last, SHUT_RDWR);
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
    case CURLE_ABORTED_BY_CALLBACK: /* see refuse_to_repeat */
        return "the connection broke";
    case CURLE_LOGIN_DENIED:
        return "the server refuses our password";
    case CURLE_USE_SSL_FAILED:
        return "the server offers no TLS";
    case CURLE_REMOTE_ACCESS_DENIED:
    case CURLE_WEIRD_SERVER_REPLY:
        return "the server does not take anything now";
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
    struct header header = {.keep = request->keep};
    int64_t started = clock_mono_us();
    assert(forbidden == 0);
    *ret_answer = (struct httpc_answer){.result = HTTPC_NOT_SENT, .body = "", .kept = ""};
    if (request->deadline_ms != 0 && clock_left_ms(request->deadline_ms) == 0) {
        ret_answer->problem = no_time;
        return;
    }
    buf_init(&body, arena, HTTPC_ANSWER_MAX);
    buf_init(&header.kept, arena, HTTPC_KEPT_MAX);
    curl_easy_reset(client->curl);
    struct curl_slist *headers = header_list(request);
    set_limits(client, request->plain ? "http,https" : "https", transfer_ms(client, request),
               client->options.connect_timeout_ms);
    set_request(client, request, headers, &body, &header);
    hang_up_if_over(client->curl);
    CURLcode code = curl_easy_perform(client->curl);
    if (code == CURLE_OK && !header.ended)
        code = CURLE_PARTIAL_FILE;
    read_result(client->curl, code, &body, ret_answer);
    ret_answer->kept = buf_text(&header.kept);
    ret_answer->at_s = clock_wall_ms() / 1000;
    curl_slist_free_all(headers);
    clock_meter()->provider_us += clock_mono_us() - started;
}

/* --- mail --- */

struct upload {
    const char *rest;
    size_t len;
};

static size_t on_upload(char *data, size_t size, size_t count, void *context)
{
    struct upload *upload = context;
    size_t len = size * count < upload->len ? size * count : upload->len;
    memcpy(data, upload->rest, len);
    upload->rest += len;
    upload->len -= len;
    return len;
}

/* Ours: what a server says is not for anybody. */
static size_t on_nothing(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

/* The URL that curl wants has the name with which we greet as its path. NULL: no such server. */
static const char *mail_url(struct arena *arena, const struct httpc_mail *mail)
{
    struct buf url;
    bool local = strncmp(mail->server, "unix:/", 6) == 0;
    if (!local && strncmp(mail->server, "smtp://", 7) != 0 &&
        strncmp(mail->server, "smtps://", 8) != 0)
        return NULL;
    buf_init(&url, arena, 1000);
    buf_printf(&url, "%s/%s", local ? "smtp://localhost" : mail->server,
               address_domain(mail->from));
    return buf_ok(&url) ? buf_text(&url) : NULL;
}

static void set_mail(CURL *curl, const struct httpc_mail *mail, const char *url,
                     struct curl_slist *recipients, struct upload *upload)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    if (strncmp(mail->server, "unix:", 5) == 0)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, mail->server + 5);
    curl_easy_setopt(curl, CURLOPT_USE_SSL,
                     (long)(mail->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    if (mail->user != NULL) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, mail->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, secret_reveal(mail->password));
    }
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, mail->from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->message_len);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_upload);
    curl_easy_setopt(curl, CURLOPT_READDATA, upload);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_nothing);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    /* also for the farewell, which no other limit covers */
    curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT,
                     (long)(clock_left_ms(mail->deadline_ms) / 1000) + 1);
}

/* curl says SEND_ERROR when sender, recipient or the wish to send are refused, and otherwise
 * before or after; the last code that it saw was for the message if the message had begun. */
static void read_verdict(CURL *curl, CURLcode code, bool sent, struct httpc_answer *ret_answer)
{
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    bool refused = status >= 400 && (sent || code == CURLE_SEND_ERROR);
    if (code == CURLE_OK || (sent && status < 300)) {
        ret_answer->result = HTTPC_ANSWERED;
        ret_answer->problem = "";
    } else if (refused || !sent) {
        ret_answer->result = HTTPC_NOT_SENT;
        ret_answer->problem = refused ? "the server refused the message" : problem_text(code);
    } else {
        ret_answer->result = HTTPC_UNKNOWN;
        ret_answer->problem = problem_text(code);
    }
    if (refused || ret_answer->result == HTTPC_ANSWERED)
        ret_answer->status = (int)status;
}

void httpc_mail(struct httpc *client, struct arena *arena, const struct httpc_mail *mail,
                struct httpc_answer *ret_answer)
{
    struct upload upload = {mail->message, mail->message_len};
    assert(forbidden == 0 && mail->message_len > 0);
    *ret_answer = (struct httpc_answer){.result = HTTPC_NOT_SENT, .body = "", .kept = ""};
    if (!address_valid(mail->from) || !address_valid(mail->to)) {
        ret_answer->status = 553; /* as a server would say it */
        ret_answer->problem = "not an e-mail address";
        return;
    }
    const char *url = mail_url(arena, mail);
    int64_t left_ms = clock_left_ms(mail->deadline_ms);
    if (url == NULL || left_ms == 0) {
        ret_answer->problem = url == NULL ? "not the address of a mail server" : no_time;
        return;
    }
    struct curl_slist *recipients = curl_slist_append(NULL, mail->to);
    if (recipients == NULL)
        abort(); /* curl would send something else, and call that a success */
    curl_easy_reset(client->curl);
    set_limits(client, "smtp,smtps", left_ms, left_ms);
    set_mail(client->curl, mail, url, recipients, &upload);
    CURLcode code = curl_easy_perform(client->curl);
    read_verdict(client->curl, code, upload.len == 0, ret_answer);
    curl_slist_free_all(recipients);
}
