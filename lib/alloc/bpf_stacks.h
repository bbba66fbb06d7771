/* Stacks as the kernel hands them over, and then their counts. */
#ifndef PK_ALLOC_BPF_STACKS_H
#define PK_ALLOC_BPF_STACKS_H

#include "alloc/alloc.h"
#include "alloc/bpf_shared.h"
#include "alloc/bpf_space.h"

typedef struct pk_bpf_stacks {
    pk_arena *arena;
    pk_array stacks; /* pk_bpf_seen */
    size_t n_sorted; /* of them, by hash */
} pk_bpf_stacks;

typedef struct pk_bpf_seen {
    pk_bpf_stack stack;
    const uint64_t *frames;
    uint64_t calls, bytes;
} pk_bpf_seen;

bool pk_bpf_stacks_init(pk_bpf_stacks *stacks, pk_err *err) PK_MUST_CHECK;
void pk_bpf_stacks_fini(pk_bpf_stacks *stacks);

/* Keeps a copy. False: no memory. */
bool pk_bpf_stacks_add(pk_bpf_stacks *stacks, const pk_bpf_stack *stack, const uint64_t *frames);
/* After the last one, before counts are told: each stack is there once. */
void pk_bpf_stacks_sort(pk_bpf_stacks *stacks);
/* Adds to the stack of that hash; a count whose stack never came becomes one without frames.
 * False: no memory. */
bool pk_bpf_stacks_count(pk_bpf_stacks *stacks, uint64_t hash, const pk_bpf_count *count);
/* After the last count: those of the result's present process (*process, of the space) into the
 * result, named by what its snapshots say. */
bool pk_bpf_stacks_tell(pk_bpf_stacks *stacks, const pk_bpf_space *space, pk_alloc_result *result,
                        pk_alloc_process *process, pk_err *err) PK_MUST_CHECK;

#endif
