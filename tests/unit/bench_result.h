/* Hand-made bench reports for the tests of what reads one: text, JSON, pages, store. Figures are
 * round and agree with each other: the workers' values are `typical` plus multiples of a step whose
 * mean, quartiles and spread are known (bench_steps), so what is computed from the workers is what
 * the result says. */
#ifndef PK_TESTS_UNIT_BENCH_RESULT_H
#define PK_TESTS_UNIT_BENCH_RESULT_H

#include "check.h"

#include "base/units.h"
#include "bench/analyse.h"
#include "bench/bench.h"

enum { BENCH_WORKERS = 20 };

/* Mean 0, median -1, quartiles (interpolated) -1.25 and 0.25, so Tukey's fences are at -5.75, -3.5,
 * 2.5, 4.75: one high mild and one high severe. Sum of squares 126; median |x + 1| is 1. */
static const double bench_steps[BENCH_WORKERS] = {-1, 0,  -2, 1,  -1, -2, 4, 0, -1, -2,
                                                  1,  -1, 0,  -2, 9,  -1, 0, 1, -1, -2};

static inline pk_environment bench_environment(void) {
    pk_environment e = {
        .cpu_model = "Test CPU <1> & Co",
        .microcode = "0x1",
        .hypervisor = "kvm",
        .cpus = 2,
        .cpus_allowed = 2,
        .turbo = -1,
        .mhz_min = NAN,
        .mhz_max = NAN,
        .mhz_now = 2600,
        .smt = 1,
        .aslr = 2,
        .clock_source = "tsc",
        .kernel = "6.1.0-test",
        .host = "testhost",
        .boot_id = "11111111-2222-3333-4444-555555555555",
        .load_1 = 0.5,
        .load_5 = 0.25,
        .load_15 = 0.125,
        .runnable = 1,
        .psi_cpu_some_10 = 1.5,
        .temperature_c = NAN,
        .on_ac_power = -1,
        .timer_cost_ns = 20.5,
        .compiler = "gcc 12.2.0",
    };
    return e;
}

static inline pk_bench_report bench_report_begin(void) {
    pk_bench_report r = {
        .environment = bench_environment(),
        .seed = 42,
        .nresamples = 100000,
        .history_id = "abc123",
        .history_description = "faster \"lookup\"",
        .started_unix_ns = 1700000000ull * PK_NS_PER_S,
        .duration_ns = 12 * PK_NS_PER_S,
    };
    r.arena = pk_arena_new(64u << 20);
    assert_non_null(r.arena);
    r.results = PK_NEW(r.arena, 64, pk_bench_result);
    assert_non_null(r.results);
    return r;
}

/* Frees what bench_report_begin made. */
static inline void bench_report_end(pk_bench_report *report) {
    pk_arena_free(report->arena);
}

static inline pk_estimate bench_estimate(double point, double half_width) {
    return (pk_estimate){point, point - half_width, point + half_width, half_width / 2};
}

static inline pk_estimate bench_unknown(void) {
    return (pk_estimate){NAN, NAN, NAN, NAN};
}

static inline pk_bench_side bench_side(double ns) {
    return (pk_bench_side){.trimmed_ns = ns,
                           .mean_ns = ns * 1.01,
                           .min_ns = ns * 0.95,
                           .q1_ns = ns * 0.98,
                           .median_ns = ns * 0.99,
                           .q3_ns = ns * 1.02,
                           .wall_ns = ns * 1.25,
                           .cpu_ns = ns,
                           .units = 150,
                           .iterations = 150 * 1000};
}

static inline pk_criterion_estimates bench_criterion(double ns, double step) {
    return (pk_criterion_estimates){
        .mean = bench_estimate(ns, step),
        .median = bench_estimate(ns - step, step / 2),
        .median_abs_dev = bench_estimate(1.4826 * step, step / 4),
        .std_dev = bench_estimate(sqrt(126.0 / 19) * step, step),
        .slope = bench_unknown(),
    };
}

static inline void bench_add_worker_values(pk_bench_worker *w, size_t i, double new_ns,
                                           double old_ns) {
    *w = (pk_bench_worker){.side[PK_SIDE_NEW] = bench_side(new_ns),
                           .old_first = i % 2 == 1,
                           .layout = -1,
                           .reference_ns = 0.9,
                           .latency_ns = NAN,
                           .throughput_ns = NAN,
                           .loop_ns = NAN,
                           .metric = PK_METRIC_ONCPU,
                           .duration_ns = 30 * PK_NS_PER_MS,
                           .wait_ns = 600 * 1000,
                           .switches_voluntary = 1,
                           .switches_involuntary = 2,
                           .faults_minor = 3};
    if (old_ns > 0) w->side[PK_SIDE_OLD] = bench_side(old_ns);
}

/* A measured benchmark, compared with nothing. function, value: NULL for none. The headline is ns,
 * its interval +- step, n (a multiple of BENCH_WORKERS) workers at ns + step * bench_steps. */
static inline pk_bench_result *bench_add_n(pk_bench_report *report, const char *group,
                                           const char *function, const char *value, double ns,
                                           double step, size_t n) {
    pk_bench_result *r = &report->results[report->n_results++];
    *r = (pk_bench_result){
        .group = group,
        .function = function,
        .value = value,
        .object = "built-in",
        .artefact = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        .n_workers = n,
        .metric = PK_METRIC_ONCPU,
        .confidence_level = 0.95,
        .noise_threshold = 0.01,
        .significance_level = 0.05,
        .equivalence = 0.02,
        .typical = bench_estimate(ns, step),
        .between_runs_ns = 10 * step,
        .criterion = bench_criterion(ns, step),
        .fences = {ns - 5.75 * step, ns - 3.5 * step, ns + 2.5 * step, ns + 4.75 * step},
        .outliers = {.high_mild = n / BENCH_WORKERS, .high_severe = n / BENCH_WORKERS},
        .modes = {.count = 1, .mode = {{ns - step, 1}}},
        .clock_hz = 4.44e9,
        .clock_range_ratio = 0.01,
        .wait_ratio = 0.02,
        .process_sd_ratio = sqrt(126.0 / 19) * step / ns,
        .latency_ns = NAN,
        .throughput_ns = NAN,
        .loop_ns = NAN,
        .started_unix_ns = report->started_unix_ns,
        .duration_ns = PK_NS_PER_S,
    };
    r->id = pk_arena_printf(report->arena, "%s%s%s%s%s", group, function ? "/" : "",
                            function ? function : "", value ? "/" : "", value ? value : "");
    pk_err err = {0};
    r->value_is_number = value && pk_parse_double(value, &r->value_number, &err);
    r->workers = PK_NEW(report->arena, n, pk_bench_worker);
    assert_true(r->id && r->workers);
    for (size_t i = 0; i < n; i++)
        bench_add_worker_values(&r->workers[i], i, ns + step * bench_steps[i % BENCH_WORKERS], 0);
    return r;
}

static inline pk_bench_result *bench_add(pk_bench_report *report, const char *group,
                                         const char *function, const char *value, double ns,
                                         double step) {
    return bench_add_n(report, group, function, value, ns, step, BENCH_WORKERS);
}

/* ratio - 1 and its interval; the word is the caller's, so that each can be shown. */
static inline void bench_compare(pk_bench_report *report, pk_bench_result *r,
                                 pk_change_source source, pk_verdict_word word, double change,
                                 double half_width) {
    double old_ns = r->typical.point / (1 + change);
    double step = (r->typical.high - r->typical.low) / 2 / (1 + change);
    pk_bench_change *c = &r->change;
    *c = (pk_bench_change){
        .source = source,
        .baseline = "main",
        .old_artefact = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100",
        .ratio = bench_estimate(change, half_width),
        .old_ns = old_ns,
        .order_effect = source == PK_CHANGE_LIVE ? 0.001 : NAN,
        .verdict = {.word = word,
                    .estimate = change,
                    .low = change - half_width,
                    .high = change + half_width,
                    .bound = NAN,
                    .p = word == PK_REGRESSED || word == PK_IMPROVED ? 0.0001 : 0.5,
                    .p_zero = word == PK_REGRESSED || word == PK_IMPROVED ? 0.00001 : 0.41},
        .median_point = change,
        .median_low = change - 2 * half_width,
        .median_high = change + 2 * half_width,
    };
    c->old = PK_NEW(report->arena, 1, pk_criterion_estimates);
    assert_non_null(c->old);
    *c->old = bench_criterion(old_ns, step);
    if (source != PK_CHANGE_LIVE) return;
    for (size_t i = 0; i < r->n_workers; i++)
        r->workers[i].side[PK_SIDE_OLD] =
            bench_side(old_ns + step * bench_steps[(i + 7) % BENCH_WORKERS]);
}

/* ---- one of each kind ---- */

static inline pk_bench_result *bench_add_regressed(pk_bench_report *report) {
    pk_bench_result *r = bench_add(report, "fib", "recursive", "20", 13020, 40);
    bench_compare(report, r, PK_CHANGE_LIVE, PK_REGRESSED, 0.031, 0.005);
    return r;
}

/* Two modes, and not enough workers to say anything. */
static inline pk_bench_result *bench_add_bimodal(pk_bench_report *report) {
    pk_bench_result *r = bench_add(report, "fib", "iterative", "20", 4.9, 0.1);
    bench_compare(report, r, PK_CHANGE_LIVE, PK_CANNOT_TELL, 0.0095, 0.0285);
    r->change.verdict.workers_needed = 310;
    r->change.verdict.p_zero = 0.49;
    for (size_t i = 0; i < r->n_workers; i++) {
        double ns = i % 5 == 0 ? 3.3 : 5.3; /* mean 4.9 */
        r->workers[i].side[PK_SIDE_NEW] = bench_side(ns + 0.01 * (double)(i % 3) - 0.01);
    }
    r->modes = (pk_modes){.count = 2, .mode = {{3.3, 0.2}, {5.3, 0.8}}};
    r->fences = (pk_fences){3.1, 4.2, 6.4, 7.5};
    r->outliers = (pk_outlier_counts){.low_mild = 4};
    r->process_sd_ratio = 0.17;
    return r;
}

/* Below a nanosecond: the three figures; against stored numbers. */
static inline pk_bench_result *bench_add_parts(pk_bench_report *report) {
    pk_bench_result *r = bench_add(report, "fib", "lookup", "20", 0.925, 0.001);
    bench_compare(report, r, PK_CHANGE_STORED, PK_NO_CHANGE, 0.001, 0.003);
    r->change.verdict.bound = 0.004;
    r->change.normalised = true;
    r->change.history = 5;
    r->has_parts = true;
    r->latency_ns = 1.35;
    r->throughput_ns = 0.065;
    r->loop_ns = 0.2306;
    for (size_t i = 0; i < r->n_workers; i++) {
        r->workers[i].latency_ns = 1.35;
        r->workers[i].throughput_ns = 0.065;
        r->workers[i].loop_ns = 0.2306;
    }
    return r;
}

/* Elements per iteration, faster, in workers of their own; batched, with counters. */
static inline pk_bench_result *bench_add_elements(pk_bench_report *report) {
    pk_bench_result *r = bench_add(report, "sort", "quick", "4096", 81920, 500);
    r->throughput = (pk_bench_throughput){true, false, 4096};
    bench_compare(report, r, PK_CHANGE_ISOLATED, PK_IMPROVED, -0.042, 0.004);
    r->method = "batched: making and dropping inputs is not in the time";
    r->counters = "swaps,compares";
    for (size_t i = 0; i < r->n_workers; i++) {
        pk_bench_side *side = r->workers[i].side;
        side[PK_SIDE_NEW].counters[0] = side[PK_SIDE_OLD].counters[0] = 2.5;
        side[PK_SIDE_NEW].counters[1] = 700;
        side[PK_SIDE_OLD].counters[1] = i % 2 ? 799 : 801; /* 800 */
    }
    return r;
}

/* No function, bytes per iteration, compared with nothing. */
static inline pk_bench_result *bench_add_bytes(pk_bench_report *report) {
    pk_bench_result *r = bench_add(report, "copy", NULL, "1048576", 65536, 100);
    r->throughput = (pk_bench_throughput){true, true, 1048576};
    return r;
}

/* Stored numbers that say nothing. */
static inline pk_bench_result *bench_add_stored_refused(pk_bench_report *report) {
    pk_bench_result *r = bench_add(report, "chase", "dependent pointers", "4 MiB", 48.5e3, 1e3);
    pk_bench_change *c = &r->change;
    bench_compare(report, r, PK_CHANGE_STORED, PK_CANNOT_TELL, 0.2, 0.5);
    snprintf(c->refused, sizeof c->refused, "workers differ by 48 %%; run the old build again");
    c->ratio = bench_unknown();
    c->verdict.estimate = c->verdict.low = c->verdict.high = c->verdict.p = c->verdict.p_zero = NAN;
    c->median_point = c->median_low = c->median_high = NAN;
    static const char *const warnings[] = {"workers differ by 48 %: other work shares the cache"};
    r->warnings = warnings;
    r->n_warnings = 1;
    return r;
}

/* The same code on both sides. */
static inline pk_bench_result *bench_add_identical(pk_bench_report *report) {
    pk_bench_result *r = bench_add(report, "fib", "doubling", "20", 12.5, 0.0125);
    bench_compare(report, r, PK_CHANGE_LIVE, PK_NO_CHANGE, 0.0002, 0.001);
    r->change.verdict.bound = 0.0012;
    r->change.identical_code = true;
    r->change.old_artefact = r->artefact;
    return r;
}

/* Nothing was measured. number: signal or exit code. */
static inline pk_bench_result *bench_add_failed(pk_bench_report *report, const char *function,
                                                pk_bench_failure_kind kind, int number,
                                                const char *why, const char *output) {
    pk_bench_result *r = &report->results[report->n_results++];
    *r = (pk_bench_result){.group = "bad",
                           .function = function,
                           .object = "./bad.so",
                           .artefact = "aa",
                           .n_failures = 1,
                           .failed = true,
                           .metric = PK_METRIC_ONCPU,
                           .confidence_level = 0.95,
                           .noise_threshold = 0.01,
                           .significance_level = 0.05,
                           .equivalence = 0.02,
                           .typical = bench_unknown(),
                           .started_unix_ns = report->started_unix_ns};
    r->id = pk_arena_printf(report->arena, "bad/%s", function);
    r->failures = PK_NEW(report->arena, 1, pk_bench_failure);
    assert_true(r->id && r->failures);
    r->failures[0] = (pk_bench_failure){.kind = kind, .number = number};
    if (kind == PK_FAIL_TIMEOUT) r->failures[0].timeout_ns = 10 * PK_NS_PER_S;
    snprintf(r->failures[0].why, sizeof r->failures[0].why, "%s", why);
    snprintf(r->failures[0].output, sizeof r->failures[0].output, "%s", output);
    return r;
}

/* Interrupted: 20 workers of more that were planned. */
static inline pk_bench_result *bench_add_partial(pk_bench_report *report) {
    pk_bench_result *r = bench_add(report, "wait", "short", NULL, 1.5e6, 5e3);
    r->partial = true;
    report->interrupted = true;
    return r;
}

/* A group over a parameter: n lg n, 2 ns each, exactly. */
static inline void bench_add_scan(pk_bench_report *report) {
    static const char *const values[] = {"16", "64", "256", "1024"};
    static const double lg[] = {4, 6, 8, 10}, n[] = {16, 64, 256, 1024};
    for (size_t i = 0; i < 4; i++)
        bench_add(report, "scan", "merge", values[i], 2 * n[i] * lg[i], n[i] / 16);
}

/* One of each kind. */
static inline pk_bench_report bench_report_full(void) {
    static const char *const warnings[] = {"the governor is powersave, not performance"};
    pk_bench_report report = bench_report_begin();
    bench_add_regressed(&report);
    bench_add_bimodal(&report);
    bench_add_parts(&report);
    bench_add_identical(&report);
    bench_add_elements(&report);
    bench_add_bytes(&report);
    bench_add_stored_refused(&report);
    bench_add_scan(&report);
    bench_add_failed(&report, "crash", PK_FAIL_SIGNAL, 11, "", "before\n\x1b[31mred\xff\n");
    report.warnings = warnings;
    report.n_warnings = 1;
    return report;
}

#endif
