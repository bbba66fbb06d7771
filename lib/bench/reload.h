/* Stored samples reported again (--load-baseline): nothing is measured, everything is computed anew
 * with the options of now. */
#ifndef PK_BENCH_RELOAD_H
#define PK_BENCH_RELOAD_H

#include "bench/bench.h"
#include "bench/store.h"

/* Fills *report (fini it on success) from the baseline `name` of every id in the store that the
 * filters select; calls hooks->finished for each. A comparison (options->compare) is one of stored
 * numbers with the baseline options->compare_with, and an error where it is strict and missing.
 * Criterion's own files do as well as perfkit's: then each of their samples stands for a worker.
 * No such baseline at all is PK_E_INPUT. */
bool pk_bench_reload(const pk_bench_options *options, const char *name, const pk_bench_hooks *hooks,
                     pk_bench_report *report, pk_err *err) PK_MUST_CHECK;

/* One stored baseline as a result, analysed with the options' levels, compared with nothing. What
 * it points to lives in the arena or is the baseline's. */
bool pk_bench_result_of_baseline(const pk_baseline *baseline, const pk_bench_options *options,
                                 pk_arena *arena, pk_bench_result *result,
                                 pk_err *err) PK_MUST_CHECK;

#endif
