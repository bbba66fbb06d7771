#include "timing/counters.h"

#include "check.h"

#include <sys/wait.h>

#if defined(__x86_64__) || defined(__aarch64__)
#define HAVE_KNOWN_LOOP 1
enum { INSTRUCTIONS_PER_ROUND = 2 };
/* Exactly two instructions per round. */
static void known_loop(uint64_t rounds) {
#ifdef __x86_64__
    __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(rounds) : : "cc");
#else
    __asm__ volatile("1: subs %0, %0, #1\n\tb.ne 1b" : "+r"(rounds) : : "cc");
#endif
}
#endif

static void a_known_loop_has_its_number_of_instructions(void **state) {
    (void)state;
#ifndef HAVE_KNOWN_LOOP
    print_message("no loop of known length for this architecture\n");
    skip();
#else
    enum { ROUNDS = 20000000 };
    pk_counters counters;
    pk_counter_values before, after;
    pk_counters_open_thread(&counters);
    pk_counters_read(&counters, &before);
    known_loop(ROUNDS);
    pk_counters_read(&counters, &after);
    pk_counters_close(&counters);
    if (!after.known[PK_COUNTER_INSTRUCTIONS]) {
        print_message("this machine offers no hardware counters (perf_event_open)\n");
        skip();
    }
    assert_near(after.value[PK_COUNTER_INSTRUCTIONS] - before.value[PK_COUNTER_INSTRUCTIONS],
                (double)ROUNDS * INSTRUCTIONS_PER_ROUND, 0.05);
    if (after.known[PK_COUNTER_CYCLES]) /* one round takes at least one cycle to retire */
        assert_true(after.value[PK_COUNTER_CYCLES] - before.value[PK_COUNTER_CYCLES] > ROUNDS / 4);
#endif
}

/* Exec to exec: the caller's own work is not in it, and each opening counts one child. */
static void children_are_counted_from_their_exec_on(void **state) {
    (void)state;
    uint64_t counted[3];
    for (int i = 0; i < 3; i++) {
        pk_counters counters;
        pk_counter_values values;
        pk_counters_open_children(&counters);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            execl("/bin/true", "true", (char *)NULL);
            _exit(1);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        pk_counters_read(&counters, &values);
        pk_counters_close(&counters);
        if (!values.known[PK_COUNTER_INSTRUCTIONS]) {
            print_message("this machine offers no hardware counters (perf_event_open)\n");
            skip();
        }
        counted[i] = (uint64_t)values.value[PK_COUNTER_INSTRUCTIONS];
        assert_in_range(counted[i], 10000, 100000000);
    }
    assert_near((double)counted[2], (double)counted[0], 0.5);
}

static void what_could_not_be_opened_is_unknown_not_zero(void **state) {
    (void)state;
    pk_counters counters;
    pk_counter_values values;
    pk_counters_open_thread(&counters);
    pk_counters_read(&counters, &values);
    for (int i = 0; i < PK_COUNTERS; i++) {
        assert_int_equal(values.known[i], !isnan(values.value[i]));
        if (counters.fd[i] < 0) assert_false(values.known[i]);
    }
    pk_counters_close(&counters);
    pk_counters_read(&counters, &values); /* closed: all missing */
    for (int i = 0; i < PK_COUNTERS; i++) assert_false(values.known[i]);
    pk_counters_close(&counters); /* twice does no harm */
}

static void multiplexed_counts_are_scaled_to_the_whole_time(void **state) {
    (void)state;
    assert_near(pk_counter_scaled(1000, 50, 50), 1000, 0);
    assert_near(pk_counter_scaled(1000, 300, 100), 3000, 1e-15);
    assert_near(pk_counter_scaled(0, 300, 100), 0, 0);
    assert_near(pk_counter_scaled(1000, 300, 0), NAN, 0); /* never ran: no estimate */
    assert_near(pk_counter_scaled(1ull << 62, 1ull << 62, 1ull << 61), 9223372036854775808.0,
                1e-15);
}

/* A reading as the kernel gives it: count, enabled and running time. */
static int fake_counter(uint64_t raw, uint64_t enabled_ns, uint64_t running_ns, size_t bytes) {
    uint64_t reading[] = {raw, enabled_ns, running_ns};
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], reading, bytes), (ssize_t)bytes);
    close(fds[1]);
    return fds[0];
}

static void readings_are_taken_as_the_kernel_lays_them_out(void **state) {
    (void)state;
    pk_counters counters = {.user_only = true};
    counters.fd[PK_COUNTER_INSTRUCTIONS] = fake_counter(1000, 400, 200, 24);
    counters.fd[PK_COUNTER_CYCLES] = fake_counter(77, 400, 400, 24);
    counters.fd[PK_COUNTER_BRANCH_MISSES] = fake_counter(9, 400, 400, 16); /* cut off */
    counters.fd[PK_COUNTER_CACHE_MISSES] = fake_counter(5, 400, 0, 24);    /* never ran */
    pk_counter_values values;
    pk_counters_read(&counters, &values);
    assert_true(values.user_only);
    assert_near(values.value[PK_COUNTER_INSTRUCTIONS], 2000, 0);
    assert_near(values.value[PK_COUNTER_CYCLES], 77, 0);
    assert_false(values.known[PK_COUNTER_BRANCH_MISSES]);
    assert_false(values.known[PK_COUNTER_CACHE_MISSES]);
    pk_counters_close(&counters);
}

static void a_sum_knows_only_what_all_parts_know(void **state) {
    (void)state;
    pk_counter_values a = {.known = {true, true, false, false}, .value = {10, 20, NAN, NAN}};
    pk_counter_values b = {.known = {true, false, true, false}, .value = {1, NAN, 3, NAN}};
    b.user_only = true;
    pk_counter_values_add(&a, &b);
    assert_true(a.known[PK_COUNTER_INSTRUCTIONS]);
    assert_near(a.value[PK_COUNTER_INSTRUCTIONS], 11, 0);
    for (int i = PK_COUNTER_CYCLES; i < PK_COUNTERS; i++) {
        assert_false(a.known[i]);
        assert_near(a.value[i], NAN, 0);
    }
    assert_true(a.user_only);
}

static void every_counter_has_a_name_of_its_own(void **state) {
    (void)state;
    for (int i = 0; i < PK_COUNTERS; i++) {
        assert_true(pk_counter_name((pk_counter)i)[0] != '\0');
        for (int k = 0; k < i; k++)
            assert_string_not_equal(pk_counter_name((pk_counter)i), pk_counter_name((pk_counter)k));
    }
    assert_string_equal(pk_counter_name(PK_COUNTER_INSTRUCTIONS), "instructions");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_loop_has_its_number_of_instructions),
        cmocka_unit_test(children_are_counted_from_their_exec_on),
        cmocka_unit_test(what_could_not_be_opened_is_unknown_not_zero),
        cmocka_unit_test(multiplexed_counts_are_scaled_to_the_whole_time),
        cmocka_unit_test(readings_are_taken_as_the_kernel_lays_them_out),
        cmocka_unit_test(a_sum_knows_only_what_all_parts_know),
        cmocka_unit_test(every_counter_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
