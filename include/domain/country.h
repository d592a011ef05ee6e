/* ISO 3166-1, the two-letter codes. */
#ifndef DOMAIN_COUNTRY_H
#define DOMAIN_COUNTRY_H

#include <stdbool.h>

/* Two capital letters that stand for a country. */
bool country_valid(const char *code);

#endif
