#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/held.h"
#include "base/procfs.h"

#define S 1000000000ull
#define PATIENCE_NS (20 * S)

static pk_held hold(char *const argv[]) {
    pk_held held;
    pk_err err = {0};
    assert_ok(pk_held_start(argv, &held, &err), &err);
    assert_true(held.process.pid > 0 && held.process.pidfd >= 0);
    return held;
}

static size_t open_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    size_t n = 0;
    while (readdir(folder)) n++;
    closedir(folder);
    return n;
}

static void it_waits_and_then_becomes_the_command(void **state) {
    (void)state;
    size_t before = open_descriptors();
    char *argv[] = {"sh", "-c", "exit 42", NULL};
    pk_held held = hold(argv);
    pk_process_info us, it;
    pk_exit exit;
    pk_err err = {0};
    assert_false(pk_process_wait(&held.process, S / 10, &exit));
    assert_true(pk_procfs_process(getpid(), &us));
    assert_true(pk_procfs_process(held.process.pid, &it));
    assert_string_equal(it.name, us.name); /* still a copy of us */
    assert_ok(pk_held_release(&held, &err), &err);
    assert_true(pk_process_wait(&held.process, PATIENCE_NS, &exit));
    assert_int_equal(exit.code, 42);
    pk_held_drop(&held); /* nothing to do */
    assert_int_equal(open_descriptors(), before);
}

static void it_can_be_dropped(void **state) {
    (void)state;
    size_t before = open_descriptors();
    char *argv[] = {"true", NULL};
    pk_held held = hold(argv);
    pk_held_drop(&held);
    assert_int_equal(kill(held.process.pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    assert_int_equal(open_descriptors(), before);
}

static void a_program_that_is_not_there_is_told_at_once(void **state) {
    (void)state;
    size_t before = open_descriptors();
    static char *const names[] = {"no-such-program-here", "/no/such/program", "/dev/null"};
    for (size_t i = 0; i < 3; i++) {
        char *argv[] = {names[i], NULL};
        pk_held held;
        pk_err err = {0};
        assert_false(pk_held_start(argv, &held, &err));
        assert_string_equal(err.where, names[i]);
        assert_int_equal(err.sys_errno, i < 2 ? ENOENT : EACCES);
        assert_true(err.fix[0]);
    }
    assert_int_equal(open_descriptors(), before);
}

static void a_file_that_is_no_program_is_told_at_its_release(void **state) {
    (void)state;
    size_t before = open_descriptors();
    char path[] = "/tmp/pk_held_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && fchmod(fd, 0755) == 0 && write(fd, "\1\2\3", 3) == 3);
    close(fd);
    char *argv[] = {path, NULL};
    pk_held held = hold(argv);
    pk_err err = {0};
    assert_false(pk_held_release(&held, &err));
    assert_int_equal(err.sys_errno, ENOEXEC);
    assert_string_equal(err.where, path);
    assert_int_equal(held.process.pidfd, -1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_descriptors(), before);
}

static void the_command_starts_with_default_signals(void **state) {
    (void)state;
    sigset_t usr1, before;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, &before);
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    sigaction(SIGUSR1, &ignore, &old);
    char *argv[] = {"sh", "-c", "kill -USR1 $$; exit 0", NULL};
    pk_held held = hold(argv);
    sigaction(SIGUSR1, &old, NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    pk_exit exit;
    pk_err err = {0};
    assert_ok(pk_held_release(&held, &err), &err);
    assert_true(pk_process_wait(&held.process, PATIENCE_NS, &exit));
    assert_int_equal(exit.signal, SIGUSR1);
}

static void killed_while_it_waits(void **state) {
    (void)state;
    size_t before = open_descriptors();
    char *argv[] = {"true", NULL};
    pk_held held = hold(argv);
    pk_exit exit = {0};
    pk_err err = {0};
    kill(held.process.pid, SIGKILL);
    /* Known at its release, or by how it ended: in no case a signal for us. */
    if (pk_held_release(&held, &err)) {
        assert_true(pk_process_wait(&held.process, PATIENCE_NS, &exit));
        assert_int_equal(exit.signal, SIGKILL);
    } else {
        assert_int_equal(held.process.pidfd, -1);
    }
    assert_int_equal(open_descriptors(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_waits_and_then_becomes_the_command),
        cmocka_unit_test(it_can_be_dropped),
        cmocka_unit_test(a_program_that_is_not_there_is_told_at_once),
        cmocka_unit_test(a_file_that_is_no_program_is_told_at_its_release),
        cmocka_unit_test(the_command_starts_with_default_signals),
        cmocka_unit_test(killed_while_it_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
