/* Bytes from a descriptor to a reader that is slow at times, in a thread of its own: what waits for
 * the reader is kept in memory, so that the writer is not held up. perf loses what its rings cannot
 * hold while it waits to write, and the reader opens files and reads debug information. */
#ifndef PK_FLAME_PUMP_H
#define PK_FLAME_PUMP_H

#include <stddef.h>

#include "base/error.h"

typedef struct pk_pump pk_pump;

/* `from` is the pump's from now on, also on failure. *to: where to read from, the caller's; it ends
 * where `from` does. More than max_bytes are not kept: the writer waits then. NULL: no descriptors,
 * no thread. */
pk_pump *pk_pump_start(int from, size_t max_bytes, int *to, pk_err *err) PK_MUST_CHECK;
/* After *to was closed, read to its end or not: closes `from`, and frees. NULL is fine. */
void pk_pump_end(pk_pump *pump);

#endif
