#include "check.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/interrupt.h"

/* Signals are for a whole process: each test runs in a child, so that a mistake cannot end the
 * others. What does not hold there is printed, and the child exits with 99. */
#define CHILD_CHECK(condition)                                              \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            _exit(99);                                                      \
        }                                                                   \
    } while (0)

enum { PATIENCE_MS = 20000 };

static bool readable(int fd, int timeout_ms) {
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    int n;
    do n = poll(&poll_fd, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

static pk_interrupt *begin(void) {
    pk_err err = {0};
    pk_interrupt *intr = pk_interrupt_begin(&err);
    CHILD_CHECK(intr);
    return intr;
}

static int in_child(void (*body)(void)) {
    fflush(stdout);
    fflush(stderr);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(PATIENCE_MS / 1000);
        body();
        exit(0); /* not _exit: coverage and sanitizers report on the way out */
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void ends_well(void (*body)(void)) {
    int status = in_child(body);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void one_signal(int signal) {
    pk_interrupt *intr = begin();
    CHILD_CHECK(pk_interrupt_signal(intr) == 0);
    CHILD_CHECK(!readable(pk_interrupt_fd(intr), 0));
    errno = EDOM;
    CHILD_CHECK(kill(getpid(), signal) == 0);
    CHILD_CHECK(errno == EDOM); /* the handler keeps it */
    CHILD_CHECK(pk_interrupt_signal(intr) == signal);
    for (int i = 0; i < 3; i++) CHILD_CHECK(readable(pk_interrupt_fd(intr), 0));
    pk_interrupt_end(intr);
}

static void sigint_once(void) {
    one_signal(SIGINT);
}

static void sigterm_once(void) {
    one_signal(SIGTERM);
}

static void the_first_signal_makes_the_descriptor_readable(void **state) {
    (void)state;
    ends_well(sigint_once);
    ends_well(sigterm_once);
}

static void int_int(void) {
    begin();
    raise(SIGINT);
    raise(SIGINT);
}

static void term_int(void) {
    begin();
    raise(SIGTERM);
    raise(SIGINT);
}

static void the_second_signal_ends_with_130(void **state) {
    (void)state;
    void (*const bodies[])(void) = {int_int, term_int};
    for (size_t i = 0; i < 2; i++) {
        int status = in_child(bodies[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 130);
    }
}

static void write_to_nobody(void) {
    pk_interrupt *intr = begin();
    int ends[2];
    CHILD_CHECK(pipe(ends) == 0);
    close(ends[0]);
    CHILD_CHECK(write(ends[1], "x", 1) == -1 && errno == EPIPE);
    pk_interrupt_end(intr);
    CHILD_CHECK(write(ends[1], "x", 1) < 0); /* SIGPIPE again: does not return */
}

static void sigpipe_is_ignored_until_the_end(void **state) {
    (void)state;
    int status = in_child(write_to_nobody);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGPIPE);
}

static volatile sig_atomic_t own_handler_calls;

static void own_handler(int signal) {
    (void)signal;
    own_handler_calls++;
}

static void restores(void) {
    struct sigaction own = {.sa_handler = own_handler}, found;
    CHILD_CHECK(sigaction(SIGINT, &own, NULL) == 0);
    CHILD_CHECK(signal(SIGTERM, SIG_IGN) != SIG_ERR);
    pk_interrupt *intr = begin();
    raise(SIGINT);
    CHILD_CHECK(own_handler_calls == 0);
    pk_interrupt_end(intr);
    raise(SIGINT);
    raise(SIGTERM);
    CHILD_CHECK(own_handler_calls == 1);
    CHILD_CHECK(sigaction(SIGTERM, NULL, &found) == 0 && found.sa_handler == SIG_IGN);
    CHILD_CHECK(sigaction(SIGPIPE, NULL, &found) == 0 && found.sa_handler == SIG_DFL);
}

static void the_end_restores_what_was_there(void **state) {
    (void)state;
    ends_well(restores);
}

static void twice(void) {
    pk_interrupt *intr = begin();
    pk_err err = {0};
    CHILD_CHECK(!pk_interrupt_begin(&err));
    CHILD_CHECK(err.kind == PK_E_INTERNAL && err.what[0] && err.fix[0]);
    raise(SIGINT); /* the refused begin has changed nothing */
    CHILD_CHECK(pk_interrupt_signal(intr) == SIGINT);
    pk_interrupt_end(intr);
    intr = begin();
    CHILD_CHECK(pk_interrupt_signal(intr) == 0);
    CHILD_CHECK(!readable(pk_interrupt_fd(intr), 0));
    raise(SIGTERM);
    CHILD_CHECK(pk_interrupt_signal(intr) == SIGTERM);
    pk_interrupt_end(intr);
}

static void one_at_a_time_and_again_afterwards(void **state) {
    (void)state;
    ends_well(twice);
}

static void no_descriptors(void) {
    struct rlimit before, none;
    CHILD_CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    for (int fd = 0; fd < 3; fd++) dup2(STDERR_FILENO, fd);
    pk_err err = {0};
    CHILD_CHECK(!pk_interrupt_begin(&err));
    CHILD_CHECK(err.kind == PK_E_SYS && err.sys_errno == EMFILE && err.fix[0]);
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0); /* a sanitizer needs some at the exit */
    struct sigaction found;
    CHILD_CHECK(sigaction(SIGINT, NULL, &found) == 0 && found.sa_handler == SIG_DFL);
}

static void without_a_free_descriptor_nothing_is_changed(void **state) {
    (void)state;
    ends_well(no_descriptors);
}

static void *wait_for_it(void *arg) {
    pk_interrupt *intr = arg;
    return readable(pk_interrupt_fd(intr), PATIENCE_MS) && pk_interrupt_signal(intr) == SIGINT
               ? arg
               : NULL;
}

static void many_threads(void) {
    enum { THREADS = 4 };
    pk_interrupt *intr = begin();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHILD_CHECK(pthread_create(&threads[i], NULL, wait_for_it, intr) == 0);
    kill(getpid(), SIGINT);
    for (int i = 0; i < THREADS; i++) {
        void *seen;
        CHILD_CHECK(pthread_join(threads[i], &seen) == 0 && seen == intr);
    }
    pk_interrupt_end(intr);
}

static void every_thread_sees_it(void **state) {
    (void)state;
    ends_well(many_threads);
}

static void nothing_stands_for_no_interrupts(void **state) {
    (void)state;
    assert_int_equal(pk_interrupt_fd(NULL), -1);
    assert_int_equal(pk_interrupt_signal(NULL), 0);
    pk_interrupt_end(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_signal_makes_the_descriptor_readable),
        cmocka_unit_test(the_second_signal_ends_with_130),
        cmocka_unit_test(sigpipe_is_ignored_until_the_end),
        cmocka_unit_test(the_end_restores_what_was_there),
        cmocka_unit_test(one_at_a_time_and_again_afterwards),
        cmocka_unit_test(without_a_free_descriptor_nothing_is_changed),
        cmocka_unit_test(every_thread_sees_it),
        cmocka_unit_test(nothing_stands_for_no_interrupts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
