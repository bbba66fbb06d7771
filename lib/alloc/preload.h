/* The hook (alloc/hook.h) as bytes of a shared object, to be written where the program can load it:
 * with its start (LD_PRELOAD) or later (injected). */
#ifndef PK_ALLOC_PRELOAD_H
#define PK_ALLOC_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>

/* Both point into the executable. False: there is no hook for this processor (x86-64 has one), and
 * neither is touched. */
bool pk_alloc_hook_object(const void **bytes, size_t *n_bytes);

#endif
