/* UTF-8 (RFC 3629) and how many terminal cells it takes. No locale is involved. */
#ifndef PK_REPORT_UTF8_H
#define PK_REPORT_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define PK_UTF8_INVALID UINT32_MAX

/* The code point at the start of text[0..bytes), bytes >= 1, and how many bytes it takes. A byte
 * that starts no well-formed sequence (overlong, surrogate, cut off, over U+10FFFF) gives
 * PK_UTF8_INVALID and 1. */
size_t pk_utf8_next(const char *text, size_t bytes, uint32_t *code);

/* Cells of one code point: 0 combining marks, format and control characters, 2 East Asian wide
 * and emoji, 1 all others and PK_UTF8_INVALID. Unicode 15 as glibc's wcwidth sees it; the parts of
 * an emoji sequence are counted one by one, as most terminals draw them. */
int pk_utf8_cells(uint32_t code);

/* Length in bytes of the longest start of text[0..bytes) that takes at most max_cells, trailing
 * combining marks included; *cells is what it takes. */
size_t pk_utf8_fit(const char *text, size_t bytes, int max_cells, int *cells);

#endif
