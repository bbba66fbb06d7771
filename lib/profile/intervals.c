#include "profile/intervals.h"

#include <assert.h>
#include <stdlib.h>

static int outer_first(const void *a, const void *b) {
    const pk_interval *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end) return x->end > y->end ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

void pk_intervals_nest(pk_interval *items, size_t n) {
    assert(n < PK_INTERVAL_NONE);
    if (n == 0) return;
    size_t ordered = 1;
    while (ordered < n && outer_first(&items[ordered - 1], &items[ordered]) <= 0) ordered++;
    if (ordered < n) qsort(items, n, sizeof *items, outer_first);
    /* The chain from the last one outwards is a stack: those that ended are of no use to whatever
     * begins later. */
    uint32_t top = PK_INTERVAL_NONE;
    for (uint32_t i = 0; i < n; i++) {
        while (top != PK_INTERVAL_NONE && items[top].end <= items[i].begin) top = items[top].outer;
        items[i].outer = top;
        top = i;
    }
}

static uint32_t covering(const pk_interval *items, uint32_t i, uint64_t address) {
    while (i != PK_INTERVAL_NONE && items[i].end <= address) i = items[i].outer;
    return i;
}

uint32_t pk_intervals_find(const pk_interval *items, size_t n, uint64_t address) {
    size_t low = 0, high = n; /* all before low begin at or below the address */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (items[middle].begin <= address) low = middle + 1;
        else high = middle;
    }
    return low == 0 ? PK_INTERVAL_NONE : covering(items, (uint32_t)(low - 1), address);
}

uint32_t pk_intervals_outer(const pk_interval *items, uint32_t i, uint64_t address) {
    return covering(items, items[i].outer, address);
}
