/* Judges addresses by their form alone; whether one exists is known when a server takes the mail.
 */
#include "base/address.h"

#include <string.h>

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define LOCAL_CHARS        LETTERS_AND_DIGITS "!#$%&'*+-/=?^_`{|}~."
#define DOMAIN_CHARS       LETTERS_AND_DIGITS "-."

enum { LOCAL_BYTES_MAX = 64 };

/* Words with single dots between them. */
static bool is_dotted(const char *text, size_t len)
{
    return len > 0 && text[0] != '.' && text[len - 1] != '.' && memmem(text, len, "..", 2) == NULL;
}

bool address_valid(const char *address)
{
    size_t local = strspn(address, LOCAL_CHARS);
    if (address[local] != '@' || local > LOCAL_BYTES_MAX || !is_dotted(address, local))
        return false;
    const char *domain = address + local + 1;
    size_t len = strlen(domain);
    return local + 1 + len <= ADDRESS_BYTES_MAX && strspn(domain, DOMAIN_CHARS) == len &&
           is_dotted(domain, len);
}

const char *address_domain(const char *address)
{
    return strchr(address, '@') + 1;
}
