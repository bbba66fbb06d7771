/* Whole runs: real workers on the suite, on objects that go wrong, and old code beside new. What is
 * asserted is what ran in which order and what became of it; times only where the answer is known,
 * within wide bounds. */
#include "tests/unit/worker_process.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/units.h"
#include "bench/bench.h"
#include "bench/object.h"
#include "bench/store.h"
#include "timing/clock.h"

#define MS PK_NS_PER_MS
#define LIST(...)                                           \
    ((pk_text_list){.items = (const char *[]){__VA_ARGS__}, \
                    .count = sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)})

typedef struct fixture {
    char home[CHECK_PATH_MAX], nasty[CHECK_PATH_MAX];
    char pace_0[CHECK_PATH_MAX], pace_50[CHECK_PATH_MAX];
    pk_bench_report report;
    char finished[1024]; /* ids as they were delivered, a blank behind each */
    char notes[4096];
    unsigned progress, wrong_progress, wrong_finished;
    const char *object;
    bool interrupt; /* at the first progress */
    pk_bench_progress last;
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    check_folder_begin(f->home);
    worker_object(f->nasty, "nasty.so");
    worker_object(f->pace_0, "pace_0.so");
    worker_object(f->pace_50, "pace_50.so");
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    check_folder_end(f->home);
    free(f);
    return 0;
}

static void on_finished(void *context, const pk_bench_result *result) {
    fixture *f = context;
    size_t length = strlen(f->finished);
    snprintf(f->finished + length, sizeof f->finished - length, "%s ", result->id);
    if (result->n_workers + result->n_failures == 0 && !result->partial) f->wrong_finished++;
}

static void on_note(void *context, const char *line) {
    fixture *f = context;
    size_t length = strlen(f->notes);
    snprintf(f->notes + length, sizeof f->notes - length, "%s\n", line);
}

/* A failed assertion would leave the run with its signal handlers. */
static void on_progress(void *context, const pk_bench_progress *p) {
    fixture *f = context;
    bool counts = p->workers <= p->workers_planned && p->done <= p->total;
    bool times = p->elapsed_s <= p->expected_s &&
                 (f->progress == 0 || p->elapsed_s >= f->last.elapsed_s + 0.19);
    if (!counts || !times) f->wrong_progress++;
    f->last = *p;
    f->progress++;
    if (f->interrupt) raise(SIGINT);
}

/* Six workers of 5 ms each. */
static pk_bench_options options_of(const fixture *f) {
    return (pk_bench_options){.sample_size = 6,
                              .measurement_time_s = 0.03,
                              .warm_up_time_s = 0,
                              .significance_level = 0.05,
                              .nresamples = 1000,
                              .equivalence = 0.02,
                              .seed = 7,
                              .timeout_ns = 30 * PK_NS_PER_S,
                              .home = f->home};
}

static bool try_run(fixture *f, const pk_bench_options *options, pk_err *err) {
    const pk_bench_hooks hooks = {.context = f,
                                  .progress = on_progress,
                                  .note = on_note,
                                  .finished = on_finished,
                                  .compiler = on_note};
    f->finished[0] = f->notes[0] = '\0';
    f->progress = 0;
    memset(err, 0, sizeof *err);
    pk_interrupt *intr = pk_interrupt_begin(err);
    assert_non_null(intr);
    bool ok = pk_bench_run(options, &hooks, intr, &f->report, err);
    pk_interrupt_end(intr);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
    assert_int_equal(f->wrong_progress + f->wrong_finished, 0);
    return ok;
}

static const pk_bench_result *run(fixture *f, const pk_bench_options *options) {
    pk_err err;
    assert_ok(try_run(f, options, &err), &err);
    return f->report.results;
}

static bool warns(const pk_bench_result *result, const char *part) {
    for (size_t i = 0; i < result->n_warnings; i++)
        if (strstr(result->warnings[i], part)) return true;
    return false;
}

/* ---- alone ---- */

static void the_suite_comes_in_its_order_with_figures(void **state) {
    fixture *f = *state;
    pk_bench_options options = options_of(f);
    const pk_bench_result *r = run(f, &options);
    static const char ids[] = "fib/recursive fib/iterative fib/lookup fib/doubling ";
    assert_string_equal(f->finished, ids);
    assert_int_equal(f->report.n_results, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_false(r[i].failed || r[i].partial);
        assert_int_equal(r[i].n_workers, 6);
        assert_int_equal(r[i].n_failures, 0);
        assert_string_equal(r[i].group, "fib");
        assert_null(r[i].value);
        assert_string_equal(r[i].object, "built-in");
        assert_int_equal(strlen(r[i].artefact), 64);
        assert_true(r[i].artefact_data && r[i].artefact_bytes > 1000);
        assert_int_equal(r[i].change.source, PK_CHANGE_NONE);
        assert_true(r[i].typical.low <= r[i].typical.point);
        assert_true(r[i].typical.point <= r[i].typical.high);
        assert_true(r[i].started_unix_ns >= f->report.started_unix_ns);
        assert_true(r[i].duration_ns >= 6 * 5 * MS && r[i].duration_ns < f->report.duration_ns);
    }
    /* 21891 calls; a loop of 20; one load. */
    assert_true(r[0].typical.point > 1e3 && r[0].typical.point < 1e6);
    assert_true(r[1].typical.point > 1 && r[1].typical.point < 1e3);
    assert_true(r[2].typical.point > 0.1 && r[2].typical.point < 100);
    assert_string_equal(r[0].artefact, r[3].artefact);
    assert_int_equal(f->report.seed, 7);
    pk_bench_report_fini(&f->report);
}

static void parameters_reach_the_benchmark(void **state) {
    fixture *f = *state;
    pk_bench_options options = options_of(f);
    options.param = "10,20";
    options.filters = LIST("recursive");
    const pk_bench_result *r = run(f, &options);
    assert_string_equal(f->finished, "fib/recursive/10 fib/recursive/20 ");
    assert_true(r[1].value_is_number);
    assert_near(r[1].value_number, 20, 0);
    /* 177 and 21891 calls: 124 times as long. */
    double ratio = r[1].typical.point / r[0].typical.point;
    assert_true(ratio > 40 && ratio < 400);
    pk_bench_report_fini(&f->report);
}

static void a_wide_interval_asks_for_more_workers_within_the_budget(void **state) {
    fixture *f = *state;
    pk_bench_options options = options_of(f);
    options.measurement_time_s = 2; /* of 140 workers, if they start quickly */
    options.noise_threshold = 1e-9;
    options.filters = LIST("iterative");
    assert_in_range(run(f, &options)->n_workers, 8, 140);
    pk_bench_report_fini(&f->report);
    options.noise_threshold = 1e9; /* any interval is narrow */
    assert_int_equal(run(f, &options)->n_workers, 6);
    pk_bench_report_fini(&f->report);
}

/* ---- failures ---- */

static void what_goes_wrong_loses_only_itself(void **state) {
    fixture *f = *state;
    pk_bench_options options = options_of(f);
    options.objects = LIST(f->nasty);
    options.exact = true;
    options.filters = LIST("nasty/fine", "nasty/crash", "nasty/hang", "nasty/leave",
                           "nasty/garbage", "nasty/removed", "nasty/sleepy");
    options.timeout_ns = 2 * PK_NS_PER_S;
    const pk_bench_result *r = run(f, &options);
    static const struct {
        const char *id;
        bool failed;
        pk_bench_failure_kind kind;
        int number;
    } expected[] = {
        {"nasty/fine", false, 0, 0},
        {"nasty/crash", true, PK_FAIL_SIGNAL, SIGSEGV},
        {"nasty/hang", true, PK_FAIL_TIMEOUT, 0},
        {"nasty/leave", true, PK_FAIL_EXIT, 3},
        {"nasty/garbage", true, PK_FAIL_GARBAGE, 0},
        {"nasty/removed", true, PK_FAIL_REFUSED, 0},
        {"nasty/sleepy", false, 0, 0},
    };
    assert_int_equal(f->report.n_results, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_string_equal(r[i].id, expected[i].id);
        if (r[i].failed != expected[i].failed)
            fail_msg("%s: failed %d: %s", r[i].id, r[i].failed,
                     r[i].n_failures > 0 ? r[i].failures[0].why : "");
        if (!r[i].failed) {
            assert_int_equal(r[i].n_workers, 6);
            continue;
        }
        assert_int_equal(r[i].n_workers, 0);
        assert_in_range(r[i].n_failures, 1, 3);
        assert_int_equal(r[i].failures[0].kind, expected[i].kind);
        assert_int_equal(r[i].failures[0].number, expected[i].number);
        assert_true(isnan(r[i].typical.point));
    }
    assert_int_equal(r[2].failures[0].timeout_ns, 2 * PK_NS_PER_S);
    assert_true(r[6].typical.point > 2e5); /* 200 us of sleep */
    pk_bench_report_fini(&f->report);
}

static void a_hopeless_benchmark_is_given_up_after_three(void **state) {
    fixture *f = *state;
    pk_bench_options options = options_of(f);
    options.objects = LIST(f->nasty);
    options.filters = LIST("nasty/crash");
    options.sample_size = 500;
    const pk_bench_result *r = run(f, &options);
    assert_true(r->failed);
    assert_int_equal(r->n_failures, 3);
    pk_bench_report_fini(&f->report);
}

/* Every fourth process of it crashes. */
static void more_than_2_per_cent_of_crashes_fail_it(void **state) {
    fixture *f = *state;
    char counter[CHECK_PATH_MAX];
    check_path(counter, f->home, "counter");
    assert_int_equal(setenv("FLAKY_FILE", counter, 1) + setenv("FLAKY_EVERY", "4", 1), 0);
    pk_bench_options options = options_of(f);
    options.objects = LIST(f->nasty);
    options.filters = LIST("flaky");
    const pk_bench_result *r = run(f, &options);
    unsetenv("FLAKY_FILE");
    unsetenv("FLAKY_EVERY");
    assert_true(r->failed);
    assert_int_equal(r->n_workers, 3);
    assert_int_equal(r->n_failures, 1);
    assert_true(isnan(r->typical.point));
    pk_bench_report_fini(&f->report);
}

static void an_object_that_cannot_be_asked_loses_only_itself(void **state) {
    fixture *f = *state;
    char broken[CHECK_PATH_MAX];
    check_write_file(check_path(broken, f->home, "broken.so"), "no object at all\n");
    pk_bench_options options = options_of(f);
    options.objects = LIST(broken, f->pace_0);
    options.filters = LIST("recursive");
    const pk_bench_result *r = run(f, &options);
    assert_int_equal(f->report.n_results, 2);
    assert_string_equal(r[0].id, "pace/recursive");
    assert_false(r[0].failed);
    assert_string_equal(r[1].id, broken);
    assert_true(r[1].failed);
    assert_int_equal(r[1].n_failures, 1);
    assert_true(r[1].failures[0].why[0]);
    pk_bench_report_fini(&f->report);
    options.objects = LIST(broken); /* nothing else: still a report, not an error */
    options.filters = (pk_text_list){0};
    assert_true(run(f, &options)->failed);
    pk_bench_report_fini(&f->report);
}

static void a_missing_object_is_an_error(void **state) {
    fixture *f = *state;
    pk_bench_options options = options_of(f);
    pk_err err;
    options.objects = LIST("./no-such-object.so");
    assert_false(try_run(f, &options, &err));
    assert_string_equal(err.where, "./no-such-object.so");
    assert_int_equal(err.sys_errno, ENOENT);
}

/* ---- old beside new ---- */

static pk_bench_options against(fixture *f, const char *new, const char *old) {
    static const char *filters[] = {"recursive"};
    pk_bench_options options = options_of(f);
    f->object = new;
    options.objects = (pk_text_list){&f->object, 1};
    options.filters = (pk_text_list){filters, 1};
    options.compare = PK_COMPARE_OBJECT;
    options.compare_with = old;
    return options;
}

static void old_and_new_run_in_each_worker_and_swap_places(void **state) {
    fixture *f = *state;
    pk_bench_options options = against(f, f->pace_50, f->pace_0);
    options.sample_size = 10;
    const pk_bench_result *r = run(f, &options);
    assert_int_equal(r->change.source, PK_CHANGE_LIVE);
    assert_string_equal(r->change.baseline, f->pace_0);
    assert_false(r->change.identical_code);
    assert_int_equal(strlen(r->change.old_artefact), 64);
    assert_string_not_equal(r->change.old_artefact, r->artefact);
    assert_true(r->n_workers >= 10 && r->n_workers <= 30 && r->n_workers % 2 == 0);
    for (size_t i = 0; i < r->n_workers; i++) {
        assert_true(r->workers[i].side[PK_SIDE_NEW].units > 0);
        assert_true(r->workers[i].side[PK_SIDE_OLD].units > 0);
        assert_int_equal(r->workers[i].old_first, i % 2 == 0);
    }
    assert_true(r->change.ratio.point > 0.01 && r->change.ratio.point < 0.1); /* 5 % slower */
    pk_bench_report_fini(&f->report);
}

static void the_same_file_on_both_sides_is_two_objects(void **state) {
    fixture *f = *state;
    pk_bench_options options = against(f, f->pace_0, f->pace_0);
    const pk_bench_result *r = run(f, &options);
    assert_false(r->failed);
    assert_int_equal(r->change.source, PK_CHANGE_LIVE);
    assert_true(r->change.identical_code);
    assert_string_equal(r->change.old_artefact, r->artefact);
    pk_bench_report_fini(&f->report);
}

static void files_in_common_are_copied(void **state) {
    fixture *f = *state;
    pk_err err = {0};
    pk_program worker;
    assert_ok(pk_program_worker(&worker, &err), &err);
    char source[CHECK_PATH_MAX];
    check_write_file(check_path(source, f->home, "tiny.c"),
                     "#include \"perfkit.h\"\n"
                     "static void body(perfkit_run *run) { perfkit_keep(run->iterations); }\n"
                     "PERFKIT_BENCHMARKS({.group = \"tiny\", .body = body});\n");
    pk_bench_options options = options_of(f);
    options.layouts = 3;
    pk_arena *arena = pk_arena_new(64 << 20);
    const pk_spawn_place place = {.program = worker.path,
                                  .timeout_ns = 30 * PK_NS_PER_S,
                                  .deadline_ns = UINT64_MAX,
                                  .arena = arena};
    pk_sources sources = {.options = &options};
    const pk_object_opener opener = {
        .place = &place, .options = &options, .sources = &sources, .layouts = true};
    const char *const names[] = {f->pace_0, source};
    for (int i = 0; i < 2; i++) {
        pk_object new, old, other;
        assert_ok(pk_object_open_file(&opener, names[i], &new, &err), &err);
        assert_ok(pk_object_open_file(&opener, names[i], &old, &err), &err);
        assert_ok(pk_object_open_file(&opener, f->pace_50, &other, &err), &err);
        assert_int_equal(new.n_layouts, i == 0 ? 0 : 3);
        assert_string_equal(new.hash, old.hash);
        assert_ok(pk_object_separate(&opener, &other, &new, &err), &err);
        assert_string_equal(pk_object_path(&other, -1), f->pace_50); /* nothing in common */
        assert_ok(pk_object_separate(&opener, &old, &new, &err), &err);
        for (int layout = i == 0 ? -1 : 0; layout < (int)new.n_layouts; layout++) {
            struct stat a, b;
            assert_int_equal(stat(pk_object_path(&new, layout), &a), 0);
            assert_int_equal(stat(pk_object_path(&old, layout), &b), 0);
            assert_true(a.st_dev != b.st_dev || a.st_ino != b.st_ino);
            assert_int_equal(a.st_size, b.st_size);
        }
        pk_object_close(&new);
        pk_object_close(&old);
        pk_object_close(&other);
    }
    pk_program_close(&worker);
    pk_sources_close(&sources);
    pk_arena_free(arena);
}

static void sources_run_in_their_layouts(void **state) {
    fixture *f = *state;
    char source[CHECK_PATH_MAX];
    check_write_file(check_path(source, f->home, "tiny.c"),
                     "#include \"perfkit.h\"\n"
                     "static void body(perfkit_run *run) {\n"
                     "    for (uint64_t i = 0; i < run->iterations; i++) perfkit_keep(i * i);\n"
                     "}\n"
                     "PERFKIT_BENCHMARKS({.group = \"tiny\", .body = body});\n");
    pk_bench_options options = against(f, source, source);
    options.filters = (pk_text_list){0};
    options.layouts = 3;
    options.noise_threshold = 1e9;
    const pk_bench_result *r = run(f, &options);
    if (r->failed) fail_msg("%s", r->failures[0].why);
    assert_true(r->change.identical_code);
    assert_int_equal(r->n_workers, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(r->workers[i].layout, i % 3);
        assert_int_equal(r->workers[i].old_first, i < 3);
    }
    pk_bench_report_fini(&f->report);
    check_write_file(source, "int broken = ;\n");
    pk_err err;
    assert_false(try_run(f, &options, &err));
    assert_int_equal(err.kind, PK_E_INPUT);
    assert_string_equal(err.where, source);
    assert_non_null(strstr(f->notes, "error:")); /* the compiler's words */
    pk_bench_id *ids;
    size_t n;
    pk_arena *arena = pk_arena_new(16 << 20);
    assert_false(pk_bench_list(&options, arena, &ids, &n, &err));
    assert_non_null(strstr(err.what, "error:"));
    pk_arena_free(arena);
}

static void isolated_sides_have_workers_of_their_own(void **state) {
    fixture *f = *state;
    pk_bench_options options = against(f, f->pace_50, f->pace_0);
    options.isolate = true;
    options.sample_size = 16;
    options.noise_threshold = 1e9;
    const pk_bench_result *r = run(f, &options);
    static const char order[] = "ABBABAABABBABAAB";
    assert_int_equal(r->change.source, PK_CHANGE_ISOLATED);
    assert_int_equal(r->n_workers, 16);
    for (size_t i = 0; i < 16; i++) {
        assert_int_equal(r->workers[i].side[PK_SIDE_OLD].units > 0, order[i] == 'A');
        assert_int_equal(r->workers[i].side[PK_SIDE_NEW].units > 0, order[i] == 'B');
    }
    pk_bench_report_fini(&f->report);
}

/* nasty.so crashes on both sides: whose fault it is, only workers of their own can tell. */
static void a_crash_of_old_code_is_called_so(void **state) {
    fixture *f = *state;
    pk_bench_options options = against(f, f->nasty, f->nasty);
    options.filters = LIST("nasty/crash");
    options.sample_size = 200;
    const pk_bench_result *r = run(f, &options);
    assert_true(r->failed);
    assert_true(warns(r, "--isolate tells which"));
    pk_bench_report_fini(&f->report);
    options.isolate = true;
    r = run(f, &options);
    assert_true(r->failed);
    assert_int_equal(r->failures[0].kind, PK_FAIL_SIGNAL);
    assert_string_equal(r->failures[0].why, "in the old code");
    assert_false(warns(r, "--isolate"));
    pk_bench_report_fini(&f->report);
}

static void what_is_too_slow_to_interleave_is_isolated(void **state) {
    fixture *f = *state;
    pk_bench_options options = against(f, f->nasty, f->nasty);
    options.filters = LIST("nasty/slow/300");
    options.exact = true;
    options.param = "300";
    options.sample_size = 4;
    /* Calls of 300 ms on either side do not fit into 256 times 5 ms. */
    const pk_bench_result *r = run(f, &options);
    if (r->failed) fail_msg("%s", r->failures[0].why);
    assert_int_equal(r->change.source, PK_CHANGE_ISOLATED);
    assert_true(warns(r, "too slow to interleave"));
    assert_int_equal(r->n_workers, 4);
    pk_bench_report_fini(&f->report);
}

static void what_the_other_object_lacks_is_not_compared(void **state) {
    fixture *f = *state;
    pk_bench_options options = against(f, f->pace_0, f->nasty);
    const pk_bench_result *r = run(f, &options);
    assert_false(r->failed);
    assert_int_equal(r->change.source, PK_CHANGE_NONE);
    assert_true(warns(r, "has no pace/recursive"));
    pk_bench_report_fini(&f->report);
}

/* ---- ends before the end ---- */

static void a_deadline_leaves_partial_results(void **state) {
    fixture *f = *state;
    pk_bench_options options = options_of(f);
    options.sample_size = 100000;
    options.deadline_ns = 400 * MS;
    const pk_bench_result *r = run(f, &options);
    assert_string_equal(f->finished, "fib/recursive fib/iterative fib/lookup fib/doubling ");
    assert_false(f->report.interrupted);
    assert_true(f->report.duration_ns < 20 * PK_NS_PER_S);
    for (size_t i = 0; i < 4; i++) {
        assert_true(r[i].partial);
        assert_true(r[i].n_workers < 100000);
        assert_true(warns(&r[i], "of 100000 workers"));
        assert_true(r[i].failed || r[i].typical.point > 0);
    }
    pk_bench_report_fini(&f->report);
}

static void an_interrupt_leaves_partial_results(void **state) {
    fixture *f = *state;
    pk_bench_options options = options_of(f);
    options.sample_size = 100000;
    f->interrupt = true;
    const pk_bench_result *r = run(f, &options);
    assert_true(f->report.interrupted);
    assert_int_equal(f->progress, 1);
    assert_true(r[0].partial && r[3].partial);
    size_t workers = 0;
    for (size_t i = 0; i < 4; i++) workers += r[i].n_workers;
    assert_true(workers > 0);
    pk_bench_report_fini(&f->report);
}

static void progress_is_told_at_most_five_times_a_second(void **state) {
    fixture *f = *state;
    pk_bench_options options = options_of(f);
    options.sample_size = 100;
    options.filters = LIST("lookup");
    options.noise_threshold = 1e-9;
    const pk_bench_result *r = run(f, &options);
    assert_int_equal(r->n_workers, 100);
    assert_true(f->progress >= 1); /* 100 x 5 ms; each is checked in on_progress */
    assert_string_equal(f->last.id, "fib/lookup");
    assert_int_equal(f->last.total, 1);
    assert_int_equal(f->last.workers_planned, 100);
    pk_bench_report_fini(&f->report);
}

/* ---- list and exercise ---- */

static void the_list_has_ids_and_objects(void **state) {
    fixture *f = *state;
    pk_bench_options options = options_of(f);
    options.filters = LIST("lookup", "doubling");
    options.param = "5:6";
    pk_arena *arena = pk_arena_new(16 << 20);
    pk_bench_id *ids;
    size_t n;
    pk_err err;
    assert_ok(pk_bench_list(&options, arena, &ids, &n, &err), &err);
    static const char *const expected[] = {"fib/lookup/5", "fib/lookup/6", "fib/doubling/5",
                                           "fib/doubling/6"};
    assert_int_equal(n, 4);
    for (size_t i = 0; i < n; i++) assert_string_equal(ids[i].id, expected[i]);
    assert_string_equal(ids[1].value, "6");
    assert_string_equal(ids[1].object, "built-in");
    char broken[CHECK_PATH_MAX];
    check_write_file(check_path(broken, f->home, "broken.so"), "no object at all\n");
    options = options_of(f);
    options.objects = LIST(broken);
    memset(&err, 0, sizeof err);
    assert_fails(pk_bench_list(&options, arena, &ids, &n, &err), &err, PK_E_INPUT);
    assert_string_equal(err.where, broken);
    pk_arena_free(arena);
}

static void on_each(void *context, const char *id, const pk_bench_failure *failure) {
    fixture *f = context;
    size_t length = strlen(f->finished);
    char kind = failure ? (char)('0' + failure->kind) : '-';
    snprintf(f->finished + length, sizeof f->finished - length, "%s %c ", id, kind);
}

static void an_exercise_runs_each_once(void **state) {
    fixture *f = *state;
    pk_bench_options options = options_of(f);
    options.objects = LIST(f->nasty);
    options.exact = true;
    options.filters = LIST("nasty/fine", "nasty/crash", "nasty/leave", "nasty/hang");
    options.timeout_ns = 300 * MS;
    pk_err err;
    assert_ok(pk_bench_exercise(&options, 0, on_each, f, NULL, &err), &err);
    char expected[256];
    snprintf(expected, sizeof expected, "nasty/fine - nasty/crash %d nasty/hang %d nasty/leave %d ",
             PK_FAIL_SIGNAL, PK_FAIL_TIMEOUT, PK_FAIL_EXIT);
    assert_string_equal(f->finished, expected);
}

static void a_profile_runs_for_the_time_given(void **state) {
    fixture *f = *state;
    pk_bench_options options = options_of(f);
    options.filters = LIST("lookup");
    pk_err err;
    uint64_t start_ns = pk_now_ns();
    assert_ok(pk_bench_exercise(&options, 0.3, on_each, f, NULL, &err), &err);
    assert_string_equal(f->finished, "fib/lookup - ");
    assert_true(pk_now_ns() - start_ns >= 300 * MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_suite_comes_in_its_order_with_figures),
        TEST(parameters_reach_the_benchmark),
        TEST(a_wide_interval_asks_for_more_workers_within_the_budget),
        TEST(what_goes_wrong_loses_only_itself),
        TEST(a_hopeless_benchmark_is_given_up_after_three),
        TEST(more_than_2_per_cent_of_crashes_fail_it),
        TEST(an_object_that_cannot_be_asked_loses_only_itself),
        TEST(a_missing_object_is_an_error),
        TEST(old_and_new_run_in_each_worker_and_swap_places),
        TEST(the_same_file_on_both_sides_is_two_objects),
        TEST(files_in_common_are_copied),
        TEST(sources_run_in_their_layouts),
        TEST(isolated_sides_have_workers_of_their_own),
        TEST(a_crash_of_old_code_is_called_so),
        TEST(what_is_too_slow_to_interleave_is_isolated),
        TEST(what_the_other_object_lacks_is_not_compared),
        TEST(a_deadline_leaves_partial_results),
        TEST(an_interrupt_leaves_partial_results),
        TEST(progress_is_told_at_most_five_times_a_second),
        TEST(the_list_has_ids_and_objects),
        TEST(an_exercise_runs_each_once),
        TEST(a_profile_runs_for_the_time_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
