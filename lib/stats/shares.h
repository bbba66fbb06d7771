/* Two shares against each other: x of n, twice. */
#ifndef PK_STATS_SHARES_H
#define PK_STATS_SHARES_H

#include <stdint.h>

/* Fisher's exact test (The Design of Experiments, 1935) of x1 of n1 against x2 of n2, x <= n: the
 * probability that equal shares give a difference this large or larger, in either direction: twice
 * the smaller tail of the hypergeometric distribution, at most 1. Relative error below 1e-6 up to
 * 1e9 trials. NaN if n1 or n2 is 0. */
double pk_fisher_exact(uint64_t x1, uint64_t n1, uint64_t x2, uint64_t n2);

/* Standard error of x2/n2 - x1/n1, with one success and one failure added to each (Agresti and
 * Caffo, The American Statistician 54, 2000), so that it is not 0 where a share is 0 or 1. NaN if
 * n1 or n2 is 0. */
double pk_share_difference_error(double x1, double n1, double x2, double n2);

#endif
