/* Outliers by Tukey's fences (1977): labels only, nothing is ever removed. */
#ifndef PK_STATS_OUTLIER_H
#define PK_STATS_OUTLIER_H

#include <stddef.h>

typedef struct pk_fences {
    double low_severe, low_mild, high_mild, high_severe; /* q1 - 3 IQR, q1 - 1.5 IQR, ... */
} pk_fences;
typedef enum pk_outlier {
    PK_OUTLIER_NONE,
    PK_OUTLIER_LOW_SEVERE,
    PK_OUTLIER_LOW_MILD,
    PK_OUTLIER_HIGH_MILD,
    PK_OUTLIER_HIGH_SEVERE
} pk_outlier;
typedef struct pk_outlier_counts {
    size_t low_severe, low_mild, high_mild, high_severe;
} pk_outlier_counts;

/* Quartiles as pk_quantile_interpolated (Criterion's). n >= 1. */
pk_fences pk_tukey_fences(const double sorted[], size_t n);
pk_outlier pk_outlier_of(const pk_fences *fences, double x); /* strictly beyond */
pk_outlier_counts pk_outlier_count(const pk_fences *fences, size_t n, const double x[]);

#endif
