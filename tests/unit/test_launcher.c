/* The launcher: what it says of programs whose size, time and end are known. */
#include "tests/unit/check.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/process.h"
#include "base/units.h"
#include "bench/launcher.h"
#include "timing/clock.h"

#define MIB ((uint64_t)1 << 20)

typedef struct fixture {
    pk_launcher *launcher;
    int null_fd;
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    pk_err err;
    f->launcher = pk_launcher_new(&err);
    assert_ok(f->launcher != NULL, &err);
    f->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_true(f->null_fd >= 0);
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    pk_launcher_free(f->launcher);
    close(f->null_fd);
    free(f);
    return 0;
}

/* `sh -c script`, its output to `out` (-1: nowhere). */
static pk_launch shell(const fixture *f, const char *const *argv, int out) {
    int fd = out >= 0 ? out : f->null_fd;
    return (pk_launch){
        .path = "/bin/sh", .argv = argv, .fds = {f->null_fd, fd, fd}, .drain_fd = -1};
}
#define SH(script) ((const char *const[4]){"sh", "-c", (script), NULL})

static pk_launched run(const fixture *f, const pk_launch *launch) {
    pk_err err;
    pk_launched launched;
    assert_ok(pk_launcher_run(f->launcher, launch, &launched, &err), &err);
    return launched;
}

static pk_launched run_shell(const fixture *f, const char *script) {
    pk_launch launch = shell(f, SH(script), -1);
    return run(f, &launch);
}

/* What a script prints when it is started with this much changed. */
static const char *output_of(const fixture *f, pk_launch launch, char out[4096]) {
    int memory = memfd_create("test", MFD_CLOEXEC);
    assert_true(memory >= 0);
    launch.fds[1] = memory;
    assert_int_equal(run(f, &launch).code, 0);
    ssize_t n = pread(memory, out, 4095, 0);
    assert_true(n >= 0);
    out[n] = '\0';
    close(memory);
    return out;
}

/* ---- ends ---- */

static void test_ends(void **state) {
    const fixture *f = *state;
    assert_int_equal(run_shell(f, "exit 0").code, 0);
    assert_int_equal(run_shell(f, "exit 7").code, 7);
    assert_int_equal(run_shell(f, "exit 255").code, 255);
    pk_launched killed = run_shell(f, "kill -SEGV $$");
    assert_int_equal(killed.code, -1);
    assert_int_equal(killed.signal, SIGSEGV);
    assert_false(killed.timed_out || killed.stopped || killed.exec_errno);
}

static void test_what_cannot_be_executed(void **state) {
    const fixture *f = *state;
    char folder[CHECK_PATH_MAX], path[CHECK_PATH_MAX];
    check_folder_begin(folder);
    check_write_file(check_path(path, folder, "no-program"), "neither #! nor ELF\n");
    assert_int_equal(chmod(path, 0755), 0);
    pk_launch launch = shell(f, SH("true"), -1);
    launch.path = "/nowhere/at/all";
    assert_int_equal(run(f, &launch).exec_errno, ENOENT);
    launch.path = path;
    assert_int_equal(run(f, &launch).exec_errno, ENOEXEC);
    launch.path = folder;
    assert_int_equal(run(f, &launch).exec_errno, EACCES);
    launch.path = "/bin/sh"; /* and it goes on */
    assert_int_equal(run(f, &launch).exec_errno, 0);
    check_folder_end(folder);
}

/* ---- what it gets ---- */

static void test_arguments_and_environment(void **state) {
    const fixture *f = *state;
    char out[4096];
    const char *const argv[] = {"zero", "-c", "printf '<%s>' \"$0\" \"$@\"", "a b", "",
                                "c'd",  NULL};
    pk_launch launch = shell(f, argv, -1);
    assert_string_equal(output_of(f, launch, out), "<a b><><c'd>");

    assert_int_equal(setenv("PERFKIT_TEST_KEPT", "kept", 1), 0);
    assert_int_equal(setenv("PERFKIT_TEST", "old", 1), 0);
    assert_int_equal(setenv("PERFKIT_TEST_LONGER", "longer", 1), 0);
    launch = shell(f, SH("env | grep ^PERFKIT_TEST | sort"), -1);
    launch.variables = (const char *const[]){"PERFKIT_TEST=new"};
    launch.n_variables = 1;
    assert_string_equal(output_of(f, launch, out), "PERFKIT_TEST=new\nPERFKIT_TEST_KEPT=kept\n"
                                                   "PERFKIT_TEST_LONGER=longer\n");
}

/* What a program prints when it is started without a launcher. */
static const char *plain_output_of(const char *const *argv, char out[4096]) {
    int memory = memfd_create("test", MFD_CLOEXEC);
    assert_true(memory >= 0);
    pk_spawn_options how = PK_SPAWN_DEFAULT;
    how.stdout_fd = memory;
    pk_process process;
    pk_exit exit;
    pk_err err;
    assert_ok(pk_process_spawn((char *const *)argv, &how, &process, &err), &err);
    assert_true(pk_process_wait(&process, UINT64_MAX, &exit));
    ssize_t n = pread(memory, out, 4095, 0);
    assert_true(n >= 0);
    out[n] = '\0';
    close(memory);
    return out;
}

/* Nothing of ours: neither descriptors, nor blocked or ignored signals, nor a group. */
static void test_clean_start(void **state) {
    const fixture *f = *state;
    char out[4096], expected[4096];
    static const char *const list[] = {"ls", "/proc/self/fd", NULL};
    /* Not of a shell's: it blocks signals for a moment while it starts what asks. */
    static const char *const masks[] = {"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status", NULL};
    pk_launch launch = shell(f, list, -1);
    launch.path = "/bin/ls";
    assert_string_equal(output_of(f, launch, out), plain_output_of(list, expected));
    launch.path = "/bin/grep";
    launch.argv = masks;
    assert_string_equal(output_of(f, launch, out), plain_output_of(masks, expected));
    assert_non_null(strstr(out, "SigBlk:\t0000000000000000\n"));
    launch.path = "/bin/sh";
    launch.argv = SH("cut -d ' ' -f 5 /proc/$$/stat");
    snprintf(expected, sizeof expected, "%d\n", (int)getpgrp());
    assert_string_equal(output_of(f, launch, out), expected);
    launch.own_group = true;
    launch.argv = SH("test \"$(cut -d ' ' -f 5 /proc/$$/stat)\" = $$ && echo own");
    assert_string_equal(output_of(f, launch, out), "own\n");
}

static void test_arguments_without_room(void **state) {
    const fixture *f = *state;
    enum { BYTES = 5 << 20 };
    char *text = malloc(BYTES + 1);
    memset(text, 'x', BYTES);
    text[BYTES] = '\0';
    pk_launch launch = shell(f, SH(text), -1);
    pk_err err = {0};
    pk_launched launched;
    assert_fails(pk_launcher_run(f->launcher, &launch, &launched, &err), &err, PK_E_LIMIT);
    text[256 << 10] = '\0'; /* fits with us, but not with the kernel: 128 KiB per argument */
    assert_int_equal(run(f, &launch).exec_errno, E2BIG);
    assert_int_equal(run_shell(f, "exit 3").code, 3);
    free(text);
}

static void test_cpu(void **state) {
    const fixture *f = *state;
    char out[4096], expected[64];
    cpu_set_t allowed, one;
    assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    size_t last = 0;
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &allowed)) last = i;
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    pk_launch launch = shell(f, SH("grep Cpus_allowed_list /proc/self/status | cut -f 2"), -1);
    launch.cpus = &one;
    snprintf(expected, sizeof expected, "%zu\n", last);
    assert_string_equal(output_of(f, launch, out), expected);
}

/* ---- figures ---- */

static void test_times(void **state) {
    const fixture *f = *state;
    const char *const argv[] = {"sleep", "0.1", NULL};
    pk_launch launch = {.path = "/bin/sleep",
                        .argv = argv,
                        .fds = {f->null_fd, f->null_fd, f->null_fd},
                        .drain_fd = -1};
    uint64_t before_ns = pk_now_ns();
    pk_launched launched = run(f, &launch);
    uint64_t all_ns = pk_now_ns() - before_ns;
    assert_int_equal(launched.code, 0);
    assert_in_range(launched.running_ns, 100 * PK_NS_PER_MS, PK_NS_PER_S);
    assert_in_range(launched.launch_ns, 1, 100 * PK_NS_PER_MS);
    assert_true(launched.launch_ns + launched.running_ns <= all_ns);
    assert_true(launched.usage.ru_utime.tv_sec == 0 && launched.usage.ru_utime.tv_usec < 100000);
}

static double cpu_s(const struct rusage *usage) {
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1e-6;
}

/* A child of the command that it waited for counts. */
static void test_cpu_time_of_the_tree(void **state) {
    const fixture *f = *state;
    pk_launched launched =
        run_shell(f, "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; exit 0");
    double s = cpu_s(&launched.usage);
    assert_true(s > 0.01 && s <= 1.05 * (double)launched.running_ns / 1e9 + 0.005);
    assert_true(launched.usage.ru_minflt > 0);
}

/* ---- peak memory ---- */

static uint64_t peak_of(const fixture *f, bool large) {
    static const char name[] = "/programs/take_memory";
    char path[CHECK_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof name);
    assert_true(n > 0);
    path[n] = '\0';
    char *slash = strstr(path, "/unit/");
    assert_non_null(slash);
    memcpy(slash, name, sizeof name);
    const char *const argv[] = {"take_memory", large ? "64 MiB" : NULL, NULL};
    pk_launch launch = {
        .path = path, .argv = argv, .fds = {f->null_fd, f->null_fd, f->null_fd}, .drain_fd = -1};
    pk_launched launched = run(f, &launch);
    assert_int_equal(launched.code, 0);
    return (uint64_t)launched.usage.ru_maxrss * 1024;
}

static void assert_small(const fixture *f) {
    uint64_t bytes = peak_of(f, false);
    assert_in_range(bytes, 1, MIB - 1);
}

/* A static program of half a MiB, also after a large one and when we are large ourselves. */
static void test_peak_memory(void **state) {
    const fixture *f = *state;
    assert_in_range(pk_launcher_floor_bytes(f->launcher), 1, MIB - 1);
    assert_small(f);
    uint64_t large = peak_of(f, true);
    assert_in_range(large, 64 * MIB, 66 * MIB);
    assert_small(f);

    void *ours = malloc(128 * MIB);
    assert_non_null(ours);
    memset(ours, 1, 128 * MIB);
    assert_small(f);
    pk_err err;
    pk_launcher *late = pk_launcher_new(&err);
    assert_ok(late != NULL, &err);
    fixture from_large = {late, f->null_fd};
    assert_small(&from_large);
    assert_in_range(pk_launcher_floor_bytes(late), 1, MIB - 1);
    pk_launcher_free(late);
    free(ours);
}

/* ---- ended from outside ---- */

/* The number that a script wrote, once it is there. */
static pid_t read_pid(int fd) {
    char text[32] = "";
    int64_t pid;
    pk_err err;
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    assert_true(n > 1);
    text[n - 1] = '\0';
    assert_ok(pk_parse_int(text, 1, INT32_MAX, &pid, &err), &err);
    return (pid_t)pid;
}

/* Within ten seconds the process is gone or a zombie. */
static void assert_gone(pid_t pid) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    uint64_t until_ns = pk_now_ns() + 10 * PK_NS_PER_S;
    for (;;) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) return;
        ssize_t n = read(fd, text, sizeof text - 1);
        close(fd);
        if (n <= 0) return;
        text[n] = '\0';
        const char *paren = strrchr(text, ')');
        if (paren && paren[2] == 'Z') return;
        assert_true(pk_now_ns() < until_ns);
        poll(NULL, 0, 5);
    }
}

/* Grandchildren too, and those that ignore SIGTERM. */
static void test_timeout(void **state) {
    const fixture *f = *state;
    int memory = memfd_create("test", MFD_CLOEXEC);
    pk_launch launch = shell(f, SH("trap '' TERM; sleep 100 & echo $!; wait; sleep 100"), memory);
    launch.timeout_ns = 100 * PK_NS_PER_MS;
    launch.own_group = true;
    pk_launched launched = run(f, &launch);
    assert_true(launched.timed_out);
    assert_int_equal(launched.signal, SIGKILL);
    assert_in_range(launched.running_ns, 100 * PK_NS_PER_MS, 5 * PK_NS_PER_S);
    assert_gone(read_pid(memory));
    launch.argv = SH("exit 4"); /* in time */
    launched = run(f, &launch);
    close(memory);
    assert_false(launched.timed_out);
    assert_int_equal(launched.code, 4);
}

static void test_interrupt(void **state) {
    const fixture *f = *state;
    pk_err err;
    pk_interrupt *intr = pk_interrupt_begin(&err);
    assert_ok(intr != NULL, &err);
    char script[64];
    snprintf(script, sizeof script, "kill -INT %d; exec sleep 100", (int)getpid());
    pk_launch launch = shell(f, SH(script), -1);
    launch.intr = intr;
    pk_launched launched = run(f, &launch);
    assert_true(launched.stopped);
    assert_int_equal(launched.signal, SIGTERM);
    assert_int_equal(pk_interrupt_signal(intr), SIGINT);
    launch.intr = NULL; /* what is to be tidied up still runs */
    launch.argv = SH("exit 5");
    assert_int_equal(run(f, &launch).code, 5);
    pk_interrupt_end(intr);
}

/* When we are gone, so is what runs. */
static void test_our_end(void **state) {
    const fixture *f = *state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        pk_err err;
        pk_launched launched;
        pk_launcher *own = pk_launcher_new(&err);
        pk_launch launch = shell(f, SH("echo $$; exec sleep 100"), ends[1]);
        if (own && pk_launcher_run(own, &launch, &launched, &err)) _exit(0);
        _exit(1);
    }
    char text[32];
    ssize_t n = read(ends[0], text, sizeof text - 1);
    assert_true(n > 1);
    text[n - 1] = '\0';
    int64_t pid;
    pk_err err;
    assert_ok(pk_parse_int(text, 1, INT32_MAX, &pid, &err), &err);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_gone((pid_t)pid);
    close(ends[0]);
    close(ends[1]);
}

/* ---- pipes and descriptors ---- */

/* More than a pipe holds. */
static void test_drained_pipe(void **state) {
    const fixture *f = *state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pk_launch launch = shell(f, SH("head -c 3000000 /dev/zero"), ends[1]);
    launch.drain_fd = ends[0];
    assert_int_equal(run(f, &launch).code, 0);
    struct pollfd left = {.fd = ends[0], .events = POLLIN};
    assert_int_equal(poll(&left, 1, 0), 0);
    close(ends[0]);
    close(ends[1]);
}

/* ---- several ---- */

/* Each its own words and variables; what they write to standard error is the last one's. */
static void test_several(void **state) {
    const fixture *f = *state;
    enum { N = 5 };
    const char *const variables[N][1] = {{"RUN=0"}, {"RUN=1"}, {"RUN=2"}, {"RUN=3"}, {"RUN=4"}};
    int memory = memfd_create("test", MFD_CLOEXEC), out = memfd_create("test", MFD_CLOEXEC);
    pk_launch launches[N];
    pk_launched launched[N];
    size_t done = 0;
    pk_err err;
    assert_true(memory >= 0 && out >= 0 && fcntl(memory, F_SETFL, O_APPEND) == 0);
    const char *const *script = SH("echo $RUN; echo error $RUN >&2; exit $((RUN == 3))");
    for (size_t i = 0; i < N; i++) {
        launches[i] = shell(f, script, out);
        launches[i].fds[2] = memory;
        launches[i].variables = variables[i];
        launches[i].n_variables = 1;
    }
    assert_ok(pk_launcher_run_all(f->launcher, launches, N, true, launched, &done, &err), &err);
    assert_int_equal(done, 4); /* the fourth fails */
    for (size_t i = 0; i < done; i++) {
        assert_int_equal(launched[i].code, i == 3);
        assert_true(launched[i].running_ns > 0 && launched[i].launch_ns > 0);
    }
    char text[64] = "";
    assert_int_equal(pread(out, text, sizeof text, 0), 8);
    assert_memory_equal(text, "0\n1\n2\n3\n", 8);
    assert_int_equal(pread(memory, text, sizeof text, 0), 8);
    assert_memory_equal(text, "error 3\n", 8);
    close(memory);
    close(out);
}

/* Those that have no room wait for the next time; more than the most are not taken either. */
static void test_several_without_room(void **state) {
    const fixture *f = *state;
    enum { N = PK_LAUNCHER_RUNS_MAX + 1, BYTES = 1 << 20 };
    static char large[BYTES];
    const char *const words[] = {"true", "x", NULL};
    pk_launch launches[N];
    pk_launched launched[N];
    size_t done = 0;
    pk_err err;
    for (size_t i = 0; i < N; i++) {
        launches[i] = shell(f, words, -1);
        launches[i].path = "/bin/true";
    }
    assert_ok(pk_launcher_run_all(f->launcher, launches, N, false, launched, &done, &err), &err);
    assert_int_equal(done, PK_LAUNCHER_RUNS_MAX);
    memset(large, 'x', sizeof large - 1);
    const char *const variables[] = {large};
    for (size_t i = 0; i < N; i++) {
        launches[i].variables = variables;
        launches[i].n_variables = 1;
    }
    assert_ok(pk_launcher_run_all(f->launcher, launches, N, false, launched, &done, &err), &err);
    assert_int_equal(done, 1); /* of four MiB; the kernel takes no variable of one */
    assert_int_equal(launched[0].exec_errno, E2BIG);
}

/* A stop ends the one that runs and all behind it. */
static void test_several_interrupted(void **state) {
    const fixture *f = *state;
    enum { N = 3 };
    pk_launch launches[N];
    pk_launched launched[N];
    size_t done = 0;
    pk_err err;
    pk_interrupt *intr = pk_interrupt_begin(&err);
    assert_non_null(intr);
    char tester[32];
    snprintf(tester, sizeof tester, "TESTER=%d", (int)getpid());
    const char *const variables[] = {tester};
    const char *const *script = SH("kill -INT $TESTER; exec sleep 10");
    for (size_t i = 0; i < N; i++) {
        launches[i] = shell(f, script, -1);
        launches[i].intr = intr;
        launches[i].variables = variables;
        launches[i].n_variables = 1;
    }
    assert_ok(pk_launcher_run_all(f->launcher, launches, N, false, launched, &done, &err), &err);
    assert_int_equal(done, 1);
    assert_true(launched[0].stopped);
    pk_interrupt_end(intr);
}

static void test_no_descriptor_leaks(void **state) {
    const fixture *f = *state;
    const char *const argv[] = {"true", NULL};
    pk_launch launch = {.path = "/bin/true",
                        .argv = argv,
                        .fds = {f->null_fd, f->null_fd, f->null_fd},
                        .drain_fd = -1};
    size_t before = check_count_files("/proc/self/fd");
    char out[4096];
    const char *count = "ls /proc/$PPID/fd | wc -l"; /* the launcher's */
    pk_launch counting = shell(f, SH(count), -1);
    char first[4096];
    output_of(f, counting, first);
    for (int i = 0; i < 1000; i++) assert_int_equal(run(f, &launch).code, 0);
    assert_int_equal(check_count_files("/proc/self/fd"), before);
    assert_string_equal(output_of(f, counting, out), first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ends, begin, end),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_executed, begin, end),
        cmocka_unit_test_setup_teardown(test_arguments_and_environment, begin, end),
        cmocka_unit_test_setup_teardown(test_clean_start, begin, end),
        cmocka_unit_test_setup_teardown(test_arguments_without_room, begin, end),
        cmocka_unit_test_setup_teardown(test_cpu, begin, end),
        cmocka_unit_test_setup_teardown(test_times, begin, end),
        cmocka_unit_test_setup_teardown(test_cpu_time_of_the_tree, begin, end),
        cmocka_unit_test_setup_teardown(test_peak_memory, begin, end),
        cmocka_unit_test_setup_teardown(test_timeout, begin, end),
        cmocka_unit_test_setup_teardown(test_interrupt, begin, end),
        cmocka_unit_test_setup_teardown(test_our_end, begin, end),
        cmocka_unit_test_setup_teardown(test_drained_pipe, begin, end),
        cmocka_unit_test_setup_teardown(test_several, begin, end),
        cmocka_unit_test_setup_teardown(test_several_without_room, begin, end),
        cmocka_unit_test_setup_teardown(test_several_interrupted, begin, end),
        cmocka_unit_test_setup_teardown(test_no_descriptor_leaks, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
