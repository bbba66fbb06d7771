#include "alloc/bpf_stacks.h"

#include <stdlib.h>
#include <string.h>

#include "alloc/collector.h"

#define STACKS_MAX (1u << 22)
#define BYTES_MAX ((size_t)4 << 30)

bool pk_bpf_stacks_init(pk_bpf_stacks *s, pk_err *err) {
    *s = (pk_bpf_stacks){.arena = pk_arena_new(BYTES_MAX),
                         .stacks = PK_ARRAY(pk_bpf_seen, STACKS_MAX)};
    if (!s->arena) pk_fail(err, PK_E_LIMIT, NULL, "no memory for stacks");
    return s->arena != NULL;
}

void pk_bpf_stacks_fini(pk_bpf_stacks *s) {
    pk_array_fini(&s->stacks);
    pk_arena_free(s->arena);
}

bool pk_bpf_stacks_add(pk_bpf_stacks *s, const pk_bpf_stack *stack, const uint64_t *frames) {
    uint64_t *copy = PK_NEW(s->arena, stack->n_frames, uint64_t);
    pk_bpf_seen *new = copy ? pk_array_push(&s->stacks) : NULL;
    if (!new) return false;
    memcpy(copy, frames, stack->n_frames * sizeof *copy);
    *new = (pk_bpf_seen){.stack = *stack, .frames = copy};
    return true;
}

static int by_hash(const void *a, const void *b) {
    const pk_bpf_seen *x = a, *y = b;
    return x->stack.hash < y->stack.hash ? -1 : x->stack.hash > y->stack.hash;
}

void pk_bpf_stacks_sort(pk_bpf_stacks *s) {
    pk_bpf_seen *seen = s->stacks.items;
    size_t kept = 0;
    if (s->stacks.count == 0) return;
    qsort(seen, s->stacks.count, sizeof *seen, by_hash);
    for (size_t i = 0; i < s->stacks.count; i++)
        if (i == 0 || seen[i].stack.hash != seen[kept - 1].stack.hash) seen[kept++] = seen[i];
    s->stacks.count = s->n_sorted = kept;
}

bool pk_bpf_stacks_count(pk_bpf_stacks *s, uint64_t hash, const pk_bpf_count *count) {
    pk_bpf_seen key = {.stack = {.hash = hash}}, *found = NULL;
    if (s->n_sorted > 0) found = bsearch(&key, s->stacks.items, s->n_sorted, sizeof key, by_hash);
    if (!found) {
        found = pk_array_push(&s->stacks);
        if (!found) return false;
        found->stack = (pk_bpf_stack){.hash = hash,
                                      .process = count->process,
                                      .flags = PK_STACK_LOST,
                                      .function = (uint8_t)count->function};
    }
    found->calls += count->calls;
    found->bytes += count->bytes;
    return true;
}

/* ---- telling ---- */

/* All that was mapped in an era, the newest last. */
static bool map_era(const pk_bpf_space *space, uint32_t era, pk_collector *collector, pk_err *err) {
    if (!pk_collector_unmap(collector, err)) return false;
    bool ok = true;
    for (size_t i = 0; ok && i < space->snapshots.count; i++) {
        const pk_bpf_snapshot *s = &PK_AT(&space->snapshots, pk_bpf_snapshot, i);
        if (s->era != era) continue;
        char *text = strndup(s->text, s->bytes); /* it is changed on the way */
        ok = text != NULL;
        if (!ok) pk_fail(err, PK_E_LIMIT, NULL, "no memory for what is mapped");
        ok = ok && pk_collector_maps(collector, text, s->bytes, err);
        free(text);
    }
    return ok;
}

static bool tell(const pk_bpf_seen *seen, pk_collector *collector, pk_alloc_process *process,
                 pk_err *err) {
    pk_alloc_stack stack = {.frames = seen->frames,
                            .n_frames = seen->stack.n_frames,
                            .flags = seen->stack.flags,
                            .function = seen->stack.function,
                            .calls = seen->calls,
                            .bytes = seen->bytes};
    pk_alloc_sum(&process->calls, seen->calls);
    pk_alloc_sum(&process->bytes, seen->bytes);
    return pk_collector_stack(collector, &stack, err);
}

static bool tell_era(const pk_bpf_stacks *s, const pk_bpf_space *space, uint32_t era,
                     pk_alloc_result *result, pk_alloc_process *process, pk_err *err) {
    bool mapped = false, ok = true;
    for (size_t i = 0; ok && i < s->stacks.count; i++) {
        const pk_bpf_seen *seen = &PK_AT(&s->stacks, pk_bpf_seen, i);
        if (seen->calls == 0 || seen->stack.process != space->index || seen->stack.era != era)
            continue;
        ok = (mapped || map_era(space, era, result->collector, err)) &&
             tell(seen, result->collector, process, err);
        mapped = true;
    }
    return ok;
}

bool pk_bpf_stacks_tell(pk_bpf_stacks *s, const pk_bpf_space *space, pk_alloc_result *result,
                        pk_alloc_process *process, pk_err *err) {
    size_t n = space->snapshots.count;
    uint32_t last = n > 0 ? PK_AT(&space->snapshots, pk_bpf_snapshot, n - 1).era : 0;
    bool ok = true;
    for (uint32_t era = 0; ok && era <= last; era++)
        ok = tell_era(s, space, era, result, process, err);
    return ok && map_era(space, last, result->collector, err) &&
           pk_collector_keep_maps(result->collector, err);
}
