/* Hexadecimal digits and numbers, without locale. */
#ifndef PK_BASE_HEX_H
#define PK_BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

/* 0 to 15; -1: no such digit. */
static inline int pk_hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Reads digits from text[0..bytes), "0x" in front or not. Returns how many bytes it took; 0, *value
 * untouched: no digit, or more than 64 bits. */
static inline size_t pk_hex(const char *text, size_t bytes, uint64_t *value) {
    size_t begin = bytes > 2 && text[0] == '0' && (text[1] | 32) == 'x' ? 2 : 0, i = begin;
    uint64_t sum = 0;
    for (int digit; i < bytes && (digit = pk_hex_digit(text[i])) >= 0; i++) {
        if (sum >> 60) return 0;
        sum = sum << 4 | (unsigned)digit;
    }
    if (i == begin) return 0;
    *value = sum;
    return i;
}

#endif
