#include "timing/clock.h"

#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>

#define MS 1000000ull

static void now_is_clock_monotonic_in_nanoseconds(void **state) {
    (void)state;
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    uint64_t now = pk_now_ns();
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(now >= (uint64_t)before.tv_sec * 1000 * MS + (uint64_t)before.tv_nsec);
    assert_true(now <= (uint64_t)after.tv_sec * 1000 * MS + (uint64_t)after.tv_nsec);
}

static void now_never_goes_back(void **state) {
    (void)state;
    uint64_t last = pk_now_ns();
    for (int i = 0; i < 200000; i++) {
        uint64_t now = pk_now_ns();
        assert_true(now >= last);
        last = now;
    }
}

static void sleep_ends_at_the_moment_not_before(void **state) {
    (void)state;
    pk_timer_slack_minimal();
    for (int i = 0; i < 20; i++) {
        uint64_t when = pk_now_ns() + 2 * MS;
        pk_sleep_until_ns(when);
        uint64_t now = pk_now_ns();
        assert_true(now >= when);
        assert_true(now - when < 1000 * MS); /* a loaded machine may be late, not lost */
    }
}

static void sleep_into_the_past_returns(void **state) {
    (void)state;
    uint64_t start = pk_now_ns();
    pk_sleep_until_ns(0);
    pk_sleep_until_ns(start - 1);
    assert_true(pk_now_ns() - start < 1000 * MS);
}

static void on_signal(int number) {
    (void)number;
}

static void *send_signals(void *sleeper) {
    for (int i = 0; i < 10; i++) {
        pk_sleep_until_ns(pk_now_ns() + 3 * MS);
        pthread_kill(*(pthread_t *)sleeper, SIGUSR1);
    }
    return NULL;
}

static void sleep_goes_on_after_signals(void **state) {
    (void)state;
    struct sigaction action = {.sa_handler = on_signal}, old; /* without SA_RESTART */
    assert_int_equal(sigaction(SIGUSR1, &action, &old), 0);
    pthread_t self = pthread_self(), sender;
    assert_int_equal(pthread_create(&sender, NULL, send_signals, &self), 0);
    uint64_t when = pk_now_ns() + 50 * MS;
    pk_sleep_until_ns(when);
    assert_true(pk_now_ns() >= when);
    assert_int_equal(pthread_join(sender, NULL), 0);
    assert_int_equal(sigaction(SIGUSR1, &old, NULL), 0);
}

static void *read_slack_of_a_new_thread(void *slack) {
    assert_int_equal(prctl(PR_SET_TIMERSLACK, 40000ul, 0ul, 0ul, 0ul), 0);
    pk_timer_slack_minimal();
    *(int *)slack = prctl(PR_GET_TIMERSLACK, 0ul, 0ul, 0ul, 0ul);
    return NULL;
}

static void timer_slack_becomes_one_nanosecond(void **state) {
    (void)state;
    int slack = 0;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_slack_of_a_new_thread, &slack), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(slack, 1);
}

static void quality_agrees_with_the_clock_itself(void **state) {
    (void)state;
    pk_clock_quality quality;
    uint64_t start = pk_now_ns();
    pk_clock_measure(&quality);
    uint64_t spent_ns = pk_now_ns() - start;
    assert_true(quality.call_ns > 0);
    /* half of 20100 calls cost at least the median */
    assert_true(quality.call_ns * 10000 <= (double)spent_ns);
    assert_true(quality.step_ns >= 1 && quality.step_ns < UINT64_MAX);
    char path[] = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    char known[64] = "";
    if (access(path, R_OK) == 0) check_read_file(known, sizeof known, path);
    known[strcspn(known, "\n")] = '\0';
    assert_string_equal(quality.source, known);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(now_is_clock_monotonic_in_nanoseconds),
        cmocka_unit_test(now_never_goes_back),
        cmocka_unit_test(sleep_ends_at_the_moment_not_before),
        cmocka_unit_test(sleep_into_the_past_returns),
        cmocka_unit_test(sleep_goes_on_after_signals),
        cmocka_unit_test(timer_slack_becomes_one_nanosecond),
        cmocka_unit_test(quality_agrees_with_the_clock_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
