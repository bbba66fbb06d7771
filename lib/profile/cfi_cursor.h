/* What the readers of call frame information share: bytes and LEB128 numbers (DWARF 5, 7.6). */
#ifndef PK_PROFILE_CFI_CURSOR_H
#define PK_PROFILE_CFI_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What is left to read; a read beyond the end gives 0 and is remembered. `address` is where the
 * program has the byte at `at`. */
typedef struct cursor {
    const uint8_t *at, *end;
    uint64_t address;
    bool failed;
} cursor;

static inline const uint8_t *take(cursor *c, size_t n) {
    if (c->failed || n > (size_t)(c->end - c->at)) {
        c->failed = true;
        return NULL;
    }
    const uint8_t *at = c->at;
    c->at += n;
    c->address += n;
    return at;
}

static inline uint64_t unsigned_bytes(cursor *c, size_t n) {
    uint64_t value = 0;
    const uint8_t *at = take(c, n);
    if (at) memcpy(&value, at, n);
    return value;
}

static inline int64_t signed_bytes(cursor *c, size_t n) {
    uint64_t value = unsigned_bytes(c, n);
    unsigned shift = (unsigned)(64 - 8 * n);
    return (int64_t)(value << shift) >> shift;
}

static inline uint8_t byte(cursor *c) {
    const uint8_t *at = take(c, 1);
    return at ? *at : 0;
}

static inline uint64_t uleb(cursor *c) {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t b = byte(c);
        if (shift < 64) value |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) return value;
    }
}

static inline int64_t sleb(cursor *c) {
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t b;
    do {
        b = byte(c);
        if (shift < 64) value |= (uint64_t)(b & 0x7f) << shift;
        shift += 7;
    } while (b & 0x80);
    if (shift < 64 && b & 0x40) value |= ~(uint64_t)0 << shift;
    return (int64_t)value;
}

#endif
