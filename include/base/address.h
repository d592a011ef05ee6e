/* E-mail addresses, as far as they may go into a header or a command of SMTP. */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>

#define ADDRESS_BYTES_MAX 254

/* local@domain of plain ASCII: no blank, control character, quote, bracket or comma, so that it
 * ends nowhere but at its end. Addresses in other scripts are refused: servers that take them
 * are rare. */
bool address_valid(const char *address);

/* The part after the '@' of a valid address. */
const char *address_domain(const char *address);

#endif
