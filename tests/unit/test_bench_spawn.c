/* What became of a worker: by made-up endings, and with real workers on objects that go wrong. */
#include "tests/unit/worker_process.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/units.h"
#include "bench/protocol.h"
#include "bench/spawn.h"
#include "timing/clock.h"

#define MS PK_NS_PER_MS
#define PATIENCE_NS (60 * PK_NS_PER_S)

typedef struct fixture {
    pk_program worker, suite;
    pk_arena *arena;
    char nasty[CHECK_PATH_MAX];
    pk_spawn_place place;
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    pk_err err;
    assert_ok(pk_program_worker(&f->worker, &err), &err);
    assert_ok(pk_program_suite(&f->suite, &err), &err);
    worker_object(f->nasty, "nasty.so");
    f->arena = pk_arena_new(16u << 20);
    f->place = (pk_spawn_place){.program = f->worker.path,
                                .timeout_ns = PATIENCE_NS,
                                .deadline_ns = UINT64_MAX,
                                .arena = f->arena};
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    pk_program_close(&f->worker);
    pk_program_close(&f->suite);
    pk_arena_free(f->arena);
    free(f);
    return 0;
}

/* ---- judging ---- */

static const pk_worker_job measure_new = {.task = PK_TASK_MEASURE, .objects = {"x.so"}};

static pk_worker_outcome judge(const fixture *f, const pk_worker_job *job, pk_worker_end end) {
    pk_worker_outcome outcome = {0};
    if (!end.reply) end.reply = "";
    if (!end.output) end.output = "";
    pk_worker_judge(job, &end, f->arena, &outcome);
    return outcome;
}

/* The text of a reply with these units on either side. */
static pk_strbuf reply_text(uint64_t new_units, uint64_t old_units, double trimmed_ns) {
    pk_worker_reply reply = {.kind = PK_REPLY_DONE};
    reply.worker.layout = -1;
    reply.worker.side[PK_SIDE_NEW] =
        (pk_bench_side){.trimmed_ns = trimmed_ns, .units = new_units, .iterations = new_units};
    reply.worker.side[PK_SIDE_OLD] =
        (pk_bench_side){.trimmed_ns = trimmed_ns, .units = old_units, .iterations = old_units};
    pk_strbuf text;
    pk_strbuf_init(&text, PK_WORKER_TEXT_MAX);
    pk_worker_reply_print(&reply, &text);
    assert_true(pk_strbuf_ok(&text));
    return text;
}

static void each_end_is_named(void **state) {
    const fixture *f = *state;
    pk_worker_outcome o = judge(f, &measure_new, (pk_worker_end){.code = -1, .signal = SIGSEGV});
    assert_true(o.failed);
    assert_int_equal(o.failure.kind, PK_FAIL_SIGNAL);
    assert_int_equal(o.failure.number, SIGSEGV);
    o = judge(f, &measure_new, (pk_worker_end){.code = 3, .output = "bye", .output_bytes = 3});
    assert_true(o.failed);
    assert_int_equal(o.failure.kind, PK_FAIL_EXIT);
    assert_int_equal(o.failure.number, 3);
    assert_string_equal(o.failure.output, "bye");
    o = judge(f, &measure_new, (pk_worker_end){.code = 0}); /* exit(0) in the benchmark */
    assert_int_equal(o.failure.kind, PK_FAIL_EXIT);
    assert_int_equal(o.failure.number, 0);
    /* It was we who killed it. */
    o = judge(f, &measure_new,
              (pk_worker_end){.code = -1, .signal = SIGKILL, .timed_out = true, .timeout_ns = 7});
    assert_int_equal(o.failure.kind, PK_FAIL_TIMEOUT);
    assert_int_equal(o.failure.timeout_ns, 7);
    o = judge(f, &measure_new, (pk_worker_end){.reply = "hello\n", .reply_bytes = 6});
    assert_int_equal(o.failure.kind, PK_FAIL_GARBAGE);
    assert_non_null(strstr(o.failure.why, "descriptor 3"));
    o = judge(f, &measure_new, (pk_worker_end){.reply_bytes = PK_WORKER_TEXT_MAX + 1});
    assert_int_equal(o.failure.kind, PK_FAIL_GARBAGE);
}

static void a_reply_has_to_answer_the_job(void **state) {
    const fixture *f = *state;
    static const struct {
        uint64_t new_units, old_units;
        double ns;
        bool two_sides, fine;
    } cases[] = {
        {5, 0, 10, false, true},   {5, 5, 10, true, true},   {0, 0, 10, false, false},
        {5, 0, 10, true, false},   {5, 5, 10, false, false}, {5, 0, 0, false, false},
        {5, 0, NAN, false, false}, {5, 0, -1, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_worker_job job = measure_new;
        if (cases[i].two_sides) job.objects[PK_SIDE_OLD] = "y.so";
        pk_strbuf text = reply_text(cases[i].new_units, cases[i].old_units, cases[i].ns);
        pk_worker_outcome o =
            judge(f, &job, (pk_worker_end){.reply = text.data, .reply_bytes = text.length});
        if (o.failed == cases[i].fine) fail_msg("case %zu: %s", i, o.failure.why);
        if (o.failed) assert_int_equal(o.failure.kind, PK_FAIL_GARBAGE);
        pk_strbuf_fini(&text);
    }
}

static void a_refusal_says_why(void **state) {
    const fixture *f = *state;
    const pk_worker_reply refusal = {.kind = PK_REPLY_REFUSED, .why = "the work was removed"};
    pk_strbuf text;
    pk_strbuf_init(&text, PK_WORKER_TEXT_MAX);
    pk_worker_reply_print(&refusal, &text);
    pk_worker_end end = {.reply = text.data, .reply_bytes = text.length};
    pk_worker_outcome o = judge(f, &measure_new, end);
    assert_int_equal(o.failure.kind, PK_FAIL_REFUSED);
    assert_string_equal(o.failure.why, "the work was removed");
    /* But who crashes afterwards has crashed. */
    end.signal = SIGBUS;
    o = judge(f, &measure_new, end);
    assert_int_equal(o.failure.kind, PK_FAIL_SIGNAL);
    pk_strbuf_fini(&text);
}

static void the_end_of_the_output_is_kept(void **state) {
    const fixture *f = *state;
    char output[3000];
    for (size_t i = 0; i < sizeof output; i++) output[i] = (char)('a' + i % 26);
    pk_worker_outcome o =
        judge(f, &measure_new,
              (pk_worker_end){.code = 1, .output = output, .output_bytes = sizeof output});
    assert_int_equal(strlen(o.failure.output), 1023);
    assert_memory_equal(o.failure.output, output + sizeof output - 1023, 1023);
}

/* ---- real workers ---- */

static uint32_t index_of(const fixture *f, const char *function) {
    const pk_worker_job job = {.task = PK_TASK_LIST, .objects = {f->nasty}};
    pk_worker_outcome o;
    pk_err err;
    assert_ok(pk_worker_spawn(&f->place, &job, 0, &o, &err), &err);
    assert_false(o.failed || o.stopped);
    for (size_t i = 0; i < o.reply.n_offers; i++)
        if (strcmp(o.reply.offers[i].function, function) == 0) return (uint32_t)i;
    fail_msg("no %s", function);
    return 0;
}

static pk_worker_outcome run(const fixture *f, const pk_spawn_place *place, const char *function) {
    const pk_worker_job job = {.task = PK_TASK_MEASURE,
                               .objects = {f->nasty},
                               .index = {index_of(f, function)},
                               .worker_ns = 5 * MS,
                               .warm_ns = 1 * MS,
                               .unit_ns = 100000};
    pk_worker_outcome o;
    pk_err err;
    assert_ok(pk_worker_spawn(place, &job, 16, &o, &err), &err);
    return o;
}

static void a_good_benchmark_gives_figures(void **state) {
    const fixture *f = *state;
    pk_worker_outcome o = run(f, &f->place, "fine");
    assert_false(o.failed || o.stopped);
    assert_true(o.reply.worker.side[PK_SIDE_NEW].units >= 3);
    assert_true(o.duration_ns >= 6 * MS && o.duration_ns < PATIENCE_NS);
}

static void nasty_ones_fail_each_in_its_way(void **state) {
    const fixture *f = *state;
    static const struct {
        const char *function;
        pk_bench_failure_kind kind;
        int number;
        const char *output;
    } cases[] = {
        {"crash", PK_FAIL_SIGNAL, SIGSEGV, ""},
        {"fail_assertion", PK_FAIL_SIGNAL, SIGABRT, "assertion failed: 2 + 2 == 5\n"},
        {"leave", PK_FAIL_EXIT, 3, "leaving early\n"},
        {"leave_well", PK_FAIL_EXIT, 0, ""},
        {"setup", PK_FAIL_SIGNAL, SIGSEGV, ""},
        {"garbage", PK_FAIL_GARBAGE, 0, ""},
        {"removed", PK_FAIL_REFUSED, 0, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_worker_outcome o = run(f, &f->place, cases[i].function);
        if (!o.failed || o.failure.kind != cases[i].kind || o.failure.number != cases[i].number ||
            !strstr(o.failure.output, cases[i].output))
            fail_msg("%s: failed %d, kind %d, number %d, why '%s', output '%s'", cases[i].function,
                     o.failed, o.failure.kind, o.failure.number, o.failure.why, o.failure.output);
    }
}

static void one_that_hangs_is_killed_in_time(void **state) {
    const fixture *f = *state;
    pk_spawn_place place = f->place;
    place.timeout_ns = 200 * MS;
    uint64_t start_ns = pk_now_ns();
    pk_worker_outcome o = run(f, &place, "hang");
    assert_true(o.failed);
    assert_int_equal(o.failure.kind, PK_FAIL_TIMEOUT);
    assert_int_equal(o.failure.timeout_ns, 200 * MS);
    assert_true(o.duration_ns >= 200 * MS);
    assert_true(pk_now_ns() - start_ns < PATIENCE_NS / 2);
}

static void the_deadline_of_the_run_stops_without_blame(void **state) {
    const fixture *f = *state;
    pk_spawn_place place = f->place;
    place.deadline_ns = pk_now_ns() + 100 * MS;
    pk_worker_outcome o = run(f, &place, "hang");
    assert_true(o.stopped);
    assert_false(o.failed);
}

static void one_that_talks_without_end_is_measured_all_the_same(void **state) {
    const fixture *f = *state;
    pk_worker_outcome o = run(f, &f->place, "talk");
    if (o.failed) fail_msg("%s", o.failure.why);
}

/* A script in the worker's place. */
static pk_worker_outcome run_script(const fixture *f, const char *folder, const char *text) {
    char script[CHECK_PATH_MAX];
    check_write_file(check_path(script, folder, "script"), text);
    assert_int_equal(chmod(script, 0700), 0);
    pk_spawn_place place = f->place;
    place.program = script;
    const pk_worker_job job = {.task = PK_TASK_ONCE, .objects = {f->nasty}};
    pk_worker_outcome o;
    pk_err err;
    assert_ok(pk_worker_spawn(&place, &job, 0, &o, &err), &err);
    return o;
}

/* Is there such a process, and is it more than a zombie? */
static bool is_alive(const char *pid) {
    char path[CHECK_PATH_MAX], stat[1024];
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    if (access(path, F_OK) < 0) return false;
    const char *state = strrchr(check_read_file(stat, sizeof stat, path), ')');
    return state && state[2] != 'Z' && state[2] != 'X';
}

static void children_of_a_worker_go_with_it(void **state) {
    const fixture *f = *state;
    char folder[CHECK_PATH_MAX], text[2 * CHECK_PATH_MAX], pid[64], path[CHECK_PATH_MAX];
    check_folder_begin(folder);
    check_path(path, folder, "pid");
    /* It keeps the pipes open. */
    snprintf(text, sizeof text, "#!/bin/sh\nsleep 1000 &\nprintf $! >%s\nexit 7\n", path);
    pk_worker_outcome o = run_script(f, folder, text);
    assert_true(o.failed);
    assert_int_equal(o.failure.number, 7);
    assert_true(o.duration_ns < PATIENCE_NS);
    check_read_file(pid, sizeof pid, path);
    assert_true(pid[0] >= '1' && pid[0] <= '9');
    uint64_t until_ns = pk_now_ns() + PATIENCE_NS;
    while (is_alive(pid) && pk_now_ns() < until_ns) sched_yield();
    assert_false(is_alive(pid));
    check_folder_end(folder);
}

/* The one child of a process, as text. */
static bool child_of(pid_t pid, char child[64]) {
    char path[CHECK_PATH_MAX];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    if (access(path, R_OK) < 0) return false;
    check_read_file(child, 64, path);
    child[strcspn(child, " ")] = '\0';
    return child[0];
}

static void a_worker_ends_with_who_started_it(void **state) {
    const fixture *f = *state;
    char child[64] = "";
    if (access("/proc/thread-self/children", R_OK) < 0) skip(); /* CONFIG_PROC_CHILDREN */
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        run(f, &f->place, "hang");
        _exit(0);
    }
    /* The first child only lists the object: wait for one that stays. */
    char last[64] = "";
    uint64_t until_ns = pk_now_ns() + PATIENCE_NS, same_since_ns = pk_now_ns();
    while (pk_now_ns() < until_ns && pk_now_ns() - same_since_ns < 500 * MS) {
        if (child_of(pid, child) && strcmp(child, last) == 0) continue;
        memcpy(last, child, sizeof last);
        same_since_ns = pk_now_ns();
    }
    assert_true(child[0]);
    assert_true(is_alive(child));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    while (is_alive(child) && pk_now_ns() < until_ns) sched_yield();
    assert_false(is_alive(child));
}

static void a_flood_is_bounded(void **state) {
    const fixture *f = *state;
    char folder[CHECK_PATH_MAX];
    check_folder_begin(folder);
    pk_worker_outcome o =
        run_script(f, folder, "#!/bin/sh\nhead -c 3000000 /dev/zero >&3\nexit 0\n");
    assert_true(o.failed);
    assert_int_equal(o.failure.kind, PK_FAIL_GARBAGE);
    o = run_script(f, folder, "#!/bin/sh\nseq 200000\nprintf the.end >&2\nexit 1\n");
    assert_int_equal(o.failure.kind, PK_FAIL_EXIT);
    size_t length = strlen(o.failure.output);
    assert_int_equal(length, 1023);
    assert_string_equal(o.failure.output + length - 14, "200000\nthe.end");
    check_folder_end(folder);
}

/* In front of all else, so that what lies above it in memory moves. */
static void padding_is_in_the_environment(void **state) {
    const fixture *f = *state;
    char folder[CHECK_PATH_MAX], script[CHECK_PATH_MAX];
    check_folder_begin(folder);
    check_write_file(check_path(script, folder, "script"),
                     "#!/bin/sh\nprintf '%s' \"${#PERFKIT_PADDING}\"\nexit 1\n");
    assert_int_equal(chmod(script, 0700), 0);
    pk_spawn_place place = f->place;
    place.program = script;
    const pk_worker_job job = {.task = PK_TASK_ONCE, .objects = {f->nasty}};
    pk_worker_outcome o;
    pk_err err;
    assert_ok(pk_worker_spawn(&place, &job, 3984, &o, &err), &err);
    assert_string_equal(o.failure.output, "3984");
    check_folder_end(folder);
}

static void a_program_that_cannot_start_is_an_error(void **state) {
    const fixture *f = *state;
    pk_spawn_place place = f->place;
    place.program = "/proc/self/fd/no-such";
    const pk_worker_job job = {.task = PK_TASK_LIST, .objects = {f->nasty}};
    pk_worker_outcome o;
    pk_err err = {0};
    assert_fails(pk_worker_spawn(&place, &job, 0, &o, &err), &err, PK_E_SYS);
}

/* Descriptors and processes: as many afterwards as before. */
static void nothing_is_left_behind(void **state) {
    const fixture *f = *state;
    pk_spawn_place place = f->place;
    place.timeout_ns = 20 * MS;
    size_t before = check_count_files("/proc/self/fd");
    run(f, &f->place, "crash");
    run(f, &place, "hang");
    run(f, &f->place, "fine");
    assert_int_equal(check_count_files("/proc/self/fd"), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_end_is_named),
        TEST(a_reply_has_to_answer_the_job),
        TEST(a_refusal_says_why),
        TEST(the_end_of_the_output_is_kept),
        TEST(a_good_benchmark_gives_figures),
        TEST(nasty_ones_fail_each_in_its_way),
        TEST(one_that_hangs_is_killed_in_time),
        TEST(the_deadline_of_the_run_stops_without_blame),
        TEST(one_that_talks_without_end_is_measured_all_the_same),
        TEST(children_of_a_worker_go_with_it),
        TEST(a_worker_ends_with_who_started_it),
        TEST(a_flood_is_bounded),
        TEST(padding_is_in_the_environment),
        TEST(a_program_that_cannot_start_is_an_error),
        TEST(nothing_is_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
