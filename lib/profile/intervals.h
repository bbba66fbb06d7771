/* Half-open intervals of addresses that may lie in each other, found by binary search: symbols,
 * compilation units, inlined functions. */
#ifndef PK_PROFILE_INTERVALS_H
#define PK_PROFILE_INTERVALS_H

#include <stddef.h>
#include <stdint.h>

#define PK_INTERVAL_NONE UINT32_MAX

typedef struct pk_interval {
    uint64_t begin, end; /* [begin, end) */
    uint32_t value;      /* the caller's; among equal intervals the lower one is the outer one */
    uint32_t outer;      /* set by nest: the next one outwards to look at, or PK_INTERVAL_NONE */
} pk_interval;

/* Sorts by begin, then the longer first, and links each to its outer one. */
void pk_intervals_nest(pk_interval *items, size_t n);
/* The innermost that covers the address, or PK_INTERVAL_NONE. */
uint32_t pk_intervals_find(const pk_interval *items, size_t n, uint64_t address);
/* The next one outwards of items[i] that covers the address as well, or PK_INTERVAL_NONE. */
uint32_t pk_intervals_outer(const pk_interval *items, uint32_t i, uint64_t address);

#endif
