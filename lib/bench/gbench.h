/* Inside bench: a report in the terms of google/benchmark, for its JSON and its CSV. A worker is a
 * repetition; its real_time is the worker's value (in the metric of the run), its cpu_time is CPU
 * time. */
#ifndef PK_BENCH_GBENCH_H
#define PK_BENCH_GBENCH_H

#include "bench/group_figures.h"

typedef enum pk_gbench_kind {
    PK_GBENCH_ITERATION,
    PK_GBENCH_MEAN,
    PK_GBENCH_MEDIAN,
    PK_GBENCH_STDDEV,
    PK_GBENCH_CV,    /* stddev / mean: a ratio */
    PK_GBENCH_BIG_O, /* of a function over a parameter: times are coefficients */
    PK_GBENCH_RMS,   /* ... how far off it is: a ratio */
    PK_GBENCH_ERROR,
    PK_GBENCH_KINDS
} pk_gbench_kind;

typedef struct pk_gbench_row {
    pk_gbench_kind kind;
    const pk_bench_result *result; /* BIG_O, RMS: the first of its function */
    size_t family, instance;       /* functions in order; values of one in order */
    size_t repetition;
    uint64_t iterations;
    double real, cpu;  /* ns, coefficient in ns, or ratio */
    double per_second; /* of what throughput counts; NaN: none */
    pk_growth growth;  /* BIG_O, RMS */
} pk_gbench_row;

const char *pk_gbench_kind_name(pk_gbench_kind kind); /* "mean"; "" for iterations and errors */
bool pk_gbench_is_ratio(pk_gbench_kind kind);
bool pk_gbench_is_growth(pk_gbench_kind kind); /* BIG_O, RMS */
/* "lgN", "N^2"; with our two exponential ones: "phi^N", "2^N". */
const char *pk_gbench_big_o(pk_growth growth);
/* "fib/recursive/20", with "_mean" behind for an aggregate, "fib/recursive_BigO" for growth.
 * Returns out. */
char *pk_gbench_name(char *out, size_t size, const pk_gbench_row *row);
/* The same without what is behind. */
char *pk_gbench_run_name(char *out, size_t size, const pk_gbench_row *row);
/* Calls each(context, row) for all rows, in google/benchmark's order. False: out of memory. */
bool pk_gbench_rows(const pk_bench_report *report,
                    void (*each)(void *context, const pk_gbench_row *row), void *context,
                    pk_err *err) PK_MUST_CHECK;

#endif
