#include "stats/robust.h"

#include <math.h>
#include <stdlib.h>

#include "stats/quantile.h"
#include "stats/summary.h"

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void pk_sort(double x[], size_t n) {
    if (n > 1) qsort(x, n, sizeof x[0], compare);
}

pk_trimmed pk_trimmed_mean(const double sorted[], size_t n, double trim) {
    pk_trimmed t = {.mean = NAN, .standard_error = NAN, .n = n};
    if (n == 0) return t;
    /* 0.2 * 35 is 7.000000000000001 or 6.999...: a cut within rounding of a whole number is it */
    size_t cut = (size_t)floor(trim * (double)n * (1 + 1e-12));
    t.kept = n - 2 * cut;
    t.mean = pk_summarize(sorted + cut, t.kept).mean;
    if (n < 2) return t;

    /* winsorised: what was cut takes the value of the last one kept */
    double mean = 0, squares = 0;
    for (int pass = 0; pass < 2; pass++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            size_t at = i < cut ? cut : i >= n - cut ? n - cut - 1 : i;
            double d = sorted[at] - mean;
            sum += pass == 0 ? sorted[at] / (double)n : d * d;
        }
        if (pass == 0) mean = sum;
        else squares = sum;
    }
    double deviation = sqrt(squares / (double)(n - 1));
    t.standard_error = deviation / ((1 - 2 * trim) * sqrt((double)n));
    return t;
}

double pk_median_abs_dev(const double sorted[], size_t n, double scratch[]) {
    if (n == 0) return NAN;
    double median = pk_quantile_interpolated(sorted, n, 0.5);
    for (size_t i = 0; i < n; i++) scratch[i] = fabs(sorted[i] - median);
    pk_sort(scratch, n);
    return PK_MAD_SCALE * pk_quantile_interpolated(scratch, n, 0.5);
}

double pk_iqr_spread(const double sorted[], size_t n) {
    double range =
        pk_quantile_interpolated(sorted, n, 0.75) - pk_quantile_interpolated(sorted, n, 0.25);
    return range / 1.349; /* 2 * 0.6745, the quartiles of the normal */
}
