/* Small writers of text: clipped, percent-encoded, money, time. */
#include "sandbox/text.h"

#include <string.h>
#include <time.h>

void text_clip(char *to, size_t size, const char *from)
{
    size_t len = 0;
    for (; *from != '\0' && len + 1 < size; from++)
        to[len++] = *from >= ' ' && *from <= '~' ? *from : '?';
    to[len] = '\0';
}

/* ISO 4217: most currencies have two decimals. */
static int currency_places(const char *currency)
{
    static const struct {
        int places;
        const char *currencies;
    } rows[] = {
        {0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"},
        {3, "BHD IQD JOD KWD LYD OMR TND"},
        {4, "CLF UYW"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strlen(currency) == 3 && strstr(rows[i].currencies, currency) != NULL)
            return rows[i].places;
    return 2;
}

void buf_decimal(struct buf *buf, int64_t decimal, int places, int min_places)
{
    int64_t unit = 1;
    for (int i = 0; i < places; i++)
        unit *= 10;
    int64_t fraction = decimal % unit;
    for (; places > min_places && fraction % 10 == 0; places--)
        fraction /= 10;
    buf_printf(buf, "%lld", (long long)(decimal / unit));
    if (places > 0)
        buf_printf(buf, ".%0*lld", places, (long long)fraction);
}

void buf_money(struct buf *buf, int64_t amount, const char *currency)
{
    int places = currency_places(currency);
    buf_decimal(buf, amount, places, places);
    buf_puts(buf, " ");
    buf_puts(buf, currency);
}

void buf_time(struct buf *buf, int64_t time_ms)
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    char text[32];
    (void)gmtime_r(&seconds, &parts);
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    buf_printf(buf, "%s.%03d000Z", text, (int)(time_ms % 1000));
}
