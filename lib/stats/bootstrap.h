/* The bootstrap as Criterion uses it (percentile intervals; Efron & Tibshirani 1993, 13.3), seeded
 * and the same whatever the number of threads: resamples are drawn in fixed blocks, each with a
 * seed of its own. The sums of a resample are taken in one order on every machine.
 *
 * Errors: PK_E_INPUT for fewer than two values or no resample, PK_E_LIMIT without memory. A thread
 * that cannot be started leaves its share to the others. */
#ifndef PK_STATS_BOOTSTRAP_H
#define PK_STATS_BOOTSTRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

typedef struct pk_bootstrap_options {
    uint64_t resamples; /* >= 1 */
    double confidence;
    uint64_t seed;
    unsigned threads; /* 0 and 1: the calling thread alone */
} pk_bootstrap_options;

typedef struct pk_bootstrap_interval {
    double low, high, standard_error;
} pk_bootstrap_interval;

/* One sample x[0..n), n >= 2, any order: mean, median, median_abs_dev and std_dev of every resample
 * as Criterion defines them (quantiles interpolated, PK_MAD_SCALE, n - 1). */
typedef struct pk_bootstrap_one {
    pk_bootstrap_interval mean, median, median_abs_dev, std_dev;
} pk_bootstrap_one;
bool pk_bootstrap_sample(const pk_bootstrap_options *options, size_t n, const double x[],
                         pk_bootstrap_one *out, pk_err *err) PK_MUST_CHECK;
/* The mean alone, 3 to 4 times faster. distribution, if not NULL, has room for one value per
 * resample and gets the means, in no particular order. */
bool pk_bootstrap_mean(const pk_bootstrap_options *options, size_t n, const double x[],
                       pk_bootstrap_interval *out, double *distribution, pk_err *err) PK_MUST_CHECK;
/* Pairs (x, y): the slope through the origin; pairs stay together. */
bool pk_bootstrap_slope(const pk_bootstrap_options *options, size_t n, const double x[],
                        const double y[], pk_bootstrap_interval *out, pk_err *err) PK_MUST_CHECK;
/* Two independent samples, resampled independently: mean(x)/mean(y) - 1 and
 * median(x)/median(y) - 1; and Criterion's p: t of Welch against its distribution under pooling,
 * two-sided. t and p are NaN where both samples have no spread. */
typedef struct pk_bootstrap_two {
    pk_bootstrap_interval mean_ratio, median_ratio;
    double t, p;
} pk_bootstrap_two;
bool pk_bootstrap_compare(const pk_bootstrap_options *options, size_t nx, const double x[],
                          size_t ny, const double y[], pk_bootstrap_two *out,
                          pk_err *err) PK_MUST_CHECK;

#endif
