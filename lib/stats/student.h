/* Distributions that intervals need: Student's t, the binomial, the normal. */
#ifndef PK_STATS_STUDENT_H
#define PK_STATS_STUDENT_H

#include <stdint.h>

/* Regularised incomplete beta function I_x(a, b), by Lentz's continued fraction. */
double pk_beta_regularised(double x, double a, double b);
/* P(T <= t) with df > 0 degrees of freedom (need not be whole). Relative error of the smaller tail:
 * below 1e-12 up to 1e4 degrees of freedom, 1e-9 up to 1e6. */
double pk_student_cdf(double t, double df);
/* The t with P(T <= t) = p; p in (0, 1). NaN for df <= 0. */
double pk_student_quantile(double p, double df);
/* P(X <= k) of n trials with probability p. */
double pk_binomial_cdf(uint64_t k, uint64_t n, double p);
/* The smallest k with P(X <= k) >= prob. */
uint64_t pk_binomial_quantile(double prob, uint64_t n, double p);
double pk_normal_cdf(double z);

#endif
