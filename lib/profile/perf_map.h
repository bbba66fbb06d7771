/* What a just-in-time compiler says about its code: /tmp/perf-PID.map, lines "START SIZE NAME" with
 * hexadecimal numbers (the kernel's tools/perf/Documentation/jit-interface.txt). */
#ifndef PK_PROFILE_PERF_MAP_H
#define PK_PROFILE_PERF_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct pk_perf_map pk_perf_map;

/* Takes any bytes: lines that are none are passed over, as is a last one that is cut short of its
 * name; NAME may have blanks, and ends at a NUL. Compilers write a line for each piece of code that
 * they place, also where older code lay: each byte belongs to the last line that covers it. The
 * text may go afterwards. NULL: out of memory. */
pk_perf_map *pk_perf_map_parse(const char *text, size_t bytes, pk_err *err) PK_MUST_CHECK;
void pk_perf_map_free(pk_perf_map *map);

/* The name at an address; NULL: no line covers it. */
const char *pk_perf_map_find(const pk_perf_map *map, uint64_t address);
/* How many lines were taken. */
size_t pk_perf_map_count(const pk_perf_map *map);

#endif
