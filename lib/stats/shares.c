#include "stats/shares.h"

#include <math.h>

#define NEGLIGIBLE 1e-17 /* of the sum so far */

/* lgamma() writes the global signgam. */
static double log_factorial(double n) {
    int sign;
    return lgamma_r(n + 1, &sign);
}

static double log_choose(double n, double k) {
    return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

/* The sum of the probabilities from x1 on, away from the mean. Given that k of n1 + n2 are hits in
 * all, i of them among the n1 has choose(n1, i) choose(n2, k - i) / choose(n1 + n2, k). */
static double tail(double x1, double n1, double n2, double k) {
    double mean = k * (n1 / (n1 + n2));
    int step = x1 <= mean ? -1 : 1;
    double sum = 0, ratio = 1; /* to that of x1 */
    for (double i = x1; ratio > sum * NEGLIGIBLE; i += step) {
        sum += ratio;
        ratio *= step < 0 ? i / (n1 - i + 1) * ((n2 - k + i) / (k - i + 1))
                          : (n1 - i) / (i + 1) * ((k - i) / (n2 - k + i + 1));
    }
    return sum * exp(log_choose(n1, x1) + log_choose(n2, k - x1) - log_choose(n1 + n2, k));
}

double pk_fisher_exact(uint64_t x1, uint64_t n1, uint64_t x2, uint64_t n2) {
    if (n1 == 0 || n2 == 0) return NAN;
    return fmin(1, 2 * tail((double)x1, (double)n1, (double)n2, (double)x1 + (double)x2));
}

static double variance(double x, double n) {
    double share = (x + 1) / (n + 2);
    return share * (1 - share) / (n + 2);
}

double pk_share_difference_error(double x1, double n1, double x2, double n2) {
    if (!(n1 > 0 && n2 > 0)) return NAN;
    return sqrt(variance(x1, n1) + variance(x2, n2));
}
