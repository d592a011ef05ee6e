/* What test_torture does with Guichet: requests through FastCGI as nginx would send them, the steps
 * of the jobs program, and looks into the database past it. Everything of one run hangs on a buyer
 * of its own. Includes base/fcgi.c, and database.h, so it comes first. */
#ifndef UNIT_TORTURE_SHOP_H
#define UNIT_TORTURE_SHOP_H

#include "check.h"

#include "base/fcgi.c"
#include "partner.h"

#include "database.h"

#include "base/fail.h"
#include "base/log.h"
#include "flow/mail.h"
#include "flow/notice.h"
#include "flow/reconcile.h"
#include "flow/refund_order.h"
#include "flow/review.h"
#include "front/front.h"
#include "front/token.h"
#include "store/ledger.h"
#include "torture_bank.h"
#include "torture_mangopay.h"

#include <fastcgi.h>
#include <fcntl.h>
#include <sys/un.h>

enum {
    OPENING = 5000,
    PRICE = 1500,
    OTHER_PRICE = 700,
    CART = 2200,
    DEPOSIT = 2500,
    BUDGET_MS = 20000
};

enum {
    OPERATOR = 50000 /* so far from a run's buyer is its operator; '# + 50000' in statements */
};

struct reply {
    bool whole; /* else the connection broke */
    int status;
    char text[8192]; /* headers and body */
    const char *body;
};

/* The run at hand. */
static struct {
    int64_t buyer, asset;
    char token[1000], operator_token[1000], key[64];
    bool keyless; /* who asks sends no Idempotency-Key */
    int64_t sellers_before, review;
    struct reply first; /* to the request that met the fault */
    char payment[IDENT_MAX];
    bool paid; /* the payer has paid on the provider's page */
} run;

static struct context *torture_context;
static struct worker desk; /* the thread that answers */
static struct fcgi_server desk_server = {.arena_bytes = ARENA_BYTES,
                                         .body_max = REQUEST_BODY_MAX,
                                         .budget_ms = BUDGET_MS,
                                         .handle = front_handle,
                                         .refuse = front_refuse};
static FCGX_Request desk_request;
static int desk_socket;
static struct sockaddr_un desk_address = {.sun_family = AF_UNIX};

/* --- the database, past Guichet --- */

enum { NUMBERS_MAX = 32, TEXT_MAX = 8000 };

struct question {
    const char *text;
    int64_t numbers[NUMBERS_MAX]; /* the columns of the first row */
};

static enum err ask_unit(struct db *db, void *context)
{
    struct question *question = context;
    MYSQL_RES *result = NULL;
    if (mysql_query(db->mysql, question->text) == 0)
        result = mysql_store_result(db->mysql);
    if (result == NULL)
        return failed(db, question->text);
    MYSQL_ROW row = mysql_fetch_row(result);
    for (unsigned i = 0; row != NULL && i < mysql_num_fields(result) && i < NUMBERS_MAX; i++)
        question->numbers[i] = row[i] == NULL ? 0 : strtoll(row[i], NULL, 10);
    mysql_free_result(result);
    return ERR_NONE;
}

/* Several statements, one round trip. */
static enum err tell_unit(struct db *db, void *context)
{
    return db_script(db, context, strlen(context));
}

/* Each '#' of a statement stands for the buyer. */
static const char *with_buyer(const char *statement)
{
    static char text[TEXT_MAX];
    size_t len = 0;
    for (; *statement != '\0'; statement++) {
        if (*statement == '#')
            len += (size_t)snprintf(text + len, sizeof text - len, "%lld", (long long)run.buyer);
        else
            text[len++] = *statement;
        assert_true(len + 30 < sizeof text);
    }
    text[len] = '\0';
    return text;
}

static void ask_all(const char *statement, struct question *ret_question)
{
    *ret_question = (struct question){.text = with_buyer(statement)};
    enum err err = db_query(admin_pool, arena, ask_unit, ret_question);
    if (err)
        print_error("%s\n", db_last_problem());
    assert_int_equal(err, ERR_NONE);
}

static int64_t ask(const char *statement)
{
    struct question question;
    ask_all(statement, &question);
    return question.numbers[0];
}

static void tell(const char *statement)
{
    const char *text = with_buyer(statement);
    enum err err = db_query(admin_pool, arena, tell_unit, (void *)text);
    if (err)
        print_error("%s: %s\n", text, db_last_problem());
    assert_int_equal(err, ERR_NONE);
}

static int64_t balance_of(int64_t id)
{
    char text[300];
    (void)snprintf(text, sizeof text,
                   "SELECT COALESCE(SUM(balance), 0) FROM balances JOIN ledger_accounts"
                   " USING (account_id) WHERE kind = 'user' AND owner = '%lld'",
                   (long long)id);
    return ask(text);
}

static enum err opening_unit(struct db *db, void *context)
{
    struct ident_text buyer = ident_text(run.buyer);
    struct ledger_line lines[] = {{LEDGER_USER, buyer.text, {0}, false},
                                  {LEDGER_EQUITY, LEDGER_HOUSE, {0}, false}};
    char document[40];
    bool posted;
    (void)context;
    (void)snprintf(document, sizeof document, "OPENING_%s", buyer.text);
    assert_true(money_make(OPENING, "USD", &lines[0].amount));
    lines[1].amount = money_negative(&lines[0].amount);
    return ledger_post(db, document, "opening", 1, lines, COUNT(lines), &posted);
}

static enum err prepare_unit(struct db *db, void *context)
{
    MYSQL_STMT *stmt;
    (void)context;
    for (int i = 0; i < SQL_STATEMENTS; i++)
        if (prepare(db, (enum sql)i, &stmt) == ERR_DB_LOST) /* some are not for this account */
            return ERR_DB_LOST;
    return ERR_NONE;
}

/* A token that no hour more or less on the clock makes invalid. */
static void make_token(int64_t id, char *to, size_t size)
{
    const struct token_rules rules = {.key = &settings.token.secret,
                                      .issuer = settings.token.issuer,
                                      .client_ip = "203.0.113.42",
                                      .now_s = clock_wall_ms() / 1000 - 86400};
    arena_reset(arena);
    const char *token = token_issue(arena, &rules, id, 10 * 86400);
    assert_non_null(token);
    assert_true(text_copy(to, size, token));
}

/* Where the first partner lies: below "/first" it refuses every order. */
static void place_first(const char *below)
{
    (void)snprintf(settings.payviox.api_url, CONF_TEXT_MAX, "https://localhost:%d%s", server.port,
                   below);
}

/* A buyer with 50.00 USD, and two items that somebody else sells. */
static void run_begin(void)
{
    static int64_t number;
    char text[400];
    number++;
    run.buyer = 76561100000000000 + user_id % 1000000 * 100000 + number;
    run.asset = 1000000000000 + user_id % 1000000 * 100000 + number * 2;
    run.first = (struct reply){0};
    run.payment[0] = '\0';
    run.paid = run.keyless = false;
    (void)snprintf(run.key, sizeof run.key, "torture-%lld", (long long)number);
    bank.count = 0;
    place_first("");
    (void)snprintf(text, sizeof text,
                   "INSERT INTO users (user_id, name, email, role) VALUES"
                   " (#, 'Buyer', 'buyer@example.test', 'user'),"
                   " (# + 50000, 'Operator', 'operator@example.test', 'operator');"
                   "INSERT INTO items (asset_id, owner_id, state, price, name, game) VALUES"
                   " (%lld, %s, 1, %d, 'Hat', 440), (%lld, %s, 1, %d, 'Key', 440)",
                   (long long)run.asset, owner, PRICE, (long long)run.asset + 1, owner,
                   OTHER_PRICE);
    tell(text);
    arena_reset(arena);
    assert_int_equal(db_transact(pool, arena, opening_unit, NULL), ERR_NONE);
    run.sellers_before = balance_of(user_id);
    make_token(run.buyer, run.token, sizeof run.token);
    make_token(run.buyer + OPERATOR, run.operator_token, sizeof run.operator_token);
}

/* The program's log is not what this test has to say. */
static void log_aside(bool aside)
{
    static int kept = -1, nowhere = -1;
    if (kept < 0) {
        kept = dup(STDERR_FILENO);
        nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    }
    (void)dup2(aside ? nowhere : kept, STDERR_FILENO);
}

/* --- FastCGI, as nginx speaks it --- */

struct wire {
    unsigned char bytes[8192];
    size_t len;
};

static void put_bytes(struct wire *wire, const void *bytes, size_t len)
{
    assert_true(wire->len + len <= sizeof wire->bytes);
    memcpy(wire->bytes + wire->len, bytes, len);
    wire->len += len;
}

static void put_record(struct wire *wire, unsigned char type, const void *bytes, size_t len)
{
    const unsigned char head[8] = {
        1, type, 0, 1, (unsigned char)(len >> 8), (unsigned char)(len & 255), 0, 0};
    put_bytes(wire, head, sizeof head);
    put_bytes(wire, bytes, len);
}

static void put_param(struct wire *params, const char *name, const char *value)
{
    size_t len = strlen(value);
    const unsigned char head[5] = {(unsigned char)strlen(name), 0x80, (unsigned char)(len >> 16),
                                   (unsigned char)(len >> 8), (unsigned char)(len & 255)};
    put_bytes(params, head, sizeof head);
    put_bytes(params, name, strlen(name));
    put_bytes(params, value, len);
}

struct ask {
    const char *method, *path, *query, *body;
    const char *signature; /* NULL: not sent */
    bool by_operator;
};

static void send_ask(int to, const struct ask *ask)
{
    static const unsigned char begin_body[8] = {0, 1};
    struct wire params = {.len = 0}, wire = {.len = 0};
    char length[20], authorization[1100];
    (void)snprintf(length, sizeof length, "%zu", strlen(ask->body));
    (void)snprintf(authorization, sizeof authorization, "Bearer %s",
                   ask->by_operator ? run.operator_token : run.token);
    put_param(&params, "REQUEST_METHOD", ask->method);
    put_param(&params, "DOCUMENT_URI", ask->path);
    put_param(&params, "QUERY_STRING", ask->query);
    put_param(&params, "CONTENT_TYPE", "application/json");
    put_param(&params, "CONTENT_LENGTH", length);
    put_param(&params, "REMOTE_ADDR", "203.0.113.42");
    put_param(&params, "HTTP_X_REQUEST_ID", run.key);
    put_param(&params, "HTTP_AUTHORIZATION", authorization);
    if (!run.keyless)
        put_param(&params, "HTTP_IDEMPOTENCY_KEY", run.key);
    if (ask->signature != NULL)
        put_param(&params, "HTTP_SIGNATURE", ask->signature);
    put_record(&wire, FCGI_BEGIN_REQUEST, begin_body, sizeof begin_body);
    put_record(&wire, FCGI_PARAMS, params.bytes, params.len);
    put_record(&wire, FCGI_PARAMS, "", 0);
    put_record(&wire, FCGI_STDIN, ask->body, strlen(ask->body));
    if (ask->body[0] != '\0')
        put_record(&wire, FCGI_STDIN, "", 0);
    assert_int_equal(write(to, wire.bytes, wire.len), wire.len);
}

static void read_reply(int from, struct reply *ret_reply)
{
    static unsigned char bytes[32 * 1024];
    size_t len = 0, text_len = 0;
    ssize_t got;
    while ((got = read(from, bytes + len, sizeof bytes - len)) > 0)
        len += (size_t)got;
    *ret_reply = (struct reply){.body = ""};
    for (size_t at = 0; at + 8 <= len;) {
        size_t content = (size_t)bytes[at + 4] << 8 | bytes[at + 5];
        if (bytes[at + 1] == FCGI_END_REQUEST)
            ret_reply->whole = true;
        if (bytes[at + 1] == FCGI_STDOUT) {
            assert_true(text_len + content < sizeof ret_reply->text);
            memcpy(ret_reply->text + text_len, bytes + at + 8, content);
            text_len += content;
        }
        at += 8 + content + bytes[at + 6];
    }
    const char *end = strstr(ret_reply->text, "\r\n\r\n");
    ret_reply->whole &= end != NULL && strncmp(ret_reply->text, "Status: ", 8) == 0;
    if (!ret_reply->whole)
        return;
    ret_reply->status = (int)strtol(ret_reply->text + 8, NULL, 10);
    ret_reply->body = end + 4;
}

/* The whole way of a request, in this thread: the socket holds what the two have to say. */
static void call_guichet(const struct ask *ask, struct reply *ret_reply)
{
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&desk_address, sizeof desk_address), 0);
    send_ask(client, ask);
    (void)shutdown(client, SHUT_WR); /* libfcgi would wait 2 s for it */
    assert_int_equal(FCGX_Accept_r(&desk_request), 0);
    log_aside(true);
    serve_one(&desk, &desk_request);
    log_aside(false);
    db_deadline(0);
    read_reply(client, ret_reply);
    (void)close(client);
}

/* Location: /payments/PAY_… */
static void remember_payment(const struct reply *reply)
{
    const char *at = strstr(reply->text, "/payments/");
    if (at != NULL && at < reply->body)
        (void)snprintf(run.payment, sizeof run.payment, "%.*s", (int)strcspn(at + 10, "\r"),
                       at + 10);
}

/* --- what the payer and the provider do --- */

/* On the page that was shown last: a create whose answer was lost is followed by another. */
static void pay_on_page(void)
{
    (void)pthread_mutex_lock(&server.lock);
    int i = bank.count - 1;
    while (i >= 0 && strncmp(bank.sessions[i].order, run.payment, strlen(run.payment)) != 0)
        i--;
    if (i >= 0)
        bank.sessions[i].paid = true;
    (void)pthread_mutex_unlock(&server.lock);
    assert_true(i >= 0);
    run.paid = true;
}

/* Payviox's notice about a session; order is what we called it. */
static void notify_of(const char *order, const char *word, int64_t amount, struct reply *ret_reply)
{
    unsigned char signature[CRYPT_HASH_BYTES];
    char body[500], hex[2 * CRYPT_HASH_BYTES + 1];
    int len = snprintf(body, sizeof body,
                       "{\"amount\":%lld,\"currency\":\"USD\",\"fees\":0,\"order_id\":\"%s\","
                       "\"metadata\":{\"integration_session_id\":\"%s\"},\"type\":\"%s\"}",
                       (long long)amount, order, order + 4, word);
    crypt_hmac_sha256(&settings.payviox.webhook_token, body, (size_t)len, signature);
    hex_encode(signature, sizeof signature, hex);
    call_guichet(&(struct ask){"POST", "/webhook/payviox", "", body, hex, false}, ret_reply);
}

/* --- the jobs program --- */

/* One round, as a thread of guichet-jobs does it. True when there was something to do. */
static bool jobs_round(enum err *ret_err)
{
    struct reconciled checked;
    struct mailed mailed;
    char payment_id[IDENT_MAX];
    bool found;
    arena_reset(arena);
    db_forget_problem();
    log_aside(true);
    enum err notice = notice_retry(torture_context, arena, &found);
    enum err check = reconcile_step(torture_context, arena, &checked);
    enum err refund = refund_order_step(torture_context, arena, payment_id);
    enum err mail = mail_step(torture_context, arena, &mailed);
    LOG(LOG_INFO, "round", LOG_TEXT("payment", checked.payment_id));
    log_aside(false);
    *ret_err = notice ? notice : check ? check : refund ? refund : mail;
    return found || checked.payment_id[0] != '\0' || payment_id[0] != '\0' ||
           mailed.payment_id[0] != '\0';
}

/* Leases and pauses are over. */
static void hurry(void)
{
    tell("UPDATE attempts JOIN payments USING (payment_id) SET deadline_at = attempts.created_at"
         " WHERE user_id = #;"
         "UPDATE payment_checks JOIN payments USING (payment_id) SET due_at = NOW(3)"
         " WHERE user_id = #;"
         "UPDATE refund_orders SET due_at = NOW(3) WHERE due_at IS NOT NULL;"
         "UPDATE deliveries SET due_at = NOW(3) WHERE due_at IS NOT NULL;"
         "UPDATE inbox SET due_at = NOW(3) WHERE due_at IS NOT NULL");
}

static void expire_all(void)
{
    tell("UPDATE payments SET created_at = created_at - INTERVAL 2 HOUR,"
         " expires_at = expires_at - INTERVAL 2 HOUR WHERE user_id = # AND expires_at > NOW(3)");
}

static void jobs_until_idle(void)
{
    enum err err;
    hurry();
    for (int i = 0; i < 20 && jobs_round(&err); i++)
        assert_int_equal(err, ERR_NONE);
}

#endif
