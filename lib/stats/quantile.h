/* Quantiles: one definition for the whole project, named in docs/methods.md:
 * the sample with rank max(1, ceil(q * n)) (inverse of the empirical distribution function;
 * Hyndman & Fan 1996, definition 1). */
#ifndef PK_STATS_QUANTILE_H
#define PK_STATS_QUANTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 1-based rank; guards q*n against representation error (0.9 * 10 is 9, not 10). n = 0 gives 0. */
uint64_t pk_quantile_rank(double q, uint64_t n);
/* Of n ascending values; NaN when n = 0. */
double pk_quantile_sorted(const double sorted[], size_t n, double q);
/* Did the sample see this far: n * (1 - q) >= 1? Otherwise the value would only be the maximum. */
bool pk_quantile_supported(double q, uint64_t n);
/* Samples at or beyond the quantile: n - rank + 1; a figure resting on < 10 is shown as weak. */
uint64_t pk_quantile_tail(double q, uint64_t n);

/* The interpolating definition (Hyndman & Fan 1996, 7), of n ascending values: what Criterion's
 * files are made with, used for those alone. */
double pk_quantile_interpolated(const double sorted[], size_t n, double q);
/* Ranks (1-based) of the order statistics that enclose the quantile with at least this confidence,
 * for independent values: binomial quantiles (1 - c)/2 and (1 + c)/2 + 1. False, outputs untouched,
 * when n is too small. Check: n = 100, q = 0.5, 95 %: 40, 61. */
bool pk_quantile_interval(uint64_t n, double q, double confidence, uint64_t *low_rank,
                          uint64_t *high_rank);

#endif
