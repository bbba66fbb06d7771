/* The first byte chooses: 't' the rest is text to decode, 'p' it is a plain encoding, else it is
 * values of eight bytes to record. What decodes must encode to what decodes to the same; what is
 * recorded must give the quantiles of the sorted values, within their buckets. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "stats/histogram.h"
#include "stats/quantile.h"

enum { TEXT_MAX = 64 << 20, VALUES_MAX = 512 };

static void check_same(const pk_hist *a, const pk_hist *b) {
    assert(a->lowest == b->lowest && a->highest == b->highest && a->digits == b->digits);
    assert(a->counts_length == b->counts_length);
    assert(memcmp(a->counts, b->counts, a->counts_length * sizeof a->counts[0]) == 0);
    assert(a->total - a->overflow == b->total);
}

static void check_round_trip(const pk_hist *hist) {
    pk_err err;
    pk_strbuf text, plain;
    pk_strbuf_init(&text, TEXT_MAX);
    pk_strbuf_init(&plain, TEXT_MAX);
    assert(pk_hist_encode(hist, &text, &err) && pk_hist_encode_plain(hist, &plain, &err));
    pk_hist *from_text = pk_hist_decode(text.data, text.length, &err);
    pk_hist *from_plain = pk_hist_decode_plain(plain.data, plain.length, &err);
    assert(from_text && from_plain);
    check_same(hist, from_text);
    check_same(hist, from_plain);
    assert(from_text->total == 0 || pk_hist_quantile(from_text, 1) == (double)from_text->max);
    pk_hist_free(from_text);
    pk_hist_free(from_plain);
    pk_strbuf_fini(&text);
    pk_strbuf_fini(&plain);
}

static int compare_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void check_quantile(const pk_hist *hist, const uint64_t sorted[], size_t n, double q) {
    double got = pk_hist_quantile(hist, q);
    uint64_t exact = sorted[pk_quantile_rank(q, n) - 1];
    if (exact > hist->highest) {
        assert(got == (double)hist->max);
        return;
    }
    uint64_t high = pk_hist_highest_equivalent(hist, exact);
    assert(got >= (double)exact && got <= (double)high);
    assert(high - exact <= exact / 1000 || high == exact);
}

static void check_values(const uint8_t *data, size_t bytes) {
    uint64_t values[VALUES_MAX];
    size_t n = bytes / sizeof values[0] < VALUES_MAX ? bytes / sizeof values[0] : VALUES_MAX;
    if (n == 0) return;
    memcpy(values, data, n * sizeof values[0]);
    pk_err err;
    pk_hist *hist = pk_hist_new_latency(&err);
    assert(hist);
    for (size_t i = 0; i < n; i++) pk_hist_record(hist, values[i]);
    qsort(values, n, sizeof values[0], compare_u64);
    assert(hist->total == n && hist->min == values[0] && hist->max == values[n - 1]);
    for (int i = 1; i <= 16; i++) check_quantile(hist, values, n, i / 16.0);
    for (size_t i = 0; i < n; i++) {
        uint64_t count = pk_hist_count_up_to(hist, values[i]);
        assert(count >= (values[i] > hist->highest ? n - hist->overflow : i + 1) && count <= n);
    }
    check_round_trip(hist);
    pk_hist_free(hist);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes == 0) return 0;
    pk_err err = {0};
    pk_hist *hist = NULL;
    if (data[0] == 't') hist = pk_hist_decode((const char *)data + 1, bytes - 1, &err);
    else if (data[0] == 'p') hist = pk_hist_decode_plain(data + 1, bytes - 1, &err);
    else {
        check_values(data + 1, bytes - 1);
        return 0;
    }
    if (hist) check_round_trip(hist);
    else assert(err.kind != PK_OK && err.what[0] && err.fix[0]);
    pk_hist_free(hist);
    return 0;
}
