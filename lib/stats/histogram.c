#include "stats/histogram.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "stats/quantile.h"

static bool refuse(pk_err *err, uint64_t lowest, uint64_t highest, int digits) {
    pk_fail(err, PK_E_INPUT, NULL,
            "no histogram can have %d significant digits from %" PRIu64 " to %" PRIu64, digits,
            lowest, highest);
    pk_fix(err,
           "1 to 5 digits; lowest >= 1; 2 * lowest <= highest < 2^63; lowest * 10^digits < 2^61");
    return false;
}

/* The layout, without counts: what HdrHistogram derives from lowest, highest and digits. */
static bool configure(pk_hist *shape, uint64_t lowest, uint64_t highest, int digits, pk_err *err) {
    if (digits < PK_HIST_DIGITS_MIN || digits > PK_HIST_DIGITS_MAX)
        return refuse(err, lowest, highest, digits);
    if (lowest < 1 || highest > PK_HIST_HIGHEST_MAX || highest / 2 < lowest)
        return refuse(err, lowest, highest, digits);
    /* 2 * 10^digits values at the finest resolution; never a power of two, so floor + 1 = ceil */
    uint64_t finest = 2;
    for (int i = 0; i < digits; i++) finest *= 10;
    int count_magnitude = 64 - __builtin_clzll(finest);
    int unit_magnitude = 63 - __builtin_clzll(lowest);
    if (unit_magnitude + count_magnitude > 62) return refuse(err, lowest, highest, digits);
    uint32_t sub_bucket_count = 1u << count_magnitude;
    uint32_t buckets = 1;
    uint64_t beyond = (uint64_t)sub_bucket_count << unit_magnitude;
    for (; beyond <= highest; beyond <<= 1) buckets++;

    *shape = (pk_hist){
        .lowest = lowest,
        .highest = highest,
        .digits = digits,
        .unit_magnitude = unit_magnitude,
        .sub_bucket_half_count_magnitude = count_magnitude - 1,
        .sub_bucket_count = sub_bucket_count,
        .sub_bucket_half_count = sub_bucket_count / 2,
        .sub_bucket_mask = (uint64_t)(sub_bucket_count - 1) << unit_magnitude,
        .counts_length = (buckets + 1) * (sub_bucket_count / 2),
        .min = UINT64_MAX,
    };
    return true;
}

pk_hist *pk_hist_new(uint64_t lowest, uint64_t highest, int digits, pk_err *err) {
    pk_hist shape;
    if (!configure(&shape, lowest, highest, digits, err)) return NULL;
    pk_hist *hist = calloc(1, sizeof *hist + shape.counts_length * sizeof hist->counts[0]);
    if (!hist) {
        pk_fail(err, PK_E_LIMIT, NULL, "no memory for a histogram of %u counts",
                shape.counts_length);
        pk_fix(err, "free memory, or use fewer significant digits");
        return NULL;
    }
    *hist = shape;
    return hist;
}

pk_hist *pk_hist_new_latency(pk_err *err) {
    return pk_hist_new(PK_HIST_LATENCY_LOWEST_NS, PK_HIST_LATENCY_HIGHEST_NS,
                       PK_HIST_LATENCY_DIGITS, err);
}

void pk_hist_free(pk_hist *hist) {
    free(hist);
}

void pk_hist_reset(pk_hist *hist) {
    memset(hist->counts, 0, hist->counts_length * sizeof hist->counts[0]);
    hist->total = hist->overflow = 0;
    hist->min = UINT64_MAX;
    hist->max = 0;
    hist->sum = 0;
}

bool pk_hist_merge(pk_hist *into, const pk_hist *from, pk_err *err) {
    if (into->lowest != from->lowest || into->highest != from->highest ||
        into->digits != from->digits) {
        pk_fail(err, PK_E_INPUT, NULL, "histograms of different range or precision do not merge");
        pk_fix(err, "record both with the same lowest and highest value and digits");
        return false;
    }
    uint64_t total;
    if (__builtin_add_overflow(into->total, from->total, &total)) {
        pk_fail(err, PK_E_LIMIT, NULL, "merged histograms hold more than 2^64 values");
        pk_fix(err, "merge fewer");
        return false;
    }
    /* no single count can overflow when their total does not */
    for (uint32_t i = 0; i < into->counts_length; i++) into->counts[i] += from->counts[i];
    into->total = total;
    into->overflow += from->overflow;
    into->sum += from->sum;
    if (from->min < into->min) into->min = from->min;
    if (from->max > into->max) into->max = from->max;
    return true;
}

/* First value of a bucket, and how many values share it. */
static uint64_t bucket_low(const pk_hist *h, uint32_t index, uint64_t *width) {
    int bucket = (int)(index >> h->sub_bucket_half_count_magnitude) - 1;
    uint32_t sub = index & (h->sub_bucket_half_count - 1);
    if (bucket < 0)
        bucket = 0; /* only the first bucket uses its lower half: there is no finer one below it */
    else sub += h->sub_bucket_half_count;
    *width = 1ull << (bucket + h->unit_magnitude);
    return (uint64_t)sub << (bucket + h->unit_magnitude);
}

uint64_t pk_hist_lowest_equivalent(const pk_hist *h, uint64_t value) {
    uint64_t width;
    return bucket_low(h, pk_hist_index(h, value), &width);
}

uint64_t pk_hist_highest_equivalent(const pk_hist *h, uint64_t value) {
    uint64_t width;
    uint64_t low = bucket_low(h, pk_hist_index(h, value), &width);
    return low + (width - 1);
}

double pk_hist_quantile(const pk_hist *h, double q) {
    if (h->total == 0) return NAN;
    if (!(q > 0)) return (double)h->min;
    uint64_t rank = pk_quantile_rank(q, h->total);
    uint64_t seen = 0;
    for (uint32_t i = 0; i < h->counts_length; i++) {
        seen += h->counts[i];
        if (seen < rank) continue;
        uint64_t width;
        uint64_t high = bucket_low(h, i, &width) + (width - 1);
        return (double)(high < h->max ? high : h->max);
    }
    return (double)h->max; /* among the overflow */
}

uint64_t pk_hist_count_up_to(const pk_hist *h, uint64_t value) {
    if (value >= h->max) return h->total;
    if (value > h->highest) return h->total - h->overflow;
    uint64_t count = 0;
    for (uint32_t i = 0, last = pk_hist_index(h, value); i <= last; i++) count += h->counts[i];
    return count;
}

double pk_hist_mean(const pk_hist *h) {
    return h->total == 0 ? NAN : h->sum / (double)h->total;
}

double pk_hist_stddev(const pk_hist *h) {
    if (h->total < 2) return NAN;
    /* Deviations from the mean of the midpoints, not from the exact mean: n equal values must give
     * 0. West's weighted form of Welford's recurrence. */
    double n = (double)h->overflow, mean = (double)h->max, squares = 0;
    uint64_t low, high, count;
    for (uint32_t i = 0; pk_hist_next(h, &i, &low, &high, &count);) {
        double delta = (double)low + (double)(high - low) / 2 - mean;
        double before = n;
        n += (double)count;
        mean += delta * (double)count / n;
        squares += delta * delta * before * (double)count / n;
    }
    return sqrt(squares / (n - 1));
}

bool pk_hist_next(const pk_hist *h, uint32_t *index, uint64_t *low, uint64_t *high,
                  uint64_t *count) {
    for (uint32_t i = *index; i < h->counts_length; i++) {
        if (h->counts[i] == 0) continue;
        uint64_t width;
        *low = bucket_low(h, i, &width);
        *high = *low + (width - 1);
        *count = h->counts[i];
        *index = i + 1;
        return true;
    }
    return false;
}
