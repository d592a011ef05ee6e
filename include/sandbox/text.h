/* Small writers of text that several parts of the sandbox share. */
#ifndef SANDBOX_TEXT_H
#define SANDBOX_TEXT_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* Copies what fits; everything but printable ASCII becomes a question mark, so that text from
 * headers and paths can go into JSON whatever its bytes are. */
void text_clip(char *to, size_t size, const char *from);

/* 1234 USD as 12.34 USD, by the currency's own number of decimals. */
void buf_money(struct buf *buf, int64_t amount, const char *currency);

/* A decimal number without floating point: decimal 29 with 3 places is 0.029; trailing zeros go,
 * but min_places stay. */
void buf_decimal(struct buf *buf, int64_t decimal, int places, int min_places);

/* 2026-05-04T10:30:00.000000Z */
void buf_time(struct buf *buf, int64_t time_ms);

#endif
