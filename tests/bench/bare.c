/* The same create with no check at all, as the least that C can do: libfcgi's threads, libcurl with
 * a kept connection, MariaDB with a pool. No token, no field, no limit is looked at.
 *
 *   bare SOCKET THREADS CONNECTIONS PROVIDER_URL CA_FILE SECRET */
#include "plain.h"

#include <curl/curl.h>
#include <fcgiapp.h>

#include <pthread.h>

enum { ANSWER_MAX = 1024 };

struct connection {
    MYSQL *db;
    MYSQL_STMT *insert, *update;
    long long id, user, amount;
    char reference[URL_BYTES], url[URL_BYTES];
    unsigned long reference_len, url_len;
};

static struct {
    int listener;
    const char *provider, *ca_file, *secret;
    struct connection **idle; /* a stack: the warmest one is taken first */
    int idle_count;
    pthread_mutex_t lock;
    pthread_cond_t put;
} here = {.lock = PTHREAD_MUTEX_INITIALIZER, .put = PTHREAD_COND_INITIALIZER};

static struct connection *take(void)
{
    pthread_mutex_lock(&here.lock);
    while (here.idle_count == 0)
        pthread_cond_wait(&here.put, &here.lock);
    struct connection *connection = here.idle[--here.idle_count];
    pthread_mutex_unlock(&here.lock);
    return connection;
}

static void put(struct connection *connection)
{
    pthread_mutex_lock(&here.lock);
    here.idle[here.idle_count++] = connection;
    pthread_cond_signal(&here.put);
    pthread_mutex_unlock(&here.lock);
}

static void connection_open(void)
{
    struct connection *c = calloc(1, sizeof *c);
    c->db = plain_connect();
    c->user = 76561198000100000;
    c->amount = 2500;
    MYSQL_BIND insert[] = {PLAIN_INT(c->user), PLAIN_INT(c->amount)};
    MYSQL_BIND update[] = {PLAIN_TEXT(c->reference, c->reference_len),
                           PLAIN_TEXT(c->url, c->url_len), PLAIN_INT(c->id)};
    c->insert = plain_prepare(
        c->db, "INSERT INTO payments (user_id, type, amount) VALUES (?, 'balance', ?)", insert);
    c->update = plain_prepare(c->db,
                              "UPDATE payments SET status = 'pending', provider_reference = ?, "
                              "url = ? WHERE payment_id = ?",
                              update);
    put(c);
}

static long long store_intent(void)
{
    struct connection *c = take();
    long long id =
        mysql_stmt_execute(c->insert) != 0 ? 0 : (long long)mysql_stmt_insert_id(c->insert);
    put(c);
    return id;
}

/* Copies the JSON text of a member. */
static void copy_member(const char *json, const char *name, char *ret, unsigned long *ret_len)
{
    const char *at = strstr(json, name);
    *ret_len = at == NULL ? 0 : strcspn(at + strlen(name), "\"");
    memcpy(ret, at == NULL ? "" : at + strlen(name), *ret_len);
    ret[*ret_len] = '\0';
}

static int store_answer(long long id, const char *answer, char *ret_url)
{
    struct connection *c = take();
    c->id = id;
    copy_member(answer, "\"session_id\":\"", c->reference, &c->reference_len);
    copy_member(answer, "\"redirect_url\":\"", c->url, &c->url_len);
    memcpy(ret_url, c->url, c->url_len + 1);
    int failed = c->url_len == 0 || mysql_stmt_execute(c->update) != 0;
    put(c);
    return failed;
}

static size_t keep(char *bytes, size_t size, size_t count, void *context)
{
    char *answer = context;
    size_t have = strlen(answer), got = size * count;
    if (have + got >= ANSWER_MAX)
        return 0;
    memcpy(answer + have, bytes, got);
    answer[have + got] = '\0';
    return got;
}

static int call_provider(CURL *curl, long long id, char *ret_answer)
{
    char body[512];
    snprintf(body, sizeof body,
             "{\"amount\":2500,\"currency\":\"USD\",\"customer\":\"76561198000100000\","
             "\"order_id\":\"PAY_%lld\",\"items\":[{\"name\":\"Balance deposit\",\"quantity\":1,"
             "\"price\":2500}]}",
             id);
    ret_answer[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret_answer);
    return curl_easy_perform(curl) != CURLE_OK;
}

static CURL *curl_open(void)
{
    char text[512];
    CURL *curl = curl_easy_init();
    snprintf(text, sizeof text, "Authorization: Bearer %s", here.secret);
    struct curl_slist *headers = curl_slist_append(NULL, text);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    snprintf(text, sizeof text, "%s/session", here.provider);
    curl_easy_setopt(curl, CURLOPT_URL, text);
    curl_easy_setopt(curl, CURLOPT_CAINFO, here.ca_file);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    return curl;
}

static void *work(void *unused)
{
    FCGX_Request request;
    CURL *curl = curl_open();
    char answer[ANSWER_MAX], url[URL_BYTES], body[4096];
    (void)unused;
    FCGX_InitRequest(&request, here.listener, 0);
    while (FCGX_Accept_r(&request) == 0) {
        FCGX_GetStr(body, sizeof body, request.in);
        long long id = store_intent();
        if (id == 0 || call_provider(curl, id, answer) || store_answer(id, answer, url))
            FCGX_FPrintF(request.out, "Status: 500\r\n\r\n");
        else
            FCGX_FPrintF(request.out,
                         "Content-Type: application/json\r\n\r\n"
                         "{\"err\":false,\"success\":true,\"content\":{\"url\":\"%s\"}}",
                         url);
        FCGX_Finish_r(&request);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: bare SOCKET THREADS CONNECTIONS PROVIDER_URL CA_FILE SECRET\n");
        return 2;
    }
    int threads = atoi(argv[2]), connections = atoi(argv[3]);
    here.provider = argv[4];
    here.ca_file = argv[5];
    here.secret = argv[6];
    FCGX_Init();
    curl_global_init(CURL_GLOBAL_ALL);
    here.idle = calloc((size_t)connections, sizeof *here.idle);
    for (int i = 0; i < connections; i++)
        connection_open();
    here.listener = FCGX_OpenSocket(argv[1], 4096);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * 1024);
    pthread_t thread;
    for (int i = 0; i < threads; i++)
        if (pthread_create(&thread, &small, work, NULL) != 0)
            return 1;
    pthread_join(thread, NULL);
    return 0;
}
