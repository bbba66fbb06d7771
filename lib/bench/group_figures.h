/* Figures of several benchmarks of one report together: how a function's time grows with its
 * parameter, and how much faster one function is than another. */
#ifndef PK_BENCH_GROUP_FIGURES_H
#define PK_BENCH_GROUP_FIGURES_H

#include "bench/bench.h"
#include "stats/regression.h"

/* Group and function are equal. */
bool pk_bench_is_same_function(const pk_bench_result *a, const pk_bench_result *b);

/* One function of a group at several values of a numeric parameter, all above 0 and measured, in
 * the report's order; what is beyond the maximum is left out. */
#define PK_BENCH_SCAN_MAX 256
typedef struct pk_bench_scan {
    const pk_bench_result *results[PK_BENCH_SCAN_MAX];
    size_t n;
    pk_complexity fit; /* of the headlines */
} pk_bench_scan;
/* False unless results[first] is the first of its function, and there are three distinct values. */
bool pk_bench_scan_of(const pk_bench_report *report, size_t first, pk_bench_scan *scan);

/* Time of results[i] / time of the fastest function of its group at the same value. */
typedef struct pk_bench_relative {
    const pk_bench_result *fastest;
    pk_estimate ratio; /* >= 1; interval exp(ln ratio +- t se), se^2 the sum of the squares of both
                          relative standard errors, df by Welch and Satterthwaite */
} pk_bench_relative;
/* False when results[i] is the fastest itself, failed, or alone. */
bool pk_bench_relative_of(const pk_bench_report *report, size_t i, pk_bench_relative *relative);

#endif
