#include "stats/random.h"

#include "bench_workers.h"

/* ---- the time ---- */

/* 1 2 3 4 10, of which everything is known by hand. */
static void figures_of_five_workers_by_hand(void **state) {
    (void)state;
    static const double ns[] = {4, 1, 10, 3, 2};
    bench b;
    begin(&b);
    for (size_t i = 0; i < 5; i++) add(&b, ns[i], NAN);
    analyse(&b);
    double sd = sqrt(12.5), half = 2.77644510519779 * sd / sqrt(5);
    assert_false(b.r.failed);
    assert_near(b.r.typical.point, 4, 1e-15);
    assert_near(b.r.typical.standard_error, sd / sqrt(5), 1e-14);
    assert_near(b.r.typical.low, 4 - half, 1e-12);
    assert_near(b.r.typical.high, 4 + half, 1e-12);
    assert_near(b.r.between_runs_ns, 2 * sd * sqrt(1.2), 1e-14);
    assert_near(b.r.process_sd_ratio, sd / 4, 1e-14);
    assert_near(b.r.criterion.mean.point, b.r.typical.point, 0);
    assert_near(b.r.criterion.median.point, 3, 1e-12);
    assert_near(b.r.criterion.median_abs_dev.point, (double)1.4826f, 1e-12);
    assert_near(b.r.criterion.std_dev.point, sd, 1e-12);
    assert_true(isnan(b.r.criterion.slope.point) && !b.r.criterion.has_slope);
    assert_true(b.r.criterion.mean.low > 1 && b.r.criterion.mean.low < 4);
    assert_true(b.r.criterion.mean.high > 4 && b.r.criterion.mean.high < 10);
    assert_near(b.r.fences.low_mild, -1, 1e-12);
    assert_near(b.r.fences.high_severe, 10, 1e-12);
    assert_int_equal(b.r.outliers.high_mild, 1);
    assert_int_equal(b.r.outliers.high_severe, 0);
    assert_int_equal(b.r.modes.count, 1);
    assert_near(b.r.modes.mode[0].value, 3, 0);
    assert_near(b.r.change.ratio.point, NAN, 0);
    end(&b);
}

static void robust_takes_yuens_interval(void **state) {
    (void)state;
    bench b;
    begin(&b);
    b.options.robust = true;
    for (int i = 1; i <= 10; i++) add(&b, i == 10 ? 1000 : i, NAN);
    analyse(&b);
    double se = sqrt(42.5 / 9) / (0.6 * sqrt(10));
    assert_near(b.r.typical.point, 5.5, 1e-14);
    assert_near(b.r.typical.standard_error, se, 1e-13);
    assert_near(b.r.typical.high, 5.5 + 2.57058183563631 * se, 1e-12); /* df 6 - 1 */
    end(&b);
}

static void the_clock_is_warned_of_once(void **state) {
    (void)state;
    pk_bench_result results[] = {{.clock_range_ratio = NAN},
                                 {.clock_range_ratio = 0.036},
                                 {.clock_range_ratio = 0.058},
                                 {.clock_range_ratio = 9, .failed = true},
                                 {.clock_range_ratio = 0.04}};
    pk_bench_report report = {.results = results, .n_results = 5, .arena = pk_arena_new(1 << 16)};
    const char *line;
    assert_true(pk_bench_warn_of_clock(&report, &line));
    assert_non_null(line);
    assert_non_null(strstr(line, "varied by 5.8 %; switch turbo off"));
    report.n_results = 1;
    assert_true(pk_bench_warn_of_clock(&report, &line));
    assert_null(line);
    results[0].clock_range_ratio = 0.03;
    assert_true(pk_bench_warn_of_clock(&report, &line));
    assert_null(line);
    pk_arena_free(report.arena);
}

static void clock_waits_metric_and_parts(void **state) {
    (void)state;
    bench b;
    begin(&b);
    for (size_t i = 0; i < 41; i++) {
        pk_bench_worker *w = add(&b, 100, NAN);
        w->reference_ns = 0.80 + 0.01 * (double)i; /* median 1, fifths of 5 % at 0.82 and 1.18 */
        w->wait_ns = i == 0 ? 41 * 300000 : 0;
        w->metric = i < 30 ? PK_METRIC_CPU : PK_METRIC_ONCPU;
        w->latency_ns = i == 3 ? 1.5 : NAN;
        w->loop_ns = (double)i;
    }
    analyse(&b);
    assert_near(b.r.clock_hz, 4e9, 1e-12);
    assert_near(b.r.clock_range_ratio, 0.36, 1e-12);
    assert_near(b.r.wait_ratio, 0.01, 1e-12);
    assert_int_equal(b.r.metric, PK_METRIC_CPU);
    assert_true(b.r.has_parts);
    assert_near(b.r.latency_ns, 1.5, 0);
    assert_near(b.r.throughput_ns, NAN, 0);
    assert_near(b.r.loop_ns, 20, 0);
    assert_true(warned(&b, "times are CPU time"));
    assert_false(warned(&b, "clock")); /* that is said once for all */
    assert_false(warned(&b, "workers waited"));
    end(&b);
}

static void without_workers_nothing_is_known(void **state) {
    (void)state;
    bench b;
    begin(&b);
    analyse(&b);
    assert_true(b.r.failed);
    assert_near(b.r.typical.point, NAN, 0);
    assert_near(b.r.criterion.mean.point, NAN, 0);
    assert_near(b.r.clock_hz, NAN, 0);
    assert_near(b.r.wait_ratio, NAN, 0);
    assert_near(b.r.latency_ns, NAN, 0);
    assert_int_equal(b.r.modes.count, 0);
    assert_int_equal(b.r.n_warnings, 0);
    assert_false(pk_bench_width_reached(&b.r, &b.options));
    end(&b);
}

static void one_worker_has_a_time_but_no_interval(void **state) {
    (void)state;
    bench b;
    begin(&b);
    add(&b, 100, 99);
    b.r.change.source = PK_CHANGE_LIVE;
    analyse(&b);
    assert_false(b.r.failed);
    assert_near(b.r.typical.point, 100, 0);
    assert_near(b.r.typical.low, NAN, 0);
    assert_near(b.r.criterion.mean.point, 100, 0);
    assert_near(b.r.criterion.mean.low, NAN, 0);
    assert_near(b.r.criterion.std_dev.point, NAN, 0);
    assert_near(b.r.change.ratio.point, 100.0 / 99 - 1, 1e-12);
    assert_near(b.r.change.ratio.low, NAN, 0);
    assert_near(b.r.change.median_point, NAN, 0);
    assert_int_equal(b.r.change.verdict.word, PK_CANNOT_TELL);
    assert_true(warned(&b, "one worker alone"));
    end(&b);
}

/* ---- Criterion's sample ---- */

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A linear sample as Criterion takes it; the definitions written out. */
static void the_same_sample_gives_criterions_points(void **state) {
    (void)state;
    enum { N = 100 };
    double iterations[N], times[N], each[N], distance[N], xx = 0, xy = 0, sum = 0, squares = 0;
    pk_random random;
    pk_random_seed(&random, 1);
    for (size_t i = 0; i < N; i++) {
        iterations[i] = 77 * (double)(i + 1);
        times[i] = iterations[i] * (12 + exp(pk_random_normal(&random)));
        each[i] = times[i] / iterations[i];
        xx += iterations[i] * iterations[i];
        xy += iterations[i] * times[i];
        sum += each[i];
    }
    for (size_t i = 0; i < N; i++) squares += (each[i] - sum / N) * (each[i] - sum / N);
    qsort(each, N, sizeof each[0], ascending);
    double median = (each[49] + each[50]) / 2;
    for (size_t i = 0; i < N; i++) distance[i] = fabs(each[i] - median);
    qsort(distance, N, sizeof distance[0], ascending);

    pk_bench_options options = {.nresamples = 1000};
    pk_criterion_estimates e;
    pk_err err = {0};
    assert_ok(pk_bench_criterion(N, iterations, times, true, 0.95, &options, &e, &err), &err);
    assert_near(e.mean.point, sum / N, 1e-12);
    assert_near(e.median.point, median, 1e-12);
    assert_near(e.std_dev.point, sqrt(squares / (N - 1)), 1e-12);
    assert_near(e.median_abs_dev.point, (double)1.4826f * (distance[49] + distance[50]) / 2, 1e-12);
    assert_true(e.has_slope);
    assert_near(e.slope.point, xy / xx, 1e-12);
    const pk_estimate *all[] = {&e.mean, &e.median, &e.std_dev, &e.median_abs_dev, &e.slope};
    for (size_t i = 0; i < 5; i++) {
        assert_true(all[i]->low < all[i]->point && all[i]->point < all[i]->high);
        assert_true(all[i]->standard_error > 0);
    }
    assert_ok(pk_bench_criterion(N, iterations, times, false, 0.95, &options, &e, &err), &err);
    assert_false(e.has_slope);
    assert_near(e.slope.point, NAN, 0);
}

static void equal_samples_have_no_spread(void **state) {
    (void)state;
    bench b;
    begin(&b);
    for (size_t i = 0; i < 40; i++) add(&b, 12.5, 12.5);
    b.r.change.source = PK_CHANGE_LIVE;
    analyse(&b);
    assert_near(b.r.typical.low, 12.5, 1e-15);
    assert_near(b.r.typical.high, 12.5, 1e-15);
    assert_near(b.r.criterion.mean.low, 12.5, 1e-12);
    assert_near(b.r.criterion.std_dev.point, 0, 0);
    assert_near(b.r.criterion.median_abs_dev.high, 0, 0);
    assert_near(b.r.change.ratio.high, 0, 0);
    assert_int_equal(b.r.change.verdict.word, PK_NO_CHANGE);
    assert_near(b.r.change.verdict.p_zero, 1, 0);
    assert_true(pk_bench_width_reached(&b.r, &b.options));
    end(&b);
}

/* ---- warnings ---- */

static void a_quiet_run_has_none(void **state) {
    (void)state;
    bench b;
    begin(&b);
    for (size_t i = 0; i < 40; i++) add(&b, 100 + 0.5 * (double)(i % 3), NAN);
    analyse(&b);
    assert_int_equal(b.r.n_warnings, 0);
    end(&b);
}

static void each_cause_is_named(void **state) {
    (void)state;
    static const char *const before[] = {"from the run"};
    bench b;
    begin(&b);
    b.r.warnings = before;
    b.r.n_warnings = 1;
    b.r.change.source = PK_CHANGE_LIVE;
    for (size_t i = 0; i < 100; i++) { /* two modes, 22 % apart by standard deviation */
        double mode = i % 5 < 2 ? 3.2 : 5.0;
        pk_bench_worker *w = add(&b, mode * (1 + 0.001 * (double)(i % 7)), i % 3 ? 3 : 5);
        w->wait_ns = w->duration_ns / 5;
        w->switches_involuntary = 15;
        w->faults_minor = 3000;
    }
    analyse(&b);
    assert_string_equal(b.r.warnings[0], "from the run");
    assert_true(warned(&b, "workers waited 20 % of their time"));
    assert_true(warned(&b, "workers differ by 21 %"));
    assert_true(warned(&b, "workers fall into 2 modes"));
    assert_true(warned(&b, "lost their processor 500 times a second"));
    assert_true(warned(&b, "100000 page faults a second"));
    for (size_t i = 0; i < b.r.n_warnings; i++) assert_null(strchr(b.r.warnings[i], '\n'));
    end(&b);
}

static void modes_count_when_they_are_far_enough_apart(void **state) {
    (void)state;
    for (int far = 0; far < 2; far++) {
        bench b;
        begin(&b);
        for (size_t i = 0; i < 100; i++)
            add(&b, (i % 5 < 2 ? 100 : far ? 107 : 103) + 0.01 * (double)(i % 7), NAN);
        analyse(&b);
        assert_int_equal(b.r.modes.count, far ? 2 : 1);
        assert_near(b.r.modes.mode[0].value, far ? 100 : 101.8, 0.001);
        assert_near(b.r.modes.mode[0].share, far ? 0.4 : 1, 1e-12);
        assert_int_equal(b.r.n_warnings, 0); /* the interval is narrow all the same */
        end(&b);
    }
}

static void one_slow_worker_is_told(void **state) {
    (void)state;
    bench b;
    begin(&b);
    for (size_t i = 0; i < 100; i++) add(&b, i == 50 ? 160 : 100, NAN);
    analyse(&b);
    assert_true(warned(&b, "from 100"));
    assert_false(warned(&b, "workers differ"));
    end(&b);
}

static void small_changes_of_ready_made_code_may_be_placement(void **state) {
    (void)state;
    bench b;
    begin(&b);
    for (size_t i = 0; i < 40; i++) add(&b, 103 + 0.1 * (double)(i % 3), 100);
    b.r.change.source = PK_CHANGE_LIVE;
    analyse(&b);
    assert_int_equal(b.r.change.verdict.word, PK_REGRESSED);
    assert_true(warned(&b, "where code lies"));
    b.r.n_warnings = 0;
    b.r.change.identical_code = true;
    analyse(&b);
    assert_false(warned(&b, "where code lies"));
    end(&b);
}

static void layouts_that_cannot_tell_say_how_many_would(void **state) {
    (void)state;
    bench b;
    begin(&b);
    for (size_t i = 0; i < 64; i++)
        add(&b, 100 * exp(i % 4 < 2 ? 0.1 : -0.1), 100)->layout = (int)(i % 32);
    b.r.change.source = PK_CHANGE_LIVE;
    analyse(&b);
    assert_int_equal(b.r.change.verdict.word, PK_CANNOT_TELL);
    /* 32 * (2.0395 * 0.10160 / sqrt(32) / ln 1.01)^2 */
    assert_true(warned(&b, "about 434 layouts"));
    end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_of_five_workers_by_hand),
        cmocka_unit_test(robust_takes_yuens_interval),
        cmocka_unit_test(clock_waits_metric_and_parts),
        cmocka_unit_test(the_clock_is_warned_of_once),
        cmocka_unit_test(without_workers_nothing_is_known),
        cmocka_unit_test(one_worker_has_a_time_but_no_interval),
        cmocka_unit_test(the_same_sample_gives_criterions_points),
        cmocka_unit_test(equal_samples_have_no_spread),
        cmocka_unit_test(a_quiet_run_has_none),
        cmocka_unit_test(each_cause_is_named),
        cmocka_unit_test(modes_count_when_they_are_far_enough_apart),
        cmocka_unit_test(one_slow_worker_is_told),
        cmocka_unit_test(small_changes_of_ready_made_code_may_be_placement),
        cmocka_unit_test(layouts_that_cannot_tell_say_how_many_would),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
