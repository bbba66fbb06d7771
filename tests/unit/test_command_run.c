/* Whole commands, run: which one when and how often, what they get, and what happens when one
 * fails. Commands write what they did to a log in a folder of the test. */
#include "tests/unit/check.h"

#include <sched.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/units.h"
#include "bench/command.h"
#include "timing/clock.h"

enum { COMMANDS_MAX = 4, TEXT_BYTES = 16384 };

typedef struct fixture {
    char folder[CHECK_PATH_MAX];
    char old_folder[CHECK_PATH_MAX];
    pk_command_line lines[COMMANDS_MAX];
    pk_command_options options;
    pk_command_report report;
    pk_command_failure failure;
    pk_err err;
    char text[TEXT_BYTES];
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    check_folder_begin(f->folder);
    assert_non_null(getcwd(f->old_folder, sizeof f->old_folder));
    assert_int_equal(chdir(f->folder), 0); /* so that commands need no paths */
    f->options = (pk_command_options){.commands = f->lines,
                                      .min_runs = 0,
                                      .min_time_s = PK_COMMAND_DEFAULT_MIN_TIME_S,
                                      .shell_kind = PK_SHELL_AUTO,
                                      .seed = 7,
                                      .confidence_level = 0.95,
                                      .noise_threshold = 0.01,
                                      .equivalence = 0.02};
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    pk_command_report_fini(&f->report);
    assert_int_equal(chdir(f->old_folder), 0);
    check_folder_end(f->folder);
    free(f);
    return 0;
}

static void add(fixture *f, const char *line) {
    assert_true(f->options.n_commands < COMMANDS_MAX);
    f->lines[f->options.n_commands++] = (pk_command_line){.text = line};
}

static bool run_with(fixture *f, const pk_command_hooks *hooks, pk_interrupt *intr) {
    memset(&f->err, 0, sizeof f->err);
    pk_command_report_fini(&f->report);
    return pk_command_run_all(&f->options, hooks, intr, &f->report, &f->failure, &f->err);
}

static void run(fixture *f) {
    assert_ok(run_with(f, NULL, NULL), &f->err);
}

static void run_one(fixture *f, const char *line) {
    f->options.n_commands = 0;
    add(f, line);
    run(f);
}

static const char *file(fixture *f, const char *name) {
    return check_read_file(f->text, sizeof f->text, name);
}

static const pk_command_run *run_of(const fixture *f, size_t index, size_t i) {
    assert_true(index < f->report.n_results && i < f->report.results[index].n_runs);
    return &f->report.results[index].runs[i];
}

/* ---- which when ---- */

static void set_everything(fixture *f) {
    static const char *prepares[] = {"echo p >>log"}, *concludes[] = {"echo c >>log"};
    add(f, "echo A >>log");
    add(f, "echo B >>log");
    f->options.reference = "echo R >>log";
    f->options.setup = "echo setup >>log";
    f->options.cleanup = "echo cleanup >>log";
    f->options.prepares = (pk_text_list){prepares, 1};
    f->options.concludes = (pk_text_list){concludes, 1};
    f->options.warmup = 1;
    f->options.runs = 2;
}

/* hyperfine's order: each command with all that belongs to it, the reference first. */
static void test_order_grouped(void **state) {
    fixture *f = *state;
    set_everything(f);
    f->options.order = PK_ORDER_GROUPED;
    run(f);
    assert_string_equal(file(f, "log"), "setup\np\nR\nc\np\nR\nc\np\nR\nc\ncleanup\n"
                                        "setup\np\nA\nc\np\nA\nc\np\nA\nc\ncleanup\n"
                                        "setup\np\nB\nc\np\nB\nc\np\nB\nc\ncleanup\n");
    assert_false(f->report.rounds);
    assert_int_equal(f->report.n_results, 3);
    assert_true(f->report.results[0].of->reference);
}

/* Set-ups of all, warm-ups, rounds in which each runs once, clean-ups of all. */
static void test_order_interleaved(void **state) {
    fixture *f = *state;
    set_everything(f);
    run(f);
    const char *log = file(f, "log");
    static const char start[] = "setup\nsetup\nsetup\np\nR\nc\np\nA\nc\np\nB\nc\n";
    static const char tail[] = "c\ncleanup\ncleanup\ncleanup\n";
    assert_memory_equal(log, start, sizeof start - 1);
    size_t rounds = 6 * strlen("p\nX\nc\n"), length = strlen(log);
    assert_int_equal(length, sizeof start - 1 + rounds + 3 * strlen("cleanup\n"));
    assert_string_equal(log + length - (sizeof tail - 1), tail);
    char first[4] = "", second[4] = "";
    for (size_t i = 0; i < 3; i++) {
        first[i] = log[sizeof start - 1 + 6 * i + 2];
        second[2 - i] = log[sizeof start - 1 + 6 * (i + 3) + 2];
    }
    assert_string_equal(first, second); /* backwards */
    assert_true(strchr(first, 'R') && strchr(first, 'A') && strchr(first, 'B'));
    assert_true(f->report.rounds);
    for (size_t i = 0; i < 3; i++) { /* 0 + 2, 1 + 1, 2 + 0 */
        assert_int_equal(run_of(f, i, 0)->place + run_of(f, i, 1)->place, 2);
        assert_int_equal(run_of(f, i, 1)->round, 1);
    }
}

/* How often the first command goes first, of so many rounds. */
static size_t times_first(const fixture *f) {
    size_t count = 0;
    for (size_t i = 0; i < f->report.results[0].n_runs; i++) count += run_of(f, 0, i)->place == 0;
    return count;
}

static void test_who_goes_first(void **state) {
    fixture *f = *state;
    add(f, "sleep 1");
    add(f, "sleep 2");
    f->options.debug_mode = true;
    f->options.runs = 400;
    run(f);
    assert_int_equal(times_first(f), 200); /* balanced in each pair of rounds */
    size_t same = 0;
    for (size_t i = 0; i < 400; i += 2) {
        assert_int_equal(run_of(f, 0, i)->place + run_of(f, 0, i + 1)->place, 1);
        assert_int_equal(run_of(f, 1, i)->place + run_of(f, 0, i)->place, 1);
        same += run_of(f, 0, i)->place == 0;
    }
    assert_in_range(same, 60, 140); /* and drawn for each pair: 100 +- 5.6 sigma */
    f->options.order = PK_ORDER_RANDOM;
    run(f);
    size_t count = times_first(f);
    assert_in_range(count, 150, 250);
    run(f); /* the same seed, the same order */
    assert_int_equal(times_first(f), count);
}

/* ---- how often: in debug mode a command takes what it says ---- */

static size_t count_of(fixture *f, const char *line) {
    run_one(f, line);
    return f->report.results[0].n_runs;
}

static void test_counts(void **state) {
    fixture *f = *state;
    static const char *prepares[] = {"sleep 0.02"}, *slow_prepares[] = {"sleep 0.03"};
    f->options.debug_mode = true;
    for (int order = 0; order < PK_ORDERS; order++) {
        f->options.order = (pk_command_order)order;
        f->options.shell_kind = PK_SHELL_GIVEN;
        assert_int_equal(count_of(f, "sleep 0.01"), 300);
        assert_int_equal(count_of(f, "sleep 0.5"), 10);
        f->options.shell = "sleep 0.02";
        assert_int_equal(count_of(f, "sleep 0.01"), 100);
        f->options.shell = NULL;
        f->options.prepares = (pk_text_list){prepares, 1};
        assert_int_equal(count_of(f, "sleep 0.01"), 100);
        f->options.prepares = (pk_text_list){slow_prepares, 1};
        f->options.shell = "sleep 0.01";
        assert_int_equal(count_of(f, "sleep 0.05"), 30);
        assert_near(f->report.results[0].wall.mean, 0.05, 1e-12);
        f->options.prepares = (pk_text_list){NULL, 0};
        f->options.shell = NULL;
        f->options.max_runs = 3;
        f->options.min_runs = 1;
        assert_int_equal(count_of(f, "sleep 0.5"), 3);
        f->options.runs = 7;
        f->options.max_runs = f->options.min_runs = 0;
        assert_int_equal(count_of(f, "sleep 0.01"), 7);
        f->options.runs = 0;
    }
}

/* Rounds have as many runs of each, from what a round takes. */
static void test_counts_of_rounds(void **state) {
    fixture *f = *state;
    f->options.debug_mode = true;
    add(f, "sleep 0.01");
    add(f, "sleep 0.05");
    run(f);
    for (size_t i = 0; i < 2; i++) assert_int_equal(f->report.results[i].n_runs, 100);
    assert_near(f->report.results[1].ratio, 5.0, 1e-9);
    f->options.order = PK_ORDER_GROUPED;
    run(f);
    assert_int_equal(f->report.results[0].n_runs, 300);
    assert_int_equal(f->report.results[1].n_runs, 60);
}

static void test_debug_mode_knows_sleep_alone(void **state) {
    fixture *f = *state;
    f->options.debug_mode = true;
    add(f, "true");
    assert_fails(run_with(f, NULL, NULL), &f->err, PK_E_USAGE);
}

/* Between runs, not in the middle of one. */
static void test_max_time(void **state) {
    fixture *f = *state;
    f->options.max_time_s = 0.3;
    add(f, "sleep 0.1");
    add(f, "sleep 0.1");
    for (int order = 0; order < PK_ORDERS; order++) {
        f->options.order = (pk_command_order)order;
        uint64_t start_ns = pk_now_ns();
        run(f);
        assert_in_range(pk_now_ns() - start_ns, 200 * PK_NS_PER_MS, 5 * PK_NS_PER_S);
        for (size_t i = 0; i < 2; i++) assert_in_range(f->report.results[i].n_runs, 1, 2);
    }
}

/* More runs than the time alone would ask for, until the interval is narrow or no more may be. */
static void test_target_ci(void **state) {
    fixture *f = *state;
    f->options.min_time_s = 0.01;
    f->options.target_ci = 1e-9;
    f->options.max_runs = 60;
    run_one(f, "sleep 0.001");
    assert_int_equal(f->report.results[0].n_runs, 60);
    f->options.target_ci = 100.0;
    run_one(f, "sleep 0.001");
    assert_in_range(f->report.results[0].n_runs, 10, 12);
}

/* ---- what they take ---- */

static void test_known_time(void **state) {
    fixture *f = *state;
    f->options.runs = 3;
    run_one(f, "sleep 0.1");
    const pk_command_result *result = &f->report.results[0];
    assert_int_equal(result->n_runs, 3);
    assert_true(result->wall.min >= 0.1 && result->wall.min < 0.15);
    assert_near(result->wall.min,
                fmin(result->runs[0].wall_s, fmin(result->runs[1].wall_s, result->runs[2].wall_s)),
                0);
    assert_true(result->cpu.mean < 0.05);
    assert_true(result->runs[0].launch_s > 0 && result->runs[0].launch_s < 0.1);
    assert_true(result->runs[0].rss_bytes > 4096 && result->runs[0].rss_bytes < 64u << 20);
    assert_true(isnan(f->report.shell_s));
    assert_false(f->report.interrupted || f->report.partial);
}

/* What a shell takes by itself is taken off. */
static void test_shell_is_calibrated(void **state) {
    fixture *f = *state;
    f->options.runs = 3;
    run_one(f, "sleep 0.05; true");
    assert_true(f->report.shell_used);
    assert_true(f->report.shell_s > 0 && f->report.shell_s < 0.1);
    assert_true(f->report.shell_sd_s >= 0);
    const pk_command_run *one = run_of(f, 0, 0);
    assert_near(one->shell_s, f->report.shell_s, 0);
    assert_true(one->wall_s > 0.03 && one->wall_s < 0.5);
    run_one(f, ":; :"); /* takes what the shell takes: never below zero */
    assert_true(run_of(f, 0, 0)->wall_s >= 0 && run_of(f, 0, 1)->user_s >= 0);

    check_write_file("slow-sh", "#!/bin/sh\nsleep 0.02\nexec sh \"$@\"\n");
    assert_int_equal(chmod("slow-sh", 0755), 0);
    f->options.shell_kind = PK_SHELL_GIVEN;
    f->options.shell = "./slow-sh";
    run_one(f, ":");
    assert_true(f->report.shell_s >= 0.02);
    assert_true(f->report.results[0].wall.min < 0.02);
    f->options.shell = "false";
    assert_fails(run_with(f, NULL, NULL), &f->err, PK_E_INPUT);
    f->options.shell = "no-such-shell-here";
    assert_fails(run_with(f, NULL, NULL), &f->err, PK_E_INPUT);
}

/* ---- what they get ---- */

static void test_iterations_in_the_environment(void **state) {
    fixture *f = *state;
    static const char *prepares[] = {"echo p${HYPERFINE_ITERATION-none} >>log"};
    static const char *const argv[] = {"sh", "-c",
                                       "echo $PERFKIT_ITERATION $HYPERFINE_ITERATION >>log", NULL};
    f->lines[0] = (pk_command_line){.argv = argv, .argc = 3};
    f->options.n_commands = 1;
    f->options.warmup = 2;
    f->options.runs = 2;
    f->options.prepares = (pk_text_list){prepares, 1};
    run(f);
    assert_string_equal(file(f, "log"), "pnone\nwarmup-0 warmup-0\npnone\nwarmup-1 warmup-1\n"
                                        "pnone\n0 0\npnone\n1 1\n");
}

static void test_offset_differs(void **state) {
    fixture *f = *state;
    f->options.runs = 8;
    run_one(f, "printf %s, ${#HYPERFINE_RANDOMIZED_ENVIRONMENT_OFFSET} >>log");
    char text[TEXT_BYTES];
    snprintf(text, sizeof text, "%s", file(f, "log"));
    size_t n = 0, same = 0;
    int64_t length[8];
    for (char *p = text; *p && n < 8; n++) {
        char *comma = strchr(p, ',');
        assert_non_null(comma);
        *comma = '\0';
        assert_ok(pk_parse_int(p, 0, 4095, &length[n], &f->err), &f->err);
        for (size_t i = 0; i < n; i++) same += length[i] == length[n];
        p = comma + 1;
    }
    assert_int_equal(n, 8);
    assert_true(same <= 1);
}

static void test_input(void **state) {
    fixture *f = *state;
    check_write_file("in", "given\n");
    f->options.runs = 2;
    run_one(f, "cat >>log; echo end >>log");
    assert_string_equal(file(f, "log"), "end\nend\n");
    f->options.input = "in"; /* from its start for each run */
    run_one(f, "cat >>log");
    assert_string_equal(file(f, "log"), "end\nend\ngiven\ngiven\n");
    f->options.input = NULL;
    f->options.input_command = "echo made >>made && cat made";
    run_one(f, "cat >>log");
    assert_string_equal(file(f, "log"), "end\nend\ngiven\ngiven\nmade\nmade\nmade\n");
    f->options.input_command = "exit 3";
    assert_fails(run_with(f, NULL, NULL), &f->err, PK_E_INPUT);
    f->options.input_command = NULL;
    f->options.input = "not-there";
    assert_false(run_with(f, NULL, NULL));
}

static void test_output(void **state) {
    fixture *f = *state;
    static const char *policies[] = {"./out"}, *pipes[] = {"pipe"};
    f->options.runs = 2;
    f->options.outputs = (pk_text_list){policies, 1};
    run_one(f, "test $PERFKIT_ITERATION = 1 || echo long; echo $PERFKIT_ITERATION; echo >&2");
    assert_string_equal(file(f, "out"), "1\n"); /* of the last run alone */
    f->options.outputs = (pk_text_list){pipes, 1};
    run_one(f, "head -c 1000000 /dev/zero");
    assert_int_equal(f->report.results[0].n_failed, 0);
}

static void test_check(void **state) {
    fixture *f = *state;
    f->options.runs = 2;
    f->options.check = "tee -a seen | grep -q 0";
    add(f, "echo $PERFKIT_ITERATION");
    assert_fails(run_with(f, NULL, NULL), &f->err, PK_E_INPUT);
    assert_non_null(strstr(f->err.what, "--check"));
    assert_string_equal(file(f, "seen"), "0\n1\n");
    f->options.ignore_failure = true;
    run(f);
    assert_int_equal(f->report.results[0].n_failed, 1);
    assert_int_equal(f->report.results[0].wall.n, 1);
    assert_true(run_of(f, 0, 1)->failed && run_of(f, 0, 1)->code == 0);
    static const char *inherit[] = {"inherit"};
    f->options.outputs = (pk_text_list){inherit, 1};
    assert_fails(run_with(f, NULL, NULL), &f->err, PK_E_USAGE);
}

static void test_cpus(void **state) {
    fixture *f = *state;
    cpu_set_t allowed;
    assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    size_t last = 0;
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &allowed)) last = i;
    char list[64], expected[64];
    snprintf(list, sizeof list, "%zu-%zu", last, last);
    snprintf(expected, sizeof expected, "%zu\n", last);
    f->options.runs = 1;
    f->options.cpus = list;
    run_one(f, "grep Cpus_allowed_list /proc/self/status | cut -f 2 >log");
    assert_string_equal(file(f, "log"), expected);
    static const char *const wrong[] = {"", "x", "0,", ",0", "1-0", "0-", "-1", "0-0-0", "99999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        f->options.cpus = wrong[i];
        assert_fails(run_with(f, NULL, NULL), &f->err, PK_E_USAGE);
    }
}

/* ---- failures ---- */

static void test_failure_ends_it(void **state) {
    fixture *f = *state;
    f->options.setup = "echo setup >>log";
    f->options.cleanup = "echo cleanup >>log";
    f->options.order = PK_ORDER_GROUPED;
    f->options.runs = 3;
    add(f, "true");
    add(f, "echo why it failed >&2; exit 3");
    add(f, "echo never >>log");
    assert_fails(run_with(f, NULL, NULL), &f->err, PK_E_INPUT);
    assert_non_null(strstr(f->err.what, "the first timed run ended with code 3"));
    assert_string_equal(f->failure.output, "why it failed\n");
    assert_false(f->failure.cut);
    assert_int_equal(f->failure.code, 3);
    assert_string_equal(file(f, "log"), "setup\ncleanup\nsetup\ncleanup\n");
    assert_int_equal(f->report.n_results, 1); /* what was finished before is there */
    assert_int_equal(f->report.results[0].wall.n, 3);
    assert_true(f->report.partial);
    assert_false(f->report.interrupted);
}

static void test_names_of_failed_runs(void **state) {
    fixture *f = *state;
    f->options.runs = 3;
    add(f, "test $PERFKIT_ITERATION != 2");
    assert_false(run_with(f, NULL, NULL));
    assert_non_null(strstr(f->err.what, "timed run 3 ended with code 1"));
    f->options.warmup = 1;
    f->lines[0].text = "kill -SEGV $$; :";
    assert_false(run_with(f, NULL, NULL));
    assert_non_null(strstr(f->err.what, "the first warm-up run was killed by SIGSEGV"));
    assert_int_equal(f->failure.signal, SIGSEGV);
}

/* The end of what it said, however much that was. */
static void test_long_stderr(void **state) {
    fixture *f = *state;
    add(f, "head -c 100000 /dev/zero | tr '\\0' x >&2; printf end >&2; exit 1");
    assert_false(run_with(f, NULL, NULL));
    size_t length = strlen(f->failure.output);
    assert_int_equal(length, sizeof f->failure.output - 1);
    assert_string_equal(f->failure.output + length - 4, "xend");
    assert_true(f->failure.cut);
}

static void test_ignored_failures(void **state) {
    fixture *f = *state;
    const int codes[] = {3, 128 + SIGTERM};
    f->options.runs = 2;
    f->options.ignore_failure = true;
    run_one(f, "sh -c 'echo said >&2; exit $((PERFKIT_ITERATION * 3))'");
    const pk_command_result *result = &f->report.results[0];
    assert_int_equal(result->n_failed, 1);
    assert_int_equal(result->wall.n, 1);
    assert_int_equal(run_of(f, 0, 1)->code, 3);
    assert_non_null(result->first_failure);
    assert_string_equal(result->first_failure->output, "said\n");
    f->options.failed_in_statistics = true;
    run(f);
    assert_int_equal(f->report.results[0].wall.n, 2);

    f->options.ignore_codes = codes;
    f->options.n_ignore_codes = 2;
    run(f);
    assert_int_equal(f->report.results[0].n_failed, 1);
    run_one(f, "kill -TERM $$; :");
    assert_int_equal(f->report.results[0].n_failed, 2);
    assert_int_equal(run_of(f, 0, 0)->signal, SIGTERM);
    assert_int_equal(run_of(f, 0, 0)->code, -1);
    f->lines[0].text = "exit 4";
    assert_fails(run_with(f, NULL, NULL), &f->err, PK_E_INPUT);
}

/* The launcher stops at each failure, and goes on behind it: nothing is lost or done twice. */
static void test_failures_among_many(void **state) {
    fixture *f = *state;
    enum { RUNS = 75 };
    f->options.runs = RUNS;
    f->options.ignore_failure = true;
    run_one(f, "echo $PERFKIT_ITERATION >>log; exit $((PERFKIT_ITERATION % 7 == 6))");
    const pk_command_result *result = &f->report.results[0];
    assert_int_equal(result->n_runs, RUNS);
    assert_int_equal(result->n_failed, RUNS / 7);
    char expected[1024] = "";
    for (size_t i = 0; i < RUNS; i++) {
        size_t used = strlen(expected);
        snprintf(expected + used, sizeof expected - used, "%zu\n", i);
        assert_int_equal(run_of(f, 0, i)->code, i % 7 == 6);
        assert_int_equal(run_of(f, 0, i)->round, i);
    }
    assert_string_equal(file(f, "log"), expected);
}

static void test_asides_must_succeed(void **state) {
    fixture *f = *state;
    static const char *fails[] = {"exit 5"};
    f->options.runs = 1;
    f->options.ignore_failure = true; /* which is about the runs alone */
    f->options.cleanup = "echo cleanup >>log";
    add(f, "true");
    f->options.setup = "echo sorry >&2; exit 4";
    assert_fails(run_with(f, NULL, NULL), &f->err, PK_E_INPUT);
    assert_non_null(strstr(f->err.what, "the setup command ended with code 4"));
    assert_string_equal(f->failure.output, "sorry\n");
    f->options.setup = NULL;
    f->options.prepares = (pk_text_list){fails, 1};
    assert_fails(run_with(f, NULL, NULL), &f->err, PK_E_INPUT);
    assert_non_null(strstr(f->err.what, "the prepare command ended with code 5"));
    f->options.prepares = (pk_text_list){NULL, 0};
    f->options.concludes = (pk_text_list){fails, 1};
    assert_fails(run_with(f, NULL, NULL), &f->err, PK_E_INPUT);
    assert_non_null(strstr(f->err.what, "the conclude command"));
    assert_string_equal(file(f, "log"), "cleanup\ncleanup\ncleanup\n");
    f->options.concludes = (pk_text_list){NULL, 0};
    f->options.cleanup = "exit 6";
    assert_fails(run_with(f, NULL, NULL), &f->err, PK_E_INPUT);
    assert_non_null(strstr(f->err.what, "the cleanup command ended with code 6"));
}

static void test_cannot_be_started(void **state) {
    fixture *f = *state;
    f->options.cleanup = "echo cleanup >>log";
    add(f, "no-such-command-here");
    assert_fails(run_with(f, NULL, NULL), &f->err, PK_E_SYS);
    assert_string_equal(f->err.where, "no-such-command-here");
    check_write_file("not-executable", "");
    f->lines[0].text = "./not-executable";
    assert_fails(run_with(f, NULL, NULL), &f->err, PK_E_SYS);
    assert_string_equal(file(f, "log"), "cleanup\ncleanup\n");
}

static void test_timeout(void **state) {
    fixture *f = *state;
    f->options.timeout_ns = 50 * PK_NS_PER_MS;
    f->options.runs = 2;
    run_one(f, "test $PERFKIT_ITERATION = 0 || sleep 100");
    const pk_command_result *result = &f->report.results[0];
    assert_int_equal(result->n_runs, 2);
    assert_int_equal(result->n_failed, 1);
    assert_int_equal(result->n_timed_out, 1);
    assert_int_equal(result->wall.n, 1);
    assert_true(run_of(f, 0, 1)->timed_out);
    assert_true(run_of(f, 0, 1)->wall_s >= 0.05 && run_of(f, 0, 1)->wall_s < 10);
    assert_non_null(strstr(result->first_failure->what, "--timeout"));
}

/* ---- interrupted, and asked ---- */

typedef struct witness {
    char seen[512];
    bool refuse;
    size_t told[PK_PHASE_CLEANUP + 1];
} witness;

static void on_started(void *context, size_t index, const pk_command_case *of) {
    witness *w = context;
    size_t used = strlen(w->seen);
    snprintf(w->seen + used, sizeof w->seen - used, "start %zu %s;", index, of->name);
}

static bool on_finished(void *context, const pk_command_report *report, size_t index, pk_err *err) {
    witness *w = context;
    size_t used = strlen(w->seen);
    snprintf(w->seen + used, sizeof w->seen - used, "end %zu %zu;", index,
             report->results[index].wall.n);
    if (!w->refuse) return true;
    pk_fail(err, PK_E_SYS, "here", "no place to write");
    pk_fix(err, "make room");
    return false;
}

static void on_progress(void *context, const pk_command_progress *progress) {
    witness *w = context;
    if (progress->planned > 0) assert_true(progress->done < progress->planned);
    w->told[progress->phase]++;
}

static void test_hooks(void **state) {
    fixture *f = *state;
    witness w = {.seen = ""};
    pk_command_hooks hooks = {&w, on_started, on_progress, on_finished};
    add(f, "true");
    add(f, "false");
    f->options.runs = 12; /* past the first look at the width */
    f->options.ignore_failure = true;
    f->options.cleanup = "echo cleanup >>log";
    assert_ok(run_with(f, &hooks, NULL), &f->err);
    assert_string_equal(w.seen, "start 0 true;end 0 12;start 1 false;end 1 0;");
    assert_int_equal(w.told[PK_PHASE_FIRST], 2);
    assert_int_equal(w.told[PK_PHASE_RUNS], 1); /* the launcher went on by itself */
    assert_int_equal(w.told[PK_PHASE_CLEANUP], 2);
    assert_int_equal(w.told[PK_PHASE_SHELL], 0);
    w = (witness){.refuse = true};
    f->options.order = PK_ORDER_GROUPED;
    assert_fails(run_with(f, &hooks, NULL), &f->err, PK_E_SYS);
    assert_string_equal(w.seen, "start 0 true;end 0 12;");
    assert_string_equal(file(f, "log"), "cleanup\ncleanup\ncleanup\n");
}

/* What there is, tidied up. */
static void test_interrupt(void **state) {
    fixture *f = *state;
    witness w = {.seen = ""};
    pk_command_hooks hooks = {&w, on_started, NULL, on_finished};
    char line[128];
    snprintf(line, sizeof line, "test $PERFKIT_ITERATION != 2 || { kill -INT %d; sleep 100; }",
             (int)getpid());
    add(f, line);
    add(f, "true");
    f->options.cleanup = "echo cleanup >>log";
    f->options.names = (pk_text_list){(const char *[]){"kill"}, 1};
    for (int order = 0; order < PK_ORDERS; order++) {
        pk_interrupt *intr = pk_interrupt_begin(&f->err);
        assert_ok(intr != NULL, &f->err);
        f->options.order = (pk_command_order)order;
        w.seen[0] = '\0';
        assert_ok(run_with(f, &hooks, intr), &f->err);
        pk_interrupt_end(intr);
        assert_true(f->report.interrupted && f->report.partial);
        assert_int_equal(f->report.results[0].n_runs, 2);
        assert_int_equal(f->report.results[0].n_failed, 0);
        bool rounds = order != PK_ORDER_GROUPED;
        assert_int_equal(f->report.n_results, rounds ? 2 : 1);
        assert_memory_equal(w.seen, "start 0 kill;end 0 2;", 21);
        assert_string_equal(file(f, "log"), rounds ? "cleanup\ncleanup\n" : "cleanup\n");
        assert_int_equal(unlink("log"), 0);
    }
}

/* ---- nothing is left ---- */

static void test_no_descriptor_leaks(void **state) {
    fixture *f = *state;
    static const char *pipes[] = {"pipe"};
    check_write_file("in", "given\n");
    f->options.runs = 100;
    size_t before = check_count_files("/proc/self/fd");
    f->options.outputs = (pk_text_list){pipes, 1};
    f->options.input = "in";
    run_one(f, "true");
    f->lines[0].text = "false";
    assert_false(run_with(f, NULL, NULL));
    f->options.input = NULL;
    f->options.input_command = "true";
    f->options.check = "true";
    run_one(f, "true");
    assert_int_equal(check_count_files("/proc/self/fd"), before);
    assert_int_equal(check_count_files("."), 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(test_order_grouped),
        TEST(test_order_interleaved),
        TEST(test_who_goes_first),
        TEST(test_counts),
        TEST(test_counts_of_rounds),
        TEST(test_debug_mode_knows_sleep_alone),
        TEST(test_max_time),
        TEST(test_target_ci),
        TEST(test_known_time),
        TEST(test_shell_is_calibrated),
        TEST(test_iterations_in_the_environment),
        TEST(test_offset_differs),
        TEST(test_input),
        TEST(test_output),
        TEST(test_check),
        TEST(test_cpus),
        TEST(test_failure_ends_it),
        TEST(test_names_of_failed_runs),
        TEST(test_long_stderr),
        TEST(test_ignored_failures),
        TEST(test_failures_among_many),
        TEST(test_asides_must_succeed),
        TEST(test_cannot_be_started),
        TEST(test_timeout),
        TEST(test_hooks),
        TEST(test_interrupt),
        TEST(test_no_descriptor_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
