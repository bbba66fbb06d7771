/* One answer to an allocation that failed on the way from options to results. */
#ifndef PK_BENCH_MEMORY_H
#define PK_BENCH_MEMORY_H

#include "base/error.h"

/* Always false, for `return x || pk_bench_no_memory(err)`. */
static inline bool pk_bench_no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "the benchmarks and their results do not fit in memory");
    pk_fix(err, "select fewer benchmarks with a filter");
    return false;
}

#endif
