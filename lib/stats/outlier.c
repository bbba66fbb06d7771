#include "stats/outlier.h"

#include "stats/quantile.h"

pk_fences pk_tukey_fences(const double sorted[], size_t n) {
    double q1 = pk_quantile_interpolated(sorted, n, 0.25);
    double q3 = pk_quantile_interpolated(sorted, n, 0.75);
    double range = q3 - q1;
    return (pk_fences){
        .low_severe = q1 - 3 * range,
        .low_mild = q1 - 1.5 * range,
        .high_mild = q3 + 1.5 * range,
        .high_severe = q3 + 3 * range,
    };
}

pk_outlier pk_outlier_of(const pk_fences *fences, double x) {
    if (x < fences->low_severe) return PK_OUTLIER_LOW_SEVERE;
    if (x > fences->high_severe) return PK_OUTLIER_HIGH_SEVERE;
    if (x < fences->low_mild) return PK_OUTLIER_LOW_MILD;
    if (x > fences->high_mild) return PK_OUTLIER_HIGH_MILD;
    return PK_OUTLIER_NONE;
}

pk_outlier_counts pk_outlier_count(const pk_fences *fences, size_t n, const double x[]) {
    pk_outlier_counts counts = {0};
    size_t ignored = 0;
    size_t *const where[] = {
        [PK_OUTLIER_NONE] = &ignored,
        [PK_OUTLIER_LOW_SEVERE] = &counts.low_severe,
        [PK_OUTLIER_LOW_MILD] = &counts.low_mild,
        [PK_OUTLIER_HIGH_MILD] = &counts.high_mild,
        [PK_OUTLIER_HIGH_SEVERE] = &counts.high_severe,
    };
    for (size_t i = 0; i < n; i++) ++*where[pk_outlier_of(fences, x[i])];
    return counts;
}
