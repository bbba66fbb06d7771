/* Variance within and between groups (one-way analysis of variance, equal group sizes or not):
 * how much of a spread lies between processes. */
#ifndef PK_STATS_COMPONENTS_H
#define PK_STATS_COMPONENTS_H

#include <stddef.h>

typedef struct pk_components {
    double between_ss, within_ss; /* sums of squares, two-pass */
    double f, residual_sd;
    double between_variance; /* component; 0 if the estimate is negative */
    double within_variance;
} pk_components;
/* groups: g arrays of sizes n[i] >= 1, g >= 2, more values than groups. */
pk_components pk_variance_components(size_t g, const size_t n[], const double *const groups[]);
/* Lag-1 autocorrelation about the mean; NaN for n < 3. */
double pk_autocorrelation(size_t n, const double x[]);

#endif
