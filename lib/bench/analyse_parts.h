/* Inside bench/analyse: what its files share. */
#ifndef PK_BENCH_ANALYSE_PARTS_H
#define PK_BENCH_ANALYSE_PARTS_H

#include <math.h>

#include "bench/bench.h"

#define PK_WORKERS_TRIM 0.2 /* at each end, where workers are judged robustly */

/* One number per worker, or block of workers, with what it may depend on. */
typedef struct pk_worker_values {
    size_t n;
    double *x;
    bool *old_first;
    int *layout; /* -1: code as it is */
} pk_worker_values;

/* Empty, with room for `most`. False without memory; fini in any case. */
bool pk_worker_values_init(pk_worker_values *values, size_t most) PK_MUST_CHECK;
void pk_worker_values_fini(pk_worker_values *values);
void pk_worker_values_add(pk_worker_values *values, double x, bool old_first, int layout);

typedef double pk_worker_value(const pk_bench_worker *worker); /* NaN: it has none */
/* Init and one for each worker that has one. */
bool pk_worker_values_of(pk_worker_values *values, const pk_bench_result *result,
                         pk_worker_value *value) PK_MUST_CHECK;
double pk_worker_new_ns(const pk_bench_worker *worker);
double pk_worker_old_ns(const pk_bench_worker *worker);
double pk_worker_reference_ns(const pk_bench_worker *worker);

/* A location, and how sure it is: interval location +- t(df) standard_error. */
typedef struct pk_unit_estimate {
    double location, standard_error, df;
    double order_effect; /* mean of those where the old side was first, less the others; NaN */
    size_t units;
    bool by_layout; /* units are layouts, not workers */
} pk_unit_estimate;
static const pk_unit_estimate pk_unit_estimate_unknown = {NAN, NAN, NAN, NAN, 0, false};
/* Student's t over units, or Yuen's (robust). `balanced` makes the location the mean of the
 * old-first and the new-first group's, so that losing a worker of one group tilts nothing.
 * Sorts nothing, keeps values as they are; NaN without memory or values. */
pk_unit_estimate pk_unit_estimate_of(const pk_worker_values *values, bool robust, bool balanced);

/* The change in the log, from pairs within workers or blocks of them. */
pk_unit_estimate pk_live_estimate(const pk_bench_result *result, const pk_bench_options *options);

/* Appends the lines that result's figures call for; options: what was asked for. False when the
 * arena is full. */
bool pk_bench_warn(pk_bench_result *result, const pk_bench_options *options,
                   pk_arena *arena) PK_MUST_CHECK;

#endif
