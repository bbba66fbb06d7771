/* Mean and spread of a sample. */
#ifndef PK_STATS_SUMMARY_H
#define PK_STATS_SUMMARY_H

#include <stddef.h>

typedef struct pk_summary {
    size_t n;
    double mean;   /* NaN when n = 0 */
    double stddev; /* sample standard deviation (n - 1); NaN when n < 2 */
    double min, max;
} pk_summary;

/* Welford's recurrence (Knuth, TAOCP 2, 4.2.2, eqs. 15-16); x[0..n) finite, any order.
 * Check: NIST StRD univariate sets to 8 digits (tests/unit/test_summary.c). */
pk_summary pk_summarize(const double x[], size_t n);

#endif
