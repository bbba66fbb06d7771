/* The hexadecimal numbers of line-based tables: /proc/kallsyms, perf-PID.map. */
#ifndef PK_PROFILE_HEX_H
#define PK_PROFILE_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Reads digits from text[0..bytes), "0x" in front or not. Returns how many bytes it took; 0, *value
 * untouched: no digit, or more than 64 bits. */
static inline size_t pk_hex(const char *text, size_t bytes, uint64_t *value) {
    size_t i = bytes > 2 && text[0] == '0' && (text[1] | 32) == 'x' ? 2 : 0;
    uint64_t sum = 0;
    size_t digits = 0;
    for (; i < bytes; i++, digits++) {
        char c = text[i], lower = (char)(c | 32);
        unsigned digit;
        if (c >= '0' && c <= '9') digit = (unsigned)(c - '0');
        else if (lower >= 'a' && lower <= 'f') digit = (unsigned)(lower - 'a') + 10;
        else break;
        if (sum >> 60) return 0;
        sum = sum << 4 | digit;
    }
    if (digits == 0) return 0;
    *value = sum;
    return i;
}

#endif
