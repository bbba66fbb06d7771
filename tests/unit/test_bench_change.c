#include "stats/summary.h"

#include "bench_workers.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
