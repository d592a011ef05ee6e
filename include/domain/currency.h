/* The currencies that one can pay in, and how many decimal places each has (ISO 4217). */
#ifndef DOMAIN_CURRENCY_H
#define DOMAIN_CURRENCY_H

/* 0, 2 or 3 decimal places; -1 for what is no active currency of ISO 4217: retired codes, test
 * codes, metals, and the units of account and funds (CLF, UYW, XDR, ...), which nobody pays in. */
int currency_exponent(const char *code);

#endif
