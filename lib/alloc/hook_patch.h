/* Loaded into a running program, the hook is not in front of the allocator by its name: it takes
 * the place of the allocator's functions in the slots through which objects call them. */
#ifndef PK_ALLOC_HOOK_PATCH_H
#define PK_ALLOC_HOOK_PATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "alloc/hook.h"

#define PK_HOOK_SLOTS_MAX 262144u

typedef struct pk_hook_slot {
    uint64_t at; /* its address; it may have been unmapped since */
    uint64_t ours, before;
} pk_hook_slot;

/* What perfkit reads in the process's memory in order to put the hook out of use, without running
 * anything there; exported as "pk_alloc_hook_control". */
typedef struct pk_hook_control {
    pk_hook_globals *hook;
    pk_hook_slot *slots; /* NULL: there are none yet */
    _Atomic uint64_t n_slots;
} pk_hook_control;

/* Puts ours into the slots of all objects that are loaded now, but for the loader's, the vdso's and
 * our own; once more, into those of objects that were loaded since. 0, or an errno value. */
int pk_hook_patch(void) PK_HIDDEN;

#endif
