/* Reads digits. strtoll would take blanks, signs and, in other bases, letters. */
#include "domain/digits.h"

bool digits_parse(const char *text, size_t len, int64_t *ret_number)
{
    int64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, text[i] - '0', &number))
            return false;
    }
    if (len == 0)
        return false;
    *ret_number = number;
    return true;
}
