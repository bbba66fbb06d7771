/* The figures of a load report, worked out once from a result for both renderers.
 * Nothing here allocates or fails; every function is pure. NaN stands for "not known": shown as
 * "-" in text, as null in JSON. */
#ifndef PK_LOAD_REPORT_NUMBERS_H
#define PK_LOAD_REPORT_NUMBERS_H

#include <stddef.h>
#include <stdint.h>
#include "load/load.h"

typedef struct pk_load_summary {
    double success_ratio; /* answers of any status / (answers + errors); aborted ones and errors at
                             a limit of this machine do not count */
    double good_ratio;    /* answers with status 2xx or 3xx / the same */
    double total_ns;      /* the measuring window */
    double slowest_ns, fastest_ns, average_ns; /* of the main latency */
    double rate_hz;                            /* answers within the window / the window */
    uint64_t body_bytes;                       /* of answers' bodies */
    bool has_answers;                          /* bytes_per_answer is known */
    uint64_t bytes_per_answer;                 /* rounded down, as oha does */
    double bytes_per_s;
    uint64_t good; /* answers with status 2xx or 3xx */
} pk_load_summary;
void pk_load_summarize(const pk_load_result *result, pk_load_summary *summary);

/* The percentiles of every list in the report, ascending. */
#define PK_LOAD_PERCENTILES 9
typedef struct pk_load_percentile {
    double q;         /* 0.999 */
    const char *name; /* "p99.9" */
} pk_load_percentile;
extern const pk_load_percentile pk_load_percentiles[PK_LOAD_PERCENTILES];
/* In ns; NaN where the sample did not see that far (pk_quantile_supported), since the figure would
 * only be the maximum. hist may be NULL. */
double pk_load_percentile_ns(const pk_hist *hist, double q);

/* oha's histogram: 11 bins, edges min + i * (max - min) / 10; bin i holds what lies in
 * (edge[i-1], edge[i]], so bin 0 holds only the minimum. Made from an HDR histogram: values count
 * at the middle of their bucket (0.1 % wide at most), those in the bucket of the minimum at the
 * minimum, one at the maximum. The counts add up to hist->total. */
#define PK_LOAD_BINS 11
typedef struct pk_load_bins {
    size_t n; /* PK_LOAD_BINS; 1 when all values are equal; 0 when there is none */
    double edge_ns[PK_LOAD_BINS];
    uint64_t count[PK_LOAD_BINS];
} pk_load_bins;
void pk_load_bins_fill(const pk_hist *hist, pk_load_bins *bins);

/* Answers per second over the fixed intervals of the run. */
typedef struct pk_load_rps {
    double mean, stddev, min, max; /* NaN without a complete interval; stddev with fewer than 2 */
    double percentile[PK_LOAD_PERCENTILES];
} pk_load_rps;
/* False when out of memory: the intervals are sorted in a copy. */
bool pk_load_rps_fill(const pk_load_result *result, pk_load_rps *rps) PK_MUST_CHECK;

/* Requests that can have shaped the averages at the two ends of the run: each connection may idle,
 * or hold one request that was never recorded, for as long as the longest known latency. In
 * connections, averaged over the window: what a mean over the window may be off by. */
double pk_load_edge_connections(const pk_load_result *result);

/* Is what was in flight the time that the histograms hold? Errors other than timeouts end at times
 * that no histogram has, and after a refused connection a slot pauses on purpose: with more than
 * 1 % of them neither rate x latency nor the idle connections say anything about the client. */
bool pk_load_is_mostly_answers(const pk_load_result *result);

#endif
