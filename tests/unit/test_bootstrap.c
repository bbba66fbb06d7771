#include "stats/bootstrap.h"
#include "stats/quantile.h"
#include "stats/random.h"
#include "stats/regression.h"
#include "stats/resample.h"
#include "stats/robust.h"
#include "stats/summary.h"

#include "check.h"

enum { BLOCK = 512 }; /* resamples that share a sequence: part of what a seed means */

static void fill_normal(uint64_t seed, size_t n, double mean, double sd, double x[]) {
    pk_random random;
    pk_random_seed(&random, seed);
    for (size_t i = 0; i < n; i++) x[i] = mean + sd * pk_random_normal(&random);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- against the plain way: copy, sort, take the definitions ---- */

typedef struct plain {
    double mean, median, mad, sd;
} plain;

static plain plain_statistics(size_t n, double x[]) {
    double scratch[512];
    plain p = {.mean = pk_summarize(x, n).mean, .sd = pk_summarize(x, n).stddev};
    qsort(x, n, sizeof x[0], ascending);
    p.median = pk_quantile_interpolated(x, n, 0.5);
    p.mad = pk_median_abs_dev(x, n, scratch);
    return p;
}

static pk_bootstrap_interval plain_interval(size_t n, double x[], double confidence) {
    double se = pk_summarize(x, n).stddev;
    qsort(x, n, sizeof x[0], ascending);
    return (pk_bootstrap_interval){pk_quantile_interpolated(x, n, (1 - confidence) / 2),
                                   pk_quantile_interpolated(x, n, (1 + confidence) / 2), se};
}

static void assert_interval(pk_bootstrap_interval is, pk_bootstrap_interval should) {
    assert_near(is.low, should.low, 1e-12);
    assert_near(is.high, should.high, 1e-12);
    assert_near(is.standard_error, should.standard_error, 1e-9);
}

static void counting_gives_what_sorting_gives(void **state) {
    (void)state;
    static const size_t sizes[] = {2, 3, 4, 7, 30, 101, 140};
    enum { RESAMPLES = 1500 };
    static double all[4][RESAMPLES];
    pk_err err = {0};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        size_t n = sizes[s];
        double x[256], drawn[256];
        uint32_t index[256];
        fill_normal(s, n, 1000, 3, x);
        if (n > 20) x[4] = x[9] = x[11]; /* ties */
        pk_bootstrap_options options = {
            .resamples = RESAMPLES, .confidence = 0.9, .seed = 77, .threads = 1};
        pk_bootstrap_one one;
        assert_ok(pk_bootstrap_sample(&options, n, x, &one, &err), &err);

        double sorted[256];
        memcpy(sorted, x, n * sizeof x[0]);
        qsort(sorted, n, sizeof x[0], ascending);
        pk_resample random;
        for (size_t r = 0; r < RESAMPLES; r++) {
            if (r % BLOCK == 0) pk_resample_seed(&random, 77, r / BLOCK);
            pk_resample_draw(&random, (uint32_t)n, index);
            for (size_t i = 0; i < n; i++) drawn[i] = sorted[index[i]];
            plain p = plain_statistics(n, drawn);
            all[0][r] = p.mean, all[1][r] = p.median, all[2][r] = p.mad, all[3][r] = p.sd;
        }
        assert_interval(one.mean, plain_interval(RESAMPLES, all[0], 0.9));
        assert_interval(one.median, plain_interval(RESAMPLES, all[1], 0.9));
        /* 1000 +- 3: differences of such numbers have lost three digits */
        pk_bootstrap_interval mad = plain_interval(RESAMPLES, all[2], 0.9);
        assert_true(fabs(one.median_abs_dev.low - mad.low) < 1e-11);
        assert_true(fabs(one.median_abs_dev.high - mad.high) < 1e-11);
        pk_bootstrap_interval sd = plain_interval(RESAMPLES, all[3], 0.9);
        assert_true(fabs(one.std_dev.low - sd.low) < 1e-6); /* 0 of equal values: sqrt(rounding) */
        assert_near(one.std_dev.high, sd.high, 1e-10);
    }
}

/* ---- known distributions ---- */

static void the_mean_has_its_standard_error(void **state) {
    (void)state;
    double x[100];
    fill_normal(3, 100, 50, 2, x);
    pk_bootstrap_options options = {.resamples = 100000, .confidence = 0.95, .seed = 1};
    pk_bootstrap_interval mean;
    pk_bootstrap_one one;
    pk_err err = {0};
    assert_ok(pk_bootstrap_mean(&options, 100, x, &mean, NULL, &err), &err);
    /* the bootstrap's variance has n, not n - 1: known exactly */
    pk_summary s = pk_summarize(x, 100);
    double error = s.stddev * sqrt(99.0 / 100) / 10;
    assert_near(mean.standard_error, error, 0.01);
    assert_near(mean.low, s.mean - 1.96 * error, 0.001);
    assert_near(mean.high, s.mean + 1.96 * error, 0.001);

    assert_ok(pk_bootstrap_sample(&options, 100, x, &one, &err), &err);
    assert_near(one.mean.standard_error, error, 0.01);
    assert_near(one.mean.low, mean.low, 0.001);
    /* large samples of normals: sd / sqrt(2 (n - 1)), within what 100 values allow */
    assert_near(one.std_dev.standard_error, s.stddev / sqrt(198), 0.3);
}

static void the_distribution_is_handed_out(void **state) {
    (void)state;
    enum { RESAMPLES = 5000 };
    static double means[RESAMPLES];
    double x[30];
    fill_normal(4, 30, 10, 1, x);
    pk_bootstrap_options options = {.resamples = RESAMPLES, .confidence = 0.95, .seed = 1};
    pk_bootstrap_interval mean;
    pk_err err = {0};
    assert_ok(pk_bootstrap_mean(&options, 30, x, &mean, means, &err), &err);
    assert_interval(mean, plain_interval(RESAMPLES, means, 0.95));
}

static void a_slope_keeps_its_pairs(void **state) {
    (void)state;
    double x[50], y[50], noise[50];
    fill_normal(5, 50, 0, 0.1, noise);
    for (size_t i = 0; i < 50; i++) {
        x[i] = (double)i + 1;
        y[i] = 3 * x[i]; /* every resample of exact pairs has the same slope */
    }
    pk_bootstrap_options options = {.resamples = 10000, .confidence = 0.95, .seed = 1};
    pk_bootstrap_interval slope;
    pk_err err = {0};
    assert_ok(pk_bootstrap_slope(&options, 50, x, y, &slope, &err), &err);
    assert_near(slope.low, 3, 1e-14);
    assert_near(slope.high, 3, 1e-14);
    for (size_t i = 0; i < 50; i++) y[i] += x[i] * noise[i];
    assert_ok(pk_bootstrap_slope(&options, 50, x, y, &slope, &err), &err);
    double point = pk_fit_through_origin(50, x, y).slope;
    assert_true(slope.low < point && point < slope.high);
    assert_in_range((slope.high - slope.low) * 1000, 40, 140); /* about 4 * 0.1 sqrt(1.8 / 50) */
}

static void t_and_p_see_a_difference_and_only_that(void **state) {
    (void)state;
    double x[80], y[100];
    fill_normal(6, 80, 100, 1, x);
    fill_normal(7, 100, 100, 1, y);
    pk_bootstrap_options options = {.resamples = 20000, .confidence = 0.95, .seed = 2};
    pk_bootstrap_two two;
    pk_err err = {0};
    assert_ok(pk_bootstrap_compare(&options, 80, x, 100, y, &two, &err), &err);
    pk_summary a = pk_summarize(x, 80), b = pk_summarize(y, 100);
    double t = (a.mean - b.mean) / sqrt(a.stddev * a.stddev / 80 + b.stddev * b.stddev / 100);
    assert_near(two.t, t, 1e-12);
    /* with this many values t is nearly normal */
    assert_true(fabs(two.p - erfc(fabs(t) / M_SQRT2)) < 0.02);
    assert_true(two.mean_ratio.low < a.mean / b.mean - 1);
    assert_true(two.mean_ratio.high > a.mean / b.mean - 1);
    assert_true(two.median_ratio.low < 0.003 && two.median_ratio.high > -0.003);

    for (size_t i = 0; i < 80; i++) x[i] *= 1.05;
    assert_ok(pk_bootstrap_compare(&options, 80, x, 100, y, &two, &err), &err);
    assert_near(two.p, 0, 0);
    assert_true(two.mean_ratio.low > 0.045 && two.mean_ratio.high < 0.055);
    assert_true(two.median_ratio.low > 0.04 && two.median_ratio.high < 0.06);
}

static void p_of_equal_samples_is_large_and_of_constants_unknown(void **state) {
    (void)state;
    double x[40], same[40];
    fill_normal(8, 40, 100, 1, x);
    for (size_t i = 0; i < 40; i++) same[i] = 7;
    pk_bootstrap_options options = {.resamples = 2000, .confidence = 0.95, .seed = 3};
    pk_bootstrap_two two;
    pk_err err = {0};
    assert_ok(pk_bootstrap_compare(&options, 40, x, 40, x, &two, &err), &err);
    assert_near(two.t, 0, 0);
    assert_true(two.p > 0.9);
    assert_ok(pk_bootstrap_compare(&options, 40, same, 40, same, &two, &err), &err);
    assert_near(two.t, NAN, 0);
    assert_near(two.p, NAN, 0);
    assert_near(two.mean_ratio.low, 0, 0);
    assert_near(two.mean_ratio.high, 0, 0);
}

/* ---- the same for a seed ---- */

static void threads_change_nothing_and_seeds_do(void **state) {
    (void)state;
    double x[140], y[77];
    fill_normal(9, 140, 10, 1, x);
    fill_normal(10, 77, 11, 1, y);
    pk_bootstrap_options options = {.resamples = 10007, .confidence = 0.95, .seed = 4};
    pk_bootstrap_one first, again;
    pk_bootstrap_two two, two_again;
    pk_err err = {0};
    assert_ok(pk_bootstrap_sample(&options, 140, x, &first, &err), &err);
    assert_ok(pk_bootstrap_compare(&options, 140, x, 77, y, &two, &err), &err);
    for (options.threads = 1; options.threads <= 5; options.threads += 2) {
        assert_ok(pk_bootstrap_sample(&options, 140, x, &again, &err), &err);
        assert_memory_equal(&first, &again, sizeof first);
        assert_ok(pk_bootstrap_compare(&options, 140, x, 77, y, &two_again, &err), &err);
        assert_memory_equal(&two, &two_again, sizeof two);
    }
    options.seed = 5;
    assert_ok(pk_bootstrap_sample(&options, 140, x, &again, &err), &err);
    assert_memory_not_equal(&first, &again, sizeof first);
}

/* The same bits on every machine and with every compiler. */
static void a_seed_means_these_numbers(void **state) {
    (void)state;
    static const double x[] = {1, 2, 4, 8, 16, 32, 64};
    pk_bootstrap_options options = {.resamples = 1000, .confidence = 0.95, .seed = 42};
    pk_bootstrap_one one;
    pk_err err = {0};
    assert_ok(pk_bootstrap_sample(&options, 7, x, &one, &err), &err);
    assert_near(one.mean.low, 4.7142857142857135, 1e-15);
    assert_near(one.mean.high, 35.571428571428577, 1e-15);
    assert_near(one.median.high, 32, 0);
    assert_near(one.mean.standard_error, 8.1058646532291938, 1e-14);
}

static void what_cannot_be_resampled_is_refused(void **state) {
    (void)state;
    static const double x[] = {1, 2};
    pk_bootstrap_options options = {.resamples = 10, .confidence = 0.95};
    pk_bootstrap_interval interval = {5, 6, 7};
    pk_bootstrap_two two;
    pk_err err = {0};
    assert_fails(pk_bootstrap_mean(&options, 1, x, &interval, NULL, &err), &err, PK_E_INPUT);
    assert_fails(pk_bootstrap_compare(&options, 2, x, 1, x, &two, &err), &err, PK_E_INPUT);
    options.resamples = 0;
    assert_fails(pk_bootstrap_mean(&options, 2, x, &interval, NULL, &err), &err, PK_E_INPUT);
    options.resamples = UINT64_MAX / 2;
    assert_fails(pk_bootstrap_mean(&options, 2, x, &interval, NULL, &err), &err, PK_E_LIMIT);
    assert_near(interval.low, 5, 0);
    options.resamples = 1;
    assert_ok(pk_bootstrap_mean(&options, 2, x, &interval, NULL, &err), &err);
    assert_near(interval.low, interval.high, 0);
    assert_near(interval.standard_error, NAN, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counting_gives_what_sorting_gives),
        cmocka_unit_test(the_mean_has_its_standard_error),
        cmocka_unit_test(the_distribution_is_handed_out),
        cmocka_unit_test(a_slope_keeps_its_pairs),
        cmocka_unit_test(t_and_p_see_a_difference_and_only_that),
        cmocka_unit_test(p_of_equal_samples_is_large_and_of_constants_unknown),
        cmocka_unit_test(threads_change_nothing_and_seeds_do),
        cmocka_unit_test(a_seed_means_these_numbers),
        cmocka_unit_test(what_cannot_be_resampled_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
