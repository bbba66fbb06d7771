#include "bench/analyse.h"
#include "stats/random.h"
#include "stats/robust.h"
#include "stats/student.h"
#include "stats/summary.h"

#include "check.h"

enum { WORKERS_MAX = 400 };

/* A result to be analysed, with its options, and room for workers. */
typedef struct bench {
    pk_bench_result r;
    pk_bench_options options;
    pk_bench_worker workers[WORKERS_MAX];
    pk_arena *arena;
} bench;

static void begin(bench *b) {
    *b = (bench){
        .r = {.confidence_level = 0.95,
              .noise_threshold = 0.01,
              .significance_level = 0.05,
              .equivalence = 0.02,
              .artefact = "abc",
              .started_unix_ns = 5},
        .options = {.nresamples = 2000, .seed = 1},
        .arena = pk_arena_new(1 << 20),
    };
    b->r.workers = b->workers;
    assert_non_null(b->arena);
}

static void end(bench *b) {
    pk_arena_free(b->arena);
}

static pk_bench_side side_of(double ns) {
    return (pk_bench_side){.trimmed_ns = ns,
                           .mean_ns = ns,
                           .min_ns = ns,
                           .q1_ns = ns,
                           .median_ns = ns,
                           .q3_ns = ns,
                           .wall_ns = ns,
                           .cpu_ns = ns,
                           .units = 100,
                           .iterations = 1000};
}

/* One worker more; NaN: that side was not measured. */
static pk_bench_worker *add(bench *b, double new_ns, double old_ns) {
    assert_true(b->r.n_workers < WORKERS_MAX);
    pk_bench_worker *w = &b->workers[b->r.n_workers];
    *w = (pk_bench_worker){
        .old_first = b->r.n_workers % 2,
        .layout = -1,
        .reference_ns = 1,
        .latency_ns = NAN,
        .throughput_ns = NAN,
        .loop_ns = NAN,
        .duration_ns = 30000000,
    };
    if (!isnan(new_ns)) w->side[PK_SIDE_NEW] = side_of(new_ns);
    if (!isnan(old_ns)) w->side[PK_SIDE_OLD] = side_of(old_ns);
    b->r.n_workers++;
    return w;
}

static void analyse(bench *b) {
    pk_err err = {0};
    assert_ok(pk_bench_analyse(&b->r, &b->options, b->arena, &err), &err);
}

static bool warned(const bench *b, const char *words) {
    for (size_t i = 0; i < b->r.n_warnings; i++)
        if (strstr(b->r.warnings[i], words)) return true;
    return false;
}

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
    assert_near(b.r.criterion.median_abs_dev.point, 1.4826, 1e-12);
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
    assert_true(warned(&b, "clock varied by 36.0 %"));
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
    assert_near(e.median_abs_dev.point, 1.4826 * (distance[49] + distance[50]) / 2, 1e-12);
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

/* ---- live change ---- */

/* d of pair i: a step of 0.001 up and down about ln(1.05), and an effect of the order. */
static void add_pairs(bench *b, size_t n, double order_effect) {
    for (size_t i = 0; i < n; i++) {
        double order = i % 2 ? order_effect / 2 : -order_effect / 2;
        double step = i / 2 % 2 ? 0.001 : -0.001;
        double old_ns = 100 + (double)i; /* drifts; the pair does not care */
        add(b, old_ns * 1.05 * exp(order + step), old_ns);
    }
    b->r.change.source = PK_CHANGE_LIVE;
}

static void live_change_is_the_mean_of_log_ratios(void **state) {
    (void)state;
    bench b;
    begin(&b);
    add_pairs(&b, 40, 0);
    analyse(&b);
    const pk_bench_change *c = &b.r.change;
    double se = 0.001 * sqrt(40.0 / 39) / sqrt(40), half = 2.02269092003676 * se; /* df 39 */
    assert_near(c->ratio.point, 0.05, 1e-12);
    assert_near(c->ratio.low, 1.05 * exp(-half) - 1, 1e-10);
    assert_near(c->ratio.high, 1.05 * exp(half) - 1, 1e-10);
    assert_near(c->ratio.standard_error, 1.05 * se, 1e-10);
    assert_near(c->old_ns, 119.5, 1e-14);
    assert_int_equal(c->verdict.word, PK_REGRESSED);
    assert_true(fabs(c->order_effect) < 1e-12);
    assert_non_null(c->old);
    assert_near(c->old->mean.point, 119.5, 1e-14);
    assert_near(c->old->median.point, 119.5, 1e-14);
    assert_true(c->median_low < c->median_point && c->median_point < c->median_high);
    assert_near(c->median_point, b.r.criterion.median.point / 119.5 - 1, 1e-12);
    end(&b);
}

static void an_order_effect_cancels_and_is_told(void **state) {
    (void)state;
    bench b;
    begin(&b);
    add_pairs(&b, 80, 0.06);
    analyse(&b);
    assert_near(b.r.change.ratio.point, 0.05, 1e-10);
    assert_near(b.r.change.order_effect, expm1(0.06), 1e-10);
    /* a lost worker tilts nothing either */
    b.r.n_workers--;
    analyse(&b);
    assert_true(fabs(b.r.change.ratio.point - 0.05) < 1e-4);
    end(&b);
}

static void swapping_sides_swaps_the_change(void **state) {
    (void)state;
    bench b;
    begin(&b);
    add_pairs(&b, 40, 0.02);
    pk_bench_change_live(&b.r, &b.options);
    double low = b.r.change.ratio.low;
    for (size_t i = 0; i < b.r.n_workers; i++) {
        pk_bench_side side = b.workers[i].side[PK_SIDE_NEW];
        b.workers[i].side[PK_SIDE_NEW] = b.workers[i].side[PK_SIDE_OLD];
        b.workers[i].side[PK_SIDE_OLD] = side;
        b.workers[i].old_first = !b.workers[i].old_first;
    }
    pk_bench_change_live(&b.r, &b.options);
    assert_int_equal(b.r.change.verdict.word, PK_IMPROVED);
    assert_near((1 + low) * (1 + b.r.change.ratio.high), 1, 1e-12);
    end(&b);
}

static void robust_change_ignores_wild_workers(void **state) {
    (void)state;
    bench b;
    begin(&b);
    b.options.robust = true;
    add_pairs(&b, 40, 0);
    b.workers[7].side[PK_SIDE_NEW].trimmed_ns *= 50;
    analyse(&b);
    assert_near(b.r.change.ratio.point, 0.05, 0.02);
    assert_int_equal(b.r.change.verdict.word, PK_REGRESSED);
    b.options.robust = false;
    analyse(&b);
    assert_int_equal(b.r.change.verdict.word, PK_CANNOT_TELL);
    end(&b);
}

/* Layouts differ by +-3 %, workers of one layout by nothing: 160 workers are 32 values. */
static void with_layouts_the_layout_is_the_unit(void **state) {
    (void)state;
    enum { LAYOUTS = 32 };
    bench b;
    begin(&b);
    double mean[LAYOUTS];
    for (size_t i = 0; i < 5 * LAYOUTS; i++) {
        int layout = (int)(i % LAYOUTS);
        mean[layout] = 0.03 * sin(layout * 1.7);
        pk_bench_worker *w = add(&b, 100 * exp(mean[layout]), 100);
        w->layout = layout;
        w->old_first = i / LAYOUTS % 2;
    }
    b.r.change.source = PK_CHANGE_LIVE;
    analyse(&b);
    pk_summary s = pk_summarize(mean, LAYOUTS);
    double half = 2.03951344639641 * s.stddev / sqrt(LAYOUTS); /* df 31 */
    assert_near(b.r.change.ratio.point, expm1(s.mean), 1e-9);
    assert_near(log1p(b.r.change.ratio.high) - log1p(b.r.change.ratio.point), half, 1e-9);
    assert_int_equal(b.r.change.verdict.workers_needed, 0);
    /* the time too: 32 values, not 160 */
    assert_true(b.r.typical.standard_error > 100 * s.stddev / sqrt(LAYOUTS) * 0.99);
    assert_false(warned(&b, "where code lies"));
    /* the same workers without layouts look five times as many */
    for (size_t i = 0; i < b.r.n_workers; i++) b.workers[i].layout = -1;
    analyse(&b);
    assert_true(log1p(b.r.change.ratio.high) - log1p(b.r.change.ratio.point) < half / 2);
    end(&b);
}

/* ABBA BAAB, A new, in a drift of 1 % per worker: each block cancels it. */
static void isolated_blocks_cancel_drift(void **state) {
    (void)state;
    static const bool is_new[8] = {true, false, false, true, false, true, true, false};
    bench b;
    begin(&b);
    b.r.change.source = PK_CHANGE_ISOLATED;
    for (size_t i = 0; i < 80; i++) {
        double ns = 100 * exp(0.01 * (double)i + 0.002 * sin((double)(i / 4)));
        if (is_new[i % 8]) add(&b, ns * 1.1, NAN);
        else add(&b, NAN, ns);
    }
    analyse(&b);
    assert_near(b.r.change.ratio.point, 0.1, 1e-9);
    assert_int_equal(b.r.change.verdict.word, PK_REGRESSED);
    assert_near(b.r.change.order_effect, NAN, 0);
    /* the clock moves too: the reference takes it out */
    for (size_t i = 0; i < 80; i++) {
        double clock = 1 + 0.2 * sin((double)(i * i));
        b.workers[i].reference_ns = clock;
        b.workers[i].side[PK_SIDE_NEW].trimmed_ns *= clock;
        b.workers[i].side[PK_SIDE_OLD].trimmed_ns *= clock;
    }
    pk_bench_change_live(&b.r, &b.options);
    assert_near(b.r.change.ratio.point, 0.1, 1e-9);
    end(&b);
}

static void isolated_blocks_of_layouts_are_counted_by_layout(void **state) {
    (void)state;
    static const bool is_new[4] = {true, false, false, true};
    bench b;
    begin(&b);
    b.r.change.source = PK_CHANGE_ISOLATED;
    for (size_t i = 0; i < 320; i++) { /* 80 blocks, 8 layouts that differ by +-1 % */
        int layout = (int)(i / 4 % 8);
        double ns = 100 * exp(is_new[i % 4] ? 0.01 * (layout % 2 ? 1 : -1) : 0);
        add(&b, is_new[i % 4] ? ns : NAN, is_new[i % 4] ? NAN : ns)->layout = layout;
    }
    analyse(&b);
    double half = 2.36462425159278 * 0.01 * sqrt(8.0 / 7) / sqrt(8); /* df 7 */
    assert_true(fabs(b.r.change.ratio.point) < 1e-12);
    assert_near(log1p(b.r.change.ratio.high), half, 1e-9);
    end(&b);
}

/* Without the fifth worker a window of four may straddle two layouts, whose times differ. */
static void a_block_does_not_straddle_layouts(void **state) {
    (void)state;
    static const bool is_new[4] = {true, false, false, true};
    bench b;
    begin(&b);
    b.r.change.source = PK_CHANGE_ISOLATED;
    for (size_t i = 0; i < 64; i++) {
        if (i == 4) continue;
        int layout = (int)(i / 4 % 8);
        double ns = 100 * exp(0.1 * layout) * (is_new[i % 4] ? 1.05 : 1);
        add(&b, is_new[i % 4] ? ns : NAN, is_new[i % 4] ? NAN : ns)->layout = layout;
    }
    analyse(&b);
    assert_near(b.r.change.ratio.point, 0.05, 1e-12);
    end(&b);
}

static void a_lost_worker_costs_isolated_runs_only_its_block(void **state) {
    (void)state;
    static const bool is_new[4] = {true, false, false, true};
    bench b;
    begin(&b);
    b.r.change.source = PK_CHANGE_ISOLATED;
    for (size_t i = 0; i < 43; i++) {
        size_t turn = i < 5 ? i : i + 1; /* the sixth is missing */
        double step = i % 3 ? 0.001 : -0.002;
        if (is_new[turn % 4]) add(&b, 105 * exp(step), NAN);
        else add(&b, NAN, 100 * exp(step));
    }
    analyse(&b);
    assert_near(b.r.change.ratio.point, 0.05, 0.05);
    assert_int_equal(b.r.change.verdict.word, PK_REGRESSED);
    end(&b);
}

static void the_width_alone_decides_when_to_stop(void **state) {
    (void)state;
    bench b;
    begin(&b);
    add_pairs(&b, 40, 0); /* 5 % slower, +-0.03 %: narrow */
    assert_true(pk_bench_width_reached(&b.r, &b.options));
    b.r.noise_threshold = 0.0005;
    assert_false(pk_bench_width_reached(&b.r, &b.options));
    b.r.noise_threshold = 0.01;
    for (size_t i = 0; i < 40; i += 4) b.workers[i].side[PK_SIDE_NEW].trimmed_ns *= 1.1;
    assert_false(pk_bench_width_reached(&b.r, &b.options));
    pk_bench_change_live(&b.r, &b.options);
    assert_int_equal(b.r.change.verdict.word, PK_REGRESSED); /* significant, and goes on */
    /* without a comparison: the time's interval */
    b.r.change.source = PK_CHANGE_NONE;
    for (size_t i = 0; i < 40; i++)
        b.workers[i].side[PK_SIDE_NEW].trimmed_ns = 100 + (double)(i % 2);
    assert_true(pk_bench_width_reached(&b.r, &b.options));
    b.r.noise_threshold = 0.003;
    assert_false(pk_bench_width_reached(&b.r, &b.options));
    end(&b);
}

/* ---- stored ---- */

static const pk_environment here = {.cpu_model = "cpu", .kernel = "6.1", .compiler = "gcc"};

static pk_bench_session session_at(const pk_environment *where, double location, double error,
                                   double spread) {
    pk_bench_session s = {
        .workers = 140,
        .location = {location, location},
        .standard_error = {error, error},
        .spread = {spread, spread},
        .typical_ns = exp(location),
    };
    pk_environment_id(where, s.environment);
    return s;
}

static void a_session_is_a_trimmed_mean_of_logs(void **state) {
    (void)state;
    bench b;
    begin(&b);
    for (int i = 1; i <= 10; i++) add(&b, exp(i), NAN)->reference_ns = exp(i % 2);
    b.r.typical = (pk_estimate){7, 6, 8, 0.5};
    b.r.throughput = (pk_bench_throughput){.given = true, .bytes = true, .per_iteration = 64};
    pk_bench_session s;
    pk_bench_session_of(&b.r, &here, &s);
    assert_int_equal(s.workers, 10);
    assert_near(s.location[0], 5.5, 1e-13);
    assert_near(s.standard_error[0], sqrt(42.5 / 9) / (0.6 * sqrt(10)), 1e-12);
    assert_near(s.spread[0], 4.5 / 1.349, 1e-12);
    /* less the reference: 0 2 2 4 4 6 6 8 8 10, of which 2 4 4 6 6 8 are kept */
    assert_near(s.location[1], 5, 1e-13);
    assert_string_equal(s.artefact, "abc");
    assert_near(s.typical_ns, 7, 0);
    assert_near(s.high_ns, 8, 0);
    assert_near(s.throughput_per_iteration, 64, 0);
    assert_near(s.change, NAN, 0);
    assert_string_equal(s.verdict, "");
    b.workers[3].reference_ns = NAN;
    for (size_t i = 0; i < 10; i++) b.workers[i].reference_ns = NAN;
    pk_bench_session_of(&b.r, &here, &s);
    assert_near(s.location[1], NAN, 0);
    end(&b);
}

/* 40 workers about 105 with a spread of s, against a stored 100. */
static void begin_stored(bench *b, double spread) {
    begin(b);
    for (size_t i = 0; i < 40; i++)
        add(b, 105 * exp(spread * ((double)(i % 5) - 2)), NAN)->reference_ns = 1;
}

static void one_stored_session_adds_a_term_between_sessions(void **state) {
    (void)state;
    bench b;
    begin_stored(&b, 0.001);
    pk_bench_session old = session_at(&here, log(100), 0.0002, 0.003), now;
    pk_bench_session_of(&b.r, &here, &now);
    pk_bench_change_stored(&b.r, &here, 1, &old, &b.options);
    const pk_bench_change *c = &b.r.change;
    double variance = now.standard_error[1] * now.standard_error[1] +
                      now.spread[1] * now.spread[1] + 0.0002 * 0.0002 + 0.003 * 0.003;
    double half = 2.17881282966723 * sqrt(variance); /* df 12 */
    assert_int_equal(c->source, PK_CHANGE_STORED);
    assert_true(c->normalised);
    assert_int_equal(c->history, 1);
    assert_string_equal(c->refused, "");
    assert_near(c->ratio.point, 0.05, 1e-9);
    assert_near(log1p(c->ratio.high) - log1p(c->ratio.point), half, 1e-9);
    assert_near(c->old_ns, 100, 1e-12);
    assert_int_equal(c->verdict.word, PK_REGRESSED);
    assert_int_equal(c->verdict.workers_needed, 0);
    assert_near(c->median_point, NAN, 0);
    end(&b);
}

static void a_history_gives_a_prediction_interval(void **state) {
    (void)state;
    bench b;
    begin_stored(&b, 0.001);
    static const double m[] = {-0.004, 0.004, 0.002, -0.002};
    pk_bench_session old[6];
    for (size_t i = 0; i < 4; i++) old[i + 2] = session_at(&here, log(100) + m[i], 0.0002, 0.003);
    old[0] = session_at(&here, log(500), 0.1, 0.5); /* too noisy to count */
    pk_environment elsewhere = here;
    snprintf(elsewhere.cpu_model, sizeof elsewhere.cpu_model, "another");
    old[1] = session_at(&elsewhere, log(500), 0.001, 0.001); /* not this machine */
    pk_bench_change_stored(&b.r, &here, 6, old, &b.options);
    const pk_bench_change *c = &b.r.change;
    double variance = (3 * 0.003 * 0.003 + 2 * (0.004 * 0.004 + 0.002 * 0.002)) / 6;
    double half = 2.44691185114497 * sqrt(variance * 1.25); /* df 6 */
    assert_int_equal(c->history, 4);
    assert_near(c->ratio.point, 0.05, 1e-9);
    assert_near(log1p(c->ratio.high) - log1p(c->ratio.point), half, 1e-9);
    assert_int_equal(c->verdict.word, PK_REGRESSED);
    end(&b);
}

static void noisy_workers_are_refused(void **state) {
    (void)state;
    bench b;
    begin_stored(&b, 0.1); /* quartiles at +-0.1: spread 14.8 % */
    pk_bench_session old = session_at(&here, log(100), 0.0002, 0.003);
    pk_bench_change_stored(&b.r, &here, 1, &old, &b.options);
    assert_non_null(strstr(b.r.change.refused, "workers differ by 15 %"));
    assert_int_equal(b.r.change.verdict.word, PK_CANNOT_TELL);
    assert_near(b.r.change.ratio.low, NAN, 0);
    end(&b);

    begin_stored(&b, 0.001);
    old.spread[1] = 0.48;
    pk_bench_change_stored(&b.r, &here, 1, &old, &b.options);
    assert_non_null(strstr(b.r.change.refused, "workers differ by 48 %"));
    /* nothing stored at all */
    pk_bench_change_stored(&b.r, &here, 0, NULL, &b.options);
    assert_non_null(strstr(b.r.change.refused, "no numbers"));
    assert_int_equal(b.r.change.history, 0);
    assert_near(b.r.change.ratio.point, NAN, 0);
    end(&b);
}

static void another_machine_is_compared_as_it_is_and_says_so(void **state) {
    (void)state;
    bench b;
    begin_stored(&b, 0.001);
    for (size_t i = 0; i < 40; i++) b.workers[i].reference_ns = 2;
    pk_environment elsewhere = here;
    snprintf(elsewhere.kernel, sizeof elsewhere.kernel, "5.10");
    pk_bench_session old = session_at(&elsewhere, log(100), 0.0002, 0.003);
    pk_bench_change_stored(&b.r, &here, 1, &old, &b.options);
    assert_false(b.r.change.normalised);
    assert_near(b.r.change.ratio.point, 0.05, 1e-9);
    analyse(&b);
    assert_int_equal(b.r.change.source, PK_CHANGE_STORED);
    assert_near(b.r.change.ratio.point, 0.05, 1e-9);
    assert_true(warned(&b, "compared as they are"));
    pk_environment_id(&here, old.environment);
    pk_bench_change_stored(&b.r, &here, 1, &old, &b.options);
    assert_true(b.r.change.normalised);
    assert_near(b.r.change.ratio.point, 0.525 - 1, 1e-9);
    end(&b);
}

static void the_medians_change_against_stored_values(void **state) {
    (void)state;
    bench b;
    begin_stored(&b, 0.001);
    double old[31];
    for (size_t i = 0; i < 31; i++) old[i] = 100 + 0.1 * (double)(i % 3);
    pk_err err = {0};
    assert_ok(pk_bench_change_median(&b.r, 31, old, &b.options, &err), &err);
    assert_near(b.r.change.median_point, 105 / 100.1 - 1, 1e-12);
    assert_true(b.r.change.median_low <= b.r.change.median_point);
    assert_true(b.r.change.median_high >= b.r.change.median_point);
    assert_ok(pk_bench_change_median(&b.r, 1, old, &b.options, &err), &err);
    assert_near(b.r.change.median_point, NAN, 0);
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
            add(&b, (i % 5 < 2 ? 100 : far ? 103 : 100.9) + 0.01 * (double)(i % 7), NAN);
        analyse(&b);
        assert_int_equal(b.r.modes.count, far ? 2 : 1);
        assert_near(b.r.modes.mode[0].value, far ? 100 : 100.9, 0.001);
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
        cmocka_unit_test(without_workers_nothing_is_known),
        cmocka_unit_test(one_worker_has_a_time_but_no_interval),
        cmocka_unit_test(the_same_sample_gives_criterions_points),
        cmocka_unit_test(equal_samples_have_no_spread),
        cmocka_unit_test(live_change_is_the_mean_of_log_ratios),
        cmocka_unit_test(an_order_effect_cancels_and_is_told),
        cmocka_unit_test(swapping_sides_swaps_the_change),
        cmocka_unit_test(robust_change_ignores_wild_workers),
        cmocka_unit_test(with_layouts_the_layout_is_the_unit),
        cmocka_unit_test(isolated_blocks_cancel_drift),
        cmocka_unit_test(isolated_blocks_of_layouts_are_counted_by_layout),
        cmocka_unit_test(a_block_does_not_straddle_layouts),
        cmocka_unit_test(a_lost_worker_costs_isolated_runs_only_its_block),
        cmocka_unit_test(the_width_alone_decides_when_to_stop),
        cmocka_unit_test(a_session_is_a_trimmed_mean_of_logs),
        cmocka_unit_test(one_stored_session_adds_a_term_between_sessions),
        cmocka_unit_test(a_history_gives_a_prediction_interval),
        cmocka_unit_test(noisy_workers_are_refused),
        cmocka_unit_test(another_machine_is_compared_as_it_is_and_says_so),
        cmocka_unit_test(the_medians_change_against_stored_values),
        cmocka_unit_test(a_quiet_run_has_none),
        cmocka_unit_test(each_cause_is_named),
        cmocka_unit_test(modes_count_when_they_are_far_enough_apart),
        cmocka_unit_test(one_slow_worker_is_told),
        cmocka_unit_test(small_changes_of_ready_made_code_may_be_placement),
        cmocka_unit_test(layouts_that_cannot_tell_say_how_many_would),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
