/* What becomes of a recording's command, for each way that a recording ends. */
#include "check.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "base/units.h"
#include "flame/recorder_command.h"

#define PATIENCE_NS (20 * PK_NS_PER_S)

typedef struct fixture {
    pk_record_options options;
    pk_record_command command;
    pk_recording recording;
    pk_err err;
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->options.grace_ns = PATIENCE_NS;
    *state = f;
    return 0;
}

static int end(void **state) {
    free(*state);
    return 0;
}

static void start(fixture *f, char *const argv[]) {
    f->options.argv = argv;
    assert_ok(pk_record_command_hold(&f->options, &f->command, &f->err), &f->err);
    assert_ok(pk_record_command_release(&f->command, &f->recording, &f->err), &f->err);
    assert_true(f->recording.command_ran);
    assert_true(pk_record_command_pid(&f->command) > 0);
}

/* Waits until it has ended, without reaping it. */
static void wait_for(const fixture *f) {
    struct timespec pause = {.tv_nsec = 1000000};
    siginfo_t info = {0};
    for (int i = 0; i < 20000 && info.si_pid == 0; i++) {
        assert_int_equal(waitid(P_PID, (id_t)pk_record_command_pid(&f->command), &info,
                                WEXITED | WNOHANG | WNOWAIT),
                         0);
        nanosleep(&pause, NULL);
    }
    assert_true(info.si_pid != 0);
}

static void finish(fixture *f, pk_recording_end why, int signal) {
    f->recording.end = why;
    pk_record_command_end(&f->command, &f->options, signal, &f->recording);
    assert_int_equal(pk_record_command_fd(&f->command), -1);
}

static void it_ended_by_itself(void **state) {
    fixture *f = *state;
    char *argv[] = {"sh", "-c", "exit 7", NULL};
    start(f, argv);
    wait_for(f);
    finish(f, PK_RECORDING_COMMAND, 0);
    assert_int_equal(f->recording.exit.code, 7);
    assert_false(f->recording.command_stopped || f->recording.command_left);
}

static void it_is_ended_with_the_recording(void **state) {
    fixture *f = *state;
    char *argv[] = {"sleep", "60", NULL};
    start(f, argv);
    finish(f, PK_RECORDING_DURATION, 0);
    assert_int_equal(f->recording.exit.signal, SIGTERM);
    assert_true(f->recording.command_stopped);
}

/* Its end may be seen before our own signal is. */
static void the_same_ctrl_c_ended_it(void **state) {
    fixture *f = *state;
    char *argv[] = {"sleep", "60", NULL};
    start(f, argv);
    kill(pk_record_command_pid(&f->command), SIGINT);
    wait_for(f);
    finish(f, PK_RECORDING_COMMAND, SIGINT);
    assert_int_equal(f->recording.end, PK_RECORDING_STOPPED);
    assert_true(f->recording.command_stopped);
}

static void a_signal_that_was_not_ours(void **state) {
    fixture *f = *state;
    char *argv[] = {"sleep", "60", NULL};
    start(f, argv);
    kill(pk_record_command_pid(&f->command), SIGINT);
    wait_for(f);
    finish(f, PK_RECORDING_COMMAND, 0);
    assert_int_equal(f->recording.end, PK_RECORDING_COMMAND);
    assert_int_equal(f->recording.exit.signal, SIGINT);
    assert_false(f->recording.command_stopped);
}

static void it_is_left_alone(void **state) {
    fixture *f = *state;
    char *argv[] = {"sleep", "60", NULL};
    f->options.detach = true;
    start(f, argv);
    pid_t pid = pk_record_command_pid(&f->command);
    finish(f, PK_RECORDING_STOPPED, SIGINT);
    assert_true(f->recording.command_left && !f->recording.command_stopped);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void one_that_waits_is_dropped(void **state) {
    fixture *f = *state;
    char *argv[] = {"sleep", "60", NULL};
    f->options.argv = argv;
    assert_ok(pk_record_command_hold(&f->options, &f->command, &f->err), &f->err);
    finish(f, PK_RECORDING_RECORDER, 0);
    assert_false(f->recording.command_ran || f->recording.command_stopped);
}

static void without_a_command_nothing_happens(void **state) {
    fixture *f = *state;
    assert_ok(pk_record_command_hold(&f->options, &f->command, &f->err), &f->err);
    assert_ok(pk_record_command_release(&f->command, &f->recording, &f->err), &f->err);
    assert_int_equal(pk_record_command_pid(&f->command), 0);
    finish(f, PK_RECORDING_STOPPED, SIGINT);
    assert_false(f->recording.command_ran || f->recording.command_stopped);
}

static void samples_before_its_first_instruction_are_told(void **state) {
    (void)state;
    pk_record_wait wait = {.pid = 70, .period_ns = 10};
    const struct {
        pk_record record;
        bool of_the_wait;
    } steps[] = {
        {{.type = PK_RECORD_SAMPLE, .pid = 70, .time_ns = 100}, true},
        {{.type = PK_RECORD_SAMPLE, .pid = 71, .time_ns = 101}, false},
        {{.type = PK_RECORD_MMAP2, .pid = 70, .time_ns = 102}, false},
        {{.type = PK_RECORD_COMM, .pid = 70, .time_ns = 103}, false}, /* a name, no exec */
        {{.type = PK_RECORD_SAMPLE, .pid = 70, .time_ns = 104}, true},
        {{.type = PK_RECORD_COMM, .pid = 71, .time_ns = 105, .comm.exec = true}, false},
        {{.type = PK_RECORD_SAMPLE, .pid = 70, .time_ns = 150}, true},
        {{.type = PK_RECORD_COMM, .pid = 70, .time_ns = 200, .comm.exec = true}, false},
        {{.type = PK_RECORD_SAMPLE, .pid = 70, .time_ns = 209}, true},
        {{.type = PK_RECORD_SAMPLE, .pid = 70, .time_ns = 210}, false},
        {{.type = PK_RECORD_COMM, .pid = 70, .time_ns = 300, .comm.exec = true}, false},
        {{.type = PK_RECORD_SAMPLE, .pid = 70, .time_ns = 301}, false}, /* an exec of its own */
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (pk_record_wait_has(&wait, &steps[i].record) != steps[i].of_the_wait)
            fail_msg("step %zu", i);
    pk_record_wait none = {0};
    assert_false(pk_record_wait_has(&none, &steps[0].record));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(it_ended_by_itself),
        TEST(it_is_ended_with_the_recording),
        TEST(the_same_ctrl_c_ended_it),
        TEST(a_signal_that_was_not_ours),
        TEST(it_is_left_alone),
        TEST(one_that_waits_is_dropped),
        TEST(without_a_command_nothing_happens),
        TEST(samples_before_its_first_instruction_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
