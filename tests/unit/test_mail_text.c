/* The confirmation: read back as a mail reader would, it says what happened to the cent; whatever
 * names contain, it stays one message to one recipient with lines that every server takes. */
#include "check.h"

#include "flow/mail_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char payment_id[] = "PAY_01M7WP5AWKD4KG5TY09QNPVXWS";

/* A message taken apart: the header unfolded, both parts decoded. */
struct mail {
    char header[4000], text[100000], html[200000];
    size_t header_lines;
};

static struct mail mail; /* of the last call of compose */

static struct money usd(int64_t cents)
{
    struct money money;
    assert_true(money_make(cents, "USD", &money));
    return money;
}

static struct mail_facts deposit(void)
{
    return (struct mail_facts){.to_name = "Alice",
                               .to_address = "alice@example.com",
                               .from_address = "pay@shop.example",
                               .payment_id = payment_id,
                               .amount = usd(2500),
                               .type = PAYMENT_BALANCE,
                               .provider = "payviox",
                               .completed_at = "2026-11-20 14:35 UTC",
                               .date_ms = 1795185355999};
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : c - 'A' + 10;
}

/* Takes quoted-printable from *from up to the boundary; CRLF becomes LF. */
static void decode_part(const char **from, const char *type, char *ret_text, size_t size)
{
    char head[200];
    size_t len = 0;
    (void)snprintf(head, sizeof head,
                   "--=_guichet_part\r\nContent-Type: %s; charset=utf-8\r\n"
                   "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                   type);
    assert_int_equal(strncmp(*from, head, strlen(head)), 0);
    const char *c = *from + strlen(head);
    while (strncmp(c, "--=_guichet_part", 16) != 0) {
        assert_true(len + 1 < size && *c != '\0');
        if (strncmp(c, "=\r\n", 3) == 0) {
            c += 3;
        } else if (*c == '=') {
            assert_true(strspn(c + 1, "0123456789ABCDEF") >= 2);
            ret_text[len++] = (char)(hex_digit(c[1]) << 4 | hex_digit(c[2]));
            c += 3;
        } else if (*c == '\r') {
            c++;
        } else {
            ret_text[len++] = *c++;
        }
    }
    ret_text[len] = '\0';
    *from = c;
}

/* ASCII, lines that end in CRLF and nothing else, none longer than 76, none with a blank at its
 * end. */
static void lines_are_clean(const char *message, size_t len)
{
    size_t column = 0;
    assert_int_equal(strlen(message), len);
    for (size_t i = 0; i < len; i++) {
        if (message[i] == '\r') {
            assert_int_equal(message[i + 1], '\n');
            assert_true(column <= 76);
            assert_true(column == 0 || message[i - 1] != ' ');
            column = 0;
            i++;
            continue;
        }
        assert_true(message[i] >= ' ' && message[i] <= '~');
        column++;
    }
    assert_int_equal(column, 0);
}

static void unfold(const char *message, const char *end)
{
    size_t len = 0;
    mail.header_lines = 0;
    for (const char *c = message; c < end; c++) {
        assert_true(len + 1 < sizeof mail.header);
        if (strncmp(c, "\r\n ", 3) == 0) {
            c++;
            continue;
        }
        mail.header_lines += *c == '\n';
        if (*c != '\r')
            mail.header[len++] = *c;
    }
    mail.header[len] = '\0';
}

static const char *compose(struct arena *arena, const struct mail_facts *facts)
{
    const char *message;
    size_t len;
    arena_reset(arena);
    assert_int_equal(mail_compose(arena, facts, &message, &len), ERR_NONE);
    lines_are_clean(message, len);
    const char *end = strstr(message, "\r\n\r\n");
    assert_non_null(end);
    unfold(message, end + 2);
    const char *body = end + 4;
    decode_part(&body, "text/plain", mail.text, sizeof mail.text);
    decode_part(&body, "text/html", mail.html, sizeof mail.html);
    assert_string_equal(body, "--=_guichet_part--\r\n");
    return message;
}

static void balance_to_the_letter(void **state)
{
    struct mail_facts facts = deposit();
    compose(*state, &facts);
    assert_string_equal(mail.header,
                        "From: <pay@shop.example>\n"
                        "To: Alice <alice@example.com>\n"
                        "Subject: 25.00 USD added to your balance\n"
                        "Date: Fri, 20 Nov 2026 14:35:55 +0000\n"
                        "Message-ID: <PAY_01M7WP5AWKD4KG5TY09QNPVXWS.completed@shop.example>\n"
                        "Auto-Submitted: auto-generated\n"
                        "MIME-Version: 1.0\n"
                        "Content-Type: multipart/alternative; boundary=\"=_guichet_part\"\n");
    assert_string_equal(
        mail.text,
        "Hello Alice,\n\n"
        "we have received your payment of 25.00 USD through payviox. It is on your balance.\n\n"
        "Payment PAY_01M7WP5AWKD4KG5TY09QNPVXWS, completed 2026-11-20 14:35 UTC.\n\n"
        "This message was written by a machine. Nobody reads answers to it.\n\n");
    assert_non_null(strstr(mail.html, "<p>Hello Alice,</p>\n<p>we have received your payment of "
                                      "25.00 USD through payviox. It is on your balance.</p>\n"));
    assert_non_null(strstr(mail.html, "</body>\n</html>\n"));
}

static void items_and_what_became_of_them(void **state)
{
    static const char yours[] = "These items are yours now:",
                      gone[] = "These items were no longer available. Their price is on your "
                               "balance instead:";
    struct mail_line lines[] = {{"AWP | Asiimov", usd(2500), true},
                                {"AK-47 | Redline", usd(1500), true}};
    struct mail_facts facts = deposit();
    facts.type = PAYMENT_ITEMS;
    facts.amount = usd(4000);
    facts.lines = lines;
    facts.lines_count = COUNT(lines);
    compose(*state, &facts);
    assert_non_null(strstr(mail.header, "\nSubject: Your purchase for 40.00 USD\n"));
    assert_non_null(strstr(mail.text, "payment of 40.00 USD through payviox.\n\n"
                                      "These items are yours now:\n\n"
                                      "- AWP | Asiimov: 25.00 USD\n- AK-47 | Redline: 15.00 USD\n\n"
                                      "Payment PAY_"));
    assert_non_null(strstr(mail.html, "<p>These items are yours now:</p>\n<ul>\n"
                                      "<li>AWP | Asiimov: 25.00 USD</li>\n"
                                      "<li>AK-47 | Redline: 15.00 USD</li>\n</ul>\n"));
    assert_null(strstr(mail.text, gone));
    assert_null(strstr(mail.text, "on your balance."));

    lines[0].delivered = false; /* one of two */
    compose(*state, &facts);
    assert_non_null(strstr(mail.header, "\nSubject: Your purchase for 40.00 USD\n"));
    assert_non_null(strstr(mail.text, "yours now:\n\n- AK-47 | Redline: 15.00 USD\n\nThese items "
                                      "were no longer available. Their price is on your balance "
                                      "instead:\n\n- AWP | Asiimov: 25.00 USD\n\n"));

    lines[1].delivered = false; /* none */
    compose(*state, &facts);
    assert_non_null(strstr(mail.header, "\nSubject: Your payment of 40.00 USD is on your balance"));
    assert_non_null(strstr(mail.html, gone));
    assert_null(strstr(mail.text, yours));
    assert_null(strstr(mail.html, yours));
}

static void other_currencies(void **state)
{
    static const struct {
        const char *currency, *text;
    } rows[] = {{"JPY", "1234 JPY"}, {"KWD", "1.234 KWD"}, {"EUR", "12.34 EUR"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mail_facts facts = deposit();
        char wanted[60];
        assert_true(money_make(1234, rows[i].currency, &facts.amount));
        compose(*state, &facts);
        (void)snprintf(wanted, sizeof wanted, "Subject: %s added", rows[i].text);
        ROW(strstr(mail.header, wanted) != NULL, "%s: %s", rows[i].text, mail.header);
        (void)snprintf(wanted, sizeof wanted, "payment of %s through", rows[i].text);
        ROW(strstr(mail.text, wanted) != NULL, "%s: %s", rows[i].text, mail.text);
    }
    ROWS_END();
}

/* "=?UTF-8?Q?=C3=A9?= =?UTF-8?Q?...": the blank between two words is no part of the name. */
static void decode_words(const char *field, char *ret_name, size_t size)
{
    size_t len = 0;
    while (strncmp(field, "=?UTF-8?Q?", 10) == 0) {
        size_t first = len;
        for (field += 10; strncmp(field, "?=", 2) != 0; field += 3) {
            assert_true(len + 1 < size && field[0] == '=');
            ret_name[len++] = (char)(hex_digit(field[1]) << 4 | hex_digit(field[2]));
        }
        /* each word must begin and end with a whole character */
        assert_true(((unsigned char)ret_name[first] & 0xc0) != 0x80);
        field += 2;
        assert_true(*field == ' ');
        field++;
    }
    ret_name[len] = '\0';
    assert_string_equal(field, "<alice@example.com>");
}

static void names_of_recipients(void **state)
{
    static const struct {
        const char *name;
        bool encoded;
    } rows[] = {
        {"Alice Smith 2", false},
        {"Ren\xc3\xa9"
         "e",
         true},
        {"\xe6\x84\x9b\xe5\xad\x90 \xe6\x84\x9b\xe5\xad\x90 \xe6\x84\x9b\xe5\xad\x90 "
         "\xe6\x84\x9b\xe5\xad\x90 \xe6\x84\x9b\xe5\xad\x90 \xe6\x84\x9b\xe5\xad\x90",
         true},
        {"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
         "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
         true},
        {"Bob <bob@evil.example>", true},
        {"Bob, bob@evil.example", true},
        {"\"Bob\"", true},
        {"=?UTF-8?Q?Bob?=", true},
        {"Bob: x;", true},
        {"a.b", true},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "a",
         true},
        {"\x80\x80\x80\x80\x80\x80\x80\x80", true}, /* no UTF-8 at all */
        {"\xc3", true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mail_facts facts = deposit();
        char field[2000], name[2000];
        facts.to_name = rows[i].name;
        compose(*state, &facts);
        assert_int_equal(mail.header_lines, 8);
        const char *to = strstr(mail.header, "\nTo: ") + 5;
        (void)snprintf(field, sizeof field, "%.*s", (int)strcspn(to, "\n"), to);
        if (rows[i].name[0] == '\x80')
            continue; /* it only has to stay inside of its line */
        if (rows[i].encoded)
            decode_words(field, name, sizeof name);
        else
            (void)snprintf(name, sizeof name, "%.*s", (int)strlen(field) - 20, field);
        ROW(strcmp(name, rows[i].name) == 0, "\"%s\" became \"%s\"", rows[i].name, name);
    }
    ROWS_END();
    struct mail_facts facts = deposit();
    facts.to_name = "";
    compose(*state, &facts);
    assert_non_null(strstr(mail.header, "\nTo: <alice@example.com>\n"));
    assert_int_equal(strncmp(mail.text, "Hello,\n", 7), 0);
}

static void refused(struct arena *arena, const struct mail_facts *facts, const char *what)
{
    const char *message = "untouched";
    size_t len = 7;
    enum err err = mail_compose(arena, facts, &message, &len);
    ROW(err == ERR_PARAMETERS && len == 7 && strcmp(message, "untouched") == 0, "took \"%s\"",
        what);
}

static void nothing_begins_a_header(void **state)
{
    static const char *const names[] = {
        "Bob\r\nBcc: eve@evil.example", "Bob\n", "\rBob", "a\tb", "a\x7f", "\x1b[31mBob"};
    static const char *const addresses[] = {"",
                                            "bob",
                                            "bob@evil.example\r\nBcc: eve@evil.example",
                                            "bob@evil.example>",
                                            "a@b, c@d",
                                            "b\xc3\xb6@evil.example"};
    static const char *const ids[] = {"", "PAY_1\r\nBcc: eve@evil.example", "PAY 1", "PAY_1>",
                                      "PAY@1"};
    struct mail_facts facts = deposit();
    for (size_t i = 0; i < COUNT(names); i++) {
        facts = deposit();
        facts.to_name = names[i];
        refused(*state, &facts, names[i]);
    }
    for (size_t i = 0; i < COUNT(addresses); i++) {
        facts = deposit();
        facts.to_address = addresses[i];
        refused(*state, &facts, addresses[i]);
        facts = deposit();
        facts.from_address = addresses[i];
        refused(*state, &facts, addresses[i]);
    }
    for (size_t i = 0; i < COUNT(ids); i++) {
        facts = deposit();
        facts.payment_id = ids[i];
        refused(*state, &facts, ids[i]);
    }
    ROWS_END();
}

static void names_of_items(void **state)
{
    static const struct {
        const char *name, *text, *html;
    } rows[] = {
        {"M4A4 | \xe9\xbe\x8d\xe7\x8e\x8b", "- M4A4 | \xe9\xbe\x8d\xe7\x8e\x8b: 1.00 USD\n",
         "<li>M4A4 | \xe9\xbe\x8d\xe7\x8e\x8b: 1.00 USD</li>\n"},
        {"\xe2\x98\x85 Karambit (50% off) 100% a=b",
         "- \xe2\x98\x85 Karambit (50% off) 100% a=b: 1.00", "(50% off) 100% a=b: "},
        {"<script>alert('x')</script> & \"y\"", "- <script>alert('x')</script> & \"y\": 1.00 USD\n",
         "<li>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;: 1.00"},
        {"a\r\n--=_guichet_part--\r\n.\r\nb", "- a  --=_guichet_part--  .  b: 1.00 USD\n",
         "<li>a  --=_guichet_part--  .  b: 1.00 USD</li>\n"},
        {"", "- : 1.00 USD\n", "<li>: 1.00 USD</li>\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mail_line line = {rows[i].name, usd(100), true};
        struct mail_facts facts = deposit();
        facts.type = PAYMENT_ITEMS;
        facts.lines = &line;
        facts.lines_count = 1;
        compose(*state, &facts);
        ROW(strstr(mail.text, rows[i].text) != NULL, "%s in\n%s", rows[i].text, mail.text);
        ROW(strstr(mail.html, rows[i].html) != NULL, "%s in\n%s", rows[i].html, mail.html);
        ROW(mail.header_lines == 8, "%s: %zu header lines", rows[i].name, mail.header_lines);
    }
    ROWS_END();
}

/* A name of so many characters of so many bytes each. */
static void fill_name(char *name, const char *character, size_t count)
{
    size_t bytes = strlen(character);
    for (size_t i = 0; i < count; i++)
        memcpy(name + i * bytes, character, bytes);
    name[count * bytes] = '\0';
}

static void hundred_items(void **state)
{
    static const char *const characters[] = {"x", "=", "\"", "\xc3\xa9", "\xf0\x9f\x98\x80"};
    static char names[100][600];
    struct mail_line lines[100];
    for (size_t c = 0; c < COUNT(characters); c++) {
        struct mail_facts facts = deposit();
        size_t count = 0;
        for (size_t i = 0; i < 100; i++) {
            fill_name(names[i], characters[c], 101);
            lines[i] = (struct mail_line){names[i], usd(100 + (int64_t)i), i % 2 == 0};
        }
        facts.type = PAYMENT_ITEMS;
        facts.lines = lines;
        facts.lines_count = 100;
        compose(*state, &facts);
        for (const char *at = mail.text; (at = strstr(at, "\n- ")) != NULL; at++)
            count++;
        ROW(count == 100, "%s: %zu items", characters[c], count);
        ROW(strstr(mail.text, ": 1.99 USD\n") != NULL, "%s: the last", characters[c]);
        /* the 101st character is cut, and that is shown */
        fill_name(names[0], characters[c], 100);
        strcat(names[0], "\xe2\x80\xa6: 1.00 USD\n");
        ROW(strstr(mail.text, names[0]) != NULL, "%s: not cut at 100", characters[c]);
    }
    ROWS_END();
}

static void same_facts_same_bytes(void **state)
{
    struct mail_facts facts = deposit();
    char *first = strdup(compose(*state, &facts));
    assert_string_equal(compose(*state, &facts), first);
    free(first);
}

static void dates(void **state)
{
    static const struct {
        int64_t ms;
        const char *date;
    } rows[] = {
        {0, "\nDate: Thu, 1 Jan 1970 00:00:00 +0000\n"},
        {1709208000000, "\nDate: Thu, 29 Feb 2024 12:00:00 +0000\n"},
        {1735689599999, "\nDate: Tue, 31 Dec 2024 23:59:59 +0000\n"},
        {4107542400000, "\nDate: Mon, 1 Mar 2100 00:00:00 +0000\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mail_facts facts = deposit();
        facts.date_ms = rows[i].ms;
        compose(*state, &facts);
        ROW(strstr(mail.header, rows[i].date) != NULL, "%s: %s", rows[i].date, mail.header);
    }
    ROWS_END();
}

static void too_much(void **state)
{
    struct mail_facts facts = deposit();
    struct arena *small = arena_new(4096);
    static char provider[32768];
    const char *message;
    size_t len;
    assert_int_equal(mail_compose(small, &facts, &message, &len), ERR_OVERLOAD);
    arena_free(small);
    memset(provider, 'x', sizeof provider - 1);
    facts.provider = provider;
    assert_int_equal(mail_compose(*state, &facts, &message, &len), ERR_OVERLOAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ARENA(balance_to_the_letter),
        TEST_ARENA(items_and_what_became_of_them),
        TEST_ARENA(other_currencies),
        TEST_ARENA(names_of_recipients),
        TEST_ARENA(nothing_begins_a_header),
        TEST_ARENA(names_of_items),
        TEST_ARENA(hundred_items),
        TEST_ARENA(same_facts_same_bytes),
        TEST_ARENA(dates),
        TEST_ARENA(too_much),
    };
    return cmocka_run_group_tests_name("mail text", tests, NULL, NULL);
}
