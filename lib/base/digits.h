/* Decimal numbers within a text. */
#ifndef PK_BASE_DIGITS_H
#define PK_BASE_DIGITS_H

#include <stddef.h>
#include <stdint.h>

/* Reads digits from text[0..bytes). Returns how many it took; 0, *value untouched: no digit, or
 * more than 64 bits. */
static inline size_t pk_digits(const char *text, size_t bytes, uint64_t *value) {
    uint64_t sum = 0;
    size_t i = 0;
    for (; i < bytes && text[i] >= '0' && text[i] <= '9'; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (__builtin_mul_overflow(sum, 10u, &sum) || __builtin_add_overflow(sum, digit, &sum))
            return 0;
    }
    if (i > 0) *value = sum;
    return i;
}

#endif
