/* Least squares. */
#ifndef PK_STATS_REGRESSION_H
#define PK_STATS_REGRESSION_H

#include <stddef.h>

typedef struct pk_line {
    double intercept, slope, slope_error; /* standard error */
    double residual_sd;
    double r2; /* 1 - SSres / SStot, SStot about the mean */
} pk_line;
/* y = slope x: sum(xy) / sum(xx); intercept 0, residual_sd with n - 1 df. */
pk_line pk_fit_through_origin(size_t n, const double x[], const double y[]);
/* y = intercept + slope x, n - 2 df. */
pk_line pk_fit_line(size_t n, const double x[], const double y[]);

/* How the time grows with a parameter: google/benchmark's candidates and two exponential ones.
 * coefficient = sum(t f) / sum(f^2); rms = sqrt(mean((t - coefficient f)^2)) / mean(t). */
typedef enum pk_growth {
    PK_GROWTH_1,
    PK_GROWTH_LG_N,
    PK_GROWTH_N,
    PK_GROWTH_N_LG_N,
    PK_GROWTH_N2,
    PK_GROWTH_N3,
    PK_GROWTH_PHI_N, /* golden ratio ^ n */
    PK_GROWTH_2_N,
    PK_GROWTHS
} pk_growth;
typedef struct pk_complexity {
    pk_growth growth;
    double coefficient, rms;
} pk_complexity;
const char *pk_growth_name(pk_growth growth); /* "N lg N" */
double pk_growth_value(pk_growth growth, double n);
/* The candidate with the lowest rms; n[] > 0, at least 3 distinct, else rms is NaN. */
pk_complexity pk_fit_complexity(size_t count, const double n[], const double time[]);

#endif
