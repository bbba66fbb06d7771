/* The map of live blocks (alloc/hook_hot.h): making its parts, and blocks of 4 GiB and more. */
#include "alloc/hook.h"

#include <errno.h>
#include <sys/mman.h>

#include "alloc/hook_hot.h"

bool pk_hook_live_init(void) {
    if (!pk_hook.live)
        pk_hook.live = pk_hook_memory(sizeof(pk_live_link) << PK_LIVE_TOP_BITS, MADV_WIPEONFORK);
    return pk_hook.live != NULL;
}

/* What the program's other threads may be looking at is not there any more: nobody counts. */
void pk_hook_live_clear(void) {
    size_t leaf_bytes = sizeof(pk_live_place) << (PK_LIVE_LEAF_BITS - pk_hook.granule_shift);
    for (size_t i = 0; pk_hook.live && i < (size_t)1 << PK_LIVE_TOP_BITS; i++) {
        pk_live_link *middle = atomic_exchange(&pk_hook.live[i], NULL);
        for (size_t j = 0; middle && j < (size_t)1 << PK_LIVE_MIDDLE_BITS; j++) {
            void *leaf = atomic_load(&middle[j]);
            if (leaf) pk_hook_unmap(leaf, leaf_bytes);
        }
        if (middle) pk_hook_unmap(middle, sizeof(pk_live_link) << PK_LIVE_MIDDLE_BITS);
    }
}

/* What the link leads to, made if it is not there yet. NULL: no memory. */
static void *follow_or_make(pk_live_link *at, size_t bytes) {
    void *there = atomic_load_explicit(at, memory_order_acquire);
    if (there) return there;
    int error = errno;
    void *made = pk_hook_memory(bytes, MADV_DONTFORK);
    errno = error;
    if (!made) return NULL;
    if (atomic_compare_exchange_strong(at, &there, made)) return made;
    pk_hook_unmap(made, bytes);
    return there;
}

static pk_live_place *make_place(uint64_t address) {
    if (address >> PK_LIVE_ADDRESS_BITS) return NULL;
    void *middle =
        follow_or_make(pk_live_top(address), sizeof(pk_live_link) << PK_LIVE_MIDDLE_BITS);
    if (!middle ||
        !follow_or_make(pk_live_middle(middle, address),
                        sizeof(pk_live_place) << (PK_LIVE_LEAF_BITS - pk_hook.granule_shift)))
        return NULL;
    return pk_live_find(address);
}

static uint64_t behind(const void *p) {
    return (uint64_t)p + (1u << pk_hook.granule_shift);
}

bool pk_hook_live_put(const void *p, pk_hook_block block) {
    pk_live_place *at = make_place((uint64_t)p);
    if (!at) return false;
    uint64_t size = block.size;
    if (size >= PK_LIVE_LARGE) {
        pk_live_place *next = make_place(behind(p));
        if (!next) return false;
        atomic_store_explicit(next, size, memory_order_relaxed);
        size = PK_LIVE_LARGE;
    }
    atomic_store_explicit(at, size << 32 | block.cell, memory_order_relaxed);
    return true;
}

uint64_t pk_hook_live_size(const void *p) {
    pk_live_place *next = pk_live_find(behind(p));
    return next ? atomic_exchange_explicit(next, 0, memory_order_relaxed) : PK_LIVE_LARGE;
}
