/* The rarer half of counting (alloc/hook_hot.h). */
#include "alloc/hook.h"

#include <time.h>

#include "alloc/hook_hot.h"

/* ---- the peak ---- */

/* The clock is up to 10 ms behind, and cheap. */
void pk_hook_peak_at(pk_image_head *head, int64_t live) {
    struct timespec now;
    int64_t peak = atomic_load_explicit(&head->peak_bytes, memory_order_relaxed);
    do {
        if (live <= peak) return;
    } while (!atomic_compare_exchange_weak(&head->peak_bytes, &peak, live));
    atomic_fetch_add(&head->epoch, 1);
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    uint64_t ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    atomic_store_explicit(&head->peak_ns, ns > head->started_ns ? ns : head->started_ns,
                          memory_order_relaxed);
}

void pk_hook_tell(pk_hook_thread *t) {
    int64_t held = t->image->held;
    int64_t live = atomic_fetch_add(&t->head->live_bytes, held) + held;
    t->image->held = 0;
    pk_hook_peak_at(t->head, live);
}

void pk_hook_keep(const pk_hook_thread *t, pk_image_cell *cell) {
    if (t->flags & PK_HOOK_SAMPLED) {
        cell->at_peak_calls = (int64_t)(cell->estimated_calls - cell->estimated_freed_calls);
        cell->at_peak_bytes = (int64_t)(cell->estimated_bytes - cell->estimated_freed_bytes);
    } else {
        cell->at_peak_calls = (int64_t)(cell->calls - cell->freed_calls);
        cell->at_peak_bytes = (int64_t)(cell->bytes - cell->freed_bytes);
    }
    cell->epoch = atomic_load_explicit(&t->head->epoch, memory_order_relaxed);
}

/* ---- samples ---- */

/* What a sampled block stands for: 1 / p of itself, with the variance (1 - p) / p^2. */
int64_t pk_hook_estimate(pk_image_cell *cell, size_t bytes) {
    double p = pk_hook_sample_probability(bytes), size = (double)bytes;
    cell->estimated_calls += 1 / p;
    cell->estimated_bytes += size / p;
    cell->variance_calls += (1 - p) / (p * p);
    cell->variance_bytes += (1 - p) / (p * p) * size * size;
    return (int64_t)(size / p);
}

int64_t pk_hook_estimate_freed(pk_image_cell *cell, size_t bytes) {
    double p = pk_hook_sample_probability(bytes), size = (double)bytes;
    cell->estimated_freed_calls += 1 / p;
    cell->estimated_freed_bytes += size / p;
    return (int64_t)(size / p);
}

/* ---- calls ---- */

void pk_hook_allocated(pk_alloc_function function, const void *p, size_t bytes,
                       const uint64_t *frame) {
    pk_hook_allocated_hot(function, p, bytes, frame);
}

/* A block that is not known is no news when most are not in the sample. */
void pk_hook_unknown(pk_hook_thread *t) {
    t->last = NULL;
    if (!pk_hook.sample_bytes) atomic_fetch_add(&t->head->unknown_frees, 1);
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
    else if (block.cell) pk_hook_credit(t, p, block);
    else if (freed) pk_hook_unknown(t);
    pk_hook_leave(t);
}
