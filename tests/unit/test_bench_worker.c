/* The real worker on the suite and on objects that go wrong in every way. Times are asserted within
 * factors of ten and more: they say that the right thing was measured, not how fast this machine
 * is. */
#include "tests/unit/worker_process.h"

#include <signal.h>

#define MS 1000000ull
#define LONG_NS (60000 * MS)

typedef struct fixture {
    pk_program worker, suite;
    char nasty[CHECK_PATH_MAX];
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    pk_err err;
    assert_ok(pk_program_worker(&f->worker, &err), &err);
    assert_ok(pk_program_suite(&f->suite, &err), &err);
    worker_object(f->nasty, "nasty.so");
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    pk_program_close(&f->worker);
    pk_program_close(&f->suite);
    free(f);
    return 0;
}

static pk_worker_job job_for(const char *object, uint32_t index, const char *param) {
    return (pk_worker_job){.task = PK_TASK_MEASURE,
                           .objects = {object},
                           .index = {index, index},
                           .param = param,
                           .worker_ns = 10 * MS,
                           .warm_ns = 2 * MS,
                           .unit_ns = 100000};
}

/* Runs a job that must be done. */
static pk_worker_reply done(const fixture *f, const pk_worker_job *job) {
    worker_end end;
    worker_run(&f->worker, job, LONG_NS, &end);
    if (end.exit.code != 0 || !end.replied || end.reply.kind != PK_REPLY_DONE)
        fail_msg("exit %d, signal %d, replied %d: %s; printed: %s", end.exit.code, end.exit.signal,
                 end.replied, end.reply.why ? end.reply.why : "", end.output);
    pk_worker_reply reply = end.reply;
    reply.offers = NULL;
    worker_end_free(&end);
    return reply;
}

/* Runs a job that must be refused with this in the reason. */
static void refused(const fixture *f, const pk_worker_job *job, const char *why) {
    worker_end end;
    worker_run(&f->worker, job, LONG_NS, &end);
    assert_int_equal(end.exit.code, 0);
    assert_true(end.replied);
    assert_int_equal(end.reply.kind, PK_REPLY_REFUSED);
    if (!strstr(end.reply.why, why) || strstr(end.reply.why, "/proc/self"))
        fail_msg("refused, but: %s", end.reply.why);
    assert_null(strchr(end.reply.why, '\n'));
    worker_end_free(&end);
}

/* ---- the suite ---- */

enum { RECURSIVE, ITERATIVE, LOOKUP, DOUBLING };

static void the_suite_is_listed(void **state) {
    static const char *const functions[] = {"recursive", "iterative", "lookup", "doubling"};
    const fixture *f = *state;
    pk_worker_job job = {.task = PK_TASK_LIST, .objects = {f->suite.path}};
    worker_end end;
    worker_run(&f->worker, &job, LONG_NS, &end);
    assert_true(end.replied && end.exit.code == 0);
    assert_int_equal(end.reply.n_offers, 4);
    for (size_t i = 0; i < 4; i++) {
        const pk_worker_offer *offer = &end.reply.offers[i];
        assert_string_equal(offer->group, "fib");
        assert_string_equal(offer->function, functions[i]);
        assert_string_equal(offer->params, "20");
        assert_true(offer->has_bounds && offer->param_min == 0 && offer->param_max == 93);
        assert_string_equal(offer->bounds_reason, "fib(94) does not fit in 64 bits");
        assert_int_equal(offer->has_latency, i == LOOKUP);
        assert_int_equal(offer->has_throughput, i == LOOKUP);
        assert_false(offer->throughput.given);
    }
    worker_end_free(&end);
}

static void assert_side_makes_sense(const pk_bench_side *side) {
    assert_true(side->units >= 1 && side->iterations >= side->units);
    assert_true(side->min_ns > 0 && side->min_ns <= side->median_ns);
    assert_true(side->q1_ns <= side->median_ns && side->median_ns <= side->q3_ns);
    assert_true(side->trimmed_ns >= side->min_ns * 0.5 && side->mean_ns > 0);
    assert_true(side->wall_ns > 0 && side->cpu_ns > 0);
}

static void the_suite_is_of_the_right_order(void **state) {
    static const struct {
        double least_ns, most_ns;
    } bounds[] = {{1e3, 1e6}, {0.5, 500}, {0.1, 50}, {0.5, 500}};
    const fixture *f = *state;
    for (uint32_t i = 0; i < 4; i++) {
        pk_worker_job job = job_for(f->suite.path, i, "20");
        pk_worker_reply reply = done(f, &job);
        const pk_bench_side *side = &reply.worker.side[PK_SIDE_NEW];
        assert_side_makes_sense(side);
        assert_true(side->units >= 3);
        assert_true(side->trimmed_ns > bounds[i].least_ns && side->trimmed_ns < bounds[i].most_ns);
        assert_int_equal(reply.worker.side[PK_SIDE_OLD].units, 0);
        assert_true(reply.worker.reference_ns > 0.1 && reply.worker.reference_ns < 100);
        assert_near(reply.worker.latency_ns, NAN, 0); /* parts were not asked for */
        assert_near(reply.worker.loop_ns, NAN, 0);
    }
}

static void a_lookup_has_parts(void **state) {
    const fixture *f = *state;
    pk_worker_job job = job_for(f->suite.path, LOOKUP, "20");
    job.parts = true;
    pk_bench_worker worker = done(f, &job).worker;
    assert_true(worker.throughput_ns > 0 && worker.throughput_ns < worker.latency_ns);
    assert_true(worker.latency_ns < 100 && worker.loop_ns > 0 && worker.loop_ns < 100);

    job = job_for(f->suite.path, RECURSIVE, "20"); /* too long for that */
    job.parts = true;
    worker = done(f, &job).worker;
    assert_near(worker.throughput_ns, NAN, 0);
    assert_near(worker.loop_ns, NAN, 0);
}

static void an_old_side_is_measured_alike(void **state) {
    const fixture *f = *state;
    pk_program copy;
    pk_err err;
    assert_ok(pk_program_copy(f->suite.path, &copy, &err), &err);
    for (int old_first = 0; old_first < 2; old_first++) {
        pk_worker_job job = job_for(f->suite.path, RECURSIVE, "20");
        job.objects[PK_SIDE_OLD] = copy.path;
        job.old_first = old_first;
        pk_bench_worker worker = done(f, &job).worker;
        const pk_bench_side *new_side = &worker.side[PK_SIDE_NEW], *old = &worker.side[PK_SIDE_OLD];
        assert_side_makes_sense(new_side);
        assert_side_makes_sense(old);
        assert_true(new_side->units >= 3 && old->units >= 3);
        assert_int_equal(worker.old_first, old_first);
        /* The same iterations per unit, and the same code. */
        assert_int_equal(new_side->iterations / new_side->units, old->iterations / old->units);
        assert_near(new_side->median_ns, old->median_ns, 0.5);
    }
    pk_program_close(&copy);
}

static void the_old_side_alone_is_measured(void **state) {
    const fixture *f = *state;
    pk_worker_job job = job_for(NULL, ITERATIVE, "20");
    job.objects[PK_SIDE_OLD] = f->suite.path;
    pk_bench_worker worker = done(f, &job).worker;
    assert_int_equal(worker.side[PK_SIDE_NEW].units, 0);
    assert_side_makes_sense(&worker.side[PK_SIDE_OLD]);
}

static void the_metric_is_as_asked(void **state) {
    const fixture *f = *state;
    static const pk_bench_metric metrics[] = {PK_METRIC_WALL, PK_METRIC_CPU};
    for (size_t i = 0; i < 2; i++) {
        pk_worker_job job = job_for(f->suite.path, RECURSIVE, "20");
        job.metric = metrics[i];
        pk_bench_worker worker = done(f, &job).worker;
        const pk_bench_side *side = &worker.side[PK_SIDE_NEW];
        assert_int_equal(worker.metric, metrics[i]);
        assert_near(side->trimmed_ns, i == 0 ? side->wall_ns : side->cpu_ns, 0);
    }
}

static void a_parameter_out_of_bounds_is_refused(void **state) {
    static const char *const wrong[] = {"94", "-1", "99999999999999999999", "twenty", "", "20 "};
    const fixture *f = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        for (uint32_t index = 0; index < 4; index++) {
            pk_worker_job job = job_for(f->suite.path, index, wrong[i]);
            refused(f, &job, "is not within 0 .. 93: fib(94) does not fit in 64 bits");
        }
    pk_worker_job job = job_for(f->suite.path, LOOKUP, "93");
    assert_true(done(f, &job).worker.side[PK_SIDE_NEW].units > 0);
}

/* ---- tasks ---- */

static void once_runs_and_measures_nothing(void **state) {
    const fixture *f = *state;
    for (uint32_t i = 0; i < 4; i++) {
        pk_worker_job job = job_for(f->suite.path, i, "10");
        job.task = PK_TASK_ONCE;
        assert_int_equal(done(f, &job).worker.side[PK_SIDE_NEW].units, 0);
    }
}

static void for_runs_as_long_as_asked(void **state) {
    const fixture *f = *state;
    pk_worker_job job = job_for(f->suite.path, RECURSIVE, "20");
    job.task = PK_TASK_FOR;
    job.worker_ns = 100 * MS;
    worker_end end;
    worker_run(&f->worker, &job, LONG_NS, &end);
    assert_true(end.replied && end.exit.code == 0);
    struct timeval used = end.exit.usage.ru_utime;
    assert_true(used.tv_sec > 0 || used.tv_usec > 20000);
    worker_end_free(&end);
}

/* ---- what goes wrong ---- */

enum { /* the order of nasty.c */
       FINE,
       CRASH,
       FAIL_ASSERTION,
       HANG,
       LEAVE,
       LEAVE_WELL,
       GARBAGE,
       FLAKY,
       SETUP,
       TEARDOWN,
       TALK,
       THREADS,
       SIGNALS,
       REMOVED,
       CONSTANT,
       SLOW,
       SLEEPY,
       SLOW_START
};

static void a_benchmark_that_ends_the_worker_is_seen(void **state) {
    static const struct {
        uint32_t index;
        int signal, code;
        const char *output;
    } cases[] = {
        {CRASH, SIGSEGV, -1, ""},
        {FAIL_ASSERTION, SIGABRT, -1, "about to fail\nassertion failed: 2 + 2 == 5\n"},
        {LEAVE, 0, 3, "leaving early\n"},
        {LEAVE_WELL, 0, 0, ""},
        {SETUP, SIGSEGV, -1, ""},
        {TEARDOWN, SIGBUS, -1, ""},
    };
    const fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_worker_job job = job_for(f->nasty, cases[i].index, NULL);
        worker_end end;
        worker_run(&f->worker, &job, LONG_NS, &end);
        assert_int_equal(end.exit.signal, cases[i].signal);
        assert_int_equal(end.exit.code, cases[i].code);
        assert_string_equal(end.output, cases[i].output);
        assert_false(end.replied);
        worker_end_free(&end);
    }
}

static void a_benchmark_that_hangs_can_be_ended(void **state) {
    const fixture *f = *state;
    pk_worker_job job = job_for(f->nasty, HANG, NULL);
    worker_end end;
    worker_run(&f->worker, &job, 1000 * MS, &end);
    assert_true(end.timed_out && !end.replied);
    assert_int_equal(end.exit.signal, SIGTERM);
    assert_string_equal(end.output, "hanging\n");
    worker_end_free(&end);
}

static void garbage_is_no_reply(void **state) {
    const fixture *f = *state;
    pk_worker_job job = job_for(f->nasty, GARBAGE, NULL);
    worker_end end;
    worker_run(&f->worker, &job, LONG_NS, &end);
    assert_int_equal(end.exit.code, 0);
    assert_false(end.replied);
    worker_end_free(&end);
}

static void one_of_some_crashes(void **state) {
    const fixture *f = *state;
    char folder[CHECK_PATH_MAX], file[CHECK_PATH_MAX];
    check_folder_begin(folder);
    setenv("FLAKY_FILE", check_path(file, folder, "count"), 1);
    setenv("FLAKY_EVERY", "3", 1);
    for (int i = 1; i <= 6; i++) {
        pk_worker_job job = job_for(f->nasty, FLAKY, NULL);
        worker_end end;
        worker_run(&f->worker, &job, LONG_NS, &end);
        assert_int_equal(end.exit.signal, i % 3 == 0 ? SIGSEGV : 0);
        assert_int_equal(end.replied, i % 3 != 0);
        worker_end_free(&end);
    }
    unsetenv("FLAKY_FILE");
    unsetenv("FLAKY_EVERY");
    check_folder_end(folder);
}

static void what_only_disturbs_is_measured(void **state) {
    static const uint32_t cases[] = {FINE, TALK, THREADS, SIGNALS};
    const fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_worker_job job = job_for(f->nasty, cases[i], NULL);
        pk_bench_side side = done(f, &job).worker.side[PK_SIDE_NEW];
        assert_side_makes_sense(&side);
        assert_true(side.units >= 3);
    }
}

static void time_without_meaning_is_refused(void **state) {
    const fixture *f = *state;
    pk_worker_job job = job_for(f->nasty, REMOVED, NULL);
    refused(f, &job,
            "the compiler removed the work: an iteration takes no time; use "
            "perfkit_keep()");
    job = job_for(f->nasty, CONSTANT, NULL);
    refused(f, &job, "loop run->iterations times");
    job = job_for(f->nasty, SLOW_START, "150");
    refused(f, &job, "its first call takes over 100 ms");
}

static void long_work_is_measured_with_few_units(void **state) {
    const fixture *f = *state;
    pk_worker_job job = job_for(f->nasty, SLOW, "200");
    pk_bench_side side = done(f, &job).worker.side[PK_SIDE_NEW];
    assert_side_makes_sense(&side);
    assert_in_range(side.units, 1, 3);
    assert_int_equal(side.iterations, side.units);
    assert_true(side.wall_ns >= 199e6);
}

static void long_work_on_two_sides_is_too_slow_to_interleave(void **state) {
    const fixture *f = *state;
    pk_program copy;
    pk_err err;
    assert_ok(pk_program_copy(f->nasty, &copy, &err), &err);
    pk_worker_job job = job_for(f->nasty, SLOW, "200");
    job.objects[PK_SIDE_OLD] = copy.path;
    job.worker_ns = 4 * MS; /* at most 256 times that: 1024 ms, and three rounds take 1200 */
    worker_end end;
    worker_run(&f->worker, &job, LONG_NS, &end);
    assert_true(end.replied && end.exit.code == 0);
    assert_int_equal(end.reply.kind, PK_REPLY_TOO_SLOW);
    assert_non_null(strstr(end.reply.why, "too slow to interleave"));
    worker_end_free(&end);

    job.worker_ns = 20 * MS; /* 5120 ms, of which it takes 300 */
    job.param = "50";
    pk_bench_worker worker = done(f, &job).worker;
    assert_true(worker.side[PK_SIDE_NEW].units >= 3 && worker.side[PK_SIDE_OLD].units >= 3);
    pk_program_close(&copy);
}

static void sleep_is_part_of_the_time_on_cpu_metric(void **state) {
    const fixture *f = *state;
    pk_worker_job job = job_for(f->nasty, SLEEPY, NULL);
    pk_bench_worker worker = done(f, &job).worker;
    const pk_bench_side *side = &worker.side[PK_SIDE_NEW];
    assert_true(side->trimmed_ns >= 200000 && side->wall_ns >= 200000);
    assert_true(side->cpu_ns < 200000);
    assert_true(worker.switches_voluntary >= side->units);
}

static void what_cannot_be_opened_is_said_in_one_line(void **state) {
    static const struct {
        const char *name, *why;
    } cases[] = {
        {"future.so", "compiled with version 3 of perfkit.h, this is version 2"},
        {"nothing.so", "the object offers no benchmarks; include perfkit.h"},
        {"lonely.so", "the object needs the library libperfkit-test-gone.so.1, which is not found"},
        {"missing.so", "cannot open the object: No such file or directory"},
        {"../unit", "cannot open the object: "},
    };
    const fixture *f = *state;
    char path[CHECK_PATH_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_worker_job job = job_for(worker_object(path, cases[i].name), 0, NULL);
        refused(f, &job, cases[i].why);
        job.task = PK_TASK_LIST;
        refused(f, &job, cases[i].why);
    }
    pk_program text;
    pk_err err;
    assert_ok(pk_program_of("#!/bin/sh\nnot an object, but long enough for a header of one\n", 60,
                            &text, &err),
              &err);
    pk_worker_job job = job_for(text.path, 0, NULL);
    refused(f, &job, "cannot open the object: ");
    pk_program_close(&text);

    job = job_for(f->suite.path, 4, NULL);
    refused(f, &job, "the object has 4 benchmarks, not a number 4");
}

static void a_job_that_is_none_is_exit_2(void **state) {
    const fixture *f = *state;
    pk_worker_job job = {.task = PK_TASK_ONCE};
    worker_end end;
    worker_run(&f->worker, &job, LONG_NS, &end); /* no object */
    assert_true(end.replied && end.reply.kind == PK_REPLY_REFUSED);
    worker_end_free(&end);

    char *argv[] = {(char *)(uintptr_t)f->worker.path, NULL};
    pk_process process;
    pk_exit ended;
    pk_err err;
    pk_spawn_options options = PK_SPAWN_DEFAULT; /* stdin is /dev/null */
    options.stderr_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_ok(pk_process_spawn(argv, &options, &process, &err), &err);
    assert_true(pk_process_wait(&process, LONG_NS, &ended));
    assert_int_equal(ended.code, 2);
    close(options.stderr_fd);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(the_suite_is_listed),
        TEST(the_suite_is_of_the_right_order),
        TEST(a_lookup_has_parts),
        TEST(an_old_side_is_measured_alike),
        TEST(the_old_side_alone_is_measured),
        TEST(the_metric_is_as_asked),
        TEST(a_parameter_out_of_bounds_is_refused),
        TEST(once_runs_and_measures_nothing),
        TEST(for_runs_as_long_as_asked),
        TEST(a_benchmark_that_ends_the_worker_is_seen),
        TEST(a_benchmark_that_hangs_can_be_ended),
        TEST(garbage_is_no_reply),
        TEST(one_of_some_crashes),
        TEST(what_only_disturbs_is_measured),
        TEST(time_without_meaning_is_refused),
        TEST(long_work_is_measured_with_few_units),
        TEST(long_work_on_two_sides_is_too_slow_to_interleave),
        TEST(sleep_is_part_of_the_time_on_cpu_metric),
        TEST(what_cannot_be_opened_is_said_in_one_line),
        TEST(a_job_that_is_none_is_exit_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
