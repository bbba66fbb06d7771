/* What runs at each call, in one place so that the compiler sees it whole: remembered stacks, the
 * map of live blocks, cells by number, and counting itself: into the thread's figures, the stack's
 * cell, the live bytes and their peak. */
#ifndef PK_ALLOC_HOOK_HOT_H
#define PK_ALLOC_HOOK_HOT_H

#include <string.h>

#include "alloc/hook.h"

/* ---- remembered stacks ---- */

static inline pk_hook_memo **pk_hook_memo_slot(pk_hook_thread *t, const pk_hook_site *site) {
    uint64_t hash = (site->ip ^ site->sp << 7) * 0x9e3779b97f4a7c15u;
    return &t->memos[hash >> 40 & (PK_HOOK_MEMOS - 1)];
}

/* Would the walk read the same again? */
static inline bool pk_hook_memo_holds(const pk_hook_memo *memo, uint8_t function,
                                      const pk_hook_site *site) {
    if (memo->ip != site->ip || memo->sp != site->sp || memo->function != function ||
        (memo->fp_used && memo->fp != site->fp))
        return false;
    const unsigned char *sp = (const unsigned char *)(uintptr_t)site->sp;
    for (uint32_t i = 0; i < memo->n_groups; i++) {
        const pk_hook_reads *group = &memo->reads[i];
        uint64_t different = 0;
        for (unsigned j = 0; j < 4; j++) {
            uint64_t word;
            memcpy(&word, sp + group->offsets[j], sizeof word);
            different |= word ^ group->values[j];
        }
        if (PK_UNLIKELY(different)) return false;
    }
    return true;
}

/* ---- cells ---- */

static inline pk_image_cell *pk_hook_cell_at(uint32_t number) {
    unsigned char *base = pk_hook.chunks[number / PK_IMAGE_CELLS].base;
    return (pk_image_cell *)(base + sizeof(pk_image_chunk)) + number % PK_IMAGE_CELLS;
}

/* ---- the map of live blocks: beside each place where a block may begin stand its size and its
 * cell, 8 bytes. So a block costs one store, and its end one load and one store, without lock or
 * search, and with the locality of the heap itself. Three levels: 2^13 parts of 16 GiB, of 2^14
 * pages of 1 MiB, of 2^16 places (2^17 where blocks may begin at multiples of 8). Only what is used
 * is there. ---- */

#define PK_LIVE_TOP_BITS 13
#define PK_LIVE_MIDDLE_BITS 14
#define PK_LIVE_LEAF_BITS 20 /* of the address */
#define PK_LIVE_ADDRESS_BITS (PK_LIVE_TOP_BITS + PK_LIVE_MIDDLE_BITS + PK_LIVE_LEAF_BITS)

typedef _Atomic(void *) pk_live_link;
typedef _Atomic uint64_t pk_live_place; /* size << 32 | cell */

/* A size that does not fit stands in the next place, which is within the block. */
#define PK_LIVE_LARGE UINT32_MAX

static inline pk_live_link *pk_live_top(uint64_t address) {
    return pk_hook.live + (address >> (PK_LIVE_MIDDLE_BITS + PK_LIVE_LEAF_BITS));
}

static inline pk_live_link *pk_live_middle(void *middle, uint64_t address) {
    return (pk_live_link *)middle +
           (address >> PK_LIVE_LEAF_BITS & ((1u << PK_LIVE_MIDDLE_BITS) - 1));
}

/* NULL: nothing is known there. */
static inline pk_live_place *pk_live_find(uint64_t address) {
    if (PK_UNLIKELY(address >> PK_LIVE_ADDRESS_BITS)) return NULL;
    void *middle = atomic_load_explicit(pk_live_top(address), memory_order_acquire);
    if (PK_UNLIKELY(!middle)) return NULL;
    void *leaf = atomic_load_explicit(pk_live_middle(middle, address), memory_order_acquire);
    if (PK_UNLIKELY(!leaf)) return NULL;
    return (pk_live_place *)leaf +
           ((address & ((1u << PK_LIVE_LEAF_BITS) - 1)) >> pk_hook.granule_shift);
}

/* False: no memory to remember it. */
static inline bool pk_live_put(const void *p, pk_hook_block block) {
    pk_live_place *at = pk_live_find((uint64_t)p);
    if (PK_UNLIKELY(!at || block.size >= PK_LIVE_LARGE)) return pk_hook_live_put(p, block);
    atomic_store_explicit(at, block.size << 32 | block.cell, memory_order_relaxed);
    return true;
}

static inline pk_hook_block pk_live_take(const void *p) {
    pk_live_place *at = pk_live_find((uint64_t)p);
    uint64_t value = at ? atomic_load_explicit(at, memory_order_relaxed) : 0;
    if (PK_UNLIKELY(!value)) return (pk_hook_block){0, 0};
    atomic_store_explicit(at, 0, memory_order_relaxed);
    pk_hook_block block = {value >> 32, (uint32_t)value};
    if (PK_UNLIKELY(block.size == PK_LIVE_LARGE)) block.size = pk_hook_live_size(p);
    return block;
}

/* ---- live bytes and the peak ---- */

/* While a thread alone only allocates, each call makes a peak; it is enough to note the last one,
 * before the first block is freed. Among others a thread tells each 64 KiB. */
static inline void pk_hook_more(pk_hook_thread *t, int64_t bytes) {
    t->growing = t->alone;
    t->image->held += bytes;
    if (PK_UNLIKELY(t->image->held > PK_HOOK_HELD_MAX)) pk_hook_tell(t);
}

static inline void pk_hook_less(pk_hook_thread *t, int64_t bytes) {
    t->image->held -= bytes;
    if (PK_UNLIKELY(t->image->held < -PK_HOOK_HELD_MAX)) pk_hook_tell(t);
}

/* Before it frees. */
static inline void pk_hook_grown(pk_hook_thread *t) {
    pk_image_head *head = t->head;
    if (!t->growing) return;
    t->growing = false;
    int64_t live = atomic_load_explicit(&head->live_bytes, memory_order_relaxed) + t->image->held;
    if (live > atomic_load_explicit(&head->peak_bytes, memory_order_relaxed))
        pk_hook_peak_at(head, live);
}

/* Before a cell changes for the first time after a peak, what it had live then is kept. */
static inline void pk_hook_keep_peak(const pk_hook_thread *t, pk_image_cell *cell) {
    uint32_t epoch = atomic_load_explicit(&t->head->epoch, memory_order_relaxed);
    if (PK_UNLIKELY(cell->epoch != epoch)) pk_hook_keep(t, cell);
}

/* ---- allocations ---- */

static inline pk_hook_found pk_hook_find_cell(pk_hook_thread *t, uint8_t function,
                                              const uint64_t *frame) {
    pk_hook_site site = {.ip = frame[1], .sp = (uint64_t)(frame + 2), .fp = frame[0]};
    pk_hook_memo **slot = pk_hook_memo_slot(t, &site);
    const pk_hook_memo *memo = *slot;
    if (PK_UNLIKELY(!memo || !pk_hook_memo_holds(memo, function, &site)))
        return pk_hook_memo_make(t, slot, function, site);
    t->image->stacks_remembered++;
    if (PK_UNLIKELY(t->flags & PK_ALLOC_CHECK)) pk_hook_memo_check(t, memo, &site);
    return (pk_hook_found){memo->into, memo->cell};
}

static inline void pk_hook_count(pk_hook_thread *t, pk_hook_found found, const void *p,
                                 size_t bytes) {
    pk_image_cell *cell = found.cell;
    int64_t stands_for = (int64_t)bytes;
    bool live = (t->flags & PK_ALLOC_LIVE) != 0;
    if (live) pk_hook_keep_peak(t, cell);
    cell->calls++;
    cell->bytes += bytes;
    if (PK_UNLIKELY(t->flags & PK_HOOK_SAMPLED)) stands_for = pk_hook_estimate(cell, bytes);
    if (!live) return;
    if (PK_UNLIKELY(!pk_live_put(p, (pk_hook_block){bytes, found.number}))) {
        atomic_fetch_add(&t->head->full, 1);
        return;
    }
    t->last = p;
    pk_hook_more(t, stands_for);
}

/* A block that a real function has given; frame: of the function that stands in for it. */
static inline void pk_hook_allocated_hot(pk_alloc_function function, const void *p, size_t bytes,
                                         const uint64_t *frame) {
    pk_hook_thread *t = pk_hook_enter();
    if (PK_UNLIKELY(!t)) return;
    pk_image_thread *image = t->image;
    image->calls++;
    image->bytes += bytes;
    image->sizes[pk_image_size_class(bytes)]++;
    if (PK_UNLIKELY(t->flags & PK_HOOK_SAMPLED) && !pk_hook_sampled(t, bytes)) {
        t->last = NULL;
    } else {
        pk_hook_found found = pk_hook_find_cell(t, (uint8_t)function, frame);
        if (PK_LIKELY(found.cell != NULL)) pk_hook_count(t, found, p, bytes);
    }
    pk_hook_leave(t);
}

/* ---- frees ---- */

static inline void pk_hook_credit(pk_hook_thread *t, const void *p, pk_hook_block block) {
    bool own = pk_hook.chunks[block.cell / PK_IMAGE_CELLS].thread == t->number;
    pk_image_cell *cell =
        PK_LIKELY(own) ? pk_hook_cell_at(block.cell) : pk_hook_foreign_cell(t, block.cell);
    int64_t stands_for = (int64_t)block.size;
    pk_hook_grown(t);
    t->image->frees++;
    t->image->freed_bytes += block.size;
    if (PK_LIKELY(cell != NULL)) {
        pk_hook_keep_peak(t, cell);
        cell->freed_calls++;
        cell->freed_bytes += block.size;
        if (PK_UNLIKELY(t->flags & PK_HOOK_SAMPLED))
            stands_for = pk_hook_estimate_freed(cell, block.size);
        if (t->last == p) {
            cell->temporary++;
            t->image->temporary++;
        }
    }
    t->last = NULL;
    pk_hook_less(t, stands_for);
}

/* Before a block goes back. */
static inline void pk_hook_freeing(const void *p) {
    if (!(pk_hook.flags & PK_ALLOC_LIVE)) return;
    pk_hook_thread *t = pk_hook_enter();
    if (PK_UNLIKELY(!t)) return;
    pk_hook_block block = pk_live_take(p);
    if (PK_LIKELY(block.cell)) pk_hook_credit(t, p, block);
    else pk_hook_unknown(t);
    pk_hook_leave(t);
}

#endif
