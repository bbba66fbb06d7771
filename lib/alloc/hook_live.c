/* Which blocks are live: a map in the shadow of the heap. Beside each place where a block may begin
 * stand its size and its cell, 8 bytes; so a block costs one store, and its end one load and one
 * store, without lock or search, and with the locality of the heap itself.
 *
 * Three levels: 2^13 parts of 16 GiB, of 2^14 pages of 1 MiB, of 2^16 places (2^17 where blocks may
 * begin at multiples of 8). Only what is used is there. */
#include "alloc/hook.h"

#include <errno.h>
#include <sys/mman.h>

#define TOP_BITS 13
#define MIDDLE_BITS 14
#define LEAF_BITS 20 /* of the address */
#define ADDRESS_BITS (TOP_BITS + MIDDLE_BITS + LEAF_BITS)

typedef _Atomic(void *) link;
typedef _Atomic uint64_t place; /* size << 32 | cell */

/* A size that does not fit stands in the next place, which is within the block. */
#define LARGE UINT32_MAX

bool pk_hook_live_init(void) {
    pk_hook.live = pk_hook_memory(sizeof(link) << TOP_BITS, MADV_WIPEONFORK);
    return pk_hook.live != NULL;
}

/* What the link leads to, made if it is not there yet. NULL: no memory. */
static void *follow_or_make(link *at, size_t bytes) {
    void *there = atomic_load_explicit(at, memory_order_acquire);
    if (PK_LIKELY(there != NULL)) return there;
    int error = errno;
    void *made = pk_hook_memory(bytes, MADV_DONTFORK);
    errno = error;
    if (!made) return NULL;
    if (atomic_compare_exchange_strong(at, &there, made)) return made;
    munmap(made, bytes);
    return there;
}

static link *link_of(link *level, uint64_t address, unsigned shift, unsigned bits) {
    return level + (address >> shift & ((1u << bits) - 1));
}

static place *place_of(void *leaf, uint64_t address) {
    return (place *)leaf + ((address & ((1u << LEAF_BITS) - 1)) >> pk_hook.granule_shift);
}

static place *make_place(uint64_t address) {
    if (address >> ADDRESS_BITS) return NULL;
    link *middle = follow_or_make(link_of(pk_hook.live, address, MIDDLE_BITS + LEAF_BITS, TOP_BITS),
                                  sizeof(link) << MIDDLE_BITS);
    if (!middle) return NULL;
    void *leaf = follow_or_make(link_of(middle, address, LEAF_BITS, MIDDLE_BITS),
                                sizeof(place) << (LEAF_BITS - pk_hook.granule_shift));
    return leaf ? place_of(leaf, address) : NULL;
}

static place *find_place(uint64_t address) {
    if (address >> ADDRESS_BITS) return NULL;
    link *middle = atomic_load_explicit(
        link_of(pk_hook.live, address, MIDDLE_BITS + LEAF_BITS, TOP_BITS), memory_order_acquire);
    if (!middle) return NULL;
    void *leaf = atomic_load_explicit(link_of(middle, address, LEAF_BITS, MIDDLE_BITS),
                                      memory_order_acquire);
    return leaf ? place_of(leaf, address) : NULL;
}

bool pk_hook_live_put(const void *p, pk_hook_block block) {
    place *at = make_place((uint64_t)p);
    if (!at) return false;
    uint64_t size = block.size;
    if (PK_UNLIKELY(size >= LARGE)) {
        place *next = make_place((uint64_t)p + (1u << pk_hook.granule_shift));
        if (!next) return false;
        atomic_store_explicit(next, size, memory_order_relaxed);
        size = LARGE;
    }
    atomic_store_explicit(at, size << 32 | block.cell, memory_order_relaxed);
    return true;
}

pk_hook_block pk_hook_live_take(const void *p) {
    place *at = find_place((uint64_t)p);
    if (!at) return (pk_hook_block){0, 0};
    uint64_t value = atomic_load_explicit(at, memory_order_relaxed);
    if (!value) return (pk_hook_block){0, 0};
    atomic_store_explicit(at, 0, memory_order_relaxed);
    pk_hook_block block = {value >> 32, (uint32_t)value};
    if (PK_UNLIKELY(block.size == LARGE)) {
        place *next = find_place((uint64_t)p + (1u << pk_hook.granule_shift));
        if (next) block.size = atomic_exchange_explicit(next, 0, memory_order_relaxed);
    }
    return block;
}
