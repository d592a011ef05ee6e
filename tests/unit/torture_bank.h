/* The provider and the mail server of test_torture: they do what they are asked, remember it, and
 * can be told to fail at the Nth request, on the wire. The provider takes an order only once. */
#ifndef UNIT_TORTURE_BANK_H
#define UNIT_TORTURE_BANK_H

#include "base/buf.h"
#include "base/ident.h"
#include "smtp_server.h"

enum bank_fault {
    BANK_FINE,
    BANK_NOT_SENT, /* it hangs up before TLS; only the first can */
    BANK_LOST,     /* the request is read, and nothing is done */
    BANK_DONE,     /* it is done, and not answered */
    BANK_SILENT,   /* the same from there on */
    BANK_CUT,      /* it is done, and the answer breaks off in its middle */
    BANK_ERROR,    /* it answers 500, and nothing is done */
    BANK_KILLS,    /* it is done, and the asking process is killed meanwhile */
};

enum { SESSIONS_MAX = 64 };

static struct {
    enum bank_fault fault;
    int left; /* requests until the fault; 0: none */
    bool happened;
    pid_t victim;
    struct {
        char order[IDENT_MAX], id[IDENT_MAX];
        int amount, back; /* what Mangopay has given back of it, */
        char refund[IDENT_MAX];
        const char *dispute; /* and how a dispute about it has ended; "": not yet */
        bool paid;
    } sessions[SESSIONS_MAX];
    int count;
} bank;

static const char *bank_text(const char *request, const char *before, char *to, size_t size)
{
    const char *at = strstr(request, before);
    size_t len = at == NULL ? 0 : strcspn(at + strlen(before), "\", }\r\n");
    (void)snprintf(to, size, "%.*s", (int)len, at == NULL ? "" : at + strlen(before));
    return to;
}

/* A part of the request's path. */
static inline const char *bank_name(const char *request, const char *before, char *to, size_t size)
{
    (void)bank_text(request, before, to, size);
    to[strcspn(to, "/ ")] = '\0';
    return to;
}

/* -1 when there is none; by the order or by the session's own id. */
static inline int bank_find(const char *name)
{
    for (int i = 0; i < bank.count; i++)
        if (strcmp(bank.sessions[i].order, name) == 0 || strcmp(bank.sessions[i].id, name) == 0)
            return i;
    return -1;
}

/* A session's id is the order's, without its prefix. */
static int bank_add(const char *order, int amount)
{
    int i = bank.count++;
    (void)memset(&bank.sessions[i], 0, sizeof bank.sessions[i]);
    (void)text_copy(bank.sessions[i].order, IDENT_MAX, order);
    (void)text_copy(bank.sessions[i].id, IDENT_MAX, order + 4);
    bank.sessions[i].amount = amount;
    bank.sessions[i].dispute = "";
    return i;
}

static void bank_create(const char *request, char *body, size_t size)
{
    char order[IDENT_MAX], amount[20];
    (void)bank_text(request, "\"order_id\":\"", order, sizeof order);
    (void)bank_text(request, "\"amount\":", amount, sizeof amount);
    if (bank_find(order) >= 0 || bank.count == SESSIONS_MAX) {
        (void)snprintf(body, size, "422 Taken\r\n{\"order_id\":[\"has already been taken\"]}");
        return;
    }
    int i = bank_add(order, (int)strtol(amount, NULL, 10));
    (void)snprintf(body, size, "201 Created\r\n{\"session_id\":\"%s\"}", bank.sessions[i].id);
}

static void bank_read(const char *request, char *body, size_t size)
{
    char id[40];
    (void)bank_name(request, "/payment/", id, sizeof id);
    int i = bank_find(id);
    if (i < 0)
        (void)snprintf(body, size, "404 None\r\n{}");
    else if (!bank.sessions[i].paid)
        (void)snprintf(body, size,
                       "200 OK\r\n{\"session_id\":\"%s\",\"order_id\":\"%s\",\"status\":null}", id,
                       bank.sessions[i].order);
    else
        (void)snprintf(body, size,
                       "200 OK\r\n{\"session_id\":\"%s\",\"order_id\":\"%s\",\"status\":"
                       "\"succeeded\",\"amount\":%d,\"currency\":\"USD\",\"fees\":0}",
                       id, bank.sessions[i].order, bank.sessions[i].amount);
}

/* The fault of this request, if it is its turn. */
static enum bank_fault bank_turn(void)
{
    bool lasts = bank.happened && bank.fault == BANK_SILENT;
    bool now = lasts || (bank.left > 0 && --bank.left == 0);
    bank.happened |= now;
    return now ? bank.fault : BANK_FINE;
}

static void mango_play(const char *request, char *body, size_t size);

static bool bank_play(const char *request, char *answer, size_t size)
{
    char body[1000];
    enum bank_fault fault = bank_turn();
    if (fault == BANK_LOST)
        return false;
    if (fault == BANK_ERROR)
        (void)snprintf(body, sizeof body, "500 Oops\r\n{}");
    else if (strncmp(request, "POST /first", 11) == 0)
        (void)snprintf(body, sizeof body, "400 No\r\n{\"error\":\"Not for you\"}");
    else if (strstr(request, " /mangopay/") != NULL)
        mango_play(request, body, sizeof body);
    else if (strncmp(request, "POST", 4) == 0)
        bank_create(request, body, sizeof body);
    else
        bank_read(request, body, sizeof body);
    const char *text = strchr(body, '\n') + 1;
    int len = snprintf(answer, size,
                       "HTTP/1.1 %.*sContent-Type: application/json\r\nConnection: close\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       (int)(text - body), body, strlen(text), text);
    if (fault == BANK_CUT)
        answer[len - (int)strlen(text) / 2] = '\0';
    if (fault == BANK_KILLS)
        (void)kill(bank.victim, SIGKILL);
    return fault != BANK_DONE && fault != BANK_SILENT && fault != BANK_KILLS;
}

/* A fault for the Nth request from now on. */
static inline void bank_arm(enum bank_fault fault, int nth)
{
    static const struct script plays = {.act = ACT_PLAY}, hangs_up = {.act = ACT_CLOSE};
    bool at_once = fault == BANK_NOT_SENT && nth == 1;
    server_scripts(at_once ? &hangs_up : &plays, &plays);
    (void)pthread_mutex_lock(&server.lock);
    bank.fault = fault == BANK_NOT_SENT && !at_once ? BANK_FINE : fault;
    bank.left = bank.fault == BANK_NOT_SENT ? 0 : nth;
    bank.happened = false;
    (void)pthread_mutex_unlock(&server.lock);
}

static inline bool bank_disarm(void)
{
    (void)pthread_mutex_lock(&server.lock);
    bool happened = (bank.fault != BANK_FINE && bank.happened) ||
                    (bank.fault == BANK_NOT_SENT && server.turn == 1);
    (void)pthread_mutex_unlock(&server.lock);
    bank_arm(BANK_FINE, 0);
    return happened;
}

static inline void bank_start(void)
{
    server.play = bank_play;
    bank_arm(BANK_FINE, 0);
}

/* --- the mail server: cut at the Nth thing that it would say; 0: never --- */

enum { MAIL_WORDS = 6 };

static const struct smtp_script *mail_script(int cut_at)
{
    static struct smtp_script script;
    const char **words[MAIL_WORDS] = {&script.greeting, &script.ehlo, &script.mail,
                                      &script.rcpt,     &script.data, &script.end};
    script = (struct smtp_script)SMTP_FINE;
    if (cut_at > 0 && cut_at <= MAIL_WORDS)
        *words[cut_at - 1] = NULL;
    return &script;
}

#endif
