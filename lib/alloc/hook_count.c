/* Counting: into the thread's figures, the stack's cell, the live bytes and their peak. */
#include "alloc/hook.h"

#include <time.h>

#include "alloc/hook_hot.h"

/* ---- live bytes and the peak ---- */

static void peak_at(pk_image_head *head, int64_t live) {
    int64_t peak = atomic_load_explicit(&head->peak_bytes, memory_order_relaxed);
    while (live > peak)
        if (atomic_compare_exchange_weak(&head->peak_bytes, &peak, live)) {
            atomic_fetch_add(&head->epoch, 1);
            if (atomic_load_explicit(&head->peak_ns, memory_order_relaxed))
                atomic_store_explicit(&head->peak_ns, 0, memory_order_relaxed);
            return;
        }
}

/* A thread alone knows the sum exactly; among others it tells them each 64 KiB. */
static inline void live_add(pk_hook_thread *t, int64_t bytes) {
    pk_image_head *head = t->head;
    int64_t held = t->image->held + bytes;
    if (PK_UNLIKELY(held >= PK_HOOK_HELD_MAX || held <= -PK_HOOK_HELD_MAX)) {
        int64_t live = atomic_fetch_add(&head->live_bytes, held) + held;
        held = 0;
        peak_at(head, live);
    } else if (atomic_load_explicit(&pk_hook.process->threads, memory_order_relaxed) == 1) {
        int64_t live = atomic_load_explicit(&head->live_bytes, memory_order_relaxed) + held;
        if (live > atomic_load_explicit(&head->peak_bytes, memory_order_relaxed))
            peak_at(head, live);
    }
    t->image->held = held;
}

/* The peak is over with the first block that is freed; a clock for each new one would cost more
 * than all else. */
static inline void end_of_peak(pk_image_head *head) {
    struct timespec now;
    if (PK_LIKELY(atomic_load_explicit(&head->peak_ns, memory_order_relaxed))) return;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now); /* up to 10 ms behind */
    uint64_t ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    atomic_store_explicit(&head->peak_ns, ns > head->started_ns ? ns : head->started_ns,
                          memory_order_relaxed);
}

/* Before a cell changes for the first time after a peak, what it had live then is kept. */
static inline void keep_peak(const pk_hook_thread *t, pk_image_cell *cell) {
    uint32_t epoch = atomic_load_explicit(&t->head->epoch, memory_order_relaxed);
    if (cell->epoch == epoch) return;
    if (PK_UNLIKELY(pk_hook.sample_bytes != 0)) {
        cell->at_peak_calls = (int64_t)(cell->estimated_calls - cell->estimated_freed_calls);
        cell->at_peak_bytes = (int64_t)(cell->estimated_bytes - cell->estimated_freed_bytes);
    } else {
        cell->at_peak_calls = (int64_t)(cell->calls - cell->freed_calls);
        cell->at_peak_bytes = (int64_t)(cell->bytes - cell->freed_bytes);
    }
    cell->epoch = epoch;
}

/* ---- allocations ---- */

/* What a sampled block stands for: 1 / p of itself, with the variance (1 - p) / p^2. */
static int64_t estimate(pk_image_cell *cell, size_t bytes) {
    double p = pk_hook_sample_probability(bytes), size = (double)bytes;
    cell->estimated_calls += 1 / p;
    cell->estimated_bytes += size / p;
    cell->variance_calls += (1 - p) / (p * p);
    cell->variance_bytes += (1 - p) / (p * p) * size * size;
    return (int64_t)(size / p);
}

static inline void add(pk_hook_thread *t, pk_image_cell *cell, uint32_t number, const void *p,
                       size_t bytes) {
    bool live = (pk_hook.flags & PK_ALLOC_LIVE) != 0;
    int64_t stands_for = (int64_t)bytes;
    if (live) keep_peak(t, cell);
    cell->calls++;
    cell->bytes += bytes;
    if (PK_UNLIKELY(pk_hook.sample_bytes != 0)) stands_for = estimate(cell, bytes);
    if (!live) return;
    if (PK_UNLIKELY(!pk_live_put(p, (pk_hook_block){bytes, number}))) {
        atomic_fetch_add(&t->head->full, 1);
        return;
    }
    t->last = p;
    live_add(t, stands_for);
}

static inline pk_image_cell *stack_cell(pk_hook_thread *t, uint8_t function,
                                        const pk_hook_site *site, uint32_t *number) {
    uint32_t generation = atomic_load_explicit(&pk_hook.process->generation, memory_order_relaxed);
    if (PK_UNLIKELY(t->generation != generation)) pk_hook_memo_forget(t, generation);
    pk_hook_memo **slot = pk_hook_memo_slot(t, site);
    const pk_hook_memo *memo = *slot;
    if (PK_UNLIKELY(!memo || !pk_hook_memo_holds(memo, function, site)))
        return pk_hook_memo_make(t, slot, function, site, number);
    t->image->stacks_remembered++;
    if (PK_UNLIKELY(pk_hook.flags & PK_ALLOC_CHECK)) pk_hook_memo_check(t, memo, site);
    *number = memo->cell;
    return memo->into;
}

void pk_hook_allocated(pk_alloc_function function, const void *p, size_t bytes,
                       const uint64_t *frame) {
    pk_hook_thread *t = pk_hook_enter();
    if (!t) return;
    pk_image_thread *image = t->image;
    image->calls++;
    image->bytes += bytes;
    image->sizes[pk_image_size_class(bytes)]++;
    if (PK_UNLIKELY(pk_hook.sample_bytes != 0) && !pk_hook_sampled(t, bytes)) {
        t->last = NULL;
    } else {
        pk_hook_site site = {.ip = frame[1], .sp = (uint64_t)(frame + 2), .fp = frame[0]};
        uint32_t number = 0;
        pk_image_cell *cell = stack_cell(t, (uint8_t)function, &site, &number);
        if (PK_LIKELY(cell != NULL)) add(t, cell, number, p, bytes);
    }
    pk_hook_leave(t);
}

/* ---- frees ---- */

static inline void credit(pk_hook_thread *t, const void *p, pk_hook_block block) {
    bool own = pk_hook.chunks[block.cell / PK_IMAGE_CELLS].thread == t->number;
    pk_image_cell *cell =
        PK_LIKELY(own) ? pk_hook_cell_at(block.cell) : pk_hook_foreign_cell(t, block.cell);
    int64_t stands_for = (int64_t)block.size;
    t->image->frees++;
    t->image->freed_bytes += block.size;
    if (PK_LIKELY(cell != NULL)) {
        keep_peak(t, cell);
        cell->freed_calls++;
        cell->freed_bytes += block.size;
        if (PK_UNLIKELY(pk_hook.sample_bytes != 0)) {
            double probability = pk_hook_sample_probability(block.size);
            cell->estimated_freed_calls += 1 / probability;
            cell->estimated_freed_bytes += (double)block.size / probability;
            stands_for = (int64_t)((double)block.size / probability);
        }
        if (t->last == p) {
            cell->temporary++;
            t->image->temporary++;
        }
    }
    t->last = NULL;
    end_of_peak(t->head);
    live_add(t, -stands_for);
}

/* A block that is not known is no news when most are not in the sample. */
static inline void unknown(pk_hook_thread *t) {
    t->last = NULL;
    if (!pk_hook.sample_bytes) atomic_fetch_add(&t->head->unknown_frees, 1);
}

void pk_hook_freeing(const void *p) {
    if (!(pk_hook.flags & PK_ALLOC_LIVE)) return;
    pk_hook_thread *t = pk_hook_enter();
    if (!t) return;
    pk_hook_block block = pk_live_take(p);
    if (PK_LIKELY(block.cell)) credit(t, p, block);
    else unknown(t);
    pk_hook_leave(t);
}

pk_hook_block pk_hook_moving(const void *p) {
    pk_hook_block block = {0, 0};
    if (!(pk_hook.flags & PK_ALLOC_LIVE)) return block;
    pk_hook_thread *t = pk_hook_enter();
    if (!t) return block;
    block = pk_live_take(p);
    pk_hook_leave(t);
    return block;
}

void pk_hook_moved(const void *p, pk_hook_block block, bool freed) {
    if (!(pk_hook.flags & PK_ALLOC_LIVE)) return;
    pk_hook_thread *t = pk_hook_enter();
    if (!t) return;
    if (!freed && block.cell) (void)pk_live_put(p, block);
    else if (block.cell) credit(t, p, block);
    else if (freed) unknown(t);
    pk_hook_leave(t);
}
