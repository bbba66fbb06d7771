/* Comparing with what the store has: old code run again, stored numbers, sessions continued. Real
 * workers, a real store in a folder of its own. */
#include "tests/unit/worker_process.h"

#include "base/units.h"
#include "bench/bench.h"
#include "bench/store.h"

typedef struct fixture {
    char home[CHECK_PATH_MAX];
    char pace_0[CHECK_PATH_MAX], pace_50[CHECK_PATH_MAX];
    const char *object, *filter; /* of the next run */
    pk_bench_report report;
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    check_folder_begin(f->home);
    worker_object(f->pace_0, "pace_0.so");
    worker_object(f->pace_50, "pace_50.so");
    f->filter = "recursive";
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    check_folder_end(f->home);
    free(f);
    return 0;
}

static bool try_run(fixture *f, const char *object, pk_bench_options options, pk_err *err) {
    f->object = object;
    options.objects = (pk_text_list){&f->object, 1};
    options.filters = (pk_text_list){&f->filter, 1};
    options.sample_size = 8;
    options.measurement_time_s = 0.04;
    options.noise_threshold = 1e9; /* as few workers as may be */
    options.nresamples = 1000;
    options.equivalence = 0.02;
    options.significance_level = 0.05;
    options.timeout_ns = 30 * PK_NS_PER_S;
    options.home = f->home;
    memset(err, 0, sizeof *err);
    return pk_bench_run(&options, NULL, NULL, &f->report, err);
}

static const pk_bench_result *run(fixture *f, const char *object, pk_bench_options options) {
    pk_err err;
    assert_ok(try_run(f, object, options, &err), &err);
    assert_int_equal(f->report.n_results, 1);
    assert_false(f->report.results[0].failed);
    return f->report.results;
}

/* As `perfkit bench --save-baseline` does. */
static void save(fixture *f, const char *name) {
    pk_err err = {0};
    pk_store *store = pk_store_open(f->home, true, true, &err);
    assert_ok(store != NULL, &err);
    const pk_bench_result *r = f->report.results;
    char hash[65];
    assert_ok(pk_store_put_artefact(store, r->artefact_data, r->artefact_bytes, hash, &err), &err);
    assert_string_equal(hash, r->artefact);
    assert_ok(pk_store_save(store, r, &f->report, name, &err), &err);
    pk_store_close(store);
}

static void forget_artefact(const fixture *f, const char *hash) {
    char path[CHECK_PATH_MAX];
    pk_err err = {0};
    pk_store *store = pk_store_open(f->home, false, false, &err);
    assert_ok(store != NULL, &err);
    assert_true(pk_store_artefact(store, hash, path, sizeof path));
    assert_int_equal(unlink(path), 0);
    pk_store_close(store);
}

static bool warns(const pk_bench_result *result, const char *part) {
    for (size_t i = 0; i < result->n_warnings; i++)
        if (strstr(result->warnings[i], part)) return true;
    return false;
}

static pk_bench_options with(const char *name) {
    return (pk_bench_options){.compare = PK_COMPARE_BASELINE, .compare_with = name};
}

static void old_code_in_the_store_runs_again(void **state) {
    fixture *f = *state;
    char old_hash[65];
    snprintf(old_hash, sizeof old_hash, "%s", run(f, f->pace_0, (pk_bench_options){0})->artefact);
    save(f, "main");
    pk_bench_report_fini(&f->report);
    const pk_bench_result *r = run(f, f->pace_50, with("main"));
    assert_int_equal(r->change.source, PK_CHANGE_LIVE);
    assert_string_equal(r->change.baseline, "main");
    assert_string_equal(r->change.old_artefact, old_hash);
    assert_false(r->change.identical_code);
    assert_int_equal(r->workers[0].side[PK_SIDE_OLD].units > 0, 1);
    assert_true(r->change.ratio.point > 0 && r->change.ratio.point < 0.15); /* 5 % slower */
    pk_bench_report_fini(&f->report);
    /* The same code, even as the very file of the store, is two objects. */
    char path[CHECK_PATH_MAX];
    pk_err err = {0};
    pk_store *store = pk_store_open(f->home, false, false, &err);
    assert_ok(store != NULL, &err);
    assert_true(pk_store_artefact(store, old_hash, path, sizeof path));
    pk_store_close(store);
    r = run(f, path, with("main"));
    assert_int_equal(r->change.source, PK_CHANGE_LIVE);
    assert_true(r->change.identical_code);
    pk_bench_report_fini(&f->report);
}

static void without_old_code_its_numbers_are_used(void **state) {
    fixture *f = *state;
    char old_hash[65];
    snprintf(old_hash, sizeof old_hash, "%s", run(f, f->pace_0, (pk_bench_options){0})->artefact);
    save(f, "main");
    pk_bench_report_fini(&f->report);
    forget_artefact(f, old_hash);
    const pk_bench_result *r = run(f, f->pace_50, with("main"));
    assert_int_equal(r->change.source, PK_CHANGE_STORED);
    assert_true(warns(r, "compared with stored numbers"));
    assert_string_equal(r->change.old_artefact, old_hash);
    assert_int_equal(r->workers[0].side[PK_SIDE_OLD].units, 0);
    assert_true(r->change.old_ns > 0);
    assert_non_null(r->change.old);
    assert_true(isfinite(r->change.median_point));
    assert_true(r->change.refused[0] || isfinite(r->change.ratio.point));
    pk_bench_report_fini(&f->report);
}

static void a_missing_baseline_is_an_error_or_passed_over(void **state) {
    fixture *f = *state;
    pk_err err;
    assert_false(try_run(f, f->pace_0, with("nowhere"), &err));
    assert_int_equal(err.kind, PK_E_INPUT);
    assert_string_equal(err.where, "nowhere");
    assert_non_null(strstr(err.what, "pace/recursive"));
    run(f, f->pace_0, (pk_bench_options){0});
    save(f, "main"); /* now there is a store, but no such baseline in it */
    pk_bench_report_fini(&f->report);
    assert_false(try_run(f, f->pace_0, with("nowhere"), &err));
    assert_string_equal(err.where, "nowhere");
    pk_bench_options lenient = with("nowhere");
    lenient.compare = PK_COMPARE_BASELINE_LENIENT;
    const pk_bench_result *r = run(f, f->pace_0, lenient);
    assert_int_equal(r->change.source, PK_CHANGE_NONE);
    assert_int_equal(r->n_workers, 8);
    pk_bench_report_fini(&f->report);
}

static void a_session_is_continued(void **state) {
    fixture *f = *state;
    double first_ns = run(f, f->pace_0, (pk_bench_options){0})->workers[0].side[0].trimmed_ns;
    save(f, "base");
    pk_bench_report_fini(&f->report);
    const pk_bench_result *r = run(f, f->pace_0, (pk_bench_options){.more = true});
    assert_int_equal(r->n_workers_former, 8);
    assert_int_equal(r->n_workers, 16);
    assert_near(r->workers[0].side[PK_SIDE_NEW].trimmed_ns, first_ns, 1e-12);
    pk_bench_report_fini(&f->report);
    /* Other code begins anew, and says so. */
    r = run(f, f->pace_50, (pk_bench_options){.more = true});
    assert_int_equal(r->n_workers_former, 0);
    assert_int_equal(r->n_workers, 8);
    assert_true(warns(r, "nothing to continue: the code has changed"));
    pk_bench_report_fini(&f->report);
}

/* By then the baseline's name stands for the new code: the comparison that goes on is with the code
 * that it stood for. */
static void a_comparison_is_continued_with_the_same_old_code(void **state) {
    fixture *f = *state;
    char old_hash[65];
    snprintf(old_hash, sizeof old_hash, "%s", run(f, f->pace_0, (pk_bench_options){0})->artefact);
    save(f, "base");
    pk_bench_report_fini(&f->report);
    run(f, f->pace_50, with("base"));
    save(f, "base");
    pk_bench_report_fini(&f->report);
    pk_bench_options more = with("base");
    more.more = true;
    const pk_bench_result *r = run(f, f->pace_50, more);
    assert_int_equal(r->change.source, PK_CHANGE_LIVE);
    assert_string_equal(r->change.old_artefact, old_hash);
    assert_false(r->change.identical_code);
    assert_int_equal(r->n_workers_former, 8);
    assert_int_equal(r->n_workers, 16);
    for (size_t i = 0; i < 16; i++) {
        assert_true(r->workers[i].side[PK_SIDE_OLD].units > 0);
        assert_int_equal(r->workers[i].old_first, i % 2 == 0);
    }
    pk_bench_report_fini(&f->report);
    /* A comparison with something else is none to continue. */
    more.compare = PK_COMPARE_OBJECT;
    more.compare_with = f->pace_0;
    r = run(f, f->pace_50, more);
    assert_int_equal(r->n_workers_former, 0);
    assert_true(warns(r, "it compared with something else"));
    pk_bench_report_fini(&f->report);
}

/* A store that Criterion has written: numbers of a sample, no code, no workers. */
static void a_baseline_of_criterion_has_numbers_only(void **state) {
    fixture *f = *state;
    char folder[CHECK_PATH_MAX + 64];
    static const char *const parts[] = {"pace", "pace/recursive", "pace/recursive/base"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(folder, sizeof folder, "%s/%s", f->home, parts[i]);
        assert_int_equal(mkdir(folder, 0700), 0);
    }
    char path[sizeof folder + 32];
    snprintf(path, sizeof path, "%s/benchmark.json", folder);
    check_write_file(path,
                     "{\"group_id\":\"pace\",\"function_id\":\"recursive\",\"value_str\":null,"
                     "\"throughput\":null,\"full_id\":\"pace/recursive\",\"directory_name\":"
                     "\"pace/recursive\",\"title\":\"pace/recursive\"}");
    snprintf(path, sizeof path, "%s/sample.json", folder);
    check_write_file(path, "{\"sampling_mode\":\"Flat\",\"iters\":[10.0,10.0,10.0,10.0],"
                           "\"times\":[130000.0,131000.0,132000.0,133000.0]}");
    snprintf(path, sizeof path, "%s/estimates.json", folder);
    static const char one[] = "{\"confidence_interval\":{\"confidence_level\":0.95,\"lower_bound\":"
                              "13000.0,\"upper_bound\":13300.0},\"point_estimate\":13150.0,"
                              "\"standard_error\":60.0}";
    char text[2048];
    snprintf(text, sizeof text,
             "{\"mean\":%s,\"median\":%s,\"median_abs_dev\":%s,\"slope\":null,\"std_dev\":%s}", one,
             one, one, one);
    check_write_file(path, text);
    snprintf(path, sizeof path, "%s/tukey.json", folder);
    check_write_file(path, "[12700.0,12850.0,13450.0,13600.0]");
    const pk_bench_result *r = run(f, f->pace_0, with("base"));
    assert_int_equal(r->change.source, PK_CHANGE_STORED);
    assert_near(r->change.old_ns, 13150, 1e-12);
    assert_int_equal(r->change.verdict.word, PK_CANNOT_TELL);
    assert_true(r->change.refused[0]);
    pk_bench_report_fini(&f->report);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(old_code_in_the_store_runs_again),
        TEST(without_old_code_its_numbers_are_used),
        TEST(a_missing_baseline_is_an_error_or_passed_over),
        TEST(a_session_is_continued),
        TEST(a_comparison_is_continued_with_the_same_old_code),
        TEST(a_baseline_of_criterion_has_numbers_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
