/* E-mail addresses: what may go into a header or an SMTP command, and nothing that ends it early.
 */
#include "check.h"

#include "base/address.h"

#include <string.h>

static void forms(void **state)
{
    static const struct {
        const char *address;
        bool valid;
    } rows[] = {
        {"alice@example.com", true},
        {"a@b", true},
        {"alice@localhost", true},
        {"first.last+tag@sub.example.co.uk", true},
        {"o'brien!#$%&*-/=?^_`{|}~@example.com", true},
        {"1@2.3", true},
        {"", false},
        {"@", false},
        {"alice", false},
        {"alice@", false},
        {"@example.com", false},
        {"a@b@c", false},
        {"alice@exam ple.com", false},
        {" alice@example.com", false},
        {"alice@example.com ", false},
        {"al ice@example.com", false},
        {".alice@example.com", false},
        {"alice.@example.com", false},
        {"al..ice@example.com", false},
        {"alice@.example.com", false},
        {"alice@example.com.", false},
        {"alice@example..com", false},
        {"<alice@example.com>", false},
        {"alice@example.com>", false},
        {"alice@example.com> SIZE=1", false},
        {"Alice <alice@example.com>", false},
        {"alice@example.com,bob@example.com", false},
        {"alice,bob@example.com", false},
        {"alice;@example.com", false},
        {"alice:@example.com", false},
        {"\"alice\"@example.com", false},
        {"al\\ice@example.com", false},
        {"alice(x)@example.com", false},
        {"alice@[127.0.0.1]", false},
        {"alice@exam_ple.com", false},
        {"alice@example.com\r\nRCPT TO:<bob@example.com>", false},
        {"alice@example.com\n", false},
        {"alice@example.com\r", false},
        {"alice\r\n@example.com", false},
        {"alice\t@example.com", false},
        {"alice\x7f@example.com", false},
        {"alic\xc3\xa9@example.com", false},
        {"alice@ex\xc3\xa4mple.com", false},
        {"alice@xn--exmple-cua.com", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        ROW(address_valid(rows[i].address) == rows[i].valid, "\"%s\"", rows[i].address);
    ROWS_END();
    assert_string_equal(address_domain("alice@example.com"), "example.com");
}

static void longest(void **state)
{
    char address[400];
    (void)state;
    for (size_t local = 63; local <= 65; local++)
        for (size_t whole = 253; whole <= 255; whole++) {
            memset(address, 'a', whole);
            address[local] = '@';
            address[whole] = '\0';
            ROW(address_valid(address) == (local <= 64 && whole <= 254), "%zu of %zu bytes", local,
                whole);
        }
    ROWS_END();
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(forms), TEST(longest)};
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
