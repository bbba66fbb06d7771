/* Inside bench/page_*: the charts of one benchmark's page. Each adds one figure, or none when it
 * has no values to show. False: out of memory. */
#ifndef PK_BENCH_PAGE_CHARTS_H
#define PK_BENCH_PAGE_CHARTS_H

#include "bench/page_parts.h"

/* Density with the mean and the fences; each worker as a point below it, by outlier class. */
bool pk_page_chart_density(pk_page *page, pk_arena *arena, const pk_bench_result *result,
                           const pk_page_values *values);
/* Workers in the order they ran. */
bool pk_page_chart_order(pk_page *page, pk_arena *arena, const pk_bench_result *result,
                         const pk_page_values *values);
/* Both sides' densities. */
bool pk_page_chart_both(pk_page *page, pk_arena *arena, const pk_page_values *new_side,
                        const pk_page_values *old_side);
/* Each worker's own change, with the interval and the threshold (live comparisons). */
bool pk_page_chart_changes(pk_page *page, pk_arena *arena, const pk_bench_result *result);
/* The headline over the runs of the past. */
bool pk_page_chart_history(pk_page *page, pk_arena *arena, size_t n,
                           const pk_bench_session sessions[]);

/* What a density is drawn from: places and heights, heights per `per` ns. n = 0: no density can be
 * drawn (one value, or all equal). */
#define PK_PAGE_CURVE_POINTS 240
typedef struct pk_page_curve {
    size_t n;
    double *x, *y;
} pk_page_curve;
bool pk_page_curve_of(pk_arena *arena, const pk_page_values *values, double low, double high,
                      double per, pk_page_curve *curve);
/* The domain that shows sorted[0..n) and the feet of its density (bandwidth; 0: it has none): all
 * of it, unless a few values (at most 5 %) lie so far out that the rest would shrink to a line.
 * *beyond counts what is not shown. n = 0: NaN. */
void pk_page_domain(const double sorted[], size_t n, double bandwidth, double *low, double *high,
                    size_t *beyond);
/* Quartiles and median; whiskers end at the farthest value within the mild fences (Tukey 1977).
 * n >= 1. */
pk_box pk_page_box(const double sorted[], size_t n);

#endif
