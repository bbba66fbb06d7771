#include "stats/histogram.h"

#include "check.h"
#include "stats/quantile.h"

static pk_hist *new_hist(uint64_t lowest, uint64_t highest, int digits) {
    pk_err err;
    pk_hist *hist = pk_hist_new(lowest, highest, digits, &err);
    assert_ok(hist, &err);
    return hist;
}

static pk_hist *new_latency(void) {
    pk_err err;
    pk_hist *hist = pk_hist_new_latency(&err);
    assert_ok(hist, &err);
    return hist;
}

static uint64_t next_random(uint64_t *state) { /* xorshift64 (Marsaglia 2003) */
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

/* Values spread over all magnitudes below 2^bits, as latencies are. */
static uint64_t random_value(uint64_t *state, unsigned bits) {
    uint64_t value = next_random(state);
    return value >> (64 - bits + next_random(state) % bits);
}

/* The published description, step by step: double the range of the sub-buckets until the value is
 * inside; buckets after the first use only their upper half. */
static uint64_t naive_index(const pk_hist *h, uint64_t value) {
    uint64_t bucket = 0;
    uint64_t unit = h->lowest;
    while (unit & (unit - 1)) unit &= unit - 1; /* lowest, rounded down to a power of two */
    while (value / unit >= h->sub_bucket_count) {
        unit *= 2;
        bucket++;
    }
    if (bucket == 0) return value / unit;
    return h->sub_bucket_count + (bucket - 1) * h->sub_bucket_half_count +
           (value / unit - h->sub_bucket_half_count);
}

static void check_index(const pk_hist *h, uint64_t value) {
    if (value > h->highest) return;
    assert_int_equal(pk_hist_index(h, value), naive_index(h, value));
    assert_true(pk_hist_index(h, value) < h->counts_length);
}

static void index_equals_the_definition_at_every_edge(void **state) {
    (void)state;
    static const struct {
        uint64_t lowest, highest;
        int digits;
    } layouts[] = {
        {1, PK_HIST_LATENCY_HIGHEST_NS, 3},
        {1, PK_HIST_HIGHEST_MAX, 5},
        {1000, 3600000000000, 2},
        {1, 2, 1},
        {4096, 1ull << 40, 3},
        {1, 2047, 3},
        {1, 2048, 3},
        {1ull << 50, 1ull << 60, 1},
    };
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        pk_hist *h = new_hist(layouts[i].lowest, layouts[i].highest, layouts[i].digits);
        for (uint64_t small = 0; small < 5000; small++) check_index(h, small);
        for (int k = 0; k < 63; k++)
            for (uint64_t value = (1ull << k) - 1; value <= (1ull << k) + 1; value++)
                check_index(h, value);
        check_index(h, h->highest);
        check_index(h, h->highest - 1);
        /* not a bucket more than the range needs; the first has two halves */
        uint32_t last_half = pk_hist_index(h, h->highest) / h->sub_bucket_half_count;
        assert_int_equal(h->counts_length / h->sub_bucket_half_count,
                         last_half == 0 ? 2 : last_half + 1);
        pk_hist_free(h);
    }
}

static void latency_layout_is_that_of_hdrhistogram(void **state) {
    (void)state;
    pk_hist *h = new_latency();
    assert_int_equal(h->sub_bucket_count, 2048);
    assert_int_equal(h->counts_length, 33 * 1024); /* 32 doublings from 2^11 to over 3.6e12 */
    assert_int_equal(pk_hist_index(h, 0), 0);
    assert_int_equal(pk_hist_index(h, 1), 1);
    assert_int_equal(pk_hist_index(h, 2047), 2047);
    assert_int_equal(pk_hist_index(h, 2048), 2048);
    assert_int_equal(pk_hist_index(h, 2049), 2048);
    assert_int_equal(pk_hist_index(h, 2050), 2049);
    pk_hist_free(h);
}

static void equivalent_ranges_tile_the_values_within_the_precision(void **state) {
    (void)state;
    pk_hist *h = new_latency();
    uint64_t random = 88172645463325252ull;
    for (int i = 0; i < 100000; i++) {
        uint64_t value = random_value(&random, 42);
        uint64_t low = pk_hist_lowest_equivalent(h, value);
        uint64_t high = pk_hist_highest_equivalent(h, value);
        assert_true(low <= value && value <= high);
        assert_true((high - low) * 1000 <= low || high == low);
        assert_int_equal(pk_hist_index(h, low), pk_hist_index(h, high));
        assert_int_equal(pk_hist_index(h, high + 1), pk_hist_index(h, high) + 1);
    }
    pk_hist_free(h);
}

static void uniform_values_give_their_quantiles_within_a_thousandth(void **state) {
    (void)state;
    pk_hist *h = new_hist(1, 3600000000, 3);
    for (uint64_t value = 1; value <= 10000; value++) pk_hist_record(h, value);
    static const double qs[] = {0.0001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999};
    for (size_t i = 0; i < sizeof qs / sizeof qs[0]; i++)
        assert_near(pk_hist_quantile(h, qs[i]), qs[i] * 10000, 0.001);
    assert_near(pk_hist_quantile(h, 0), 1, 0);
    assert_near(pk_hist_quantile(h, 1), 10000, 0);
    assert_near(pk_hist_mean(h), 5000.5, 1e-15);
    assert_near(pk_hist_stddev(h), sqrt(10000.0 * 10001 / 12), 1e-5); /* of 1..n: n(n+1)/12 */
    pk_hist_free(h);
}

static void values_below_the_first_bucket_are_exact(void **state) {
    (void)state;
    pk_hist *h = new_latency();
    for (uint64_t value = 0; value < 2048; value++) pk_hist_record_n(h, value, 3);
    for (uint64_t value = 0; value < 2048; value++) {
        assert_int_equal(pk_hist_count_up_to(h, value), 3 * (value + 1));
        assert_near(pk_hist_quantile(h, ((double)value + 0.5) / 2048), (double)value, 0);
    }
    pk_hist_free(h);
}

static void one_value_is_every_quantile(void **state) {
    (void)state;
    pk_hist *h = new_latency();
    pk_hist_record_n(h, 123456789, 1000); /* no bucket's edge */
    for (double q = 0; q <= 1; q += 0.125) assert_near(pk_hist_quantile(h, q), 123456789, 0);
    assert_near(pk_hist_mean(h), 123456789, 1e-15);
    assert_near(pk_hist_stddev(h), 0, 0);
    assert_int_equal(h->min, 123456789);
    assert_int_equal(h->max, 123456789);
    pk_hist_free(h);
}

static void nothing_recorded_is_nan_not_zero(void **state) {
    (void)state;
    pk_hist *h = new_latency();
    assert_near(pk_hist_quantile(h, 0), NAN, 0);
    assert_near(pk_hist_quantile(h, 0.5), NAN, 0);
    assert_near(pk_hist_mean(h), NAN, 0);
    pk_hist_record_n(h, 5, 0);
    assert_int_equal(h->total, 0);
    assert_int_equal(h->min, UINT64_MAX);
    assert_near(pk_hist_stddev(h), NAN, 0);
    pk_hist_record(h, 5);
    assert_near(pk_hist_stddev(h), NAN, 0); /* one value has no spread */
    pk_hist_reset(h);
    assert_near(pk_hist_quantile(h, 0.5), NAN, 0);
    assert_int_equal(pk_hist_count_up_to(h, UINT64_MAX), 0);
    pk_hist_free(h);
}

static void quantiles_never_fall(void **state) {
    (void)state;
    pk_hist *h = new_latency();
    uint64_t random = 2463534242;
    for (int i = 0; i < 5000; i++) pk_hist_record(h, random_value(&random, 43));
    assert_true(h->overflow > 0); /* over them, too */
    double last = 0;
    for (int i = 0; i <= 2000; i++) {
        double value = pk_hist_quantile(h, i / 2000.0);
        assert_true(value >= last && value >= (double)h->min && value <= (double)h->max);
        last = value;
    }
    pk_hist_free(h);
}

static void overflow_is_counted_and_never_clipped(void **state) {
    (void)state;
    pk_hist *h = new_hist(1, 1000000, 3);
    for (uint64_t value = 1; value <= 90; value++) pk_hist_record(h, value);
    pk_hist_record_n(h, 1000000, 5);
    pk_hist_record_n(h, 1000001, 4);
    pk_hist_record(h, 5000000);
    assert_int_equal(h->total, 100);
    assert_int_equal(h->overflow, 5);
    assert_int_equal(h->max, 5000000);
    assert_near(pk_hist_quantile(h, 0.90), 90, 0);
    assert_near(pk_hist_quantile(h, 0.95), 1000000, 0.001);
    assert_near(pk_hist_quantile(h, 0.96), 5000000, 0);
    assert_near(pk_hist_mean(h), (4095 + 5e6 + 4000004 + 5e6) / 100, 1e-15);
    assert_int_equal(pk_hist_count_up_to(h, 1000000), 95);
    assert_int_equal(pk_hist_count_up_to(h, 1000002), 95); /* of the rest only the max is known */
    assert_int_equal(pk_hist_count_up_to(h, 5000000), 100);
    /* 95 midpoints and 5 times the max: sqrt((sum x^2 - (sum x)^2 / 100) / 99) */
    double bucket = ((double)pk_hist_lowest_equivalent(h, 1000000) +
                     (double)pk_hist_highest_equivalent(h, 1000000)) /
                    2;
    double sum = 4095 + 5 * bucket + 25e6;
    double squares = 247065 + 5 * bucket * bucket + 5 * 25e12;
    assert_near(pk_hist_stddev(h), sqrt((squares - sum * sum / 100) / 99), 1e-12);
    pk_hist_free(h);
}

static void assert_same(const pk_hist *a, const pk_hist *b) {
    assert_int_equal(a->counts_length, b->counts_length);
    assert_memory_equal(a->counts, b->counts, a->counts_length * sizeof a->counts[0]);
    assert_int_equal(a->total, b->total);
    assert_int_equal(a->overflow, b->overflow);
    assert_int_equal(a->min, b->min);
    assert_int_equal(a->max, b->max);
    assert_near(a->sum, b->sum, 1e-12);
}

static void merge(pk_hist *into, const pk_hist *from) {
    pk_err err;
    assert_ok(pk_hist_merge(into, from, &err), &err);
}

static void merging_is_associative_and_equals_recording_all(void **state) {
    (void)state;
    enum { PARTS = 3 };
    pk_hist *all = new_latency(), *left = new_latency(), *right = new_latency();
    pk_hist *part[PARTS];
    uint64_t random = 362436069;
    for (int p = 0; p < PARTS; p++) {
        part[p] = new_latency();
        for (int i = 0; i < 3000; i++) {
            uint64_t value = random_value(&random, 43);
            pk_hist_record(part[p], value);
            pk_hist_record(all, value);
        }
    }
    merge(left, part[0]); /* ((0 + a) + b) + c */
    merge(left, part[1]);
    merge(left, part[2]);
    merge(right, part[2]); /* a + (b + (c + 0)) */
    merge(part[1], right);
    merge(part[0], part[1]);
    assert_same(left, all);
    assert_same(part[0], all);
    pk_hist_reset(right);
    merge(all, right); /* an empty one changes nothing */
    assert_same(left, all);
    for (int p = 0; p < PARTS; p++) pk_hist_free(part[p]);
    pk_hist_free(all);
    pk_hist_free(left);
    pk_hist_free(right);
}

static void merging_different_layouts_or_too_much_is_refused(void **state) {
    (void)state;
    pk_err err = {0};
    pk_hist *a = new_hist(1, 1000000, 3), *b = new_hist(1, 1000000, 2), *c = new_hist(1, 999999, 3);
    pk_hist *d = new_hist(2, 1000000, 3), *full = new_hist(1, 1000000, 3);
    pk_hist_record(a, 7);
    pk_hist_record_n(full, 7, UINT64_MAX);
    assert_fails(pk_hist_merge(a, b, &err), &err, PK_E_INPUT);
    assert_fails(pk_hist_merge(a, c, &err), &err, PK_E_INPUT);
    assert_fails(pk_hist_merge(a, d, &err), &err, PK_E_INPUT);
    assert_fails(pk_hist_merge(a, full, &err), &err, PK_E_LIMIT);
    assert_int_equal(a->total, 1);
    assert_int_equal(a->counts[7], 1);
    pk_hist_free(a);
    pk_hist_free(b);
    pk_hist_free(c);
    pk_hist_free(d);
    pk_hist_free(full);
}

static void iteration_gives_every_count_once_in_order(void **state) {
    (void)state;
    pk_hist *h = new_latency();
    uint64_t random = 521288629;
    for (int i = 0; i < 2000; i++) pk_hist_record(h, random_value(&random, 41));
    uint64_t low, high, count, total = 0, last_high = 0;
    uint32_t index = 0;
    for (bool first = true; pk_hist_next(h, &index, &low, &high, &count); first = false) {
        assert_true(count > 0 && low <= high);
        assert_true(first || low > last_high);
        assert_int_equal(pk_hist_lowest_equivalent(h, low), low);
        assert_int_equal(pk_hist_highest_equivalent(h, low), high);
        total += count;
        last_high = high;
        assert_int_equal(pk_hist_count_up_to(h, high), total);
    }
    assert_int_equal(total, h->total);
    assert_false(pk_hist_next(h, &index, &low, &high, &count));
    pk_hist_free(h);
}

static int compare_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void quantiles_are_those_of_the_sorted_values_within_a_bucket(void **state) {
    (void)state;
    enum { N = 1009 };
    uint64_t values[N], random = 123456789;
    pk_hist *h = new_latency();
    for (int i = 0; i < N; i++) {
        values[i] = random_value(&random, 42) % PK_HIST_LATENCY_HIGHEST_NS;
        pk_hist_record(h, values[i]);
    }
    qsort(values, N, sizeof values[0], compare_u64);
    for (int i = 1; i <= 1000; i++) {
        double q = i / 1000.0;
        uint64_t exact = values[pk_quantile_rank(q, N) - 1];
        double got = pk_hist_quantile(h, q);
        assert_true(got >= (double)exact);
        assert_true(got <= (double)pk_hist_highest_equivalent(h, exact));
    }
    pk_hist_free(h);
}

static void impossible_ranges_are_refused(void **state) {
    (void)state;
    static const struct {
        uint64_t lowest, highest;
        int digits;
        bool possible;
    } cases[] = {
        {1, 2, 1, true},
        {1, 2, 0, false},
        {1, 2, 6, false},
        {1, 2, -3, false},
        {0, 100, 3, false},
        {1, 1, 3, false},
        {50, 99, 3, false},
        {50, 100, 3, true},
        {1, PK_HIST_HIGHEST_MAX, 5, true},
        {1, PK_HIST_HIGHEST_MAX + 1, 5, false},
        {1, UINT64_MAX, 3, false},
        {UINT64_MAX, 2, 3, false},
        {1ull << 51, PK_HIST_HIGHEST_MAX, 3, true},
        {1ull << 52, PK_HIST_HIGHEST_MAX, 3, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_err err = {0};
        pk_hist *h = pk_hist_new(cases[i].lowest, cases[i].highest, cases[i].digits, &err);
        if (cases[i].possible) assert_ok(h, &err);
        else assert_fails(h, &err, PK_E_INPUT);
        pk_hist_free(h);
    }
}

static void the_whole_range_of_integers_can_be_recorded(void **state) {
    (void)state;
    pk_hist *h = new_hist(1, PK_HIST_HIGHEST_MAX, 5);
    pk_hist_record(h, 0);
    pk_hist_record(h, PK_HIST_HIGHEST_MAX);
    pk_hist_record(h, UINT64_MAX);
    assert_int_equal(h->counts[h->counts_length - 1], 1);
    assert_int_equal(h->overflow, 1);
    assert_int_equal(pk_hist_highest_equivalent(h, PK_HIST_HIGHEST_MAX), PK_HIST_HIGHEST_MAX);
    assert_int_equal(pk_hist_highest_equivalent(h, UINT64_MAX), UINT64_MAX);
    assert_near(pk_hist_quantile(h, 0), 0, 0);
    assert_near(pk_hist_quantile(h, 1), (double)UINT64_MAX, 0);
    pk_hist_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_equals_the_definition_at_every_edge),
        cmocka_unit_test(latency_layout_is_that_of_hdrhistogram),
        cmocka_unit_test(equivalent_ranges_tile_the_values_within_the_precision),
        cmocka_unit_test(uniform_values_give_their_quantiles_within_a_thousandth),
        cmocka_unit_test(values_below_the_first_bucket_are_exact),
        cmocka_unit_test(one_value_is_every_quantile),
        cmocka_unit_test(nothing_recorded_is_nan_not_zero),
        cmocka_unit_test(quantiles_never_fall),
        cmocka_unit_test(overflow_is_counted_and_never_clipped),
        cmocka_unit_test(merging_is_associative_and_equals_recording_all),
        cmocka_unit_test(merging_different_layouts_or_too_much_is_refused),
        cmocka_unit_test(iteration_gives_every_count_once_in_order),
        cmocka_unit_test(quantiles_are_those_of_the_sorted_values_within_a_bucket),
        cmocka_unit_test(impossible_ranges_are_refused),
        cmocka_unit_test(the_whole_range_of_integers_can_be_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
