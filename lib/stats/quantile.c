#include "stats/quantile.h"

#include <float.h>
#include <math.h>

#include "stats/student.h"

/* ceil(q * n) for q in 0..1. q was rounded to a double (perhaps after a division, as in 99.9 / 100)
 * and the product is rounded again: 0.07 * 100 gives 7.000000000000001, whose ceiling is one rank
 * too high. A product within those roundings of a whole number is that number. */
static uint64_t ceil_product(double q, uint64_t n) {
    if (!(q > 0)) return 0;
    if (q >= 1) return n;
    double product = q * (double)n;
    double whole = nearbyint(product);
    if (fabs(product - whole) > 4 * DBL_EPSILON * product) whole = ceil(product);
    return whole < (double)n ? (uint64_t)whole : n;
}

uint64_t pk_quantile_rank(double q, uint64_t n) {
    uint64_t rank = ceil_product(q, n);
    return rank == 0 && n > 0 ? 1 : rank;
}

double pk_quantile_sorted(const double sorted[], size_t n, double q) {
    return n == 0 ? NAN : sorted[pk_quantile_rank(q, n) - 1];
}

bool pk_quantile_supported(double q, uint64_t n) {
    return ceil_product(q, n) < n; /* n (1 - q) >= 1 for whole ranks: q n <= n - 1 */
}

uint64_t pk_quantile_tail(double q, uint64_t n) {
    return n == 0 ? 0 : n - pk_quantile_rank(q, n) + 1;
}

double pk_quantile_interpolated(const double sorted[], size_t n, double q) {
    if (n == 0) return NAN;
    double rank = q * (double)(n - 1);
    if (!(rank > 0)) return sorted[0];
    if (rank >= (double)(n - 1)) return sorted[n - 1];
    size_t below = (size_t)rank;
    double fraction = rank - (double)below;
    return sorted[below] + (sorted[below + 1] - sorted[below]) * fraction;
}

bool pk_quantile_interval(uint64_t n, double q, double confidence, uint64_t *low_rank,
                          uint64_t *high_rank) {
    if (n == 0 || !(q > 0 && q < 1) || !(confidence > 0 && confidence < 1)) return false;
    uint64_t low = pk_binomial_quantile((1 - confidence) / 2, n, q);
    uint64_t high = pk_binomial_quantile((1 + confidence) / 2, n, q) + 1;
    if (low < 1 || high > n) return false;
    *low_rank = low;
    *high_rank = high;
    return true;
}
