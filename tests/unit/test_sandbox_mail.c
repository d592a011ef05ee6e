/* The sandbox's reading of mails: encodings, headers, parts, the Maildir, and bytes that are none
 * of these. */
#include "check.h"

#include "sandbox/mail_box.c"
#include "sandbox/mail_code.c"
#include "sandbox/mail_parts.c"

#include "base/json.h"

#include <stdlib.h>

static struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static void transfer_encodings(void **state)
{
    static const struct {
        const char *encoding, *body, *text;
    } rows[] = {
        {"quoted-printable", "Gr=C3=BC=C3=9Fe",
         "Gr\xc3\xbc\xc3\x9f"
         "e"},
        {"Quoted-Printable", "1 =3D 1", "1 = 1"},
        {"quoted-printable", "a=\nb=\r\nc=  \nd", "abcd"},
        {"quoted-printable", "a\r\nb", "a\r\nb"},
        {"quoted-printable", "50=% =4 =G0 =", "50=% =4 =G0 "},
        {"quoted-printable", "=e2=82=ac", "\xe2\x82\xac"},
        {"quoted-printable", "a_b", "a_b"},
        {"base64", "R3LDvMOfZQ==",
         "Gr\xc3\xbc\xc3\x9f"
         "e"},
        {"BASE64", "aGVs\r\nbG8=\r\n", "hello"},
        {"base64", "aGVs!bG8", "hello"},
        {"base64", "", ""},
        {"base64", "A", ""},
        {"8bit", "=41 aGk=", "=41 aGk="},
        {"7bit", "plain", "plain"},
        {"", "plain", "plain"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice got = mail_decode(*state, slice_of(rows[i].body), rows[i].encoding);
        ROW(got.len == strlen(rows[i].text) && memcmp(got.text, rows[i].text, got.len) == 0,
            "%s '%s' is '%.*s'", rows[i].encoding, rows[i].body, (int)got.len, got.text);
    }
    ROWS_END();
}

static void charsets(void **state)
{
    static const struct {
        const char *charset, *bytes;
        size_t len;
        const char *text;
    } rows[] = {
        {"UTF-8", "\xc3\xbc\xe2\x82\xac", 5, "\xc3\xbc\xe2\x82\xac"},
        {"utf8", "\xc3\xbc", 2, "\xc3\xbc"},
        {"ISO-8859-1", "\xfc", 1, "\xc3\xbc"},
        {"iso-8859-15", "\xa4", 1, "\xe2\x82\xac"},
        {"us-ascii", "a", 1, "a"},
        {"windows-1252", "\x80", 1, "\xe2\x82\xac"},
        {"", "\xc3\xbc", 2, "\xc3\xbc"},
        {"no-such-set", "\xc3\xbc", 2, "\xc3\xbc"},
        {"UTF-8//IGNORE", "\xff", 1, "\xef\xbf\xbd"},
        {"UTF-8",
         "a\xff"
         "b",
         3,
         "a\xef\xbf\xbd"
         "b"},
        {"UTF-8", "a\xc3", 2, "a\xef\xbf\xbd"},
        {"UTF-8", "\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"UTF-8", "a\0b", 3,
         "a\xef\xbf\xbd"
         "b"},
        {"UTF-8", "", 0, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf buf;
        buf_init(&buf, *state, 1000);
        mail_utf8(&buf, (struct slice){rows[i].bytes, rows[i].len}, rows[i].charset);
        ROW(strcmp(buf_text(&buf), rows[i].text) == 0, "row %zu, %s: '%s'", i, rows[i].charset,
            buf_text(&buf));
    }
    ROWS_END();
}

static void encoded_words(void **state)
{
    static const struct {
        const char *value, *text;
    } rows[] = {
        {"plain", "plain"},
        {"=?UTF-8?Q?Gr=C3=BC=C3=9Fe_2?= <a@b.test>", "Gr\xc3\xbc\xc3\x9f"
                                                     "e 2 <a@b.test>"},
        {"=?utf-8?b?4oKs?=", "\xe2\x82\xac"},
        {"=?ISO-8859-1?q?=FC?=", "\xc3\xbc"},
        {"=?ISO-8859-1*de?q?=FC?=", "\xc3\xbc"},
        {"=?UTF-8?Q?a?= =?UTF-8?Q?b?=", "ab"},
        {"=?UTF-8?Q?a?=\t =?UTF-8?Q?b?= c", "ab c"},
        {"=?UTF-8?Q?a?= x =?UTF-8?Q?b?=", "a x b"},
        {" =?UTF-8?Q?a?=", " a"},
        {"=?UTF-8?Q?\?=", ""},
        {"=?UTF-8?X?a?=", "=?UTF-8?X?a?="},
        {"=?UTF-8?Q?a", "=?UTF-8?Q?a"},
        {"=?UTF-8?Q?a?", "=?UTF-8?Q?a?"},
        {"=?UTF-8", "=?UTF-8"},
        {"=?\?=", "=?\?="},
        {"Gr\xc3\xbc", "Gr\xc3\xbc"},
        {"\xff", "\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf buf;
        buf_init(&buf, *state, 1000);
        mail_words(&buf, slice_of(rows[i].value));
        ROW(strcmp(buf_text(&buf), rows[i].text) == 0, "'%s' is '%s'", rows[i].value,
            buf_text(&buf));
    }
    ROWS_END();
}

/* As curl sends it: both texts inside multipart/alternative inside multipart/mixed. */
static const char from_curl[] =
    "Return-Path: <payments@example.test>\n"
    "Delivered-To: alice@example.test\n"
    "Content-Type: multipart/mixed; boundary=------------------------0370889059a58819\n"
    "Mime-Version: 1.0\n"
    "From: Guichet demo <payments@example.test>\n"
    "To: alice@example.test\n"
    "subject: =?UTF-8?Q?Paid:?=\n"
    " =?UTF-8?Q?_12,34_=E2=82=AC?=\n"
    "Date: Fri, 20 Nov 2026 14:35:55 +0000\n"
    "Message-ID: <PAY_1@example.test>\n"
    "\n"
    "--------------------------0370889059a58819\n"
    "Content-Type: multipart/alternative; boundary=\"in ner\"\n"
    "\n"
    "a preamble that nobody sees\n"
    "--in ner\n"
    "Content-Type: text/plain; charset=UTF-8\n"
    "Content-Transfer-Encoding: quoted-printable\n"
    "\n"
    "Gr=C3=BC=C3=9Fe,\n"
    "--in nerx is text\n"
    "--in ner \n"
    "Content-Type: text/html;charset=UTF-8\n"
    "Content-Transfer-Encoding: base64\n"
    "\n"
    "PHA+R3LDvMOfZTwvcD4=\n"
    "--in ner--\n"
    "an epilogue\n"
    "--------------------------0370889059a58819--\n";

static const char from_curl_text[] = "Gr\xc3\xbc\xc3\x9f"
                                     "e,\n--in nerx is text";

static void assert_from_curl(const struct mail *mail)
{
    assert_string_equal(mail->from, "Guichet demo <payments@example.test>");
    assert_string_equal(mail->to, "alice@example.test");
    assert_string_equal(mail->subject, "Paid: 12,34 \xe2\x82\xac");
    assert_string_equal(mail->date, "Fri, 20 Nov 2026 14:35:55 +0000");
    assert_string_equal(mail->message_id, "<PAY_1@example.test>");
    assert_string_equal(mail->html, "<p>Gr\xc3\xbc\xc3\x9f"
                                    "e</p>");
}

static void a_mail_of_curl(void **state)
{
    struct mail mail;
    mail_read(*state, slice_of(from_curl), &mail);
    assert_from_curl(&mail);
    assert_string_equal(mail.text, from_curl_text);
}

static void the_same_with_network_line_ends(void **state)
{
    struct mail mail;
    struct buf text;
    buf_init(&text, *state, 10000);
    for (const char *at = from_curl; *at != '\0'; at++)
        buf_printf(&text, *at == '\n' ? "\r\n" : "%c", *at);
    mail_read(*state, (struct slice){buf_text(&text), text.len}, &mail);
    assert_from_curl(&mail);
    assert_string_equal(mail.text, "Gr\xc3\xbc\xc3\x9f"
                                   "e,\r\n--in nerx is text");
}

static void other_mails(void **state)
{
    static const struct {
        const char *raw, *subject, *text, *html;
    } rows[] = {
        {"Subject: a\n\nbody", "a", "body", NULL},
        {"\nbody", "", "body", NULL},
        {"", "", "", NULL},
        {"no mail at all", "", "", NULL},
        {"Subject:\n\n", "", "", NULL},
        {"Subject: a\nSubject: b\n\n", "a", "", NULL},
        {"Content-Type: text/html\n\n<p>", "", NULL, "<p>"},
        {"Content-Type: text/plain; charset=\"iso-8859-1\"\n\n\xfc", "", "\xc3\xbc", NULL},
        {"Content-Type: application/pdf\n\nx", "", NULL, NULL},
        {"Content-Type: multipart/mixed\n\nx", "", NULL, NULL},
        {"Content-Type: multipart/mixed; boundary=b\n\n--b\n\ncut off", "", "cut off", NULL},
        {"Content-Type: multipart/mixed; boundary=b\n\n--b", "", "", NULL},
        {"Content-Type: multipart/mixed; boundary=b\n\n--b--\n\nx", "", NULL, NULL},
        {"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--", "", "one",
         NULL},
        {"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment\n\n"
         "file\n--b\n\ntext\n--b--",
         "", "text", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mail mail;
        mail_read(*state, slice_of(rows[i].raw), &mail);
        ROW(strcmp(mail.subject, rows[i].subject) == 0, "row %zu: subject '%s'", i, mail.subject);
        ROW((mail.text == NULL) == (rows[i].text == NULL) &&
                (mail.text == NULL || strcmp(mail.text, rows[i].text) == 0),
            "row %zu: text '%s'", i, mail.text == NULL ? "(none)" : mail.text);
        ROW((mail.html == NULL) == (rows[i].html == NULL) &&
                (mail.html == NULL || strcmp(mail.html, rows[i].html) == 0),
            "row %zu: html '%s'", i, mail.html == NULL ? "(none)" : mail.html);
    }
    ROWS_END();
}

static bool is_clean(const char *text)
{
    return text == NULL || utf8_valid(text, strlen(text));
}

/* The sanitizers watch while a mail loses its shape; what comes out is UTF-8 all the same. */
static void garbage(void **state)
{
    unsigned random = 1;
    for (int round = 0; round < 3000; round++) {
        char raw[sizeof from_curl];
        struct mail mail;
        memcpy(raw, from_curl, sizeof raw);
        for (int changes = round % 40; changes > 0; changes--) {
            random = random * 1103515245u + 12345u;
            raw[random / 65536u % (sizeof raw - 1)] = (char)(random >> 8);
        }
        random = random * 1103515245u + 12345u;
        size_t len = random / 65536u % sizeof raw;
        char *exact = malloc(len + 1); /* so that a byte too far is seen */
        assert_non_null(exact);
        memcpy(exact, raw, len);
        exact = realloc(exact, len > 0 ? len : 1);
        assert_non_null(exact);
        mail_read(*state, (struct slice){exact, len}, &mail);
        ROW(is_clean(mail.subject) && is_clean(mail.from) && is_clean(mail.text) &&
                is_clean(mail.html),
            "round %d", round);
        free(exact);
        arena_reset(*state);
    }
    ROWS_END();
}

/* A multipart inside a multipart, and so on: it ends somewhere. */
static void russian_dolls(void **state)
{
    struct buf text;
    struct mail mail;
    buf_init(&text, *state, MAIL_MAX);
    for (int i = 0; i < 500; i++)
        buf_printf(&text, "Content-Type: multipart/mixed; boundary=b%d.\n\n--b%d.\n", i, i);
    buf_puts(&text, "\nthe innermost");
    mail_read(*state, (struct slice){buf_text(&text), text.len}, &mail);
    assert_null(mail.text);
}

static char box[64];

static void box_make(const char *path)
{
    char full[128];
    (void)snprintf(full, sizeof full, "%s/%s", box, path);
    assert_int_equal(mkdir(full, 0700), 0);
}

static void box_put(const char *path, int seconds, const char *text)
{
    char full[128];
    (void)snprintf(full, sizeof full, "%s/%s", box, path);
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
    const struct timespec times[2] = {{seconds, 0}, {seconds, 0}};
    assert_int_equal(utimensat(AT_FDCWD, full, times, 0), 0);
}

static int box_setup(void **state)
{
    (void)snprintf(box, sizeof box, "/tmp/guichet-mail-XXXXXX");
    if (mkdtemp(box) == NULL)
        return 1;
    box_make("new");
    box_make("cur");
    box_put("new/2.M9.host", 2, "Subject: two\n\n");
    box_put("new/3.M10.host", 3, "Subject: three\n\n");
    box_put("cur/1.M1.host:2,S", 1, "Subject: one\n\n");
    box_put("new/.hidden", 9, "Subject: hidden\n\n");
    box_put("outside", 9, "Subject: outside\n\n");
    return arena_setup(state);
}

static int box_teardown(void **state)
{
    static const char *const paths[] = {"new/2.M9.host",
                                        "new/3.M10.host",
                                        "cur/1.M1.host:2,S",
                                        "new/.hidden",
                                        "outside",
                                        "new/link",
                                        "new",
                                        "cur",
                                        ""};
    for (size_t i = 0; i < COUNT(paths); i++) {
        char full[128];
        (void)snprintf(full, sizeof full, "%s/%s", box, paths[i]);
        (void)remove(full);
    }
    return arena_teardown(state);
}

static void the_newest_come_first(void **state)
{
    struct mail_entry list[3];
    size_t total;
    (void)state;
    assert_int_equal(mail_box_list(box, list, 3, &total), 3);
    assert_int_equal(total, 3);
    assert_string_equal(list[0].name, "3.M10.host");
    assert_string_equal(list[1].name, "2.M9.host");
    assert_string_equal(list[2].name, "1.M1.host:2,S");
    assert_int_equal(mail_box_list(box, list, 2, &total), 2);
    assert_int_equal(total, 3);
    assert_string_equal(list[0].name, "3.M10.host");
    assert_string_equal(list[1].name, "2.M9.host");
    assert_int_equal(mail_box_list("/nonexistent", list, 3, &total), 0);
    assert_int_equal(mail_box_list("", list, 3, &total), 0);
}

static void only_mails_are_read(void **state)
{
    struct slice raw;
    bool cut;
    char link[128];
    assert_int_equal(mail_box_load(*state, box, "1.M1.host:2,S", &raw, &cut), ERR_NONE);
    assert_int_equal(raw.len, strlen("Subject: one\n\n"));
    assert_false(cut);
    (void)snprintf(link, sizeof link, "%s/new/link", box);
    assert_int_equal(symlink("../outside", link), 0);
    static const char *const names[] = {"",        ".",    "..", ".hidden",          "../outside",
                                        "outside", "link", "x",  "../new/3.M10.host"};
    for (size_t i = 0; i < COUNT(names); i++)
        ROW(mail_box_load(*state, box, names[i], &raw, &cut) == ERR_NOT_FOUND, "%s", names[i]);
    ROWS_END();
}

static void a_long_mail_is_cut(void **state)
{
    struct slice raw;
    bool cut;
    char *text = malloc(MAIL_MAX + 2);
    assert_non_null(text);
    memset(text, 'a', MAIL_MAX + 1);
    text[MAIL_MAX + 1] = '\0';
    box_put("new/2.M9.host", 2, text);
    assert_int_equal(mail_box_load(*state, box, "2.M9.host", &raw, &cut), ERR_NONE);
    assert_int_equal(raw.len, MAIL_MAX);
    assert_true(cut);
    text[MAIL_MAX] = '\0';
    box_put("new/2.M9.host", 2, text);
    assert_int_equal(mail_box_load(*state, box, "2.M9.host", &raw, &cut), ERR_NONE);
    assert_int_equal(raw.len, MAIL_MAX);
    assert_false(cut);
    free(text);
}

#define TEST_BOX(function) cmocka_unit_test_setup_teardown(function, box_setup, box_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ARENA(transfer_encodings),
        TEST_ARENA(charsets),
        TEST_ARENA(encoded_words),
        TEST_ARENA(a_mail_of_curl),
        TEST_ARENA(the_same_with_network_line_ends),
        TEST_ARENA(other_mails),
        TEST_ARENA(garbage),
        TEST_ARENA(russian_dolls),
        TEST_BOX(the_newest_come_first),
        TEST_BOX(only_mails_are_read),
        TEST_BOX(a_long_mail_is_cut),
    };
    return cmocka_run_group_tests_name("sandbox/mail", tests, NULL, NULL);
}
