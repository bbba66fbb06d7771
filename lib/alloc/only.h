/* The functions that are counted by their names, and a result cut down to one of them. */
#ifndef PK_ALLOC_ONLY_H
#define PK_ALLOC_ONLY_H

#include <stdbool.h>

#include "alloc/alloc.h"
#include "alloc/image.h"

/* "malloc", "operator new", ...; NULL: it has no name of its own (PK_CALL_OTHER). */
const char *pk_alloc_function_name(pk_alloc_function function);
/* That of malloc's kin which is exported by this name; PK_CALLS: none. */
pk_alloc_function pk_alloc_function_named(const char *name);

/* Takes the stacks of all other functions out of the result, its tree, and the calls, bytes,
 * temporary, leaked and peak figures of its processes and of the total; before the tree is made
 * ready. Sizes and moments are kept per thread and not per function: they stay those of all.
 * Returns how many calls were taken out. */
uint64_t pk_alloc_only(pk_alloc_result *result, pk_alloc_function function);

#endif
