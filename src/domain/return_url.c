/* The check against open redirects, and the way back. Refuses what it does not know instead of
 * repairing it: what a browser makes of an odd URL is the browser's secret. No I/O. */
#include "domain/return_url.h"

#include "domain/digits.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define AUTHORITY_CHARS    LETTERS_AND_DIGITS "-.:[]"
#define URL_CHARS          LETTERS_AND_DIGITS "-._~:/?[]@!$&'()*+,;=%" /* and one '#' */
#define HEX_CHARS          "0123456789abcdefABCDEF"

enum { PORT_MAX = 65535, PORT_DIGITS = 5 };

struct host {
    const char *name;
    size_t name_len;
    int64_t port;
};

/* "name", "name:port", "[::1]" or "[::1]:port" */
static bool split_host(const char *text, size_t len, int64_t default_port, struct host *ret_host)
{
    size_t name_len = len;
    int64_t port = default_port;
    const char *bracket = memrchr(text, ']', len), *colon = memrchr(text, ':', len);
    if (colon != NULL && (bracket == NULL || colon > bracket)) {
        size_t digits = (size_t)(text + len - colon) - 1;
        name_len = (size_t)(colon - text);
        if (digits > PORT_DIGITS || colon[1] == '0' || !digits_parse(colon + 1, digits, &port) ||
            port > PORT_MAX)
            return false;
    }
    if (name_len == 0 || text[name_len - 1] == '.')
        return false;
    *ret_host = (struct host){text, name_len, port};
    return true;
}

static bool host_is(const struct host *host, const char *name, size_t len)
{
    return host->name_len == len && strncasecmp(host->name, name, len) == 0;
}

static bool host_is_listed(const struct host *host, const char *hosts, int64_t default_port)
{
    for (size_t len; *hosts != '\0'; hosts += len) {
        struct host entry;
        len = strspn(hosts, " ");
        if (len > 0)
            continue;
        len = strcspn(hosts, " ");
        bool any_port = len > 2 && memcmp(hosts + len - 2, ":*", 2) == 0;
        if (split_host(hosts, any_port ? len - 2 : len, default_port, &entry) &&
            host_is(host, entry.name, entry.name_len) && (any_port || host->port == entry.port))
            return true;
    }
    return false;
}

static bool host_is_local(const struct host *host)
{
    return host_is(host, "localhost", 9) || host_is(host, "127.0.0.1", 9);
}

/* Two hexadecimal digits after every '%', and none that stand for a control character. */
static bool escapes_are_harmless(const char *text)
{
    while ((text = strchr(text, '%')) != NULL) {
        text++;
        if (strspn(text, HEX_CHARS) < 2 || text[0] == '0' || text[0] == '1' ||
            strncasecmp(text, "7f", 2) == 0)
            return false;
    }
    return true;
}

static bool characters_are_right(const char *url)
{
    size_t len = strspn(url, URL_CHARS);
    if (url[len] == '#')
        len += 1 + strspn(url + len + 1, URL_CHARS);
    return len <= RETURN_URL_BYTES && url[len] == '\0' && escapes_are_harmless(url);
}

bool return_url_allowed(const char *url, const char *hosts, bool localhost_http)
{
    bool https = strncmp(url, "https://", 8) == 0;
    if ((!https && strncmp(url, "http://", 7) != 0) || !characters_are_right(url))
        return false;
    const char *authority = url + (https ? 8 : 7);
    size_t len = strcspn(authority, "/?#");
    int64_t default_port = https ? 443 : 80;
    struct host host;
    if (strspn(authority, AUTHORITY_CHARS) < len ||
        !split_host(authority, len, default_port, &host) ||
        !host_is_listed(&host, hosts, default_port))
        return false;
    return https || (localhost_http && host_is_local(&host));
}

bool return_url_with(const char *url, const char *payment_id, const char *status, char *ret_url,
                     size_t size)
{
    int before = (int)strcspn(url, "#");
    const char *query = memchr(url, '?', (size_t)before);
    const char *joint = "?";
    assert(size > 0);
    if (query != NULL)
        joint = url[before - 1] == '?' || url[before - 1] == '&' ? "" : "&";
    int len = snprintf(ret_url, size, "%.*s%spaymentId=%s&status=%s%s", before, url, joint,
                       payment_id, status, url + before);
    if ((size_t)len < size)
        return true;
    ret_url[0] = '\0';
    return false;
}
