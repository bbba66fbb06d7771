/* The bytes that /bytes, /stream and /drip send: lines of 64 characters, "0123..XYZ-_\n" rotated by
 * one per line, so that a byte's place can be checked. Byte i depends on i modulo the block alone.
 */
#ifndef PK_SERVE_PATTERN_H
#define PK_SERVE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

#define PK_PATTERN_BLOCK_BYTES (1ull << 20)

/* Byte number i. */
char pk_pattern_byte(uint64_t i);
/* Bytes start .. start + n of it. */
void pk_pattern_fill(char *out, uint64_t start, size_t n);

/* `bytes` of it as memory to send from, read-only: one block, mapped again and again, so that even
 * gigabytes cost one block. NULL and *err on failure. Rounded up to whole blocks inside. */
const char *pk_pattern_map(uint64_t bytes, pk_err *err) PK_MUST_CHECK;
void pk_pattern_unmap(const char *map, uint64_t bytes);

#endif
