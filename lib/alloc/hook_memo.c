/* Remembered stacks. A walk reads a few words of the stack and computes with them and with what the
 * objects say, which does not change: so if at the same place the same words stand in the same
 * slots, the frames are the same. Comparing them is some independent loads; walking is a chain of
 * dependent ones. */
#include "alloc/hook.h"

#include <errno.h>
#include <string.h>

void pk_hook_memo_forget(pk_hook_thread *t, uint32_t generation) {
    memset(t->memos, 0, sizeof t->memos);
    memset(t->rules, 0, sizeof t->rules);
    t->memo_used = 0;
    t->generation = generation;
}

static pk_hook_memo *new_memo(pk_hook_thread *t, uint32_t n_groups) {
    size_t bytes = sizeof(pk_hook_memo) + n_groups * sizeof(pk_hook_reads);
    if (t->memo_used + bytes > PK_HOOK_MEMO_BYTES) {
        memset(t->memos, 0, sizeof t->memos);
        t->memo_used = 0;
    }
    pk_hook_memo *memo = (pk_hook_memo *)(t->memo_arena + t->memo_used);
    t->memo_used += bytes;
    return memo;
}

static void remember(pk_hook_thread *t, pk_hook_memo **slot, uint8_t function,
                     const pk_hook_site *site, pk_image_cell *cell, uint32_t number) {
    uint32_t n_groups = (t->n_reads + 3) / 4;
    pk_hook_memo *memo = new_memo(t, n_groups);
    *memo = (pk_hook_memo){.ip = site->ip,
                           .sp = site->sp,
                           .fp = site->fp,
                           .cell = number,
                           .n_groups = (uint16_t)n_groups,
                           .function = function,
                           .fp_used = t->fp_used,
                           .into = cell};
    for (uint32_t i = 0; i < n_groups * 4; i++) {
        uint32_t from = i < t->n_reads ? i : t->n_reads - 1;
        memo->reads[i / 4].offsets[i % 4] = (uint32_t)(t->read_at[from] - site->sp);
        memo->reads[i / 4].values[i % 4] = t->read_value[from];
    }
    *slot = memo;
}

void pk_hook_memo_check(pk_hook_thread *t, const pk_hook_memo *memo, const pk_hook_site *site) {
    int error = errno;
    uint8_t flags;
    uint32_t n = pk_hook_walk(t, site, &flags);
    if (n != memo->into->n_frames || flags != memo->into->flags ||
        memcmp(t->stack, pk_hook_cell_frames(memo->into), n * sizeof(uint64_t)) != 0)
        atomic_fetch_add(&t->head->differences, 1);
    errno = error;
}

pk_hook_found pk_hook_memo_make(pk_hook_thread *t, pk_hook_memo **slot, uint8_t function,
                                pk_hook_site site) {
    int error = errno;
    uint8_t flags;
    uint32_t n = pk_hook_walk(t, &site, &flags);
    pk_hook_found found = {NULL, 0};
    found.cell = pk_hook_cell_of_stack(t, function, flags, n, &found.number);
    t->image->stacks_unwound++;
    if (found.cell && !t->far) remember(t, slot, function, &site, found.cell, found.number);
    errno = error;
    return found;
}
