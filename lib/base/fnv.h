/* FNV-1a, 64 bits (Fowler, Noll, Vo; RFC 9923): a hash for tables and names, none against malice.
 */
#ifndef PK_BASE_FNV_H
#define PK_BASE_FNV_H

#include <stddef.h>
#include <stdint.h>

#define PK_FNV_START 0xcbf29ce484222325u
#define PK_FNV_PRIME 0x100000001b3u

/* Goes on from `hash`; PK_FNV_START for the first piece. */
static inline uint64_t pk_fnv1a(uint64_t hash, const void *data, size_t bytes) {
    const unsigned char *p = data;
    for (size_t i = 0; i < bytes; i++) hash = (hash ^ p[i]) * PK_FNV_PRIME;
    return hash;
}

#endif
