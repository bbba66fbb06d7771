/* The perf-PID.map files (profile/perf_map) of processes that are seen: read when first asked for,
 * and again while they grow, since a compiler goes on writing. Not thread-safe. */
#ifndef PK_PROFILE_JIT_MAPS_H
#define PK_PROFILE_JIT_MAPS_H

#include <stdint.h>

#include "base/error.h"

typedef struct pk_jit_maps pk_jit_maps;

/* folder: where they are; NULL: "/tmp", and for a process of a container the one in its own root,
 * under the number that it has there, as long as it runs. It must outlive the maps. NULL: out of
 * memory. */
pk_jit_maps *pk_jit_maps_new(const char *folder);
void pk_jit_maps_free(pk_jit_maps *maps);

/* The name of the code at an address of a process, valid until the next call; NULL: not known. A
 * file counts that is a regular one, no link, and belongs to root, to us, or to the user of the
 * process: in a folder that all may write to anybody could leave one. Each file is looked at again
 * at most every 50 ms, and less often the longer it takes to read. */
const char *pk_jit_maps_find(pk_jit_maps *maps, uint32_t pid, uint64_t address);

#endif
