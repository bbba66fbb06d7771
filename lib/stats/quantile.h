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

#endif
