/* The stack of one sample as names of frames: the kernel's part, then the user's, from the copied
 * stack, the branch records or the callchain, whichever says the most. */
#ifndef PK_FLAME_COLLAPSE_STACK_H
#define PK_FLAME_COLLAPSE_STACK_H

#include "flame/collapse_maps.h"
#include "profile/symbolise.h"
#include "profile/unwind.h"

/* What was seen of a module. */
typedef struct pk_module_count {
    uint64_t frames, unknown, lost; /* as in pk_profile_module */
} pk_module_count;

typedef enum pk_stack_end {
    PK_STACK_END_WHOLE,
    PK_STACK_END_TRUNCATED,  /* the copy was too short */
    PK_STACK_END_UNFINISHED, /* it could not be followed */
} pk_stack_end;

typedef struct pk_stacks {
    pk_collapse_maps *maps;
    const pk_symbolise_options *options;
    pk_names *names;
    pk_symboliser *symboliser; /* made for the first frame, and again for the kernel's first */
    bool knows_kernel;         /* it was made with the kernel's functions */
    pk_unwinder *unwinder;
    uint32_t truncated, unknown; /* names */
    uint64_t *addresses;         /* room for a user stack */
    uint32_t *frames;            /* room for names, filled from its end */
    pk_array counts;             /* pk_module_count by module */
    pk_module_count nowhere;     /* of code that no module holds */
} pk_stacks;

/* All must outlive it. False: out of memory; fini is right then as well. */
bool pk_stacks_init(pk_stacks *stacks, pk_collapse_maps *maps, const pk_symbolise_options *options,
                    pk_names *names, pk_err *err) PK_MUST_CHECK;
void pk_stacks_fini(pk_stacks *stacks);

/* The frames of a sample from the root on, under `label` as the first one, valid until the next
 * call; at least one besides the label. NULL: out of memory. */
const uint32_t *pk_stacks_make(pk_stacks *stacks, const pk_record *record, uint32_t label,
                               bool java, size_t *n, pk_stack_end *end, pk_err *err) PK_MUST_CHECK;

#endif
