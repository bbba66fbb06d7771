/* What a person should know about a result before trusting it: one line each, from the counters of
 * its workers. Pure. */
#ifndef PK_BENCH_WARN_H
#define PK_BENCH_WARN_H

#include "bench/bench.h"

#define PK_WARN_MAX 16
#define PK_WARN_WAIT_RATIO 0.05    /* of wall time ready, without a CPU */
#define PK_WARN_SPREAD_RATIO 0.10  /* SD between workers / mean (pyperf's limit) */
#define PK_WARN_EXTREME_RATIO 0.50 /* smallest or largest worker off the mean (pyperf's) */
#define PK_WARN_CLOCK_RATIO 0.03   /* range of the effective clock over the run */
#define PK_WARN_LAYOUT_CHANGE 0.05 /* placement of code alone can move so much */

/* An analysed result, not failed. Appends to warnings[0..n), texts in the arena; returns the new n,
 * at most PK_WARN_MAX. */
size_t pk_bench_warn(const pk_bench_result *result, pk_arena *arena, size_t n,
                     const char *warnings[PK_WARN_MAX]);

#endif
