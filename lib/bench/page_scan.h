/* Inside bench/page_*: benchmarks of a group over a numeric parameter. */
#ifndef PK_BENCH_PAGE_SCAN_H
#define PK_BENCH_PAGE_SCAN_H

#include "bench/page_parts.h"

/* Lines over the parameter, linear and logarithmic, throughput, and the growth that fits best; adds
 * nothing when no function was measured at two values. All entries are measured ones. False: out of
 * memory. */
bool pk_page_scan(pk_page *page, pk_arena *arena, size_t n,
                  const pk_bench_page_entry *const entries[]);

#endif
