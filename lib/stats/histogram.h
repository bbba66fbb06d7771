/* HDR histogram: counts of integers over a wide range at a fixed relative precision.
 * Same bucket layout as HdrHistogram (G. Tene, hdrhistogram.org), so that its V2 encoding and
 * .hlog files open in the usual viewers. Recording is one index computation and three additions:
 * no allocation, no lock. One histogram per thread and kind; merging is exact.
 * Values over `highest` are counted in `overflow` and in total, min and max, never clipped
 * silently: quantiles that fall among them give `max`. */
#ifndef PK_STATS_HISTOGRAM_H
#define PK_STATS_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/strbuf.h"

typedef struct pk_hist {
    uint64_t lowest, highest; /* lowest discernible and highest trackable value */
    int digits;               /* significant decimal digits, 1..5 */
    int unit_magnitude;       /* floor(log2(lowest)) */
    int sub_bucket_half_count_magnitude;
    uint32_t sub_bucket_count;
    uint32_t sub_bucket_half_count;
    uint64_t sub_bucket_mask;
    uint32_t counts_length;
    uint64_t total;    /* recorded values, overflow included */
    uint64_t overflow; /* of them, those over highest */
    uint64_t min, max; /* exact; min = UINT64_MAX, max = 0 when empty */
    double sum;        /* exact to double precision: for the mean */
    uint64_t counts[]; /* counts_length */
} pk_hist;

/* Latencies: 1 ns .. 1 h, 3 digits; about 270 KiB. */
#define PK_HIST_LATENCY_LOWEST_NS 1ull
#define PK_HIST_LATENCY_HIGHEST_NS 3600000000000ull
#define PK_HIST_LATENCY_DIGITS 3
pk_hist *pk_hist_new_latency(pk_err *err) PK_MUST_CHECK;
#define PK_HIST_DIGITS_MIN 1
#define PK_HIST_DIGITS_MAX 5
#define PK_HIST_HIGHEST_MAX ((uint64_t)INT64_MAX) /* the format's integers are signed */
/* 1 <= lowest, 2*lowest <= highest <= PK_HIST_HIGHEST_MAX, and sub-buckets of that precision must
 * fit above lowest: floor(log2(lowest)) + ceil(log2(2 * 10^digits)) <= 62. PK_E_INPUT otherwise,
 * PK_E_LIMIT without memory. At most 48 MiB (5 digits, the whole range). */
pk_hist *pk_hist_new(uint64_t lowest, uint64_t highest, int digits, pk_err *err) PK_MUST_CHECK;
void pk_hist_free(pk_hist *hist);
void pk_hist_reset(pk_hist *hist);

static inline uint32_t pk_hist_index(const pk_hist *h, uint64_t value) {
    /* bucket: how often the sub-bucket range must double to hold the value */
    int bucket = 64 - __builtin_clzll(value | h->sub_bucket_mask) -
                 (h->unit_magnitude + h->sub_bucket_half_count_magnitude + 1);
    uint32_t sub = (uint32_t)(value >> (bucket + h->unit_magnitude));
    return ((uint32_t)(bucket + 1) << h->sub_bucket_half_count_magnitude) + sub -
           h->sub_bucket_half_count;
}
static inline void pk_hist_record_n(pk_hist *h, uint64_t value, uint64_t n) {
    if (n == 0) return;
    h->total += n;
    h->sum += (double)value * (double)n;
    if (value < h->min) h->min = value;
    if (value > h->max) h->max = value;
    if (__builtin_expect(value <= h->highest, 1)) h->counts[pk_hist_index(h, value)] += n;
    else h->overflow += n;
}
static inline void pk_hist_record(pk_hist *h, uint64_t value) {
    pk_hist_record_n(h, value, 1);
}

/* into += from; exact. Both must have the same lowest, highest and digits (PK_E_INPUT). */
bool pk_hist_merge(pk_hist *into, const pk_hist *from, pk_err *err) PK_MUST_CHECK;

/* The smallest recorded value v (as the highest equivalent of its bucket, at most max) such that
 * at least ceil(q * total) values are <= v; q = 0 gives min. NaN when empty. See stats/quantile. */
double pk_hist_quantile(const pk_hist *hist, double q);
/* How many values are <= value, all of value's bucket included. Those over highest count only from
 * max on: where they are below it is not known. */
uint64_t pk_hist_count_up_to(const pk_hist *hist, uint64_t value);
double pk_hist_mean(const pk_hist *hist); /* exact; NaN when empty */
/* Sample standard deviation (n - 1) of the bucket midpoints; overflow counts as max. NaN when
 * total < 2. */
double pk_hist_stddev(const pk_hist *hist);
/* The range of values that share `value`'s bucket. */
uint64_t pk_hist_lowest_equivalent(const pk_hist *hist, uint64_t value);
uint64_t pk_hist_highest_equivalent(const pk_hist *hist, uint64_t value);

/* Iterates over the non-empty buckets, ascending: start with *index = 0; false at the end. */
bool pk_hist_next(const pk_hist *hist, uint32_t *index, uint64_t *low, uint64_t *high,
                  uint64_t *count);

/* HdrHistogram's V2 compressed encoding (cookie 0x1c849304 + zlib over the plain V2 encoding),
 * base64 on one line: appended to *out. Overflow is not part of the format and is left out.
 * PK_E_LIMIT when *out or memory is full; nothing is appended then. */
bool pk_hist_encode(const pk_hist *hist, pk_strbuf *out, pk_err *err) PK_MUST_CHECK;
/* The reverse; text[0..bytes) may be anything. min and max get their bucket's edge, sum the
 * midpoints. PK_E_INPUT when it is no such histogram. */
pk_hist *pk_hist_decode(const char *text, size_t bytes, pk_err *err) PK_MUST_CHECK;

/* The plain V2 encoding inside: a header of 40 bytes (cookie 0x1c849303) and the counts as ZigZag
 * LEB128, zero runs as negative counts. Binary. */
bool pk_hist_encode_plain(const pk_hist *hist, pk_strbuf *out, pk_err *err) PK_MUST_CHECK;
pk_hist *pk_hist_decode_plain(const void *data, size_t bytes, pk_err *err) PK_MUST_CHECK;

#endif
