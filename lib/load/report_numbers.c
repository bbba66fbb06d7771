#include "load/report_numbers.h"

#include <math.h>
#include <stdlib.h>

#include "base/units.h"
#include "stats/quantile.h"
#include "stats/summary.h"

const pk_load_percentile pk_load_percentiles[PK_LOAD_PERCENTILES] = {
    {0.10, "p10"}, {0.25, "p25"}, {0.50, "p50"},    {0.75, "p75"},      {0.90, "p90"},
    {0.95, "p95"}, {0.99, "p99"}, {0.999, "p99.9"}, {0.9999, "p99.99"},
};

static double ratio(double part, double whole) {
    return whole > 0 ? part / whole : NAN;
}

void pk_load_summarize(const pk_load_result *r, pk_load_summary *s) {
    const pk_hist *latency = pk_load_main_latency(r);
    /* a request that failed at a limit of this machine says nothing about the server */
    double ended = (double)(r->responses + r->errors_total - r->errors_ours);
    double window_s = (double)r->elapsed_ns / (double)PK_NS_PER_S;
    double all_s = window_s + (double)r->drain_ns / (double)PK_NS_PER_S; /* when bytes came */
    *s = (pk_load_summary){
        .success_ratio = ratio((double)r->responses, ended),
        .total_ns = (double)r->elapsed_ns,
        .slowest_ns = latency->total ? (double)latency->max : NAN,
        .fastest_ns = latency->total ? (double)latency->min : NAN,
        .average_ns = pk_hist_mean(latency),
        .rate_hz = ratio((double)r->responses_in_window, window_s),
        .body_bytes = r->body_bytes,
        .has_answers = r->responses > 0,
        .bytes_per_answer = r->responses > 0 ? r->body_bytes / r->responses : 0,
        .bytes_per_s = ratio((double)r->body_bytes, all_s),
    };
    for (int code = 200; code < 400; code++) s->good += r->status[code];
    s->good_ratio = ratio((double)s->good, ended);
}

double pk_load_percentile_ns(const pk_hist *hist, double q) {
    if (!hist || !pk_quantile_supported(q, hist->total)) return NAN;
    return pk_hist_quantile(hist, q);
}

static size_t bin_of(const pk_hist *hist, double value) {
    double step = (double)(hist->max - hist->min) / (PK_LOAD_BINS - 1);
    double i = ceil((value - (double)hist->min) / step);
    if (!(i > 0)) return 0;
    return i < PK_LOAD_BINS - 1 ? (size_t)i : PK_LOAD_BINS - 1;
}

void pk_load_bins_fill(const pk_hist *hist, pk_load_bins *bins) {
    *bins = (pk_load_bins){0};
    if (hist->total == 0) return;
    if (hist->min == hist->max) {
        bins->n = 1;
        bins->edge_ns[0] = (double)hist->min;
        bins->count[0] = hist->total;
        return;
    }
    bins->n = PK_LOAD_BINS;
    double step = (double)(hist->max - hist->min) / (PK_LOAD_BINS - 1);
    for (size_t i = 0; i < PK_LOAD_BINS; i++)
        bins->edge_ns[i] = (double)hist->min + (double)i * step;
    bins->count[PK_LOAD_BINS - 1] = hist->overflow; /* the maximum is one of them */
    uint32_t index = 0;
    uint64_t low, high, count;
    while (pk_hist_next(hist, &index, &low, &high, &count)) {
        if (hist->max >= low && hist->max <= high) { /* one value is known to be the maximum */
            bins->count[PK_LOAD_BINS - 1]++;
            count--;
        }
        double value = (double)low + (double)(high - low) / 2;
        if (hist->min >= low && hist->min <= high) value = (double)hist->min;
        bins->count[bin_of(hist, value)] += count;
    }
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool pk_load_rps_fill(const pk_load_result *r, pk_load_rps *rps) {
    size_t n = r->n_intervals;
    double *rates = malloc((n ? n : 1) * sizeof *rates);
    if (!rates) return false;
    for (size_t i = 0; i < n; i++)
        rates[i] = (double)r->intervals[i].responses * (double)PK_NS_PER_S / (double)r->interval_ns;
    qsort(rates, n, sizeof *rates, by_value);
    pk_summary s = pk_summarize(rates, n);
    *rps = (pk_load_rps){.mean = s.mean,
                         .stddev = s.stddev,
                         .min = n ? rates[0] : NAN,
                         .max = n ? rates[n - 1] : NAN};
    for (size_t i = 0; i < PK_LOAD_PERCENTILES; i++) {
        double q = pk_load_percentiles[i].q;
        rps->percentile[i] = pk_quantile_supported(q, n) ? pk_quantile_sorted(rates, n, q) : NAN;
    }
    free(rates);
    return true;
}

double pk_load_edge_connections(const pk_load_result *r) {
    uint64_t longest_ns = r->service->total ? r->service->max : 0;
    if (r->aborted_oldest_ns > longest_ns) longest_ns = r->aborted_oldest_ns;
    return ratio((double)r->connections * (double)longest_ns, (double)r->elapsed_ns);
}

bool pk_load_is_mostly_answers(const pk_load_result *r) {
    uint64_t unrecorded = r->errors_total - r->timeouts;
    return unrecorded * 100 <= r->responses + r->timeouts;
}
