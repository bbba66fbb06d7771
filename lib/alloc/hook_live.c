/* The map of live blocks (alloc/hook_hot.h): making its parts, and blocks of 4 GiB and more. */
#include "alloc/hook.h"

#include <errno.h>
#include <sys/mman.h>

#include "alloc/hook_hot.h"

#define TOP_LINKS ((size_t)1 << PK_LIVE_TOP_BITS)
#define MIDDLE_LINKS ((size_t)1 << PK_LIVE_MIDDLE_BITS)

static size_t leaf_bytes(void) {
    return sizeof(pk_live_place) << (PK_LIVE_LEAF_BITS - pk_hook.granule_shift);
}

bool pk_hook_live_init(void) {
    if (!pk_hook.live)
        pk_hook.live = pk_hook_memory(TOP_LINKS * sizeof(pk_live_link), MADV_WIPEONFORK);
    return pk_hook.live != NULL;
}

void pk_hook_live_clear(void) {
    for (size_t i = 0; pk_hook.live && i < TOP_LINKS; i++) {
        pk_live_link *middle = atomic_exchange(&pk_hook.live[i], NULL);
        for (size_t j = 0; middle && j < MIDDLE_LINKS; j++) {
            void *leaf = atomic_load(&middle[j]);
            if (leaf) munmap(leaf, leaf_bytes());
        }
        if (middle) munmap(middle, MIDDLE_LINKS * sizeof(pk_live_link));
    }
}

/* Links to what was made, unless another thread was first. Returns what is linked; NULL: nothing
 * could be made. */
static void *link_or_drop(pk_live_link *at, void *made, size_t bytes) {
    void *there = NULL;
    if (!made) return NULL;
    if (atomic_compare_exchange_strong(at, &there, made)) return made;
    munmap(made, bytes);
    return there;
}

static void *make_middle(uint64_t address) {
    pk_live_link *at = pk_live_top(address);
    void *there = atomic_load_explicit(at, memory_order_acquire);
    size_t bytes = MIDDLE_LINKS * sizeof(pk_live_link);
    return there ? there : link_or_drop(at, pk_hook_memory(bytes, MADV_DONTFORK), bytes);
}

/* At a multiple of its size, so that it can be one large page (or two). A leaf whose lower
 * neighbour is there belongs to a heap that grows: all of it will be used, and a large page costs
 * one fault in place of 512. */
static void *new_leaf(const pk_live_link *at, bool has_lower) {
    size_t bytes = leaf_bytes();
    unsigned char *twice = pk_hook_memory(2 * bytes, MADV_DONTFORK);
    if (!twice) return NULL;
    size_t before = (bytes - ((uintptr_t)twice & (bytes - 1))) & (bytes - 1);
    if (before) munmap(twice, before);
    munmap(twice + before + bytes, bytes - before);
    if (has_lower && atomic_load(at - 1)) madvise(twice + before, bytes, MADV_HUGEPAGE);
    return twice + before;
}

static void *make_leaf(void *middle, uint64_t address) {
    pk_live_link *at = pk_live_middle(middle, address);
    void *there = atomic_load_explicit(at, memory_order_acquire);
    return there ? there
                 : link_or_drop(at, new_leaf(at, at > (pk_live_link *)middle), leaf_bytes());
}

static pk_live_place *make_place(uint64_t address) {
    if (address >> PK_LIVE_ADDRESS_BITS) return NULL;
    int error = errno;
    void *middle = make_middle(address), *leaf = middle ? make_leaf(middle, address) : NULL;
    errno = error;
    return leaf ? pk_live_find(address) : NULL;
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
