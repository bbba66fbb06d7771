#include "check.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "base/process.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MS 1000000ull
#define S 1000000000ull
/* Far beyond what anything here takes, so that a mistake ends the test instead of hanging it. */
#define PATIENCE_NS (20 * S)

static pk_process start(char *const argv[], pk_spawn_options options) {
    pk_process process;
    pk_err err = {0};
    assert_ok(pk_process_spawn(argv, &options, &process, &err), &err);
    assert_true(process.pid > 0 && process.pidfd >= 0);
    return process;
}

static pk_exit finish(pk_process *process) {
    pk_exit exit;
    assert_true(pk_process_wait(process, PATIENCE_NS, &exit));
    assert_int_equal(process->pidfd, -1);
    return exit;
}

static pk_exit run(char *const argv[], pk_spawn_options options) {
    pk_process process = start(argv, options);
    return finish(&process);
}

/* What a child writes to this descriptor (1 or 2), up to its end; returns how many bytes. */
static size_t output_of(char *const argv[], int which, int in, char *out, size_t size) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pk_spawn_options options = PK_SPAWN_DEFAULT;
    options.stdin_fd = in;
    *(which == STDOUT_FILENO ? &options.stdout_fd : &options.stderr_fd) = ends[1];
    pk_process process = start(argv, options);
    close(ends[1]);
    size_t length = 0;
    for (ssize_t n; length < size - 1 && (n = read(ends[0], out + length, size - 1 - length)) > 0;)
        length += (size_t)n;
    out[length] = '\0';
    close(ends[0]);
    finish(&process);
    return length;
}

static void the_exit_status_comes_back(void **state) {
    (void)state;
    static const int codes[] = {0, 1, 42, 255};
    for (size_t i = 0; i < COUNT(codes); i++) {
        char script[32];
        snprintf(script, sizeof script, "exit %d", codes[i]);
        pk_exit exit = run((char *[]){"sh", "-c", script, NULL}, PK_SPAWN_DEFAULT);
        assert_int_equal(exit.code, codes[i]);
        assert_int_equal(exit.signal, 0);
    }
    pk_exit exit = run((char *[]){"sh", "-c", "kill -9 $$", NULL}, PK_SPAWN_DEFAULT);
    assert_int_equal(exit.code, -1);
    assert_int_equal(exit.signal, SIGKILL);
}

static void arguments_arrive_as_they_are(void **state) {
    (void)state;
    char out[128];
    output_of((char *[]){"printf", "<%s>", "a b", "", "$(x) *", "\"'\\", NULL}, 1, -1, out,
              sizeof out);
    assert_string_equal(out, "<a b><><$(x) *><\"'\\>");
}

static void descriptors_go_where_they_are_asked_to(void **state) {
    (void)state;
    char out[64];
    /* /dev/null: it ends at once. */
    assert_int_equal(output_of((char *[]){"cat", NULL}, 1, -1, out, sizeof out), 0);
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], "given", 5), 5);
    close(ends[1]);
    output_of((char *[]){"cat", NULL}, 1, ends[0], out, sizeof out);
    close(ends[0]);
    assert_string_equal(out, "given");
    output_of((char *[]){"sh", "-c", "echo err >&2", NULL}, 2, -1, out, sizeof out);
    assert_string_equal(out, "err\n");
}

/* Wherever the pipe's end lies: at 3 itself, or above with stdin lying at 3. */
static void a_fourth_descriptor_is_number_3(void **state) {
    (void)state;
    int ends[2], in[2], kept = fcntl(3, F_DUPFD_CLOEXEC, 10);
    char out[64];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    for (int i = 0; i < 4; i++) { /* out of the way of 3 */
        int *fd = i < 2 ? &ends[i] : &in[i - 2];
        int moved = fcntl(*fd, F_DUPFD_CLOEXEC, 20);
        assert_true(moved >= 20);
        close(*fd);
        *fd = moved;
    }
    for (int at_3 = 0; at_3 < 3; at_3++) {
        pk_spawn_options options = PK_SPAWN_DEFAULT;
        options.fourth_fd = ends[1];
        if (at_3 == 1) options.fourth_fd = dup3(ends[1], 3, O_CLOEXEC);
        if (at_3 == 2) {
            options.stdin_fd = dup3(in[0], 3, O_CLOEXEC);
            assert_int_equal(write(in[1], "in\n", 3), 3);
            close(in[1]);
        }
        run((char *[]){"sh", "-c", "{ echo reply; cat; } >&3", NULL}, options);
        const char *expected = at_3 == 2 ? "reply\nin\n" : "reply\n";
        ssize_t n = read(ends[0], out, sizeof out);
        assert_int_equal(n, strlen(expected));
        assert_memory_equal(out, expected, (size_t)n);
    }
    if (kept >= 0) dup3(kept, 3, 0);
    else close(3);
    if (kept >= 0) close(kept);
    for (int i = 0; i < 2; i++) close(ends[i]);
    close(in[0]);
}

static void a_variable_is_first_in_the_environment(void **state) {
    (void)state;
    char out[4096];
    int ends[2];
    assert_int_equal(setenv("PK_TEST_OURS", "kept", 1), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pk_spawn_options options = PK_SPAWN_DEFAULT;
    options.stdout_fd = ends[1];
    options.variable = "PK_TEST_FIRST=1 2";
    run((char *[]){"sh", "-c", "head -c 18 /proc/$$/environ; echo \"$PK_TEST_OURS\"", NULL},
        options);
    ssize_t n = read(ends[0], out, sizeof out);
    assert_int_equal(n, 23);
    assert_memory_equal(out, "PK_TEST_FIRST=1 2\0kept\n", 23);
    assert_null(getenv("PK_TEST_FIRST"));
    unsetenv("PK_TEST_OURS");
    for (int i = 0; i < 2; i++) close(ends[i]);
}

static void variables_take_the_place_of_ours(void **state) {
    (void)state;
    char out[4096];
    int ends[2];
    assert_int_equal(setenv("PK_TEST_OURS", "old", 1), 0);
    assert_int_equal(setenv("PK_TEST_OURS_TOO", "kept", 1), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pk_spawn_options options = PK_SPAWN_DEFAULT;
    options.stdout_fd = ends[1];
    options.variables = (const char *const[]){"PK_TEST_OURS=new=1", "PK_TEST_MORE=", NULL};
    run((char *[]){"sh", "-c", "tr '\\0' '\\n' </proc/$$/environ | grep ^PK_TEST_ | sort", NULL},
        options);
    static const char expected[] = "PK_TEST_MORE=\nPK_TEST_OURS=new=1\nPK_TEST_OURS_TOO=kept\n";
    ssize_t n = read(ends[0], out, sizeof out);
    assert_int_equal(n, sizeof expected - 1);
    assert_memory_equal(out, expected, sizeof expected - 1);
    unsetenv("PK_TEST_OURS");
    unsetenv("PK_TEST_OURS_TOO");
    for (int i = 0; i < 2; i++) close(ends[i]);
}

/* stdout -> 2 while stderr -> 1: done one after the other, both would end in the same place. */
static void stdout_and_stderr_can_be_swapped(void **state) {
    (void)state;
    int out[2], err[2], kept[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    fflush(stdout);
    for (int i = 0; i < 2; i++) kept[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 3);
    assert_true(kept[0] >= 0 && kept[1] >= 0);
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    const pk_spawn_options options = {
        .stdin_fd = -1, .stdout_fd = STDERR_FILENO, .stderr_fd = STDOUT_FILENO};
    pk_process process;
    pk_err spawn_err = {0};
    bool ok = pk_process_spawn((char *[]){"sh", "-c", "echo out; echo err >&2", NULL}, &options,
                               &process, &spawn_err);
    for (int i = 0; i < 2; i++) {
        dup2(kept[i], i + 1);
        close(kept[i]);
    }
    close(out[1]);
    close(err[1]);
    assert_ok(ok, &spawn_err);
    finish(&process);
    char text[16] = "";
    assert_int_equal(read(out[0], text, sizeof text), 4);
    assert_memory_equal(text, "err\n", 4);
    assert_int_equal(read(err[0], text, sizeof text), 4);
    assert_memory_equal(text, "out\n", 4);
    close(out[0]);
    close(err[0]);
}

static void what_cannot_start_is_an_error(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX], path[CHECK_PATH_MAX];
    check_folder_begin(folder);
    const pk_spawn_options options = PK_SPAWN_DEFAULT;
    pk_process process = {.pid = 7, .pidfd = 8};
    pk_err err = {0};
    assert_fails(
        pk_process_spawn((char *[]){"no-such-program-here", NULL}, &options, &process, &err), &err,
        PK_E_SYS);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_string_equal(err.where, "no-such-program-here");
    memset(&err, 0, sizeof err);
    check_write_file(check_path(path, folder, "script"), "exit 0\n");
    assert_fails(pk_process_spawn((char *[]){path, NULL}, &options, &process, &err), &err,
                 PK_E_SYS);
    assert_int_equal(err.sys_errno, EACCES);
    memset(&err, 0, sizeof err);
    assert_int_equal(chmod(path, 0700), 0);
    /* No shell takes it over, as execvp would let it. */
    assert_fails(pk_process_spawn((char *[]){path, NULL}, &options, &process, &err), &err,
                 PK_E_SYS);
    assert_int_equal(err.sys_errno, ENOEXEC);
    memset(&err, 0, sizeof err);
    const pk_spawn_options closed = {.stdin_fd = 9999, .stdout_fd = -1, .stderr_fd = -1};
    assert_fails(pk_process_spawn((char *[]){"true", NULL}, &closed, &process, &err), &err,
                 PK_E_SYS);
    assert_int_equal(err.sys_errno, EBADF);
    assert_int_equal(process.pid, 7);
    assert_int_equal(process.pidfd, 8);
    check_folder_end(folder);
}

static void the_child_gets_default_signals_and_no_mask(void **state) {
    (void)state;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigset_t block, mask_before;
    sigaction(SIGPIPE, &ignore, &before);
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, &mask_before);
    char out[256];
    output_of((char *[]){"grep", "-E", "^Sig(Blk|Ign|Cgt)", "/proc/self/status", NULL}, 1, -1, out,
              sizeof out);
    sigaction(SIGPIPE, &before, NULL);
    sigprocmask(SIG_SETMASK, &mask_before, NULL);
    const char *blocked = strstr(out, "SigBlk:\t"), *ignored = strstr(out, "SigIgn:\t");
    assert_true(blocked && ignored);
    assert_int_equal(strtoull(blocked + 8, NULL, 16), 0);
    /* glibc ignores its own two, 32 and 33, in the child. */
    assert_int_equal(strtoull(ignored + 8, NULL, 16) & ~0x180000000ull, 0);
}

static void only_inheritable_descriptors_are_inherited(void **state) {
    (void)state;
    int secret = open("/dev/null", O_RDONLY | O_CLOEXEC);
    char name[64], out[256];
    snprintf(name, sizeof name, "/proc/self/fd/%d", secret);
    pk_exit exit = run((char *[]){"test", "-e", name, NULL}, PK_SPAWN_DEFAULT);
    assert_int_equal(exit.code, 1);
    pk_process process = start((char *[]){"sleep", "100", NULL}, PK_SPAWN_DEFAULT);
    snprintf(name, sizeof name, "/proc/self/fd/%d", process.pidfd);
    output_of((char *[]){"sh", "-c", "test -e $0 || echo none", name, NULL}, 1, -1, out,
              sizeof out);
    assert_string_equal(out, "none\n");
    pk_process_stop(&process, false, PATIENCE_NS, &exit);
    close(secret);
}

static void waiting_ends_with_the_time_given(void **state) {
    (void)state;
    pk_process process = start((char *[]){"sleep", "100", NULL}, PK_SPAWN_DEFAULT);
    pk_exit exit = {.code = 77};
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_false(pk_process_wait(&process, 0, &exit));
    assert_false(pk_process_wait(&process, 30 * MS, &exit));
    clock_gettime(CLOCK_MONOTONIC, &after);
    double waited_ns =
        (double)(after.tv_sec - before.tv_sec) * 1e9 + (double)(after.tv_nsec - before.tv_nsec);
    assert_true(waited_ns >= 30e6 && waited_ns < 10e9);
    assert_int_equal(exit.code, 77);
    assert_true(process.pidfd >= 0);
    pk_process_stop(&process, false, PATIENCE_NS, &exit);
    assert_int_equal(exit.signal, SIGTERM);
    assert_int_equal(exit.code, -1);
    exit.code = 77; /* reaped: nothing to wait for, nothing to stop */
    assert_false(pk_process_wait(&process, 0, &exit));
    pk_process_stop(&process, false, 0, &exit);
    assert_int_equal(exit.code, 77);
}

static void on_alarm(int signal) {
    (void)signal;
}

static void a_signal_does_not_shorten_the_wait(void **state) {
    (void)state;
    struct sigaction handle = {.sa_handler = on_alarm}, before;
    sigaction(SIGALRM, &handle, &before);
    struct itimerval often = {.it_interval.tv_usec = 5000, .it_value.tv_usec = 5000}, never = {0};
    setitimer(ITIMER_REAL, &often, NULL);
    pk_exit exit = run((char *[]){"sleep", "0.1", NULL}, PK_SPAWN_DEFAULT);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    assert_int_equal(exit.code, 0);
}

/* A child that says when it is ready, so that no signal comes too early. */
static pk_process start_ready(char *script, bool own_group, int *out) {
    int ends[2];
    char line[6];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    const pk_spawn_options options = {
        .stdin_fd = -1, .stdout_fd = ends[1], .stderr_fd = -1, .own_group = own_group};
    pk_process process = start((char *[]){"sh", "-c", script, NULL}, options);
    close(ends[1]);
    assert_int_equal(read(ends[0], line, sizeof line), 6);
    assert_memory_equal(line, "ready\n", 6);
    *out = ends[0];
    return process;
}

static void a_polite_child_ends_by_itself(void **state) {
    (void)state;
    int out;
    pk_exit exit;
    pk_process process =
        start_ready("trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done", false, &out);
    pk_process_stop(&process, false, PATIENCE_NS, &exit);
    assert_int_equal(exit.code, 5);
    close(out);
}

static void a_stubborn_child_is_killed(void **state) {
    (void)state;
    int out;
    pk_exit exit;
    pk_process process =
        start_ready("trap '' TERM; echo ready; while :; do sleep 0.01; done", true, &out);
    pk_process_stop(&process, true, 20 * MS, &exit);
    assert_int_equal(exit.signal, SIGKILL);
    close(out);
}

/* The pipe ends only when all who hold it are gone. */
static void stopping_a_group_leaves_nobody(void **state) {
    (void)state;
    int out;
    pk_exit exit;
    pk_process process = start_ready(
        "(trap '' TERM; sleep 100 & sleep 100) & sleep 0.05; echo ready; wait", true, &out);
    assert_int_equal(getpgid(process.pid), process.pid);
    pk_process_stop(&process, true, PATIENCE_NS, &exit);
    assert_int_equal(exit.signal, SIGTERM);
    char rest;
    struct pollfd end = {.fd = out, .events = POLLIN};
    assert_int_equal(poll(&end, 1, (int)(PATIENCE_NS / MS)), 1);
    assert_int_equal(read(out, &rest, 1), 0);
    close(out);
}

static void a_child_that_has_ended_can_be_stopped(void **state) {
    (void)state;
    pk_spawn_options options = PK_SPAWN_DEFAULT;
    options.own_group = true;
    pk_process process = start((char *[]){"sh", "-c", "exit 3", NULL}, options);
    struct pollfd ended = {.fd = process.pidfd, .events = POLLIN};
    assert_int_equal(poll(&ended, 1, (int)(PATIENCE_NS / MS)), 1);
    pk_exit exit;
    pk_process_stop(&process, true, 0, &exit);
    assert_int_equal(exit.code, 3);
}

static void the_usage_is_the_childs(void **state) {
    (void)state;
    pk_exit idle = run((char *[]){"true", NULL}, PK_SPAWN_DEFAULT);
    pk_exit busy =
        run((char *[]){"sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done", NULL},
            PK_SPAWN_DEFAULT);
    assert_true(idle.usage.ru_maxrss > 100); /* KiB */
    long idle_us = idle.usage.ru_utime.tv_sec * 1000000 + idle.usage.ru_utime.tv_usec;
    long busy_us = busy.usage.ru_utime.tv_sec * 1000000 + busy.usage.ru_utime.tv_usec;
    assert_true(busy_us > 10000 && busy_us > 2 * idle_us);
}

/* ---- words ---- */

static void splits_into(const char *text, const char *const expected[]) {
    pk_err err = {0};
    char **words = pk_words_split(text, &err);
    assert_ok(words, &err);
    size_t i = 0;
    for (; expected[i]; i++) {
        assert_non_null(words[i]);
        assert_string_equal(words[i], expected[i]);
    }
    assert_null(words[i]);
    free(words);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void words_split_as_in_a_shell(void **state) {
    (void)state;
    splits_into("", WORDS(NULL));
    splits_into("  \t\n ", WORDS(NULL));
    splits_into("a", WORDS("a"));
    splits_into(" a  bc\td\ne ", WORDS("a", "bc", "d", "e"));
    splits_into("'a b' \"c d\" e\\ f", WORDS("a b", "c d", "e f"));
    splits_into("a'b'\"c\"d", WORDS("abcd"));
    splits_into("'' \"\" x''", WORDS("", "", "x"));
    splits_into("'\\a\"'", WORDS("\\a\""));
    splits_into("'\\$\\\\'", WORDS("\\$\\\\"));
    splits_into("\"\\a \\\" \\\\ \\$ \\` '\"", WORDS("\\a \" \\ $ ` '"));
    splits_into("\\' \\\" \\\\ \\n", WORDS("'", "\"", "\\", "n"));
    splits_into("a\\\nb \\\n c \"d\\\ne\" \\\n", WORDS("ab", "c", "de"));
    splits_into("$HOME `x` $(y) *.c ~ a|b>c&d;e #f {1,2}",
                WORDS("$HOME", "`x`", "$(y)", "*.c", "~", "a|b>c&d;e", "#f", "{1,2}"));
    splits_into("./serve --port=0 --name='my server'",
                WORDS("./serve", "--port=0", "--name=my server"));
}

/* The same texts through the real thing: where no expansion is asked for, both must agree. */
static void words_agree_with_sh(void **state) {
    (void)state;
    static char *const texts[] = {
        "a b",      "'a  b' c",   "\"a 'b' c\"",    "a\\ b\\'c", "\"\\\"\\\\\\a\"", "x''y \"\" ''",
        "a\\\nb c", "\"a\\\nb\"", " 'it'\"'\"'s' ", "\\\\\\\\",  "--a='b c'\td",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        char script[128], out[256], ours[256];
        snprintf(script, sizeof script, "printf '<%%s>' %s", texts[i]);
        output_of((char *[]){"sh", "-c", script, NULL}, 1, -1, out, sizeof out);
        pk_err err = {0};
        char **words = pk_words_split(texts[i], &err);
        assert_ok(words, &err);
        size_t length = 0;
        for (char **word = words; *word; word++)
            length += (size_t)snprintf(ours + length, sizeof ours - length, "<%s>", *word);
        free(words);
        assert_string_equal(ours, out);
    }
}

static void open_quotes_are_named(void **state) {
    (void)state;
    static const struct {
        const char *text, *what, *fix;
    } cases[] = {
        {"a 'b", "in \"a 'b\" a ' is left open", "close the quote"},
        {"\"", "a \" is left open", "close the quote"},
        {"\"a\\\"", "a \" is left open", "close the quote"},
        {"a \\", "a \\ is left open", "backslash"},
        {"\"a\\", "a \" is left open", "close the quote"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        pk_err err = {0};
        char **words = pk_words_split(cases[i].text, &err);
        assert_fails(words, &err, PK_E_USAGE);
        assert_non_null(strstr(err.what, cases[i].what));
        assert_non_null(strstr(err.fix, cases[i].fix));
    }
}

static void found(const char *name, const char *expected) {
    char path[64];
    pk_err err = {0};
    assert_ok(pk_process_find(name, path, sizeof path, &err), &err);
    assert_string_equal(path, expected);
}

static void not_found(const char *name, int why) {
    char path[64] = "";
    pk_err err = {0};
    assert_fails(pk_process_find(name, path, sizeof path, &err), &err, PK_E_SYS);
    assert_int_equal(err.sys_errno, why);
    assert_string_equal(err.where, name);
}

static void programs_are_looked_up_as_execvp_does(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX], old[CHECK_PATH_MAX], kept[4096];
    snprintf(kept, sizeof kept, "%s", getenv("PATH"));
    check_folder_begin(folder);
    assert_non_null(getcwd(old, sizeof old));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("a", 0755), 0);
    assert_int_equal(mkdir("b", 0755), 0);
    assert_int_equal(mkdir("a/folder", 0755), 0);
    check_write_file("a/plain", "");
    check_write_file("a/both", "");
    check_write_file("b/both", "");
    check_write_file("here", "");
    assert_int_equal(chmod("b/both", 0755), 0);
    assert_int_equal(chmod("here", 0755), 0);
    assert_int_equal(setenv("PATH", "a:none:b:", 1), 0);
    found("both", "b/both"); /* the one in a is no program */
    found("here", "here");   /* an empty folder is the current one */
    found("no/such/path", "no/such/path");
    not_found("plain", EACCES);
    not_found("folder", EACCES);
    not_found("nowhere", ENOENT);
    not_found("", ENOENT);
    char tall[100] = "/";
    memset(tall + 1, 'x', 80);
    not_found(tall, ENAMETOOLONG);
    assert_int_equal(setenv("PATH", "a", 1), 0);
    not_found("here", ENOENT);
    assert_int_equal(unsetenv("PATH"), 0);
    found("sh", "/bin/sh");
    assert_int_equal(setenv("PATH", kept, 1), 0);
    assert_int_equal(chdir(old), 0);
    check_folder_end(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exit_status_comes_back),
        cmocka_unit_test(arguments_arrive_as_they_are),
        cmocka_unit_test(descriptors_go_where_they_are_asked_to),
        cmocka_unit_test(stdout_and_stderr_can_be_swapped),
        cmocka_unit_test(a_fourth_descriptor_is_number_3),
        cmocka_unit_test(a_variable_is_first_in_the_environment),
        cmocka_unit_test(variables_take_the_place_of_ours),
        cmocka_unit_test(what_cannot_start_is_an_error),
        cmocka_unit_test(the_child_gets_default_signals_and_no_mask),
        cmocka_unit_test(only_inheritable_descriptors_are_inherited),
        cmocka_unit_test(waiting_ends_with_the_time_given),
        cmocka_unit_test(a_signal_does_not_shorten_the_wait),
        cmocka_unit_test(a_polite_child_ends_by_itself),
        cmocka_unit_test(a_stubborn_child_is_killed),
        cmocka_unit_test(stopping_a_group_leaves_nobody),
        cmocka_unit_test(a_child_that_has_ended_can_be_stopped),
        cmocka_unit_test(the_usage_is_the_childs),
        cmocka_unit_test(programs_are_looked_up_as_execvp_does),
        cmocka_unit_test(words_split_as_in_a_shell),
        cmocka_unit_test(words_agree_with_sh),
        cmocka_unit_test(open_quotes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
