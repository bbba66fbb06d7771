/* Remembered stacks. A walk reads a few words of the stack and computes with them and with what the
 * objects say, which does not change: so if at the same place the same words stand in the same
 * slots, the frames are the same. Comparing them is some independent loads; walking is a chain of
 * dependent ones. */
#include "alloc/hook.h"

#include <errno.h>
#include <string.h>

static const uint32_t *offsets_of(const pk_hook_memo *memo) {
    return (const uint32_t *)(memo->values + memo->n_reads);
}

static inline bool holds(const pk_hook_memo *memo, uint8_t function, const pk_hook_site *site) {
    if (memo->ip != site->ip || memo->sp != site->sp || memo->function != function ||
        (memo->fp_used && memo->fp != site->fp))
        return false;
    const unsigned char *sp = (const unsigned char *)(uintptr_t)site->sp;
    const uint32_t *offsets = offsets_of(memo);
    uint64_t different = 0;
    for (uint32_t i = 0; i < memo->n_reads; i++) {
        uint64_t word;
        memcpy(&word, sp + offsets[i], sizeof word);
        different |= word ^ memo->values[i];
    }
    return different == 0;
}

static void forget_all(pk_hook_thread *t) {
    memset(t->memos, 0, sizeof t->memos);
    t->memo_used = 0;
}

static void remember(pk_hook_thread *t, pk_hook_memo **slot, uint8_t function,
                     const pk_hook_site *site, pk_image_cell *cell, uint32_t number) {
    size_t bytes = sizeof(pk_hook_memo) + t->n_reads * (sizeof(uint64_t) + sizeof(uint32_t));
    bytes = (bytes + 7) & ~(size_t)7;
    if (t->memo_used + bytes > PK_HOOK_MEMO_BYTES) forget_all(t);
    pk_hook_memo *memo = (pk_hook_memo *)(t->memo_arena + t->memo_used);
    t->memo_used += bytes;
    *memo = (pk_hook_memo){.ip = site->ip,
                           .sp = site->sp,
                           .fp = site->fp,
                           .cell = number,
                           .n_reads = (uint16_t)t->n_reads,
                           .function = function,
                           .fp_used = t->fp_used,
                           .into = cell};
    memcpy(memo->values, t->read_value, t->n_reads * sizeof(uint64_t));
    uint32_t *offsets = (uint32_t *)(memo->values + t->n_reads);
    for (uint32_t i = 0; i < t->n_reads; i++) offsets[i] = (uint32_t)(t->read_at[i] - site->sp);
    *slot = memo;
}

/* PK_ALLOC_CHECK: does the walk agree with what was remembered? */
static void check(pk_hook_thread *t, const pk_hook_memo *memo, const pk_hook_site *site) {
    uint8_t flags;
    uint32_t n = pk_hook_walk(t, site, &flags);
    if (n != memo->into->n_frames || flags != memo->into->flags ||
        memcmp(t->stack, pk_hook_cell_frames(memo->into), n * sizeof(uint64_t)) != 0)
        atomic_fetch_add(&t->head->differences, 1);
}

__attribute__((noinline)) static pk_image_cell *walk(pk_hook_thread *t, pk_hook_memo **slot,
                                                     uint8_t function, const pk_hook_site *site,
                                                     uint32_t *number) {
    int error = errno;
    uint8_t flags;
    uint32_t n = pk_hook_walk(t, site, &flags);
    pk_image_cell *cell = pk_hook_cell_of_stack(t, function, flags, n, number);
    t->image->stacks_unwound++;
    if (cell && !t->far) remember(t, slot, function, site, cell, *number);
    errno = error;
    return cell;
}

pk_image_cell *pk_hook_stack_cell(pk_hook_thread *t, uint8_t function, const pk_hook_site *site,
                                  uint32_t *number) {
    uint32_t generation = atomic_load_explicit(&pk_hook.process->generation, memory_order_relaxed);
    if (PK_UNLIKELY(t->generation != generation)) {
        forget_all(t);
        memset(t->rules, 0, sizeof t->rules);
        t->generation = generation;
    }
    uint64_t hash = (site->ip ^ site->sp << 7) * 0x9e3779b97f4a7c15u;
    pk_hook_memo **slot = &t->memos[hash >> 40 & (PK_HOOK_MEMOS - 1)];
    const pk_hook_memo *memo = *slot;
    if (PK_UNLIKELY(!memo || !holds(memo, function, site)))
        return walk(t, slot, function, site, number);
    t->image->stacks_remembered++;
    if (PK_UNLIKELY(pk_hook.flags & PK_ALLOC_CHECK)) check(t, memo, site);
    *number = memo->cell;
    return memo->into;
}
