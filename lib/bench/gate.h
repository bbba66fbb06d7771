/* The gate of `--fail-on`: one yes or no over all benchmarks of a run, for scripts.
 * Many benchmarks raise false alarms together (20 at 5 % each: in 64 % of runs), so a gate does not
 * count verdicts: it tests "slower by more than the threshold" for each and corrects for their
 * number by Holm's method (stats/verdict.h), at the level 1 - confidence. */
#ifndef PK_BENCH_GATE_H
#define PK_BENCH_GATE_H

#include "bench/bench.h"

typedef enum pk_bench_gate {
    PK_GATE_NONE,
    PK_GATE_REGRESSED,     /* fails when a benchmark is slower beyond the threshold for sure */
    PK_GATE_NOT_UNCHANGED, /* fails when one is anything but unchanged, for whatever reason */
} pk_bench_gate;

typedef struct pk_bench_gate_result {
    bool failed;
    size_t compared;              /* benchmarks with a change */
    size_t regressed;             /* whose own verdict is "regressed" */
    size_t unchanged;             /* whose own verdict is "no change" */
    size_t failures;              /* that made the gate fail */
    const pk_bench_result *first; /* of those; NULL: none */
    double level;                 /* family-wise, of Holm's test */
} pk_bench_gate_result;

/* Benchmarks that failed or were compared with nothing are no regression, but not unchanged.
 * False only when out of memory. */
bool pk_bench_gate_judge(pk_bench_gate gate, const pk_bench_report *report,
                         pk_bench_gate_result *result, pk_err *err) PK_MUST_CHECK;

#endif
