/* The maps of a process: /proc/PID/maps (proc(5)). */
#ifndef PK_PROFILE_PROC_MAPS_H
#define PK_PROFILE_PROC_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct pk_proc_map {
    uint64_t begin, end; /* [begin, end) in memory */
    uint64_t offset;     /* of `begin` in the file */
    uint32_t major, minor;
    uint64_t inode;
    bool executable;
    const char *file; /* NUL-terminated; memory without a name is "//anon", as in perf's records */
} pk_proc_map;

/* map->file is valid during the call only. False with *err stops. */
typedef bool pk_maps_visitor(void *context, const pk_proc_map *map, pk_err *err);

/* Calls `each` for every map that is executable, in the order of addresses. Lines of another form
 * are passed over. `text` is changed on the way. */
bool pk_proc_maps_parse(char *text, size_t bytes, pk_maps_visitor *each, void *context,
                        pk_err *err) PK_MUST_CHECK;

#endif
