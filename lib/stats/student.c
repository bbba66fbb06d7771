#include "stats/student.h"

#include <float.h>
#include <math.h>

#define LENTZ_STEPS_MAX 10000 /* enough for a, b in the hundred thousands */

/* lgamma() writes the global signgam. */
static double log_gamma(double x) {
    int sign;
    return lgamma_r(x, &sign);
}

/* The continued fraction of I_x(a, b) (DLMF 8.17.22) by the modified Lentz method (Thompson &
 * Barnett 1986). Converges fast for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double x, double a, double b) {
    const double tiny = DBL_MIN / DBL_EPSILON;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    if (fabs(d) < tiny) d = tiny;
    d = 1 / d;
    double f = d;
    for (int m = 1; m < LENTZ_STEPS_MAX; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double term = 1;
        for (int i = 0; i < 2; i++) {
            double numerator = i ? odd : even;
            d = 1 + numerator * d;
            if (fabs(d) < tiny) d = tiny;
            d = 1 / d;
            c = 1 + numerator / c;
            if (fabs(c) < tiny) c = tiny;
            term = c * d;
            f *= term;
        }
        if (fabs(term - 1) < DBL_EPSILON) break;
    }
    return f;
}

/* I_x(a, b) from x and y = 1 - x: whichever of them is small keeps all its digits. */
static double beta(double x, double y, double a, double b) {
    double log_x = x > 0.5 ? log1p(-y) : log(x), log_y = y > 0.5 ? log1p(-x) : log(y);
    double log_front = log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log_x + b * log_y;
    double front = exp(log_front);
    if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(x, a, b) / a;
    return 1 - front * beta_fraction(y, b, a) / b;
}

double pk_beta_regularised(double x, double a, double b) {
    if (!(a > 0) || !(b > 0) || isnan(x)) return NAN;
    if (x <= 0) return 0;
    if (x >= 1) return 1;
    return beta(x, 1 - x, a, b);
}

/* P(T > t), t >= 0. */
static double upper_tail(double t, double df) {
    double square = t * t, x = df / (df + square), y = square / (df + square);
    if (x <= 0 || y <= 0) return x <= 0 ? 0 : 0.5;
    return 0.5 * beta(x, y, df / 2, 0.5);
}

double pk_student_cdf(double t, double df) {
    if (isnan(t) || !(df > 0)) return NAN;
    double tail = isinf(t) ? 0 : upper_tail(fabs(t), df);
    return t > 0 ? 1 - tail : tail;
}

static double density(double t, double df) {
    double log_front = log_gamma((df + 1) / 2) - log_gamma(df / 2) - 0.5 * log(df * M_PI);
    return exp(log_front - (df + 1) / 2 * log1p(t * t / df));
}

double pk_student_quantile(double p, double df) {
    if (!(p > 0 && p < 1) || !(df > 0)) return NAN;
    if (p == 0.5) return 0;
    double tail = p < 0.5 ? p : 1 - p;
    double low = 0, high = 1;
    while (upper_tail(high, df) > tail && high < DBL_MAX / 4) {
        low = high;
        high *= 2;
    }
    double t = (low + high) / 2;
    for (int i = 0; i < 200 && high - low > DBL_EPSILON * high; i++) {
        double surplus = upper_tail(t, df) - tail;
        if (surplus > 0) low = t;
        else high = t;
        double step = surplus / density(t, df);
        if (fabs(step) <= DBL_EPSILON * t) break;
        t += step; /* Newton; outside the bracket: bisect */
        if (!(t > low && t < high)) t = (low + high) / 2;
    }
    return p < 0.5 ? -t : t;
}

double pk_binomial_cdf(uint64_t k, uint64_t n, double p) {
    if (k >= n) return 1;
    return pk_beta_regularised(1 - p, (double)(n - k), (double)k + 1); /* DLMF 8.17.5 */
}

uint64_t pk_binomial_quantile(double prob, uint64_t n, double p) {
    uint64_t low = 0, high = n; /* the answer is in low..high */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (pk_binomial_cdf(middle, n, p) >= prob) high = middle;
        else low = middle + 1;
    }
    return low;
}

double pk_normal_cdf(double z) {
    return 0.5 * erfc(-z / M_SQRT2);
}
