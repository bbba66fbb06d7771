/* Runs of commands in the store and in files, and what is compared with them. */
#include "bench/command_store.h"

#include <sys/stat.h>

#include "bench/command_parts.h"
#include "check.h"
#include "stats/random.h"

enum { ARENA_BYTES = 256 << 20, CASES = 2, RUNS = 100 };

typedef struct fixture {
    char home[CHECK_PATH_MAX];
    pk_arena *arena;
    pk_command_options options;
    pk_command_report report;
    pk_command_case cases[CASES];
    pk_command_result results[CASES];
    pk_command_run runs[CASES][RUNS];
    pk_err err;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    if (!f) return -1;
    check_folder_begin(f->home);
    f->arena = pk_arena_new(ARENA_BYTES);
    f->options = (pk_command_options){
        .confidence_level = 0.95, .noise_threshold = 0.01, .equivalence = 0.02, .seed = 1};
    f->report = (pk_command_report){.arena = f->arena,
                                    .cases = f->cases,
                                    .results = f->results,
                                    .n_cases = CASES,
                                    .n_results = CASES,
                                    .started_unix_ns = 1700000000000000000};
    snprintf(f->report.environment.cpu_model, sizeof f->report.environment.cpu_model, "A");
    static const char *const names[CASES] = {"sleep 1", "make: all"};
    for (size_t i = 0; i < CASES; i++) {
        f->cases[i] = (pk_command_case){.command = names[i], .name = names[i], .shown = names[i]};
        f->results[i] = (pk_command_result){.of = &f->cases[i], .runs = f->runs[i]};
    }
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    pk_arena_free(f->arena);
    check_folder_end(f->home);
    free(f);
    return 0;
}

/* Times about `wall_s`, with this spread; CPU is half of it, and steadier. */
static void give_runs(fixture *f, size_t i, size_t n, double wall_s, double spread) {
    pk_random random;
    pk_random_seed(&random, i + 1);
    f->results[i].n_runs = n;
    for (size_t k = 0; k < n; k++)
        f->runs[i][k] =
            (pk_command_run){.wall_s = wall_s * exp(spread * pk_random_normal(&random)),
                             .user_s = wall_s / 2 * exp(0.001 * pk_random_normal(&random)),
                             .round = k};
}

static bool save(fixture *f, const char *name) {
    pk_store *store = pk_store_open(f->home, true, true, &f->err);
    assert_ok(store != NULL, &f->err);
    bool ok = pk_command_store_save(store, &f->options, &f->report, name, &f->err);
    pk_store_close(store);
    return ok;
}

static const pk_command_baseline *load(fixture *f, const char *source) {
    const pk_command_baseline *b =
        pk_command_baseline_load(f->home, source, &f->options, f->arena, &f->err);
    assert_ok(b != NULL, &f->err);
    return b;
}

static void compare(fixture *f, const pk_command_baseline *b) {
    for (size_t i = 0; i < CASES; i++)
        assert_ok(pk_command_baseline_compare(b, &f->options, &f->report, i, &f->err), &f->err);
}

static void test_runs_are_samples_of_criterions_files(void **state) {
    fixture *f = *state;
    char path[CHECK_PATH_MAX], text[1 << 14];
    give_runs(f, 0, 3, 1, 0);
    give_runs(f, 1, 3, 0.25, 0);
    f->runs[0][1].wall_s = 2;
    f->runs[1][2].failed = true;
    assert_ok(save(f, "main"), &f->err);
    check_read_file(text, sizeof text, check_path(path, f->home, "time/sleep 1/main/sample.json"));
    assert_string_equal(text, "{\"sampling_mode\":\"Flat\",\"iters\":[1.0,1.0,1.0],"
                              "\"times\":[1000000000.0,2000000000.0,1000000000.0]}");
    check_read_file(text, sizeof text,
                    check_path(path, f->home, "time/make_ all/main/benchmark.json"));
    assert_non_null(strstr(text, "\"full_id\":\"time/make: all\""));
    check_read_file(text, sizeof text,
                    check_path(path, f->home, "time/make_ all/main/sample.json"));
    assert_non_null(strstr(text, "\"times\":[250000000.0,250000000.0]"));
}

static void test_the_same_runs_are_no_change(void **state) {
    fixture *f = *state;
    give_runs(f, 0, RUNS, 1, 0.003);
    give_runs(f, 1, RUNS, 0.25, 0.003);
    assert_ok(save(f, "main"), &f->err);
    compare(f, load(f, "main"));
    for (size_t i = 0; i < CASES; i++) {
        const pk_command_change *c = f->results[i].stored;
        assert_true(c[0].compared && c[1].compared);
        assert_false(c[0].elsewhere || c[0].refused || c[0].grouped);
        assert_int_equal(c[0].verdict.word, PK_NO_CHANGE);
        assert_near(c[0].verdict.estimate, 0, 0);
        assert_near(c[0].confidence, 0.95, 0);
        assert_int_equal(c[1].verdict.word, PK_NO_CHANGE);
        assert_true(c[1].verdict.high < c[0].verdict.high); /* its runs differ less */
    }
}

static void test_a_change_is_seen_beyond_what_sessions_differ_by(void **state) {
    fixture *f = *state;
    give_runs(f, 0, RUNS, 1, 0.01);
    give_runs(f, 1, RUNS, 0.25, 0.01);
    assert_ok(save(f, "main"), &f->err);
    give_runs(f, 0, RUNS, 1.2, 0.01);
    give_runs(f, 1, RUNS, 0.252, 0.01);
    snprintf(f->report.environment.cpu_model, sizeof f->report.environment.cpu_model, "B");
    compare(f, load(f, "main"));
    const pk_command_change *c = f->results[0].stored;
    assert_int_equal(c[0].verdict.word, PK_REGRESSED);
    assert_near(c[0].verdict.estimate, 0.2, 1e-9);
    assert_near(c[1].verdict.estimate, 0.2, 1e-9);
    assert_true(c[0].elsewhere);
    /* 0.8 %, of runs that differ by 1 %: the interval is that of two sessions, t(12) times the root
     * of twice the spread squared, about 3 %, although the runs are the same but for the factor */
    c = f->results[1].stored;
    assert_int_equal(c[0].verdict.word, PK_CANNOT_TELL);
    assert_near(c[0].verdict.high - c[0].verdict.estimate, 0.031, 0.25);
    f->options.metric = PK_COMMAND_CPU;
    compare(f, load(f, "main"));
    assert_near(f->results[0].stored[0].verdict.low, f->results[0].stored[1].verdict.low, 0);
    f->options.metric = PK_COMMAND_RSS;
    compare(f, load(f, "main"));
    assert_false(f->results[0].stored[0].compared);
    assert_true(f->results[0].stored[1].compared);
}

static void test_runs_that_differ_too_much_are_refused(void **state) {
    fixture *f = *state;
    give_runs(f, 0, RUNS, 1, 0.3);
    give_runs(f, 1, 1, 1, 0);
    assert_ok(save(f, "main"), &f->err);
    compare(f, load(f, "main"));
    const pk_command_change *c = &f->results[0].stored[0];
    assert_true(c->compared);
    assert_non_null(strstr(c->refused, "runs differ by"));
    assert_int_equal(c->verdict.word, PK_CANNOT_TELL);
    assert_null(f->results[0].stored[1].refused);
    assert_false(f->results[1].stored[0].compared); /* one run is no baseline */
}

static void test_what_is_missing_is_said(void **state) {
    fixture *f = *state;
    give_runs(f, 0, 1, 1, 0);
    assert_fails(save(f, "main"), &f->err, PK_E_INPUT);
    give_runs(f, 0, 10, 1, 0.01);
    assert_ok(save(f, "main"), &f->err);
    f->err = (pk_err){0};
    assert_fails(pk_command_baseline_load(f->home, "other", &f->options, f->arena, &f->err),
                 &f->err, PK_E_INPUT);
    f->cases[0].shown = f->cases[0].name = "sleep 2"; /* not in the baseline */
    compare(f, load(f, "main"));
    assert_false(f->results[0].stored[0].compared);
}

static void test_long_names_are_kept_apart(void **state) {
    fixture *f = *state;
    char names[CASES][600];
    for (size_t i = 0; i < CASES; i++) {
        memset(names[i], 'x', sizeof names[i] - 1);
        names[i][500] = (char)('a' + i);
        names[i][599] = '\0';
        f->cases[i].shown = names[i];
    }
    give_runs(f, 0, 20, 1, 0.001);
    give_runs(f, 1, 20, 2, 0.001);
    assert_ok(save(f, "main"), &f->err);
    compare(f, load(f, "main"));
    for (size_t i = 0; i < CASES; i++)
        assert_int_equal(f->results[i].stored[0].verdict.word, PK_NO_CHANGE);
}

/* ---- files ---- */

static bool parse(fixture *f, const char *text, bool failed_too, pk_command_record *record,
                  bool *mine) {
    return pk_command_record_parse(text, strlen(text), "f.json", failed_too, f->arena, record, mine,
                                   &f->err);
}

static const char hyperfines[] =
    "{\"results\": [{\"command\": \"sleep 1\", \"mean\": 1.0, \"stddev\": null, \"median\": 1.0,"
    " \"user\": 0.1, \"system\": 0.0, \"min\": 1.0, \"max\": 1.0,"
    " \"times\": [1.0, 1.002, 5.0, 0.998, 0.0], \"exit_codes\": [0, 0, 1, 0, 0]},"
    "{\"command\": \"make\", \"times\": [2.0, 2.001], \"exit_codes\": [0, null],"
    " \"parameters\": {\"j\": \"1\"}},"
    "{\"command\": \"make\", \"times\": [4.0, 4.001, 4.002], \"parameters\": {\"j\": \"2\"}},"
    "{\"command\": \"false\", \"times\": [1.0], \"exit_codes\": [1]}]}";

static void test_hyperfines_export_is_read(void **state) {
    fixture *f = *state;
    pk_command_record record;
    bool mine = false;
    assert_ok(parse(f, hyperfines, false, &record, &mine), &f->err);
    assert_true(mine);
    assert_null(record.environment);
    assert_int_equal(record.n, 3);
    assert_string_equal(record.items[0].command, "sleep 1");
    assert_string_equal(record.items[0].result->id, "time/sleep 1");
    assert_int_equal(record.items[0].result->n_workers, 3);
    assert_near(record.items[0].result->typical.point, 1e9, 1e-9);
    assert_int_equal(record.items[1].result->n_workers, 1);
    assert_string_equal(record.items[1].result->id, "time/make (j = 1)");
    assert_string_equal(record.items[2].result->id, "time/make (j = 2)");
    assert_ok(parse(f, hyperfines, true, &record, &mine), &f->err);
    assert_int_equal(record.n, 4);
    assert_int_equal(record.items[0].result->n_workers, 4);
    assert_int_equal(record.items[1].result->n_workers, 2);
}

static void test_our_own_document_is_read_with_its_cpu_times(void **state) {
    fixture *f = *state;
    pk_command_record record;
    bool mine = false;
    assert_ok(parse(f,
                    "{\"schema\":\"time/1\",\"environment\":{\"cpu_model\":\"Z\"},\"results\":[{"
                    "\"command\":\"a b\",\"name\":\"n\",\"parameters\":{},\"runs\":["
                    "{\"wall\":0.5,\"user\":0.25,\"system\":0.125,\"failed\":false},"
                    "{\"wall\":9,\"user\":1,\"system\":1,\"failed\":true},"
                    "{\"wall\":8,\"user\":1,\"system\":1,\"failed\":true,\"timed_out\":true}]}]}",
                    false, &record, &mine),
              &f->err);
    assert_true(mine);
    assert_string_equal(record.environment->cpu_model, "Z");
    assert_string_equal(record.items[0].command, "n");
    assert_string_equal(record.items[0].line, "a b");
    assert_int_equal(record.items[0].result->n_workers, 1);
    assert_near(record.items[0].result->workers[0].side[PK_SIDE_NEW].cpu_ns, 0.375e9, 1e-12);
}

static void test_our_export_holds_the_cpu_times_too(void **state) {
    fixture *f = *state;
    pk_command_record record;
    bool mine = false;
    assert_ok(parse(f,
                    "{\"results\":[{\"command\":\"n\",\"times\":[0.5,9],\"exit_codes\":[0,1],"
                    "\"perfkit\":{\"command\":\"a b\",\"name\":\"n\",\"runs\":["
                    "{\"wall\":0.5,\"user\":0.25,\"system\":0.125,\"failed\":false},"
                    "{\"wall\":9,\"user\":1,\"system\":1,\"failed\":true}]}}]}",
                    false, &record, &mine),
              &f->err);
    assert_true(mine);
    assert_string_equal(record.items[0].result->id, "time/n");
    assert_string_equal(record.items[0].line, "a b");
    assert_int_equal(record.items[0].result->n_workers, 1);
    assert_near(record.items[0].result->workers[0].side[PK_SIDE_NEW].cpu_ns, 0.375e9, 1e-12);
}

static void test_other_files_are_not_mine(void **state) {
    fixture *f = *state;
    static const char *const texts[] = {
        "", "[", "1", "{}", "{\"results\":[]}", "{\"results\":[{\"id\":\"a\",\"workers\":[]}]}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        pk_command_record record;
        bool mine = true;
        assert_ok(parse(f, texts[i], false, &record, &mine), &f->err);
        assert_false(mine);
    }
}

static void test_broken_exports_are_refused(void **state) {
    fixture *f = *state;
    static const char *const texts[] = {
        "{\"results\":[{\"command\":1,\"times\":[1]}]}",
        "{\"results\":[{\"command\":\"a\",\"times\":[\"x\"]}]}",
        "{\"results\":[{\"command\":\"a\",\"times\":1}]}",
        "{\"results\":[{\"command\":\"a\",\"times\":[1]},{\"command\":\"b\"}]}",
        "{\"results\":[{\"command\":\"a\",\"times\":[1]},7]}",
        "{\"results\":[{\"command\":\"a\",\"times\":[1],\"parameters\":{\"x\":1}}]}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        pk_command_record record;
        bool mine = false;
        f->err = (pk_err){0};
        assert_false(parse(f, texts[i], false, &record, &mine));
        assert_int_equal(f->err.kind, PK_E_INPUT);
        assert_non_null(strstr(f->err.where, "f.json"));
    }
}

static void test_a_file_is_a_baseline_by_name_and_parameters(void **state) {
    fixture *f = *state;
    static const pk_parameter_value one = {"j", "1"}, two = {"j", "2"};
    char path[CHECK_PATH_MAX];
    check_write_file(check_path(path, f->home, "old.json"), hyperfines);
    f->cases[0] = (pk_command_case){.command = "make",
                                    .name = "make",
                                    .shown = "make (j = 2)",
                                    .parameters = &two,
                                    .n_parameters = 1};
    f->cases[1] = (pk_command_case){.command = "sleep 1", .name = "my name", .shown = "my name"};
    give_runs(f, 0, RUNS, 4, 0.001);
    give_runs(f, 1, RUNS, 2, 0.001);
    compare(f, load(f, path));
    assert_int_equal(f->results[0].stored[0].verdict.word, PK_NO_CHANGE);
    assert_true(f->results[0].stored[0].elsewhere);
    assert_false(f->results[0].stored[1].compared); /* hyperfine keeps no CPU time of runs */
    assert_near(f->results[1].stored[0].verdict.estimate, 1, 0.01);
    f->cases[0].parameters = &one;
    compare(f, load(f, path));
    assert_false(f->results[0].stored[0].compared); /* one run is left of it */

    f->err = (pk_err){0};
    check_write_file(path, "{}");
    assert_fails(pk_command_baseline_load(f->home, path, &f->options, f->arena, &f->err), &f->err,
                 PK_E_INPUT);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_runs_are_samples_of_criterions_files),
        CASE(test_the_same_runs_are_no_change),
        CASE(test_a_change_is_seen_beyond_what_sessions_differ_by),
        CASE(test_runs_that_differ_too_much_are_refused),
        CASE(test_what_is_missing_is_said),
        CASE(test_long_names_are_kept_apart),
        CASE(test_hyperfines_export_is_read),
        CASE(test_our_own_document_is_read_with_its_cpu_times),
        CASE(test_our_export_holds_the_cpu_times_too),
        CASE(test_other_files_are_not_mine),
        CASE(test_broken_exports_are_refused),
        CASE(test_a_file_is_a_baseline_by_name_and_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
