/* The rarer half of counting (alloc/hook_hot.h). */
#include "alloc/hook.h"

#include <time.h>

#include "alloc/hook_hot.h"

/* ---- the peak ---- */

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

/* Alone, as much as makes no peak. */
void pk_hook_set_held_max(pk_hook_thread *t) {
    pk_image_head *head = t->head;
    t->held_max = PK_HOOK_HELD_MAX;
    if (atomic_load_explicit(&pk_hook.process->threads, memory_order_relaxed) != 1) return;
    int64_t room = atomic_load_explicit(&head->peak_bytes, memory_order_relaxed) -
                   atomic_load_explicit(&head->live_bytes, memory_order_relaxed);
    if (room < t->held_max) t->held_max = room;
}

/* The peak is over with the first block that is freed; a clock for each new one would cost more
 * than all else. CLOCK_MONOTONIC_COARSE is up to 10 ms behind. */
static void peak_over(pk_image_head *head) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    uint64_t ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    atomic_store_explicit(&head->peak_ns, ns > head->started_ns ? ns : head->started_ns,
                          memory_order_relaxed);
}

void pk_hook_tell(pk_hook_thread *t) {
    pk_image_head *head = t->head;
    int64_t held = t->image->held;
    if (held < 0 && !atomic_load_explicit(&head->peak_ns, memory_order_relaxed)) peak_over(head);
    if (held > PK_HOOK_HELD_MAX || held < -PK_HOOK_HELD_MAX) {
        int64_t live = atomic_fetch_add(&head->live_bytes, held) + held;
        t->image->held = 0;
        peak_at(head, live);
    } else if (atomic_load_explicit(&pk_hook.process->threads, memory_order_relaxed) == 1) {
        peak_at(head, atomic_load_explicit(&head->live_bytes, memory_order_relaxed) + held);
    }
    pk_hook_set_held_max(t);
}

void pk_hook_keep(const pk_hook_thread *t, pk_image_cell *cell, bool freeing) {
    pk_image_head *head = t->head;
    if (t->flags & PK_HOOK_SAMPLED) {
        cell->at_peak_calls = (int64_t)(cell->estimated_calls - cell->estimated_freed_calls);
        cell->at_peak_bytes = (int64_t)(cell->estimated_bytes - cell->estimated_freed_bytes);
    } else {
        cell->at_peak_calls = (int64_t)(cell->calls - cell->freed_calls);
        cell->at_peak_bytes = (int64_t)(cell->bytes - cell->freed_bytes);
    }
    cell->epoch = atomic_load_explicit(&head->epoch, memory_order_relaxed);
    if (freeing && !atomic_load_explicit(&head->peak_ns, memory_order_relaxed)) peak_over(head);
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
