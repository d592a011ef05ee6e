/* Mail over SMTP: what the server said decides between "taken", "refused for good", "refused for
 * now" and "nobody knows"; neither mail nor password leaves without the TLS that was asked for. */
#include "check.h"

#include "base/clock.h"
#include "base/httpc.h"
#include "smtp_server.h"

#include <sys/wait.h>

static const char message[] = "From: <pay@shop.example>\r\n"
                              "To: <alice@example.com>\r\n"
                              "Subject: Hello\r\n"
                              "\r\n"
                              ".\r\n"
                              "..\r\n"
                              ".x\r\n"
                              "the end\r\n";

/* The same, with a second dot before lines that begin with one. */
static const char on_the_wire[] = "From: <pay@shop.example>\r\n"
                                  "To: <alice@example.com>\r\n"
                                  "Subject: Hello\r\n"
                                  "\r\n"
                                  "..\r\n"
                                  "...\r\n"
                                  "..x\r\n"
                                  "the end\r\n";

static char address[100]; /* of the server */

static struct httpc_mail new_mail(const char *scheme)
{
    if (smtp.path[0] != '\0')
        (void)snprintf(address, sizeof address, "unix:%s", smtp.path);
    else
        (void)snprintf(address, sizeof address, "%s://localhost:%d", scheme, smtp.port);
    return (struct httpc_mail){.server = address,
                               .from = "pay@shop.example",
                               .to = "alice@example.com",
                               .message = message,
                               .message_len = sizeof message - 1,
                               .deadline_ms = clock_mono_ms() + 5000};
}

static void send_with_ca(struct arena *arena, const struct httpc_mail *mail, const char *ca_file,
                         struct httpc_answer *ret_answer)
{
    /* the limits of provider calls are no limits for mail */
    struct httpc_options options = {
        .ca_file = ca_file, .connect_timeout_ms = 1, .timeout_ms = 1, .user_agent = "guichet-test"};
    struct httpc *client = httpc_new(&options);
    assert_non_null(client);
    httpc_mail(client, arena, mail, ret_answer);
    httpc_free(client);
}

static void send_mail(struct arena *arena, const struct httpc_mail *mail,
                      struct httpc_answer *ret_answer)
{
    send_with_ca(arena, mail, server.ca_file, ret_answer);
}

#define SCRIPT(...)                                                                                \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define UP_TO_MAIL .greeting = "220 here\r\n", .ehlo = "250 hello\r\n"
#define UP_TO_RCPT UP_TO_MAIL, .mail = "250 sender\r\n"
#define UP_TO_DATA UP_TO_RCPT, .rcpt = "250 recipient\r\n"
#define UP_TO_END  UP_TO_DATA, .data = "354 go on\r\n"
#define BYE        .quit = "221 bye\r\n"

static const struct {
    const char *what;
    struct smtp_script script;
    enum httpc_result result;
    int status;
} rows[] = {
    {"taken", SMTP_FINE, HTTPC_ANSWERED, 250},
    {"taken in two lines", SCRIPT(UP_TO_END, .end = "250-well\r\n250 done\r\n", BYE),
     HTTPC_ANSWERED, 250},
    {"taken with another code", SCRIPT(UP_TO_END, .end = "252 done\r\n", BYE), HTTPC_ANSWERED, 252},
    {"taken, cut at the farewell", SCRIPT(UP_TO_END, .end = "250 done\r\n"), HTTPC_ANSWERED, 250},
    {"cut at once", SCRIPT(.greeting = NULL), HTTPC_NOT_SENT, 0},
    {"busy", SCRIPT(.greeting = "421 busy\r\n"), HTTPC_NOT_SENT, 0},
    {"no service", SCRIPT(.greeting = "554 no\r\n"), HTTPC_NOT_SENT, 0},
    {"cut after the greeting", SCRIPT(.greeting = "220 here\r\n"), HTTPC_NOT_SENT, 0},
    {"EHLO unknown, HELO too", SCRIPT(.greeting = "220 here\r\n", .ehlo = "502 what\r\n"),
     HTTPC_NOT_SENT, 0},
    {"sender refused for now", SCRIPT(UP_TO_MAIL, .mail = "451 later\r\n", BYE), HTTPC_NOT_SENT,
     451},
    {"sender refused", SCRIPT(UP_TO_MAIL, .mail = "550 no\r\n", BYE), HTTPC_NOT_SENT, 550},
    {"cut after the sender", SCRIPT(UP_TO_MAIL, BYE), HTTPC_NOT_SENT, 0},
    {"recipient refused for now", SCRIPT(UP_TO_RCPT, .rcpt = "450 greylisted\r\n", BYE),
     HTTPC_NOT_SENT, 450},
    {"recipient refused", SCRIPT(UP_TO_RCPT, .rcpt = "550 unknown\r\n", BYE), HTTPC_NOT_SENT, 550},
    {"refused, and cut at the farewell", SCRIPT(UP_TO_RCPT, .rcpt = "550 unknown\r\n"),
     HTTPC_NOT_SENT, 550},
    {"cut after the recipient", SCRIPT(UP_TO_RCPT, BYE), HTTPC_NOT_SENT, 0},
    {"message refused beforehand", SCRIPT(UP_TO_DATA, .data = "554 no\r\n", BYE), HTTPC_NOT_SENT,
     554},
    {"cut before the message", SCRIPT(UP_TO_DATA, BYE), HTTPC_NOT_SENT, 0},
    {"message refused for now", SCRIPT(UP_TO_END, .end = "452 full\r\n", BYE), HTTPC_NOT_SENT, 452},
    {"message refused", SCRIPT(UP_TO_END, .end = "554 spam\r\n", BYE), HTTPC_NOT_SENT, 554},
    {"cut after the message", SCRIPT(UP_TO_END, BYE), HTTPC_UNKNOWN, 0},
    {"nonsense after the message", SCRIPT(UP_TO_END, .end = "354 more\r\n", BYE), HTTPC_UNKNOWN, 0},
};

static void what_the_server_said(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct httpc_answer a;
        smtp_start(&rows[i].script, false, false);
        struct httpc_mail mail = new_mail("smtp");
        send_mail(*state, &mail, &a);
        smtp_stop();
        ROW(a.result == rows[i].result, "%s: result %d, %s", rows[i].what, (int)a.result,
            a.problem);
        ROW(a.status == rows[i].status, "%s: status %d", rows[i].what, a.status);
        ROW((a.problem[0] == '\0') == (a.result == HTTPC_ANSWERED), "%s: problem \"%s\"",
            rows[i].what, a.problem);
        ROW(smtp.connections == 1, "%s: %d connections", rows[i].what, smtp.connections);
        ROW(a.body[0] == '\0' && strchr(a.problem, '@') == NULL, "%s: tells too much",
            rows[i].what);
    }
    ROWS_END();
}

/* Whoever falls silent: the deadline ends the call, and how far it came decides. */
static void silence(void **state)
{
    static const struct {
        const char *what;
        struct smtp_script script;
        enum httpc_result result;
    } silent[] = {
        {"no greeting", SCRIPT(.greeting = ""), HTTPC_NOT_SENT},
        {"no greeting of SMTP", SCRIPT(.greeting = "SSH-2.0-OpenSSH_9.2\r\n"), HTTPC_NOT_SENT},
        {"no answer to EHLO", SCRIPT(.greeting = "220 here\r\n", .ehlo = ""), HTTPC_NOT_SENT},
        {"no answer to the recipient", SCRIPT(UP_TO_RCPT, .rcpt = ""), HTTPC_NOT_SENT},
        {"no answer to the message", SCRIPT(UP_TO_END, .end = ""), HTTPC_UNKNOWN},
        {"no farewell", SCRIPT(UP_TO_END, .end = "250 done\r\n", .quit = ""), HTTPC_ANSWERED},
    };
    for (size_t i = 0; i < COUNT(silent); i++) {
        struct httpc_answer a;
        int64_t start = clock_mono_ms();
        smtp_start(&silent[i].script, false, false);
        struct httpc_mail mail = new_mail("smtp");
        mail.deadline_ms = start + 900; /* a slow machine needs some to come that far */
        send_mail(*state, &mail, &a);
        ROW(clock_mono_ms() - start < 3000, "%s: %d ms", silent[i].what,
            (int)(clock_mono_ms() - start));
        smtp_stop();
        ROW(a.result == silent[i].result, "%s: result %d, %s", silent[i].what, (int)a.result,
            a.problem);
    }
    ROWS_END();
    struct httpc_answer a;
    struct smtp_script fine = SMTP_FINE;
    smtp_start(&fine, false, false);
    struct httpc_mail mail = new_mail("smtp");
    mail.deadline_ms = clock_mono_ms() - 1000; /* already over */
    send_mail(*state, &mail, &a);
    smtp_stop();
    assert_int_equal(a.result, HTTPC_NOT_SENT);
    assert_int_equal(smtp.connections, 0);
}

static void dialogue_is_exact(void **state)
{
    struct smtp_script fine = SMTP_FINE;
    struct httpc_answer a;
    fine.ehlo = "250-hello\r\n250-SIZE 1000000\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n";
    smtp_start(&fine, false, false);
    struct httpc_mail mail = new_mail("smtp");
    send_mail(*state, &mail, &a);
    smtp_stop();
    assert_int_equal(a.result, HTTPC_ANSWERED);
    assert_string_equal(smtp.commands, "EHLO shop.example\r\n"
                                       "MAIL FROM:<pay@shop.example> SIZE=89\r\n"
                                       "RCPT TO:<alice@example.com>\r\n"
                                       "DATA\r\n"
                                       "QUIT\r\n");
    assert_int_equal(sizeof message - 1, 89);
    assert_string_equal(smtp.message, on_the_wire);
}

static void large_message_arrives_whole(void **state)
{
    struct smtp_script fine = SMTP_FINE;
    struct httpc_answer a;
    size_t len = 256 * 1024;
    char *text = malloc(len + 1);
    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = "abcdefghijklmnopqrstuvwxyz0123456789\r\n"[i % 38];
    memcpy(text + len - 2, "\r\n", 3);
    smtp_start(&fine, false, false);
    struct httpc_mail mail = new_mail("smtp");
    mail.message = text;
    mail.message_len = len;
    send_mail(*state, &mail, &a);
    smtp_stop();
    assert_int_equal(a.result, HTTPC_ANSWERED);
    assert_true(strcmp(smtp.message, text) == 0);
    free(text);
}

static void unix_socket(void **state)
{
    struct smtp_script fine = SMTP_FINE;
    struct httpc_answer a;
    smtp_start(&fine, false, true);
    struct httpc_mail mail = new_mail("");
    send_mail(*state, &mail, &a);
    smtp_stop();
    assert_int_equal(a.result, HTTPC_ANSWERED);
    assert_string_equal(smtp.message, on_the_wire);
    send_mail(*state, &mail, &a); /* nobody listens any more */
    assert_int_equal(a.result, HTTPC_NOT_SENT);
    assert_int_equal(a.status, 0);
}

/* "\0pay\0secret" */
#define AUTH_LINE "(TLS) AUTH PLAIN\r\nAHBheQBzZWNyZXQ=\r\n"

static struct httpc_mail mail_with_login(const char *scheme)
{
    static struct secret password;
    struct httpc_mail mail = new_mail(scheme);
    assert_true(secret_set(&password, "secret", 6));
    mail.user = "pay";
    mail.password = &password;
    mail.starttls = true;
    return mail;
}

static void login_over_tls(void **state)
{
    static const char *const schemes[] = {"smtp", "smtps"};
    for (size_t i = 0; i < COUNT(schemes); i++) {
        struct smtp_script fine = SMTP_FINE;
        struct httpc_answer a;
        fine.ehlo = "250-hello\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n";
        smtp_start(&fine, i == 1, false);
        struct httpc_mail mail = mail_with_login(schemes[i]);
        send_mail(*state, &mail, &a);
        smtp_stop();
        ROW(a.result == HTTPC_ANSWERED, "%s: result %d, %s", schemes[i], (int)a.result, a.problem);
        ROW(strstr(smtp.commands, "\n" AUTH_LINE "(TLS) MAIL FROM:<pay@shop.example>\r\n") != NULL,
            "%s: %s", schemes[i], smtp.commands);
        ROW(strcmp(smtp.message, on_the_wire) == 0, "%s: %s", schemes[i], smtp.message);
    }
    ROWS_END();
}

/* A password that is wrong today is no verdict on the message: no status. */
static void wrong_password(void **state)
{
    static const char *const refusals[] = {"535 wrong\r\n", "454 later\r\n", NULL};
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct smtp_script script = SMTP_FINE;
        struct httpc_answer a;
        script.ehlo = "250-hello\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n";
        script.auth = refusals[i];
        smtp_start(&script, false, false);
        struct httpc_mail mail = mail_with_login("smtp");
        send_mail(*state, &mail, &a);
        smtp_stop();
        ROW(a.result == HTTPC_NOT_SENT && a.status == 0, "row %zu: result %d, status %d", i,
            (int)a.result, a.status);
        ROW(strstr(smtp.commands, "MAIL") == NULL, "row %zu: %s", i, smtp.commands);
    }
    ROWS_END();
}

static void nothing_without_tls(void **state)
{
    static const struct {
        const char *what, *ehlo, *starttls;
    } lacks[] = {
        {"not offered", "250-hello\r\n250 AUTH PLAIN\r\n", "220 go on\r\n"},
        {"no ESMTP", "502 what\r\n", "220 go on\r\n"},
        {"offered and refused", "250-hello\r\n250 STARTTLS\r\n", "454 later\r\n"},
        {"cut", "250-hello\r\n250 STARTTLS\r\n", NULL},
        {"an answer from before TLS", "250-hello\r\n250 STARTTLS\r\n",
         "220 go on\r\n250-hello\r\n250 AUTH PLAIN\r\n"},
    };
    struct smtp_script script = SMTP_FINE;
    struct httpc_answer a;
    for (size_t i = 0; i < COUNT(lacks); i++) {
        script.ehlo = lacks[i].ehlo;
        script.starttls = lacks[i].starttls;
        smtp_start(&script, false, false);
        struct httpc_mail mail = mail_with_login("smtp");
        send_mail(*state, &mail, &a);
        smtp_stop();
        ROW(a.result == HTTPC_NOT_SENT && a.status == 0, "%s: result %d, status %d", lacks[i].what,
            (int)a.result, a.status);
        ROW(strstr(smtp.commands, "MAIL") == NULL && strstr(smtp.commands, "AUTH") == NULL,
            "%s: %s", lacks[i].what, smtp.commands);
    }
    for (int tls = 0; tls <= 1; tls++) { /* a certificate of nobody we trust */
        script = (struct smtp_script)SMTP_FINE;
        script.ehlo = "250-hello\r\n250 STARTTLS\r\n";
        smtp_start(&script, tls == 1, false);
        struct httpc_mail mail = mail_with_login(tls == 1 ? "smtps" : "smtp");
        send_with_ca(*state, &mail, "/etc/ssl/certs/ca-certificates.crt", &a);
        smtp_stop();
        ROW(a.result == HTTPC_NOT_SENT && a.status == 0, "untrusted: result %d", (int)a.result);
        ROW(strstr(smtp.commands, "MAIL") == NULL, "untrusted: %s", smtp.commands);
    }
    ROWS_END();
}

static void bad_addresses(void **state)
{
    static const char *const addresses[] = {
        "",      "alice",       "alice@example.com\r\nRCPT TO:<eve@evil.example>",
        "<a@b>", "a@b> SIZE=1", "a@b\n",
        "a b@c", "a@b,c@d",     "alic\xc3\xa9@example.com",
    };
    static const char *const servers[] = {"",
                                          "localhost",
                                          "http://localhost",
                                          "smtp:/x",
                                          "file:///etc",
                                          "SMTP://localhost",
                                          "unix:x",
                                          "imap://x",
                                          "https://localhost",
                                          "unix:/nonexistent/socket"};
    struct smtp_script fine = SMTP_FINE;
    struct httpc_answer a;
    smtp_start(&fine, false, false);
    for (size_t i = 0; i < COUNT(addresses); i++)
        for (int recipient = 0; recipient <= 1; recipient++) {
            struct httpc_mail mail = new_mail("smtp");
            *(recipient == 1 ? &mail.to : &mail.from) = addresses[i];
            send_mail(*state, &mail, &a);
            ROW(a.result == HTTPC_NOT_SENT && a.status == 553, "\"%s\": result %d, status %d",
                addresses[i], (int)a.result, a.status);
        }
    for (size_t i = 0; i < COUNT(servers); i++) {
        struct httpc_mail mail = new_mail("smtp");
        mail.server = servers[i];
        send_mail(*state, &mail, &a);
        ROW(a.result == HTTPC_NOT_SENT && a.status == 0 && a.problem[0] != '\0',
            "\"%s\": result %d, status %d", servers[i], (int)a.result, a.status);
    }
    smtp_stop();
    ROW(smtp.connections == 0, "%d connections", smtp.connections);
    ROWS_END();
}

static void mail_while_forbidden(void **state)
{
    struct httpc_mail mail = new_mail("smtp");
    struct httpc_answer a;
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)freopen("/dev/null", "w", stderr);
        (void)signal(SIGABRT, SIG_DFL); /* cmocka catches it */
        httpc_forbid();
        send_mail(*state, &mail, &a);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ARENA(what_the_server_said), TEST_ARENA(silence),
        TEST_ARENA(dialogue_is_exact),    TEST_ARENA(large_message_arrives_whole),
        TEST_ARENA(unix_socket),          TEST_ARENA(login_over_tls),
        TEST_ARENA(wrong_password),       TEST_ARENA(nothing_without_tls),
        TEST_ARENA(bad_addresses),        TEST_ARENA(mail_while_forbidden),
    };
    return cmocka_run_group_tests_name("mail", tests, server_start, server_stop);
}
