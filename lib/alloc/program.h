/* Can a hook be loaded with a program? Told before it starts, since the loader says nothing. */
#ifndef PK_ALLOC_PROGRAM_H
#define PK_ALLOC_PROGRAM_H

#include <stdbool.h>

#include "base/error.h"

/* path: as pk_process_find gives it; of a script the interpreter is judged. False
 * (PK_E_UNSUPPORTED) with why not, and what to do: statically linked, of 32 bits, of another libc
 * than glibc, raised in privileges by its start, under a sanitizer, or with an allocator of its
 * own. What is no program at all is left to exec. */
bool pk_alloc_program_check(const char *path, pk_err *err) PK_MUST_CHECK;

#endif
