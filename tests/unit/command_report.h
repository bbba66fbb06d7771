/* Hand-made reports of whole commands, for the tests of what reads one. The runs of a command are
 * `wall` plus multiples of a step (command_steps: mean 0); figures come from the runs, verdicts and
 * warnings are written by hand. */
#ifndef PK_TESTS_UNIT_COMMAND_REPORT_H
#define PK_TESTS_UNIT_COMMAND_REPORT_H

#include "check.h"

#include "base/units.h"
#include "bench/command.h"
#include "bench/command_parts.h"
#include "bench_result.h"

enum { COMMAND_RUNS = 20, COMMAND_RESULTS_MAX = 16 };

/* Outlives its report. */
static inline pk_command_options command_options(void) {
    return (pk_command_options){.confidence_level = 0.95,
                                .noise_threshold = 0.01,
                                .equivalence = 0.02,
                                .metric = PK_COMMAND_WALL};
}

static inline pk_command_report command_report_begin(const pk_command_options *options) {
    pk_command_report r = {.options = options,
                           .shell_s = NAN,
                           .shell_sd_s = NAN,
                           .rounds = true,
                           .environment = bench_environment(),
                           .started_unix_ns = 1700000000ull * PK_NS_PER_S,
                           .duration_ns = 12 * PK_NS_PER_S,
                           .seed = 42};
    r.arena = pk_arena_new(64u << 20);
    assert_non_null(r.arena);
    r.results = PK_NEW(r.arena, COMMAND_RESULTS_MAX, pk_command_result);
    assert_non_null(r.results);
    return r;
}

static inline void command_report_end(pk_command_report *report) {
    pk_arena_free(report->arena);
}

static inline pk_command_run command_run(double wall_s, size_t round) {
    return (pk_command_run){.wall_s = wall_s,
                            .user_s = wall_s * 0.5,
                            .system_s = wall_s * 0.25,
                            .launch_s = 12e-6,
                            .rss_bytes = 1536 << 10,
                            .faults_minor = 64,
                            .switches_voluntary = 2,
                            .switches_involuntary = 1,
                            .blocks_out = 8,
                            .round = round};
}

/* n runs of a command, counted and in figures by command_finish. */
static inline pk_command_result *command_add(pk_command_report *report, const char *command,
                                             double wall_s, double step_s, size_t n) {
    pk_command_case *of = PK_NEW(report->arena, 1, pk_command_case);
    const char **argv = PK_NEW(report->arena, 4, const char *);
    pk_command_result *r = &report->results[report->n_results++];
    assert_true(of && argv && report->n_results <= COMMAND_RESULTS_MAX);
    argv[0] = "sh";
    argv[1] = "-c";
    argv[2] = command;
    *of = (pk_command_case){.command = command, .name = command, .shown = command, .argv = argv};
    *r = (pk_command_result){.of = of, .runs = PK_NEW(report->arena, n, pk_command_run)};
    assert_non_null(r->runs);
    r->n_runs = n;
    for (size_t i = 0; i < n; i++) {
        r->runs[i] = command_run(wall_s + step_s * bench_steps[i % BENCH_WORKERS], i);
        r->runs[i].place = (report->n_results - 1 + i) % 2;
    }
    report->n_cases = report->n_results;
    return r;
}

/* The case, to be changed. */
static inline pk_command_case *command_case(pk_command_result *r) {
    return (pk_command_case *)(uintptr_t)r->of;
}

/* Figures and ratios of all results; the fastest is the reference. */
static inline void command_finish(pk_command_report *report) {
    pk_err err = {0};
    pk_command_change change[COMMAND_RESULTS_MAX][2];
    for (size_t i = 0; i < report->n_results; i++)
        memcpy(change[i], report->results[i].change, sizeof change[i]);
    assert_ok(pk_command_analyse(report->options, report, &err), &err);
    for (size_t i = 0; i < report->n_results; i++) {
        pk_command_result *r = &report->results[i];
        memcpy(r->change, change[i], sizeof change[i]);
        r->n_warnings = 0;
    }
}

static inline pk_command_change command_change(pk_verdict_word word, double low, double high) {
    return (pk_command_change){.compared = true,
                               .verdict = {.word = word,
                                           .estimate = (low + high) / 2,
                                           .low = low,
                                           .high = high,
                                           .bound = fmax(fabs(low), fabs(high)),
                                           .p = 0.001,
                                           .p_zero = 0.0005},
                               .confidence = 0.99,
                               .blocks = 20};
}

static inline void command_counters(pk_command_result *r, double instructions) {
    for (size_t i = 0; i < r->n_runs; i++) {
        pk_counter_values *c = &r->runs[i].counters;
        const double values[PK_COUNTERS] = {instructions, instructions * 0.8, instructions / 1000,
                                            instructions / 2000};
        for (size_t k = 0; k < PK_COUNTERS; k++) {
            c->known[k] = true;
            c->value[k] = values[k];
        }
    }
}

static inline void command_fail(pk_command_run *run, int code, int signal) {
    run->code = code;
    run->signal = signal;
    run->failed = true;
}

static inline void command_time_out(pk_command_run *run, double after_s) {
    command_fail(run, -1, 9);
    run->timed_out = true;
    run->wall_s = after_s;
}

/* Three commands: a fast one, a slower one with failed runs, one with a parameter, that cannot be
 * told from the first. */
static inline pk_command_report command_report_full(const pk_command_options *options) {
    pk_command_report report = command_report_begin(options);
    pk_command_result *fast = command_add(&report, "sort -n data", 0.011, 1e-4, COMMAND_RUNS);
    command_counters(fast, 2.5e7);

    pk_command_result *slow = command_add(&report, "sort -g <data | uniq", 0.0305, 4e-4, 24);
    static pk_command_failure failure = {
        .what = "sort -g <data | uniq: exit code 2 in run 4",
        .output = "sort: cannot read: \x1b[1mdata\x1b[0m\nuniq: broken\n",
        .cut = true,
        .code = 2};
    command_case(slow)->through_shell = true;
    command_fail(&slow->runs[3], 2, 0);
    command_fail(&slow->runs[11], 2, 0);
    command_time_out(&slow->runs[20], 1.5);
    slow->first_failure = &failure;
    slow->change[0] = command_change(PK_REGRESSED, 1.70, 1.84);
    slow->change[1] = command_change(PK_REGRESSED, 1.76, 1.78);

    pk_command_result *same = command_add(&report, "sort -n --parallel=2 data", 0.0111, 2e-4, 20);
    static const pk_parameter_value threads[] = {{"threads", "2"}};
    command_case(same)->shown = "sort -n --parallel=2 data (threads = 2)";
    command_case(same)->parameters = threads;
    command_case(same)->n_parameters = 1;
    for (size_t i = 0; i < same->n_runs; i++) {
        same->runs[i].rss_bytes = 548 << 10;
        same->runs[i].rss_is_floor = true;
    }
    same->change[0] = command_change(PK_CANNOT_TELL, -0.013, 0.031);
    same->change[1] = command_change(PK_NO_CHANGE, -0.004, 0.003);
    command_finish(&report);
    same->stored[0] = command_change(PK_IMPROVED, -0.06, -0.04);
    static const char *const warnings[] = {"3 of 20 runs are outliers: trust the median"};
    fast->warnings = warnings;
    fast->n_warnings = 1;
    return report;
}

#endif
