/* Location and spread that a few wild values do not move. x[0..n) ascending where it says so. */
#ifndef PK_STATS_ROBUST_H
#define PK_STATS_ROBUST_H

#include <stddef.h>

/* Sorts ascending; NaN may not occur. */
void pk_sort(double x[], size_t n);

typedef struct pk_trimmed {
    double mean;           /* of what is left */
    double standard_error; /* Yuen 1974: SD of the winsorised values / ((1 - 2 trim) sqrt(n)) */
    size_t n, kept;        /* df of Yuen's t: kept - 1 */
} pk_trimmed;
/* Cuts floor(trim * n) values at each end; 0 <= trim < 0.5. NaN for n = 0; the error needs n >= 2.
 */
pk_trimmed pk_trimmed_mean(const double sorted[], size_t n, double trim);

/* 1 / the upper quartile of the normal, as Criterion has it: to 4 digits, and as a float. */
#define PK_MAD_SCALE ((double)1.4826f)
/* Median of |x - median(x)| * PK_MAD_SCALE (consistent for the normal). x sorted; scratch[n] is
 * written. Medians as pk_quantile_interpolated. */
double pk_median_abs_dev(const double sorted[], size_t n, double scratch[]);
/* Interquartile range / 1.349: a standard deviation from quartiles. */
double pk_iqr_spread(const double sorted[], size_t n);

#endif
