/* What a change means. One rule for all tools: improved and regressed need an interval that
 * excludes 0 and an estimate beyond the threshold (or, strictly, the whole interval beyond it);
 * "no change" needs an interval within the equivalence bounds; all else is "cannot tell". */
#ifndef PK_STATS_VERDICT_H
#define PK_STATS_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum pk_verdict_word {
    PK_CANNOT_TELL,
    PK_REGRESSED,
    PK_IMPROVED,
    PK_NO_CHANGE
} pk_verdict_word;
const char *pk_verdict_name(pk_verdict_word word); /* "cannot tell" */

typedef struct pk_verdict_rule {
    double threshold;   /* delta, as a ratio: 0.01 */
    double equivalence; /* eps: 0.02 */
    double confidence;  /* 0.95 */
    bool strict;
} pk_verdict_rule;

typedef struct pk_verdict {
    pk_verdict_word word;
    double estimate, low, high; /* ratio - 1 */
    double bound;               /* no change: "beyond this": max(|low|, |high|), rounded up to 2
                                   digits */
    double p;                   /* "differs by more than the threshold", two-sided; NaN: unknown */
    double p_zero;              /* "differs at all": what Criterion's words rest on */
    uint64_t workers_needed;    /* for a half width of the threshold; 0: unknown */
} pk_verdict;

/* From d = the mean of log ratios, its standard error and degrees of freedom; n units (workers)
 * gave it. Interval exp(d +- t se) - 1. */
pk_verdict pk_verdict_of_log(const pk_verdict_rule *rule, double d, double standard_error,
                             double df, uint64_t n);
/* Holm 1979: which of p[0..n) are rejected at the family-wise level alpha; NaN never is. */
void pk_holm(size_t n, const double p[], double alpha, bool rejected[]);

#endif
