/* The measuring itself: rounds over all benchmarks in random order, one worker at a time, each
 * benchmark until its interval is narrow enough or its budget is used up; then its analysis. */
#ifndef PK_BENCH_MEASURE_H
#define PK_BENCH_MEASURE_H

#include "bench/old_side.h"

/* Fills report->results[0 .. session->n_cases), in the order of the cases, all but the texts of
 * the machine's warnings; the array is the caller's, zeroed. Hooks: progress, finished.
 * report->interrupted is set when a signal ended it. False: workers cannot be started at all. */
bool pk_bench_measure_all(pk_session *session, const pk_old_side olds[], pk_bench_report *report,
                          pk_err *err) PK_MUST_CHECK;

#endif
