#include "stats/components.h"

#include <math.h>

/* Two passes: the second takes out what rounding left of the first, so that a large common part
 * (NIST's SmLs07: 1e12) costs no digits beyond those the values themselves have lost. */
static double mean_of(size_t n, const double x[]) {
    double sum = 0, rest = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) rest += x[i] - mean;
    return mean + rest / (double)n;
}

pk_components pk_variance_components(size_t g, const size_t n[], const double *const groups[]) {
    /* About the first value, so that means are of small numbers. */
    double origin = groups[0][0], total = 0, weighted = 0, squares_of_n = 0;
    for (size_t i = 0; i < g; i++) {
        double size = (double)n[i];
        total += size;
        squares_of_n += size * size;
        weighted += size * (mean_of(n[i], groups[i]) - origin);
    }
    double grand = weighted / total;

    pk_components c = {0};
    for (size_t i = 0; i < g; i++) {
        double mean = mean_of(n[i], groups[i]), between = mean - origin - grand;
        c.between_ss += (double)n[i] * between * between;
        double within = 0, rest = 0;
        for (size_t j = 0; j < n[i]; j++) {
            double d = groups[i][j] - mean;
            within += d * d;
            rest += d; /* 0 but for the rounding of the mean (Chan, Golub & LeVeque 1983, 1.7) */
        }
        c.within_ss += within - rest * rest / (double)n[i];
    }
    double between_ms = c.between_ss / (double)(g - 1);
    c.within_variance = c.within_ss / (total - (double)g);
    c.residual_sd = sqrt(c.within_variance);
    c.f = between_ms / c.within_variance;
    /* Searle, Casella & McCulloch 1992, 3.6: groups of unequal size count as this many values */
    double size = (total - squares_of_n / total) / (double)(g - 1);
    c.between_variance = fmax(0, (between_ms - c.within_variance) / size);
    return c;
}

double pk_autocorrelation(size_t n, const double x[]) {
    if (n < 3) return NAN;
    double mean = mean_of(n, x), products = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        double d = x[i] - mean;
        squares += d * d;
        if (i > 0) products += d * (x[i - 1] - mean);
    }
    return squares > 0 ? products / squares : NAN;
}
