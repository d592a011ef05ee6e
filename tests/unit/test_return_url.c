/* F52: where a browser may be sent back to, and every trick to have it sent elsewhere. */
#include "check.h"

#include "domain/return_url.h"

#include <stdio.h>
#include <string.h>

#define HOSTS                                                                                      \
    "shop.example  pay.shop.example:8443 localhost:3000 127.0.0.1 [::1]:9000 [2001:db8::1] "       \
    "xn--shp-fla.example"

static const struct {
    const char *url;
    bool localhost_http, allowed;
} rows[] = {
    {"https://shop.example", false, true},
    {"https://shop.example/", false, true},
    {"https://shop.example/back?a=1&b=%20x#done", false, true},
    {"https://shop.example?x", false, true},
    {"https://shop.example#x", false, true},
    {"https://shop.example#/route?x=1", false, true},
    {"https://shop.example//two", false, true},
    {"https://shop.example/a:b@c/;p=1,2!$'()*+~[0]", false, true},
    {"https://SHOP.Example/back", false, true},
    {"https://shop.example:443/", false, true},
    {"https://pay.shop.example:8443/", false, true},
    {"https://localhost:3000/", false, true},
    {"http://localhost:3000/", true, true},
    {"http://LOCALHOST:3000/", true, true},
    {"http://127.0.0.1/", true, true},
    {"http://127.0.0.1:80/", true, true},
    {"https://127.0.0.1/", false, true},
    {"https://[::1]:9000/", false, true},
    {"https://[2001:db8::1]/", false, true},
    {"https://[2001:DB8::1]:443/", false, true},
    {"https://xn--shp-fla.example/", false, true},
    /* other hosts */
    {"https://evil.example/", false, false},
    {"https://evil.example/https://shop.example/", false, false},
    {"https://evil.example/?https://shop.example/", false, false},
    {"https://evil.example?shop.example", false, false},
    {"https://evil.example#shop.example", false, false},
    {"https://evil.example#@shop.example/", false, false},
    {"https://evil.example;shop.example/", false, false},
    {"https://shop.example.evil.example/", false, false},
    {"https://evilshop.example/", false, false},
    {"https://evil.shop.example/", false, false},
    {"https://shop.exampl/", false, false},
    {"https://shop.example2/", false, false},
    {"https://shop/", false, false},
    {"https://example/", false, false},
    {"https://shop.example./", false, false},
    {"https://.shop.example/", false, false},
    {"https://shop..example/", false, false},
    {"https://shop-example/", false, false},
    {"https:// shop.example/", false, false},
    {"https://shop.example pay.shop.example/", false, false},
    {"https://*/", false, false},
    /* other ports */
    {"https://shop.example:8443/", false, false},
    {"https://shop.example:80/", false, false},
    {"https://pay.shop.example/", false, false},
    {"https://pay.shop.example:443/", false, false},
    {"https://pay.shop.example:84430/", false, false},
    {"https://shop.example:/", false, false},
    {"https://shop.example:0443/", false, false},
    {"https://shop.example:00443/", false, false},
    {"https://shop.example:000443/", false, false},
    {"https://shop.example:65979/", false, false}, /* 443 + 65536 */
    {"https://shop.example:4294967739/", false, false},
    {"https://shop.example:443x/", false, false},
    {"https://shop.example:-443/", false, false},
    {"https://shop.example:+443/", false, false},
    {"https://shop.example:443:443/", false, false},
    {"https://:443/", false, false},
    {"https://localhost/", false, false},
    {"http://localhost/", true, false},
    {"https://[::1]/", false, false},
    {"https://[::1]9000/", false, false},
    {"https://::1:9000/", false, false},
    {"https://[0:0:0:0:0:0:0:1]:9000/", false, false},
    {"https://[2001:db8::1]:9000/", false, false},
    {"https://[2001:db8::2]/", false, false},
    /* user-info */
    {"https://shop.example@evil.example/", false, false},
    {"https://shop.example:443@evil.example/", false, false},
    {"https://evil.example@shop.example/", false, false},
    {"https://user:secret@shop.example/", false, false},
    {"https://@shop.example/", false, false},
    {"https://evil.example\\@shop.example/", false, false},
    {"https://shop.example\\@evil.example/", false, false},
    {"https://shop.example%40evil.example/", false, false},
    /* other slashes */
    {"//evil.example", false, false},
    {"//shop.example/", false, false},
    {"/\\evil.example", false, false},
    {"\\\\evil.example", false, false},
    {"https:\\\\shop.example/", false, false},
    {"https:/\\shop.example/", false, false},
    {"https:/shop.example/", false, false},
    {"https:///shop.example/", false, false},
    {"https:shop.example/", false, false},
    {"https://shop.example\\.evil.example/", false, false},
    {"https://shop.example/\\evil.example", false, false},
    {"/back", false, false},
    {"back", false, false},
    {"?back", false, false},
    {"shop.example/back", false, false},
    {"", false, false},
    {"https://", false, false},
    {"https:///", false, false},
    {"https://?shop.example", false, false},
    /* other schemes */
    {"http://shop.example/", false, false},
    {"http://shop.example/", true, false},
    {"http://localhost:3000/", false, false},
    {"http://127.0.0.1/", false, false},
    {"http://127.0.0.1:443/", true, false},
    {"http://[::1]:9000/", true, false},
    {"http://localhost:3000@evil.example/", true, false},
    {"http://localhost.evil.example:3000/", true, false},
    {"HTTPS://shop.example/", false, false},
    {"Https://shop.example/", false, false},
    {" https://shop.example/", false, false},
    {"javascript:alert(1)", false, false},
    {"javascript://shop.example/%0aalert(1)", false, false},
    {"data:text/html,x", false, false},
    {"ftp://shop.example/", false, false},
    {"file:///etc/passwd", false, false},
    {"httpss://shop.example/", false, false},
    {"https//shop.example/", false, false},
    {"view-source:https://shop.example/", false, false},
    /* bytes that do not belong into a URL */
    {"https://shop.example/\r\nSet-Cookie: a=b", false, false},
    {"https://shop.example/a\rb", false, false},
    {"https://shop.example/a\nb", false, false},
    {"https://shop.example/a\tb", false, false},
    {"https://shop\t.example/", false, false},
    {"ht\ntps://shop.example/", false, false},
    {"\x01https://shop.example/", false, false},
    {"https://shop.example/\x7f", false, false},
    {"https://shop.example/a b", false, false},
    {"https://shop.example/\"onload=x", false, false},
    {"https://shop.example/<script>", false, false},
    {"https://shop.example/`x`", false, false},
    {"https://shop.example/{x}", false, false},
    {"https://shop.example/a|b^c", false, false},
    {"https://shop.example/#a#b", false, false},
    {"https://shop.example%0d%0a/", false, false},
    {"https://shop.example%2f.evil.example/", false, false},
    {"https://shop%2eexample/", false, false},
    {"https://shop.example/%0d%0aSet-Cookie:x", false, false},
    {"https://shop.example/%00", false, false},
    {"https://shop.example/%1F", false, false},
    {"https://shop.example/%7f", false, false},
    {"https://shop.example/%7F", false, false},
    {"https://shop.example/%7e", false, true},
    {"https://shop.example/?q=%E2%82%AC", false, true},
    {"https://shop.example/%", false, false},
    {"https://shop.example/%2", false, false},
    {"https://shop.example/%2g", false, false},
    {"https://shop.example/%g2", false, false},
    {"https://shop.example/%20%", false, false},
    /* names that look alike */
    {"https://sh\xd0\xbep.example/", false, false}, /* Cyrillic o */
    {"https://shop\xe3\x80\x82"
     "example/",
     false, false},                                           /* ideographic full stop */
    {"https://shop.example\xef\xbc\x8f.evil/", false, false}, /* fullwidth slash */
    {"https://shop.e\xc2\xadxample/", false, false},          /* soft hyphen */
    {"https://\xef\xbd\x93hop.example/", false, false},       /* fullwidth s */
    {"https://shop.example/\xc3\xa9", false, false},
    {"https://xn--shop-example/", false, false},
    {"https://xn--80ak6aa92e.example/", false, false},
    {"https://2130706433/", false, false},
    {"https://0x7f.1/", false, false},
    {"https://127.1/", false, false},
};

static void who_may(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool allowed = return_url_allowed(rows[i].url, HOSTS, rows[i].localhost_http);
        ROW(allowed == rows[i].allowed, "%s \"%s\"", allowed ? "allowed" : "refused", rows[i].url);
    }
    ROWS_END();
}

static void lists_of_hosts(void **state)
{
    static const struct {
        const char *hosts, *url;
        bool allowed;
    } lists[] = {
        {"", "https://shop.example/", false},
        {" ", "https://shop.example/", false},
        {"", "https://", false},
        {"shop.example", "https://shop.example/", true},
        {" shop.example ", "https://shop.example/", true},
        {"a.example b.example", "https://b.example/", true},
        {"SHOP.example", "https://shop.EXAMPLE/", true},
        {"shop.example:443", "https://shop.example/", true},
        {"shop.example:443", "http://shop.example/", false},
        {"localhost:80", "http://localhost/", true},
        {"localhost:443", "http://localhost/", false},
        {"localhost:*", "https://localhost:8443/", true},
        {"localhost:*", "http://localhost/", true},
        {"shop.example:*", "http://shop.example:80/", false},
        {"shop.example:*", "https://other.example:8443/", false},
        {"shop.example:*", "https://shop.example:99999/", false},
        {"shop.example:* other.example", "https://other.example:8443/", false},
        {":*", "https://:443/", false},
        /* entries that are none allow nothing, and do not hide those beside them */
        {"shop.example:", "https://shop.example/", false},
        {"shop.example:99999 other.example", "https://other.example/", true},
        {"shop.example:0", "https://shop.example:0/", false},
        {"shop.example.", "https://shop.example./", false},
        {"user@shop.example", "https://user@shop.example/", false},
        {"*", "https://shop.example/", false},
        {"*.example", "https://shop.example/", false},
        {"https://shop.example", "https://shop.example/", false},
        {":443", "https://:443/", false},
        {"a.exampleb.example", "https://b.example/", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(lists); i++) {
        bool allowed = return_url_allowed(lists[i].url, lists[i].hosts, true);
        ROW(allowed == lists[i].allowed, "%s \"%s\" of \"%s\"", allowed ? "allowed" : "refused",
            lists[i].url, lists[i].hosts);
    }
    ROWS_END();
}

/* 20 + more bytes, the rest of them after `mark` */
static bool long_one_is_allowed(const char *mark, size_t len)
{
    char url[RETURN_URL_BYTES + 100];
    int start = snprintf(url, sizeof url, "https://shop.example%s", mark);
    memset(url + start, 'a', len - (size_t)start);
    url[len] = '\0';
    return return_url_allowed(url, HOSTS, false);
}

static void longest(void **state)
{
    static const char *const marks[] = {"/", "?", "#", "/?x#"};
    (void)state;
    for (size_t i = 0; i < COUNT(marks); i++) {
        ROW(long_one_is_allowed(marks[i], RETURN_URL_BYTES), "2000 with %s", marks[i]);
        ROW(!long_one_is_allowed(marks[i], RETURN_URL_BYTES + 1), "2001 with %s", marks[i]);
    }
    ROWS_END();
}

static void way_back(void **state)
{
    static const struct {
        const char *url, *back;
    } ways[] = {
        {"https://shop.example", "https://shop.example?paymentId=PAY_1&status=completed"},
        {"https://shop.example/", "https://shop.example/?paymentId=PAY_1&status=completed"},
        {"https://shop.example/b?a=1",
         "https://shop.example/b?a=1&paymentId=PAY_1&status=completed"},
        {"https://shop.example/b?", "https://shop.example/b?paymentId=PAY_1&status=completed"},
        {"https://shop.example/b?a&", "https://shop.example/b?a&paymentId=PAY_1&status=completed"},
        {"https://shop.example/b&", "https://shop.example/b&?paymentId=PAY_1&status=completed"},
        {"https://shop.example/#done",
         "https://shop.example/?paymentId=PAY_1&status=completed#done"},
        {"https://shop.example/?a=1#b?c",
         "https://shop.example/?a=1&paymentId=PAY_1&status=completed#b?c"},
        {"https://shop.example/#b?c", "https://shop.example/?paymentId=PAY_1&status=completed#b?c"},
        {"https://shop.example/?#b", "https://shop.example/?paymentId=PAY_1&status=completed#b"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(ways); i++) {
        char back[200];
        size_t need = strlen(ways[i].back) + 1;
        ROW(return_url_with(ways[i].url, "PAY_1", "completed", back, sizeof back) &&
                strcmp(back, ways[i].back) == 0,
            "%s became %s", ways[i].url, back);
        ROW(return_url_allowed(back, HOSTS, false), "%s is not allowed", back);
        ROW(return_url_with(ways[i].url, "PAY_1", "completed", back, need), "%s: fits exactly",
            ways[i].url);
        ROW(!return_url_with(ways[i].url, "PAY_1", "completed", back, need - 1) && back[0] == '\0',
            "%s: one byte is missing", ways[i].url);
    }
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_may),
        TEST(lists_of_hosts),
        TEST(longest),
        TEST(way_back),
    };
    return cmocka_run_group_tests_name("return URL", tests, NULL, NULL);
}
